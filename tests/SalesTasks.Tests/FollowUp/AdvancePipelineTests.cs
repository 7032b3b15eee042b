using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>What happened moves deals on: which stage, which instants, what stops; and nothing is missed or moves back.</summary>
public sealed class AdvancePipelineTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = FollowUpRig.T0;

    private static readonly string[] s_stages =
        ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"];

    private readonly FollowUpRig _rig = new(database);
    private int _campaigns;

    public async ValueTask InitializeAsync()
    {
        await database.WorkAtAsync(T0);
        await _rig.EmptyAsync();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("task email", "contacted")]
    [InlineData("task call", "contacted")]
    [InlineData("task meeting", "meeting_scheduled")]
    [InlineData("task proposal", "proposal_sent")]
    [InlineData("task custom", null)]
    [InlineData("event call_made", "contacted")]
    [InlineData("event call_answered", "contacted")]
    [InlineData("event email_replied", "contacted")]
    [InlineData("event meeting_scheduled", "meeting_scheduled")]
    [InlineData("event proposal_sent", "proposal_sent")]
    [InlineData("event email_sent", "qualified")]
    [InlineData("event email_opened", null)]
    [InlineData("event custom", null)]
    [InlineData("reply", "contacted")]
    [InlineData("bot", null)]
    public async Task Deal_AfterSomethingHappened_IsInItsStage(string fact, string? stage)
    {
        await _rig.AddDealAsync("a");

        await HappensAsync("a", fact, T0.AddHours(-2));
        var counts = await _rig.AdvanceAsync();

        // No stage at all is no contact either.
        Assert.Equal(stage ?? "qualified", await _rig.StageAsync("a"));
        Assert.Equal(stage is null ? null : -2.0, await _rig.LastContactAsync("a"));
        Assert.Equal(
            (stage is null ? null : (DateTime?)T0.AddHours(-2).UtcDateTime),
            await database.ScalarAsync<DateTime?>("SELECT first_contact_at FROM sales_pipeline"));
        Assert.Equal(stage is null or "qualified" ? 0 : 1, counts["advanced"]);
        Assert.Equal(stage is null ? 0 : 1, counts["updated"]);
        Assert.Equal(
            stage is null or "qualified" ? [] : [$"qualified {stage} pipeline advance"],
            await database.QueryAsync(
                "SELECT from_stage || ' ' || to_stage || ' ' || changed_by FROM sales_stage_history WHERE from_stage IS NOT NULL", row => row.GetString(0)));
        Assert.Equal(0, (await _rig.AdvanceAsync())["outcomes"]);
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("failed")]
    [InlineData("skipped")]
    public async Task CampaignMessage_NotSent_IsNoContactUntilItIs(string status)
    {
        await _rig.AddDealAsync("a");
        var execution = await _rig.AddExecutionAsync("a", "c", T0.AddDays(-1));
        var call = await _rig.AddEventAsync(execution, "call_made", null, status);
        Assert.Equal(0, (await _rig.AdvanceAsync())["outcomes"]);

        await database.ExecuteAsync("UPDATE sales_campaign_events SET status = 'sent', executed_at = @at WHERE id = @id", ("at", T0.AddMinutes(-6)), ("id", call));
        Assert.Equal(1, (await _rig.AdvanceAsync())["to_contacted"]);
        Assert.Equal(-0.1, await _rig.LastContactAsync("a"));

        await database.ExecuteAsync("UPDATE sales_campaign_events SET status = 'delivered' WHERE id = @id", ("id", call));
        Assert.Equal(0, (await _rig.AdvanceAsync())["outcomes"]);
    }

    [Fact]
    public async Task Contacts_InAnyOrder_GiveTheFirstAndTheLastInstant()
    {
        await _rig.AddDealAsync("a");
        await HappensAsync("a", "task call", T0.AddHours(-2));
        await _rig.AdvanceAsync();
        await HappensAsync("a", "task email", T0.AddHours(-5));
        await HappensAsync("a", "event email_sent", T0.AddHours(-1));
        await HappensAsync("a", "reply", T0.AddHours(-3));
        await _rig.AdvanceAsync();

        Assert.Equal(-1, await _rig.LastContactAsync("a"));
        Assert.Equal(T0.AddHours(-5).UtcDateTime, await database.ScalarAsync<DateTime>("SELECT first_contact_at FROM sales_pipeline"));
        // The contact moves the next follow-up (three days; nothing is learned about this lead).
        Assert.Equal(T0.AddHours(71).UtcDateTime, await database.ScalarAsync<DateTime>("SELECT next_followup_at FROM sales_pipeline"));
    }

    [Fact]
    public async Task Reply_BeforeTheDealWasQualified_IsNoContactOfTheDeal()
    {
        await _rig.AddDealAsync("a");
        await HappensAsync("a", "reply", T0.AddDays(-11));

        Assert.Equal(1, (await _rig.AdvanceAsync())["outcomes"]);

        Assert.Equal(("qualified", null), (await _rig.StageAsync("a"), await _rig.LastContactAsync("a")));
    }

    [Fact]
    public async Task Outcomes_UndoneOrImpossible_ShowNothing()
    {
        await _rig.AddDealAsync("undone");
        await _rig.AddDealAsync("deleted");
        await _rig.AddDealAsync("infinite", "contacted");
        await _rig.AddDealAsync("future");
        await _rig.AddDealAsync("good");
        await HappensAsync("undone", "task meeting", T0.AddHours(-2));
        await HappensAsync("undone", "reply", T0.AddHours(-2));
        await HappensAsync("deleted", "task meeting", T0.AddHours(-2));
        await database.ExecuteAsync(
            """
            UPDATE sales_followup_tasks SET status = 'pending' WHERE lead_ext_id = 'undone';
            UPDATE lead_engagement_events SET is_bot = true;
            DELETE FROM sales_followup_tasks WHERE lead_ext_id = 'deleted';
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT id, lead_ext_id, 'call', 'x', 'completed', at::timestamptz FROM sales_pipeline, unnest(ARRAY['-infinity', 'infinity']) AS at
            WHERE lead_ext_id = 'infinite';
            """);
        await HappensAsync("future", "task meeting", T0.AddHours(1));
        await HappensAsync("good", "task call", T0.AddHours(-1));

        Assert.Equal(1, (await _rig.AdvanceAsync())["advanced"]);

        Assert.Equal("contacted", await _rig.StageAsync("good"));
        Assert.Equal("qualified qualified qualified", $"{await _rig.StageAsync("undone")} {await _rig.StageAsync("deleted")} {await _rig.StageAsync("future")}");
        Assert.Equal(-96, await _rig.LastContactAsync("infinite"));
        // What is dated ahead is taken up when its time has come.
        Assert.Equal(1, (await _rig.AdvanceAsync(T0.AddHours(1)))["to_meeting_scheduled"]);
    }

    [Fact]
    public async Task StepBack_ByAPersonAfterwards_Stands()
    {
        await _rig.AddDealAsync("back", "proposal_sent");
        await _rig.AddDealAsync("on", "contacted");
        await _rig.AddDealAsync("reopened", "closed_lost");
        foreach (var deal in (string[])["back", "on", "reopened"])
        {
            await HappensAsync(deal, "task proposal", T0.AddHours(-2));
        }

        await database.WorkAtAsync(T0.AddHours(-1));
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'contacted' WHERE lead_ext_id IN ('back', 'reopened')");
        // A step forward, made by somebody who did not know of the proposal.
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'meeting_scheduled' WHERE lead_ext_id = 'on'");
        await database.WorkAtAsync(T0);

        await _rig.AdvanceAsync();
        Assert.Equal(
            "contacted contacted proposal_sent",
            $"{await _rig.StageAsync("back")} {await _rig.StageAsync("reopened")} {await _rig.StageAsync("on")}");
        Assert.Equal(-2, await _rig.LastContactAsync("back"));

        await HappensAsync("back", "task proposal", T0.AddMinutes(-30));
        await _rig.AdvanceAsync();
        Assert.Equal("proposal_sent", await _rig.StageAsync("back"));
    }

    [Fact]
    public async Task Meeting_WithATime_GivesItToTheDeal()
    {
        await _rig.AddDealAsync("task");
        await _rig.AddDealAsync("event", set: """metadata = '{"kept": 1, "meeting_at": "2026-01-01T00:00:00Z"}'""");
        await HappensAsync("task", "task meeting", T0.AddHours(-2));
        await database.ExecuteAsync("""UPDATE sales_followup_tasks SET metadata = '{"meeting_at": "2026-03-25T15:00:00+01:00"}'""");
        var execution = await _rig.AddExecutionAsync("event", "c", T0.AddDays(-1));
        await _rig.AddEventAsync(execution, "meeting_scheduled", T0.AddHours(-3), metadata: """{"meeting_at": "2026-03-24T08:00:00Z"}""");
        await _rig.AddEventAsync(execution, "meeting_scheduled", T0.AddHours(-1), metadata: """{"meeting_at": "2026-03-26 08:00"}""");

        await _rig.AdvanceAsync();

        Assert.Equal(
            ["""event {"kept": 1, "meeting_at": "2026-03-26T08:00:00+00:00"}""", """task {"meeting_at": "2026-03-25T14:00:00+00:00"}"""],
            await database.QueryAsync("SELECT lead_ext_id || ' ' || metadata FROM sales_pipeline ORDER BY 1", row => row.GetString(0)));
    }

    [Fact]
    public async Task Reply_OfAPerson_StopsWhatRanThenAndIsWrittenDownOnce()
    {
        await _rig.AddDealAsync("a", "contacted");
        await _rig.AddDealAsync("b", "contacted");
        var first = await _rig.AddExecutionAsync("a", "first", T0.AddDays(-3));
        var second = await _rig.AddExecutionAsync("a", "second", T0.AddDays(-2));
        var paused = await _rig.AddExecutionAsync("a", "paused", T0.AddDays(-2), "paused");
        var done = await _rig.AddExecutionAsync("a", "done", T0.AddDays(-9), "completed");
        var later = await _rig.AddExecutionAsync("a", "later", T0.AddMinutes(-30));
        var other = await _rig.AddExecutionAsync("b", "first", T0.AddDays(-3));
        await _rig.AddEventAsync(first, "email_sent", T0.AddDays(-3), step: 1);
        var answered = await _rig.AddEventAsync(second, "email_sent", T0.AddDays(-1), step: 2, metadata: """{"variant": "B"}""");
        await _rig.AddEventAsync(first, "email_sent", T0.AddMinutes(-10), step: 2);
        var next = await _rig.AddEventAsync(second, "email_sent", null, "queued", 3);
        await database.ExecuteAsync(
            """
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, campaign_event_id, recipient, payload)
            VALUES ('second-3', 'email', 'campaign', 'a', @second, 3, @next, 'a@acme.example', '{}'), ('later-1', 'email', 'campaign', 'a', @later, 1, NULL, 'a@acme.example', '{}')
            """,
            ("second", second), ("next", next), ("later", later));

        await _rig.AddReplyAsync("a", T0.AddHours(-2), bot: true);
        Assert.Equal(0, (await _rig.AdvanceAsync())["stopped"]);
        await _rig.AddReplyAsync("a", T0.AddHours(-1));
        await _rig.AddReplyAsync("a", T0.AddDays(-30));
        var preview = await _rig.AdvanceAsync("--dry-run");
        var counts = await _rig.AdvanceAsync();

        Assert.Equal(preview.ToString(), counts.ToString());
        Assert.Equal((3, 2), (counts["stopped"], counts["replies"]));
        Assert.Equal(
            [$"{first} stopped reply", $"{second} stopped reply", $"{paused} stopped reply", $"{done} completed ", $"{later} active ", $"{other} active "],
            await database.QueryAsync(
                "SELECT format('%s %s %s', id, status, metadata ->> 'stop_reason') FROM sales_campaign_executions ORDER BY id", row => row.GetString(0)));
        Assert.Equal(0, await database.ScalarAsync<long>(
            "SELECT count(*) FROM sales_campaign_executions WHERE status = 'stopped' AND (next_action_at IS NOT NULL OR completed_at IS DISTINCT FROM @at)", ("at", T0)));
        Assert.Equal(
            [$"{second} 2 completed -1 B {answered}"],
            await database.QueryAsync(
                """
                SELECT format('%s %s %s %s %s %s', execution_id, step_number, status, (extract(epoch FROM executed_at - @t0) / 3600)::int,
                  metadata ->> 'variant', metadata ->> 'in_reply_to')
                FROM sales_campaign_events WHERE event_type = 'email_replied'
                """,
                row => row.GetString(0),
                ("t0", T0)));
        Assert.Equal(
            ["later-1 pending", "second-3 cancelled"],
            await database.QueryAsync("SELECT idempotency_key || ' ' || status FROM outbox_messages ORDER BY 1", row => row.GetString(0)));
        Assert.Equal("skipped", await database.ScalarAsync<string>("SELECT status FROM sales_campaign_events WHERE id = @id", ("id", next)));
        // Taken for a bot's and back again: nothing is written twice, and what the reply did not stop then goes on.
        await database.ExecuteAsync("UPDATE lead_engagement_events SET is_bot = true; UPDATE lead_engagement_events SET is_bot = false WHERE occurred_at = @at", ("at", T0.AddHours(-1)));
        Assert.Equal((1, 0), await OutcomesAndStoppedAsync());
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_events WHERE event_type = 'email_replied'"));
    }

    [Fact]
    public async Task Reply_WrittenDownByAnotherTool_CountsLikeOne()
    {
        await _rig.AddDealAsync("a", "qualified");
        var execution = await _rig.AddExecutionAsync("a", "c", T0.AddDays(-3));
        await _rig.AddEventAsync(execution, "email_replied", T0.AddHours(-1));

        Assert.Equal((1, 1), await OutcomesAndStoppedAsync());
        Assert.Equal(("contacted", -1), (await _rig.StageAsync("a"), await _rig.LastContactAsync("a")));
    }

    [Fact]
    public async Task Lead_WithoutADeal_StopsItsCampaignsAllTheSame()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) VALUES ('alone', 'x');
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'nurturing');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, started_at) SELECT id, 'alone', @started FROM sales_campaigns;
            """,
            ("started", T0.AddDays(-1)));
        await _rig.AddReplyAsync("alone", T0);

        Assert.Equal((1, 1), await OutcomesAndStoppedAsync());
    }

    [Fact]
    public async Task Outcome_ThatCommitsLate_IsNotMissed()
    {
        await _rig.AddDealAsync("slow");
        await _rig.AddDealAsync("fast");
        await using var other = await database.OpenConnectionAsync();
        // The first to begin is the last to commit: its ids and instants lie before what was already worked off.
        await ExecuteAsync(other, "BEGIN");
        await ExecuteAsync(
            other,
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT id, lead_ext_id, 'meeting', 'x', 'completed', '2026-03-18 01:00Z' FROM sales_pipeline WHERE lead_ext_id = 'slow'
            """);
        await ExecuteAsync(other, "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('slow', 'reply', '2026-03-18 02:00Z')");
        await HappensAsync("fast", "task call", T0.AddHours(-1));

        Assert.Equal((1, 0), await OutcomesAndStoppedAsync());
        await ExecuteAsync(other, "COMMIT");

        Assert.Equal(2, (await _rig.AdvanceAsync())["outcomes"]);
        Assert.Equal(("meeting_scheduled", -8), (await _rig.StageAsync("slow"), await _rig.LastContactAsync("slow")));
    }

    [Theory]
    [InlineData("UPDATE sales_pipeline SET stage = 'closed_lost'", "closed_lost")]
    [InlineData("UPDATE sales_pipeline SET stage = 'negotiating'", "negotiating")]
    [InlineData("UPDATE sales_pipeline SET notes = 'x'", "meeting_scheduled")]
    [InlineData("DELETE FROM sales_pipeline", null)]
    public async Task Deal_ChangedWhileTheRunWaitsForIt_IsJudgedAsItIsThen(string change, string? stage)
    {
        await _rig.AddDealAsync("a");
        await HappensAsync("a", "task meeting", T0.AddHours(-1));
        await using var other = await database.OpenConnectionAsync();
        await ExecuteAsync(other, "BEGIN; " + change);

        var run = ProgramRunner.For(database).Start("pipeline", "advance", "--as-of", T0.ToString("O"));
        await Eventually.HoldsAsync("the run waits for the deal", async () => await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'sales-tasks pipeline advance')"));
        await ExecuteAsync(other, "COMMIT");
        (await run.Completion).ShouldExitWith(ExitCode.Done);

        Assert.Equal(stage, await database.ScalarAsync<string>("SELECT stage::text FROM sales_pipeline"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM pipeline_outcomes"));
    }

    /// <summary>Random sequences of what happens, of changes by people and of runs, against a model in a few lines.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Stage_ThroughRandomSequences_NeverMovesBackByItself(int seed)
    {
        const int deals = 12;
        string[] facts =
        [
            "task email", "task call", "task meeting", "task proposal", "task custom", "event call_made", "event meeting_scheduled",
            "event proposal_sent", "event email_sent", "reply", "bot",
        ];
        int[] shown = [1, 1, 2, 3, 0, 1, 2, 3, 0, 1, 0];
        var random = new Random(seed);
        var expected = new int[deals];
        var pending = Enumerable.Range(0, deals).Select(_ => new List<int>()).ToArray();
        for (var deal = 0; deal < deals; deal++)
        {
            expected[deal] = random.Next(4);
            await _rig.AddDealAsync($"d{deal}", s_stages[expected[deal]]);
        }

        var now = T0;
        for (var step = 0; step < 120; step++)
        {
            now = now.AddMinutes(10);
            await database.WorkAtAsync(now);
            var deal = random.Next(deals);
            switch (random.Next(10))
            {
                case < 6:
                    var fact = random.Next(facts.Length);
                    await HappensAsync($"d{deal}", facts[fact], now.AddMinutes(-5));
                    pending[deal].Add(shown[fact]);
                    break;
                case 6:
                    // By a person; a step back is meant, and what happened before it no longer speaks against it.
                    var stage = random.Next(3) == 0 ? random.Next(7) : random.Next(4);
                    await database.ExecuteAsync(
                        "UPDATE sales_pipeline SET stage = @stage::pipeline_stage WHERE lead_ext_id = @lead", ("stage", s_stages[stage]), ("lead", $"d{deal}"));
                    if (stage < expected[deal])
                    {
                        pending[deal].Clear();
                    }

                    expected[deal] = stage;
                    break;
                default:
                    await _rig.AdvanceAsync(now);
                    for (var d = 0; d < deals; d++)
                    {
                        expected[d] = expected[d] >= 5 ? expected[d] : pending[d].Append(expected[d]).Max();
                        pending[d].Clear();
                    }

                    Assert.Equal(
                        expected.Select((s, d) => $"d{d} {s_stages[s]}").Order(StringComparer.Ordinal),
                        (await database.QueryAsync("SELECT lead_ext_id || ' ' || stage FROM sales_pipeline", row => row.GetString(0))).Order(StringComparer.Ordinal));
                    break;
            }
        }

        Assert.Equal(
            0,
            await database.ScalarAsync<long>("SELECT count(*) FROM sales_stage_history WHERE changed_by = 'pipeline advance' AND (to_stage <= from_stage OR from_stage >= 'closed_won')"));
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM sales_stage_history WHERE changed_by = 'pipeline advance'") > 5);
        await database.WorkAtAsync(T0);
    }

    [Fact]
    public async Task Run_Repeated_ChangesNothing()
    {
        for (var i = 0; i < 20; i++)
        {
            await _rig.AddDealAsync($"d{i}");
            await HappensAsync($"d{i}", new[] { "task call", "reply", "event meeting_scheduled", "event email_sent" }[i % 4], T0.AddHours(-i - 1));
        }

        var program = ProgramRunner.For(database);
        var (first, second) = await TwiceRun.RunAsync(database, () => program.Start("pipeline", "advance", "--as-of", T0.ToString("O")), "task_runs");

        Assert.Equal(15, first.Result.GetProperty("counts").GetProperty("advanced").GetInt32());
        Assert.Equal("nothing_to_do", second.Result.GetProperty("status").GetString());
    }

    [Fact]
    public async Task DryRun_Always_TellsWhatARunDoesAndChangesNothing()
    {
        for (var i = 0; i < 12; i++)
        {
            await _rig.AddDealAsync($"d{i}", s_stages[i % 7]);
            await HappensAsync($"d{i}", new[] { "task call", "reply", "event meeting_scheduled", "task proposal", "event email_sent" }[i % 5], T0.AddHours(-100 - i));
        }

        var before = await database.FingerprintAsync();
        var preview = await _rig.AdvanceAsync("--dry-run");
        Assert.Equal(before, await database.FingerprintAsync());

        Assert.Equal(preview.ToString(), (await _rig.AdvanceAsync()).ToString());
        Assert.True(preview["advanced"] > 0 && preview["updated"] > preview["advanced"]);
    }

    [Fact]
    public async Task History_LoadedInBulk_IsNotActedUpon()
    {
        await _rig.AddDealAsync("a");
        var execution = await _rig.AddExecutionAsync("a", "c", T0.AddDays(-3));
        await using var other = await database.OpenConnectionAsync();
        await ExecuteAsync(other, "BEGIN; SET LOCAL salestasks.history = 'on'");
        await ExecuteAsync(
            other,
            $"""
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status) SELECT id, 'a', 'meeting', 'x', 'completed' FROM sales_pipeline;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('a', 'reply');
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type, status) VALUES ({execution}, 'a', 'call_made', 'completed');
            COMMIT
            """);

        Assert.Equal(0, (await _rig.AdvanceAsync())["outcomes"]);
        Assert.Equal("qualified", await _rig.StageAsync("a"));
    }

    /// <summary>Something happens to a lead, told as tools tell it.</summary>
    private async Task HappensAsync(string lead, string fact, DateTimeOffset at)
    {
        switch (fact.Split(' '))
        {
            case ["task", var type]:
                await _rig.AddTaskAsync(lead, type, "completed", completed: at);
                break;
            case ["event", var type]:
                await _rig.AddEventAsync(await _rig.AddExecutionAsync(lead, $"campaign {++_campaigns}", at.AddDays(-1)), type, at);
                break;
            default:
                await _rig.AddReplyAsync(lead, at, fact == "bot");
                break;
        }
    }

    private async Task<(long Outcomes, long Stopped)> OutcomesAndStoppedAsync()
    {
        var counts = await _rig.AdvanceAsync();
        return (counts["outcomes"], counts["stopped"]);
    }

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The test's own text.")]
    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
