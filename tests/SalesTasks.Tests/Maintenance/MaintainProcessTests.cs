using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Maintenance;

/// <summary><c>db maintain</c> as a process: killed, stopped, twice at once, as a role that owns nothing.</summary>
public sealed class MaintainProcessTests(PostgresServer server)
{
    private static readonly string[] s_command = ["db", "maintain", "--score-history-months", "6"];

    [Fact]
    public async Task Maintain_KilledAtRandomInstants_CompletesInTheEnd()
    {
        TimeSpan usual;
        await using (var rehearsal = await HistoryOfYearsAsync())
        {
            usual = (await ProgramRunner.For(rehearsal).RunAsync(s_command)).ShouldExitWith(ExitCode.Done).Duration;
        }

        await using var database = await HistoryOfYearsAsync();
        await KillHarness.RunAsync(
            () => ProgramRunner.For(database).Start(s_command),
            usual,
            kills: 3,
            seed: 1,
            invariant: () => KeptAsync(database),
            // Whatever month is there is whole, and what is to be kept is there.
            always: async () => Assert.Equal(7, await KeptMonthsAsync(database)));
    }

    [Fact]
    public async Task Maintain_TwiceAtOnce_DoesItOnce()
    {
        await using var database = await HistoryOfYearsAsync();

        var results = await TwoRunners.RunAsync(() => ProgramRunner.For(database).Start(s_command), () => KeptAsync(database));

        Assert.Equal(18, results.Sum(result => result.Result.GetProperty("counts").GetProperty("partitions_dropped").GetInt64()));
    }

    [Fact]
    public async Task Maintain_AskedToStopWhileItWaits_EndsWith143AndChangesNothing()
    {
        await using var database = await HistoryOfYearsAsync();
        await using var other = await database.OpenConnectionAsync();
        await using var held = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var writing = other.CreateCommand();
        writing.CommandText = "LOCK TABLE lead_scores IN ROW EXCLUSIVE MODE";
        await writing.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var program = ProgramRunner.For(database).Start([.. s_command, "--lock-timeout-seconds", "60"]);
        await Eventually.HoldsAsync("it waits for the lock", () => database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name LIKE '%db maintain')"));
        await program.TerminateAsync();

        (await program.Completion).ShouldExitWith(ExitCode.Stopped);
        Assert.Equal(25, await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_history"));
    }

    [Fact]
    public async Task Maintain_AsARoleThatOwnsNothing_DoesWhatItMayAndSaysWhatNot()
    {
        await using var database = await HistoryOfYearsAsync();
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync(
            $"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}; GRANT INSERT, UPDATE, DELETE ON task_runs, outbox_messages TO {role.Name};"
            + $"GRANT USAGE ON SCHEMA public TO {role.Name}");
        var uri = $"postgres://{role.Name}:{role.Connection.Password}@{role.Connection.Host}:{role.Connection.Port}/{role.Connection.Database}";

        var result = await ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", uri).RunAsync(s_command);

        result.ShouldExitWith(ExitCode.Done);
        var counts = result.Result.GetProperty("counts");
        Assert.Equal(
            (true, 0, 0),
            (counts.GetProperty("partitions_created").GetInt64() > 0, counts.GetProperty("partitions_dropped").GetInt64(), counts.GetProperty("metrics_refreshed").GetInt64()));
        Assert.Contains(
            "refresh mv_sales_metrics: only the schema's owner may", result.Result.GetProperty("details").GetProperty("skipped").GetString(), StringComparison.Ordinal);
    }

    /// <summary>A history row a month, the current one and 24 before it.</summary>
    private async Task<TestDatabase> HistoryOfYearsAsync()
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) VALUES ('lead-1', 'organic');
            INSERT INTO lead_score_history (lead_ext_id, score, calculated_at)
            SELECT 'lead-1', 50, (date_trunc('month', now() AT TIME ZONE 'UTC') - m * interval '1 month') AT TIME ZONE 'UTC' FROM generate_series(0, 24) m
            """);
        return database;
    }

    private static async Task KeptAsync(TestDatabase database)
    {
        Assert.Equal((7, 7), (await KeptMonthsAsync(database), await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_history")));
        await Sound.IsAsync(database);
    }

    private static Task<long> KeptMonthsAsync(TestDatabase database) => database.ScalarAsync<long>(
        """
        SELECT count(*) FROM lead_score_history
        WHERE calculated_at >= (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '6 months') AT TIME ZONE 'UTC'
        """);
}
