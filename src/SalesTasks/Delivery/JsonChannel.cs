using System.Text.Json;

namespace SalesTasks.Delivery;

/// <summary>Channels that post one JSON object a message to an http connection: e-mail webhook, call API, task API.</summary>
/// <param name="receiver">Where it goes.</param>
/// <param name="build">The body, or what the message lacks.</param>
internal sealed class JsonChannel(HttpReceiver receiver, Func<OutboxMessage, JsonElement, (byte[]? Body, string? Fault)> build) : IChannel
{
    /// <summary>
    /// <c>{from?, to, subject, text, html?, attachments?, metadata}</c>; where the lead can unsubscribe, <c>headers</c> with those of RFC 8058.
    /// </summary>
    /// <param name="receiver">Where it goes.</param>
    /// <param name="from">The sender; null where the receiver has its own.</param>
    /// <param name="unsubscribe">Makes the headers.</param>
    public static JsonChannel Email(HttpReceiver receiver, string? from, UnsubscribeLink? unsubscribe) => new(receiver, (message, payload) =>
    {
        if (EmailContent.Fault(message, payload) is { } fault)
        {
            return (null, fault);
        }

        return (MessageBody.Write(json =>
        {
            if (from is not null)
            {
                json.WriteString("from", from);
            }

            json.WriteString("to", message.Recipient);
            MessageBody.Copy(json, payload, "subject");
            MessageBody.Copy(json, payload, "text");
            MessageBody.Copy(json, payload, "html");
            if (message.Attachments.Count > 0)
            {
                json.WriteStartArray("attachments");
                foreach (var attachment in message.Attachments)
                {
                    json.WriteStartObject();
                    json.WriteString("name", attachment.Name);
                    json.WriteString("content_type", attachment.ContentType);
                    json.WriteBase64String("content", attachment.Content);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            if (unsubscribe is not null && EmailContent.GoesToLead(message))
            {
                json.WriteStartObject("headers");
                foreach (var (name, value) in unsubscribe.Headers(message.Recipient!))
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            MessageBody.WriteMetadata(json, message, payload);
        }), null);
    });

    /// <summary><c>{title, notes?, phone, metadata}</c>.</summary>
    public static JsonChannel Call(HttpReceiver receiver) => new(receiver, (message, payload) =>
    {
        var phone = message.Recipient ?? MessageBody.Text(payload, "phone");
        if (string.IsNullOrWhiteSpace(phone))
        {
            return (null, "it has no telephone number");
        }

        return MessageBody.Text(payload, "title") is null
            ? (null, "its payload has no title")
            : (MessageBody.Write(json =>
            {
                MessageBody.Copy(json, payload, "title");
                MessageBody.Copy(json, payload, "notes");
                json.WriteString("phone", phone);
                MessageBody.WriteMetadata(json, message, payload);
            }), null);
    });

    /// <summary><c>{title, description?, due?, assignee?, metadata}</c>.</summary>
    public static JsonChannel Task(HttpReceiver receiver) => new(receiver, (message, payload) => MessageBody.Text(payload, "title") is null
        ? (null, "its payload has no title")
        : (MessageBody.Write(json =>
        {
            MessageBody.Copy(json, payload, "title");
            MessageBody.Copy(json, payload, "description");
            MessageBody.Copy(json, payload, "due");
            MessageBody.Copy(json, payload, "assignee");
            MessageBody.WriteMetadata(json, message, payload);
        }), null));

    public async Task<SendResult> SendAsync(OutboxMessage message, CancellationToken stop)
    {
        byte[]? body;
        using (var payload = JsonDocument.Parse(message.Payload))
        {
            (body, var fault) = payload.RootElement.ValueKind == JsonValueKind.Object
                ? build(message, payload.RootElement)
                : (null, "its payload is no JSON object");
            if (body is null)
            {
                return SendResult.Permanent(fault!);
            }
        }

        return await receiver.PostAsync(body, message.IdempotencyKey, judge: null, stop);
    }

    public ValueTask DisposeAsync() => receiver.DisposeAsync();
}
