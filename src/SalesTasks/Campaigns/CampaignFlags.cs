using System.Globalization;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;

namespace SalesTasks.Campaigns;

/// <summary>The short form in which <c>campaigns create</c> says criteria and steps.</summary>
internal static class CampaignFlags
{
    private static readonly string[] s_lists = ["stage", "priority", "source", "utm_campaign"];

    /// <exception cref="JobException">64: one of them is no KEY=VALUE, or a key is given twice.</exception>
    public static JsonObject Criteria(string[] assignments)
    {
        var criteria = new JsonObject();
        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);
            var key = equals > 0 ? assignment[..equals].Trim() : "";
            if (key.Length == 0 || criteria.ContainsKey(key))
            {
                throw JobException.Usage($"--where: {Quoted.Text(assignment)} is not allowed; allowed: KEY=VALUE, each key once");
            }

            var value = assignment[(equals + 1)..].Trim();
            criteria[key] = s_lists.Contains(key, StringComparer.Ordinal)
                ? new JsonArray([.. value.Split(',', StringSplitOptions.TrimEntries).Select(item => (JsonNode?)JsonValue.Create(item))])
                : Number(value) ?? JsonValue.Create(value);
        }

        return criteria;
    }

    /// <exception cref="JobException">64: one of them has not the parts of a step.</exception>
    public static JsonArray Steps(string[] steps) => new([.. steps.Select(JsonNode? (text) =>
    {
        var parts = text.Split(';', 4, StringSplitOptions.TrimEntries);
        if (parts.Length < 3)
        {
            throw JobException.Usage($"--step: {Quoted.Text(text)} is not allowed; allowed: TYPE;DELAY_HOURS;SUBJECT;BODY (a Slack step: slack;DELAY_HOURS;;BODY)");
        }

        var step = new JsonObject { ["type"] = parts[0], ["delay_hours"] = Number(parts[1]) ?? JsonValue.Create(parts[1]) };
        if (parts[2].Length > 0)
        {
            step["subject"] = parts[2];
        }

        if (parts.Length > 3 && parts[3].Length > 0)
        {
            step["body"] = parts[3];
        }

        return step;
    })]);

    private static JsonValue? Number(string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number) : null;
}
