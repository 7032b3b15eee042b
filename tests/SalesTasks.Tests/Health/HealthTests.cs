using System.Text.Json;
using SalesTasks.Database;
using SalesTasks.Health;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Health;

/// <summary><c>health</c>: what it finds, its exit codes, and the tries that were killed.</summary>
public sealed class HealthTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await database.ExecuteAsync(
        "TRUNCATE leads, sales_campaigns, sales_reps, outbox_messages, task_runs, ml_models, backups CASCADE");

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Each check, a state of the database, and what it makes of it.</summary>
    public static TheoryData<string, string, string, string> Situations => new()
    {
        { "recent_leads", "", "healthy", "there are no leads yet" },
        { "recent_leads", Lead("now() - interval '6 days'"), "healthy", "0 in 24 h, 1 in 7 d" },
        { "recent_leads", Lead("now() - interval '8 days'"), "degraded", "0 in 24 h, 0 in 7 d" },
        { "recent_leads", Lead("now() - interval '31 days'"), "critical", "0 in 7 d" },
        { "scoring", Lead("now() - interval '11 hours'"), "healthy", "1 leads without a score" },
        { "scoring", Lead("now() - interval '13 hours'"), "degraded", "1 leads without a score" },
        { "scoring", Lead("now() - interval '3 days'"), "critical", "1 leads without a score" },
        { "scoring", Lead("now() - interval '3 days'") + "UPDATE leads SET score = 1", "healthy", "0 leads without a score" },
        { "unassigned", Deals(20, "now() - interval '5 hours'"), "healthy", "0 of 20" },
        { "unassigned", Deals(9, "now() - interval '7 hours'"), "degraded", "9 of 9" },
        { "unassigned", Deals(10, "now() - interval '7 hours'"), "critical", "10 of 10" },
        { "overdue_tasks", Tasks(9, 0), "healthy", "9 of 9 open tasks" },
        { "overdue_tasks", Tasks(10, 31), "healthy", "10 of 41 open tasks" },
        { "overdue_tasks", Tasks(10, 30), "degraded", "10 of 40 open tasks" },
        { "overdue_tasks", Tasks(10, 10), "critical", "10 of 20 open tasks" },
        { "campaigns", Execution("now() + interval '1 hour'"), "healthy", "1 enabled, 1 leads in them" },
        { "due_actions", Execution("now() + interval '1 hour'"), "healthy", "0 due" },
        { "due_actions", Execution("now() - interval '3 hours'"), "healthy", "1 due, 0 of them" },
        { "due_actions", Execution("now() - interval '5 hours'"), "degraded", "1 due, 1 of them" },
        { "due_actions", Execution("now() - interval '25 hours'"), "critical", "1 due, 1 of them" },
        { "due_actions", Execution("now() - interval '25 hours'") + "UPDATE sales_campaigns SET enabled = false", "healthy", "0 due" },
        { "outbox", "", "healthy", "nothing waits" },
        { "outbox", Message("pending", "now() - interval '3 hours'"), "healthy", "1 due, the oldest for 3 h" },
        { "outbox", Message("pending", "now() - interval '5 hours'"), "degraded", "1 due, the oldest for 5 h" },
        { "outbox", Message("pending", "now() - interval '25 hours'"), "critical", "1 due, the oldest for 25 h" },
        { "outbox", Message("dead", "now()"), "degraded", "0 in doubt, 1 refused" },
        { "model", "", "healthy", "none is published" },
        { "model", Model("now() - interval '30 days 1 hour'"), "degraded", "(prior), trained 30 d ago" },
        { "model", Model("now() - interval '91 days'"), "critical", "trained 91 d ago" },
        { "model", Model("now() - interval '2 days'"), "healthy", "trained 2 d ago" },
        { "backup", "", "healthy", "none was made" },
        { "backup", Backup("now() - interval '49 hours'", "now() - interval '20 days'"), "healthy", "49 h old; last verified 20 d ago" },
        { "backup", Backup("now() - interval '51 hours'", "now() - interval '20 days'"), "degraded", "51 h old" },
        { "backup", Backup("now() - interval '8 days'", "now() - interval '8 days'"), "critical", "192 h old" },
        { "backup", Backup("now() - interval '1 hour'", "NULL"), "healthy", "none was verified yet" },
        { "backup", Backup("now() - interval '1 hour'", "now() - interval '36 days'"), "degraded", "last verified 36 d ago" },
        { "jobs", "", "healthy", "never ran" },
        { "jobs", Run("succeeded", "now() - interval '1 hour'"), "healthy", "done, started" },
        { "jobs", Run("running", "now() - interval '1 minute'"), "healthy", "running since" },
        { "jobs", Run("running", "now() - interval '6 minutes'"), "critical", "the process of scoring score was lost" },
        { "jobs", Run("succeeded", "now() - interval '1 hour 5 minutes'") + Run("failed", "now() - interval '1 hour'"), "degraded", "scoring score failed" },
        { "jobs", Run("failed", "now() - interval '1 hour'"), "critical", "scoring score failed" },
        { "jobs", Run("succeeded", "now() - interval '13 hours'"), "degraded", "expected every 6 h" },
        { "jobs", Run("succeeded", "now() - interval '25 hours'"), "critical", "expected every 6 h" },
    };

    [Theory]
    [MemberData(nameof(Situations))]
    public async Task Check_OfASituation_Judges(string check, string situation, string status, string text)
    {
        if (situation.Length > 0)
        {
            await database.ExecuteAsync(situation);
        }

        var (exitCode, json) = await RunAsync();

        var found = json.GetProperty("checks").EnumerateArray()
            .Single(c => c.GetProperty("check").GetString() == check && (check != "jobs" || c.GetProperty("subject").GetString() == "lead_scoring_automation"));
        Assert.Equal(status, found.GetProperty("status").GetString());
        Assert.Contains(text, found.GetProperty("text").GetString(), StringComparison.Ordinal);
        var worst = json.GetProperty("checks").EnumerateArray().Max(c => Code(c.GetProperty("status").GetString()!));
        Assert.Equal((worst, worst), (exitCode, Code(json.GetProperty("status").GetString()!)));
    }

    [Fact]
    public async Task Fresh_Installation_IsHealthyInBothLanguages()
    {
        var english = new TestHost(database);
        Assert.Equal(ExitCode.Done, await english.RunAsync("health"));
        Assert.EndsWith("healthy\n", english.Output, StringComparison.Ordinal);
        Assert.Contains("sales_alerts_intelligent", english.Output, StringComparison.Ordinal);

        var spanish = new TestHost(database);
        Assert.Equal(ExitCode.Done, await spanish.RunAsync("health", "--lang", "es"));
        Assert.EndsWith("bien\n", spanish.Output, StringComparison.Ordinal);
        Assert.Contains("nunca se ejecutó", spanish.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_OutOfReach_IsCriticalWithTheReason()
    {
        var gone = new TestHost().With("AIRFLOW_CONN_SALES_POSTGRES", "postgres://u:secret@127.0.0.1:1/none");
        Assert.Equal(ExitCode.Critical, await gone.RunAsync("health", "--json"));
        var check = Assert.Single(gone.Result.GetProperty("checks").EnumerateArray().ToList());
        Assert.Equal(("database", "critical"), (check.GetProperty("check").GetString(), check.GetProperty("status").GetString()));
        Assert.Contains("127.0.0.1:1", check.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", gone.Output + gone.Errors, StringComparison.Ordinal);

        var nowhere = new TestHost();
        Assert.Equal(ExitCode.Critical, await nowhere.RunAsync("health"));
        Assert.Contains("sales_postgres", nowhere.Output, StringComparison.Ordinal);

        await using var empty = await TestDatabase.CreateAsync(database.Server, migrated: false);
        var unmigrated = new TestHost(empty);
        Assert.Equal(ExitCode.Critical, await unmigrated.RunAsync("health"));
        Assert.Contains("db migrate", unmigrated.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, await new TestHost(database).RunAsync("health", "--verbose"));
    }

    [Fact]
    public void Checks_All_AreFilesAndTheOtherWayRound() => Assert.Equal(
        Sql.All().Where(name => name.StartsWith("health/", StringComparison.Ordinal)),
        HealthCommand.Checks.Select(check => "health/" + check).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Try_ThatWasKilled_IsMarkedLostByTheNextJob()
    {
        var host = new TestHost(database);
        var now = host.Time.GetUtcNow();
        await database.ExecuteAsync(
            """
            INSERT INTO task_runs (command, run_id, started_at, heartbeat_at) VALUES
              ('scoring score', 'silent', @now - interval '1 hour', @now - interval '5 minutes 1 second'),
              ('scoring score', 'alive', @now - interval '1 hour', @now - interval '5 minutes')
            """,
            ("now", now));

        Assert.Equal(ExitCode.Done, await host.RunAsync("followup", "summarize", "--dry-run"));
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM task_runs WHERE status = 'running'"));
        Assert.Equal(ExitCode.Done, await host.RunAsync("followup", "summarize"));

        Assert.Equal(
            ["alive running", "silent lost"],
            await database.QueryAsync("SELECT run_id || ' ' || status FROM task_runs WHERE run_id IN ('silent', 'alive') ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(now.UtcDateTime, await database.ScalarAsync<DateTime>("SELECT finished_at FROM task_runs WHERE run_id = 'silent'"));
    }

    private static string Lead(string created) => $"INSERT INTO leads (ext_id, source, created_at) VALUES ('l', 'organic', {created});";

    private static string Deals(int count, string qualified) =>
        $"""
        INSERT INTO leads (ext_id, source, score) SELECT 'l' || i, 'organic', 50 FROM generate_series(1, {count}) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, qualified_at) SELECT 'l' || i, 'x@acme.example', {qualified} FROM generate_series(1, {count}) AS i;
        """;

    private static string Tasks(int overdue, int fine) => Deals(1, "now()") +
        $"""
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, due_date)
        SELECT p.id, p.lead_ext_id, 'call', 'x', now() + CASE WHEN i <= {overdue} THEN interval '-25 hours' ELSE interval '-23 hours' END
        FROM sales_pipeline p, generate_series(1, {overdue + fine}) AS i;
        """;

    private static string Execution(string due) => Deals(1, "now()") +
        $"""
        INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'nurturing');
        INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, next_action_at) SELECT id, 'l1', {due} FROM sales_campaigns;
        """;

    private static string Message(string status, string due) =>
        $"""
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, not_before, finished_at)
        VALUES ('k', 'slack', 'summary', '<>', '{status}', {due}, CASE WHEN '{status}' = 'dead' THEN now() END);
        """.Replace("<>", "{}", StringComparison.Ordinal);

    private static string Backup(string taken, string verified) =>
        $"INSERT INTO backups (name, taken_at, bytes, tables, rows, verified_at) VALUES ('20260131T023000Z', {taken}, 1, 1, 1, {verified});";

    private static string Model(string trained) =>
        $"""
        INSERT INTO ml_models (status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows,
          training_deals, won, lost, trained_at, published_at)
        VALUES ('published', 'r', 'prior', 1, 'v', 1, '', '', '[]', '[]', {trained}, {trained}, 1, 1, 1, 0, {trained}, {trained});
        """;

    private static string Run(string status, string started) =>
        $"""
        INSERT INTO task_runs (dag_id, task_id, run_id, command, status, started_at, heartbeat_at, finished_at)
        VALUES ('lead_scoring_automation', 'scoring_score', '{status}', 'scoring score', '{status}', {started}, {started},
          CASE WHEN '{status}' <> 'running' THEN {started} END);
        """;

    private static ExitCode Code(string status) => status switch
    {
        "critical" => ExitCode.Critical,
        "degraded" => ExitCode.Degraded,
        _ => ExitCode.Done,
    };

    private async Task<(ExitCode ExitCode, JsonElement Json)> RunAsync()
    {
        var host = new TestHost(database);
        return (await host.RunAsync("health", "--json"), host.Result);
    }
}
