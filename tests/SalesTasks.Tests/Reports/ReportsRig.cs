using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using SalesTasks.Demo;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Reports;

/// <summary>Sample data with hostile names, and the jobs run inside the test at an instant of its own.</summary>
internal sealed class ReportsRig(TestDatabase database)
{
    /// <summary>A Wednesday; the last complete week is 2026-W11, the last complete month 2026-02.</summary>
    public static readonly DateTimeOffset Now = new(2026, 3, 18, 10, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset WeekStart = new(2026, 3, 9, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset WeekEnd = new(2026, 3, 16, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A name that means something to HTML, to a spreadsheet, to Slack and to the order of letters.</summary>
    public const string Hostile = "=cmd()|<script>alert(1)</script> <!channel> & \u202egnp.exe \U0001f600 \"'";

    private ImmutableDictionary<string, string> _environment = ImmutableDictionary<string, string>.Empty;

    public TestDatabase Database => database;

    public ReportsRig With(string name, string value)
    {
        _environment = _environment.SetItem(name, value);
        return this;
    }

    /// <summary>Two years of a small company, the same in every run, and scores for the trend.</summary>
    public async Task LoadSampleAsync(int leads = 400)
    {
        var options = new SampleOptions(Now.AddHours(-10)) { Leads = leads, Seed = 7 };
        await using (var target = database.Open(options.Present))
        {
            await new SampleLoader(target, new SampleGenerator(options)).LoadAsync(progress: null, TestContext.Current.CancellationToken);
        }

        await database.ExecuteAsync(
            """
            INSERT INTO lead_scores (lead_id, calculated_at, score, previous_score, priority)
            SELECT lead_id, @now - interval '1 hour' * (lead_id * 7 % 3000), lead_id * 37 % 101, CASE WHEN lead_id % 4 > 0 THEN lead_id * 11 % 101 END,
              (CASE WHEN lead_id * 37 % 101 >= 50 THEN 'high' WHEN lead_id * 37 % 101 >= 35 THEN 'medium' ELSE 'low' END)::priority_level
            FROM leads;
            """,
            ("now", Now));
    }

    /// <summary>Names of reps, sources, campaigns and variants become hostile.</summary>
    public Task MakeHostileAsync() => database.ExecuteAsync(
        """
        -- Something was won in the week, so that there is a best rep and a best source to name.
        UPDATE sales_pipeline SET stage = 'closed_won', closed_at = @won, estimated_value = 5000
        WHERE id = (SELECT min(id) FROM sales_pipeline WHERE stage < 'closed_won' AND assigned_to IN (SELECT email FROM sales_reps) AND qualified_at < @won);
        UPDATE sales_reps SET name = left(@name || email, 256);
        UPDATE leads SET source = left(@name, 32);
        UPDATE sales_campaigns SET name = left(@name || id || repeat('x', 200), 256);
        UPDATE sales_campaign_executions SET metadata = metadata || jsonb_build_object('variant', @name || (metadata ->> 'variant') || repeat('y', 10000));
        UPDATE sales_campaign_events SET metadata = metadata || jsonb_build_object('variant', @name || (metadata ->> 'variant') || repeat('y', 10000))
        WHERE metadata ? 'variant';
        """,
        ("name", Hostile), ("won", WeekStart.AddDays(1)));

    public async Task<(ExitCode ExitCode, JsonElement Result)> RunAsync(string job, params string[] flags)
    {
        var host = new TestHost(database);
        foreach (var (name, value) in _environment)
        {
            host.With(name, value);
        }

        string[] asOf = flags.Contains("--as-of") ? [] : ["--as-of", Now.ToString("O")];
        var exitCode = await host.RunAsync([.. job.Split(' '), .. asOf, .. flags]);
        return (exitCode, host.Result);
    }

    /// <summary>A run that has to succeed; its result.</summary>
    public async Task<JsonElement> DoneAsync(string job, params string[] flags)
    {
        var (exitCode, result) = await RunAsync(job, flags);
        Assert.True(exitCode is ExitCode.Done, result.GetRawText());
        return result;
    }

    public Task<JsonElement> BuildAsync(params string[] flags) => DoneAsync("reports build", flags);

    public Task<JsonElement> DeliverAsync(params string[] flags) => DoneAsync("reports deliver", flags);

    /// <summary>A file of the newest report.</summary>
    public async Task<byte[]> FileAsync(string name) => (await database.ScalarAsync<byte[]>(
        """
        SELECT s.content FROM reports r JOIN report_files f ON f.report_id = r.id JOIN stored_files s ON s.sha256 = f.sha256
        WHERE f.name = @name ORDER BY r.id DESC LIMIT 1
        """,
        ("name", name)))!;

    public async Task<string> TextAsync(string name) => Encoding.UTF8.GetString(await FileAsync(name));

    /// <summary>The rows of a table of the newest report.</summary>
    public async Task<List<JsonElement>> TableAsync(string table) =>
        [.. Json.Parse(await TextAsync("report.json")).GetProperty("tables").GetProperty(table).EnumerateArray()];

    public async Task EmptyAsync() => await database.ExecuteAsync(
        "TRUNCATE leads, sales_campaigns, sales_reps, reports, stored_files, report_forecasts, outbox_messages, task_runs CASCADE; DROP TABLE IF EXISTS demo_truth");
}

internal static class ReportResults
{
    public static long Count(this JsonElement result, string name) => result.GetProperty("counts").GetProperty(name).GetInt64();

    public static string Detail(this JsonElement result, string name) => result.GetProperty("details").GetProperty(name).ToString();

    public static double? Number(this JsonElement row, string name) =>
        row.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
}
