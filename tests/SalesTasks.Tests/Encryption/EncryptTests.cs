using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Encryption;

/// <summary><c>privacy encrypt</c> and <c>privacy decrypt</c>.</summary>
public sealed class EncryptTests(PostgresServer server)
{
    private const string Clear = "SELECT count(*) FROM leads WHERE phone <> '' AND phone NOT LIKE 'sealed-%'";

    [Fact]
    public async Task Encrypt_AnyLead_LeavesItsScoreAsItWas()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 400);
        (await rig.Bare.RunAsync("scoring", "score", "--as-of", "2026-03-01T12:00:00Z")).ShouldExitWith(ExitCode.Done);
        const string Points = """
            SELECT string_agg(concat_ws(' ', k.lead_id, k.score, k.phone_points, l.has_phone, l.score, l.updated_at), ',' ORDER BY k.lead_id)
            FROM scoring_rules r, lead_score_calculation(r.version, '2026-03-01T12:00:00Z', true, false, 1, 1000) AS k JOIN leads l USING (lead_id)
            WHERE r.active
            """;
        var before = await database.ScalarAsync<string>(Points);
        var due = await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_due");

        await rig.EncryptAsync();

        Assert.Equal(before, await database.ScalarAsync<string>(Points));
        // Nothing is to be scored anew either.
        Assert.Equal(due, await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_due"));
        var again = (await rig.Bare.RunAsync("scoring", "score", "--as-of", "2026-03-01T12:00:00Z")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0, again.Result.GetProperty("counts").GetProperty("changed").GetInt64());
    }

    [Fact]
    public async Task Encrypt_TwiceInARow_ChangesNothingTheSecondTime()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 60);
        var program = ProgramRunner.For(database).With(Keys.Variable, Keys.Connection());

        var (first, second) = await TwiceRun.RunAsync(database, () => program.Start("privacy", "encrypt"), "task_runs");

        Assert.Equal("done", first.Status());
        Assert.Equal("nothing_to_do", second.Status());
        Assert.Equal(0, await database.ScalarAsync<long>(Clear));
        Assert.DoesNotContain(Keys.Text(1), first.Output + first.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Encrypt_DryRun_CountsAndWritesNothing()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 16);
        var before = await database.FingerprintAsync();

        var preview = await rig.EncryptAsync("--dry-run");

        Assert.Equal(before, await database.FingerprintAsync());
        var done = await rig.EncryptAsync();
        Assert.Equal(preview.Result.GetProperty("counts").GetProperty("leads").GetInt64(), done.Result.GetProperty("counts").GetProperty("leads").GetInt64());
        Assert.Equal(preview.Result.GetProperty("counts").GetProperty("deals").GetInt64(), done.Result.GetProperty("counts").GetProperty("deals").GetInt64());
    }

    [Fact]
    public async Task Encrypt_NotesThatWereAddedTo_SealsBothAsOneText()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) VALUES ('a', 'web');
            INSERT INTO sales_pipeline (lead_ext_id, email, notes) VALUES ('a', 'a@acme.example', 'first call')
            """);
        await rig.EncryptAsync();
        await database.ExecuteAsync("UPDATE sales_pipeline SET notes = notes || E'\\nsecond call'");

        await rig.EncryptAsync();
        (await rig.With().RunAsync("privacy", "decrypt", "--yes")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("first call\nsecond call", await database.ScalarAsync<string>("SELECT notes FROM sales_pipeline"));
    }

    [Fact]
    public async Task Decrypt_AfterEncrypt_PutsEverythingBackAsItWas()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 60);
        await rig.Bare.AddAsync("followup-call/1", "call", """{"title": "Call", "phone": "+34 600 000 008", "metadata": {"lead_phone": "+34 600 000 008"}}""", "+34 600 000 008", lead: "lead-8");
        await rig.Bare.AddAsync("n1", "email", """{"subject": "Ring +34 600 000 008", "html": "<b>&#x2B;34 600 000 008</b>"}""", "rep@acme.example", lead: "lead-8");
        await database.ExecuteAsync("INSERT INTO suppressions (address_hash, channel, reason) VALUES (address_hash('phone', '+34600000008'), 'phone', 'opt_out')");
        var before = await database.FingerprintAsync("task_runs", "audit_log");

        await rig.EncryptAsync();
        Assert.NotEqual(before, await database.FingerprintAsync("task_runs", "audit_log"));
        Assert.Equal(ExitCode.Usage, (ExitCode)(await rig.With().RunAsync("privacy", "decrypt")).ExitCode);
        (await rig.With().RunAsync("privacy", "decrypt", "--dry-run", "--json")).ShouldExitWith(ExitCode.Done);
        (await rig.With().RunAsync("privacy", "decrypt", "--yes")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(before, await database.FingerprintAsync("task_runs", "audit_log"));
        // Off means off: no keys are needed any more.
        (await rig.Bare.DispatchAsync()).ShouldExitWith(ExitCode.Done);
    }

    [Fact]
    public async Task Rotate_WithANewKey_NeedsTheOlderOneOnlyUntilItIsDone()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 40);
        await rig.EncryptAsync();
        var tokens = await database.ScalarAsync<string>("SELECT string_agg(phone, ',' ORDER BY lead_id) FROM leads");
        var both = Keys.Connection("k2", 2, 99, ("k1", 1));

        // What is new is sealed with the new key at once, what is old can be read.
        await database.ExecuteAsync("UPDATE leads SET phone = '+34 700 000 001' WHERE ext_id = 'lead-1'");
        (await rig.With(both).RunAsync("privacy", "encrypt")).ShouldExitWith(ExitCode.Done);
        Assert.Equal("k2", await database.ScalarAsync<string>("SELECT key_id FROM sealed_values JOIN leads USING (lead_id) WHERE ext_id = 'lead-1' AND phone = token"));
        Assert.Equal("+34 600 000008", await rig.ShownAsync("lead-8", both));

        var rotated = (await rig.With(both).RunAsync("privacy", "encrypt", "--rotate")).ShouldExitWith(ExitCode.Done);

        Assert.True(rotated.Result.GetProperty("counts").GetProperty("rotated").GetInt64() > 20);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sealed_values WHERE key_id <> 'k2'"));
        var alone = Keys.Connection("k2", 2);
        Assert.Equal("+34 600 000008", await rig.ShownAsync("lead-8", alone));
        // Tokens are of the index key: nothing that compares them notices.
        Assert.Equal(
            tokens!.Replace(await database.ScalarAsync<string>("SELECT split_part(@tokens, ',', 1)", ("tokens", tokens)) ?? "", "", StringComparison.Ordinal),
            (await database.ScalarAsync<string>("SELECT string_agg(phone, ',' ORDER BY lead_id) FROM leads"))!.Replace((await rig.PhoneAsync("lead-1"))!, "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("k1", 9, 99, "key 'k1' is not the one that sealed")]
    [InlineData("k1", 1, 98, "index_secret is not the one")]
    public async Task Encrypt_WithAnotherKeyUnderTheSameId_IsRefusedAndChangesNothing(string current, byte key, byte index, string fault)
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 8);
        await rig.EncryptAsync();
        await database.ExecuteAsync("UPDATE leads SET phone = '+34 911 222 333' WHERE ext_id = 'lead-1'");
        var before = await database.FingerprintAsync("task_runs");

        foreach (var command in (string[][])[["privacy", "encrypt"], ["outbox", "dispatch"], ["privacy", "decrypt", "--yes"]])
        {
            var refused = await rig.With(Keys.Connection(current, key, index)).RunAsync(command);
            Assert.Equal(ExitCode.Usage, (ExitCode)refused.ExitCode);
            Assert.Contains(fault, refused.Output + refused.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain(Keys.Text(key), refused.Output + refused.Errors, StringComparison.Ordinal);
        }

        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Rotate_ValuesThatWereChangedOrMoved_AreLeftAndReported()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 16);
        await rig.EncryptAsync();
        await database.ExecuteAsync(
            """
            UPDATE sealed_values v SET sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)
            FROM leads l WHERE l.lead_id = v.lead_id AND l.ext_id = 'lead-1' AND v.token = l.phone
            """);

        var reported = await rig.With(Keys.Connection("k2", 2, 99, ("k1", 1))).RunAsync("privacy", "encrypt", "--rotate");

        reported.ShouldExitWith(ExitCode.Refused);
        Assert.Equal(1, reported.Result.GetProperty("counts").GetProperty("unreadable").GetInt64());
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM sealed_values WHERE key_id = 'k1'"));
    }

    [Fact]
    public async Task Encrypt_ValuesNothingHoldsAnyMore_GoADayLater()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, phone) VALUES ('a', 'web', '+34 600 111 111')");
        await rig.EncryptAsync();
        await database.ExecuteAsync("UPDATE leads SET phone = '+34 600 222 222'");

        var noted = await rig.EncryptAsync();
        Assert.Equal((0L, 2L), (noted.Result.GetProperty("counts").GetProperty("removed").GetInt64(), await database.ScalarAsync<long>("SELECT count(*) FROM sealed_values")));
        await database.ExecuteAsync("UPDATE sealed_values SET unused_since = unused_since - interval '2 days' WHERE unused_since IS NOT NULL");
        var removed = await rig.EncryptAsync();

        Assert.Equal((1L, 1L), (removed.Result.GetProperty("counts").GetProperty("removed").GetInt64(), await database.ScalarAsync<long>("SELECT count(*) FROM sealed_values")));
        Assert.Equal("+34 600 222 222", await rig.ShownAsync("a"));
    }
}
