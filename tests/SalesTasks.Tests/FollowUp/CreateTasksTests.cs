using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>Which deals get which task, when, and never twice.</summary>
public sealed class CreateTasksTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = FollowUpRig.T0;

    private readonly FollowUpRig _rig = new(database);

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
    [InlineData("qualified", "email high +0h qualified")]
    [InlineData("contacted", "call medium +24h contacted")]
    [InlineData("meeting_scheduled", "email high +0h meeting_scheduled")]
    [InlineData("proposal_sent", "call high +48h proposal_sent")]
    [InlineData("negotiating", "email urgent +24h negotiating")]
    public async Task Stage_Always_HasItsTask(string stage, string task)
    {
        await _rig.AddDealAsync("a", stage);

        var counts = await _rig.CreateAsync();

        Assert.Equal((1, 1), (counts["created"], counts["checked"]));
        Assert.Equal([task], await _rig.OpenTasksAsync("a"));
        Assert.Equal("rep@sales.example", await database.ScalarAsync<string>("SELECT assigned_to FROM sales_followup_tasks"));
        Assert.Equal(T0.UtcDateTime, await database.ScalarAsync<DateTime>("SELECT created_at FROM sales_followup_tasks"));
        Assert.Equal(0, (await _rig.CreateAsync())["created"]);
    }

    [Theory]
    [InlineData("closed_won")]
    [InlineData("closed_lost")]
    public async Task Stage_Closed_HasNone(string stage)
    {
        await _rig.AddDealAsync("a", stage, "next_followup_at = '2026-01-01'");

        Assert.Equal(0, (await _rig.CreateAsync())["created"]);
    }

    [Theory]
    [InlineData(null, "en", "First contact")]
    [InlineData("", "en", "First contact")]
    [InlineData("es", "en", "Primer contacto")]
    [InlineData(" ES_mx ", "en", "Primer contacto")]
    [InlineData("en-US", "es", "First contact")]
    [InlineData("fr", "en", "First contact")]
    [InlineData("fr", "es", "Primer contacto")]
    [InlineData(null, "es", "Primer contacto")]
    [InlineData(null, "pt", "First contact")]
    public async Task Language_OfTheLeadElseTheDefault_IsTheTasks(string? language, string standard, string title)
    {
        await database.ExecuteAsync("UPDATE followup_settings SET default_language = @language", ("language", standard));
        await _rig.AddDealAsync("a");
        await database.ExecuteAsync("UPDATE leads SET language = @language", ("language", language));

        await _rig.CreateAsync();

        Assert.Equal(title, await database.ScalarAsync<string>("SELECT task_title FROM sales_followup_tasks"));
        Assert.NotEmpty((await database.ScalarAsync<string>("SELECT task_description FROM sales_followup_tasks"))!);
        await database.ExecuteAsync("UPDATE followup_settings SET default_language = 'en'");
    }

    [Fact]
    public async Task Templates_Edited_AreUsedAndLookedAtAgain()
    {
        await _rig.AddDealAsync("a", "negotiating");
        await database.ExecuteAsync("DELETE FROM followup_templates WHERE stage = 'negotiating'");
        Assert.Equal((0, 1), await CreatedAndCheckedAsync());
        Assert.Equal((0, 0), await CreatedAndCheckedAsync());

        await database.ExecuteAsync(
            """
            INSERT INTO followup_templates (template, stage, task_type, priority, due_after) VALUES ('negotiation', 'negotiating', 'meeting', 'low', '1 hour');
            INSERT INTO followup_template_texts (template, language, title) VALUES ('negotiation', 'en', 'Meet')
            """);

        Assert.Equal(1, (await _rig.CreateAsync())["created"]);
        Assert.Equal(["meeting low +1h negotiating"], await _rig.OpenTasksAsync("a"));
        await database.ExecuteAsync(
            "UPDATE followup_templates SET task_type = 'email', priority = 'urgent', due_after = '24 hours' WHERE template = 'negotiation'");
    }

    [Theory]
    // next_followup_at decides where it is given, whatever the last contact.
    [InlineData("next_followup_at = '2026-03-18 10:00Z', last_contact_at = '2026-03-18 09:00Z'", true)]
    [InlineData("next_followup_at = '2026-03-18 10:01Z', last_contact_at = '2026-03-18 09:00Z'", false)]
    // Three days without contact, to the microsecond.
    [InlineData("last_contact_at = '2026-03-15 10:00Z', next_followup_at = NULL", true)]
    [InlineData("last_contact_at = '2026-03-15 10:00:00.000001Z', next_followup_at = '2026-04-01'", false)]
    [InlineData("last_contact_at = '2026-03-10', next_followup_at = '2026-04-01'", true)]
    // Nobody ever had contact.
    [InlineData("last_contact_at = NULL, next_followup_at = NULL", true)]
    [InlineData("last_contact_at = NULL, next_followup_at = '2026-04-01'", true)]
    public async Task Deal_NeedsFollowUp_WhenDueOrSilent(string set, bool needed)
    {
        await _rig.AddDealAsync("a", "contacted", set);

        Assert.Equal((needed ? 1 : 0, 1), await CreatedAndCheckedAsync());
    }

    [Theory]
    [InlineData("call", "last_contact_at = '2026-03-10', next_followup_at = '2026-03-11'", false)]
    [InlineData("custom", "last_contact_at = '2026-03-10', next_followup_at = '2026-04-11'", false)]
    [InlineData("custom", "last_contact_at = '2026-03-10', next_followup_at = '2026-03-11'", true)]
    [InlineData("email", "last_contact_at = '2026-03-10', next_followup_at = '2026-03-11'", true)]
    public async Task Task_OfAPerson_StandsInForTheSameTypeAndEndsTheSilence(string type, string set, bool needed)
    {
        await _rig.AddDealAsync("a", "contacted", set);
        await _rig.AddTaskAsync("a", type, "in_progress");

        Assert.Equal((needed ? 1 : 0, 1), await CreatedAndCheckedAsync());

        await database.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'cancelled' WHERE followup_stage IS NULL");
        Assert.Equal((needed ? 0 : 1, 1), await CreatedAndCheckedAsync());
    }

    [Fact]
    public async Task Task_SkippedByARep_IsNotMadeAgainAtOnce()
    {
        await _rig.AddDealAsync("a", "contacted", "next_followup_at = '2026-03-18 09:00Z'");
        await _rig.CreateAsync();
        await _rig.CloseAsync("a", "skipped", T0.AddHours(1));

        Assert.Equal(0, (await _rig.CreateAsync(T0.AddHours(2)))["created"]);
        Assert.Equal(0, (await _rig.CreateAsync(T0.AddHours(72.9)))["created"]);
        Assert.Equal(1, (await _rig.CreateAsync(T0.AddHours(73)))["created"]);
    }

    [Fact]
    public async Task Task_Completed_IsNotMadeAgainBeforeTheDealHasMovedOn()
    {
        await _rig.AddDealAsync("a");
        await _rig.CreateAsync();
        await _rig.CloseAsync("a", "completed", T0.AddHours(1));

        var counts = await _rig.CreateAsync(T0.AddHours(2));
        Assert.Equal((0, 1), (counts["created"], counts["waiting"]));
        // Left to the other step, not looked at again and again.
        Assert.Equal(0, (await _rig.CreateAsync(T0.AddHours(2)))["checked"]);

        Assert.Equal(1, (await _rig.AdvanceAsync(T0.AddHours(2)))["to_contacted"]);
        Assert.Equal(0, (await _rig.CreateAsync(T0.AddHours(3)))["created"]);
        Assert.Empty(await _rig.OpenTasksAsync("a"));
        // Three days after the contact the next stage's task.
        Assert.Equal(1, (await _rig.CreateAsync(T0.AddHours(73)))["created"]);
        Assert.Equal(["call medium +97h contacted"], await _rig.OpenTasksAsync("a"));
    }

    [Fact]
    public async Task Reply_FromBeforeTheQualification_DoesNotKeepTheDealFromItsTask()
    {
        await _rig.AddDealAsync("a");
        await _rig.AddReplyAsync("a", T0.AddDays(-20));

        Assert.Equal(1, (await _rig.CreateAsync())["waiting"]);
        await _rig.AdvanceAsync();

        Assert.Equal(1, (await _rig.CreateAsync(T0.AddHours(2)))["created"]);
    }

    [Fact]
    public async Task DefaultFollowupDays_Changed_CountsFromTheSameContact()
    {
        await _rig.AddDealAsync("a", "contacted", "last_contact_at = '2026-03-16 09:00Z', next_followup_at = '2026-04-01'");

        Assert.Equal((0, 1), await CreatedAndCheckedAsync());
        Assert.Equal((0, 0), await CreatedAndCheckedAsync());
        Assert.Equal(1, (await _rig.CreateAsync("--default-followup-days", "2"))["created"]);
    }

    [Fact]
    public async Task EnableAutoTasks_False_CreatesNone()
    {
        await _rig.AddDealAsync("a");

        Assert.Equal(0, (await _rig.CreateAsync("--enable-auto-tasks", "false"))["created"]);
        Assert.Equal(1, (await _rig.CreateAsync())["created"]);
    }

    [Fact]
    public async Task Limit_Always_TakesTheMostUrgentFirst()
    {
        await _rig.AddDealAsync("low", "contacted", "priority = 'low', score = 10");
        await _rig.AddDealAsync("high", "contacted", "priority = 'high', score = 60");
        await _rig.AddDealAsync("higher", "contacted", "priority = 'high', score = 70");
        await _rig.AddDealAsync("none", "contacted");
        await _rig.AddDealAsync("negotiating", "negotiating", "priority = 'low'");
        await _rig.AddDealAsync("later", "contacted", "last_contact_at = '2026-03-18', next_followup_at = '2026-04-01'");

        var order = new List<string>();
        for (var run = 0; run < 6; run++)
        {
            Assert.Equal(run < 5 ? 1 : 0, (await _rig.CreateAsync("--max-leads-per-run", "1"))["created"]);
            order.AddRange(await database.QueryAsync(
                "SELECT lead_ext_id FROM sales_followup_tasks WHERE NOT lead_ext_id = ANY (@seen)", row => row.GetString(0), ("seen", order.ToArray())));
        }

        Assert.Equal(["negotiating", "higher", "high", "low", "none"], order);
    }

    [Fact]
    public async Task Shards_Together_DoEachDealOnce()
    {
        for (var i = 0; i < 20; i++)
        {
            await _rig.AddDealAsync($"deal-{i}");
        }

        var first = (await _rig.CreateAsync("--shard", "0/3"))["created"];
        var second = (await _rig.CreateAsync("--shard", "1/3"))["created"];
        var third = (await _rig.CreateAsync("--shard", "2/3"))["created"];

        Assert.All([first, second, third], count => Assert.InRange(count, 5, 8));
        Assert.Equal(20, first + second + third);
        Assert.Equal(0, (await _rig.CreateAsync())["created"]);
    }

    [Fact]
    public async Task DryRun_Always_TellsWhatARunDoesAndChangesNothing()
    {
        _rig.With("SALES_TASKS_CONN_ID", "tasks").With("SALES_CALLS_CONN_ID", "calls");
        await _rig.AddDealAsync("a", "contacted");
        await _rig.AddDealAsync("b", "meeting_scheduled", """metadata = '{"meeting_at": "2026-03-25T10:00:00Z"}'""");
        await _rig.AddDealAsync("c", "contacted", "last_contact_at = '2026-03-18', next_followup_at = '2026-04-01'");
        await _rig.CreateAsync("--max-leads-per-run", "1");
        await database.ExecuteAsync("""UPDATE sales_pipeline SET metadata = '{"meeting_at": "2026-03-26T10:00:00Z"}' WHERE lead_ext_id = 'b'""");
        await _rig.AddDealAsync("d", "proposal_sent");
        await _rig.AddDealAsync("e");
        await _rig.AddTaskAsync("e", "call", "completed", completed: T0);
        var before = await database.FingerprintAsync();

        var preview = await _rig.CreateAsync("--dry-run");
        Assert.Equal(before, await database.FingerprintAsync());
        var real = await _rig.CreateAsync();

        Assert.Equal(preview.ToString(), real.ToString());
        Assert.Equal((2, 1, 1), (real["created"], real["replanned"], real["waiting"]));
        Assert.Equal(4, real["messages"]);
    }

    [Fact]
    public async Task OpenTask_OfAStage_CannotBeDoubled()
    {
        await _rig.AddDealAsync("a");
        await _rig.CreateAsync();

        var refused = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, followup_stage)
            SELECT pipeline_id, lead_ext_id, task_type, task_title, followup_stage FROM sales_followup_tasks
            """));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, refused.SqlState);

        // What people insert and open again is never refused.
        await _rig.AddTaskAsync("a", "email");
        await _rig.AddTaskAsync("a", "email");
        await _rig.CloseAsync("a", "skipped", T0);
        await database.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'cancelled' WHERE followup_stage IS NULL");
        Assert.Equal(1, (await _rig.CreateAsync(T0.AddDays(4)))["created"]);
        await database.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'pending'");
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM sales_followup_tasks WHERE followup_stage IS NOT NULL"));
        Assert.Equal(0, (await _rig.CreateAsync(T0.AddDays(9)))["created"]);
    }

    [Fact]
    public async Task Deal_MovedByAPerson_TakesItsPendingTasksOutOfTheWay()
    {
        await _rig.AddDealAsync("a");
        await _rig.AddDealAsync("b");
        await _rig.CreateAsync();
        await database.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'in_progress' WHERE lead_ext_id = 'b'");
        await _rig.AddTaskAsync("a", "custom");

        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'proposal_sent', next_followup_at = '2026-03-01'");
        Assert.Equal(
            ["a: custom pending ", "a: email skipped the deal is proposal_sent", "b: email in_progress "],
            await TasksAsync());

        Assert.Equal(1, (await _rig.CreateAsync("--max-leads-per-run", "1"))["created"]);
        Assert.Equal(1, (await _rig.CreateAsync())["created"]);
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = 'a'");
        Assert.Contains("a: call cancelled the deal is closed_won", await TasksAsync());
        // Opened again, the deal is looked at again; a task that went with the stage was not refused by anybody.
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'proposal_sent', next_followup_at = '2026-03-01' WHERE lead_ext_id = 'a'");
        Assert.Equal(1, (await _rig.CreateAsync())["created"]);
    }

    [Fact]
    public async Task Deal_GivenToAnotherRep_TakesItsTasksAlong()
    {
        await _rig.AddDealAsync("a");
        await _rig.AddDealAsync("nobody", set: "assigned_to = NULL");
        await _rig.CreateAsync();
        await _rig.AddTaskAsync("a", "call");

        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = 'Other@Sales.example'");

        Assert.Equal(
            ["a call ", "a email other@sales.example", "nobody email other@sales.example"],
            await database.QueryAsync(
                "SELECT lead_ext_id || ' ' || task_type || ' ' || coalesce(assigned_to, '') FROM sales_followup_tasks ORDER BY 1", row => row.GetString(0)));
    }

    [Fact]
    public async Task Messages_Configured_AreWrittenWithTheTaskAndGoWithIt()
    {
        await _rig.AddDealAsync("plain", "contacted");
        await _rig.CreateAsync();
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));

        _rig.With("SALES_TASKS_CONN_ID", "tasks").With("SALES_CALLS_CONN_ID", "calls");
        await _rig.AddDealAsync("call", "contacted", setLead: "last_name = 'Gil', company_name = 'Acme'");
        await _rig.AddDealAsync("nophone", "contacted", setLead: "phone = '12'");
        await _rig.AddDealAsync("mail");
        Assert.Equal(4, (await _rig.CreateAsync())["messages"]);

        Assert.Equal(
            [
                "call followup call 24", "call notice task 0", "mail notice task 0", "nophone notice task 0",
            ],
            await database.QueryAsync(
                """
                SELECT format('%s %s %s %s', lead_ext_id, purpose, channel, (extract(epoch FROM not_before - @t0) / 3600)::int)
                FROM outbox_messages ORDER BY 1
                """,
                row => row.GetString(0),
                ("t0", T0)));
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT count(*) FROM outbox_messages m JOIN sales_followup_tasks t ON t.id = (m.payload #>> '{metadata,task_id}')::bigint
                WHERE m.idempotency_key <> format('followup-%s/%s', m.channel, t.id) OR m.payload ->> 'title' <> t.task_title
                  OR m.payload #>> '{metadata,lead_ext_id}' <> t.lead_ext_id OR m.recipient IS DISTINCT FROM CASE WHEN m.channel = 'call' THEN '+1 202 555 0100' END
                """));

        Assert.Equal(
            "Follow-up call|2026-03-19T10:00:00+00:00|rep@sales.example|Ana Gil|call@acme.example|Acme|medium|contacted",
            await database.ScalarAsync<string>(
                """
                SELECT concat_ws('|', payload ->> 'title', payload ->> 'due', payload ->> 'assignee', m ->> 'lead_name', m ->> 'lead_email', m ->> 'company',
                  m ->> 'priority', m ->> 'stage')
                FROM outbox_messages, LATERAL (SELECT payload -> 'metadata' AS m) AS x WHERE channel = 'call'
                """));

        await _rig.CloseAsync("call", "completed", T0);
        Assert.Equal(
            ["call call cancelled task_closed", "call task cancelled task_closed", "mail task pending ", "nophone task pending "],
            await database.QueryAsync(
                "SELECT format('%s %s %s %s', lead_ext_id, channel, status, reason) FROM outbox_messages ORDER BY 1", row => row.GetString(0)));
    }

    [Fact]
    public async Task Run_Repeated_ChangesNothing()
    {
        for (var i = 0; i < 30; i++)
        {
            await _rig.AddDealAsync($"deal-{i}", new[] { "qualified", "contacted", "meeting_scheduled", "negotiating", "closed_lost" }[i % 5]);
        }

        var program = ProgramRunner.For(database).With("SALES_TASKS_CONN_ID", "tasks").With("SALES_CALLS_CONN_ID", "calls");
        var (first, second) = await TwiceRun.RunAsync(database, () => program.Start("followup", "create-tasks", "--as-of", T0.ToString("O")), "task_runs");

        Assert.Equal(24, first.Result.GetProperty("counts").GetProperty("created").GetInt32());
        Assert.Equal("nothing_to_do", second.Result.GetProperty("status").GetString());
        Assert.Equal(0, second.Result.GetProperty("counts").GetProperty("checked").GetInt32());
    }

    private async Task<(long Created, long Checked)> CreatedAndCheckedAsync()
    {
        var counts = await _rig.CreateAsync();
        return (counts["created"], counts["checked"]);
    }

    private Task<List<string>> TasksAsync() => database.QueryAsync(
        """
        SELECT format('%s: %s %s %s', lead_ext_id, task_type, status, metadata ->> 'closed_because') FROM sales_followup_tasks ORDER BY 1
        """,
        row => row.GetString(0));
}
