using System.Globalization;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <summary>
/// Stands in for HubSpot: contacts, deals, owners, pipelines and associations in memory, with what the real one enforces: batches of 100,
/// unknown properties, values, unique properties, multi-status answers, limits, a search that lags and shows 10,000 results, archived and
/// merged records. Written from HubSpot's documentation, and checked by HubSpot's own client.
/// </summary>
internal sealed partial class HubSpotFake : FakeHttp
{
    private const int MaxBatch = 100;
    private const int MaxRelations = 2000;
    private const int MaxSearchPage = 200;
    private const int MaxSearchResults = 10_000;
    private const string MergedIds = "hs_merged_object_ids";

    private readonly Dictionary<string, SortedDictionary<long, FakeRecord>> _records = new(StringComparer.Ordinal)
    {
        ["contacts"] = [],
        ["deals"] = [],
    };

    private readonly Dictionary<(string Type, string Property, string Value), FakeRecord> _unique = [];
    private readonly HashSet<string> _barred = new(StringComparer.Ordinal);
    private long _nextId = 100;
    private long _searches;

    public HubSpotFake(TimeProvider time, string token = "demo-token")
        : base(time) => Token = token;

    /// <summary>The private app's token; another one is answered with 401.</summary>
    public string Token { get; set; }

    /// <summary>Searches that are answered before a change shows in the next.</summary>
    public int SearchLag { get; set; }

    /// <summary>False: a batch with one bad record fails as a whole, whatever the request says.</summary>
    public bool JudgesEachRecord { get; set; } = true;

    /// <summary>Living records, in the order of their ids.</summary>
    public IReadOnlyList<FakeRecord> Records(string type)
    {
        lock (Gate)
        {
            return [.. _records[type].Values.Where(r => r.ArchivedAt is null && r.MergedInto is null)];
        }
    }

    /// <summary>A person's edit in HubSpot's own pages; creates the record without an id. Null empties a property.</summary>
    public string Edit(string type, string? id, params (string Property, string? Value)[] values)
    {
        lock (Gate)
        {
            var record = id is null ? Add(type) : _records[type][long.Parse(id, CultureInfo.InvariantCulture)];
            Set(type, record, values.Select(v => KeyValuePair.Create(v.Property, v.Value ?? "")));
            return record.Id;
        }
    }

    public void Archive(string type, string id)
    {
        lock (Gate)
        {
            Archive(type, _records[type][long.Parse(id, CultureInfo.InvariantCulture)]);
        }
    }

    /// <summary>A person brings an archived record back.</summary>
    public void Restore(string type, string id)
    {
        lock (Gate)
        {
            var record = _records[type][long.Parse(id, CultureInfo.InvariantCulture)];
            record.ArchivedAt = null;
            Set(type, record, record.Properties.ToList());
        }
    }

    public void Relate(string dealId, string contactId)
    {
        lock (Gate)
        {
            _records["deals"][long.Parse(dealId, CultureInfo.InvariantCulture)].Contacts.Add(contactId);
        }
    }

    /// <summary>Merges a record into another; what the other lacks it gets.</summary>
    public void Merge(string type, string winnerId, string loserId)
    {
        lock (Gate)
        {
            Merge(type, _records[type][long.Parse(winnerId, CultureInfo.InvariantCulture)], _records[type][long.Parse(loserId, CultureInfo.InvariantCulture)]);
        }
    }

    protected override FakeAnswer LimitReached(bool daily) => new(
        429,
        new JsonObject
        {
            ["status"] = "error",
            ["message"] = daily ? "You have reached your daily limit." : "You have reached your ten_secondly_rolling limit.",
            ["errorType"] = "RATE_LIMIT",
            ["policyName"] = daily ? "DAILY" : "TEN_SECONDLY_ROLLING",
        });

    protected override FakeAnswer Answer(FakeRequest request)
    {
        if (request.Authorization != "Bearer " + Token)
        {
            return Error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.");
        }

        var parts = request.Path.Trim('/').Split('/');
        return (request.Method, parts) switch
        {
            ("GET", ["crm", "v3", "owners"]) => Page(Owners.Select(o => (JsonNode)new JsonObject
            {
                ["id"] = o.Key,
                ["email"] = o.Value,
                ["archived"] = false,
                ["userId"] = 1,
                ["firstName"] = "",
                ["lastName"] = "",
                ["type"] = "PERSON",
                ["createdAt"] = "2024-01-01T00:00:00Z",
                ["updatedAt"] = "2024-01-01T00:00:00Z",
            })),
            ("GET", ["crm", "v3", "pipelines", "deals"]) => Page(Pipelines.Select(Pipeline)),
            ("GET", ["crm", "v3", "properties", var type]) when Known(type) => Page(Properties[type].Select(Describe)),
            ("GET", ["crm", "v3", "objects", var type]) when Known(type) => List(type, request.Query),
            ("POST", ["crm", "v3", "objects", var type]) when Known(type) => Create(type, request.Body),
            ("GET", ["crm", "v3", "objects", var type, var id]) when Known(type) => Get(type, id, request.Query),
            ("PATCH", ["crm", "v3", "objects", var type, var id]) when Known(type) => Patch(type, id, request),
            ("DELETE", ["crm", "v3", "objects", var type, var id]) when Known(type) => Delete(type, id),
            ("POST", ["crm", "v3", "objects", "contacts", "gdpr-delete"]) when Refuses => Error(403, "MISSING_SCOPES", "This app lacks a scope."),
            ("POST", ["crm", "v3", "objects", "contacts", "gdpr-delete"]) => Erase(request.Body),
            ("POST", ["crm", "v3", "objects", var type, "search"]) when Known(type) => Search(type, request.Body),
            ("POST", ["crm", "v3", "objects", var type, "merge"]) when Known(type) => Merge(type, request.Body),
            ("POST", ["crm", "v3", "objects", var type, "batch", var what]) when Known(type) => Batch(type, what, request.Body),
            ("POST", ["crm", "v4", "associations", "deals", "contacts", "batch", "associate", "default"]) => Associate(request.Body),
            ("POST", ["crm", "v4", "associations", "deals", "contacts", "batch", "read"]) => Associations(request.Body),
            _ => Error(404, "OBJECT_NOT_FOUND", "There is no such resource."),
        };
    }

    private static FakeAnswer Page(IEnumerable<JsonNode> results) => new(200, new JsonObject { ["results"] = new JsonArray([.. results]) });

    private static FakeAnswer Error(int status, string category, string message) => new(status, ErrorBody(category, message));

    private static JsonObject ErrorBody(string category, string message) => new()
    {
        ["status"] = "error",
        ["message"] = message,
        ["correlationId"] = "00000000-0000-0000-0000-000000000000",
        ["category"] = category,
    };

    private FakeRecord Add(string type)
    {
        var id = _nextId++;
        var record = new FakeRecord(id.ToString(CultureInfo.InvariantCulture)) { CreatedAt = Now() };
        _records[type][id] = record;
        return record;
    }

    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(Time.GetUtcNow().ToUnixTimeMilliseconds());

    private void Set(string type, FakeRecord record, IEnumerable<KeyValuePair<string, string>> values)
    {
        foreach (var (name, given) in values)
        {
            var value = name == "email" ? given.Trim().ToLowerInvariant() : given.Trim();
            var unique = Properties[type].Find(p => p.Name == name)?.Unique is true;
            if (unique && record.Properties.TryGetValue(name, out var old))
            {
                _unique.Remove((type, name, old));
            }

            if (value.Length == 0)
            {
                record.Properties.Remove(name);
                continue;
            }

            record.Properties[name] = value;
            if (unique)
            {
                _unique[(type, name, value)] = record;
            }
        }

        record.UpdatedAt = Now();
        Touch(type, record);
    }

    /// <summary>The search learns of it later.</summary>
    private void Touch(string type, FakeRecord record)
    {
        record.Properties["hs_object_id"] = record.Id;
        record.Properties["createdate"] = Text(record.CreatedAt);
        record.Properties[type == "contacts" ? "lastmodifieddate" : "hs_lastmodifieddate"] = Text(record.UpdatedAt);
        record.IndexedAfter = _searches + SearchLag;
    }

    private static string Text(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private void Archive(string type, FakeRecord record)
    {
        record.ArchivedAt = Now();
        Forget(type, record);
        record.IndexedAfter = _searches + SearchLag;
    }

    /// <summary>For good: no list of what is archived shows it, and its address is not taken any more.</summary>
    private FakeAnswer Erase(JsonNode? body)
    {
        var value = body?["objectId"]?.ToString() ?? "";
        var byEmail = body?["idProperty"]?.ToString() is "email";
        var record = Find("contacts", value, byEmail ? "email" : null);
        if ((record?.Properties.GetValueOrDefault("email") ?? (byEmail ? value : null)) is { } email)
        {
            _barred.Add(email.Trim().ToLowerInvariant());
        }

        if (record is null && !byEmail)
        {
            return Error(404, "OBJECT_NOT_FOUND", "There is no such contact.");
        }

        if (record is not null)
        {
            Erasures++;
            Forget("contacts", record);
            _records["contacts"].Remove(long.Parse(record.Id, CultureInfo.InvariantCulture));
            foreach (var deal in _records["deals"].Values)
            {
                deal.Contacts.Remove(record.Id);
            }
        }

        return new FakeAnswer(204);
    }

    /// <summary>Unique values of what is gone are free again.</summary>
    private void Forget(string type, FakeRecord record)
    {
        foreach (var property in Properties[type].Where(p => p.Unique))
        {
            if (record.Properties.TryGetValue(property.Name, out var value) && _unique.GetValueOrDefault((type, property.Name, value)) == record)
            {
                _unique.Remove((type, property.Name, value));
            }
        }
    }

    private void Merge(string type, FakeRecord winner, FakeRecord loser)
    {
        Forget(type, loser);
        loser.MergedInto = winner;
        loser.IndexedAfter = _searches + SearchLag;
        winner.MergedIds.Add(loser.Id);
        winner.MergedIds.UnionWith(loser.MergedIds);
        var lacking = loser.Properties.Where(p =>
            !winner.Properties.ContainsKey(p.Key) && Properties[type].Find(d => d.Name == p.Key) is { ReadOnly: false }).ToList();
        Set(type, winner, lacking);
        foreach (var deal in _records["deals"].Values.Where(d => type == "contacts" && d.Contacts.Remove(loser.Id)))
        {
            deal.Contacts.Add(winner.Id);
        }

        winner.Properties[MergedIds] = string.Join(';', winner.MergedIds);
    }

    /// <summary>The living record of an id, through merges.</summary>
    private FakeRecord? Find(string type, string? id)
    {
        var record = long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? _records[type].GetValueOrDefault(number) : null;
        while (record?.MergedInto is { } winner)
        {
            record = winner;
        }

        return record is { ArchivedAt: null } ? record : null;
    }

    private FakeRecord? Find(string type, string? id, string? idProperty) => idProperty is null or "hs_object_id"
        ? Find(type, id)
        : _unique.GetValueOrDefault((type, idProperty, idProperty == "email" ? (id ?? "").Trim().ToLowerInvariant() : id ?? ""));

    private static JsonObject Show(FakeRecord record, IReadOnlyDictionary<string, string> properties, IEnumerable<string>? names, string? trace = null)
    {
        var shown = names is null ? properties.Keys : names.Concat(["hs_object_id", "createdate", "lastmodifieddate", "hs_lastmodifieddate"]);
        var json = new JsonObject
        {
            ["id"] = record.Id,
            ["properties"] = new JsonObject(shown.Distinct()
                .Where(n => names is null || names.Contains(n) || properties.ContainsKey(n))
                .Select(n => KeyValuePair.Create(n, (JsonNode?)properties.GetValueOrDefault(n)))),
            ["createdAt"] = Text(record.CreatedAt),
            ["updatedAt"] = Text(record.UpdatedAt),
            ["archived"] = record.ArchivedAt is not null,
        };
        if (record.ArchivedAt is { } at)
        {
            json["archivedAt"] = Text(at);
        }

        if (trace is not null)
        {
            json["objectWriteTraceId"] = trace;
        }

        return json;
    }

    private static List<KeyValuePair<string, string>> Values(JsonNode? input) =>
        [.. (input?["properties"] as JsonObject ?? []).Select(p => KeyValuePair.Create(p.Key, p.Value?.ToString() ?? ""))];
}
