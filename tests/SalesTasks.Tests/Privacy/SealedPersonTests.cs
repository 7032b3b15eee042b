using SalesTasks.Encryption;
using SalesTasks.Tests.Encryption;
using SalesTasks.Tests.Leads;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Privacy;

/// <summary>The same person where numbers and notes are encrypted.</summary>
public sealed class SealedPersonTests(PostgresServer server)
{
    private static readonly Sealer s_sealer = Keys.Sealer();

    /// <summary>What stands for her numbers, and what stood there before.</summary>
    private static readonly string[] s_tokens = [s_sealer.PhoneToken(Zyxwina.Phone), s_sealer.PhoneToken("0034-699-812-733")];

    [Theory]
    [InlineData(Zyxwina.Email)]
    [InlineData("0034 699 812733")]
    public async Task Erase_PersonWithSealedValues_LeavesNoTraceInAnyTable(string who)
    {
        await using var database = await SeedAsync();
        var rig = new EncryptionRig(database);
        var before = await Zyxwina.DumpAsync(database);
        // Her number is nowhere in clear but where no lead is known, and its token is where it should be.
        Assert.All((string[])["leads", "sales_pipeline", "sealed_values", "lead_import_rows", "lead_import_sealed"],
            table => Assert.Contains(before.Split('\n'), line => line.StartsWith(table + ":", StringComparison.Ordinal) && s_tokens.Any(t => line.Contains(t, StringComparison.Ordinal))));

        var keyless = (await rig.Bare.RunAsync("privacy", "erase", who, "--yes")).ShouldExitWith(ExitCode.Usage);
        Assert.Contains("SALES_ENCRYPTION_CONN_ID", keyless.Errors, StringComparison.Ordinal);
        Assert.Equal(before.Length, (await Zyxwina.DumpAsync(database)).Length);
        var erased = (await rig.With().RunAsync("privacy", "erase", who, "--yes", "--json")).ShouldExitWith(ExitCode.Done);

        var dump = await Zyxwina.DumpAsync(database);
        Assert.Equal(2, erased.Result.GetProperty("leads").GetInt32());
        Assert.Empty(Zyxwina.Find(dump));
        Assert.DoesNotContain(dump.Split('\n'), line => s_tokens.Any(t => line.Contains(t, StringComparison.Ordinal)));
        Assert.Equal(
            ["bystander"], await database.QueryAsync("SELECT DISTINCT ext_id FROM sealed_values JOIN leads USING (lead_id)", row => row.GetString(0)));
        // A record of the CRM that only its sealed number told, and one that is somebody else's.
        Assert.Equal(["900010"], await database.QueryAsync("SELECT crm_id FROM crm_staged", row => row.GetString(0)));
        // Again, by the number in any spelling.
        var fingerprint = await database.FingerprintAsync();
        (await rig.With().RunAsync("privacy", "erase", Zyxwina.Phone, "--yes")).ShouldExitWith(ExitCode.Done);
        (await rig.With().RunAsync("privacy", "erase", Zyxwina.Email, "--yes")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(fingerprint, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Export_ByASealedNumber_GivesOutTheValuesAndNoToken()
    {
        await using var database = await SeedAsync();
        var rig = new EncryptionRig(database);

        var refused = (await rig.Bare.RunAsync("privacy", "export", Zyxwina.Phone, "--json")).ShouldExitWith(ExitCode.Usage);
        var export = Json.Parse((await rig.With().RunAsync("privacy", "export", "(0034) 699-812-733", "--json")).ShouldExitWith(ExitCode.Done).Output);

        Assert.Contains("SALES_ENCRYPTION_CONN_ID", refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Zyxwina.Phone, refused.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("sealed-", export.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("sealed:1:", export.GetRawText(), StringComparison.Ordinal);
        var tables = export.GetProperty("tables").EnumerateArray().ToDictionary(t => t.Text("table"), t => t.GetProperty("rows"));
        Assert.Equal(Zyxwina.Phone, tables["leads"][0].Text("phone"));
        Assert.Equal(("0034-699-812-733", "Zyxwina wants a call"), (tables["sales_pipeline"][0].Text("phone"), tables["sales_pipeline"][0].Text("notes")));
        Assert.Equal(Zyxwina.Phone, tables["crm_links"][0].GetProperty("problem_values").Text("phone"));
        Assert.Equal(Zyxwina.Phone, tables["crm_conflicts"].EnumerateArray().Single(c => c.Text("field") == "phone").Text("their_value"));
        Assert.Contains("0034 699 812 733", tables["crm_staged"].GetRawText(), StringComparison.Ordinal);
        Assert.Contains(Zyxwina.Phone, tables["lead_import_rows"].GetRawText(), StringComparison.Ordinal);
        Assert.Contains(tables["sealed_values"].EnumerateArray(), row => row.Text("value") == Zyxwina.Phone);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Import_OfAnErasedPersonsNumber_IsRefused(bool encryptedWhenErased)
    {
        await using var database = await SeedAsync(encryptedWhenErased);
        var rig = new EncryptionRig(database);
        using var import = new ImportRunner(database);
        import.With(Keys.Variable, Keys.Connection());
        (await rig.With().RunAsync("privacy", "erase", Zyxwina.Email, "--yes")).ShouldExitWith(ExitCode.Done);
        await rig.EncryptAsync();

        var outcome = (await import.ImportTextAsync(
            $"ext_id,source,phone\nnew-1,web,0034 699812733\nnew-2,web,{(encryptedWhenErased ? s_tokens[0] : Zyxwina.Phone)}\nnew-3,web,+34 622 222 222\n")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("rows 3, inserted 1, rejected 2", outcome.Counts);
        Assert.Equal(["new-3"], await database.QueryAsync("SELECT ext_id FROM leads WHERE ext_id LIKE 'new-%'", row => row.GetString(0)));
        // By hand, in clear and sealed.
        await database.ExecuteAsync(
            "INSERT INTO leads (ext_id, source, phone) VALUES ('hand-1', 'web', '+34 699812733'), ('hand-2', 'web', @token)", ("token", encryptedWhenErased ? s_tokens[1] : "+34699812733"));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id LIKE 'hand-%'"));
        // She agrees anew.
        (await rig.Bare.RunAsync("privacy", "allow", Zyxwina.Phone)).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM privacy_tombstones) + (SELECT count(*) FROM suppressions)"));
        Assert.Equal("rows 1, inserted 1", (await import.ImportTextAsync("ext_id,source,phone\nnew-1,web,0034 699812733\n")).ShouldExitWith(ExitCode.Done).Counts);
    }

    [Fact]
    public async Task Erase_OfASealedNumberThatOthersShare_LeavesTheOthersAndTheirNumber()
    {
        await using var database = await SeedAsync();
        var rig = new EncryptionRig(database);
        await database.ExecuteAsync(
            "INSERT INTO leads (ext_id, source, first_name, last_name, phone) VALUES ('colleague', 'web', 'Bo', 'Berg', '+34699812733')");
        await rig.EncryptAsync();

        var byPhone = (await rig.With().RunAsync("privacy", "erase", Zyxwina.Phone, "--yes")).ShouldExitWith(ExitCode.Usage);
        Assert.Contains("'colleague'", byPhone.Errors, StringComparison.Ordinal);
        (await rig.With().RunAsync("privacy", "erase", Zyxwina.Lead, "--yes")).ShouldExitWith(ExitCode.Done);

        Assert.Equal("+34699812733", await rig.ShownAsync("colleague"));
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, phone) VALUES ('third', 'web', '+34699812733')");
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id = 'third'"));
    }

    /// <summary>Her with all that is known of her, encrypted, and an import that was cut off.</summary>
    private async Task<TestDatabase> SeedAsync(bool encrypted = true)
    {
        var database = await TestDatabase.CreateAsync(server);
        await Zyxwina.SeedAsync(database);
        await database.ExecuteAsync(
            """
            INSERT INTO crm_conflicts (link_id, lead_ext_id, field, version, base_value, our_value, their_value, winner, reason)
            SELECT id, 'zx-lead-4711', 'phone', 1, NULL, '+34 699 812 733', '+34 699 812 733', 'ours', 'rule' FROM crm_links WHERE crm_id = '900001';
            INSERT INTO crm_staged (crm, object, crm_id, key, modified_at, properties) VALUES
              ('hubspot', 'lead', '900009', NULL, now(), '{"phone": "0034 699 812 733"}'), ('hubspot', 'lead', '900010', NULL, now(), '{"phone": "0034 699 812 734"}')
            """);
        if (!encrypted)
        {
            return database;
        }

        await new EncryptionRig(database).EncryptAsync();
        await database.ExecuteAsync(
            """
            WITH import AS (INSERT INTO lead_imports (id, heartbeat_at) OVERRIDING SYSTEM VALUE VALUES (7001, now()) RETURNING id)
            INSERT INTO lead_import_rows (import_id, seq, ext_id, phone, raw) SELECT id, 1, 'zx-new-3', @token, @raw FROM import;
            INSERT INTO lead_import_sealed (import_id, token, sealed) VALUES (7001, @token, @sealed)
            """,
            ("token", s_tokens[0]), ("sealed", s_sealer.Seal(SealedPlaces.Import(7001, s_tokens[0]), Zyxwina.Phone)),
            ("raw", s_sealer.SealText(SealedPlaces.Import(7001, "raw"), "zx-new-3;" + Zyxwina.Phone)));
        return database;
    }
}
