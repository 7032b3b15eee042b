using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Who enters a campaign: whom its criteria name, once, the most urgent first, and nobody who cannot be reached.</summary>
public sealed class EnrollTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CampaignRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("{}", "bare big hot old source web")]
    [InlineData("""{"stage": "proposal_sent"}""", "big")]
    [InlineData("""{"stage": ["proposal_sent", "contacted"]}""", "big old")]
    [InlineData("""{"score_min": 90}""", "hot")]
    [InlineData("""{"score_max": 10}""", "old")]
    [InlineData("""{"score_min": 60, "score_max": 60}""", "bare big source web")]
    [InlineData("""{"priority": "urgent"}""", "hot")]
    [InlineData("""{"priority": ["urgent", "low"]}""", "hot old")]
    [InlineData("""{"source": "Paid Ads"}""", "source")]
    [InlineData("""{"source": ["paid ads", "event"]}""", "source web")]
    [InlineData("""{"utm_campaign": "spring"}""", "web")]
    [InlineData("""{"estimated_value_min": 20000}""", "big")]
    [InlineData("""{"days_since_contact_min": 30}""", "old")]
    [InlineData("""{"days_since_contact_min": 10}""", "bare big hot old source")]
    [InlineData("""{"stage": "qualified", "priority": "urgent", "score_max": 50}""", "")]
    public async Task Enroll_Criteria_TakesThoseThatMeetAllOfThem(string criteria, string expected)
    {
        await _rig.LeadAsync("bare");
        await _rig.LeadAsync("big", "", "stage = 'proposal_sent', estimated_value = 20000");
        await _rig.LeadAsync("hot", "", "score = 95, priority = 'urgent'");
        await _rig.LeadAsync("old", "", "score = 5, priority = 'low', stage = 'contacted', qualified_at = '2026-01-01', last_contact_at = '2026-02-14T10:00:00Z'");
        await _rig.LeadAsync("source", "source = 'paid ADS '");
        await _rig.LeadAsync("web", "utm_campaign = 'Spring'", "source = 'event', last_contact_at = '2026-03-16T09:00:00Z'");
        await _rig.LeadAsync("won", "", "stage = 'closed_won', score = 95, estimated_value = 90000");
        await _rig.CampaignAsync(CampaignRig.OneEmail, criteria);

        await _rig.EnrollAsync();

        Assert.Equal(expected, string.Join(' ', await EnrolledAsync()));
    }

    [Fact]
    public async Task Enroll_Again_TakesNobodyTwiceEverAgain()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        Assert.Equal("enrolled 1", await _rig.EnrollAsync());
        Assert.Equal("", await _rig.EnrollAsync());
        await database.ExecuteAsync("UPDATE sales_campaign_executions SET status = 'completed'");

        Assert.Equal("", await _rig.EnrollAsync());
        Assert.Equal(["a completed 0/1 16.10:00"], await _rig.ExecutionsAsync());
    }

    [Fact]
    public async Task Enroll_FirstStepWithADelay_IsDueAfterIt()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "email", "delay_hours": 1.5, "subject": "s", "body": "b"}]""");
        await _rig.EnrollAsync();
        Assert.Equal(["a active 0/1 16.11:30"], await _rig.ExecutionsAsync());
        Assert.Equal("", await _rig.AdvanceAsync(CampaignRig.T0.AddMinutes(89)));
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(CampaignRig.T0.AddMinutes(90)));
    }

    [Fact]
    public async Task Enroll_CampaignWithALimit_TakesTheMostUrgentFirstAndTheRestLater()
    {
        await _rig.LeadAsync("low", "", "priority = 'low', score = 99");
        await _rig.LeadAsync("medium", "", "priority = 'medium'");
        await _rig.LeadAsync("urgent", "", "priority = 'urgent'");
        await _rig.LeadAsync("high", "", "priority = 'high'");
        await _rig.LeadAsync("none", "", "priority = NULL");
        await _rig.LeadAsync("high-best", "", "priority = 'high', score = 99");
        await _rig.CampaignAsync(CampaignRig.OneEmail, limit: 2);

        Assert.Equal("enrolled 2, waiting_for_next_run 4", await _rig.EnrollAsync());
        Assert.Equal(["high-best", "urgent"], await EnrolledAsync());
        Assert.Equal("enrolled 2, waiting_for_next_run 2", await _rig.EnrollAsync());
        Assert.Equal(["high", "high-best", "medium", "urgent"], await EnrolledAsync());
        Assert.Equal("enrolled 2", await _rig.EnrollAsync());
    }

    [Fact]
    public async Task Enroll_RunWithALimit_HoldsItOverAllCampaigns()
    {
        await _rig.LeadsAsync("lead", 10);
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "First", limit: 3);
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Second");

        Assert.Equal("enrolled 5, waiting_for_next_run 15", await _rig.EnrollAsync("--max-leads-per-run", "5"));
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_executions e JOIN sales_campaigns c ON c.id = e.campaign_id WHERE c.name = 'First'"));
    }

    [Fact]
    public async Task Enroll_RetryOfTheSameRun_DoesNotBeginToCountAnew()
    {
        await _rig.LeadsAsync("lead", 10);
        await _rig.CampaignAsync(CampaignRig.OneEmail, limit: 3);
        _rig.With("SALES_RUN_ID", "scheduled__1").With("SALES_DAG_ID", "sales_followup_automation");

        Assert.Equal("enrolled 3, waiting_for_next_run 7", await _rig.EnrollAsync());
        Assert.Equal("waiting_for_next_run 7", await _rig.With("SALES_TRY_NUMBER", "2").EnrollAsync());
        Assert.Equal("enrolled 3, waiting_for_next_run 4", await _rig.With("SALES_RUN_ID", "scheduled__2").EnrollAsync());
        Assert.Equal("waiting_for_next_run 4", await _rig.EnrollAsync("--max-leads-per-run", "3"));
    }

    [Theory]
    [InlineData("email = NULL", "email = ''", "without_address 1")]
    [InlineData("email = 'nonsense'", "email = 'nonsense'", "without_address 1")]
    [InlineData("email = NULL", "", "enrolled 1")]
    [InlineData("consent_email = false", "", "consent_refused 1")]
    [InlineData("consent_email = true", "", "enrolled 1")]
    [InlineData("phone = NULL, consent_phone = false", "", "enrolled 1")]
    public async Task Enroll_EmailCampaign_LeavesOutWhoCannotBeWrittenTo(string lead, string deal, string expected)
    {
        await _rig.LeadAsync("a", lead, deal);
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        Assert.Equal(expected, await _rig.EnrollAsync());
    }

    [Theory]
    [InlineData("email", "A@acme.EXAMPLE", "suppressed 1")]
    [InlineData("phone", "0034 600 123 456", "enrolled 1")]
    [InlineData("phone", "34600123456", "suppressed 1")]
    [InlineData("email", "other@acme.example", "enrolled 1")]
    public async Task Enroll_SuppressedAddress_IsLeftOutWhereTheCampaignUsesIt(string channel, string address, string expected)
    {
        await _rig.LeadAsync("a");
        await database.ExecuteAsync(
            "INSERT INTO suppressions (address_hash, channel, reason) VALUES (address_hash(@channel, @address), @channel, 'opt_out')",
            ("channel", channel), ("address", address));
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "body": "b"}, {"type": "call", "subject": "c"}]""");
        Assert.Equal(expected, await _rig.EnrollAsync());
    }

    [Fact]
    public async Task Enroll_PhoneRefused_MattersToCallsOnly()
    {
        await _rig.LeadAsync("a", "consent_phone = false");
        await _rig.LeadAsync("b", "phone = '12'", "phone = NULL");
        await _rig.CampaignAsync("""[{"type": "call", "subject": "c"}]""", name: "Calls");
        Assert.Equal("without_address 1, consent_refused 1", await _rig.EnrollAsync());
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Mail");
        Assert.Equal("enrolled 2, without_address 1, consent_refused 1", await _rig.EnrollAsync());
    }

    [Fact]
    public async Task Enroll_DisabledCampaignOrSwitchedOff_TakesNobody()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        Assert.Equal("", await _rig.EnrollAsync("--enable-campaigns=false"));
        await database.ExecuteAsync("UPDATE sales_campaigns SET enabled = false");
        Assert.Equal("", await _rig.EnrollAsync());
    }

    [Fact]
    public async Task Enroll_DryRun_CountsAsTheRealRunAndWritesNothing()
    {
        await _rig.LeadsAsync("lead", 20);
        await _rig.LeadAsync("refused", "consent_email = false");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "First", limit: 7);
        await _rig.CampaignAsync(CampaignRig.OneEmail, """{"score_min": 5}""", name: "Second");

        var before = await database.FingerprintAsync();
        var dry = await _rig.EnrollAsync("--dry-run");
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Equal(await _rig.EnrollAsync(), dry);
    }

    [Fact]
    public async Task Enroll_InvalidCampaignsInTheTable_AreLeftOutToldAndCountedWhileOthersRun()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "emial", "subject": "s", "body": "b"}]""", name: "Misspelt");
        await _rig.CampaignAsync(CampaignRig.OneEmail, """{"stages": "qualified"}""", name: "Unknown key");
        await _rig.CampaignAsync("""{"type": "email"}""", "[1]", name: "Shapeless");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Good");

        var answer = await _rig.RunAsync("campaigns", "enroll");
        Assert.Equal(ExitCode.Done, answer.ExitCode);
        Assert.Equal("enrolled 1, invalid_campaigns 3", CampaignRig.Counts(answer.Json));
        Assert.Contains("Misspelt", answer.Json.GetProperty("details").GetProperty("invalid_campaigns").ToString(), StringComparison.Ordinal);
        Assert.Contains("emial", answer.Errors, StringComparison.Ordinal);

        // Where it is asked for, the exit code tells; the work is done and counted all the same.
        await _rig.LeadAsync("b");
        var strict = await _rig.RunAsync("campaigns", "enroll", "--fail-on-invalid-campaign");
        Assert.Equal(ExitCode.Usage, strict.ExitCode);
        Assert.Equal("enrolled 1, invalid_campaigns 3", CampaignRig.Counts(strict.Json));
        Assert.Contains("Unknown key: trigger_criteria: unknown key", strict.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("failed", await database.ScalarAsync<string>("SELECT status FROM task_runs ORDER BY id DESC LIMIT 1"));
    }

    private Task<List<string>> EnrolledAsync() =>
        database.QueryAsync("SELECT lead_ext_id FROM sales_campaign_executions ORDER BY 1", row => row.GetString(0));
}
