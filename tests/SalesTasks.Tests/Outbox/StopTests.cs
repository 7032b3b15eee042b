using Npgsql;
using SalesTasks.Delivery;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>After a reply, an opt-out, a closing, an erasure or a disabled campaign nothing is sent any more.</summary>
public sealed class StopTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = OutboxRig.T0;

    private static readonly DispatchOptions s_options = new()
    {
        Concurrency = 4,
        RequestTimeout = TimeSpan.FromSeconds(10),
        Lease = TimeSpan.FromSeconds(60),
        MaxAttempts = 3,
        MaxWait = TimeSpan.Zero,
    };

    private readonly OutboxRig _rig = new OutboxRig(database).InProcess();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AlwaysOpenAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static TheoryData<string, string, string> Stops => new()
    {
        { "email", "replied", "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('l1', 'reply', '2026-03-18 12:00Z')" },
        { "call", "replied", "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('l1', 'reply', '2026-03-18 12:03Z')" },
        { "slack", "replied", "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('l1', 'reply', '2026-03-18 12:03Z')" },
        { "email", "deal_closed", "UPDATE sales_pipeline SET stage = 'closed_lost' WHERE lead_ext_id = 'l1'" },
        { "task", "deal_closed", "UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = 'l1'" },
        { "email", "consent_refused", "UPDATE leads SET consent_email = false WHERE ext_id = 'l1'" },
        { "call", "consent_refused", "UPDATE leads SET consent_phone = false WHERE ext_id = 'l1'" },
        { "email", "suppressed", "INSERT INTO suppressions VALUES (address_hash('email', ' L1@ACME.example'), 'email', 'opt_out')" },
        { "call", "suppressed", "INSERT INTO suppressions VALUES (address_hash('phone', '34 600 000 001'), 'phone', 'opt_out')" },
        { "email", "campaign_disabled", "UPDATE sales_campaigns SET enabled = false" },
        { "email", "execution_stopped", "UPDATE sales_campaign_executions SET status = 'stopped' WHERE lead_ext_id = 'l1'" },
    };

    [Theory]
    [MemberData(nameof(Stops))]
    public async Task Stop_BeforeTheClaim_CancelsTheMessageAndTheExecution(string channel, string reason, string stop)
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "welcome", channel);
        await database.ExecuteAsync("UPDATE outbox_messages SET payload = payload || '{\"title\": \"T\"}'");
        await database.ExecuteAsync(stop);

        var result = (await Connected(sink).DispatchAsync("--as-of", $"{T0.AddMinutes(5):O}")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("cancelled 1", result.Counts());
        Assert.Equal(0, sink.Count);
        var row = Assert.Single(await database.RowsAsync(
            """
            SELECT m.status, m.reason, e.status AS event, e.metadata ->> 'skip_reason' AS skip_reason, x.status AS execution,
              x.metadata ->> 'stop_reason' AS stop_reason, x.next_action_at
            FROM outbox_messages m JOIN sales_campaign_events e ON e.id = m.campaign_event_id JOIN sales_campaign_executions x ON x.id = m.execution_id
            """));
        Assert.Equal(("cancelled", reason), (row["status"], row["reason"]));
        Assert.Equal(("skipped", reason), (row["event"], row["skip_reason"]));
        Assert.Equal(("stopped", reason == "execution_stopped" ? null : reason), (row["execution"], row["stop_reason"]));
    }

    public static TheoryData<string, string> NoStops => new()
    {
        { "email", "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, is_bot) VALUES ('l1', 'reply', '2026-03-18 12:03Z', true)" },
        { "email", "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('l1', 'reply', '2026-03-18 11:59Z')" },
        { "email", "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('l1', 'click', '2026-03-18 12:03Z')" },
        { "email", "UPDATE leads SET consent_phone = false, consent_email = NULL" },
        { "call", "UPDATE leads SET consent_email = false, consent_phone = true" },
        { "task", "UPDATE leads SET consent_email = false, consent_phone = false" },
        { "email", "INSERT INTO suppressions VALUES (address_hash('email', 'l2@acme.example'), 'email', 'opt_out')" },
        { "email", "DELETE FROM sales_campaign_events" },
        // The last step is on its way, and all steps are done.
        { "email", "UPDATE sales_campaign_executions SET status = 'completed'" },
    };

    [Theory]
    [MemberData(nameof(NoStops))]
    public async Task WhatIsNoStop_BeforeTheClaim_HoldsNothingUp(string channel, string change)
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "welcome", channel);
        await database.ExecuteAsync("UPDATE outbox_messages SET payload = payload || '{\"title\": \"T\"}'");
        await database.ExecuteAsync(change);

        var result = (await Connected(sink).DispatchAsync("--as-of", $"{T0.AddMinutes(5):O}")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1", result.Counts());
    }

    [Fact]
    public async Task Erasure_BeforeTheClaim_LeavesNothingToSend()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 2);
        await _rig.AddCampaignEmailsAsync("l", "welcome");
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'l1'");

        var result = (await Connected(sink).DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1", result.Counts());
        Assert.Equal("l2@acme.example", Assert.Single(sink.Requests).Json.Text("to"));
    }

    [Fact]
    public async Task FollowUp_ToOurOwnPeople_SurvivesTheLeadsReply()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddAsync("t", "task", """{"title": "Write"}""", purpose: "followup", lead: "l1");
        await _rig.AddAsync("e", "email", """{"subject": "S", "text": "T"}""", "l1@acme.example", "followup", "l1");
        await database.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('l1', 'reply')");

        var result = (await Connected(sink).DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1, cancelled 1", result.Counts());
        Assert.Equal(("cancelled", "replied"), await _rig.StateAsync("e"));
    }

    [Theory]
    [MemberData(nameof(Stops))]
    public async Task Stop_BetweenClaimAndWire_HoldsTheMessageBack(string channel, string reason, string stop)
    {
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "welcome", channel);
        await using var program = database.Open(T0.AddMinutes(5));
        var store = new OutboxStore(program, channel, new ReceiverSettings { ConnectionId = "c" }, s_options, TimeProvider.System);

        var message = Assert.Single((await store.ClaimAsync(10, Token)).Messages);
        await database.ExecuteAsync(stop);
        var marks = await store.ExchangeAsync([], [message.Id]);

        Assert.Equal(Mark.Stopped, marks[message.Id]);
        Assert.Equal(("cancelled", reason), await _rig.StateAsync(message.IdempotencyKey));
        Assert.Equal("skipped", await database.ScalarAsync<string>("SELECT status FROM sales_campaign_events"));
        Assert.Equal("stopped", await database.ScalarAsync<string>("SELECT status FROM sales_campaign_executions"));
    }

    [Fact]
    public async Task Erasure_BetweenClaimAndWire_HoldsTheMessageBack()
    {
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "welcome");
        await using var program = database.Open(T0.AddMinutes(5));
        var store = new OutboxStore(program, "email", new ReceiverSettings { ConnectionId = "c" }, s_options, TimeProvider.System);

        var message = Assert.Single((await store.ClaimAsync(10, Token)).Messages);
        await database.ExecuteAsync("DELETE FROM leads");

        Assert.Equal(Mark.Lost, (await store.ExchangeAsync([], [message.Id]))[message.Id]);
    }

    [Fact]
    public async Task Lease_ThatEnded_IsFencedOff()
    {
        await _rig.AddNoticesAsync("n", 3);
        await using var program = database.Open();
        var connection = new ReceiverSettings { ConnectionId = "c" };
        var slow = new OutboxStore(program, "email", connection, s_options with { Lease = TimeSpan.FromMilliseconds(1) }, TimeProvider.System);
        var other = new OutboxStore(program, "email", connection, s_options, TimeProvider.System);

        var claimed = (await slow.ClaimAsync(3, Token)).Messages;
        var marks = await slow.ExchangeAsync([], [claimed[0].Id]);
        await Eventually.HoldsAsync(
            "the leases end", async () => await database.ScalarAsync<bool>("SELECT bool_and(lease_until < clock_timestamp()) FROM outbox_messages"));
        var late = await slow.ExchangeAsync([], [claimed[1].Id]);
        var recovered = await other.RecoverAsync(Token);
        var again = (await other.ClaimAsync(3, Token)).Messages;
        // The slow one comes back with an outcome for a message that is no longer its own.
        await slow.ExchangeAsync([new Recorded(again[0].Id, "sent", 200, null, null, false)], []);

        Assert.Equal(Mark.Lost, late[claimed[1].Id]);
        Assert.Equal(marks[claimed[0].Id] == Mark.Go ? (2, 1) : (3, 0), recovered);
        Assert.Equal(recovered.Again, again.Count);
        Assert.Equal("leased", (await _rig.StateAsync(again[0].IdempotencyKey)).Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Stops_WhileDispatchersRun_LetNothingPassThatWasNotOnTheWire(int seed)
    {
        const int leads = 250;
        var random = new Random(seed);
        // Two answers a stop: half of the messages go while stops come, however fast either is.
        using var pace = new SemaphoreSlim(0);
        await using var sink = new HttpSink(_ => new SinkAnswer { After = pace.WaitAsync });
        await _rig.AddLeadsAsync("l", leads);
        await _rig.AddCampaignEmailsAsync("l", "one");
        await _rig.AddCampaignEmailsAsync("l", "two", "call");
        await database.ExecuteAsync("UPDATE outbox_messages SET not_before = '2026-01-01'");
        var rig = Connected(sink);

        var dispatchers = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => rig.DispatchAsync("--concurrency", "2", "--as-of", $"{T0.AddMinutes(5):O}", "--max-wait-seconds", "30")));
        var mustNotArrive = new List<string>();
        foreach (var lead in Enumerable.Range(1, leads).OrderBy(_ => random.Next()).Take(120))
        {
            // The stop commits; what is not on the wire then must never get there.
            mustNotArrive.AddRange(await StopAsync(random.Next(5), lead));
            pace.Release(2);
        }

        pace.Release(2 * leads);

        foreach (var result in await dispatchers)
        {
            result.ShouldExitWith(ExitCode.Done);
        }

        Assert.NotEmpty(mustNotArrive);
        Assert.Empty(sink.Requests.Select(r => r.Key).Intersect(mustNotArrive));
        Assert.Equal(sink.Count, sink.Requests.Select(r => r.Key).Distinct().Count());
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status NOT IN ('sent', 'cancelled')"));
    }

    private async Task<List<string>> StopAsync(int kind, int lead)
    {
        var (stop, channels) = kind switch
        {
            0 => ("INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('l' || @n, 'reply', '2026-03-18 12:03Z')", "email,call"),
            1 => ("UPDATE leads SET consent_email = false WHERE ext_id = 'l' || @n", "email"),
            2 => ("UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = 'l' || @n", "email,call"),
            3 => ("INSERT INTO suppressions VALUES (address_hash('email', 'l' || @n || '@acme.example'), 'email', 'opt_out')", "email"),
            _ => ("", ""),
        };
        if (stop.Length == 0)
        {
            return await TestDatabase.AgainAfterDeadlockAsync(() => EraseAsync(lead));
        }

        var before = await KeysAsync(lead, channels, "pending,leased");
        await database.ExecuteAsync(stop, ("n", lead));
        return [.. before.Intersect(await KeysAsync(lead, channels, "pending,leased,cancelled"))];
    }

    /// <summary>An erased lead's messages go with it; which of them were not on the wire is read under their locks.</summary>
    private async Task<List<string>> EraseAsync(int lead)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(Token);
        var keys = new List<string>();
        await using (var locking = new NpgsqlCommand(
            "SELECT idempotency_key FROM outbox_messages WHERE lead_ext_id = 'l' || @n AND status IN ('pending', 'leased') ORDER BY id FOR UPDATE", connection))
        {
            locking.Parameters.AddWithValue("n", lead);
            await using var reader = await locking.ExecuteReaderAsync(Token);
            while (await reader.ReadAsync(Token))
            {
                keys.Add(reader.GetString(0));
            }
        }

        await using var erasing = new NpgsqlCommand("DELETE FROM leads WHERE ext_id = 'l' || @n", connection);
        erasing.Parameters.AddWithValue("n", lead);
        await erasing.ExecuteNonQueryAsync(Token);
        await transaction.CommitAsync(Token);
        return keys;
    }

    /// <summary>Under the messages' locks: a dispatcher that is just marking one is waited for.</summary>
    private Task<List<string>> KeysAsync(int lead, string channels, string statuses) => database.QueryAsync(
        "SELECT idempotency_key FROM outbox_messages WHERE lead_ext_id = 'l' || @n AND channel = ANY (string_to_array(@channels, ',')) AND status = ANY (string_to_array(@statuses, ',')) ORDER BY id FOR UPDATE",
        row => row.GetString(0),
        ("n", lead), ("channels", channels), ("statuses", statuses));

    private OutboxRig Connected(HttpSink sink) => _rig
        .With("EMAIL", sink.Connection()).With("CALLS", sink.Connection()).With("TASKS", sink.Connection())
        .With("SLACK", sink.Connection().Replace("\"extra\"", "\"password\": \"T/B/X\", \"extra\"", StringComparison.Ordinal));
}
