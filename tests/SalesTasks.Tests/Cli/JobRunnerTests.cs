using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

/// <summary>The contract around a job's work, with jobs of the tests' own against a real database.</summary>
public sealed class JobRunnerTests(TestDatabase database) : IClassFixture<TestDatabase>, IDisposable
{
    private const string Secret = "maria.perez@example.com";

    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-result-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_Done_ReportsTheSameOnStdoutFilesAndTaskRuns()
    {
        var host = InAirflow("done").With("SALES_RESULT_PATH", $"{_folder}/result.json").With("SALES_PARAMS", """{"shard": "1/4"}""");

        var exitCode = await host.RunJobAsync(
            (_, _) => Task.FromResult(new JobResult(new Dictionary<string, long> { ["seen"] = 3, ["changed"] = 2 })
            {
                Details = new Dictionary<string, object?>
                {
                    ["note"] = "Señal <ok> 👍",
                    ["none"] = null,
                    ["list"] = new object?[] { 1, 0.5m },
                },
            }),
            ("max_leads_per_run", "5"));

        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Equal(
            """{"task":"probe","status":"done","run_id":"done","dry_run":false,"exit_code":0,"counts":{"seen":3,"changed":2}"""
            + ""","details":{"note":"Se\u00F1al \u003Cok\u003E \uD83D\uDC4D","none":null,"list":[1,0.5]},"duration_ms":0}""" + "\n",
            host.Output);
        Assert.Equal(host.Output.TrimEnd('\n'), await File.ReadAllTextAsync($"{_folder}/result.json", Token));

        var row = Assert.Single(await RowsAsync("done"));
        Assert.Equal(
            ("the_dag", "the_task", 7, 2, "probe", "succeeded", 0, null),
            ((string?)row["dag_id"], (string?)row["task_id"], (int)row["map_index"]!, (int)row["try_number"]!, (string)row["command"]!,
                (string)row["status"]!, (int)row["exit_code"]!, (string?)row["error"]));
        Assert.Equal(
            (host.Time.GetUtcNow().UtcDateTime, host.Time.GetUtcNow().UtcDateTime),
            ((DateTime)row["started_at"]!, (DateTime)row["finished_at"]!));
        Assert.Equal(
            (Environment.UserName, Environment.MachineName, Environment.ProcessId, ProgramInfo.Version),
            ((string)row["started_by"]!, (string)row["host"]!, (int)row["process_id"]!, (string)row["program_version"]!));
        Assert.True(JsonElement.DeepEquals(host.Result, Json.Parse((string)row["result"]!)));
        Assert.True(JsonElement.DeepEquals(
            Json.Parse("""{"dry_run": false, "as_of": null, "shard": "1/4", "max_leads_per_run": 5, "skip_when_idle": false}"""),
            Json.Parse((string)row["parameters"]!)));
    }

    [Fact]
    public async Task Run_LogEvents_CarryTheRunIdentityAndNothingElseIsOnStderr()
    {
        var host = InAirflow("identity");

        await host.RunJobAsync((context, _) =>
        {
            context.Log.Information("Two\nlines and {Value}", "a value");
            context.Log.Debug("not shown");
            return Nothing();
        });

        Assert.Equal(3, host.Events.Count);
        Assert.All(host.Events, e => Assert.Equal(
            ("the_dag", "the_task", "identity", 7, 2, "probe", ProgramInfo.Version),
            (Text(e, "dag_id"), Text(e, "task_id"), Text(e, "run_id"), e.GetProperty("map_index").GetInt32(),
                e.GetProperty("try_number").GetInt32(), Text(e, "command"), Text(e, "version"))));
    }

    [Theory]
    [InlineData("Debug", 4)]
    [InlineData("warning", 1)]
    [InlineData(" Fatal ", 0)]
    public async Task Run_LogLevel_Filters(string level, int events)
    {
        var host = InAirflow($"level {level.Trim()}").With("SALES_LOG_LEVEL", level);

        await host.RunJobAsync((context, _) =>
        {
            context.Log.Debug("small");
            context.Log.Warning("large");
            return Nothing();
        });

        Assert.Equal(events, host.Events.Count);
    }

    [Fact]
    public async Task Run_OnATerminal_LogsReadableLines()
    {
        var host = new TestHost(database) { Terminal = true };

        await host.RunJobAsync((context, _) =>
        {
            context.Log.Information("Hello {Name}", "world");
            return Nothing();
        });

        Assert.Matches(@"^\d\d:\d\d:\d\d INF Hello world$", host.Errors.Split('\n')[1]);
    }

    [Theory]
    [InlineData(false, false, 0, "done", "succeeded")]
    [InlineData(true, false, 0, "nothing_to_do", "succeeded")]
    [InlineData(true, true, 99, "nothing_to_do", "skipped")]
    [InlineData(false, true, 0, "done", "succeeded")]
    public async Task Run_Idle_IsSkippedOnlyWhereAsked(bool idle, bool skip, int exitCode, string status, string recorded)
    {
        var run = $"idle {idle} {skip}";
        var host = InAirflow(run).With("SALES_PARAMS", $"{{\"skip_when_idle\": {(skip ? "true" : "false")}}}");

        Assert.Equal(
            (ExitCode)exitCode,
            await host.RunJobAsync((_, _) => Task.FromResult(new JobResult(new Dictionary<string, long>()) { NothingToDo = idle })));

        Assert.Equal((status, exitCode), (Text(host.Result, "status"), host.Result.GetProperty("exit_code").GetInt32()));
        var row = Assert.Single(await RowsAsync(run));
        Assert.Equal((recorded, exitCode), ((string)row["status"]!, (int)row["exit_code"]!));
    }

    [Fact]
    public async Task Run_TwoTriesOfOneRun_LeaveARowEach()
    {
        foreach (var attempt in (string[])["1", "2"])
        {
            await InAirflow("tries").With("SALES_TRY_NUMBER", attempt).RunJobAsync((_, _) =>
                attempt == "1" ? throw JobException.Temporary("the network is down") : Nothing());
        }

        Assert.Equal(
            [(1, "retry", 75, "the network is down"), (2, "succeeded", 0, null)],
            (await RowsAsync("tries"))
                .Select(r => ((int)r["try_number"]!, (string)r["status"]!, (int)r["exit_code"]!, (string?)r["error"])));
    }

    public static TheoryData<string, Func<Exception>, int, string> Failures() => new()
    {
        { "usage", () => JobException.Usage("wrong"), 64, "wrong" },
        { "refused", () => JobException.Refused("no"), 69, "no" },
        { "temporary", () => JobException.Temporary("later"), 75, "later" },
        { "defect", () => new InvalidOperationException(Secret), 70, "defect: InvalidOperationException" },
        { "nested", () => new InvalidOperationException(Secret, new FormatException(Secret)), 70, "defect: InvalidOperationException" },
        { "timeout", () => new NpgsqlException("broken", new TimeoutException("no answer")), 75, "PostgreSQL: no answer" },
        // Nobody asked to stop: a cancellation of its own is a defect of the job.
        { "own cancellation", () => new OperationCanceledException(Secret), 70, "defect: OperationCanceledException" },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task Run_JobFails_EndsWithTheCodeThatTellsWhetherARetryHelps(
        string run, Func<Exception> failure, int exitCode, string error)
    {
        var host = InAirflow(run);

        Assert.Equal((ExitCode)exitCode, await host.RunJobAsync((_, _) => throw failure()));

        Assert.Equal(
            ("failed", exitCode, error), (Text(host.Result, "status"), host.Result.GetProperty("exit_code").GetInt32(), host.Fault));
        Assert.Contains(host.Events, e => e.TryGetProperty("Error", out var text) && text.GetString() == error);
        var row = Assert.Single(await RowsAsync(run));
        Assert.Equal(
            (exitCode == 75 ? "retry" : "failed", exitCode, error),
            ((string)row["status"]!, (int)row["exit_code"]!, (string)row["error"]!));
        Assert.DoesNotContain(Secret, host.Output + host.Errors + row["result"], StringComparison.Ordinal);
        if (exitCode == 70)
        {
            // What a developer needs: types and frames.
            Assert.Contains(nameof(JobRunnerTests), Text(host.Events[^1], "Stack"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("SELECT 1/0", 70, "defect: PostgresException, SQLSTATE 22012")]
    [InlineData("SELECT '" + Secret + "'::int", 70, "defect: PostgresException, SQLSTATE 22P02")]
    [InlineData(
        "INSERT INTO leads (ext_id, source) VALUES ('" + Secret + "', 'x'), ('" + Secret + "', 'x')", 70,
        "defect: PostgresException, SQLSTATE 23505")]
    [InlineData("SELECT * FROM no_such_table", 69, " does not exist (SQLSTATE 42P01). Run \"sales-tasks db migrate\".")]
    [InlineData("SET LOCAL lock_timeout = '10ms'; LOCK TABLE scoring_blocks", 75, "statement due to lock timeout (SQLSTATE 55P03).")]
    [InlineData("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(60)", 75, "statement due to statement timeout (SQLSTATE 57014).")]
    [InlineData("SELECT pg_terminate_backend(pg_backend_pid())", 75, "due to administrator command (SQLSTATE 57P01).")]
    [InlineData("SET TRANSACTION READ ONLY; DELETE FROM leads", 75, "in a read-only transaction (SQLSTATE 25006).")]
    public async Task Run_StatementFails_EndsWithTheCodeThatTellsWhetherARetryHelps(string sql, int exitCode, string error)
    {
        await using var other = await database.OpenConnectionAsync();
        await using var block = await other.BeginTransactionAsync(Token);
        await ExecuteAsync(other, "LOCK TABLE scoring_blocks IN ACCESS SHARE MODE", Token);
        var run = $"statement {error}";
        var host = InAirflow(run);

        Assert.Equal(
            (ExitCode)exitCode,
            await host.RunJobAsync(async (context, token) =>
            {
                await context.Database.InTransactionAsync((connection, _, inner) => ExecuteAsync(connection, sql, inner), token);
                return await Nothing();
            }));

        Assert.EndsWith(error, host.Fault, StringComparison.Ordinal);
        Assert.Equal(exitCode, (int)Assert.Single(await RowsAsync(run))["exit_code"]!);
        Assert.DoesNotContain(Secret, host.Output + host.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DryRun_LeavesNoRow()
    {
        var before = await database.FingerprintAsync();
        var host = InAirflow("dry").With("SALES_PARAMS", """{"dry_run": true}""");

        Assert.Equal(
            ExitCode.Done,
            await host.RunJobAsync(async (context, _) =>
            {
                // The heartbeat is only logged.
                host.Time.Advance(TimeSpan.FromSeconds(30));
                await LogsAsync(host, "working");
                return await Nothing();
            }));

        Assert.True(host.Result.GetProperty("dry_run").GetBoolean());
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Run_LongWork_BeatsInTheLogAndTheRow()
    {
        var host = InAirflow("heartbeat");

        Assert.Equal(
            ExitCode.Done,
            await host.RunJobAsync(async (context, _) =>
            {
                Assert.Equal(context.Time.GetUtcNow().UtcDateTime, await HeartbeatAsync());
                for (var beat = 1; beat <= 3; beat++)
                {
                    context.Advance(1000);
                    host.Time.Advance(TimeSpan.FromSeconds(30));
                    var expected = context.Time.GetUtcNow().UtcDateTime;
                    await Eventually.HoldsAsync($"heartbeat {beat} is written", async () => await HeartbeatAsync() == expected);
                }

                return await Nothing();
            }));

        Assert.Equal(
            [1000, 2000, 3000],
            host.Events.Where(e => e.TryGetProperty("Rows", out _)).Select(e => e.GetProperty("Rows").GetInt32()));
        Assert.Equal(90_000, host.Result.GetProperty("duration_ms").GetInt64());

        Task<DateTime> HeartbeatAsync() => database.ScalarAsync<DateTime>("SELECT heartbeat_at FROM task_runs WHERE run_id = 'heartbeat'");
    }

    [Fact]
    public async Task Run_HeartbeatCannotBeWritten_GoesOn()
    {
        var host = InAirflow("blocked heartbeat");
        await using var other = await database.OpenConnectionAsync();

        Assert.Equal(
            ExitCode.Done,
            await host.RunJobAsync(async (context, token) =>
            {
                await using var block = await other.BeginTransactionAsync(token);
                await ExecuteAsync(other, "SELECT FROM task_runs WHERE run_id = 'blocked heartbeat' FOR UPDATE", token);
                host.Time.Advance(TimeSpan.FromSeconds(30));
                await WaitsForLockAsync();
                await database.ExecuteAsync(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """);
                await LogsAsync(host, "The heartbeat could not be written");
                return await Nothing();
            }));

        Assert.Equal("succeeded", Assert.Single(await RowsAsync("blocked heartbeat"))["status"]);
    }

    [Fact]
    public async Task Run_JobEndsDuringABlockedHeartbeat_KeepsItsOutcome()
    {
        var host = InAirflow("cut heartbeat");
        await using var other = await database.OpenConnectionAsync();
        await using var block = await other.BeginTransactionAsync(Token);

        var exitCode = await host.RunJobAsync(async (context, token) =>
        {
            await ExecuteAsync(other, "SELECT FROM task_runs WHERE run_id = 'cut heartbeat' FOR UPDATE", token);
            host.Time.Advance(TimeSpan.FromSeconds(30));
            await WaitsForLockAsync();
            _ = ReleaseWhenFinishWaitsAsync();
            return await Nothing();
        });

        Assert.Equal(ExitCode.Done, exitCode);
        Assert.True((string)Assert.Single(await RowsAsync("cut heartbeat"))["status"]! == "succeeded", host.Errors);

        // The beat is cancelled, then the end of the try waits for the same row.
        async Task ReleaseWhenFinishWaitsAsync()
        {
            await Eventually.HoldsAsync("the beat is cancelled", async () => await WaitingAsync("still lives") == 0);
            await block.RollbackAsync(Token);
        }
    }

    [Fact]
    public async Task Run_EndCannotBeRecorded_StillReportsTheWork()
    {
        var host = InAirflow("unrecorded");

        var exitCode = await host.RunJobAsync(async (context, token) =>
        {
            await database.ExecuteAsync("ALTER TABLE task_runs RENAME TO task_runs_away");
            return await Nothing();
        });
        await database.ExecuteAsync("ALTER TABLE task_runs_away RENAME TO task_runs");

        Assert.Equal(ExitCode.Done, exitCode);
        Assert.Contains("The end of this try could not be recorded", host.Errors, StringComparison.Ordinal);
        Assert.Equal("running", Assert.Single(await RowsAsync("unrecorded"))["status"]);
    }

    [Theory]
    [InlineData("/nowhere/result.json", "DirectoryNotFoundException")]
    [InlineData("", "a directory")]
    [InlineData("/dev/null", "a device")]
    [InlineData("/proc/self/result", "a device")]
    [InlineData("/etc/hostname/result.json", "DirectoryNotFoundException")]
    [InlineData("a\nb/c", "DirectoryNotFoundException")]
    public async Task Run_ResultPathNotWritable_IsRefusedBeforeAnyWork(string path, string why)
    {
        var run = "no result path " + path.ReplaceLineEndings(" ");
        var shown = path.Length == 0 ? _folder : path;
        var host = InAirflow(run).With("SALES_RESULT_PATH", shown);

        Assert.Equal(ExitCode.Usage, await host.RunJobAsync((_, _) => throw new InvalidOperationException("It worked.")));

        Assert.Equal(
            $"SALES_RESULT_PATH: '{shown.ReplaceLineEndings(" ")}' cannot be written ({why}); "
            + "allowed: a file in a directory that exists and is writable",
            host.Fault);
        Assert.Empty(await RowsAsync(run));
    }

    [Fact]
    public async Task Run_LinkToADevice_IsRefused()
    {
        File.CreateSymbolicLink($"{_folder}/link", "/dev/null");

        Assert.Equal(
            ExitCode.Usage, await InAirflow("device").With("SALES_RESULT_PATH", $"{_folder}/link").RunJobAsync((_, _) => Nothing()));
    }

    [Fact]
    public async Task Run_ResultPathIsALink_ReplacesItsTarget()
    {
        await File.WriteAllTextAsync($"{_folder}/target", "the last run's result, longer than this one's: " + new string('x', 1000), Token);
        File.CreateSymbolicLink($"{_folder}/link", $"{_folder}/target");
        var host = InAirflow("link").With("SALES_RESULT_PATH", $"{_folder}/link");

        Assert.Equal(ExitCode.Done, await host.RunJobAsync((_, _) => Nothing()));

        Assert.Equal(host.Output.TrimEnd('\n'), await File.ReadAllTextAsync($"{_folder}/target", Token));
        Assert.Equal(["link", "target"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Run_ResultPathGoneAfterTheWork_AsksForARetry()
    {
        var folder = Directory.CreateDirectory($"{_folder}/gone").FullName;
        var host = InAirflow("gone").With("SALES_RESULT_PATH", $"{folder}/result.json");

        Assert.Equal(
            ExitCode.TemporaryFailure,
            await host.RunJobAsync((_, _) =>
            {
                Directory.Delete(folder);
                return Task.FromResult(new JobResult(new Dictionary<string, long> { ["changed"] = 5 }));
            }));

        Assert.StartsWith("SALES_RESULT_PATH: the work is done, but its result cannot be written to", host.Fault, StringComparison.Ordinal);
        Assert.Equal(5, host.Result.GetProperty("counts").GetProperty("changed").GetInt32());
        Assert.Equal(("retry", 75), (await RowsAsync("gone")).Select(r => ((string)r["status"]!, (int)r["exit_code"]!)).Single());
    }

    [Fact]
    public async Task Run_StdoutFull_AsksForARetry()
    {
        var host = new TestHost(database) { Out = new BrokenWriter() };

        Assert.Equal(ExitCode.TemporaryFailure, await host.RunJobAsync((_, _) => Nothing()));

        Assert.Contains("stdout: the result cannot be written (No space left on device)", host.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    [InlineData(70)]
    public async Task Run_InKubernetes_WritesXComAndTheReasonOfAFailure(int exitCode)
    {
        await File.WriteAllTextAsync($"{_folder}/termination-log", "", Token);
        var xcom = Directory.CreateDirectory($"{_folder}/xcom").FullName;
        var host = new TestHost(database) { XComDirectory = xcom, TerminationLog = $"{_folder}/termination-log" };
        (string, string)[] flags = exitCode == 64 ? [("max_leads_per_run", "many"), ("shard", "all")] : [];

        Assert.Equal(
            (ExitCode)exitCode, await host.RunJobAsync((_, _) => exitCode == 0 ? Nothing() : throw new InvalidOperationException(), flags));

        Assert.Equal(host.Output.TrimEnd('\n'), await File.ReadAllTextAsync($"{xcom}/return.json", Token));
        Assert.Single(Directory.GetFiles(xcom));
        var reason = await File.ReadAllTextAsync($"{_folder}/termination-log", Token);
        Assert.Equal(exitCode == 0 ? "" : host.Fault.Replace('\n', ' '), reason);
    }

    [Fact]
    public async Task Run_AsOf_WorksAtThatInstantAndSaysSo()
    {
        var host = InAirflow("as of");
        DateTimeOffset? inDatabase = null;

        await host.RunJobAsync(
            async (context, token) =>
            {
                Assert.Equal(DateTimeOffset.UnixEpoch.AddYears(50), context.AsOf);
                inDatabase = await context.Database.InTransactionAsync(
                    async (connection, _, inner) =>
                    {
                        await using var command = new NpgsqlCommand("SELECT sales_now()", connection);
                        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(inner))!);
                    },
                    token);
                return await Nothing();
            },
            ("as_of", "2020-01-01T01:00:00+01:00"));

        Assert.Equal(DateTimeOffset.UnixEpoch.AddYears(50), inDatabase);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddYears(50).UtcDateTime, Assert.Single(await RowsAsync("as of"))["as_of"]);
    }

    [Fact]
    public async Task Run_UsageFault_NeverConnects()
    {
        var host = new TestHost().With("AIRFLOW_CONN_SALES_POSTGRES", "postgres://u:p@192.0.2.1:5432/never?connect_timeout=60");

        Assert.Equal(ExitCode.Usage, await host.RunJobAsync((_, _) => Nothing(), ("shard", "2/2")));
    }

    private TestHost InAirflow(string run) => new TestHost(database)
        .With("SALES_DAG_ID", "the_dag").With("SALES_TASK_ID", "the_task").With("SALES_RUN_ID", run)
        .With("SALES_MAP_INDEX", "7").With("SALES_TRY_NUMBER", "2");

    private Task<List<Dictionary<string, object?>>> RowsAsync(string run) =>
        database.RowsAsync("SELECT * FROM task_runs WHERE run_id = @run ORDER BY id", ("run", run));

    private Task WaitsForLockAsync() => Eventually.HoldsAsync("somebody waits for a lock", async () => await WaitingAsync("task_runs") > 0);

    private async Task<long> WaitingAsync(string fragment) => await database.ScalarAsync<long>(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || @fragment || '%'
        """,
        ("fragment", fragment));

    private static Task LogsAsync(TestHost host, string fragment) =>
        Eventually.HoldsAsync($"'{fragment}' is logged", () => Task.FromResult(host.Errors.Contains(fragment, StringComparison.Ordinal)));

    private static Task<JobResult> Nothing() => Task.FromResult(new JobResult(new Dictionary<string, long>()));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("No space left on device");
    }
}
