using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <summary>A field of an object, as Salesforce describes it.</summary>
/// <param name="Name">API name.</param>
/// <param name="Type">string, textarea, email, phone, id, reference, double, currency, percent, int, date, datetime, picklist or boolean.</param>
/// <param name="Length">Characters at most; 0: not a text.</param>
internal sealed record SalesforceField(string Name, string Type, int Length = 0)
{
    public bool ExternalId { get; init; }

    public bool Unique { get; init; }

    /// <summary>Only Salesforce itself writes it.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Written with a new record only.</summary>
    public bool CreateOnly { get; init; }

    /// <summary>A record without it is refused.</summary>
    public bool Required { get; init; }

    /// <summary>Salesforce fills it where a new record does not say.</summary>
    public bool Defaulted { get; init; }

    /// <summary>Values of a picklist.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Other values than <see cref="Options"/> are refused.</summary>
    public bool Restricted { get; init; }

    public bool IsNumber => Type is "double" or "currency" or "percent" or "int";

    /// <summary>A stored value as JSON.</summary>
    public JsonNode? ToJson(string? value) => value switch
    {
        null => null,
        _ when IsNumber => JsonValue.Create(decimal.Parse(value, CultureInfo.InvariantCulture)),
        _ when Type == "boolean" => JsonValue.Create(value == "true"),
        _ => JsonValue.Create(value),
    };
}

/// <summary>A record of any object.</summary>
internal sealed class SalesforceRecord(string id)
{
    public string Id { get; } = id;

    /// <summary>By API name; empty is missing. Numbers, instants and booleans as Salesforce writes them.</summary>
    public SortedDictionary<string, string> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>In the recycle bin.</summary>
    public bool Deleted { get; set; }

    /// <summary>Gone from the recycle bin as well.</summary>
    public bool Purged { get; set; }
}
