using System.Globalization;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Timing;

/// <summary>What is planned is moved to learned hours, once, and only what the program planned; and moved back.</summary>
public sealed class ApplyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = TimingRig.T0;

    private readonly TimingRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Apply_WhatIsPlanned_GoesToTheLearnedHourOfTheLeadsClock()
    {
        // Wednesday at 11 in Madrid. Due on Monday or Tuesday, so within three working days.
        await _rig.LearnedAsync(3, 11);
        var lead = await AddAsync(TimingRig.Plain, "next_followup_at = last_contact_at + interval '3 days'");
        await AddTaskAsync(lead, "contacted", "follow_up_call", "call", T0.AddHours(2));
        await AddMessageAsync(lead, T0.AddHours(8));

        var counts = await _rig.ApplyAsync();

        Assert.Equal((1, 1, 1), (counts["tasks_moved"], counts["followups_moved"], counts["messages_moved"]));
        foreach (var sql in (string[])["SELECT due_date FROM sales_followup_tasks", "SELECT not_before FROM outbox_messages"])
        {
            Assert.InRange((await _rig.LocalAsync(sql, lead))!.Value, At(18, 11), At(18, 12).AddSeconds(-1));
        }

        // Its call, asked for 24 hours later, would be due in that hour; it is made two hours before.
        var followup = (await _rig.LocalAsync("SELECT next_followup_at FROM sales_pipeline", lead))!.Value;
        Assert.InRange(followup, At(17, 9), At(17, 10).AddSeconds(-1));
        Assert.True(await database.ScalarAsync<bool>("SELECT active AND applied_since = @t0 FROM timing_state", ("t0", T0)));
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM timing_moves WHERE plain_at < moved_to"));
    }

    [Fact]
    public async Task Apply_Twice_MovesNothingTheSecondTime()
    {
        await _rig.LearnedAsync(3, 11);
        await PlansAsync(200);

        var first = await _rig.ApplyAsync();
        var before = await database.FingerprintAsync("task_runs");
        var second = await _rig.ApplyAsync();

        Assert.True(first["tasks_moved"] > 100 && first["followups_moved"] > 100 && first["messages_moved"] > 100, first.ToString());
        Assert.Equal(0, second["tasks_moved"] + second["followups_moved"] + second["messages_moved"] + second["moved_back"]);
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Apply_DryRun_TellsTheSameAndWritesNothing()
    {
        await _rig.LearnedAsync(3, 11);
        await PlansAsync(100);
        var before = await database.FingerprintAsync();

        var dry = await _rig.ApplyAsync("--dry-run");
        Assert.Equal(before, await database.FingerprintAsync());

        var real = await _rig.ApplyAsync();
        Assert.Equal(
            (real["tasks_moved"], real["followups_moved"], real["messages_moved"]), (dry["tasks_moved"], dry["followups_moved"], dry["messages_moved"]));
    }

    [Fact]
    public async Task Apply_WithALimit_GoesOnNextTime()
    {
        await _rig.LearnedAsync(3, 11);
        await PlansAsync(100);
        var all = await _rig.ApplyAsync("--dry-run");
        var total = all["tasks_moved"] + all["followups_moved"] + all["messages_moved"];

        var first = await _rig.ApplyAsync("--max-leads-per-run", "30");
        Assert.Equal(30, first["tasks_moved"] + first["followups_moved"] + first["messages_moved"]);

        var rest = await _rig.ApplyAsync();
        Assert.Equal(total - 30, rest["tasks_moved"] + rest["followups_moved"] + rest["messages_moved"]);
    }

    [Theory]
    [InlineData("a person's task", "followup_stage = NULL")]
    [InlineData("a person's due date", "due_date = due_date + interval '1 minute'")]
    [InlineData("overdue", "created_at = created_at - interval '3 days', due_date = due_date - interval '3 days'")]
    [InlineData("begun", "status = 'in_progress'")]
    [InlineData("a first contact", "followup_stage = 'qualified'")]
    [InlineData("another kind of task", "task_type = 'proposal'")]
    public async Task Apply_TaskOfAnotherKind_StaysWhereItIs(string what, string set)
    {
        await _rig.LearnedAsync(3, 11);
        var lead = await AddAsync(TimingRig.Plain);
        await AddTaskAsync(lead, "contacted", "follow_up_call", "call", T0.AddHours(2));
        await database.ExecuteAsync($"UPDATE sales_followup_tasks SET {set}");
        var before = await database.ScalarAsync<DateTime>("SELECT due_date FROM sales_followup_tasks");

        var counts = await _rig.ApplyAsync();

        Assert.Equal((what, 0L, before), (what, counts["tasks_moved"], await database.ScalarAsync<DateTime>("SELECT due_date FROM sales_followup_tasks")));
    }

    [Fact]
    public async Task Apply_MeetingPreparation_StaysBeforeItsMeeting()
    {
        await _rig.LearnedAsync(3, 11);
        var lead = await AddAsync(TimingRig.Plain, "stage = 'meeting_scheduled', next_followup_at = last_contact_at + interval '3 days'");
        await AddTaskAsync(lead, "meeting_scheduled", "meeting_preparation", "email", T0.AddHours(2));

        var counts = await _rig.ApplyAsync();

        Assert.Equal(0, counts["tasks_moved"] + counts["followups_moved"]);
    }

    [Theory]
    [InlineData("a person's date", "next_followup_at = last_contact_at + interval '3 days 5 minutes'")]
    [InlineData("due already", "last_contact_at = '2026-03-10', next_followup_at = '2026-03-13'")]
    [InlineData("closed", "stage = 'closed_lost', next_followup_at = last_contact_at + interval '3 days'")]
    [InlineData("never contacted", "stage = 'qualified', next_followup_at = last_contact_at + interval '3 days'")]
    public async Task Apply_FollowUpOfAnotherKind_StaysWhereItIs(string what, string set)
    {
        await _rig.LearnedAsync(3, 11);
        await AddAsync(TimingRig.Plain, set);
        var before = await database.ScalarAsync<DateTime>("SELECT next_followup_at FROM sales_pipeline");

        var counts = await _rig.ApplyAsync();

        Assert.Equal((what, 0L, before), (what, counts["followups_moved"], await database.ScalarAsync<DateTime>("SELECT next_followup_at FROM sales_pipeline")));
    }

    [Theory]
    [InlineData("put off by a cap", "reason = 'frequency_cap'")]
    [InlineData("tried", "attempts = 1, failures = 1")]
    [InlineData("due", "not_before = '2026-03-15'")]
    [InlineData("for our own people", "channel = 'slack'")]
    public async Task Apply_MessageOfAnotherKind_StaysWhereItIs(string what, string set)
    {
        await _rig.LearnedAsync(3, 11);
        await AddMessageAsync(await AddAsync(TimingRig.Plain), T0.AddHours(8));
        await database.ExecuteAsync($"UPDATE outbox_messages SET {set}");

        Assert.Equal((what, 0L), (what, (await _rig.ApplyAsync())["messages_moved"]));
    }

    [Fact]
    public async Task Apply_ControlLead_KeepsPlainTimes()
    {
        await _rig.LearnedAsync(3, 11);
        await database.ExecuteAsync("INSERT INTO timing_intervals VALUES ('*', 6, 100, 1.5, 1.2, 1.9, true)");
        var lead = await AddAsync("contact_arm(ext_id) = 'control'", "next_followup_at = last_contact_at + interval '3 days'");
        await AddTaskAsync(lead, "contacted", "follow_up_call", "call", T0.AddHours(2));
        await AddMessageAsync(lead, T0.AddHours(8));

        var counts = await _rig.ApplyAsync();

        Assert.Equal(0, counts["tasks_moved"] + counts["followups_moved"] + counts["messages_moved"] + counts["intervals_set"]);
    }

    [Fact]
    public async Task Arms_OfManyLeads_HaveTheSharesTheyAreSaidToHave()
    {
        var (control, explore) = (await database.QueryAsync(
            """
            SELECT count(*) FILTER (WHERE contact_arm('lead-' || i) = 'control'),
              count(*) FILTER (WHERE contact_explores('lead-' || i, '2026-03-16') AND contact_explores('lead-' || i, '2026-03-23'))
            FROM generate_series(1, 100000) AS i
            """,
            row => (row.GetInt64(0), row.GetInt64(1))))[0];

        Assert.InRange(control, 4_700, 5_300);
        Assert.InRange(explore, 850, 1_150);
    }

    [Fact]
    public async Task Apply_BeyondThreeWorkingDays_DoesNotWait()
    {
        // Friday at 11: more than three working days from Monday at 13 on, less from Tuesday at 13 on.
        await _rig.LearnedAsync(5, 11);
        var lead = await AddAsync(TimingRig.Plain);
        await AddTaskAsync(lead, "contacted", "follow_up_call", "call", T0.AddHours(12));
        Assert.Equal(0, (await _rig.ApplyAsync())["tasks_moved"]);

        await database.ExecuteAsync("UPDATE sales_followup_tasks SET created_at = created_at + interval '1 day', due_date = due_date + interval '1 day'");
        Assert.Equal(1, (await _rig.ApplyAsync())["tasks_moved"]);

        // Urgent ones wait a day at most.
        await database.ExecuteAsync(
            "DELETE FROM timing_moves; UPDATE sales_followup_tasks SET priority = 'urgent', due_date = created_at + interval '24 hours'");
        Assert.Equal(0, (await _rig.ApplyAsync())["tasks_moved"]);
    }

    [Fact]
    public async Task Apply_CredibleInterval_IsGivenToTreatedLeadsAndTakenBack()
    {
        await _rig.LearnedAsync(3, 11);
        await database.ExecuteAsync("INSERT INTO timing_intervals VALUES ('*', 6, 100, 1.5, 1.2, 1.9, true)");
        var lead = await AddAsync(TimingRig.Plain, "next_followup_at = last_contact_at + interval '3 days'");
        var theirs = await AddAsync($"ext_id <> '{lead}' AND {TimingRig.Plain}");
        await database.ExecuteAsync("INSERT INTO lead_contact_timing (lead_ext_id, interval_days) VALUES (@lead, 9)", ("lead", theirs));

        var counts = await _rig.ApplyAsync();

        Assert.Equal((1, 1), (counts["intervals_set"], counts["followups_moved"]));
        Assert.Equal(["6.00", "9.00"], await IntervalsAsync());
        // Six days after the contact on Saturday is Friday; its call, a day later, may wait for no Wednesday.
        Assert.Equal(T0.AddDays(4), await database.ScalarAsync<DateTimeOffset>("SELECT next_followup_at FROM sales_pipeline WHERE lead_ext_id = @lead", ("lead", lead)));

        await database.ExecuteAsync("UPDATE timing_intervals SET credible = false");
        Assert.Equal(1, (await _rig.ApplyAsync())["intervals_taken_back"]);
        Assert.Equal(["9.00"], await IntervalsAsync());
    }

    [Fact]
    public async Task CreateTasks_FollowUpThatWasPutOff_IsWaitedFor()
    {
        // Contacted on Saturday and put off to Thursday: the rule of three days without contact does not bring it back to Tuesday.
        await _rig.LearnedAsync(3, 11);
        await database.ExecuteAsync("INSERT INTO timing_intervals VALUES ('*', 5, 100, 1.5, 1.2, 1.9, true)");
        await AddAsync(TimingRig.Plain, "next_followup_at = last_contact_at + interval '3 days'");
        await _rig.ApplyAsync();
        var due = await database.ScalarAsync<DateTime>("SELECT next_followup_at FROM sales_pipeline");

        Assert.Equal(0, new Counts((await _rig.JobAsync("followup create-tasks", T0.AddDays(2))).Json.GetProperty("counts"))["created"]);
        Assert.Equal(1, new Counts((await _rig.JobAsync("followup create-tasks", new DateTimeOffset(due, TimeSpan.Zero))).Json.GetProperty("counts"))["created"]);
    }

    [Theory]
    [InlineData("fallback")]
    [InlineData("disabled")]
    public async Task Apply_NoLongerUsed_TakesBackWhatItSetAndNothingElse(string how)
    {
        await _rig.LearnedAsync(3, 11);
        await PlansAsync(100);
        await database.ExecuteAsync("INSERT INTO timing_intervals VALUES ('*', 4, 100, 1.5, 1.2, 1.9, true)");
        var before = await PlannedAsync();
        await _rig.ApplyAsync();
        Assert.NotEqual(before, await PlannedAsync());
        // A person moves one of them.
        var task = await database.ScalarAsync<long>("UPDATE sales_followup_tasks SET due_date = '2026-03-20 10:00Z' WHERE id = (SELECT min(id) FROM timing_moves WHERE kind = 'task') RETURNING id");
        if (how == "fallback")
        {
            await database.ExecuteAsync("UPDATE timing_state SET state = 'fallback', reason = 'lift_not_positive', fallback_since = @t0", ("t0", T0));
        }

        var answer = await _rig.JobAsync("timing apply", T0, how == "disabled" ? ["--enable-auto-optimization", "false"] : []);

        Assert.Equal(how, answer.Json.GetProperty("details").GetProperty("state").GetString());
        var after = await PlannedAsync();
        Assert.Equal([$"task {task}"], before.Where(b => after[b.Key] != b.Value).Select(b => b.Key));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM timing_moves) + (SELECT count(*) FROM lead_contact_timing)"));
        Assert.False(await database.ScalarAsync<bool>("SELECT active FROM timing_state"));
    }

    [Fact]
    public async Task CreateTasks_WhileLearnedHoursAreInUse_PlansForThem()
    {
        await _rig.LearnedAsync(3, 11);
        await _rig.ApplyAsync();
        var lead = await AddAsync(TimingRig.Plain, "next_followup_at = '2026-03-15'");
        await AddAsync("contact_arm(ext_id) = 'control'", "next_followup_at = '2026-03-15'");

        await _rig.JobAsync("followup create-tasks", T0);

        Assert.InRange((await _rig.LocalAsync($"SELECT due_date FROM sales_followup_tasks WHERE lead_ext_id = '{lead}'", lead))!.Value, At(18, 11), At(18, 12));
        Assert.Equal(T0.AddDays(1), await database.ScalarAsync<DateTimeOffset>("SELECT due_date FROM sales_followup_tasks WHERE lead_ext_id <> @lead", ("lead", lead)));
        Assert.Equal([lead], await database.QueryAsync("SELECT lead_ext_id FROM timing_moves", row => row.GetString(0)));
        // What is planned for a learned hour stays there.
        Assert.Equal(0, (await _rig.ApplyAsync())["tasks_moved"]);
    }

    [Fact]
    public async Task Advance_WhileLearnedHoursAreInUse_SendsCampaignStepsInThem()
    {
        await _rig.LearnedAsync(3, 11);
        await _rig.ApplyAsync();
        var lead = await AddAsync(TimingRig.Plain);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (name, campaign_type, steps_config)
            VALUES ('c', 'email_sequence', '[{"type": "email", "delay_hours": 0, "subject": "Hello", "body": "Hello {{ first_name }}"}]');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, total_steps, next_action_at, started_at)
            SELECT c.id, p.lead_ext_id, p.id, 1, @t0, @t0 FROM sales_campaigns c, sales_pipeline p
            """,
            ("t0", T0));

        await _rig.JobAsync("campaigns advance", T0);

        Assert.InRange((await _rig.LocalAsync("SELECT not_before FROM outbox_messages", lead))!.Value, At(18, 11), At(18, 12));
        // Plain: when the window opens on Monday at nine.
        Assert.Equal(At(16, 9), await database.ScalarAsync<DateTime>("SELECT plain_at AT TIME ZONE 'Europe/Madrid' FROM timing_moves"));
        Assert.Equal(0, (await _rig.ApplyAsync())["messages_moved"]);
    }

    /// <summary>
    /// Every 97 minutes of a year with all its clock changes, leads and reps in zones of every kind: never earlier than asked, never outside the house's window, a
    /// campaign's or the rep's hours, never later than three working days; and explorers try other hours than the best.
    /// </summary>
    [Fact]
    public async Task ContactSlot_AllYearInAllKindsOfZones_KeepsHoursAndBounds()
    {
        await _rig.LearnedAsync(3, 11);
        await database.ExecuteAsync(
            """
            UPDATE timing_slots SET credible = (weekday, hour) IN ((1, 9), (2, 17), (3, 11), (5, 13), (7, 2)), rate = 0.2 + 0.3 * (weekday % 3 + 1);
            UPDATE timing_state SET active = true;
            UPDATE sending_policy SET window_days = '{1,2,3,4,5,7}', window_start = '09:30', window_end = '17:45';
            INSERT INTO sales_reps (email, name, time_zone, work_days, work_start, work_end) VALUES
              ('kathmandu@sales.example', 'K', 'Asia/Kathmandu', '{1,2,3,4,5,7}', '10:15', '19:00'), ('denver@sales.example', 'D', 'America/Denver', '{1,2,3,4}', '07:00', '15:30');
            INSERT INTO sales_rep_absences (rep_email, starts_at, ends_at) VALUES ('denver@sales.example', '2026-05-01', '2026-05-20');
            INSERT INTO leads (ext_id, source, time_zone)
            SELECT replace(z, '/', '-') || n, 'x', z
            FROM unnest(ARRAY['Europe/Madrid', 'America/Sao_Paulo', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Chatham', 'Africa/Cairo', 'Pacific/Apia', 'UTC']) AS z,
              generate_series(1, 3) AS n;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, first_contact_at, assigned_to)
            SELECT ext_id, 'x', 'contacted', '2025-01-01', CASE right(ext_id, 1) WHEN '1' THEN 'kathmandu@sales.example' WHEN '2' THEN 'denver@sales.example' END FROM leads;
            """);

        var (moved, wrong, hours) = (await database.QueryAsync(
            """
            SELECT
              count(*) FILTER (WHERE s.slot <> s.earliest),
              count(*) FILTER (WHERE s.slot <> s.earliest AND NOT (
                s.slot > s.earliest AND s.local::date - s.local_earliest::date <= 6
                AND (SELECT count(*) FROM generate_series(s.local_earliest::date + 1, s.local::date, interval '1 day') AS d WHERE extract(isodow FROM d) <> 6) <= 3
                AND extract(isodow FROM s.local) <> 6 AND s.local::time >= '09:30' AND s.local::time < '17:45'
                AND (NOT s.windowed OR (extract(isodow FROM s.local) IN (2, 3, 7) AND s.local::time >= '10:00' AND s.local::time < '16:00'))
                AND (s.rep IS NULL OR (extract(isodow FROM s.rep_local)::int = ANY (s.work_days) AND s.rep_local::time >= s.work_start AND s.rep_local::time < s.work_end
                  AND NOT EXISTS (SELECT FROM sales_rep_absences a WHERE a.rep_email = s.rep AND s.slot >= a.starts_at AND s.slot < a.ends_at))))),
              count(DISTINCT (extract(isodow FROM s.local), extract(hour FROM s.local))) FILTER (WHERE s.slot <> s.earliest)
            FROM (
              SELECT
                q.*, q.slot AT TIME ZONE q.zone AS local, q.earliest AT TIME ZONE q.zone AS local_earliest, r.email AS rep, r.work_days, r.work_start, r.work_end,
                q.slot AT TIME ZONE r.time_zone AS rep_local
              FROM (
                SELECT
                  l.ext_id, l.time_zone AS zone, e AS earliest, n % 3 = 0 AS windowed,
                  CASE WHEN n % 3 = 0 THEN contact_slot(l.ext_id, 'call', e, 3, true, '{2,3,7}', '10:00', '16:00') ELSE contact_slot(l.ext_id, 'call', e, 3, true) END AS slot
                FROM leads l
                CROSS JOIN generate_series(timestamptz '2026-01-01', '2026-12-31', interval '97 minutes') WITH ORDINALITY AS g (e, n)
                WHERE (n + l.lead_id) % 27 = 0
              ) AS q
              JOIN sales_pipeline p ON p.lead_ext_id = q.ext_id
              LEFT JOIN sales_reps r ON r.email = p.assigned_to
            ) AS s
            """,
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2))))[0];

        Assert.True(moved > 1_000, $"{moved} moved");
        Assert.True(hours > 6, $"{hours} hours");
        Assert.Equal(0, wrong);
        await database.ExecuteAsync("UPDATE sending_policy SET window_days = '{1,2,3,4,5}', window_start = '09:00', window_end = '18:00'");
    }

    [Theory]
    [InlineData("inactive", "active = false", "")]
    [InlineData("never contacted", "active = true", "first_contact_at = NULL")]
    [InlineData("nothing credible", "active = true", "assigned_to = 'x'")]
    public async Task ContactSlot_NothingToGoBy_IsTheEarliest(string what, string state, string deal)
    {
        await _rig.LearnedAsync(3, 11);
        var lead = await AddAsync(TimingRig.Plain, deal);
        await database.ExecuteAsync($"UPDATE timing_state SET {state}");
        if (what == "nothing credible")
        {
            await database.ExecuteAsync("UPDATE timing_profiles SET credible = false");
        }

        Assert.Equal(T0, await database.ScalarAsync<DateTimeOffset>("SELECT contact_slot(@lead, 'call', @t0, 3)", ("lead", lead), ("t0", T0)));
    }

    private static DateTime At(int day, int hour) => new(2026, 3, day, hour, 0, 0);

    private async Task<string> AddAsync(string condition, string set = "")
    {
        var lead = await _rig.LeadWhereAsync(condition);
        await _rig.AddDealAsync(lead, set: set);
        return lead;
    }

    /// <summary>A task as follow-up made it, a day before it is due.</summary>
    private Task<int> AddTaskAsync(string lead, string stage, string template, string type, DateTimeOffset due) => database.ExecuteAsync(
        """
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, due_date, created_at, followup_stage, metadata)
        SELECT id, lead_ext_id, @type, 'x', @due, @due - interval '24 hours', @stage::pipeline_stage, jsonb_build_object('template', @template) FROM sales_pipeline WHERE lead_ext_id = @lead
        """,
        ("lead", lead), ("type", type), ("due", due), ("stage", stage), ("template", template));

    private Task<int> AddMessageAsync(string lead, DateTimeOffset notBefore) => database.ExecuteAsync(
        """
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload, not_before)
        VALUES ('campaign:' || @lead || ':1', 'email', 'campaign', @lead, 'a@acme.example', '{}', @at)
        """,
        ("lead", lead), ("at", notBefore));

    /// <summary>Deals, each with a next follow-up, a task with its call request, and a message.</summary>
    private Task<int> PlansAsync(int deals) => database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, time_zone) SELECT 'p' || i, 'x', 'Europe/Madrid' FROM generate_series(1, @deals) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, stage, first_contact_at, last_contact_at, next_followup_at)
        SELECT ext_id, 'x', 'contacted', @t0 - interval '9 days', @t0 - interval '2 days', @t0 + interval '1 day' FROM leads;
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, due_date, created_at, followup_stage, metadata)
        SELECT id, lead_ext_id, 'call', 'x', @t0 + interval '2 hours', @t0 - interval '22 hours', 'contacted', '{"template": "follow_up_call"}' FROM sales_pipeline;
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload, not_before)
        SELECT 'followup-call/' || id, 'call', 'followup', lead_ext_id, '+1 202 555 0100', '{}', due_date FROM sales_followup_tasks;
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload, not_before)
        SELECT 'campaign:' || id || ':1', 'email', 'campaign', lead_ext_id, 'a@acme.example', '{}', @t0 + interval '8 hours' FROM sales_pipeline;
        """,
        ("deals", deals), ("t0", T0));

    private async Task<Dictionary<string, DateTime>> PlannedAsync() => (await database.QueryAsync(
        """
        SELECT 'task ' || id, due_date FROM sales_followup_tasks
        UNION ALL SELECT 'followup ' || id, next_followup_at FROM sales_pipeline
        UNION ALL SELECT 'message ' || id, not_before FROM outbox_messages WHERE idempotency_key LIKE 'campaign%'
        """,
        row => (row.GetString(0), row.GetDateTime(1)))).ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal);

    private Task<List<string>> IntervalsAsync() => database.QueryAsync(
        "SELECT interval_days FROM lead_contact_timing ORDER BY 1", row => row.GetDecimal(0).ToString(CultureInfo.InvariantCulture));
}
