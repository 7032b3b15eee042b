namespace SalesTasks.Impact;

/// <summary>What is compared between the groups: a mean per lead, or a ratio of two means.</summary>
/// <param name="Name">In JSON and for people who script.</param>
/// <param name="Numerator">Its sum over the leads stands above the line.</param>
/// <param name="Denominator">Its sum stands below; null: the number of leads.</param>
/// <param name="HigherIsBetter">False for times and for abandoned leads.</param>
/// <param name="IsShare">Between 0 and 1.</param>
internal sealed record Indicator(string Name, Outcome Numerator, Outcome? Denominator, bool HigherIsBetter, bool IsShare)
{
    /// <summary>Covariates: known before assignment, so that chance differences between the groups can be taken out.</summary>
    public static IReadOnlyList<Outcome> Covariates { get; } = [Outcome.Score, Outcome.LogValue, Outcome.ValueKnown, Outcome.SourceShare];

    /// <summary>The first one is the one an experiment is judged by.</summary>
    public static IReadOnlyList<Indicator> All { get; } =
    [
        new("conversion", Outcome.Won, null, HigherIsBetter: true, IsShare: true),
        new("win_rate", Outcome.Won, Outcome.Closed, HigherIsBetter: true, IsShare: true),
        new("hours_to_first_contact", Outcome.ContactHours, null, HigherIsBetter: false, IsShare: false),
        new("days_to_close", Outcome.CloseDays, null, HigherIsBetter: false, IsShare: false),
        new("revenue_per_lead", Outcome.Revenue, null, HigherIsBetter: true, IsShare: false),
        new("tasks_on_time", Outcome.TasksOnTime, Outcome.TasksDue, HigherIsBetter: true, IsShare: true),
        new("abandoned", Outcome.Abandoned, null, HigherIsBetter: false, IsShare: true),
    ];
}
