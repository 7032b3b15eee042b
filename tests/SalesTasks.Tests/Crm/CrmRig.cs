using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>A database, a CRM that stands in for the real one, and the program between them.</summary>
internal sealed class CrmRig : IAsyncDisposable
{
    public CrmRig(TestDatabase database, string crm)
    {
        Database = database;
        Theirs = CrmStand.Of(crm);
        Token = CrmStand.Secret;
    }

    public TestDatabase Database { get; }

    public CrmStand Theirs { get; }

    public string Token { get; set; }

    public string BurstLimit { get; set; } = "1000/1";

    public string? DailyLimit { get; set; }

    /// <summary>Further environment variables of the program.</summary>
    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    public ValueTask DisposeAsync() => Theirs.DisposeAsync();

    /// <summary>Nothing here and nothing remembered; the CRM stays as it is.</summary>
    public async Task EmptyAsync()
    {
        await Database.ExecuteAsync(
            """
            TRUNCATE leads, crm_states, crm_slots, crm_quotas, crm_changes, sales_reps, task_runs CASCADE;
            INSERT INTO sales_reps (email, name) VALUES ('rep@sales.example', 'Rep'), ('other@sales.example', 'Other')
            """);
    }

    /// <summary>Leads named by a prefix and a number from 1, with a deal each.</summary>
    public Task AddAsync(string prefix, int count) => Database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, company_name, created_at)
        SELECT @prefix || i, 'web', 'First' || i, 'Last' || i, @prefix || i || '@acme.example', '+34 600 ' || i, 'Acme', sales_now() - interval '1 day'
        FROM generate_series(1, @count) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, stage, estimated_value, assigned_to)
        SELECT ext_id, email, 'qualified', 1000, 'rep@sales.example' FROM leads WHERE ext_id ~ ('^' || @prefix || '[0-9]+$')
        """,
        ("prefix", prefix), ("count", count));

    public Task<CrmAnswerLine> PushAsync(params string[] flags) => RunAsync(["crm", "push", .. flags]);

    public Task<CrmAnswerLine> PullAsync(params string[] flags) => RunAsync(["crm", "pull", .. flags]);

    /// <summary>A run as Airflow makes it: push, then pull; both have to succeed.</summary>
    public async Task<(CrmAnswerLine Push, CrmAnswerLine Pull)> SyncAsync(params string[] flags)
    {
        var push = await PushAsync(flags);
        Assert.True(push.ExitCode is ExitCode.Done, push.ToString());
        var pull = await PullAsync(flags);
        Assert.True(pull.ExitCode is ExitCode.Done, pull.ToString());
        return (push, pull);
    }

    /// <summary>Runs a command inside the test; pauses take a fiftieth of their time.</summary>
    public async Task<CrmAnswerLine> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var errors = new StringWriter();
        var host = new CommandHost
        {
            Environment = Environment().GetValueOrDefault,
            Time = new HastyTime(),
            Out = output,
            Error = errors,
        };
        string[] patience = arguments is ["crm", "push" or "pull", ..]
            ?
            [
                .. arguments.Contains("--crm-type") ? Array.Empty<string>() : ["--crm-type", Theirs.Type],
                .. arguments.Contains("--request-timeout") ? Array.Empty<string>() : ["--request-timeout", "600"],
            ]
            : [];
        var exitCode = await Commands.Tree(host).RunAsync([.. arguments, .. patience]);
        return new CrmAnswerLine(exitCode, output.ToString(), errors.ToString());
    }

    /// <summary>Runs the real executable.</summary>
    public RunningProgram Start(params string[] arguments) => Environment()
        .Where(v => v.Key != "AIRFLOW_CONN_SALES_POSTGRES").Aggregate(ProgramRunner.For(Database), (program, v) => program.With(v.Key, v.Value))
        .Start([.. arguments, "--crm-type", Theirs.Type]);

    /// <summary>The adapter alone.</summary>
    public Salesforce OpenSalesforce(bool asPerson)
    {
        var said = Theirs.Connection(Token);
        var connection = new AirflowConnection(new ConnectionSource("test_crm", "the test"), "salesforce")
        {
            Host = $"http://127.0.0.1:{Theirs.Http.Port}",
            Login = asPerson ? "person@sales.example" : null,
            Password = asPerson ? "their-password" : null,
            Extra = JsonSerializer.Serialize(new
            {
                client_id = said["client_id"],
                client_secret = said["client_secret"],
                security_token = "their-token",
                allow_http = "true",
            }),
        };
        return Salesforce.Open(connection, CrmMapping.Load("salesforce", null), TimeProvider.System, quota => new CrmHttp(
            "Salesforce", new CrmBudget(null, "test_crm", quota, TimeSpan.FromMinutes(5), TimeProvider.System), TimeSpan.FromMinutes(5), TimeProvider.System));
    }

    /// <summary>The program's own mapping with one text replaced.</summary>
    public async Task<string> MappingAsync(string old, string with)
    {
        var text = await File.ReadAllTextAsync($"{Repository.Checkout.Root}/examples/crm/{Theirs.Type}.json", TestContext.Current.CancellationToken);
        Assert.Contains(old, text);
        var path = Path.Combine(Path.GetTempPath(), $"mapping-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow())}.json");
        await File.WriteAllTextAsync(path, text.Replace(old, with, StringComparison.Ordinal), TestContext.Current.CancellationToken);
        return path;
    }

    /// <summary>As if the time of a lease were over: what a dead run held is free.</summary>
    public Task ExpireLeasesAsync() => Database.ExecuteAsync("UPDATE crm_links SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL");

    public Task<string?> LeadAsync(string lead, string column) =>
        Database.ScalarAsync<string>($"SELECT {column}::text FROM leads WHERE ext_id = @lead", ("lead", lead));

    public Task<string?> DealAsync(string lead, string column) =>
        Database.ScalarAsync<string>($"SELECT {column}::text FROM sales_pipeline WHERE lead_ext_id = @lead", ("lead", lead));

    public Task SetLeadAsync(string lead, string set) => Database.ExecuteAsync($"UPDATE leads SET {set} WHERE ext_id = @lead", ("lead", lead));

    public Task SetDealAsync(string lead, string set) => Database.ExecuteAsync($"UPDATE sales_pipeline SET {set} WHERE lead_ext_id = @lead", ("lead", lead));

    public async Task<string> CrmIdAsync(string lead, string kind = "lead") => (await Database.ScalarAsync<string>(
        "SELECT crm_id FROM crm_links WHERE lead_ext_id = @lead AND object = @kind", ("lead", lead), ("kind", kind)))!;

    /// <summary>Deletes a lead while the CRM answers a call.</summary>
    public void DeleteNow(string lead) => Database.ExecuteAsync("DELETE FROM leads WHERE ext_id = @lead", ("lead", lead)).GetAwaiter().GetResult();

    public StandRecord Contact(string id) => Theirs.Records("contacts").Single(r => r.Id == id);

    /// <summary>The journal as words (HubSpot's), oldest first.</summary>
    public Task<List<string>> JournalAsync() => Database.QueryAsync(
        "SELECT concat_ws(' ', lead_ext_id, field, coalesce(our_value, '-'), coalesce(their_value, '-'), winner, reason) FROM crm_conflicts ORDER BY id",
        row => Theirs.InHubSpotsWords(row.GetString(0)));

    private Dictionary<string, string> Environment() => new(Variables, StringComparer.Ordinal)
    {
        ["AIRFLOW_CONN_SALES_POSTGRES"] = Database.AirflowUri,
        ["SALES_CRM_CONN_ID"] = "test_crm",
        ["AIRFLOW_CONN_TEST_CRM"] = Connection(),
    };

    private string Connection()
    {
        var said = Theirs.Connection(Token);
        var extra = said.Where(p => p.Key is not ("conn_type" or "password")).ToDictionary(StringComparer.Ordinal);
        extra["allow_http"] = true;
        extra["burst_limit"] = BurstLimit;
        if (DailyLimit is not null)
        {
            extra["daily_limit"] = DailyLimit;
        }

        return JsonSerializer.Serialize(new
        {
            conn_type = said["conn_type"],
            host = $"http://127.0.0.1:{Theirs.Http.Port}",
            password = said.GetValueOrDefault("password"),
            extra,
        });
    }

    /// <summary>The time of the wall, with timers that are in a hurry.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => base.CreateTimer(
            callback, state, dueTime > TimeSpan.Zero ? dueTime / 50 : dueTime, period > TimeSpan.Zero ? period / 50 : period);
    }
}

/// <summary>What a command answered.</summary>
internal sealed record CrmAnswerLine(ExitCode ExitCode, string Output, string Errors)
{
    public JsonElement Json => TestBase.Json.Parse(Output.Trim());

    public long this[string count] => Json.GetProperty("counts").GetProperty(count).GetInt64();

    public string Fault => Json.GetProperty("error").GetString()!;

    public override string ToString() => $"{ExitCode}\n{Output}\n{Errors}";
}
