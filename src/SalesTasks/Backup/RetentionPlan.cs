using System.Globalization;

namespace SalesTasks.Backup;

/// <summary>As what a backup is kept; nothing of it: it may go.</summary>
[Flags]
internal enum KeptAs
{
    Nothing = 0,
    Newest = 1,
    Daily = 2,
    Weekly = 4,
    Monthly = 8,
}

/// <summary>How many days, ISO weeks and months (UTC) keep their last backup. Those without a backup do not count.</summary>
internal sealed record RetentionPlan(int Daily, int Weekly, int Monthly)
{
    /// <summary>What becomes of each backup. The newest is always kept.</summary>
    /// <param name="instants">The instants of the good backups; one that occurs twice is one.</param>
    public IReadOnlyDictionary<DateTimeOffset, KeptAs> Apply(IEnumerable<DateTimeOffset> instants)
    {
        var newestFirst = instants.Distinct().OrderDescending().ToList();
        var kept = newestFirst.ToDictionary(instant => instant, _ => KeptAs.Nothing);
        if (newestFirst.Count > 0)
        {
            kept[newestFirst[0]] |= KeptAs.Newest;
        }

        Keep(Daily, KeptAs.Daily, at => at.Year * 1_000 + at.DayOfYear);
        Keep(Weekly, KeptAs.Weekly, at => ISOWeek.GetYear(at) * 100 + ISOWeek.GetWeekOfYear(at));
        Keep(Monthly, KeptAs.Monthly, at => at.Year * 100 + at.Month);
        return kept;

        void Keep(int periods, KeptAs reason, Func<DateTime, int> period)
        {
            foreach (var group in newestFirst.GroupBy(instant => period(instant.UtcDateTime)).Take(periods))
            {
                kept[group.First()] |= reason;
            }
        }
    }
}
