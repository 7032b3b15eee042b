using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>What writing a batch of steps costs, in rows its plan handles: so many for each step, however many there are.</summary>
public sealed class StatementShapeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Steps = 2_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_ManySteps_HandlesAFewRowsAStep(bool learnedHours)
    {
        var rig = new CampaignRig(database);
        await rig.EmptyAsync();
        await database.WorkAtAsync(CampaignRig.T0);
        await database.ExecuteAsync("UPDATE timing_state SET active = @active", ("active", learnedHours));
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, email) SELECT 'w' || i, 'x', 'w' || i || '@acme.example' FROM generate_series(1, @steps) AS i", ("steps", Steps));
        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email) SELECT ext_id, email FROM leads;
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'nurturing');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, total_steps)
            SELECT c.id, p.lead_ext_id, p.id, 1 FROM sales_pipeline p, sales_campaigns c;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload) SELECT 'other-' || id, 'slack', 'alert', '{}' FROM sales_pipeline;
            """);
        // With statistics the planner takes it that every message is known already: one row is left, it thinks.
        await database.ExecuteAsync("ANALYZE outbox_messages");
        var due = await database.QueryAsync(
            "SELECT id, lead_ext_id, pipeline_id FROM sales_campaign_executions ORDER BY id", row => (Id: row.GetInt64(0), Lead: row.GetString(1), Deal: row.GetInt64(2)));

        T[] Same<T>(T value) => [.. due.Select(_ => value)];
        var plan = await QueryPlan.OfAsync(
            database, "campaigns/write",
            ("as_of", CampaignRig.T0), ("executions", due.ConvertAll(d => d.Id).ToArray()), ("leads", due.ConvertAll(d => d.Lead).ToArray()),
            ("pipelines", due.ConvertAll(d => d.Deal).ToArray()), ("steps", Same(1)), ("event_types", Same("email_sent")), ("event_statuses", Same("queued")),
            ("event_metadata", Same("{}")), ("keys", due.ConvertAll(d => $"key-{d.Id}").ToArray()), ("channels", Same("email")),
            ("recipients", due.ConvertAll(d => $"{d.Lead}@acme.example").ToArray()), ("payloads", Same("{}")), ("zones", Same("UTC")), ("days", Same("{1,2,3,4,5}")),
            ("starts", Same("09:00:00")), ("ends", Same("17:00:00")), ("task_types", Same<string?>(null)), ("task_titles", Same<string?>(null)),
            ("task_descriptions", Same<string?>(null)), ("task_priorities", Same<string?>(null)), ("assignees", Same<string?>(null)),
            ("task_seconds", Same<double?>(null)), ("next_seconds", Same<double?>(null)), ("statuses", Same("completed")), ("variants", Same<string?>(null)));

        Assert.True(plan.Work <= 60L * Steps, $"{plan.Work} rows handled for {Steps} steps.\n{plan.Text}");
    }
}
