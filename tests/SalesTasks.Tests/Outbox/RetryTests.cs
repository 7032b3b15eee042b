using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>What each answer of a receiver, and each way of not getting one, means for the message, its connection and the run.</summary>
public sealed class RetryTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly OutboxRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AlwaysOpenAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static TheoryData<int, bool, string, int, string, int> Answers => new()
    {
        // status, idempotent, state, exit code, reason, counted failures
        { 200, false, "sent", 0, "", 0 },
        { 202, false, "sent", 0, "", 0 },
        { 400, false, "dead", 0, "HTTP 400: the receiver does not take this message", 1 },
        { 422, false, "dead", 0, "HTTP 422: the receiver does not take this message", 1 },
        { 409, false, "dead", 0, "HTTP 409: the receiver does not take this message", 1 },
        { 409, true, "pending", 75, "HTTP 409: an earlier attempt is still being worked on", 1 },
        { 401, false, "pending", 69, "HTTP 401: the credentials are not accepted", 0 },
        { 403, false, "pending", 69, "HTTP 403: we are not allowed to send there", 0 },
        { 404, false, "dead", 69, "HTTP 404: there is no such receiver", 1 },
        { 301, false, "dead", 69, "HTTP 301: a redirect, which is not followed", 1 },
        { 408, false, "pending", 75, "HTTP 408", 1 },
        { 425, false, "pending", 75, "HTTP 425", 1 },
        { 429, false, "pending", 75, "HTTP 429: too much at once", 0 },
        { 500, false, "pending", 75, "HTTP 500", 1 },
        { 503, false, "pending", 75, "HTTP 503", 1 },
        { 504, false, "in_doubt", 0, "HTTP 504: the receiver's gateway got no answer", 1 },
        { 504, true, "pending", 75, "HTTP 504: the receiver's gateway got no answer", 1 },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Message_ReceiversAnswer_IsUnderstood(int status, bool idempotent, string state, int exitCode, string reason, int failures)
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(status, "a@b.example says no"));
        await _rig.AddNoticesAsync("n", 1);

        var result = await Idempotent(sink, idempotent).InProcess().DispatchAsync("--max-messages", "1");

        result.ShouldExitWith((ExitCode)exitCode);
        var row = Assert.Single(await database.RowsAsync("SELECT status, reason, failures, attempts, response_status, not_before > created_at AS later FROM outbox_messages"));
        Assert.Equal((state, 1, status, failures), (row["status"], row["attempts"], row["response_status"], row["failures"]));
        Assert.StartsWith(reason, (string?)row["reason"] ?? "", StringComparison.Ordinal);
        Assert.Equal(1, sink.Count);
        Assert.DoesNotContain("b.example", result.ToString(), StringComparison.Ordinal);
        if (exitCode is 69 or 75)
        {
            Assert.Equal("failed", result.Status());
            Assert.StartsWith("Connection 'test_email' (email) ", result.Fault(), StringComparison.Ordinal);
            Assert.Contains(reason, result.Fault(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RetryAfter_Given_HoldsEveryDispatcherBack(bool asDate)
    {
        var value = asDate ? TimeProvider.System.GetUtcNow().AddHours(1).ToString("R", CultureInfo.InvariantCulture) : "3600";
        await using var sink = new HttpSink(_ => new SinkAnswer(429) { Headers = [$"Retry-After: {value}"] });
        await _rig.AddNoticesAsync("n", 3);
        var rig = _rig.With("EMAIL", sink.Connection());

        (await rig.DispatchAsync()).ShouldExitWith(ExitCode.TemporaryFailure);
        var second = (await rig.DispatchAsync()).ShouldExitWith(ExitCode.TemporaryFailure);

        Assert.Equal(1, sink.Count);
        Assert.Contains("nothing could be sent; its messages wait: HTTP 429: too much at once", second.Fault(), StringComparison.Ordinal);
        Assert.True(await database.ScalarAsync<bool>(
            "SELECT paused_until BETWEEN clock_timestamp() + interval '50 minutes' AND clock_timestamp() + interval '61 minutes' FROM delivery_connections"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE not_before > now() + interval '50 minutes'"));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Receiver_ThatIsBackSoon_GetsEverythingInTheSameRun(int status)
    {
        var refused = 0;
        await using var sink = new HttpSink(_ => Interlocked.Increment(ref refused) <= 3
            ? new SinkAnswer(status) { Headers = status == 429 ? ["Retry-After: 1"] : [] }
            : new SinkAnswer());
        await _rig.AddNoticesAsync("n", 40);

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--max-wait-seconds", "60")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(40, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status = 'sent'"));
        Assert.Equal("sent 40, retries 3", result.Counts());
        Assert.Equal(43, sink.Count);
        Assert.Equal(0, await database.ScalarAsync<int>("SELECT failures FROM delivery_connections"));
    }

    [Fact]
    public async Task Receiver_ThatFailsForEver_MakesMessagesDeadAfterTheLastAttempt()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(500));
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "welcome");
        await database.ExecuteAsync("UPDATE outbox_messages SET not_before = '2026-01-01', failures = 2, attempts = 2");

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--max-attempts", "3")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("dead 1", result.Counts());
        Assert.Equal(("dead", "3 attempts failed, the last: HTTP 500"), await _rig.StateAsync(await KeyAsync()));
        var step = Assert.Single(await database.RowsAsync("SELECT status, metadata FROM sales_campaign_events"));
        Assert.Equal(("failed", """{"failure": "3 attempts failed, the last: HTTP 500"}"""), (step["status"], step["metadata"]));
    }

    [Theory]
    [InlineData(false, "in_doubt", "after the message was written")]
    [InlineData(true, "pending", "after the message was written")]
    public async Task Connection_ResetAfterTheRequest_IsInDoubtUnlessTheReceiverKnowsRepeats(bool idempotent, string state, string reason)
    {
        await using var sink = new HttpSink(_ => new SinkAnswer { Reset = true });
        await _rig.AddNoticesAsync("n", 1);

        await Idempotent(sink, idempotent).DispatchAsync("--max-messages", "1");

        var (status, why) = await _rig.StateAsync("n1");
        Assert.Equal(state, status);
        Assert.EndsWith(reason, why, StringComparison.Ordinal);
        Assert.Equal(1, sink.Count);
    }

    [Fact]
    public async Task Answer_ThatDoesNotCome_IsInDoubt()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer { Silent = true });
        await _rig.AddNoticesAsync("n", 1);

        var result = (await Idempotent(sink, false).DispatchAsync("--request-timeout", "1")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("in_doubt 1", result.Counts());
        Assert.Equal(("in_doubt", "no answer within 1 s"), await _rig.StateAsync("n1"));
        Assert.Matches("email message [0-9]+ is in doubt: no answer within 1 s", result.Errors);
    }

    [Fact]
    public async Task Answer_ThatDoesNotComeFromAReceiverThatKnowsRepeats_IsAskedForAgainWithTheSameKey()
    {
        var first = true;
        await using var sink = new HttpSink(_ => new SinkAnswer { Silent = first && !(first = false) });
        await _rig.AddNoticesAsync("n", 1);

        var result = (await Idempotent(sink, true).DispatchAsync("--request-timeout", "1", "--max-wait-seconds", "60")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 1, retries 1", result.Counts());
        Assert.Equal(["n1", "n1"], sink.Requests.Select(r => r.Key));
        Assert.Equal(sink.Requests[0].Body, sink.Requests[1].Body);
    }

    [Theory]
    [InlineData(200, "sent")]
    [InlineData(500, "pending")]
    [InlineData(400, "dead")]
    public async Task Body_ThatDoesNotEnd_ChangesNothingAboutTheAnswer(int status, string state)
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(status, "half") { HalfBody = true });
        await _rig.AddNoticesAsync("n", 1);

        await Idempotent(sink, false).DispatchAsync("--request-timeout", "1", "--max-messages", "1");

        Assert.Equal(state, (await _rig.StateAsync("n1")).Status);
    }

    [Fact]
    public async Task Receiver_ThatIsNotThere_CostsNoAttempt()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        await _rig.AddNoticesAsync("n", 2);

        var result = await _rig
            .With("EMAIL", $$"""{"conn_type": "http", "host": "127.0.0.1", "port": {{port}}, "extra": {"allow_http": true} }""")
            .DispatchAsync("--max-attempts", "1");

        result.ShouldExitWith(ExitCode.TemporaryFailure);
        Assert.Contains("network: ConnectionRefused, before the message was written", result.Fault(), StringComparison.Ordinal);
        Assert.Equal("pending 2", await _rig.StatesAsync());
        Assert.Equal(0, await database.ScalarAsync<int>("SELECT max(failures) FROM outbox_messages"));
    }

    [Fact]
    public async Task Certificate_ThatNobodyTrusts_IsNotSentTo()
    {
        using var certificate = SelfSigned.Create();
        await using var sink = new HttpSink(certificate: certificate);
        await _rig.AddNoticesAsync("n", 20);

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync()).ShouldExitWith(ExitCode.Refused);

        Assert.Contains("no trusted TLS connection to the receiver", result.Fault(), StringComparison.Ordinal);
        Assert.Equal("pending 20", await _rig.StatesAsync());
        Assert.Equal(0, sink.Count);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[fd00:ec2::254]/latest/")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("http://2852039166/")]
    [InlineData("http://0.0.0.0:9/")]
    public async Task Address_OfAMetadataService_IsNeverConnectedTo(string host)
    {
        await _rig.AddNoticesAsync("n", 5);

        var result = await _rig.With("EMAIL", $$"""{"conn_type": "http", "host": "{{host}}", "extra": {"allow_http": true} }""").DispatchAsync();

        result.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("link-local, a metadata service, unspecified or multicast: never sent to", result.Fault(), StringComparison.Ordinal);
        Assert.Equal("pending 5", await _rig.StatesAsync());
    }

    [Fact]
    public async Task Redirect_ToAMetadataService_IsNotFollowed()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(307) { Headers = ["Location: http://169.254.169.254/latest/"] });
        await _rig.AddNoticesAsync("n", 5);

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync()).ShouldExitWith(ExitCode.Refused);

        Assert.Contains("HTTP 307: a redirect, which is not followed", result.Fault(), StringComparison.Ordinal);
        Assert.Equal("dead 1, pending 4", await _rig.StatesAsync());
        Assert.Equal(1, sink.Count);
    }

    [Fact]
    public async Task Credentials_NotAccepted_LeaveAllMessagesWaiting()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(401));
        await using var slack = new HttpSink();
        await _rig.AddNoticesAsync("n", 20);
        await _rig.AddAsync("s", "slack", """{"text": "Hi"}""");
        var rig = _rig.With("EMAIL", sink.Connection()).With("SLACK", slack.Connection().Replace("\"extra\"", "\"password\": \"T/B/X\", \"extra\"", StringComparison.Ordinal));

        var result = (await rig.DispatchAsync()).ShouldExitWith(ExitCode.Refused);

        Assert.Contains("Connection 'test_email' (email) refuses us; its messages wait: HTTP 401", result.Fault(), StringComparison.Ordinal);
        Assert.Equal("sent 1, retries 1", result.Counts());
        Assert.Equal(1, sink.Count);
        Assert.Equal("pending 20, sent 1", await _rig.StatesAsync());
    }

    [Fact]
    public async Task Message_ThatIsRefused_DoesNotHoldUpTheOthers()
    {
        await using var sink = new HttpSink(request => new SinkAnswer(request.Key is "n1" or "n7" ? 400 : 200));
        await _rig.AddNoticesAsync("n", 60);
        await _rig.AddAsync("bad-1", "email", """{"subject": "S"}""", "a@b.example");
        await _rig.AddAsync("bad-2", "email", """{"subject": "S", "text": "T"}""");
        await _rig.AddAsync("bad-3", "email", "[1]", "a@b.example");
        await _rig.AddAsync("bad-4", "email", """{"subject": "S", "text": "T"}""", "a@b.example\r\nX: y");

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync()).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 58, dead 6", result.Counts());
        Assert.Equal(
            ["bad-1: its payload has neither text nor html", "bad-2: it has no recipient", "bad-3: its payload is no JSON object", "bad-4: its recipient is no e-mail address"],
            await database.QueryAsync("SELECT idempotency_key || ': ' || reason FROM outbox_messages WHERE idempotency_key ~ 'bad' ORDER BY 1", row => row.GetString(0)));
    }

    [Fact]
    public async Task Breaker_AfterFailuresInARow_SparesTheReceiver()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(503));
        await _rig.AddNoticesAsync("n", 100);
        var rig = _rig.With("EMAIL", sink.Connection());

        (await rig.DispatchAsync()).ShouldExitWith(ExitCode.TemporaryFailure);
        (await rig.DispatchAsync()).ShouldExitWith(ExitCode.TemporaryFailure);

        Assert.Equal(5, sink.Count);
        Assert.Equal("pending 100", await _rig.StatesAsync());

        // The pause is over: one message tries, and the breaker opens again for twice as long.
        await database.ExecuteAsync("UPDATE delivery_connections SET paused_until = clock_timestamp()");
        (await rig.DispatchAsync()).ShouldExitWith(ExitCode.TemporaryFailure);

        Assert.Equal(6, sink.Count);
        Assert.True(await database.ScalarAsync<bool>("SELECT openings = 2 AND paused_until > clock_timestamp() + interval '20 seconds' FROM delivery_connections"));
    }

    [Fact]
    public async Task Breaker_WhenTheReceiverIsBack_Closes()
    {
        await using var sink = new HttpSink();
        await _rig.AddNoticesAsync("n", 100);
        await database.ExecuteAsync(
            "INSERT INTO delivery_connections (connection_id, failures, openings, paused_until, pause_reason) VALUES ('test_email', 9, 3, clock_timestamp(), 'HTTP 503')");

        var results = await TwoRunners.RunAsync(() => _rig.With("EMAIL", sink.Connection()).Start("--max-wait-seconds", "30"), () => Task.CompletedTask);

        Assert.Equal(100, sink.Requests.Select(r => r.Key).Distinct().Count());
        Assert.Equal(100, sink.Count);
        Assert.Equal(2, results.Count);
        var state = Assert.Single(await database.RowsAsync("SELECT failures, openings, paused_until, pause_reason FROM delivery_connections"));
        Assert.Equal((0, 0, null, null), (state["failures"], state["openings"], state["paused_until"], state["pause_reason"]));
    }

    [Theory]
    [InlineData(200, "ok", "sent", 0)]
    [InlineData(200, "<html>log in</html>", "dead", 69)]
    [InlineData(400, "invalid_blocks", "dead", 0)]
    [InlineData(404, "no_service", "pending", 69)]
    [InlineData(410, "channel_is_archived", "pending", 69)]
    [InlineData(403, "action_prohibited", "pending", 69)]
    [InlineData(500, "rollup_error", "pending", 75)]
    public async Task Slack_Answer_IsUnderstood(int status, string answer, string state, int exitCode)
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(status, answer));
        await _rig.AddAsync("s", "slack", """{"text": "Hi"}""");
        var connection = $$"""{"conn_type": "slackwebhook", "password": "{{sink.Address}}/services/T/B/secret", "extra": {"allow_http": true} }""";

        var result = (await _rig.With("SLACK", connection).InProcess().DispatchAsync("--max-messages", "1")).ShouldExitWith((ExitCode)exitCode);

        var (actual, reason) = await _rig.StateAsync("s");
        Assert.Equal(state, actual);
        if (status is >= 400 and < 500)
        {
            Assert.Contains(answer, reason, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("secret", result.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("EMAIL", """{"conn_type": "http", "host": "mail.example"}""", "its address is http, which anybody on the way can read")]
    [InlineData("EMAIL", """{"conn_type": "http"}""", "it has no host")]
    [InlineData("EMAIL", """{"conn_type": "postgres", "host": "x"}""", "its type is 'postgres'; allowed: http")]
    [InlineData("EMAIL", """{"conn_type": "http", "host": "https://x", "extra": {"retries": 3} }""", "its extra 'retries' is not known here; allowed: idempotent, rate_per_second, allow_http")]
    [InlineData("EMAIL", """{"conn_type": "http", "host": "https://x", "extra": {"headers": {"Content-Length": "3"} } }""", "its extra headers must be a JSON object of texts; 'Content-Length' is none, or no request header")]
    [InlineData("EMAIL", """{"conn_type": "http", "host": "https://x", "extra": {"rate_per_second": 0} }""", "its extra rate_per_second must be a number from 0.001 to 100000")]
    [InlineData("EMAIL", """{"conn_type": "http", "host": "https://x", "extra": {"unsubscribe_url": "http://x"} }""", "its extra unsubscribe_url must be an https address")]
    [InlineData("EMAIL", """{"conn_type": "http", "host": "https://x", "password": "a\nb"}""", "its password cannot be sent as a header")]
    [InlineData("SLACK", """{"conn_type": "slackwebhook"}""", "its password is empty")]
    [InlineData("SLACK", """{"conn_type": "slackwebhook", "password": "http://hooks.example/T/B/X"}""", "its address is http")]
    [InlineData("SLACK", """{"conn_type": "slackwebhook", "password": "ftp://hooks.example/T/B/X"}""", "it does not give an http or https address")]
    public async Task Connection_ThatCannotBeUsed_IsRefusedBeforeAnythingIsClaimed(string channel, string connection, string fault)
    {
        var result = (await _rig.With(channel, connection).With("TASKS", "http://").InProcess().DispatchAsync()).ShouldExitWith(ExitCode.Usage);

        Assert.Contains(fault, result.Fault(), StringComparison.Ordinal);
        // Faults of all connections at once.
        Assert.Contains("Connection 'test_tasks' (environment variable AIRFLOW_CONN_TEST_TASKS): ", result.Fault(), StringComparison.Ordinal);
    }

    private OutboxRig Idempotent(HttpSink sink, bool idempotent) => _rig.With("EMAIL", sink.Connection(idempotent ? "\"idempotent\": true" : ""));

    private async Task<string> KeyAsync() => (await database.ScalarAsync<string>("SELECT idempotency_key FROM outbox_messages"))!;
}
