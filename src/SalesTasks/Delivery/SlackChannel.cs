using System.Text.Json;
using System.Text.Json.Nodes;

namespace SalesTasks.Delivery;

/// <summary>
/// A Slack incoming webhook: <c>{text, blocks?}</c> as the writer prepared it, brought within Slack's limits. Sent is what Slack answers
/// with 200 and <c>ok</c>.
/// </summary>
/// <remarks>https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks</remarks>
internal sealed class SlackChannel(HttpReceiver receiver) : IChannel
{
    public Task<SendResult> SendAsync(OutboxMessage message, CancellationToken stop)
    {
        if (JsonNode.Parse(message.Payload) is not JsonObject payload || payload["text"] is not JsonValue text || text.GetValueKind() != JsonValueKind.String)
        {
            return Task.FromResult(SendResult.Permanent("its payload has no text"));
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(SlackLimits.Fit(payload), SlackJson.Default.JsonObject);
        return receiver.PostAsync(body, message.IdempotencyKey, Judge, stop);
    }

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    private static SendResult? Judge(int status, string answer)
    {
        var word = answer.Trim();
        // Slack's error words (invalid_blocks, no_service, …) say what is wrong; anything else may quote the message.
        var said = word.Length is > 0 and <= 60 && word.All(c => char.IsAsciiLetterLower(c) || c == '_') ? $": {word}" : "";
        return status switch
        {
            // No body in time, and yet a 200: Slack has it.
            200 when word is "ok" or "" => SendResult.Sent(status),
            >= 200 and < 300 => SendResult.Permanent($"HTTP {status} without ok: whoever answers there is not Slack", status) with { ConcernsConnection = true },
            403 or 404 or 410 => SendResult.Refused($"HTTP {status}{said}: the webhook is revoked, archived or not allowed to post", status),
            _ => SendResult.Permanent($"HTTP {status}{said}", status),
        };
    }
}
