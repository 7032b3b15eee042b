namespace SalesTasks.Tests.Scoring;

/// <summary>A lead as a source may deliver it, with what it did.</summary>
internal sealed record SampleLead(
    string ExtId,
    string Source,
    string? FirstName,
    string? LastName,
    string? Email,
    string? Phone,
    string? UtmSource,
    string? UtmCampaign,
    DateTime? CreatedAt,
    string? CompanyDomain,
    bool WebsiteVisited,
    bool DemoRequested,
    bool PricingPageViewed,
    IReadOnlyList<(string Type, bool IsBot)> Events)
{
    public bool HasEmail => Email is not null && DomainOf(Email) is not null;

    /// <summary>More than five digits, whatever is between them.</summary>
    public bool HasPhone => Phone is not null && Phone.Count(c => c is >= '0' and <= '9') > 5;

    public bool HasName => !IsBlank(FirstName) || !IsBlank(LastName);

    public bool HasUtm => !IsBlank(UtmSource) || !IsBlank(UtmCampaign);

    /// <summary>The company's domain as the point table wants it: none for free mail.</summary>
    public string? Domain
    {
        get
        {
            var domain = (IsBlank(CompanyDomain) ? (Email is null ? null : DomainOf(Email)) : CompanyDomain!.Trim(' ', '\t', '\r', '\n'))?.ToLowerInvariant();
            return domain is "gmail.com" or "hotmail.com" or "yahoo.es" or "web.de" ? null : domain;
        }
    }

    public int Count(string type) => Events.Count(e => e.Type == type && !e.IsBot);

    public int Bots => Events.Count(e => e.IsBot);

    /// <summary>Whole days since creation; null when that is not known.</summary>
    public int? AgeInDays(DateTimeOffset at) => CreatedAt is { } created ? (int)Math.Floor((at.UtcDateTime - created) / TimeSpan.FromDays(1)) : null;

    /// <summary>Runs of letters and digits, in small letters.</summary>
    public IEnumerable<string> SourceWords()
    {
        var word = "";
        foreach (var c in Source.ToLowerInvariant() + " ")
        {
            if (char.IsLetterOrDigit(c))
            {
                word += c;
            }
            else if (word.Length > 0)
            {
                yield return word;
                word = "";
            }
        }
    }

    /// <summary>What follows the one @, where the address has a local part and a name with a dot that ends in two characters or more.</summary>
    private static string? DomainOf(string email)
    {
        var parts = email.Split('@');
        if (parts.Length != 2 || parts[0].Length == 0 || email.Any(c => c is ' ' or '\t' or '\r' or '\n'))
        {
            return null;
        }

        var dot = parts[1].LastIndexOf('.');
        return dot > 0 && parts[1].Length - dot - 1 >= 2 ? parts[1] : null;
    }

    private static bool IsBlank(string? text) => text is null || text.Trim(' ', '\t', '\r', '\n').Length == 0;
}

/// <summary>The point table of lead scoring, stated once more and in another way than the database does.</summary>
/// <param name="Numbers">By the name of the rule; the default table where it is not named.</param>
/// <param name="Words">Points of source words.</param>
internal sealed record PointTable(IReadOnlyDictionary<string, decimal> Numbers, IReadOnlyDictionary<string, int> Words)
{
    public static PointTable Default { get; } = new(
        new Dictionary<string, decimal>
        {
            ["base_points"] = 20,
            ["email_points"] = 10,
            ["phone_points"] = 5,
            ["name_points"] = 5,
            ["reply_1_points"] = 15,
            ["reply_2_points"] = 25,
            ["click_1_points"] = 8,
            ["click_2_points"] = 12,
            ["open_2_points"] = 5,
            ["open_3_points"] = 10,
            ["open_4_points"] = 15,
            ["other_source_points"] = 1,
            ["utm_points"] = 2,
            ["fresh_days"] = 7,
            ["fresh_points"] = 10,
            ["recent_days"] = 30,
            ["recent_points"] = 5,
            ["edu_gov_domain_points"] = 5,
            ["short_domain_length"] = 15,
            ["short_domain_points"] = 3,
            ["website_visited_points"] = 3,
            ["demo_requested_points"] = 10,
            ["pricing_page_viewed_points"] = 5,
            ["cap"] = 100,
            ["high_priority_score"] = 50,
            ["medium_priority_score"] = 35,
            ["model_weight"] = 0.3m,
        },
        new Dictionary<string, int>
        {
            ["organic"] = 5,
            ["direct"] = 5,
            ["referral"] = 4,
            ["partner"] = 4,
            ["paid"] = 3,
            ["ad"] = 3,
            ["social"] = 2,
        });

    public int SourcePoints(SampleLead lead) =>
        lead.SourceWords().Where(Words.ContainsKey).Select(word => Words[word]).DefaultIfEmpty((int)Numbers["other_source_points"]).Max();

    public int Score(SampleLead lead, DateTimeOffset at, bool engagement, int? model)
    {
        int Of(string rule) => (int)Numbers[rule];
        int Count(string type) => engagement ? lead.Count(type) : 0;
        var sum = Of("base_points") + SourcePoints(lead);
        sum += lead.HasEmail ? Of("email_points") : 0;
        sum += lead.HasPhone ? Of("phone_points") : 0;
        sum += lead.HasName ? Of("name_points") : 0;
        sum += lead.HasUtm ? Of("utm_points") : 0;
        sum += Count("reply") switch { 0 => 0, 1 => Of("reply_1_points"), _ => Of("reply_2_points") };
        sum += Count("click") switch { 0 => 0, 1 => Of("click_1_points"), _ => Of("click_2_points") };
        sum += Count("open") switch { < 2 => 0, 2 => Of("open_2_points"), 3 => Of("open_3_points"), _ => Of("open_4_points") };
        sum += lead.WebsiteVisited || Count("visit") > 0 ? Of("website_visited_points") : 0;
        sum += lead.DemoRequested || Count("demo") > 0 ? Of("demo_requested_points") : 0;
        sum += lead.PricingPageViewed || Count("pricing") > 0 ? Of("pricing_page_viewed_points") : 0;
        if (lead.AgeInDays(at) is { } days)
        {
            sum += days <= Of("fresh_days") ? Of("fresh_points") : days <= Of("recent_days") ? Of("recent_points") : 0;
        }

        if (lead.Domain is { } domain)
        {
            sum += domain.EndsWith(".edu", StringComparison.Ordinal) || domain.EndsWith(".gov", StringComparison.Ordinal) ? Of("edu_gov_domain_points")
                : domain.EnumerateRunes().Count() < Of("short_domain_length") ? Of("short_domain_points") : 0;
        }

        var capped = Math.Clamp(sum, 0, Of("cap"));
        return model is not { } predicted ? capped
            : (int)Math.Round(((1 - Numbers["model_weight"]) * capped) + (Numbers["model_weight"] * predicted), MidpointRounding.AwayFromZero);
    }

    public string Priority(int score) =>
        score >= Numbers["high_priority_score"] ? "high" : score >= Numbers["medium_priority_score"] ? "medium" : "low";
}
