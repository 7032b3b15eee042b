using SalesTasks.Reports;

namespace SalesTasks.Tests.Reports;

/// <summary>
/// The forecast against worlds whose truth is known: deals of many sizes move through stages at random, week after week, in memory. The seeds
/// are fixed, so the shares are the same in every run.
/// </summary>
public sealed class ForecastTests
{
    private static readonly string[] s_stages = ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating"];

    /// <summary>Chance to go on to the next stage within a week, and to be lost.</summary>
    private static readonly (double On, double Lost)[] s_moves = [(0.30, 0.10), (0.22, 0.09), (0.25, 0.07), (0.25, 0.06), (0.28, 0.10)];

    private readonly ITestOutputHelper _output = TestContext.Current.TestOutputHelper!;

    [Theory]
    [InlineData(1, 40, 0.7, 0)] // Forty new deals a week, sizes within a decade or two.
    [InlineData(2, 40, 1.0, 0.35)] // Large deals are won less often: the average over all of them would foretell far too much.
    [InlineData(3, 250, 1.0, 0.2)] // Many deals.
    [InlineData(4, 12, 0.6, 0)] // Few.
    public void Interval_OverManyWeeks_HoldsFourInFive(int seed, int newDeals, double spread, double largeIsHarder)
    {
        const int Weeks = 2_000;
        const int Learned = ReportPeriod.PeriodsOfForecast;
        var world = new World(seed, newDeals, spread, largeIsHarder);
        var past = new Queue<PastPeriod>();
        int inside = 0, below = 0, graded = 0;
        double expected = 0, actual = 0;
        for (var week = 0; week < Weeks; week++)
        {
            var forecast = past.Count == Learned ? Forecast.Make(world.Open(), [.. past]) : null;
            var (period, won) = world.Week();
            past.Enqueue(period);
            if (past.Count > Learned)
            {
                past.Dequeue();
            }

            if (forecast is not null)
            {
                graded++;
                inside += won >= forecast.Low && won <= forecast.High ? 1 : 0;
                below += won < forecast.Low ? 1 : 0;
                expected += forecast.Expected;
                actual += won;
            }
        }

        _output.WriteLine($"inside {inside / (double)graded:P1} of {graded}, below {below / (double)graded:P1}, expected/actual {expected / actual:0.000}");
        Assert.Equal(Weeks - Learned, graded);
        Assert.InRange(inside / (double)graded, 0.75, 0.85);
        Assert.InRange(expected / actual, 0.95, 1.05);
        // Both ends miss, not one of them alone.
        Assert.InRange(below / (double)graded, 0.04, 0.16);
    }

    [Fact]
    public void Forecast_WithLittleToLearnFrom_IsNotMade()
    {
        OpenDeals[] open = [new("qualified", 6, 0.2, 10, 10_000, 1e7)];

        Assert.Null(Forecast.Make(open, [new PastPeriod([new StageOutcome("qualified", 6, 100, 1e5, 1e8, 5, 5e3, 5e6)], 4, 4e3, 4e6)]));
        Assert.NotNull(Forecast.Make(open, [new PastPeriod([new StageOutcome("qualified", 6, 100, 1e5, 1e8, 6, 6e3, 6e6)], 4, 4e3, 4e6)]));
    }

    [Fact]
    public void Forecast_WithoutOpenDeals_IsThatOfNewBusiness()
    {
        var forecast = Forecast.Make([], [.. Enumerable.Repeat(new PastPeriod([], 5, 5_000, 5e6), 4)])!;

        Assert.Equal((5_000.0, 5.0), (forecast.Expected, forecast.Wins));
        Assert.InRange(forecast.Low, 1, 4_999);
        Assert.InRange(forecast.High, 5_001, 12_000);
    }

    /// <summary>Deals: their stage and value. The program is told values, stages and a probability that knows the stage only.</summary>
    private sealed class World(int seed, int newDeals, double spread, double largeIsHarder)
    {
        private readonly Random _random = new(seed);
        private List<(int Stage, double Value)> _deals = [];
        private bool _warm;

        public IReadOnlyList<OpenDeals> Open() =>
        [
            .. _deals.GroupBy(deal => (deal.Stage, Band(deal.Value))).Select(alike => new OpenDeals(
                s_stages[alike.Key.Stage], alike.Key.Item2, (alike.Key.Stage + 1) / 6.0, alike.Count(), alike.Sum(d => d.Value), alike.Sum(d => d.Value * d.Value))),
        ];

        /// <summary>What happened in a week, and the value won in it.</summary>
        public (PastPeriod Period, double Won) Week()
        {
            for (; !_warm; _warm = true)
            {
                for (var week = 0; week < 60; week++)
                {
                    Step();
                }
            }

            var (atStart, fresh) = Step();
            var outcomes = atStart.GroupBy(deal => (deal.Stage, Band: Band(deal.Value))).Select(alike =>
            {
                var won = alike.Where(deal => deal.Won).Select(deal => deal.Value).ToList();
                return new StageOutcome(
                    s_stages[alike.Key.Stage], alike.Key.Band, alike.Count(), alike.Sum(d => d.Value), alike.Sum(d => d.Value * d.Value), won.Count, won.Sum(),
                    won.Sum(value => value * value));
            });
            return (
                new PastPeriod([.. outcomes], fresh.Count, fresh.Sum(), fresh.Sum(value => value * value)),
                fresh.Sum() + atStart.Where(deal => deal.Won).Sum(deal => deal.Value));
        }

        private (List<(int Stage, double Value, bool Won)> AtStart, List<double> Fresh) Step()
        {
            var atStart = new List<(int, double, bool)>();
            var left = new List<(int, double)>();
            foreach (var (stage, value) in _deals)
            {
                var (on, lost) = s_moves[stage];
                on /= 1 + (largeIsHarder * Math.Max(0, Math.Log10(value / 3_000)) * 3);
                var chance = _random.NextDouble();
                var moves = chance < on;
                atStart.Add((stage, value, moves && stage == s_stages.Length - 1));
                if (!moves && chance < 1 - lost)
                {
                    left.Add((stage, value));
                }
                else if (moves && stage < s_stages.Length - 1)
                {
                    left.Add((stage + 1, value));
                }
            }

            var fresh = new List<double>();
            var coming = Poisson(newDeals);
            for (var i = 0; i < coming; i++)
            {
                var value = 3_000 * Math.Exp(spread * Normal());
                if (_random.NextDouble() < 0.03)
                {
                    fresh.Add(value);
                }
                else
                {
                    left.Add((0, value));
                }
            }

            _deals = left;
            return (atStart, fresh);
        }

        private static int Band(double value) => (int)Math.Floor(2 * Math.Log10(Math.Max(value, 1)));

        private int Poisson(double mean)
        {
            var (count, sum) = (0, 0.0);
            while ((sum -= Math.Log(1 - _random.NextDouble())) < mean)
            {
                count++;
            }

            return count;
        }

        private double Normal() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
    }
}
