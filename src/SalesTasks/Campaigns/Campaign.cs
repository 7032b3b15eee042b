namespace SalesTasks.Campaigns;

/// <summary>What a step does.</summary>
internal enum StepType
{
    Email,
    Call,
    Task,
    Slack,
}

/// <summary>Which deals a campaign takes in; null or empty: any. Every criterion has to hold.</summary>
internal sealed record TriggerCriteria
{
    public IReadOnlyList<string> Stages { get; init; } = [];

    public int? ScoreMin { get; init; }

    public int? ScoreMax { get; init; }

    public IReadOnlyList<string> Priorities { get; init; } = [];

    /// <summary>Compared without case.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    /// <summary>Compared without case.</summary>
    public IReadOnlyList<string> UtmCampaigns { get; init; } = [];

    public decimal? EstimatedValueMin { get; init; }

    /// <summary>Days since the last contact, since qualification where there was none.</summary>
    public int? DaysSinceContactMin { get; init; }
}

/// <summary>Hours of the week on the lead's clock. ISO days, 1 = Monday.</summary>
internal sealed record SendWindow(IReadOnlyList<int> Days, TimeOnly Start, TimeOnly End)
{
    /// <summary>The hours in both windows; null where there are none.</summary>
    public SendWindow? Within(SendWindow other)
    {
        var days = Days.Intersect(other.Days).Order().ToList();
        var start = Start > other.Start ? Start : other.Start;
        var end = End < other.End ? End : other.End;
        return days.Count > 0 && start < end ? new SendWindow(days, start, end) : null;
    }

    public override string ToString() => $"days {string.Join(", ", Days)}, {Start:HH':'mm}–{End:HH':'mm}";
}

/// <summary>A window of a step's own; what it leaves out comes from the sending policy.</summary>
internal sealed record StepWindow(IReadOnlyList<int>? Days, TimeOnly? Start, TimeOnly? End)
{
    /// <summary>Narrows the policy's window; null where nothing is left.</summary>
    public SendWindow? Within(SendWindow policy) =>
        new SendWindow(Days ?? policy.Days, Start ?? policy.Start, End ?? policy.End).Within(policy);
}

/// <summary>The texts of a step in one language. All are templates.</summary>
/// <param name="Subject">Of an e-mail, call or task.</param>
/// <param name="Body">Plain text.</param>
/// <param name="Html">Of an e-mail; its values are escaped.</param>
internal sealed record StepTexts(Template? Subject, Template? Body, Template? Html);

/// <summary>One way to write a step. Texts by language; "" where they are in one language only.</summary>
internal sealed record Variant(string Name, int Weight, IReadOnlyDictionary<string, StepTexts> Texts)
{
    /// <summary>The texts for a lead who speaks this language: theirs, else English, else what there is.</summary>
    public (string Language, StepTexts Texts) For(string? language)
    {
        var wanted = Languages.Of(language) ?? Languages.English;
        return Texts.TryGetValue(wanted, out var own) ? (wanted, own)
            : Texts.TryGetValue("", out var only) ? (wanted, only)
            : Texts.TryGetValue(Languages.English, out var english) ? (Languages.English, english)
            : (Texts.First().Key, Texts.First().Value);
    }
}

/// <summary>One step of a campaign.</summary>
internal sealed record CampaignStep(StepType Type, TimeSpan Delay)
{
    /// <summary>One or more; a step without variants has one without a name.</summary>
    public required IReadOnlyList<Variant> Variants { get; init; }

    public StepWindow? Window { get; init; }

    /// <summary>Of the follow-up task that a task step makes.</summary>
    public string TaskType { get; init; } = "custom";

    public string TaskPriority { get; init; } = "medium";

    /// <summary>When that task is due, from its making.</summary>
    public TimeSpan Due { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The event that records the step.</summary>
    public string EventType => Type switch
    {
        StepType.Email => "email_sent",
        StepType.Call => "call_made",
        _ => "custom",
    };
}

/// <summary>A checked campaign.</summary>
internal sealed record Campaign
{
    public required string Name { get; init; }

    public string? Description { get; init; }

    public required string Type { get; init; }

    public required TriggerCriteria Criteria { get; init; }

    public required IReadOnlyList<CampaignStep> Steps { get; init; }

    /// <summary>Whether a new campaign begins at once; those that exist are switched by enable and disable only.</summary>
    public bool Enabled { get; init; }

    /// <summary>0: no limit.</summary>
    public int MaxLeadsPerRun { get; init; } = 50;

    public bool Uses(StepType type) => Steps.Any(step => step.Type == type);
}

/// <summary>The languages texts can be given in.</summary>
internal static class Languages
{
    public const string English = "en";
    public const string Spanish = "es";

    public static readonly string[] All = [English, Spanish];

    /// <summary>The language of a tag such as es-MX or ES_ar; null for one without texts.</summary>
    public static string? Of(string? tag)
    {
        var name = tag?.Trim().Split('-', '_')[0];
        return Array.Find(All, language => string.Equals(language, name, StringComparison.OrdinalIgnoreCase));
    }
}
