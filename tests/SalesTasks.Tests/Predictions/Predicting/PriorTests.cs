using SalesTasks.Predictions.Predicting;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>What answers where no model does, and that it says so.</summary>
public sealed class PriorTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly PredictRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void OutcomeRates_NoOutcome_AreTheAssumedOnes()
    {
        var rates = new OutcomeRates([]);

        Assert.Equal(0.2, rates.Of("qualified", "ad").Rate, 12);
        // Odds of 1 to 4, half as high again each stage.
        Assert.Equal(0.375 / 1.375, rates.Of("contacted").Rate, 12);
        Assert.Equal(0.25 * Math.Pow(1.5, 4) / (1 + (0.25 * Math.Pow(1.5, 4))), rates.Of("negotiating").Rate, 12);
    }

    [Fact]
    public void OutcomeRates_FewAndManyOutcomes_PullAsMuchAsTheyAre()
    {
        var few = new OutcomeRates([new OutcomeCell("qualified", "ad", 10, 10, 1)]);
        var many = new OutcomeRates([new OutcomeCell("qualified", "ad", 10_000, 1_000, 2_000), new OutcomeCell("qualified", "event", 5, 5, 1)]);

        Assert.Equal((1 + (20 * 0.2)) / 21, few.Of("qualified").Rate, 12);
        Assert.InRange(many.Of("qualified", "ad").Rate, 0.1, 0.102);
        Assert.InRange(many.Of("qualified", "event").Rate, 0.1, 0.16);
        Assert.True(many.Of("qualified", "ad").Error < few.Of("qualified", "ad").Error / 5);
    }

    [Fact]
    public async Task Predict_NoModelAndNoOutcome_SaysTheAssumedRatesAndThatItIsThem()
    {
        await _rig.AddDealsAsync(20);

        var answer = await _rig.PredictAsync();
        var again = await _rig.PredictAsync();

        Assert.Contains("no model is published", answer.Errors, StringComparison.Ordinal);
        Assert.Equal("prior", answer.Json.GetProperty("details").GetProperty("model").GetString());
        Assert.Equal(0, PredictRig.Count(again, "predicted"));
        Assert.Equal([0.2, 0.2727, 0.36, 0.4576, 0.5586], await database.QueryAsync(
            """
            SELECT DISTINCT p.stage, (p.metadata -> 'ml_predictions' ->> 'probability')::numeric::float8 FROM sales_pipeline p JOIN deal_predictions d ON d.pipeline_id = p.id
            WHERE d.answered_by = 'prior' AND d.win_model IS NULL ORDER BY p.stage
            """,
            row => row.GetDouble(1)));
        Assert.True(await database.ScalarAsync<double>("SELECT max(confidence) FROM deal_predictions") < 0.5, "rates are never sure");
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM lead_model_scores"));
        Assert.Contains("rates by stage and source (no model)", (await _rig.RunAsync("explain", "d1")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_NoModelAndOutcomes_SaysTheRatesOfMatureDeals()
    {
        // 300 old deals from events that were all won, in their first stage for ten days; and quick losses of this week, which are not mature.
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, created_at) SELECT 'c' || i, 'event', @t0::timestamptz - interval '300 days' FROM generate_series(1, 400) AS i
            """,
            ("t0", PredictRig.T0));
        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at, closed_at)
            SELECT 'c' || i, 'c@acme.example', CASE WHEN i <= 300 THEN 'closed_won' ELSE 'closed_lost' END::pipeline_stage,
              @t0::timestamptz - CASE WHEN i <= 300 THEN interval '200 days' ELSE interval '2 days' END, @t0::timestamptz - CASE WHEN i <= 300 THEN interval '190 days' ELSE interval '1 day' END
            FROM generate_series(1, 400) AS i
            """,
            ("t0", PredictRig.T0));
        await _rig.AddDealsAsync(20);

        await _rig.PredictAsync();

        var rates = (await database.QueryAsync(
            """
            SELECT p.stage::text, l.source::text, avg(d.probability) FROM deal_predictions d JOIN sales_pipeline p ON p.id = d.pipeline_id JOIN leads l ON l.ext_id = p.lead_ext_id
            GROUP BY 1, 2
            """,
            row => (Key: (row.GetString(0), row.GetString(1)), Rate: row.GetDouble(2)))).ToDictionary(r => r.Key, r => r.Rate);
        Assert.Equal((300 + (20 * 0.2)) / 320, rates[("qualified", "ad")], 6);
        Assert.True(rates[("qualified", "event")] > rates[("qualified", "ad")]);
        // Nothing is known about this stage but the assumption.
        Assert.Equal(0.36, rates[("meeting_scheduled", "event")], 6);
    }

    [Theory]
    [InlineData("UPDATE ml_models SET content = overlay(content PLACING '\\x00'::bytea FROM 100)", "it is damaged")]
    [InlineData("UPDATE ml_models SET format = 0", "its format is 0")]
    [InlineData("UPDATE ml_models SET content = '\\x1234', sha256 = sha256('\\x1234')", "its content is not a model")]
    public async Task Predict_ModelThatCannotBeRead_TheRatesAnswerAndItsScoresGo(string damage, string fault)
    {
        await _rig.PublishAsync();
        await _rig.AddDealsAsync(10);
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('mine', 'x')");
        await _rig.PredictAsync();
        await database.ExecuteAsync("UPDATE lead_model_scores SET model_version = 'theirs' WHERE lead_id = (SELECT lead_id FROM leads WHERE ext_id = 'mine')");

        await database.ExecuteAsync(damage);
        var answer = await _rig.PredictAsync();

        Assert.Contains(fault, answer.Errors, StringComparison.Ordinal);
        Assert.Equal(10, PredictRig.Count(answer, "predicted"));
        Assert.Equal(10, await database.ScalarAsync<long>("SELECT count(*) FROM deal_predictions WHERE answered_by = 'prior'"));
        Assert.Equal(["theirs"], await database.QueryAsync("SELECT model_version FROM lead_model_scores", row => row.GetString(0)));
    }
}
