using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// Pushes the leads, or the deals: links are claimed in batches of one call's size; a record that exists in the CRM is read and merged first;
/// what is to be sent is written down before it is.
/// </summary>
internal sealed class PushRecords(PushRun run, CrmObject kind, PushPeople people)
{
    /// <summary>A record that turned out to be in the CRM already is merged with it in a second round.</summary>
    private const int Rounds = 2;

    private readonly CrmStore _store = run.Session.Store;
    private readonly ObjectMapping _map = run.Session.Mapping.Of(kind);
    private readonly PushWrites _writes = new(run, kind, people);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var left = run.Context.MaxLeads;
        for (var round = 1; round <= Rounds; round++)
        {
            var adopted = run.Counts["adopted"];
            for (var after = 0L; left > 0;)
            {
                var links = await ClaimAsync(after, Math.Min(run.Session.Crm.Limits.Write, left), cancellationToken);
                if (links.Count == 0)
                {
                    break;
                }

                after = links[^1].Id;
                left -= links.Count;
                try
                {
                    await PushAsync(links, cancellationToken);
                }
                catch
                {
                    await run.ReleaseAsync([.. links.Select(l => l.Id)]);
                    throw;
                }

                run.Context.Advance(links.Count);
            }

            if (run.Counts["adopted"] == adopted)
            {
                return;
            }
        }
    }

    private async Task<List<CrmLink>> ClaimAsync(long after, long limit, CancellationToken cancellationToken)
    {
        var links = await run.Context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "crm/claim",
                _store.Of(
                    kind, ("after", after), ("limit", limit), ("token", run.Token), ("lease", CrmJobs.Lease(run.Context.Parameters).TotalSeconds)),
                _store.Link,
                token),
            cancellationToken);
        return [.. links.OrderBy(l => l.Id)];
    }

    /// <summary>One batch.</summary>
    private async Task PushAsync(List<CrmLink> links, CancellationToken cancellationToken)
    {
        await DeleteAsync([.. links.Where(l => l.Status is "deleted_here")], cancellationToken);
        links = await WithoutUnchangedAsync([.. links.Where(l => l.Status is "active")], cancellationToken);
        if (links.Count == 0)
        {
            return;
        }

        var theirs = await ReadTheirsAsync(links, cancellationToken);
        var (writes, counts) = await run.Context.Database.InTransactionAsync(
            (connection, _, token) => PrepareAsync(connection, links, theirs, token), cancellationToken);
        foreach (var (name, count) in counts)
        {
            run.Counts[name] += count;
        }

        if (writes.Count > 0)
        {
            await _writes.WriteAsync(writes, cancellationToken);
        }
    }

    /// <summary>Halves where the CRM does not delete some; such a one is left there.</summary>
    private async Task DeleteAsync(List<CrmLink> links, CancellationToken cancellationToken)
    {
        if (links.Count == 0)
        {
            return;
        }

        if (run.Session.Mapping.ArchiveTheirs)
        {
            try
            {
                run.Counts["write_calls"]++;
                await run.Session.Crm.DeleteAsync(kind, [.. links.Select(l => l.CrmId!)], cancellationToken);
                run.Counts["deleted"] += links.Count;
            }
            catch (CrmBatchRefusedException) when (links.Count > 1)
            {
                await DeleteAsync(links[..(links.Count / 2)], cancellationToken);
                await DeleteAsync(links[(links.Count / 2)..], cancellationToken);
                return;
            }
            catch (CrmBatchRefusedException)
            {
                run.Counts["failed"]++;
            }
        }

        await run.SaveAsync(links.Select(l => LinkChange.Done(l) with { Settled = true }));
    }

    /// <summary>
    /// Sets aside what differs in no field from what both sides agreed on, and what the CRM refused with these very values: no call is made
    /// for either.
    /// </summary>
    private async Task<List<CrmLink>> WithoutUnchangedAsync(List<CrmLink> links, CancellationToken cancellationToken)
    {
        if (links.Count == 0)
        {
            return links;
        }

        var idle = new List<CrmLink>();
        await using (var connection = await run.Context.Database.OpenAsync(cancellationToken))
        {
            var facts = await _store.FactsAsync(connection, kind, [.. links.Select(l => l.Id)], cancellationToken);
            idle.AddRange(links.Where(l =>
                !facts.TryGetValue(l.Id, out var ours)
                || (l.CrmId is not null && l.Base.Sending is null && run.Session.Changed(_map, l, ours).Count == 0)
                || (l.ProblemValues is { } refused && Same(refused, run.Session.Encode(_map, l.Base, ours)))));
        }

        if (idle.Count > 0)
        {
            await run.SaveAsync(idle.Select(LinkChange.Done));
            run.Counts["unchanged"] += idle.Count;
        }

        return [.. links.Except(idle)];
    }

    /// <summary>
    /// The records as the CRM has them, by link: of those with an id, and of those whose create was never answered. A record that is new to
    /// both costs no call.
    /// </summary>
    private async Task<Dictionary<long, CrmRecord>> ReadTheirsAsync(List<CrmLink> links, CancellationToken cancellationToken)
    {
        var found = new Dictionary<long, CrmRecord>();
        var known = links.Where(l => l.CrmId is not null).ToList();
        if (known.Count > 0)
        {
            var byId = new Dictionary<string, CrmRecord>(StringComparer.Ordinal);
            foreach (var record in await run.Session.Crm.ReadAsync(kind, CrmLookup.Id, [.. known.Select(l => l.CrmId!)], cancellationToken))
            {
                foreach (var id in record.MergedIds.Prepend(record.Id))
                {
                    byId.TryAdd(id, record);
                }
            }

            foreach (var link in known.Where(l => byId.ContainsKey(l.CrmId!)))
            {
                found[link.Id] = byId[link.CrmId!];
            }
        }

        var inDoubt = links.Where(l => l.CrmId is null && l.Base.Sending is not null).ToList();
        if (inDoubt.Count > 0)
        {
            var byKey = (await run.Session.Crm.ReadAsync(kind, CrmLookup.Key, [.. inDoubt.Select(l => l.Key)], cancellationToken))
                .Where(r => r.Key is not null).GroupBy(r => r.Key!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
            foreach (var link in inDoubt.Where(l => byKey.ContainsKey(l.Key)))
            {
                found[link.Id] = byKey[link.Key];
            }
        }

        return found;
    }

    /// <summary>Merges, takes over what theirs wins, and writes down what is to be sent. What needs no call is done with.</summary>
    private async Task<(List<PushWrite> Writes, Dictionary<string, long> Counts)> PrepareAsync(
        NpgsqlConnection connection, List<CrmLink> claimed, Dictionary<long, CrmRecord> theirs, CancellationToken cancellationToken)
    {
        var ids = claimed.Select(l => l.Id).ToArray();
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", CrmJobs.Push.Name)], cancellationToken);
        // Before the links, as a pull locks them.
        await connection.ExecuteStatementAsync(
            "crm/drop_seen",
            _store.Of(kind, ("crm_ids", theirs.Values.Select(r => r.Id).ToArray()), ("modified", theirs.Values.Select(r => r.ModifiedAt).ToArray())),
            cancellationToken);
        var links = await _store.LockAsync(connection, ids, run.Token, cancellationToken);
        var facts = await _store.FactsAsync(connection, kind, ids, cancellationToken);
        var holders = await _store.HoldersAsync(connection, kind, theirs.Values, cancellationToken);
        var changes = new List<LinkChange>();
        var merged = new List<(CrmLink Link, MergeResult Merge)>();
        var writes = new List<PushWrite>();
        long gone = 0, unmapped = 0;
        foreach (var link in links)
        {
            var record = theirs.GetValueOrDefault(link.Id);
            if (!facts.TryGetValue(link.Id, out var ours) || link.Status is not "active")
            {
                // Deleted here meanwhile; the next run sees to it.
                changes.Add(new LinkChange(link.Id) { Release = true });
                continue;
            }

            if (record is null && link.CrmId is not null)
            {
                gone++;
                changes.Add(LinkChange.Done(link) with { Status = "deleted_there", Settled = true });
                continue;
            }

            if (record is not null && record.Id != link.CrmId && !holders.Add(record.Id))
            {
                changes.Add(LinkChange.Done(link) with { Status = "merged", MergedInto = record.Id, Settled = true });
                continue;
            }

            var merge = run.Session.Merger.Merge(
                _map, link.Base, ours.Values, record?.Properties, link.ChangedAt, record?.ModifiedAt ?? DateTimeOffset.UnixEpoch);
            merged.Add((link, merge));
            var change = LinkChange.Done(link) with
            {
                OurBase = merge.OurBase,
                TheirBase = merge.TheirBase,
                CrmId = record?.Id,
                ModifiedAt = record?.ModifiedAt,
                Settled = true,
                Written = merge.Arrived,
            };
            if (merge.ToTheirs.Count > 0 || record is null)
            {
                writes.Add(new PushWrite(link, record?.Id, merge.ToTheirs, run.Session.Encode(_map, link.Base, ours), ours.LeadCrmId));
                change = change with { Settled = false, Sending = merge.ToTheirs, LookedAt = null, Release = false };
            }

            changes.Add(change);
            unmapped += merge.Unmapped;
        }

        await _store.JournalAsync(connection, merged.SelectMany(m => m.Merge.Conflicts.Select(c => (m.Link, c))), run.Context.Run.RunId, cancellationToken);
        await _store.ApplyAsync(connection, kind, merged, cancellationToken);
        await _store.SaveAsync(connection, changes, run.Token, cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["gone"] = gone,
            ["unmapped"] = unmapped,
            ["conflicts"] = merged.Sum(m => m.Merge.Conflicts.Count),
            ["taken_over"] = merged.Count(m => m.Merge.ToOurs.Count > 0),
            ["unchanged"] = merged.Count(m => m.Merge.ToTheirs.Count + m.Merge.ToOurs.Count == 0 && writes.TrueForAll(w => w.Link.Id != m.Link.Id)),
        };
        return (writes, counts);
    }

    private static bool Same(IReadOnlyDictionary<string, string?> a, IReadOnlyDictionary<string, string?> b) =>
        a.Keys.Union(b.Keys, StringComparer.Ordinal).All(name => a.GetValueOrDefault(name) == b.GetValueOrDefault(name));
}
