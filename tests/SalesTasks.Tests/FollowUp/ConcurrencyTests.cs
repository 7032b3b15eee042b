using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>Several runs at once, people beside them, and runs killed at any instant: the real program against the real database.</summary>
public sealed class ConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 12_000;

    private static readonly string[] s_create = ["followup", "create-tasks"];
    private static readonly string[] s_advance = ["pipeline", "advance"];

    private readonly FollowUpRig _rig = new(database);
    private readonly ProgramRunner _program = ProgramRunner.For(database).With("SALES_TASKS_CONN_ID", "tasks").With("SALES_CALLS_CONN_ID", "calls");

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, phone) SELECT 'd' || i, 'x', 'd' || i || '@acme.example', '+1 202 555 0100' FROM generate_series(1, @deals) AS i
            """,
            ("deals", Deals));
        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at)
            SELECT 'd' || i, 'd@acme.example', (ARRAY['qualified', 'contacted', 'proposal_sent', 'negotiating'])[1 + i % 4]::pipeline_stage, now() - interval '9 days'
            FROM generate_series(1, @deals) AS i
            """,
            ("deals", Deals));
        // A second row of each deal on the list, so that two runs can hold the same deal.
        await database.ExecuteAsync("INSERT INTO followup_checks (pipeline_id) SELECT id FROM sales_pipeline ORDER BY id DESC; ANALYZE");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task CreateTasks_ThreeRunsAtOnce_MakeEachTaskOnce()
    {
        var results = await TwoRunners.RunAsync(() => _program.Start(s_create), OneTaskADealAsync, runners: 3);

        Assert.Equal(Deals, results.Sum(r => Count(r, "created")));
        Assert.Equal(Deals + (Deals / 2), results.Sum(r => Count(r, "messages")));
    }

    [Fact]
    public async Task CreateTasks_KilledAgainAndAgain_MakesEachTaskOnce()
    {
        var usual = (await _program.RunAsync([.. s_create, "--dry-run"])).ShouldExitWith(ExitCode.Done).Duration * 2;
        var killed = 0;
        for (var round = 0; round < 6 && killed < 8; round++)
        {
            if (round > 0)
            {
                await database.ExecuteAsync("DELETE FROM outbox_messages; DELETE FROM sales_followup_tasks");
            }

            killed += await KillHarness.RunAsync(() => _program.Start(s_create), usual, kills: 8 - killed, seed: round, OneTaskADealAsync, WholeAsync);
        }

        Assert.True(killed >= 4, $"Only {killed} runs were killed.");
    }

    [Fact]
    public async Task Advance_ThreeRunsAtOnceAmongPeople_MissesNothingAndDeadlocksNever()
    {
        var deadlocks = await DeadlocksAsync();
        await HappenAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var people = Enumerable.Range(0, 2).Select(seed => WorkAsync(seed, stop.Token)).ToList();
        var outcomes = 0L;
        try
        {
            for (var round = 0; round < 2; round++)
            {
                foreach (var result in await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => _program.Start(s_advance).Completion)))
                {
                    outcomes += Count(result.ShouldExitWith(ExitCode.Done), "outcomes");
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(people);
        }

        var work = await Task.WhenAll(people);
        Assert.All(work, count => Assert.True(count > 10, $"A person came to only {count} changes."));
        outcomes += Count((await _program.RunAsync(s_advance)).ShouldExitWith(ExitCode.Done), "outcomes");
        Assert.Equal((2 * Deals) + work.Sum(), outcomes);
        await EverythingHasAdvancedAsync();
        Assert.Equal(deadlocks, await DeadlocksAsync());
    }

    [Fact]
    public async Task Advance_KilledAgainAndAgain_MissesNothing()
    {
        await HappenAsync();
        var usual = (await _program.RunAsync([.. s_advance, "--dry-run"])).ShouldExitWith(ExitCode.Done).Duration * 2;
        var killed = 0;
        for (var round = 0; round < 6 && killed < 8; round++)
        {
            if (round > 0)
            {
                await database.ExecuteAsync("DELETE FROM sales_campaign_events; DELETE FROM lead_engagement_events");
                await HappenAsync();
            }

            killed += await KillHarness.RunAsync(() => _program.Start(s_advance), usual, kills: 8 - killed, seed: round, EverythingHasAdvancedAsync);
        }

        Assert.True(killed >= 4, $"Only {killed} runs were killed.");
    }

    /// <summary>A proposal and a reply for every deal, the reply to a campaign's e-mail.</summary>
    private async Task HappenAsync()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'email_sequence') ON CONFLICT DO NOTHING;
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, started_at)
            SELECT c.id, p.lead_ext_id, p.id, now() - interval '5 days' FROM sales_campaigns c, sales_pipeline p
            ON CONFLICT (campaign_id, lead_ext_id) DO UPDATE SET status = 'active', completed_at = NULL, metadata = '{}';
            """);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var sent = new Npgsql.NpgsqlCommand(
            """
            SET LOCAL salestasks.history = 'on';
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at)
            SELECT id, lead_ext_id, 1, 'email_sent', 'sent', started_at FROM sales_campaign_executions;
            """,
            connection);
        await sent.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status)
            SELECT id, lead_ext_id, 'proposal', 'x', 'completed' FROM sales_pipeline ORDER BY id;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type) SELECT lead_ext_id, 'reply' FROM sales_pipeline ORDER BY id DESC;
            """);
    }

    /// <summary>One rep: completes a call and takes notes, deal after deal; tells how many.</summary>
    private async Task<int> WorkAsync(int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        var done = 0;
        while (!stop.IsCancellationRequested)
        {
            var lead = $"d{random.Next(1, Deals + 1)}";
            await database.ExecuteAsync(
                "UPDATE sales_pipeline SET notes = 'n', estimated_value = 5 WHERE lead_ext_id = @lead", ("lead", lead));
            await _rig.AddTaskAsync(lead, "call", "completed");
            done++;
        }

        return done;
    }

    private async Task OneTaskADealAsync()
    {
        await WholeAsync();
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks"));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(DISTINCT pipeline_id) FROM sales_followup_tasks"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM followup_checks WHERE due_at = '-infinity'"));
    }

    /// <summary>Every task has its messages, and every message its task.</summary>
    private async Task WholeAsync() => Assert.Equal(
        0,
        await database.ScalarAsync<long>(
            """
            SELECT count(*)
            FROM (
              SELECT 'followup-task/' || id AS key FROM sales_followup_tasks UNION ALL
              SELECT 'followup-call/' || id FROM sales_followup_tasks WHERE task_type = 'call') AS t
            FULL JOIN outbox_messages m ON m.idempotency_key = t.key
            WHERE t.key IS NULL OR m.id IS NULL
            """));

    private async Task EverythingHasAdvancedAsync()
    {
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline WHERE stage < 'proposal_sent' OR last_contact_at IS NULL"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM pipeline_outcomes"));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(DISTINCT execution_id) FROM sales_campaign_events WHERE event_type = 'email_replied'"));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_events WHERE event_type = 'email_replied'"));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_executions WHERE status = 'stopped' AND metadata ->> 'stop_reason' = 'reply'"));
        // Each change of stage is in the history once: a chain.
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT count(*) FROM (
                  SELECT from_stage, lag(to_stage) OVER (PARTITION BY pipeline_id ORDER BY id) AS before FROM sales_stage_history) AS h
                WHERE from_stage IS DISTINCT FROM before
                """));
    }

    private Task<long> DeadlocksAsync() =>
        database.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");

    private static long Count(ProgramResult result, string name) => result.Result.GetProperty("counts").GetProperty(name).GetInt64();
}
