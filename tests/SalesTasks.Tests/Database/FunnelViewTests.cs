using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary><c>v_conversion_funnel</c>.</summary>
public sealed class FunnelViewTests(TestDatabase database) : PipelineTests(database)
{
    private static readonly string[] InOrder =
        ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"];

    [Fact]
    public async Task Funnel_EmptyTables_ListsAllStagesInOrder()
    {
        var rows = await Db.RowsAsync("SELECT * FROM v_conversion_funnel");

        Assert.Equal(InOrder, rows.Select(row => (string)row["stage"]!));
        Assert.All(rows, row =>
        {
            Assert.All(["total_leads", "high_priority", "medium_priority", "low_priority", "reached_leads"], name => Assert.Equal(0L, row[name]));
            Assert.Equal(0m, row["total_value"]);
            Assert.All(["avg_score", "avg_probability", "avg_days_in_stage", "conversion_rate_pct"], name => Assert.Null(row[name]));
        });
    }

    [Fact]
    public async Task Funnel_DealsOfAStage_AreDescribed()
    {
        const string Columns = "priority, score, probability_pct, estimated_value";
        await AddDealAsync("1", Columns, "'urgent', 90, 40, 1000");
        await AddDealAsync("2", Columns, "'high', 60, 20, 500.50");
        await AddDealAsync("3", Columns, "'medium', 41, 10, NULL");
        await AddDealAsync("4", Columns, "'low', 20, NULL, 1");
        await AddDealAsync("5", Columns, "NULL, NULL, 10, 0");

        var row = (await Db.RowsAsync("SELECT * FROM v_conversion_funnel"))[0];

        Assert.Equal(5L, row["total_leads"]);
        Assert.Equal(2L, row["high_priority"]);
        Assert.Equal(1L, row["medium_priority"]);
        Assert.Equal(1L, row["low_priority"]);
        Assert.Equal(52.75m, row["avg_score"]);
        Assert.Equal(20m, row["avg_probability"]);
        Assert.Equal(1501.50m, row["total_value"]);
    }

    [Fact]
    public async Task Funnel_Share_IsOfThoseThatReachedTheStageBefore()
    {
        // Ten deals qualified. Six contacted, four of them met; of these one negotiates (proposal skipped), one is won, one is lost.
        var reached = new (int Deal, string[] Stages)[]
        {
            (1, []), (2, []), (3, []), (4, ["closed_lost"]),
            (5, ["contacted"]), (6, ["contacted", "closed_lost"]),
            (7, ["contacted", "meeting_scheduled"]),
            (8, ["contacted", "meeting_scheduled", "negotiating"]),
            (9, ["contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won"]),
            (10, ["contacted", "meeting_scheduled", "closed_lost"]),
        };
        foreach (var (deal, stages) in reached)
        {
            await AddDealAsync($"d{deal}");
            foreach (var stage in stages)
            {
                await Db.ExecuteAsync($"UPDATE sales_pipeline SET stage = '{stage}' WHERE lead_ext_id = 'd{deal}'");
            }
        }

        Assert.Equal(
            [
                "qualified now 3 reached 10 of - = -",
                "contacted now 1 reached 6 of 10 = 60.00",
                "meeting_scheduled now 1 reached 4 of 6 = 66.67",
                "proposal_sent now 0 reached 2 of 4 = 50.00",
                "negotiating now 1 reached 2 of 2 = 100.00",
                "closed_won now 1 reached 1 of 2 = 50.00",
                "closed_lost now 3 reached 3 of 10 = 30.00",
            ],
            await FunnelAsync());
    }

    [Fact]
    public async Task Funnel_ReopenedDeal_HasNotReachedWon()
    {
        await AddDealAsync("a", "stage", "'closed_won'");
        await Db.ExecuteAsync("UPDATE sales_pipeline SET stage = 'contacted'");

        Assert.Equal(["contacted now 1 reached 1 of 1 = 100.00", "meeting_scheduled now 0 reached 0 of 1 = 0.00"], (await FunnelAsync())[1..3]);
    }

    [Fact]
    public async Task Funnel_DealWithoutHistory_CountsByItsStage()
    {
        await AddDealAsync("a", "stage", "'negotiating'");
        await AddDealAsync("b", "stage", "'closed_lost'");
        await Db.ExecuteAsync("DELETE FROM sales_stage_history");

        Assert.Equal(
            ["qualified now 0 reached 2 of - = -", "contacted now 0 reached 1 of 2 = 50.00"],
            (await FunnelAsync())[..2]);
        Assert.Equal("closed_lost now 1 reached 1 of 2 = 50.00", (await FunnelAsync())[6]);
    }

    [Fact]
    public async Task Funnel_DealsQualifiedEarlier_AreOutside()
    {
        await AddDealAsync("in", "qualified_at", "sales_now() - interval '90 days'");
        await AddDealAsync("out", "qualified_at", "sales_now() - interval '90 days 1 minute'");

        Assert.Equal("qualified now 1 reached 1 of - = -", (await FunnelAsync())[0]);
    }

    [Fact]
    public async Task DaysInStage_FromHistory_AreRealTimePerDeal()
    {
        // a: 6 days qualified, 4 days contacted and still there. b: 2 qualified, 1 contacted, back for 3 qualified, won.
        await AddDealAsync("a", "qualified_at", "sales_now() - interval '10 days'");
        await MoveAsync("a", "contacted", 4);
        await AddDealAsync("b", "qualified_at", "sales_now() - interval '6 days'");
        await MoveAsync("b", "contacted", 4);
        await MoveAsync("b", "qualified", 3);
        await MoveAsync("b", "closed_won", 0);

        Assert.Equal(
            ["5.50", "2.50", null, null, null, null, null],
            await ColumnAsync("SELECT avg_days_in_stage FROM v_conversion_funnel"));
    }

    [Fact]
    public async Task DaysInStage_HistoryOutOfOrder_IsNeverNegative()
    {
        await AddDealAsync("a");
        await Db.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won', closed_at = '2025-01-01'");

        Assert.All(await ColumnAsync("SELECT avg_days_in_stage FROM v_conversion_funnel"), days => Assert.True(days is null or "0.00", days));
    }

    private Task<List<string?>> FunnelAsync() => ColumnAsync(
        """
        SELECT format('%s now %s reached %s of %s = %s', stage, total_leads, reached_leads, coalesce(previous_stage_count::text, '-'),
          coalesce(conversion_rate_pct::text, '-'))
        FROM v_conversion_funnel
        """);

    private Task<int> MoveAsync(string lead, string stage, int daysAgo) => Db.ExecuteAsync(
        $"""
        SELECT set_config('salestasks.as_of', (sales_now() - interval '{daysAgo} days')::text, false);
        UPDATE sales_pipeline SET stage = '{stage}' WHERE lead_ext_id = '{lead}'
        """);
}
