using System.Globalization;

namespace SalesTasks.Reports;

/// <summary>
/// A closed period: an ISO week or a calendar month in UTC, as in <c>mv_sales_metrics</c> and the views, so that their figures agree.
/// </summary>
/// <param name="Type">weekly or monthly.</param>
/// <param name="Start">Its first instant.</param>
/// <param name="End">The first instant after it.</param>
internal sealed record ReportPeriod(string Type, DateTimeOffset Start, DateTimeOffset End)
{
    public const string Weekly = "weekly";
    public const string Monthly = "monthly";

    /// <summary>Periods that a trend shows and that a forecast learns from.</summary>
    public const int WeeksOfTrend = 13;
    public const int MonthsOfTrend = 12;
    public const int PeriodsOfForecast = 26;

    /// <summary>The last one that was over at an instant.</summary>
    public static ReportPeriod LastComplete(string type, DateTimeOffset instant)
    {
        var day = new DateTimeOffset(instant.UtcDateTime.Date, TimeSpan.Zero);
        var current = type == Weekly
            ? day.AddDays(-(((int)day.DayOfWeek + 6) % 7))
            : day.AddDays(1 - day.Day);
        return new ReportPeriod(type, current, current).Step(-1) with { End = current };
    }

    /// <summary>2026-W11 or 2026-03: names files and folders, and sorts.</summary>
    public string Id => Type == Weekly
        ? string.Create(CultureInfo.InvariantCulture, $"{ISOWeek.GetYear(Start.UtcDateTime)}-W{ISOWeek.GetWeekOfYear(Start.UtcDateTime):00}")
        : Start.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    public ReportPeriod Previous => Step(-1);

    public ReportPeriod Next => Step(1);

    /// <summary>From one period to the next, as PostgreSQL reads it.</summary>
    public string Interval => Type == Weekly ? "7 days" : "1 month";

    /// <summary>The start of the first period of the trend, of which this is the last.</summary>
    public DateTimeOffset TrendStart => Step(1 - (Type == Weekly ? WeeksOfTrend : MonthsOfTrend)).Start;

    /// <summary>The start of the first period a forecast made at the end of this one learns from.</summary>
    public DateTimeOffset ForecastStart => Step(1 - PeriodsOfForecast).Start;

    /// <summary>The instant before its end, for people: the last day.</summary>
    public DateTimeOffset LastDay => End.AddDays(-1);

    /// <summary>One of the same type.</summary>
    public ReportPeriod StartingAt(DateTimeOffset start) => (this with { Start = start }).Step(0);

    private ReportPeriod Step(int periods) => Type == Weekly
        ? this with { Start = Start.AddDays(7 * periods), End = Start.AddDays(7 * (periods + 1)) }
        : this with { Start = Start.AddMonths(periods), End = Start.AddMonths(periods + 1) };
}
