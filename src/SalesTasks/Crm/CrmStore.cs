using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;

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

    public string? RelatedTo { get; init; }

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
        ["related_to"] = RelatedTo,
        ["modified_at"] = ModifiedAt?.ToString("O"),
        ["problem"] = Problem,
        ["problem_values"] = CrmStore.ToJson(ProblemValues),
        ["written"] = Written,
        ["looked_at"] = LookedAt,
        ["mark"] = Mark,
        ["release"] = Release,
    };
}

/// <summary>The statements both directions use, on an open connection.</summary>
internal sealed class CrmStore(string crm)
{
    public string Crm { get; } = crm;

    public static string Word(CrmObject kind) => kind is CrmObject.Lead ? "lead" : "deal";

    public static JsonNode? ToJson(IReadOnlyDictionary<string, string?>? values) =>
        values is null ? null : new JsonObject(values.Select(v => KeyValuePair.Create(v.Key, (JsonNode?)v.Value)));

    public static Dictionary<string, string?> FromJson(string json) =>
        JsonSerializer.Deserialize(json, CrmJson.Default.DictionaryStringString) ?? [];

    public static CrmLink Link(NpgsqlDataReader row) => new(
        row.GetInt64(0),
        row.GetString(1),
        row.IsDBNull(2) ? null : row.GetString(2),
        row.IsDBNull(3) ? null : row.GetString(3),
        row.GetString(4),
        new MergeBase(FromJson(row.GetString(5)), FromJson(row.GetString(6)), row.IsDBNull(7) ? null : FromJson(row.GetString(7))),
        row.GetInt32(8),
        row.GetInt32(9))
    {
        ChangedAt = row.GetInstant(10),
        ProblemValues = row.IsDBNull(11) ? null : FromJson(row.GetString(11)),
        Leased = row.GetBoolean(12),
        TheirModifiedAt = row.IsDBNull(13) ? null : row.GetInstant(13),
    };

    /// <summary>Locks the records of these links, then the links, in the order in which a deletion takes them.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="ids">The links.</param>
    /// <param name="token">Only those this run holds; null: all, told apart by <see cref="CrmLink.Leased"/>.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    public static async Task<List<CrmLink>> LockAsync(NpgsqlConnection connection, long[] ids, Guid? token, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("crm/lock_leads", [("ids", ids)], cancellationToken);
        await connection.ExecuteStatementAsync("crm/lock_deals", [("ids", ids)], cancellationToken);
        return await connection.QueryStatementAsync("crm/lock_links", [("ids", ids), ("token", token)], Link, cancellationToken);
    }

    public static async Task<Dictionary<long, OurFacts>> FactsAsync(
        NpgsqlConnection connection, CrmObject kind, long[] ids, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            kind is CrmObject.Lead ? "crm/lead_facts" : "crm/deal_facts",
            [("ids", ids)],
            row => (Id: row.GetInt64(0), Facts: new OurFacts(FromJson(row.GetString(1)), row.IsDBNull(2) ? null : row.GetString(2))),
            cancellationToken);
        return rows.ToDictionary(r => r.Id, r => r.Facts);
    }

    public static Task SaveAsync(NpgsqlConnection connection, IEnumerable<LinkChange> changes, Guid? token, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync(
            "crm/save_links", [("items", new JsonArray([.. changes.Select(c => c.ToJson())]).ToJsonString()), ("token", token)], cancellationToken);

    /// <summary>Takes the CRM's values into our records.</summary>
    public static async Task ApplyAsync(
        NpgsqlConnection connection, CrmObject kind, IReadOnlyList<(CrmLink Link, MergeResult Merge)> merged, CancellationToken cancellationToken)
    {
        var items = merged.Where(m => m.Merge.ToOurs.Count > 0)
            .Select(m => new JsonObject { ["lead_ext_id"] = m.Link.LeadExtId, ["values"] = ToJson(m.Merge.ToOurs) }).ToArray<JsonNode>();
        if (items.Length > 0)
        {
            await connection.ExecuteStatementAsync(
                kind is CrmObject.Lead ? "crm/apply_leads" : "crm/apply_deals", [("items", new JsonArray(items).ToJsonString())], cancellationToken);
        }
    }

    /// <summary>Journals decisions.</summary>
    public static async Task JournalAsync(
        NpgsqlConnection connection, IEnumerable<(CrmLink Link, Conflict Conflict)> conflicts, string? runId, CancellationToken cancellationToken)
    {
        var items = conflicts.Select(c => new JsonObject
        {
            ["link_id"] = c.Link.Id,
            ["field"] = c.Conflict.Field,
            ["version"] = c.Link.Version,
            ["base_value"] = c.Conflict.Base,
            ["our_value"] = c.Conflict.Ours,
            ["their_value"] = c.Conflict.Theirs,
            ["winner"] = c.Conflict.OursWins ? "ours" : "theirs",
            ["reason"] = c.Conflict.Reason,
        }).ToArray<JsonNode>();
        if (items.Length > 0)
        {
            await connection.ExecuteStatementAsync(
                "crm/journal", [("items", new JsonArray(items).ToJsonString()), ("run_id", runId)], cancellationToken);
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string?>))]
internal sealed partial class CrmJson : System.Text.Json.Serialization.JsonSerializerContext;
