namespace SalesTasks.Crm;

internal enum OurType
{
    Text,

    /// <summary>Compared without case and outer blanks.</summary>
    Email,

    /// <summary>Whole or with two decimals.</summary>
    Number,
    Instant,
    Day,
    Stage,
    Owner,
}

/// <summary>A field of ours that a mapping may name.</summary>
/// <param name="Name">As in the mapping file and in the database.</param>
/// <param name="Type">What its values are.</param>
/// <param name="MaxLength">Characters the database takes; 0: any number.</param>
internal sealed record OurField(string Name, OurType Type, int MaxLength = 0)
{
    /// <summary>Calculated here: an edit in the CRM is overwritten, and journaled.</summary>
    public bool Computed { get; init; }

    /// <summary>Sent with a new record and left alone afterwards: a proposal, which the CRM's users change as they like.</summary>
    public bool OnlyNew { get; init; }

    /// <summary>The range of a number.</summary>
    public decimal Max { get; init; } = 9_999_999_999.99m;

    public int Decimals { get; init; } = 2;
}

/// <summary>The fields of ours that can be kept in step. Each is read by facts.sql and, unless computed, written by apply_*.sql of its object.</summary>
internal static class CrmFields
{
    private static readonly OurField[] s_lead =
    [
        new("email", OurType.Email, 256), new("first_name", OurType.Text, 128), new("last_name", OurType.Text, 128), new("phone", OurType.Text, 64),
        new("company_name", OurType.Text, 256), new("industry", OurType.Text, 64), new("country", OurType.Text, 64), new("region", OurType.Text, 64),
        new("language", OurType.Text, 16),
        new("score", OurType.Number) { Computed = true }, new("priority", OurType.Text) { Computed = true }, new("source", OurType.Text) { Computed = true },
        new("utm_source", OurType.Text) { Computed = true }, new("utm_campaign", OurType.Text) { Computed = true },
    ];

    private static readonly OurField[] s_deal =
    [
        new("stage", OurType.Stage), new("assigned_to", OurType.Owner, 256), new("estimated_value", OurType.Number),
        new("probability_pct", OurType.Number) { Max = 100, Decimals = 0 }, new("next_followup_at", OurType.Instant), new("notes", OurType.Text),
        new("name", OurType.Text) { Computed = true, OnlyNew = true }, new("expected_close", OurType.Day) { Computed = true, OnlyNew = true },
        new("score", OurType.Number) { Computed = true }, new("priority", OurType.Text) { Computed = true },
    ];

    public static IReadOnlyList<OurField> Of(CrmObject kind) => kind is CrmObject.Lead ? s_lead : s_deal;
}
