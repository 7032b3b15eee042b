using System.Globalization;
using SalesTasks.Demo.Crm;

namespace SalesTasks.Tests.Crm;

/// <summary>A record of a CRM in HubSpot's words.</summary>
internal sealed record StandRecord(string Id, IReadOnlyDictionary<string, string> Properties, IReadOnlyList<string> Contacts);

/// <summary>
/// A CRM that stands in for the real one, as the tests see it whichever it is: objects, properties, stages and owners (1: rep@sales.example,
/// 2: other@sales.example) are called as HubSpot calls them.
/// </summary>
internal abstract class CrmStand : IAsyncDisposable
{
    public const string Secret = "secret-token";

    public abstract string Type { get; }

    public abstract FakeHttp Http { get; }

    /// <summary>What the connection says beside the extras that both have.</summary>
    public abstract Dictionary<string, object> Connection(string secret);

    /// <summary>Records of a call that writes.</summary>
    public abstract int Batch { get; }

    /// <summary>Calls before the first that writes: sign-in, description, owners, and who is there already.</summary>
    public abstract int CallsBefore { get; }

    public int WriteCalls => Http.WriteCalls;

    public int Created => Http.Created;

    public int Erasures => Http.Erasures;

    public bool Refuses
    {
        set => Http.Refuses = value;
    }

    /// <summary>What it lacks then.</summary>
    public abstract string NeededToErase { get; }

    public Func<FakeRequest, FakeFault>? Fault
    {
        set => Http.Fault = value;
    }

    public int Calls => Http.Calls;

    public int OverLimit => Http.OverLimit;

    public static CrmStand Of(string crm) => crm == "salesforce" ? new SalesforceStand() : new HubSpotStand();

    public ValueTask DisposeAsync() => Http.DisposeAsync();

    public abstract IReadOnlyList<StandRecord> Records(string type);

    /// <summary>A person's edit there; null empties a property.</summary>
    public abstract string Edit(string type, string? id, params (string Property, string? Value)[] values);

    public abstract void Archive(string type, string id);

    public abstract void Restore(string type, string id);

    public abstract void Relate(string dealId, string contactId);

    public abstract void Merge(string type, string winnerId, string loserId);

    /// <summary>A stage that the mapping does not know.</summary>
    public abstract void AddStage(string stage);

    /// <summary>Pages of 200 records.</summary>
    public abstract void SmallPages();

    /// <summary>What this CRM alone may do to a run.</summary>
    public abstract void Disturb(Random? random);

    /// <summary>A value of HubSpot's as this CRM writes it; empty is missing.</summary>
    public abstract string Word(string property, string value);

    /// <summary>A text with this CRM's values, in HubSpot's.</summary>
    public abstract string InHubSpotsWords(string text);

    public abstract bool Writes(FakeRequest request);

    /// <summary>It may create contacts, or (with "deals") deals.</summary>
    public abstract bool Creates(FakeRequest request, string type);

    /// <summary>A call of an erasure: one that deletes, or the one that does it for good.</summary>
    public abstract bool Erases(FakeRequest request, bool forGood);
}

internal sealed class HubSpotStand : CrmStand
{
    public HubSpotStand()
    {
        Fake = new HubSpotFake(TimeProvider.System, Secret) { BurstCalls = 100_000, RetryAfter = 0 };
        Fake.Owners["1"] = "rep@sales.example";
        Fake.Owners["2"] = "other@sales.example";
    }

    public HubSpotFake Fake { get; }

    public override string Type => "hubspot";

    public override FakeHttp Http => Fake;

    public override int Batch => 100;

    public override int CallsBefore => 4;

    public override string NeededToErase => "scopes";

    public override Dictionary<string, object> Connection(string secret) => new() { ["conn_type"] = "http", ["password"] = secret };

    public override IReadOnlyList<StandRecord> Records(string type) =>
        [.. Fake.Records(type).Select(r => new StandRecord(r.Id, r.Properties, [.. r.Contacts]))];

    public override string Edit(string type, string? id, params (string Property, string? Value)[] values) => Fake.Edit(type, id, values);

    public override void Archive(string type, string id) => Fake.Archive(type, id);

    public override void Restore(string type, string id) => Fake.Restore(type, id);

    public override void Relate(string dealId, string contactId) => Fake.Relate(dealId, contactId);

    public override void Merge(string type, string winnerId, string loserId) => Fake.Merge(type, winnerId, loserId);

    public override void AddStage(string stage) => Fake.Pipelines["default"] = [.. Fake.Pipelines["default"], stage];

    public override void SmallPages()
    {
        // They are 200 anyhow.
    }

    /// <summary>Searches that lag.</summary>
    public override void Disturb(Random? random) => Fake.SearchLag = random?.Next(3) ?? 0;

    public override string Word(string property, string value) => value;

    public override string InHubSpotsWords(string text) => text;

    public override bool Writes(FakeRequest request) => request.Path.Contains("/batch/", StringComparison.Ordinal);

    public override bool Creates(FakeRequest request, string type) => request.Path.EndsWith($"{type}/batch/upsert", StringComparison.Ordinal);

    public override bool Erases(FakeRequest request, bool forGood) =>
        request.Path.EndsWith(forGood ? "gdpr-delete" : "batch/archive", StringComparison.Ordinal);
}

internal sealed class SalesforceStand : CrmStand
{
    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["email"] = "Email",
        ["firstname"] = "FirstName",
        ["lastname"] = "LastName",
        ["phone"] = "Phone",
        ["company"] = "SalesTasks_Company__c",
        ["salestasks_lead_id"] = "SalesTasks_Lead_Id__c",
        ["salestasks_score"] = "SalesTasks_Score__c",
        ["dealname"] = "Name",
        ["amount"] = "Amount",
        ["closedate"] = "CloseDate",
        ["hubspot_owner_id"] = "OwnerId",
        ["dealstage"] = "StageName",
        ["salestasks_deal_id"] = "SalesTasks_Deal_Id__c",
    };

    private readonly Dictionary<string, string> _words = new(StringComparer.Ordinal)
    {
        ["appointmentscheduled"] = "Qualification",
        ["qualifiedtobuy"] = "Needs Analysis",
        ["presentationscheduled"] = "Value Proposition",
        ["decisionmakerboughtin"] = "Proposal/Price Quote",
        ["contractsent"] = "Negotiation/Review",
        ["closedwon"] = "Closed Won",
        ["closedlost"] = "Closed Lost",
    };

    private readonly Dictionary<string, string> _owners;

    public SalesforceStand()
    {
        Fake = new SalesforceFake(TimeProvider.System, "client", Secret) { BurstCalls = 100_000, RetryAfter = 0 };
        _owners = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["1"] = Fake.AddUser("rep@sales.example"),
            ["2"] = Fake.AddUser("other@sales.example"),
            [""] = Fake.RunningUser,
        };
    }

    public SalesforceFake Fake { get; }

    public override string Type => "salesforce";

    public override FakeHttp Http => Fake;

    public override int Batch => 200;

    public override int CallsBefore => 5;

    public override string NeededToErase => "Modify All Data";

    public override Dictionary<string, object> Connection(string secret) => new()
    {
        ["conn_type"] = "salesforce",
        ["client_id"] = "client",
        ["client_secret"] = secret,
    };

    public override IReadOnlyList<StandRecord> Records(string type)
    {
        var roles = type == "deals"
            ? Fake.Records("OpportunityContactRole").ToLookup(r => r.Values["OpportunityId"], r => r.Values["ContactId"], StringComparer.Ordinal)
            : null;
        return [.. Fake.Records(Object(type)).Select(r => new StandRecord(r.Id, Properties(type, r), [.. roles?[r.Id] ?? []]))];
    }

    public override string Edit(string type, string? id, params (string Property, string? Value)[] values) => Fake.Edit(
        Object(type),
        id,
        [
            .. id is null && type == "contacts" ? [("LastName", "-")] : Array.Empty<(string, string?)>(),
            .. values.Where(v => v.Property != "pipeline")
                .Select(v => (s_names[v.Property], Word(v.Property, v.Value ?? "") is { Length: > 0 } word ? word : null)),
        ]);

    public override void Archive(string type, string id) => Fake.Delete(Object(type), id);

    public override void Restore(string type, string id) => Fake.Restore(Object(type), id);

    public override void Relate(string dealId, string contactId) => Fake.Relate(dealId, contactId);

    public override void Merge(string type, string winnerId, string loserId) => Fake.Merge(Object(type), winnerId, loserId);

    public override void AddStage(string stage)
    {
        var fields = Fake.Fields("Opportunity");
        var at = fields.FindIndex(f => f.Name == "StageName");
        fields[at] = fields[at] with { Options = [.. fields[at].Options, stage] };
    }

    public override void SmallPages() => Fake.PageSize = 200;

    /// <summary>Sessions that end, locked records, short pages.</summary>
    public override void Disturb(Random? random)
    {
        Fake.SessionCalls = random?.Next(3, 12) ?? 0;
        Fake.PageSize = random?.Next(2, 12) ?? 2000;
        Fake.Locked = random is null ? null : _ => random.NextDouble() < 0.1;
    }

    public override string Word(string property, string value) => property switch
    {
        "dealstage" => _words.GetValueOrDefault(value, value),
        "hubspot_owner_id" => _owners[value],
        "lastname" when value.Length == 0 => "-",
        _ => value,
    };

    public override string InHubSpotsWords(string text)
    {
        foreach (var (word, theirs) in _words.Concat(_owners.Select(o => KeyValuePair.Create(o.Key.Length == 0 ? "-" : o.Key, o.Value))))
        {
            text = text.Replace(theirs, word, StringComparison.Ordinal);
        }

        return text;
    }

    public override bool Writes(FakeRequest request) => request.Method is "PATCH" or "DELETE" || request.Path.EndsWith("/composite/sobjects", StringComparison.Ordinal);

    public override bool Creates(FakeRequest request, string type) =>
        request.Method == "PATCH" && request.Path.Contains($"/composite/sobjects/{Object(type)}/", StringComparison.Ordinal);

    public override bool Erases(FakeRequest request, bool forGood) =>
        forGood ? request.Path.StartsWith("/services/Soap/", StringComparison.Ordinal) : request.Method == "DELETE";

    private static string Object(string type) => type == "contacts" ? "Contact" : "Opportunity";

    private Dictionary<string, string> Properties(string type, SalesforceRecord record)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, theirs) in s_names)
        {
            // Name is a contact's whole name.
            if (record.Values.TryGetValue(theirs, out var value) && !(type == "contacts" && name is "dealname" or "hubspot_owner_id"))
            {
                properties[name] = name switch
                {
                    "dealstage" => InHubSpotsWords(value),
                    "hubspot_owner_id" => _owners.First(o => o.Value == value).Key,
                    "lastname" when value == "-" => "",
                    "amount" => decimal.Parse(value, CultureInfo.InvariantCulture).ToString("0.##", CultureInfo.InvariantCulture),
                    _ => value,
                };
            }
        }

        if (type == "deals")
        {
            properties["pipeline"] = "default";
        }

        foreach (var (name, _) in properties.Where(p => p.Value.Length == 0).ToList())
        {
            properties.Remove(name);
        }

        return properties;
    }
}
