using SalesTasks.Routing;

namespace SalesTasks.Tests.Routing;

/// <summary>Win rates shrunk to the team's by how much is known.</summary>
public sealed class WinRatesTests
{
    [Fact]
    public void Learn_Nothing_IsAverage()
    {
        var rates = WinRates.Learn([]);

        Assert.Equal(0.5, rates.Team);
        Assert.Equal(RepSkill.Unknown, rates["anybody"]);
    }

    [Fact]
    public void Learn_RepsWhoDifferByChanceOnly_AreTheTeam()
    {
        var random = new Random(1);
        var rates = WinRates.Learn([.. Enumerable.Range(0, 50).Select(rep => Deals(random, $"r{rep}", 200, 0.3))]);

        Assert.All(Enumerable.Range(0, 50), rep => Assert.InRange(rates[$"r{rep}"].Overall, -0.12, 0.12));
    }

    [Fact]
    public void Learn_RepsWhoDiffer_AreToldApartTheMoreTheMoreIsKnown()
    {
        var random = new Random(2);
        List<ClosedDeals> history = [.. Enumerable.Range(0, 40).Select(rep => Deals(random, $"r{rep}", 300, rep % 2 == 0 ? 0.2 : 0.5))];
        history.Add(new ClosedDeals("many", "", "", 300, 180));
        history.Add(new ClosedDeals("few", "", "", 5, 3));

        var rates = WinRates.Learn(history);

        var (many, few) = (WinRates.WithSkill(rates.Team, rates["many"].Overall), WinRates.WithSkill(rates.Team, rates["few"].Overall));
        Assert.InRange(many, 0.55, 0.6);
        Assert.InRange(few, rates.Team + 0.005, many - 0.1);
    }

    [Fact]
    public void Learn_RepWithEasyLeads_GetsNoCreditForThem()
    {
        // Everybody wins 60 % of one product and 20 % of the other; one rep had the easy ones, another the hard ones.
        List<ClosedDeals> history = [.. Enumerable.Range(0, 20).SelectMany(rep => (ClosedDeals[])[new($"r{rep}", "easy", "", 100, 60), new($"r{rep}", "hard", "", 100, 20)])];
        history.Add(new ClosedDeals("lucky", "easy", "", 200, 120));
        history.Add(new ClosedDeals("unlucky", "hard", "", 200, 40));

        var rates = WinRates.Learn(history);

        Assert.InRange(rates["lucky"].Overall - rates["unlucky"].Overall, -0.1, 0.1);
    }

    [Fact]
    public void Learn_RepGoodAtOneProductOrRegion_IsSeenThere()
    {
        List<ClosedDeals> history =
        [
            .. from rep in Enumerable.Range(0, 20)
               from product in Enumerable.Range(0, 4)
               from region in Enumerable.Range(0, 3)
               let rate = 30 + (rep % 4 == product ? 25 : 0) + (rep % 3 == region ? 15 : 0)
               select new ClosedDeals($"r{rep}", $"p{product}", $"s{region}", 100, rate),
        ];

        var rates = WinRates.Learn(history);

        foreach (var rep in Enumerable.Range(0, 20))
        {
            var skill = rates[$"r{rep}"];
            Assert.Equal(rep % 4, skill.Products.Index().MaxBy(p => p.Item).Index);
            Assert.Equal(rep % 3, skill.Regions.Index().MaxBy(p => p.Item).Index);
            Assert.InRange(skill.Products[rep % 4], 0.4, 1.2);
        }
    }

    [Fact]
    public void WithSkill_Odds_AreMultiplied()
    {
        Assert.Equal(0.2, WinRates.WithSkill(0.2, 0), 1e-12);
        Assert.Equal(0.5, WinRates.WithSkill(0.2, Math.Log(4)), 1e-12);
    }

    private static ClosedDeals Deals(Random random, string rep, int deals, double rate) =>
        new(rep, "", "", deals, Enumerable.Range(0, deals).Count(_ => random.NextDouble() < rate));
}
