using System.Net;
using System.Net.Sockets;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

/// <summary>SIGTERM and outages in the middle of work: the next try goes on, and the end is as if nothing had happened.</summary>
public sealed class StopTests(PostgresServer server)
{
    private const string AsOf = "2026-01-31T06:00:00Z";

    /// <summary>Docker kills ten seconds after SIGTERM.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(8);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Score_TerminatedInTheMiddle_KeepsWhatWasCommittedAndTheNextTryGoesOn()
    {
        await using var interrupted = await SeededAsync(100_000);
        await using var undisturbed = await SeededAsync(100_000);

        var run = Score(interrupted, attempt: 1);
        await Eventually.HoldsAsync("the first chunk is committed", async () => await ScoredAsync(interrupted) > 0);
        var result = await TerminateAsync(run);

        Assert.Equal("stopped", result.Result.GetProperty("status").GetString());
        Assert.Equal(143, result.Result.GetProperty("exit_code").GetInt32());
        Assert.InRange(await ScoredAsync(interrupted), 1, 99_999);
        Assert.Equal(
            0,
            await interrupted.ScalarAsync<long>(
                """
                SELECT count(*) FROM leads l JOIN scoring_blocks b ON b.block = l.lead_id >> 15
                WHERE (l.score IS NOT NULL) <> (l.lead_id <= b.scored_through)
                """));
        await NobodyIsLeftAsync(interrupted);

        (await Score(interrupted, attempt: 2).Completion).ShouldExitWith(ExitCode.Done);
        (await Score(undisturbed, attempt: 1).Completion).ShouldExitWith(ExitCode.Done);
        Assert.Equal(await StateAsync(undisturbed), await StateAsync(interrupted));
        Assert.Equal(
            ["1 stopped 143", "2 succeeded 0"],
            await interrupted.QueryAsync(
                "SELECT concat_ws(' ', try_number, status, exit_code) FROM task_runs ORDER BY id", reader => reader.GetString(0)));
    }

    [Fact]
    public async Task Score_TerminatedWhileWaitingForALock_StopsAtOnce()
    {
        await using var database = await SeededAsync(40_000);
        (await Score(database, attempt: 1, "--max-leads-per-run", "10").Completion).ShouldExitWith(ExitCode.Done);
        await using var other = await database.OpenConnectionAsync();
        await using var block = await other.BeginTransactionAsync(Token);
        await ExecuteAsync(other, "SELECT FROM scoring_blocks WHERE block = 1 FOR UPDATE");

        var run = Score(database, attempt: 2);
        await WaitsForLockAsync(database, run);
        var result = await TerminateAsync(run);

        Assert.Equal("stopped", result.Result.GetProperty("status").GetString());
        await NobodyIsLeftAsync(database, except: other.ProcessID);
        // The whole first block was committed, nothing of the second.
        Assert.Equal(32_767, await ScoredAsync(database));
        await block.RollbackAsync(Token);
        (await Score(database, attempt: 3).Completion).ShouldExitWith(ExitCode.Done);
        Assert.Equal(40_000, await ScoredAsync(database));
    }

    /// <summary>A commit is not cancelled, since its outcome would be unknown: the process leaves it to the server.</summary>
    [Fact]
    public async Task Score_TerminatedWhileACommitHangs_EndsInTimeAndSaysSo()
    {
        await using var database = await SeededAsync(10);
        await database.ExecuteAsync(
            """
            CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER hang AFTER UPDATE ON scoring_blocks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hang()
            """);
        await using var other = await database.OpenConnectionAsync();
        await using var block = await other.BeginTransactionAsync(Token);
        await ExecuteAsync(other, "SELECT pg_advisory_xact_lock(1)");

        var run = Score(database, attempt: 1);
        await WaitsForLockAsync(database, run);
        var result = await TerminateAsync(run);

        Assert.Contains("the current batch did not end in time", result.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Single(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("the current batch did not end in time", result.Errors, StringComparison.Ordinal);
        await block.RollbackAsync(Token);
        (await Score(database, attempt: 2).Completion).ShouldExitWith(ExitCode.Done);
        Assert.Equal(10, await ScoredAsync(database));
    }

    [Fact]
    public async Task Score_TerminatedWhileConnecting_StopsAtOnce()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var run = ProgramRunner.Bare
            .With("AIRFLOW_CONN_SALES_POSTGRES", $"postgres://u:p@127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/d?connect_timeout=60")
            .Start("scoring", "score");
        using var client = await silent.AcceptTcpClientAsync(Token);

        Assert.Equal("stopped", (await TerminateAsync(run)).Result.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Migrate_TerminatedWhileAnotherMigrates_StopsAtOnce()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        await using var other = await database.OpenConnectionAsync();
        await using var block = await other.BeginTransactionAsync(Token);
        await ExecuteAsync(other, "SELECT pg_advisory_xact_lock(hashtextextended('salestasks.migrate.public', 0))");

        var run = ProgramRunner.For(database).Start("db", "migrate");
        await WaitsForLockAsync(database, run);

        Assert.Equal("stopped\n", (await TerminateAsync(run)).Errors);
        await NobodyIsLeftAsync(database, except: other.ProcessID);
    }

    [Fact]
    public async Task Score_ServerRestartedInTheMiddle_IsTemporaryAndTheNextTryGoesOn()
    {
        await using var own = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = false }, Token);
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(own.Connection.ConnectionString) { Pooling = false });
        await using (var sales = new SalesDatabase(own.Connection, new SalesDatabaseOptions(), TimeProvider.System))
        {
            await new Migrator(sales, TimeProvider.System).MigrateAsync(Token);
        }

        await ExecuteAsync(source, SeedSql(100_000));
        var connection = own.Connection;
        var program = ProgramRunner.Bare.With(
            "AIRFLOW_CONN_SALES_POSTGRES",
            $"postgres://{connection.Username}:{connection.Password}@{connection.Host}:{connection.Port}/{connection.Database}");

        var run = program.Start("scoring", "score", "--as-of", AsOf);
        await Eventually.HoldsAsync("the first chunk is committed", async () => await CountAsync("SELECT count(score) FROM leads") > 0);
        await own.StopAsync(StopMode.Fast, Token);
        var result = (await run.Completion).ShouldExitWith(ExitCode.TemporaryFailure);
        await own.StartAgainAsync(Token);
        var committed = await CountAsync("SELECT count(score) FROM leads");

        Assert.Equal("failed", result.Result.GetProperty("status").GetString());
        Assert.InRange(committed, 1, 99_999);
        var next = (await program.RunAsync("scoring", "score", "--as-of", AsOf)).ShouldExitWith(ExitCode.Done);
        Assert.Equal(100_000 - committed, next.Result.GetProperty("counts").GetProperty("first_scored").GetInt64());
        Assert.Equal(100_000, await CountAsync("SELECT count(score) FROM leads"));
        Assert.Equal(100_000, await CountAsync("SELECT count(*) FROM lead_scores"));
        Assert.Equal(0, await CountAsync($"SELECT count(*) FROM lead_score_due WHERE due_at <= '{AsOf}'"));

        async Task<long> CountAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync(Token))!;
        }
    }

    private static RunningProgram Score(TestDatabase database, int attempt, params string[] arguments) => ProgramRunner.For(database)
        .With("SALES_DAG_ID", "lead_scoring_automation").With("SALES_TASK_ID", "score").With("SALES_RUN_ID", "one")
        .With("SALES_TRY_NUMBER", $"{attempt}")
        .Start(["scoring", "score", "--as-of", AsOf, .. arguments]);

    /// <summary>Sends SIGTERM and returns what the program left, within Docker's patience.</summary>
    private static async Task<ProgramResult> TerminateAsync(RunningProgram run)
    {
        var asked = TimeProvider.System.GetTimestamp();
        await run.TerminateAsync();
        var result = (await run.Completion).ShouldExitWith(ExitCode.Stopped);
        Assert.InRange(TimeProvider.System.GetElapsedTime(asked), TimeSpan.Zero, s_limit);
        return result;
    }

    private async Task<TestDatabase> SeededAsync(int leads)
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync(SeedSql(leads));
        return database;
    }

    /// <summary>Without ANALYZE, as an import leaves them.</summary>
    private static string SeedSql(int leads) =>
        $"""
        INSERT INTO leads (ext_id, source, email, first_name, created_at)
        SELECT
          'lead ' || n, (ARRAY['organic', 'paid social', 'referral', 'other'])[1 + n % 4],
          CASE WHEN n % 5 > 0 THEN n || '@acme.example' END, 'Ana', timestamptz '{AsOf}' - n % 60 * interval '1 day'
        FROM generate_series(1, {leads}) AS n
        """;

    private static Task<long> ScoredAsync(TestDatabase database) => database.ScalarAsync<long>("SELECT count(score) FROM leads");

    /// <summary>Everything scoring writes, less the numbers of rows, which have gaps where a transaction was rolled back.</summary>
    private static Task<string?> StateAsync(TestDatabase database) => database.ScalarAsync<string>(
        """
        SELECT concat_ws(' | ',
          (SELECT md5(string_agg(concat_ws(',', lead_id, score, priority, updated_at), ';' ORDER BY lead_id)) FROM leads),
          (SELECT count(*) || ' ' || md5(string_agg((to_jsonb(s) - 'id')::text, ';' ORDER BY lead_id, calculated_at)) FROM lead_scores s),
          (SELECT string_agg(b::text, ';' ORDER BY block) FROM scoring_blocks b),
          (SELECT md5(string_agg(concat_ws(',', lead_id, due_at), ';' ORDER BY lead_id, due_at)) FROM lead_score_due))
        """);

    private static async Task WaitsForLockAsync(TestDatabase database, RunningProgram run)
    {
        await Eventually.HoldsAsync(
            "the program waits for a lock",
            async () => run.Completion.IsCompleted || await database.ScalarAsync<long>(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0);
        if (run.Completion.IsCompleted)
        {
            Assert.Fail($"The program ended without waiting for the lock. {await run.Completion}");
        }
    }

    /// <summary>No session of the program is left, so neither is a lock.</summary>
    private static Task NobodyIsLeftAsync(TestDatabase database, int except = 0) => Eventually.HoldsAsync(
        "the program's sessions are gone",
        async () => await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name LIKE 'sales-tasks%' AND pid NOT IN (pg_backend_pid(), @except)
            """,
            ("except", except)) == 0);

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}
