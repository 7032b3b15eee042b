using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>The rule of the conversion alert: against exact values, and how often it fires with and without a drop.</summary>
public sealed class ConversionDropTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    // One-sided Fisher with half of the table's own probability, by hand: 1/20 and half of it; the mirror of it; 2 of 4 against 2 of 4.
    [InlineData(3, 3, 0, 3, 0.025)]
    [InlineData(0, 3, 3, 3, 0.975)]
    [InlineData(2, 4, 2, 4, 0.5)]
    [InlineData(0, 5, 0, 9, 0.5)]
    [InlineData(5, 5, 9, 9, 0.5)]
    [InlineData(0, 0, 5, 9, 1)]
    [InlineData(5, 9, 0, 0, 1)]
    [InlineData(1_000_000, 1_000_000, 0, 1_000_000, 0)]
    [InlineData(0, 1_000_000, 1_000_000, 1_000_000, 1)]
    [InlineData(500_000, 1_000_000, 500_000, 1_000_000, 0.5)]
    public async Task P_OfATable_IsExact(long wonBefore, long before, long wonAfter, long after, double expected) => Assert.Equal(
        expected,
        await database.ScalarAsync<double>("SELECT rate_drop_p(@a, @b, @c, @d)", ("a", wonBefore), ("b", before), ("c", wonAfter), ("d", after)),
        1e-9);

    [Fact]
    public async Task P_OfEverySmallTable_IsThatOfAllItsTables()
    {
        var random = new Random(7);
        for (var i = 0; i < 40; i++)
        {
            var (before, after) = (random.Next(1, 60), random.Next(1, 60));
            var (wonBefore, wonAfter) = (random.Next(0, before + 1), random.Next(0, after + 1));

            var p = await database.ScalarAsync<double>(
                "SELECT rate_drop_p(@a, @b, @c, @d)", ("a", (long)wonBefore), ("b", (long)before), ("c", (long)wonAfter), ("d", (long)after));

            Assert.Equal(Fisher(wonBefore + wonAfter, before + after, wonAfter, after), p, 1e-9);
        }
    }

    /// <summary>A true drop of 15 points at 200 closed deals a period is found in at least four of five cases, at any rate.</summary>
    [Theory]
    [InlineData(0.25)]
    [InlineData(0.35)]
    [InlineData(0.50)]
    [InlineData(0.60)]
    public async Task Rule_OnADropOf15Points_FiresInFourOfFive(double rate) => Assert.InRange(await FiresAsync(rate, rate - 0.15, 200), 800, 1_000);

    /// <summary>Without a drop it fires in at most one of twenty, whatever the rate and the number of deals.</summary>
    [Theory]
    [InlineData(0.35, 200)]
    [InlineData(0.50, 200)]
    [InlineData(0.10, 20)]
    [InlineData(0.33, 8)]
    [InlineData(0.50, 30)]
    [InlineData(0.33, 65)]
    [InlineData(0.50, 2_000)]
    public async Task Rule_WithoutADrop_FiresInOneOfTwentyAtMost(double rate, int deals) => Assert.InRange(await FiresAsync(rate, rate, deals), 0, 50);

    /// <summary>How many of 1,000 simulated pairs of periods the rule fires for; one seed, one statement.</summary>
    private async Task<long> FiresAsync(double before, double after, int deals)
    {
        var random = new Random(2026);
        long Won(double rate) => Enumerable.Range(0, deals).Count(_ => random.NextDouble() < rate);
        var pairs = Enumerable.Range(0, 1_000).Select(_ => (Before: Won(before), After: Won(after))).ToList();
        return await database.ScalarAsync<long>(
            "SELECT count(*) FROM unnest(@before, @after) AS pair (before, after) WHERE is_rate_drop(before, @deals, after, @deals, 10)",
            ("before", pairs.Select(p => p.Before).ToArray()), ("after", pairs.Select(p => p.After).ToArray()), ("deals", (long)deals));
    }

    /// <summary>By logarithms of factorials, over all tables with these margins.</summary>
    private static double Fisher(int won, int all, int wonAfter, int after)
    {
        double Log(int n) => Enumerable.Range(1, n).Sum(i => Math.Log(i));
        double Choose(int n, int k) => Log(n) - Log(k) - Log(n - k);
        double Probability(int k) => k < 0 || k > won || after - k < 0 || after - k > all - won
            ? 0
            : Math.Exp(Choose(won, k) + Choose(all - won, after - k) - Choose(all, after));
        return Enumerable.Range(0, wonAfter).Sum(Probability) + (Probability(wonAfter) / 2);
    }
}
