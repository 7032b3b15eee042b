using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>Properties, pipelines and owners, and the values that they allow.</content>
internal sealed partial class HubSpotFake
{
    public Dictionary<string, List<FakeProperty>> Properties { get; } = new(StringComparer.Ordinal)
    {
        ["contacts"] =
        [
            new("email", "string", Unique: true), new("firstname", "string"), new("lastname", "string"), new("phone", "string"), new("company", "string"),
            new("hs_object_id", "number", ReadOnly: true), new("createdate", "datetime", ReadOnly: true),
            new("lastmodifieddate", "datetime", ReadOnly: true), new(MergedIds, "string", ReadOnly: true),
            new("salestasks_lead_id", "string", Unique: true), new("salestasks_score", "number"),
        ],
        ["deals"] =
        [
            new("dealname", "string"), new("amount", "number"), new("closedate", "datetime"), new("hubspot_owner_id", "enumeration"),
            new("pipeline", "enumeration"), new("dealstage", "enumeration"),
            new("hs_object_id", "number", ReadOnly: true), new("createdate", "datetime", ReadOnly: true),
            new("hs_lastmodifieddate", "datetime", ReadOnly: true), new(MergedIds, "string", ReadOnly: true),
            new("salestasks_deal_id", "string", Unique: true),
        ],
    };

    public Dictionary<string, string[]> Pipelines { get; } = new(StringComparer.Ordinal)
    {
        ["default"] =
        [
            "appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent", "closedwon", "closedlost",
        ],
    };

    /// <summary>E-mail address by owner id.</summary>
    public Dictionary<string, string> Owners { get; } = new(StringComparer.Ordinal);

    private bool Known(string type) => _records.ContainsKey(type);

    private static JsonNode Pipeline(KeyValuePair<string, string[]> pipeline) => new JsonObject
    {
        ["id"] = pipeline.Key,
        ["label"] = pipeline.Key,
        ["displayOrder"] = 0,
        ["archived"] = false,
        ["createdAt"] = "2024-01-01T00:00:00Z",
        ["updatedAt"] = "2024-01-01T00:00:00Z",
        ["stages"] = new JsonArray(
        [
            .. pipeline.Value.Select((stage, i) => new JsonObject
            {
                ["id"] = stage,
                ["label"] = stage,
                ["displayOrder"] = i,
                ["archived"] = false,
                ["metadata"] = new JsonObject(),
                ["createdAt"] = "2024-01-01T00:00:00Z",
                ["updatedAt"] = "2024-01-01T00:00:00Z",
            }),
        ]),
    };

    private static JsonNode Describe(FakeProperty property) => new JsonObject
    {
        ["name"] = property.Name,
        ["label"] = property.Name,
        ["description"] = "",
        ["groupName"] = "information",
        ["type"] = property.Type,
        ["fieldType"] = property.Type is "enumeration" ? "select" : property.Type is "number" ? "number" : "text",
        ["hasUniqueValue"] = property.Unique,
        ["options"] = new JsonArray([.. property.Options.Select(o => new JsonObject { ["value"] = o, ["label"] = o, ["hidden"] = false })]),
        ["modificationMetadata"] = new JsonObject
        {
            ["archivable"] = true,
            ["readOnlyDefinition"] = false,
            ["readOnlyValue"] = property.ReadOnly,
        },
    };

    /// <summary>What HubSpot has against these values, if anything.</summary>
    private (int Status, JsonObject Error)? Objection(string type, FakeRecord? record, List<KeyValuePair<string, string>> values)
    {
        foreach (var (name, value) in values)
        {
            if (Properties[type].Find(p => p.Name == name) is not { } property)
            {
                return (400, ErrorBody("VALIDATION_ERROR", $"Property values were not valid: Property \"{name}\" does not exist"));
            }

            if (property.ReadOnly)
            {
                return (400, ErrorBody("VALIDATION_ERROR", $"Property values were not valid: \"{name}\" is a read only property"));
            }

            if (value.Length == 0)
            {
                continue;
            }

            var allowed = name switch
            {
                "pipeline" => Pipelines.Keys,
                "dealstage" => Pipelines.GetValueOrDefault(
                    values.Find(v => v.Key == "pipeline").Value ?? record?.Properties.GetValueOrDefault("pipeline") ?? "default", []),
                "hubspot_owner_id" => Owners.Keys,
                _ => (IReadOnlyCollection<string>)property.Options,
            };
            var fits = property.Type switch
            {
                "number" => decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _),
                "datetime" or "date" => long.TryParse(value, out _)
                    || DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _),
                "enumeration" => allowed.Contains(value),
                _ when name == "email" => value.Split('@') is [{ Length: > 0 }, var domain] && domain.Contains('.') && !value.Contains(' '),
                _ => true,
            };
            if (!fits)
            {
                return (400, ErrorBody("VALIDATION_ERROR", $"Property values were not valid: {value} was not valid for {name}"));
            }

            if (name == "email" && _barred.Contains(value.Trim().ToLowerInvariant()))
            {
                return (400, ErrorBody("VALIDATION_ERROR", "The address is on the blocklist of contacts that were permanently deleted"));
            }

            if (property.Unique && Find(type, value, name) is { } other && other != record)
            {
                return (409, ErrorBody("CONFLICT", $"{type} already exists. Existing ID: {other.Id}"));
            }
        }

        return null;
    }
}
