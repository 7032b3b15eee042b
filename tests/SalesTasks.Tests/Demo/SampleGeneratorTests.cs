using System.Text.RegularExpressions;
using SalesTasks.Demo;

namespace SalesTasks.Tests.Demo;

public sealed partial class SampleGeneratorTests
{
    private static readonly SampleOptions Options = new(new DateTimeOffset(2026, 3, 30, 10, 30, 0, TimeSpan.Zero)) { Leads = 3_000 };

    private static readonly SampleGenerator Generator = new(Options);

    private static readonly List<SampleStory> Stories = [.. Generator.Stories(CancellationToken.None)];

    [Theory]
    [InlineData(100)]
    [InlineData(777)]
    [InlineData(3_000)]
    public void Stories_AnySize_HaveExactlyTenTasksALead(int leads)
    {
        var stories = new SampleGenerator(Options with { Leads = leads }).Stories(CancellationToken.None).ToList();

        Assert.Equal(leads, stories.Count);
        Assert.Equal(10 * leads, stories.Sum(story => story.Tasks.Count));
    }

    [Fact]
    public void Lead_AskedForAlone_IsTheSameAsInTheStream()
    {
        var again = new SampleGenerator(Options).Lead(1_234);
        var lead = Stories[1_234].Lead;

        Assert.Equal(
            (lead.CreatedAt, lead.Market, lead.Source, lead.Product, lead.Interest, lead.Deal?.Stage, lead.Deal?.Rep?.Email),
            (again.CreatedAt, again.Market, again.Source, again.Product, again.Interest, again.Deal?.Stage, again.Deal?.Rep?.Email));
        Assert.Equal(lead.Engagement, again.Engagement);
    }

    [Fact]
    public void Everything_InTime_HappensBetweenTheStartAndThePresent()
    {
        foreach (var story in Stories)
        {
            var lead = story.Lead;
            List<DateTime> instants =
            [
                lead.CreatedAt,
                .. lead.Engagement.Concat(story.LaterEngagement).Select(e => e.At),
                .. lead.Deal?.Stages.Select(stage => stage.At) ?? [],
                .. story.Tasks.Select(task => task.CompletedAt ?? task.CreatedAt),
                .. story.Tasks.Select(task => task.CreatedAt),
                .. story.Executions.Select(execution => execution.StartedAt),
                .. story.Executions.SelectMany(execution => execution.Events, (_, happened) => happened.At),
            ];
            Assert.All(instants, instant => Assert.InRange(instant, Options.Start, Options.AsOf));
            Assert.All(instants, instant => Assert.Equal(0, instant.Ticks % TimeSpan.TicksPerSecond));
            Assert.All(instants, instant => Assert.True(instant >= lead.CreatedAt));
        }
    }

    [Fact]
    public void Arrivals_OverTheTwoYears_GrowAndRestAtWeekends()
    {
        var days = Stories.Select(story => story.Lead.CreatedAt).ToList();
        var half = Options.Start.AddDays(SampleOptions.HistoryDays / 2.0);
        var weekend = days.Count(day => SampleTruth.IsoDay(day) > 5);

        Assert.True(days.Count(day => day > half) > days.Count(day => day <= half));
        Assert.InRange(weekend / (double)days.Count, 0.08, 0.20);
        // Leads of the last week are there for the points that age gives.
        Assert.InRange(days.Count(day => day > Options.AsOf.AddDays(-7)), 20, 60);
        Assert.True(days[^1] > Options.AsOf.AddDays(-1));
    }

    [Fact]
    public void Deals_Stages_FollowEachOther()
    {
        foreach (var deal in Stories.Select(story => story.Lead.Deal).OfType<SampleDeal>())
        {
            var stages = deal.Stages.Select(stage => stage.Stage).ToList();
            var open = stages.TakeWhile(stage => stage < Stage.ClosedWon).ToList();

            Assert.Equal(Enumerable.Range(0, open.Count).Select(stage => (Stage)stage), open);
            Assert.True(stages.Count - open.Count <= 1);
            Assert.True(stages[^1] != Stage.ClosedWon || open.Count == 5);
            Assert.All(deal.Stages.Zip(deal.Stages.Skip(1)), pair => Assert.True(pair.First.At < pair.Second.At));
            Assert.True(deal.Rep?.WorksAt(deal.QualifiedAt) ?? deal.Stage == Stage.Qualified);
        }
    }

    [Fact]
    public void Deals_OfTheTwoYears_AreWonLostAndOpen()
    {
        var deals = Stories.Select(story => story.Lead.Deal).OfType<SampleDeal>().ToList();

        Assert.InRange(deals.Count / (double)Options.Leads, 0.70, 0.80);
        Assert.InRange(deals.Count(deal => deal.Stage == Stage.ClosedWon) / (double)deals.Count(deal => deal.IsClosed), 0.27, 0.36);
        Assert.All(Enum.GetValues<Stage>(), stage => Assert.Contains(deals, deal => deal.Stage == stage));
        Assert.Contains(deals, deal => deal.Rep is null);
    }

    [Fact]
    public void Tasks_OfEveryKind_ArePlausible()
    {
        var tasks = Stories.SelectMany(story => story.Tasks, (story, task) => (story.Lead.Deal, task)).ToList();
        foreach (var (deal, task) in tasks)
        {
            Assert.True(task.CreatedAt >= deal!.QualifiedAt);
            Assert.True(task.DueAt >= task.CreatedAt);
            Assert.True(task.CompletedAt is not { } done || (done >= task.CreatedAt && done <= (deal.ClosedAt ?? Options.AsOf)));
            Assert.Equal(task.Status is "completed", task.CompletedAt is not null);
            Assert.True(task.Status is "completed" or "skipped" or "cancelled" || !deal.IsClosed);
        }

        Assert.Equal(
            ["cancelled", "completed", "in_progress", "pending", "skipped"],
            tasks.Select(item => item.task.Status).Distinct().Order(StringComparer.Ordinal));
        Assert.Contains(tasks, item => item.task.Status is "pending" && item.task.DueAt < Options.AsOf);
        Assert.Contains(tasks, item => item.task.Status is "pending" && item.task.DueAt > Options.AsOf);
        Assert.All(
            Stories, story => Assert.True(story.Tasks.Count(task => task.Status is "pending" or "in_progress") <= 1));
    }

    [Fact]
    public void Team_AnySize_ServesEveryLead()
    {
        foreach (var leads in (int[])[100, 2_000, 50_000])
        {
            var team = new SampleTeam(Options with { Leads = leads });

            Assert.Equal(Math.Max(5, leads / 200), team.Reps.Count);
            Assert.Equal(team.Reps.Count, team.Reps.Select(rep => rep.Email).Distinct(StringComparer.Ordinal).Count());
            foreach (var market in SampleWorld.Markets)
            {
                var random = new SampleRandom(1, SampleChain.Deal, 1);
                Assert.NotNull(team.Assign(random, market.Region, market.Language, SampleWorld.Products[0], Options.Start));
                Assert.NotNull(team.Assign(random, market.Region, market.Language, SampleWorld.Products[0], Options.AsOf));
            }
        }
    }

    [Fact]
    public void Team_OfTheDemo_HasEveryCase()
    {
        var team = new SampleTeam(Options with { Leads = 10_000 });

        Assert.All(SampleWorld.Regions, region => Assert.Contains(team.Reps, rep => rep.HomeRegion == region));
        Assert.Contains(team.Reps, rep => rep.LeftAt is not null);
        Assert.Contains(team.Reps, rep => rep.Absences.Any(absence => absence.From <= Options.AsOf && absence.To > Options.AsOf));
        Assert.Contains(team.Reps, rep => rep.Absences.Any(absence => absence.To is null));
        Assert.Contains(team.Reps, rep => !rep.Specialisations.Contains(rep.BestProduct.Name, StringComparer.Ordinal));
    }

    [Fact]
    public void Addresses_OfLeadsAndReps_ReachNobody()
    {
        var people = Stories.Select(story => (story.Lead, Person: new SamplePerson(Options, story.Lead))).ToList();

        Assert.All(people.Where(p => p.Person.Email is not null), p => Assert.Matches(ReservedMail(), p.Person.Email!));
        Assert.All(Generator.Team.Reps, rep => Assert.Matches(ReservedMail(), rep.Email));
        Assert.All(
            people.Select(p => p.Person.CompanyDomain).OfType<string>(), domain => Assert.Matches(@"^[a-z0-9]+\.example(\.edu)?$", domain));
        Assert.All(people.Where(p => p.Person.Phone is not null), p => Assert.Matches(FictionalPhone(), p.Person.Phone!));
        var emails = people.Select(p => p.Person.Email).OfType<string>().ToList();
        Assert.Equal(emails.Count, emails.Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void People_OfTheSample_HaveAccentsAndMissingHalves()
    {
        var people = Stories.Select(story => new SamplePerson(Options, story.Lead)).ToList();

        Assert.Contains(people, person => person.LastName is not null && person.LastName.Any(letter => letter > 127));
        Assert.Contains(people, person => person is { FirstName: null, LastName: not null });
        Assert.Contains(people, person => person is { FirstName: not null, LastName: null });
        Assert.Contains(people, person => person is { FirstName: null, LastName: null });
        Assert.Contains(people, person => person.Email is null);
        Assert.Contains(people, person => person.CompanyDomain is { } domain && domain.EndsWith(".edu", StringComparison.Ordinal));
        Assert.Equal(3, people.Select(person => person.ConsentEmail).Distinct().Count());
    }

    [Theory]
    [InlineData("Íñigo Muñoz-Größer", "inigomunozgroser")]
    [InlineData("D'Aubigné 24", "daubigne24")]
    [InlineData("Ännchen Łukasz", "annchenukasz")]
    public void Letters_OfAName_AreAscii(string name, string expected) => Assert.Equal(expected, SampleText.Letters(name));

    [Theory]
    [InlineData("Europe/Madrid", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00")]
    [InlineData("Europe/Madrid", "2026-03-29T01:30:00Z", "2026-03-29T03:30:00")]
    [InlineData("America/Santiago", "2026-01-15T12:00:00Z", "2026-01-15T09:00:00")]
    public void Clock_AroundSummerTime_ShowsLocalTime(string zone, string utc, string local)
    {
        var clock = new LocalClock(zone, Options);
        var instant = DateTimeOffset.Parse(utc).UtcDateTime;

        Assert.Equal(DateTime.Parse(local), clock.ToLocal(instant));
        Assert.Equal(instant, clock.ToUtc(clock.ToLocal(instant)));
    }

    /// <summary>RFC 2606.</summary>
    [GeneratedRegex(
        @"^[a-z0-9.]+@([a-z0-9]+\.example|example\.(com|net|org))$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex ReservedMail();

    /// <summary>NANPA, Ofcom, Bundesnetzagentur, ARCEP; elsewhere a national part that starts with 000.</summary>
    [GeneratedRegex(
        @"^(\+1 \d{3} 555 01\d\d ext\. \d{4}"
        + @"|\+44 (1(1[3-8]|[2-6]1) 496 0\d{3}|20 7946 0\d{3}|29 2018 0\d{3}|1632 960\d{3}|7700 900\d{3})"
        + @"|\+49 (30 23125|40 66969|69 90009|221 4710|89 99998) \d{3}"
        + @"|\+33 (1 99 00|2 61 91|3 53 01|4 65 71|5 36 49|6 39 98) \d\d \d\d"
        + @"|\+(34|351|52|54|55|56|57) 000 \d{3} \d{3})$",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex FictionalPhone();
}
