using System.Text.Encodings.Web;
using System.Text.Json.Nodes;

namespace SalesTasks.Encryption;

/// <summary>The texts within a message's payload, which may hold tokens.</summary>
internal static class MessageTexts
{
    /// <summary>Gives every text of the payload, with the name of its property, to <paramref name="change"/>.</summary>
    public static void Change(JsonNode node, Func<string?, string, string> change)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (name, value) in map.ToList())
                {
                    if (value is JsonValue text && text.TryGetValue<string>(out var old))
                    {
                        map[name] = change(name, old);
                    }
                    else if (value is not null)
                    {
                        Change(value, change);
                    }
                }

                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is JsonValue text && text.TryGetValue<string>(out var old))
                    {
                        list[i] = change(null, old);
                    }
                    else if (list[i] is { } value)
                    {
                        Change(value, change);
                    }
                }

                break;
        }
    }

    /// <summary>A value as it is written in that place: as HTML, as Slack's text, or as it is.</summary>
    public static string Written(string value, string? property, string channel) => property == "html"
        ? HtmlEncoder.Default.Encode(value)
        : channel == "slack"
            ? value.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
            : value;

    /// <summary>A text at this path; null where there is none.</summary>
    public static string? Of(JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = (node as JsonObject)?[name];
        }

        return node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }
}
