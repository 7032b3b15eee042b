using System.Text;

namespace SalesTasks.Delivery;

/// <summary>Text for Slack's mrkdwn.</summary>
internal static class SlackText
{
    /// <summary>
    /// Escapes the three characters that are control characters to Slack, so that a name like <c>&lt;!channel&gt;</c> notifies nobody.
    /// </summary>
    /// <remarks>https://docs.slack.dev/messaging/formatting-message-text#escaping</remarks>
    public static string Escape(string? text) => text is null
        ? ""
        : new StringBuilder(text).Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").ToString();

    /// <summary>At most <paramref name="limit"/> UTF-16 units, with … at the end where something is cut; no entity and no character is cut in two.</summary>
    public static string Truncate(string text, int limit) => text.Length <= limit ? text : string.Concat(text.AsSpan(0, Boundary(text, 0, limit - 1)), "…");

    /// <summary>Pieces of at most <paramref name="limit"/> units, cut at line ends where there are any.</summary>
    public static IEnumerable<string> Split(string text, int limit)
    {
        var start = 0;
        while (text.Length - start > limit)
        {
            var line = text.LastIndexOf('\n', start + limit - 1, limit);
            var end = line > start ? line + 1 : Boundary(text, start, limit);
            yield return text[start..end].TrimEnd('\n');
            start = end;
        }

        if (start < text.Length || text.Length == 0)
        {
            yield return text[start..];
        }
    }

    /// <summary>The last place at most <paramref name="length"/> after <paramref name="start"/> where a cut does no harm.</summary>
    private static int Boundary(string text, int start, int length)
    {
        var end = start + length;
        // The longest entity, "&quot;", has six units.
        var entity = text.LastIndexOf('&', end - 1, Math.Min(6, length));
        if (entity > start && text.IndexOf(';', entity) is var close && close >= end && close - entity < 8)
        {
            end = entity;
        }

        return char.IsLowSurrogate(text[end]) && char.IsHighSurrogate(text[end - 1]) && end - 1 > start ? end - 1 : end;
    }
}
