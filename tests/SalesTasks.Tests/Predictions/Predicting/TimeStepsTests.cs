using SalesTasks.Predictions.Predicting;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>How often a span of time counts as another one.</summary>
public sealed class TimeStepsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 17, 20, 3, 123, TimeSpan.Zero);

    [Fact]
    public void Of_AllHours_GrowsWithTimeAndStaysNearIt()
    {
        foreach (var deal in (long[])[0, 3, 12_345_678_901])
        {
            var before = 0.0;
            for (var hour = 0; hour < 24 * 200; hour++)
            {
                var days = hour / 24.0;
                var counted = new TimeSteps(Start.AddHours(hour)).Of(deal, days);
                Assert.True(counted >= before, $"deal {deal}, {days} days: {counted} after {before}");
                Assert.InRange(Math.Abs(counted - days), 0, days < 13 ? 0.5 : days < 55 ? 3.6 : 14.1);
                before = counted;
            }
        }
    }

    [Theory]
    [InlineData(0, 13, 13)]
    [InlineData(15, 55, 6)]
    [InlineData(60, 200, 5)]
    public void Of_Span_ChangesAsOftenAsSaid(int from, int to, int changes)
    {
        var values = Enumerable.Range(from * 24, (to - from) * 24).Select(hour => new TimeSteps(Start.AddHours(hour)).Of(7, hour / 24.0)).Distinct().Count();

        Assert.InRange(values, changes, changes + 2);
    }

    [Fact]
    public void Of_TwoSpansOfADeal_GrowOnTheSameDay()
    {
        var days = Enumerable.Range(0, 28).Select(day => Start.AddDays(100 + day)).ToList();
        var first = days.Select(day => new TimeSteps(day).Of(5, (day - Start).TotalDays)).ToList();
        var second = days.Select(day => new TimeSteps(day).Of(5, (day - Start.AddDays(20)).TotalDays)).ToList();

        var grows = Enumerable.Range(1, 27).Where(i => first[i] != first[i - 1]).ToList();
        Assert.Equal(grows, Enumerable.Range(1, 27).Where(i => second[i] != second[i - 1]));
        Assert.Single(grows);
    }

    [Fact]
    public void Of_InstantsOfOneDay_IsTheVerySame()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 10_000; trial++)
        {
            var start = Start.AddTicks(random.NextInt64(TimeSpan.TicksPerDay * 300) / 10 * 10);
            var day = new DateTimeOffset(2026, 12, 1 + random.Next(20), 0, 0, 0, TimeSpan.Zero);
            double At(DateTimeOffset now) => new TimeSteps(now).Of(trial, (now - start).Ticks / 10 / 1e6 / 86400);

            Assert.Equal(At(day.AddSeconds(random.Next(40_000))), At(day.AddTicks(random.NextInt64(TimeSpan.TicksPerDay) / 10 * 10)));
        }
    }
}
