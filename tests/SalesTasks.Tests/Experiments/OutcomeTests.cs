using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Experiments;

/// <summary>What counts as an outcome: for every lead the same span after its assignment, nothing from after it, nobody left out.</summary>
public sealed class OutcomeTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Leads = 600;

    private static readonly DateTimeOffset T0 = ExperimentRig.T0;

    private readonly ExperimentRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.StartAsync("50");
        await _rig.AddLeadsAsync("a", Leads);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Every figure against plain SQL that starts from the other end: from the events, and in its own words.</summary>
    [Fact]
    public async Task Figures_Always_AreThoseOfPlainSql()
    {
        await HistoryAsync();

        var indicators = await ShowAsync(T0.AddDays(60));

        var expected = await database.RowsAsync(
            """
            WITH stage AS (
              SELECT DISTINCT ON (h.lead_ext_id) h.lead_ext_id, h.to_stage::text AS stage, h.changed_at
              FROM sales_stage_history h WHERE h.changed_at <= @horizon ORDER BY h.lead_ext_id, h.changed_at DESC, h.id DESC),
            won AS (SELECT lead_ext_id, changed_at FROM stage WHERE stage = 'closed_won'),
            closed AS (SELECT lead_ext_id, changed_at FROM stage WHERE stage IN ('closed_won', 'closed_lost')),
            contact AS (
              SELECT lead_ext_id, completed_at AS at FROM sales_followup_tasks WHERE status = 'completed'
              UNION ALL SELECT lead_ext_id, executed_at FROM sales_campaign_events WHERE status = 'sent'
              UNION ALL SELECT lead_ext_id, occurred_at FROM lead_engagement_events WHERE event_type = 'reply'
              UNION ALL SELECT lead_ext_id, first_contact_at FROM sales_pipeline),
            silent AS (
              SELECT lead_ext_id FROM stage WHERE stage NOT LIKE 'closed%'
              EXCEPT SELECT lead_ext_id FROM contact WHERE at > @horizon - interval '14 days' AND at <= @horizon)
            SELECT
              a.arm,
              (count(w.lead_ext_id))::float8 / count(*) AS conversion,
              (count(w.lead_ext_id))::float8 / count(c.lead_ext_id) AS win_rate,
              avg(CASE WHEN p.first_contact_at > @horizon OR p.first_contact_at IS NULL THEN 720 ELSE extract(epoch FROM p.first_contact_at - @t0) / 3600 END)::float8
                AS hours_to_first_contact,
              avg(coalesce(extract(epoch FROM c.changed_at - @t0) / 86400, 30))::float8 AS days_to_close,
              (sum(p.estimated_value) FILTER (WHERE w.lead_ext_id IS NOT NULL))::float8 / count(*) AS revenue_per_lead,
              (SELECT count(*) FILTER (WHERE t.completed_at <= t.due_date)::float8 / count(*)
               FROM sales_followup_tasks t JOIN experiment_assignments b USING (lead_ext_id)
               WHERE b.arm = a.arm AND t.due_date <= @horizon AND t.status IN ('pending', 'in_progress', 'completed')) AS tasks_on_time,
              (count(s.lead_ext_id))::float8 / count(*) AS abandoned
            FROM experiment_assignments a
            JOIN sales_pipeline p USING (lead_ext_id)
            LEFT JOIN won w USING (lead_ext_id)
            LEFT JOIN closed c USING (lead_ext_id)
            LEFT JOIN silent s USING (lead_ext_id)
            GROUP BY a.arm
            """,
            ("t0", T0), ("horizon", T0.AddDays(30)));
        foreach (var (name, treated, holdout) in indicators)
        {
            foreach (var arm in expected)
            {
                var shown = (string)arm["arm"]! == "treated" ? treated : holdout;
                Assert.True(Math.Abs((double)arm[name]! - shown!.Value) < 1e-9 * Math.Max(1, shown.Value), $"{arm["arm"]} {name}: {arm[name]} by SQL, {shown} shown");
                Assert.InRange(shown.Value, 0.01, double.MaxValue);
            }
        }
    }

    /// <summary>Deals that close, contacts and tasks after a lead's horizon change nothing, however late one looks.</summary>
    [Fact]
    public async Task Events_AfterTheHorizon_DoNotCount()
    {
        await HistoryAsync();
        var before = await ShowAsync(T0.AddDays(31));

        await WorkAsync(T0.AddDays(30).AddSeconds(1));

        Assert.Equal(before, await ShowAsync(T0.AddDays(200)));
    }

    [Fact]
    public async Task Leads_WhoseHorizonIsNotOver_AreNotCompared()
    {
        await database.ExecuteAsync("UPDATE experiment_assignments SET assigned_at = assigned_at + interval '1 day' WHERE lead_ext_id LIKE 'a_'");

        Assert.Equal(0, await ObservedAsync(T0.AddDays(30).AddSeconds(-1)));
        Assert.Equal(Leads - 9, await ObservedAsync(T0.AddDays(30)));
        Assert.Equal(Leads, await ObservedAsync(T0.AddDays(31)));
    }

    /// <summary>Leads let go before their horizon was over are no holdout any more, and never become one.</summary>
    [Fact]
    public async Task Leads_ReleasedBeforeTheirHorizon_AreNotCompared()
    {
        await database.ExecuteAsync("UPDATE experiment_assignments SET assigned_at = assigned_at + interval '1 day' WHERE lead_ext_id LIKE 'a_'");
        await _rig.DoAsync(T0.AddDays(30).AddHours(1), "experiment", "stop");

        Assert.Equal(Leads - 9, await ObservedAsync(T0.AddDays(90)));
    }

    [Fact]
    public async Task Leads_WhoseDealIsGone_CountInTheirGroup()
    {
        await HistoryAsync();
        await database.ExecuteAsync("DELETE FROM sales_pipeline WHERE lead_ext_id LIKE 'a1_'");

        Assert.Equal(Leads, await ObservedAsync(T0.AddDays(31)));
    }

    [Fact]
    public async Task Show_RunTwice_SaysTheSameAndWritesNothing()
    {
        await HistoryAsync();
        var before = await database.FingerprintAsync();

        var first = await _rig.DoAsync(T0.AddDays(60), "experiment", "show");
        var second = await _rig.DoAsync(T0.AddDays(60), "experiment", "show");

        Assert.Equal(first.Output, second.Output);
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Contains("conversion to won", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("too small", first.Output, StringComparison.Ordinal);
    }

    /// <summary>Contacts, tasks, messages, replies, deals won and lost, at moments of each lead's own within 30 days and beyond.</summary>
    private async Task HistoryAsync()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, due_date, completed_at)
            SELECT id, lead_ext_id, 'call', 'x', CASE WHEN id % 7 = 0 THEN 'skipped' WHEN id % 3 = 0 THEN 'pending' ELSE 'completed' END, @t0 + id % 37 * interval '1 day',
              CASE WHEN id % 7 <> 0 AND id % 3 <> 0 THEN @t0 + id % 41 * interval '1 day' END
            FROM sales_pipeline;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at)
            SELECT lead_ext_id, CASE WHEN id % 2 = 0 THEN 'reply' ELSE 'click' END, @t0 + id % 53 * interval '1 day' FROM sales_pipeline WHERE id % 5 = 0;
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'nurturing');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id) SELECT c.id, p.lead_ext_id, p.id FROM sales_campaigns c, sales_pipeline p WHERE p.id % 4 = 0;
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at)
            SELECT id, lead_ext_id, 1, 'email_sent', CASE WHEN id % 2 = 0 THEN 'sent' ELSE 'failed' END, @t0 + id % 47 * interval '1 day' FROM sales_campaign_executions;
            UPDATE sales_pipeline SET first_contact_at = @t0 + id % 43 * interval '23 hours' WHERE id % 6 <> 0;
            UPDATE sales_pipeline SET estimated_value = 500 + id % 11 * 300;
            UPDATE sales_pipeline SET stage = 'closed_won', closed_at = @t0 + id % 45 * interval '1 day' + interval '1 hour' WHERE id % 4 = 1;
            UPDATE sales_pipeline SET stage = 'closed_lost', closed_at = @t0 + id % 45 * interval '1 day' + interval '1 hour' WHERE id % 4 = 2;
            """,
            ("t0", T0));
    }

    /// <summary>Much happens at one instant: all open deals are won, and closed ones are open again; everybody is contacted.</summary>
    private Task<int> WorkAsync(DateTimeOffset at) => database.ExecuteAsync(
        """
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, due_date, completed_at)
        SELECT id, lead_ext_id, 'call', 'x', 'completed', @at, @at FROM sales_pipeline;
        INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) SELECT lead_ext_id, 'reply', @at FROM sales_pipeline;
        UPDATE sales_pipeline SET first_contact_at = @at WHERE first_contact_at IS NULL;
        UPDATE sales_pipeline SET last_contact_at = @at;
        UPDATE sales_pipeline SET stage = 'closed_won', closed_at = @at WHERE stage < 'closed_won';
        """,
        ("at", at));

    private async Task<List<(string Name, double? Treated, double? Holdout)>> ShowAsync(DateTimeOffset at) =>
        [.. (await EstimateAsync(at)).GetProperty("indicators").EnumerateArray().Select(i => (
            i.GetProperty("name").GetString()!, (double?)i.GetProperty("treated").GetDouble(), (double?)i.GetProperty("holdout").GetDouble()))];

    private async Task<long> ObservedAsync(DateTimeOffset at)
    {
        var observed = (await EstimateAsync(at)).GetProperty("observed");
        return observed.GetProperty("treated").GetInt64() + observed.GetProperty("holdout").GetInt64();
    }

    private async Task<JsonElement> EstimateAsync(DateTimeOffset at) =>
        (await _rig.DoAsync(at, "experiment", "show", "--json")).Json.GetProperty("experiment");
}
