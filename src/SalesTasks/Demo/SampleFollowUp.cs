namespace SalesTasks.Demo;

/// <summary>What a deal's people did: follow-up tasks, campaigns, and the answers they got.</summary>
internal sealed class SampleFollowUp(SampleOptions options)
{
    /// <summary>Campaigns began this long ago.</summary>
    public const int CampaignDays = 365;

    /// <summary>One task more for each of these days in a stage, at first.</summary>
    private const double DaysPerAttempt = 4.5;

    private const int MostAttempts = 12;

    /// <summary>How many tasks a deal naturally makes.</summary>
    public int Work(SampleDeal? deal) => deal is null ? 0 : Milestones(deal).Count + Spans(deal).Sum(Attempts);

    /// <summary>The lead's story with as many tasks as told.</summary>
    public SampleStory Story(SampleLead lead, LocalClock clock, int tasks)
    {
        if (lead.Deal is not { } deal)
        {
            return new SampleStory(lead);
        }

        var later = new List<SampleEvent>();
        var list = Tasks(new SampleRandom(options.Seed, SampleChain.Tasks, lead.Index), lead, deal, clock, tasks, later);
        var executions = new SampleCampaigns(options, clock).Executions(lead, deal, later);
        later.RemoveAll(e => e.At > options.AsOf);
        later.Sort((a, b) => a.At.CompareTo(b.At));
        return new SampleStory(lead) { Tasks = list, Executions = executions, LaterEngagement = later };
    }

    private List<SampleTask> Tasks(
        SampleRandom random, SampleLead lead, SampleDeal deal, LocalClock clock, int count, List<SampleEvent> later)
    {
        var spans = Spans(deal);
        var tasks = new List<SampleTask>(count);
        foreach (var milestone in Milestones(deal).Take(count))
        {
            tasks.Add(Milestone(random, lead, deal, milestone, spans[(int)milestone.Stage]));
        }

        var attempts = count - tasks.Count;
        var weights = spans.Sum(Attempts);
        var before = 0;
        foreach (var span in spans)
        {
            // Where no stage asks for further tasks, those there are were planned in the first stage and never done.
            var weight = weights == 0 ? 1 : Attempts(span);
            var all = Math.Max(weights, 1);
            var here = (attempts * (before + weight) / all) - (attempts * before / all);
            before += weight;
            for (var attempt = 0; attempt < here; attempt++)
            {
                tasks.Add(Attempt(random, lead, deal, clock, span, attempt, here));
            }
        }

        tasks.Sort((a, b) => (a.CompletedAt ?? a.DueAt).CompareTo(b.CompletedAt ?? b.DueAt));
        Answer(random, lead, deal, clock, tasks, later);
        return tasks;
    }

    /// <summary>The tasks that end a stage, and the one that an open deal waits for; the most important first.</summary>
    private static List<(Stage Stage, string Type)> Milestones(SampleDeal deal)
    {
        var milestones = new List<(Stage Stage, string Type)> { (Stage.Qualified, "first") };
        if (!deal.IsClosed && deal.Stage > Stage.Qualified)
        {
            milestones.Add((deal.Stage, "open"));
        }

        if (deal.Entered(Stage.MeetingScheduled) is not null)
        {
            milestones.Add((Stage.Contacted, "meeting"));
        }

        if (deal.Entered(Stage.ProposalSent) is not null)
        {
            milestones.Add((Stage.MeetingScheduled, "proposal"));
        }

        return milestones;
    }

    private static int Attempts(StageSpan span) =>
        span.Stage == Stage.Qualified ? 0 : 1 + Math.Min((int)((span.To - span.From).TotalDays / DaysPerAttempt), MostAttempts);

    /// <summary>Each open stage the deal was in, from when until when; the place in the list is the stage.</summary>
    private List<StageSpan> Spans(SampleDeal deal) =>
    [
        .. deal.Stages.Where(s => s.Stage < Stage.ClosedWon)
            .Select((s, i) => new StageSpan(s.Stage, s.At, i + 1 < deal.Stages.Count ? deal.Stages[i + 1].At : options.AsOf)),
    ];

    private SampleTask Milestone(
        SampleRandom random, SampleLead lead, SampleDeal deal, (Stage Stage, string Type) milestone, StageSpan span)
    {
        switch (milestone.Type)
        {
            case "first":
                var type = lead.HasPhone && random.Chance(0.4) ? "call" : "email";
                var due = deal.QualifiedAt.AddHours(4);
                var first = new SampleTask(Stage.Qualified, type, deal.QualifiedAt, due, "pending");
                return deal.Entered(Stage.Contacted) is { } contacted ? first with { Status = "completed", CompletedAt = contacted }
                    : deal.IsClosed ? first with { Status = "cancelled" }
                    : first;
            case "open":
                return Open(random, lead, deal, span);
            default:
                return Done(random, deal, span, milestone.Type, span.To);
        }
    }

    private SampleTask Open(SampleRandom random, SampleLead lead, SampleDeal deal, StageSpan span)
    {
        var late = !random.Chance(deal.Rep?.Diligence ?? 0.5);
        var due = options.AsOf.AddDays(late ? -random.Between(0.2, 9) : random.Between(0.1, 4));
        var created = Later(Earlier(due, options.AsOf).AddDays(-random.Between(0.1, 3)), span.From);
        return new SampleTask(
            span.Stage, ContactType(random, lead, span.Stage), created, Later(WorkingHours.WholeSeconds(due), created),
            random.Chance(0.08) ? "in_progress" : "pending");
    }

    private static SampleTask Attempt(
        SampleRandom random, SampleLead lead, SampleDeal deal, LocalClock clock, StageSpan span, int number, int of)
    {
        DateTime Spread() => WorkingHours.WholeSeconds(span.From + ((span.To - span.From) * ((number + random.Unit()) / of)));

        var at = span.From;
        for (var attempt = 0; attempt < 6 && (at <= span.From || at >= span.To); attempt++)
        {
            at = WorkingHours.SameDay(random, clock, Spread());
        }

        if (at <= span.From || at >= span.To)
        {
            // A stay of hours, itself within working hours.
            at = Spread();
        }

        var done = Done(random, deal, span, ContactType(random, lead, span.Stage), at);
        var fate = span.Stage == Stage.Qualified ? random.Between(0.86, 1) : random.Unit();
        return fate switch
        {
            < 0.86 => done,
            < 0.95 => done with { Status = "skipped", CompletedAt = null },
            _ => done with { Status = "cancelled", CompletedAt = null },
        };
    }

    /// <summary>A task done at that instant, in time or late.</summary>
    private static SampleTask Done(
        SampleRandom random, SampleDeal deal, StageSpan span, string type, DateTime at)
    {
        var inTime = random.Chance(deal.Rep?.Diligence ?? 0.5);
        var due = WorkingHours.WholeSeconds(inTime ? at.AddHours(random.Between(1, 30)) : at.AddHours(-random.Between(2, 96)));
        var created = Later(Earlier(due, at).AddHours(-random.Between(2, 48)), span.From);
        return new SampleTask(span.Stage, type, created, Later(due, created), "completed") { CompletedAt = at };
    }

    /// <summary>Goes through the contacts in order and lets chance, with the truth's probability, answer each.</summary>
    private void Answer(
        SampleRandom random, SampleLead lead, SampleDeal deal, LocalClock clock, List<SampleTask> tasks, List<SampleEvent> later)
    {
        DateTime? before = null;
        for (var i = 0; i < tasks.Count; i++)
        {
            if (tasks[i] is not { CompletedAt: { } at, Type: "call" or "email" } task)
            {
                continue;
            }

            var channel = task.Type is "call" ? Channel.Call : Channel.Email;
            var answered = random.Chance(SampleTruth.AnswerProbability(
                channel,
                lead.Industry,
                clock.ToLocal(at),
                before is { } last ? (at - last).TotalDays : null,
                (at - deal.QualifiedAt).TotalHours,
                lead.Interest));
            before = at;
            if (channel == Channel.Call)
            {
                tasks[i] = task with { Outcome = answered ? "answered" : "no_answer" };
                continue;
            }

            var replied = answered && Add("reply", at.AddMinutes(random.Between(10, 2_600)));
            tasks[i] = task with { Outcome = replied ? "replied" : "no_reply" };
            if (lead.Scanned)
            {
                SampleGenerator.AddScan(later, at, "mailbox");
            }

            if (random.Chance(SampleTruth.Logistic(-1.0 + (0.5 * lead.Interest))))
            {
                var opened = at.AddMinutes(random.Between(1, 1_500));
                Add("open", opened);
                if (random.Chance(0.15))
                {
                    Add("click", opened.AddSeconds(5 + random.Below(120)));
                }
            }
        }

        bool Add(string type, DateTime at)
        {
            var happened = at <= options.AsOf;
            if (happened)
            {
                later.Add(new SampleEvent(type, WorkingHours.WholeSeconds(at), "mailbox"));
            }

            return happened;
        }
    }

    private static string ContactType(SampleRandom random, SampleLead lead, Stage stage)
    {
        var calls = stage switch
        {
            Stage.Contacted => 0.70,
            Stage.MeetingScheduled => 0.40,
            Stage.ProposalSent => 0.65,
            _ => 0.45,
        };
        return random.Chance(calls) && lead.HasPhone ? "call" : "email";
    }

    private static DateTime Earlier(DateTime a, DateTime b) => a < b ? a : b;

    /// <summary>The later of the two, in whole seconds.</summary>
    private static DateTime Later(DateTime a, DateTime b) => WorkingHours.WholeSeconds(a > b ? a : b);

    /// <summary>The deal's time in one stage.</summary>
    private readonly record struct StageSpan(Stage Stage, DateTime From, DateTime To);
}
