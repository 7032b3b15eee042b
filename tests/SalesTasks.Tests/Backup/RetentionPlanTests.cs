using System.Globalization;
using CsCheck;
using SalesTasks.Backup;

namespace SalesTasks.Tests.Backup;

/// <summary>Which backups stay: the last of each day, week and month.</summary>
public sealed class RetentionPlanTests
{
    private static readonly DateTimeOffset Start = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<List<DateTimeOffset>> Instants = Gen.Int[0, 900 * 24].Select(hours => Start.AddHours(hours)).List[0, 200];

    private static readonly Gen<RetentionPlan> Plans =
        Gen.Select(Gen.Int[0, 10], Gen.Int[0, 6], Gen.Int[0, 14], (daily, weekly, monthly) => new RetentionPlan(daily, weekly, monthly));

    [Fact]
    public void Apply_AYearOfNights_KeepsSevenDaysFourWeeksTwelveMonths()
    {
        var nights = Enumerable.Range(0, 366).Select(day => Start.AddDays(day).AddHours(2)).ToList();

        var kept = new RetentionPlan(7, 4, 12).Apply(nights);

        Assert.Equal(7, kept.Count(k => k.Value.HasFlag(KeptAs.Daily)));
        Assert.Equal(4, kept.Count(k => k.Value.HasFlag(KeptAs.Weekly)));
        Assert.Equal(12, kept.Count(k => k.Value.HasFlag(KeptAs.Monthly)));
        // The last night of January, not the first.
        Assert.Equal(KeptAs.Monthly, kept[new DateTimeOffset(2024, 1, 31, 2, 0, 0, TimeSpan.Zero)]);
        // Sundays end ISO weeks.
        Assert.Equal(KeptAs.Weekly, kept[new DateTimeOffset(2024, 12, 22, 2, 0, 0, TimeSpan.Zero)]);
        Assert.Equal(20, kept.Count(k => k.Value is not KeptAs.Nothing));
    }

    [Fact]
    public void Apply_AnyBackups_KeepsTheNewestAndWhatIsTheLastOfAPeriodThatIsKept() => Gen.Select(Instants, Plans).Sample((instants, plan) =>
    {
        var kept = plan.Apply(instants);

        Assert.Equal(instants.Distinct().Count(), kept.Count);
        if (instants.Count > 0)
        {
            Assert.True(kept[instants.Max()].HasFlag(KeptAs.Newest));
        }

        Check(KeptAs.Daily, plan.Daily, at => at.ToString("yyyyMMdd", CultureInfo.InvariantCulture));
        Check(KeptAs.Weekly, plan.Weekly, at => $"{ISOWeek.GetYear(at.UtcDateTime):0000}{ISOWeek.GetWeekOfYear(at.UtcDateTime):00}");
        Check(KeptAs.Monthly, plan.Monthly, at => at.ToString("yyyyMM", CultureInfo.InvariantCulture));

        void Check(KeptAs reason, int periods, Func<DateTimeOffset, string> period)
        {
            var expected = instants.GroupBy(period).OrderByDescending(g => g.Key, StringComparer.Ordinal).Take(periods).Select(g => g.Max());
            Assert.Equal(expected, kept.Where(k => k.Value.HasFlag(reason)).Select(k => k.Key).OrderDescending());
        }
    });

    [Fact]
    public void Apply_OneNightAfterTheOther_NeverBringsBackWhatItGaveUp() => Gen.Select(Gen.Int[1, 400], Plans).Sample(
        (nights, plan) =>
        {
            // As it happens: what was removed is not there the next night. The outcome is that of judging all nights at once.
            var stored = new List<DateTimeOffset>();
            for (var night = 0; night < nights; night++)
            {
                stored.Add(Start.AddDays(night));
                var kept = plan.Apply(stored);
                stored.RemoveAll(instant => kept[instant] is KeptAs.Nothing);
            }

            var atOnce = plan.Apply(Enumerable.Range(0, nights).Select(night => Start.AddDays(night)));
            Assert.Equal(atOnce.Where(k => k.Value is not KeptAs.Nothing).Select(k => k.Key).Order(), stored.Order());
        },
        iter: 30);
}
