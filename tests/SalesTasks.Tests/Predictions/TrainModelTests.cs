using System.Text.Json;
using SalesTasks.Demo;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions;

/// <summary>ml train, ml models and ml evaluate on the sample, whose truth is known.</summary>
public sealed class TrainModelTests(TrainModelTests.Trained trained) : IClassFixture<TrainModelTests.Trained>
{
    private static readonly DateTimeOffset Present = new(2026, 1, 31, 6, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Train_Sample_PublishesACalibratedModelThatBeatsTheRates()
    {
        var details = trained.First.GetProperty("details");

        Assert.Equal(4, trained.First.GetProperty("counts").GetProperty("published").GetInt32());
        Assert.InRange(details.GetProperty("log_loss").GetDouble(), 0, details.GetProperty("prior_log_loss").GetDouble() - 0.02);
        Assert.InRange(details.GetProperty("ece").GetDouble(), 0, PublishGate.LargestError);
    }

    [Fact]
    public async Task Model_OpenDeals_SaysTheirTrueProbability()
    {
        var (snapshots, truth) = await OpenDealsAsync();
        await using var connection = await trained.Database.OpenConnectionAsync();
        using var model = (await ModelRegistry.FindAsync(connection, ModelKinds.WinProbability, trained.ModelId, Token)).Model!.Open();

        var rows = Enumerable.Range(0, truth.Length).ToArray();
        var said = model.Logits(snapshots.Table, rows).Select(Logits.ToProbability).ToArray();

        Assert.InRange(truth.Length, 300, 5_000);
        // Expected calibration error against the truth instead of against outcomes.
        var error = rows.GroupBy(row => (int)(said[row] * 10)).Sum(bin => Math.Abs(bin.Sum(row => said[row] - truth[row]))) / rows.Length;
        Assert.InRange(error, 0, 0.03);
        // And each deal's own probability, not only their mean: what is left is what is recorded nowhere.
        Assert.InRange(Math.Sqrt(rows.Average(row => Math.Pow(said[row] - truth[row], 2))), 0, 0.15);
    }

    [Fact]
    public async Task Explain_OpenDeals_AddsUpToTheLogOdds()
    {
        var (snapshots, truth) = await OpenDealsAsync();
        await using var connection = await trained.Database.OpenConnectionAsync();
        using var model = (await ModelRegistry.FindAsync(connection, ModelKinds.WinProbability, trained.ModelId, Token)).Model!.Open();
        var rows = Enumerable.Range(0, truth.Length).ToArray();

        var logits = model.Logits(snapshots.Table, rows);
        var parts = model.Explain(snapshots.Table, rows);

        Assert.All(rows, row => Assert.Equal(logits[row], parts[row].Sum(), 1e-6));
        Assert.True(parts.Sum(p => p.SkipLast(1).Sum(Math.Abs)) > rows.Length, "contributions are no formality");
    }

    [Fact]
    public async Task TreeExplainer_OpenDeals_SaysWhatLightGbmSays()
    {
        var (snapshots, truth) = await OpenDealsAsync();
        await using var connection = await trained.Database.OpenConnectionAsync();
        var model = (await ModelRegistry.FindAsync(connection, ModelKinds.WinProbability, trained.ModelId, Token)).Model!;
        var rows = Enumerable.Range(0, Math.Min(truth.Length, 300)).ToArray();

        foreach (var member in model.Members)
        {
            var encoded = member.Encoder.Encode(snapshots.Table, rows);
            var width = member.Encoder.TreeWidth;
            var places = Enumerable.Range(0, width).ToArray();
            foreach (var text in member.Trees)
            {
                using var booster = Booster.Load(text);
                var reference = booster.Explain(encoded, -1);
                var explainer = new TreeExplainer(text);
                foreach (var row in rows)
                {
                    var sums = new double[width + 1];
                    explainer.Add(encoded.Tree.AsSpan(row * width, width), places, 1, sums);
                    Assert.All(sums, (sum, place) => Assert.Equal(reference[(row * (width + 1)) + place], sum, 1e-9));
                }
            }
        }
    }

    [Fact]
    public async Task Train_NothingNewEnded_KeepsThePublishedModel()
    {
        var rig = new ScoringRig(trained.Database);
        var before = await trained.Database.FingerprintAsync("task_runs");

        await Trained.TrainAsync(rig, "--dry-run");
        Assert.Equal(before, await trained.Database.FingerprintAsync("task_runs"));
        var second = await Trained.TrainAsync(rig);

        Assert.Equal(0, second.GetProperty("counts").GetProperty("published").GetInt32());
        Assert.Contains("0 deals ended since", second.GetProperty("details").GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal(["published", "refused"], await StatusesAsync());

        // A model that cannot be read is in nobody's way.
        await trained.Database.ExecuteAsync("UPDATE ml_models SET format = 0 WHERE status = 'published'");
        var third = await Trained.TrainAsync(rig);
        Assert.Equal(4, third.GetProperty("counts").GetProperty("published").GetInt32());
        Assert.Equal(["retired", "refused", "published"], await StatusesAsync());
        await trained.RestoreAsync();
    }

    [Theory]
    [InlineData("UPDATE ml_models SET content = overlay(content PLACING '\\x00'::bytea FROM 100)", "does not match its SHA-256: it is damaged")]
    [InlineData("UPDATE ml_models SET format = 0", "its format is 0 and this program reads 1")]
    [InlineData("UPDATE ml_models SET content = '\\x1234', sha256 = sha256('\\x1234')", "its content is not a model")]
    public async Task Evaluate_ModelThatCannotBeRead_SaysSoAndWhatAnswersInstead(string damage, string fault)
    {
        await using var own = await TestDatabase.CreateAsync(trained.Database.Server);
        await trained.CopyModelAsync(own);
        await own.ExecuteAsync(damage);

        var answer = await new ScoringRig(own).RunAsync("ml", "evaluate");

        Assert.Equal(ExitCode.Refused, answer.ExitCode);
        Assert.Contains(fault, answer.Errors, StringComparison.Ordinal);
        Assert.Contains("the rates by stage and source answer instead", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_OpenDeals_EndWhenTheTruthExpectsThemTo()
    {
        var (snapshots, truth) = await OpenDealsAsync("current_days_to_close");
        await using var connection = await trained.Database.OpenConnectionAsync();
        var stored = await ModelRegistry.PublishedAsync(connection, ModelKinds.TimeToClose, Token);
        var model = stored!.Model!;

        // The mean of a distribution is the area under its curve.
        var curves = model.Survival(snapshots, snapshots.AllRows);
        var said = curves.Select(curve => Enumerable.Range(0, model.Bins).Sum(bin =>
            (model.Edges[bin + 1] - model.Edges[bin]) * ((bin == 0 ? 1 : curve[bin - 1]) + curve[bin]) / 2)).ToArray();

        Assert.InRange(said.Average() / truth.Average(), 0.85, 1.15);
        var error = said.Select((days, row) => Math.Abs(days - truth[row])).Average();
        Assert.InRange(error, 0, 0.75 * truth.Select(days => Math.Abs(days - truth.Average())).Average());
    }

    [Theory]
    [InlineData("deal_value", "a deal's own estimated value answers instead")]
    [InlineData("time_to_close", "no time to close is given instead")]
    [InlineData("risk", "1 - win probability answers instead")]
    public async Task Load_ModelOfAnotherFormat_IsNamedAndSomethingElseAnswers(string kind, string answer)
    {
        await using var own = await TestDatabase.CreateAsync(trained.Database.Server);
        await trained.CopyModelsAsync(own);
        await own.ExecuteAsync("UPDATE ml_models SET format = 99 WHERE kind = @kind", ("kind", kind));

        var rig = new ScoringRig(own);
        var prediction = await rig.RunAsync("ml", "predict", "--as-of", Present.ToString("O"));
        var evaluation = await rig.RunAsync("ml", "evaluate");

        Assert.Equal(ExitCode.Done, prediction.ExitCode);
        Assert.Contains(answer, prediction.Errors, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, evaluation.ExitCode);
        Assert.Contains("its format is 99 and this program reads 1", evaluation.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_EmptyDatabase_SaysWhatIsMissing()
    {
        await using var own = await TestDatabase.CreateAsync(trained.Database.Server);
        var rig = new ScoringRig(own);

        var answer = await rig.RunAsync("ml", "train", "--as-of", Present.ToString("O"));
        var models = await rig.RunAsync("ml", "models", "--lang", "es");
        var evaluation = await rig.RunAsync("ml", "evaluate");

        Assert.Equal((ExitCode.Done, "nothing_to_do"), (answer.ExitCode, answer.Json.GetProperty("status").GetString()));
        Assert.Contains("no past moment", answer.Json.GetProperty("details").GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("Aún no se entrenó ningún modelo", models.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, evaluation.ExitCode);
        Assert.Contains("no model is published", evaluation.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_AndEvaluate_ShowWhatWasTrained()
    {
        var rig = new ScoringRig(trained.Database);

        var models = Json.Parse((await rig.RunAsync("ml", "models", "--json")).Output);
        var evaluation = Json.Parse((await rig.RunAsync("ml", "evaluate", "--model", $"{trained.ModelId}", "--json")).Output).EnumerateArray().Single();
        var table = (await rig.RunAsync("ml", "models")).Output;

        var model = models.EnumerateArray().Single(m => m.GetProperty("id").GetInt64() == trained.ModelId);
        Assert.Equal("published", model.GetProperty("status").GetString());
        Assert.InRange(model.GetProperty("metrics").GetProperty("gain_over_prior").GetProperty("Low").GetDouble(), 1e-9, 1);
        Assert.Equal(trained.ModelId, evaluation.GetProperty("model").GetInt64());
        Assert.Contains("published", table, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await rig.RunAsync("ml", "evaluate", "--model", "999")).ExitCode);
    }

    [Fact]
    public async Task Features_LaterKnowledge_ChangesNoneOfThem()
    {
        await using var own = await TestDatabase.CreateAsync(trained.Database.Server);
        await Trained.LoadAsync(own, 1_000);
        // Deals open half a year ago.
        const string Features =
            """
            SELECT md5(string_agg(f::text, chr(10) ORDER BY f.pipeline_id)) || ' ' || count(*)
            FROM (SELECT array_agg(id ORDER BY id) AS ids, array_agg('2025-08-01 00:00Z'::timestamptz) AS ats FROM sales_pipeline) AS m, deal_features(m.ids, m.ats) AS f
            """;
        var before = await own.ScalarAsync<string>(Features);

        await own.ExecuteAsync(
            """
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT lead_ext_id, 'reply', '2025-08-01 00:00:01Z', 'later', lead_ext_id FROM sales_pipeline WHERE stage = 'closed_won';
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, created_at, completed_at)
            SELECT id, lead_ext_id, 'call', 'later', 'completed', '2025-08-01 00:00:01Z', '2025-08-02 00:00Z' FROM sales_pipeline WHERE stage = 'closed_won';
            UPDATE sales_followup_tasks SET status = 'cancelled', updated_at = '2025-09-01 00:00Z'
            WHERE status = 'pending' AND created_at < '2025-08-01 00:00Z';
            UPDATE sales_pipeline SET score = 100, priority = 'urgent', estimated_value = 1, probability_pct = 99, assigned_to = 'winner@example.com',
              notes = 'won', metadata = '{"loss_reason": "price"}', next_followup_at = NULL;
            UPDATE leads SET demo_requested = true, pricing_page_viewed = true, website_visited = true, score = 100, attributes = '{"won": true}', updated_at = now();
            """);

        Assert.Equal(before, await own.ScalarAsync<string>(Features));
        Assert.NotEqual("0", before!.Split(' ')[1]);
    }

    private Task<List<string>> StatusesAsync() =>
        trained.Database.QueryAsync("SELECT status FROM ml_models WHERE kind = 'win_probability' ORDER BY id", row => row.GetString(0));

    private async Task<(DealSnapshots Snapshots, double[] Truth)> OpenDealsAsync(string column = "current_win_probability")
    {
        await using var connection = await trained.Database.OpenConnectionAsync();
        var truth = (await trained.Database.QueryAsync(
            $"""
            SELECT p.id, t.{column} FROM sales_pipeline p JOIN demo_truth t USING (lead_ext_id)
            WHERE p.stage < 'closed_won' AND t.{column} IS NOT NULL
            """,
            row => (Id: row.GetInt64(0), Probability: row.GetDouble(1)))).ToDictionary(t => t.Id, t => t.Probability);
        var snapshots = await DealSnapshots.ReadAsync(connection, [.. truth.Keys.Select(id => new Moment(id, Present, null, null))], Token);
        return (snapshots, [.. snapshots.Moments.Select(m => truth[m.PipelineId])]);
    }

    /// <summary>The sample with one trained model.</summary>
    public sealed class Trained(PostgresServer server) : IAsyncLifetime
    {
        internal TestDatabase Database { get; private set; } = null!;

        internal JsonElement First { get; private set; }

        internal long ModelId { get; private set; }

        /// <summary>The number of the last model of the first training.</summary>
        internal long LastId { get; private set; }

        public async ValueTask InitializeAsync()
        {
            if (LightGbmNative.Unavailable is { } reason)
            {
                Checkout.SkipOrFail(reason);
            }

            Database = await TestDatabase.CreateAsync(server);
            First = await TrainAsync(await LoadAsync(Database, 10_000));
            ModelId = First.GetProperty("details").GetProperty("model").GetInt64();
            LastId = await Database.ScalarAsync<long>("SELECT max(id) FROM ml_models");
        }

        public ValueTask DisposeAsync() => Database?.DisposeAsync() ?? ValueTask.CompletedTask;

        internal static async Task<ScoringRig> LoadAsync(TestDatabase database, int leads)
        {
            await using var open = database.Open(asOf: Present);
            await new SampleLoader(open, new SampleGenerator(new SampleOptions(Present) { Leads = leads })).LoadAsync(null, CancellationToken.None);
            return new ScoringRig(database);
        }

        internal static async Task<JsonElement> TrainAsync(ScoringRig rig, params string[] flags)
        {
            var answer = await rig.RunAsync(["ml", "train", "--as-of", Present.ToString("O"), .. flags]);
            Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
            return answer.Json;
        }

        /// <summary>The first model alone, published.</summary>
        internal Task RestoreAsync() => Database.ExecuteAsync(
            """
            DELETE FROM ml_models WHERE id > @last;
            UPDATE ml_models SET format = 1, status = 'published', retired_at = NULL;
            """,
            ("last", LastId));

        /// <summary>All published models with their figures.</summary>
        internal async Task CopyModelsAsync(TestDatabase to)
        {
            foreach (var row in await Database.RowsAsync("SELECT *, features::text AS features_text, metrics::text AS metrics_text FROM ml_models WHERE status = 'published' ORDER BY id"))
            {
                await to.ExecuteAsync(
                    """
                    INSERT INTO ml_models (
                      kind, status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows, training_deals,
                      won, lost, trained_at, published_at)
                    VALUES (
                      @kind, 'published', @reason, @algorithm, @format, '0', 1, @content, @sha256, @features_text::jsonb, @metrics_text::jsonb, @data_from, @data_to,
                      @training_rows, @training_deals, @won, @lost, @trained_at, @published_at)
                    """,
                    [.. row.Where(f => f.Key is not ("id" or "status" or "code_version" or "seed" or "features" or "metrics" or "retired_at"))
                        .Select(f => (f.Key, f.Value))]);
            }
        }

        internal async Task CopyModelAsync(TestDatabase to)
        {
            var row = (await Database.RowsAsync("SELECT content, sha256, format FROM ml_models WHERE id = @id", ("id", ModelId)))[0];
            await to.ExecuteAsync(
                """
                INSERT INTO ml_models (
                  status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows, training_deals, won,
                  lost, published_at)
                VALUES ('published', 'copied', 'blend', @format, '0', 1, @content, @sha256, '[]', '{}', now(), now(), 1, 1, 1, 0, now())
                """,
                ("format", row["format"]), ("content", row["content"]), ("sha256", row["sha256"]));
        }
    }
}
