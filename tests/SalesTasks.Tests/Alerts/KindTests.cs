using SalesTasks.Alerts;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>What each kind sees, from edge to edge.</summary>
public sealed class KindTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = AlertRig.T0;

    private readonly AlertRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Kinds_All_InsertTheirOwnNameAndHaveWordsInBothLanguages() => Assert.All(AlertKind.All, kind =>
    {
        Assert.Contains($"'{kind.Name}', ", Sql.Load(kind.Statement), StringComparison.Ordinal);
        var none = Json.Parse("{}");
        Assert.All([true, false], spanish => Assert.NotEmpty(AlertKind.Title(kind.Name, spanish) + AlertKind.Text(kind.Name, spanish, none)));
        Assert.NotEqual(AlertKind.Text(kind.Name, true, none), AlertKind.Text(kind.Name, false, none));
    });

    [Fact]
    public async Task HighValueLead_AtTheEdges_IsFound()
    {
        await _rig.AddQuietAsync("at", 7, "estimated_value = 10000");
        await _rig.AddQuietAsync("poor", 7, "estimated_value = 9999.99");
        await _rig.AddQuietAsync("critical", 14);
        await _rig.AddQuietAsync("unknown", 7, "estimated_value = NULL");
        await _rig.AddQuietAsync("soon", 6);
        await _rig.AddQuietAsync("won", 30, "estimated_value = 50000, stage = 'closed_won'");
        await _rig.AddDealAsync("never", "estimated_value = 20000, first_contact_at = NULL, last_contact_at = NULL, assigned_to = NULL");

        await _rig.EvaluateAsync(T0);

        Assert.Equal(
            [
                "high_value_lead critical critical open ana@sales.example", "high_value_lead never critical open", "high_value_lead at warning open ana@sales.example",
                "stale_lead poor info open ana@sales.example", "stale_lead unknown info open ana@sales.example",
            ],
            await _rig.AlertsAsync());
        var facts = Json.Parse((await database.ScalarAsync<string>("SELECT facts::text FROM alerts WHERE lead_ext_id = 'at'"))!);
        Assert.Equal("at: worth 10,000, no contact for 7 d, ana@sales.example", AlertKind.Text("high_value_lead", spanish: false, facts));
        Assert.Equal("at: valor 10.000, sin contacto desde hace 7 d, ana@sales.example", AlertKind.Text("high_value_lead", spanish: true, facts));
    }

    [Fact]
    public async Task OverdueTasks_ByTheirPriority_AreOneAlertADeal()
    {
        foreach (var (lead, priorities) in new[] { ("a", "urgent low"), ("b", "high high medium"), ("c", "low"), ("d", "urgent") })
        {
            var deal = await _rig.AddDealAsync(lead, lead == "d" ? "stage = 'closed_lost'" : "");
            foreach (var priority in priorities.Split(' '))
            {
                await AddTaskAsync(deal, priority, "pending", T0.AddHours(-30));
            }
        }

        var fine = await _rig.AddDealAsync("e");
        await AddTaskAsync(fine, "urgent", "pending", T0.AddHours(-23));
        await AddTaskAsync(fine, "urgent", "completed", T0.AddDays(-1));

        await _rig.EvaluateAsync(T0);

        Assert.Equal(
            [
                "overdue_tasks a critical open ana@sales.example", "overdue_tasks b warning open ana@sales.example", "overdue_tasks c info open ana@sales.example",
            ],
            await _rig.AlertsAsync());
        var facts = Json.Parse((await database.ScalarAsync<string>("SELECT facts::text FROM alerts WHERE lead_ext_id = 'b'"))!);
        Assert.Equal("b: 3 overdue (0 urgent, 2 high), the oldest for 1 d, ana@sales.example", AlertKind.Text("overdue_tasks", spanish: false, facts));
    }

    [Fact]
    public async Task HotLead_WithoutFirstContact_IsFoundAfterFourHours()
    {
        const string Fresh = "stage = 'qualified', first_contact_at = NULL, last_contact_at = NULL, score = 80, qualified_at = @t0 - interval '{0} hours'";
        await _rig.AddDealAsync("four", Fresh.Replace("{0}", "4", StringComparison.Ordinal));
        await _rig.AddDealAsync("day", Fresh.Replace("{0}", "24", StringComparison.Ordinal));
        await _rig.AddDealAsync("three", Fresh.Replace("{0}", "3", StringComparison.Ordinal));
        await _rig.AddDealAsync("cool", Fresh.Replace("80", "79", StringComparison.Ordinal).Replace("{0}", "5", StringComparison.Ordinal));

        await _rig.EvaluateAsync(T0);
        Assert.Equal(
            ["hot_lead_untouched day critical open ana@sales.example", "hot_lead_untouched four warning open ana@sales.example"], await _rig.AlertsAsync());

        await database.ExecuteAsync("UPDATE sales_pipeline SET first_contact_at = @at, last_contact_at = @at", ("at", T0));
        Assert.Equal(2, (await _rig.EvaluateAsync(T0.AddHours(2)))["resolved"]);
    }

    [Fact]
    public async Task OverloadedRep_AboveCapacity_LeavesBelowNineTenths()
    {
        await _rig.AddRepAsync("ana@sales.example", 10);
        await _rig.AddRepAsync("luis@sales.example", 2);
        await _rig.AddRepAsync("gone@sales.example", 0, active: false);
        for (var i = 0; i < 11; i++)
        {
            await _rig.AddDealAsync($"a{i}");
        }

        for (var i = 0; i < 3; i++)
        {
            await _rig.AddDealAsync($"l{i}", "assigned_to = 'luis@sales.example'");
        }

        await _rig.AddDealAsync("g", "assigned_to = 'gone@sales.example'");

        await _rig.EvaluateAsync(T0);
        Assert.Equal(
            [
                "overloaded_rep luis@sales.example critical open luis@sales.example", "overloaded_rep ana@sales.example warning open ana@sales.example",
            ],
            await _rig.AlertsAsync());
        // Nine deals are not yet fewer than nine tenths of ten.
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id IN ('a0', 'a1')");
        Assert.Equal(0, (await _rig.EvaluateAsync(T0.AddHours(2)))["resolved"]);
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'a2'");
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddHours(4)))["resolved"]);
    }

    [Fact]
    public async Task ConversionDrop_OfTheLastCompleteWeek_IsFoundAndEndsWithTheNext()
    {
        // T0 is a Wednesday: the last complete week begins on 9 March, the one before on 2 March. This week's deals do not count.
        await AddClosedAsync("before", new DateTimeOffset(2026, 3, 2, 0, 0, 0, TimeSpan.Zero), won: 80, lost: 120);
        await AddClosedAsync("after", new DateTimeOffset(2026, 3, 15, 23, 59, 0, TimeSpan.Zero), won: 50, lost: 150);
        await AddClosedAsync("now", new DateTimeOffset(2026, 3, 16, 0, 0, 0, TimeSpan.Zero), won: 90, lost: 10);

        await _rig.EvaluateAsync(T0);

        Assert.Equal(["conversion_drop week/2026-03-09 warning open"], await _rig.AlertsAsync());
        var facts = Json.Parse((await database.ScalarAsync<string>("SELECT facts::text FROM alerts"))!);
        Assert.Equal(
            "since 2026-03-09: 25 % of 200 closed deals won, before 40 % of 200: 15 points less", AlertKind.Text("conversion_drop", spanish: false, facts));
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddDays(7)))["resolved"]);
        Assert.Equal(0, (await _rig.EvaluateAsync(T0, "--conversion-period", "month"))["opened"]);
    }

    [Fact]
    public async Task Jobs_FailedLostAndLate_AreFoundAndEnd()
    {
        await AddRunAsync("lead_scoring_automation", "scoring score", "r1", "succeeded", T0.AddHours(-8));
        await AddRunAsync("lead_scoring_automation", "scoring qualify", "r1", "failed", T0.AddHours(-7));
        await AddRunAsync("lead_scoring_automation", "scoring score", "r2", "succeeded", T0.AddHours(-2));
        await AddRunAsync("lead_scoring_automation", "scoring qualify", "r2", "failed", T0.AddHours(-2));
        await AddRunAsync("lead_scoring_automation", "scoring qualify", "r2", "succeeded", T0.AddHours(-1));
        await AddRunAsync("sales_intelligent_routing", "routing assign", "r", "failed", T0.AddHours(-1));
        await AddRunAsync("sales_followup_automation", "campaigns advance", "r", "running", T0.AddMinutes(-20), beat: T0.AddMinutes(-6));
        await AddRunAsync("sales_ml_training", "ml train", "r", "running", T0.AddMinutes(-20), beat: T0.AddMinutes(-4));
        await AddRunAsync("sales_crm_sync", "crm push", "r", "retry", T0.AddMinutes(-59));
        await AddRunAsync("sales_maintenance", "db maintain", "r", "retry", T0.AddHours(-2));
        await AddRunAsync("sales_timing_optimizer", "timing apply", "r", "succeeded", T0.AddDays(-9));
        await AddRunAsync("manual", "scoring score", "r", "failed", T0.AddHours(-1));

        await _rig.EvaluateAsync(T0);

        Assert.Equal(
            [
                "job_failed sales_intelligent_routing critical open", "job_failed sales_maintenance critical open", "job_late sales_timing_optimizer warning open",
                "job_lost sales_followup_automation critical open",
            ],
            await _rig.AlertsAsync());
        await AddRunAsync("sales_intelligent_routing", "routing assign", "r", "succeeded", T0);
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddMinutes(1)))["resolved"]);
    }

    [Fact]
    public async Task Schedules_OfAllDags_AreKnown() => Assert.Empty(
        Commands.Dags.Select(dag => dag.Id).Except(await database.QueryAsync("SELECT dag_id FROM job_schedules", row => row.GetString(0))));

    [Fact]
    public async Task Outbox_StuckAndUnsettled_IsFound()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, not_before, finished_at) VALUES
              ('1', 'slack', 'summary', '{}', 'pending', @t0 - interval '4 hours 1 second', NULL),
              ('2', 'email', 'notice', '{}', 'pending', @t0 - interval '3 hours', NULL),
              ('3', 'email', 'notice', '{}', 'dead', @t0, @t0), ('4', 'email', 'notice', '{}', 'in_doubt', @t0, @t0),
              ('5', 'task', 'notice', '{}', 'pending', @t0 - interval '25 hours', NULL)
            """,
            ("t0", T0));

        await _rig.EvaluateAsync(T0);

        Assert.Equal(
            ["messages_unsettled email warning open", "outbox_stuck task critical open", "outbox_stuck slack warning open"], await _rig.AlertsAsync());
    }

    [Theory]
    [InlineData(30, null)]
    [InlineData(31, "warning")]
    [InlineData(91, "critical")]
    public async Task Model_OfThatAge_IsStale(int days, string? severity)
    {
        await AddModelAsync(T0.AddDays(-days));

        await _rig.EvaluateAsync(T0);

        Assert.Equal(severity is null ? [] : [$"model_stale win_probability {severity} open"], await _rig.AlertsAsync());
    }

    [Fact]
    public async Task ModelDrift_HighOnTheLastDay_IsFoundAndStaysWhileModerate()
    {
        await AddModelAsync(T0.AddDays(-1));
        await MeasureAsync(T0.AddDays(-1), "psi", "source", 0.1, "moderate");
        Assert.Equal(0, (await _rig.EvaluateAsync(T0.AddDays(-1)))["opened"]);
        await MeasureAsync(T0, "psi", "source", 0.3, "high");
        await MeasureAsync(T0, "psi", "stage", null, "unknown");
        await _rig.EvaluateAsync(T0);
        Assert.Equal(["model_drift win_probability warning open"], await _rig.AlertsAsync());

        await MeasureAsync(T0.AddDays(1), "calibration", "", 0.2, "high");
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddDays(1)))["escalated"]);
        await MeasureAsync(T0.AddDays(2), "calibration", "", 0.07, "moderate");
        Assert.Equal(0, (await _rig.EvaluateAsync(T0.AddDays(2)))["resolved"]);
        await MeasureAsync(T0.AddDays(3), "calibration", "", 0.01, "stable");
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddDays(3)))["resolved"]);
    }

    [Theory]
    [InlineData("--high-value-threshold", "-1")]
    [InlineData("--conversion-period", "day")]
    [InlineData("--language", "fr")]
    [InlineData("--email-recipients", "ana@acme.example, nobody")]
    [InlineData("--shard", "1/2")]
    public async Task Evaluate_WrongParameter_IsRefusedWithWhatIsAllowed(string flag, string value)
    {
        var answer = await _rig.RunAsync("alerts", "evaluate", flag, value);

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        var error = answer.Json.GetProperty("error").GetString()!;
        Assert.Contains(flag[2..], error.Replace('_', '-'), StringComparison.Ordinal);
        Assert.Contains("allowed: ", error, StringComparison.Ordinal);
    }

    private Task<int> AddModelAsync(DateTimeOffset trained) => database.ExecuteAsync(
        """
        INSERT INTO ml_models (status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows,
          training_deals, won, lost, trained_at, published_at)
        VALUES ('published', 'r', 'prior', 1, 'v', 1, '', '', '{}', '{}', @at, @at, 1, 1, 1, 0, @at, @at)
        """,
        ("at", trained));

    private Task<int> MeasureAsync(DateTimeOffset day, string measure, string feature, double? value, string level) => database.ExecuteAsync(
        """
        INSERT INTO ml_drift (model_id, day, measure, feature, value, level, deals)
        SELECT id, @day::date, @measure, @feature, @value, @level, 100 FROM ml_models
        """,
        ("day", day.UtcDateTime.Date), ("measure", measure), ("feature", feature), ("value", value), ("level", level));

    private Task<int> AddTaskAsync(long deal, string priority, string status, DateTimeOffset due) => database.ExecuteAsync(
        """
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, priority, due_date)
        SELECT id, lead_ext_id, 'call', 'Call', @status, @priority::priority_level, @due FROM sales_pipeline WHERE id = @deal
        """,
        ("deal", deal), ("status", status), ("priority", priority), ("due", due));

    private async Task AddClosedAsync(string name, DateTimeOffset at, int won, int lost)
    {
        await database.ExecuteAsync(
            "INSERT INTO leads (ext_id, source) SELECT @name || i, 'organic' FROM generate_series(1, @all) AS i", ("name", name), ("all", won + lost));
        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, closed_at, qualified_at)
            SELECT @name || i, 'x@acme.example', CASE WHEN i <= @won THEN 'closed_won' ELSE 'closed_lost' END::pipeline_stage, @at, @at FROM generate_series(1, @all) AS i
            """,
            ("name", name), ("all", won + lost), ("won", won), ("at", at));
    }

    private Task<int> AddRunAsync(string dag, string command, string run, string status, DateTimeOffset started, DateTimeOffset? beat = null) => database.ExecuteAsync(
        """
        INSERT INTO task_runs (dag_id, task_id, run_id, command, status, started_at, heartbeat_at, finished_at)
        VALUES (@dag, replace(@command, ' ', '_'), @run, @command, @status, @started, @beat, CASE WHEN @status <> 'running' THEN @beat END)
        """,
        ("dag", dag), ("command", command), ("run", run), ("status", status), ("started", started), ("beat", beat ?? started));
}
