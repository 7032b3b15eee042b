using SalesTasks.Demo;

namespace SalesTasks.Tests.Demo;

public sealed class SampleRandomTests
{
    [Fact]
    public void Next_GivenChain_NeverChanges()
    {
        // Other numbers would be another sample: everything that was published about this one would be wrong.
        var random = new SampleRandom(1, SampleChain.Lead, 0);

        Assert.Equal(
            [6756984559876386242UL, 7831193672508348962UL, 5783868270484985416UL], Enumerable.Range(0, 3).Select(_ => random.Next()));
    }

    [Fact]
    public void Chains_OfOneSeed_AreDifferent()
    {
        var firsts = Enum.GetValues<SampleChain>()
            .SelectMany(_ => Enumerable.Range(-2, 2_000), (chain, index) => new SampleRandom(1, chain, index).Next());

        Assert.Equal(Enum.GetValues<SampleChain>().Length * 2_000, firsts.Distinct().Count());
    }

    [Fact]
    public void Distributions_ManyDraws_HaveTheirMoments()
    {
        var random = new SampleRandom(7, SampleChain.Text, 1);

        Near(0.5, random.Unit);
        Near(0, random.Normal);
        Near(1, () => Math.Pow(random.Normal(), 2));
        Near(2.5, () => random.Poisson(2.5));
        // Mean of a Weibull: scale × Γ(1 + 1/shape).
        Near(10 * 0.9114233396381745, () => random.Weibull(10, 1.4));
        Near(0.5, () => random.LogNormal(8, 0.9) < 8 ? 1 : 0);
        Near(2, () => random.Below(5));
        Near(0.75, () => random.Pick([1.0, 0.0], item => item > 0 ? 3 : 1));
    }

    /// <summary>Within four standard errors of the mean.</summary>
    private static void Near(double expected, Func<double> draw)
    {
        const int Draws = 40_000;
        var values = Enumerable.Range(0, Draws).Select(_ => draw()).ToList();
        var mean = values.Average();
        var error = Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2)) / Draws);
        Assert.InRange(mean, expected - (4 * error), expected + (4 * error));
    }
}
