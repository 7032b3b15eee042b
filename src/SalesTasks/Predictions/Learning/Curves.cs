namespace SalesTasks.Predictions.Learning;

/// <summary>A bin of predictions: what was said on average, what happened, how many.</summary>
internal sealed record CalibrationBin(double Said, double Happened, int Count);

/// <summary>What plots of a model's figures show.</summary>
internal static class Curves
{
    private const int GainSteps = 20;

    /// <summary>Ten bins of equal width; empty ones are left out.</summary>
    public static IReadOnlyList<CalibrationBin> Calibration(double[] said, bool[] happened) =>
    [
        .. Enumerable.Range(0, said.Length).GroupBy(i => Math.Min((int)(said[i] * Metrics.Bins), Metrics.Bins - 1)).OrderBy(g => g.Key)
            .Select(g => new CalibrationBin(g.Average(i => said[i]), g.Average(i => happened[i] ? 1.0 : 0), g.Count())),
    ];

    /// <summary>The share of all that happened among the highest 0 %, 5 %, … 100 % of the predictions.</summary>
    public static double[] CumulativeGain(double[] said, bool[] happened)
    {
        var all = Math.Max(happened.Count(h => h), 1);
        var order = Enumerable.Range(0, said.Length).OrderByDescending(i => said[i]).ToArray();
        var found = new int[order.Length + 1];
        for (var i = 0; i < order.Length; i++)
        {
            found[i + 1] = found[i] + (happened[order[i]] ? 1 : 0);
        }

        return [.. Enumerable.Range(0, GainSteps + 1).Select(step => found[order.Length * step / GainSteps] / (double)all)];
    }
}
