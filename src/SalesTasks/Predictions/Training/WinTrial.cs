using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary>How a model trained on older deals did on the newest.</summary>
internal sealed record Verdict(
    string? Refusal, Metrics Own, Metrics Prior, GainInterval OverPrior, GainInterval? OverCurrent, int TestRows, int TestDeals, DateTimeOffset TestFrom)
{
    /// <summary>Probabilities and outcomes of the test rows.</summary>
    public (double[] Said, bool[] Happened) Test { get; init; } = ([], []);

    public Dictionary<string, object?> Figures(int maturityDays, int spacingDays) => new(StringComparer.Ordinal)
    {
        ["test"] = Own.Figures(),
        ["prior"] = Prior.Figures(),
        ["gain_over_prior"] = OverPrior,
        ["gain_over_current"] = OverCurrent,
        ["test_rows"] = TestRows,
        ["test_deals"] = TestDeals,
        ["test_from"] = TestFrom,
        ["maturity_days"] = maturityDays,
        ["spacing_days"] = spacingDays,
        ["calibration"] = Curves.Calibration(Test.Said, Test.Happened),
        ["cumulative_gain"] = Curves.CumulativeGain(Test.Said, Test.Happened),
    };
}

/// <summary>Trains on older deals and judges by the newest.</summary>
internal sealed class Trial(DealSnapshots snapshots, int seed, TimeProvider time)
{
    public CompetitionSettings Settings { get; } = new() { Seed = seed, Groups = snapshots.Groups, Time = time };

    /// <param name="testShare">Share of the deals, the newest, that judge.</param>
    /// <param name="current">The published model.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Verdict Judge(double testShare, StoredModel<BlendModel>? current, CancellationToken cancellationToken)
    {
        // The newest deals judge, with all of their snapshots: a border through the deals' lives would leave only the quick ones on its old side.
        var begins = new Dictionary<int, DateTimeOffset>();
        for (var row = 0; row < snapshots.Groups.Length; row++)
        {
            var deal = snapshots.Groups[row];
            begins[deal] = begins.TryGetValue(deal, out var begin) && begin < snapshots.Moments[row].At ? begin : snapshots.Moments[row].At;
        }

        var border = begins.Values.Order().ElementAt((int)((1 - testShare) * (begins.Count - 1)));
        var test = Rows(row => begins[snapshots.Groups[row]] >= border);
        var train = Rows(row => begins[snapshots.Groups[row]] < border);
        var labels = snapshots.Labels;
        var testLabels = test.Select(row => labels[row]).ToArray();
        var testDeals = test.Select(row => snapshots.Groups[row]).ToArray();
        var trainWon = train.Count(row => labels[row]);
        if (trainWon == 0 || trainWon == train.Length)
        {
            var nothing = new GainInterval(0, 0, 0);
            var unknown = Metrics.Of([.. test.Select(_ => 0.5)], testLabels);
            return new Verdict("the history is too short to judge a model by", unknown, unknown, nothing, null, test.Length, testDeals.Distinct().Count(), border);
        }

        using var competition = Competition.Fit(snapshots.Table, train, labels, Settings, cancellationToken);
        using var model = competition.Export().Open();
        var own = model.Logits(snapshots.Table, test);
        var prior = StagePrior.Fit(snapshots, train).Logits(snapshots, test);
        var metrics = Of(own, testLabels);
        var overPrior = PublishGate.Compare(own, prior, testLabels, testDeals, seed);
        var (overCurrent, currentDeals) = AgainstCurrent(current, test, own, labels);
        var deals = testDeals.Distinct().Count();
        return new Verdict(
            PublishGate.Refuse(competition.Chosen.Name, deals, metrics, overPrior, overCurrent, currentDeals),
            metrics, Of(prior, testLabels), overPrior, overCurrent, test.Length, deals, border)
        {
            Test = ([.. own.Select(Logits.ToProbability)], testLabels),
        };
    }

    /// <summary>On deals that ended after the published model was trained: it knew the outcomes of the others.</summary>
    private (GainInterval? Gain, int? Deals) AgainstCurrent(StoredModel<BlendModel>? current, int[] test, double[] own, bool[] labels)
    {
        if (current?.Model is not { } model)
        {
            return (null, null);
        }

        var places = Enumerable.Range(0, test.Length).Where(i => snapshots.Moments[test[i]].ClosedAt > current.DataTo).ToArray();
        var deals = places.Select(i => snapshots.Groups[test[i]]).ToArray();
        if (deals.Length == 0)
        {
            return (null, 0);
        }

        using var predictor = model.Open();
        var logits = predictor.Logits(snapshots.Table, [.. places.Select(i => test[i])]);
        return (
            PublishGate.Compare([.. places.Select(i => own[i])], logits, [.. places.Select(i => labels[test[i]])], deals, seed),
            deals.Distinct().Count());
    }

    private int[] Rows(Func<int, bool> which) => [.. Enumerable.Range(0, snapshots.Moments.Count).Where(which)];

    private static Metrics Of(double[] logits, bool[] labels) => Metrics.Of([.. logits.Select(Logits.ToProbability)], labels);
}
