using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Routing;

/// <summary>
/// Ends what runs left that were killed or cut off between giving leads away and telling of it: the statistics of the reps, the counts, the notice
/// to the channel. Their leads are no longer waiting, so that no later run would come to speak of them.
/// </summary>
internal static class BrokenRuns
{
    public static async Task CloseAsync(JobContext context, CancellationToken cancellationToken)
    {
        foreach (var run in await FindAsync(context, cancellationToken))
        {
            var told = await context.Database.InTransactionAsync((connection, _, token) => CloseAsync(context, connection, run, token), cancellationToken);
            if (told is not null)
            {
                context.Log.Information("Run {Run} had ended under way; it came to: {Counts:l}", run, told.ToString());
            }
        }
    }

    private static async Task<List<long>> FindAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync("routing/broken_runs", [], row => row.GetInt64(0), cancellationToken);
    }

    private static async Task<Tally?> CloseAsync(JobContext context, NpgsqlConnection connection, long run, CancellationToken cancellationToken)
    {
        var outcomes = await connection.QueryStatementAsync(
            "routing/outcomes_of_run",
            [("run_id", run)],
            row => (
                Outcome: row.GetString(0), Reason: Words.Reason(row.GetString(1)), To: row.IsDBNull(2) ? null : row.GetString(2),
                From: row.IsDBNull(3) ? null : row.GetString(3), Leads: row.GetInt64(4)),
            cancellationToken);
        var tally = Tally.Empty;
        var given = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var outcome in outcomes)
        {
            tally.Add(Words.Outcome(outcome.Outcome), outcome.Reason, outcome.Leads);
            if (outcome.To is { } rep)
            {
                given[rep] = given.GetValueOrDefault(rep) + outcome.Leads;
            }
        }

        if (await connection.ExecuteStatementAsync("routing/close_run", [("run_id", run), ("counts", tally.ToJson())], cancellationToken) == 0)
        {
            return null;
        }

        var touched = given.Keys.Concat(outcomes.Select(outcome => outcome.From).OfType<string>()).Distinct(StringComparer.Ordinal).ToArray();
        await connection.ScalarStatementAsync<long>("routing/update_stats", [("reps", touched)], cancellationToken);
        await RoutingNotice.QueueAsync(context, connection, run, tally, given, cancellationToken);
        return tally;
    }
}
