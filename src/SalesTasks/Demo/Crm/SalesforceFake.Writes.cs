using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <content>Records that are made, changed and deleted, one by one and in collections.</content>
internal sealed partial class SalesforceFake
{
    private const int MaxCollection = 200;

    /// <summary>Decides for a record that is written whether somebody else has it locked.</summary>
    public Func<JsonObject, bool>? Locked { get; set; }

    /// <summary>A record that something else needs.</summary>
    public string? Undeletable { get; set; }

    /// <summary>A duplicate rule is active: a new contact with the address of another is refused.</summary>
    public bool DuplicateRule { get; set; }

    /// <summary>What became of a record: its id, whether it is new, or what Salesforce has against it.</summary>
    private sealed record Saved(string? Id, bool Created, JsonObject? Error)
    {
        public JsonObject ToJson(bool upsert = false)
        {
            var json = new JsonObject { ["success"] = Error is null, ["errors"] = new JsonArray() };
            if (Id is not null)
            {
                json["id"] = Id;
            }

            if (Error is not null)
            {
                json["errors"]!.AsArray().Add(Error.DeepClone());
            }

            if (upsert)
            {
                json["created"] = Created;
            }

            return json;
        }
    }

    private static Saved Refused(string code, string message, params string[] fields) => new(null, false, new JsonObject
    {
        ["statusCode"] = code,
        ["message"] = message,
        ["fields"] = new JsonArray([.. fields.Select(f => JsonValue.Create(f))]),
    });

    private Saved Create(string type, JsonObject body)
    {
        WriteCalls++;
        if (Objection(type, null, body) is { } refused)
        {
            return refused;
        }

        var record = Add(type);
        Created += type is "Contact" or "Opportunity" ? 1 : 0;
        Set(type, record, Values(type, body));
        return new Saved(record.Id, true, null);
    }

    private Saved Update(string type, string? id, JsonObject body)
    {
        WriteCalls++;
        if (Existing(type, id) is not { } record)
        {
            return Missing(id);
        }

        if (Objection(type, record, body) is { } refused)
        {
            return refused;
        }

        Set(type, record, Values(type, body));
        return new Saved(record.Id, false, null);
    }

    private Saved Remove(string id)
    {
        if (_records.Keys.FirstOrDefault(t => Existing(t, id) is not null) is not { } type)
        {
            return Missing(id);
        }

        if (Locked?.Invoke(new JsonObject { ["id"] = id }) is true)
        {
            return Lock(id);
        }

        if (id == Undeletable)
        {
            return Refused("DELETE_FAILED", "Your attempt to delete the record could not be completed because it is associated with cases");
        }

        Delete(type, Existing(type, id)!);
        return new Saved(id, false, null);
    }

    private static Saved Missing(string? id) => id is { Length: 15 or 18 }
        ? Refused("ENTITY_IS_DELETED", "entity is deleted")
        : Refused("MALFORMED_ID", $"malformed id {id}", "Id");

    private static Saved Lock(string? id) =>
        Refused("UNABLE_TO_LOCK_ROW", $"unable to obtain exclusive access to this record or 1 records: {id}");

    private SalesforceRecord? Existing(string type, string? id)
    {
        var record = id is null ? null : _records[type].GetValueOrDefault(id.Length == 15 ? id + "AAA" : id);
        return record is { Deleted: false } ? record : null;
    }

    /// <summary>A resource of one record: its outcome as HTTP status.</summary>
    private FakeAnswer Single(string type, JsonNode? body, Func<JsonObject, string, Saved> save, int done)
    {
        var record = body as JsonObject ?? [];
        if (Malformed(type, record) is { } fault)
        {
            return fault;
        }

        var saved = save(record, type);
        return saved.Error is null
            ? new FakeAnswer(done, done == 204 ? null : saved.ToJson())
            : One(saved);
    }

    private static FakeAnswer One(Saved refused)
    {
        var error = refused.Error!.DeepClone().AsObject();
        var code = error["statusCode"]!.ToString();
        error.Remove("statusCode");
        error["errorCode"] = code;
        return new FakeAnswer(code is "ENTITY_IS_DELETED" ? 404 : 400, new JsonArray(error));
    }

    private FakeAnswer UpsertOne(string type, string field, string value, JsonNode? body)
    {
        if (_fields[type].Find(f => f.Name == field) is not { ExternalId: true })
        {
            return Error(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + field);
        }

        var record = body as JsonObject ?? [];
        if (record.ContainsKey(field))
        {
            return Error(400, "INVALID_FIELD", $"The {field} field should not be specified in the sobject data.");
        }

        if (Malformed(type, record) is { } fault)
        {
            return fault;
        }

        var matches = Matches(type, field, value);
        if (matches.Count > 1)
        {
            return new FakeAnswer(300, new JsonArray([.. matches.Select(m => JsonValue.Create($"/services/data/v60.0/sobjects/{type}/{m.Id}"))]));
        }

        if (matches.Count == 0)
        {
            record[field] = value;
        }

        var saved = matches is [var match] ? Update(type, match.Id, record) : Create(type, record);
        return saved.Error is null ? new FakeAnswer(saved.Created ? 201 : 200, saved.ToJson(upsert: true)) : One(saved);
    }

    private FakeAnswer UpsertMany(string type, string field, JsonNode? body)
    {
        if (_fields[type].Find(f => f.Name == field) is not { ExternalId: true })
        {
            return Error(400, "INVALID_FIELD", $"{field} is no external id of {type}");
        }

        return Collection(
            body,
            (record, _) =>
            {
                if (record.ContainsKey("id") || record.ContainsKey("Id"))
                {
                    return Refused("INVALID_FIELD", "cannot specify Id in an upsert by external id", "Id");
                }

                if (record[field]?.ToString() is not { Length: > 0 } value)
                {
                    return Refused("MISSING_ARGUMENT", $"{field} not specified", field);
                }

                return Matches(type, field, value) switch
                {
                    [] => Create(type, record),
                    [var match] => Update(type, match.Id, record),
                    _ => Refused("DUPLICATE_EXTERNAL_ID", $"{field}: more than one record found for external id field", field),
                };
            },
            upsertOf: type,
            findsBy: field);
    }

    private List<SalesforceRecord> Matches(string type, string field, string value) => _fields[type].Find(f => f.Name == field) is { Unique: true }
        ? _unique.GetValueOrDefault((type, field, value)) is { Deleted: false } match ? [match] : []
        : [.. _records[type].Values.Where(r => !r.Deleted && r.Values.GetValueOrDefault(field) == value)];

    /// <summary>Up to 200 records, each with an outcome of its own; with allOrNone none is written where one is refused.</summary>
    private FakeAnswer Collection(JsonNode? body, Func<JsonObject, string, Saved> save, string? upsertOf = null, string? findsBy = null)
    {
        if (body?["records"] is not JsonArray records || records.Any(r => r is not JsonObject))
        {
            return Error(400, "JSON_PARSER_ERROR", "records is missing");
        }

        if (records.Count > MaxCollection)
        {
            return Error(400, "LIMIT_EXCEEDED", "record limit reached. cannot submit more than 200 records into this call");
        }

        var inputs = records.OfType<JsonObject>().ToList();
        foreach (var record in inputs)
        {
            var type = record["attributes"]?["type"]?.ToString();
            if (type is null || !Known(type) || (upsertOf is not null && upsertOf != type))
            {
                return Error(400, "INVALID_TYPE", $"sObject type '{type}' is not supported here.");
            }

            if (Malformed(type, record) is { } fault)
            {
                return fault;
            }
        }

        if (findsBy is not null && inputs.GroupBy(r => r[findsBy]?.ToString()).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            return Error(400, "DUPLICATE_VALUE", $"duplicate external id field value specified: {twice.Key}");
        }

        if (body["allOrNone"]?.GetValue<bool>() is true)
        {
            var refused = inputs.ConvertAll(r => Objection(TypeOf(r), Existing(TypeOf(r), r["id"]?.ToString()), r));
            if (refused.Exists(r => r is not null))
            {
                return new FakeAnswer(200, new JsonArray([.. refused.Select(r => (r ?? Refused("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back")).ToJson())]));
            }
        }

        var calls = WriteCalls;
        var answer = new JsonArray([.. inputs.Select(r => save(r, TypeOf(r)).ToJson(upsertOf is not null))]);
        WriteCalls = calls + 1;
        return new FakeAnswer(200, answer);

        static string TypeOf(JsonObject record) => record["attributes"]!["type"]!.ToString();
    }

    private FakeAnswer RemoveMany(IReadOnlyDictionary<string, string> query)
    {
        var ids = query.GetValueOrDefault("ids", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        return ids.Length is 0 or > MaxCollection
            ? Error(400, "LIMIT_EXCEEDED", "ids: from 1 to 200")
            : new FakeAnswer(200, new JsonArray([.. ids.Select(id => Remove(id).ToJson())]));
    }

    private static IEnumerable<(string Name, JsonNode? Value)> Given(JsonObject body) =>
        body.Where(p => p.Key is not ("attributes" or "id" or "Id")).Select(p => (p.Key, p.Value));

    private IEnumerable<KeyValuePair<string, string?>> Values(string type, JsonObject body) => Given(body).Select(p =>
    {
        var text = p.Value?.ToString();
        var field = _fields[type].Find(f => f.Name == p.Name)!;
        return KeyValuePair.Create(p.Name, field.Type is "datetime" && text is { Length: > 0 } ? Text(Instant(text)) : text);
    });

    private static DateTimeOffset Instant(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>What makes the whole request wrong: fields that do not exist, and values of another kind.</summary>
    private FakeAnswer? Malformed(string type, JsonObject body)
    {
        foreach (var (name, value) in Given(body))
        {
            if (_fields[type].Find(f => f.Name == name) is not { } field)
            {
                return Error(400, "INVALID_FIELD", $"No such column '{name}' on sobject of type {type}");
            }

            var kind = value?.GetValueKind() ?? JsonValueKind.Null;
            var fits = kind switch
            {
                JsonValueKind.Null => true,
                JsonValueKind.Number => field.IsNumber,
                JsonValueKind.True or JsonValueKind.False => field.Type == "boolean",
                JsonValueKind.String when field.Type is "datetime" or "date" =>
                    DateTimeOffset.TryParse(value!.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _)
                    && value.ToString().Contains('T', StringComparison.Ordinal) == (field.Type == "datetime"),
                JsonValueKind.String => !field.IsNumber && field.Type != "boolean",
                _ => false,
            };
            if (!fits)
            {
                return Error(400, "JSON_PARSER_ERROR", $"Cannot deserialize instance of {field.Type} from {kind} value");
            }
        }

        return null;
    }

    /// <summary>What Salesforce has against these values, if anything.</summary>
    private Saved? Objection(string type, SalesforceRecord? record, JsonObject body)
    {
        if (Locked?.Invoke(body) is true)
        {
            return Lock(record?.Id);
        }

        var given = Given(body).ToDictionary(p => p.Name, p => p.Value?.ToString().Trim() is { Length: > 0 } text ? text : null, StringComparer.Ordinal);
        foreach (var (name, value) in given)
        {
            var field = _fields[type].Find(f => f.Name == name)!;
            if (field.ReadOnly || (field.CreateOnly && record is not null))
            {
                return Refused(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    $"Unable to create/update fields: {name}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
                    name);
            }

            if (value is null)
            {
                if (field.Defaulted)
                {
                    return Refused("INVALID_CROSS_REFERENCE_KEY", $"{name}: it cannot be empty", name);
                }

                continue;
            }

            if (field.Length > 0 && value.Length > field.Length)
            {
                return Refused("STRING_TOO_LONG", $"{name}: data value too large: {value} (max length={field.Length})", name);
            }

            if (field.Type == "email" && !(value.Split('@') is [{ Length: > 0 }, var domain] && domain.Contains('.') && !value.Contains(' ')))
            {
                return Refused("INVALID_EMAIL_ADDRESS", $"{name}: invalid email address: {value}", name);
            }

            if (field.Restricted && !field.Options.Contains(value))
            {
                return Refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", $"{name}: bad value for restricted picklist field: {value}", name);
            }

            if (field.Type == "reference" && !_records.Values.Any(r => r.GetValueOrDefault(value) is { Deleted: false }))
            {
                return Refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", name);
            }

            if (name == "OwnerId" && _records["User"].GetValueOrDefault(value)?.Values["IsActive"] != "true")
            {
                return Refused("INACTIVE_OWNER_OR_USER", "operation performed with inactive user [" + value + "]", name);
            }

            if (field.Unique && _unique.GetValueOrDefault((type, name, value)) is { Deleted: false } other && other != record)
            {
                return Refused("DUPLICATE_VALUE", $"duplicate value found: {name} duplicates value on record with id: {other.Id[..15]}", name);
            }
        }

        if (DuplicateRule && record is null && type == "Contact" && given.GetValueOrDefault("Email") is { } address
            && _records[type].Values.Any(r => !r.Deleted && r.Values.GetValueOrDefault("Email") == address))
        {
            return Refused("DUPLICATES_DETECTED", "Use one of these records?");
        }

        var missing = _fields[type].Where(f => f.Required && !f.ReadOnly
            && (record is null || given.ContainsKey(f.Name)) && given.GetValueOrDefault(f.Name) is null).Select(f => f.Name).ToArray();
        return missing.Length > 0
            ? Refused("REQUIRED_FIELD_MISSING", $"Required fields are missing: [{string.Join(", ", missing)}]", missing)
            : null;
    }
}
