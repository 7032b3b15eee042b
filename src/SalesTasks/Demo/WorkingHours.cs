namespace SalesTasks.Demo;

/// <summary>Moves instants to when people work, by the clock of the lead.</summary>
internal static class WorkingHours
{
    private static readonly int[] s_hours = [.. Enumerable.Range(0, 24)];

    public static DateTime WholeSeconds(DateTime instant) =>
        new(instant.Ticks - (instant.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);

    /// <summary>The instant itself on a weekday between 8 and 19, else in the first two working hours that follow.</summary>
    public static DateTime Next(SampleRandom random, LocalClock clock, DateTime instant)
    {
        var local = clock.ToLocal(instant);
        if (local.Hour < 8)
        {
            local = Morning(local);
        }
        else if (local.Hour >= 19)
        {
            local = Morning(local.AddDays(1));
        }

        while (SampleTruth.IsoDay(local) > 5)
        {
            local = Morning(local.AddDays(1));
        }

        return WholeSeconds(clock.ToUtc(local));

        DateTime Morning(DateTime day) => day.Date.AddHours(8 + (2 * random.Unit()));
    }

    /// <summary>
    /// Any working hour of that day; Saturday becomes Friday and Sunday Monday, which leaves the mean as it was. The result may lie before
    /// <paramref name="instant"/>.
    /// </summary>
    public static DateTime SameDay(SampleRandom random, LocalClock clock, DateTime instant)
    {
        var date = clock.ToLocal(instant).Date;
        date = SampleTruth.IsoDay(date) switch { 6 => date.AddDays(-1), 7 => date.AddDays(1), _ => date };
        var hour = random.Pick(s_hours, h => SampleWorld.ContactHours[h]);
        return WholeSeconds(clock.ToUtc(date.AddHours(hour + random.Unit())));
    }

    /// <summary>Any hour people arrive at, within the 24 hours from <paramref name="start"/>.</summary>
    public static DateTime Arrival(SampleRandom random, LocalClock clock, DateTime start)
    {
        var hour = random.Pick(s_hours, h => SampleWorld.ArrivalHours[h]);
        var passed = (int)clock.ToLocal(start).TimeOfDay.TotalSeconds;
        const int Day = 86_400;
        return WholeSeconds(start.AddSeconds((((hour * 3600) + random.Below(3600) - passed) % Day + Day) % Day));
    }
}
