using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>The search, and associations.</content>
internal sealed partial class HubSpotFake
{
    private FakeAnswer Search(string type, JsonNode? body)
    {
        _searches++;
        var limit = body?["limit"]?.GetValue<int>() ?? 10;
        var after = int.TryParse(body?["after"]?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0;
        if (limit > MaxSearchPage)
        {
            return Error(400, "VALIDATION_ERROR", "limit must be at most 200");
        }

        if (after + limit > MaxSearchResults)
        {
            return Error(400, "VALIDATION_ERROR", "The search shows 10000 results at most");
        }

        foreach (var record in _records[type].Values.Where(r => r.IndexedAfter < _searches))
        {
            record.Indexed = record.ArchivedAt is null && record.MergedInto is null ? new Dictionary<string, string>(record.Properties) : null;
            record.IndexedUpdatedAt = record.UpdatedAt;
            // Until the next change.
            record.IndexedAfter = long.MaxValue;
        }

        var groups = (body?["filterGroups"] as JsonArray ?? []).OfType<JsonNode>().ToList();
        var sort = (body?["sorts"] as JsonArray)?.FirstOrDefault();
        var sortBy = (sort as JsonObject)?["propertyName"]?.ToString() ?? (sort as JsonValue)?.ToString() ?? "createdate";
        var hits = _records[type].Values
            .Where(r => r.Indexed is { } indexed && (groups.Count == 0
                || groups.Exists(g => (g["filters"] as JsonArray ?? []).All(f => Holds(indexed, f!)))))
            .OrderBy(r => Comparable(r.Indexed!.GetValueOrDefault(sortBy))).ToList();
        if ((sort as JsonObject)?["direction"]?.ToString() == "DESCENDING")
        {
            hits.Reverse();
        }

        var names = (body?["properties"] as JsonArray)?.Select(n => n!.ToString()).ToList();
        var shown = hits.Skip(after).Take(limit).Select(r =>
        {
            var json = Show(r, r.Indexed!, names);
            json["updatedAt"] = Text(r.IndexedUpdatedAt);
            json["archived"] = false;
            json.Remove("archivedAt");
            return (JsonNode)json;
        });
        var answer = new JsonObject { ["total"] = hits.Count, ["results"] = new JsonArray([.. shown]) };
        if (hits.Count > after + limit)
        {
            answer["paging"] = new JsonObject
            {
                ["next"] = new JsonObject { ["after"] = (after + limit).ToString(CultureInfo.InvariantCulture) },
            };
        }

        return new FakeAnswer(200, answer);
    }

    private static bool Holds(IReadOnlyDictionary<string, string> record, JsonNode filter)
    {
        var value = record.GetValueOrDefault(filter["propertyName"]!.ToString());
        var bound = Comparable(filter["value"]?.ToString());
        return filter["operator"]!.ToString() switch
        {
            "HAS_PROPERTY" => value is not null,
            "NOT_HAS_PROPERTY" => value is null,
            _ when value is null => false,
            "EQ" => Comparable(value) == bound,
            "GT" => Comparable(value) > bound,
            "GTE" => Comparable(value) >= bound,
            "LT" => Comparable(value) < bound,
            "LTE" => Comparable(value) <= bound,
            "BETWEEN" => Comparable(value) >= bound && Comparable(value) <= Comparable(filter["highValue"]?.ToString()),
            _ => false,
        };
    }

    /// <summary>Numbers by their value, instants as milliseconds; other texts have no order here.</summary>
    private static decimal Comparable(string? value) =>
        decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                ? at.ToUnixTimeMilliseconds()
                : value is null ? 0 : string.GetHashCode(value, StringComparison.Ordinal);

    private FakeAnswer Associate(JsonNode? body)
    {
        var inputs = (body?["inputs"] as JsonArray ?? []).OfType<JsonNode>().ToList();
        if (inputs.Count > MaxRelations)
        {
            return Error(400, "VALIDATION_ERROR", "The maximum number of inputs is 2000");
        }

        var results = new JsonArray();
        foreach (var input in inputs)
        {
            var deal = Find("deals", input["from"]?["id"]?.ToString());
            var contact = Find("contacts", input["to"]?["id"]?.ToString());
            if (deal is not null && contact is not null)
            {
                deal.Contacts.Add(contact.Id);
                results.Add(new JsonObject
                {
                    ["from"] = new JsonObject { ["id"] = deal.Id },
                    ["to"] = new JsonObject { ["id"] = contact.Id },
                    ["associationSpec"] = new JsonObject { ["associationCategory"] = "HUBSPOT_DEFINED", ["associationTypeId"] = 3 },
                });
            }
        }

        var answer = Completed(results);
        answer["numErrors"] = inputs.Count - results.Count;
        return new FakeAnswer(results.Count == inputs.Count ? 200 : 207, answer);
    }

    private FakeAnswer Associations(JsonNode? body)
    {
        var results = new JsonArray();
        foreach (var id in (body?["inputs"] as JsonArray ?? []).Select(i => i?["id"]?.ToString()))
        {
            if (Find("deals", id) is { Contacts.Count: > 0 } deal)
            {
                results.Add(new JsonObject
                {
                    ["from"] = new JsonObject { ["id"] = id },
                    ["to"] = new JsonArray(
                    [
                        .. deal.Contacts.Select(c => new JsonObject
                        {
                            ["toObjectId"] = long.Parse(c, CultureInfo.InvariantCulture),
                            ["associationTypes"] = new JsonArray(new JsonObject
                            {
                                ["category"] = "HUBSPOT_DEFINED",
                                ["typeId"] = 3,
                                ["label"] = null,
                            }),
                        }),
                    ]),
                });
            }
        }

        return new FakeAnswer(200, Completed(results));
    }
}
