using System.Globalization;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>The real program against the real database: several runs at once, stops in between, kills at any instant.</summary>
public sealed class ConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Leads = 3_000;

    private const string Steps =
        """
        [{"type": "task", "subject": "Look at {{ first_name }}"},
         {"type": "email", "subject": "One {{ first_name }}", "html": "<p>Hello {{ first_name }}, {{ company_name }}</p>"},
         {"type": "email", "subject": "Two", "body": "b"}]
        """;

    private readonly CampaignRig _rig = new(database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.LeadsAsync("lead", Leads);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Enroll_ThreeRunsAtOnce_TakeEachLeadOnceAndHoldTheLimitOfTheirRun()
    {
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "All");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Limited", limit: 500);
        // A scheduler that lost sight of a step starts it again: the same run, three times.
        var program = ProgramRunner.For(database).With("SALES_RUN_ID", "scheduled__1");
        var deadlocks = await DeadlocksAsync();

        var results = await TwoRunners.RunAsync(() => program.Start("campaigns", "enroll"), () => Task.CompletedTask, runners: 3);

        Assert.Equal(Leads + 500, results.Sum(result => result.Result.GetProperty("counts").GetProperty("enrolled").GetInt64()));
        Assert.Equal(Leads + 500, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_executions"));
        Assert.Equal(deadlocks, await DeadlocksAsync());
    }

    [Fact]
    public async Task Advance_ThreeRunsAtOnce_DoEachStepOnce()
    {
        await _rig.CampaignAsync(Steps);
        await _rig.DoAsync("campaigns", "enroll");
        var program = ProgramRunner.For(database);
        var results = await TwoRunners.RunAsync(() => program.Start("campaigns", "advance"), NothingIsDoubleAsync, runners: 3);

        Assert.Equal(2 * Leads, results.Sum(result => result.Result.GetProperty("counts").GetProperty("advanced").GetInt64()));
        Assert.Equal(Leads, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        Assert.Equal(Leads, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks"));
        Assert.Equal("", await _rig.AdvanceAsync(TimeProvider.System.GetUtcNow()));
    }

    [Fact]
    public async Task EnrollAndAdvance_KilledAgainAndAgain_LoseNothingAndDoNothingTwice()
    {
        await _rig.CampaignAsync(Steps);
        var program = ProgramRunner.For(database);
        var usual = (await program.RunAsync("campaigns", "advance")).ShouldExitWith(ExitCode.Done).Duration + TimeSpan.FromSeconds(0.4);
        var killed = 0;
        for (var round = 0; round < 4 && killed < 10; round++)
        {
            await database.ExecuteAsync("TRUNCATE sales_campaign_executions, sales_followup_tasks CASCADE");
            killed += await KillHarness.RunAsync(() => program.Start("campaigns", "enroll"), usual, kills: 2, seed: round, NothingIsDoubleAsync, NothingIsDoubleAsync);
            killed += await KillHarness.RunAsync(() => program.Start("campaigns", "advance"), usual, kills: 4, seed: round, NothingIsDoubleAsync, NothingIsDoubleAsync);
            Assert.Equal(Leads, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_executions WHERE current_step = 2 AND next_action_at IS NULL"));
            Assert.Equal(Leads, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        }

        Assert.True(killed >= 5, $"Only {killed} runs were killed.");
    }

    /// <summary>
    /// While two runs advance, leads reply, opt out, are closed and erased, and campaigns are switched. Whatever was committed before a batch
    /// began is obeyed: no message is written after a stop, and what was written before it is taken back by the next run.
    /// </summary>
    [Fact]
    public async Task Advance_AmongStops_WritesNothingAfterAStop()
    {
        await _rig.CampaignAsync(Steps, name: "First");
        await _rig.CampaignAsync(CampaignRig.TwoEmails, name: "Second");
        await _rig.DoAsync("campaigns", "enroll");
        // When each message's transaction began, and when each stop was certainly committed: both on the server's clock.
        await database.ExecuteAsync(
            """
            CREATE TABLE stop_log (lead_ext_id varchar(128) NOT NULL, kind text NOT NULL, committed_at timestamptz NOT NULL);
            CREATE TABLE write_log (message_id bigint PRIMARY KEY, began_at timestamptz NOT NULL);
            CREATE FUNCTION log_write() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO write_log VALUES (NEW.id, transaction_timestamp()); RETURN NULL; END $$;
            CREATE TRIGGER log_write AFTER INSERT ON outbox_messages FOR EACH ROW EXECUTE FUNCTION log_write();
            """);
        var deadlocks = await DeadlocksAsync();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var stoppers = Enumerable.Range(0, 2).Select(seed => StopLeadsAsync(seed, done.Token)).ToList();
        var program = ProgramRunner.For(database);
        for (var round = 0; round < 3; round++)
        {
            await TwoRunners.RunAsync(() => program.Start("campaigns", "advance"), NothingIsDoubleAsync);
            await database.ExecuteAsync("UPDATE outbox_messages SET status = 'sent', sent_at = now() - interval '3 days', finished_at = now() WHERE status = 'pending' AND id % 2 = 0");
        }

        await done.CancelAsync();
        var stops = (await Task.WhenAll(stoppers)).Sum();
        Assert.True(stops > 20, $"Only {stops} stops were made.");
        Assert.Equal(deadlocks, await DeadlocksAsync());

        // A batch looks for stops after its transaction began; a stop that was committed before that must not be followed by a message.
        Assert.Empty(await database.QueryAsync(
            """
            SELECT m.lead_ext_id || ' ' || s.kind || ' ' || (w.began_at - s.committed_at)
            FROM outbox_messages m
            JOIN stop_log s USING (lead_ext_id)
            JOIN write_log w ON w.message_id = m.id
            WHERE w.began_at > s.committed_at
            """,
            row => row.GetString(0)));
        await _rig.DoAsync("campaigns", "advance");
        Assert.Equal(0, await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM outbox_messages m JOIN stop_log s USING (lead_ext_id) JOIN sales_campaign_executions e ON e.id = m.execution_id
            WHERE m.status = 'pending' OR e.status IN ('active', 'paused')
            """));
        await NothingIsDoubleAsync();
        await database.ExecuteAsync("DROP TABLE stop_log, write_log; DROP FUNCTION log_write CASCADE");
    }

    /// <summary>Stops leads of its own, one after the other, until it is stopped; tells how many.</summary>
    private async Task<int> StopLeadsAsync(int seed, CancellationToken stop)
    {
        string[] kinds =
        [
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) SELECT ext_id, 'reply', now() FROM leads WHERE ext_id = @lead",
            "UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = @lead",
            "UPDATE leads SET consent_email = false WHERE ext_id = @lead",
            "INSERT INTO suppressions (address_hash, channel, reason) SELECT address_hash('email', email), 'email', 'opt_out' FROM leads WHERE ext_id = @lead ON CONFLICT DO NOTHING",
        ];
        var random = new Random(seed);
        var stops = 0;
        while (!stop.IsCancellationRequested)
        {
            var kind = random.Next(kinds.Length + 1);
            var lead = string.Create(CultureInfo.InvariantCulture, $"lead{(random.Next(1, Leads / 2) * 2) + seed - 1}");
            if (kind == kinds.Length)
            {
                await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = @lead", ("lead", lead));
                continue;
            }

            await database.ExecuteAsync(kinds[kind], ("lead", lead));
            stops += await database.ExecuteAsync(
                "INSERT INTO stop_log SELECT ext_id, @kind, clock_timestamp() FROM leads WHERE ext_id = @lead", ("lead", lead), ("kind", $"kind {kind}"));
        }

        return stops;
    }

    /// <summary>One execution a lead and campaign, one event and one message a step, one task a step.</summary>
    private async Task NothingIsDoubleAsync()
    {
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) - count(DISTINCT (campaign_id, lead_ext_id)) FROM sales_campaign_executions"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) - count(DISTINCT (execution_id, step_number)) FROM sales_campaign_events"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) - count(DISTINCT (execution_id, step_number)) FROM outbox_messages"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) - count(DISTINCT (metadata ->> 'execution_id', metadata ->> 'campaign_step')) FROM sales_followup_tasks"));
        // Half a step: an execution that moved on without its event, or the other way round.
        Assert.Equal(0, await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM sales_campaign_executions e
            WHERE e.status = 'active' AND e.current_step <> (SELECT count(*) FROM sales_campaign_events v WHERE v.execution_id = e.id)
            """));
    }

    private Task<long> DeadlocksAsync() => database.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
}
