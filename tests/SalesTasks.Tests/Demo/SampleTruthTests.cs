using SalesTasks.Demo;

namespace SalesTasks.Tests.Demo;

/// <summary>The sample behaves as its truth says: what later capabilities find out can be judged by it.</summary>
public sealed class SampleTruthTests(SampleTruthTests.Sample sample) : IClassFixture<SampleTruthTests.Sample>
{
    private const int Draws = 20_000;

    private static readonly Product Team = SampleWorld.Products[1];

    [Fact]
    public void WinProbability_DealsOfEachTenth_AreWonThatOften()
    {
        foreach (var tenth in sample.Old.OrderBy(lead => lead.Deal!.WinProbability).Chunk((sample.Old.Count / 10) + 1))
        {
            AssertCalibrated(tenth, "a tenth");
        }
    }

    [Fact]
    public void WinProbability_DealsOfEveryKind_AreWonThatOften()
    {
        Func<SampleLead, object?>[] kinds =
        [
            lead => lead.Source.Name, lead => lead.Product.Name, lead => lead.Industry.Segment, lead => lead.Market.Region,
            lead => lead.Demo, lead => lead.Deal!.Rep!.BestProduct == lead.Product, lead => lead.Deal!.Rep!.WorstProduct == lead.Product,
            lead => lead.Deal!.Rep!.HomeRegion == lead.Market.Region, lead => lead.Deal!.Welcomed, lead => lead.Deal!.FirstContactHours < 6,
            lead => lead.Deal!.QualifiedAt.Year,
        ];
        foreach (var group in kinds.SelectMany(kind => sample.Old.GroupBy(kind)))
        {
            AssertCalibrated([.. group], $"{group.Key}");
        }
    }

    [Fact]
    public void WinProbability_OfTheTruth_IsNeitherCertainNorAGuess()
    {
        // What a perfect model could reach; a model without the hidden interest and noise stays below.
        var all = AreaUnderCurve(lead => lead.Deal!.WinProbability);
        var recorded = AreaUnderCurve(lead => SampleTruth.WinProbability(sample.Generator.Facts(lead) with { Interest = 0, Noise = 0 }));

        Assert.InRange(all, 0.72, 0.80);
        Assert.InRange(recorded, 0.68, all - 0.01);
    }

    [Theory]
    [InlineData((int)Stage.Contacted, 5)]
    [InlineData((int)Stage.ProposalSent, 40)]
    [InlineData((int)Stage.Negotiating, 25)]
    public void WinProbabilityNow_DealsStillInTheStage_AreWonThatOften(int stage, double days)
    {
        var random = new SampleRandom(3, SampleChain.Text, stage);
        var won = 0;
        var rest = 0.0;
        for (var i = 0; i < Draws;)
        {
            if (Play(random, (Stage)stage, 0.3, days) is { } outcome)
            {
                i++;
                won += outcome.Won ? 1 : 0;
                rest += outcome.Days;
            }
        }

        var expected = SampleTruth.WinProbabilityNow((Stage)stage, days, 0.3, Team, 0);
        AssertNear(expected, won, Draws);
        var expectedDays = SampleTruth.ExpectedDaysNow((Stage)stage, days, 0.3, Team, 0);
        Assert.InRange(rest / Draws, expectedDays * 0.97, expectedDays * 1.03);
    }

    [Fact]
    public void WinProbabilityNow_LongerInTheStage_IsLower()
    {
        var byDays = Enumerable.Range(0, 30)
            .Select(i => SampleTruth.WinProbabilityNow(Stage.MeetingScheduled, i * 5, 0.4, Team, 0))
            .ToList();

        Assert.Equal(byDays.OrderDescending(), byDays);
        Assert.Equal(SampleTruth.WinProbabilityFrom(Stage.MeetingScheduled, 0.4), byDays[0], 10);
        Assert.True(byDays[^1] < byDays[0] / 2);
    }

    [Fact]
    public void WinProbabilityNow_NotContactedWhenItWasToBe_IsLost()
    {
        Assert.Equal(0, SampleTruth.WinProbabilityNow(Stage.Qualified, 9, 0.4, Team, -1));
        Assert.True(SampleTruth.WinProbabilityNow(Stage.Qualified, 9, 0.4, Team, 1) > 0.4);
    }

    [Fact]
    public void WinProbabilityFrom_Qualification_IsTheWinProbability() =>
        Assert.Equal(0.37, SampleTruth.WinProbabilityFrom(Stage.Qualified, 0.37), 10);

    [Fact]
    public void ExpectedDaysToClose_ClosedDealsOfEachProduct_TakeThatLong()
    {
        foreach (var product in sample.Old.GroupBy(lead => lead.Product))
        {
            var taken = product.Select(lead => (lead.Deal!.ClosedAt!.Value - lead.Deal.QualifiedAt).TotalDays).ToList();
            var expected = product.Average(
                lead => SampleTruth.ExpectedDaysToClose(lead.Deal!.WinProbability, lead.Deal.FirstContactHours, lead.Product));
            var mean = taken.Average();
            var error = Math.Sqrt(taken.Average(days => Math.Pow(days - mean, 2)) / taken.Count);
            // Half a day more: ends of stages move into working hours.
            Assert.InRange(mean, expected - (4 * error) - 0.5, expected + (4 * error) + 0.5);
        }
    }

    [Fact]
    public void AnswerProbability_ContactsOfEverySegment_AreAnsweredThatOften()
    {
        foreach (var group in sample.Contacts.GroupBy(contact => (contact.Lead.Industry.Segment, contact.Channel)))
        {
            AssertNear(group.Average(contact => contact.Probability), group.Count(contact => contact.Answered), group.Count());
        }
    }

    [Fact]
    public void AnswerProbability_BestSlot_StandsOutInEverySegment()
    {
        foreach (var segment in sample.Contacts.Where(contact => contact.Channel == Channel.Call).GroupBy(contact => contact.Lead.Industry))
        {
            var (weekday, hour) = SampleTruth.BestSlot(segment.Key);
            var inSlot = segment.Where(c => SampleTruth.IsoDay(c.Local) == weekday && Math.Abs(c.Local.Hour - hour) <= 1).ToList();
            var share = inSlot.Average(c => c.Answered ? 1.0 : 0);

            Assert.True(inSlot.Count > 50, $"{segment.Key.Segment}: {inSlot.Count} calls around the best slot");
            Assert.True(share > segment.Average(c => c.Answered ? 1.0 : 0) + 0.1, $"{segment.Key.Segment}: {share}");
        }
    }

    [Fact]
    public void BestSlot_OfASegment_IsAnHourPeopleWork()
    {
        foreach (var industry in SampleWorld.Industries.Append(SampleWorld.Private))
        {
            var (weekday, hour) = SampleTruth.BestSlot(industry);

            Assert.Equal((industry.BestWeekday, industry.BestHour), (weekday, hour));
            Assert.True(SampleWorld.ContactHours[hour] > 0);
        }
    }

    [Fact]
    public void Experiments_Arms_AreDrawnByLot()
    {
        var welcome = sample.Deals.Where(lead => lead.Deal!.Welcomed is not null).ToList();
        var proposals = sample.Deals.Where(lead => lead.Deal!.ProposalFollowedUp is not null).ToList();

        AssertNear(SampleTruth.WelcomeShare, welcome.Count(lead => lead.Deal!.Welcomed is true), welcome.Count);
        AssertNear(SampleTruth.ProposalFollowUpShare, proposals.Count(lead => lead.Deal!.ProposalFollowedUp is true), proposals.Count);
        // The lot knows nothing of the lead.
        var treated = welcome.Where(lead => lead.Deal!.Welcomed is true).Average(lead => lead.Interest);
        var control = welcome.Where(lead => lead.Deal!.Welcomed is false).Average(lead => lead.Interest);
        Assert.InRange(treated - control, -0.1, 0.1);
    }

    [Fact]
    public void Campaign_VariantB_GetsMoreReplies()
    {
        var executions = sample.Stories.SelectMany(story => story.Executions).Where(execution => execution.Campaign < 2).ToList();
        double Replies(string variant) => executions.Where(execution => execution.Variant == variant)
            .Average(execution => execution.Events.Any(e => e.Type is "email_replied") ? 1.0 : 0);

        Assert.True(Replies("B") > Replies("A") + 0.02);
    }

    private static void AssertCalibrated(SampleLead[] leads, string which)
    {
        var expected = leads.Sum(lead => lead.Deal!.WinProbability);
        var deviation = Math.Sqrt(leads.Sum(lead => lead.Deal!.WinProbability * (1 - lead.Deal.WinProbability)));
        var won = leads.Count(lead => lead.Deal!.Stage == Stage.ClosedWon);
        Assert.True(
            Math.Abs(won - expected) <= 4 * deviation,
            $"{which}: {won} won of {leads.Length}, expected {expected:0.0} ± {deviation:0.0}");
    }

    private static void AssertNear(double probability, int count, int of)
    {
        var deviation = Math.Sqrt(probability * (1 - probability) * of);
        Assert.InRange(count, (probability * of) - (4 * deviation), (probability * of) + (4 * deviation));
    }

    /// <summary>One deal from entering the stage to its end; null when it left the stage within the days.</summary>
    private static (bool Won, double Days)? Play(SampleRandom random, Stage from, double probability, double days)
    {
        var total = -days;
        for (var stage = from; stage <= Stage.Negotiating; stage++)
        {
            var passed = random.Chance(SampleTruth.PassProbability(stage, probability));
            total += passed ? SampleTruth.PassStay(random, stage, Team) : SampleTruth.LossStay(random, stage, Team);
            if (stage == from && total <= 0)
            {
                return null;
            }

            if (!passed)
            {
                return (false, total);
            }
        }

        return (true, total);
    }

    private double AreaUnderCurve(Func<SampleLead, double> score)
    {
        var ranked = sample.Old.OrderBy(score).Select((lead, i) => (Won: lead.Deal!.Stage == Stage.ClosedWon, Rank: i + 1)).ToList();
        var won = ranked.Count(item => item.Won);
        var ranks = ranked.Where(item => item.Won).Sum(item => (double)item.Rank);
        return (ranks - (won * (won + 1) / 2.0)) / ((double)won * (ranked.Count - won));
    }

    /// <summary>The sample of the demo, in memory.</summary>
    public sealed class Sample
    {
        public Sample()
        {
            Options = new SampleOptions(new DateTimeOffset(2026, 6, 17, 10, 0, 0, TimeSpan.Zero));
            Generator = new SampleGenerator(Options);
            Stories = [.. Generator.Stories(CancellationToken.None)];
            Deals = [.. Stories.Where(story => story.Lead.Deal is not null).Select(story => story.Lead)];
            // Old enough for their outcome to be known, so that none of them is left out for being slow.
            Old = [.. Deals.Where(lead => lead.Deal!.QualifiedAt < Options.AsOf.AddDays(-300) && lead.Deal.IsClosed)];
            Contacts = [.. Stories.SelectMany(ContactsOf)];
        }

        internal SampleOptions Options { get; }

        internal SampleGenerator Generator { get; }

        internal List<SampleStory> Stories { get; }

        internal List<SampleLead> Deals { get; }

        internal List<SampleLead> Old { get; }

        internal List<Contact> Contacts { get; }

        private IEnumerable<Contact> ContactsOf(SampleStory story)
        {
            DateTime? before = null;
            foreach (var task in story.Tasks.Where(task => task.Outcome is not null))
            {
                var at = task.CompletedAt!.Value;
                var channel = task.Type is "call" ? Channel.Call : Channel.Email;
                var local = Generator.Clock(story.Lead.Market).ToLocal(at);
                var probability = SampleTruth.AnswerProbability(
                    channel,
                    story.Lead.Industry,
                    local,
                    before is { } last ? (at - last).TotalDays : null,
                    (at - story.Lead.Deal!.QualifiedAt).TotalHours,
                    story.Lead.Interest);
                before = at;
                // What was sent in the last two days may still be answered.
                if (at < Options.AsOf.AddDays(-2))
                {
                    yield return new Contact(story.Lead, channel, local, probability, task.Outcome is "answered" or "replied");
                }
            }
        }
    }

    internal sealed record Contact(SampleLead Lead, Channel Channel, DateTime Local, double Probability, bool Answered);
}
