namespace SalesTasks.Demo;

/// <summary>Where leads live. Weights of all markets add up to 1.</summary>
/// <param name="Country">ISO 3166 code, as in <c>leads.country</c>.</param>
/// <param name="Region">Sales region, as in <c>leads.region</c> and <c>sales_reps.regions</c>.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="Language">What most people there speak, ISO 639-1.</param>
/// <param name="Weight">Share of companies and private persons.</param>
internal sealed record Market(string Country, string Region, string TimeZone, string Language, double Weight);

/// <summary>What is sold.</summary>
/// <param name="Name">As in <c>leads.product_interest</c>.</param>
/// <param name="Weight">Share of companies' leads.</param>
/// <param name="PrivateWeight">Share of private persons.</param>
/// <param name="MedianValue">Of the deal value, which is log-normal.</param>
/// <param name="Sigma">Standard deviation of the value's logarithm.</param>
/// <param name="WinEffect">Added to the win logit.</param>
/// <param name="Pace">Stays in stages are this many times the usual.</param>
internal sealed record Product(
    string Name, double Weight, double PrivateWeight, double MedianValue, double Sigma, double WinEffect, double Pace);

/// <summary>A company's industry, which is also the segment of contact habits. Null name: private person.</summary>
/// <param name="Name">As in <c>leads.industry</c>.</param>
/// <param name="Weight">Share of companies.</param>
/// <param name="WinEffect">Added to the win logit.</param>
/// <param name="BestWeekday">ISO day (1 = Monday) on which it is reached best.</param>
/// <param name="BestHour">Hour of the local day, 0–23, in which it is reached best.</param>
/// <param name="BestGapDays">Days between two contacts after which it answers best.</param>
internal sealed record Industry(string? Name, double Weight, double WinEffect, int BestWeekday, int BestHour, double BestGapDays)
{
    public string Segment => Name ?? "private";
}

/// <summary>Where leads come from.</summary>
/// <param name="Name">As in <c>leads.source</c>.</param>
/// <param name="Weight">Share of leads at the start of the two years.</param>
/// <param name="Growth">Weight at the end of the two years against that at their start.</param>
/// <param name="WinEffect">Added to the win logit.</param>
/// <param name="UtmSource">As in <c>leads.utm_source</c>; null: none.</param>
internal sealed record Source(string Name, double Weight, double Growth, double WinEffect, string? UtmSource);

/// <summary>What the fictional company of the sample sells, where, to whom.</summary>
internal static class SampleWorld
{
    public static readonly Market[] Markets =
    [
        new("ES", "Iberia", "Europe/Madrid", "es", 0.16),
        new("PT", "Iberia", "Europe/Lisbon", "pt", 0.02),
        new("MX", "LATAM", "America/Mexico_City", "es", 0.12),
        new("CO", "LATAM", "America/Bogota", "es", 0.06),
        new("AR", "LATAM", "America/Argentina/Buenos_Aires", "es", 0.06),
        new("CL", "LATAM", "America/Santiago", "es", 0.04),
        new("US", "North America", "America/New_York", "en", 0.16),
        new("US", "North America", "America/Chicago", "en", 0.08),
        new("US", "North America", "America/Los_Angeles", "en", 0.09),
        new("GB", "UK", "Europe/London", "en", 0.08),
        new("DE", "DACH", "Europe/Berlin", "de", 0.05),
        new("FR", "France", "Europe/Paris", "fr", 0.04),
        new("BR", "Brazil", "America/Sao_Paulo", "pt", 0.04),
    ];

    public static readonly string[] Regions = [.. Markets.Select(market => market.Region).Distinct(StringComparer.Ordinal)];

    public static readonly Product[] Products =
    [
        new("Starter", 0.30, 0.75, 1_200, 0.45, 0.35, 0.45),
        new("Team", 0.27, 0.20, 4_800, 0.50, 0.15, 0.75),
        new("Analytics", 0.20, 0.05, 9_500, 0.55, 0, 1),
        new("Integration", 0.13, 0, 18_000, 0.60, -0.15, 1.25),
        new("Enterprise", 0.10, 0, 52_000, 0.70, -0.50, 1.8),
    ];

    public static readonly Industry Private = new(null, 0, -0.20, 2, 18, 3);

    public static readonly Industry[] Industries =
    [
        new("software", 0.18, 0.20, 3, 16, 2),
        new("manufacturing", 0.14, 0.10, 2, 9, 4),
        new("healthcare", 0.12, 0, 4, 8, 4),
        new("education", 0.10, -0.10, 3, 15, 5),
        new("retail", 0.14, -0.20, 2, 10, 3),
        new("hospitality", 0.10, -0.35, 2, 15, 3),
        new("finance", 0.12, 0.15, 4, 17, 2),
        new("construction", 0.10, -0.10, 1, 8, 3),
    ];

    public static readonly Source[] Sources =
    [
        new("organic", 0.20, 1, 0.15, null),
        new("direct", 0.12, 1, 0.25, null),
        new("referral", 0.10, 0.8, 0.65, null),
        new("partner", 0.07, 1, 0.45, null),
        new("paid_search", 0.17, 1, -0.20, "google"),
        new("paid_social", 0.12, 2.2, -0.45, "facebook"),
        new("linkedin_ad", 0.05, 1.5, -0.20, "linkedin"),
        new("webinar", 0.06, 1, 0.10, "newsletter"),
        new("event", 0.04, 1, 0.20, null),
        new("manychat", 0.05, 2, -0.35, "instagram"),
        new("import", 0.02, 1, -0.60, null),
    ];

    /// <summary>Weight of a lead's arrival in each hour of its local day.</summary>
    public static readonly double[] ArrivalHours =
        [0.3, 0.15, 0.1, 0.1, 0.1, 0.2, 0.5, 1.2, 2.5, 4, 4.8, 4.8, 4, 3.2, 3.8, 4.5, 4.6, 4, 3, 2.4, 2.2, 2, 1.4, 0.7];

    /// <summary>Weight of a contact in each hour of the lead's local day: wide, so that every slot is tried.</summary>
    public static readonly double[] ContactHours =
        [0, 0, 0, 0, 0, 0, 0, 0, 0.07, 0.11, 0.12, 0.11, 0.08, 0.07, 0.09, 0.10, 0.10, 0.08, 0.05, 0.02, 0, 0, 0, 0];
}
