namespace SalesTasks.Timing;

/// <summary>Contacts that were made so many days after the one before, to leads that had not answered it.</summary>
/// <param name="Segment">See <c>timing_segment</c>.</param>
/// <param name="Days">Whole days since the contact before, 1 to <see cref="IntervalModel.LongestDays"/>.</param>
/// <param name="Contacts">How many.</param>
/// <param name="Answered">Of them answered.</param>
/// <param name="Expected">Answers that the rates of their segments and channels let expect, whatever the days.</param>
internal readonly record struct GapCount(string Segment, int Days, double Contacts, double Answered, double Expected);

/// <summary>How many days a segment is best left between two contacts.</summary>
/// <param name="Segment"><see cref="SlotModel.Everybody"/>: who has none of its own.</param>
/// <param name="Days">Those chosen; <see cref="IntervalModel.PlainDays"/> where nothing else is credibly better.</param>
/// <param name="Contacts">How many it was learned from.</param>
/// <param name="Gain">Hazard of an answer after these days against that after the plain ones; 1: the same.</param>
/// <param name="GainLow">Lower end of its 90 % interval.</param>
/// <param name="GainHigh">Upper end.</param>
internal sealed record Interval(string Segment, int Days, double Contacts, double Gain, double GainLow, double GainHigh)
{
    public bool Credible => Days != IntervalModel.PlainDays;
}

/// <summary>
/// The hazard of an answer by days since the last contact, as a multiple of what segment and channel let expect: Gamma-Poisson, neighbouring days
/// taken together, segments shrunk to everybody and everybody to 1. The interval is lengthened (or shortened) day by day from the plain one as
/// long as the next day gains more than a day of waiting costs, and used only where the end is credibly better than the beginning.
/// <c>docs/timing.md</c> has the formulas.
/// </summary>
internal static class IntervalModel
{
    public const int PlainDays = 3;
    public const int LongestDays = 14;

    /// <summary>A day of waiting costs this share of the answers.</summary>
    public const double CostOfDay = 0.03;

    private const double WeakestStrength = 4;
    private const double StrongestStrength = 20_000;

    /// <summary>One for everybody first, then one for each segment with at least <paramref name="minDataPoints"/> contacts.</summary>
    public static IReadOnlyList<Interval> Fit(IReadOnlyList<GapCount> counts, int minDataPoints)
    {
        var all = Smooth(counts);
        if (all[PlainDays].Contacts < minDataPoints)
        {
            return [];
        }

        var strength = Strength(Enumerable.Range(1, LongestDays).Select(d => (all[d].Answered, all[d].Expected, 1.0)), 1);
        var everybody = Enumerable.Range(0, LongestDays + 1).Select(d => Posterior(all[d], 1, strength)).ToArray();
        var segments = counts.GroupBy(c => c.Segment, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (Name: g.Key, Days: Smooth([.. g]))).ToList();
        var segmentStrength = Strength(
            segments.SelectMany(s => Enumerable.Range(1, LongestDays).Select(d => (s.Days[d].Answered, s.Days[d].Expected, everybody[d].Mean))), LongestDays);

        return
        [
            Choose(SlotModel.Everybody, all, everybody),
            .. segments.Where(s => s.Name.Length > 0 && s.Days.Sum(d => d.Own) >= minDataPoints).Select(s => Choose(
                s.Name, s.Days, [.. s.Days.Select((d, i) => Posterior(d, everybody[i].Mean, Joined(segmentStrength, everybody[i])))])),
        ];

        Interval Choose(string name, Day[] days, (double Mean, double Variance)[] hazards)
        {
            var longer = Walk(hazards, days, +1);
            var shorter = Walk(hazards, days, -1);
            var best = Value(hazards, longer) >= Value(hazards, shorter) ? longer : shorter;
            var gain = Math.Log(Value(hazards, best) / Value(hazards, PlainDays));
            var half = Numbers.Z90 * Math.Sqrt(hazards[best].Variance + hazards[PlainDays].Variance);
            var chosen = best != PlainDays && gain - half > 0 ? best : PlainDays;
            var contacts = days.Sum(d => d.Own);
            return chosen == PlainDays
                ? new Interval(name, chosen, contacts, 1, 1, 1)
                : new Interval(name, chosen, contacts, Math.Exp(gain), Math.Exp(gain - half), Math.Exp(gain + half));
        }

        int Walk((double Mean, double Variance)[] hazards, Day[] days, int step)
        {
            var at = PlainDays;
            while (at + step is >= 1 and <= LongestDays && days[at + step].Contacts >= minDataPoints && Value(hazards, at + step) > Value(hazards, at))
            {
                at += step;
            }

            return at;
        }
    }

    /// <summary>
    /// The hazard after these days, less the cost of waiting longer than usual. Shorter waiting earns nothing by itself: it has to show in the answers.
    /// </summary>
    private static double Value((double Mean, double Variance)[] hazards, int days) =>
        hazards[days].Mean * Math.Pow(1 - CostOfDay, Math.Max(days - PlainDays, 0));

    /// <summary>Each day with half of its two neighbours.</summary>
    private static Day[] Smooth(IReadOnlyList<GapCount> counts)
    {
        var days = new Day[LongestDays + 1];
        foreach (var count in counts)
        {
            for (var day = Math.Max(count.Days - 1, 1); day <= Math.Min(count.Days + 1, LongestDays); day++)
            {
                var weight = day == count.Days ? 1 : 0.5;
                days[day] = new Day(
                    days[day].Contacts + (weight * count.Contacts), days[day].Answered + (weight * count.Answered), days[day].Expected + (weight * count.Expected),
                    days[day].Own + (day == count.Days ? count.Contacts : 0));
            }
        }

        return days;
    }

    /// <summary>Mean of the Gamma posterior and the variance of its logarithm.</summary>
    private static (double Mean, double Variance) Posterior(Day day, double mean, double strength) =>
        (((mean * strength) + day.Answered) / (strength + day.Expected), Numbers.Trigamma((mean * strength) + day.Answered));

    /// <summary>A prior whose own mean is uncertain is worth less.</summary>
    private static double Joined(double strength, (double Mean, double Variance) mean) => 1 / ((1 / strength) + (mean.Mean * mean.Variance));

    /// <summary>Expected answers that the level above is worth, by moments: the variance of the ratios beyond Poisson's.</summary>
    private static double Strength(IEnumerable<(double Answered, double Expected, double Mean)> groups, int fitted)
    {
        var list = groups.Where(g => g.Expected > 0).ToList();
        if (list.Count <= fitted)
        {
            return StrongestStrength;
        }

        var squares = list.Sum(g => Math.Pow(g.Answered - (g.Expected * g.Mean), 2));
        var excess = (squares * list.Count / (list.Count - fitted)) - list.Sum(g => g.Expected * g.Mean);
        var variance = excess / list.Sum(g => Math.Pow(g.Expected * g.Mean, 2));
        return variance <= 0 ? StrongestStrength : Math.Clamp(1 / variance, WeakestStrength, StrongestStrength);
    }

    private readonly record struct Day(double Contacts, double Answered, double Expected, double Own);
}
