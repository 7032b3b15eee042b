using SalesTasks.Delivery;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary>The summaries: their figures, and when they reach Slack.</summary>
public sealed class SummarizeTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = FollowUpRig.T0;

    private static readonly string[] s_counts =
    [
        "tasks_created", "tasks_completed", "tasks_open", "tasks_overdue", "messages_sent", "messages_waiting", "messages_in_doubt", "messages_dead",
        "replies", "stage_moves", "won", "lost",
    ];

    private readonly FollowUpRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await database.WorkAtAsync(T0);
        await _rig.EmptyAsync();
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task FollowUp_OfADay_IsCountedFromEdgeToEdge()
    {
        Assert.Equal("0 0 0 0 0 0 0 0 0 0 0 0", await CountsAsync());

        await _rig.AddDealAsync("a");
        await _rig.AddDealAsync("b", "contacted");
        await _rig.AddDealAsync("c", "negotiating");
        await _rig.AddDealAsync("d", "negotiating");
        // In the day: two open (one overdue), one completed. Before it: an open one, and one completed exactly a day ago.
        await _rig.AddTaskAsync("a", "email", due: T0.AddMinutes(-1));
        await _rig.AddTaskAsync("a", "call", "in_progress", T0);
        await _rig.AddTaskAsync("b", "call", "completed", completed: T0.AddHours(-1));
        await _rig.AddTaskAsync("b", "custom", "skipped");
        await database.WorkAtAsync(T0.AddDays(-2));
        await _rig.AddTaskAsync("b", "proposal", due: T0.AddDays(-1));
        await _rig.AddTaskAsync("b", "meeting", "completed", completed: T0.AddHours(-24));
        await database.WorkAtAsync(T0);
        await _rig.AddReplyAsync("a", T0);
        await _rig.AddReplyAsync("a", T0.AddHours(-24));
        await _rig.AddReplyAsync("a", T0.AddHours(-1), bot: true);
        await database.ExecuteAsync(
            """
            UPDATE sales_pipeline SET stage = 'contacted' WHERE lead_ext_id = 'a';
            UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = 'c';
            UPDATE sales_pipeline SET stage = 'closed_lost' WHERE lead_ext_id = 'd';
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, sent_at, finished_at, created_at) VALUES
              ('s1', 'slack', 'alert', '{}', 'sent', @now, @now, @now),
              ('s2', 'slack', 'alert', '{}', 'sent', @now, @now, @now - interval '6 days'),
              ('s3', 'slack', 'alert', '{}', 'sent', @now - interval '24 hours', @now, @now - interval '25 hours'),
              ('s4', 'slack', 'summary', '{}', 'sent', @now, @now, @now - interval '25 hours'),
              ('p', 'slack', 'alert', '{}', 'pending', NULL, NULL, @now - interval '90 days'),
              ('d', 'slack', 'alert', '{}', 'dead', NULL, @now, @now - interval '90 days'),
              ('i', 'slack', 'alert', '{}', 'in_doubt', NULL, @now, @now - interval '90 days'),
              ('c', 'slack', 'alert', '{}', 'cancelled', NULL, @now, @now);
            """,
            ("now", T0));

        // Three of the deals came in a later stage than qualified, which counts as a move.
        Assert.Equal("4 1 3 2 2 1 1 1 1 4 1 1", await CountsAsync());
        var answer = await _rig.RunAsync("followup", "summarize", "--as-of", T0.ToString("O"));
        Assert.Equal(
            "email: 1 created, 0 completed, 1 open, 1 overdue; call: 2 created, 1 completed, 1 open, 0 overdue; "
            + "proposal: 0 created, 0 completed, 1 open, 1 overdue; custom: 1 created, 0 completed, 0 open, 0 overdue",
            answer.Json.GetProperty("details").GetProperty("tasks_by_type").GetString());
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status = 'sent'"));
    }

    [Theory]
    [InlineData("followup summarize", "followup-summary", "INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('a', 'reply')")]
    [InlineData("scoring summarize", "scoring-summary", "INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('a', 50)")]
    public async Task Slack_Configured_HearsOfNewsOnceARun(string command, string kind, string news)
    {
        await _rig.AddDealAsync("a");
        await database.ExecuteAsync("DELETE FROM sales_stage_history");
        await database.ExecuteAsync(news);
        Assert.Equal(0, (await _rig.JobAsync(command, T0))["messages"]);
        _rig.With("SALES_SLACK_CONN_ID", "slack").With("SALES_RUN_ID", "scheduled__é\u2028 " + new string('x', 200));

        Assert.Equal(1, (await _rig.JobAsync(command, T0, "--dry-run"))["messages"]);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        // Once, the retry included.
        Assert.Equal(1, (await _rig.JobAsync(command, T0))["messages"]);
        Assert.Equal(0, (await _rig.JobAsync(command, T0))["messages"]);
        Assert.Equal(1, await database.ScalarAsync<long>(
            "SELECT count(*) FROM outbox_messages WHERE channel = 'slack' AND purpose = 'summary' AND idempotency_key LIKE @kind", ("kind", kind + "/%")));

        // The next run has nothing to tell; the one after it has.
        _rig.With("SALES_RUN_ID", "second");
        Assert.Equal(0, (await _rig.JobAsync(command, T0.AddHours(1)))["messages"]);
        await database.WorkAtAsync(T0.AddHours(2));
        await database.ExecuteAsync(news);
        _rig.With("SALES_RUN_ID", "third");
        Assert.Equal(1, (await _rig.JobAsync(command, T0.AddHours(2)))["messages"]);
        _rig.With("SALES_RUN_ID", "fourth");
        Assert.Equal(0, (await _rig.JobAsync(command, T0.AddDays(9)))["messages"]);
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        await ShouldFitSlackAsync();
    }

    [Theory]
    [InlineData("followup summarize", "Seguimiento, últimas 24 horas", "*Tareas creadas*\n1.500", "*Tareas: llamada*\n1500 creadas, 0 completadas, 1500 abiertas, 0 vencidas")]
    [InlineData("scoring summarize", "Puntuación de leads, últimas 24 horas", "*Leads con cambios*\n1", "*Puntuación media*\n")]
    public async Task Slack_InSpanish_SpeaksSpanish(string command, params string[] texts)
    {
        await _rig.AddDealAsync("a");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title) SELECT id, lead_ext_id, 'call', 'x' FROM sales_pipeline, generate_series(1, 1500);
            INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('a', 50)
            """);
        _rig.With("SALES_SLACK_CONN_ID", "slack");

        Assert.Equal(1, (await _rig.JobAsync(command, T0, "--language", "es"))["messages"]);

        var blocks = Json.Parse((await database.ScalarAsync<string>("SELECT payload::text FROM outbox_messages"))!).GetProperty("blocks").EnumerateArray().ToList();
        var said = blocks.SelectMany(block => block.TryGetProperty("fields", out var fields)
            ? fields.EnumerateArray().Select(field => field.GetProperty("text").GetString()!)
            : [block.GetProperty("text").GetProperty("text").GetString()!]).ToList();
        Assert.All(texts, text => Assert.Contains(said, s => s.StartsWith(text, StringComparison.Ordinal)));
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync([.. command.Split(' '), "--language", "fr"])).ExitCode);
    }

    [Fact]
    public void Payload_OfManyFigures_KeepsSlacksLimits()
    {
        var payload = Json.Parse(SummaryMessage.Payload("Title", [.. Enumerable.Range(0, 95).Select(i => ($"Figure {i}", $"{i}"))]).ToJsonString());

        var sections = payload.GetProperty("blocks").EnumerateArray().Where(b => b.GetProperty("type").GetString() == "section").ToList();
        Assert.Equal(10, sections.Count);
        Assert.All(sections, section => Assert.InRange(section.GetProperty("fields").GetArrayLength(), 1, 10));
        Assert.Equal(95, sections.Sum(section => section.GetProperty("fields").GetArrayLength()));
    }

    /// <summary>https://docs.slack.dev/reference/block-kit/blocks: 50 blocks, headers of 150 characters, ten fields of 2,000 a section.</summary>
    private async Task ShouldFitSlackAsync()
    {
        foreach (var text in await database.QueryAsync("SELECT payload::text FROM outbox_messages", row => row.GetString(0)))
        {
            var payload = Json.Parse(text);
            Assert.NotEmpty(payload.GetProperty("text").GetString()!);
            var blocks = payload.GetProperty("blocks").EnumerateArray().ToList();
            Assert.InRange(blocks.Count, 2, 50);
            Assert.Equal("header", blocks[0].GetProperty("type").GetString());
            Assert.InRange(blocks[0].GetProperty("text").GetProperty("text").GetString()!.Length, 1, 150);
            Assert.All(blocks.Skip(1), block =>
            {
                var fields = block.GetProperty("fields").EnumerateArray().ToList();
                Assert.InRange(fields.Count, 1, 10);
                Assert.All(fields, field => Assert.InRange(field.GetProperty("text").GetString()!.Length, 1, 2_000));
            });
        }
    }

    private async Task<string> CountsAsync()
    {
        var counts = await _rig.JobAsync("followup summarize", T0);
        return string.Join(' ', s_counts.Select(name => counts[name]));
    }
}
