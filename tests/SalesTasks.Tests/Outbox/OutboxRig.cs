using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>Writes messages as other capabilities do and runs the program against receivers of the test.</summary>
internal sealed class OutboxRig
{
    /// <summary>A Wednesday at noon.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 18, 12, 0, 0, TimeSpan.Zero);

    private readonly ProgramRunner _program;

    public OutboxRig(TestDatabase database)
        : this(database, ProgramRunner.For(database))
    {
    }

    private OutboxRig(TestDatabase database, ProgramRunner program)
    {
        Database = database;
        _program = program;
    }

    public TestDatabase Database { get; }

    /// <summary>The same with a connection for a channel: EMAIL, SLACK, CALLS or TASKS.</summary>
    public OutboxRig With(string channel, string connection) => new(
        Database,
        _program.With($"SALES_{channel}_CONN_ID", $"test_{channel.ToLowerInvariant()}").With($"AIRFLOW_CONN_TEST_{channel}", connection));

    public OutboxRig WithVariable(string name, string value) => new(Database, _program.With(name, value));

    /// <summary>Runs <c>outbox dispatch</c>, which is not to wait for anything unless told.</summary>
    public Task<ProgramResult> DispatchAsync(params string[] flags) => Start(flags).Completion;

    public RunningProgram Start(params string[] flags) =>
        _program.Start(["outbox", "dispatch", .. flags.Contains("--max-wait-seconds") ? flags : [.. flags, "--max-wait-seconds", "0"]]);

    /// <summary>Runs a command.</summary>
    public Task<ProgramResult> RunAsync(params string[] arguments) => _program.RunAsync(arguments);

    /// <summary>No window and no caps, so that only what a test is about matters.</summary>
    public Task AlwaysOpenAsync() => Database.ExecuteAsync(
        """
        UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '00:00', window_end = '24:00', max_per_lead_per_day = 0,
          max_per_lead_per_week = 0, default_time_zone = 'UTC'
        """);

    /// <summary>Leads named <paramref name="prefix"/> and a number from 1, with a deal each.</summary>
    public async Task AddLeadsAsync(string prefix, int count)
    {
        await Database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, email, phone, created_at)
            SELECT @prefix || i, 'web', 'Ana', @prefix || i || '@acme.example', '+34600' || lpad(i::text, 6, '0'), @created
            FROM generate_series(1, @count) AS i
            """,
            ("prefix", prefix), ("count", count), ("created", T0.AddDays(-30)));
        await Database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, phone, qualified_at)
            SELECT ext_id, email, phone, @created FROM leads WHERE ext_id ~ ('^' || @prefix || '[0-9]+$')
            """,
            ("prefix", prefix), ("created", T0.AddDays(-30)));
    }

    /// <summary>An e-mail of a campaign's step to each lead of a prefix, with execution and event, as <c>campaigns advance</c> writes them.</summary>
    public async Task AddCampaignEmailsAsync(string prefix, string campaign, string channel = "email", DateTimeOffset? at = null)
    {
        await Database.ExecuteAsync(
            "INSERT INTO sales_campaigns (name, campaign_type) VALUES (@name, 'multichannel') ON CONFLICT DO NOTHING", ("name", campaign));
        await Database.ExecuteAsync(
            """
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, current_step, total_steps, started_at)
            SELECT c.id, p.lead_ext_id, p.id, 1, 3, @at FROM sales_campaigns c, sales_pipeline p
            WHERE c.name = @name AND p.lead_ext_id ~ ('^' || @prefix || '[0-9]+$')
            """,
            ("name", campaign), ("prefix", prefix), ("at", at ?? T0));
        await Database.ExecuteAsync(
            """
            WITH step AS (
              INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, created_at)
              SELECT x.id, x.lead_ext_id, 1, CASE WHEN @channel = 'call' THEN 'call_made' ELSE 'email_sent' END, @at
              FROM sales_campaign_executions x JOIN sales_campaigns c ON c.id = x.campaign_id
              WHERE c.name = @name AND x.lead_ext_id ~ ('^' || @prefix || '[0-9]+$')
              RETURNING *
            )
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, campaign_event_id, recipient,
              payload, not_before, created_at)
            SELECT 'campaign/' || execution_id || '/1', @channel, 'campaign', e.lead_ext_id, e.execution_id, 1, e.id,
              CASE WHEN @channel = 'call' THEN l.phone ELSE l.email END,
              CASE WHEN @channel = 'call' THEN '{"title": "Call"}' ELSE '{"subject": "Hello", "text": "Hello Ana"}' END::jsonb, @at, @at
            FROM step e JOIN leads l ON l.ext_id = e.lead_ext_id
            """,
            ("name", campaign), ("prefix", prefix), ("channel", channel), ("at", at ?? T0));
    }

    /// <summary>One message, by the columns it needs.</summary>
    public Task AddAsync(string key, string channel, string payload, string? recipient = null, string purpose = "notice", string? lead = null) =>
        Database.ExecuteAsync(
            """
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload)
            VALUES (@key, @channel, @purpose, @lead, @recipient, @payload::jsonb)
            """,
            ("key", key), ("channel", channel), ("purpose", purpose), ("lead", lead), ("recipient", recipient), ("payload", payload));

    /// <summary>Many e-mails to our own people.</summary>
    public Task AddNoticesAsync(string prefix, int count, string channel = "email") => Database.ExecuteAsync(
        """
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, recipient, payload)
        SELECT @prefix || i, @channel, 'notice', CASE WHEN @channel = 'call' THEN '+34600' || i ELSE 'rep' || i || '@acme.example' END,
          '{"subject": "Hello", "title": "Hello", "text": "Hello"}'
        FROM generate_series(1, @count) AS i
        """,
        ("prefix", prefix), ("count", count), ("channel", channel));

    /// <summary>Status and reason of a message.</summary>
    public async Task<(string Status, string? Reason)> StateAsync(string key) => Assert.Single(await Database.QueryAsync(
        "SELECT status, reason FROM outbox_messages WHERE idempotency_key = @key",
        row => (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1)),
        ("key", key)));

    /// <summary>How many messages are in which state: <c>sent 3, dead 1</c>.</summary>
    public async Task<string> StatesAsync() => await Database.ScalarAsync<string>(
        """
        SELECT string_agg(status || ' ' || n, ', ' ORDER BY status)
        FROM (SELECT status, count(*) AS n FROM outbox_messages GROUP BY status) AS s
        """) ?? "";

    public Task ClearAsync() => Database.ExecuteAsync("TRUNCATE leads, sales_campaigns, outbox_messages, delivery_connections, suppressions CASCADE");
}

internal static class DispatchResults
{
    /// <summary>The counts that are not 0: <c>sent 3, dead 1</c>.</summary>
    public static string Counts(this ProgramResult result) => string.Join(
        ", ", result.Result.GetProperty("counts").EnumerateObject().Where(c => c.Value.GetInt64() != 0).Select(c => $"{c.Name} {c.Value}"));

    public static string Fault(this ProgramResult result) => result.Result.GetProperty("error").GetString()!;

    public static string Status(this ProgramResult result) => result.Result.GetProperty("status").GetString()!;

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
