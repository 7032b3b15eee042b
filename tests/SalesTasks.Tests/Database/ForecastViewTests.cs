using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary><c>v_sales_forecast</c>: the month a deal is expected to close, and the sums with their interval.</summary>
public sealed class ForecastViewTests(TestDatabase database) : PipelineTests(database)
{
    [Theory]
    [InlineData("qualified", "2026-03-10", "2026-05")]
    [InlineData("contacted", "2026-03-10", "2026-04")]
    [InlineData("meeting_scheduled", "2026-03-03", "2026-04")]
    [InlineData("proposal_sent", "2026-03-10", "2026-03")]
    [InlineData("negotiating", "2026-03-25", "2026-04")]
    public async Task Month_WithoutHistory_IsAssumedFromEnteringTheStage(string stage, string entered, string month)
    {
        await AddDealAsync("a", "qualified_at", "'2026-01-01'");
        await EnterAsync("a", stage, entered);

        Assert.Equal([month], await MonthsAsync());
    }

    [Fact]
    public async Task Month_ExpectedDayPassed_IsTheCurrentMonth()
    {
        await AddDealAsync("a", "qualified_at", "'2025-01-01'");
        await AddDealAsync("b", "metadata", """'{"ml_predictions": {"time_to_close_days": 1, "predicted_at": "2025-06-01T00:00:00Z"}}'""");

        Assert.Equal(["2026-03"], await MonthsAsync());
    }

    [Theory]
    [InlineData("""{"time_to_close_days": 45, "predicted_at": "2026-03-15T23:59:59.123+00:00"}""", "2026-04")]
    [InlineData("""{"time_to_close_days": 47, "predicted_at": "2026-03-15"}""", "2026-05")]
    [InlineData("""{"time_to_close_days": 15.5, "predicted_at": "2026-03-16 08:00"}""", "2026-03")]
    [InlineData("""{"time_to_close_days": 100}""", "2026-06")]
    [InlineData("""{"time_to_close_days": 100, "predicted_at": "long ago"}""", "2026-06")]
    [InlineData("""{"time_to_close_days": 0, "predicted_at": "2026-05-31"}""", "2026-05")]
    public async Task Month_PredictedTimeToClose_CountsFromThePrediction(string prediction, string month)
    {
        await AddDealAsync("a", "metadata", $$"""'{"ml_predictions": {{prediction}}}'""");

        Assert.Equal([month], await MonthsAsync());
    }

    [Theory]
    [InlineData(9, "2026-04")]
    [InlineData(10, "2026-07")]
    public async Task Month_EnoughWonDeals_IsTheirMedianTimeFromTheStage(int won, string month)
    {
        // Won 120 days after they were contacted, give or take, so that the median is 120.
        for (var deal = 0; deal < won; deal++)
        {
            await AddDealAsync($"won {deal}", "qualified_at", "'2025-06-01'");
            await EnterAsync($"won {deal}", "contacted", "2025-07-01");
            await Db.ExecuteAsync(
                "UPDATE sales_pipeline SET stage = 'closed_won', closed_at = timestamptz '2025-07-01' + make_interval(days => @days) WHERE lead_ext_id = @lead",
                ("days", 120 + ((deal % 3) - 1) * 30),
                ("lead", $"won {deal}"));
        }

        await AddDealAsync("a", "qualified_at", "'2026-03-01'");
        await EnterAsync("a", "contacted", "2026-03-10");

        Assert.Equal([month], await MonthsAsync());
    }

    [Fact]
    public async Task Sums_OfAMonth_AddUp()
    {
        const string Columns = "stage, priority, estimated_value, probability_pct";
        await AddDealAsync("1", Columns, "'negotiating', 'urgent', 1000, 80");
        await AddDealAsync("2", Columns, "'negotiating', 'high', 500.50, 50");
        await AddDealAsync("3", Columns, "'proposal_sent', 'low', 2000, 25");
        await AddDealAsync("4", Columns, "'negotiating', NULL, NULL, 30");
        await AddDealAsync("lost", Columns, "'closed_lost', 'high', 9000, 90");
        await Db.ExecuteAsync("UPDATE sales_stage_history SET changed_at = '2026-03-01'");

        var row = await RowAsync("SELECT * FROM v_sales_forecast");

        Assert.Equal(4L, row["total_deals"]);
        Assert.Equal(3500.50m, row["total_pipeline_value"]);
        Assert.Equal(1550.25m, row["weighted_forecast"]);
        Assert.Equal(1050.25m, row["high_priority_forecast"]);
        Assert.Equal(46.25m, row["avg_probability"]);
        Assert.Equal(3L, row["negotiating_count"]);
        Assert.Equal(1L, row["proposals_count"]);

        // Variance .8 x .2 x 1000² + .5² x 500.5² + .25 x .75 x 2000² = 972,625.0625; 1.2816 standard deviations = 1263.94.
        Assert.Equal(286.31m, row["weighted_forecast_low"]);
        Assert.Equal(2814.19m, row["weighted_forecast_high"]);
    }

    [Theory]
    [InlineData(50, 0, 1000)]
    [InlineData(100, 1000, 1000)]
    [InlineData(0, 0, 0)]
    public async Task Interval_OfOneDeal_StaysBetweenNothingAndAll(int probability, double low, double high)
    {
        await AddDealAsync("a", "estimated_value, probability_pct", $"1000, {probability}");

        var row = await RowAsync("SELECT * FROM v_sales_forecast");

        Assert.Equal((decimal)low, row["weighted_forecast_low"]);
        Assert.Equal((decimal)high, row["weighted_forecast_high"]);
    }

    [Fact]
    public async Task Interval_ManyIndependentDeals_CoversFourFifthsOfOutcomes()
    {
        // 200 deals of many sizes; outcomes drawn 2,000 times with a fixed seed.
        await Db.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT 'm' || i, 'organic' FROM generate_series(1, 200) i;
            INSERT INTO sales_pipeline (lead_ext_id, email, estimated_value, probability_pct)
            SELECT 'm' || i, 'm@lead.example', 100 + (i * 37) % 1900, 5 + (i * 13) % 90 FROM generate_series(1, 200) i
            """);
        var row = await RowAsync("SELECT * FROM v_sales_forecast");
        var deals = await Db.QueryAsync(
            "SELECT estimated_value, probability_pct FROM sales_pipeline",
            reader => (Value: (double)reader.GetDecimal(0), Probability: reader.GetInt32(1) / 100.0));
        var (low, high) = ((double)(decimal)row["weighted_forecast_low"]!, (double)(decimal)row["weighted_forecast_high"]!);
        var random = new Random(7);

        var inside = Enumerable.Range(0, 2000).Count(_ =>
        {
            var revenue = deals.Sum(deal => random.NextDouble() < deal.Probability ? deal.Value : 0);
            return revenue >= low && revenue <= high;
        });

        Assert.InRange(inside / 2000.0, 0.77, 0.83);
    }

    [Fact]
    public async Task Months_SeveralDeals_AreInOrder()
    {
        await AddDealAsync("later", "metadata", """'{"ml_predictions": {"time_to_close_days": 80}}'""");
        await AddDealAsync("now", "metadata", """'{"ml_predictions": {"time_to_close_days": 1}}'""");
        await AddDealAsync("next", "metadata", """'{"ml_predictions": {"time_to_close_days": 20}}'""");

        Assert.Equal(["2026-03", "2026-04", "2026-06"], await MonthsAsync());
    }

    private Task<List<string?>> MonthsAsync() => ColumnAsync("SELECT to_char(forecast_month, 'YYYY-MM') FROM v_sales_forecast");

    /// <summary>The deal of a lead enters a stage at an instant.</summary>
    private Task<int> EnterAsync(string lead, string stage, string at) => Db.ExecuteAsync(
        $"""
        SET salestasks.as_of = '{at}';
        UPDATE sales_pipeline SET stage = '{stage}' WHERE lead_ext_id = @lead;
        UPDATE sales_stage_history SET changed_at = '{at}' WHERE lead_ext_id = @lead AND to_stage = '{stage}'
        """,
        ("lead", lead));
}
