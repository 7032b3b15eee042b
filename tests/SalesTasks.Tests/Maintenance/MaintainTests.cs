using System.Text.Json;
using Npgsql;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Maintenance;

/// <summary><c>db maintain</c>: what it makes, what it removes where retention is set, and that nobody waits for it.</summary>
public sealed class MaintainTests(PostgresServer server)
{
    private static readonly DateTimeOffset Now = new(2026, 3, 18, 10, 0, 0, TimeSpan.Zero);

    private const string Partitions =
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'lead_scores'::regclass ORDER BY 1";

    [Fact]
    public async Task Maintain_MonthsAhead_HavePartitionsOnce()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var later = Now.AddYears(10);

        var first = await RunAsync(database, later);
        var second = await RunAsync(database, later);

        Assert.Equal((4, 0), (Count(first, "partitions_created"), Count(second, "partitions_created")));
        var partitions = await PartitionsAsync(database);
        Assert.Subset(partitions.ToHashSet(), new HashSet<string> { "lead_scores_203603", "lead_scores_203604", "lead_scores_203605", "lead_scores_203606" });
        Assert.DoesNotContain("lead_scores_203607", partitions);
    }

    [Fact]
    public async Task Maintain_RowsInTheDefaultPartition_MoveToTheirMonths()
    {
        await using var database = await FilledAsync();
        var history = await HistoryAsync(database);
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores_default") > 0);

        await RunAsync(database, Now);

        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores_default"));
        Assert.Equal(history, await HistoryAsync(database));
        Assert.Contains("lead_scores_202401", await PartitionsAsync(database));
        await Sound.IsAsync(database, Now);
    }

    [Fact]
    public async Task Maintain_WithoutRetention_RemovesNothing()
    {
        await using var database = await FilledAsync();
        await RunAsync(database, Now);
        var before = await database.FingerprintAsync("task_runs");

        var counts = await RunAsync(database, Now);

        Assert.Equal((0, 0, 0), (Count(counts, "partitions_dropped"), Count(counts, "task_runs_deleted"), Count(counts, "payloads_cleared")));
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Maintain_WithRetention_RemovesWhatIsOlderAndNothingElse()
    {
        await using var database = await FilledAsync();

        var first = await RunAsync(database, Now, Retention);
        var after = await database.FingerprintAsync("task_runs");
        var second = await RunAsync(database, Now, Retention);

        // One history row a month, from January 2024 to March 2026: twelve months before the current one stay.
        Assert.Equal(["2025-03", "2026-03", "13"], await database.QueryAsync(
            """
            SELECT unnest(ARRAY[to_char(min(calculated_at AT TIME ZONE 'UTC'), 'YYYY-MM'), to_char(max(calculated_at AT TIME ZONE 'UTC'), 'YYYY-MM'), count(*)::text])
            FROM lead_score_history
            """,
            row => row.GetString(0)));
        Assert.Equal((14, 0), (Count(first, "partitions_dropped"), Count(second, "partitions_dropped")));
        // Tries of 40, 20 and 10 days ago: the oldest goes, and of the command that ran once, the one try stays.
        Assert.Equal((1, 0), (Count(first, "task_runs_deleted"), Count(second, "task_runs_deleted")));
        Assert.Equal(
            ["leads import 400", "scoring score 10", "scoring score 20"],
            await database.QueryAsync(
                "SELECT command || ' ' || extract(day FROM @now - started_at) FROM task_runs WHERE started_by = 'test' ORDER BY 1",
                row => row.GetString(0),
                ("now", Now)));
        Assert.Equal((2, 0), (Count(first, "payloads_cleared"), Count(second, "payloads_cleared")));
        Assert.Equal(
            ["cancelled-old {} ", "dead-old {\"text\": \"x\"} a@b.example", "pending-old {\"text\": \"x\"} a@b.example", "sent-new {\"text\": \"x\"} a@b.example", "sent-old {} "],
            await database.QueryAsync(
                "SELECT concat_ws(' ', idempotency_key, payload, coalesce(recipient, '')) FROM outbox_messages ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(after, await database.FingerprintAsync("task_runs"));
        await Sound.IsAsync(database, Now);
    }

    [Fact]
    public async Task Maintain_StaleMetrics_AreFresh()
    {
        await using var database = await FilledAsync();
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM mv_sales_metrics"));

        await RunAsync(database, Now);
        Assert.Equal(new DateOnly(2026, 3, 18), await database.ScalarAsync<DateOnly>("SELECT max(date) FROM mv_sales_metrics"));

        // Emptied by hand it cannot be refreshed beside its readers.
        await database.ExecuteAsync("REFRESH MATERIALIZED VIEW mv_sales_metrics WITH NO DATA");
        Assert.Equal(1, Count(await RunAsync(database, Now), "metrics_refreshed"));
    }

    [Fact]
    public async Task Maintain_StaleStatistics_AreGathered()
    {
        await using var database = await FilledAsync();

        // A session tells the statistics what it changed when it ends, at the latest.
        var changed = new NpgsqlConnectionStringBuilder(database.Connection.ConnectionString) { Pooling = false };
        await using (var session = new NpgsqlConnection(changed.ConnectionString))
        {
            await session.OpenAsync(TestContext.Current.CancellationToken);
            await using var change = session.CreateCommand();
            change.CommandText = "UPDATE leads SET first_name = 'Ana'; UPDATE lead_scores SET bot_events = 0";
            await change.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        await Eventually.HoldsAsync("the changes are known", () => database.ScalarAsync<bool>(
            "SELECT count(*) = 2 FROM pg_stat_user_tables WHERE relname IN ('leads', 'lead_scores_default') AND n_live_tup > 0"));

        Assert.True(Count(await RunAsync(database, Now), "tables_analyzed") > 1);

        Assert.NotNull(await database.ScalarAsync<DateTime?>("SELECT last_analyze FROM pg_stat_user_tables WHERE relname = 'leads'"));
        Assert.True(await database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_statistic WHERE starelid = 'lead_scores'::regclass AND stainherit)"));
    }

    [Fact]
    public async Task Maintain_DryRun_CountsAndWritesNothing()
    {
        await using var database = await FilledAsync();
        var before = await database.FingerprintAsync();
        var partitions = await PartitionsAsync(database);

        // Before anything is moved, the old months are not yet partitions of their own.
        var counts = await RunAsync(database, Now, [.. Retention, "--dry-run"]);

        Assert.True(Count(counts, "partitions_created") >= 26);
        Assert.Equal((1, 2, 1), (Count(counts, "task_runs_deleted"), Count(counts, "payloads_cleared"), Count(counts, "metrics_refreshed")));
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Equal(partitions, await PartitionsAsync(database));
    }

    [Fact]
    public async Task Maintain_WhatOthersHold_IsLeftForTheNextRun()
    {
        await using var database = await FilledAsync();
        await using (var other = await database.OpenConnectionAsync())
        await using (var held = await other.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            await using var reading = other.CreateCommand();
            reading.CommandText = "SELECT count(*) FROM lead_scores";
            await reading.ExecuteScalarAsync(TestContext.Current.CancellationToken);

            var result = await ProgramRunner.For(database).RunAsync(
                "db", "maintain", "--as-of", "2036-03-18T10:00:00Z", "--score-history-months", "1", "--lock-timeout-seconds", "1");

            result.ShouldExitWith(ExitCode.Done);
            // The open transaction has read the whole history: its partitions stay as they are, each kind of change is tried once; all the rest is done.
            var counts = result.Result.GetProperty("counts");
            Assert.Equal((0, 0, 2), (Count(counts, "partitions_created"), Count(counts, "partitions_dropped"), Count(counts, "skipped")));
            Assert.Equal(1, Count(counts, "metrics_refreshed"));
            Assert.Contains("locked by others", result.Result.GetProperty("details").GetProperty("skipped").GetString(), StringComparison.Ordinal);
        }
    }

    private static string[] Retention => ["--score-history-months", "12", "--task-runs-days", "30", "--outbox-payload-days", "30"];

    private static async Task<JsonElement> RunAsync(TestDatabase database, DateTimeOffset asOf, params string[] flags)
    {
        var host = new TestHost(database);
        var exitCode = await host.RunAsync(["db", "maintain", "--as-of", asOf.ToString("O"), .. flags]);
        Assert.True(exitCode is ExitCode.Done, host.Output + host.Errors);
        return host.Result.GetProperty("counts");
    }

    private static long Count(JsonElement counts, string name) => counts.GetProperty(name).GetInt64();

    private static Task<List<string>> PartitionsAsync(TestDatabase database) => database.QueryAsync(Partitions, row => row.GetString(0));

    private static Task<string?> HistoryAsync(TestDatabase database) =>
        database.ScalarAsync<string>("SELECT string_agg(h::text, chr(10) ORDER BY calculated_at, id) FROM lead_score_history h");

    /// <summary>A history row a month since 2024, deals, tries of jobs, messages.</summary>
    private async Task<TestDatabase> FilledAsync()
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, created_at) VALUES ('lead-1', 'organic', 'a@b.example', '2024-01-01');
            INSERT INTO lead_score_history (lead_ext_id, score, calculated_at)
            SELECT 'lead-1', 50, m + interval '5 days' FROM generate_series('2024-01-01Z'::timestamptz, '2026-03-01Z'::timestamptz, '1 month') m;
            INSERT INTO sales_pipeline (lead_ext_id, email, qualified_at) VALUES ('lead-1', 'a@b.example', '2026-01-10');
            INSERT INTO task_runs (command, started_by, started_at, heartbeat_at, finished_at, status, exit_code)
            SELECT command, 'test', @now - days * interval '1 day', @now, @now - days * interval '1 day', 'succeeded', 0
            FROM (VALUES ('scoring score', 40), ('scoring score', 20), ('scoring score', 10), ('leads import', 400)) AS t (command, days);
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, recipient, payload, status, attempts, sent_at, finished_at)
            SELECT key, 'email', 'alert', 'a@b.example', '{"text": "x"}', status, 1, CASE status WHEN 'sent' THEN at END, CASE WHEN status <> 'pending' THEN at END
            FROM (VALUES ('sent-old', 'sent', @now - interval '31 days'), ('sent-new', 'sent', @now - interval '29 days'),
              ('cancelled-old', 'cancelled', @now - interval '31 days'), ('dead-old', 'dead', @now - interval '31 days'),
              ('pending-old', 'pending', @now)) AS t (key, status, at)
            """,
            ("now", Now));
        return database;
    }
}
