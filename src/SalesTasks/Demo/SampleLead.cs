namespace SalesTasks.Demo;

/// <summary>A lead with what is recorded (a row of <c>leads</c>) and what is true.</summary>
internal sealed class SampleLead
{
    /// <summary>From 0, in order of arrival.</summary>
    public required int Index { get; init; }

    public string ExtId => $"lead-{Index + 1:0000000}";

    public required DateTime CreatedAt { get; init; }

    public required Market Market { get; init; }

    public required string Language { get; init; }

    public required Source Source { get; init; }

    public required Product Product { get; init; }

    public required Industry Industry { get; init; }

    /// <summary>Null: a private person.</summary>
    public required int? Company { get; init; }

    /// <summary>Tells a company's leads apart.</summary>
    public required int CompanySlot { get; init; }

    public required bool HasEmail { get; init; }

    public required bool HasPhone { get; init; }

    public required bool HasFirstName { get; init; }

    public required bool HasLastName { get; init; }

    /// <summary>Null: unknown.</summary>
    public required decimal? Value { get; init; }

    /// <summary>The company's mail gateway opens and clicks everything itself.</summary>
    public required bool Scanned { get; init; }

    public required double Interest { get; init; }

    public required double Noise { get; init; }

    /// <summary>What the lead did up to qualification (or up to now), in order of time.</summary>
    public required IReadOnlyList<SampleEvent> Engagement { get; init; }

    public bool Demo => Engagement.Any(e => e is { Type: "demo", BotReason: null });

    public bool Pricing => Engagement.Any(e => e is { Type: "pricing", BotReason: null });

    /// <summary>Null: never qualified so far.</summary>
    public SampleDeal? Deal { get; set; }

    /// <summary>Events of people of one type.</summary>
    public int Count(string type) => Engagement.Count(e => e.BotReason is null && string.Equals(e.Type, type, StringComparison.Ordinal));
}

/// <summary>One row of <c>lead_engagement_events</c>.</summary>
internal readonly record struct SampleEvent(string Type, DateTime At, string Source, string? BotReason = null);

/// <summary>A deal: a row of <c>sales_pipeline</c> with its stages, and its truth.</summary>
internal sealed class SampleDeal
{
    public required DateTime QualifiedAt { get; init; }

    /// <summary>Null: nobody yet.</summary>
    public required SampleRep? Rep { get; init; }

    /// <summary>Whether the welcome campaign ran (true), was withheld by lot (false), or did not exist yet (null).</summary>
    public required bool? Welcomed { get; init; }

    /// <summary>The same for the follow-up of proposals; null also where no proposal was made.</summary>
    public required bool? ProposalFollowedUp { get; init; }

    /// <summary>Known to the truth also where it has not happened yet.</summary>
    public required DateTime FirstContactAt { get; init; }

    public double FirstContactHours => (FirstContactAt - QualifiedAt).TotalHours;

    /// <summary>Seen from qualification.</summary>
    public required double WinProbability { get; init; }

    /// <summary>Every stage entered and when; the first is <see cref="Stage.Qualified"/>.</summary>
    public required IReadOnlyList<(Stage Stage, DateTime At)> Stages { get; init; }

    public Stage Stage => Stages[^1].Stage;

    public bool IsClosed => Stage >= Stage.ClosedWon;

    public DateTime? ClosedAt => IsClosed ? Stages[^1].At : null;

    public DateTime? Entered(Stage stage) => Stages.FirstOrDefault(s => s.Stage == stage) is { At.Ticks: > 0 } entered ? entered.At : null;
}

/// <summary>One row of <c>sales_followup_tasks</c>; completed where it has an instant of completion.</summary>
internal sealed record SampleTask(Stage Stage, string Type, DateTime CreatedAt, DateTime DueAt, string Status)
{
    public DateTime? CompletedAt { get; init; }

    /// <summary>What came of a contact: answered, no_answer, replied, no_reply.</summary>
    public string? Outcome { get; init; }
}

/// <summary>One row of <c>sales_campaign_executions</c> with its events.</summary>
internal sealed record SampleExecution(int Campaign, string Status, int Step, int Steps, DateTime StartedAt, string Variant)
{
    public DateTime? CompletedAt { get; init; }

    public DateTime? NextActionAt { get; init; }

    public required IReadOnlyList<SampleCampaignEvent> Events { get; init; }
}

/// <summary>One row of <c>sales_campaign_events</c>.</summary>
internal readonly record struct SampleCampaignEvent(int Step, string Type, string Status, DateTime At);

/// <summary>A lead with everything that happened around it: the rows of all tables.</summary>
internal sealed record SampleStory(SampleLead Lead)
{
    public IReadOnlyList<SampleTask> Tasks { get; init; } = [];

    public IReadOnlyList<SampleExecution> Executions { get; init; } = [];

    /// <summary>What the lead did after qualification.</summary>
    public IReadOnlyList<SampleEvent> LaterEngagement { get; init; } = [];
}
