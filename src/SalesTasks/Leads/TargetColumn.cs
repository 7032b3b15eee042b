namespace SalesTasks.Leads;

/// <summary>How the text of a source becomes the value of a column.</summary>
internal enum ValueKind
{
    Text,
    Email,
    Domain,
    Language,
    TimeZone,
    Flag,
    Instant,
    Amount,
    EventType,
}

/// <summary>What an import may fill.</summary>
/// <param name="Name">As in the database and in mappings.</param>
/// <param name="Kind">How it is read.</param>
/// <param name="MaxLength">Most characters of a text; 0 for other kinds.</param>
/// <param name="OtherNames">Further column names that mean it where there is no mapping, compared without case and punctuation.</param>
internal sealed record TargetColumn(string Name, ValueKind Kind, int MaxLength = 0, params string[] OtherNames)
{
    /// <summary>Where its values stand among those of a row.</summary>
    public int Index { get; init; }

    /// <summary>Numbers the columns in the order given, which is that of the COPY statement.</summary>
    public static TargetColumn[] Numbered(params TargetColumn[] columns) => [.. columns.Select((column, index) => column with { Index = index })];
}

/// <summary>The columns of <c>leads</c> that a source may fill. Score and priority are not among them: scoring owns them.</summary>
internal static class LeadColumns
{
    public static readonly IReadOnlyList<TargetColumn> All = TargetColumn.Numbered(
        new("ext_id", ValueKind.Text, 128, "external_id"),
        new("source", ValueKind.Text, 32, "lead_source"),
        new("first_name", ValueKind.Text, 128, "given_name"),
        new("last_name", ValueKind.Text, 128, "surname", "family_name"),
        new("email", ValueKind.Email, 256, "email_address"),
        new("phone", ValueKind.Text, 64, "phone_number", "telephone", "mobile"),
        new("utm_source", ValueKind.Text, 128),
        new("utm_campaign", ValueKind.Text, 128),
        new("created_at", ValueKind.Instant, 0, "created", "create_date"),
        new("company_name", ValueKind.Text, 256, "company"),
        new("company_domain", ValueKind.Domain, 253),
        new("website_visited", ValueKind.Flag),
        new("demo_requested", ValueKind.Flag),
        new("pricing_page_viewed", ValueKind.Flag),
        new("industry", ValueKind.Text, 64),
        new("product_interest", ValueKind.Text, 64),
        new("language", ValueKind.Language, 16),
        new("country", ValueKind.Text, 64),
        new("region", ValueKind.Text, 64),
        new("time_zone", ValueKind.TimeZone, 64),
        new("consent_email", ValueKind.Flag),
        new("consent_phone", ValueKind.Flag),
        new("estimated_value", ValueKind.Amount));

    public static readonly TargetColumn ExtId = All[0];

    public static readonly TargetColumn Source = All[1];

    public static readonly TargetColumn Phone = All[5];
}

/// <summary>The columns of an engagement event.</summary>
internal static class EventColumns
{
    public static readonly IReadOnlyList<TargetColumn> All = TargetColumn.Numbered(
        new("lead_ext_id", ValueKind.Text, 128, "ext_id", "external_id"),
        new("email", ValueKind.Email, 256, "email_address", "recipient"),
        new("event_type", ValueKind.EventType, 0, "event", "type"),
        new("occurred_at", ValueKind.Instant, 0, "timestamp", "event_time"),
        new("source", ValueKind.Text, 64),
        new("source_event_id", ValueKind.Text, 128, "event_id"),
        new("user_agent", ValueKind.Text, 1000),
        new("url", ValueKind.Text, 2000, "link"),
        new("delivered_at", ValueKind.Instant),
        new("is_bot", ValueKind.Flag));

    public static readonly TargetColumn LeadExtId = All[0];

    public static readonly TargetColumn Email = All[1];

    public static readonly TargetColumn EventType = All[2];

    public static readonly TargetColumn OccurredAt = All[3];

    public static readonly TargetColumn Source = All[4];

    public static readonly TargetColumn SourceEventId = All[5];

    public static readonly TargetColumn UserAgent = All[6];

    public static readonly TargetColumn Url = All[7];

    public static readonly TargetColumn DeliveredAt = All[8];

    public static readonly TargetColumn IsBot = All[9];
}
