using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Steps become messages and tasks, one after the other, and stop when they have to.</summary>
public sealed class AdvanceTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = CampaignRig.T0;

    private readonly CampaignRig _rig = new(database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Advance_TwoSteps_TheSecondWaitsItsDelayFromTheSendingOfTheFirst()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        Assert.Equal("enrolled 1", await _rig.EnrollAsync());
        Assert.Equal(["a active 0/2 16.10:00"], await _rig.ExecutionsAsync());

        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync());
        Assert.Equal(["a active 1/2 -"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email pending a@acme.example One"], await _rig.MessagesAsync());
        Assert.Equal(["a:1 email_sent queued"], await _rig.EventsAsync());

        // Not sent yet: however long it takes, nothing follows.
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(30)));
        await _rig.SendAsync(T0.AddDays(31));
        Assert.Equal("settled 1", await _rig.AdvanceAsync(T0.AddDays(32)));
        Assert.Equal(["a active 1/2 18.10:00"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email_sent sent"], await _rig.EventsAsync());

        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(T0.AddDays(33)));
        await _rig.SendAsync(T0.AddDays(33));
        Assert.Equal("settled 1, completed 1", await _rig.AdvanceAsync(T0.AddDays(34)));
        Assert.Equal(["a completed 2/2 -"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email sent a@acme.example One", "a:2 email sent a@acme.example Two"], await _rig.MessagesAsync());
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(90)));
        Assert.Equal("", await _rig.EnrollAsync());
    }

    [Fact]
    public async Task Advance_TaskStep_MakesATaskForTheRepAndGoesOn()
    {
        await _rig.LeadAsync("a", "", "assigned_to = 'luis@sales.example'");
        await database.ExecuteAsync("INSERT INTO sales_reps (email, name) VALUES ('luis@sales.example', 'Luis')");
        await _rig.CampaignAsync(
            """
            [{"type": "task", "task_type": "meeting", "priority": "high", "due_hours": 4, "subject": "Meet {{ first_name }}", "body": "By {{ rep_name }}"},
             {"type": "email", "delay_hours": 2, "subject": "s", "body": "b"}]
            """);
        await _rig.EnrollAsync();

        Assert.Equal("advanced 1, tasks 1", await _rig.AdvanceAsync());
        Assert.Equal(["a active 1/2 16.12:00"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 custom completed"], await _rig.EventsAsync());
        Assert.Empty(await _rig.MessagesAsync());
        var task = Assert.Single(await database.RowsAsync("SELECT * FROM sales_followup_tasks"));
        Assert.Equal(("meeting", "Meet Ana", "By Luis", "pending", "high"), (task["task_type"], task["task_title"], task["task_description"], task["status"], task["priority"]));
        Assert.Equal(("luis@sales.example", T0.AddHours(4).UtcDateTime), (task["assigned_to"], task["due_date"]));
    }

    [Fact]
    public async Task Advance_TaskStepWithATaskConnection_AsksThereTooAndWaits()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "task", "subject": "Do it"}, {"type": "email", "delay_hours": 2, "subject": "s", "body": "b"}]""");
        await _rig.EnrollAsync();
        _rig.With("SALES_TASKS_CONN_ID", "tasks");

        Assert.Equal("advanced 1, queued 1, tasks 1", await _rig.AdvanceAsync());
        Assert.Equal(["a active 1/2 -"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 task pending"], await _rig.MessagesAsync());
        Assert.Equal("Do it", await database.ScalarAsync<string>("SELECT payload ->> 'title' FROM outbox_messages WHERE time_zone IS NULL"));
    }

    [Fact]
    public async Task Advance_TaskStepWithdrawnAndWrittenAnew_HasOneTask()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "task", "subject": "Do it"}]""");
        await _rig.EnrollAsync();
        _rig.With("SALES_TASKS_CONN_ID", "tasks");
        await _rig.AdvanceAsync();

        await _rig.DoAsync("campaigns", "disable", "Sequence");
        await _rig.DoAsync("campaigns", "enable", "Sequence");
        await _rig.AdvanceAsync(T0.AddYears(5));

        Assert.Equal(["a:1 task pending"], await _rig.MessagesAsync());
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks"));
    }

    [Fact]
    public async Task Advance_CallStep_GoesToTheCallApiOrToTheRep()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "call", "priority": "urgent", "due_hours": 1, "subject": "Call {{ first_name }}", "body": "Say hello"}]""");
        await _rig.EnrollAsync();
        Assert.Equal("advanced 1, tasks 1, completed 1", await _rig.AdvanceAsync());
        Assert.Equal("call urgent Call Ana", await database.ScalarAsync<string>("SELECT concat_ws(' ', task_type, priority, task_title) FROM sales_followup_tasks"));

        await _rig.LeadAsync("b");
        await _rig.EnrollAsync();
        Assert.Equal("advanced 1, queued 1", await _rig.With("SALES_CALLS_CONN_ID", "calls").AdvanceAsync());
        Assert.Equal(["b:1 call pending +34 600 123 456"], await _rig.MessagesAsync());
        Assert.Equal(["a:1 custom completed", "b:1 call_made queued"], await _rig.EventsAsync());
        Assert.Equal("Say hello", await database.ScalarAsync<string>("SELECT payload ->> 'notes' FROM outbox_messages WHERE payload ->> 'title' = 'Call Ana'"));
    }

    [Fact]
    public async Task Advance_SlackStep_IsEscapedAndLeftOutWithoutAConnection()
    {
        await _rig.LeadAsync("a", "first_name = '<!channel> & co'");
        await _rig.CampaignAsync("""[{"type": "slack", "body": "Look at {{ first_name }}"}]""");
        await _rig.EnrollAsync();
        Assert.Equal("advanced 1, skipped_steps 1, completed 1", await _rig.AdvanceAsync());
        Assert.Equal(["a:1 custom skipped SALES_SLACK_CONN_ID names no connection"], await _rig.EventsAsync());

        await _rig.LeadAsync("b", "first_name = '<!channel> & co'");
        await _rig.EnrollAsync();
        Assert.Equal("advanced 1, queued 1", await _rig.With("SALES_SLACK_CONN_ID", "team").AdvanceAsync());
        Assert.Equal("Look at &lt;!channel&gt; &amp; co", await database.ScalarAsync<string>("SELECT payload ->> 'text' FROM outbox_messages"));
    }

    [Theory]
    [InlineData("dead", "failed")]
    [InlineData("cancelled", "skipped")]
    [InlineData("in_doubt", "queued")]
    public async Task Advance_MessageThatWasNotSent_EndsItsStepAndTheNextGoesOn(string status, string eventStatus)
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await database.ExecuteAsync("UPDATE outbox_messages SET status = @status, finished_at = @at, reason = 'r'", ("status", status), ("at", T0.AddHours(3)));

        Assert.Equal("settled 1", await _rig.AdvanceAsync(T0.AddHours(4)));
        Assert.Equal(["a active 1/2 18.13:00"], await _rig.ExecutionsAsync());
        Assert.Equal([$"a:1 email_sent {eventStatus}"], await _rig.EventsAsync());
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(T0.AddHours(52)));
    }

    [Theory]
    [InlineData("reply", "stopped_reply 1", "replied")]
    [InlineData("event", "stopped_reply 1", "replied")]
    [InlineData("UPDATE sales_pipeline SET stage = 'closed_lost'", "stopped_closed 1", "deal_closed")]
    [InlineData("UPDATE sales_pipeline SET stage = 'closed_won'", "stopped_closed 1", "deal_closed")]
    [InlineData("UPDATE leads SET consent_email = false", "stopped_opt_out 1", "consent_refused")]
    [InlineData("INSERT INTO suppressions SELECT address_hash('email', 'A@acme.example'), 'email', 'opt_out'", "stopped_opt_out 1", "suppressed")]
    public async Task Advance_AfterAStop_TakesTheWaitingMessageBackAndSendsNothingMore(string stop, string counts, string reason)
    {
        await _rig.LeadAsync("a");
        await _rig.LeadAsync("b", "email = 'b@other.example'", "stage = 'contacted'");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await database.ExecuteAsync("UPDATE outbox_messages SET status = 'sent', sent_at = @at, finished_at = @at WHERE lead_ext_id = 'b'", ("at", T0));
        await (stop switch
        {
            "reply" => _rig.ReplyAsync("a", T0.AddHours(1)),
            "event" => database.ExecuteAsync("INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type, status) SELECT id, 'a', 'email_replied', 'completed' FROM sales_campaign_executions WHERE lead_ext_id = 'a'"),
            _ => database.ExecuteAsync(stop.StartsWith("INSERT", StringComparison.Ordinal) ? stop : stop + $" WHERE {(stop.Contains("leads", StringComparison.Ordinal) ? "ext_id" : "lead_ext_id")} = 'a'"),
        });

        Assert.Equal("advanced 1, queued 1, settled 1, " + counts, await _rig.AdvanceAsync(T0.AddDays(3)));
        Assert.Equal([$"a stopped 1/2 - {reason}", "b active 2/2 -"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email cancelled a@acme.example One", "b:1 email sent b@other.example One", "b:2 email pending b@other.example Two"], await _rig.MessagesAsync());
        Assert.Equal(reason, await database.ScalarAsync<string>("SELECT metadata ->> 'skip_reason' FROM sales_campaign_events WHERE lead_ext_id = 'a' AND event_type = 'email_sent'"));
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(90)));
    }

    [Fact]
    public async Task Advance_RepliesOfBotsAndFromBefore_StopNothing()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await _rig.ReplyAsync("a", T0.AddMinutes(-1));
        await _rig.EnrollAsync();
        await _rig.ReplyAsync("a", T0.AddMinutes(1), bot: true);
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(T0.AddHours(1)));
    }

    [Fact]
    public async Task Advance_SuppressedTelephone_StopsCampaignsThatCallOnly()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Mail");
        await _rig.CampaignAsync("""[{"type": "call", "subject": "c"}]""", name: "Calls");
        await _rig.EnrollAsync();
        await database.ExecuteAsync("INSERT INTO suppressions SELECT address_hash('phone', '+34600123456'), 'phone', 'opt_out'");
        Assert.Equal("advanced 1, queued 1, stopped_opt_out 1", await _rig.AdvanceAsync());
    }

    [Fact]
    public async Task Advance_ErasedLead_LeavesNothing()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await database.ExecuteAsync("DELETE FROM leads");
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(9)));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
    }

    [Fact]
    public async Task Advance_CampaignDisabledByHand_WithdrawsWhatWaitsAndGoesOnWhenEnabled()
    {
        await _rig.LeadAsync("a");
        await _rig.LeadAsync("b");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await database.ExecuteAsync("UPDATE outbox_messages SET status = 'sent', sent_at = @at, finished_at = @at WHERE lead_ext_id = 'b'", ("at", T0));
        await database.ExecuteAsync("UPDATE sales_campaigns SET enabled = false");

        Assert.Equal("paused 2", await _rig.AdvanceAsync(T0.AddDays(10)));
        Assert.Equal(["a paused 0/2 26.10:00 campaign_disabled", "b paused 1/2 - campaign_disabled"], await _rig.ExecutionsAsync());
        Assert.Equal(["b:1 email sent b@acme.example One"], await _rig.MessagesAsync());
        Assert.Equal(["b:1 email_sent queued"], await _rig.EventsAsync());
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(11)));

        await database.ExecuteAsync("UPDATE sales_campaigns SET enabled = true");
        Assert.Equal("advanced 2, queued 2, settled 1, resumed 2", await _rig.AdvanceAsync(T0.AddDays(20)));
        Assert.Equal(
            ["a:1 email pending a@acme.example One", "b:1 email sent b@acme.example One", "b:2 email pending b@acme.example Two"], await _rig.MessagesAsync());
    }

    [Fact]
    public async Task Advance_MessageTheDispatcherCancelledBecauseItsCampaignWasDisabled_IsWrittenAnewUnderTheSameKey()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        var key = await database.ScalarAsync<string>("SELECT idempotency_key FROM outbox_messages");
        await database.ExecuteAsync(
            """
            UPDATE outbox_messages SET status = 'cancelled', reason = 'campaign_disabled', finished_at = @at;
            UPDATE sales_campaign_executions SET status = 'stopped', next_action_at = NULL, metadata = metadata || '{"stop_reason": "campaign_disabled"}'
            """,
            ("at", T0));

        Assert.Equal("advanced 1, queued 1, resumed 1", await _rig.AdvanceAsync(T0.AddDays(1)));
        Assert.Equal(key, await database.ScalarAsync<string>("SELECT idempotency_key FROM outbox_messages WHERE status = 'pending'"));
        Assert.Equal(["a:1 email_sent queued"], await _rig.EventsAsync());
    }

    /// <summary>
    /// The campaign is enabled again while a dispatcher claims: resume has taken the execution and saw its message waiting; the claim saw the
    /// campaign disabled, cancels the message, and passes over the execution that resume holds.
    /// </summary>
    [Theory]
    [InlineData(CampaignRig.TwoEmails)]
    [InlineData(CampaignRig.OneEmail)]
    public async Task Advance_CampaignEnabledWhileAClaimCancelsBecauseItIsDisabled_LosesNoStep(string steps)
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(steps);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await using var dispatcher = await database.OpenConnectionAsync();
        await using var enabling = await database.OpenConnectionAsync();

        // The dispatcher holds the message when the campaign is disabled, which therefore leaves the message to it.
        await using var claim = await dispatcher.BeginTransactionAsync(Token);
        await dispatcher.ExecuteStatementAsync("database/set_as_of", [("as_of", T0.AddHours(1).ToString("O"))], Token);
        var held = await dispatcher.QueryStatementAsync("delivery/lock_due", [("channel", "email"), ("limit", 10)], row => row.GetInt64(0), Token);
        await _rig.DoAsync("campaigns", "disable", "Sequence");
        await using (var enable = await enabling.BeginTransactionAsync(Token))
        {
            (string, object?)[] parameters = [("campaign", null), ("as_of", T0.AddHours(1)), ("shard_index", 0), ("shard_count", 1)];
            await enabling.ExecuteStatementAsync(
                "campaigns/set_enabled", [("id", await database.ScalarAsync<long>("SELECT id FROM sales_campaigns")), ("enabled", true), ("as_of", T0.AddHours(1))], Token);
            Assert.Equal(1, await enabling.ExecuteStatementAsync("campaigns/resume", parameters, Token));

            var verdicts = await dispatcher.QueryStatementAsync(
                "delivery/claim", [("ids", held.ToArray()), ("token", Guid.CreateVersion7(T0)), ("lease_seconds", 60.0)], row => row.GetString(0), Token);
            Assert.Equal(["stop"], verdicts);
            await claim.CommitAsync(Token);
            await enable.CommitAsync(Token);
        }

        Assert.Equal("advanced 1, queued 1, settled 1", await _rig.AdvanceAsync(T0.AddHours(2)));

        Assert.Equal(["a:1 email_sent queued"], await _rig.EventsAsync());
        Assert.Equal("pending 1", await database.ScalarAsync<string>("SELECT status || ' ' || step_number FROM outbox_messages"));
        await _rig.SendAsync(T0.AddHours(3));
        await _rig.AdvanceAsync(T0.AddHours(4));
        Assert.Equal(["a:1 email_sent sent"], await _rig.EventsAsync());
    }

    [Fact]
    public async Task Advance_PausedByAPerson_StaysPaused()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await _rig.EnrollAsync();
        await database.ExecuteAsync("UPDATE sales_campaign_executions SET status = 'paused'");
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(1)));
    }

    [Fact]
    public async Task Advance_TextThatCannotBeRenderedForOneLead_FailsThatStepWithAReason()
    {
        await _rig.LeadAsync("a", "attributes = '{\"places\": 0}'");
        await _rig.LeadAsync("b", "attributes = '{\"places\": 4}'");
        await _rig.CampaignAsync(
            """
            [{"type": "email", "subject": "s", "body": "{% assign n = attributes.places | plus: 0 %}{% if attributes.places %}{{ 100 | divided_by: n }}{% endif %}."},
             {"type": "email", "delay_hours": 1, "subject": "t", "body": "b"}]
            """);
        await _rig.EnrollAsync();

        Assert.Equal("advanced 2, queued 1, failed_steps 1", await _rig.AdvanceAsync());
        Assert.Equal(["a active 1/2 16.11:00", "b active 1/2 -"], await _rig.ExecutionsAsync());
        var events = await _rig.EventsAsync();
        Assert.StartsWith("a:1 email_sent failed the template fails while it is rendered", events[0], StringComparison.Ordinal);
        Assert.Equal("b:1 email_sent queued", events[1]);
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(T0.AddHours(1)));
    }

    [Fact]
    public async Task Advance_LeadWhoLostTheirAddress_SkipsTheStepWithAReason()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "body": "b"}, {"type": "task", "delay_hours": 1, "subject": "t"}]""");
        await _rig.EnrollAsync();
        await database.ExecuteAsync("UPDATE leads SET email = NULL; UPDATE sales_pipeline SET email = 'gone'");
        Assert.Equal("advanced 1, skipped_steps 1", await _rig.AdvanceAsync());
        Assert.Equal(["a:1 email_sent skipped the lead has no valid e-mail address"], await _rig.EventsAsync());
        Assert.Equal("advanced 1, tasks 1, completed 1", await _rig.AdvanceAsync(T0.AddHours(1)));
    }

    [Fact]
    public async Task Advance_StepsTakenOutOfTheCampaign_CompletesWhoWasBeyondThem()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "task", "subject": "t"}, {"type": "email", "delay_hours": 1, "subject": "s", "body": "b"}]""");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await database.ExecuteAsync("""UPDATE sales_campaigns SET steps_config = '[{"type": "task", "subject": "t"}]'""");
        Assert.Equal("advanced 1, completed 1", await _rig.AdvanceAsync(T0.AddHours(1)));
        Assert.Empty(await _rig.MessagesAsync());
    }

    [Fact]
    public async Task Advance_StepSetBackByHand_IsNotSentTwice()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        await _rig.SendAsync(T0);
        await database.ExecuteAsync("UPDATE sales_campaign_executions SET current_step = 0, next_action_at = @at", ("at", T0));
        await _rig.AdvanceAsync(T0.AddHours(1));
        Assert.Equal(["a:1 email sent a@acme.example One"], await _rig.MessagesAsync());
        Assert.Equal(["a:1 email_sent queued"], await _rig.EventsAsync());
        await _rig.AdvanceAsync(T0.AddHours(2));
        Assert.Equal(["a active 1/2 18.10:00"], await _rig.ExecutionsAsync());
    }

    [Fact]
    public async Task Advance_ExecutionWrittenByHand_IsDueAtOnce()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await database.ExecuteAsync("INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, started_at) SELECT id, 'a', @at FROM sales_campaigns", ("at", T0));
        Assert.Equal("advanced 1, queued 1, settled 1", await _rig.AdvanceAsync());
    }

    [Theory]
    [InlineData("en-GB", "Hello Ana")]
    [InlineData("ES_mx", "Hola Ana")]
    [InlineData("fr", "Hello Ana")]
    [InlineData(null, "Hello Ana")]
    public async Task Advance_TextsByLanguage_FollowTheLead(string? language, string subject)
    {
        await _rig.LeadAsync("a");
        await database.ExecuteAsync("UPDATE leads SET language = @language", ("language", language));
        await _rig.CampaignAsync("""[{"type": "email", "subject": {"es": "Hola {{ first_name }}", "en": "Hello {{ first_name }}"}, "body": "b"}]""");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        Assert.Equal([$"a:1 email pending a@acme.example {subject}"], await _rig.MessagesAsync());
    }

    [Fact]
    public async Task Advance_HtmlOnly_HasATextPartAndEscapesValues()
    {
        await _rig.LeadAsync("a", "first_name = '<b>Ana</b>'");
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "html": "<p>Hi {{ first_name }}</p><p>See <a href=\"https://acme.example/x\">this</a></p>"}]""");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        Assert.Equal(
            "<p>Hi &lt;b&gt;Ana&lt;/b&gt;</p><p>See <a href=\"https://acme.example/x\">this</a></p>",
            await database.ScalarAsync<string>("SELECT payload ->> 'html' FROM outbox_messages"));
        Assert.Equal("Hi <b>Ana</b>\n\nSee this (https://acme.example/x)", await database.ScalarAsync<string>("SELECT payload ->> 'text' FROM outbox_messages"));
    }

    [Fact]
    public async Task Advance_AMessage_CarriesWhatItIsAbout()
    {
        await _rig.LeadAsync("a", "time_zone = 'Europe/Madrid'");
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "body": "b", "window": {"days": [2, 3], "end": "12:00"}}]""", name: "Named");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        var row = Assert.Single(await database.RowsAsync("SELECT m.*, v.id AS event, e.id AS execution FROM outbox_messages m JOIN sales_campaign_executions e ON e.id = m.execution_id JOIN sales_campaign_events v ON v.id = m.campaign_event_id"));
        Assert.Equal(($"campaign:{row["execution"]}:1", "email", "campaign"), (row["idempotency_key"], row["channel"], row["purpose"]));
        Assert.Equal(("Europe/Madrid", "2,3"), (row["time_zone"], string.Join(',', (int[])row["window_days"]!)));
        Assert.Equal((new TimeOnly(9, 0), new TimeOnly(12, 0)), (row["window_start"], row["window_end"]));
        // Monday noon in Madrid: Tuesday at nine, which is eight in UTC.
        Assert.Equal(new DateTime(2026, 3, 17, 8, 0, 0, DateTimeKind.Utc), row["not_before"]);
        var payload = Json.Parse((string)row["payload"]!);
        Assert.Equal(("Named", "a", 1), (payload.GetProperty("metadata").GetProperty("campaign").GetString(), payload.GetProperty("metadata").GetProperty("lead_ext_id").GetString(), payload.GetProperty("metadata").GetProperty("campaign_step").GetInt32()));
    }

    [Theory]
    [InlineData("Mars/Base")]
    [InlineData(null)]
    public async Task Advance_ZoneUnknown_IsThePolicys(string? zone)
    {
        await _rig.LeadAsync("a");
        await database.ExecuteAsync("UPDATE leads SET time_zone = @zone; UPDATE sending_policy SET default_time_zone = 'America/New_York'", ("zone", zone));
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();
        Assert.Equal("America/New_York", await database.ScalarAsync<string>("SELECT time_zone FROM outbox_messages"));
        // Ten in the morning UTC is six in New York: at nine there.
        Assert.Equal(T0.AddHours(3).UtcDateTime, await database.ScalarAsync<DateTime>("SELECT not_before FROM outbox_messages"));
    }

    [Fact]
    public async Task Advance_DryRun_CountsAsTheRealRunAndWritesNothing()
    {
        await _rig.LeadsAsync("lead", 50);
        await _rig.CampaignAsync("""[{"type": "task", "subject": "t"}, {"type": "email", "subject": "s", "body": "b"}]""");
        await _rig.EnrollAsync();
        await _rig.ReplyAsync("lead7", T0.AddMinutes(1));
        var before = await database.FingerprintAsync();
        var dry = await _rig.AdvanceAsync(T0.AddHours(1), "--dry-run");
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Equal(await _rig.AdvanceAsync(T0.AddHours(1)), dry);
        Assert.Equal("advanced 98, queued 49, tasks 49, stopped_reply 1", dry);
    }

    [Fact]
    public async Task Advance_DryRunUnderWay_HoldsNothingThatARealRunNeeds()
    {
        await _rig.LeadsAsync("lead", 20);
        await _rig.CampaignAsync("""[{"type": "task", "subject": "t"}, {"type": "email", "subject": "s", "body": "b"}]""");
        await _rig.EnrollAsync();
        await _rig.ReplyAsync("lead7", T0.AddMinutes(1));
        var proxy = new Faults.PostgresProxy(database.Connection);
        await using var ownProxy = proxy;
        var real = new List<string>();
        // In the last quarter of a dry run's events everything that it would change has been changed.
        var host = new Cli.TestHost(database).With(
            "AIRFLOW_CONN_SALES_POSTGRES",
            database.AirflowUri.Replace($":{database.Connection.Port}/", $":{proxy.Port}/", StringComparison.Ordinal));
        await host.RunAsync("campaigns", "advance", "--dry-run", "--as-of", T0.AddHours(1).ToString("O"));
        proxy.Arm(new Faults.Fault(Faults.FaultKind.Act, proxy.Events - 2) { Act = async () => real.Add(await _rig.AdvanceAsync(T0.AddHours(1))) });

        Assert.Equal(ExitCode.Done, await host.RunAsync("campaigns", "advance", "--dry-run", "--as-of", T0.AddHours(1).ToString("O")));

        Assert.Equal(["advanced 38, queued 19, tasks 19, stopped_reply 1"], real);
    }

    [Fact]
    public async Task EnrollAndAdvance_ASecondTime_ChangeNothing()
    {
        await _rig.LeadsAsync("lead", 30);
        await _rig.LeadAsync("refused", "consent_email = false");
        await _rig.CampaignAsync("""[{"type": "task", "subject": "t"}, {"type": "email", "subject": "s", "body": "b"}]""");
        await _rig.CampaignAsync("[{}]", name: "Invalid");
        var program = ProgramRunner.For(database);
        await TwiceRun.RunAsync(database, () => program.Start("campaigns", "enroll"), "task_runs");
        await TwiceRun.RunAsync(database, () => program.Start("campaigns", "advance"), "task_runs");
        Assert.Equal(30, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
    }

    [Fact]
    public async Task Advance_WithALimit_TakesTheLongestDueFirst()
    {
        await _rig.LeadsAsync("lead", 5);
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await _rig.EnrollAsync();
        await database.ExecuteAsync("UPDATE sales_campaign_executions SET next_action_at = next_action_at - interval '1 hour' WHERE lead_ext_id IN ('lead2', 'lead4')");
        Assert.Equal("advanced 2, queued 2", await _rig.AdvanceAsync(null, "--max-leads-per-run", "2"));
        Assert.Equal(["lead2", "lead4"], await database.QueryAsync("SELECT lead_ext_id FROM outbox_messages ORDER BY 1", row => row.GetString(0)));
        Assert.Equal("advanced 3, queued 3", await _rig.AdvanceAsync());
    }

    [Fact]
    public async Task Advance_InShards_IsTheWhole()
    {
        await _rig.LeadsAsync("lead", 60);
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await _rig.EnrollAsync();
        var parts = new List<long>();
        foreach (var shard in (string[])["0/3", "1/3", "2/3"])
        {
            await _rig.AdvanceAsync(null, "--shard", shard);
            parts.Add(await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        }

        Assert.Equal(60, parts[2]);
        Assert.True(parts[0] > 0 && parts[1] > parts[0] && parts[2] > parts[1], string.Join(' ', parts));
    }

    [Fact]
    public async Task Advance_InvalidCampaign_IsLeftOutAndItsLeadsWait()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Bad");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Good");
        await _rig.EnrollAsync();
        await database.ExecuteAsync("""UPDATE sales_campaigns SET steps_config = '[{"type": "email", "subject": "{{ ", "body": "b"}]' WHERE name = 'Bad'""");
        Assert.Equal("advanced 1, queued 1, invalid_campaigns 1", await _rig.AdvanceAsync());
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync("campaigns", "advance", "--fail-on-invalid-campaign")).ExitCode);
        await database.ExecuteAsync("UPDATE sales_campaigns SET steps_config = @steps::jsonb WHERE name = 'Bad'", ("steps", CampaignRig.OneEmail));
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(T0.AddHours(1)));
    }

    [Fact]
    public async Task Advance_WindowThatThePolicyNoLongerMeets_WaitsAsAnInvalidCampaign()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "body": "b", "window": {"start": "16:00"}}]""");
        await _rig.EnrollAsync();
        await database.ExecuteAsync("UPDATE sending_policy SET window_end = '15:00'");
        Assert.Equal("invalid_campaigns 1", await _rig.AdvanceAsync());
        await database.ExecuteAsync("UPDATE sending_policy SET window_end = '17:00'");
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync());
    }

    [Fact]
    public async Task Advance_EnableCampaignsFalse_StandsStill()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail);
        await _rig.EnrollAsync();
        var before = await database.FingerprintAsync("task_runs");
        Assert.Equal("", await _rig.AdvanceAsync(null, "--enable-campaigns=false"));
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }
}
