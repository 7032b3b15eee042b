using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>Merges what was staged, batch by batch: finds or makes the links of its records, and takes over what changed there.</summary>
internal sealed class PullMerge(CrmSession session, CrmObject kind, Dictionary<string, long> totals)
{
    /// <summary>Records merged in one transaction.</summary>
    private const int Batch = 500;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var left = session.Context.MaxLeads;
        for (var after = ""; left > 0;)
        {
            var last = await session.Context.Database.InTransactionAsync(
                (connection, _, token) => MergeBatchAsync(connection, after, Math.Min(Batch, left), token), cancellationToken);
            if (last.Records == 0)
            {
                break;
            }

            after = last.CrmId;
            left -= last.Records;
            session.Context.Advance(last.Records);
            foreach (var (name, count) in last.Counts)
            {
                totals[name] += count;
            }
        }
    }

    private async Task<(string CrmId, int Records, Dictionary<string, long> Counts)> MergeBatchAsync(
        NpgsqlConnection connection, string after, long limit, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", CrmJobs.Pull.Name)], cancellationToken);
        var records = await connection.QueryStatementAsync(
            "crm/take_staged",
            session.Store.Of(kind, ("after", after), ("limit", limit)),
            row => new StagedRecord(
                row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetInstant(2), row.GetBoolean(3),
                row.GetFieldValue<string[]>(4), row.IsDBNull(5) ? null : row.GetString(5),
                session.Store.Staged(kind, row.GetString(0), row.GetString(6))),
            cancellationToken);
        if (records.Count == 0)
        {
            return (after, 0, counts);
        }

        var matches = await MatchAsync(connection, records, counts, cancellationToken);
        var links = (await session.Store.LockAsync(connection, [.. matches.Select(m => m.LinkId)], null, cancellationToken)).ToDictionary(l => l.Id);
        var facts = await session.Store.FactsAsync(connection, kind, [.. links.Keys], cancellationToken);
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
            MergeRecord(record, of.ConvertAll(m => (links[m.LinkId], m.How)), facts, changes, merged, Count);
        }

        await session.Store.JournalAsync(connection, merged.SelectMany(m => m.Merge.Conflicts.Select(c => (m.Link, c))), session.Context.Run.RunId, cancellationToken);
        await session.Store.ApplyAsync(connection, kind, merged, cancellationToken);
        // Links that give an id up before the one that takes it.
        await session.Store.SaveAsync(connection, changes.Where(c => c.Status is "merged"), null, cancellationToken);
        await session.Store.SaveAsync(connection, changes.Where(c => c.Status is not "merged"), null, cancellationToken);
        await connection.ExecuteStatementAsync("crm/drop_staged", session.Store.Of(kind, ("crm_ids", done.ToArray())), cancellationToken);
        return (records[^1].CrmId, records.Count, counts);

        void Count(string name) => counts[name] = counts.GetValueOrDefault(name) + 1;
    }

    /// <summary>
    /// The links of records: those there are; for records nobody knew those of people with the same address; and links to leads and deals that
    /// are made for them.
    /// </summary>
    private async Task<List<Match>> MatchAsync(
        NpgsqlConnection connection, List<StagedRecord> records, Dictionary<string, long> counts, CancellationToken cancellationToken)
    {
        var matches = await connection.QueryStatementAsync(
            "crm/match_links",
            session.Store.Of(kind, ("crm_ids", records.Select(r => r.CrmId).ToArray())),
            row => new Match(row.GetString(0), row.GetInt64(1), row.GetString(2)),
            cancellationToken);
        var unknown = records.Where(r => !r.Deleted && matches.TrueForAll(m => m.CrmId != r.CrmId)).ToList();
        if (unknown.Count > 0)
        {
            var erased = await connection.QueryStatementAsync(
                "crm/queue_erased",
                session.Store.Of(
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
            if (people.Length > 0 && session.Mapping.Leads.Match is not null)
            {
                matches.AddRange(await LinkAsync("crm/link_people", ("items", new JsonArray(people).ToJsonString())));
            }

            var rest = unknown.Where(r => matches.TrueForAll(m => m.CrmId != r.CrmId)).Select(r => r.CrmId).ToArray();
            if (rest.Length > 0 && session.Mapping.CreateLeads)
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
                    [("crm", session.Store.Crm), ("items", new JsonArray(related).ToJsonString()), ("create", session.Mapping.CreateLeads)],
                    row => new Match(row.GetString(0), row.GetInt64(1), row.GetBoolean(2) ? "made" : "id"),
                    cancellationToken);
                counts["deals_created"] = linked.Count(m => m.How == "made");
                matches.AddRange(linked);
            }
        }

        return matches;

        Task<List<Match>> LinkAsync(string statement, (string, object?) parameter) => connection.QueryStatementAsync(
            statement, [("crm", session.Store.Crm), parameter], row => new Match(row.GetString(0), row.GetInt64(1), "id"), cancellationToken);
    }

    private void MergeRecord(
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

        var map = session.Mapping.Of(kind);
        var last = link.Base;
        if (how == "made")
        {
            // What a new row has of itself is no edit of anybody's.
            last = last with
            {
                Ours = session.Encode(map, last, ours).Where(o => map.Fields.Any(f => f.Ours.Name == o.Key && !f.Ours.Computed))
                    .ToDictionary(StringComparer.Ordinal),
            };
        }

        var theirs = map.Fields.ToDictionary(f => f.Theirs, f => record.Values.GetValueOrDefault(f.Ours.Name), StringComparer.Ordinal);
        var merge = session.Merger.Merge(map, last, ours.Values, theirs, link.ChangedAt, record.ModifiedAt);
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
            Mark = push && session.Direction is not SyncDirection.Import,
        });
    }

    /// <summary>A record and a link of it.</summary>
    private sealed record Match(string CrmId, long LinkId, string How);
}
