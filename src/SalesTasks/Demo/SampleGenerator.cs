namespace SalesTasks.Demo;

/// <summary>
/// Makes the sample: two years of a fictional company that worked its leads by hand. Nothing is stored: every lead is computed from the
/// seed and its number, so that any size streams through the same memory, and equal options give equal rows.
/// </summary>
internal sealed class SampleGenerator
{
    /// <summary>Share of leads that are private persons.</summary>
    private const double PrivateShare = 0.22;

    private readonly LocalClock[] _clocks;
    private readonly double[] _arrivals;
    private readonly int _companies;
    private readonly SampleFollowUp _followUp;

    public SampleGenerator(SampleOptions options)
    {
        Options = options;
        Team = new SampleTeam(options);
        _clocks = [.. SampleWorld.Markets.Select(market => new LocalClock(market.TimeZone, options))];
        _arrivals = Arrivals(options);
        _companies = Math.Max(1, options.Leads * 3 / 10);
        _followUp = new SampleFollowUp(options);
    }

    public SampleOptions Options { get; }

    public SampleTeam Team { get; }

    public LocalClock Clock(Market market) => _clocks[Array.IndexOf(SampleWorld.Markets, market)];

    /// <summary>
    /// All leads in order of arrival, with deals, tasks, campaigns and later engagement. Exactly <see cref="SampleOptions.Tasks"/> tasks.
    /// </summary>
    public IEnumerable<SampleStory> Stories(CancellationToken cancellationToken)
    {
        // The tasks of all deals together are an exact number: each deal gets its share of it by the work it naturally makes.
        var allWork = Enumerable.Range(0, Options.Leads).AsParallel().WithCancellation(cancellationToken)
            .Sum(index => (long)_followUp.Work(Lead(index).Deal));
        long workBefore = 0;
        for (var index = 0; index < Options.Leads; index++)
        {
            var lead = Lead(index);
            var work = _followUp.Work(lead.Deal);
            var tasks = (Options.Tasks * (workBefore + work) / allWork) - (Options.Tasks * workBefore / allWork);
            workBefore += work;
            yield return _followUp.Story(lead, Clock(lead.Market), (int)tasks);
        }
    }

    /// <summary>One lead with its deal.</summary>
    public SampleLead Lead(int index)
    {
        var random = new SampleRandom(Options.Seed, SampleChain.Lead, index);
        var company = random.Chance(PrivateShare) ? (int?)null : index % _companies;
        var about = new SampleRandom(Options.Seed, SampleChain.Company, company ?? (-1 - index));
        var market = about.Pick(SampleWorld.Markets, m => m.Weight);
        var industry = company is null ? SampleWorld.Private : about.Pick(SampleWorld.Industries, i => i.Weight);
        var scanned = company is not null && about.Chance(0.12);

        var position = (index + random.Unit()) / Options.Leads;
        var created = ArrivalAt(random, position, Clock(market));
        var interest = random.Normal();
        var source = random.Pick(SampleWorld.Sources, s => s.Weight * (1 + ((s.Growth - 1) * position)));
        var product = random.Pick(SampleWorld.Products, p => company is null ? p.PrivateWeight : p.Weight);
        var halfName = random.Unit();
        var triageDays = Math.Min(random.LogNormal(2.5, 0.9), 45);
        var hasEmail = !random.Chance(0.03);
        var lead = new SampleLead
        {
            Index = index,
            CreatedAt = created,
            Market = market,
            Language = market.Country is "US" && random.Chance(0.18) ? "es" : market.Language,
            Source = source,
            Product = product,
            Industry = industry,
            Company = company,
            CompanySlot = index / _companies,
            HasEmail = hasEmail,
            HasPhone = !random.Chance(0.32),
            // 6 % have neither half of their name, 6 % lack the first, 6 % the last.
            HasFirstName = halfName is >= 0.12,
            HasLastName = halfName is >= 0.18 or (>= 0.06 and < 0.12),
            Value = random.Chance(0.05) ? null : Money(random.LogNormal(product.MedianValue, product.Sigma)),
            Scanned = scanned,
            Interest = interest,
            Noise = random.Normal(),
            Engagement = Engagement(random, created, triageDays, interest, source, hasEmail, scanned),
        };
        lead.Deal = Deal(lead, triageDays);
        return lead;
    }

    /// <summary>What the truth knows of a lead; one outside the pipeline as if an average rep took it on at a usual speed.</summary>
    public WinFacts Facts(SampleLead lead)
    {
        return lead.Deal is { } deal
            ? Facts(lead, deal.QualifiedAt, deal.Rep, deal.FirstContactHours, deal.Welcomed is true)
            : Facts(lead, Options.AsOf, rep: null, SampleTruth.FirstContactMedianHours, welcomed: false);
    }

    private static decimal Money(double amount) => Math.Round((decimal)amount, 2, MidpointRounding.AwayFromZero);

    /// <summary>Cumulative weight of the days: more towards the present, little at weekends, less in August and December.</summary>
    private static double[] Arrivals(SampleOptions options)
    {
        var cumulative = new double[SampleOptions.HistoryDays];
        var sum = 0.0;
        for (var day = 0; day < cumulative.Length; day++)
        {
            var date = options.Start.AddDays(day + 0.5);
            var weekday = SampleTruth.IsoDay(date) switch { 6 => 0.4, 7 => 0.35, 5 => 0.95, _ => 1.1 };
            var season = date.Month switch { 8 => 0.8, 12 => 0.85, 1 or 2 or 3 => 1.1, _ => 1 };
            sum += (0.75 + (0.5 * day / SampleOptions.HistoryDays)) * weekday * season;
            cumulative[day] = sum;
        }

        return cumulative;
    }

    private DateTime ArrivalAt(SampleRandom random, double position, LocalClock clock)
    {
        var place = Array.BinarySearch(_arrivals, position * _arrivals[^1]);
        var day = Options.Start.AddDays(Math.Min(place < 0 ? ~place : place, _arrivals.Length - 1));
        return WorkingHours.Arrival(random, clock, day);
    }

    private List<SampleEvent> Engagement(
        SampleRandom random, DateTime created, double days, double interest, Source source, bool hasEmail, bool scanned)
    {
        var events = new List<SampleEvent>();
        var opens = hasEmail ? random.Poisson(1.0 * Math.Exp(0.35 * interest)) : 0;
        for (var i = 0; i < opens; i++)
        {
            var opened = Within();
            events.Add(new SampleEvent("open", opened, "newsletter"));
            if (random.Chance(0.28))
            {
                events.Add(new SampleEvent("click", opened.AddSeconds(5 + random.Below(120)), "newsletter"));
            }
        }

        for (var mailings = hasEmail && scanned ? 1 + random.Below(3) : 0; mailings > 0; mailings--)
        {
            AddScan(events, Within(), "newsletter");
        }

        for (var replies = hasEmail ? random.Poisson(0.15 * Math.Exp(0.5 * interest)) : 0; replies > 0; replies--)
        {
            events.Add(new SampleEvent("reply", Within(), "mailbox"));
        }

        for (var visits = random.Poisson(0.6 * Math.Exp(0.3 * interest)); visits > 0; visits--)
        {
            events.Add(new SampleEvent("visit", Within(), "website"));
        }

        if (random.Chance(SampleTruth.Logistic(-1.5 + (0.6 * interest))))
        {
            events.Add(new SampleEvent("pricing", Within(), "website"));
        }

        if (random.Chance(SampleTruth.Logistic(-2.2 + (0.7 * interest) + (source.WinEffect > 0 ? 0.3 : 0))))
        {
            events.Add(new SampleEvent("demo", Within(), "website"));
        }

        var until = created.AddDays(days);
        events.RemoveAll(e => e.At > Options.AsOf || e.At > until);
        events.Sort((a, b) => a.At.CompareTo(b.At));
        return events;

        DateTime Within() => WorkingHours.WholeSeconds(created.AddDays(days * random.Unit()));
    }

    /// <summary>A mail gateway that fetches picture and link within seconds of delivery.</summary>
    internal static void AddScan(List<SampleEvent> events, DateTime delivered, string source)
    {
        events.Add(new SampleEvent("open", delivered.AddSeconds(1), source, "prefetch"));
        events.Add(new SampleEvent("click", delivered.AddSeconds(2), source, "link_scanner"));
    }

    /// <summary>
    /// Whether people took the lead into the pipeline, after having looked at it for a while, and how the deal went. What they judged by is
    /// recorded, so that the deals are no worse to learn from than a team's own.
    /// </summary>
    private SampleDeal? Deal(SampleLead lead, double triageDays)
    {
        var random = new SampleRandom(Options.Seed, SampleChain.Deal, lead.Index);
        var promise = -0.1
            + (lead.HasPhone ? 0.8 : 0)
            + (lead.HasFirstName || lead.HasLastName ? 0.5 : 0)
            + (0.4 * Math.Min(lead.Count("click"), 2))
            + (1.2 * Math.Min(lead.Count("reply"), 1))
            + (lead.Demo ? 1.0 : 0)
            + (lead.Pricing ? 0.5 : 0);
        var taken = random.Chance(SampleTruth.Logistic(promise));
        var qualified = WorkingHours.WholeSeconds(lead.CreatedAt.AddDays(triageDays));
        if (!taken || !lead.HasEmail || qualified > Options.AsOf)
        {
            return null;
        }

        var clock = Clock(lead.Market);
        var rep = Team.Assign(random, lead.Market.Region, lead.Language, lead.Product, qualified);
        bool? welcomed = qualified >= Options.AsOf.AddDays(-SampleFollowUp.CampaignDays) ? random.Chance(SampleTruth.WelcomeShare) : null;
        var hours = random.LogNormal(SampleTruth.FirstContactMedianHours, SampleTruth.FirstContactSigma) * rep.Slowness;
        var firstContact = WorkingHours.Next(random, clock, qualified.AddHours(Math.Max(hours, 0.1)));
        // Of the deals of the last week some are nobody's yet, so nobody has contacted them.
        var unassigned = qualified > Options.AsOf.AddDays(-7) && random.Chance(0.35);
        if (unassigned && firstContact <= Options.AsOf)
        {
            firstContact = WorkingHours.Next(random, clock, Options.AsOf.AddHours(1));
        }

        var assigned = unassigned ? null : rep;
        var facts = Facts(lead, qualified, assigned, (firstContact - qualified).TotalHours, welcomed is true);
        var probability = SampleTruth.WinProbability(facts);
        var stages = Stages(random, clock, lead.Product, qualified, firstContact, probability);
        var proposed = stages.Exists(s => s.Stage == Stage.ProposalSent && s.At >= Options.AsOf.AddDays(-SampleFollowUp.CampaignDays));
        return new SampleDeal
        {
            QualifiedAt = qualified,
            Rep = assigned,
            Welcomed = welcomed,
            FirstContactAt = firstContact,
            WinProbability = probability,
            Stages = stages,
            ProposalFollowedUp = proposed ? random.Chance(SampleTruth.ProposalFollowUpShare) : null,
        };
    }

    private List<(Stage Stage, DateTime At)> Stages(
        SampleRandom random, LocalClock clock, Product product, DateTime qualified, DateTime firstContact, double probability)
    {
        var stages = new List<(Stage Stage, DateTime At)> { (Stage.Qualified, qualified) };
        for (var stage = Stage.Qualified; stage < Stage.ClosedWon; stage++)
        {
            var passed = random.Chance(SampleTruth.PassProbability(stage, probability));
            var left = (passed, stage) switch
            {
                (true, Stage.Qualified) => firstContact,
                (true, _) => End(SampleTruth.PassStay(random, stage, product)),
                (false, _) => End(SampleTruth.LossStay(random, stage, product)),
            };
            if (left > Options.AsOf)
            {
                break;
            }

            stages.Add((passed ? stage + 1 : Stage.ClosedLost, left));
            if (!passed)
            {
                break;
            }
        }

        return stages;

        DateTime End(double days)
        {
            var entered = stages[^1].At;
            var end = WorkingHours.SameDay(random, clock, entered.AddDays(days));
            return end > entered ? end : WorkingHours.WholeSeconds(entered.AddMinutes(random.Between(20, 120)));
        }
    }

    private WinFacts Facts(SampleLead lead, DateTime qualified, SampleRep? rep, double firstContactHours, bool welcomed) => new()
    {
        Source = lead.Source,
        Product = lead.Product,
        Industry = lead.Industry,
        HasPhone = lead.HasPhone,
        Value = lead.Value,
        Replies = lead.Count("reply"),
        Clicks = lead.Count("click"),
        Opens = lead.Count("open"),
        Demo = lead.Demo,
        Pricing = lead.Pricing,
        FirstContactHours = firstContactHours,
        Position = (qualified - Options.Start).TotalDays / SampleOptions.HistoryDays,
        Month = qualified.Month,
        Welcomed = welcomed,
        RepEffect = rep is null ? 0 : SampleTruth.RepEffect(rep, lead.Product, lead.Market.Region),
        Interest = lead.Interest,
        Noise = lead.Noise,
    };
}
