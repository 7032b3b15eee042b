using SalesTasks.Database;

namespace SalesTasks.Cli;

/// <summary>The <c>task_runs</c> row of a try: who ran what with which parameters, when, and how it ended.</summary>
internal static class TaskRuns
{
    /// <summary>Writes the row, and marks the tries that were killed: a killed process cannot do it itself.</summary>
    /// <returns>The row's id.</returns>
    public static async Task<long> StartAsync(
        JobContext context, string command, string parametersJson, CancellationToken cancellationToken)
    {
        var run = context.Run;
        return await context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await connection.ExecuteStatementAsync("task_runs/mark_lost", [("now_at", context.Time.GetUtcNow())], token);
                return await connection.ScalarStatementAsync<long>(
                    "task_runs/start",
                    [
                        ("dag_id", run.DagId), ("task_id", run.TaskId), ("run_id", run.RunId), ("map_index", run.MapIndex),
                        ("try_number", run.TryNumber), ("command", command), ("parameters", parametersJson),
                        ("started_by", Environment.UserName), ("host", Environment.MachineName), ("process_id", Environment.ProcessId),
                        ("program_version", ProgramInfo.Version), ("as_of", context.Parameters.Get(CommonParameters.AsOf)),
                        ("started_at", context.Time.GetUtcNow()),
                    ],
                    token);
            },
            cancellationToken);
    }

    public static Task FinishAsync(JobContext context, long id, ResultLine line, CancellationToken cancellationToken) =>
        context.Database.ExecuteAsync(
            "task_runs/finish",
            [
                ("id", id), ("finished_at", context.Time.GetUtcNow()), ("status", Status(line.ExitCode)), ("exit_code", (int)line.ExitCode),
                ("result", line.ToJson()), ("error", line.Error),
            ],
            cancellationToken);

    /// <summary>Tells <c>health</c> that the process still lives.</summary>
    public static Task BeatAsync(JobContext context, long id, CancellationToken cancellationToken) =>
        context.Database.ExecuteAsync("task_runs/beat", [("id", id), ("heartbeat_at", context.Time.GetUtcNow())], cancellationToken);

    private static string Status(ExitCode exitCode) => exitCode switch
    {
        ExitCode.Done => "succeeded",
        ExitCode.NothingToDo => "skipped",
        ExitCode.TemporaryFailure => "retry",
        ExitCode.Stopped => "stopped",
        _ => "failed",
    };
}
