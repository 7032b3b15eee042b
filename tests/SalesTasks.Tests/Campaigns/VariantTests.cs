using SalesTasks.Campaigns;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Who gets which variant, and what came of each.</summary>
public sealed class VariantTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const string TwoVariants =
        """
        [{"type": "email", "body": "b", "variants": [{"name": "A", "subject": "a"}, {"name": "B", "subject": "b"}]},
         {"type": "email", "delay_hours": 24, "body": "b", "variants": [{"name": "A", "subject": "a2"}, {"name": "B", "subject": "b2"}]}]
        """;

    private static readonly DateTimeOffset T0 = CampaignRig.T0;

    private readonly CampaignRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(9, 1)]
    [InlineData(1, 3)]
    public void Choose_ManyLeads_FollowsTheWeights(int a, int b)
    {
        const int leads = 20_000;
        Variant[] variants = [Named("A", a), Named("B", b)];
        var share = Enumerable.Range(0, leads).Count(i => VariantChoice.Choose(variants, 7, $"lead-{i}").Name == "A") / (double)leads;
        // Five standard deviations of a fair draw.
        Assert.InRange(share, (a / (double)(a + b)) - 0.018, (a / (double)(a + b)) + 0.018);
    }

    [Fact]
    public void Choose_SameLeadAndCampaign_IsTheSameOnEveryMachine()
    {
        // The numbers are part of the product: another hash would move leads between variants in the middle of a test.
        Assert.Equal(0.720370527129039, VariantChoice.Point(1, "a"), 1e-15);
        Assert.Equal(0.7573367963171357, VariantChoice.Point(2, "a"), 1e-15);
        Assert.Equal(0.9309184916292683, VariantChoice.Point(1, "b"), 1e-15);
        Assert.Equal(0.860757877407082, VariantChoice.Point(1, "ñ"), 1e-15);
    }

    [Fact]
    public async Task Advance_TwoSteps_GiveALeadTheSameVariantInBoth()
    {
        await _rig.LeadsAsync("lead", 40);
        await _rig.CampaignAsync(TwoVariants);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await _rig.SendAsync(T0);
        await _rig.AdvanceAsync(T0.AddDays(1));

        Assert.Equal(80, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_events"));
        Assert.Equal(40, await database.ScalarAsync<long>("SELECT count(DISTINCT (lead_ext_id, metadata ->> 'variant')) FROM sales_campaign_events"));
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(DISTINCT metadata ->> 'variant') FROM sales_campaign_events"));
        Assert.Equal(0, await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM outbox_messages m JOIN sales_campaign_events v ON v.id = m.campaign_event_id JOIN sales_campaign_executions e ON e.id = m.execution_id
            WHERE lower(v.metadata ->> 'variant') <> left(m.payload ->> 'subject', 1) OR e.metadata ->> 'variant' <> v.metadata ->> 'variant'
              OR m.payload -> 'metadata' ->> 'variant' <> v.metadata ->> 'variant'
            """));
    }

    [Fact]
    public async Task Results_ClicksAndReplies_BelongToTheLastStepSentBefore()
    {
        await _rig.LeadsAsync("lead", 6);
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await _rig.SendAsync(T0);
        await _rig.AdvanceAsync(T0.AddDays(2));
        await _rig.SendAsync(T0.AddDays(2));
        await _rig.AdvanceAsync(T0.AddDays(3));

        async Task Event(string type, int lead, TimeSpan after, bool bot = false) => await database.ExecuteAsync(
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, is_bot) VALUES ('lead' || @lead, @type, @at, @bot)",
            ("lead", lead), ("type", type), ("at", T0 + after), ("bot", bot));

        await Event("click", 1, TimeSpan.FromHours(1));
        await Event("click", 1, TimeSpan.FromHours(2));
        await Event("click", 2, TimeSpan.FromHours(1), bot: true);
        await Event("click", 3, TimeSpan.FromHours(-1));
        await Event("reply", 4, TimeSpan.FromHours(47));
        await Event("reply", 5, TimeSpan.FromHours(48));
        await Event("click", 5, TimeSpan.FromDays(15.9));
        await Event("click", 6, TimeSpan.FromDays(16.1));

        Assert.Equal(
            ["1 6 1 1", "2 6 1 1"],
            await database.QueryAsync("SELECT concat_ws(' ', step_number, sent, clicked, replied) FROM v_campaign_variants ORDER BY step_number", row => row.GetString(0)));
        Assert.Equal(12, await database.ScalarAsync<decimal>("SELECT sum(sent) FROM v_campaign_variants"));
    }

    /// <summary>Newcombe's example: 56 of 70 against 48 of 80 differ by 0.20, interval 0.0524 to 0.3339 (Statistics in Medicine 17, 1998, table II).</summary>
    [Fact]
    public async Task Results_DifferenceOfTwoVariants_HasNewcombesInterval()
    {
        var campaign = await _rig.CampaignAsync(TwoVariants);
        await _rig.LeadsAsync("lead", 150);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, status, metadata)
            SELECT @campaign, 'lead' || i, 'completed', jsonb_build_object('variant', CASE WHEN i <= 80 THEN 'A' ELSE 'B' END) FROM generate_series(1, 150) AS i;
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at)
            SELECT id, lead_ext_id, 1, 'email_sent', 'delivered', @at FROM sales_campaign_executions;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at)
            SELECT 'lead' || i, 'reply', @at FROM generate_series(1, 150) AS i WHERE i <= 48 OR i BETWEEN 81 AND 136;
            """,
            ("campaign", campaign), ("at", T0));

        var rows = await database.RowsAsync("SELECT * FROM v_campaign_variants ORDER BY variant");
        Assert.Equal((80L, 48L, 0.6), (rows[0]["sent"], rows[0]["replied"], rows[0]["reply_share"]));
        Assert.Equal((70L, 56L, 0.8), (rows[1]["sent"], rows[1]["replied"], rows[1]["reply_share"]));
        Assert.Null(rows[0]["reply_difference"]);
        Assert.Equal("A", rows[1]["against"]);
        Assert.Equal(0.0524, (double)rows[1]["reply_difference_low"]!, 0.0001);
        Assert.Equal(0.3339, (double)rows[1]["reply_difference_high"]!, 0.0001);
        Assert.Equal((true, false), (rows[1]["reply_credible"], rows[1]["click_credible"]));

        var shown = await _rig.DoAsync("campaigns", "show", "Sequence");
        Assert.Contains("+5.2 to +33.4 points: credible", shown.Output, StringComparison.Ordinal);
        Assert.Contains("creíble", (await _rig.DoAsync("campaigns", "show", "Sequence", "--lang", "es")).Output, StringComparison.Ordinal);
        var json = (await _rig.DoAsync("campaigns", "show", "Sequence", "--json")).Json.GetProperty("variants")[1];
        Assert.True(json.GetProperty("reply_difference").GetProperty("credible").GetBoolean());
    }

    /// <summary>Known limits: 81 of 263 (Newcombe 1998b, table I): 0.2553 to 0.3662; 15 of 148: 0.0624 to 0.1605; 0 of 20: 0 to 0.1611; 1 of 29: 0.0061 to 0.1718.</summary>
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    [InlineData(29, 29, 0.8830, 1)]
    public async Task Wilson_KnownCases_HasTheirLimits(long successes, long total, double low, double high)
    {
        Assert.Equal(low, await database.ScalarAsync<double>("SELECT wilson_low(@k, @n)", ("k", successes), ("n", total)), 0.0001);
        Assert.Equal(high, await database.ScalarAsync<double>("SELECT wilson_high(@k, @n)", ("k", successes), ("n", total)), 0.0001);
    }

    [Fact]
    public async Task Wilson_OfNothing_IsNull() => Assert.Null(await database.ScalarAsync<double?>("SELECT wilson_low(0, 0) + wilson_high(0, 0)"));

    private static Variant Named(string name, int weight) => new(name, weight, new Dictionary<string, StepTexts>(StringComparer.Ordinal));
}
