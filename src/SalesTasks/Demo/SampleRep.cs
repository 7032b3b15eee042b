namespace SalesTasks.Demo;

/// <summary>A sales representative with what is recorded (a row of <c>sales_reps</c>) and what is true.</summary>
internal sealed class SampleRep
{
    public required string Email { get; init; }

    public required string Name { get; init; }

    public required Market Home { get; init; }

    public string HomeRegion => Home.Region;

    public required string[] Languages { get; init; }

    public required string[] Regions { get; init; }

    /// <summary>What the rep is said to be good at: for one in five not what the rep is best at.</summary>
    public required string[] Specialisations { get; init; }

    public required int Capacity { get; init; }

    public required DateTime HiredAt { get; init; }

    /// <summary>Null: still here.</summary>
    public required DateTime? LeftAt { get; init; }

    public required (DateTime From, DateTime? To, string Reason)[] Absences { get; init; }

    /// <summary>True skill over all, in log-odds.</summary>
    public required double Skill { get; init; }

    public required Product BestProduct { get; init; }

    public required Product WorstProduct { get; init; }

    /// <summary>First contacts take this many times the usual.</summary>
    public required double Slowness { get; init; }

    /// <summary>Share of tasks done in time.</summary>
    public required double Diligence { get; init; }

    public bool WorksAt(DateTime instant) => instant >= HiredAt && (LeftAt is null || instant < LeftAt);
}

/// <summary>The sample's sales team.</summary>
internal sealed class SampleTeam
{
    private readonly Dictionary<(string Region, string Language), List<SampleRep>> _candidates = [];

    public SampleTeam(SampleOptions options)
    {
        Reps = [.. Homes(options.Reps).Select((home, index) => Create(options, index, home))];
        foreach (var market in SampleWorld.Markets)
        {
            foreach (var language in (string[])[market.Language, "es", "en"])
            {
                _candidates[(market.Region, language)] = Candidates(market.Region, language, options.Start);
            }
        }
    }

    public IReadOnlyList<SampleRep> Reps { get; }

    /// <summary>
    /// Who got a deal in the past: somebody of the region who speaks the language; a quarter of the time a declared specialist. Apart from
    /// that it is chance, so that a rep's results tell the rep's skill and not the leads the rep was given.
    /// </summary>
    public SampleRep Assign(SampleRandom random, string region, string language, Product product, DateTime at)
    {
        var candidates = _candidates[(region, language)];
        if (random.Chance(0.25))
        {
            var specialists = candidates.FindAll(
                rep => rep.WorksAt(at) && rep.Specialisations.Contains(product.Name, StringComparer.Ordinal));
            if (specialists.Count > 0)
            {
                return random.Pick(specialists);
            }
        }

        return random.Pick(candidates.FindAll(rep => rep.WorksAt(at)));
    }

    /// <summary>Regions get reps by their share of leads, at least one each where there are enough.</summary>
    private static List<Market> Homes(int count)
    {
        var homes = new List<Market>();
        var seats = SampleWorld.Regions
            .Select(region => SampleWorld.Markets.Where(market => market.Region == region).ToList())
            .Select(markets => (Markets: markets, Seats: new List<Market>(), Weight: markets.Sum(market => market.Weight)))
            .ToList();
        for (var seat = 0; seat < count; seat++)
        {
            // Whoever is furthest below its share is next (d'Hondt).
            var (markets, taken, _) = seats.MaxBy(region => region.Weight / (region.Seats.Count + 1));
            taken.Add(markets.MaxBy(market => market.Weight / (taken.Count(home => home == market) + 1))!);
            homes.Add(taken[^1]);
        }

        return homes;
    }

    private static SampleRep Create(SampleOptions options, int index, Market home)
    {
        var random = new SampleRandom(options.Seed, SampleChain.Rep, index);
        var first = SampleText.FirstName(random, home.Language);
        var last = SampleText.LastName(random, home.Language);
        var best = random.Pick(SampleWorld.Products);
        var worst = random.Pick(SampleWorld.Products.Where(product => product != best).ToList());
        var said = random.Chance(0.8) ? best : random.Pick(SampleWorld.Products);
        var veteran = index < SampleWorld.Regions.Length * 2 || random.Chance(0.6);
        var hired = options.Start.AddDays(veteran ? -random.Between(30, 1500) : random.Between(0, SampleOptions.HistoryDays - 60));
        // One in twenty has left; the deals stayed behind.
        var left = index % 20 == 19 ? options.AsOf.AddDays(-random.Between(20, 60)) : (DateTime?)null;
        return new SampleRep
        {
            Email = SampleText.RepEmail(first, last, index + 1),
            Name = $"{first} {last}",
            Home = home,
            Languages = Languages(random, home, index),
            Regions = random.Chance(0.2)
                ? [home.Region, random.Pick(SampleWorld.Regions.Where(region => region != home.Region).ToList())]
                : [home.Region],
            Specialisations = random.Chance(0.3) && said != best ? [said.Name, best.Name] : [said.Name],
            Capacity = 30 + (5 * random.Below(7)),
            HiredAt = WholeDay(hired),
            LeftAt = left is { } leaving && leaving > hired.AddDays(30) ? WholeDay(leaving) : null,
            Absences = Absences(random, options, index),
            Skill = SampleTruth.RepSpread * random.Normal(),
            BestProduct = best,
            WorstProduct = worst,
            Slowness = random.LogNormal(1, 0.4),
            Diligence = random.Between(0.55, 0.95),
        };
    }

    private static string[] Languages(SampleRandom random, Market home, int index) => home.Region switch
    {
        "North America" => index % 3 == 0 || random.Chance(0.15) ? ["en", "es"] : ["en"],
        "Iberia" => home.Language is "pt" || random.Chance(0.3) ? ["es", "pt"] : ["es"],
        "LATAM" => random.Chance(0.4) ? ["es", "en"] : ["es"],
        "UK" => ["en"],
        _ => random.Chance(0.7) ? [home.Language, "en"] : [home.Language],
    };

    /// <summary>Two holidays a year; of sixteen reps one is away at the sample's present, and of fifty one until further notice.</summary>
    private static (DateTime From, DateTime? To, string Reason)[] Absences(SampleRandom random, SampleOptions options, int index)
    {
        var absences = new List<(DateTime From, DateTime? To, string Reason)>();
        for (var halfYear = 0; halfYear < 4; halfYear++)
        {
            var from = WholeDay(options.Start.AddDays((halfYear * 182) + random.Between(0, 150)));
            absences.Add((from, from.AddDays(5 + random.Below(12)), "holiday"));
        }

        if (index % 16 == 5)
        {
            var from = WholeDay(options.AsOf.AddDays(-random.Between(1, 6)));
            absences.Add((from, WholeDay(options.AsOf.AddDays(random.Between(4, 12))), "holiday"));
        }
        else if (index % 50 == 11)
        {
            absences.Add((WholeDay(options.AsOf.AddDays(-random.Between(10, 40))), null, "sick leave"));
        }

        return [.. absences];
    }

    private static DateTime WholeDay(DateTime instant) => instant.Date;

    /// <summary>
    /// Those of the region who speak the language, else those of the region, else everybody who speaks it, else everybody: the first of
    /// these that always has somebody at work.
    /// </summary>
    private List<SampleRep> Candidates(string region, string language, DateTime start)
    {
        bool InRegion(SampleRep rep) => rep.Regions.Contains(region, StringComparer.Ordinal);
        bool Speaks(SampleRep rep) => rep.Languages.Contains(language, StringComparer.Ordinal);
        Func<SampleRep, bool>[] choices = [rep => InRegion(rep) && Speaks(rep), InRegion, Speaks, _ => true];
        return choices.Select(choice => Reps.Where(choice).ToList())
            .First(reps => reps.Exists(rep => rep.LeftAt is null && rep.HiredAt <= start));
    }
}
