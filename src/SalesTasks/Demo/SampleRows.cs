namespace SalesTasks.Demo;

/// <summary>The recorded words about a lead: names, addresses and what else nothing depends on.</summary>
internal sealed class SamplePerson
{
    public SamplePerson(SampleOptions options, SampleLead lead)
    {
        var random = new SampleRandom(options.Seed, SampleChain.Text, lead.Index);
        var first = SampleText.FirstName(random, lead.Language);
        var last = SampleText.LastName(random, lead.Language);
        FirstName = lead.HasFirstName ? first : null;
        LastName = lead.HasLastName ? last : null;
        var domain = lead.Company is { } company ? SampleText.CompanyDomain(company) : null;
        Email = lead.HasEmail ? SampleText.Email(FirstName, LastName, domain, lead.CompanySlot, lead.Index + 1) : null;
        Phone = lead.HasPhone ? SampleText.Phone(random, lead.Market.Country) : null;
        CompanyName = lead.Company is { } number ? SampleText.CompanyName(number) : null;
        var school = random.Chance(0.3) && lead.Industry.Name is "education";
        // Nothing is ever sent to a company's domain: example.edu, which IANA holds, is there for the scoring rule on universities.
        CompanyDomain = domain is null || random.Chance(0.15) ? null : school ? domain + ".edu" : domain;
        UtmCampaign = lead.Source.UtmSource is null
            ? null
            : $"{lead.CreatedAt.Year}-q{((lead.CreatedAt.Month - 1) / 3) + 1}-{random.Pick((string[])["launch", "brand", "retargeting"])}";
        ConsentEmail = Consent(random);
        ConsentPhone = Consent(random);
        LossReason = random.Pick((string[])["price", "competitor", "no_budget", "no_decision", "bad_timing"]);
    }

    public string? FirstName { get; }

    public string? LastName { get; }

    public string? Email { get; }

    public string? Phone { get; }

    public string? CompanyName { get; }

    public string? CompanyDomain { get; }

    public string? UtmCampaign { get; }

    /// <summary>Null: never asked.</summary>
    public bool? ConsentEmail { get; }

    public bool? ConsentPhone { get; }

    /// <summary>What a rep notes when a deal is lost; chance, and a trap for models that read it.</summary>
    public string LossReason { get; }

    private static bool? Consent(SampleRandom random) => random.Unit() switch { < 0.7 => true, < 0.78 => false, _ => null };
}

/// <summary>The rows of each table, columns in the order of <c>sql/demo/copy_*.sql</c>.</summary>
internal sealed class SampleRows(SampleGenerator generator)
{
    private static readonly string[] s_stages =
        ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"];

    private static readonly string[] s_taskPriorities = ["high", "medium", "high", "high", "urgent"];

    /// <summary>What teams enter by rule of thumb for each stage.</summary>
    private static readonly int[] s_usualPercent = [20, 30, 45, 60, 80, 100, 0];

    private readonly SampleOptions _options = generator.Options;

    private readonly Dictionary<string, (int Weekday, int Hour)> _bestSlots = SampleWorld.Industries.Append(SampleWorld.Private)
        .ToDictionary(industry => industry.Segment, SampleTruth.BestSlot, StringComparer.Ordinal);

    public static async Task WriteRepAsync(CopyRow row, SampleRep rep)
    {
        await row.TextAsync(rep.Email);
        await row.TextAsync(rep.Name);
        await row.BooleanAsync(rep.LeftAt is null);
        await row.IntegerAsync(rep.Capacity);
        await row.TextsAsync(rep.Specialisations);
        await row.TextsAsync(rep.Languages);
        await row.TextsAsync(rep.Regions);
        await row.TextAsync(rep.Home.TimeZone);
        await row.InstantAsync(rep.HiredAt);
        await row.InstantAsync(rep.LeftAt ?? rep.HiredAt);
    }

    public static async Task WriteAbsenceAsync(CopyRow row, SampleRep rep, (DateTime From, DateTime? To, string Reason) absence)
    {
        await row.TextAsync(rep.Email);
        await row.InstantAsync(absence.From);
        await row.InstantAsync(absence.To);
        await row.TextAsync(absence.Reason);
        await row.InstantAsync(absence.From);
    }

    public static async Task WriteCampaignAsync(CopyRow row, int id, SampleCampaign campaign, DateTime asOf)
    {
        var created = asOf.AddDays(-campaign.CreatedDaysAgo);
        await row.BigAsync(id);
        await row.TextAsync(campaign.Name);
        await row.TextAsync(campaign.Description);
        await row.TextAsync(campaign.Type);
        await row.JsonAsync(campaign.Criteria);
        await row.JsonAsync(campaign.Steps);
        await row.BooleanAsync(campaign.Enabled);
        await row.InstantAsync(created);
        await row.InstantAsync(created);
    }

    public static async Task WriteLeadAsync(CopyRow row, SampleLead lead, SamplePerson person)
    {
        await row.TextAsync(lead.ExtId);
        await row.TextAsync(lead.Source.Name);
        await row.TextAsync(person.FirstName);
        await row.TextAsync(person.LastName);
        await row.TextAsync(person.Email);
        await row.TextAsync(person.Phone);
        await row.TextAsync(lead.Source.UtmSource);
        await row.TextAsync(person.UtmCampaign);
        await row.InstantAsync(lead.CreatedAt);
        await row.InstantAsync(lead.Deal?.Stages[^1].At ?? lead.CreatedAt);
        await row.TextAsync(person.CompanyName);
        await row.TextAsync(person.CompanyDomain);
        await row.BooleanAsync(lead.Source.Name is "organic" or "direct" || lead.Count("visit") > 0);
        await row.BooleanAsync(lead.Demo);
        await row.BooleanAsync(lead.Pricing);
        await row.TextAsync(lead.Industry.Name);
        await row.TextAsync(lead.Product.Name);
        await row.TextAsync(lead.Language);
        await row.TextAsync(lead.Market.Country);
        await row.TextAsync(lead.Market.Region);
        await row.TextAsync(lead.Market.TimeZone);
        await row.BooleanAsync(person.ConsentEmail);
        await row.BooleanAsync(person.ConsentPhone);
        await row.MoneyAsync(lead.Value);
    }

    public static async Task WriteEventAsync(CopyRow row, SampleLead lead, int number, SampleEvent happened)
    {
        await row.TextAsync(lead.ExtId);
        await row.TextAsync(happened.Type);
        await row.InstantAsync(happened.At);
        await row.TextAsync(happened.Source);
        await row.TextAsync($"{lead.ExtId}/{number + 1}");
        await row.BooleanAsync(happened.BotReason is not null);
        await row.TextAsync(happened.BotReason);
        await row.InstantAsync(happened.At);
    }

    public static async Task WriteDealAsync(CopyRow row, long id, SampleStory story, SamplePerson person)
    {
        var lead = story.Lead;
        var deal = lead.Deal!;
        var lastContact = Latest(
            story.Tasks.Select(task => task.CompletedAt),
            story.LaterEngagement.Where(e => e is { Type: "reply", BotReason: null }).Select(e => (DateTime?)e.At));
        var waiting = story.Tasks.FirstOrDefault(task => task.Status is "pending" or "in_progress");
        DateTime? nextFollowUp = deal.IsClosed ? null : waiting?.DueAt ?? lastContact?.AddDays(3) ?? deal.QualifiedAt;
        await row.BigAsync(id);
        await row.TextAsync(lead.ExtId);
        await row.TextAsync(person.Email);
        await row.TextAsync(person.FirstName);
        await row.TextAsync(person.LastName);
        await row.TextAsync(person.Phone);
        await row.TextAsync(lead.Source.Name);
        await row.TextAsync(lead.Source.UtmSource);
        await row.TextAsync(person.UtmCampaign);
        await row.TextAsync(s_stages[(int)deal.Stage]);
        await row.TextAsync(deal.Rep?.Email);
        await row.InstantAsync(deal.QualifiedAt);
        await row.InstantAsync(deal.Entered(Stage.Contacted));
        await row.InstantAsync(lastContact);
        await row.InstantAsync(nextFollowUp);
        await row.InstantAsync(deal.ClosedAt);
        await row.MoneyAsync(lead.Value);
        await row.IntegerAsync(s_usualPercent[(int)deal.Stage]);
        await row.JsonAsync(deal.Stage == Stage.ClosedLost ? $$"""{"loss_reason": "{{person.LossReason}}"}""" : "{}");
        await row.InstantAsync(deal.QualifiedAt);
        await row.InstantAsync(Latest([deal.Stages[^1].At], [lastContact]));
    }

    public static async Task WriteStageAsync(CopyRow row, long dealId, SampleLead lead, SampleDeal deal, int place)
    {
        await row.BigAsync(dealId);
        await row.TextAsync(lead.ExtId);
        await row.TextAsync(place == 0 ? null : s_stages[(int)deal.Stages[place - 1].Stage]);
        await row.TextAsync(s_stages[(int)deal.Stages[place].Stage]);
        await row.InstantAsync(deal.Stages[place].At);
        await row.TextAsync(place == 0 ? "sales operations" : deal.Rep?.Email ?? "sales operations");
    }

    public static async Task WriteTaskAsync(CopyRow row, long dealId, SampleLead lead, SampleDeal deal, SampleTask task)
    {
        await row.BigAsync(dealId);
        await row.TextAsync(lead.ExtId);
        await row.TextAsync(task.Type);
        await row.TextAsync(Title(task, inSpanish: lead.Language is "es"));
        await row.TextAsync(task.Status);
        await row.TextAsync(s_taskPriorities[(int)task.Stage]);
        await row.TextAsync(deal.Rep?.Email);
        await row.InstantAsync(task.DueAt);
        await row.InstantAsync(task.CompletedAt);
        await row.TextAsync(task.CompletedAt is null ? null : deal.Rep?.Email);
        await row.JsonAsync(task.Outcome is null ? "{}" : $$"""{"outcome": "{{task.Outcome}}"}""");
        await row.InstantAsync(task.CreatedAt);
        await row.InstantAsync(task.CompletedAt ?? task.CreatedAt);
    }

    public static async Task WriteExecutionAsync(CopyRow row, long id, long dealId, SampleLead lead, SampleExecution execution)
    {
        await row.BigAsync(id);
        await row.BigAsync(execution.Campaign + 1);
        await row.TextAsync(lead.ExtId);
        await row.BigAsync(dealId);
        await row.TextAsync(execution.Status);
        await row.IntegerAsync(execution.Step);
        await row.IntegerAsync(execution.Steps);
        await row.InstantAsync(execution.StartedAt);
        await row.InstantAsync(execution.CompletedAt);
        await row.InstantAsync(execution.NextActionAt);
        await row.JsonAsync($$"""{"variant": "{{execution.Variant}}"}""");
        await row.InstantAsync(execution.StartedAt);
        await row.InstantAsync(Latest([execution.CompletedAt, execution.StartedAt], execution.Events.Select(e => (DateTime?)e.At)));
    }

    public static async Task WriteCampaignEventAsync(CopyRow row, long executionId, SampleLead lead, SampleCampaignEvent happened)
    {
        await row.BigAsync(executionId);
        await row.TextAsync(lead.ExtId);
        await row.IntegerAsync(happened.Step);
        await row.TextAsync(happened.Type);
        await row.TextAsync(happened.Status);
        await row.InstantAsync(happened.At);
        await row.InstantAsync(happened.At);
    }

    public async Task WriteTruthAsync(CopyRow row, SampleLead lead)
    {
        var facts = generator.Facts(lead);
        var probability = SampleTruth.WinProbability(facts);
        var (weekday, hour) = _bestSlots[lead.Industry.Segment];
        var open = lead.Deal is { IsClosed: false } deal ? deal : null;
        await row.TextAsync(lead.ExtId);
        await row.TextAsync(lead.Industry.Segment);
        await row.SmallAsync(weekday);
        await row.SmallAsync(hour);
        await row.DoubleAsync(probability);
        await row.DoubleAsync(open is null ? null : SampleTruth.WinProbabilityNow(
            open.Stage, DaysInStage(open), probability, lead.Product, DaysToFirstContact(open)));
        await row.DoubleAsync(SampleTruth.ExpectedDaysToClose(probability, facts.FirstContactHours, lead.Product));
        await row.DoubleAsync(open is null ? null : SampleTruth.ExpectedDaysNow(
            open.Stage, DaysInStage(open), probability, lead.Product, DaysToFirstContact(open)));
        await row.DoubleAsync(lead.Deal?.Rep is null ? null : facts.RepEffect);
        await row.TextAsync(Arm(lead.Deal?.Welcomed));
        await row.TextAsync(Arm(lead.Deal?.ProposalFollowedUp));
        await row.DoubleAsync(lead.Interest);
        await row.DoubleAsync(lead.Noise);
    }

    private double DaysInStage(SampleDeal deal) => (_options.AsOf - deal.Stages[^1].At).TotalDays;

    private double DaysToFirstContact(SampleDeal deal) => (deal.FirstContactAt - _options.AsOf).TotalDays;

    private static string? Arm(bool? treated) => treated switch { true => "treatment", false => "control", null => null };

    private static DateTime? Latest(IEnumerable<DateTime?> some, IEnumerable<DateTime?> others) => some.Concat(others).Max();

    private static string Title(SampleTask task, bool inSpanish) => (task.Stage, task.Type) switch
    {
        (_, "meeting") => inSpanish ? "Agendar la reunión" : "Book the meeting",
        (_, "proposal") => inSpanish ? "Preparar y enviar la propuesta" : "Write and send the proposal",
        (Stage.Qualified, "call") => inSpanish ? "Primera llamada" : "First call",
        (Stage.Qualified, _) => inSpanish ? "Primer contacto" : "First contact",
        (Stage.MeetingScheduled, "email") => inSpanish ? "Preparar la reunión" : "Prepare the meeting",
        (Stage.Negotiating, "email") => inSpanish ? "Enviar condiciones" : "Send terms",
        (_, "call") => inSpanish ? "Llamada de seguimiento" : "Follow-up call",
        _ => inSpanish ? "Correo de seguimiento" : "Follow-up e-mail",
    };
}
