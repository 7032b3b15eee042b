using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.FollowUp;

/// <summary><c>leads opt-out</c> and <c>leads opt-in</c>: everything at once, or nothing.</summary>
public sealed class ConsentTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = FollowUpRig.T0;

    private readonly FollowUpRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.AddDealAsync("a", "contacted", "phone = '+34 600 000 001'");
        await _rig.AddDealAsync("twin", "contacted", "email = 'a@acme.example'", setLead: "email = 'A@Acme.Example', phone = NULL");
        await _rig.AddDealAsync("other", "contacted", setLead: "phone = '+1 202 555 0199'");
        foreach (var lead in (string[])["a", "twin", "other"])
        {
            var execution = await _rig.AddExecutionAsync(lead, "c", T0);
            await database.ExecuteAsync(
                """
                INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, recipient, payload) VALUES
                  (@lead || '-mail', 'email', 'campaign', @lead, @execution, 'x@acme.example', '{}'),
                  (@lead || '-call', 'call', 'followup', @lead, NULL, '+1 202 555 0100', '{}'),
                  (@lead || '-notice', 'task', 'notice', @lead, NULL, NULL, '{}')
                """,
                ("lead", lead), ("execution", execution));
        }

        await database.ExecuteAsync("INSERT INTO lead_aliases (alias_ext_id, ext_id, matched_by) VALUES ('a-2', 'a', 'email')");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a-2")]
    [InlineData("a@acme.example")]
    [InlineData(" A@ACME.example ")]
    public async Task OptOut_OfALead_StopsEverythingAtAllItsAddresses(string person)
    {
        var answer = await _rig.RunAsync("leads", "opt-out", person, "--json");

        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        // Its e-mail address, its own telephone number (another lead's is not it) and the one of its deal.
        Assert.Equal(
            """{"leads":2,"consent_changed":2,"addresses_suppressed":3,"campaigns_stopped":2,"messages_cancelled":2}""", answer.Output.Trim());
        Assert.Equal(
            ["a f f stopped consent_refused", "other t t active ", "twin f f stopped consent_refused"],
            await StateAsync());
        Assert.Equal(
            ["a-call cancelled", "a-mail cancelled", "a-notice pending", "other-call pending", "other-mail pending", "other-notice pending", "twin-call cancelled", "twin-mail cancelled", "twin-notice pending"],
            await MessagesAsync());
        Assert.Equal(
            ["email opt_out", "phone opt_out", "phone opt_out"],
            await database.QueryAsync("SELECT channel || ' ' || reason FROM suppressions ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(3, await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM suppressions
            WHERE address_hash IN (address_hash('email', 'a@acme.example'), address_hash('phone', '12025550100'), address_hash('phone', '34600000001'))
            """));
        var who = Environment.UserName;
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions WHERE suppressed_by = @who", ("who", who)));
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM consent_changes WHERE NOT consent AND changed_by = @who", ("who", who)));

        var before = await database.FingerprintAsync();
        Assert.Equal("""{"leads":2,"consent_changed":0,"addresses_suppressed":0,"campaigns_stopped":0,"messages_cancelled":0}""",
            (await _rig.RunAsync("leads", "opt-out", person, "--json")).Output.Trim());
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task OptOut_InWords_CountsOneAsOne()
    {
        await _rig.AddDealAsync("alone", setLead: "phone = '+1 303 555 0111'");

        var english = (await _rig.RunAsync("leads", "opt-out", "alone")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var spanish = (await _rig.RunAsync("leads", "opt-out", "alone", "--lang", "es")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("1 lead", english[0]);
        Assert.Equal("2 addresses newly suppressed", english[2]);
        Assert.Equal("0 campaigns stopped", english[3]);
        Assert.Equal("1 lead", spanish[0]);
        Assert.Equal("0 mensajes en espera cancelados", spanish[4]);
    }

    [Fact]
    public async Task OptOut_OfOneChannel_LeavesTheOther()
    {
        await _rig.RunAsync("leads", "opt-out", "a", "--channel", "phone", "--reason", "complaint");

        Assert.Equal(["a t f stopped consent_refused", "other t t active ", "twin t t active "], await StateAsync());
        Assert.Equal(
            ["a-call cancelled", "a-mail cancelled", "a-notice pending"], (await MessagesAsync()).Where(m => m.StartsWith("a-", StringComparison.Ordinal)));
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions WHERE channel = 'phone' AND reason = 'complaint'"));
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions"));
    }

    [Theory]
    [InlineData("nobody@nowhere.example", "all", 1)]
    [InlineData("nobody@nowhere.example", "email", 1)]
    [InlineData("+44 (0)20 7946-0000", "all", 1)]
    [InlineData("+44 (0)20 7946-0000", "phone", 1)]
    [InlineData("nobody@nowhere.example", "phone", 0)]
    [InlineData("+44 (0)20 7946-0000", "email", 0)]
    [InlineData("nobody", "all", 0)]
    [InlineData("12345", "all", 0)]
    [InlineData("not an@address", "all", 0)]
    public async Task OptOut_OfAnAddressWithoutALead_IsRemembered(string person, string channel, int suppressed)
    {
        var answer = await _rig.RunAsync("leads", "opt-out", person, "--channel", channel);

        Assert.Equal(suppressed == 1 ? ExitCode.Done : ExitCode.Usage, answer.ExitCode);
        Assert.Equal(suppressed, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions"));
        if (suppressed == 0)
        {
            Assert.Contains($"'{person}'", answer.Errors, StringComparison.Ordinal);
            Assert.Contains("allowed", answer.Errors, StringComparison.Ordinal);
        }
        else
        {
            Assert.DoesNotContain(person, answer.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task OptOut_ByTelephoneNumber_FindsItsLeadHoweverItIsWritten()
    {
        await _rig.RunAsync("leads", "opt-out", "1 (202) 555-0100");

        Assert.Equal(["a f f stopped consent_refused", "other t t active ", "twin f f stopped consent_refused"], await StateAsync());
    }

    [Fact]
    public async Task OptOut_OfAnIdThatLooksLikeANumber_IsAboutTheLead()
    {
        await _rig.AddDealAsync("660737", setLead: "email = NULL, phone = NULL", set: "email = ' '");

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("leads", "opt-out", "660737")).ExitCode);

        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions"));
        Assert.Contains("660737 f f  ", await database.QueryAsync(
            "SELECT format('%s %s %s  ', ext_id, consent_email, consent_phone) FROM leads", row => row.GetString(0)));
    }

    [Fact]
    public async Task OptIn_Afterwards_GivesBackAllButWhatCannotBeAgreedAway()
    {
        await _rig.RunAsync("leads", "opt-out", "a", "--channel", "email", "--reason", "bounce");
        await _rig.RunAsync("leads", "opt-out", "a");

        var answer = await _rig.RunAsync("leads", "opt-in", "a", "--json");

        Assert.Equal("""{"leads":2,"consent_changed":2,"addresses_released":2,"addresses_kept":1}""", answer.Output.Trim());
        // What was stopped stays so.
        Assert.Equal(["a t t stopped consent_refused", "other t t active ", "twin t t stopped consent_refused"], await StateAsync());
        Assert.Equal(["email bounce"], await database.QueryAsync("SELECT channel || ' ' || reason FROM suppressions", row => row.GetString(0)));
        Assert.Equal(
            "dirección sigue bloqueada",
            (await _rig.RunAsync("leads", "opt-in", "a", "--lang", "es")).Output.Split('\n')[3][2..27]);
    }

    [Fact]
    public async Task OptOut_Interrupted_LeavesNothingHalfDone()
    {
        await using var other = await database.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("SELECT 1 FROM sales_campaign_executions FOR UPDATE", other))
        {
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var before = await database.FingerprintAsync();
        var run = ProgramRunner.For(database).Start("leads", "opt-out", "a");
        await Eventually.HoldsAsync("the opt-out waits for an execution", async () => await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"));
        // Suppression and consent are written by now, and seen by nobody: a claim at this moment comes before the opt-out.
        Assert.Equal(before, await database.FingerprintAsync());
        run.Kill();
        await run.Completion;
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync("the server has noticed", async () => await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'sales-tasks%'") == 0);

        Assert.Equal(before, await database.FingerprintAsync());
        (await ProgramRunner.For(database).RunAsync("leads", "opt-out", "a")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(["a f f stopped consent_refused", "other t t active ", "twin f f stopped consent_refused"], await StateAsync());
    }

    [Fact]
    public async Task OptOut_BesideADispatcherThatHoldsAMessage_DoesNotWaitForIt()
    {
        await using var dispatcher = await database.OpenConnectionAsync();
        await using var transaction = await dispatcher.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var claim = new NpgsqlCommand("SELECT 1 FROM outbox_messages WHERE idempotency_key = 'a-mail' FOR UPDATE", dispatcher))
        {
            await claim.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("leads", "opt-out", "a")).ExitCode);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);

        // It was left to the claim, which sees the withdrawn consent and the stopped execution.
        Assert.Equal(
            ["a-call cancelled", "a-mail pending"],
            (await MessagesAsync()).Where(m => m.StartsWith("a-", StringComparison.Ordinal) && !m.Contains("notice", StringComparison.Ordinal)));
        Assert.Contains("a f f stopped consent_refused", await StateAsync());
    }

    [Fact]
    public async Task OptOut_BesideTwoDispatchers_LetsNothingGoThatWasNotClaimedBefore()
    {
        const int people = 120;
        await _rig.EmptyAsync();
        await database.ExecuteAsync(
            """
            UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '00:00', window_end = '23:59:59.999999';
            INSERT INTO leads (ext_id, source, email, consent_email) SELECT 'p' || i, 'x', 'p' || i || '@acme.example', true FROM generate_series(1, @people) AS i;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload)
            SELECT 'p' || i, 'email', 'followup', 'p' || i, 'p' || i || '@acme.example', '{"subject": "s", "text": "t"}' FROM generate_series(1, @people) AS i;
            """,
            ("people", people));
        // As fast as the opt-outs, which so come at every moment of a message's life.
        using var pace = new SemaphoreSlim(4);
        await using var sink = new HttpSink(_ => new SinkAnswer { After = pace.WaitAsync });
        var program = ProgramRunner.For(database)
            .With("SALES_EMAIL_CONN_ID", "mail")
            .With("AIRFLOW_CONN_MAIL", sink.Connection());
        string[] dispatch = ["outbox", "dispatch", "--concurrency", "2", "--max-wait-seconds", "5"];
        var dispatchers = new[] { program.Start(dispatch), program.Start(dispatch) };
        await Eventually.HoldsAsync("something was sent", () => Task.FromResult(sink.Count > 3));

        var notClaimed = new HashSet<string>(StringComparer.Ordinal);
        var random = new Random(7);
        foreach (var person in Enumerable.Range(1, people).OrderBy(_ => random.Next()).Take(40))
        {
            Assert.Equal(ExitCode.Done, (await _rig.RunAsync("leads", "opt-out", $"p{person}", "--channel", "email")).ExitCode);
            if (await database.ScalarAsync<string>("SELECT status FROM outbox_messages WHERE idempotency_key = @key", ("key", $"p{person}")) is "pending" or "cancelled")
            {
                notClaimed.Add($"p{person}");
            }

            pace.Release(2);
        }

        pace.Release(people);

        foreach (var dispatcher in dispatchers)
        {
            (await dispatcher.Completion).ShouldExitWith(ExitCode.Done);
        }

        Assert.Empty(sink.Requests.Select(request => request.Key).Intersect(notClaimed));
        Assert.NotEmpty(notClaimed);
        Assert.Equal(sink.Requests.Count, sink.Requests.Select(request => request.Key).Distinct().Count());
        Assert.Equal(people, sink.Requests.Count + await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE status = 'cancelled'"));
    }

    private Task<List<string>> StateAsync() => database.QueryAsync(
        """
        SELECT format('%s %s %s %s %s', l.ext_id, l.consent_email, l.consent_phone, x.status, x.metadata ->> 'stop_reason')
        FROM leads l JOIN sales_campaign_executions x ON x.lead_ext_id = l.ext_id ORDER BY 1
        """,
        row => row.GetString(0));

    private Task<List<string>> MessagesAsync() =>
        database.QueryAsync("SELECT idempotency_key || ' ' || status FROM outbox_messages ORDER BY 1", row => row.GetString(0));
}
