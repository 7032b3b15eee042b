namespace SalesTasks.Routing;

/// <summary>Closed deals of one owner with one kind of leads.</summary>
internal readonly record struct ClosedDeals(string Owner, string Product, string Region, int Deals, int Won);

/// <summary>
/// How much better or worse each rep wins than the team does with the same leads, shrunk to the team by how much is known.
/// </summary>
/// <remarks>
/// Log-odds add up: logit(team) + product + region describes a kind of leads, + rep + rep on product + rep on region describes one rep with
/// them. Each level is fitted on what the levels before expect, so that a rep is not credited for easy leads. A group with n deals, x won and
/// an expected rate m has a Beta-Binomial posterior mean (x + κm) / (n + κ): κ deals' worth of belief in m. κ = 1/ρ − 1, with ρ the share of the
/// variance that lies between groups, by the method of moments (Kleinman 1973, J. Am. Stat. Assoc. 68:46–54; for Beta-Binomial counts
/// E[Σ(x − nm)²] = Σ nm(1−m)(1 + (n−1)ρ)). No more spread than chance explains means ρ = 0: everybody is the team. What few deals say about
/// ρ itself is held down by a prior worth <see cref="PriorPairs"/> pairs of deals.
/// </remarks>
internal sealed class WinRates
{
    /// <summary>Spread expected before anything is known: a standard deviation of 0.06 around a rate of 0.3.</summary>
    private const double PriorIntraclass = 0.015;

    /// <summary>In units of pairs of deals of one group, which is what tells about the spread.</summary>
    private const double PriorPairs = 2_000;

    private const double MaxIntraclass = 0.5;

    /// <summary>
    /// Products and regions are free text: beyond the most frequent ones they tell too little to be worth a table of reps × products.
    /// </summary>
    private const int MaxKinds = 200;

    private readonly Dictionary<string, RepSkill> _skills;

    private WinRates(double team, string[] products, string[] regions, Dictionary<string, RepSkill> skills)
    {
        Team = team;
        Products = products;
        Regions = regions;
        _skills = skills;
    }

    /// <summary>The team's win rate over all deals.</summary>
    public double Team { get; }

    public IReadOnlyList<string> Products { get; }

    public IReadOnlyList<string> Regions { get; }

    /// <summary>By the owner's name as in the deals; unknown owners are average.</summary>
    public RepSkill this[string owner] => _skills.GetValueOrDefault(owner) ?? RepSkill.Unknown;

    public static WinRates Learn(IReadOnlyCollection<ClosedDeals> history)
    {
        var (known, served) = (Frequent(history, h => h.Product), Frequent(history, h => h.Region));
        var cells = history.Where(h => h.Deals > 0)
            .Select(h => h with { Product = known.Contains(h.Product) ? h.Product : "", Region = served.Contains(h.Region) ? h.Region : "" })
            .ToArray();
        string[] products = [.. cells.Select(c => c.Product).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        string[] regions = [.. cells.Select(c => c.Region).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        string[] owners = [.. cells.Select(c => c.Owner).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        double deals = cells.Sum(c => (double)c.Deals);
        // One deal won and one lost more than there are: never certain.
        var team = (cells.Sum(c => (double)c.Won) + 1) / (deals + 2);
        if (cells.Length == 0)
        {
            return new WinRates(team, products, regions, []);
        }

        var productOf = Array.ConvertAll(cells, c => Array.BinarySearch(products, c.Product, StringComparer.Ordinal));
        var regionOf = Array.ConvertAll(cells, c => Array.BinarySearch(regions, c.Region, StringComparer.Ordinal));
        var ownerOf = Array.ConvertAll(cells, c => Array.BinarySearch(owners, c.Owner, StringComparer.Ordinal));
        var logits = new double[cells.Length];
        Array.Fill(logits, Logit(team));
        Fit(cells, logits, productOf, products.Length);
        Fit(cells, logits, regionOf, regions.Length);
        var overall = Fit(cells, logits, ownerOf, owners.Length);
        var onProduct = Fit(cells, logits, [.. ownerOf.Zip(productOf, (o, p) => (o * products.Length) + p)], owners.Length * products.Length);
        var onRegion = Fit(cells, logits, [.. ownerOf.Zip(regionOf, (o, r) => (o * regions.Length) + r)], owners.Length * regions.Length);

        var skills = new Dictionary<string, RepSkill>(StringComparer.Ordinal);
        for (var o = 0; o < owners.Length; o++)
        {
            var own = cells.Where((_, c) => ownerOf[c] == o).ToList();
            skills[owners[o]] = new RepSkill(
                own.Sum(c => c.Deals), own.Sum(c => c.Won), overall[o],
                onProduct[(o * products.Length)..((o + 1) * products.Length)], onRegion[(o * regions.Length)..((o + 1) * regions.Length)]);
        }

        return new WinRates(team, products, regions, skills);
    }

    /// <summary>The win probability of a lead that an average rep wins with <paramref name="probability"/>, with a rep of this skill.</summary>
    public static double WithSkill(double probability, double skill)
    {
        var odds = probability / (1 - probability) * Math.Exp(skill);
        return odds / (1 + odds);
    }

    private static HashSet<string> Frequent(IReadOnlyCollection<ClosedDeals> history, Func<ClosedDeals, string> kind) =>
    [
        .. history.GroupBy(kind, StringComparer.Ordinal)
            .OrderByDescending(g => g.Sum(h => h.Deals)).ThenBy(g => g.Key, StringComparer.Ordinal)
            .Take(MaxKinds)
            .Select(g => g.Key),
    ];

    /// <summary>Each group's shrunk deviation from what <paramref name="logits"/> expect, which then take it in.</summary>
    private static double[] Fit(ClosedDeals[] cells, double[] logits, int[] groupOf, int groups)
    {
        var deals = new double[groups];
        var won = new double[groups];
        var expected = new double[groups];
        for (var c = 0; c < cells.Length; c++)
        {
            deals[groupOf[c]] += cells[c].Deals;
            won[groupOf[c]] += cells[c].Won;
            expected[groupOf[c]] += cells[c].Deals * Logistic(logits[c]);
        }

        var concentration = Concentration(deals, won, expected);
        var deviations = new double[groups];
        for (var g = 0; g < groups; g++)
        {
            if (deals[g] > 0)
            {
                var mean = expected[g] / deals[g];
                deviations[g] = Logit((won[g] + (concentration * mean)) / (deals[g] + concentration)) - Logit(mean);
            }
        }

        for (var c = 0; c < cells.Length; c++)
        {
            logits[c] += deviations[groupOf[c]];
        }

        return deviations;
    }

    /// <summary>κ; see the remarks of the class.</summary>
    private static double Concentration(double[] deals, double[] won, double[] expected)
    {
        double spread = 0, chance = 0, pairs = 0, variance = 0, all = 0;
        for (var g = 0; g < deals.Length; g++)
        {
            if (deals[g] > 0)
            {
                var mean = expected[g] / deals[g];
                spread += (won[g] - expected[g]) * (won[g] - expected[g]);
                chance += deals[g] * mean * (1 - mean);
                pairs += deals[g] * (deals[g] - 1) * mean * (1 - mean);
                variance += deals[g] * mean * (1 - mean);
                all += deals[g];
            }
        }

        var prior = PriorPairs * variance / Math.Max(all, 1);
        var intraclass = Math.Clamp((spread - chance + (PriorIntraclass * prior)) / (pairs + prior), 1e-6, MaxIntraclass);
        return (1 / intraclass) - 1;
    }

    private static double Logit(double p) => Math.Log(p / (1 - p));

    private static double Logistic(double x) => 1 / (1 + Math.Exp(-x));
}
