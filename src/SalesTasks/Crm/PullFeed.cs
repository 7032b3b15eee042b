using System.Text.Json.Nodes;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// Reads what changed and what was deleted in the CRM, window by window. Each page is staged together with the cursor, so that a run that ends
/// early loses nothing.
/// </summary>
internal sealed class PullFeed(CrmSession session, CrmObject kind, Dictionary<string, long> counts)
{
    /// <summary>Read again with every window: a CRM's search shows a change up to a minute late, and its clock is not ours.</summary>
    private static readonly TimeSpan s_overlap = TimeSpan.FromMinutes(5);

    /// <summary>Clocks that are nearer to each other agree: a date in an answer has whole seconds.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(10);

    /// <summary>Reads the window that is next, of changes and of deletions.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        await ReadAsync("changes", cancellationToken);
        await ReadAsync("deletions", cancellationToken);
    }

    /// <summary>Reads the window that is next, and counts what it would change.</summary>
    public async Task PreviewAsync(CancellationToken cancellationToken)
    {
        var cursor = await CursorAsync("changes", cancellationToken);
        var from = cursor?.From > DateTimeOffset.UnixEpoch ? cursor.From - s_overlap : DateTimeOffset.UnixEpoch;
        var window = new CrmWindow(from, Milliseconds(Now));
        CrmPage page;
        string? next = null;
        do
        {
            page = await session.Crm.ReadChangesAsync(kind, window, next, cancellationToken);
            next = page.Next;
            counts["read"] += page.Records.Count;
            var known = await session.Context.Database.InTransactionAsync(
                (connection, _, token) => connection.QueryStatementAsync(
                    "crm/known", session.Store.Of(kind, ("crm_ids", page.Records.Select(r => r.Id).ToArray())),
                    row => (Id: row.GetString(0), Base: session.Store.Document(row.GetInt64(2), "their_base", row.GetString(1))), token),
                cancellationToken);
            foreach (var record in page.Records)
            {
                var link = known.Find(k => k.Id == record.Id);
                var name = link.Id is null ? "unknown" : Differs(link.Base, record) ? CrmStore.Word(kind) + "s_updated" : "unchanged";
                counts[name]++;
            }
        }
        while (next is not null);
    }

    /// <summary>Reads one window of a feed to its end. Runs that read at the same time share it: whoever stages a page moves the cursor.</summary>
    private async Task ReadAsync(string feed, CancellationToken cancellationToken)
    {
        var cursor = await CursorAsync(feed, cancellationToken);
        if (cursor?.To is null)
        {
            await session.Context.Database.ExecuteAsync(
                "crm/open_window",
                session.Store.Of(kind, ("feed", feed), ("from_at", DateTimeOffset.UnixEpoch), ("to_at", Milliseconds(Now))),
                cancellationToken);
        }

        while ((cursor = await CursorAsync(feed, cancellationToken))?.To is { } to)
        {
            var from = cursor.From > DateTimeOffset.UnixEpoch ? cursor.From - s_overlap : cursor.From;
            var window = new CrmWindow(from, to);
            var page = feed == "changes"
                ? await session.Crm.ReadChangesAsync(kind, window, cursor.Page, cancellationToken)
                : await session.Crm.ReadDeletedAsync(kind, window, cursor.Page, cancellationToken);
            var staged = feed == "changes"
                ? await ChangedAsync(page.Records, cancellationToken)
                : await DeletedAsync(page.Records, cancellationToken);
            await session.Context.Database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    var moved = await connection.ExecuteStatementAsync(
                        "crm/move_cursor",
                        session.Store.Of(kind, ("feed", feed), ("to_at", to), ("page", cursor.Page), ("next", page.Next), ("done", page.Next is null)),
                        token);
                    if (moved > 0 && staged.Count > 0)
                    {
                        await connection.ExecuteStatementAsync(
                            "crm/stage", session.Store.Of(kind, ("items", new JsonArray([.. staged.Select(r => Item(r))]).ToJsonString())), token);
                    }
                },
                cancellationToken);
            counts["read"] += page.Records.Count;
            if (page.Next is null)
            {
                return;
            }
        }
    }

    private async Task<Cursor?> CursorAsync(string feed, CancellationToken cancellationToken)
    {
        var rows = await session.Context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "crm/cursor",
                session.Store.Of(kind, ("feed", feed)),
                row => new Cursor(
                    row.GetInstant(0), row.IsDBNull(1) ? null : row.GetInstant(1), row.IsDBNull(2) ? null : row.GetString(2)),
                token),
            cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>A search may go on showing a record that is deleted: one whose deletion is known counts only where it can be read.</summary>
    private async Task<List<CrmRecord>> ChangedAsync(IReadOnlyList<CrmRecord> records, CancellationToken cancellationToken)
    {
        var gone = await LinksOfAsync(records, "deleted_there", cancellationToken);
        var back = await ReadByIdAsync(gone, cancellationToken);
        return [.. records.Where(r => !gone.Contains(r.Id) || back.Any(b => b.Id == r.Id))];
    }

    /// <summary>Of deleted records those that are linked. One that can still be read went into another, or is back.</summary>
    private async Task<List<CrmRecord>> DeletedAsync(IReadOnlyList<CrmRecord> records, CancellationToken cancellationToken)
    {
        var linked = await LinksOfAsync(records, "active", cancellationToken);
        var found = await ReadByIdAsync(linked, cancellationToken);
        // Two that went into the same record are told as that one by both.
        return [.. found.DistinctBy(f => f.Id), .. records.Where(r => linked.Contains(r.Id) && !found.Exists(f => f.Id == r.Id || f.MergedIds.Contains(r.Id)))];
    }

    private async Task<HashSet<string>> LinksOfAsync(
        IReadOnlyList<CrmRecord> records, string status, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
        {
            return [];
        }

        var ids = await session.Context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "crm/links_of", session.Store.Of(kind, ("crm_ids", records.Select(r => r.Id).ToArray()), ("status", status)), row => row.GetString(0), token),
            cancellationToken);
        return ids.ToHashSet(StringComparer.Ordinal);
    }

    private async Task<List<CrmRecord>> ReadByIdAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        var found = new List<CrmRecord>();
        foreach (var chunk in ids.Chunk(session.Crm.Limits.Read))
        {
            found.AddRange(await session.Crm.ReadAsync(kind, CrmLookup.Id, chunk, cancellationToken));
        }

        return found;
    }

    /// <summary>A record as it is staged: by our field names, in one spelling.</summary>
    private JsonObject Item(CrmRecord record) => new()
    {
        ["crm_id"] = record.Id,
        ["key"] = record.Key,
        ["modified_at"] = record.ModifiedAt.ToString("O"),
        ["deleted"] = record.Deleted,
        ["merged_ids"] = new JsonArray([.. record.MergedIds.Select(id => JsonValue.Create(id))]),
        ["related_id"] = record.RelatedId,
        ["properties"] = session.Store.ToStaged(kind, record.Id, session.Mapping.Of(kind).Fields.Where(f => !f.Ours.OnlyNew).ToDictionary(
            f => f.Ours.Name, f => session.Values.Normalize(kind, f, record.Properties.GetValueOrDefault(f.Theirs)), StringComparer.Ordinal)),
    };

    private bool Differs(Dictionary<string, string?> theirBase, CrmRecord record) => session.Mapping.Of(kind).Fields.Any(f =>
        !f.Ours.OnlyNew && session.Values.Normalize(kind, f, record.Properties.GetValueOrDefault(f.Theirs)) != theirBase.GetValueOrDefault(f.Ours.Name));

    /// <summary>
    /// The end of a window. Ours and the CRM's clock agree most often; where they do not, the CRM's counts: with ours ahead the cursor would pass over
    /// what is changed there until then.
    /// </summary>
    private DateTimeOffset Now => session.Context.Time.GetUtcNow() is var ours && session.Crm.Clock is { } theirs && (theirs - ours).Duration() > s_skew ? theirs : ours;

    /// <summary>CRMs count in milliseconds.</summary>
    private static DateTimeOffset Milliseconds(DateTimeOffset at) => DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds());

    private sealed record Cursor(DateTimeOffset From, DateTimeOffset? To, string? Page);
}
