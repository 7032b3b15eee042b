using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.FollowUp;

/// <summary>
/// <c>pipeline advance</c>: takes what happened off its list, a chunk a transaction, and carries it over to the deals: stage, instants of
/// contact, replies that stop campaigns.
/// </summary>
internal static class AdvancePipeline
{
    /// <summary>Outcomes taken in one transaction.</summary>
    private const int Chunk = 5_000;

    private static readonly string[] s_deals = ["deals", "advanced", "to_contacted", "to_meeting_scheduled", "to_proposal_sent", "updated"];
    private static readonly string[] s_counts = [.. s_deals, "outcomes", "replies", "stopped"];

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var counts = s_counts.ToDictionary(name => name, _ => 0L, StringComparer.Ordinal);
        if (context.DryRun)
        {
            await PreviewAsync(context, counts, cancellationToken);
            return Result(counts);
        }

        while (counts["outcomes"] < context.MaxLeads)
        {
            var done = await context.Database.InTransactionAsync(
                (connection, _, token) => AdvanceAsync(connection, context, Math.Min(Chunk, context.MaxLeads - counts["outcomes"]), token), cancellationToken);
            foreach (var (name, count) in done)
            {
                counts[name] += count;
            }

            if (!done.TryGetValue("outcomes", out var outcomes))
            {
                break;
            }

            context.Advance(outcomes);
        }

        return Result(counts);
    }

    private static JobResult Result(Dictionary<string, long> counts) => new(counts) { NothingToDo = counts["outcomes"] == 0 };

    /// <summary>One chunk; empty where nothing is left.</summary>
    private static async Task<Dictionary<string, long>> AdvanceAsync(
        NpgsqlConnection connection, JobContext context, long limit, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", FollowUpJobs.Advance.Name)], cancellationToken);
        var taken = await connection.QueryStatementAsync(
            "followup/take_outcomes",
            [("as_of", context.AsOf), ("limit", limit), ("shard_index", context.Shard.Index), ("shard_count", context.Shard.Count)],
            row => (Kind: row.GetString(0), Id: row.GetInt64(1)),
            cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        if (taken.Count == 0)
        {
            return counts;
        }

        (string, object?) Ids(string name, string kind) => (name, taken.Where(o => o.Kind == kind).Select(o => o.Id).ToArray());
        var events = Ids("events", "event");
        var replies = Ids("replies", "reply");
        await ReadAsync(
            connection, "followup/advance_deals", [Ids("tasks", "task"), events, replies, ("as_of", context.AsOf)], s_deals, counts, cancellationToken);
        await connection.ExecuteStatementAsync("followup/record_replies", [replies, ("as_of", context.AsOf)], cancellationToken);
        counts["stopped"] = await connection.ScalarStatementAsync<long>("followup/stop_on_reply", [replies, events], cancellationToken);
        counts["replies"] = taken.Count(o => o.Kind == "reply");
        counts["outcomes"] = taken.Count;
        return counts;
    }

    private static Task PreviewAsync(JobContext context, Dictionary<string, long> counts, CancellationToken cancellationToken) =>
        context.Database.InTransactionAsync(
            (connection, _, token) => ReadAsync(
                connection,
                "followup/preview_advance",
                [("as_of", context.AsOf), ("shard_index", context.Shard.Index), ("shard_count", context.Shard.Count)],
                s_counts,
                counts,
                token),
            cancellationToken);

    /// <summary>Reads the one row of a statement whose columns are these counts.</summary>
    private static async Task ReadAsync(
        NpgsqlConnection connection,
        string statement,
        (string, object?)[] parameters,
        string[] names,
        Dictionary<string, long> counts,
        CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            statement, parameters, row => names.Select((name, i) => KeyValuePair.Create(name, row.GetInt64(i))).ToList(), cancellationToken);
        foreach (var (name, count) in rows[0])
        {
            counts[name] = count;
        }
    }
}
