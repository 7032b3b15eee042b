using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>Batches of records.</content>
internal sealed partial class HubSpotFake
{
    private FakeAnswer Batch(string type, string what, JsonNode? body)
    {
        if (body?["inputs"] is not JsonArray inputs)
        {
            return Error(400, "VALIDATION_ERROR", "inputs is missing");
        }

        if (inputs.Count > MaxBatch)
        {
            return Error(400, "VALIDATION_ERROR", "The maximum number of inputs is 100");
        }

        switch (what)
        {
            case "read":
                return BatchRead(type, body, inputs);
            case "archive":
                foreach (var input in inputs)
                {
                    if (Find(type, input?["id"]?.ToString()) is { } record)
                    {
                        Archive(type, record);
                    }
                }

                return new FakeAnswer(204);
            case "create" or "update" or "upsert":
                WriteCalls++;
                return BatchWrite(type, what, inputs);
            default:
                return Error(404, "OBJECT_NOT_FOUND", "There is no such resource.");
        }
    }

    private FakeAnswer BatchRead(string type, JsonNode body, JsonArray inputs)
    {
        var idProperty = body["idProperty"]?.ToString();
        if (idProperty is not null && Properties[type].Find(p => p.Name == idProperty) is not { Unique: true })
        {
            return Error(400, "VALIDATION_ERROR", $"{idProperty} is not unique");
        }

        var names = (body["properties"] as JsonArray ?? []).Select(n => n!.ToString()).ToList();
        var found = new JsonArray();
        var missing = new JsonArray();
        foreach (var id in inputs.Select(i => i?["id"]?.ToString()))
        {
            if (Find(type, id, idProperty) is { } record)
            {
                found.Add(Show(record, record.Properties, names));
            }
            else
            {
                missing.Add(id);
            }
        }

        var answer = Completed(found);
        if (missing.Count > 0)
        {
            var error = ErrorBody("OBJECT_NOT_FOUND", "Could not get some objects, they may be deleted or not exist.");
            error["context"] = new JsonObject { ["ids"] = missing };
            answer["numErrors"] = 1;
            answer["errors"] = new JsonArray(error);
        }

        return new FakeAnswer(missing.Count > 0 ? 207 : 200, answer);
    }

    private static JsonObject Completed(JsonArray results) => new()
    {
        ["status"] = "COMPLETE",
        ["results"] = results,
        ["startedAt"] = "2024-01-01T00:00:00Z",
        ["completedAt"] = "2024-01-01T00:00:00Z",
    };

    private FakeAnswer BatchWrite(string type, string what, JsonArray inputs)
    {
        var ids = inputs.Select(i => i?["id"]?.ToString()).ToList();
        if (what != "create" && ids.Distinct(StringComparer.Ordinal).Count() < ids.Count)
        {
            return Error(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input");
        }

        if (what == "upsert" && inputs.Select(i => i?["idProperty"]?.ToString()).FirstOrDefault(p =>
            Properties[type].Find(d => d.Name == p) is not { Unique: true }) is { } wrong)
        {
            return Error(400, "VALIDATION_ERROR", $"{wrong} is not unique");
        }

        var each = JudgesEachRecord && inputs.All(i => i?["objectWriteTraceId"] is not null);
        var errors = new JsonArray();
        var writes = new List<(JsonNode Input, FakeRecord? Record, List<KeyValuePair<string, string>> Values)>();
        var taken = new HashSet<(string, string)>();
        foreach (var input in inputs.OfType<JsonNode>())
        {
            var values = Values(input);
            var idProperty = input["idProperty"]?.ToString();
            if (what == "upsert" && !values.Exists(v => v.Key == idProperty))
            {
                values.Add(KeyValuePair.Create(idProperty!, input["id"]!.ToString()));
            }

            var record = what == "create" ? null : Find(type, input["id"]?.ToString(), what == "upsert" ? idProperty : null);
            (int Status, JsonObject Error)? fault = what == "update" && record is null
                ? (404, ErrorBody("OBJECT_NOT_FOUND", "resource not found"))
                : Objection(type, record, values);
            if (fault is null && values.Exists(v => v.Value.Length > 0 && Properties[type].Find(p => p.Name == v.Key)!.Unique && !taken.Add((v.Key, v.Value))))
            {
                fault = (409, ErrorBody("CONFLICT", "Another input of this batch has the same unique value"));
            }

            if (fault is { } found)
            {
                if (!each)
                {
                    return new FakeAnswer(found.Status, found.Error);
                }

                found.Error["context"] = new JsonObject { ["objectWriteTraceId"] = new JsonArray(input["objectWriteTraceId"]!.ToString()) };
                errors.Add(found.Error);
                continue;
            }

            writes.Add((input, record, values));
        }

        var results = new JsonArray();
        foreach (var (input, existing, values) in writes)
        {
            var record = existing ?? Add(type);
            Created += existing is null ? 1 : 0;
            Set(type, record, values);
            var shown = Show(record, record.Properties, values.Select(v => v.Key), input["objectWriteTraceId"]?.ToString());
            if (what == "upsert")
            {
                shown["new"] = existing is null;
            }

            results.Add(shown);
        }

        var answer = Completed(results);
        if (errors.Count > 0)
        {
            answer["numErrors"] = errors.Count;
            answer["errors"] = errors;
        }

        return new FakeAnswer(errors.Count > 0 ? 207 : what == "create" ? 201 : 200, answer);
    }
}
