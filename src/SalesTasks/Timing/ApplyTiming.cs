using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Timing;

/// <summary>
/// <c>timing apply</c>: puts what is planned to learned hours, a chunk a transaction, and remembers what it set; or, where learned hours may not be
/// used, takes back what it set. The second run moves nothing.
/// </summary>
internal static class ApplyTiming
{
    private const long Chunk = 5_000;

    private static readonly (string Statement, string Count)[] s_moves =
        [("timing/move_followups", "followups_moved"), ("timing/move_tasks", "tasks_moved"), ("timing/move_messages", "messages_moved")];

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var session = await TimingSession.OpenAsync(context, cancellationToken);
        var enabled = context.Parameters.Get(TimingJobs.EnableAutoOptimization);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["followups_moved"] = 0,
            ["tasks_moved"] = 0,
            ["messages_moved"] = 0,
            ["intervals_set"] = 0,
            ["intervals_taken_back"] = 0,
            ["moved_back"] = 0,
        };
        var (used, state) = await session.RunAsync(
            async (connection, state, token) =>
            {
                var use = enabled && state.State == "ready";
                await BeginAsync(connection, context, use, counts, token);
                return (use, state.State);
            },
            cancellationToken);
        if (used)
        {
            foreach (var (statement, count) in s_moves)
            {
                counts[count] = await MoveAsync(context, session, statement, context.MaxLeads - Moved(counts), cancellationToken);
            }
        }
        else
        {
            context.Log.Information(
                "Plain windows: {Reason:l}", enabled ? $"timing is {state}" : $"{TimingJobs.EnableAutoOptimization.Name} is false");
        }

        return new JobResult(counts)
        {
            NothingToDo = counts.Values.Sum() == 0,
            Details = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["state"] = used ? "applied" : enabled ? state : "disabled",
            },
        };
    }

    private static long Moved(Dictionary<string, long> counts) => s_moves.Sum(move => counts[move.Count]);

    /// <summary>Switches learned hours on or off, with the intervals of leads; off: what was moved goes back in the same transaction.</summary>
    private static async Task BeginAsync(
        NpgsqlConnection connection, JobContext context, bool use, Dictionary<string, long> counts, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("database/set_actor", [("actor", TimingJobs.Apply.Name)], cancellationToken);
        if (use)
        {
            await connection.ExecuteStatementAsync("timing/activate", [("as_of", context.AsOf)], cancellationToken);
        }
        else
        {
            await connection.ExecuteStatementAsync("timing/deactivate", [], cancellationToken);
            var (tasks, followups, messages) = (await connection.QueryStatementAsync(
                "timing/restore", [("as_of", context.AsOf)], row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken))[0];
            counts["moved_back"] = tasks + followups + messages;
        }

        (counts["intervals_set"], counts["intervals_taken_back"]) = (await connection.QueryStatementAsync(
            "timing/sync_intervals", [("as_of", context.AsOf), ("use", use)], row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken))[0];
    }

    /// <summary>Goes through all that is planned by id, and stops where another run has switched learned hours off meanwhile.</summary>
    private static async Task<long> MoveAsync(
        JobContext context, TimingSession session, string statement, long limit, CancellationToken cancellationToken)
    {
        long moved = 0, after = 0, seen;
        do
        {
            var chunk = Math.Min(Chunk, limit - moved);
            if (chunk == 0)
            {
                break;
            }

            (seen, after, var more) = await session.RunAsync(
                async (connection, state, token) =>
                {
                    if (!state.Active)
                    {
                        return (0L, 0L, 0L);
                    }

                    await connection.ExecuteStatementAsync("database/set_actor", [("actor", TimingJobs.Apply.Name)], token);
                    return (await connection.QueryStatementAsync(
                        statement,
                        [("after", after), ("chunk", chunk), ("as_of", context.AsOf)],
                        row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)),
                        token))[0];
                },
                cancellationToken);
            moved += more;
            context.Advance(seen);
        }
        while (seen > 0);

        return moved;
    }
}
