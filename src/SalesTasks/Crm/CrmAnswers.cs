using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Crm;

/// <summary>Members of a CRM's answer; what is missing, or of another kind, is empty.</summary>
internal static class CrmAnswers
{
    public static string? Text(JsonNode? node, string name) => node is JsonObject o && o[name] is JsonValue value ? value.ToString() : null;

    public static bool Flag(JsonNode? node, string name) => node is JsonObject o && o[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    public static JsonArray Items(JsonNode? node, string name) => node is JsonObject o && o[name] is JsonArray array ? array : [];

    /// <summary>An instant; one that cannot be read is long ago.</summary>
    public static DateTimeOffset Instant(string? text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
        ? at
        : DateTimeOffset.UnixEpoch;

    /// <summary>The fields of a record, without what is nested in it; empty is null.</summary>
    public static Dictionary<string, string?> Properties(JsonObject fields) => fields.Where(p => p.Value is null or JsonValue).ToDictionary(
        p => p.Key, p => p.Value?.ToString() is { Length: > 0 } text ? text : null, StringComparer.Ordinal);
}
