namespace SalesTasks.Predictions.Learning;

/// <summary>A gain measured on many rows: its mean and how uncertain that is.</summary>
/// <param name="Mean">Per row.</param>
/// <param name="Error">Standard error of the mean.</param>
internal sealed record Gain(double Mean, double Error)
{
    /// <summary>Beyond what chance explains: two standard errors, one chance in forty where there is no gain.</summary>
    public bool IsCredible => Mean > 2 * Error;

    public static Gain Of(ReadOnlySpan<double> gains)
    {
        var mean = 0.0;
        foreach (var gain in gains)
        {
            mean += gain / gains.Length;
        }

        var squares = 0.0;
        foreach (var gain in gains)
        {
            squares += (gain - mean) * (gain - mean);
        }

        return new Gain(mean, Math.Sqrt(squares / Math.Max(gains.Length - 1, 1) / Math.Max(gains.Length, 1)));
    }
}
