using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <summary>
/// Stands in for Salesforce: contacts, opportunities, their contact roles and users in memory, with what the real one enforces: sessions,
/// collections of 200 with an outcome for each record, SOQL in pages of 2,000, unknown and read-only fields, required fields, lengths,
/// picklists, unique external ids, locked rows, limits, a recycle bin and merged records. Written from Salesforce's documentation, and
/// checked by jsforce.
/// </summary>
/// <remarks>https://developer.salesforce.com/docs/platform/api-rest/guide, https://developer.salesforce.com/docs/platform/object-reference.</remarks>
internal sealed partial class SalesforceFake : FakeHttp
{
    private const int MaxAddress = 16_384;
    private const string Organisation = "00D000000000001AAA";

    private readonly string _clientId;
    private readonly string _clientSecret;
    private readonly HashSet<string> _sessions = new(StringComparer.Ordinal);
    private long _nextId = 100;
    private int _sessionCalls;
    private int _signIns;

    public SalesforceFake(TimeProvider time, string clientId = "demo-client", string clientSecret = "demo-secret")
        : base(time)
    {
        (_clientId, _clientSecret) = (clientId, clientSecret);
        RunningUser = AddUser("integration@sales.example");
    }

    /// <summary>Who may sign in with a password too: name, and password with its security token.</summary>
    public (string Name, string Password)? Person { get; set; }

    /// <summary>The user as whom the connection acts.</summary>
    public string RunningUser { get; }

    /// <summary>Calls after which a session is over; 0: it lasts.</summary>
    public int SessionCalls { get; set; }

    /// <summary>Sign-ins so far.</summary>
    public int SignIns => Volatile.Read(ref _signIns);

    /// <summary>Calls of the organisation within a day; told with every answer. More are refused.</summary>
    private string Usage => string.Create(CultureInfo.InvariantCulture, $"api-usage={Calls}/{DailyCalls}");

    /// <summary>Living records, in the order of their ids.</summary>
    public IReadOnlyList<SalesforceRecord> Records(string type)
    {
        lock (Gate)
        {
            return [.. _records[type].Values.Where(r => !r.Deleted)];
        }
    }

    /// <summary>A record in whatever state; null: there never was one.</summary>
    public SalesforceRecord? Record(string type, string id)
    {
        lock (Gate)
        {
            return _records[type].GetValueOrDefault(id);
        }
    }

    public string AddUser(string email)
    {
        lock (Gate)
        {
            var user = Add("User");
            Set("User", user, [new("Email", email), new("Username", email), new("Name", email), new("IsActive", "true")]);
            return user.Id;
        }
    }

    /// <summary>A person's edit in Salesforce's own pages; creates the record without an id. Null empties a field.</summary>
    public string Edit(string type, string? id, params (string Field, string? Value)[] values)
    {
        lock (Gate)
        {
            var record = id is null ? Add(type) : _records[type][id];
            Set(type, record, values.Select(v => KeyValuePair.Create(v.Field, v.Value)));
            return record.Id;
        }
    }

    /// <summary>Into the recycle bin.</summary>
    public void Delete(string type, string id)
    {
        lock (Gate)
        {
            Delete(type, _records[type][id]);
        }
    }

    /// <summary>A person takes a record out of the recycle bin.</summary>
    public void Restore(string type, string id)
    {
        lock (Gate)
        {
            var record = _records[type][id];
            record.Deleted = false;
            record.Values.Remove("MasterRecordId");
            Set(type, record, []);
        }
    }

    /// <summary>Gives an opportunity a contact.</summary>
    public void Relate(string opportunityId, string contactId)
    {
        lock (Gate)
        {
            Set("OpportunityContactRole", Add("OpportunityContactRole"), [new("OpportunityId", opportunityId), new("ContactId", contactId), new("IsPrimary", "true")]);
        }
    }

    /// <summary>Merges a record into another; what the other lacks stays lacking, as without a choice on Salesforce's page.</summary>
    public void Merge(string type, string winnerId, string loserId)
    {
        lock (Gate)
        {
            Merge(type, _records[type][winnerId], _records[type][loserId]);
        }
    }

    /// <summary>All sessions are over.</summary>
    public void EndSessions()
    {
        lock (Gate)
        {
            _sessions.Clear();
        }
    }

    protected override FakeAnswer LimitReached(bool daily) => Error(
        403, "REQUEST_LIMIT_EXCEEDED", daily ? "TotalRequests Limit exceeded." : "ConcurrentRequests (Concurrent API Requests) Limit exceeded.");

    protected override FakeAnswer Answer(FakeRequest request)
    {
        if (request is { Method: "POST", Path: "/services/oauth2/token" })
        {
            return SignIn(Form(request.Text));
        }

        if (request.AddressLength > MaxAddress)
        {
            return new FakeAnswer(414);
        }

        var parts = request.Path.Trim('/').Split('/');
        if (parts is ["services", "Soap", "u", _] && request.Method == "POST")
        {
            return Soap(request.Text);
        }

        if (SessionCalls > 0 && ++_sessionCalls > SessionCalls)
        {
            _sessionCalls = 0;
            _sessions.Clear();
        }

        if (request.Authorization?.Split(' ') is not ["Bearer" or "OAuth", var session] || !_sessions.Contains(session))
        {
            return Error(401, "INVALID_SESSION_ID", "Session expired or invalid");
        }

        return (parts is ["services", "data", ['v', ..] version, .. var rest] ? Serve(request, version, rest) : NotFound()) with
        {
            Headers = new Dictionary<string, string> { ["Sforce-Limit-Info"] = Usage },
        };
    }

    private FakeAnswer Serve(FakeRequest request, string version, string[] path) => (request.Method, path) switch
    {
        ("GET", ["limits"]) => new FakeAnswer(200, new JsonObject
        {
            ["DailyApiRequests"] = new JsonObject { ["Max"] = DailyCalls, ["Remaining"] = DailyCalls - Calls },
        }),
        ("GET", ["sobjects", var type, "describe"]) when Known(type) => Describe(type),
        ("GET", ["sobjects", var type, "deleted"]) when Known(type) => GetDeleted(type, request.Query),
        ("GET", ["sobjects", var type, "updated"]) when Known(type) => GetUpdated(type, request.Query),
        ("GET", ["sobjects", var type, var id]) when Known(type) => Get(type, id),
        ("POST", ["sobjects", var type]) when Known(type) => Single(type, request.Body, (b, _) => Create(type, b), 201),
        ("PATCH", ["sobjects", var type, var id]) when Known(type) => Single(type, request.Body, (b, _) => Update(type, id, b), 204),
        ("DELETE", ["sobjects", var type, var id]) when Known(type) => Single(type, null, (_, _) => Remove(id), 204),
        ("PATCH", ["sobjects", var type, var field, var value]) when Known(type) => UpsertOne(type, field, value, request.Body),
        ("GET", ["query" or "queryAll"]) when request.Query.TryGetValue("q", out var soql) => Query(soql, path[0] == "queryAll", version),
        ("GET", ["query" or "queryAll", var locator]) => More(locator, version),
        ("POST", ["composite"]) => Composite(request, version),
        ("POST", ["composite", "sobjects"]) => Collection(request.Body, (b, type) => Create(type, b)),
        ("PATCH", ["composite", "sobjects"]) => Collection(request.Body, (b, type) => Update(type, b["id"]?.ToString() ?? b["Id"]?.ToString(), b)),
        ("PATCH", ["composite", "sobjects", var type, var field]) when Known(type) => UpsertMany(type, field, request.Body),
        ("DELETE", ["composite", "sobjects"]) => RemoveMany(request.Query),
        _ => NotFound(),
    };

    /// <summary>Grants of client credentials and of a person's password. https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm</summary>
    private FakeAnswer SignIn(Dictionary<string, string> form)
    {
        if (form.GetValueOrDefault("client_id") != _clientId)
        {
            return Refuse("invalid_client_id", "client identifier invalid");
        }

        if (form.GetValueOrDefault("client_secret") != _clientSecret)
        {
            return Refuse("invalid_client", "invalid client credentials");
        }

        switch (form.GetValueOrDefault("grant_type"))
        {
            case "client_credentials":
                break;
            case "password" when Person is { } person && form.GetValueOrDefault("username") == person.Name && form.GetValueOrDefault("password") == person.Password:
                break;
            case "password":
                return Refuse("invalid_grant", "authentication failure");
            default:
                return Refuse("unsupported_grant_type", "grant type not supported");
        }

        var session = string.Create(CultureInfo.InvariantCulture, $"{Organisation[..15]}!session.{++_signIns}");
        _sessions.Add(session);
        _sessionCalls = 0;
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}");
        return new FakeAnswer(200, new JsonObject
        {
            ["access_token"] = session,
            ["instance_url"] = address,
            ["id"] = $"{address}/id/{Organisation}/{RunningUser}",
            ["token_type"] = "Bearer",
            ["scope"] = "api",
            ["issued_at"] = Time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
        });

        static FakeAnswer Refuse(string error, string description) =>
            new(400, new JsonObject { ["error"] = error, ["error_description"] = description });
    }

    private static Dictionary<string, string> Form(string text) => text.Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2)
        .DistinctBy(pair => pair[0]).ToDictionary(pair => WebUtility.UrlDecode(pair[0]), pair => WebUtility.UrlDecode(pair[1]), StringComparer.Ordinal);

    private static FakeAnswer NotFound() => Error(404, "NOT_FOUND", "The requested resource does not exist");

    private static FakeAnswer Error(int status, string code, string message) =>
        new(status, new JsonArray(new JsonObject { ["message"] = message, ["errorCode"] = code }));

    private SalesforceRecord Add(string type)
    {
        var number = (_nextId++).ToString("D12", CultureInfo.InvariantCulture);
        // The last three say which letters of the others are capital: none.
        var record = new SalesforceRecord($"{s_prefixes[type]}{number}AAA");
        record.Values["Id"] = record.Id;
        record.Values["CreatedDate"] = Text(Time.GetUtcNow());
        record.Values["IsDeleted"] = "false";
        if (_fields[type].Exists(f => f.Name == "OwnerId"))
        {
            record.Values["OwnerId"] = RunningUser;
        }

        _records[type][record.Id] = record;
        return record;
    }

    /// <summary>Salesforce counts modifications in whole seconds.</summary>
    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'.000+0000'", CultureInfo.InvariantCulture);

    private void Set(string type, SalesforceRecord record, IEnumerable<KeyValuePair<string, string?>> values)
    {
        foreach (var (name, value) in values)
        {
            var unique = _fields[type].Find(f => f.Name == name) is { Unique: true };
            if (unique && record.Values.TryGetValue(name, out var old))
            {
                _unique.Remove((type, name, old));
            }

            if (string.IsNullOrWhiteSpace(value))
            {
                record.Values.Remove(name);
                continue;
            }

            record.Values[name] = value.Trim();
            if (unique)
            {
                _unique[(type, name, value.Trim())] = record;
            }
        }

        Touch(type, record);
    }

    private void Touch(string type, SalesforceRecord record)
    {
        record.Values["SystemModstamp"] = record.Values["LastModifiedDate"] = Text(Time.GetUtcNow());
        record.Values["IsDeleted"] = record.Deleted ? "true" : "false";
        if (type is "Contact")
        {
            record.Values["Name"] = $"{record.Values.GetValueOrDefault("FirstName")} {record.Values.GetValueOrDefault("LastName")}".Trim();
        }
    }

    private void Delete(string type, SalesforceRecord record)
    {
        record.Deleted = true;
        Touch(type, record);
        foreach (var field in _fields[type].Where(f => f.Unique))
        {
            if (record.Values.TryGetValue(field.Name, out var value) && _unique.GetValueOrDefault((type, field.Name, value)) == record)
            {
                // Unique values of what is gone are free again.
                _unique.Remove((type, field.Name, value));
            }
        }

        foreach (var role in _records["OpportunityContactRole"].Values.Where(r => !r.Deleted
            && (r.Values.GetValueOrDefault("ContactId") == record.Id || r.Values.GetValueOrDefault("OpportunityId") == record.Id)))
        {
            role.Deleted = true;
            Touch("OpportunityContactRole", role);
        }
    }

    private void Merge(string type, SalesforceRecord winner, SalesforceRecord loser)
    {
        foreach (var role in _records["OpportunityContactRole"].Values.Where(r => !r.Deleted && r.Values.GetValueOrDefault("ContactId") == loser.Id))
        {
            role.Values["ContactId"] = winner.Id;
            Touch("OpportunityContactRole", role);
        }

        loser.Values["MasterRecordId"] = winner.Id;
        Delete(type, loser);
        Touch(type, winner);
    }
}
