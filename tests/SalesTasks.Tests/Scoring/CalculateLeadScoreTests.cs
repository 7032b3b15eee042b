using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>The contract's function, as tools call it.</summary>
public sealed class CalculateLeadScoreTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    public static TheoryData<string, int> Calls => new()
    {
        // Base 20, and a lead of today.
        { "'x'", 30 },
        { "NULL", 30 },
        { "'x', p_days_since_created => 31", 20 },
        // Positional, in the order of the contract: 20 + 25 + 12 + 15 + 10 + 5 + 5 + 4 + 2 + 5 + 3 + 3 + 10 + 5, cut at 100.
        { "'x', 2, 2, 4, true, true, true, 4, 2, 30, 'acme.com', true, true, true", 100 },
        { "'x', 1, 0, 0, true, false, true, 3, 2, 8, 'acme.com', false, false, false", 63 },
        { "'x', 0, 1, 2, false, true, false, 0, 0, 100, NULL, true, false, true", 46 },
        // Named, in any order.
        { "p_pricing_page_viewed => true, p_lead_ext_id => 'x', p_days_since_created => 100, p_engagement_replies => 1", 40 },
        { "p_lead_ext_id => 'x', p_has_email => true, p_source_score => 5, p_utm_score => 2, p_days_since_created => 7", 47 },
        // Nulls count as nothing.
        { "'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL", 20 },
        { "'x', p_days_since_created => NULL", 20 },
        // Source and UTM are capped at 5 each, and never take points away.
        { "'x', p_source_score => 99, p_days_since_created => 99", 25 },
        { "'x', p_utm_score => 99, p_days_since_created => 99", 25 },
        { "'x', p_source_score => 6, p_utm_score => 5, p_days_since_created => 99", 30 },
        { "'x', p_source_score => -9, p_utm_score => -1, p_days_since_created => 99", 20 },
        // Steps.
        { "'x', p_engagement_replies => 1, p_days_since_created => 99", 35 },
        { "'x', p_engagement_replies => 1000000, p_days_since_created => 99", 45 },
        { "'x', p_engagement_replies => -1, p_days_since_created => 99", 20 },
        { "'x', p_engagement_clicks => 1, p_days_since_created => 99", 28 },
        { "'x', p_engagement_clicks => 2, p_days_since_created => 99", 32 },
        { "'x', p_engagement_opens => 1, p_days_since_created => 99", 20 },
        { "'x', p_engagement_opens => 2, p_days_since_created => 99", 25 },
        { "'x', p_engagement_opens => 3, p_days_since_created => 99", 30 },
        { "'x', p_engagement_opens => 4, p_days_since_created => 99", 35 },
        { "'x', p_days_since_created => -5", 30 },
        { "'x', p_days_since_created => 7", 30 },
        { "'x', p_days_since_created => 8", 25 },
        { "'x', p_days_since_created => 30", 25 },
        // Domains are judged as passed: the caller leaves free mail out.
        { "'x', p_company_domain => 'gmail.com', p_days_since_created => 99", 23 },
        { "'x', p_company_domain => 'MIT.EDU', p_days_since_created => 99", 25 },
        { "'x', p_company_domain => 'a-very-long-name-of-an-agency.gov', p_days_since_created => 99", 25 },
        { "'x', p_company_domain => '12345678901.es', p_days_since_created => 99", 23 },
        { "'x', p_company_domain => '123456789012.es', p_days_since_created => 99", 20 },
        { "'x', p_company_domain => '  ', p_days_since_created => 99", 20 },
        { "'x', p_company_domain => '', p_days_since_created => 99", 20 },
        { "'x', p_website_visited => true, p_days_since_created => 99", 23 },
        { "'x', p_demo_requested => true, p_days_since_created => 99", 30 },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task CalculateLeadScore_Call_GivesThePointsOfTheTable(string arguments, int expected) =>
        Assert.Equal(expected, await database.ScalarAsync<int>($"SELECT calculate_lead_score({arguments})"));
}
