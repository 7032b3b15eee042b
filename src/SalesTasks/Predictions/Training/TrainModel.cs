using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary><c>ml train</c>: learns win probability from the team's own closed deals and publishes what passes the gate.</summary>
internal static class TrainModel
{
    /// <summary>
    /// A recent moment's outcome is known only for deals that ended quickly, and wins are quicker than losses. A moment counts once the share of its
    /// deals that is still open is no more than this above that of the oldest moments: those few are forgotten, not undecided.
    /// </summary>
    private const double StillOpen = 0.03;

    private const double TestShare = 0.2;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        var (moments, spacing) = await DealSnapshots.MomentsAsync(connection, context.AsOf, cancellationToken);
        var fewest = context.Parameters.Get(PredictionJobs.MinOutcomes);
        var seed = context.Parameters.Get(PredictionJobs.Seed);
        if (MaturityDays(moments, context.AsOf) is not { } maturity)
        {
            return Nothing("no past moment's deals have nearly all ended yet", 0, 0);
        }

        var mature = moments.Where(m => m.ClosedAt is not null && m.At <= context.AsOf.AddDays(-maturity)).ToList();
        var (won, lost) = Outcomes(mature);
        if (Math.Min(won, lost) < fewest)
        {
            return Nothing($"too few outcomes to learn from: {won} won and {lost} lost deals; needed: {fewest} of each", won, lost);
        }

        var snapshots = await DealSnapshots.ReadAsync(connection, mature, cancellationToken);
        context.Log.Information("learning from {Snapshots} snapshots of {Deals} deals", snapshots.Moments.Count, won + lost);
        var trial = new Trial(snapshots, seed, context.Time);
        var current = await ModelRegistry.PublishedAsync(connection, cancellationToken);
        if (current?.Fault is not null)
        {
            context.Log.Warning("{Fault}", current.FaultText);
        }

        var verdict = trial.Judge(TestShare, current, cancellationToken);
        // What is published has also seen the rows that judged it: more data, and the newest.
        using var competition = Competition.Fit(
            snapshots.Table, [.. Enumerable.Range(0, snapshots.Moments.Count)], snapshots.Labels, trial.Settings, cancellationToken);
        var refusal = verdict.Refusal ?? (competition.Chosen.Name == Competition.Prior ? "nothing known about deals predicts their outcome" : null);
        var trained = new TrainedModel(
            competition.Export(), seed, verdict.Json(maturity, spacing), snapshots.Moments.Min(m => m.At), context.AsOf, snapshots.Moments.Count, won + lost, won);
        long? id = context.DryRun ? null : await context.Database.InTransactionAsync(
            async (open, _, token) =>
            {
                await open.ExecuteStatementAsync("predictions/lock_models", [], token);
                var now = await ModelRegistry.PublishedAsync(open, token);
                // Another training published meanwhile: ours was compared with the one before.
                var late = now?.Id != current?.Id ? "another model was published while this one was trained" : null;
                refusal ??= late;
                return await ModelRegistry.RegisterAsync(open, trained, refusal, context.AsOf, token);
            },
            cancellationToken);
        return new JobResult(Counts(snapshots.Moments.Count, won, lost, refusal is null ? 1 : 0))
        {
            Details = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["model"] = id,
                ["algorithm"] = competition.Chosen.Name,
                ["reason"] = refusal ?? "it beats what predicted before and is calibrated",
                ["log_loss"] = Math.Round(verdict.Own.LogLoss, 5),
                ["prior_log_loss"] = Math.Round(verdict.Prior.LogLoss, 5),
                ["auc"] = double.IsNaN(verdict.Own.Auc) ? null : Math.Round(verdict.Own.Auc, 4),
                ["ece"] = Math.Round(verdict.Own.Ece, 4),
            },
        };
    }

    /// <summary>Days after which nearly all deals that were open at a moment have ended; null where there are no such moments.</summary>
    public static int? MaturityDays(IReadOnlyList<Moment> moments, DateTimeOffset asOf)
    {
        const int Step = 28;
        var groups = moments.GroupBy(m => (int)((asOf - m.At).TotalDays / Step)).OrderByDescending(g => g.Key)
            .Select(g => (Days: g.Key * Step, Open: g.Count(m => m.ClosedAt is null), All: g.Count())).ToList();
        var oldest = groups.Take((groups.Count + 3) / 4).ToList();
        var forgotten = oldest.Sum(g => g.Open) / (double)Math.Max(oldest.Sum(g => g.All), 1);
        // Where even half of the oldest deals are open, nothing has ended yet.
        var enough = groups.TakeWhile(g => g.Open <= (forgotten + StillOpen + (1 / Math.Sqrt(g.All) / 4)) * g.All).ToList();
        return forgotten < 0.5 && enough.Count > 0 ? Math.Max(enough[^1].Days, Step) : null;
    }

    private static (int Won, int Lost) Outcomes(IReadOnlyList<Moment> moments)
    {
        var deals = moments.DistinctBy(m => m.PipelineId).ToList();
        var won = deals.Count(m => m.Won is true);
        return (won, deals.Count - won);
    }

    private static JobResult Nothing(string reason, int won, int lost) => new(Counts(0, won, lost, 0))
    {
        NothingToDo = true,
        Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["reason"] = reason },
    };

    private static Dictionary<string, long> Counts(int snapshots, int won, int lost, int published) => new(StringComparer.Ordinal)
    {
        ["snapshots"] = snapshots,
        ["won"] = won,
        ["lost"] = lost,
        ["published"] = published,
    };
}

/// <summary>How a model trained on older deals did on the newest.</summary>
internal sealed record Verdict(
    string? Refusal, Metrics Own, Metrics Prior, GainInterval OverPrior, GainInterval? OverCurrent, int TestRows, int TestDeals, DateTimeOffset TestFrom)
{
    public string Json(int maturityDays, int spacingDays) => JsonSerializer.Serialize(new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["test"] = Measures(Own),
        ["prior"] = Measures(Prior),
        ["gain_over_prior"] = OverPrior,
        ["gain_over_current"] = OverCurrent,
        ["test_rows"] = TestRows,
        ["test_deals"] = TestDeals,
        ["test_from"] = TestFrom,
        ["maturity_days"] = maturityDays,
        ["spacing_days"] = spacingDays,
    });

    private static Dictionary<string, double?> Measures(Metrics m) => new(StringComparer.Ordinal)
    {
        ["auc"] = double.IsNaN(m.Auc) ? null : m.Auc,
        ["pr_auc"] = double.IsNaN(m.AveragePrecision) ? null : m.AveragePrecision,
        ["log_loss"] = m.LogLoss,
        ["brier"] = m.Brier,
        ["ece"] = m.Ece,
    };
}

/// <summary>Trains on older deals and judges by the newest.</summary>
internal sealed class Trial(DealSnapshots snapshots, int seed, TimeProvider time)
{
    public CompetitionSettings Settings { get; } = new() { Seed = seed, Groups = snapshots.Groups, Time = time };

    /// <param name="testShare">Share of the deals, the newest, that judge.</param>
    /// <param name="current">The published model.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Verdict Judge(double testShare, StoredModel? current, CancellationToken cancellationToken)
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
            metrics, Of(prior, testLabels), overPrior, overCurrent, test.Length, deals, border);
    }

    /// <summary>On deals that ended after the published model was trained: it knew the outcomes of the others.</summary>
    private (GainInterval? Gain, int? Deals) AgainstCurrent(StoredModel? current, int[] test, double[] own, bool[] labels)
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
