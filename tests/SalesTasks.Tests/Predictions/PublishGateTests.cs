using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Tests.Predictions;

/// <summary>What may predict and what may not, on histories whose law is known.</summary>
public sealed class PublishGateTests
{
    private static readonly DateTimeOffset Present = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Judge_OutcomesByChance_IsNeverPublished(int seed)
    {
        var verdict = new Trial(History(seed, signal: 0), seed, TimeProvider.System).Judge(0.2, null, Token);

        Assert.NotNull(verdict.Refusal);
    }

    [Fact]
    public void Judge_OutcomesThatFollowTheFacts_IsPublished()
    {
        var verdict = new Trial(History(4, signal: 1.5), 4, TimeProvider.System).Judge(0.2, null, Token);

        Assert.Null(verdict.Refusal);
        Assert.True(verdict.OverPrior.Low > 0);
        Assert.InRange(verdict.TestDeals, PublishGate.FewestTestDeals, 1250);
    }

    [Fact]
    public void Judge_ChallengerThatIsNoBetter_LeavesThePublishedModel()
    {
        var history = History(5, signal: 1.5);
        // The published model knows the law from twice the data and was trained before the last outcomes.
        var border = Present.AddDays(-250);
        using var competition = Competition.Fit(
            history.Table, [.. Enumerable.Range(0, history.Moments.Count)], history.Labels, new CompetitionSettings { Seed = 1, Groups = history.Groups, Time = TimeProvider.System }, Token);
        var current = new StoredModel<BlendModel>(ModelKinds.WinProbability, 7, border, "{}", competition.Export(), null);

        var verdict = new Trial(history, 5, TimeProvider.System).Judge(0.2, current, Token);

        Assert.StartsWith("its gain over the published model is not credible", verdict.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_PublishedModelOfAnotherTime_IsReplaced()
    {
        var history = History(6, signal: 1.5);
        var opposite = new BlendModel("blend", 0, 0, new Calibration(0, 1.5), [new BlendMember(new Encoder([]), null, [])]);

        var verdict = new Trial(history, 6, TimeProvider.System).Judge(0.2, new StoredModel<BlendModel>(ModelKinds.WinProbability, 7, Present.AddDays(-300), "{}", opposite, null), Token);

        Assert.Null(verdict.Refusal);
        Assert.True(verdict.OverCurrent!.Low > 0);
    }

    [Fact]
    public void Refuse_BadlyCalibrated_IsRefusedWithTheFigure()
    {
        var gain = new GainInterval(0.1, 0.05, 0.15);

        Assert.Contains("0.080", PublishGate.Refuse("blend", 500, new Metrics(0.9, 0.9, 0.4, 0.1, 0.08), gain, null, null), StringComparison.Ordinal);
        Assert.Contains("99 deals", PublishGate.Refuse("blend", 99, new Metrics(0.9, 0.9, 0.4, 0.1, 0.01), gain, null, null), StringComparison.Ordinal);
        Assert.Null(PublishGate.Refuse("blend", 500, new Metrics(0.9, 0.9, 0.4, 0.1, 0.01), gain, null, null));
    }

    [Fact]
    public void Compare_NoDifferenceInTruth_CoversZeroAboutAsOftenAsItSays()
    {
        var covered = Enumerable.Range(0, 200).Count(seed =>
        {
            var random = new Random(seed);
            var labels = Enumerable.Range(0, 300).Select(_ => random.NextDouble() < 0.5).ToArray();
            double[] left = [.. labels.Select(_ => random.NextDouble() - 0.5)];
            double[] right = [.. labels.Select(_ => random.NextDouble() - 0.5)];
            var gain = PublishGate.Compare(left, right, labels, [.. Enumerable.Range(0, 300).Select(i => i / 3)], seed);
            return gain.Low <= 0 && gain.High >= 0;
        });

        Assert.InRange(covered, 180, 199);
    }

    [Fact]
    public void StagePrior_FewDeals_IsPulledToTheStageAndOverall()
    {
        var history = History(8, signal: 0);
        var rows = Enumerable.Range(0, history.Moments.Count).ToArray();
        var all = StagePrior.Fit(history, rows);
        var one = StagePrior.Fit(history, [rows.First(row => history.Moments[row].Won is true)]);

        Assert.InRange(all.Probability("contacted", "ad"), 0.3, 0.5);
        Assert.Equal(all.Overall, all.Probability("unheard of", "ad"));
        Assert.Equal(all.Stages["contacted"], all.Probability("contacted", "unheard of"));
        // One won deal moves a rate by a twentieth of the way and not to certainty.
        Assert.InRange(one.Probability(history.Texts("stage")[rows.First(row => history.Moments[row].Won is true)]!, "ad"), 0.6, 0.75);
    }

    [Fact]
    public void MaturityDays_QuickWinsAndSlowLosses_WaitsForTheSlow()
    {
        // Wins take 20 days, losses 150, one in twenty is never closed.
        var moments = Enumerable.Range(0, 700).SelectMany(day => Enumerable.Range(0, 4).Select(i =>
        {
            var at = Present.AddDays(-day);
            var ends = (day * 4 + i) % 20 == 0 ? DateTimeOffset.MaxValue : at.AddDays(i % 2 == 0 ? 20 : 150);
            return new Moment((day * 4) + i, at, ends <= Present ? ends : null, ends <= Present ? i % 2 == 0 : null);
        })).ToList();

        Assert.InRange(TrainModel.MaturityDays(moments, Present) ?? 0, 140, 200);
        Assert.Null(TrainModel.MaturityDays([.. moments.Select(m => m with { ClosedAt = null })], Present));
        Assert.Null(TrainModel.MaturityDays([], Present));
    }

    /// <summary>6,000 deals of two years, a snapshot every four weeks, ended by a law or by chance.</summary>
    private static DealSnapshots History(int seed, double signal)
    {
        var random = new Random(seed);
        var moments = new List<Moment>();
        var stages = new List<int>();
        var sources = new List<int>();
        var replies = new List<float>();
        for (var deal = 0; deal < 6000; deal++)
        {
            var begin = Present.AddDays(-730 + (deal * 0.1));
            var replied = random.Next(4);
            var source = random.Next(3);
            var won = random.NextDouble() < Logits.ToProbability(-0.4 + (signal * (replied - 1.5)) + (signal * 0.3 * (source - 1)));
            var days = random.Next(20, 60);
            for (var day = 1; day < days; day += 28)
            {
                moments.Add(new Moment(deal, begin.AddDays(day), begin.AddDays(days), won));
                stages.Add(day < 28 ? 0 : 1);
                sources.Add(source);
                replies.Add(replied);
            }
        }

        return new DealSnapshots(moments, new DataTable(
            [
                new CategoryColumn("stage", [.. stages], ["contacted", "proposal_sent"]),
                new CategoryColumn("source", [.. sources], ["ad", "referral", "event"]),
                new NumberColumn("replies", [.. replies]),
                new NumberColumn("chance", [.. moments.Select(m => (float)(m.PipelineId * 7919 % 1000))]),
            ],
            moments.Count));
    }
}
