using System.Globalization;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;

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

    private const int Collection = 200;
    private const int Tries = 3;
    private const string Roles = "OpportunityContactRole";

    private readonly SalesforceSession _session;
    private readonly CrmMapping _mapping;
    private readonly TimeProvider _time;
    private readonly Dictionary<CrmObject, CrmSchema> _schemas = [];
    private readonly HashSet<(CrmObject, string)> _booleans = [];

    private Salesforce(SalesforceSession session, CrmMapping mapping, TimeProvider time) => (_session, _mapping, _time) = (session, mapping, time);

    public CrmLimits Limits { get; } = new(Write: Collection, Read: 2000, Relate: 2000) { Match = 2000 };

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
        foreach (var field in (answer.Body?["fields"] as JsonArray ?? []).OfType<JsonObject>())
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
            var options = (field["picklistValues"] as JsonArray ?? []).OfType<JsonObject>()
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
            var left = Enumerable.Range(0, records.Count).Where(i => records[i].Id is not null == known).ToList();
            for (var attempt = 1; left.Count > 0; attempt++)
            {
                await WriteAsync(kind, records, left, known, outcomes, cancellationToken);
                left.RemoveAll(i => outcomes[i].Kind is not CrmOutcomeKind.Later);
                if (left.Count == 0 || attempt == Tries)
                {
                    break;
                }

                await Task.Delay(TimeSpan.FromSeconds(attempt), _time, cancellationToken);
            }
        }

        return outcomes;
    }

    /// <summary>
    /// Contact roles. Salesforce takes the same role twice, so what is there is asked for first, and a call whose answer is lost is not
    /// repeated blindly.
    /// </summary>
    public async Task RelateAsync(IReadOnlyList<(string DealId, string LeadId)> pairs, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var there = (await _session.FindAsync(
                    $"SELECT OpportunityId, ContactId FROM {Roles}", "OpportunityId", [.. pairs.Select(p => p.DealId)], "", false, cancellationToken))
                .Select(r => (Text(r, "OpportunityId"), Text(r, "ContactId"))).ToHashSet();
            var missing = pairs.Where(p => !there.Contains(p)).ToList();
            try
            {
                foreach (var chunk in missing.Chunk(Collection))
                {
                    await RelateChunkAsync(chunk, cancellationToken);
                }

                return;
            }
            catch (JobException exception) when (exception.ExitCode is ExitCode.TemporaryFailure && attempt < Tries)
            {
                await Task.Delay(TimeSpan.FromSeconds(attempt), _time, cancellationToken);
            }
        }
    }

    public Task DeleteAsync(CrmObject kind, IReadOnlyList<string> ids, CancellationToken cancellationToken) => BinAsync(ids, cancellationToken);

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
            binned = await BinAsync(ids, cancellationToken);
        }
        catch (CrmBatchRefusedException refused)
        {
            throw JobException.Refused($"Salesforce does not delete some of {ids.Count} records ({refused.Message.Split(':')[0]}).");
        }

        foreach (var chunk in ids.Concat(losers.Select(r => Text(r, "Id")!)).Distinct(StringComparer.Ordinal).Chunk(Collection))
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

    /// <summary>One call for those with an id, or for those without.</summary>
    private async Task WriteAsync(
        CrmObject kind, IReadOnlyList<CrmWrite> records, List<int> indexes, bool known, CrmOutcome[] outcomes, CancellationToken cancellationToken)
    {
        var key = _mapping.Of(kind).Key;
        var path = known ? "composite/sobjects" : $"composite/sobjects/{Name(kind)}/{key}";
        var answer = await _session.SendAsync(HttpMethod.Patch, path, Records(indexes.Select(i =>
        {
            var record = new JsonObject { ["attributes"] = new JsonObject { ["type"] = Name(kind) } };
            record[known ? "id" : key] = known ? records[i].Id : records[i].Key;
            foreach (var (name, value) in records[i].Properties)
            {
                record[name] = Json(kind, name, value);
            }

            return record;
        })), cancellationToken);
        if (!answer.Succeeded)
        {
            var reason = answer.Body is JsonArray { Count: > 0 } list && list[0] is { } first ? first : answer.Body;
            if (indexes.Count > 1)
            {
                throw new CrmBatchRefusedException(Text(reason, "message") ?? $"HTTP {answer.Status}");
            }

            outcomes[indexes[0]] = new CrmOutcome(CrmOutcomeKind.Refused, null, Text(reason, "message") ?? $"HTTP {answer.Status}");
            return;
        }

        var told = answer.Body as JsonArray ?? [];
        foreach (var (n, i) in indexes.Index())
        {
            var result = n < told.Count ? told[n] as JsonObject : null;
            outcomes[i] = result is null
                ? new CrmOutcome(CrmOutcomeKind.Later, null, "Salesforce did not say what became of it")
                // When it was modified the answer does not tell; what was read before is known to be older, see PushCrm.
                : Flag(result, "success")
                    ? new CrmOutcome(CrmOutcomeKind.Written, new CrmRecord(Text(result, "id")!, DateTimeOffset.UnixEpoch) { Key = records[i].Key }, null)
                    : Refusal(result, known, key);
        }
    }

    private static CrmOutcome Refusal(JsonObject result, bool known, string key)
    {
        var error = (result["errors"] as JsonArray)?.FirstOrDefault() as JsonObject;
        var fields = (error?["fields"] as JsonArray ?? []).Select(f => f?.ToString()).ToList();
        var code = Text(error, "statusCode");
        var kind = code switch
        {
            "UNABLE_TO_LOCK_ROW" or "SERVER_UNAVAILABLE" or "REQUEST_RUNNING_TOO_LONG" or "UNKNOWN_EXCEPTION" => CrmOutcomeKind.Later,
            // Another run made it at the same time.
            "DUPLICATE_VALUE" when fields.Contains(key) || Text(error, "message")?.Contains(key, StringComparison.Ordinal) is true => CrmOutcomeKind.Later,
            "DUPLICATE_VALUE" or "DUPLICATES_DETECTED" => CrmOutcomeKind.Duplicate,
            "ENTITY_IS_DELETED" or "NOT_FOUND" => CrmOutcomeKind.Gone,
            "INVALID_CROSS_REFERENCE_KEY" when known && fields.TrueForAll(f => f is "Id" or "id") => CrmOutcomeKind.Gone,
            _ => CrmOutcomeKind.Refused,
        };
        return new CrmOutcome(kind, null, $"{code}: {Text(error, "message")}");
    }

    private async Task RelateChunkAsync((string DealId, string LeadId)[] pairs, CancellationToken cancellationToken)
    {
        var answer = await _session.SendAsync(
            HttpMethod.Post,
            "composite/sobjects",
            Records(pairs.Select(p => new JsonObject
            {
                ["attributes"] = new JsonObject { ["type"] = Roles },
                ["OpportunityId"] = p.DealId,
                ["ContactId"] = p.LeadId,
                ["IsPrimary"] = true,
            })),
            cancellationToken,
            repeatable: false);
        if (!answer.Succeeded)
        {
            throw SalesforceQueries.Refused(answer.Status, answer.Body);
        }

        var refused = (answer.Body as JsonArray ?? []).OfType<JsonObject>().Where(r => !Flag(r, "success")).Select(r => Refusal(r, known: true, "")).ToList();
        if (refused.Exists(r => r.Kind is CrmOutcomeKind.Later))
        {
            throw JobException.Temporary("Salesforce: contact roles are locked by somebody else; the next run goes on where this one ends.");
        }

        if (refused.Count == pairs.Length && refused.TrueForAll(r => r.Kind is CrmOutcomeKind.Refused && !r.Reason!.StartsWith("INVALID_CROSS_REFERENCE_KEY", StringComparison.Ordinal)))
        {
            // Not a single one: it is not about the records.
            throw JobException.Refused($"Salesforce takes no contact roles ({refused[0].Reason!.Split(':')[0]}); check the permissions of the user the connection runs as.");
        }
    }

    /// <summary>Into the recycle bin.</summary>
    /// <returns>Those that were put there now; the others were gone.</returns>
    /// <exception cref="CrmBatchRefusedException">Some are not deleted.</exception>
    private async Task<HashSet<string>> BinAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var binned = new HashSet<string>(StringComparer.Ordinal);
        List<string> left = [.. ids];
        for (var attempt = 1; ; attempt++)
        {
            var answer = await _session.SendAsync(
                HttpMethod.Delete, $"composite/sobjects?ids={string.Join(',', left.Select(Uri.EscapeDataString))}&allOrNone=false", null, cancellationToken);
            if (!answer.Succeeded)
            {
                throw SalesforceQueries.Refused(answer.Status, answer.Body);
            }

            var results = left.Zip((answer.Body as JsonArray ?? []).OfType<JsonObject>()).ToList();
            binned.UnionWith(results.Where(r => Flag(r.Second, "success")).Select(r => r.First));
            var refused = results.Where(r => !Flag(r.Second, "success")).Select(r => (Id: r.First, Outcome: Refusal(r.Second, known: true, "")))
                .Where(r => r.Outcome.Kind is not CrmOutcomeKind.Gone).ToList();
            if (refused.Count == 0)
            {
                return binned;
            }

            if (refused.Find(r => r.Outcome.Kind is not CrmOutcomeKind.Later) is { Outcome: { } outcome })
            {
                throw new CrmBatchRefusedException(outcome.Reason!);
            }

            if (attempt == Tries)
            {
                throw JobException.Temporary("Salesforce: records are locked by somebody else; the next run goes on where this one ends.");
            }

            left = refused.ConvertAll(r => r.Id);
            await Task.Delay(TimeSpan.FromSeconds(attempt), _time, cancellationToken);
        }
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
                $"SELECT OpportunityId, ContactId FROM {Roles}", "OpportunityId", unknown, " ORDER BY IsPrimary DESC, CreatedDate, Id", false, cancellationToken))
            .DistinctBy(r => Text(r, "OpportunityId"), StringComparer.Ordinal)
            .ToDictionary(r => Text(r, "OpportunityId")!, r => Text(r, "ContactId"), StringComparer.Ordinal);
        return deals.ConvertAll(d => d.Key is null ? d with { RelatedId = contacts.GetValueOrDefault(d.Id) } : d);
    }

    private string Select(CrmObject kind) =>
        $"SELECT {string.Join(", ", _mapping.Of(kind).Properties.Concat(["Id", "SystemModstamp"]).Distinct(StringComparer.Ordinal))} FROM {Name(kind)}";

    private CrmRecord Record(CrmObject kind, JsonObject row)
    {
        var properties = row.Where(p => p.Key is not "attributes").ToDictionary(
            p => p.Key, p => p.Value?.ToString() is { Length: > 0 } text ? text : null, StringComparer.Ordinal);
        return new CrmRecord(Text(row, "Id") ?? "", Instant(Text(row, "SystemModstamp")))
        {
            Key = properties.GetValueOrDefault(_mapping.Of(kind).Key),
            Properties = properties,
        };
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

    private static JsonObject Records(IEnumerable<JsonObject> records) => new() { ["allOrNone"] = false, ["records"] = new JsonArray([.. records]) };

    private static string Name(CrmObject kind) => kind is CrmObject.Lead ? "Contact" : "Opportunity";

    private static DateTimeOffset Instant(string? text) => DateTimeOffset.TryParse(
        text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
        ? at
        : DateTimeOffset.UnixEpoch;

    private static bool Flag(JsonNode? node, string name) => node?[name] is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    private static string? Text(JsonNode? node, string name) => node is JsonObject o && o[name] is JsonValue value ? value.ToString() : null;
}
