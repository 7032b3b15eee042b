using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace SalesTasks.Delivery;

/// <summary>
/// Brings a message within Slack's limits, which refuses it otherwise: long sections are split, long headers and fields cut, surplus
/// blocks replaced by a line that says how many are missing. One message stays one request.
/// </summary>
/// <remarks>https://docs.slack.dev/reference/block-kit/blocks</remarks>
internal static class SlackLimits
{
    public const int Blocks = 50;
    public const int Section = 3000;
    public const int Header = 150;
    public const int Fields = 10;
    public const int Field = 2000;
    public const int Text = 40_000;

    /// <summary>The same message, small enough.</summary>
    /// <param name="payload"><c>{text, blocks?}</c>; left as it is.</param>
    public static JsonObject Fit(JsonObject payload)
    {
        var fitted = new JsonObject { ["text"] = SlackText.Truncate(payload["text"]!.GetValue<string>(), Text) };
        if (payload["blocks"] is not JsonArray blocks || blocks.Count == 0)
        {
            return fitted;
        }

        var all = blocks.OfType<JsonObject>().SelectMany(FitBlock).ToList();
        if (all.Count > Blocks)
        {
            var missing = all.Count - (Blocks - 1);
            all = [.. all.Take(Blocks - 1), Context($"… {missing} more blocks do not fit into a Slack message")];
        }

        fitted["blocks"] = new JsonArray([.. all]);
        return fitted;
    }

    private static IEnumerable<JsonObject> FitBlock(JsonObject block)
    {
        var copy = (JsonObject)block.DeepClone();
        switch (TypeOf(copy))
        {
            case "header":
                CutText(copy["text"], Header);
                return [copy];
            case "section":
                return FitSection(copy);
            default:
                return [copy];
        }
    }

    private static IEnumerable<JsonObject> FitSection(JsonObject section)
    {
        var fields = (section["fields"] as JsonArray)?.OfType<JsonObject>().Select(field => (JsonObject)field.DeepClone()).ToList() ?? [];
        section.Remove("fields");
        foreach (var field in fields)
        {
            CutText(field, Field);
        }

        var pieces = TextOf(section["text"]) is { Length: > Section } text ? [.. SlackText.Split(text, Section)] : new List<string?> { null };
        for (var i = 0; i < pieces.Count; i++)
        {
            // What belongs to the section as a whole (accessory, block_id) stays with its first piece.
            var piece = i == 0 ? section : new JsonObject { ["type"] = "section", ["text"] = section["text"]!.DeepClone() };
            if (pieces[i] is { } part)
            {
                ((JsonObject)piece["text"]!)["text"] = part;
            }

            if (i == 0 && fields.Count > 0)
            {
                piece["fields"] = new JsonArray([.. fields.Take(Fields)]);
            }

            yield return piece;
        }

        foreach (var more in fields.Skip(Fields).Chunk(Fields))
        {
            yield return new JsonObject { ["type"] = "section", ["fields"] = new JsonArray([.. more]) };
        }
    }

    private static JsonObject Context(string text) => new()
    {
        ["type"] = "context",
        ["elements"] = new JsonArray(new JsonObject { ["type"] = "mrkdwn", ["text"] = text }),
    };

    private static string? TypeOf(JsonObject block) => block["type"] is JsonValue type && type.TryGetValue<string>(out var name) ? name : null;

    private static string? TextOf(JsonNode? text) =>
        text is JsonObject holder && holder["text"] is JsonValue value && value.TryGetValue<string>(out var written) ? written : null;

    private static void CutText(JsonNode? text, int limit)
    {
        if (TextOf(text) is { } written)
        {
            ((JsonObject)text!)["text"] = SlackText.Truncate(written, limit);
        }
    }
}

[JsonSerializable(typeof(JsonObject))]
internal sealed partial class SlackJson : JsonSerializerContext;
