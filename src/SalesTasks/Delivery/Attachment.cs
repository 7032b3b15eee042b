using System.Text.Json;

namespace SalesTasks.Delivery;

/// <summary>A file that an e-mail carries.</summary>
/// <param name="Name">As the reader sees it.</param>
/// <param name="ContentType">Such as <c>text/html; charset=utf-8</c>.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record Attachment(string Name, string ContentType, byte[] Content);

/// <summary>
/// A payload's <c>attachments</c>: a list of <c>{name, content_type, sha256}</c>, the content of which is in <c>stored_files</c>. So a message to
/// twenty people does not hold twenty copies.
/// </summary>
/// <param name="Name">As the reader sees it.</param>
/// <param name="ContentType">Such as <c>text/html; charset=utf-8</c>.</param>
/// <param name="Sha256">Of its content, in hexadecimal.</param>
internal sealed record AttachmentReference(string Name, string ContentType, string Sha256)
{
    /// <summary>Of all files of a message; mail servers take 25 MB or more, and base64 adds a third.</summary>
    public const int MostBytes = 10 << 20;

    /// <summary>What a payload refers to; null: it names them in a way that cannot be read.</summary>
    public static IReadOnlyList<AttachmentReference>? Read(string payload)
    {
        // Nearly every message has none, and its payload is read again by its channel.
        if (!payload.Contains("\"attachments\"", StringComparison.Ordinal))
        {
            return [];
        }

        using var document = JsonDocument.Parse(payload);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("attachments", out var list))
        {
            return [];
        }

        var references = new List<AttachmentReference>();
        foreach (var item in list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().ToList() : [list])
        {
            if (MessageBody.Text(item, "name") is not { Length: > 0 } name || name.Any(char.IsControl)
                || MessageBody.Text(item, "content_type") is not { Length: > 0 } type || type.Any(char.IsControl)
                || MessageBody.Text(item, "sha256") is not { Length: 64 } hash || !hash.All(char.IsAsciiHexDigit))
            {
                return null;
            }

            references.Add(new AttachmentReference(name, type, hash));
        }

        return references;
    }
}
