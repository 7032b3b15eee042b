using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Leads full of what lead sources really send, reproducible by their seed.</summary>
internal static class Samples
{
    private static readonly string?[] s_names = [null, "", " ", "\t\n", "Ana", "José María", "李", "O'Neil", "-", "  x  "];

    private static readonly string?[] s_emails =
    [
        null, "", " ", "ana@acme.com", "ANA@ACME.COM", "ana@gmail.com", "Ana@GMAIL.com", "ana@mit.edu", "ana@MIT.EDU", "ana@nasa.gov", "no-at-sign",
        "@acme.com", "ana@", "ana@host", "ana@.com", "ana@a.b", "ana@x.co", "a@b@c", "a@b@gmail.com", "ana @acme.com", "ana@acme .com", " ana@acme.com",
        "ana@acme.com ", "ana@twelve-ch.es", "ana@thirteen.city", "ana@fourteen-c.com", "ana@fifteen-chr.com", "josé@compañía.es", "ana@例え.jp",
        "ana@exämple-ü.com", "ana@exämple-üé.com", "ana+tag@sub.dept.uni.edu", "ana@acme.com.", "ana@acme..com", "ana@web.de", "ana@yahoo.es", "ana\n@acme.com",
        new string('a', 245) + "@acme.com", "a@" + new string('b', 248) + ".com",
    ];

    private static readonly string?[] s_phones =
    [
        null, "", "  ", "12345", "123456", "+34 600 1", "+34 600 12", "12345 ext. 6", "1-2-3-4-5", "1-2-3-4-5-6", "(600) 12 34 56", "abcdef", "٠١٢٣٤٥٦",
        "+1 (212) 555-0100 x 12", new string('9', 64), "1 2 3 4 5 x", "tel:12345/6",
    ];

    private static readonly string[] s_sources =
    [
        "organic", "Organic Search", "direct", "DIRECT Traffic", "referral", "Referral-Partner", "partner", "paid", "paid-social", "paid_search", "social",
        "Social Media", "ad", "Ads", "AD", "ad.", "google/ad", "radio", "broadcast", "addition", "unpaid", "antisocial", "indirect", "Google", "", " ",
        "event", "Olark Chat", "adé", "éad", "ad-é", "día", "广告", "广告 ad", "organic+paid", "social|direct", "x ad y", "partnership", "(ad)", "ad2", "2ad",
    ];

    private static readonly string?[] s_utms = [null, "", " ", "\t", "newsletter", "spring-24", "0"];

    private static readonly string?[] s_domains =
    [
        null, null, null, "", " ", "\t", "acme.com", "ACME.COM", " acme.com ", "gmail.com", "GMAIL.COM", " Hotmail.com\n", "mit.edu", "MIT.EDU",
        "Whitehouse.GOV", "edu", ".edu", "xedu", "my-edu.com", "a-very-long-university-name.edu", "fourteen-c.com", "fifteen-chr.com", "fourtéen-c.com",
        "fiftéen-chrs.com", "例え.jp", "👍👍👍👍👍👍👍👍👍👍.com", "👍👍👍👍👍👍👍👍👍👍👍.com", "x",
    ];

    private static readonly string[] s_types = ["reply", "click", "open", "visit", "demo", "pricing"];

    /// <summary>Leads named sample-1 and on; ages are measured at <paramref name="at"/>.</summary>
    public static IReadOnlyList<SampleLead> Leads(int count, int seed, DateTimeOffset at)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(1, count).Select(i => new SampleLead(
                $"sample-{i}", Pick(random, s_sources), Pick(random, s_names), Pick(random, s_names), Pick(random, s_emails), Pick(random, s_phones),
                Pick(random, s_utms), Pick(random, s_utms), Created(random, at.UtcDateTime), Pick(random, s_domains), random.Next(4) == 0,
                random.Next(4) == 0, random.Next(4) == 0, Events(random))),
        ];
    }

    /// <summary>Stores the leads, without their events.</summary>
    public static Task InsertAsync(TestDatabase database, IReadOnlyList<SampleLead> leads) => database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at, company_domain, website_visited,
          demo_requested, pricing_page_viewed)
        SELECT * FROM unnest(@ids, @sources, @first_names, @last_names, @emails, @phones, @utm_sources, @utm_campaigns, @created, @domains, @visited,
          @demo, @pricing)
        """,
        ("ids", leads.Select(l => l.ExtId).ToArray()),
        ("sources", leads.Select(l => l.Source).ToArray()),
        ("first_names", leads.Select(l => l.FirstName).ToArray()),
        ("last_names", leads.Select(l => l.LastName).ToArray()),
        ("emails", leads.Select(l => l.Email).ToArray()),
        ("phones", leads.Select(l => l.Phone).ToArray()),
        ("utm_sources", leads.Select(l => l.UtmSource).ToArray()),
        ("utm_campaigns", leads.Select(l => l.UtmCampaign).ToArray()),
        ("created", leads.Select(l => l.CreatedAt).ToArray()),
        ("domains", leads.Select(l => l.CompanyDomain).ToArray()),
        ("visited", leads.Select(l => l.WebsiteVisited).ToArray()),
        ("demo", leads.Select(l => l.DemoRequested).ToArray()),
        ("pricing", leads.Select(l => l.PricingPageViewed).ToArray()));

    /// <summary>Stores the events of the leads, in the order given.</summary>
    public static Task InsertEventsAsync(TestDatabase database, IEnumerable<(string ExtId, string Type, bool IsBot)> events)
    {
        var rows = events.ToList();
        return database.ExecuteAsync(
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type, is_bot) SELECT * FROM unnest(@ids, @types, @bots)",
            ("ids", rows.Select(e => e.ExtId).ToArray()), ("types", rows.Select(e => e.Type).ToArray()), ("bots", rows.Select(e => e.IsBot).ToArray()));
    }

    private static DateTime? Created(Random random, DateTime at) => random.Next(16) switch
    {
        0 => null,
        1 => at,
        2 => at.AddDays(3),
        3 => at.AddDays(-8),
        4 => at.AddDays(-8).AddMicroseconds(1),
        5 => at.AddDays(-8).AddMicroseconds(-1),
        6 => at.AddDays(-31),
        7 => at.AddDays(-31).AddMicroseconds(1),
        8 => at.AddDays(-31).AddMicroseconds(-1),
        9 => at.AddYears(-30),
        _ => at.AddMinutes(-random.Next(60 * 24 * 60)),
    };

    private static List<(string Type, bool IsBot)> Events(Random random) => random.Next(3) == 0
        ? []
        :
        [
            .. s_types.SelectMany(type => Enumerable.Range(0, random.Next(2) * random.Next(6)).Select(_ => (type, random.Next(4) == 0))),
        ];

    private static T Pick<T>(Random random, T[] values) => values[random.Next(values.Length)];
}
