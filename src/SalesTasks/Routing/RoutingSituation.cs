namespace SalesTasks.Routing;

/// <summary>A rep as a run sees it. Words are folded (lower case, languages without their country).</summary>
internal sealed record RoutingRep
{
    public required string Email { get; init; }

    public bool Active { get; init; } = true;

    public bool Absent { get; init; }

    /// <summary>Null: the run's.</summary>
    public int? Capacity { get; init; }

    /// <summary>Null: the run's.</summary>
    public int? Minimum { get; init; }

    /// <summary>Open deals, stale ones included: a place that a reassignment frees is given away by the next run, when it is really free.</summary>
    public int Load { get; init; }

    public int OverdueTasks { get; init; }

    public double Weight { get; init; } = 1;

    public string[] Specialisations { get; init; } = [];

    /// <summary>Empty: any.</summary>
    public string[] Languages { get; init; } = [];

    /// <summary>Empty: any.</summary>
    public string[] Regions { get; init; } = [];

    public RepSkill Skill { get; init; } = RepSkill.Unknown;
}

/// <summary>What a rep's closed deals tell, as shrunk log-odds against the team's for the same leads; see <see cref="WinRates"/>.</summary>
/// <param name="Deals">Closed deals it was learned from.</param>
/// <param name="Won">Of these.</param>
/// <param name="Overall">Over all leads.</param>
/// <param name="Products">Further to that, by product; empty where nothing is known.</param>
/// <param name="Regions">Further to these, by region; empty where nothing is known.</param>
internal sealed record RepSkill(int Deals, int Won, double Overall, double[] Products, double[] Regions)
{
    public static readonly RepSkill Unknown = new(0, 0, 0, [], []);
}

/// <summary>What decides who may have a lead. Folded; empty where the lead does not say.</summary>
internal readonly record struct LeadClass(string Language, string Region, string Country)
{
    /// <summary>What win rates go by.</summary>
    public string RegionOrCountry => Region.Length > 0 ? Region : Country;
}

internal enum LeadKind
{
    /// <summary>Nobody has it.</summary>
    Unassigned,

    /// <summary>A rep has it who is not active any more.</summary>
    Orphaned,

    /// <summary>A rep has it and has not contacted it for long.</summary>
    Stale,
}

/// <summary>A lead that a run decides about.</summary>
internal sealed record RoutingLead
{
    public const int OwnerIsNoRep = -2;
    public const int NoOwner = -1;

    public required long LeadId { get; init; }

    /// <summary>Its row in <c>sales_pipeline</c>.</summary>
    public long PipelineId { get; init; }

    public LeadKind Kind { get; init; }

    /// <summary>Place in <see cref="RoutingSituation.Classes"/>.</summary>
    public int Class { get; init; }

    /// <summary>Place in <see cref="RoutingSituation.Products"/>.</summary>
    public int Product { get; init; }

    /// <summary>Money; that of a typical lead where it is not known.</summary>
    public required double Value { get; init; }

    public bool ValueKnown { get; init; } = true;

    /// <summary>Of winning it with an average rep, 0.01 to 0.99.</summary>
    public required double Probability { get; init; }

    /// <summary>Place in <see cref="RoutingSituation.Reps"/>, or one of the constants above.</summary>
    public int Owner { get; init; } = NoOwner;

    /// <summary>As it stands in the row; null where there is none.</summary>
    public string? OwnerName { get; init; }

    public DateTimeOffset? ContactedAt { get; init; }

    /// <summary>Days without contact by the owner; null where nobody has it.</summary>
    public double? SilentDays { get; init; }

    /// <summary>Days the owner has had it; null where nobody has it.</summary>
    public double? OwnedDays { get; init; }

    /// <summary>How often it was passed on.</summary>
    public int Hops { get; init; }

    /// <summary>What is expected of it with an average rep.</summary>
    public double ExpectedValue => Value * Probability;
}

/// <summary>All that a plan is made from, as of one instant.</summary>
internal sealed record RoutingSituation
{
    public required IReadOnlyList<RoutingRep> Reps { get; init; }

    public required IReadOnlyList<LeadClass> Classes { get; init; }

    /// <summary>Product interests and industries, folded.</summary>
    public required IReadOnlyList<string> Products { get; init; }

    /// <summary>Regions and countries that win rates know.</summary>
    public required IReadOnlyList<string> Regions { get; init; }

    /// <summary>In their turn: by priority.</summary>
    public required IReadOnlyList<RoutingLead> Leads { get; init; }

    /// <summary>Breaks ties; taken from the run's identity.</summary>
    public required long Seed { get; init; }

    public double TeamWinRate { get; init; }
}
