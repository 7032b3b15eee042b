using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>What people do with messages, rules and suppressed addresses.</summary>
public sealed class OutboxCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly OutboxRig _rig = new OutboxRig(database).InProcess();

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AlwaysOpenAsync();
        await database.ExecuteAsync("TRUNCATE outbox_messages RESTART IDENTITY CASCADE");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task List_Messages_ShowsNobodysAddress()
    {
        await _rig.AddAsync("a", "email", "{}", "ana@acme.example");
        await _rig.AddAsync("b", "call", "{}", "+34600123456");
        await _rig.AddAsync("c", "slack", "{}");
        await database.ExecuteAsync("UPDATE outbox_messages SET status = 'dead', finished_at = now(), reason = 'HTTP 400' WHERE id = 1");
        await database.ExecuteAsync("UPDATE outbox_messages SET status = 'cancelled', finished_at = now(), reason = 'campaign_disabled' WHERE channel = 'call'");

        var table = (await _rig.RunAsync("outbox", "list", "--lang", "es")).ShouldExitWith(ExitCode.Done);
        var json = (await _rig.RunAsync("outbox", "list", "--status", "dead", "--channel", "email", "--json")).ShouldExitWith(ExitCode.Done);

        Assert.Contains("a***@a***", table.Output, StringComparison.Ordinal);
        Assert.Contains("***56", table.Output, StringComparison.Ordinal);
        Assert.Contains("correo: muerto 1", table.Output, StringComparison.Ordinal);
        Assert.Contains("campaña desactivada", table.Output, StringComparison.Ordinal);
        Assert.Contains("HTTP 400", table.Output, StringComparison.Ordinal);
        Assert.Contains("email: dead 1", (await _rig.RunAsync("outbox", "list")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("acme.example", table.Output + json.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("600123456", table.Output, StringComparison.Ordinal);
        var row = Assert.Single(Json.Parse(json.Output).EnumerateArray());
        Assert.Equal(("dead", "HTTP 400", "a***@a***"), (row.Text("status"), row.Text("reason"), row.Text("recipient")));
        (await _rig.RunAsync("outbox", "list", "--status", "lost")).ShouldExitWith(ExitCode.Usage);
        (await _rig.RunAsync("outbox", "list", "--limit", "0")).ShouldExitWith(ExitCode.Usage);
    }

    [Fact]
    public async Task Retry_OfMessagesInDoubtAndDead_SendsThemAgain()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 4);
        await _rig.AddCampaignEmailsAsync("l", "a");
        await database.ExecuteAsync(
            """
            UPDATE outbox_messages SET status = CASE WHEN id <= 2 THEN 'dead' ELSE 'in_doubt' END, finished_at = now(), failures = 10, attempts = 10;
            UPDATE sales_campaign_events SET status = 'failed'
            """);
        var rig = _rig.With("EMAIL", sink.Connection());

        (await rig.RunAsync("outbox", "retry")).ShouldExitWith(ExitCode.Usage);
        (await rig.RunAsync("outbox", "retry", "1", "--dead")).ShouldExitWith(ExitCode.Usage);
        var refused = (await rig.RunAsync("outbox", "retry", "1", "99")).ShouldExitWith(ExitCode.Usage);
        Assert.Contains("message 99 does not exist", refused.Errors, StringComparison.Ordinal);
        Assert.Equal("dead 2, in_doubt 2", await _rig.StatesAsync());

        (await rig.RunAsync("outbox", "retry", "1", "3")).ShouldExitWith(ExitCode.Done);
        Assert.Equal("dead 1, in_doubt 1, pending 2", await _rig.StatesAsync());
        refused = (await rig.RunAsync("outbox", "retry", "1")).ShouldExitWith(ExitCode.Usage);
        Assert.Contains("message 1 is pending; allowed: in_doubt or dead", refused.Errors, StringComparison.Ordinal);
        var all = (await rig.RunAsync("outbox", "retry", "--dead", "--in-doubt", "--json")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(2, Json.Parse(all.Output).GetProperty("messages").GetInt32());

        Assert.Equal("sent 4", (await rig.DispatchAsync()).Counts());
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaign_events WHERE status = 'sent'"));
    }

    [Fact]
    public async Task Discard_WithReason_SettlesMessages()
    {
        await _rig.AddLeadsAsync("l", 3);
        await _rig.AddCampaignEmailsAsync("l", "a");
        await database.ExecuteAsync("UPDATE outbox_messages SET status = 'in_doubt', finished_at = @at WHERE id <= 2", ("at", OutboxRig.T0.AddHours(1)));

        (await _rig.RunAsync("outbox", "discard", "1")).ShouldExitWith(ExitCode.Usage);
        var refused = (await _rig.RunAsync("outbox", "discard", "3", "--reason", "seen", "--delivered")).ShouldExitWith(ExitCode.Usage);
        Assert.Contains("message 3 is pending; allowed: in_doubt", refused.Errors, StringComparison.Ordinal);
        (await _rig.RunAsync("outbox", "discard", "1", "3", "--reason", "not wanted")).ShouldExitWith(ExitCode.Done);
        (await _rig.RunAsync("outbox", "discard", "2", "--reason", "seen in the sent folder", "--delivered")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("cancelled 2, sent 1", await _rig.StatesAsync());
        Assert.Equal(
            ["skipped", "sent", "skipped"],
            await database.QueryAsync("SELECT e.status FROM sales_campaign_events e JOIN outbox_messages m ON m.campaign_event_id = e.id ORDER BY m.id", row => row.GetString(0)));
        Assert.Equal(OutboxRig.T0.AddHours(1), await database.ScalarAsync<DateTimeOffset>(
            "SELECT last_contact_at FROM sales_pipeline WHERE lead_ext_id = (SELECT lead_ext_id FROM outbox_messages WHERE id = 2)"));
    }

    [Fact]
    public async Task Policy_Set_ChangesWhatIsGiven()
    {
        var result = (await _rig.RunAsync(
            "outbox", "policy", "--set", "window_days=5,1,2", "--set", "window_end=17:30", "--set", "default_time_zone=Europe/Madrid", "--set", "max_per_lead_per_day=2", "--json"))
            .ShouldExitWith(ExitCode.Done);

        var policy = Json.Parse(result.Output);
        Assert.Equal(("1,2,5", "00:00", "17:30", "Europe/Madrid"), (policy.Text("window_days"), policy.Text("window_start"), policy.Text("window_end"), policy.Text("default_time_zone")));
        Assert.Equal((2, 0), (policy.GetProperty("max_per_lead_per_day").GetInt32(), policy.GetProperty("max_per_lead_per_week").GetInt32()));
        Assert.Contains("Zona de los leads", (await _rig.RunAsync("outbox", "policy", "--lang", "es")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("window_days=8", "days from 1 (Monday) to 7")]
    [InlineData("window_days=", "days from 1 (Monday) to 7")]
    [InlineData("window_start=25:00", "a time from 00:00 to 24:00")]
    [InlineData("window_start=24:00", "window_start before window_end")]
    [InlineData("default_time_zone=Mars/Base", "a zone of the database")]
    [InlineData("max_per_lead_per_day=-1", "a whole number from 0")]
    [InlineData("max_per_day=1", "NAME=VALUE with one of window_days")]
    [InlineData("window_end", "a time from 00:00 to 24:00")]
    public async Task Policy_ValueThatIsNotAllowed_ChangesNothing(string assignment, string allowed)
    {
        var before = await database.FingerprintAsync();

        var result = (await _rig.RunAsync("outbox", "policy", "--set", assignment)).ShouldExitWith(ExitCode.Usage);

        Assert.Contains(allowed, result.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Theory]
    [InlineData("ana@acme.example", " ANA@acme.example")]
    [InlineData("+34 600-123-456", "34600123456")]
    public async Task Suppressions_Address_IsKeptAsAHash(string address, string same)
    {
        Assert.Contains("not suppressed", (await _rig.RunAsync("suppressions", "check", same)).Output, StringComparison.Ordinal);

        (await _rig.RunAsync("suppressions", "add", address, "--reason", "opt_out")).ShouldExitWith(ExitCode.Done);
        (await _rig.RunAsync("suppressions", "add", same, "--reason", "bounce")).ShouldExitWith(ExitCode.Done);

        var check = Json.Parse((await _rig.RunAsync("suppressions", "check", same, "--json")).Output);
        Assert.Equal((true, "opt_out"), (check.GetProperty("suppressed").GetBoolean(), check.Text("reason")));
        var channel = address.Contains('@', StringComparison.Ordinal) ? "email" : "phone";
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions WHERE address_hash = address_hash(@channel, @address)", ("channel", channel), ("address", address)));
        var count = Assert.Single(Json.Parse((await _rig.RunAsync("suppressions", "count", "--json")).Output).EnumerateArray());
        Assert.Equal((channel, 1), (count.Text("channel"), count.GetProperty("addresses").GetInt64()));

        (await _rig.RunAsync("suppressions", "remove", same)).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions"));
    }

    [Fact]
    public async Task Suppressions_HashOfAnUnsubscriptionLink_StopsThatAddress()
    {
        var hash = await database.ScalarAsync<string>("SELECT encode(address_hash('email', 'ana@acme.example'), 'hex')");

        (await _rig.RunAsync("suppressions", "add", "--hash", hash!, "--reason", "unsubscribe")).ShouldExitWith(ExitCode.Done);

        Assert.StartsWith("suppressed since", (await _rig.RunAsync("suppressions", "check", "ana@acme.example")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("12345")]
    [InlineData("--hash", "abc")]
    [InlineData]
    public async Task Suppressions_WhatIsNoAddress_IsRefusedWithoutRepeatingIt(params string[] arguments)
    {
        var result = (await _rig.RunAsync(["suppressions", "add", .. arguments])).ShouldExitWith(ExitCode.Usage);

        Assert.Contains("allowed: an e-mail address", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("nobody", result.Errors, StringComparison.Ordinal);
    }
}
