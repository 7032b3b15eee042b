namespace SalesTasks.Demo;

/// <summary>Which sample: equal options give equal rows.</summary>
/// <param name="Present">Nothing in the sample happened later. Whole seconds.</param>
internal sealed record SampleOptions(DateTimeOffset Present)
{
    public const int FewestLeads = 100;
    public const int MostLeads = 1_000_000;

    /// <summary>How far the sample reaches back.</summary>
    public const int HistoryDays = 730;

    public int Leads { get; init; } = 10_000;

    public long Seed { get; init; } = 1;

    public int Reps => Math.Max(5, Leads / 200);

    public long Tasks => 10L * Leads;

    /// <summary>The present, UTC: the generator reckons in plain instants.</summary>
    public DateTime AsOf => Present.UtcDateTime;

    public DateTime Start => AsOf.AddDays(-HistoryDays);
}
