using System.Xml;
using System.Xml.Linq;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Outcomes;
using SalesTasks.Predictions.Training;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions;

/// <summary>ml drift and ml card.</summary>
public sealed class DriftAndCardTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly DateTimeOffset Present = OutcomeHistory.Present;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Psi_OfKnownShares_IsTheSumOfItsParts()
    {
        Assert.Equal(0, Distribution.Psi([0.5, 0.5], [0.5, 0.5]), 1e-12);
        // (0.3 - 0.5) ln(0.3 / 0.5) + (0.7 - 0.5) ln(0.7 / 0.5)
        Assert.Equal(0.1694596, Distribution.Psi([0.5, 0.5], [0.3, 0.7]), 1e-6);
        Assert.True(double.IsFinite(Distribution.Psi([1, 0], [0, 1])));
    }

    [Fact]
    public void Indices_SameLaw_AreStable_AndAChangedFeatureIsHigh()
    {
        var then = Distribution.Of(OutcomeHistory.Make(1, 4_000).Snapshots, [.. Enumerable.Range(0, 4_000)]);
        var now = OutcomeHistory.Make(2, 2_000).Snapshots;
        var table = new DataTable(
            [.. now.Table.Columns.Select(Column (c) => c is NumberColumn { Name: "replies" } n ? n with { Values = [.. n.Values.Select(v => v + 2)] } : c)], now.Table.Rows);

        Assert.All(Drift.Indices(then, now), line => Assert.Equal("stable", line.Level));
        var changed = Drift.Indices(then, new DealSnapshots(now.Moments, table));
        Assert.Equal("high", changed.Single(l => l.Feature == "replies").Level);
        Assert.All(changed.Where(l => l.Feature != "replies"), line => Assert.Equal("stable", line.Level));
        Assert.All(Drift.Indices(then, now.Take([.. Enumerable.Range(0, 99)])), line => Assert.Equal(("unknown", null), (line.Level, line.Value)));
    }

    [Fact]
    public void Spread_LevelsAndMissing_HaveBinsOfTheirOwn()
    {
        var then = Distribution.Of(Rows(["a", "a", "b", null], [1, 2, 3, float.NaN]), [0, 1, 2, 3]);
        var now = Rows(["c", null, "a", "a"], [9, float.NaN, float.NaN, 0]);

        Assert.Equal([0.5, 0.25, 0, 0.25], then["product_interest"].Shares);
        Assert.Equal([0.5, 0, 0.25, 0.25], Distribution.Shares(then["product_interest"], now.Table.Columns[0], [0, 1, 2, 3]));
        Assert.Equal(0.5, Distribution.Shares(then["replies"], now.Table.Columns[1], [0, 1, 2, 3])[^1]);
    }

    [Fact]
    public async Task Drift_PublishedModel_IsMeasuredOnceADayAndGradesPastPredictions()
    {
        await database.WorkAtAsync(Present);
        var model = await AddModelAsync(
            """{"maturity_days": 60, "distribution": {"stage": {"Edges": null, "Levels": ["qualified"], "Shares": [1, 0, 0]}}}""");
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email) SELECT 'd' || i, 'web', 'd' || i || '@example.com' FROM generate_series(1, 320) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at, closed_at)
            SELECT 'd' || i, 'd' || i || '@example.com', CASE WHEN i > 200 THEN 'qualified' WHEN i % 4 = 0 THEN 'closed_won' ELSE 'closed_lost' END::pipeline_stage,
              @now::timestamptz - interval '100 days', CASE WHEN i <= 200 THEN @now::timestamptz - interval '10 days' END
            FROM generate_series(1, 320) AS i;
            INSERT INTO deal_prediction_history (pipeline_id, predicted_at, win_model, answered_by, probability, risk)
            SELECT p.id, @now::timestamptz - make_interval(days => d.days), @model, 'model', d.said, 0.5
            FROM sales_pipeline AS p
            -- The last one that is old enough counts: not the one before, nor the one whose deals are not all known.
            CROSS JOIN (VALUES (90, 0.9), (70, 0.45), (20, 0.9)) AS d (days, said);
            """,
            ("now", Present.UtcDateTime), ("model", model));
        await using var open = database.Open(asOf: Present);

        var measured = await Drift.MeasureAsync(open, Present, Token);
        var before = await database.FingerprintAsync();
        var again = await Drift.MeasureAsync(open, Present, Token);

        Assert.Equal((1, 0), (measured, again));
        Assert.Equal(before, await database.FingerprintAsync());
        var lines = await database.RowsAsync("SELECT measure, feature, value, level, deals, expected, observed FROM v_ml_drift ORDER BY measure");
        Assert.Equal(["calibration", "psi"], lines.Select(l => (string)l["measure"]!));
        Assert.Equal((200, "high"), ((int)lines[0]["deals"]!, (string)lines[0]["level"]!));
        Assert.Equal(0.2, (double)lines[0]["value"]!, 1e-6);
        Assert.Equal(0.45, (double)lines[0]["expected"]!, 1e-6);
        Assert.Equal(0.25, (double)lines[0]["observed"]!, 1e-6);
        Assert.Equal((120, "stable"), ((int)lines[1]["deals"]!, (string)lines[1]["level"]!));
        Assert.Equal(1, await Drift.MeasureAsync(open, Present.AddDays(1), Token));
        await database.ExecuteAsync("DELETE FROM ml_models");
    }

    [Fact]
    public async Task DriftCommand_NothingPublished_SaysSo()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);

        Assert.StartsWith("No hay ningún modelo publicado", (await new ScoringRig(own).RunAsync("ml", "drift", "--lang", "es")).Output, StringComparison.Ordinal);
        Assert.Equal("[]", (await new ScoringRig(own).RunAsync("ml", "drift", "--json")).Output.Trim());
    }

    [Theory]
    [InlineData("en")]
    [InlineData("es")]
    public async Task Card_AllKinds_IsOneAccessiblePageWithoutOutsideRequests(string language)
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await AddTrainedAsync(own);
        await own.ExecuteAsync("UPDATE ml_models SET reason = '<script>alert(1)</script>' WHERE kind = 'risk'");
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "card.html");
        try
        {
            var answer = await new ScoringRig(own).RunAsync("ml", "card", "--output", file, "--lang", language);
            Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
            var text = await File.ReadAllTextAsync(file, Token);

            var page = Parse(text);
            Assert.Equal(language, page.Root!.Attribute("lang")!.Value);
            Assert.Equal(3, page.Descendants("article").Count());
            Assert.Empty(page.Descendants("script"));
            Assert.DoesNotContain("src=", text, StringComparison.Ordinal);
            Assert.DoesNotContain("href=", text, StringComparison.Ordinal);
            Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
            XNamespace svg = "http://www.w3.org/2000/svg";
            var plots = page.Descendants(svg + "svg").ToList();
            Assert.Equal(5, plots.Count);
            Assert.All(plots, plot =>
            {
                Assert.Equal("img", plot.Attribute("role")!.Value);
                Assert.NotEmpty(plot.Element(svg + "title")!.Value);
                Assert.NotEmpty(plot.Element(svg + "desc")!.Value);
                Assert.NotEmpty(plot.Ancestors("div").First().Descendants("table"));
            });
            var ids = page.Descendants().Attributes("id").Select(a => a.Value).ToList();
            Assert.Equal(ids.Count, ids.Distinct().Count());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Card_OldModelWithoutFigures_IsStillACard_AndFaultsAreNamed()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        var nothing = await rig.RunAsync("ml", "card");
        var id = await AddModelAsync("{}", own);
        var folder = Directory.CreateTempSubdirectory();
        var file = Path.Combine(folder.FullName, "card.html");

        var card = await rig.RunAsync("ml", "card", "--model", $"{id}", "--output", file, "--json");
        var text = await File.ReadAllTextAsync(file, Token);
        folder.Delete(recursive: true);
        var unknown = await rig.RunAsync("ml", "card", "--model", "999");
        var nowhere = await rig.RunAsync("ml", "card", "--output", "/no/such/folder/card.html");

        Assert.Equal(ExitCode.Done, card.ExitCode);
        Assert.Single(Parse(text).Descendants("article"));
        Assert.Equal((ExitCode.Usage, ExitCode.Usage, ExitCode.Usage), (nothing.ExitCode, unknown.ExitCode, nowhere.ExitCode));
        Assert.Contains("no model is published", nothing.Errors, StringComparison.Ordinal);
        Assert.Contains("--model 999", unknown.Errors, StringComparison.Ordinal);
        Assert.Contains("/no/such/folder/card.html", nowhere.Errors, StringComparison.Ordinal);
    }

    private static XDocument Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }

    private static DealSnapshots Rows(string?[] products, float[] replies)
    {
        string[] levels = [.. products.OfType<string>().Distinct()];
        return new DealSnapshots(
            [.. products.Select((_, i) => new Moment(i, Present, null, null))],
            new DataTable(
                [new CategoryColumn("product_interest", [.. products.Select(p => Array.IndexOf(levels, p))], levels), new NumberColumn("replies", replies)], products.Length));
    }

    private static async Task AddTrainedAsync(TestDatabase to)
    {
        var material = OutcomeHistory.Make(1, 3_000, value: (random, product, _) => 1000 * (1 + product) * (1 + random.NextDouble()), risk: replies => 1 - replies);
        KindOutcome[] outcomes = [ValueTrial.Train(material, null, Token), TimeTrial.Train(material, null, Token), RiskTrial.Train(material, null, Token)];
        await using var connection = await to.OpenConnectionAsync();
        foreach (var outcome in outcomes)
        {
            await ModelRegistry.RegisterAsync(connection, outcome.Trained!, null, Present, Token);
        }
    }

    private async Task<long> AddModelAsync(string metrics, TestDatabase? to = null) => await (to ?? database).ScalarAsync<long>(
        """
        INSERT INTO ml_models (
          status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows, training_deals, won, lost,
          published_at)
        VALUES ('published', 'made', 'blend', 1, '0', 1, '', '', '[]', @metrics::jsonb, now(), now(), 1, 1, 1, 0, now())
        RETURNING id
        """,
        ("metrics", metrics));
}
