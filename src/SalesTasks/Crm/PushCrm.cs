using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// <c>crm push</c>: what changed here goes to the CRM. Erasures first, then what is to be written is listed and judged as a whole; people who are
/// there already are recognised; leads and then deals are written, and new deals attached to their leads.
/// </summary>
internal static class PushCrm
{
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
        var run = new PushRun(session);
        JobException? failure = null;
        try
        {
            // Before anything else, and whatever the direction: a person's right is no matter of synchronising.
            var refused = context.DryRun ? null : await new CrmErasures(run).RunAsync(cancellationToken);
            if (!import)
            {
                await PushAsync(run, cancellationToken);
            }

            failure = refused;
        }
        catch (JobException exception) when (exception.ExitCode is not ExitCode.Usage)
        {
            // What is done is done and told; the next run goes on.
            failure = exception;
        }

        run.Counts["calls"] = session.Calls;
        return new JobResult(run.Counts)
        {
            NothingToDo = failure is null && run.Counts.All(c => c.Key is "calls" or "unchanged" || c.Value == 0),
            Failure = failure,
        };
    }

    private static async Task PushAsync(PushRun run, CancellationToken cancellationToken)
    {
        var changes = new PushChanges(run);
        if (run.Context.DryRun)
        {
            await changes.PreviewAsync(cancellationToken);
            return;
        }

        await changes.ListAsync(cancellationToken);
        var people = new PushPeople(run);
        await people.TakeOverAsync(cancellationToken);
        foreach (var kind in Enum.GetValues<CrmObject>())
        {
            await new PushRecords(run, kind, people).RunAsync(cancellationToken);
        }

        await RelateAsync(run, cancellationToken);
    }

    /// <summary>Attaches deals that are new in the CRM to their leads.</summary>
    private static async Task RelateAsync(PushRun run, CancellationToken cancellationToken)
    {
        while (true)
        {
            var pairs = await run.Context.Database.InTransactionAsync(
                (connection, _, token) => connection.QueryStatementAsync(
                    "crm/unrelated",
                    [
                        ("crm", run.Session.Store.Crm), ("limit", run.Session.Crm.Limits.Relate), ("token", run.Token),
                        // It may take several calls.
                        ("lease", 3 * CrmJobs.Lease(run.Context.Parameters).TotalSeconds),
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
                run.Counts["write_calls"]++;
                await run.Session.Crm.RelateAsync([.. pairs.Select(p => (p.DealId, p.LeadId))], cancellationToken);
            }
            catch
            {
                await run.ReleaseAsync(ids);
                throw;
            }

            await run.Context.Database.ExecuteAsync(
                "crm/related", [("ids", ids), ("lead_crm_ids", pairs.Select(p => p.LeadId).ToArray()), ("token", run.Token)], CancellationToken.None);
        }
    }
}
