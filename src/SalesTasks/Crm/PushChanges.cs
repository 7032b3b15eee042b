using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>What a push would write: listed changes become links, and all of it is judged before anything is written.</summary>
internal sealed class PushChanges(PushRun run)
{
    /// <summary>Changes listed, or links judged, at a time.</summary>
    private const int Chunk = 5_000;

    /// <exception cref="JobException">64: the run would change an abnormal share of the CRM's records.</exception>
    public async Task ListAsync(CancellationToken cancellationToken)
    {
        await run.Context.Database.InTransactionAsync((c, _, token) => UseAsync(c, token), cancellationToken);
        while (await run.Context.Database.InTransactionAsync((c, _, token) => ListAsync(c, token), cancellationToken))
        {
            // The next chunk.
        }

        await using var connection = await run.Context.Database.OpenAsync(cancellationToken);
        await JudgeAsync(connection, count: false, cancellationToken);
    }

    /// <summary>The same, counted, and rolled back.</summary>
    /// <exception cref="JobException">64: the run would change an abnormal share of the CRM's records.</exception>
    public async Task PreviewAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Context.Database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await UseAsync(connection, cancellationToken);
        while (await ListAsync(connection, cancellationToken))
        {
            // The next chunk.
        }

        await JudgeAsync(connection, count: true, cancellationToken);
    }

    /// <summary>Where this CRM is new or was not used for long, everything is looked at.</summary>
    private async Task UseAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        (string, object?) crm = ("crm", run.Session.Store.Crm);
        await connection.ExecuteStatementAsync("crm/lock_crm", [crm], cancellationToken);
        if (!await connection.ScalarStatementAsync<bool>("crm/state", [crm], cancellationToken))
        {
            if (!run.Context.DryRun)
            {
                await connection.ExecuteStatementAsync("crm/lock_sources", [], cancellationToken);
            }

            await connection.ExecuteStatementAsync("crm/list_all", [crm], cancellationToken);
        }

        await connection.ExecuteStatementAsync("crm/use", [crm, ("in_use", true), ("as_of", run.Context.AsOf)], cancellationToken);
        if (run.Session.Mapping.Leads.Fields.Concat(run.Session.Mapping.Deals.Fields).Any(f => f.Ours.Name is "score" or "priority"))
        {
            await connection.ExecuteStatementAsync("crm/list_scores", [crm, ("as_of", run.Context.AsOf)], cancellationToken);
        }
    }

    /// <summary>A chunk of listed changes becomes links; false: none were left.</summary>
    private async Task<bool> ListAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("crm/lock_crm", [("crm", run.Session.Store.Crm)], cancellationToken);
        return await connection.ScalarStatementAsync<long>(
            "crm/take_changes", [("crm", run.Session.Store.Crm), ("limit", Chunk), ("all_leads", run.Session.Mapping.AllLeads)], cancellationToken) > 0;
    }

    /// <summary>Counts what the run would write before it writes anything.</summary>
    private async Task JudgeAsync(NpgsqlConnection connection, bool count, CancellationToken cancellationToken)
    {
        foreach (var kind in Enum.GetValues<CrmObject>())
        {
            var map = run.Session.Mapping.Of(kind);
            var computed = map.Fields.Where(f => f.Ours.Computed).Select(f => f.Ours.Name).ToHashSet(StringComparer.Ordinal);
            long created = 0, updated = 0, deleted = 0, changed = 0, unmapped = 0;
            for (var after = 0L; ;)
            {
                var links = await connection.QueryStatementAsync(
                    "crm/pending_page",
                    run.Session.Store.Of(kind, ("after", after), ("limit", Chunk)),
                    run.Session.Store.Link,
                    cancellationToken);
                if (links.Count == 0)
                {
                    break;
                }

                after = links[^1].Id;
                var facts = await run.Session.Store.FactsAsync(connection, kind, [.. links.Select(l => l.Id)], cancellationToken);
                foreach (var link in links)
                {
                    if (link.Status is "deleted_here")
                    {
                        deleted += link.CrmId is null || !run.Session.Mapping.ArchiveTheirs ? 0 : 1;
                    }
                    else if (facts.TryGetValue(link.Id, out var ours))
                    {
                        var fields = run.Session.Changed(map, link, ours);
                        unmapped += count ? map.Fields.Count(f => !run.Session.Values.TryEncode(kind, f, ours.Values.GetValueOrDefault(f.Ours.Name), out _)) : 0;
                        created += link.CrmId is null ? 1 : 0;
                        updated += link.CrmId is not null && fields.Count > 0 ? 1 : 0;
                        changed += link.CrmId is not null && fields.Any(f => !computed.Contains(f)) ? 1 : 0;
                    }
                }
            }

            await run.Session.RequireNormalAsync(connection, kind, "in the CRM", changed, deleted, cancellationToken);
            if (count)
            {
                run.Counts[PushRun.Name(kind, "created")] = created;
                run.Counts[PushRun.Name(kind, "updated")] = updated;
                run.Counts["deleted"] += deleted;
                run.Counts["unmapped"] += unmapped;
            }
        }
    }
}
