using System.Globalization;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Experiments;

/// <summary>Runs commands of the program at an instant, against one database, and fills that with leads.</summary>
internal sealed class ExperimentRig(TestDatabase database)
{
    /// <summary>A Wednesday, 10:00 UTC: when experiments of the tests start.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 18, 10, 0, 0, TimeSpan.Zero);

    public async Task EmptyAsync()
    {
        await database.WorkAtAsync(T0);
        await database.ExecuteAsync("TRUNCATE leads, sales_reps, sales_campaigns, experiments, followup_checks, pipeline_outcomes, outbox_messages RESTART IDENTITY CASCADE");
    }

    /// <summary>Runs any command to its end with the clock at <see cref="T0"/>.</summary>
    public Task<Answer> RunAsync(params string[] arguments) => RunAsync(T0, arguments);

    public async Task<Answer> RunAsync(DateTimeOffset at, params string[] arguments)
    {
        var host = new TestHost(database);
        host.Time.SetUtcNow(at);
        return new Answer(await host.RunAsync(arguments), host.Output, host.Errors);
    }

    /// <summary>A command that has to succeed.</summary>
    public async Task<Answer> DoAsync(DateTimeOffset at, params string[] arguments)
    {
        var answer = await RunAsync(at, arguments);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer;
    }

    /// <summary>Starts an experiment at <see cref="T0"/>.</summary>
    public Task<Answer> StartAsync(string share = "10", params string[] flags) => DoAsync(T0, ["experiment", "start", "--share", share, .. flags]);

    /// <summary>The counts of a job that has to succeed.</summary>
    public async Task<Counts> JobAsync(string job, DateTimeOffset asOf, params string[] flags) =>
        new((await DoAsync(asOf, [.. job.Split(' '), "--as-of", asOf.ToString("O", CultureInfo.InvariantCulture), .. flags])).Json.GetProperty("counts"));

    /// <summary>Leads named <paramref name="prefix"/> and a number from 1, with open deals.</summary>
    public Task AddLeadsAsync(string prefix, int count) => database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, email, phone) SELECT @prefix || i, 'Organic ', @prefix || i || '@acme.example', '+34 600 123 456' FROM generate_series(1, @count) AS i;
        INSERT INTO sales_pipeline (lead_ext_id, email, score, source, estimated_value)
        SELECT @prefix || i, @prefix || i || '@acme.example', 50 + i % 50, 'Organic ', 1000 FROM generate_series(1, @count) AS i;
        """,
        ("prefix", prefix), ("count", count));

    /// <summary>Two leads: h1 is held out, t1 is treated.</summary>
    public async Task AddOneOfEachAsync()
    {
        await AddLeadsAsync("h", 1);
        await AddLeadsAsync("t", 1);
        await database.ExecuteAsync("UPDATE experiment_assignments SET arm = CASE lead_ext_id WHEN 'h1' THEN 'holdout' ELSE 'treated' END");
    }

    public Task<List<string>> ArmsAsync() => database.QueryAsync(
        "SELECT lead_ext_id || ' ' || arm || ' ' || experiment_id FROM experiment_assignments ORDER BY lead_ext_id", row => row.GetString(0));
}
