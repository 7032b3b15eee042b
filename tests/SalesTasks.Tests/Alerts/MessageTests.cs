using System.Text.Json;
using SalesTasks.Alerts;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>Who is told what, once.</summary>
public sealed class MessageTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = AlertRig.T0;

    private readonly AlertRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task News_OfARun_IsOneMessageAChannelAndOneARep()
    {
        _rig.With("SALES_EMAIL_CONN_ID", "mail");
        await _rig.AddRepAsync("ana@sales.example", languages: "{es-MX}");
        await _rig.AddRepAsync("luis@sales.example", languages: "{en}");
        await _rig.AddRepAsync("gone@sales.example", active: false);
        await _rig.AddQuietAsync("a", 8);
        await _rig.AddQuietAsync("b", 15);
        await _rig.AddQuietAsync("l", 8, "estimated_value = 12000, assigned_to = 'luis@sales.example'");
        await _rig.AddQuietAsync("g", 8, "estimated_value = 30000, assigned_to = 'gone@sales.example'");
        await _rig.AddQuietAsync("n", 8, "estimated_value = 40000, assigned_to = 'somebody'");

        var counts = await _rig.EvaluateAsync(T0, "--email-recipients", "boss@acme.example, sales@acme.example,boss@acme.example");

        Assert.Equal(5, counts["messages"]);
        var messages = await _rig.MessagesAsync();
        Assert.Equal(
            ["email ana@sales.example", "email boss@acme.example", "email luis@sales.example", "email sales@acme.example", "slack "],
            messages.Select(m => $"{m.Channel} {m.Recipient}"));
        Assert.Equal("2 alertas para ti", Json.Parse(messages[0].Payload).GetProperty("subject").GetString());
        // Each with the number by which it is acknowledged.
        Assert.Equal(
            $"[crítica] Leads de alto valor sin seguimiento: #{await NumberAsync("b")} b: valor 20.000, sin contacto desde hace 15 d, ana@sales.example\n"
            + $"[aviso] Leads de alto valor sin seguimiento: #{await NumberAsync("a")} a: valor 20.000, sin contacto desde hace 8 d, ana@sales.example\n",
            Json.Parse(messages[0].Payload).GetProperty("text").GetString());
        Assert.Equal("1 alert for you", Json.Parse(messages[2].Payload).GetProperty("subject").GetString());
        Assert.Equal("Sales alerts: 1 critical, 4 warning", Json.Parse(messages[1].Payload).GetProperty("subject").GetString());
        var blocks = Json.Parse(messages[4].Payload).GetProperty("blocks").EnumerateArray().ToList();
        Assert.Equal(["header", "section", "section", "context"], blocks.Select(b => b.GetProperty("type").GetString()));
        Assert.StartsWith($":red_circle: *High-value leads without follow-up* (1)\n• #{await NumberAsync("b")} b: worth 20,000", Text(blocks[1]), StringComparison.Ordinal);
        Assert.StartsWith($":large_orange_circle: *High-value leads without follow-up* (4)\n• #{await NumberAsync("n")} n: worth 40,000", Text(blocks[2]), StringComparison.Ordinal);
        Assert.Equal(5, await database.ScalarAsync<long>("SELECT count(*) FROM alerts WHERE times_told = 1 AND NOT to_tell"));
    }

    [Fact]
    public async Task Run_TriedAgain_TellsNothingTwiceAndLosesNothing()
    {
        _rig.With("SALES_DAG_ID", "sales_alerts_intelligent").With("SALES_RUN_ID", "r1").With("SALES_TASK_ID", "alerts_evaluate");
        await _rig.AddQuietAsync("a", 8);
        Assert.Equal(1, (await _rig.EvaluateAsync(T0))["messages"]);
        Assert.Equal(0, (await _rig.EvaluateAsync(T0.AddMinutes(1)))["messages"]);

        // What is new when the run is tried again is told, although the run has told something before.
        await _rig.AddQuietAsync("b", 8);
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddMinutes(2)))["messages"]);
        Assert.Equal(2, (await _rig.MessagesAsync()).Count);
    }

    [Fact]
    public async Task News_WithoutAChannel_WaitsForOne()
    {
        await _rig.AddQuietAsync("a", 8);
        Assert.Equal((1, 0), Of(await _rig.EvaluateAsync(T0, "--notify-slack", "false"), "opened", "messages"));
        Assert.Equal((0, 1), Of(await _rig.EvaluateAsync(T0.AddHours(2)), "opened", "messages"));
        Assert.Equal((0, 0), Of(await _rig.EvaluateAsync(T0.AddHours(4)), "opened", "messages"));
    }

    [Fact]
    public async Task Names_FromOutside_AreHarmless()
    {
        _rig.With("SALES_EMAIL_CONN_ID", "mail");
        await _rig.AddRepAsync("ana@sales.example");
        await _rig.AddQuietAsync("<!channel> & *x*\n\u202eevil", 8);

        await _rig.EvaluateAsync(T0, "--language", "es");

        var messages = await _rig.MessagesAsync();
        var slack = Text(Json.Parse(messages[^1].Payload).GetProperty("blocks").EnumerateArray().ElementAt(1));
        Assert.Contains(" &lt;!channel&gt; &amp; *x*  evil: valor 20.000", slack, StringComparison.Ordinal);
        Assert.DoesNotContain("<", slack, StringComparison.Ordinal);
        Assert.Equal(2, Json.Parse(messages[0].Payload).GetProperty("text").GetString()!.Split('\n').Length);
    }

    [Fact]
    public async Task Slack_OfTenThousandSituations_KeepsItsLimits()
    {
        _rig.With("SALES_EMAIL_CONN_ID", "mail");
        await _rig.AddRepAsync("ana@sales.example", 20_000);
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT repeat('&', 100) || i, 'organic' FROM generate_series(1, 10000) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, stage, estimated_value, qualified_at)
            SELECT repeat('&', 100) || i, 'x@acme.example', 'ana@sales.example', 'contacted', i * 10, @t0 - interval '1 day' * (7 + i % 9) FROM generate_series(1, 10000) AS i
            """,
            ("t0", T0));

        var counts = await _rig.EvaluateAsync(T0);

        Assert.Equal((10_000, 2), Of(counts, "opened", "messages"));
        var messages = await _rig.MessagesAsync();
        ShouldFitSlack(Json.Parse(messages[1].Payload));
        Assert.Contains("and ", messages[1].Payload, StringComparison.Ordinal);
        Assert.Contains("alerts list --kind stale_lead --severity info --limit ", messages[1].Payload, StringComparison.Ordinal);
        // The most severe group comes first, its dearest lead before the others.
        Assert.Contains(":red_circle: *High-value leads", Text(Json.Parse(messages[1].Payload).GetProperty("blocks").EnumerateArray().ElementAt(1)), StringComparison.Ordinal);
        Assert.EndsWith("... and 9,980 more: sales-tasks alerts list --rep ana@sales.example\n", Json.Parse(messages[0].Payload).GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM alerts WHERE to_tell"));
    }

    [Fact]
    public void Slack_OfMoreGroupsThanBlocks_KeepsItsLimits()
    {
        var alert = new ToldAlert(long.MaxValue, Json.Parse("""{"lead": "l", "value": 1, "days": 2}"""));
        var news = Enumerable.Range(0, 90).Select(i => new NewsGroup("high_value_lead", i < 5 ? "critical" : "info", 1_000_000, [.. Enumerable.Repeat(alert, 8)])).ToList();

        foreach (var spanish in new[] { true, false })
        {
            ShouldFitSlack(Json.Parse(AlertMessages.Slack(news, spanish).ToJsonString()));
        }
    }

    /// <summary>https://docs.slack.dev/reference/block-kit/blocks: 50 blocks, headers of 150 characters, sections of 3,000.</summary>
    private static void ShouldFitSlack(JsonElement payload)
    {
        var blocks = payload.GetProperty("blocks").EnumerateArray().ToList();
        Assert.InRange(blocks.Count, 3, 50);
        Assert.InRange(Text(blocks[0]).Length, 1, 150);
        Assert.All(blocks[1..^1], block => Assert.InRange(Text(block).Length, 1, 3_000));
    }

    private Task<long> NumberAsync(string lead) => database.ScalarAsync<long>("SELECT id FROM alerts WHERE lead_ext_id = @lead", ("lead", lead));

    private static string Text(JsonElement block) => block.GetProperty("text").GetProperty("text").GetString()!;

    private static (long First, long Second) Of(Scoring.Counts counts, string first, string second) => (counts[first], counts[second]);
}
