using SalesTasks.Tests.Crm;
using SalesTasks.Tests.Leads;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Encryption;

/// <summary>The other jobs in a database whose phones and notes are encrypted.</summary>
public sealed class JobsTests(PostgresServer server)
{
    /// <summary>In no dump, in any spelling.</summary>
    private static readonly string[] s_secrets = ["600777", "600888", "600999", "611222", "611333", "wine-cellar", "wine\\u002dcellar"];

    [Fact]
    public async Task Jobs_AllThatCarryPhonesAndNotes_LeaveNoneInADump()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await using var sink = new HttpSink();
        await using var crm = new CrmRig(database, "hubspot");
        using var import = new ImportRunner(database);
        crm.Variables[Keys.Variable] = Keys.Connection();
        import.With(Keys.Variable, Keys.Connection());
        await rig.Bare.AlwaysOpenAsync();
        await SeedAsync(database, import, crm, sink, "one", "+34600777001");

        await rig.EncryptAsync();
        AssertClean(await rig.DumpAsync(), s_secrets);

        // And with everything that jobs write from now on.
        await SeedAsync(database, import, crm, sink, "two", "+34600777002");
        await database.ExecuteAsync("UPDATE sales_pipeline SET notes = 'wine-cellar two' WHERE lead_ext_id = 'two'");
        await rig.EncryptAsync();
        AssertClean(await rig.DumpAsync(), s_secrets);

        // What reaches people and systems is the number.
        var calls = Connections(rig, sink);
        (await calls.DispatchAsync()).ShouldExitWith(ExitCode.Done);
        var bodies = string.Concat(sink.Requests.Select(r => r.Body)).Replace("\\u002B", "+", StringComparison.Ordinal);
        Assert.Contains("+34600777001", bodies, StringComparison.Ordinal);
        Assert.Contains("+34600777002", bodies, StringComparison.Ordinal);
        Assert.DoesNotContain("sealed", bodies, StringComparison.Ordinal);
        Assert.Equal(["+34600777001", "+34600777002"], crm.Theirs.Records("contacts").Select(c => c.Properties["phone"]).Order(StringComparer.Ordinal));
        AssertClean(await rig.DumpAsync(), s_secrets);
    }

    [Fact]
    public async Task Dispatch_WithoutKeys_SendsNothingAndSaysWhatIsMissing()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await using var sink = new HttpSink();
        await rig.Bare.AlwaysOpenAsync();
        await rig.Bare.AddLeadsAsync("lead-", 3);
        await rig.Bare.AddCampaignEmailsAsync("lead-", "calls", "call");
        await rig.EncryptAsync();

        var refused = await rig.Bare.With("CALLS", sink.Connection()).DispatchAsync();

        refused.ShouldExitWith(ExitCode.Usage);
        Assert.Contains("SALES_ENCRYPTION_CONN_ID", refused.Fault(), StringComparison.Ordinal);
        Assert.Equal((0, "pending 3"), (sink.Count, await rig.Bare.StatesAsync()));
        (await rig.With().With("CALLS", sink.Connection()).DispatchAsync()).ShouldExitWith(ExitCode.Done);
        Assert.Equal("sent 3", await rig.Bare.StatesAsync());
        Assert.Equal(
            ["+34600000001", "+34600000002", "+34600000003"],
            sink.Requests.Select(r => Json.Parse(r.Body).GetProperty("phone").GetString()!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Dispatch_ATokenThatIsAnotherLeads_IsDeadAndTheRestIsSent()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await using var sink = new HttpSink();
        await rig.Bare.AlwaysOpenAsync();
        await rig.Bare.AddLeadsAsync("lead-", 3);
        await rig.Bare.AddCampaignEmailsAsync("lead-", "calls", "call");
        await rig.EncryptAsync();
        // Moved with its value, and moved without it.
        await database.ExecuteAsync(
            """
            UPDATE outbox_messages SET recipient = (SELECT phone FROM leads WHERE ext_id = 'lead-3') WHERE lead_ext_id IN ('lead-1', 'lead-2');
            INSERT INTO sealed_values (lead_id, token, key_id, sealed)
            SELECT a.lead_id, v.token, v.key_id, v.sealed FROM leads a, sealed_values v JOIN leads b USING (lead_id) WHERE a.ext_id = 'lead-1' AND b.ext_id = 'lead-3'
            """);

        await rig.With().With("CALLS", sink.Connection()).DispatchAsync();

        Assert.Equal("dead 2, sent 1", await rig.Bare.StatesAsync());
        Assert.Equal("+34600000003", Json.Parse(Assert.Single(sink.Requests).Body).GetProperty("phone").GetString());
    }

    [Theory]
    [InlineData("plain SQL")]
    [InlineData("suppressions add")]
    [InlineData("leads opt-out")]
    public async Task Dispatch_ANumberThatWasSuppressed_IsNotCalled(string how)
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await using var sink = new HttpSink();
        await rig.Bare.AlwaysOpenAsync();
        await rig.Bare.AddLeadsAsync("lead-", 2);
        await rig.EncryptAsync();
        await rig.Bare.AddCampaignEmailsAsync("lead-", "calls", "call");
        switch (how)
        {
            case "plain SQL":
                await database.ExecuteAsync("INSERT INTO suppressions (address_hash, channel, reason) VALUES (address_hash('phone', '0034 600 000 001'), 'phone', 'opt_out'), (address_hash('phone', '+34 600 000 001'), 'phone', 'opt_out')");
                break;
            case "suppressions add":
                (await rig.With().RunAsync("suppressions", "add", "+34 600 000 001")).ShouldExitWith(ExitCode.Done);
                break;
            default:
                (await rig.With().RunAsync("leads", "opt-out", "+34 600 000 001", "--channel", "phone")).ShouldExitWith(ExitCode.Done);
                Assert.False(await database.ScalarAsync<bool>("SELECT consent_phone FROM leads WHERE ext_id = 'lead-1'"));
                break;
        }

        await rig.With().With("CALLS", sink.Connection()).DispatchAsync();

        Assert.Equal("cancelled 1, sent 1", await rig.Bare.StatesAsync());
        Assert.Equal("+34600000002", Json.Parse(Assert.Single(sink.Requests).Body).GetProperty("phone").GetString());
        // Lifted by its number, it is lifted for its token too.
        if (how != "plain SQL")
        {
            (await rig.With().RunAsync("suppressions", "remove", "+34600000001")).ShouldExitWith(ExitCode.Done);
            Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM suppressions"));
        }
    }

    [Fact]
    public async Task Import_TheSameFileAgain_ChangesNothingAndFindsPeopleByTheirNumber()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        using var runner = new ImportRunner(database).With(Keys.Variable, Keys.Connection());
        const string File = "ext_id,source,first_name,last_name,phone\na,web,Ana,Diaz,+34 600 111 222\nb,web,Eva,Sanz,12345\nc,web,Leo,Vega,123456\n";
        var path = runner.Write("leads.csv", File);
        (await runner.RunAsync("leads", "import", "--path", path)).ShouldExitWith(ExitCode.Done);
        await rig.EncryptAsync();
        var before = await database.FingerprintAsync("task_runs", "lead_imports");

        Assert.Equal("rows 3, unchanged 3", (await runner.RunAsync("leads", "import", "--path", path)).ShouldExitWith(ExitCode.Done).Counts);
        Assert.Equal(before, await database.FingerprintAsync("task_runs", "lead_imports"));

        // The same person by another spelling of the number; one of the same file; one that another tool wrote in clear.
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, first_name, last_name, phone) VALUES ('plain', 'web', 'Ida', 'Roca', '+34 600 333 444')");
        var more = runner.Write(
            "more.csv",
            "ext_id,source,first_name,last_name,phone\nd,web,Ana,Diaz,(34)600-111-222\ne,web,Ida,Roca,34600333444\nf,web,Uma,Gil,+34 600 555 666\ng,web,Uma,Gil,+34600555666\nh,web,Leo,Vega,123456\n");
        var merged = (await runner.RunAsync("leads", "import", "--path", more)).ShouldExitWith(ExitCode.Done);
        Assert.Equal("rows 5, inserted 2, merged 3", merged.Counts);
        Assert.Equal(
            ["d a phone", "e plain phone", "g f phone"],
            await database.QueryAsync("SELECT concat_ws(' ', alias_ext_id, ext_id, matched_by) FROM lead_aliases ORDER BY 1", row => row.GetString(0)));
        Assert.Equal("+34 600 555 666", await rig.ShownAsync("f"));
        Assert.DoesNotContain("600555666", await rig.DumpAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_Rejected_HasTheRowAsItWasInTheFile()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        using var runner = new ImportRunner(database).With(Keys.Variable, Keys.Connection());
        await rig.EncryptAsync();
        var path = runner.Write("leads.csv", "ext_id,source,first_name,last_name,phone\na,web,Ana,Diaz,+34 600 111 222\nb,web,Ana,Diaz,+34600111222\n");

        var outcome = (await runner.RunAsync("leads", "import", "--path", path, "--on-duplicate", "reject", "--max-rejected-percent", "100")).ShouldExitWith(ExitCode.Done);

        Assert.Contains("b,web,Ana,Diaz,+34600111222", await File.ReadAllTextAsync(outcome.RejectFile!, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(1, outcome["rejected"]);
    }

    [Fact]
    public async Task Import_WithoutKeys_IsRefusedBeforeItStagesAnything()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        using var runner = new ImportRunner(database);
        await rig.EncryptAsync();
        var path = runner.Write("leads.csv", "ext_id,source,phone\na,web,+34 600 111 222\n");

        Assert.Contains("SALES_ENCRYPTION_CONN_ID", (await runner.RunAsync("leads", "import", "--path", path)).ShouldExitWith(ExitCode.Usage).Error, StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM leads"));
    }

    [Fact]
    public async Task Show_WithoutKeys_ShowsTheTokenAndSaysWhy()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, phone) VALUES ('a', 'web', '+34 600 111 222')");
        await rig.EncryptAsync();

        var shown = (await rig.Bare.RunAsync("leads", "show", "a")).ShouldExitWith(ExitCode.Done);

        Assert.Contains("sealed-", shown.Output, StringComparison.Ordinal);
        Assert.Contains("SALES_ENCRYPTION_CONN_ID", shown.Errors, StringComparison.Ordinal);
        Assert.Equal("+34 600 111 222", await rig.ShownAsync("a"));
    }

    [Theory]
    [InlineData("hubspot")]
    [InlineData("salesforce")]
    public async Task Crm_WhereBothSidesChange_MergesTheValuesAndNotTheirTokens(string type)
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await using var crm = new CrmRig(database, type);
        var rig = new EncryptionRig(database);
        crm.Variables[Keys.Variable] = Keys.Connection();
        await crm.EmptyAsync();
        await crm.AddAsync("lead-", 4);
        await database.ExecuteAsync("UPDATE sales_pipeline SET notes = 'from us'");
        await crm.SyncAsync();
        await rig.EncryptAsync();

        // Encrypting changed nothing that the CRM has to know.
        var (push, pull) = await crm.SyncAsync();
        Assert.Equal(0, push["write_calls"]);
        Assert.Equal(0, pull["leads_updated"]);

        crm.Theirs.Edit("contacts", await crm.CrmIdAsync("lead-1"), ("phone", "+34 611 222 333"));
        await database.ExecuteAsync("UPDATE leads SET phone = '+34 611 000 002' WHERE ext_id = 'lead-2'");
        await rig.EncryptAsync();
        await crm.SyncAsync();

        Assert.Equal("+34 611 222 333", await rig.ShownAsync("lead-1"));
        Assert.Equal("+34 611 000 002", crm.Contact(await crm.CrmIdAsync("lead-2")).Properties["phone"]);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE phone NOT LIKE 'sealed-%'"));
        var settled = await crm.SyncAsync();
        Assert.Equal(0, settled.Push["write_calls"]);
        AssertClean(await rig.DumpAsync(), ["611 222 333", "611 000 002", "from us"]);
    }

    private static OutboxRig Connections(EncryptionRig rig, HttpSink sink) => rig.With()
        .With("EMAIL", sink.Connection("\"from_email\": \"sales@acme.example\"")).With("CALLS", sink.Connection()).With("TASKS", sink.Connection());

    [Theory]
    [InlineData("hubspot")]
    [InlineData("salesforce")]
    public async Task Crm_RecordWithTheNumberOfAnErasedPerson_MakesNoLeadAndIsErasedThere(string type)
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await using var crm = new CrmRig(database, type);
        crm.Variables[Keys.Variable] = Keys.Connection();
        await crm.EmptyAsync();
        await crm.AddAsync("gone-", 1);
        await crm.SyncAsync();
        var erased = await crm.RunAsync("privacy", "erase", "gone-1", "--yes");
        Assert.True(erased.ExitCode is ExitCode.Done, erased.ToString());
        await new EncryptionRig(database).EncryptAsync();
        crm.Theirs.Edit("contacts", null, ("phone", "+34 600 1"), ("lastname", "Back"));

        var pull = await crm.PullAsync();
        var push = await crm.PushAsync();

        Assert.Equal((ExitCode.Done, 0L), (pull.ExitCode, pull["leads_created"]));
        Assert.Equal((ExitCode.Done, 3L), (push.ExitCode, push["erased"]));
        Assert.Empty(crm.Theirs.Records("contacts"));
    }

    /// <summary>A lead on its way through the jobs: imported, scored, in the pipeline, with tasks, messages, notes, and in the CRM with a conflict.</summary>
    private static async Task SeedAsync(TestDatabase database, ImportRunner import, CrmRig crm, HttpSink sink, string lead, string phone)
    {
        var rig = Connections(new EncryptionRig(database), sink);
        var path = import.Write(lead + ".csv", $"ext_id,source,first_name,last_name,email,phone\n{lead},organic,Ana,Diaz,{lead}@acme.example,{phone}\n");
        (await import.RunAsync("leads", "import", "--path", path)).ShouldExitWith(ExitCode.Done);
        (await rig.RunAsync("scoring", "score")).ShouldExitWith(ExitCode.Done);
        (await rig.RunAsync("scoring", "qualify", "--min-score-to-qualify", "1")).ShouldExitWith(ExitCode.Done);
        await database.ExecuteAsync(
            "UPDATE sales_pipeline SET stage = 'contacted', notes = 'wine-cellar of ' || lead_ext_id, assigned_to = 'rep@sales.example' WHERE lead_ext_id = @lead",
            ("lead", lead));
        var campaign = import.Write(
            $"campaign-{lead}.yaml",
            $$$"""
            name: Calls {{{lead}}}
            campaign_type: multichannel
            trigger_criteria: {stage: contacted}
            steps_config:
              - type: task
                delay_hours: 0
                task_type: custom
                subject: {en: 'Ring {{ phone }}'}
                body: {en: 'Number: {{ phone }}'}
              - type: email
                delay_hours: 0
                subject: {en: 'Your number'}
                body: {en: 'We have {{ phone }}'}
              - type: call
                delay_hours: 0
                subject: {en: 'Call {{ phone }}'}
                body: {en: 'Now'}
            """);
        (await rig.RunAsync("campaigns", "import", campaign)).ShouldExitWith(ExitCode.Done);
        (await rig.RunAsync("followup", "create-tasks")).ShouldExitWith(ExitCode.Done);
        (await rig.RunAsync("campaigns", "enroll")).ShouldExitWith(ExitCode.Done);
        for (var step = 0; step < 3; step++)
        {
            (await rig.RunAsync("campaigns", "advance")).ShouldExitWith(ExitCode.Done);
        }

        await crm.SyncAsync();
        // A change that both sides make, and one that waits to be merged.
        crm.Theirs.Edit("contacts", await crm.CrmIdAsync(lead), ("phone", phone.Replace("600777", "600888", StringComparison.Ordinal)));
        await database.ExecuteAsync("UPDATE leads SET phone = replace(@phone, '600777', '600999') WHERE ext_id = @lead", ("phone", phone), ("lead", lead));
        await crm.SyncAsync();
        crm.Theirs.Edit("contacts", await crm.CrmIdAsync(lead), ("phone", phone));
        await database.ExecuteAsync("UPDATE leads SET phone = @phone WHERE ext_id = @lead", ("phone", phone), ("lead", lead));
        await crm.SyncAsync();
    }

    private static void AssertClean(string dump, IEnumerable<string> secrets)
    {
        var digits = dump.Replace(" ", "", StringComparison.Ordinal);
        Assert.All(secrets, secret =>
        {
            var at = dump.IndexOf(secret, StringComparison.OrdinalIgnoreCase);
            Assert.True(at < 0, $"'{secret}' is in the dump: …{(at < 0 ? "" : dump[Math.Max(0, at - 300)..Math.Min(dump.Length, at + 60)])}…");
            var encoded = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(secret)).TrimEnd('=')[..^1];
            Assert.True(encoded.Length < 6 || !digits.Contains(encoded, StringComparison.Ordinal), $"'{secret}' is in the dump as base64");
        });
    }
}
