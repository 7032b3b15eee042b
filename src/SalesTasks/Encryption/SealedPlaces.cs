using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Encryption;

/// <summary>Sealed texts that stand by themselves: what they are bound to, and the fields of the CRM sync's documents that are sealed.</summary>
internal static class SealedPlaces
{
    /// <summary>Our fields that are sealed, in the documents of the CRM sync.</summary>
    public static readonly IReadOnlyList<string> Fields = ["phone", "notes"];

    public static string Link(long id, string column, string field) => string.Create(CultureInfo.InvariantCulture, $"crm_links/{column}/{id}/{field}");

    /// <param name="link">The link.</param>
    /// <param name="version">Of the link.</param>
    /// <param name="column">base_value, our_value or their_value.</param>
    /// <param name="field">phone or notes.</param>
    public static string Conflict(long link, int version, string column, string field) =>
        string.Create(CultureInfo.InvariantCulture, $"crm_conflicts/{column}/{link}/{version}/{field}");

    public static string Staged(string crm, string kind, string crmId, string field) => $"crm_staged/{crm}/{kind}/{crmId}/{field}";

    public static string Import(long importId, string column) => string.Create(CultureInfo.InvariantCulture, $"lead_import/{column}/{importId}");

    /// <summary>The document with the fields that are sealed changed; null stays null.</summary>
    /// <param name="json">By field.</param>
    /// <param name="change">Gets field and text.</param>
    public static string? Change(string? json, Func<string, string, string> change)
    {
        if (json is null || JsonNode.Parse(json) is not JsonObject document)
        {
            return json;
        }

        foreach (var field in Fields)
        {
            if (document[field] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0)
            {
                document[field] = change(field, text);
            }
        }

        return document.ToJsonString();
    }
}
