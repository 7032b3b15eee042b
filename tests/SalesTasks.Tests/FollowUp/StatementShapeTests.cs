using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>
/// What the statements cost with 100,000 open deals and a million facts about them, in rows their plans handle and not in seconds:
/// proportional to what is due, never to the tables, whatever the planner knows of them.
/// </summary>
public sealed class StatementShapeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Deals = 100_000;
    private const int Due = 500;

    private static readonly DateTimeOffset T0 = FollowUpRig.T0;

    private static readonly string[] s_large =
    [
        "leads", "sales_pipeline", "sales_followup_tasks", "sales_campaign_executions", "sales_campaign_events", "lead_engagement_events",
        "sales_stage_history", "followup_checks", "outbox_messages", "experiment_assignments",
    ];

    [Fact]
    public async Task Statements_With100000Deals_HandleWhatIsDue()
    {
        await database.WorkAtAsync(T0);
        await LoadAsync();
        await AssertAsync("never analysed");
        await AssertHoldoutAsync();

        // As autovacuum does: statistics, and the summaries that block range indexes live from.
        await database.ExecuteAsync("VACUUM ANALYZE");
        await AssertAsync("analysed");
        await AssertSummaryAsync();
        await AssertHoldoutAsync();
    }

    /// <summary>While an experiment runs that every deal is part of.</summary>
    private async Task AssertHoldoutAsync()
    {
        await database.ExecuteAsync("UPDATE experiments SET ended_at = NULL, ended_by = NULL");
        await AssertAsync("an experiment runs");
        await database.ExecuteAsync("UPDATE experiments SET ended_at = sales_now(), ended_by = 'test'");
    }

    private async Task AssertAsync(string state)
    {
        // Each due deal: its row, a handful of tasks, its lead, its template and texts, and what is written for it.
        foreach (var (statement, rowsADeal, parameters) in ((string, int, (string, object?)[])[])
        [
            ("followup/create_tasks", 120, [.. Create, ("chunk", 5_000L), ("limit", long.MaxValue)]),
            ("followup/create_tasks", 120, [.. Create, ("chunk", long.MaxValue), ("limit", 10L)]),
            ("followup/preview_tasks", 60, [.. Create, ("limit", long.MaxValue)]),
            ("followup/take_outcomes", 20, [.. Shard, ("as_of", T0), ("limit", 5_000L)]),
            ("followup/preview_advance", 60, [.. Shard, ("as_of", T0)]),
            ("followup/advance_deals", 60, [.. await OutcomesAsync(), ("as_of", T0)]),
            ("followup/record_replies", 40, [(await OutcomesAsync())[2], ("as_of", T0)]),
        ])
        {
            var plan = await QueryPlan.OfAsync(database, statement, parameters);
            Assert.True(plan.Work <= rowsADeal * (long)Due, $"{statement}, {state}: {plan.Work} rows handled for {Due} due.\n{plan.Text}");
            plan.ShouldNotScan(s_large);
        }
    }

    private async Task AssertSummaryAsync()
    {
        var plan = await QueryPlan.OfAsync(database, "followup/summarize", ("as_of", T0), ("since_at", T0.AddHours(-24)));

        // The open tasks are read whole: they are what is asked for.
        var open = await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks WHERE status IN ('pending', 'in_progress')");
        Assert.True(plan.Work <= (8 * open) + 100_000, $"{plan.Work} rows handled, {open} tasks are open.\n{plan.Text}");
        plan.ShouldNotScan("sales_followup_tasks", "outbox_messages", "lead_engagement_events", "sales_stage_history");
    }

    private static (string, object?)[] Shard => [("shard_index", 0), ("shard_count", 1)];

    private static (string, object?)[] Create => [.. Shard, ("as_of", T0), ("days", 3), ("post_tasks", true), ("request_calls", true)];

    /// <summary>
    /// Every deal has had its tasks, its campaign and a reply, and has its row on the list for a later day; 500 of them are due, and to 500
    /// something happened.
    /// </summary>
    private async Task LoadAsync()
    {
        foreach (var table in s_large.Append("pipeline_outcomes"))
        {
            await database.ExecuteAsync($"ALTER TABLE {table} SET (autovacuum_enabled = off)");
        }

        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, email, phone) SELECT 'd' || i, 'x', 'd' || i || '@acme.example', '+1 202 555 0100' FROM generate_series(1, @deals) AS i", ("deals", Deals));
        await database.ExecuteAsync("INSERT INTO experiments (name, share_permille, horizon_days, started_at) VALUES ('x', 100, 30, @now - interval '90 days')", ("now", T0));
        // In pieces: a busy machine takes its time, and a statement has 30 seconds.
        for (var first = 1; first < Deals; first += Deals / 5)
        {
            await database.ExecuteAsync(
                """
                INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at, last_contact_at, next_followup_at)
                SELECT 'd' || i, 'd@acme.example', (ARRAY['contacted', 'meeting_scheduled', 'negotiating'])[1 + i % 3]::pipeline_stage, @now - interval '90 days',
                  @now - interval '1 day', @now + i % 50 * interval '1 hour' + interval '1 hour'
                FROM generate_series(@first, @last) AS i
                """,
                ("first", first), ("last", first + (Deals / 5) - 1), ("now", T0));
        }

        await database.ExecuteAsync("UPDATE experiments SET ended_at = @now, ended_by = 'test'", ("now", T0));
        for (var n = 0; n < 4; n++)
        {
            await database.ExecuteAsync(
                """
                INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, due_date, completed_at, created_at)
                SELECT id, lead_ext_id, @type, 'x', 'completed', @at, @at, @at FROM sales_pipeline
                """,
                ("type", n % 2 == 0 ? "call" : "email"), ("at", T0.AddDays(-70 + (10 * n))));
        }

        foreach (var load in (string[])
        [
            "INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, due_date) SELECT id, lead_ext_id, 'custom', 'x', @now FROM sales_pipeline WHERE id % 10 = 0",
            "INSERT INTO sales_campaigns (name, campaign_type) SELECT 'c', 'nurturing' WHERE @now IS NOT NULL",
            """
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, started_at)
            SELECT c.id, p.lead_ext_id, p.id, @now - interval '50 days' FROM sales_pipeline p, sales_campaigns c
            """,
            """
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at)
            SELECT id, lead_ext_id, 1, 'email_sent', 'sent', @now - interval '50 days' FROM sales_campaign_executions
            """,
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) SELECT lead_ext_id, 'reply', @now - interval '40 days' FROM sales_pipeline",
            """
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, sent_at, finished_at, created_at)
            SELECT 'old-' || id, 'slack', 'alert', '{}', 'sent', @now - interval '60 days', @now, @now - interval '60 days' FROM sales_pipeline
            """,
        ])
        {
            await database.ExecuteAsync(load, ("now", T0));
        }

        await database.ExecuteAsync(
            """
            TRUNCATE followup_checks, pipeline_outcomes;
            TRUNCATE sales_stage_history;
            INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, to_stage, changed_at) SELECT id, lead_ext_id, stage, qualified_at FROM sales_pipeline;
            INSERT INTO followup_checks (pipeline_id, due_at, silent_since) SELECT id, next_followup_at, last_contact_at FROM sales_pipeline;
            """);
        await database.ExecuteAsync(
            "UPDATE sales_pipeline SET next_followup_at = @now - interval '1 minute' WHERE id % (@deals / @due) = 0", ("now", T0), ("deals", Deals), ("due", Due));
        await database.ExecuteAsync(
            """
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at)
            SELECT lead_ext_id, 'reply', @now - interval '1 hour' FROM sales_pipeline WHERE id % (@deals / @due * 2) = 1;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT id, lead_ext_id, 'proposal', 'x', 'completed', @now - interval '1 hour' FROM sales_pipeline WHERE id % (@deals / @due * 2) = 3;
            """,
            ("now", T0), ("deals", Deals), ("due", Due));
    }

    private async Task<(string, object?)[]> OutcomesAsync()
    {
        async Task<long[]> IdsAsync(string kind) => [.. await database.QueryAsync(
            "SELECT source_id FROM pipeline_outcomes WHERE kind = @kind", row => row.GetInt64(0), ("kind", kind))];
        return [("tasks", await IdsAsync("task")), ("events", await IdsAsync("event")), ("replies", await IdsAsync("reply"))];
    }
}
