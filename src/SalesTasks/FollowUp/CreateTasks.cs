using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.FollowUp;

/// <summary>
/// <c>followup create-tasks</c>: the task each open deal needs by its stage. Works through the list of deals that something changed for, a chunk
/// a transaction; with <c>max_leads_per_run</c> in one transaction, since the most urgent of all of them come first.
/// </summary>
internal static class CreateTasks
{
    /// <summary>Deals of each list judged in one transaction, which holds the locks of those that get a task (0.3 s).</summary>
    private const long Chunk = 5_000;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (!context.Parameters.Get(FollowUpJobs.EnableAutoTasks))
        {
            context.Log.Information("{Parameter:l} is false: no tasks are created", FollowUpJobs.EnableAutoTasks.Name);
            return default(TaskCounts).Result();
        }

        var limited = context.MaxLeads < long.MaxValue;
        var counts = default(TaskCounts);
        TaskCounts done;
        do
        {
            done = await context.Database.InTransactionAsync(
                (connection, _, token) => RunAsync(connection, context, limited ? long.MaxValue : Chunk, token), cancellationToken);
            counts += done;
            context.Advance(done.Checked);
        }
        while (done.Picked > 0 && !limited && !context.DryRun);

        return counts.Result();
    }

    private static async Task<TaskCounts> RunAsync(NpgsqlConnection connection, JobContext context, long chunk, CancellationToken cancellationToken)
    {
        (string, object?)[] parameters =
        [
            ("as_of", context.AsOf), ("days", context.Parameters.Get(FollowUpJobs.DefaultFollowupDays)),
            ("limit", context.MaxLeads), ("shard_index", context.Shard.Index), ("shard_count", context.Shard.Count),
            ("post_tasks", context.ConnectionIds.Tasks is not null), ("request_calls", context.ConnectionIds.Calls is not null),
        ];
        if (!context.DryRun)
        {
            await connection.ExecuteStatementAsync("database/set_actor", [("actor", FollowUpJobs.CreateTasks.Name)], cancellationToken);
        }

        var rows = await connection.QueryStatementAsync(
            context.DryRun ? "followup/preview_tasks" : "followup/create_tasks",
            context.DryRun ? parameters : [.. parameters, ("chunk", chunk)],
            row => new TaskCounts(
                row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7),
                row.GetInt64(8)),
            cancellationToken);
        return rows[0];
    }

    private readonly record struct TaskCounts(
        long Picked, long Checked, long Created, long Emails, long Calls, long Replanned, long Waiting, long Messages, long HeldOut)
    {
        public static TaskCounts operator +(TaskCounts a, TaskCounts b) => new(
            a.Picked + b.Picked, a.Checked + b.Checked, a.Created + b.Created, a.Emails + b.Emails, a.Calls + b.Calls, a.Replanned + b.Replanned,
            a.Waiting + b.Waiting, a.Messages + b.Messages, a.HeldOut + b.HeldOut);

        public JobResult Result() => new(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["created"] = Created,
            ["emails"] = Emails,
            ["calls"] = Calls,
            ["replanned"] = Replanned,
            ["checked"] = Checked,
            ["waiting"] = Waiting,
            ["messages"] = Messages,
            ["held_out"] = HeldOut,
        })
        {
            NothingToDo = Created + Replanned == 0,
        };
    }
}
