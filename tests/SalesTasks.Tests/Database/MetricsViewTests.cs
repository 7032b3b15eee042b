using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary><c>mv_sales_metrics</c>.</summary>
public sealed class MetricsViewTests(TestDatabase database) : PipelineTests(database)
{
    [Fact]
    public async Task Refresh_EmptyTables_WorksConcurrentlyAndHasNoRows()
    {
        await RefreshAsync();

        Assert.Empty(await Db.RowsAsync("SELECT * FROM mv_sales_metrics"));
    }

    [Fact]
    public async Task Refresh_Twice_ChangesNothing()
    {
        await AddDealAsync("a", "qualified_at", "'2026-03-01'");
        await RefreshAsync();
        var first = await ColumnAsync("SELECT m::text FROM mv_sales_metrics m ORDER BY date");
        await RefreshAsync();

        Assert.Equal(first, await ColumnAsync("SELECT m::text FROM mv_sales_metrics m ORDER BY date"));
        Assert.Equal(16, first.Count);
    }

    [Fact]
    public async Task Dates_FromFirstActivityToToday_HaveNoGaps()
    {
        await AddDealAsync("old", "qualified_at", "'2025-12-30'");
        await AddDealAsync("new");
        await RefreshAsync();

        Assert.Equal(
            ["77 2025-12-30 2026-03-16 1"],
            await ColumnAsync(
                """
                SELECT concat_ws(' ', count(*), min(date), max(date), max(gap))
                FROM (SELECT date, date - lag(date) OVER (ORDER BY date) AS gap FROM mv_sales_metrics) AS days
                """));
    }

    [Theory]
    [InlineData("'-infinity'")]
    [InlineData("'infinity'")]
    [InlineData("'0001-01-01'")]
    [InlineData("'2099-01-01'")]
    public async Task Dates_AbsurdInstants_StayWithinThreeYears(string instant)
    {
        await AddTaskAsync(await AddDealAsync("a"), "status, completed_at, due_date", $"'completed', {instant}, {instant}");
        if (!instant.Contains("infinity", StringComparison.Ordinal))
        {
            await AddDealAsync("absurd", "qualified_at, last_contact_at", $"{instant}, {instant}");
            Assert.Equal(2, (await Db.RowsAsync("SELECT * FROM v_sales_dashboard")).Count);
            Assert.Equal(2, (await Db.RowsAsync("SELECT * FROM v_sales_forecast")).Sum(month => (long)month["total_deals"]!));
        }

        await RefreshAsync();

        Assert.InRange(await Db.ScalarAsync<long>("SELECT count(*) FROM mv_sales_metrics"), 1, 1096);
        Assert.Equal(new DateOnly(2026, 3, 16), await Db.ScalarAsync<DateOnly>("SELECT max(date) FROM mv_sales_metrics"));
    }

    [Fact]
    public async Task Day_WithManyTasksAndEvents_MultipliesNothing()
    {
        var won = await AddDealAsync("won", "qualified_at, estimated_value", "'2026-03-10', 1000");
        var open = await AddDealAsync("open", "qualified_at, estimated_value", "'2026-03-10', 300");
        await AddDealAsync("lost", "stage, qualified_at, closed_at, estimated_value", "'closed_lost', '2026-03-10', '2026-03-12', 50");
        await AddDealAsync("won too", "stage, qualified_at, closed_at, estimated_value", "'closed_won', '2026-03-11', '2026-03-12', 500.50");
        foreach (var stage in new[] { "contacted", "meeting_scheduled", "proposal_sent" })
        {
            await Db.ExecuteAsync($"SET salestasks.as_of = '2026-03-11 10:00+00'; UPDATE sales_pipeline SET stage = '{stage}' WHERE id = @id", ("id", won));
        }

        await Db.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won', closed_at = '2026-03-12 23:59:59+00' WHERE id = @id", ("id", won));
        for (var task = 0; task < 5; task++)
        {
            await AddTaskAsync(won, "status, completed_at, due_date", "'completed', '2026-03-12 01:00+00', '2026-03-13'");
            await AddTaskAsync(open, "due_date", "'2026-03-12 05:00+00'");
        }

        await Db.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (id, name, campaign_type) VALUES (1, 'c', 'multichannel');
            INSERT INTO sales_campaign_executions (id, campaign_id, lead_ext_id, pipeline_id) VALUES (1, 1, 'won', @won);
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type, status, executed_at)
            SELECT 1, 'won', type, status, '2026-03-12 02:00+00'
            FROM unnest(ARRAY['email_sent', 'call_made', 'email_opened']) AS t (type)
            CROSS JOIN unnest(ARRAY['queued', 'sent', 'delivered', 'completed', 'failed', 'skipped']) AS s (status)
            """,
            ("won", won));
        await RefreshAsync();

        Assert.Equal(
            [
                // date, qualified, contacted, meetings, proposals, won, lost, win rate, average won, open value, completed, overdue, e-mails, calls
                "2026-03-10 3 0 0 0 0 0 - - 1350.00 0 0 0 0",
                "2026-03-11 1 1 1 1 0 0 - - 1850.50 0 0 0 0",
                "2026-03-12 0 0 0 0 2 1 66.67 750.25 300.00 5 5 3 3",
                "2026-03-13 0 0 0 0 0 0 - - 300.00 0 0 0 0",
            ],
            await ColumnAsync(
                """
                SELECT concat_ws(' ', date, total_qualified, contacted, meetings_scheduled, proposals_sent, closed_won, closed_lost,
                  coalesce(win_rate_pct::text, '-'), coalesce(avg_deal_value::text, '-'), total_pipeline_value, tasks_completed, tasks_overdue,
                  emails_sent, calls_made)
                FROM mv_sales_metrics WHERE date <= '2026-03-13' ORDER BY date
                """));
    }

    [Fact]
    public async Task TasksOverdue_OfADay_AreThoseDueThatDayAndNotDoneInTime()
    {
        var deal = await AddDealAsync("a", "qualified_at", "'2026-03-01'");
        await AddTaskAsync(deal, "due_date", "'2026-03-10 08:00+00'");
        await AddTaskAsync(deal, "due_date, status", "'2026-03-10 08:00+00', 'in_progress'");
        await AddTaskAsync(deal, "due_date, status, completed_at", "'2026-03-10 08:00+00', 'completed', '2026-03-10 08:01+00'");
        await AddTaskAsync(deal, "due_date, status, completed_at", "'2026-03-10 08:00+00', 'completed', '2026-03-10 08:00+00'");
        await AddTaskAsync(deal, "due_date, status", "'2026-03-10 08:00+00', 'cancelled'");
        await AddTaskAsync(deal, "due_date", "sales_now() + interval '1 minute'");
        await RefreshAsync();

        Assert.Equal(["2026-03-10 3"], await ColumnAsync("SELECT date || ' ' || tasks_overdue FROM mv_sales_metrics WHERE tasks_overdue > 0"));
    }

    [Fact]
    public async Task PipelineValue_OfDealsBeforeTheWindow_IsCarriedIn()
    {
        await AddDealAsync("ancient", "qualified_at, estimated_value", "'2015-01-01', 700");
        await AddDealAsync("ancient and closed", "stage, qualified_at, closed_at, estimated_value", "'closed_won', '2015-01-01', '2016-01-01', 900");
        await RefreshAsync();

        Assert.Equal(
            ["700.00 700.00 1096 0"],
            await ColumnAsync(
                """
                SELECT concat_ws(' ', min(total_pipeline_value), max(total_pipeline_value), count(*), sum(total_qualified))
                FROM mv_sales_metrics
                """));
    }

    [Fact]
    public async Task Day_OfInstants_IsThatOfUtc()
    {
        await AddDealAsync("a", "qualified_at", "'2026-03-10 23:30-03'");
        await Db.ExecuteAsync("SET TimeZone = 'America/Buenos_Aires'; REFRESH MATERIALIZED VIEW CONCURRENTLY mv_sales_metrics");

        Assert.Equal(["2026-03-11"], await ColumnAsync("SELECT date::text FROM mv_sales_metrics WHERE total_qualified = 1"));
    }

    private Task<int> RefreshAsync() => Db.ExecuteAsync("REFRESH MATERIALIZED VIEW CONCURRENTLY mv_sales_metrics");
}
