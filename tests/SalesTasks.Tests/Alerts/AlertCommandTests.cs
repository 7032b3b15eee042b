using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>What people see and do, and what their doing says about the alerts.</summary>
public sealed class AlertCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = AlertRig.T0;

    private readonly AlertRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.AddQuietAsync("a", 8);
        await _rig.AddQuietAsync("b", 15, "estimated_value = 30000, assigned_to = 'luis@sales.example'");
        await _rig.AddQuietAsync("c", 8, "estimated_value = 100");
        await _rig.EvaluateAsync(T0);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("", "b a c")]
    [InlineData("--kind stale_lead", "c")]
    [InlineData("--severity critical", "b")]
    [InlineData("--rep LUIS@sales.example", "b")]
    [InlineData("--status resolved", "")]
    [InlineData("--status all --limit 2", "b a")]
    public async Task List_Filtered_ShowsTheMostSevereFirst(string flags, string leads)
    {
        var answer = await _rig.RunAsync(["alerts", "list", "--json", .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        Assert.Equal(leads, string.Join(' ', answer.Json.EnumerateArray().Select(alert => alert.GetProperty("lead_ext_id").GetString())));
    }

    [Fact]
    public async Task List_AsATable_SpeaksBothLanguages()
    {
        await _rig.RunAsync("alerts", "ack", "1", "--by", "luis [bold]");

        var english = await _rig.RunAsync("alerts", "list", "--limit", "2");
        var spanish = await _rig.RunAsync("alerts", "list", "--lang", "es");

        Assert.Contains("seen to by luis [bold]", (await _rig.RunAsync("alerts", "list")).Output, StringComparison.Ordinal);
        Assert.Contains("b: worth 30,000, no contact for 15 d, luis@sales.example", english.Output, StringComparison.Ordinal);
        Assert.Contains("2 of 3; --limit 3 shows all.", english.Output, StringComparison.Ordinal);
        Assert.Contains("Leads abandonados", spanish.Output, StringComparison.Ordinal);
        Assert.Contains("crítica", spanish.Output, StringComparison.Ordinal);
        await database.ExecuteAsync("DELETE FROM leads");
        Assert.Contains("No hay alertas.", (await _rig.RunAsync("alerts", "list", "--lang", "es")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list --kind nonsense", "--kind")]
    [InlineData("list --severity high", "--severity")]
    [InlineData("list --limit 0", "--limit: '0' is not allowed; allowed: Alerts at most, the most severe first [a whole number from 1]")]
    [InlineData("ack", "number")]
    [InlineData("ack one", "'one' is not known here")]
    [InlineData("ack 99", "alert 99 does not exist; 'alerts list --status all' shows those that do")]
    [InlineData("ack 1 99", "alert 99 does not exist")]
    [InlineData("snooze 1", "either --until INSTANT or --for TIME")]
    [InlineData("snooze 1 --for 2d --until 2026-03-20T00:00:00Z", "either --until INSTANT or --for TIME")]
    [InlineData("snooze 1 --for 2w", "--for: '2w' is not allowed; allowed: 90m, 4h or 2d")]
    [InlineData("snooze 1 --for 0h", "--for: ")]
    [InlineData("snooze 1 --for 999d", "--for: ")]
    [InlineData("snooze 1 --until 2026-03-18T10:00:00Z", "later than now")]
    [InlineData("snooze 1 --until 2026-03-20", "--until: ")]
    [InlineData("resolve 1 --by  ", "--by")]
    public async Task Command_WrongInput_IsRefusedAndChangesNothing(string words, string message)
    {
        var before = await _rig.AlertsAsync();

        var answer = await _rig.RunAsync(["alerts", .. words.Split(' ')]);

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(message, answer.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await _rig.AlertsAsync());
    }

    [Fact]
    public async Task Settled_Alert_IsRefusedWithItsState()
    {
        Assert.Contains("2 alerts resolved.", (await _rig.RunAsync("alerts", "resolve", "1", "2")).Output, StringComparison.Ordinal);

        var answer = await _rig.RunAsync("alerts", "ack", "1", "3");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("alert 1 is resolved; allowed: open, snoozed, acknowledged", answer.Errors, StringComparison.Ordinal);
        Assert.Equal("open", await database.ScalarAsync<string>("SELECT status FROM alerts WHERE id = 3"));
        Assert.Contains("1 alerta atendida.", (await _rig.RunAsync("alerts", "ack", "3", "--lang", "es")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acknowledge_Twice_KeepsWhoWasFirst()
    {
        await _rig.RunAsync("alerts", "ack", "1", "--by", "ana");
        await _rig.RunAsync("alerts", "snooze", "1", "--for", "90m");
        Assert.Equal(1, (await _rig.RunAsync("alerts", "ack", "1", "--by", "luis", "--json")).Json.GetProperty("alerts").GetInt32());

        Assert.Equal("ana", await database.ScalarAsync<string>("SELECT acknowledged_by FROM alerts WHERE id = 1 AND status = 'acknowledged' AND snoozed_until IS NULL"));
    }

    [Fact]
    public async Task Usefulness_OfWhatPeopleDid_IsCounted()
    {
        // Acted on: a task its owner completed, a stage a person changed, a contact. Not: automation, a campaign, a reply, somebody else, before.
        string[] leads = ["task", "stage", "contact", "automated", "campaign", "reply", "other", "before", "ack"];
        foreach (var lead in leads)
        {
            await _rig.AddQuietAsync(lead, 8, "estimated_value = 20001");
        }

        await _rig.EvaluateAsync(T0);
        var at = T0.AddHours(1);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, completed_by)
            SELECT p.id, p.lead_ext_id, 'call', 'Call', 'completed', CASE p.lead_ext_id WHEN 'before' THEN @t0 ELSE @at END,
              CASE p.lead_ext_id WHEN 'other' THEN 'luis@sales.example' WHEN 'task' THEN 'Ana@sales.example' END
            FROM sales_pipeline p WHERE p.lead_ext_id IN ('task', 'other', 'before');
            INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, from_stage, to_stage, changed_at, changed_by)
            SELECT id, lead_ext_id, 'contacted', 'negotiating', @at, CASE lead_ext_id WHEN 'stage' THEN 'ana' ELSE 'pipeline advance' END
            FROM sales_pipeline WHERE lead_ext_id IN ('stage', 'automated');
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'nurturing');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id) SELECT id, 'campaign' FROM sales_campaigns;
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type, status, executed_at, created_at)
            SELECT id, lead_ext_id, 'email_sent', 'sent', @at, @t0 FROM sales_campaign_executions;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('reply', 'reply', @at);
            UPDATE sales_pipeline SET last_contact_at = @at WHERE lead_ext_id IN ('contact', 'campaign', 'reply', 'other')
            """,
            ("t0", T0), ("at", at));
        await _rig.RunAsync("alerts", "ack", $"{await database.ScalarAsync<long>("SELECT id FROM alerts WHERE lead_ext_id = 'ack'")}");

        await _rig.EvaluateAsync(T0.AddHours(2));
        await _rig.EvaluateAsync(T0.AddHours(4));

        Assert.Equal(
            ["contact", "stage", "task"],
            await database.QueryAsync("SELECT lead_ext_id FROM alerts WHERE acted_at = @at ORDER BY 1", row => row.GetString(0), ("at", at)));
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(acted_at) FROM alerts"));
        Assert.Equal(
            "high_value_lead 11 1 1 3 4 36.4 1.0",
            await database.ScalarAsync<string>(
                """
                SELECT concat_ws(' ', kind, opened, critical, acknowledged, acted_on, useful, useful_pct, median_hours_to_action)
                FROM alert_usefulness(@t0, @t0 + interval '1 second') WHERE kind = 'high_value_lead'
                """,
                ("t0", T0)));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM alert_usefulness(@t0 - interval '1 day', @t0)", ("t0", T0)));
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("alerts", "list", "--usefulness", "--lang", "es")).ExitCode);
    }
}
