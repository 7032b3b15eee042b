using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>E-mail by SMTP: what it looks like, and what each answer of a mail server means.</summary>
public sealed class SmtpTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly OutboxRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AlwaysOpenAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Email_ToALead_CarriesTheHeadersOfOneClickUnsubscription()
    {
        await using var sink = new SmtpSink();
        await _rig.AddLeadsAsync("l", 2);
        await _rig.AddAsync("key/1", "email", """{"subject": "Hola ñ\r\nBcc: x@y.example", "text": "Uno\n.\ndos", "html": "<p>Uno</p>"}""", "l1@acme.example", "followup", "l1");
        await _rig.AddAsync("key/2", "email", """{"subject": "To the rep", "text": "T"}""", "rep@acme.example");
        var rig = _rig.With("EMAIL", sink.Connection(""", "login": "u", "password": "p" """, """, "unsubscribe_url": "https://acme.example/u?t=1" """));

        var result = (await rig.DispatchAsync("--concurrency", "1")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 2", result.Counts());
        Assert.Equal(1, sink.Connections);
        var mail = sink.Mails[0];
        Assert.Contains("<l1@acme.example>", mail.To, StringComparison.Ordinal);
        Assert.Equal("Sales <sales@acme.example>", mail.Header("From"));
        Assert.Equal("l1@acme.example", mail.Header("To"));
        Assert.Null(mail.Header("Bcc"));
        Assert.Matches("^<[0-9a-f]{40}@acme.example>$", mail.Header("Message-Id"));
        var hash = await database.ScalarAsync<string>("SELECT encode(address_hash('email', 'l1@acme.example'), 'hex')");
        Assert.Equal($"<https://acme.example/u?t=1&address={hash}>", mail.Header("List-Unsubscribe")!.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("List-Unsubscribe=One-Click", mail.Header("List-Unsubscribe-Post"));
        Assert.StartsWith("multipart/alternative", mail.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Contains("Uno\r\n.\r\ndos", mail.Data, StringComparison.Ordinal);
        Assert.Null(sink.Mails[1].Header("List-Unsubscribe"));
    }

    public static TheoryData<string, string, string, int, string, string> Answers => new()
    {
        // line, answer, state, exit code, reason, mails taken
        { "RCPT", "550 5.1.1 no such user", "dead", 0, "SMTP 550: the recipient is not accepted", "0" },
        { "RCPT", "450 busy", "pending", 75, "SMTP 450: the recipient is not accepted", "0" },
        { ".", "554 spam", "dead", 0, "SMTP 554: the message is not accepted", "0" },
        { ".", "451 later", "pending", 75, "SMTP 451: the message is not accepted", "0" },
        { ".", "close", "in_doubt", 0, "after the message was written", "1" },
        { "DATA", "close", "pending", 75, "before the message was written", "0" },
        { "MAIL", "530 authenticate first", "pending", 69, "the mail server does not accept the credentials", "0" },
        { "MAIL", "550 not you", "pending", 69, "SMTP 550: the sender is not accepted", "0" },
        { "connect", "421 full", "pending", 75, "SMTP 421: the mail server is not available", "0" },
        { "AUTH", "535 5.7.8 wrong", "pending", 69, "the mail server does not accept the credentials", "0" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Email_MailServersAnswer_IsUnderstood(string line, string answer, string state, int exitCode, string reason, string taken)
    {
        await using var sink = new SmtpSink(command => command.StartsWith(line, StringComparison.Ordinal) ? answer : null);
        await _rig.AddNoticesAsync("n", 1);

        var result = await _rig.With("EMAIL", sink.Connection(""", "login": "u", "password": "p" """)).InProcess().DispatchAsync("--max-messages", "1");

        result.ShouldExitWith((ExitCode)exitCode);
        var (status, why) = await _rig.StateAsync("n1");
        Assert.Equal(state, status);
        Assert.Contains(reason, why, StringComparison.Ordinal);
        Assert.Equal(int.Parse(taken), sink.Mails.Count);
    }

    [Fact]
    public async Task Email_ServerThatClosesIdleConnections_IsConnectedToAgain()
    {
        var mails = 0;
        await using var sink = new SmtpSink(command => command.StartsWith("MAIL", StringComparison.Ordinal) && ++mails % 2 == 0 ? "close" : null);
        await _rig.AddNoticesAsync("n", 6);

        var result = (await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--concurrency", "1")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("sent 6", result.Counts());
        Assert.Equal(6, sink.Mails.Select(m => m.To).Distinct().Count());
    }

    [Fact]
    public async Task Email_ServerWithoutTls_IsNotSentToInTheClear()
    {
        await using var sink = new SmtpSink();
        await _rig.AddNoticesAsync("n", 3);
        var connection = $$"""{"conn_type": "smtp", "host": "127.0.0.1", "port": {{sink.Port}}, "extra": {"from_email": "sales@acme.example"} }""";

        var result = (await _rig.With("EMAIL", connection).DispatchAsync()).ShouldExitWith(ExitCode.Refused);

        Assert.Contains("no trusted TLS connection to the mail server", result.Fault(), StringComparison.Ordinal);
        Assert.Equal("pending 3", await _rig.StatesAsync());
        Assert.Empty(sink.Mails);
    }

    [Theory]
    [InlineData("""{"conn_type": "smtp", "extra": {"from_email": "a@b.example"} }""", "it has no host")]
    [InlineData("""{"conn_type": "smtp", "host": "h", "login": "u"}""", "its extra from_email is missing")]
    [InlineData("""{"conn_type": "smtp", "host": "h", "extra": {"from_email": "nobody"} }""", "its extra from_email is no e-mail address")]
    [InlineData("""{"conn_type": "smtp", "host": "h", "extra": {"from_email": "a@b.example", "disable_tls": "maybe"} }""", "its extra disable_tls must be true or false")]
    public async Task Connection_ThatCannotBeUsed_IsRefused(string connection, string fault)
    {
        var result = (await _rig.With("EMAIL", connection).InProcess().DispatchAsync()).ShouldExitWith(ExitCode.Usage);

        Assert.Contains($"Connection 'test_email' (environment variable AIRFLOW_CONN_TEST_EMAIL): {fault}", result.Fault(), StringComparison.Ordinal);
    }
}
