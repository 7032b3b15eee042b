using System.Text.Json.Serialization;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Predicting;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>One fit of trees to the logarithm of the value.</summary>
internal sealed record ValueMember(Encoder Encoder, string Trees);

/// <summary>
/// What a deal brings if it is won. Computed on ln(1 + value): values are skewed, and an interval is a factor and not an amount.
/// </summary>
/// <param name="Algorithm">Which of the candidates answers.</param>
/// <param name="Overall">Median of all.</param>
/// <param name="Sources">By source, pulled to the overall one: for deals of a product that was not seen.</param>
/// <param name="Products">By product interest, pulled to the overall one.</param>
/// <param name="Members">Trees, where they answer.</param>
/// <param name="Low">From the median to the 10th percentile, measured on deals not fitted on.</param>
/// <param name="High">To the 90th.</param>
internal sealed record ValueModel(
    string Algorithm, double Overall, IReadOnlyDictionary<string, double> Sources, IReadOnlyDictionary<string, double> Products,
    IReadOnlyList<ValueMember> Members, double Low, double High) : IKeptModel
{
    public const int Format = 1;
    public const string Global = "median";
    public const string ByProduct = "median by product";
    public const string Trees = "LightGBM";

    private const string ProductColumn = "product_interest";

    /// <summary>Deals at the median above that a product's is taken to have had before.</summary>
    private const double Pull = 5;

    private const int FoldCount = 4;
    private const int MostTrees = 300;
    private const int Patience = 25;

    [JsonIgnore]
    public string? Unusable => Members.Count > 0 ? LightGbmNative.Unavailable : null;

    /// <summary>All candidates, the simplest first, with their absolute errors on rows they were not fitted on.</summary>
    /// <param name="snapshots">One row a won deal.</param>
    /// <param name="values">What each row's deal brought.</param>
    /// <param name="seed">Of the trees.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static IReadOnlyList<(ValueModel Model, double[] Errors)> Candidates(
        DealSnapshots snapshots, double[] values, int seed, CancellationToken cancellationToken)
    {
        var rows = Enumerable.Range(0, values.Length).ToArray();
        var logs = values.Select(v => Math.Log(1 + v)).ToArray();
        var folds = Enumerable.Range(0, FoldCount).Select(f => new Split(
            [.. rows.Where((_, i) => i % FoldCount != f)], [.. rows.Where((_, i) => i % FoldCount == f)])).ToList();
        var candidates = new List<(ValueModel, double[])>
        {
            Judge(values, Medians(Global, snapshots, rows, logs), folds.Select(f => Medians(Global, snapshots, f.Train, logs).Centres(snapshots, f.Test))),
            Judge(values, Medians(ByProduct, snapshots, rows, logs), folds.Select(f => Medians(ByProduct, snapshots, f.Train, logs).Centres(snapshots, f.Test))),
        };
        if (LightGbmNative.Unavailable is null)
        {
            var (members, held) = Grow(snapshots, folds, logs, seed, cancellationToken);
            candidates.Add(Judge(values, Medians(Trees, snapshots, rows, logs) with { Members = members }, held));
        }

        return candidates;
    }

    /// <summary>The value of each row's deal.</summary>
    public Estimate[] Predict(DealSnapshots snapshots, int[] rows) =>
        [.. Centres(snapshots, rows).Select(c => new Estimate(Amount(c + Low), Amount(c), Amount(c + High)))];

    private static double Amount(double log) => Math.Max(Math.Exp(log) - 1, 0);

    /// <summary>The interval is made of errors on held-out rows, with the correction for their finite number (split conformal).</summary>
    private static (ValueModel Model, double[] Errors) Judge(double[] values, ValueModel model, IEnumerable<double[]> held)
    {
        var places = Enumerable.Range(0, values.Length).ToArray();
        var order = Enumerable.Range(0, FoldCount).SelectMany(f => places.Where(i => i % FoldCount == f)).ToArray();
        var centres = held.SelectMany(h => h).ToArray();
        var residuals = order.Select((place, i) => Math.Log(1 + values[place]) - centres[i]).Order().ToArray();
        var errors = new double[values.Length];
        for (var i = 0; i < order.Length; i++)
        {
            errors[order[i]] = Math.Abs(values[order[i]] - Amount(centres[i]));
        }

        double Quantile(double share) => residuals[Math.Clamp((int)Math.Floor(share * (residuals.Length + 1)), 0, residuals.Length - 1)];
        return (model with { Low = Math.Min(Quantile(0.1), 0), High = Math.Max(Quantile(0.9), 0) }, errors);
    }

    private static ValueModel Medians(string algorithm, DealSnapshots snapshots, int[] rows, double[] logs)
    {
        double Median(IEnumerable<double> values)
        {
            var sorted = values.Order().ToArray();
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }

        var overall = Median(rows.Select(row => logs[row]));
        Dictionary<string, double> By(string column)
        {
            var texts = snapshots.Texts(column);
            return rows.Where(row => texts[row] is not null).GroupBy(row => texts[row]!, StringComparer.Ordinal).ToDictionary(
                g => g.Key, g => ((g.Count() * Median(g.Select(row => logs[row]))) + (Pull * overall)) / (g.Count() + Pull), StringComparer.Ordinal);
        }

        return algorithm == Global
            ? new ValueModel(algorithm, overall, new Dictionary<string, double>(StringComparer.Ordinal), new Dictionary<string, double>(StringComparer.Ordinal), [], 0, 0)
            : new ValueModel(algorithm, overall, By(DealSnapshots.SourceColumn), By(ProductColumn), [], 0, 0);
    }

    /// <summary>One fit a fold, of as many trees as are best over the folds together, with what each says of the rows it did not see.</summary>
    private static (List<ValueMember> Members, List<double[]> Held) Grow(
        DealSnapshots snapshots, List<Split> folds, double[] logs, int seed, CancellationToken cancellationToken)
    {
        var settings = BoosterSettings.Kinds(seed, 1)[0] with { Objective = "regression_l1" };
        var middle = logs.Order().ElementAt(logs.Length / 2);
        // Levels are encoded by how often their values are above the median.
        var above = logs.Select(l => l > middle).ToArray();
        var fits = new List<(Encoder Encoder, Encoded Test, BoosterRows Rows, BoosterRows Watched, Booster Booster)>();
        try
        {
            foreach (var fold in folds)
            {
                var encoder = Encoder.Fit(snapshots.Table, fold.Train, above);
                var train = encoder.EncodeTraining(snapshots.Table, fold.Train, new TrainingLabels(above, snapshots.Groups));
                var test = encoder.Encode(snapshots.Table, fold.Test);
                var parameters = settings.Parameters(encoder.Categorical, train.Rows);
                var rows = new BoosterRows(train, [.. fold.Train.Select(row => (float)logs[row])], parameters);
                var watched = new BoosterRows(test, [.. fold.Test.Select(row => (float)logs[row])], parameters, rows);
                var booster = new Booster(rows, parameters);
                booster.Watch(watched);
                fits.Add((encoder, test, rows, watched, booster));
            }

            var best = (Loss: double.PositiveInfinity, Trees: 1);
            for (var trees = 1; trees <= MostTrees && trees - best.Trees <= Patience; trees++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                fits.ForEach(f => f.Booster.Grow());
                var loss = fits.Sum(f => f.Booster.WatchedLoss() * f.Test.Rows);
                if (loss < best.Loss)
                {
                    best = (loss, trees);
                }
            }

            return ([.. fits.Select(f => new ValueMember(f.Encoder, f.Booster.Save(best.Trees)))], [.. fits.Select(f => f.Booster.Logits(f.Test, best.Trees))]);
        }
        finally
        {
            foreach (var (_, _, rows, watched, booster) in fits)
            {
                booster.Dispose();
                watched.Dispose();
                rows.Dispose();
            }
        }
    }

    /// <summary>ln(1 + median) of each row.</summary>
    private double[] Centres(DealSnapshots snapshots, int[] rows)
    {
        if (Members.Count > 0)
        {
            var sums = new double[rows.Length];
            foreach (var member in Members)
            {
                using var booster = Booster.Load(member.Trees);
                var logs = booster.Logits(member.Encoder.Encode(snapshots.Table, rows), -1);
                for (var i = 0; i < sums.Length; i++)
                {
                    sums[i] += logs[i] / Members.Count;
                }
            }

            return sums;
        }

        var products = snapshots.Texts(ProductColumn);
        var sources = snapshots.Texts(DealSnapshots.SourceColumn);
        return [.. rows.Select(row =>
            products[row] is { } product && Products.TryGetValue(product, out var own) ? own
            : sources[row] is { } source && Sources.TryGetValue(source, out var general) ? general
            : Overall)];
    }
}
