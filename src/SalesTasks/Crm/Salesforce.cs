using System.Globalization;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;
using static SalesTasks.Crm.CrmAnswers;

namespace SalesTasks.Crm;

/// <summary>
/// Salesforce: leads are contacts and deals are opportunities, attached to each other by contact roles. A lead of the pipeline is a qualified
/// person, whom Salesforce keeps as a contact: its own Lead object can have no opportunity, and can be converted by SOAP alone.
/// </summary>
/// <remarks>https://developer.salesforce.com/docs/platform/api-rest/guide, …/resources-composite-sobjects-collections-upsert.html.</remarks>
internal sealed class Salesforce : ICrm
{
    /// <summary>Calls at one time are limited, not calls a second; the day is Enterprise Edition's without its users. A connection may say more.</summary>
    public static readonly CrmQuota StandardQuota = new(25, 1, 100_000);

    private readonly SalesforceSession _session;
    private readonly CrmMapping _mapping;
    private readonly SalesforceCollections _collections;
    private readonly Dictionary<CrmObject, CrmSchema> _schemas = [];
    private readonly HashSet<(CrmObject, string)> _booleans = [];

    private Salesforce(SalesforceSession session, CrmMapping mapping, TimeProvider time) =>
        (_session, _mapping, _collections) = (session, mapping, new SalesforceCollections(session, time));

    public CrmLimits Limits { get; } = new(Write: SalesforceCollections.Size, Read: 2000, Relate: 2000) { Match = 2000 };

    /// <exception cref="JobException">64: the connection is not usable.</exception>
    public static Salesforce Open(AirflowConnection connection, CrmMapping mapping, TimeProvider time, Func<CrmQuota, CrmHttp> http)
    {
        var settings = SalesforceSettings.From(connection);
        return new Salesforce(new SalesforceSession(http(CrmQuotas.Read(connection, StandardQuota)), settings), mapping, time);
    }

    public async Task<CrmSchema> DescribeAsync(CrmObject kind, CancellationToken cancellationToken)
    {
        var answer = await _session.SendAsync(HttpMethod.Get, $"sobjects/{Name(kind)}/describe", null, cancellationToken);
        if (!answer.Succeeded)
        {
            throw SalesforceQueries.Refused(answer.Status, answer.Body);
        }

        var fields = new Dictionary<string, CrmFieldInfo>(StringComparer.Ordinal);
        foreach (var field in Items(answer.Body, "fields").OfType<JsonObject>())
        {
            var name = Text(field, "name") ?? "";
            var type = Text(field, "type") switch
            {
                "double" or "currency" or "percent" or "int" or "long" => CrmValueType.Number,
                "datetime" => CrmValueType.Instant,
                "date" => CrmValueType.Day,
                "picklist" or "multipicklist" or "combobox" or "boolean" => CrmValueType.Choice,
                _ => CrmValueType.Text,
            };
            // Another picklist takes any text unless it is restricted; a stage has to be one of those there are.
            var closed = name is "StageName" || Flag(field, "restrictedPicklist");
            var options = Items(field, "picklistValues").OfType<JsonObject>()
                .Where(o => closed && Flag(o, "active")).Select(o => Text(o, "value") ?? "").ToList();
            if (Text(field, "type") is "boolean")
            {
                _booleans.Add((kind, name));
                options = ["true", "false"];
            }

            fields[name] = new CrmFieldInfo(type, Flag(field, "unique") && Flag(field, "externalId"), !Flag(field, "updateable"), options)
            {
                WholeSeconds = type is CrmValueType.Instant,
                // A record is always somebody's: what is nobody's here is the connection's own user's there.
                Empty = name is "OwnerId" ? _session.UserId : null,
            };
        }

        return _schemas[kind] = new CrmSchema(Name(kind), fields);
    }

    public async Task<IReadOnlyDictionary<string, string>> ReadOwnersAsync(CancellationToken cancellationToken)
    {
        var users = await _session.AllAsync("SELECT Id, Email FROM User WHERE IsActive = true AND Email != null ORDER BY Id", false, cancellationToken);
        return users.ToDictionary(u => Text(u, "Id")!, u => Text(u, "Email")!, StringComparer.Ordinal);
    }

    /// <summary>
    /// By modification instant and id, each page a query of its own that begins after the last record, so that a run can go on with it days
    /// later. The window has no end: what is modified during the reading moves behind it and is read once more, and Salesforce's clock need not
    /// be ours.
    /// </summary>
    public async Task<CrmPage> ReadChangesAsync(CrmObject kind, CrmWindow window, string? page, CancellationToken cancellationToken)
    {
        var (rows, next) = await PageAsync(Select(kind), "", window, page, deletedToo: false, cancellationToken);
        var records = rows.ConvertAll(r => Record(kind, r));
        if (kind is CrmObject.Deal)
        {
            records = await WithContactsAsync(records, cancellationToken);
        }

        return new CrmPage(records, next);
    }

    /// <summary>What is in the recycle bin, merged records among it; Salesforce empties it after 15 days.</summary>
    public async Task<CrmPage> ReadDeletedAsync(CrmObject kind, CrmWindow window, string? page, CancellationToken cancellationToken)
    {
        var (rows, next) = await PageAsync($"SELECT Id, SystemModstamp FROM {Name(kind)}", "IsDeleted = true AND ", window, page, deletedToo: true, cancellationToken);
        return new CrmPage(rows.ConvertAll(r => Record(kind, r) with { Deleted = true }), next);
    }

    public async Task<IReadOnlyList<CrmRecord>> ReadAsync(
        CrmObject kind, CrmLookup by, IReadOnlyList<string> values, CancellationToken cancellationToken)
    {
        var field = by switch { CrmLookup.Id => "Id", CrmLookup.Key => _mapping.Of(kind).Key, _ => _mapping.Of(kind).Match! };
        var rows = await _session.FindAsync(Select(kind), field, values, " ORDER BY Id", false, cancellationToken);
        var records = rows.ConvertAll(r => Record(kind, r));
        return by is CrmLookup.Id && kind is CrmObject.Lead ? await WithMergedAsync(values, records, cancellationToken) : records;
    }

    public async Task<IReadOnlyList<CrmOutcome>> WriteAsync(CrmObject kind, IReadOnlyList<CrmWrite> records, CancellationToken cancellationToken)
    {
        var outcomes = new CrmOutcome[records.Count];
        foreach (var known in (bool[])[true, false])
        {
            var indexes = Enumerable.Range(0, records.Count).Where(i => records[i].Id is not null == known).ToList();
            var told = await _collections.WriteAsync(
                Name(kind), known ? null : _mapping.Of(kind).Key, indexes.ConvertAll(i => Json(kind, records[i], known)), cancellationToken);
            foreach (var (n, i) in indexes.Index())
            {
                outcomes[i] = told[n];
            }
        }

        return outcomes;
    }

    public Task RelateAsync(IReadOnlyList<(string DealId, string LeadId)> pairs, CancellationToken cancellationToken) =>
        _collections.RelateAsync(pairs, cancellationToken);

    public Task DeleteAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken) =>
        _collections.DeleteAsync(ids, cancellationToken);

    /// <summary>
    /// Deleted, and then out of the recycle bin, with what was merged into it. Only SOAP empties the bin: REST has nothing for it, and a hard
    /// delete by the bulk API needs a permission that few users have.
    /// </summary>
    public async Task EraseAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var losers = kind is CrmObject.Lead
            ? await _session.FindAsync($"SELECT Id FROM {Name(kind)}", "MasterRecordId", ids, "", true, cancellationToken)
            : [];
        HashSet<string> binned;
        try
        {
            binned = await _collections.DeleteAsync(ids, cancellationToken);
        }
        catch (CrmBatchRefusedException refused)
        {
            throw JobException.Refused($"Salesforce does not delete some of {ids.Count} records ({refused.Message.Split(':')[0]}).");
        }

        foreach (var chunk in ids.Concat(losers.Select(r => Text(r, "Id")!)).Distinct(StringComparer.Ordinal).Chunk(SalesforceCollections.Size))
        {
            var refused = await _session.PurgeAsync(chunk, cancellationToken);
            if (refused.Contains("UNABLE_TO_LOCK_ROW"))
            {
                throw JobException.Temporary("Salesforce: records are locked by somebody else; the next run goes on where this one ends.");
            }

            // What was gone before is no longer in the bin, which is no fault.
            var left = chunk.Zip(refused).Where(r => r.Second is { } why
                && (binned.Contains(r.First) || why.StartsWith("INSUFFICIENT_ACCESS", StringComparison.Ordinal))).ToList();
            if (left.Count > 0)
            {
                throw JobException.Refused(
                    $"Salesforce left {left.Count} deleted records in its recycle bin ({left[0].Second}); the user of the connection needs the permission Modify All Data.");
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(List<JsonObject> Rows, string? Next)> PageAsync(
        string select, string condition, CrmWindow window, string? page, bool deletedToo, CancellationToken cancellationToken)
    {
        var from = page?.Split('|') is [var at, var id]
            ? $"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {SalesforceQueries.Quote(id)}))"
            : $"SystemModstamp >= {SalesforceQueries.Instant(window.From)}";
        var answer = await _session.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"{select} WHERE {condition}{from} ORDER BY SystemModstamp, Id LIMIT {SalesforceQueries.Page}"),
            deletedToo,
            cancellationToken);
        var rows = SalesforceQueries.Rows(answer).ToList();
        var more = rows.Count > 0 && (rows.Count >= SalesforceQueries.Page || !Flag(answer, "done"));
        return (rows, more ? $"{SalesforceQueries.Instant(Instant(Text(rows[^1], "SystemModstamp")))}|{Text(rows[^1], "Id")}" : null);
    }

    /// <summary>Of those that were not found: what they were merged into, through several merges.</summary>
    private async Task<IReadOnlyList<CrmRecord>> WithMergedAsync(IReadOnlyList<string> asked, List<CrmRecord> found, CancellationToken cancellationToken)
    {
        var masters = new Dictionary<string, string>(StringComparer.Ordinal);
        var known = found.Select(r => r.Id).ToHashSet(StringComparer.Ordinal);
        List<string> lost = [.. asked.Where(id => !known.Contains(id))];
        while (lost.Count > 0)
        {
            var rows = await _session.FindAsync(
                $"SELECT Id, MasterRecordId FROM {Name(CrmObject.Lead)}", "Id", lost, " AND MasterRecordId != null", true, cancellationToken);
            foreach (var row in rows)
            {
                masters[Text(row, "Id")!] = Text(row, "MasterRecordId")!;
            }

            lost = [.. rows.Select(r => Text(r, "MasterRecordId")!).Distinct(StringComparer.Ordinal).Where(id => !known.Contains(id) && !masters.ContainsKey(id))];
            var winners = lost.Count == 0
                ? []
                : (await _session.FindAsync(Select(CrmObject.Lead), "Id", lost, "", false, cancellationToken)).ConvertAll(r => Record(CrmObject.Lead, r));
            found.AddRange(winners);
            known.UnionWith(winners.Select(r => r.Id));
            lost.RemoveAll(known.Contains);
        }

        return found.ConvertAll(r => r with { MergedIds = [.. masters.Keys.Where(id => Last(id) == r.Id)] });

        string Last(string id)
        {
            while (masters.TryGetValue(id, out var master))
            {
                id = master;
            }

            return id;
        }
    }

    /// <summary>The contacts of opportunities that are not of our making.</summary>
    private async Task<List<CrmRecord>> WithContactsAsync(List<CrmRecord> deals, CancellationToken cancellationToken)
    {
        var unknown = deals.Where(d => d.Key is null).Select(d => d.Id).ToList();
        if (unknown.Count == 0)
        {
            return deals;
        }

        var contacts = (await _session.FindAsync(
                $"SELECT OpportunityId, ContactId FROM {SalesforceCollections.Roles}", "OpportunityId", unknown, " ORDER BY IsPrimary DESC, CreatedDate, Id", false, cancellationToken))
            .DistinctBy(r => Text(r, "OpportunityId"), StringComparer.Ordinal)
            .ToDictionary(r => Text(r, "OpportunityId")!, r => Text(r, "ContactId"), StringComparer.Ordinal);
        return deals.ConvertAll(d => d.Key is null ? d with { RelatedId = contacts.GetValueOrDefault(d.Id) } : d);
    }

    private string Select(CrmObject kind) =>
        $"SELECT {string.Join(", ", _mapping.Of(kind).Properties.Concat(["Id", "SystemModstamp"]).Distinct(StringComparer.Ordinal))} FROM {Name(kind)}";

    private CrmRecord Record(CrmObject kind, JsonObject row)
    {
        var properties = Properties(row);
        return new CrmRecord(Text(row, "Id") ?? "", Instant(Text(row, "SystemModstamp")))
        {
            Key = properties.GetValueOrDefault(_mapping.Of(kind).Key),
            Properties = properties,
        };
    }

    private JsonObject Json(CrmObject kind, CrmWrite write, bool known)
    {
        var record = new JsonObject
        {
            ["attributes"] = new JsonObject { ["type"] = Name(kind) },
            [known ? "id" : _mapping.Of(kind).Key] = known ? write.Id : write.Key,
        };
        foreach (var (name, value) in write.Properties)
        {
            record[name] = Json(kind, name, value);
        }

        return record;
    }

    /// <summary>Salesforce wants numbers and booleans as such.</summary>
    private JsonValue? Json(CrmObject kind, string name, string? value) => value switch
    {
        null => null,
        _ when _booleans.Contains((kind, name)) => JsonValue.Create(value == "true"),
        _ when _schemas[kind].Fields.GetValueOrDefault(name) is { Type: CrmValueType.Number }
            && decimal.TryParse(value, NumberStyles.Number, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
        _ => JsonValue.Create(value),
    };

    private static string Name(CrmObject kind) => kind is CrmObject.Lead ? "Contact" : "Opportunity";
}
