namespace SalesTasks.Demo;

/// <summary>
/// Local time of one zone over the sample's two years, from a table of offsets: the generator converts millions of instants, and a look-up
/// costs a tenth of a conversion by rules.
/// </summary>
internal sealed class LocalClock
{
    private const int DaysBefore = 10;
    private const int DaysAfter = 60;

    private readonly DateTime _first;
    private readonly sbyte[] _quarterHours;

    /// <exception cref="JobException">69: this machine has no time zone data.</exception>
    public LocalClock(string zoneName, SampleOptions options)
    {
        // Offsets change on full UTC hours in every zone of the sample.
        _first = options.Start.AddDays(-DaysBefore);
        _first = new DateTime(_first.Year, _first.Month, _first.Day, 0, 0, 0, DateTimeKind.Utc);
        _quarterHours = new sbyte[(SampleOptions.HistoryDays + DaysBefore + DaysAfter) * 24];
        var zone = Zone(zoneName);
        for (var hour = 0; hour < _quarterHours.Length; hour++)
        {
            _quarterHours[hour] = (sbyte)(zone.GetUtcOffset(_first.AddHours(hour)).TotalMinutes / 15);
        }
    }

    public DateTime ToLocal(DateTime utc) => DateTime.SpecifyKind(utc.AddMinutes(Offset(utc)), DateTimeKind.Unspecified);

    /// <summary>In the hour that a change to summer time skips, an hour later; in the one that winter time repeats, the second.</summary>
    public DateTime ToUtc(DateTime local)
    {
        var asIfUtc = DateTime.SpecifyKind(local, DateTimeKind.Utc);
        var guess = asIfUtc.AddMinutes(-Offset(asIfUtc));
        return asIfUtc.AddMinutes(-Offset(guess));
    }

    private int Offset(DateTime utc) => 15 * _quarterHours[Math.Clamp((int)(utc - _first).TotalHours, 0, _quarterHours.Length - 1)];

    private static TimeZoneInfo Zone(string name)
    {
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception missing) when (missing is TimeZoneNotFoundException or InvalidTimeZoneException)
        {
            throw JobException.Refused($"The time zone {name} is not known here: install the time zone data (package tzdata).", missing);
        }
    }
}
