using SalesTasks.Timing;

namespace SalesTasks.Tests.Timing;

/// <summary>The interval between contacts on generated counts whose truth is known.</summary>
public sealed class IntervalModelTests
{
    private const int MinDataPoints = 10;

    [Fact]
    public void Fit_AnswersThatPeakAtSixDays_WaitsForThem()
    {
        var right = 0;
        for (var seed = 0; seed < 50; seed++)
        {
            var everybody = Fit(seed, day => 0.12 + (0.25 * Math.Exp(-Math.Pow(Math.Log(day / 6.0) / 0.4, 2) / 2)), 4_000)[0];
            right += everybody is { Credible: true, Days: >= 5 and <= 7 } ? 1 : 0;
            Assert.True(!everybody.Credible || everybody.GainLow > 1);
        }

        Assert.True(right >= 48, $"{right} of 50");
    }

    [Fact]
    public void Fit_AnswersThatComeSooner_ShortensTheInterval()
    {
        var everybody = Fit(1, day => day == 1 ? 0.45 : 0.15, 4_000)[0];

        Assert.Equal((1, true), (everybody.Days, everybody.Credible));
    }

    [Fact]
    public void Fit_DaysThatMakeNoDifference_KeepsThreeDays()
    {
        var changed = Enumerable.Range(0, 200).Count(seed => Fit(seed, _ => 0.2, 1_500).Any(i => i.Credible));

        Assert.True(changed <= 10, $"{changed} of 200 changed");
    }

    [Fact]
    public void Fit_OneLuckyDayAmongFewContacts_IsNotFollowed()
    {
        var counts = Enumerable.Range(1, 14).Select(day => new GapCount("s", day, day == 11 ? 12 : 100, day == 11 ? 9 : 20, day == 11 ? 2.4 : 20)).ToList();

        Assert.All(IntervalModel.Fit(counts, MinDataPoints), interval => Assert.Equal(IntervalModel.PlainDays, interval.Days));
    }

    [Fact]
    public void Fit_TooFewContacts_SaysNothing() =>
        Assert.Empty(IntervalModel.Fit([new GapCount("s", 3, 4, 1, 1), new GapCount("s", 6, 4, 4, 1)], MinDataPoints));

    private static IReadOnlyList<Interval> Fit(int seed, Func<int, double> rate, int contacts)
    {
        var random = new Random(seed);
        var seen = Enumerable.Range(0, contacts).Select(_ =>
        {
            var day = random.Next(1, 15);
            return (Segment: random.Next(4), Day: day, Answered: random.NextDouble() < rate(day));
        }).ToList();
        var mean = seen.Average(s => s.Answered ? 1.0 : 0);
        return IntervalModel.Fit(
            [.. seen.GroupBy(s => (s.Segment, s.Day)).OrderBy(g => g.Key)
                .Select(g => new GapCount($"s{g.Key.Segment}", g.Key.Day, g.Count(), g.Count(s => s.Answered), g.Count() * mean))],
            MinDataPoints);
    }
}
