using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>
/// What <c>privacy erase</c> asks of the CRM: record by record, each with its receipt. A record is asked for again until the CRM has said that it
/// is gone; one that it has erased already counts as done, so a lost answer does no harm.
/// </summary>
internal sealed class CrmErasures(PushRun run)
{
    private readonly CrmSession _session = run.Session;

    /// <summary>Whether there is anything to erase for the run's CRM.</summary>
    public static async Task<bool> AnyAsync(JobContext context, CancellationToken cancellationToken) =>
        await context.Database.InTransactionAsync(
            (connection, _, inner) => connection.ScalarStatementAsync<long>("crm/erasures_due", [("crm", context.Parameters.Get(CrmJobs.CrmType))], inner),
            cancellationToken) > 0;

    /// <returns>Why the CRM does not erase what it was asked to; null: nothing is left to ask for now.</returns>
    /// <exception cref="JobException">75: not now.</exception>
    public async Task<JobException?> RunAsync(CancellationToken cancellationToken)
    {
        var tried = new List<long>();
        JobException? refused = null;
        while (await ClaimAsync([.. tried], cancellationToken) is { } record)
        {
            tried.Add(record.Id);
            try
            {
                var id = record.CrmId ?? await FindAsync(record, cancellationToken);
                if (id is not null)
                {
                    await _session.Crm.EraseAsync(record.Kind, [id], cancellationToken);
                    run.Counts["erased"]++;
                }

                await SettleAsync(record, id, id is null ? "no such record" : "erased", done: true);
            }
            catch (JobException exception)
            {
                await SettleAsync(record, null, exception.Message, done: false);
                if (exception.ExitCode is not ExitCode.Refused)
                {
                    throw;
                }

                // What is refused for one may be done for another; the run ends with it all the same.
                refused ??= exception;
            }
        }

        return refused;
    }

    private async Task<Record?> ClaimAsync(long[] tried, CancellationToken cancellationToken)
    {
        var claimed = await _session.Context.Database.InTransactionAsync(
            (connection, _, inner) => connection.QueryStatementAsync(
                "crm/claim_erasure",
                [("crm", _session.Store.Crm), ("token", run.Token), ("lease", CrmJobs.Lease(_session.Context.Parameters).TotalSeconds), ("tried", tried)],
                row => new Record(
                    row.GetInt64(0), row.GetString(1) == "lead" ? CrmObject.Lead : CrmObject.Deal, row.IsDBNull(2) ? null : row.GetString(2),
                    row.IsDBNull(3) ? null : row.GetString(3)),
                inner),
            cancellationToken);
        return claimed.Count == 0 ? null : claimed[0];
    }

    /// <summary>The record that a create made whose answer we never had.</summary>
    private async Task<string?> FindAsync(Record record, CancellationToken cancellationToken)
    {
        var found = await _session.Crm.ReadAsync(record.Kind, CrmLookup.Key, [record.Key!], cancellationToken);
        return found.Count == 0 ? null : found[0].Id;
    }

    // Once a call is answered its outcome is recorded, also where the run is asked to stop.
    private Task<int> SettleAsync(Record record, string? crmId, string answer, bool done) => _session.Context.Database.ExecuteAsync(
        "crm/settle_erasure",
        [("id", record.Id), ("token", run.Token), ("crm_id", crmId), ("answer", CrmSession.Masked(answer)), ("done", done)],
        CancellationToken.None);

    private sealed record Record(long Id, CrmObject Kind, string? CrmId, string? Key);
}
