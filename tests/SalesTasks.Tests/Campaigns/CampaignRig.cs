using System.Globalization;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Runs campaign commands inside the test against one database, and plays the part of the outbox and of the leads.</summary>
internal sealed class CampaignRig(TestDatabase database)
{
    /// <summary>A Monday, 10:00 UTC: within the default window of the sending policy.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 16, 10, 0, 0, TimeSpan.Zero);

    public const string OneEmail = """[{"type": "email", "subject": "Hello {{ first_name }}", "body": "A word."}]""";

    public const string TwoEmails =
        """
        [{"type": "email", "subject": "One", "body": "First."}, {"type": "email", "delay_hours": 48, "subject": "Two", "body": "Second."}]
        """;

    private readonly Dictionary<string, string> _environment = [];

    public TestDatabase Database { get; } = database;

    public async Task EmptyAsync()
    {
        await Database.ExecuteAsync("TRUNCATE leads, sales_campaigns, suppressions, outbox_messages, sales_reps CASCADE");
        await Database.ExecuteAsync("DELETE FROM sending_policy; INSERT INTO sending_policy DEFAULT VALUES");
    }

    /// <summary>One more environment variable for what is run from now on.</summary>
    public CampaignRig With(string name, string value)
    {
        _environment[name] = value;
        return this;
    }

    public async Task<CommandAnswer> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var errors = new StringWriter(CultureInfo.InvariantCulture);
        var host = new CommandHost
        {
            Environment = name => name == "AIRFLOW_CONN_SALES_POSTGRES" ? Database.AirflowUri : _environment.GetValueOrDefault(name),
            Time = TimeProvider.System,
            Out = output,
            Error = errors,
        };
        var exitCode = await Commands.Tree(host).RunAsync(arguments);
        return new CommandAnswer(exitCode, output.ToString(), errors.ToString());
    }

    /// <summary>A command that has to succeed.</summary>
    public async Task<CommandAnswer> DoAsync(params string[] arguments)
    {
        var answer = await RunAsync(arguments);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer;
    }

    /// <summary>A run of a job that has to succeed; its counts, zeros left out.</summary>
    public async Task<string> JobAsync(string job, DateTimeOffset? asOf, params string[] flags)
    {
        var answer = await DoAsync(["campaigns", job, "--as-of", (asOf ?? T0).ToString("O"), .. flags]);
        return Counts(answer.Json);
    }

    public Task<string> EnrollAsync(params string[] flags) => JobAsync("enroll", null, flags);

    public Task<string> AdvanceAsync(DateTimeOffset? asOf = null, params string[] flags) => JobAsync("advance", asOf, flags);

    public static string Counts(JsonElement result) => string.Join(
        ", ", result.GetProperty("counts").EnumerateObject().Where(count => count.Value.GetInt64() != 0).Select(count => $"{count.Name} {count.Value}"));

    /// <summary>An open deal of a reachable lead; <paramref name="lead"/> and <paramref name="deal"/> are SET lists for what differs.</summary>
    public async Task LeadAsync(string extId, string lead = "", string deal = "")
    {
        await Database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, email, phone, time_zone) VALUES (@id, 'organic', 'Ana', @id || '@acme.example', '+34 600 123 456', 'UTC');
            INSERT INTO sales_pipeline (lead_ext_id, email, score, priority, qualified_at, estimated_value)
            VALUES (@id, @id || '@acme.example', 60, 'high', @at, 5000);
            """,
            ("id", extId), ("at", T0.AddDays(-10)));
        if (lead.Length > 0)
        {
            await Database.ExecuteAsync($"UPDATE leads SET {lead} WHERE ext_id = @id", ("id", extId));
        }

        if (deal.Length > 0)
        {
            await Database.ExecuteAsync($"UPDATE sales_pipeline SET {deal} WHERE lead_ext_id = @id", ("id", extId));
        }
    }

    /// <summary>Many such leads, named <paramref name="prefix"/> and a number from 1.</summary>
    public Task LeadsAsync(string prefix, int count) => Database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, email, phone, time_zone)
        SELECT @prefix || i, 'organic', 'Ana', @prefix || i || '@acme.example', '+34 600 123 456', 'Europe/Madrid' FROM generate_series(1, @count) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, score, priority, qualified_at)
        SELECT @prefix || i, @prefix || i || '@acme.example', i % 100, 'high', @at FROM generate_series(1, @count) AS i;
        """,
        ("prefix", prefix), ("count", count), ("at", T0.AddDays(-10)));

    /// <summary>A campaign straight in the table, as somebody might write it, enabled and without a limit.</summary>
    public async Task<long> CampaignAsync(string steps, string criteria = "{}", string name = "Sequence", int limit = 0) =>
        await Database.ScalarAsync<long>(
            """
            INSERT INTO sales_campaigns (name, campaign_type, trigger_criteria, steps_config, max_leads_per_run)
            VALUES (@name, 'multichannel', @criteria::jsonb, @steps::jsonb, @limit) RETURNING id
            """,
            ("name", name), ("criteria", criteria), ("steps", steps), ("limit", limit));

    /// <summary>The outbox as dispatch would leave it: all that waits is sent at this instant.</summary>
    public Task<int> SendAsync(DateTimeOffset at) => Database.ExecuteAsync(
        "UPDATE outbox_messages SET status = 'sent', sent_at = @at, finished_at = @at WHERE status = 'pending'", ("at", at));

    public Task<int> ReplyAsync(string extId, DateTimeOffset at, bool bot = false) => Database.ExecuteAsync(
        "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, is_bot) VALUES (@id, 'reply', @at, @bot)",
        ("id", extId), ("at", at), ("bot", bot));

    /// <summary>Executions as "lead status step/of next reason".</summary>
    public Task<List<string>> ExecutionsAsync() => Database.QueryAsync(
        """
        SELECT concat_ws(' ', lead_ext_id, status, current_step || '/' || total_steps,
          coalesce(to_char(next_action_at AT TIME ZONE 'UTC', 'DD.HH24:MI'), '-'), metadata ->> 'stop_reason')
        FROM sales_campaign_executions ORDER BY lead_ext_id, campaign_id
        """,
        row => row.GetString(0));

    /// <summary>Messages as "key channel status recipient subject".</summary>
    public Task<List<string>> MessagesAsync() => Database.QueryAsync(
        """
        SELECT concat_ws(' ', lead_ext_id || ':' || step_number, channel, status, recipient, payload ->> 'subject')
        FROM outbox_messages ORDER BY lead_ext_id, id
        """,
        row => row.GetString(0));

    /// <summary>Events as "lead:step type status reason".</summary>
    public Task<List<string>> EventsAsync() => Database.QueryAsync(
        """
        SELECT concat_ws(' ', lead_ext_id || ':' || step_number, event_type, status, coalesce(metadata ->> 'skip_reason', metadata ->> 'failure'))
        FROM sales_campaign_events ORDER BY lead_ext_id, id
        """,
        row => row.GetString(0));
}

/// <summary>What a command gave back.</summary>
internal sealed record CommandAnswer(ExitCode ExitCode, string Output, string Errors)
{
    /// <summary>The last line of the output.</summary>
    public JsonElement Json => TestBase.Json.Parse(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);

    public override string ToString() => $"{ExitCode}\n{Output}\n{Errors}";
}
