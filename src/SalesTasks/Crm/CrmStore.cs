using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Encryption;
using Serilog;

namespace SalesTasks.Crm;

/// <summary>A link as a run works on it.</summary>
internal sealed record CrmLink(long Id, string Key, string? LeadExtId, string? CrmId, string Status, MergeBase Base, int Version, int Changes)
{
    public required DateTimeOffset ChangedAt { get; init; }

    public required IReadOnlyDictionary<string, string?>? ProblemValues { get; init; }

    /// <summary>Another run works on it.</summary>
    public required bool Leased { get; init; }

    public required DateTimeOffset? TheirModifiedAt { get; init; }
}

/// <summary>Our side of a link.</summary>
/// <param name="Values">By field, as the database writes them.</param>
/// <param name="LeadCrmId">The CRM's lead that a deal belongs to.</param>
internal sealed record OurFacts(IReadOnlyDictionary<string, string?> Values, string? LeadCrmId);

/// <summary>A record that was read and is to be merged.</summary>
internal sealed record StagedRecord(
    string CrmId, string? Key, DateTimeOffset ModifiedAt, bool Deleted, IReadOnlyList<string> MergedIds, string? RelatedId,
    IReadOnlyDictionary<string, string?> Values);

/// <summary>What save_links.sql takes; null leaves a column alone.</summary>
internal sealed record LinkChange(long Id)
{
    public IReadOnlyDictionary<string, string?>? OurBase { get; init; }

    public IReadOnlyDictionary<string, string?>? TheirBase { get; init; }

    public IReadOnlyDictionary<string, string?>? Sending { get; init; }

    /// <summary>Nothing is on its way any more.</summary>
    public bool Settled { get; init; }

    public string? CrmId { get; init; }

    public string? Status { get; init; }

    public string? MergedInto { get; init; }

    public DateTimeOffset? ModifiedAt { get; init; }

    public string? Problem { get; init; }

    public IReadOnlyDictionary<string, string?>? ProblemValues { get; init; }

    /// <summary>The two sides are in step.</summary>
    public bool Written { get; init; }

    /// <summary>The count of changes this run saw: without a later one the link is no longer pending.</summary>
    public int? LookedAt { get; init; }

    /// <summary>A push has to look at it.</summary>
    public bool Mark { get; init; }

    public bool Release { get; init; }

    /// <summary>This run has looked at the link and lets go of it.</summary>
    public static LinkChange Done(CrmLink link) => new(link.Id) { LookedAt = link.Changes, Release = true };

    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["our_base"] = CrmStore.ToJson(OurBase),
        ["their_base"] = CrmStore.ToJson(TheirBase),
        ["sending"] = CrmStore.ToJson(Sending),
        ["settled"] = Settled,
        ["crm_id"] = CrmId,
        ["status"] = Status,
        ["merged_into"] = MergedInto,
        ["modified_at"] = ModifiedAt?.ToString("O"),
        ["problem"] = Problem,
        ["problem_values"] = CrmStore.ToJson(ProblemValues),
        ["written"] = Written,
        ["looked_at"] = LookedAt,
        ["mark"] = Mark,
        ["release"] = Release,
    };
}

/// <summary>The statements both directions use, on an open connection. Where phones and notes are sealed, they are so in the tables only.</summary>
/// <param name="crm">hubspot or salesforce.</param>
/// <param name="vault">Null: nothing is sealed.</param>
/// <param name="log">Told of values that do not open.</param>
internal sealed class CrmStore(string crm, Vault? vault, ILogger log)
{
    private static readonly string[] s_sealedColumns = ["our_base", "their_base", "sending", "problem_values"];

    public string Crm { get; } = crm;

    public static string Word(CrmObject kind) => kind is CrmObject.Lead ? "lead" : "deal";

    /// <summary>The parameters of a statement about leads or deals.</summary>
    public (string Name, object? Value)[] Of(CrmObject kind, params (string Name, object? Value)[] others) =>
        [("crm", Crm), ("object", Word(kind)), .. others];

    public static JsonNode? ToJson(IReadOnlyDictionary<string, string?>? values) =>
        values is null ? null : new JsonObject(values.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value)));

    public static Dictionary<string, string?> FromJson(string json) =>
        JsonSerializer.Deserialize(json, CrmJson.Default.DictionaryStringString) ?? [];

    public CrmLink Link(NpgsqlDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        row.IsDBNull(2) ? null : row.GetString(2),
        row.IsDBNull(3) ? null : row.GetString(3),
        row.GetString(4),
        new MergeBase(
            Document(row.GetInt64(0), "our_base", row.GetString(5)),
            Document(row.GetInt64(0), "their_base", row.GetString(6)),
            row.IsDBNull(7) ? null : Document(row.GetInt64(0), "sending", row.GetString(7))),
        row.GetInt32(8),
        row.GetInt32(9))
    {
        ChangedAt = row.GetInstant(10),
        ProblemValues = row.IsDBNull(11) ? null : Document(row.GetInt64(0), "problem_values", row.GetString(11)),
        Leased = row.GetBoolean(12),
        TheirModifiedAt = row.IsDBNull(13) ? null : row.GetInstant(13),
    };

    /// <summary>A document of a link. A field that does not open is one that both sides have yet to agree on.</summary>
    public Dictionary<string, string?> Document(long link, string column, string json) => Open(json, field => SealedPlaces.Link(link, column, field));

    /// <summary>The values of a record that was staged.</summary>
    public Dictionary<string, string?> Staged(CrmObject kind, string crmId, string json) =>
        Open(json, field => SealedPlaces.Staged(Crm, Word(kind), crmId, field));

    /// <summary>The values of a record as they are staged.</summary>
    public JsonNode? ToStaged(CrmObject kind, string crmId, IReadOnlyDictionary<string, string?> values) =>
        Seal(ToJson(values), field => SealedPlaces.Staged(Crm, Word(kind), crmId, field));

    /// <summary>Counts staged records that differ from what both sides agreed on, of those that the database cannot compare because they are sealed.</summary>
    public async Task<long> CountChangedAsync(NpgsqlConnection connection, CrmObject kind, CancellationToken cancellationToken)
    {
        var changed = 0L;
        for (var after = ""; ;)
        {
            var pairs = await connection.QueryStatementAsync(
                "crm/staged_pairs",
                Of(kind, ("after", after), ("limit", 5_000L)),
                row => (
                    CrmId: row.GetString(0), Staged: Staged(kind, row.GetString(0), row.GetString(2)),
                    Base: Document(row.GetInt64(1), "their_base", row.GetString(3))),
                cancellationToken);
            if (pairs.Count == 0)
            {
                return changed;
            }

            changed += pairs.LongCount(p => p.Staged.Any(v => !p.Base.TryGetValue(v.Key, out var last) || last != v.Value));
            after = pairs[^1].CrmId;
        }
    }

    private Dictionary<string, string?> Open(string json, Func<string, string> place)
    {
        var values = FromJson(json);
        foreach (var field in SealedPlaces.Fields)
        {
            if (values.GetValueOrDefault(field) is { } text && text.StartsWith(Sealer.TextPrefix, StringComparison.Ordinal))
            {
                try
                {
                    values[field] = vault?.OpenText(place(field), text) ?? throw JobException.Refused(Vault.NotTheLeads);
                }
                catch (JobException fault) when (fault.ExitCode is ExitCode.Refused)
                {
                    log.Warning("A value of the CRM sync is left out: {Reason:l}", fault.Message);
                    values.Remove(field);
                }
            }
        }

        return values;
    }

    private JsonNode? Seal(JsonNode? values, Func<string, string> place)
    {
        if (vault is { Seals: true } && values is JsonObject document)
        {
            foreach (var field in SealedPlaces.Fields)
            {
                if (MessageTexts.Of(document, field) is { Length: > 0 } text)
                {
                    document[field] = vault.Sealer.SealText(place(field), text);
                }
            }
        }

        return values;
    }

    /// <summary>Locks the records of these links, then the links, in the order in which a deletion takes them.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="ids">The links.</param>
    /// <param name="token">Only those this run holds; null: all, told apart by <see cref="CrmLink.Leased"/>.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    public async Task<List<CrmLink>> LockAsync(NpgsqlConnection connection, long[] ids, Guid? token, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("crm/lock_leads", [("ids", ids)], cancellationToken);
        await connection.ExecuteStatementAsync("crm/lock_deals", [("ids", ids)], cancellationToken);
        return await connection.QueryStatementAsync("crm/lock_links", [("ids", ids), ("token", token)], Link, cancellationToken);
    }

    /// <summary>Our side of these links. One whose phone or notes do not open has none: it is left out of the sync.</summary>
    public async Task<Dictionary<long, OurFacts>> FactsAsync(
        NpgsqlConnection connection, CrmObject kind, long[] ids, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            kind is CrmObject.Lead ? "crm/lead_facts" : "crm/deal_facts",
            [("ids", ids)],
            row => (Id: row.GetInt64(0), Values: FromJson(row.GetString(1)), LeadCrmId: row.IsDBNull(2) ? null : row.GetString(2), Lead: row.GetString(3)),
            cancellationToken);
        var opened = vault is null ? [] : await vault.ReadAsync(
            connection,
            rows.SelectMany(r => SealedPlaces.Fields.SelectMany(f => Sealer.TokensIn(r.Values.GetValueOrDefault(f)).Select(t => (r.Lead, t)))).Distinct().ToList(),
            cancellationToken);
        var facts = new Dictionary<long, OurFacts>();
        foreach (var (id, values, leadCrmId, lead) in rows)
        {
            try
            {
                foreach (var field in SealedPlaces.Fields)
                {
                    if (values.GetValueOrDefault(field) is { } text)
                    {
                        values[field] = Sealer.Replace(text, token => Vault.Text(opened, lead, token));
                    }
                }

                facts.Add(id, new OurFacts(values, leadCrmId));
            }
            catch (JobException fault) when (fault.ExitCode is ExitCode.Refused)
            {
                log.Warning("Link {Link} is left out of the sync: {Reason:l}", id, fault.Message);
            }
        }

        return facts;
    }

    public Task SaveAsync(NpgsqlConnection connection, IEnumerable<LinkChange> changes, Guid? token, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync(
            "crm/save_links", [("items", new JsonArray([.. changes.Select(Sealed)]).ToJsonString()), ("token", token)], cancellationToken);

    private JsonObject Sealed(LinkChange change)
    {
        var item = change.ToJson();
        foreach (var column in s_sealedColumns)
        {
            Seal(item[column], field => SealedPlaces.Link(change.Id, column, field));
        }

        return item;
    }

    /// <summary>Ids of those of the CRM's records that have a link.</summary>
    public async Task<HashSet<string>> HoldersAsync(
        NpgsqlConnection connection, CrmObject kind, IEnumerable<CrmRecord> records, CancellationToken cancellationToken)
    {
        var held = await connection.QueryStatementAsync(
            "crm/holders", Of(kind, ("crm_ids", records.Select(r => r.Id).ToArray())), row => row.GetString(0), cancellationToken);
        return held.ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Takes the CRM's values into our records.</summary>
    public async Task ApplyAsync(
        NpgsqlConnection connection, CrmObject kind, IReadOnlyList<(CrmLink Link, MergeResult Merge)> merged, CancellationToken cancellationToken)
    {
        var taken = merged.Where(m => m.Merge.ToOurs.Count > 0 && m.Link.LeadExtId is not null).Select(m => (Lead: m.Link.LeadExtId!, Values: m.Merge.ToOurs)).ToList();
        if (vault is { Seals: true })
        {
            taken = await TokensAsync(connection, vault, taken, cancellationToken);
        }

        var items = taken.Select(t => new JsonObject { ["lead_ext_id"] = t.Lead, ["values"] = ToJson(t.Values) }).ToArray<JsonNode>();
        if (items.Length > 0)
        {
            await connection.ExecuteStatementAsync(
                kind is CrmObject.Lead ? "crm/apply_leads" : "crm/apply_deals", [("items", new JsonArray(items).ToJsonString())], cancellationToken);
        }
    }

    /// <summary>Tokens in the place of phones and notes, and the values stored behind them.</summary>
    private static async Task<List<(string Lead, Dictionary<string, string?> Values)>> TokensAsync(
        NpgsqlConnection connection, Vault vault, List<(string Lead, Dictionary<string, string?> Values)> taken, CancellationToken cancellationToken)
    {
        var ids = await Vault.LeadIdsAsync(connection, [.. taken.Select(t => t.Lead)], cancellationToken);
        var values = new List<(long, string, string)>();
        var phones = new List<string>();
        var items = taken.Where(t => ids.ContainsKey(t.Lead)).Select(t =>
        {
            var copy = new Dictionary<string, string?>(t.Values, StringComparer.Ordinal);
            if (copy.GetValueOrDefault("phone") is { Length: > 0 } phone)
            {
                phones.Add(phone);
                copy["phone"] = Token(ids[t.Lead], vault.Sealer.PhoneToken(phone), phone);
            }

            if (copy.GetValueOrDefault("notes") is { Length: > 0 } notes)
            {
                copy["notes"] = Token(ids[t.Lead], vault.Sealer.NotesToken(ids[t.Lead], notes), notes);
            }

            return (t.Lead, copy);
        }).ToList();
        await vault.SaveAsync(connection, values, cancellationToken);
        await vault.SyncSuppressionsAsync(connection, phones, cancellationToken);
        return items;

        string Token(long leadId, string token, string text)
        {
            values.Add((leadId, token, text));
            return token;
        }
    }

    /// <summary>Journals decisions.</summary>
    public async Task JournalAsync(
        NpgsqlConnection connection, IEnumerable<(CrmLink Link, Conflict Conflict)> conflicts, string? runId, CancellationToken cancellationToken)
    {
        var items = conflicts.Select(c => new JsonObject
        {
            ["link_id"] = c.Link.Id,
            ["field"] = c.Conflict.Field,
            ["version"] = c.Link.Version,
            ["base_value"] = Value(c.Link, c.Conflict, "base_value", c.Conflict.Base),
            ["our_value"] = Value(c.Link, c.Conflict, "our_value", c.Conflict.Ours),
            ["their_value"] = Value(c.Link, c.Conflict, "their_value", c.Conflict.Theirs),
            ["winner"] = c.Conflict.OursWins ? "ours" : "theirs",
            ["reason"] = c.Conflict.Reason,
        }).ToArray<JsonNode>();
        if (items.Length > 0)
        {
            await connection.ExecuteStatementAsync(
                "crm/journal", [("items", new JsonArray(items).ToJsonString()), ("run_id", runId)], cancellationToken);
        }

        string? Value(CrmLink link, Conflict conflict, string column, string? text) =>
            vault is { Seals: true } && text is { Length: > 0 } && SealedPlaces.Fields.Contains(conflict.Field, StringComparer.Ordinal)
                ? vault.Sealer.SealText(SealedPlaces.Conflict(link.Id, link.Version, column, conflict.Field), text)
                : text;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string?>))]
internal sealed partial class CrmJson : System.Text.Json.Serialization.JsonSerializerContext;
