using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>Records one by one, and lists of them.</content>
internal sealed partial class HubSpotFake
{
    private FakeAnswer List(string type, IReadOnlyDictionary<string, string> query)
    {
        var archived = query.GetValueOrDefault("archived") == "true";
        var limit = int.Parse(query.GetValueOrDefault("limit", "10"), CultureInfo.InvariantCulture);
        if (limit > MaxBatch)
        {
            return Error(400, "VALIDATION_ERROR", "limit must be at most 100");
        }

        var after = long.Parse(query.GetValueOrDefault("after", "0"), CultureInfo.InvariantCulture);
        var records = _records[type].Where(r => r.Key > after && r.Value.MergedInto is null && r.Value.ArchivedAt is not null == archived)
            .Select(r => r.Value).Take(limit + 1).ToList();
        var answer = new JsonObject
        {
            ["results"] = new JsonArray([.. records.Take(limit).Select(r => Show(r, r.Properties, query.GetValueOrDefault("properties")?.Split(',')))]),
        };
        if (records.Count > limit)
        {
            answer["paging"] = new JsonObject { ["next"] = new JsonObject { ["after"] = records[limit - 1].Id } };
        }

        return new FakeAnswer(200, answer);
    }

    private FakeAnswer Get(string type, string id, IReadOnlyDictionary<string, string> query) =>
        Find(type, id, query.GetValueOrDefault("idProperty")) is { } record
            ? new FakeAnswer(200, Show(record, record.Properties, query.GetValueOrDefault("properties")?.Split(',')))
            : Error(404, "OBJECT_NOT_FOUND", "resource not found");

    private FakeAnswer Create(string type, JsonNode? body)
    {
        WriteCalls++;
        var values = Values(body);
        if (Objection(type, null, values) is { } fault)
        {
            return new FakeAnswer(fault.Status, fault.Error);
        }

        var record = Add(type);
        Created++;
        Set(type, record, values);
        return new FakeAnswer(201, Show(record, record.Properties, null));
    }

    private FakeAnswer Patch(string type, string id, FakeRequest request)
    {
        WriteCalls++;
        if (Find(type, id, request.Query.GetValueOrDefault("idProperty")) is not { } record)
        {
            return Error(404, "OBJECT_NOT_FOUND", "resource not found");
        }

        var values = Values(request.Body);
        if (Objection(type, record, values) is { } fault)
        {
            return new FakeAnswer(fault.Status, fault.Error);
        }

        Set(type, record, values);
        return new FakeAnswer(200, Show(record, record.Properties, null));
    }

    private FakeAnswer Delete(string type, string id)
    {
        if (Find(type, id) is { } record)
        {
            Archive(type, record);
        }

        return new FakeAnswer(204);
    }

    private FakeAnswer Merge(string type, JsonNode? body)
    {
        var winner = Find(type, body?["primaryObjectId"]?.ToString());
        var loser = Find(type, body?["objectIdToMerge"]?.ToString());
        if (winner is null || loser is null || winner == loser)
        {
            return Error(400, "VALIDATION_ERROR", "There is nothing to merge.");
        }

        Merge(type, winner, loser);
        return new FakeAnswer(200, Show(winner, winner.Properties, null));
    }
}
