using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>
/// What it costs to read a block of deals or leads, in rows the plan handles: so many for each of the block, however many there are, and wherever
/// the block begins.
/// </summary>
public sealed class StatementShapeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Deals = 60_000;
    private const int Block = 500;

    private static readonly DateTimeOffset T0 = new(2026, 3, 16, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Blocks_OfManyDealsAndLeads_HandleTheBlock()
    {
        // Past the triggers, whose work is not measured here.
        await database.ExecuteAsync(
            """
            SET LOCAL session_replication_role = replica;
            INSERT INTO leads (ext_id, source, email, created_at) SELECT 'p' || i, 'x', 'p@acme.example', @now FROM generate_series(1, @deals) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage) SELECT ext_id, email, 'contacted' FROM leads;
            INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, to_stage, changed_at) SELECT id, lead_ext_id, stage, @now - interval '5 days' FROM sales_pipeline;
            INSERT INTO deal_predictions (pipeline_id, predicted_at, inputs_hash, parts, answered_by, log_odds, probability, risk, confidence)
            SELECT id, @now, 1, 15, 'model', 0, 0.5, 0.5, 0.5 FROM sales_pipeline;
            INSERT INTO lead_contact_timing (lead_ext_id, interval_days) SELECT ext_id, 5 FROM leads;
            INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 50, 'x' FROM leads;
            """,
            ("now", T0), ("deals", Deals));
        await database.ExecuteAsync("ANALYZE");
        await database.ExecuteAsync(
            "INSERT INTO deal_prediction_due (pipeline_id) SELECT id FROM sales_pipeline WHERE id % 100 = 0; INSERT INTO deal_prediction_blocks SELECT b, 'same', @now FROM generate_series(0, 14) AS b; ANALYZE",
            ("now", T0));
        foreach (var block in (long[])[1, 9])
        {
            // 4,096 deals all in all, 41 of them on the list.
            var deals = Enumerable.Range(1, 40).Select(i => (block << 12) + (100 * i)).ToArray();
            await AssertWorkAsync("predictions/look_at_block", 3 * 4096, ("block", block), ("settings", "same"), ("as_of", T0));
            await AssertWorkAsync("predictions/open_deals", 60 * 4096, ("block", block), ("is_whole", true), ("deals", Array.Empty<long>()), ("as_of", T0));
            await AssertWorkAsync("predictions/open_deals", (3 * 4096) + (60 * deals.Length), ("block", block), ("is_whole", false), ("deals", deals), ("as_of", T0));
        }

        foreach (var shards in (int[])[1, 4])
        {
            await AssertWorkAsync("predictions/blocks", 40 * 15, ("settings", "same"), ("as_of", T0.AddHours(1)), ("shard_index", 0), ("shard_count", shards));
        }

        foreach (var (after, shards) in ((long, int)[])[(0, 1), (Deals / 2, 1), (0, 4)])
        {
            await AssertWorkAsync(
                "predictions/prospects", 60 * Block, ("after", after), ("limit", Block), ("shard_index", 0), ("shard_count", shards), ("as_of", T0));
        }
    }

    private async Task AssertWorkAsync(string statement, int most, params (string Name, object? Value)[] parameters)
    {
        var plan = await QueryPlan.OfAsync(database, statement, parameters);
        Assert.True(plan.Work <= most, $"{statement}: {plan.Work} rows handled, at most {most} are needed.\n{plan.Text}");
    }
}
