namespace SalesTasks.Predictions.Learning;

/// <summary>How good probabilities are.</summary>
/// <param name="Auc">Area under the ROC curve; ties count half; NaN where only one class is present.</param>
/// <param name="AveragePrecision">Area under the precision-recall curve as the sum of precision × gain in recall over thresholds.</param>
/// <param name="LogLoss">Mean negative log-likelihood, natural logarithm.</param>
/// <param name="Brier">Mean squared error of the probability.</param>
/// <param name="Ece">Expected calibration error over ten bins of equal width (Guo et al. 2017).</param>
internal sealed record Metrics(double Auc, double AveragePrecision, double LogLoss, double Brier, double Ece)
{
    public const int Bins = 10;

    /// <summary>A probability of exactly 0 or 1 that turns out wrong would cost infinitely much.</summary>
    private const double Smallest = 1e-15;

    public static Metrics Of(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels)
    {
        var (auc, precision) = Ranking(probabilities, labels);
        var loss = 0.0;
        var brier = 0.0;
        for (var i = 0; i < labels.Length; i++)
        {
            loss += Loss(probabilities[i], labels[i]);
            var error = probabilities[i] - (labels[i] ? 1 : 0);
            brier += error * error;
        }

        var rows = Math.Max(labels.Length, 1);
        return new Metrics(auc, precision, loss / rows, brier / rows, CalibrationError(probabilities, labels));
    }

    /// <summary>By name, as they are kept and shown.</summary>
    public Dictionary<string, object?> Figures() => new(StringComparer.Ordinal)
    {
        ["auc"] = double.IsNaN(Auc) ? null : Auc,
        ["pr_auc"] = double.IsNaN(AveragePrecision) ? null : AveragePrecision,
        ["log_loss"] = LogLoss,
        ["brier"] = Brier,
        ["ece"] = Ece,
    };

    /// <summary>Negative log-likelihood of one outcome.</summary>
    public static double Loss(double probability, bool label) =>
        -Math.Log(Math.Clamp(label ? probability : 1 - probability, Smallest, 1));

    /// <summary>Area under the ROC curve (Mann-Whitney, ties half) and average precision.</summary>
    public static (double Auc, double AveragePrecision) Ranking(ReadOnlySpan<double> scores, ReadOnlySpan<bool> labels)
    {
        var order = new int[labels.Length];
        var keys = new double[labels.Length];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
            keys[i] = -scores[i];
        }

        Array.Sort(keys, order);
        long positives = 0;
        foreach (var label in labels)
        {
            positives += label ? 1 : 0;
        }

        var negatives = labels.Length - positives;
        if (positives == 0 || negatives == 0)
        {
            return (double.NaN, positives == 0 ? double.NaN : 1);
        }

        double won = 0;
        double precision = 0;
        long seen = 0;
        long hits = 0;
        for (var start = 0; start < order.Length;)
        {
            var end = start;
            long here = 0;
            while (end < order.Length && keys[end] == keys[start])
            {
                here += labels[order[end]] ? 1 : 0;
                end++;
            }

            var others = end - start - here;
            won += here * ((negatives - (seen - hits) - others) + (others / 2.0));
            seen += end - start;
            hits += here;
            precision += here / (double)positives * (hits / (double)seen);
            start = end;
        }

        return (won / (positives * (double)negatives), precision);
    }

    private static double CalibrationError(ReadOnlySpan<double> probabilities, ReadOnlySpan<bool> labels)
    {
        Span<double> said = stackalloc double[Bins];
        Span<double> happened = stackalloc double[Bins];
        said.Clear();
        happened.Clear();
        for (var i = 0; i < labels.Length; i++)
        {
            var bin = Math.Min((int)(probabilities[i] * Bins), Bins - 1);
            said[bin] += probabilities[i];
            happened[bin] += labels[i] ? 1 : 0;
        }

        var error = 0.0;
        for (var bin = 0; bin < Bins; bin++)
        {
            error += Math.Abs(said[bin] - happened[bin]);
        }

        return error / Math.Max(labels.Length, 1);
    }
}
