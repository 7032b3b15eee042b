using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// <c>crm pull</c>: what changed in the CRM comes here. Its changes and deletions are read page by page and kept together with the cursor, so
/// that a run that ends early loses nothing; then judged as a whole, and merged batch by batch.
/// </summary>
internal static class PullCrm
{
    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (CrmJobs.DirectionOf(context.Parameters) is SyncDirection.Export)
        {
            context.Log.Information("{Parameter:l} is export: nothing is taken over from the CRM", CrmJobs.Direction.Name);
            return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)) { NothingToDo = true };
        }

        await using var session = await CrmSession.OpenAsync(context, cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
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
        JobException? failure = null;
        try
        {
            await PullAsync(session, counts, cancellationToken);
        }
        catch (JobException exception) when (exception.ExitCode is not ExitCode.Usage)
        {
            // What was read is kept; the next run goes on.
            failure = exception;
        }

        counts["calls"] = session.Calls;
        return new JobResult(counts)
        {
            NothingToDo = failure is null && counts.All(c => c.Key is "calls" or "unchanged" or "read" or "unknown" || c.Value == 0),
            Failure = failure,
        };
    }

    private static async Task PullAsync(CrmSession session, Dictionary<string, long> counts, CancellationToken cancellationToken)
    {
        var context = session.Context;
        if (context.DryRun)
        {
            foreach (var kind in Enum.GetValues<CrmObject>())
            {
                await new PullFeed(session, kind, counts).PreviewAsync(cancellationToken);
            }

            return;
        }

        await context.Database.ExecuteAsync("crm/use", [("crm", session.Store.Crm), ("in_use", false), ("as_of", context.AsOf)], cancellationToken);
        foreach (var kind in Enum.GetValues<CrmObject>())
        {
            await new PullFeed(session, kind, counts).ReadAsync(cancellationToken);
        }

        foreach (var kind in Enum.GetValues<CrmObject>())
        {
            await JudgeAsync(session, kind, cancellationToken);
        }

        foreach (var kind in Enum.GetValues<CrmObject>())
        {
            await new PullMerge(session, kind, counts).RunAsync(cancellationToken);
        }
    }

    /// <exception cref="JobException">64: the run would change an abnormal share of our records.</exception>
    private static async Task JudgeAsync(CrmSession session, CrmObject kind, CancellationToken cancellationToken)
    {
        await using var connection = await session.Context.Database.OpenAsync(cancellationToken);
        var volume = await connection.QueryStatementAsync(
            "crm/staged_volume", session.Store.Of(kind), row => (Changed: row.GetInt64(0), Deleted: row.GetInt64(1)), cancellationToken);
        var changed = session.Sealed && volume[0].Changed > 0
            ? await session.Store.CountChangedAsync(connection, kind, cancellationToken)
            : volume[0].Changed;
        await session.RequireNormalAsync(connection, kind, "here", changed, volume[0].Deleted, cancellationToken);
    }
}
