using System.Text.Json;
using System.Text.RegularExpressions;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Insights;

/// <summary><c>insights</c>: figures of the views, in tables that fit and JSON that stays.</summary>
public sealed class InsightsTests(PostgresServer server, TestDatabase empty) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, string> s_shapes = new(StringComparer.Ordinal)
    {
        ["top"] = "lead_ext_id full_name email stage estimated_value probability_pct expected_value assigned_to days_in_pipeline",
        ["risk"] = "lead_ext_id email stage estimated_value days_since_contact overdue_tasks_count ml_risk_score risk_level",
        ["reps"] = "assigned_to name active_leads won_last_30d lost_last_30d win_rate_pct total_revenue avg_days_to_close overdue_tasks avg_lead_score weighted_pipeline",
        ["sources"] = "source leads avg_score qualified qualified_pct won lost win_rate_pct revenue weighted_pipeline",
    };

    public static TheoryData<string> Topics => [.. s_shapes.Keys];

    [Theory]
    [MemberData(nameof(Topics))]
    public async Task List_OfAnEmptyDatabase_IsEmptyInWordsAndJson(string topic)
    {
        Assert.Equal("[]\n", await RunAsync(empty, "insights", topic, "--json"));
        Assert.Contains("nothing yet", await RunAsync(empty, "insights", topic), StringComparison.Ordinal);
        Assert.Contains("nada todavía", await RunAsync(empty, "insights", topic, "--lang", "es"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Summary_OfAnEmptyDatabase_HasEveryIndicatorAndStage()
    {
        var summary = Json.Parse(await RunAsync(empty, "insights", "--json"));

        Assert.Equal(["indicators", "funnel", "forecast"], summary.EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            [
                "open_deals", "pipeline_value", "weighted_pipeline", "conversion_rate_pct", "win_rate_pct", "revenue", "days_to_close",
                "hours_to_first_contact", "tasks_on_time_pct",
            ],
            summary.GetProperty("indicators").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        Assert.Equal(7, summary.GetProperty("funnel").GetArrayLength());
        Assert.Equal(0, summary.GetProperty("forecast").GetArrayLength());
        Assert.Contains("Tasa de éxito, %", await RunAsync(empty, "insights", "summary", "--lang", "es"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Summary_Figures_AreThoseOfTheRows()
    {
        await using var database = await FilledAsync();

        var summary = Json.Parse(await RunAsync(database, "insights", "--json"));

        var indicators = summary.GetProperty("indicators").EnumerateArray().ToDictionary(
            row => row.GetProperty("name").GetString()!, row => (Number(row, "value"), Number(row, "before")));
        Assert.Equal((3, null), indicators["open_deals"]);
        Assert.Equal((60_000, null), indicators["pipeline_value"]);
        // 10,000 × 20 % + 20,000 × 20 % + 30,000 × 50 %
        Assert.Equal((21_000, null), indicators["weighted_pipeline"]);
        // Won 1 of 2 in the last 30 days, none of 1 in the 30 days before.
        Assert.Equal((50, 0), indicators["win_rate_pct"]);
        Assert.Equal((5_000, 0), indicators["revenue"]);
        Assert.Equal((8, null), indicators["days_to_close"]);
        // Of two tasks due, one was done in time.
        Assert.Equal((50, null), indicators["tasks_on_time_pct"]);
        Assert.Equal((2, null), indicators["hours_to_first_contact"]);
    }

    [Fact]
    public async Task Lists_OfRows_HaveTheDocumentedShapeAndOrder()
    {
        await using var database = await FilledAsync();

        foreach (var (topic, shape) in s_shapes)
        {
            var rows = Json.Parse(await RunAsync(database, "insights", topic, "--json"));
            Assert.Equal(shape.Split(' '), rows[0].EnumerateObject().Select(member => member.Name));
        }

        var top = Json.Parse(await RunAsync(database, "insights", "top", "--limit", "2", "--json"));
        Assert.Equal(["open-3", "open-2"], top.EnumerateArray().Select(row => row.GetProperty("lead_ext_id").GetString()));
        var risk = Json.Parse(await RunAsync(database, "insights", "risk", "--days", "12", "--json"));
        Assert.Equal("open-1", Assert.Single(risk.EnumerateArray()).GetProperty("lead_ext_id").GetString());
        var sources = Json.Parse(await RunAsync(database, "insights", "sources", "--json"));
        Assert.Equal(
            [("organic", 4, 50.0), ("paid", 2, 0.0)],
            sources.EnumerateArray().Select(row => (
                row.GetProperty("source").GetString()!, row.GetProperty("leads").GetInt32(), row.GetProperty("win_rate_pct").GetDouble())));
    }

    [Theory]
    [InlineData("summary")]
    [InlineData("top")]
    [InlineData("risk")]
    [InlineData("reps")]
    [InlineData("sources")]
    public async Task Table_OnATerminalOf80Columns_FitsAndKeepsNumbersWhole(string topic)
    {
        await using var database = await FilledAsync();
        foreach (var language in (string[])["en", "es"])
        {
            // Without a terminal of its own, a test that claims one gets the classic 80 columns.
            var host = new TestHost(database) { Terminal = true };
            Assert.Equal(ExitCode.Done, await host.RunAsync("insights", topic, "--lang", language));

            var lines = Regex.Replace(host.Output, @"\e\[[0-9;?]*[A-Za-z]", "", RegexOptions.None, TimeSpan.FromSeconds(5)).Split('\n');
            Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
            Assert.Contains(lines, line => line.Contains(topic is "reps" or "summary" ? "21,000" : topic is "sources" ? "5,000" : "10,000", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Table_HostileNames_AreTextAndNothingElse()
    {
        await using var database = await FilledAsync();
        await database.ExecuteAsync("UPDATE sales_pipeline SET first_name = '[bold]' || chr(27) || ']0;title' || chr(7) || chr(8238), last_name = chr(10) || 'x' WHERE lead_ext_id = 'open-3'");

        var table = await RunAsync(database, "insights", "top");
        var json = Json.Parse(await RunAsync(database, "insights", "top", "--json"));

        Assert.Contains("[bold]", table, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table);
        Assert.DoesNotContain('\u202e', table);
        Assert.Contains("\u001b]0;title", json[0].GetProperty("full_name").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Numbers_InATable_AreRightAligned()
    {
        await using var database = await FilledAsync();

        var lines = (await RunAsync(database, "insights", "top")).Split('\n').Where(line => line.StartsWith("│ open", StringComparison.Ordinal)).ToList();

        Assert.Equal(3, lines.Count);
        Assert.Single(lines.Select(line => line.IndexOf(",000 │", StringComparison.Ordinal)).Distinct());
    }

    [Theory]
    [InlineData("insights everything", "topic 'everything' is not known; allowed: summary, top, risk, reps, sources")]
    [InlineData("insights top --limit 0", "--limit: '0' is not allowed")]
    [InlineData("insights top --limit 1e3", "--limit: '1e3' is not allowed")]
    [InlineData("insights risk --days -1", "--days: '-1' is not allowed")]
    public async Task Run_WrongUse_IsRefusedInWords(string line, string fault)
    {
        var host = new TestHost(empty);

        Assert.Equal(ExitCode.Usage, await host.RunAsync(line.Split(' ')));
        Assert.Contains(fault, host.Errors, StringComparison.Ordinal);
    }

    private static double? Number(JsonElement row, string name) =>
        row.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;

    private static async Task<string> RunAsync(TestDatabase database, params string[] arguments)
    {
        var host = new TestHost(database);
        var exitCode = await host.RunAsync(arguments);
        Assert.True(exitCode is ExitCode.Done, $"{exitCode}\n{host.Output}\n{host.Errors}");
        return host.Output;
    }

    private async Task<TestDatabase> FilledAsync()
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_reps (email, name) VALUES ('a.rep.with.a.rather.long.address@sales.example', 'Ana Rep');
            INSERT INTO leads (ext_id, source, email, score)
            SELECT id, source, id || '@acme-with-a-long-name.example', 60
            FROM (VALUES ('open-1', 'organic'), ('open-2', 'organic'), ('open-3', 'paid'), ('won', 'organic'), ('lost', 'organic'), ('lost-before', 'paid')) AS l (id, source);
            INSERT INTO sales_pipeline (lead_ext_id, email, first_name, last_name, stage, estimated_value, probability_pct, assigned_to, qualified_at, closed_at,
              first_contact_at, last_contact_at)
            SELECT id, id || '@acme-with-a-long-name.example', 'Maximiliana', 'Fernández de Córdoba', stage::pipeline_stage, value, pct,
              'a.rep.with.a.rather.long.address@sales.example', now() - qualified * interval '1 day', now() - closed * interval '1 day',
              now() - qualified * interval '1 day' + interval '2 hours', now() - contacted * interval '1 day'
            FROM (VALUES ('open-1', 'qualified', 10000, 20, 20, NULL, 15), ('open-2', 'contacted', 20000, 20, 20, NULL, 10), ('open-3', 'negotiating', 30000, 50, 20, NULL, 1),
              ('won', 'closed_won', 5000, 100, 10, 2, 2), ('lost', 'closed_lost', 7000, 0, 10, 3, 3), ('lost-before', 'closed_lost', 7000, 0, 70, 40, 40))
              AS d (id, stage, value, pct, qualified, closed, contacted);
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, due_date, completed_at)
            SELECT id, lead_ext_id, 'call', 'Call', CASE lead_ext_id WHEN 'open-1' THEN 'completed' ELSE 'pending' END, now() - interval '3 days',
              CASE lead_ext_id WHEN 'open-1' THEN now() - interval '4 days' END
            FROM sales_pipeline WHERE lead_ext_id IN ('open-1', 'open-2')
            """);
        return database;
    }
}
