using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>Deals, reps and runs to be told about, and evaluations at instants of the test's own.</summary>
internal sealed class AlertRig(TestDatabase database)
{
    /// <summary>A Wednesday, 10:00 UTC.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 18, 10, 0, 0, TimeSpan.Zero);

    private readonly List<(string Name, string Value)> _environment = [("SALES_SLACK_CONN_ID", "slack")];

    public AlertRig With(string name, string value)
    {
        _environment.Add((name, value));
        return this;
    }

    public async Task<Answer> RunAsync(params string[] arguments)
    {
        var host = new TestHost(database);
        // Commands for people take the time from here.
        host.Time.SetUtcNow(T0);
        foreach (var (name, value) in _environment)
        {
            host.With(name, value);
        }

        return new Answer(await host.RunAsync(arguments), host.Output, host.Errors);
    }

    /// <summary>An evaluation that has to succeed, after which a dispatcher sends; its counts.</summary>
    public async Task<Counts> EvaluateAsync(DateTimeOffset at, params string[] flags)
    {
        var answer = await RunAsync(["alerts", "evaluate", "--as-of", at.ToString("O"), .. flags]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM alert_situations"));
        await database.ExecuteAsync("UPDATE outbox_messages SET status = 'sent', sent_at = @at, finished_at = @at WHERE status = 'pending'", ("at", at));
        return new Counts(answer.Json.GetProperty("counts"));
    }

    public async Task EmptyAsync()
    {
        await database.WorkAtAsync(T0.AddDays(-30));
        await database.ExecuteAsync(
            "TRUNCATE leads, sales_campaigns, sales_reps, alerts, outbox_messages, task_runs, ml_models RESTART IDENTITY CASCADE; TRUNCATE alert_situations");
    }

    /// <summary>An open deal of Ana's, worth nothing known, contacted at T0 unless columns say otherwise; its id.</summary>
    public async Task<long> AddDealAsync(string lead, string set = "")
    {
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, email) VALUES (@lead, 'organic', 'x@acme.example')", ("lead", lead));
        var id = await database.ScalarAsync<long>(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, qualified_at, first_contact_at, last_contact_at)
            VALUES (@lead, 'x@acme.example', 'contacted', 'ana@sales.example', @qualified, @contacted, @contacted) RETURNING id
            """,
            ("lead", lead), ("qualified", T0.AddDays(-20)), ("contacted", T0));
        if (set.Length > 0)
        {
            await database.ExecuteAsync($"UPDATE sales_pipeline SET {set} WHERE id = @id", ("id", id), ("t0", T0));
        }

        return id;
    }

    /// <summary>A deal worth 20,000 that nobody has contacted for so many days before T0.</summary>
    public Task<long> AddQuietAsync(string lead, int days, string set = "estimated_value = 20000") =>
        AddDealAsync(lead, $"{set}, first_contact_at = @t0 - interval '{days} days', last_contact_at = @t0 - interval '{days} days'");

    public Task AddRepAsync(string email, int capacity = 50, string languages = "{}", bool active = true) => database.ExecuteAsync(
        "INSERT INTO sales_reps (email, name, max_active_leads, languages, active) VALUES (@email, @email, @capacity, @languages::text[], @active)",
        ("email", email), ("capacity", capacity), ("languages", languages), ("active", active));

    /// <summary>Alerts as words, in the order they opened: kind, key, severity, status, owner.</summary>
    public Task<List<string>> AlertsAsync() => database.QueryAsync(
        "SELECT format('%s %s %s %s%s', kind, coalesce(lead_ext_id, situation_key), severity, status, ' ' || owner) FROM alerts ORDER BY kind, id", row => row.GetString(0));

    /// <summary>Messages as channel, recipient and payload, in the order they were written.</summary>
    public Task<List<(string Channel, string? Recipient, string Payload)>> MessagesAsync() => database.QueryAsync(
        "SELECT channel, recipient, payload::text FROM outbox_messages WHERE purpose = 'alert' ORDER BY channel, recipient, id",
        row => (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetString(2)));
}
