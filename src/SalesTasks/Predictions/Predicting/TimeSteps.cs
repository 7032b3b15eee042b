namespace SalesTasks.Predictions.Predicting;

/// <summary>
/// Spans of time in steps, so that a deal in which nothing happens is not predicted anew at every run: up to two weeks they grow once a day at
/// midnight UTC, up to eight weeks once a week, then every four weeks, and after almost 30 years no more. All spans of one deal grow on the same day,
/// which differs from deal to deal. A step stands for the middle of the span it covers.
/// </summary>
/// <param name="asOf">The instant of the run.</param>
internal sealed class TimeSteps(DateTimeOffset asOf)
{
    // Whole microseconds, as the database has them: exact, so that the same span is the same at every run.
    private const long Day = 86_400_000_000;
    private const long Weekly = 14 * Day;
    private const long Monthly = 56 * Day;

    /// <summary>Features count longer spans as 30 years back from the instant, which moves with it: those are to be one and the same step.</summary>
    private const long Longest = 390 * 28 * Day;

    private readonly long _now = (asOf - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>What a span that ends now counts as.</summary>
    /// <param name="deal">Decides on which day it grows.</param>
    /// <param name="days">Its exact length.</param>
    public double Of(long deal, double days)
    {
        var start = _now - (long)Math.Round(days * Day);
        var today = Middle(deal, 1) - start;
        var counted = today < Weekly ? Math.Max(today, 0)
            : today < Monthly ? Math.Clamp(Middle(deal, 7) - start, Weekly, Monthly)
            : Math.Clamp(Middle(deal, 28) - start, Monthly, Longest);
        return counted / (double)Day;
    }

    private long Middle(long deal, int width)
    {
        var day = _now / Day;
        return ((day - ((day + deal) % width)) * Day) + (width * Day / 2);
    }
}
