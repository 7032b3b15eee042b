using System.Globalization;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;

namespace SalesTasks.Routing;

/// <summary>
/// What is to be saved about a rep: column names as in <c>sales_reps</c>, checked. Only what is given is in it, so that the rest stays as it is.
/// </summary>
internal sealed class RepDocument
{
    /// <summary>Column → how it is read: the node, or null where the text is not allowed, and what is.</summary>
    private static readonly Dictionary<string, (Func<string, JsonNode?> Read, string Allowed)> s_columns = new(StringComparer.Ordinal)
    {
        ["email"] = (Address, "an address with one @, at most 256 characters, no spaces"),
        ["name"] = (Text(256), "1 to 256 characters"),
        ["active"] = (Flag, "true or false"),
        ["max_active_leads"] = (Limit, "a whole number from 0 to 100000, or empty for the run's"),
        ["min_active_leads"] = (Limit, "a whole number from 0 to 100000, or empty for the run's"),
        ["weight"] = (Weight, "a number from 0.001 to 999.999"),
        ["specialisations"] = (List(128), "products or industries, separated by ;"),
        ["languages"] = (List(16), "codes such as en;es, separated by ;"),
        ["regions"] = (List(64), "regions or countries as in the leads, separated by ;"),
        ["time_zone"] = (Text(64), "a name such as Europe/Madrid"),
        ["work_days"] = (Days, "ISO days from 1 (Monday) to 7, separated by ;"),
        ["work_start"] = (Clock, "a time such as 09:00"),
        ["work_end"] = (Clock, "a time such as 18:00"),
    };

    public static IReadOnlyCollection<string> Columns => s_columns.Keys;

    public JsonObject Json { get; } = [];

    public string Email => (string)Json["email"]!;

    public string? TimeZone => (string?)Json["time_zone"];

    /// <summary>Sets a column from text; a fault is added to <paramref name="faults"/>.</summary>
    public void Set(string column, string text, string place, List<string> faults)
    {
        var (read, allowed) = s_columns[column];
        var nullable = read == Limit && text.Trim().Length == 0;
        var node = nullable ? null : read(text.Trim());
        if (node is null && !nullable)
        {
            faults.Add($"{place}: {Quoted.Text(text)} is not allowed; allowed: {allowed}");
            return;
        }

        Json[column] = node;
    }

    private static Func<string, JsonNode?> Text(int length) =>
        text => text.Length >= 1 && text.Length <= length && !text.Contains('\0', StringComparison.Ordinal) ? text : null;

    private static Func<string, JsonNode?> List(int length) => text =>
    {
        var items = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return items.All(i => i.Length <= length && !i.Contains('\0', StringComparison.Ordinal)) ? new JsonArray([.. items.Select(i => (JsonNode)i)]) : null;
    };

    private static JsonArray? Days(string text)
    {
        var items = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return items.All(i => i is ['1' or '2' or '3' or '4' or '5' or '6' or '7'])
            ? new JsonArray([.. items.Select(i => (JsonNode)(i[0] - '0'))])
            : null;
    }

    private static JsonNode? Limit(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit <= 100_000 ? limit : null;

    private static JsonNode? Weight(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight) && weight is >= 0.001m and <= 999.999m
            ? weight
            : null;

    private static JsonNode? Flag(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "1" => true,
        "false" or "no" or "0" => false,
        _ => null,
    };

    private static JsonNode? Clock(string text) =>
        TimeOnly.TryParseExact(text, ["HH:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time.ToString("HH:mm:ss", CultureInfo.InvariantCulture)
            : null;

    private static JsonNode? Address(string text) =>
        text.Length is >= 3 and <= 256 && text.Count(c => c == '@') == 1 && text[0] != '@' && text[^1] != '@'
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))
            ? text.ToLowerInvariant()
            : null;
}
