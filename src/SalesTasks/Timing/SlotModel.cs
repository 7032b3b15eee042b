namespace SalesTasks.Timing;

/// <summary>What was seen in one hour of the week: each lead counts once a cell, with the share of its attempts that were answered.</summary>
/// <param name="Segment">See <c>timing_segment</c>.</param>
/// <param name="Channel">email or call.</param>
/// <param name="Weekday">ISO day, by the clock of the lead.</param>
/// <param name="Hour">0–23, by the clock of the lead.</param>
/// <param name="Leads">How many leads were tried.</param>
/// <param name="Answered">The sum of their answered shares.</param>
internal readonly record struct SlotCount(string Segment, string Channel, int Weekday, int Hour, double Leads, double Answered);

/// <summary>What is believed about one hour of the week.</summary>
internal sealed record Slot(int Weekday, int Hour, double Leads, double Answered, double Rate, double Low, double High, bool Credible)
{
    /// <summary>Numbers drawn from the rate's posterior: an exploring lead goes by one of them instead of by the rate (Thompson sampling).</summary>
    public required float[] Draws { get; init; }
}

/// <summary>A segment's hours on a channel.</summary>
/// <param name="Segment"><see cref="SlotModel.Everybody"/>: who has no profile of its own.</param>
/// <param name="Channel">email or call.</param>
/// <param name="Leads">Lead-cells seen.</param>
/// <param name="Answered">Of them answered.</param>
/// <param name="PlainRate">What plain windows reach: the mean of its cells' rates.</param>
/// <param name="Slots">All cells of the window.</param>
internal sealed record Profile(string Segment, string Channel, double Leads, double Answered, double PlainRate, IReadOnlyList<Slot> Slots)
{
    public bool Credible => Slots.Any(slot => slot.Credible);
}

/// <summary>The hours of one channel, and why none may be used where that is so.</summary>
/// <param name="Channel">email or call.</param>
/// <param name="Profiles">Everybody's first.</param>
/// <param name="PValue">Of the test that hours and weekdays make no difference.</param>
/// <param name="Obstacle">thin_data, no_effect; null: none.</param>
internal sealed record ChannelModel(string Channel, IReadOnlyList<Profile> Profiles, double PValue, string? Obstacle);

/// <summary>
/// Beta-Binomial in levels, from the rate of a channel down to an hour of the week of one segment; each level is shrunk to the one above by a
/// strength that the data decide. <c>docs/timing.md</c> has the formulas. Pure: the same counts and seed give the same model.
/// </summary>
internal static class SlotModel
{
    public const string Everybody = "*";

    /// <summary>Draws kept of each cell's posterior.</summary>
    public const int Draws = 8;

    /// <summary>Hours are used only where chance alone would show such differences in one of a thousand channels.</summary>
    public const double Significance = 0.001;

    /// <summary>A channel is judged from this many times <c>min_data_points</c> leads on.</summary>
    public const int ChannelFactor = 20;

    /// <summary>Groups expected to hold fewer answers say nothing in the test.</summary>
    private const double FewestExpected = 3;

    private const double WeakestStrength = 4;
    private const double StrongestStrength = 20_000;

    /// <param name="counts">Of one channel, cells inside the house's window only.</param>
    /// <param name="channel">Its name.</param>
    /// <param name="minDataPoints">Leads below which a cell or a segment says nothing for itself.</param>
    /// <param name="random">For the draws.</param>
    public static ChannelModel Fit(IReadOnlyList<SlotCount> counts, string channel, int minDataPoints, Random random)
    {
        var all = Total(counts);
        if (all.Leads < ChannelFactor * minDataPoints || all.Answered < 1 || all.Leads - all.Answered < 1)
        {
            return new ChannelModel(channel, [], 1, "thin_data");
        }

        var rate = all.Answered / all.Leads;
        var segments = counts.GroupBy(c => c.Segment, StringComparer.Ordinal).Select(g => (Name: g.Key, Cells: g.ToList(), Total: Total(g))).ToList();
        var segmentStrength = Strength([.. segments.Select(s => new Group(s.Total.Leads, s.Total.Answered, rate))], 1);
        var segmentRates = segments.ToDictionary(s => s.Name, s => Shrunk(s.Total, rate, segmentStrength), StringComparer.Ordinal);

        var pValue = NoDifference(counts, segmentRates);
        var hours = Effects(Neighbours(counts), c => c.Hour, segmentRates);
        var weekdays = Effects(counts, c => c.Weekday, segmentRates);
        var everywhere = counts.GroupBy(c => (c.Weekday, c.Hour)).ToDictionary(g => g.Key, Total);
        var usable = pValue < Significance;

        // How much segments differ from everybody in their hours and weekdays, and cells from hour and weekday: one strength each.
        var hourGroups = segments.SelectMany(s => Marginal(s.Cells, c => c.Hour, segmentRates[s.Name], hours)).ToList();
        var weekdayGroups = segments.SelectMany(s => Marginal(s.Cells, c => c.Weekday, segmentRates[s.Name], weekdays)).ToList();
        var hourStrength = Strength(hourGroups, hours.Count);
        var weekdayStrength = Strength(weekdayGroups, weekdays.Count);
        var levels = new Levels(hours, weekdays, hourStrength, weekdayStrength);
        var cellStrength = Strength(
            [.. segments.SelectMany(s =>
            {
                var prior = new SegmentPrior(s.Cells, segmentRates[s.Name], levels);
                return s.Cells.Select(c => new Group(c.Leads, c.Answered, prior.Mean(c.Weekday, c.Hour)));
            })],
            segments.Count + hours.Count + weekdays.Count);

        var known = everywhere.Where(cell => cell.Value.Leads >= minDataPoints).Select(cell => cell.Key).Order().ToList();
        var profiles = new List<Profile>
        {
            Profile(
                Everybody,
                [.. everywhere.Select(e => new SlotCount(Everybody, channel, e.Key.Weekday, e.Key.Hour, e.Value.Leads, e.Value.Answered))],
                rate),
        };
        profiles.AddRange(segments
            .Where(s => s.Total.Leads >= minDataPoints && s.Name.Length > 0)
            .OrderBy(s => s.Name, StringComparer.Ordinal)
            .Select(s => Profile(s.Name, s.Cells, segmentRates[s.Name])));
        return new ChannelModel(channel, profiles, pValue, usable && profiles.Any(p => p.Credible) ? null : "no_effect");

        Profile Profile(string name, List<SlotCount> cells, double segmentRate)
        {
            var prior = new SegmentPrior(cells, segmentRate, levels);
            var own = cells.ToDictionary(c => (c.Weekday, c.Hour), c => new Sum(c.Leads, c.Answered));
            var total = Total(cells);
            var posteriors = known.Select(cell =>
            {
                var seen = own.GetValueOrDefault(cell);
                var mean = prior.Mean(cell.Weekday, cell.Hour);
                var strength = 1 / ((1 / cellStrength) + (mean * (1 - mean) * prior.Variance(cell.Weekday, cell.Hour)));
                return (Cell: cell, Seen: seen, A: (mean * strength) + seen.Answered, B: ((1 - mean) * strength) + seen.Leads - seen.Answered);
            }).ToList();
            // Not weighed by use: once the best hours are used most, that would compare them with themselves.
            var plain = posteriors.Count == 0 ? segmentRate : posteriors.Average(p => p.A / (p.A + p.B));
            var plainVariance = 1 / ((total.Leads + 1) * plain * (1 - plain));
            return new Profile(name, channel, total.Leads, total.Answered, plain, [.. posteriors.Select(p =>
            {
                var middle = Numbers.Digamma(p.A) - Numbers.Digamma(p.B);
                var variance = Numbers.Trigamma(p.A) + Numbers.Trigamma(p.B);
                var half = Numbers.Z90 * Math.Sqrt(variance);
                return new Slot(
                    p.Cell.Weekday, p.Cell.Hour, p.Seen.Leads, p.Seen.Answered, p.A / (p.A + p.B),
                    Numbers.Logistic(middle - half), Numbers.Logistic(middle + half),
                    usable && middle - Numbers.Logit(plain) > Numbers.Z90 * Math.Sqrt(variance + plainVariance))
                {
                    Draws = [.. Enumerable.Range(0, Draws).Select(_ => (float)Numbers.Beta(random, p.A, p.B))],
                };
            })]);
        }
    }

    /// <summary>
    /// How probable such differences between hours and weekdays are where there are none: chi-square of the answers in each hour and weekday
    /// against what the segments' rates let expect, over everybody (where all segments share a habit) and segment by segment (where each has
    /// its own). The smaller of the two, doubled.
    /// </summary>
    private static double NoDifference(IReadOnlyList<SlotCount> counts, Dictionary<string, double> rates)
    {
        var shared = Test(counts.GroupBy(c => (0, c.Hour)), rates) + Test(counts.GroupBy(c => (1, c.Weekday)), rates);
        var own = counts.GroupBy(c => c.Segment, StringComparer.Ordinal)
            .Select(s => Test(s.GroupBy(c => (0, c.Hour)), rates) + Test(s.GroupBy(c => (1, c.Weekday)), rates))
            .Aggregate(default(ChiSquare), (sum, s) => sum + s);
        return Math.Min(1, 2 * Math.Min(Numbers.ChiSquareTail(shared.Value, shared.Degrees), Numbers.ChiSquareTail(own.Value, own.Degrees)));
    }

    private static ChiSquare Test(IEnumerable<IGrouping<(int Kind, int Value), SlotCount>> groups, Dictionary<string, double> rates)
    {
        var tested = groups
            .Select(g => (
                Answered: g.Sum(c => c.Answered), Leads: g.Sum(c => c.Leads), Expected: g.Sum(c => c.Leads * rates[c.Segment]),
                Variance: g.Sum(c => c.Leads * rates[c.Segment] * (1 - rates[c.Segment]))))
            .Where(g => g.Expected >= FewestExpected && g.Leads - g.Expected >= FewestExpected)
            .ToList();
        if (tested.Count < 2)
        {
            return default;
        }

        // Against what these groups reach together, so that one degree of freedom goes.
        var scale = tested.Sum(g => g.Answered) / tested.Sum(g => g.Expected);
        return new ChiSquare(tested.Sum(g => Math.Pow(g.Answered - (scale * g.Expected), 2) / g.Variance), tested.Count - 1);
    }

    /// <summary>Everybody's effect of each hour (or weekday) on the log-odds, shrunk to none.</summary>
    private static Dictionary<int, double> Effects(IEnumerable<SlotCount> counts, Func<SlotCount, int> key, Dictionary<string, double> rates)
    {
        var groups = counts.GroupBy(key).Select(g =>
        {
            var total = Total(g);
            return (Key: g.Key, Total: total, Mean: g.Sum(c => c.Leads * rates[c.Segment]) / total.Leads);
        }).ToList();
        var strength = Strength([.. groups.Select(g => new Group(g.Total.Leads, g.Total.Answered, g.Mean))], 1);
        return groups.ToDictionary(g => g.Key, g => Numbers.Logit(Shrunk(g.Total, g.Mean, strength)) - Numbers.Logit(g.Mean));
    }

    /// <summary>Each hour with half of the hour before and after: habits do not change at the stroke of the clock.</summary>
    private static IEnumerable<SlotCount> Neighbours(IReadOnlyList<SlotCount> counts)
    {
        var hours = counts.Select(c => c.Hour).ToHashSet();
        return counts.SelectMany(c => (int[])[-1, 0, 1], (c, step) => step == 0
                ? c
                : c with { Hour = c.Hour + step, Leads = c.Leads / 2, Answered = c.Answered / 2 })
            .Where(c => hours.Contains(c.Hour));
    }

    private static IEnumerable<Group> Marginal(List<SlotCount> cells, Func<SlotCount, int> key, double rate, Dictionary<int, double> effects) =>
        cells.GroupBy(key).Select(g =>
        {
            var total = Total(g);
            return new Group(total.Leads, total.Answered, Numbers.Logistic(Numbers.Logit(rate) + effects[g.Key]));
        });

    private static Sum Total(IEnumerable<SlotCount> counts) =>
        counts.Aggregate(default(Sum), (sum, c) => new Sum(sum.Leads + c.Leads, sum.Answered + c.Answered));

    private static double Shrunk(Sum seen, double mean, double strength) => ((mean * strength) + seen.Answered) / (strength + seen.Leads);

    /// <summary>
    /// How many leads the level above is worth: from the intra-class correlation ρ by moments, strength = 1/ρ − 1. Where the groups differ
    /// no more than chance lets them, they are shrunk wholly.
    /// </summary>
    /// <param name="groups">Seen, and the mean expected of each.</param>
    /// <param name="fitted">Means that were estimated from the same groups.</param>
    private static double Strength(List<Group> groups, int fitted)
    {
        if (groups.Count <= fitted)
        {
            return StrongestStrength;
        }

        var excess = (groups.Sum(g => Math.Pow(g.Answered - (g.Leads * g.Mean), 2) / (g.Mean * (1 - g.Mean))) * groups.Count / (groups.Count - fitted))
            - groups.Sum(g => g.Leads);
        var correlation = excess / Math.Max(groups.Sum(g => g.Leads * Math.Max(g.Leads - 1, 0)), 1);
        return correlation <= 0 ? StrongestStrength : Math.Clamp((1 / correlation) - 1, WeakestStrength, StrongestStrength);
    }

    private readonly record struct Sum(double Leads, double Answered);

    private readonly record struct Group(double Leads, double Answered, double Mean);

    private readonly record struct ChiSquare(double Value, int Degrees)
    {
        public static ChiSquare operator +(ChiSquare a, ChiSquare b) => new(a.Value + b.Value, a.Degrees + b.Degrees);
    }

    private sealed record Levels(Dictionary<int, double> Hours, Dictionary<int, double> Weekdays, double HourStrength, double WeekdayStrength);

    /// <summary>What a segment's hours and weekdays let expect of its cells: their effects on the log-odds add up.</summary>
    private sealed class SegmentPrior
    {
        private readonly double _logit;
        private readonly Dictionary<int, (double Effect, double Variance)> _hours;
        private readonly Dictionary<int, (double Effect, double Variance)> _weekdays;

        public SegmentPrior(List<SlotCount> cells, double rate, Levels levels)
        {
            _logit = Numbers.Logit(rate);
            _hours = Own(Neighbours(cells), c => c.Hour, levels.Hours, levels.HourStrength);
            _weekdays = Own(cells, c => c.Weekday, levels.Weekdays, levels.WeekdayStrength);
        }

        public double Mean(int weekday, int hour) => Numbers.Logistic(_logit + _hours[hour].Effect + _weekdays[weekday].Effect);

        /// <summary>Of the mean's logit.</summary>
        public double Variance(int weekday, int hour) => _hours[hour].Variance + _weekdays[weekday].Variance;

        private Dictionary<int, (double Effect, double Variance)> Own(
            IEnumerable<SlotCount> cells, Func<SlotCount, int> key, Dictionary<int, double> effects, double strength)
        {
            var seen = cells.GroupBy(key).ToDictionary(g => g.Key, Total);
            return effects.ToDictionary(e => e.Key, e =>
            {
                var total = seen.GetValueOrDefault(e.Key);
                var rate = Shrunk(total, Numbers.Logistic(_logit + e.Value), strength);
                return (Numbers.Logit(rate) - _logit, 1 / ((strength + total.Leads) * rate * (1 - rate)));
            });
        }
    }
}
