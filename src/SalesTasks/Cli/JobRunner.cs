using System.Globalization;
using System.Text;
using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Database;
using Serilog;

namespace SalesTasks.Cli;

/// <summary>
/// Runs one job as Airflow expects it: bind and check everything, then connect, check the schema, record the try, do the work, and give
/// back one result line and one exit code.
/// </summary>
internal sealed class JobRunner(CommandHost host, JobDefinition job, ParameterSet dagParameters)
{
    /// <summary>Silent log streams are cut by socket proxies after a minute.</summary>
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(30);

    /// <summary>Beyond this many faults a message helps nobody, and XCom is to stay small.</summary>
    private const int MaxFaults = 20;

    private bool _printed;

    /// <param name="flags">Flag texts by parameter name.</param>
    /// <param name="usageFaults">Faults the command line's own parser found; reported together with those of the values.</param>
    public async Task<ExitCode> RunAsync(IReadOnlyDictionary<string, string> flags, IReadOnlyList<string> usageFaults)
    {
        var started = host.Time.GetTimestamp();
        using var stop = new StopSignal(host.Time);
        List<string> faults = [.. usageFaults];
        var run = RunIdentity.Read(host.Environment, job.Name, host.Time, faults);
        var values = job.Parameters.Bind(host.Environment("SALES_PARAMS"), flags, dagParameters, faults);
        faults.AddRange(job.Check(values));
        var files = ResultFiles.Check(host, faults);
        using var log = Logging.Create(host, run, job.Name, faults);
        stop.BeforeForcedEnd = () =>
        {
            var stopped = Stopped(
                run, values.Get(CommonParameters.DryRun), started,
                "asked to stop, but the current batch did not end in time; the server rolls it back, or completes it where it was being "
                + "committed");
            log.Warning("{Error:l}", stopped.Error);
            Print(HandOver(stopped, files, log), log);
        };

        Telemetry? telemetry = null;
        ResultLine line;
        try
        {
            CheckUsage(faults);
            telemetry = Telemetry.Start(host, run, job.Name);
            var connection = host.Connections().Resolve(new ConnectionIds(host.Environment).Postgres);
            await using var database = new SalesDatabase(
                PostgresConnectionString.From(connection),
                new SalesDatabaseOptions
                {
                    ApplicationName = "sales-tasks " + job.Name,
                    AsOf = values.Get(CommonParameters.AsOf),
                    Run = run.IdempotencyKey,
                },
                host.Time);
            var context = new JobContext
            {
                Run = run,
                Parameters = values,
                Database = database,
                Connections = host.Connections(),
                ConnectionIds = new ConnectionIds(host.Environment),
                Log = log,
                Time = host.Time,
                AsOf = values.Get(CommonParameters.AsOf) ?? host.Time.GetUtcNow(),
            };
            line = await RunRecordedAsync(context, files, started, stop);
        }
        catch (Exception exception)
        {
            line = Failure(exception, run, values.Get(CommonParameters.DryRun), started, stop.WasAsked);
            Report(log, exception, line);
            line = HandOver(line, files, log);
        }

        var exitCode = Print(line, log);
        // Last: an unreachable collector takes seconds, in which the caller must have the result already.
        telemetry?.Complete(line);
        telemetry?.Dispose();
        return exitCode;
    }

    private static void CheckUsage(List<string> faults)
    {
        if (faults.Count > MaxFaults)
        {
            faults = [.. faults.Take(MaxFaults), string.Create(CultureInfo.InvariantCulture, $"and {faults.Count - MaxFaults} more")];
        }

        if (faults.Count > 0)
        {
            throw JobException.Usage(string.Join('\n', faults));
        }
    }

    private async Task<ResultLine> RunRecordedAsync(JobContext context, ResultFiles files, long started, StopSignal stop)
    {
        await context.Database.CheckSchemaAsync(stop.Token);
        var tryId = context.DryRun
            ? (long?)null
            : await TaskRuns.StartAsync(context, job.Name, ParametersJson(context.Parameters), stop.Token);
        ResultLine line;
        try
        {
            context.Log.Information("{Command:l} started", job.Name);
            await using var heartbeat = new Heartbeat(context, tryId, s_heartbeat);
            var result = await job.RunAsync(context, stop.Token);
            var idle = result.NothingToDo;
            line = new ResultLine(
                job.Name,
                idle ? "nothing_to_do" : "done",
                context.Run,
                context.DryRun,
                idle && context.Parameters.Get(CommonParameters.SkipWhenIdle) ? ExitCode.NothingToDo : ExitCode.Done,
                Elapsed(started))
            {
                Result = result,
            };
            if (result.Failure is { } failure)
            {
                line = line with { Status = "failed", ExitCode = failure.ExitCode, Error = failure.Message };
                Report(context.Log, failure, line);
            }

            context.Log.Information(
                "{Command:l} {Status:l}: {Counts:l}; {DurationMs} ms", job.Name, line.Status,
                string.Join(", ", result.Counts.Select(c => $"{c.Key} {c.Value}")), line.DurationMs);
        }
        catch (Exception exception)
        {
            line = Failure(exception, context.Run, context.DryRun, started, stop.WasAsked);
            Report(context.Log, exception, line);
        }

        line = HandOver(line, files, context.Log);
        if (tryId is { } id)
        {
            await FinishAsync(context, id, line);
        }

        return line;
    }

    /// <summary>
    /// Records the outcome. A database that is gone by now must not hide what the job itself reported: the row stays without an end,
    /// which <c>health</c> shows as a crashed try.
    /// </summary>
    private static async Task FinishAsync(JobContext context, long tryId, ResultLine line)
    {
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3), context.Time);
            await TaskRuns.FinishAsync(context, tryId, line, limit.Token);
        }
        catch (Exception exception)
        {
            var reason = PostgresErrors.ToJobException(exception)?.Message ?? Defect.Kind(exception);
            context.Log.Warning("The end of this try could not be recorded: {Reason:l}", reason);
        }
    }

    private ResultLine Failure(Exception exception, RunIdentity run, bool dryRun, long started, bool asked)
    {
        if (asked)
        {
            return Stopped(run, dryRun, started, "asked to stop; what was committed stays, the next try goes on from there");
        }

        var known = exception as JobException ?? PostgresErrors.ToJobException(exception);
        return new ResultLine(job.Name, "failed", run, dryRun, known?.ExitCode ?? ExitCode.Defect, Elapsed(started))
        {
            // A defect's message may quote data: only its kind is given, the stack trace is in the log.
            Error = known?.Message ?? "defect: " + Defect.Kind(exception),
        };
    }

    private ResultLine Stopped(RunIdentity run, bool dryRun, long started, string reason) =>
        new(job.Name, "stopped", run, dryRun, ExitCode.Stopped, Elapsed(started)) { Error = reason };

    private static void Report(ILogger log, Exception exception, ResultLine line)
    {
        if (line.ExitCode is ExitCode.Defect)
        {
            log.Error("{Error:l} {Stack:l}", line.Error, Defect.Stack(exception));
        }
        else if (line.ExitCode is ExitCode.Stopped)
        {
            log.Warning("{Error:l}", line.Error);
        }
        else
        {
            log.Error("{Error:l}", line.Error);
        }
    }

    /// <summary>Writes the result's files. Where that fails after the work is done, the caller is told to try again.</summary>
    private ResultLine HandOver(ResultLine line, ResultFiles files, ILogger log)
    {
        try
        {
            files.Write(line.ToJson());
        }
        catch (JobException failure)
        {
            log.Error("{Error:l}", failure.Message);
            line = OrFailed(line, failure);
        }

        try
        {
            if (line.Error is not null && File.Exists(host.TerminationLog))
            {
                File.WriteAllText(host.TerminationLog, line.Error.ReplaceLineEndings(" "));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.Warning("{Path} cannot be written ({Reason:l})", host.TerminationLog, exception.GetType().Name);
        }

        return line;
    }

    private ExitCode Print(ResultLine line, ILogger log)
    {
        // A forced end and the end of the job may meet.
        if (Interlocked.Exchange(ref _printed, true))
        {
            return line.ExitCode;
        }

        try
        {
            host.Out.WriteLine(line.ToJson());
            host.Out.Flush();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var failure = JobException.Temporary(
                $"stdout: the result cannot be written ({exception.GetBaseException().Message})", exception);
            log.Error("{Error:l}", failure.Message);
            line = OrFailed(line, failure);
        }

        return line.ExitCode;
    }

    private static ResultLine OrFailed(ResultLine line, JobException failure) => line.ExitCode is ExitCode.Done or ExitCode.NothingToDo
        ? line with { Status = "failed", ExitCode = failure.ExitCode, Error = failure.Message }
        : line;

    private static string ParametersJson(ParameterValues values)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            values.Write(json);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private long Elapsed(long started) => (long)host.Time.GetElapsedTime(started).TotalMilliseconds;
}
