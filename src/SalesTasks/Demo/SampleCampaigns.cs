namespace SalesTasks.Demo;

/// <summary>A row of <c>sales_campaigns</c>.</summary>
internal sealed record SampleCampaign(
    string Name, string Description, string Type, string Criteria, string Steps, bool Enabled, int CreatedDaysAgo);

/// <summary>
/// The campaigns and how they went. Two are experiments: by lot some deals were left out, and <see cref="SampleTruth"/> has their effect.
/// </summary>
internal sealed class SampleCampaigns(SampleOptions options, LocalClock clock)
{
    public static readonly SampleCampaign[] All =
    [
        new(
            "Welcome sequence",
            "Three e-mails for newly qualified leads",
            "email_sequence",
            """{"stage": "qualified"}""",
            """
            [{"type": "email", "delay_hours": 0, "subject": "Welcome, {{ first_name | default: 'there' }}",
              "body": "Thank you for your interest in {{ product_interest | default: 'our products' }}."},
             {"type": "email", "delay_hours": 72, "subject": "How others use it", "body": "Three short stories from companies like yours."},
             {"type": "email", "delay_hours": 96, "subject": "Shall we talk?", "body": "Reply with a time that suits you."}]
            """,
            Enabled: true,
            SampleFollowUp.CampaignDays),
        new(
            "Secuencia de bienvenida",
            "Tres correos para leads recién calificados",
            "email_sequence",
            """{"stage": "qualified"}""",
            """
            [{"type": "email", "delay_hours": 0, "subject": "Hola, {{ first_name | default: 'gracias por escribirnos' }}",
              "body": "Gracias por tu interés en {{ product_interest | default: 'nuestros productos' }}."},
             {"type": "email", "delay_hours": 72, "subject": "Cómo lo usan otros",
              "body": "Tres historias breves de empresas como la tuya."},
             {"type": "email", "delay_hours": 96, "subject": "¿Hablamos?", "body": "Responde con la hora que te venga bien."}]
            """,
            Enabled: true,
            SampleFollowUp.CampaignDays),
        new(
            "Proposal follow-up",
            "E-mail, call, e-mail after a proposal",
            "multichannel",
            """{"stage": "proposal_sent"}""",
            """
            [{"type": "email", "delay_hours": 24, "subject": "Your proposal", "body": "Is anything unclear?"},
             {"type": "call", "delay_hours": 48, "subject": "Ask about the proposal"},
             {"type": "email", "delay_hours": 72, "subject": "Next steps", "body": "What would help you decide?"}]
            """,
            Enabled: true,
            SampleFollowUp.CampaignDays),
        new(
            "Large deals by phone",
            "A call for every qualified lead above 20,000",
            "call_campaign",
            """{"stage": "qualified", "estimated_value_min": 20000}""",
            """[{"type": "call", "delay_hours": 0, "subject": "Introduce the account team"}]""",
            Enabled: true,
            20),
        new(
            "Wake up quiet leads",
            "Nurturing for leads without contact for three weeks",
            "nurturing",
            """{"days_since_contact_min": 21}""",
            """[{"type": "email", "delay_hours": 0, "subject": "Still interesting?", "body": "A short word is enough."}]""",
            Enabled: false,
            200),
    ];

    private const int WelcomeEnglish = 0;
    private const int WelcomeSpanish = 1;
    private const int ProposalFollowUp = 2;

    private static readonly (string Type, double AfterHours)[] s_welcomeSteps = [("email", 1), ("email", 72), ("email", 96)];
    private static readonly (string Type, double AfterHours)[] s_proposalSteps = [("email", 24), ("call", 48), ("email", 72)];

    /// <summary>Plays the campaigns that the lots gave the deal; what the lead does goes to <paramref name="later"/> too.</summary>
    public IReadOnlyList<SampleExecution> Executions(SampleLead lead, SampleDeal deal, List<SampleEvent> later)
    {
        var random = new SampleRandom(options.Seed, SampleChain.Campaigns, lead.Index);
        var executions = new List<SampleExecution>();
        if (deal.Welcomed is true)
        {
            var campaign = lead.Language is "es" ? WelcomeSpanish : WelcomeEnglish;
            executions.Add(Play(random, lead, deal, campaign, deal.QualifiedAt, s_welcomeSteps, later));
        }

        if (deal is { ProposalFollowedUp: true } && deal.Entered(Stage.ProposalSent) is { } proposed)
        {
            executions.Add(Play(random, lead, deal, ProposalFollowUp, proposed, s_proposalSteps, later));
        }

        return executions;
    }

    private SampleExecution Play(
        SampleRandom random,
        SampleLead lead,
        SampleDeal deal,
        int campaign,
        DateTime start,
        (string Type, double AfterHours)[] steps,
        List<SampleEvent> later)
    {
        var events = new List<SampleCampaignEvent>();
        var variant = random.Chance(0.5) ? "A" : "B";
        var until = deal.ClosedAt ?? options.AsOf;
        var at = start;
        for (var step = 1; step <= steps.Length; step++)
        {
            at = WorkingHours.Next(random, clock, at.AddHours(steps[step - 1].AfterHours));
            if (at > until)
            {
                return deal.IsClosed
                    ? Execution("stopped") with { CompletedAt = deal.ClosedAt }
                    : Execution("active") with { NextActionAt = at };
            }

            if (steps[step - 1].Type is "call")
            {
                Call(random, lead, deal, step, at, events);
            }
            else if (Email(random, lead, variant, step, at, events, later) is { } repliedAt)
            {
                return Execution("stopped") with { CompletedAt = repliedAt };
            }
        }

        return Execution("completed") with { CompletedAt = at };

        SampleExecution Execution(string status) =>
            new(campaign, status, events.Count == 0 ? 0 : events.Max(e => e.Step), steps.Length, start, variant) { Events = events };
    }

    private void Call(SampleRandom random, SampleLead lead, SampleDeal deal, int step, DateTime at, List<SampleCampaignEvent> events)
    {
        events.Add(new SampleCampaignEvent(step, "call_made", "completed", at));
        var probability = SampleTruth.AnswerProbability(
            Channel.Call, lead.Industry, clock.ToLocal(at), lead.Industry.BestGapDays, (at - deal.QualifiedAt).TotalHours, lead.Interest);
        if (random.Chance(probability))
        {
            events.Add(new SampleCampaignEvent(step, "call_answered", "completed", at));
        }
    }

    /// <summary>Sends one e-mail; returns when it was replied to, null where it was not (so far).</summary>
    private DateTime? Email(
        SampleRandom random,
        SampleLead lead,
        string variant,
        int step,
        DateTime at,
        List<SampleCampaignEvent> events,
        List<SampleEvent> later)
    {
        events.Add(new SampleCampaignEvent(step, "email_sent", "delivered", at));
        if (lead.Scanned)
        {
            SampleGenerator.AddScan(later, at, "campaign");
        }

        var opened = at.AddMinutes((int)random.Between(1, 1_500));
        if (random.Chance(SampleTruth.CampaignOpenProbability(lead.Interest)))
        {
            Add("email_opened", "open", opened);
            if (random.Chance(SampleTruth.CampaignClickProbability(variant, lead.Interest)))
            {
                Add("email_clicked", "click", opened.AddSeconds(5 + random.Below(120)));
            }
        }

        return random.Chance(SampleTruth.CampaignReplyProbability(variant, lead.Interest))
            ? Add("email_replied", "reply", opened.AddMinutes(30))
            : null;

        DateTime? Add(string campaignEvent, string leadEvent, DateTime when)
        {
            if (when > options.AsOf)
            {
                return null;
            }

            events.Add(new SampleCampaignEvent(step, campaignEvent, "completed", when));
            later.Add(new SampleEvent(leadEvent, when, "campaign"));
            return when;
        }
    }
}
