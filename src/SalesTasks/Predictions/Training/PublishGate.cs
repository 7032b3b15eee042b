using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary>A gain in log-loss per snapshot with its 95 % interval.</summary>
internal sealed record GainInterval(double Mean, double Low, double High);

/// <summary>Whether a model may predict: it has to beat what predicts now on outcomes it was not trained on, and be calibrated.</summary>
internal static class PublishGate
{
    /// <summary>The largest expected calibration error that is let through.</summary>
    public const double LargestError = 0.05;

    /// <summary>Fewer deals than this decide nothing.</summary>
    public const int FewestTestDeals = 100;

    private const int Draws = 2_000;

    /// <summary>The gain of one set of log-odds over another by bootstrap over deals: snapshots of one deal have one outcome.</summary>
    /// <param name="better">Log-odds of the model on trial.</param>
    /// <param name="baseline">Log-odds of what it has to beat.</param>
    /// <param name="labels">The outcomes.</param>
    /// <param name="deals">The deal of each.</param>
    /// <param name="seed">Of the draws.</param>
    public static GainInterval Compare(double[] better, double[] baseline, bool[] labels, int[] deals, int seed)
    {
        var gains = new double[labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            gains[i] = Logits.Loss(baseline[i], labels[i]) - Logits.Loss(better[i], labels[i]);
        }

        return Interval(gains, deals, seed);
    }

    /// <summary>The mean of gains with its interval, by bootstrap over deals.</summary>
    public static GainInterval Interval(double[] gains, int[] deals, int seed)
    {
        var sums = new Dictionary<int, (double Gain, int Rows)>();
        for (var i = 0; i < gains.Length; i++)
        {
            var (gain, rows) = sums.GetValueOrDefault(deals[i]);
            sums[deals[i]] = (gain + gains[i], rows + 1);
        }

        var list = sums.Values.ToArray();
        var random = new Random(seed);
        var means = new double[Draws];
        for (var draw = 0; draw < Draws; draw++)
        {
            var total = 0.0;
            var rows = 0;
            for (var i = 0; i < list.Length; i++)
            {
                var (gain, own) = list[random.Next(list.Length)];
                total += gain;
                rows += own;
            }

            means[draw] = total / rows;
        }

        Array.Sort(means);
        return new GainInterval(gains.Average(), means[(int)(0.025 * Draws)], means[(int)(0.975 * Draws)]);
    }

    /// <summary>Why the model is refused; null where it is published.</summary>
    /// <param name="algorithm">What won the competition.</param>
    /// <param name="testDeals">Deals whose outcomes judged it.</param>
    /// <param name="metrics">On them.</param>
    /// <param name="overPrior">Gain over the rates by stage and source.</param>
    /// <param name="overCurrent">Gain over the published model; null where there is none.</param>
    /// <param name="currentDeals">Deals that ended after the published model was trained.</param>
    public static string? Refuse(
        string algorithm, int testDeals, Metrics metrics, GainInterval overPrior, GainInterval? overCurrent, int? currentDeals)
    {
        if (algorithm == Competition.Prior)
        {
            return "nothing known about deals predicts their outcome";
        }

        if (testDeals < FewestTestDeals)
        {
            return $"only {testDeals} deals can judge it; needed: {FewestTestDeals}";
        }

        if (overPrior.Low <= 0)
        {
            return $"its gain over the rates by stage and source is not credible: {overPrior.Mean:0.0000} ({overPrior.Low:0.0000} to {overPrior.High:0.0000})";
        }

        if (metrics.Ece > LargestError)
        {
            return $"its calibration error is {metrics.Ece:0.000}; allowed: {LargestError:0.00}";
        }

        return AgainstCurrent(overCurrent, currentDeals);
    }

    /// <summary>Why it may not take the published model's place; null where it may, or there is none.</summary>
    /// <param name="overCurrent">Gain over the published model.</param>
    /// <param name="currentDeals">Deals whose outcomes were learned since that one was trained; null: there is none.</param>
    public static string? AgainstCurrent(GainInterval? overCurrent, int? currentDeals)
    {
        if (currentDeals is { } known && known < FewestTestDeals)
        {
            return $"only {known} deals ended since the published model was trained; needed to compare: {FewestTestDeals}";
        }

        return overCurrent is { Low: <= 0 } gain
            ? $"its gain over the published model is not credible: {gain.Mean:0.0000} ({gain.Low:0.0000} to {gain.High:0.0000})"
            : null;
    }
}
