using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>What goes out, and what a run leaves behind when all is well.</summary>
public sealed class DispatchTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly OutboxRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AlwaysOpenAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Email_ByWebhook_IsPostedAsDocumented()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddAsync(
            "key/1", "email",
            """{"subject": "Hello <Ana>", "text": "Line 1\nLine 2 ñ", "html": "<p>x</p>", "metadata": {"variant": "B", "lead_ext_id": "forged"}}""",
            "l1@acme.example", "followup", "l1");
        var rig = _rig.With("EMAIL", $$"""
            {"conn_type": "http", "host": "{{sink.Address}}/mail", "password": "t0ken", "extra": {"allow_http": true, "endpoint": "send?x=1",
              "from_email": "Sales <sales@acme.example>", "headers": {"X-Tenant": "7"}, "unsubscribe_url": "https://acme.example/u"} }
            """);

        var result = (await rig.DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1", result.Counts());
        var request = Assert.Single(sink.Requests);
        Assert.Equal("/mail/send?x=1", request.Path);
        Assert.Equal(("key/1", "Bearer t0ken", "7"), (request.Key, request.Headers["Authorization"], request.Headers["X-Tenant"]));
        Assert.StartsWith("application/json", request.Headers["Content-Type"], StringComparison.Ordinal);
        var body = request.Json;
        Assert.Equal("Sales <sales@acme.example>", body.Text("from"));
        Assert.Equal(("l1@acme.example", "Hello <Ana>", "Line 1\nLine 2 ñ", "<p>x</p>"), (body.Text("to"), body.Text("subject"), body.Text("text"), body.Text("html")));
        Assert.Equal("""{"variant":"B","lead_ext_id":"l1","purpose":"followup"}""", body.GetProperty("metadata").GetRawText());
        var hash = await database.ScalarAsync<string>("SELECT encode(address_hash('email', 'L1@acme.example '), 'hex')");
        Assert.Equal($"<https://acme.example/u?address={hash}>", body.GetProperty("headers").Text("List-Unsubscribe"));
        Assert.Equal("List-Unsubscribe=One-Click", body.GetProperty("headers").Text("List-Unsubscribe-Post"));
        var row = Assert.Single(await database.RowsAsync("SELECT * FROM outbox_messages"));
        Assert.Equal(("sent", 1, 200, "test_email"), (row["status"], row["attempts"], row["response_status"], row["connection_id"]));
        Assert.NotNull(row["sent_at"]);
        Assert.Null(row["lease_token"]);
        Assert.DoesNotContain("acme.example", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Campaign_StepThatWasSent_IsRecordedEverywhere()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 3);
        await _rig.AddCampaignEmailsAsync("l", "welcome");
        var at = OutboxRig.T0.AddMinutes(5);

        var result = await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--as-of", $"{at:O}");

        Assert.Equal("sent 3", result.ShouldExitWith(ExitCode.Done).Counts());
        Assert.Equal(1, sink.Requests[0].Json.GetProperty("metadata").GetProperty("campaign_step").GetInt32());
        Assert.All(
            await database.RowsAsync("SELECT e.status, e.executed_at, p.first_contact_at, p.last_contact_at, p.next_followup_at FROM sales_campaign_events e JOIN sales_pipeline p USING (lead_ext_id)"),
            row =>
            {
                Assert.Equal("sent", row["status"]);
                Assert.All((string[])["executed_at", "first_contact_at", "last_contact_at"], name => Assert.Equal(at.UtcDateTime, row[name]));
                Assert.Equal(at.AddDays(3).UtcDateTime, row["next_followup_at"]);
            });
    }

    [Fact]
    public async Task Slack_CallAndTask_ArePostedAsDocumented()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddAsync("s", "slack", """{"text": "Hi", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Hi"}}]}""", purpose: "summary");
        await _rig.AddAsync("c", "call", """{"title": "Call Ana", "notes": "about X", "metadata": {"k": 1}}""", "+34600000001", "followup", "l1");
        await _rig.AddAsync("t", "task", """{"title": "Write", "description": "D", "due": "2026-03-20T09:00:00Z", "assignee": "rep@acme.example"}""", lead: "l1");
        var rig = _rig
            .With("SLACK", $$"""{"conn_type": "slackwebhook", "host": "{{sink.Address}}/services", "password": "T0/B0/secret", "extra": {"allow_http": "true", "rate_per_second": 100} }""")
            .With("CALLS", $$"""{"conn_type": "http", "host": "127.0.0.1", "port": {{sink.Port}}, "schema": "calls", "login": "u", "password": "pä:s", "extra": {"allow_http": true} }""")
            .With("TASKS", sink.Connection("\"endpoint\": \"/tasks\""));

        var result = (await rig.DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 3", result.Counts());
        var requests = sink.Requests.ToDictionary(r => r.Path);
        Assert.True(JsonElement.DeepEquals(
            Json.Parse("""{"text":"Hi","blocks":[{"type":"header","text":{"type":"plain_text","text":"Hi"}}]}"""), requests["/services/T0/B0/secret"].Json));
        Assert.Equal("""{"title":"Call Ana","notes":"about X","phone":"\u002B34600000001","metadata":{"k":1,"lead_ext_id":"l1","purpose":"followup"}}""", requests["/calls"].Body);
        Assert.Equal("Basic " + Convert.ToBase64String("u:pä:s"u8), requests["/calls"].Headers["Authorization"]);
        Assert.Equal(
            """{"title":"Write","description":"D","due":"2026-03-20T09:00:00Z","assignee":"rep@acme.example","metadata":{"lead_ext_id":"l1","purpose":"notice"}}""",
            requests["/tasks"].Body);
    }

    [Fact]
    public async Task Messages_WithoutAConnection_WaitAndAreCounted()
    {
        await _rig.AddNoticesAsync("n", 3);
        await _rig.AddAsync("s", "slack", """{"text": "Hi"}""");

        var result = (await _rig.DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("without_connection 4", result.Counts());
        Assert.Contains("3 email messages wait for a connection: SALES_EMAIL_CONN_ID is not set", result.Errors, StringComparison.Ordinal);
        Assert.Contains("1 slack messages wait for a connection: SALES_SLACK_CONN_ID is not set", result.Errors, StringComparison.Ordinal);
        Assert.Equal("pending 4", await _rig.StatesAsync());
    }

    [Fact]
    public async Task Dispatch_Again_SendsNothing()
    {
        await using var sink = new HttpSink();
        await _rig.AddNoticesAsync("n", 50);
        var rig = _rig.With("EMAIL", sink.Connection());

        var (first, second) = await TwiceRun.RunAsync(database, () => rig.Start(), "task_runs");

        Assert.Equal("sent 50", first.Counts());
        Assert.Equal(("", "nothing_to_do"), (second.Counts(), second.Status()));
        Assert.Equal(50, sink.Count);
        (await rig.DispatchAsync("--skip-when-idle")).ShouldExitWith(ExitCode.NothingToDo);
    }

    [Fact]
    public async Task DryRun_WithMessages_TellsAndSendsNothing()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 4);
        await _rig.AddCampaignEmailsAsync("l", "welcome");
        await database.ExecuteAsync("UPDATE leads SET consent_email = false WHERE ext_id = 'l2'; INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('l1', 'x') ON CONFLICT (lead_ext_id) DO UPDATE SET stage = 'closed_won'");
        var before = await database.FingerprintAsync();

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--dry-run")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 2, cancelled 2", result.Counts());
        Assert.Equal(0, sink.Count);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task MaxMessages_Given_EndsTheRunAndTheNextGoesOn()
    {
        await using var sink = new HttpSink();
        await _rig.AddNoticesAsync("n", 30);
        var rig = _rig.With("EMAIL", sink.Connection());

        Assert.Equal("sent 20", (await rig.DispatchAsync("--max-messages", "20")).ShouldExitWith(ExitCode.Done).Counts());
        Assert.Equal("sent 10", (await rig.DispatchAsync()).ShouldExitWith(ExitCode.Done).Counts());
    }

    [Fact]
    public async Task Messages_OfOneLead_KeepTheirOrder()
    {
        await using var sink = new HttpSink(request => new SinkAnswer { Delay = TimeSpan.FromMilliseconds(request.Key.EndsWith('1') ? 200 : 0) });
        await _rig.AddLeadsAsync("l", 3);
        foreach (var lead in (string[])["l1", "l2", "l3"])
        {
            for (var i = 1; i <= 5; i++)
            {
                await _rig.AddAsync($"{lead}/{i}", "email", """{"subject": "S", "text": "T"}""", "a@acme.example", "notice", lead);
            }
        }

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 15", result.Counts());
        Assert.All(sink.Requests.GroupBy(r => r.Key[..2]), lead => Assert.Equal([.. lead.Select(r => r.Key).Order()], lead.Select(r => r.Key)));
    }
}
