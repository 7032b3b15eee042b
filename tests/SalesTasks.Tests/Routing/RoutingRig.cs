using System.Globalization;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>Runs commands of the program inside the test, against one database, and fills that with reps and deals.</summary>
internal sealed class RoutingRig(TestDatabase database)
{
    /// <summary>The instant the tests work at.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 15, 12, 0, 0, TimeSpan.Zero);

    public TestDatabase Database { get; } = database;

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>Nobody and nothing; sessions of the test work at <see cref="T0"/>.</summary>
    public async Task ClearAsync()
    {
        await Database.WorkAtAsync(T0);
        await Database.ExecuteAsync("TRUNCATE leads, sales_reps, routing_runs, outbox_messages RESTART IDENTITY CASCADE");
    }

    /// <summary>Runs any command to its end.</summary>
    public async Task<Answer> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var errors = new StringWriter(CultureInfo.InvariantCulture);
        var host = new CommandHost
        {
            Environment = name => name == "AIRFLOW_CONN_SALES_POSTGRES" ? Database.AirflowUri : Environment.GetValueOrDefault(name),
            Time = TimeProvider.System,
            Out = output,
            Error = errors,
        };
        var exitCode = await Commands.Tree(host).RunAsync(arguments);
        return new Answer(exitCode, output.ToString(), errors.ToString());
    }

    /// <summary>A run of a job that has to succeed, at <see cref="T0"/> unless a flag says otherwise.</summary>
    public async Task<Answer> AssignAsync(params string[] flags)
    {
        string[] asOf = flags.Contains("--as-of") ? [] : ["--as-of", T0.ToString("O")];
        var answer = await RunAsync(["routing", "assign", .. asOf, .. flags]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer;
    }

    public Task<int> AddRepAsync(string name, string columns = "active", string values = "true") =>
        Database.ExecuteAsync($"INSERT INTO sales_reps (email, name, {columns}) VALUES ('{name}@sales.example', '{name}', {values})");

    /// <summary>A lead with an open deal of the same name, unassigned, worth 1,000 at 20 %; <paramref name="lead"/> and <paramref name="deal"/> add columns.</summary>
    public async Task AddDealAsync(string name, (string Columns, string Values)? lead = null, (string Columns, string Values)? deal = null)
    {
        var (leadColumns, leadValues) = lead is { } l ? (", " + l.Columns, ", " + l.Values) : ("", "");
        var (dealColumns, dealValues) = deal is { } d ? (", " + d.Columns, ", " + d.Values) : ("", "");
        var value = dealColumns.Contains("estimated_value", StringComparison.Ordinal) ? ("", "") : (", estimated_value", ", 1000");
        await Database.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source{leadColumns}) VALUES ('{name}', 'organic'{leadValues});
            INSERT INTO sales_pipeline (lead_ext_id, email{value.Item1}{dealColumns}) VALUES ('{name}', '{name}@lead.example'{value.Item2}{dealValues})
            """);
    }

    /// <summary>Many unassigned deals, all alike.</summary>
    public Task AddDealsAsync(string prefix, int count) => Database.ExecuteAsync(
        $"""
        INSERT INTO leads (ext_id, source) SELECT '{prefix}' || i, 'organic' FROM generate_series(1, {count}) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, estimated_value)
        SELECT '{prefix}' || i, i || '@lead.example', 1000 FROM generate_series(1, {count}) AS i
        """);

    /// <summary>A deal of a rep, without contact for 30 days.</summary>
    public Task AddStaleDealAsync(string name, string rep, string columns = "reassignments", string values = "0") => AddDealAsync(
        name, deal: ($"assigned_to, qualified_at, assigned_at, {columns}", $"'{rep}@sales.example', '{T0.AddDays(-30):O}', '{T0.AddDays(-30):O}', {values}"));

    /// <summary>The rep's name, or null.</summary>
    public async Task<string?> OwnerAsync(string lead) =>
        await Database.ScalarAsync<string?>("SELECT split_part(assigned_to, '@', 1) FROM sales_pipeline WHERE lead_ext_id = @lead", ("lead", lead));

    /// <summary>Open deals by rep name.</summary>
    public async Task<Dictionary<string, long>> LoadsAsync() => (await Database.QueryAsync(
        "SELECT coalesce(split_part(assigned_to, '@', 1), 'nobody'), count(*) FROM sales_pipeline WHERE stage < 'closed_won' GROUP BY 1",
        row => (row.GetString(0), row.GetInt64(1)))).ToDictionary();

    /// <summary>Outcome and reason of the lead's latest decision.</summary>
    public async Task<string?> DecisionAsync(string lead) => await Database.ScalarAsync<string?>(
        "SELECT outcome || ' ' || reason FROM v_routing_decisions WHERE lead_ext_id = @lead ORDER BY run_id DESC LIMIT 1", ("lead", lead));
}

/// <summary>What a command gave back.</summary>
internal sealed record Answer(ExitCode ExitCode, string Output, string Errors)
{
    /// <summary>The last line of the output.</summary>
    public System.Text.Json.JsonElement Json => TestBase.Json.Parse(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);

    public long this[string count] => Json.GetProperty("counts").GetProperty(count).GetInt64();

    public override string ToString() => $"{ExitCode}\n{Output}\n{Errors}";
}
