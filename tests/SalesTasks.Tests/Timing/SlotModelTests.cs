using SalesTasks.Timing;

namespace SalesTasks.Tests.Timing;

/// <summary>The model on generated histories whose truth is known; every number comes from a fixed seed.</summary>
public sealed class SlotModelTests
{
    private const int Days = 90;
    private const int PerDay = 120;
    private const int MinDataPoints = 10;
    private const double ControlShare = 0.05;
    private const double ExplorationShare = 0.1;

    private static readonly (int Weekday, int Hour)[] s_slots =
        [.. Enumerable.Range(1, 5).SelectMany(_ => Enumerable.Range(9, 9), (weekday, hour) => (weekday, hour))];

    /// <summary>Ninety plain days, then ninety days each of ours and of "the best-looking hour", from the same beginning and by the same chance.</summary>
    [Fact]
    public void Fit_NinetyDaysOfOurPolicy_HalveTheRegretOfTheBestLookingHour()
    {
        double ours = 0, naive = 0;
        var worse = 0;
        const int Seeds = 30;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var (our, other) = (Regret(seed, OurChoice), Regret(seed, BestLooking));
            ours += our;
            naive += other;
            worse += our > other ? 1 : 0;
        }

        Assert.True(ours <= naive / 2, $"{ours / Seeds:0.0} answers lost a run, against {naive / Seeds:0.0}");
        Assert.True(worse <= Seeds / 10, $"worse in {worse} of {Seeds}");
    }

    [Fact]
    public void Fit_HoursThatMakeNoDifference_AreUsedInOneOfAThousandChannels()
    {
        var used = 0;
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var world = new World(random, effect: 0);
            var history = new History();
            Plain(history, world, random);
            used += SlotModel.Fit(history.Counts(), "call", MinDataPoints, random).Profiles.Any(p => p.Credible) ? 1 : 0;
        }

        Assert.True(used <= 2, $"used in {used} of 300");
    }

    private static double Regret(int seed, Func<History, int, Random, Func<int, int, (int, int)>> policy)
    {
        var random = new Random(seed);
        var world = new World(random, effect: 1);
        var history = new History();
        Plain(history, world, random);
        var regret = 0.0;
        for (var week = 0; week < Days / 7; week++)
        {
            var choose = policy(history, week, random);
            for (var attempt = 0; attempt < PerDay * 7; attempt++)
            {
                var segment = random.Next(World.Segments);
                var slot = choose(segment, attempt);
                regret += world.Best(segment) - world.Rate(segment, slot);
                history.Add(Days + (week * 7), segment, slot, random.NextDouble() < world.Rate(segment, slot));
            }

            history.Forget(Days + ((week + 1) * 7) - Days);
        }

        return regret;
    }

    private static void Plain(History history, World world, Random random)
    {
        for (var attempt = 0; attempt < Days * PerDay; attempt++)
        {
            var segment = random.Next(World.Segments);
            var slot = s_slots[random.Next(s_slots.Length)];
            history.Add(attempt / PerDay, segment, slot, random.NextDouble() < world.Rate(segment, slot));
        }
    }

    private static Func<int, int, (int, int)> OurChoice(History history, int week, Random random)
    {
        var model = SlotModel.Fit(history.Counts(), "call", MinDataPoints, new Random(week));
        var profiles = model.Profiles.ToDictionary(p => p.Segment, StringComparer.Ordinal);
        return (segment, attempt) =>
        {
            var draw = random.NextDouble();
            var slots = (profiles.GetValueOrDefault($"s{segment}") ?? profiles.GetValueOrDefault(SlotModel.Everybody))?.Slots ?? [];
            if (draw < ControlShare || !slots.Any(s => s.Credible))
            {
                return s_slots[random.Next(s_slots.Length)];
            }

            var best = draw < ControlShare + ((1 - ControlShare) * ExplorationShare)
                ? slots.MaxBy(s => s.Draws[attempt % SlotModel.Draws])!
                : slots.Where(s => s.Credible).MaxBy(s => s.Rate)!;
            return (best.Weekday, best.Hour);
        };
    }

    /// <summary>What tools do: the hour of the segment with the greatest share of answers among those tried often enough.</summary>
    private static Func<int, int, (int, int)> BestLooking(History history, int week, Random random)
    {
        var best = history.Counts().Where(c => c.Leads >= MinDataPoints).GroupBy(c => c.Segment, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.MaxBy(c => c.Answered / c.Leads), StringComparer.Ordinal);
        return (segment, _) => best.TryGetValue($"s{segment}", out var cell) ? (cell.Weekday, cell.Hour) : s_slots[random.Next(s_slots.Length)];
    }

    /// <summary>Every other segment has a best hour of its own, the others share one; effects of the size that docs/demo.md has.</summary>
    private sealed class World(Random random, double effect)
    {
        public const int Segments = 8;

        private readonly (int Weekday, int Hour)[] _best =
            Habits(random, (random.Next(1, 6), random.Next(9, 18)));

        private static (int Weekday, int Hour)[] Habits(Random random, (int Weekday, int Hour) common) =>
            [.. Enumerable.Range(0, Segments).Select(segment => segment % 2 == 0 ? common : (random.Next(1, 6), random.Next(9, 18)))];

        public double Rate(int segment, (int Weekday, int Hour) slot)
        {
            var distance = (slot.Hour - _best[segment].Hour) / 1.6;
            return Numbers.Logistic(
                -1.3 + (effect * ((slot.Weekday == _best[segment].Weekday ? 0.5 : 0) + (slot.Weekday == 5 ? -0.25 : 0) + (0.9 * Math.Exp(-distance * distance / 2)))));
        }

        public double Best(int segment) => s_slots.Max(slot => Rate(segment, slot));
    }

    private sealed class History
    {
        private readonly List<(int Day, int Segment, (int Weekday, int Hour) Slot, bool Answered)> _attempts = [];

        public void Add(int day, int segment, (int Weekday, int Hour) slot, bool answered) => _attempts.Add((day, segment, slot, answered));

        public void Forget(int before) => _attempts.RemoveAll(a => a.Day < before);

        public List<SlotCount> Counts() =>
        [
            .. _attempts.GroupBy(a => (a.Segment, a.Slot))
                .OrderBy(g => g.Key)
                .Select(g => new SlotCount($"s{g.Key.Segment}", "call", g.Key.Slot.Weekday, g.Key.Slot.Hour, g.Count(), g.Count(a => a.Answered))),
        ];
    }
}
