using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// <c>crm push</c>: what changed here goes to the CRM. Links are claimed in batches of one call's size; a record that exists there is read and
/// merged first; what is to be sent is written down before it is, and what became of it after.
/// </summary>
internal sealed partial class PushCrm
{
    /// <summary>Changes listed in one transaction.</summary>
    private const int Chunk = 5_000;

    /// <summary>A record that turned out to be in the CRM already is merged with it in a second round.</summary>
    private const int Rounds = 2;

    private readonly CrmSession _session;
    private readonly Guid _token;
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal)
    {
        ["leads_created"] = 0,
        ["leads_updated"] = 0,
        ["deals_created"] = 0,
        ["deals_updated"] = 0,
        ["deleted"] = 0,
        ["erased"] = 0,
        ["taken_over"] = 0,
        ["unchanged"] = 0,
        ["conflicts"] = 0,
        ["failed"] = 0,
        ["adopted"] = 0,
        ["gone"] = 0,
        ["unmapped"] = 0,
        ["write_calls"] = 0,
        ["calls"] = 0,
    };

    private PushCrm(CrmSession session)
    {
        _session = session;
        _token = Guid.CreateVersion7(session.Context.Time.GetUtcNow());
    }

    private JobContext Context => _session.Context;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var import = CrmJobs.DirectionOf(context.Parameters) is SyncDirection.Import;
        if (import && (context.DryRun || !await CrmErasures.AnyAsync(context, cancellationToken)))
        {
            context.Log.Information("{Parameter:l} is import: nothing is written to the CRM", CrmJobs.Direction.Name);
            return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)) { NothingToDo = true };
        }

        await RestoreHold.RequireReleasedAsync(context.Database, cancellationToken);
        await using var session = await CrmSession.OpenAsync(context, cancellationToken);
        var push = new PushCrm(session);
        JobException? failure = null;
        try
        {
            // Before anything else, and whatever the direction: a person's right is no matter of synchronising.
            var refused = context.DryRun ? null : await new CrmErasures(session, push._token).RunAsync(n => push._counts["erased"] += n, cancellationToken);
            if (!import)
            {
                await push.RunAsync(cancellationToken);
            }

            failure = refused;
        }
        catch (JobException exception) when (exception.ExitCode is not ExitCode.Usage)
        {
            // What is done is done and told; the next run goes on.
            failure = exception;
        }

        push._counts["calls"] = session.Calls;
        return new JobResult(push._counts)
        {
            NothingToDo = failure is null && push._counts.All(c => c.Key is "calls" or "unchanged" || c.Value == 0),
            Failure = failure,
        };
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Context.DryRun)
        {
            // Everything is listed and judged, and then rolled back.
            await using var connection = await Context.Database.OpenAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await UseAsync(connection, cancellationToken);
            while (await ListAsync(connection, cancellationToken))
            {
                // The next chunk.
            }

            await JudgeVolumeAsync(connection, count: true, cancellationToken);
            return;
        }

        await Context.Database.InTransactionAsync((c, _, token) => UseAsync(c, token), cancellationToken);
        while (await Context.Database.InTransactionAsync((c, _, token) => ListAsync(c, token), cancellationToken))
        {
            // The next chunk.
        }

        await using (var connection = await Context.Database.OpenAsync(cancellationToken))
        {
            await JudgeVolumeAsync(connection, count: false, cancellationToken);
        }

        await FindPeopleAsync(cancellationToken);
        foreach (var kind in (CrmObject[])[CrmObject.Lead, CrmObject.Deal])
        {
            await PushAsync(kind, cancellationToken);
        }

        await RelateAsync(cancellationToken);
    }

    /// <summary>Where this CRM is new or was not used for long, everything is looked at.</summary>
    private async Task UseAsync(Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        (string, object?) crm = ("crm", _session.Store.Crm);
        await connection.ExecuteStatementAsync("crm/lock_crm", [crm], cancellationToken);
        if (!await connection.ScalarStatementAsync<bool>("crm/state", [crm], cancellationToken))
        {
            if (!Context.DryRun)
            {
                await connection.ExecuteStatementAsync("crm/lock_sources", [], cancellationToken);
            }

            await connection.ExecuteStatementAsync("crm/list_all", [crm], cancellationToken);
        }

        await connection.ExecuteStatementAsync("crm/use", [crm, ("in_use", true), ("as_of", Context.AsOf)], cancellationToken);
        if (_session.Mapping.Leads.Fields.Concat(_session.Mapping.Deals.Fields).Any(f => f.Ours.Name is "score" or "priority"))
        {
            await connection.ExecuteStatementAsync("crm/list_scores", [crm, ("as_of", Context.AsOf)], cancellationToken);
        }
    }

    /// <summary>A chunk of listed changes becomes links; false: none were left.</summary>
    private async Task<bool> ListAsync(Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("crm/lock_crm", [("crm", _session.Store.Crm)], cancellationToken);
        return await connection.ScalarStatementAsync<long>(
            "crm/take_changes", [("crm", _session.Store.Crm), ("limit", Chunk), ("all_leads", _session.Mapping.AllLeads)], cancellationToken) > 0;
    }

    /// <summary>Counts what the run would write before it writes anything.</summary>
    private async Task JudgeVolumeAsync(Npgsql.NpgsqlConnection connection, bool count, CancellationToken cancellationToken)
    {
        foreach (var kind in (CrmObject[])[CrmObject.Lead, CrmObject.Deal])
        {
            var map = _session.Mapping.Of(kind);
            var computed = map.Fields.Where(f => f.Ours.Computed).Select(f => f.Ours.Name).ToHashSet(StringComparer.Ordinal);
            long created = 0, updated = 0, deleted = 0, changed = 0, unmapped = 0;
            for (var after = 0L; ;)
            {
                var links = await connection.QueryStatementAsync(
                    "crm/pending_page",
                    [("crm", _session.Store.Crm), ("object", CrmStore.Word(kind)), ("after", after), ("limit", Chunk)],
                    _session.Store.Link,
                    cancellationToken);
                if (links.Count == 0)
                {
                    break;
                }

                after = links[^1].Id;
                var facts = await _session.Store.FactsAsync(connection, kind, [.. links.Select(l => l.Id)], cancellationToken);
                foreach (var link in links)
                {
                    if (link.Status is "deleted_here")
                    {
                        deleted += link.CrmId is null || !_session.Mapping.ArchiveTheirs ? 0 : 1;
                    }
                    else if (facts.TryGetValue(link.Id, out var ours))
                    {
                        var fields = Changed(map, link, ours);
                        unmapped += count ? map.Fields.Count(f => !_session.Values.TryEncode(kind, f, ours.Values.GetValueOrDefault(f.Ours.Name), out _)) : 0;
                        created += link.CrmId is null ? 1 : 0;
                        updated += link.CrmId is not null && fields.Count > 0 ? 1 : 0;
                        changed += link.CrmId is not null && fields.Any(f => !computed.Contains(f)) ? 1 : 0;
                    }
                }
            }

            await _session.RequireNormalAsync(connection, kind, "in the CRM", changed, deleted, cancellationToken);
            if (count)
            {
                _counts[Name(kind, "created")] = created;
                _counts[Name(kind, "updated")] = updated;
                _counts["deleted"] += deleted;
                _counts["unmapped"] += unmapped;
            }
        }
    }

    private async Task PushAsync(CrmObject kind, CancellationToken cancellationToken)
    {
        var left = Context.MaxLeads;
        for (var round = 1; round <= Rounds; round++)
        {
            var adopted = _counts["adopted"];
            for (var after = 0L; left > 0;)
            {
                var links = await ClaimAsync(kind, after, Math.Min(_session.Crm.Limits.Write, left), cancellationToken);
                if (links.Count == 0)
                {
                    break;
                }

                after = links[^1].Id;
                left -= links.Count;
                try
                {
                    await PushAsync(kind, links, cancellationToken);
                }
                catch
                {
                    await ReleaseAsync([.. links.Select(l => l.Id)]);
                    throw;
                }

                Context.Advance(links.Count);
            }

            if (_counts["adopted"] == adopted)
            {
                return;
            }
        }
    }

    private async Task<List<CrmLink>> ClaimAsync(CrmObject kind, long after, long limit, CancellationToken cancellationToken)
    {
        var links = await Context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "crm/claim",
                [
                    ("crm", _session.Store.Crm), ("object", CrmStore.Word(kind)), ("after", after), ("limit", limit), ("token", _token),
                    ("lease", CrmJobs.Lease(Context.Parameters).TotalSeconds),
                ],
                _session.Store.Link,
                token),
            cancellationToken);
        return [.. links.OrderBy(l => l.Id)];
    }

    /// <summary>One batch.</summary>
    private async Task PushAsync(CrmObject kind, List<CrmLink> links, CancellationToken cancellationToken)
    {
        await DeleteAsync(kind, [.. links.Where(l => l.Status is "deleted_here")], cancellationToken);
        links = await WithoutUnchangedAsync(kind, [.. links.Where(l => l.Status is "active")], cancellationToken);
        if (links.Count == 0)
        {
            return;
        }

        var theirs = await ReadTheirsAsync(kind, links, cancellationToken);
        var writes = await Context.Database.InTransactionAsync(
            (connection, _, token) => PrepareAsync(connection, kind, links, theirs, token), cancellationToken);
        if (writes.Count > 0)
        {
            await WriteAsync(kind, writes, cancellationToken);
        }
    }

    /// <summary>Halves where the CRM does not delete some; such a one is left there.</summary>
    private async Task DeleteAsync(CrmObject kind, List<CrmLink> links, CancellationToken cancellationToken)
    {
        if (links.Count == 0)
        {
            return;
        }

        if (_session.Mapping.ArchiveTheirs)
        {
            try
            {
                _counts["write_calls"]++;
                await _session.Crm.DeleteAsync(kind, [.. links.Select(l => l.CrmId!)], cancellationToken);
                _counts["deleted"] += links.Count;
            }
            catch (CrmBatchRefusedException) when (links.Count > 1)
            {
                await DeleteAsync(kind, links[..(links.Count / 2)], cancellationToken);
                await DeleteAsync(kind, links[(links.Count / 2)..], cancellationToken);
                return;
            }
            catch (CrmBatchRefusedException)
            {
                _counts["failed"]++;
            }
        }

        await SaveAsync(links.Select(l => Done(l) with { Settled = true }), cancellationToken);
    }

    /// <summary>
    /// Sets aside what differs in no field from what both sides agreed on, and what the CRM refused with these very values: no call is made
    /// for either.
    /// </summary>
    private async Task<List<CrmLink>> WithoutUnchangedAsync(CrmObject kind, List<CrmLink> links, CancellationToken cancellationToken)
    {
        if (links.Count == 0)
        {
            return links;
        }

        var map = _session.Mapping.Of(kind);
        var idle = new List<CrmLink>();
        await using (var connection = await Context.Database.OpenAsync(cancellationToken))
        {
            var facts = await _session.Store.FactsAsync(connection, kind, [.. links.Select(l => l.Id)], cancellationToken);
            idle.AddRange(links.Where(l =>
                !facts.TryGetValue(l.Id, out var ours)
                || (l.CrmId is not null && l.Base.Sending is null && Changed(map, l, ours).Count == 0)
                || (l.ProblemValues is { } refused && Same(refused, _session.Encode(map, l.Base, ours)))));
        }

        if (idle.Count > 0)
        {
            await SaveAsync(idle.Select(Done), cancellationToken);
            _counts["unchanged"] += idle.Count;
        }

        return [.. links.Except(idle)];
    }

    /// <summary>
    /// The records as the CRM has them, by link: of those with an id, and of those whose create was never answered. A record that is new to
    /// both costs no call.
    /// </summary>
    private async Task<Dictionary<long, CrmRecord>> ReadTheirsAsync(CrmObject kind, List<CrmLink> links, CancellationToken cancellationToken)
    {
        var found = new Dictionary<long, CrmRecord>();
        var known = links.Where(l => l.CrmId is not null).ToList();
        if (known.Count > 0)
        {
            var byId = new Dictionary<string, CrmRecord>(StringComparer.Ordinal);
            foreach (var record in await _session.Crm.ReadAsync(kind, CrmLookup.Id, [.. known.Select(l => l.CrmId!)], cancellationToken))
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
            var byKey = (await _session.Crm.ReadAsync(kind, CrmLookup.Key, [.. inDoubt.Select(l => l.Key)], cancellationToken))
                .Where(r => r.Key is not null).GroupBy(r => r.Key!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
            foreach (var link in inDoubt.Where(l => byKey.ContainsKey(l.Key)))
            {
                found[link.Id] = byKey[link.Key];
            }
        }

        return found;
    }

    /// <summary>Merges, takes over what theirs wins, and writes down what is to be sent. What needs no call is done with.</summary>
    private async Task<List<Write>> PrepareAsync(
        Npgsql.NpgsqlConnection connection, CrmObject kind, List<CrmLink> claimed, Dictionary<long, CrmRecord> theirs, CancellationToken cancellationToken)
    {
        var map = _session.Mapping.Of(kind);
        var ids = claimed.Select(l => l.Id).ToArray();
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", CrmJobs.Push.Name)], cancellationToken);
        // Before the links, as a pull locks them.
        await connection.ExecuteStatementAsync(
            "crm/drop_seen",
            [
                ("crm", _session.Store.Crm), ("object", CrmStore.Word(kind)), ("crm_ids", theirs.Values.Select(r => r.Id).ToArray()),
                ("modified", theirs.Values.Select(r => r.ModifiedAt).ToArray()),
            ],
            cancellationToken);
        var links = await _session.Store.LockAsync(connection, ids, _token, cancellationToken);
        var facts = await _session.Store.FactsAsync(connection, kind, ids, cancellationToken);
        var holders = (await connection.QueryStatementAsync(
            "crm/holders",
            [("crm", _session.Store.Crm), ("object", CrmStore.Word(kind)), ("crm_ids", theirs.Values.Select(r => r.Id).ToArray())],
            row => row.GetString(0),
            cancellationToken)).ToHashSet(StringComparer.Ordinal);
        var changes = new List<LinkChange>();
        var merged = new List<(CrmLink Link, MergeResult Merge)>();
        var writes = new List<Write>();
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
                _counts["gone"]++;
                changes.Add(Done(link) with { Status = "deleted_there", Settled = true });
                continue;
            }

            if (record is not null && record.Id != link.CrmId && !holders.Add(record.Id))
            {
                changes.Add(Done(link) with { Status = "merged", MergedInto = record.Id, Settled = true });
                continue;
            }

            var merge = _session.Merger.Merge(
                map, link.Base, ours.Values, record?.Properties, link.ChangedAt, record?.ModifiedAt ?? DateTimeOffset.UnixEpoch);
            merged.Add((link, merge));
            var change = Done(link) with
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
                writes.Add(new Write(link, record?.Id, merge.ToTheirs, _session.Encode(map, link.Base, ours), ours.LeadCrmId));
                change = change with { Settled = false, Sending = merge.ToTheirs, LookedAt = null, Release = false };
            }

            changes.Add(change);
            _counts["unmapped"] += merge.Unmapped;
        }

        await _session.Store.JournalAsync(connection, merged.SelectMany(m => m.Merge.Conflicts.Select(c => (m.Link, c))), Context.Run.RunId, cancellationToken);
        await _session.Store.ApplyAsync(connection, kind, merged, cancellationToken);
        await _session.Store.SaveAsync(connection, changes, _token, cancellationToken);
        _counts["conflicts"] += merged.Sum(m => m.Merge.Conflicts.Count);
        _counts["taken_over"] += merged.Count(m => m.Merge.ToOurs.Count > 0);
        _counts["unchanged"] += merged.Count(m => m.Merge.ToTheirs.Count + m.Merge.ToOurs.Count == 0 && writes.TrueForAll(w => w.Link.Id != m.Link.Id));
        return writes;
    }

    /// <summary>Sends, halves where the CRM refuses the whole because of one, and records what became of each.</summary>
    private async Task WriteAsync(CrmObject kind, List<Write> writes, CancellationToken cancellationToken)
    {
        var map = _session.Mapping.Of(kind);
        var theirName = map.Fields.ToDictionary(f => f.Ours.Name, f => f.Theirs, StringComparer.Ordinal);
        IReadOnlyList<CrmOutcome> outcomes;
        try
        {
            _counts["write_calls"]++;
            outcomes = await _session.Crm.WriteAsync(
                kind,
                [
                    .. writes.Select(w => new CrmWrite(
                        w.Link.Key,
                        w.CrmId,
                        w.Values.Select(v => KeyValuePair.Create(theirName[v.Key], v.Value))
                            .Concat(w.CrmId is null ? map.Constants.Select(c => KeyValuePair.Create(c.Key, (string?)c.Value)) : [])
                            .Where(v => v.Value is not null || w.CrmId is not null)
                            .DistinctBy(v => v.Key)
                            .ToDictionary(StringComparer.Ordinal),
                        w.LeadCrmId)),
                ],
                cancellationToken);
        }
        catch (CrmBatchRefusedException) when (writes.Count > 1)
        {
            await WriteAsync(kind, writes[..(writes.Count / 2)], cancellationToken);
            await WriteAsync(kind, writes[(writes.Count / 2)..], cancellationToken);
            return;
        }
        catch (CrmBatchRefusedException refused)
        {
            outcomes = [new CrmOutcome(CrmOutcomeKind.Refused, null, refused.Message)];
        }

        var adopted = await AdoptAsync(kind, writes, outcomes, cancellationToken);
        await SaveAsync(writes.Select((w, i) => Record(map, w, outcomes[i], adopted)), cancellationToken);
        foreach (var (write, outcome) in writes.Zip(outcomes))
        {
            var count = outcome.Kind switch
            {
                CrmOutcomeKind.Written => Name(kind, write.CrmId is null ? "created" : "updated"),
                CrmOutcomeKind.Gone => "gone",
                CrmOutcomeKind.Duplicate when adopted.ContainsKey(write.Link.Id) => "adopted",
                _ => "failed",
            };
            _counts[count]++;
        }
    }

    private LinkChange Record(ObjectMapping map, Write write, CrmOutcome outcome, Dictionary<long, string> adopted)
    {
        var released = new LinkChange(write.Link.Id) { Settled = true, Release = true };
        switch (outcome.Kind)
        {
            case CrmOutcomeKind.Written:
                var record = outcome.Record!;
                return released with
                {
                    Written = true,
                    CrmId = record.Id,
                    ModifiedAt = record.ModifiedAt,
                    OurBase = write.CrmId is null ? write.AllOurs : write.Values,
                    TheirBase = (write.CrmId is null ? map.Fields.Where(f => !f.Ours.OnlyNew) : map.Fields.Where(f => write.Values.ContainsKey(f.Ours.Name))).ToDictionary(
                        f => f.Ours.Name,
                        f => record.Properties.TryGetValue(f.Theirs, out var told)
                            ? _session.Values.Normalize(map.Kind, f, told)
                            : write.Values.GetValueOrDefault(f.Ours.Name) ?? _session.Values.Empty(map.Kind, f),
                        StringComparer.Ordinal),
                    LookedAt = write.Link.Changes,
                };
            case CrmOutcomeKind.Gone:
                return released with { Status = "deleted_there", LookedAt = write.Link.Changes };
            case CrmOutcomeKind.Later:
                return released;
            case CrmOutcomeKind.Duplicate when adopted.TryGetValue(write.Link.Id, out var id):
                return released with { CrmId = id };
            default:
                return released with
                {
                    Problem = CrmSession.Masked(outcome.Reason, write.AllOurs),
                    ProblemValues = write.AllOurs,
                    LookedAt = write.Link.Changes,
                };
        }
    }

    private async Task RelateAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var pairs = await Context.Database.InTransactionAsync(
                (connection, _, token) => connection.QueryStatementAsync(
                    "crm/unrelated",
                    [
                        ("crm", _session.Store.Crm), ("limit", _session.Crm.Limits.Relate), ("token", _token),
                        // It may take several calls.
                        ("lease", 3 * CrmJobs.Lease(Context.Parameters).TotalSeconds),
                    ],
                    row => (Id: row.GetInt64(0), DealId: row.GetString(1), LeadId: row.GetString(2)),
                    token),
                cancellationToken);
            if (pairs.Count == 0)
            {
                return;
            }

            var ids = pairs.Select(p => p.Id).ToArray();
            try
            {
                _counts["write_calls"]++;
                await _session.Crm.RelateAsync([.. pairs.Select(p => (p.DealId, p.LeadId))], cancellationToken);
            }
            catch
            {
                await ReleaseAsync(ids);
                throw;
            }

            await Context.Database.ExecuteAsync(
                "crm/related", [("ids", ids), ("lead_crm_ids", pairs.Select(p => p.LeadId).ToArray()), ("token", _token)], cancellationToken);
        }
    }

    private Task<int> ReleaseAsync(long[] ids) =>
        Context.Database.ExecuteAsync("crm/release", [("token", _token), ("ids", ids)], CancellationToken.None);

    /// <summary>Fields in which our side is not what it was when both were in step.</summary>
    private List<string> Changed(ObjectMapping map, CrmLink link, OurFacts ours)
    {
        var now = _session.Encode(map, link.Base, ours);
        return [.. map.Fields.Where(f => !f.Ours.OnlyNew).Select(f => f.Ours.Name).Where(name => now[name] != link.Base.Ours.GetValueOrDefault(name))];
    }

    private static bool Same(IReadOnlyDictionary<string, string?> a, IReadOnlyDictionary<string, string?> b) =>
        a.Keys.Union(b.Keys, StringComparer.Ordinal).All(name => a.GetValueOrDefault(name) == b.GetValueOrDefault(name));

    /// <summary>This run has looked at it and lets go of it.</summary>
    private static LinkChange Done(CrmLink link) => new(link.Id) { LookedAt = link.Changes, Release = true };

    private Task SaveAsync(IEnumerable<LinkChange> changes, CancellationToken cancellationToken)
    {
        List<LinkChange> all = [.. changes];
        // Once a call is answered its outcome is recorded, also where the run is asked to stop.
        return Context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await _session.Store.LockAsync(connection, [.. all.Select(c => c.Id)], _token, token);
                await _session.Store.SaveAsync(connection, all, _token, token);
            },
            CancellationToken.None);
    }

    private static string Name(CrmObject kind, string what) => $"{CrmStore.Word(kind)}s_{what}";

    /// <summary>A record to send.</summary>
    /// <param name="Link">As it was locked.</param>
    /// <param name="CrmId">Null: it is created.</param>
    /// <param name="Values">By our field, as the CRM writes them.</param>
    /// <param name="AllOurs">All of our values.</param>
    /// <param name="LeadCrmId">The CRM's lead that a deal belongs to.</param>
    private sealed record Write(CrmLink Link, string? CrmId, IReadOnlyDictionary<string, string?> Values, IReadOnlyDictionary<string, string?> AllOurs, string? LeadCrmId);
}
