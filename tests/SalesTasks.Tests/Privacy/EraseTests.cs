using System.Diagnostics;
using SalesTasks.Database;
using SalesTasks.Privacy;
using SalesTasks.Tests.Leads;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Privacy;

/// <summary>A person is gone from everything, statistics are what they were, and nobody brings the person back.</summary>
public sealed class EraseTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly OutboxRig _rig = new OutboxRig(database).InProcess();

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync(
            """
            TRUNCATE leads, sales_campaigns, outbox_messages, delivery_connections, suppressions, task_runs, crm_states, crm_changes, alerts, stored_files, reports,
              lead_imports, lead_import_rows, lead_import_events, lead_import_people, lead_import_sealed, adoption_findings, experiments, privacy_requests, privacy_refusals, privacy_crm_erasures, sales_reps CASCADE;
            INSERT INTO sales_reps (email, name) VALUES ('rep@sales.example', 'Rep')
            """);
        await _rig.AlwaysOpenAsync();
        await Zyxwina.SeedAsync(database);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Erase_PersonInEveryColumn_LeavesNoTraceInAnyTable()
    {
        var before = await Zyxwina.DumpAsync(database);
        var tables = Zyxwina.Find(before).Select(line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        // The seed reaches every table that may name a person: what is found nowhere proves nothing.
        Assert.Empty(PersonalData.Tables
            .Where(t => PersonalTable.Words(t.Texts).Except(PersonalTable.Words(t.Kept)).Any())
            // The one is in partitions, the others hold nothing where nothing is sealed (SealedPersonTests).
            .Where(t => t.Name is not "lead_scores" and not "sealed_values" and not "lead_import_sealed").Select(t => t.Name).Except(tables));
        Assert.Contains(tables, t => t.StartsWith("lead_scores", StringComparison.Ordinal));

        var result = (await EraseAsync(Zyxwina.Email, "--reason", "ticket 77")).ShouldExitWith(ExitCode.Done);

        var left = Zyxwina.Find(await Zyxwina.DumpAsync(database));
        Assert.True(left.Count == 0, string.Join('\n', left));
        Assert.DoesNotContain(Zyxwina.Traces, t => result.Output.Contains(t, StringComparison.OrdinalIgnoreCase));
        await AssertNotInPgDumpAsync();
    }

    [Fact]
    public async Task Erase_OfAPerson_LeavesOthersAndStatisticsAsTheyWere()
    {
        await database.ExecuteAsync("REFRESH MATERIALIZED VIEW mv_sales_metrics");
        var figures = await FiguresAsync();
        var bystander = await BystanderAsync();
        var findings = await FindingsAsync();

        (await EraseAsync(Zyxwina.Lead)).ShouldExitWith(ExitCode.Done);

        Assert.Equal(bystander, await BystanderAsync());
        Assert.Equal(figures, await FiguresAsync());
        // The open deal ended as lost; nothing of hers is open any more.
        Assert.Equal(
            ["closed_lost", "closed_won"],
            await database.QueryAsync("SELECT stage::text FROM sales_pipeline WHERE email = 'erased' ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(0L, await database.ScalarAsync<long>(
            """
            SELECT (SELECT count(*) FROM sales_followup_tasks t WHERE status IN ('pending', 'in_progress') AND task_title = 'erased')
              + (SELECT count(*) FROM sales_campaign_executions x JOIN leads l ON l.ext_id = x.lead_ext_id WHERE l.erased_at IS NOT NULL AND x.status = 'active')
              + (SELECT count(*) FROM outbox_messages m JOIN leads l ON l.ext_id = m.lead_ext_id WHERE l.erased_at IS NOT NULL AND m.status = 'pending')
            """));
        // A lead whose id begins like hers is another one, and so is a number that is part of hers.
        Assert.Equal("""{"n": 9812733, "text": "bystander waits, and so does zx-lead-471"}""", await database.ScalarAsync<string>("SELECT payload::text FROM outbox_messages WHERE idempotency_key = 'digest/2'"));
        Assert.Equal(
            """{"text": "erased (erased, call erased) and bystander wait", "blocks": [{"n": 7, "erased": "erased"}]}""",
            await database.ScalarAsync<string>("SELECT payload::text FROM outbox_messages WHERE idempotency_key = 'digest/1'"));
        Assert.Empty((await FindingsAsync()).Except(findings));
    }

    [Fact]
    public async Task Erase_ASecondTime_ChangesNothing()
    {
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        var before = await database.FingerprintAsync();

        var second = (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);

        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Contains("Erased on", second.Output, StringComparison.Ordinal);
        (await EraseAsync(Zyxwina.Lead)).ShouldExitWith(ExitCode.Done);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Erase_WithoutYesOrDryRun_ShowsAndChangesNothing()
    {
        var before = await database.FingerprintAsync();

        var dry = (await _rig.RunAsync("privacy", "erase", Zyxwina.Phone, "--dry-run", "--yes", "--json")).ShouldExitWith(ExitCode.Done);
        var unsure = (await _rig.RunAsync("privacy", "erase", Zyxwina.Phone)).ShouldExitWith(ExitCode.Usage);

        Assert.Equal(before, await database.FingerprintAsync());
        Assert.False(dry.Result.GetProperty("done").GetBoolean());
        Assert.Equal(2, dry.Result.GetProperty("leads").GetInt32());
        Assert.Contains("--yes", unsure.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody-here")]
    [InlineData(" ")]
    public async Task Erase_OfWhatIsNobody_Is64(string who) =>
        Assert.Equal((int)ExitCode.Usage, (await EraseAsync(who)).ExitCode);

    [Fact]
    public async Task Erase_WithAReasonThatNamesThePerson_Is64AndChangesNothing()
    {
        var before = await database.FingerprintAsync();

        var result = (await EraseAsync(Zyxwina.Lead, "--reason", "asked by zyxwina on the phone")).ShouldExitWith(ExitCode.Usage);

        Assert.Equal(before, await database.FingerprintAsync());
        Assert.DoesNotContain("zyxwina", result.Errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Erase_OfANumberThatOthersShare_LeavesTheOthersAndTheirNumber()
    {
        await database.ExecuteAsync(
            "INSERT INTO leads (ext_id, source, first_name, last_name, email, phone) VALUES ('colleague', 'web', 'Bo', 'Berg', 'bo@vrumpf2.example', '+34699812733')");

        var byPhone = (await EraseAsync(Zyxwina.Phone)).ShouldExitWith(ExitCode.Usage);
        Assert.Contains("'colleague'", byPhone.Errors, StringComparison.Ordinal);
        var result = (await EraseAsync(Zyxwina.Lead, "--json")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(["colleague"], result.Result.GetProperty("not_included").EnumerateArray().Select(o => o.GetString()));
        Assert.Equal("+34699812733", await database.ScalarAsync<string>("SELECT phone FROM leads WHERE ext_id = 'colleague'"));
        // Another colleague comes in as ever.
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, phone) VALUES ('third', 'web', '+34699812733')");
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id = 'third'"));
    }

    [Fact]
    public async Task Erase_OfANumberThatHundredsShare_StillFindsHerOtherLeads()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, last_name, phone)
            SELECT 'switchboard-' || i, 'web', 'Colleague' || i, 'Berg', '+34 900 555 000' FROM generate_series(1, 2000) AS i;
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone)
            SELECT 'uma-' || i, 'web', 'Uma', 'Quill', 'uma@quill.example', CASE WHEN i = 1 THEN '+34 900 555 000' END FROM generate_series(1, 8) AS i
            """);

        (await EraseAsync("uma-1")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE email = 'uma@quill.example' OR ext_id LIKE 'uma-%'"));
        Assert.Equal(2000L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id LIKE 'switchboard-%' AND phone IS NOT NULL"));
    }

    [Fact]
    public async Task ErasedPerson_ByPlainInsertOrUpdate_DoesNotComeBack()
    {
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);

        // As another tool writes: the rows beside hers go in.
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, phone) VALUES
              ('zx-lead-4711', 'web', NULL, NULL), ('zx-alias-2342', 'web', NULL, NULL), ('new-1', 'web', ' ZYXWINA.QQORTSEN@vrumpf.example', NULL),
              ('new-2', 'web', NULL, '0034 699 812 733'), ('new-3', 'web', 'new@acme.example', '+34 622 222 222');
            INSERT INTO leads (ext_id, source, email) VALUES ('zx-lead-4711', 'web', 'x@acme.example') ON CONFLICT (ext_id) DO UPDATE SET email = excluded.email;
            UPDATE leads SET email = 'zyxwina.qqortsen@vrumpf.example', source = 'crm' WHERE ext_id = 'bystander'
            """);

        Assert.Equal(
            ["bystander crm ana@acme.example", "new-3 web new@acme.example"],
            await database.QueryAsync("SELECT concat_ws(' ', ext_id, source, email) FROM leads WHERE erased_at IS NULL ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(
            ["insert email 1", "insert ext_id 3", "insert phone 1", "update email 1"],
            await database.QueryAsync("SELECT concat_ws(' ', way, kind, count(*)) FROM privacy_refusals GROUP BY way, kind ORDER BY 1", row => row.GetString(0)));
        Assert.DoesNotContain(await FindingsAsync(), f => f.StartsWith("erasures", StringComparison.Ordinal));
        // Past every trigger, as a restored backup brings her back.
        await database.ExecuteAsync(
            """
            ALTER TABLE leads DISABLE TRIGGER USER;
            INSERT INTO leads (ext_id, source, email) VALUES ('restored', 'web', 'zyxwina.qqortsen@vrumpf.example');
            ALTER TABLE leads ENABLE TRIGGER USER
            """);
        Assert.Contains(await FindingsAsync(), f => f.StartsWith("erasures", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ErasedPerson_ByImport_IsRejectedWithoutHerRecord()
    {
        using var runner = new ImportRunner(database);
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        const string Csv = "ext_id,source,first_name,email,phone\nnew-9,web,Zyxwina,zyxwina.qqortsen@vrumpf.example,\nzx-lead-4711,web,Zyxwina,,\nnew-10,web,Eva,eva@acme.example,\n";

        var first = (await runner.ImportTextAsync(Csv)).ShouldExitWith(ExitCode.Done);
        var second = (await runner.ImportTextAsync(Csv)).ShouldExitWith(ExitCode.Done);

        Assert.Equal("rows 3, inserted 1, rejected 2", first.Counts);
        Assert.Equal("rows 3, unchanged 1, rejected 2", second.Counts);
        var rejects = await File.ReadAllTextAsync(second.RejectFile!, TestContext.Current.CancellationToken);
        Assert.Contains("erased at the person's request", rejects, StringComparison.Ordinal);
        Assert.DoesNotContain("zyxwina", rejects, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id LIKE 'new%'"));
    }

    [Fact]
    public async Task Suppression_OfAnErasedPerson_StillStopsASend()
    {
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        await using var sink = new HttpSink();
        // Somebody writes to her address under another lead.
        await _rig.AddAsync("again/1", "email", """{"subject": "Hello", "text": "Hello"}""", "Zyxwina.Qqortsen@vrumpf.example", "followup", "bystander");
        await _rig.AddAsync("other/1", "email", """{"subject": "Hello", "text": "Hello"}""", "ana@acme.example", "followup", "bystander");
        await database.ExecuteAsync("DELETE FROM lead_engagement_events; UPDATE outbox_messages SET status = 'cancelled', finished_at = now() WHERE status = 'pending' AND idempotency_key NOT LIKE '%/1'");

        var result = await _rig.With("EMAIL", sink.Connection()).DispatchAsync();

        Assert.Equal(("cancelled", "suppressed"), await _rig.StateAsync("again/1"));
        Assert.DoesNotContain(sink.Requests, r => r.Body.Contains("vrumpf", StringComparison.OrdinalIgnoreCase));
        Assert.True(result.ExitCode is (int)ExitCode.Done, result.ToString());
    }

    [Fact]
    public async Task Erase_WhileItsMessageIsOnTheWire_RecordsTheOutcomeAndSendsNothingElse()
    {
        await database.ExecuteAsync("DELETE FROM lead_engagement_events; UPDATE outbox_messages SET status = 'cancelled', finished_at = now() WHERE status = 'pending'");
        await database.ExecuteAsync("UPDATE leads SET consent_email = true WHERE ext_id = 'zx-lead-4711'; DELETE FROM sales_pipeline WHERE lead_ext_id = 'zx-lead-4711'");
        await _rig.AddAsync("wire/1", "email", """{"subject": "One", "text": "Zyxwina"}""", "zyxwina.qqortsen@vrumpf.example", "followup", Zyxwina.Lead);
        await _rig.AddAsync("wire/2", "email", """{"subject": "Two", "text": "Zyxwina"}""", "zyxwina.qqortsen@vrumpf.example", "followup", Zyxwina.Lead);
        ProgramResult? erased = null;
        await using var sink = new HttpSink(request =>
        {
            // The receiver has it: the person is erased before it answers that it is not the right moment.
            erased ??= EraseNow();
            return new SinkAnswer(503);
        });

        await _rig.With("EMAIL", sink.Connection()).DispatchAsync();
        await _rig.With("EMAIL", sink.Connection()).DispatchAsync("--as-of", "2100-01-01T12:00:00Z");

        Assert.Equal(1, erased!.ShouldExitWith(ExitCode.Done).Result.GetProperty("on_the_wire").GetInt32());
        Assert.Single(sink.Requests);
        Assert.Equal(
            ["cancelled {}", "cancelled {}"],
            await database.QueryAsync("SELECT concat_ws(' ', status, payload, recipient) FROM outbox_messages WHERE idempotency_key LIKE 'wire/%'", row => row.GetString(0)));
        Assert.Empty(Zyxwina.Find(await Zyxwina.DumpAsync(database)));
    }

    [Fact]
    public async Task Erase_KilledBeforeItsLastStatement_LeavesEverything()
    {
        // The last table of an erasure is held by somebody else, so the program stands there with all else done.
        await using var blocker = await database.OpenConnectionAsync();
        await using var transaction = await blocker.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = blocker.CreateCommand())
        {
            hold.CommandText = "LOCK TABLE lead_score_due IN EXCLUSIVE MODE";
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var before = await database.FingerprintAsync();
        var program = ProgramRunner.For(database).Start("privacy", "erase", Zyxwina.Email, "--yes");
        await Eventually.HoldsAsync("the erasure waits for the table", async () => await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_locks k JOIN pg_class c ON c.oid = k.relation WHERE c.relname = 'lead_score_due' AND NOT k.granted)"));

        // Meanwhile nobody waits for it: another lead is written, changed and given a message.
        await database.ExecuteAsync(
            """
            SET LOCAL lock_timeout = '5s';
            UPDATE sales_pipeline SET notes = 'called' WHERE lead_ext_id = 'bystander';
            UPDATE leads SET score = 56 WHERE ext_id = 'bystander';
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, payload) VALUES ('free/1', 'slack', 'notice', 'bystander', '{}');
            UPDATE sales_pipeline SET notes = 'Ana' WHERE lead_ext_id = 'bystander';
            DELETE FROM outbox_messages WHERE idempotency_key = 'free/1'
            """);
        program.Kill();
        Assert.True((await program.Completion).Killed);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await database.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'sales-tasks%' AND datname = current_database() AND pid <> pg_backend_pid()");

        var after = await database.FingerprintAsync();
        // Somebody else's changes apart.
        Assert.Equal(
            before.Where(t => t.Key is not "leads" and not "sales_pipeline" and not "crm_changes" and not "audit_log"),
            after.Where(t => t.Key is not "leads" and not "sales_pipeline" and not "crm_changes" and not "audit_log"));
        Assert.Equal("Zyxwina", await database.ScalarAsync<string>("SELECT first_name FROM leads WHERE ext_id = 'zx-lead-4711'"));
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        Assert.Empty(Zyxwina.Find(await Zyxwina.DumpAsync(database)));
    }

    [Fact]
    public async Task Erase_TwoAtOnce_DoItOnce()
    {
        await TwoRunners.RunAsync(
            () => ProgramRunner.For(database).Start("privacy", "erase", Zyxwina.Email, "--yes"),
            async () =>
            {
                Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM privacy_requests"));
                Assert.Empty(Zyxwina.Find(await Zyxwina.DumpAsync(database)));
            });
    }

    [Fact]
    public async Task ErasedLead_ByLaterJobs_StaysAsItIs()
    {
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        const string Left = "SELECT (SELECT string_agg(l::text, ';' ORDER BY lead_id) FROM leads l WHERE erased_at IS NOT NULL) || (SELECT count(*) FROM lead_scores s JOIN leads l USING (lead_id) WHERE l.erased_at IS NOT NULL)";
        var before = await database.ScalarAsync<string>(Left);

        foreach (var job in (string[][])[["scoring", "score", "--everything"], ["scoring", "qualify"], ["followup", "create-tasks"], ["ml", "predict"]])
        {
            (await _rig.RunAsync(job)).ShouldExitWith(ExitCode.Done);
        }

        Assert.Equal(before, await database.ScalarAsync<string>(Left));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM lead_model_scores JOIN leads USING (lead_id) WHERE erased_at IS NOT NULL"));
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores JOIN leads USING (lead_id) WHERE ext_id = 'bystander'") > 0);
    }

    [Fact]
    public async Task Allow_OfAnErasedPerson_LetsHerInUnderAllHerIds()
    {
        await database.ExecuteAsync("INSERT INTO suppressions (address_hash, channel, reason) VALUES (address_hash('phone', '+34699812733'), 'phone', 'opt_out')");
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);

        var allowed = (await _rig.RunAsync("privacy", "allow", Zyxwina.Email, "--json")).ShouldExitWith(ExitCode.Done);
        var again = (await _rig.RunAsync("privacy", "allow", Zyxwina.Email, "--json")).ShouldExitWith(ExitCode.Done);

        Assert.Equal((true, false), (allowed.Result.GetProperty("changed").GetBoolean(), again.Result.GetProperty("changed").GetBoolean()));
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, email, phone) VALUES ('zx-lead-4711', 'web', 'zyxwina.qqortsen@vrumpf.example', '+34 699 812 733')");
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id = 'zx-lead-4711'"));
        // What the erasure had suppressed is free; her own opt-out stays.
        Assert.Equal(["phone opt_out"], await database.QueryAsync("SELECT concat_ws(' ', channel, reason) FROM suppressions", row => row.GetString(0)));
    }

    [Fact]
    public async Task Requests_OfAPerson_TellWhatWasDoneWithoutHer()
    {
        (await _rig.RunAsync("privacy", "export", Zyxwina.Email, "--json")).ShouldExitWith(ExitCode.Done);
        (await EraseAsync(Zyxwina.Email, "--reason", "ticket 77")).ShouldExitWith(ExitCode.Done);

        var list = (await _rig.RunAsync("privacy", "requests", "--person", Zyxwina.Email, "--json")).ShouldExitWith(ExitCode.Done);
        var requests = list.Result.GetProperty("requests").EnumerateArray().ToList();
        var shown = (await _rig.RunAsync("privacy", "show", $"{requests[0].GetProperty("request")}", "--lang", "es")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(["erase ticket 77", "export "], requests.Select(r => $"{r.GetProperty("kind")} {r.GetProperty("reason")}"));
        Assert.Equal(2, requests[0].GetProperty("rows").GetProperty("sales_pipeline").GetInt32());
        Assert.Equal((2, 0), (requests[0].GetProperty("crm_open").GetInt32(), requests[0].GetProperty("crm_done").GetInt32()));
        Assert.Contains("aún no", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Zyxwina.Traces, t => (list.Output + shown.Output).Contains(t, StringComparison.OrdinalIgnoreCase));
        Assert.Equal((int)ExitCode.Usage, (await _rig.RunAsync("privacy", "show", "999999")).ExitCode);
    }

    [Fact]
    public async Task ExportAndErase_OfAPerson_AreReadsInTheAuditTrailThatNameNobody()
    {
        const string Reads = "SELECT concat_ws(' ', subject, row_key, changes) FROM audit_log WHERE operation = 'read' AND lead_hash = hashtextextended('zx-other-0815', 0) ORDER BY id";
        var before = await database.QueryAsync(Reads, row => row.GetString(0));

        (await _rig.RunAsync("privacy", "erase", Zyxwina.Email, "--dry-run")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(before, await database.QueryAsync(Reads, row => row.GetString(0)));
        (await _rig.RunAsync("privacy", "export", Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);

        Assert.Equal([.. before, "privacy export", "privacy erase"], await database.QueryAsync(Reads, row => row.GetString(0)));
        Assert.Empty(Zyxwina.Find(await Zyxwina.DumpAsync(database)));
    }

    [Fact]
    public async Task Erase_WhileOldTablesOfAnAdoptionAreThere_SaysThatTheyAreNotReached()
    {
        await database.ExecuteAsync("INSERT INTO adoptions (old_schema, time_zone, started_at) VALUES ('sales_before', 'UTC', now())");
        var erased = (await EraseAsync(Zyxwina.Email, "--json")).ShouldExitWith(ExitCode.Done);
        await database.ExecuteAsync("UPDATE adoptions SET finished_at = now()");
        var again = (await EraseAsync(Zyxwina.Email, "--json")).ShouldExitWith(ExitCode.Done);
        await database.ExecuteAsync("DELETE FROM adoptions");

        Assert.Contains("sales_before", erased.Result.GetProperty("elsewhere")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("db adopt --finish", erased.Result.GetProperty("elsewhere")[0].GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("sales_before", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hash_OfAPerson_IsHmacSha256OfThatDatabaseOnly()
    {
        (await EraseAsync(Zyxwina.Email)).ShouldExitWith(ExitCode.Done);
        var inner = (await database.ScalarAsync<byte[]>("SELECT inner_key FROM privacy_secret"))!;
        var key = Array.ConvertAll(inner, b => (byte)(b ^ 0x36));

        var expected = System.Security.Cryptography.HMACSHA256.HashData(key, System.Text.Encoding.UTF8.GetBytes("phone:34699812733"));

        Assert.Equal(expected, await database.ScalarAsync<byte[]>("SELECT person_hash('phone', '0034 (699) 812-733')"));
        Assert.Equal("phone", await database.ScalarAsync<string>("SELECT kind FROM privacy_tombstones WHERE person_hash = @hash", ("hash", expected)));
    }

    private ProgramResult EraseNow() => EraseAsync(Zyxwina.Email, "--json").GetAwaiter().GetResult();

    private Task<ProgramResult> EraseAsync(string who, params string[] flags) => _rig.RunAsync(["privacy", "erase", who, "--yes", .. flags]);

    private async Task<List<string>> FindingsAsync() => [.. (await Sound.FindAsync(database)).Select(f => $"{f.Check}: {f.Subject}")];

    /// <summary>What people count by.</summary>
    private Task<List<string>> FiguresAsync() => database.QueryAsync(
        """
        SELECT concat_ws(' ', 'won', count(*) FILTER (WHERE stage = 'closed_won'), sum(estimated_value), count(*), count(DISTINCT lead_ext_id)) FROM sales_pipeline
        UNION ALL SELECT concat_ws(' ', 'leads', source, count(*)) FROM leads GROUP BY source
        UNION ALL SELECT concat_ws(' ', 'sent', count(*) FILTER (WHERE status = 'sent'), count(*)) FROM sales_campaign_events
        UNION ALL SELECT concat_ws(' ', 'outbox sent', count(*) FILTER (WHERE status = 'sent'), count(*)) FROM outbox_messages
        UNION ALL SELECT concat_ws(' ', 'tasks', task_type, count(*), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE metadata ->> 'outcome' = 'answered'))
          FROM sales_followup_tasks GROUP BY task_type
        UNION ALL SELECT concat_ws(' ', 'engagement', event_type, count(*)) FROM lead_engagement_events GROUP BY event_type
        UNION ALL SELECT concat_ws(' ', 'counted', sum(replies), sum(clicks)) FROM lead_engagement
        UNION ALL SELECT concat_ws(' ', 'scores', count(*), sum(score)) FROM lead_scores
        UNION ALL SELECT concat_ws(' ', 'arms', arm, count(*)) FROM experiment_assignments GROUP BY arm
        UNION ALL SELECT concat_ws(' ', 'timing', contact_arm(ext_id), count(*)) FROM leads GROUP BY contact_arm(ext_id)
        UNION ALL SELECT concat_ws(' ', 'predictions', count(*)) FROM deal_prediction_history
        UNION ALL SELECT concat_ws(' ', 'variants', campaign_id, step_number, variant, sent, clicked, replied) FROM v_campaign_variants
        UNION ALL SELECT concat_ws(' ', 'learned from', f.pipeline_id, f.stage, f.source, f.product_interest, f.industry, f.replies, f.clicks, f.completed_tasks)
          FROM sales_pipeline p, deal_features(ARRAY[p.id], ARRAY[p.qualified_at + interval '1 hour']) AS f
        ORDER BY 1
        """,
        row => row.GetString(0));

    private Task<string?> BystanderAsync() => database.ScalarAsync<string>(
        """
        SELECT concat_ws(' | ',
          (SELECT l::text FROM leads l WHERE ext_id = 'bystander'), (SELECT p::text FROM sales_pipeline p WHERE lead_ext_id = 'bystander'),
          (SELECT string_agg(t::text, ';' ORDER BY id) FROM sales_followup_tasks t WHERE lead_ext_id = 'bystander'),
          (SELECT string_agg(m::text, ';' ORDER BY id) FROM outbox_messages m WHERE lead_ext_id = 'bystander'),
          (SELECT string_agg(e::text, ';' ORDER BY id) FROM lead_engagement_events e WHERE lead_ext_id = 'bystander'),
          (SELECT string_agg(x::text, ';' ORDER BY id) FROM sales_campaign_executions x WHERE lead_ext_id = 'bystander'),
          (SELECT string_agg(a::text, ';' ORDER BY id) FROM alerts a WHERE lead_ext_id = 'bystander'))
        """);

    /// <summary>The same as a backup would hold it, where pg_dump is installed for this server.</summary>
    private async Task AssertNotInPgDumpAsync()
    {
        PostgresBinaries binaries;
        try
        {
            binaries = await PostgresBinaries.FindAsync(TestContext.Current.CancellationToken);
        }
        catch (JobException)
        {
            // A server elsewhere: the tables were read above.
            return;
        }

        var pgDump = Path.Combine(binaries.Folder, "pg_dump");
        if (!File.Exists(pgDump) || await database.ScalarAsync<int>("SELECT current_setting('server_version_num')::int / 10000") > binaries.Version.Major)
        {
            return;
        }

        var connection = database.Connection;
        var start = new ProcessStartInfo(pgDump, ["-h", connection.Host!, "-p", $"{connection.Port}", "-U", connection.Username!, connection.Database!]);
        start.Environment["PGPASSWORD"] = connection.Password ?? "";
        var dump = (await RunningProgram.Start(start).Completion).ShouldExitWith(ExitCode.Done).Output;
        Assert.Contains("COPY public.leads", dump, StringComparison.Ordinal);
        Assert.Empty(Zyxwina.Find(dump));
        Assert.DoesNotContain(Convert.ToHexStringLower("qqortsen"u8), dump, StringComparison.OrdinalIgnoreCase);
    }
}
