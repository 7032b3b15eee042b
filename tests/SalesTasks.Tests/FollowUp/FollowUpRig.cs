using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>Deals, what happens to them, and the jobs run inside the test at an instant of its own.</summary>
internal sealed class FollowUpRig(TestDatabase database)
{
    /// <summary>A Wednesday, 10:00 UTC.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 18, 10, 0, 0, TimeSpan.Zero);

    private readonly List<(string Name, string Value)> _environment = [];

    /// <summary>Sets an environment variable of the runs to come.</summary>
    public FollowUpRig With(string name, string value)
    {
        _environment.Add((name, value));
        return this;
    }

    public async Task<Answer> RunAsync(params string[] arguments)
    {
        var host = new TestHost(database);
        foreach (var (name, value) in _environment)
        {
            host.With(name, value);
        }

        return new Answer(await host.RunAsync(arguments), host.Output, host.Errors);
    }

    /// <summary>A run of a job that has to succeed; its counts.</summary>
    public async Task<Counts> JobAsync(string job, DateTimeOffset asOf, params string[] flags)
    {
        var answer = await RunAsync([.. job.Split(' '), "--as-of", asOf.ToString("O"), .. flags]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return new Counts(answer.Json.GetProperty("counts"));
    }

    public Task<Counts> CreateAsync(params string[] flags) => JobAsync("followup create-tasks", T0, flags);

    public Task<Counts> CreateAsync(DateTimeOffset asOf, params string[] flags) => JobAsync("followup create-tasks", asOf, flags);

    public Task<Counts> AdvanceAsync(params string[] flags) => JobAsync("pipeline advance", T0, flags);

    public Task<Counts> AdvanceAsync(DateTimeOffset asOf, params string[] flags) => JobAsync("pipeline advance", asOf, flags);

    /// <summary>Everything gone, lists included.</summary>
    public Task EmptyAsync() => database.ExecuteAsync(
        "TRUNCATE leads, sales_campaigns CASCADE; TRUNCATE followup_checks, pipeline_outcomes, outbox_messages, suppressions, task_runs CASCADE");

    /// <summary>
    /// A lead with a deal, qualified ten days before T0 and last contacted four days before it (never, where qualified); columns of the deal
    /// may be set.
    /// </summary>
    public async Task AddDealAsync(string lead, string stage = "qualified", string set = "", string setLead = "")
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, email, phone, consent_email, consent_phone)
            VALUES (@lead, 'organic', 'Ana', @lead || '@acme.example', '+1 202 555 0100', true, true)
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
            ("lead", lead), ("stage", stage), ("qualified", T0.AddDays(-10)),
            ("contacted", stage == "qualified" ? DBNull.Value : T0.AddDays(-4)));
        if (set.Length > 0)
        {
            await database.ExecuteAsync($"UPDATE sales_pipeline SET {set} WHERE lead_ext_id = @lead", ("lead", lead));
        }
    }

    /// <summary>A task of a person's, by the columns the contract names.</summary>
    public Task AddTaskAsync(string lead, string type, string status = "pending", DateTimeOffset? due = null, DateTimeOffset? completed = null) =>
        database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, due_date, completed_at)
            SELECT id, lead_ext_id, @type, 'By hand', @status, @due, @completed FROM sales_pipeline WHERE lead_ext_id = @lead
            """,
            ("lead", lead), ("type", type), ("status", status), ("due", due), ("completed", completed));

    /// <summary>Open tasks made by the job, as words: type, priority, due in hours from T0, stage.</summary>
    public Task<List<string>> OpenTasksAsync(string lead) => database.QueryAsync(
        """
        SELECT format('%s %s +%sh %s', task_type, priority, round(extract(epoch FROM due_date - @t0) / 3600, 2)::float, followup_stage)
        FROM sales_followup_tasks
        WHERE lead_ext_id = @lead AND followup_stage IS NOT NULL AND status IN ('pending', 'in_progress')
        ORDER BY id
        """,
        row => row.GetString(0),
        ("lead", lead), ("t0", T0));

    /// <summary>Closes the open tasks that the job made.</summary>
    public Task CloseAsync(string lead, string status, DateTimeOffset at) => database.ExecuteAsync(
        """
        UPDATE sales_followup_tasks SET status = @status, completed_at = CASE WHEN @status = 'completed' THEN @at END, updated_at = @at
        WHERE lead_ext_id = @lead AND followup_stage IS NOT NULL AND status IN ('pending', 'in_progress')
        """,
        ("lead", lead), ("status", status), ("at", at));

    public async Task<string> StageAsync(string lead) =>
        (await database.ScalarAsync<string>("SELECT stage::text FROM sales_pipeline WHERE lead_ext_id = @lead", ("lead", lead)))!;

    /// <summary>Last contact, in hours from T0; null: never.</summary>
    public async Task<double?> LastContactAsync(string lead) => await database.ScalarAsync<double?>(
        "SELECT (extract(epoch FROM last_contact_at - @t0) / 3600)::float FROM sales_pipeline WHERE lead_ext_id = @lead", ("lead", lead), ("t0", T0));

    public Task AddReplyAsync(string lead, DateTimeOffset at, bool bot = false) => database.ExecuteAsync(
        "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, is_bot) VALUES (@lead, 'reply', @at, @bot)",
        ("lead", lead), ("at", at), ("bot", bot));

    /// <summary>An execution of a campaign of its own; its id.</summary>
    public Task<long> AddExecutionAsync(string lead, string campaign, DateTimeOffset started, string status = "active") => database.ScalarAsync<long>(
        """
        WITH c AS (
          INSERT INTO sales_campaigns (name, campaign_type) VALUES (@campaign, 'email_sequence')
          ON CONFLICT (name) DO UPDATE SET description = '' RETURNING id)
        INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, status, total_steps, started_at, next_action_at)
        SELECT c.id, p.lead_ext_id, p.id, @status, 3, @started, @started FROM c, sales_pipeline p WHERE p.lead_ext_id = @lead
        RETURNING id
        """,
        ("lead", lead), ("campaign", campaign), ("started", started), ("status", status));

    public Task<long> AddEventAsync(long execution, string type, DateTimeOffset? at, string status = "completed", int step = 1, string metadata = "{}") =>
        database.ScalarAsync<long>(
            """
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, metadata)
            SELECT id, lead_ext_id, @step, @type, @status, @at, @metadata::jsonb FROM sales_campaign_executions WHERE id = @execution
            RETURNING id
            """,
            ("execution", execution), ("type", type), ("at", at), ("status", status), ("step", step), ("metadata", metadata));
}
