using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// <c>crm pull</c>: what changed in the CRM comes here. Its changes and deletions are read page by page and kept together with the cursor, so
/// that a run that ends early loses nothing; then judged as a whole, and merged batch by batch.
/// </summary>
internal sealed class PullCrm
{
    /// <summary>Read again with every window: a CRM's search shows a change up to a minute late, and its clock is not ours.</summary>
    private static readonly TimeSpan s_overlap = TimeSpan.FromMinutes(5);

    /// <summary>Clocks that are nearer to each other agree: a date in an answer has whole seconds.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(10);

    /// <summary>Records merged in one transaction.</summary>
    private const int Batch = 500;

    private readonly CrmSession _session;
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal)
    {
        ["read"] = 0,
        ["leads_updated"] = 0,
        ["deals_updated"] = 0,
        ["leads_created"] = 0,
        ["deals_created"] = 0,
        ["deleted"] = 0,
        ["merged"] = 0,
        ["to_push"] = 0,
        ["unchanged"] = 0,
        ["conflicts"] = 0,
        ["unknown"] = 0,
        ["deferred"] = 0,
        ["calls"] = 0,
    };

    private PullCrm(CrmSession session) => _session = session;

    private JobContext Context => _session.Context;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (CrmJobs.DirectionOf(context.Parameters) is SyncDirection.Export)
        {
            context.Log.Information("{Parameter:l} is export: nothing is taken over from the CRM", CrmJobs.Direction.Name);
            return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)) { NothingToDo = true };
        }

        await using var session = await CrmSession.OpenAsync(context, cancellationToken);
        var pull = new PullCrm(session);
        JobException? failure = null;
        try
        {
            if (context.DryRun)
            {
                await pull.PreviewAsync(cancellationToken);
            }
            else
            {
                await pull.RunAsync(cancellationToken);
            }
        }
        catch (JobException exception) when (exception.ExitCode is not ExitCode.Usage)
        {
            // What was read is kept; the next run goes on.
            failure = exception;
        }

        pull._counts["calls"] = session.Calls;
        return new JobResult(pull._counts)
        {
            NothingToDo = failure is null && pull._counts.All(c => c.Key is "calls" or "unchanged" or "read" or "unknown" || c.Value == 0),
            Failure = failure,
        };
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await Context.Database.ExecuteAsync(
            "crm/use", [("crm", _session.Store.Crm), ("in_use", false), ("as_of", Context.AsOf)], cancellationToken);
        foreach (var kind in (CrmObject[])[CrmObject.Lead, CrmObject.Deal])
        {
            await ReadFeedAsync(kind, "changes", cancellationToken);
            await ReadFeedAsync(kind, "deletions", cancellationToken);
        }

        foreach (var kind in (CrmObject[])[CrmObject.Lead, CrmObject.Deal])
        {
            await JudgeVolumeAsync(kind, cancellationToken);
        }

        // Leads first: a new deal needs its lead.
        foreach (var kind in (CrmObject[])[CrmObject.Lead, CrmObject.Deal])
        {
            await MergeStagedAsync(kind, cancellationToken);
        }
    }

    /// <summary>
    /// The end of a window. Ours and the CRM's clock agree most often; where they do not, the CRM's counts: with ours ahead the cursor would pass over
    /// what is changed there until then.
    /// </summary>
    private DateTimeOffset Now => Context.Time.GetUtcNow() is var ours && _session.Crm.Clock is { } theirs && (theirs - ours).Duration() > s_skew ? theirs : ours;

    private (string, object?)[] Of(CrmObject kind, params (string, object?)[] others) =>
        [("crm", _session.Store.Crm), ("object", CrmStore.Word(kind)), .. others];

    /// <summary>Reads one window of a feed to its end. Runs that read at the same time share it: whoever stages a page moves the cursor.</summary>
    private async Task ReadFeedAsync(CrmObject kind, string feed, CancellationToken cancellationToken)
    {
        var cursor = await CursorAsync(kind, feed, cancellationToken);
        if (cursor?.To is null)
        {
            await Context.Database.ExecuteAsync(
                "crm/open_window",
                Of(kind, ("feed", feed), ("from_at", DateTimeOffset.UnixEpoch), ("to_at", Milliseconds(Now))),
                cancellationToken);
        }

        while ((cursor = await CursorAsync(kind, feed, cancellationToken))?.To is { } to)
        {
            var from = cursor.From > DateTimeOffset.UnixEpoch ? cursor.From - s_overlap : cursor.From;
            var window = new CrmWindow(from, to);
            var page = feed == "changes"
                ? await _session.Crm.ReadChangesAsync(kind, window, cursor.Page, cancellationToken)
                : await _session.Crm.ReadDeletedAsync(kind, window, cursor.Page, cancellationToken);
            var staged = feed == "changes"
                ? await ChangedAsync(kind, page.Records, cancellationToken)
                : await DeletedAsync(kind, page.Records, cancellationToken);
            await Context.Database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    var moved = await connection.ExecuteStatementAsync(
                        "crm/move_cursor",
                        Of(kind, ("feed", feed), ("to_at", to), ("page", cursor.Page), ("next", page.Next), ("done", page.Next is null)),
                        token);
                    if (moved > 0 && staged.Count > 0)
                    {
                        await connection.ExecuteStatementAsync(
                            "crm/stage", Of(kind, ("items", new JsonArray([.. staged.Select(r => Item(kind, r))]).ToJsonString())), token);
                    }
                },
                cancellationToken);
            _counts["read"] += page.Records.Count;
            if (page.Next is null)
            {
                return;
            }
        }
    }

    private async Task<Cursor?> CursorAsync(CrmObject kind, string feed, CancellationToken cancellationToken)
    {
        var rows = await Context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "crm/cursor",
                Of(kind, ("feed", feed)),
                row => new Cursor(
                    row.GetInstant(0), row.IsDBNull(1) ? null : row.GetInstant(1), row.IsDBNull(2) ? null : row.GetString(2)),
                token),
            cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    /// <summary>A search may go on showing a record that is deleted: one whose deletion is known counts only where it can be read.</summary>
    private async Task<List<CrmRecord>> ChangedAsync(CrmObject kind, IReadOnlyList<CrmRecord> records, CancellationToken cancellationToken)
    {
        var gone = await LinksOfAsync(kind, records, "deleted_there", cancellationToken);
        var back = await ReadAsync(kind, gone, cancellationToken);
        return [.. records.Where(r => !gone.Contains(r.Id) || back.Any(b => b.Id == r.Id))];
    }

    /// <summary>Of deleted records those that are linked. One that can still be read went into another, or is back.</summary>
    private async Task<List<CrmRecord>> DeletedAsync(CrmObject kind, IReadOnlyList<CrmRecord> records, CancellationToken cancellationToken)
    {
        var linked = await LinksOfAsync(kind, records, "active", cancellationToken);
        var found = await ReadAsync(kind, linked, cancellationToken);
        return [.. found, .. records.Where(r => linked.Contains(r.Id) && !found.Exists(f => f.Id == r.Id || f.MergedIds.Contains(r.Id)))];
    }

    private async Task<HashSet<string>> LinksOfAsync(
        CrmObject kind, IReadOnlyList<CrmRecord> records, string status, CancellationToken cancellationToken)
    {
        if (records.Count == 0)
        {
            return [];
        }

        var ids = await Context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "crm/links_of", Of(kind, ("crm_ids", records.Select(r => r.Id).ToArray()), ("status", status)), row => row.GetString(0), token),
            cancellationToken);
        return ids.ToHashSet(StringComparer.Ordinal);
    }

    private async Task<List<CrmRecord>> ReadAsync(CrmObject kind, IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        var found = new List<CrmRecord>();
        foreach (var chunk in ids.Chunk(_session.Crm.Limits.Read))
        {
            found.AddRange(await _session.Crm.ReadAsync(kind, CrmLookup.Id, chunk, cancellationToken));
        }

        return found;
    }

    /// <summary>A record as it is staged: by our field names, in one spelling.</summary>
    private JsonObject Item(CrmObject kind, CrmRecord record) => new()
    {
        ["crm_id"] = record.Id,
        ["key"] = record.Key,
        ["modified_at"] = record.ModifiedAt.ToString("O"),
        ["deleted"] = record.Deleted,
        ["merged_ids"] = new JsonArray([.. record.MergedIds.Select(id => JsonValue.Create(id))]),
        ["related_id"] = record.RelatedId,
        ["properties"] = _session.Store.ToStaged(kind, record.Id, _session.Mapping.Of(kind).Fields.Where(f => !f.Ours.OnlyNew).ToDictionary(
            f => f.Ours.Name, f => _session.Values.Normalize(kind, f, record.Properties.GetValueOrDefault(f.Theirs)), StringComparer.Ordinal)),
    };

    private async Task JudgeVolumeAsync(CrmObject kind, CancellationToken cancellationToken)
    {
        await using var connection = await Context.Database.OpenAsync(cancellationToken);
        var volume = await connection.QueryStatementAsync(
            "crm/staged_volume", Of(kind), row => (Changed: row.GetInt64(0), Deleted: row.GetInt64(1)), cancellationToken);
        var changed = _session.Sealed && volume[0].Changed > 0
            ? await _session.Store.CountChangedAsync(connection, kind, cancellationToken)
            : volume[0].Changed;
        await _session.RequireNormalAsync(connection, kind, "here", changed, volume[0].Deleted, cancellationToken);
    }

    private async Task MergeStagedAsync(CrmObject kind, CancellationToken cancellationToken)
    {
        var left = Context.MaxLeads;
        for (var after = ""; left > 0;)
        {
            var last = await Context.Database.InTransactionAsync(
                (connection, _, token) => MergeBatchAsync(connection, kind, after, Math.Min(Batch, left), token), cancellationToken);
            if (last.Records == 0)
            {
                break;
            }

            after = last.CrmId;
            left -= last.Records;
            Context.Advance(last.Records);
            foreach (var (name, count) in last.Counts)
            {
                _counts[name] += count;
            }
        }
    }

    private async Task<(string CrmId, int Records, Dictionary<string, long> Counts)> MergeBatchAsync(
        NpgsqlConnection connection, CrmObject kind, string after, long limit, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", CrmJobs.Pull.Name)], cancellationToken);
        var records = await connection.QueryStatementAsync(
            "crm/take_staged",
            Of(kind, ("after", after), ("limit", limit)),
            row => new StagedRecord(
                row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetInstant(2), row.GetBoolean(3),
                row.GetFieldValue<string[]>(4), row.IsDBNull(5) ? null : row.GetString(5),
                _session.Store.Staged(kind, row.GetString(0), row.GetString(6))),
            cancellationToken);
        if (records.Count == 0)
        {
            return (after, 0, counts);
        }

        var matches = await MatchAsync(connection, kind, records, counts, cancellationToken);
        var links = (await _session.Store.LockAsync(connection, [.. matches.Select(m => m.LinkId)], null, cancellationToken)).ToDictionary(l => l.Id);
        var facts = await _session.Store.FactsAsync(connection, kind, [.. links.Keys], cancellationToken);
        var merged = new List<(CrmLink Link, MergeResult Merge)>();
        var changes = new List<LinkChange>();
        var done = new List<string>();
        foreach (var record in records)
        {
            // A link that went away between the two statements: its lead was deleted with all that belongs to it.
            var of = matches.Where(m => m.CrmId == record.CrmId && links.ContainsKey(m.LinkId)).ToList();
            if (of.Exists(m => links[m.LinkId].Leased))
            {
                // A push is at it. It stays staged for the next run.
                Count("deferred");
                continue;
            }

            done.Add(record.CrmId);
            MergeRecord(kind, record, of.ConvertAll(m => (links[m.LinkId], m.How)), facts, changes, merged, Count);
        }

        await _session.Store.JournalAsync(connection, merged.SelectMany(m => m.Merge.Conflicts.Select(c => (m.Link, c))), Context.Run.RunId, cancellationToken);
        await _session.Store.ApplyAsync(connection, kind, merged, cancellationToken);
        // Links that give an id up before the one that takes it.
        await _session.Store.SaveAsync(connection, changes.Where(c => c.Status is "merged"), null, cancellationToken);
        await _session.Store.SaveAsync(connection, changes.Where(c => c.Status is not "merged"), null, cancellationToken);
        await connection.ExecuteStatementAsync("crm/drop_staged", Of(kind, ("crm_ids", done.ToArray())), cancellationToken);
        return (records[^1].CrmId, records.Count, counts);

        void Count(string name) => counts[name] = counts.GetValueOrDefault(name) + 1;
    }

    /// <summary>
    /// The links of records: those there are; for records nobody knew those of people with the same address; and links to leads and deals that
    /// are made for them.
    /// </summary>
    private async Task<List<Match>> MatchAsync(
        NpgsqlConnection connection, CrmObject kind, List<StagedRecord> records, Dictionary<string, long> counts, CancellationToken cancellationToken)
    {
        var matches = await connection.QueryStatementAsync(
            "crm/match_links",
            Of(kind, ("crm_ids", records.Select(r => r.CrmId).ToArray())),
            row => new Match(row.GetString(0), row.GetInt64(1), row.GetString(2)),
            cancellationToken);
        var unknown = records.Where(r => !r.Deleted && matches.TrueForAll(m => m.CrmId != r.CrmId)).ToList();
        if (unknown.Count > 0)
        {
            var erased = await connection.QueryStatementAsync(
                "crm/queue_erased",
                Of(
                    kind, ("crm_ids", unknown.ConvertAll(r => r.CrmId).ToArray()), ("keys", unknown.ConvertAll(r => r.Key).ToArray()),
                    ("emails", unknown.ConvertAll(r => r.Values.GetValueOrDefault("email")).ToArray()),
                    ("phones", unknown.ConvertAll(r => r.Values.GetValueOrDefault("phone")).ToArray())),
                row => row.GetString(0),
                cancellationToken);
            unknown.RemoveAll(r => erased.Contains(r.CrmId, StringComparer.Ordinal));
        }

        if (unknown.Count == 0)
        {
            return matches;
        }

        if (kind is CrmObject.Lead)
        {
            var people = unknown.Where(r => r.Values.GetValueOrDefault("email") is not null)
                .Select(r => new JsonObject { ["crm_id"] = r.CrmId, ["email"] = r.Values["email"] }).ToArray<JsonNode>();
            if (people.Length > 0 && _session.Mapping.Leads.Match is not null)
            {
                matches.AddRange(await LinkAsync("crm/link_people", ("items", new JsonArray(people).ToJsonString())));
            }

            var rest = unknown.Where(r => matches.TrueForAll(m => m.CrmId != r.CrmId)).Select(r => r.CrmId).ToArray();
            if (rest.Length > 0 && _session.Mapping.CreateLeads)
            {
                var made = await LinkAsync("crm/create_leads", ("crm_ids", rest));
                counts["leads_created"] = made.Count;
                matches.AddRange(made.Select(m => m with { How = "made" }));
            }
        }
        else
        {
            var related = unknown.Where(r => r.RelatedId is not null)
                .Select(r => new JsonObject { ["crm_id"] = r.CrmId, ["related_id"] = r.RelatedId }).ToArray<JsonNode>();
            if (related.Length > 0)
            {
                var linked = await connection.QueryStatementAsync(
                    "crm/link_deals",
                    [("crm", _session.Store.Crm), ("items", new JsonArray(related).ToJsonString()), ("create", _session.Mapping.CreateLeads)],
                    row => new Match(row.GetString(0), row.GetInt64(1), row.GetBoolean(2) ? "made" : "id"),
                    cancellationToken);
                counts["deals_created"] = linked.Count(m => m.How == "made");
                matches.AddRange(linked);
            }
        }

        return matches;

        Task<List<Match>> LinkAsync(string statement, (string, object?) parameter) => connection.QueryStatementAsync(
            statement, [("crm", _session.Store.Crm), parameter], row => new Match(row.GetString(0), row.GetInt64(1), "id"), cancellationToken);
    }

    private void MergeRecord(
        CrmObject kind,
        StagedRecord record,
        List<(CrmLink Link, string How)> of,
        Dictionary<long, OurFacts> facts,
        List<LinkChange> changes,
        List<(CrmLink Link, MergeResult Merge)> merged,
        Action<string> count)
    {
        // The link that has this id; else the one whose create was never answered; else the first of those that went into it.
        var (link, how) = of.OrderBy(m => m.How switch { "id" or "made" => 0, "key" => 1, _ => 2 }).ThenBy(m => m.Link.Id).FirstOrDefault();
        foreach (var (lost, _) in of.Where(m => m.How == "merged" && m.Link.Id != link!.Id))
        {
            count("merged");
            changes.Add(new LinkChange(lost.Id) { Status = "merged", MergedInto = record.CrmId, Settled = true, LookedAt = lost.Changes });
        }

        if (link is null)
        {
            count("unknown");
            return;
        }

        if (record.Deleted)
        {
            if (link.Status is "active")
            {
                count("deleted");
                changes.Add(new LinkChange(link.Id) { Status = "deleted_there", Settled = true, LookedAt = link.Changes });
            }

            return;
        }

        if (how == "merged")
        {
            count("merged");
        }

        if (!facts.TryGetValue(link.Id, out var ours) || link.Status is "deleted_here" || record.ModifiedAt < link.TheirModifiedAt)
        {
            // Deleted here, or older than what is known: what a push wrote since must not be undone.
            count("unchanged");
            return;
        }

        var map = _session.Mapping.Of(kind);
        var last = link.Base;
        if (how == "made")
        {
            // What a new row has of itself is no edit of anybody's.
            last = last with
            {
                Ours = _session.Encode(map, last, ours).Where(o => map.Fields.Any(f => f.Ours.Name == o.Key && !f.Ours.Computed))
                    .ToDictionary(StringComparer.Ordinal),
            };
        }

        var theirs = map.Fields.ToDictionary(f => f.Theirs, f => record.Values.GetValueOrDefault(f.Ours.Name), StringComparer.Ordinal);
        var merge = _session.Merger.Merge(map, last, ours.Values, theirs, link.ChangedAt, record.ModifiedAt);
        // What ours wins is journaled by the push that writes it.
        merge.Conflicts.RemoveAll(c => c.OursWins && c.Reason is not "not_usable");
        merged.Add((link, merge));
        var push = merge.ToTheirs.Count > 0;
        var changed = merge.ToOurs.Count > 0;
        count(changed ? CrmStore.Word(kind) + "s_updated" : push ? "to_push" : "unchanged");
        foreach (var _ in merge.Conflicts)
        {
            count("conflicts");
        }

        if (how == "made")
        {
            foreach (var (name, value) in last.Ours)
            {
                merge.OurBase.TryAdd(name, value);
            }
        }

        if (!push && !changed && merge.OurBase.Count + merge.TheirBase.Count == 0 && link.Base.Sending is null && link.CrmId == record.CrmId
            && link.Status is "active" && link.TheirModifiedAt == record.ModifiedAt)
        {
            // Seen before, or what we wrote ourselves.
            return;
        }

        changes.Add(new LinkChange(link.Id)
        {
            OurBase = merge.OurBase,
            TheirBase = merge.TheirBase,
            CrmId = record.CrmId,
            // Back in the CRM, or moved along with a merge.
            Status = link.Status is "active" ? null : "active",
            ModifiedAt = record.ModifiedAt,
            Settled = true,
            Written = !push && link.ProblemValues is null,
            LookedAt = push ? null : link.Changes,
            Mark = push && _session.Direction is not SyncDirection.Import,
        });
    }

    /// <summary>Reads the window that is next, and merges in memory only.</summary>
    private async Task PreviewAsync(CancellationToken cancellationToken)
    {
        foreach (var kind in (CrmObject[])[CrmObject.Lead, CrmObject.Deal])
        {
            var cursor = await CursorAsync(kind, "changes", cancellationToken);
            var from = cursor?.From > DateTimeOffset.UnixEpoch ? cursor.From - s_overlap : DateTimeOffset.UnixEpoch;
            var window = new CrmWindow(from, Milliseconds(Now));
            CrmPage page;
            string? next = null;
            do
            {
                page = await _session.Crm.ReadChangesAsync(kind, window, next, cancellationToken);
                next = page.Next;
                _counts["read"] += page.Records.Count;
                var known = await Context.Database.InTransactionAsync(
                    (connection, _, token) => connection.QueryStatementAsync(
                        "crm/known", Of(kind, ("crm_ids", page.Records.Select(r => r.Id).ToArray())),
                        row => (Id: row.GetString(0), Base: _session.Store.Document(row.GetInt64(2), "their_base", row.GetString(1))), token),
                    cancellationToken);
                foreach (var record in page.Records)
                {
                    var link = known.Find(k => k.Id == record.Id);
                    var name = link.Id is null ? "unknown" : Differs(kind, link.Base, record) ? CrmStore.Word(kind) + "s_updated" : "unchanged";
                    _counts[name]++;
                }
            }
            while (next is not null);
        }
    }

    private bool Differs(CrmObject kind, Dictionary<string, string?> theirBase, CrmRecord record) => _session.Mapping.Of(kind).Fields.Any(f =>
        !f.Ours.OnlyNew && _session.Values.Normalize(kind, f, record.Properties.GetValueOrDefault(f.Theirs)) != theirBase.GetValueOrDefault(f.Ours.Name));

    /// <summary>CRMs count in milliseconds.</summary>
    private static DateTimeOffset Milliseconds(DateTimeOffset at) => DateTimeOffset.FromUnixTimeMilliseconds(at.ToUnixTimeMilliseconds());

    private sealed record Cursor(DateTimeOffset From, DateTimeOffset? To, string? Page);

    /// <summary>A record and a link of it.</summary>
    private sealed record Match(string CrmId, long LinkId, string How);
}
