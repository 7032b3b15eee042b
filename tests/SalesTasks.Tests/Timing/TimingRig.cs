using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Timing;

/// <summary>Histories of contacts with known best hours, plans to move, and the jobs run inside the test at an instant of its own.</summary>
internal sealed class TimingRig(TestDatabase database)
{
    /// <summary>A Monday, 00:00 UTC.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 16, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Of the lead's ext_id; a lead that is treated and does not explore in the week of <see cref="T0"/>.</summary>
    public const string Plain = "contact_arm(ext_id) = 'treated' AND NOT contact_explores(ext_id, '2026-03-16')";

    public async Task<Answer> RunAsync(params string[] arguments)
    {
        var host = new TestHost(database);
        return new Answer(await host.RunAsync(arguments), host.Output, host.Errors);
    }

    /// <summary>A run of a job that has to succeed.</summary>
    public async Task<Answer> JobAsync(string job, DateTimeOffset asOf, params string[] flags)
    {
        var answer = await RunAsync([.. job.Split(' '), "--as-of", asOf.ToString("O"), .. flags]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer;
    }

    public async Task<Counts> AnalyzeAsync(params string[] flags) => new((await JobAsync("timing analyze", T0, flags)).Json.GetProperty("counts"));

    public async Task<Counts> ApplyAsync(params string[] flags) => new((await JobAsync("timing apply", T0, flags)).Json.GetProperty("counts"));

    public Task EmptyAsync() => database.ExecuteAsync(
        """
        TRUNCATE leads, sales_campaigns, sales_reps CASCADE;
        TRUNCATE followup_checks, pipeline_outcomes, outbox_messages, timing_counts, timing_gaps, timing_profiles, timing_slots, timing_intervals, timing_lift;
        DELETE FROM timing_state; INSERT INTO timing_state DEFAULT VALUES;
        """);

    /// <summary>
    /// Leads of two industries, in Madrid, Kolkata (a half-hour zone) and Los Angeles, with open deals; each was called and written to on some
    /// working days of the last twelve weeks in an hour from 9 to 17 on its own clock. retail answers best at 10, finance at 16 (0.15, and 0.15 +
    /// <paramref name="effect"/> in the best hour and half of it beside); chance is a hash, so that it is the same each time.
    /// </summary>
    public async Task HistoryAsync(double effect, int leads = 600, int attempts = 24)
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, phone, industry, time_zone, consent_email, consent_phone)
            SELECT 'l' || i, 'organic', 'l' || i || '@acme.example', '+1 202 555 0100', (ARRAY['retail', 'Finance '])[1 + i % 2],
              (ARRAY['Europe/Madrid', 'Asia/Kolkata', 'America/Los_Angeles'])[1 + i % 3], true, true
            FROM generate_series(1, @leads) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at, first_contact_at, last_contact_at, assigned_to)
            SELECT ext_id, email, 'contacted', @t0 - interval '100 days', @t0 - interval '90 days', @t0 - interval '2 days', 'rep@sales.example' FROM leads;
            """,
            ("leads", leads), ("t0", T0));
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var command = new Npgsql.NpgsqlCommand(
            """
            SET LOCAL salestasks.history = 'on';
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, created_at, metadata)
            SELECT p.id, p.lead_ext_id, (ARRAY['call', 'email'])[1 + n % 2], 'x', 'completed', c.at, c.at,
              jsonb_build_object('outcome', CASE WHEN timing_hash('answer/' || p.lead_ext_id || '/' || n) % 10000 / 10000.0
                < 0.15 + @effect * CASE abs(c.hour - CASE l.industry WHEN 'retail' THEN 10 ELSE 16 END) WHEN 0 THEN 1 WHEN 1 THEN 0.5 ELSE 0 END
                THEN CASE n % 2 WHEN 0 THEN 'answered' ELSE 'replied' END ELSE 'no_answer' END)
            FROM sales_pipeline p
            JOIN leads l ON l.ext_id = p.lead_ext_id
            CROSS JOIN generate_series(0, @attempts - 1) AS n
            CROSS JOIN LATERAL (
              SELECT 9 + timing_hash('hour/' || p.lead_ext_id || '/' || n) % 9 AS hour,
                date '2025-12-22' + 7 * (n % 12) + 2 * (n / 12) AS day OFFSET 0) AS w
            CROSS JOIN LATERAL (
              SELECT w.hour, (w.day + timing_hash('day/' || p.lead_ext_id || '/' || n) % 2 + make_interval(hours => w.hour, mins => n)) AT TIME ZONE l.time_zone AS at
              OFFSET 0) AS c
            """,
            connection);
        command.Parameters.AddWithValue("effect", effect);
        command.Parameters.AddWithValue("attempts", attempts);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync("DELETE FROM followup_checks; ANALYZE");
    }

    /// <summary>
    /// Puts one credible hour in use without any history: <paramref name="weekday"/> at <paramref name="hour"/>, for everybody on both channels; and a
    /// few hours for explorers.
    /// </summary>
    public Task LearnedAsync(int weekday, int hour) => database.ExecuteAsync(
        """
        INSERT INTO timing_profiles (segment, channel, leads, answered, plain_rate, credible)
        SELECT '*', c, 1000, 200, 0.2, true FROM unnest(ARRAY['call', 'email']) AS c;
        INSERT INTO timing_slots (segment, channel, weekday, hour, leads, rate, rate_low, rate_high, credible, draws)
        SELECT '*', c, d, h, 50, CASE WHEN (d, h) = (@weekday, @hour) THEN 0.5 ELSE 0.2 END, 0.1, 0.6, (d, h) = (@weekday, @hour), ARRAY[0.2, 0.3, 0.1, 0.2, 0.4, 0.3, 0.2, 0.1]
        FROM unnest(ARRAY['call', 'email']) AS c, generate_series(1, 7) AS d, generate_series(0, 23) AS h;
        UPDATE timing_state SET state = 'ready', week = '2026-03-16', analyzed_at = @t0
        """,
        ("weekday", weekday), ("hour", hour), ("t0", T0));

    /// <summary>A lead with an open deal, contacted two days before T0, in Madrid; columns of the deal and the lead may be set.</summary>
    public async Task AddDealAsync(string lead, string stage = "contacted", string set = "", string setLead = "")
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, phone, time_zone, consent_email, consent_phone)
            VALUES (@lead, 'organic', @lead || '@acme.example', '+1 202 555 0100', 'Europe/Madrid', true, true)
            """,
            ("lead", lead));
        if (setLead.Length > 0)
        {
            await database.ExecuteAsync($"UPDATE leads SET {setLead} WHERE ext_id = @lead", ("lead", lead));
        }

        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, qualified_at, last_contact_at, first_contact_at)
            VALUES (@lead, @lead || '@acme.example', @stage::pipeline_stage, 'rep@sales.example', @qualified, @contacted, @contacted)
            """,
            ("lead", lead), ("stage", stage), ("qualified", T0.AddDays(-10)), ("contacted", stage == "qualified" ? DBNull.Value : T0.AddDays(-2)));
        if (set.Length > 0)
        {
            await database.ExecuteAsync($"UPDATE sales_pipeline SET {set} WHERE lead_ext_id = @lead", ("lead", lead));
        }
    }

    /// <summary>The first name of the form x1, x2, … that meets a condition.</summary>
    public async Task<string> LeadWhereAsync(string condition) => (await database.ScalarAsync<string>(
        $"SELECT ext_id FROM (SELECT 'x' || i AS ext_id, i FROM generate_series(1, 1000) AS i) AS l WHERE {condition} ORDER BY i LIMIT 1"))!;

    /// <summary>An instant on the lead's clock; null where it is null.</summary>
    public async Task<DateTime?> LocalAsync(string sql, string lead) => await database.ScalarAsync<DateTime?>(
        $"SELECT ({sql}) AT TIME ZONE l.time_zone FROM leads l WHERE l.ext_id = @lead", ("lead", lead));
}
