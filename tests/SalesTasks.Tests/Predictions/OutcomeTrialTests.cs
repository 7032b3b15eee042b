using System.Text.Json;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Outcomes;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Tests.Predictions;

/// <summary>Deal value, time to close and risk on histories whose laws are known.</summary>
public sealed class OutcomeTrialTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Time_FourOfTenDealsStillOpen_IntervalHoldsFourOfFive(int seed)
    {
        var material = OutcomeHistory.Make(seed, 5_000, censored: 0.4);
        var (_, hazard) = TimeModel.Fit(material.Snapshots, material.Snapshots.AllRows, material.AsOf, Token)!.Value;
        Assert.InRange(material.Snapshots.Moments.Count(m => m.ClosedAt is null) / 5_000.0, 0.38, 0.5);

        // New deals, all of whose lengths are known.
        var fresh = Known(seed + 100, 4_000);
        var said = hazard.Predict(fresh.Snapshots, fresh.Snapshots.AllRows);
        var held = said.Where((range, row) =>
        {
            var days = (fresh.Snapshots.Moments[row].ClosedAt!.Value - fresh.Snapshots.Moments[row].At).TotalDays;
            return days >= (range.P10 ?? double.PositiveInfinity) && days <= (range.P90 ?? double.PositiveInfinity);
        }).Count() / 4_000.0;

        Assert.InRange(held, 0.75, 0.85);
        // And each deal's own interval, not one for all.
        Assert.True(said.Max(r => r.P50) > 3 * said.Min(r => r.P50));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Time_CoverageOfOpenAndEndedDeals_IsTheOneOfTheirTrueLengths(int seed)
    {
        var material = OutcomeHistory.Make(seed, 5_000, censored: 0.4);
        var (_, hazard) = TimeModel.Fit(material.Snapshots, material.Snapshots.AllRows, material.AsOf, Token)!.Value;
        double Coverage(Material of, DateTimeOffset asOf) => TimeTrial.CoverageOf(
            hazard, of.Snapshots, of.Snapshots.AllRows, hazard.Survival(of.Snapshots, of.Snapshots.AllRows), asOf)!.Value;

        Assert.Equal(Coverage(Known(seed + 100, 4_000), DateTimeOffset.MaxValue), Coverage(OutcomeHistory.Make(seed + 200, 4_000, censored: 0.4), OutcomeHistory.Present), 0.04);
    }

    [Fact]
    public void Time_FactsThatMatter_HazardIsPublishedWithItsFigures()
    {
        var outcome = TimeTrial.Train(OutcomeHistory.Make(6, 6_000), null, Token);

        Assert.Null(outcome.Refusal);
        Assert.Equal(TimeModel.Hazard, outcome.Trained!.Algorithm);
        Assert.True((double)outcome.Figures["brier"]! < (double)outcome.Figures["prior_brier"]!);
        Assert.InRange((double)outcome.Figures["coverage"]!, 0.75, 0.85);
        using var metrics = JsonDocument.Parse(outcome.Trained.Metrics);
        Assert.True(metrics.RootElement.GetProperty("gain_over_prior").GetProperty("Low").GetDouble() > 0);
    }

    [Fact]
    public void Time_PublishedModelThatIsAsGood_Stays()
    {
        var material = OutcomeHistory.Make(6, 6_000);
        var (_, hazard) = TimeModel.Fit(material.Snapshots, material.Snapshots.AllRows, material.AsOf, Token)!.Value;
        var current = new StoredModel<TimeModel>(ModelKinds.TimeToClose, 7, OutcomeHistory.Present.AddDays(-300), "{}", hazard, null);

        Assert.StartsWith("its gain over the published model is not credible", TimeTrial.Train(material, current, Token).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Periods_BinNotWhollyObserved_IsLeftOut()
    {
        var at = OutcomeHistory.Present.AddDays(-5);
        Moment[] moments =
        [
            new(1, at, at.AddDays(4), true),
            new(2, at, null, null),
            new(3, OutcomeHistory.Present.AddDays(-8), OutcomeHistory.Present.AddDays(-4), false),
        ];

        var periods = TimeModel.Periods(moments, [0, 1, 2], [0, 3, 7, 14], OutcomeHistory.Present);

        // The first deal ended in a bin of which one deal's end may still be unknown: that it ended quickly must not count.
        Assert.Equal([new(0, 0, false), new(1, 0, false), new(2, 0, false), new(2, 1, true)], periods);
    }

    [Fact]
    public void Days_OfACurve_AreWhereItGetsThereOrNotSaid()
    {
        var model = new TimeModel(TimeModel.ByStage, [0, 10, 20], [0.5, 0.5], new Dictionary<string, double[]>(StringComparer.Ordinal), null, null, []);
        double[] curve = [0.5, 0.25];

        Assert.Equal(10, model.Days(curve, 0.5)!.Value, 1e-9);
        Assert.Equal(20, model.Days(curve, 0.75)!.Value, 1e-9);
        Assert.InRange(model.Days(curve, 0.1)!.Value, 1.4, 1.6);
        Assert.Null(model.Days(curve, 0.9));
        Assert.Equal(0.1, model.Ended(curve, model.Days(curve, 0.1)!.Value), 1e-9);
        Assert.Equal(0.75, model.Ended(curve, 400), 1e-9);
    }

    [Fact]
    public void Value_ByProduct_IsTheProductsMedianWithAnHonestInterval()
    {
        var outcome = ValueTrial.Train(OutcomeHistory.Make(1, 8_000, value: ByProduct), null, Token);
        var model = Read(ModelKinds.DealValue, outcome);
        var fresh = OutcomeHistory.Make(99, 4_000, value: ByProduct);
        var said = model.Predict(fresh.Snapshots, fresh.Snapshots.AllRows);
        var held = said.Where((p, row) => fresh.WonValues[fresh.Snapshots.Moments[row].PipelineId] is var v && v >= p.Low && v <= p.High).Count() / 4_000.0;

        Assert.Null(outcome.Refusal);
        Assert.Equal(ValueModel.ByProduct, outcome.Trained!.Algorithm);
        Assert.InRange(held, 0.75, 0.85);
        Assert.InRange(said[Array.IndexOf(fresh.Snapshots.Texts("product_interest"), "Large")].Middle, 9_000, 11_200);
        Assert.True((double)outcome.Figures["mae"]! < (double)outcome.Figures["prior_mae"]!);
    }

    [Fact]
    public void Value_ProductNeverSeen_FallsBackToSourceThenToAll()
    {
        var history = OutcomeHistory.Make(2, 3_000, value: ByProduct);
        var model = Read(ModelKinds.DealValue, ValueTrial.Train(history, null, Token));
        var unknown = new DealSnapshots(
            [history.Snapshots.Moments[0], history.Snapshots.Moments[1]],
            new DataTable([new CategoryColumn("stage", [0, 0], ["contacted"]), new CategoryColumn("source", [0, 1], ["ad", "unheard of"]), new CategoryColumn("product_interest", [-1, 0], ["New"])], 2));

        var said = model.Predict(unknown, [0, 1]);

        Assert.Equal(Math.Exp(model.Sources["ad"]) - 1, said[0].Middle, 1e-6);
        Assert.Equal(Math.Exp(model.Overall) - 1, said[1].Middle, 1e-6);
    }

    [Fact]
    public void Value_ByNothingKnown_IsTheMedianAndSaysSo()
    {
        var outcome = ValueTrial.Train(OutcomeHistory.Make(3, 4_000, value: (random, _, _) => 1000 * Math.Exp(random.NextDouble())), null, Token);

        Assert.Equal(ValueModel.Global, outcome.Trained!.Algorithm);
        Assert.Contains("credibly better than the median", outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Value_ByFactsTogether_IsLearnedByTrees()
    {
        if (LightGbmNative.Unavailable is { } reason)
        {
            Repository.Checkout.SkipOrFail(reason);
        }

        var outcome = ValueTrial.Train(
            OutcomeHistory.Make(4, 8_000, value: (random, product, replies) => 1000 * Math.Exp(((replies + product) % 2 * 2) + (0.3 * random.NextDouble()))), null, Token);

        Assert.Null(outcome.Refusal);
        Assert.Equal(ValueModel.Trees, outcome.Trained!.Algorithm);
        Assert.InRange((double)outcome.Figures["mae"]!, 0, (double)outcome.Figures["prior_mae"]! / 2);
    }

    [Fact]
    public void Value_TooFewWonDeals_TrainsNothing()
    {
        var outcome = ValueTrial.Train(OutcomeHistory.Make(5, 60), null, Token);

        Assert.Null(outcome.Trained);
        Assert.Contains("too few won deals", outcome.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Risk_FactsThatMatter_IsLearnedAndCalibrated()
    {
        var outcome = RiskTrial.Train(OutcomeHistory.Make(1, 6_000, risk: replies => 2 - (1.5 * replies)), null, Token);

        Assert.Null(outcome.Refusal);
        Assert.NotEqual(RiskModel.ByStage, outcome.Trained!.Algorithm);
        Assert.InRange((double)outcome.Figures["ece"]!, 0, PublishGate.LargestError);
        Assert.True((double)outcome.Figures["log_loss"]! < (double)outcome.Figures["prior_log_loss"]!);
    }

    [Fact]
    public void Risk_ByChance_IsTheStagesRateAndSaysSo()
    {
        var material = OutcomeHistory.Make(2, 6_000);
        // Deals are lost by chance as well, and how long they last tells nothing.
        var moments = material.Snapshots.Moments.Select(m => m with { ClosedAt = null, Won = null }).ToList();
        var outcome = RiskTrial.Train(material with { Snapshots = new DealSnapshots(moments, material.Snapshots.Table) }, null, Token);

        Assert.Equal(RiskModel.ByStage, outcome.Trained!.Algorithm);
        Assert.EndsWith("the stage's rates answer", outcome.Trained.Reason, StringComparison.Ordinal);
        Assert.Null(outcome.Refusal);
    }

    [Fact]
    public void RiskLabels_LostLaterOrWon_AreNoRisk()
    {
        var at = OutcomeHistory.Present.AddDays(-100);
        var snapshots = new DealSnapshots(
            [
                new Moment(1, at, at.AddDays(30), false), new Moment(2, at, at.AddDays(31), false), new Moment(3, at, at.AddDays(5), true),
                new Moment(4, at, null, null), new Moment(5, at, null, null),
            ],
            new DataTable([], 5));

        Assert.Equal([true, false, false, true, false], RiskTrial.Labels(snapshots, [false, false, false, true, false]));
    }

    [Fact]
    public void Train_SameSeed_GivesTheSameBytes()
    {
        var material = OutcomeHistory.Make(7, 2_000, value: ByProduct, risk: replies => 1 - replies);
        KindOutcome[] All() => [ValueTrial.Train(material, null, Token), TimeTrial.Train(material, null, Token), RiskTrial.Train(material, null, Token)];

        Assert.Equal(All().Select(o => ModelContent.Hash(o.Trained!.Content)), All().Select(o => ModelContent.Hash(o.Trained!.Content)));
    }

    private static double ByProduct(Random random, int product, int replies) =>
        1000 * Math.Pow(10, product / 2.0) * Math.Exp(0.4 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    /// <summary>Deals that have all ended, long before the present.</summary>
    private static Material Known(int seed, int deals)
    {
        var random = new Random(seed);
        var material = OutcomeHistory.Make(seed, deals);
        var (stages, products) = (material.Snapshots.Texts("stage"), material.Snapshots.Texts("product_interest"));
        var replies = ((NumberColumn)material.Snapshots.Table.Columns.Single(c => c.Name == "replies")).Values;
        var moments = material.Snapshots.Moments.Select((m, row) => m with
        {
            ClosedAt = m.At.AddDays(OutcomeHistory.Days(
                random, stages[row] == "proposal_sent" ? 1 : 0, products[row] switch { "Small" => 0, "Middle" => 1, _ => 2 }, (int)replies[row])),
        }).ToList();
        return material with { Snapshots = new DealSnapshots(moments, material.Snapshots.Table) };
    }

    private static T Read<T>(ModelKind<T> kind, KindOutcome outcome)
        where T : class, IKeptModel =>
        ModelContent.Read<T>(kind.Format, kind.Format, outcome.Trained!.Content, ModelContent.Hash(outcome.Trained.Content), out _)!;
}
