using System.Globalization;
using System.Text.Json;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Predicting;
using SalesTasks.Predictions.Training;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>ml predict with a published model: what it says, what it writes, and what it leaves alone.</summary>
public sealed class PredictTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 60;

    private readonly PredictRig _rig = new(database);
    private long _model;

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        _model = await _rig.PublishAsync();
        await _rig.AddDealsAsync(Deals);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Predict_OpenDeals_SaysWhatTheModelSays()
    {
        var answer = await _rig.PredictAsync();

        Assert.Equal((Deals, Deals, 0), (PredictRig.Count(answer, "deals"), PredictRig.Count(answer, "predicted"), PredictRig.Count(answer, "left")));
        await _rig.AllIsPredictedAsync();
        await using var connection = await database.OpenConnectionAsync();
        var stored = (await database.QueryAsync(
            "SELECT pipeline_id, log_odds, base_log_odds, other_log_odds, contributions::text FROM deal_predictions",
            row => (Id: row.GetInt64(0), LogOdds: row.GetDouble(1), Base: row.GetDouble(2), Other: row.GetDouble(3), Top: Json.Parse(row.GetString(4))))).ToDictionary(r => r.Id);
        var snapshots = await DealSnapshots.ReadAsync(
            connection, [.. stored.Keys.Select(id => new Moment(id, PredictRig.T0, null, null))], TestContext.Current.CancellationToken);
        using var predictor = PredictRig.Model.Open();
        var steps = new TimeSteps(PredictRig.T0);
        var table = snapshots.Table with
        {
            Columns = [.. snapshots.Table.Columns.Select(column => column is NumberColumn number && column.Name is
                    "days_in_stage" or "days_in_pipeline" or "lead_age_days" or "days_since_engagement" or "days_since_contact"
                ? number with { Values = [.. number.Values.Select((v, row) => float.IsNaN(v) ? v : (float)steps.Of(snapshots.Moments[row].PipelineId, v))] }
                : column)],
        };
        var logits = predictor.Logits(table, [.. Enumerable.Range(0, Deals)]);
        Assert.Equal(Deals, snapshots.Moments.Count);
        for (var row = 0; row < Deals; row++)
        {
            var prediction = stored[snapshots.Moments[row].PipelineId];
            Assert.Equal(logits[row], prediction.LogOdds, 1e-5);
            Assert.Equal(prediction.LogOdds, prediction.Base + prediction.Other + prediction.Top.EnumerateArray().Sum(c => c[2].GetDouble()), 1e-9);
            Assert.Equal(6, prediction.Top.GetArrayLength());
        }

        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(DISTINCT win_model) FROM deal_predictions WHERE answered_by = 'model' AND win_model = @id", ("id", _model)));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM deal_predictions WHERE NOT (probability_low < probability AND probability < probability_high)"));
    }

    [Fact]
    public async Task Predict_Metadata_HasTheSevenKeysAndKeepsTheOthers()
    {
        await _rig.PredictAsync();

        var metadata = Json.Parse((await database.ScalarAsync<string>("SELECT metadata::text FROM sales_pipeline WHERE lead_ext_id = 'd3'"))!);
        var stored = metadata.GetProperty("ml_predictions");
        Assert.Equal("spring", metadata.GetProperty("campaign").GetString());
        Assert.Equal(
            ["confidence", "expected_value", "predicted_at", "probability", "recommendations", "risk_score", "time_to_close_days"],
            stored.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        var probability = stored.GetProperty("probability").GetDouble();
        Assert.Equal(3000 * probability, stored.GetProperty("expected_value").GetDouble(), 0.2);
        Assert.Equal(1 - probability, stored.GetProperty("risk_score").GetDouble(), 1e-3);
        Assert.Equal("2026-03-18T12:00:00Z", stored.GetProperty("predicted_at").GetString());
        Assert.InRange(stored.GetProperty("recommendations").GetArrayLength(), 0, 3);
        Assert.Equal(JsonValueKind.Null, stored.GetProperty("time_to_close_days").ValueKind);
        // Nobody gave it a value and no model tells one.
        Assert.Equal(JsonValueKind.Null, (await _rig.StoredAsync("d1")).GetProperty("expected_value").ValueKind);
        Assert.Equal(
            (decimal)probability,
            await database.ScalarAsync<decimal>("SELECT ml_probability FROM v_sales_dashboard WHERE lead_ext_id = 'd3'"));
    }

    [Fact]
    public async Task Predict_NothingChanged_WritesNothing()
    {
        await _rig.AddDealsAsync(1, "closed");
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_lost' WHERE lead_ext_id = 'closed1'");
        await _rig.PredictAsync();
        var before = await _rig.RowVersionsAsync();

        // Any time of the same day.
        foreach (var hours in (double[])[0, 1.5, 11.99])
        {
            var again = await _rig.PredictAsync(PredictRig.T0.AddHours(hours));
            Assert.Equal((0, Deals), (PredictRig.Count(again, "predicted"), PredictRig.Count(again, "unchanged")));
            Assert.Equal("nothing_to_do", again.Json.GetProperty("status").GetString());
        }

        Assert.Equal(before, await _rig.RowVersionsAsync());
        Assert.Equal(0, await database.ScalarAsync<long>(
            "SELECT count(*) FROM deal_predictions d JOIN sales_pipeline p ON p.id = d.pipeline_id WHERE p.lead_ext_id = 'closed1'"));
    }

    [Fact]
    public async Task Predict_NewEvent_IsOnlyThatDealsNews()
    {
        await _rig.PredictAsync();
        var before = await database.RowsAsync("SELECT id, xmin::text FROM sales_pipeline WHERE lead_ext_id <> 'd7' ORDER BY id");
        var probability = (await _rig.StoredAsync("d7")).GetProperty("probability").GetDouble();

        await database.ExecuteAsync(
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) SELECT 'd7', 'reply', @at FROM generate_series(1, 2)", ("at", PredictRig.T0.AddHours(1)));
        // What has not happened yet by then is not known.
        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync(), "predicted"));
        var answer = await _rig.PredictAsync(PredictRig.T0.AddHours(2));

        Assert.Equal(1, PredictRig.Count(answer, "predicted"));
        Assert.Equal(before, await database.RowsAsync("SELECT id, xmin::text FROM sales_pipeline WHERE lead_ext_id <> 'd7' ORDER BY id"));
        Assert.True((await _rig.StoredAsync("d7")).GetProperty("probability").GetDouble() > probability + 0.05, "replies speak for it");
        Assert.Equal(2, await database.ScalarAsync<long>(
            "SELECT count(*) FROM deal_prediction_history h JOIN sales_pipeline p ON p.id = h.pipeline_id WHERE p.lead_ext_id = 'd7'"));
    }

    [Fact]
    public async Task Predict_TimePasses_IsPredictedOnceADay()
    {
        await _rig.PredictAsync();

        var tomorrow = await _rig.PredictAsync(PredictRig.T0.AddHours(13));
        var later = await _rig.PredictAsync(PredictRig.T0.AddHours(35));

        // All that have a span of less than two weeks; of the others those whose day it is.
        Assert.InRange(PredictRig.Count(tomorrow, "predicted"), Deals / 2, Deals);
        Assert.Equal(0, PredictRig.Count(later, "predicted"));
    }

    [Fact]
    public async Task Predict_NewModelOrParameter_IsPredictedAnew()
    {
        await _rig.PredictAsync();

        await _rig.PublishAsync();
        Assert.Equal(Deals, PredictRig.Count(await _rig.PredictAsync(), "predicted"));
        Assert.Equal(Deals, PredictRig.Count(await _rig.PredictAsync("--min-probability-threshold", "30"), "predicted"));
        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync("--min-probability-threshold", "30"), "predicted"));
    }

    [Theory]
    [InlineData("20", "true")]
    [InlineData("55", "true")]
    [InlineData("0", "false")]
    public async Task Predict_ProbabilityPct_FollowsFromTheThresholdOn(string threshold, string auto)
    {
        await database.ExecuteAsync("UPDATE sales_pipeline SET probability_pct = 33");

        await _rig.PredictAsync("--min-probability-threshold", threshold, "--update-probability-auto", auto);

        var rows = await database.QueryAsync(
            "SELECT p.probability_pct, round(100 * d.probability)::int FROM sales_pipeline p JOIN deal_predictions d ON d.pipeline_id = p.id",
            row => (Stands: row.GetInt32(0), Said: row.GetInt32(1)));
        var limit = int.Parse(threshold, CultureInfo.InvariantCulture);
        Assert.All(rows, row => Assert.Equal(auto == "true" && row.Said >= limit ? row.Said : 33, row.Stands));
        Assert.Contains(rows, row => row.Said < 20);
        Assert.Contains(rows, row => row.Said >= 55);
    }

    [Fact]
    public async Task Predict_OnePartAtATime_KeepsTheOthers()
    {
        await database.ExecuteAsync("UPDATE sales_pipeline SET probability_pct = 33");
        await _rig.PredictAsync("--ml-model-type", "value");
        var value = await _rig.StoredAsync("d3");
        Assert.True(value.GetProperty("expected_value").GetDouble() > 0);
        Assert.Equal(33, await database.ScalarAsync<int>("SELECT probability_pct FROM sales_pipeline WHERE lead_ext_id = 'd3'"));
        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync("--ml-model-type", "value"), "predicted"));

        Assert.Equal(Deals, PredictRig.Count(await _rig.PredictAsync("--ml-model-type", "time_to_close"), "predicted"));
        Assert.Equal(value.GetProperty("expected_value").GetDouble(), (await _rig.StoredAsync("d3")).GetProperty("expected_value").GetDouble());
        // Only a run that is asked for the probability sets probability_pct.
        Assert.Equal(Deals, PredictRig.Count(await _rig.PredictAsync("--ml-model-type", "probability"), "predicted"));
        Assert.NotEqual(33, await database.ScalarAsync<int>("SELECT probability_pct FROM sales_pipeline WHERE lead_ext_id = 'd3'"));
        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync(), "predicted"));

        await database.ExecuteAsync("UPDATE sales_pipeline SET estimated_value = 5000 WHERE lead_ext_id = 'd3'");
        Assert.Equal(1, PredictRig.Count(await _rig.PredictAsync("--ml-model-type", "probability"), "predicted"));
        // Not asked for: it is older than the rest, and the next run that asks makes it anew.
        Assert.Equal(value.GetProperty("expected_value").GetDouble(), (await _rig.StoredAsync("d3")).GetProperty("expected_value").GetDouble());
        Assert.Equal(1, PredictRig.Count(await _rig.PredictAsync(), "predicted"));
        Assert.Equal(value.GetProperty("expected_value").GetDouble() / 3 * 5, (await _rig.StoredAsync("d3")).GetProperty("expected_value").GetDouble(), 0.1);
    }

    [Fact]
    public async Task Predict_DryRunOrSwitchedOff_WritesNothing()
    {
        var before = await database.FingerprintAsync("task_runs");

        var dry = await _rig.PredictAsync("--dry-run");
        var off = await _rig.PredictAsync("--enable-ml-predictions", "false");

        Assert.Equal((Deals, 0), (PredictRig.Count(dry, "predicted"), PredictRig.Count(off, "predicted")));
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Predict_BadParameters_AreAllNamed()
    {
        var answer = await _rig.RunAsync("ml", "predict", "--ml-model-type", "fortune", "--min-probability-threshold", "101");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("probability, value, time_to_close, all", answer.Errors, StringComparison.Ordinal);
        Assert.Contains("0 to 100", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Predict_MetadataOfOthers_IsTheirs()
    {
        await database.ExecuteAsync("UPDATE sales_pipeline SET metadata = '[1, 2]' WHERE lead_ext_id = 'd1'; UPDATE sales_pipeline SET metadata = NULL WHERE lead_ext_id = 'd2'");
        await _rig.PredictAsync();

        Assert.Equal("[1, 2]", await database.ScalarAsync<string>("SELECT metadata::text FROM sales_pipeline WHERE lead_ext_id = 'd1'"));
        Assert.Equal(JsonValueKind.Number, (await _rig.StoredAsync("d2")).GetProperty("probability").ValueKind);
        Assert.Equal(0, PredictRig.Count(await _rig.PredictAsync(), "predicted"));

        // Somebody writes it anew: the prediction comes back.
        await database.ExecuteAsync("""UPDATE sales_pipeline SET metadata = '{"mine": 1}' WHERE lead_ext_id = 'd2'""");
        Assert.Equal(1, PredictRig.Count(await _rig.PredictAsync(), "predicted"));
        Assert.Equal(JsonValueKind.Number, (await _rig.StoredAsync("d2")).GetProperty("probability").ValueKind);
        Assert.Equal("1", await database.ScalarAsync<string>("SELECT metadata ->> 'mine' FROM sales_pipeline WHERE lead_ext_id = 'd2'"));
    }

    [Fact]
    public async Task Predict_LimitAndShards_TogetherDoEverythingOnce()
    {
        Assert.Equal(7, PredictRig.Count(await _rig.PredictAsync("--max-leads-per-run", "7"), "predicted"));
        Assert.Equal(Deals - 7, PredictRig.Count(await _rig.PredictAsync("--shard", "0/2"), "predicted") + PredictRig.Count(await _rig.PredictAsync("--shard", "1/2"), "predicted"));

        await _rig.AllIsPredictedAsync();
    }

    [Fact]
    public async Task Predict_DealIsDeleted_ItsPredictionsGoWithIt()
    {
        await _rig.PredictAsync();

        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'd1'");
        Assert.Equal((Deals - 1, Deals - 1), (
            await database.ScalarAsync<long>("SELECT count(*) FROM deal_predictions"), await database.ScalarAsync<long>("SELECT count(*) FROM deal_prediction_history")));
        await database.ExecuteAsync("TRUNCATE sales_pipeline CASCADE");
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM deal_prediction_history"));
    }

    [Fact]
    public async Task Explain_PredictedDeal_AddsUpInBothLanguages()
    {
        await _rig.PredictAsync();

        var document = Json.Parse((await _rig.RunAsync("explain", "d3", "--json")).Output).GetProperty("probability");
        var english = (await _rig.RunAsync("explain", "d3")).Output;
        var spanish = (await _rig.RunAsync("explain", "d3", "--lang", "es")).Output;

        Assert.Equal(
            document.GetProperty("log_odds").GetDouble(),
            document.GetProperty("base_log_odds").GetDouble() + document.GetProperty("other_log_odds").GetDouble()
                + document.GetProperty("contributions").EnumerateArray().Sum(c => c[2].GetDouble()),
            1e-9);
        Assert.Contains($"model {_model}, 2026-03-18 12:00 UTC", english, StringComparison.Ordinal);
        Assert.Contains("deals on average", english, StringComparison.Ordinal);
        Assert.Contains($"modelo {_model}, 2026-03-18 12:00 UTC", spanish, StringComparison.Ordinal);
        Assert.Contains("oportunidades en promedio", spanish, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blend_PredictThenScore_ExplainsTheScoreExactly()
    {
        var scoring = new Scoring.ScoringRig(database);
        await scoring.AddLeadAsync("prospect");
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won', closed_at = @at WHERE lead_ext_id = 'd5'", ("at", PredictRig.T0.AddHours(1)));

        await _rig.PredictAsync(PredictRig.T0.AddHours(2));
        await scoring.ScoreAsync(PredictRig.T0.AddHours(2), "--enable-ml-scoring", "true");

        Assert.Equal((1, 0), (await ModelScoresAsync("prospect"), await ModelScoresAsync("d5")));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM lead_model_scores"));
        foreach (var lead in (string[])["prospect", "d5", "d6"])
        {
            var explained = Json.Parse((await _rig.RunAsync("explain", lead, "--json")).Output);
            var factors = explained.GetProperty("factors").EnumerateArray().ToList();
            var stored = await scoring.ScoreOfAsync(lead);
            Assert.Equal(stored, factors.Sum(f => f[1].GetInt32()));
            Assert.Equal(stored, explained.GetProperty("score").GetInt32());
            var rules = factors.Where(f => f[0].GetString() != "model").Sum(f => f[1].GetInt32());
            var model = await database.ScalarAsync<short?>("SELECT model_score FROM lead_model_scores m JOIN leads l USING (lead_id) WHERE l.ext_id = @lead", ("lead", lead));
            Assert.Equal(model is { } score ? (int)Math.Round((0.7 * rules) + (0.3 * score), MidpointRounding.AwayFromZero) : rules, stored);
        }

        // It closes: its lead's score follows the rules alone again.
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_lost', closed_at = @at WHERE lead_ext_id = 'd6'", ("at", PredictRig.T0.AddHours(3)));
        await _rig.PredictAsync(PredictRig.T0.AddHours(4));
        Assert.Equal(0, await ModelScoresAsync("d6"));
        Assert.InRange((await scoring.ScoreAsync(PredictRig.T0.AddHours(4), "--enable-ml-scoring", "true"))["evaluated"], 1, 2);
    }

    private Task<long> ModelScoresAsync(string lead) =>
        database.ScalarAsync<long>("SELECT count(*) FROM lead_model_scores m JOIN leads l USING (lead_id) WHERE l.ext_id = @lead", ("lead", lead));
}
