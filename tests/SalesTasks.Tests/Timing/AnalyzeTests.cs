using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Timing;

public sealed class AnalyzeTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
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
    public async Task Analyze_HoursPlantedBySegment_AreFoundOnTheLeadsClock()
    {
        await _rig.HistoryAsync(effect: 0.4);

        var counts = await _rig.AnalyzeAsync();

        Assert.Equal(600 * 24, counts["attempts"]);
        Assert.Equal(600, counts["leads"]);
        Assert.Equal(
            ["call/finance/16", "call/retail/10", "email/finance/16", "email/retail/10"],
            await database.QueryAsync(
                """
                SELECT DISTINCT ON (channel, segment) channel || '/' || segment || '/' || hour FROM timing_slots
                WHERE credible AND segment <> '*' ORDER BY channel, segment, rate DESC, weekday
                """,
                row => row.GetString(0)));
        Assert.Equal("ready", await database.ScalarAsync<string>("SELECT state FROM timing_state"));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM timing_slots WHERE rate NOT BETWEEN rate_low AND rate_high OR cardinality(draws) <> 8"));
    }

    [Fact]
    public async Task Analyze_NoEffectInTheData_LearnsNothingAndApplyMovesNothing()
    {
        await _rig.HistoryAsync(effect: 0);
        await database.ExecuteAsync("UPDATE sales_pipeline SET next_followup_at = last_contact_at + interval '3 days'");

        var counts = await _rig.AnalyzeAsync();
        var before = await database.FingerprintAsync("task_runs");
        var answer = await _rig.JobAsync("timing apply", T0);

        Assert.Equal((0L, 0L), (counts["credible_slots"], counts["intervals"]));
        Assert.Equal("learning/no_effect", await database.ScalarAsync<string>("SELECT state || '/' || reason FROM timing_state"));
        Assert.Equal("learning", answer.Json.GetProperty("details").GetProperty("state").GetString());
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Analyze_FewContacts_SaysSo()
    {
        await _rig.HistoryAsync(effect: 0.4, leads: 30, attempts: 4);

        await _rig.AnalyzeAsync();
        Assert.Equal("thin_data", await database.ScalarAsync<string>("SELECT reason FROM timing_state"));

        var empty = await _rig.JobAsync("timing analyze", T0.AddYears(-5));
        Assert.Equal(0, empty.Json.GetProperty("counts").GetProperty("attempts").GetInt64());
    }

    [Fact]
    public async Task Analyze_Twice_ChangesNothing_AndDryRunWritesNothing()
    {
        await _rig.HistoryAsync(effect: 0.4, leads: 300);
        var before = await database.FingerprintAsync();
        var dry = await _rig.AnalyzeAsync("--dry-run");
        Assert.True(dry["credible_slots"] > 0);
        Assert.Equal(before, await database.FingerprintAsync());

        await _rig.AnalyzeAsync();
        var first = await database.FingerprintAsync("task_runs");
        await _rig.AnalyzeAsync();
        Assert.Equal(first, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Analyze_DaysThatPlantedAnswersFollow_BecomeTheInterval()
    {
        await _rig.HistoryAsync(effect: 0, leads: 400, attempts: 0);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, metadata)
            SELECT p.id, p.lead_ext_id, 'call', 'x', 'completed', @t0 - interval '80 days' + make_interval(days => (sum(g.days) OVER w)::int),
              jsonb_build_object('outcome', CASE WHEN timing_hash('a' || p.id || '/' || n) % 100 < CASE g.days WHEN 6 THEN 50 WHEN 5 THEN 30 WHEN 7 THEN 30 ELSE 12 END THEN 'answered' ELSE 'no' END)
            FROM sales_pipeline p
            CROSS JOIN generate_series(1, 9) AS n
            CROSS JOIN LATERAL (SELECT 1 + timing_hash('g' || p.id || '/' || n) % 8 AS days OFFSET 0) AS g
            WINDOW w AS (PARTITION BY p.id ORDER BY n)
            """,
            ("t0", T0));

        var counts = await _rig.AnalyzeAsync();

        Assert.True(counts["intervals"] > 0);
        Assert.Equal(6, await database.ScalarAsync<short>("SELECT interval_days FROM timing_intervals WHERE segment = '*'"));
    }

    [Fact]
    public async Task Attempts_ToldBySeveralTables_CountOnce()
    {
        await _rig.AddDealAsync("l");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'multichannel');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id) SELECT c.id, p.lead_ext_id, p.id FROM sales_campaigns c, sales_pipeline p;
            -- An e-mail: its event and its message.
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, created_at)
            SELECT id, 'l', 1, 'email_sent', 'sent', @t0 - interval '20 days', @t0 - interval '21 days' FROM sales_campaign_executions;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, campaign_event_id, payload, status, sent_at, finished_at, created_at)
            SELECT 'campaign:1:1', 'email', 'campaign', 'l', id, '{}', 'sent', @t0 - interval '20 days', @t0 - interval '20 days', @t0 - interval '21 days' FROM sales_campaign_events;
            -- A call: its request and its task, ticked off a day later.
            INSERT INTO sales_followup_tasks (id, pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, metadata)
            SELECT 7, id, 'l', 'call', 'x', 'completed', @t0 - interval '14 days', '{"outcome": "answered"}' FROM sales_pipeline;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, payload, status, sent_at, finished_at, created_at)
            VALUES ('followup-call/7', 'call', 'followup', 'l', '{}', 'sent', @t0 - interval '15 days', @t0 - interval '15 days', @t0 - interval '15 days');
            -- A call tried three times within half an hour, and one two hours later.
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT p.id, 'l', 'call', 'x', 'completed', @t0 - interval '10 days' + make_interval(mins => m) FROM sales_pipeline p, unnest(ARRAY[0, 15, 30, 150]) AS m;
            -- What was not done, is no contact, or has not had its time yet.
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT p.id, 'l', k.type, 'x', k.status, CASE k.status WHEN 'completed' THEN k.at END
            FROM sales_pipeline p, (VALUES ('call', 'skipped', @t0 - interval '9 days'), ('custom', 'completed', @t0 - interval '9 days'), ('email', 'completed', @t0 - interval '47 hours')) AS k (type, status, at)
            """,
            ("t0", T0));

        Assert.Equal(
            ["email -20.00 f", "call -15.00 t", "call -10.00 f", "call -9.90 f"],
            await AttemptsAsync());
    }

    [Theory]
    [InlineData("email", 47, 0, "t")] // a reply within two days
    [InlineData("email", 49, 0, "f")]
    [InlineData("call", 23, 0, "t")] // called back within a day
    [InlineData("call", 25, 0, "f")]
    [InlineData("email", 30, 20, "f")] // the later attempt was answered, not this one
    public async Task Attempts_AnswerWithinItsWindow_BelongsToTheLastAttemptBefore(string type, int replyHours, int nextHours, string answered)
    {
        await _rig.AddDealAsync("l");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT p.id, 'l', @type, 'x', 'completed', @t0 - interval '10 days' + make_interval(hours => h) FROM sales_pipeline p, unnest(ARRAY[0, nullif(@next, 0)]) AS h WHERE h IS NOT NULL;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, is_bot) VALUES
              ('l', 'reply', @t0 - interval '10 days' + make_interval(hours => @reply), false), ('l', 'reply', @t0 - interval '9 days 23 hours', true);
            """,
            ("t0", T0), ("type", type), ("reply", replyHours), ("next", nextHours));

        Assert.Equal($"{type} -10.00 {answered}", (await AttemptsAsync())[0]);
        Assert.All((await AttemptsAsync()).Skip(1), next => Assert.EndsWith(" t", next, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Analyze_ClockChangesAndHalfHourZones_AreCountedInTheLeadsHour()
    {
        // 09:30 on each lead's clock, the Friday before and the Monday after Spain's change to summer time on 29 March.
        await _rig.AddDealAsync("spain");
        await _rig.AddDealAsync("india", setLead: "time_zone = 'Asia/Kolkata'");
        await _rig.AddDealAsync("unknown", setLead: "time_zone = 'Nowhere/At_All'");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at)
            SELECT p.id, p.lead_ext_id, 'call', 'x', 'completed', (d + time '09:30') AT TIME ZONE CASE l.ext_id WHEN 'unknown' THEN 'UTC' ELSE l.time_zone END
            FROM sales_pipeline p JOIN leads l ON l.ext_id = p.lead_ext_id, unnest(ARRAY[date '2026-03-27', date '2026-03-30']) AS d
            """);

        await _rig.JobAsync("timing analyze", new DateTimeOffset(2026, 4, 6, 0, 0, 0, TimeSpan.Zero));

        Assert.Equal(
            ["1 9 3", "5 9 3"], await database.QueryAsync("SELECT weekday || ' ' || hour || ' ' || leads FROM timing_counts ORDER BY weekday", row => row.GetString(0)));
    }

    [Fact]
    public async Task Analyze_WhileApplied_MeasuresTheLiftByWeekAndFallsBackWhereItIsNegative()
    {
        await _rig.HistoryAsync(effect: 0.4, leads: 1_400, attempts: 12);
        await _rig.AnalyzeAsync();
        await database.ExecuteAsync("UPDATE timing_state SET active = true, applied_since = @since", ("since", T0.AddDays(-60)));
        await _rig.AnalyzeAsync();
        Assert.Equal("ready", await database.ScalarAsync<string>("SELECT state FROM timing_state"));
        var weeks = await database.ScalarAsync<long>("SELECT count(*) FROM timing_lift WHERE treated_leads > control_leads AND control_leads > 0");
        Assert.True(weeks >= 8, $"{weeks} weeks");

        // From now on treated leads hardly answer.
        await database.ExecuteAsync(
            "UPDATE sales_followup_tasks SET metadata = '{}' WHERE contact_arm(lead_ext_id) = 'treated' AND completed_at > @since AND id % 4 > 0", ("since", T0.AddDays(-60)));
        var answer = await _rig.JobAsync("timing analyze", T0);

        Assert.Equal("lift_not_positive", answer.Json.GetProperty("details").GetProperty("reason").GetString());
        Assert.True(await database.ScalarAsync<bool>("SELECT state = 'fallback' AND difference_high < 0 AND fallback_since = @t0 FROM timing_state", ("t0", T0)));
    }

    [Theory]
    [InlineData("--analysis-days", "6")]
    [InlineData("--min-data-points", "0")]
    [InlineData("--shard", "1/2")]
    public async Task Analyze_WrongParameter_IsRefused(string flag, string value)
    {
        var answer = await _rig.RunAsync("timing", "analyze", flag, value);

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(value, answer.ToString(), StringComparison.Ordinal);
    }

    private Task<List<string>> AttemptsAsync() => database.QueryAsync(
        """
        SELECT format('%s %s %s', channel, to_char(extract(epoch FROM attempted_at - @t0) / 86400, 'FM990.00'), answered)
        FROM contact_attempts(@t0 - interval '90 days', @t0) ORDER BY attempted_at
        """,
        row => row.GetString(0),
        ("t0", T0));
}
