using System.Text.Json;

namespace SalesTasks.Delivery;

/// <summary>What an e-mail needs, by whichever way it leaves.</summary>
internal static class EmailContent
{
    /// <summary>What it lacks, or null.</summary>
    public static string? Fault(OutboxMessage message, JsonElement payload)
    {
        if (string.IsNullOrWhiteSpace(message.Recipient))
        {
            return "it has no recipient";
        }

        // A line break would let a name or an address add headers of its own.
        if (message.Recipient.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0 || !message.Recipient.Contains('@', StringComparison.Ordinal))
        {
            return "its recipient is no e-mail address";
        }

        if (MessageBody.Text(payload, "subject") is null)
        {
            return "its payload has no subject";
        }

        return MessageBody.Text(payload, "text") is null && MessageBody.Text(payload, "html") is null ? "its payload has neither text nor html" : null;
    }

    /// <summary>Whether it goes to a lead, who may unsubscribe, and not to our own people.</summary>
    public static bool GoesToLead(OutboxMessage message) => message.Purpose is "campaign" or "followup";
}
