using Npgsql;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Backup;

/// <summary><c>backup verify</c>, <c>restore</c> and <c>release</c>: the copy is equal, is nobody's loss, and sends nothing that was sent.</summary>
public sealed class RestoreBackupTests(PostgresServer server) : IAsyncLifetime
{
    private readonly List<string> _made = [];
    private TestDatabase _database = null!;
    private BackupRig _rig = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(server);
        _rig = new BackupRig(_database);
        await _rig.FillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _made)
        {
            await server.DropDatabaseAsync(name, CancellationToken.None);
        }

        _rig.Dispose();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Verify_GoodBackup_IsEqualTableByTableAndNoted()
    {
        var name = await _rig.CreateAsync("--verify-backup");
        Assert.True(await _database.ScalarAsync<bool>("SELECT verified_at IS NOT NULL FROM backups WHERE name = @name", ("name", name)));
        await _database.ExecuteAsync("UPDATE backups SET verified_at = NULL");
        // Changes after the snapshot are not the backup's.
        await _database.ExecuteAsync("UPDATE leads SET first_name = 'later'; DELETE FROM lead_score_history; INSERT INTO leads (ext_id, source) VALUES ('later', 'web')");

        var verified = Json.Parse((await _rig.RunAsync("backup", "verify", name, "--json")).ShouldExitWith(ExitCode.Done).Output);

        Assert.True(verified.GetProperty("equal").GetBoolean());
        Assert.Equal(200, verified.GetProperty("tables").EnumerateArray().Single(t => t.GetProperty("name").GetString() == "leads").GetProperty("rows").GetInt64());
        Assert.True(await _database.ScalarAsync<bool>("SELECT verified_at IS NOT NULL FROM backups WHERE name = @name", ("name", name)));
        Assert.Equal(0, await ScratchDatabasesAsync());
        var listed = Json.Parse((await _rig.RunAsync("backup", "list", "--json")).Output)[0];
        Assert.NotEqual("null", listed.GetProperty("verified_at").GetRawText());
    }

    [Fact]
    public async Task Verify_DumpOfOtherContent_SaysWhichTableAndCleansUp()
    {
        var name = await _rig.CreateAsync();
        // A manifest that tells of other rows, sealed like a good one: only the restore can show it.
        var path = Path.Combine(_rig.Folder, name, "manifest.json");
        var manifest = SalesTasks.Backup.BackupManifest.Parse(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        var bytes = (manifest with
        {
            Tables = [.. manifest.Tables.Select(t => t.Name switch
            {
                "leads" => t with { Rows = t.Rows + 1 },
                "sales_pipeline" => t with { Sum = t.Sum + "1" },
                _ => t,
            })],
            Sequences = [.. manifest.Sequences.Select(s => s with { From = s.To + 5, To = s.To + 5 })],
        }).ToBytes();
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(_rig.Folder, name, "manifest.seal"), new SalesTasks.Backup.ManifestSeal(null).Of(bytes), TestContext.Current.CancellationToken);

        var result = await _rig.RunAsync("backup", "verify", "--json");

        result.ShouldExitWith(ExitCode.Refused);
        var differences = Json.Parse(result.Output).GetProperty("differences");
        Assert.Equal("has 200 rows instead of 201", differences.GetProperty("leads").GetString());
        Assert.Equal("has other content", differences.GetProperty("sales_pipeline").GetString());
        Assert.Contains(differences.EnumerateObject(), d => d.Value.GetString()!.StartsWith("stands at", StringComparison.Ordinal));
        Assert.Equal(0, await ScratchDatabasesAsync());
        Assert.False(await _database.ScalarAsync<bool>("SELECT verified_at IS NOT NULL FROM backups WHERE name = @name", ("name", name)));
    }

    [Fact]
    public async Task Restore_IntoANewDatabase_IsTheSameSendsNothingAndCountsOn()
    {
        await _rig.CreateAsync();
        var expected = await _database.FingerprintAsync("task_runs", "backups", "outbox_messages", "restorations", "audit_log");
        var next = await _database.ScalarAsync<long>("INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload) VALUES ('after/1', 'slack', 'notice', '{}') RETURNING id");
        var into = Name();

        (await _rig.RunAsync("backup", "restore", "--into", into)).ShouldExitWith(ExitCode.Done);

        await using var copy = Open(into);
        var restored = await copy.FingerprintAsync("task_runs", "backups", "outbox_messages", "restorations", "audit_log");
        Assert.Equal(expected, restored);
        Assert.Equal(await _database.ScalarAsync<long>("SELECT count(*) + 1 FROM audit_log"), await copy.ScalarAsync<long>("SELECT count(*) FROM audit_log"));
        await Sound.IsAsync(copy);
        Assert.Equal(
            ["sent/1 sent", "waits/1 in_doubt", "wire/1 in_doubt"],
            await copy.QueryAsync("SELECT idempotency_key || ' ' || status FROM outbox_messages ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(2, await copy.ScalarAsync<long>("SELECT messages_held FROM restorations"));

        // The number is given out again; what receivers see is another key, and the old message keeps its own.
        Assert.Equal(next, await copy.ScalarAsync<long>("INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload) VALUES ('after/1', 'slack', 'notice', '{\"text\": \"new\"}') RETURNING id"));
        await using var sink = new HttpSink();
        var rig = new OutboxRig(copy).With("SLACK", SlackTo(sink)).InProcess();
        var held = await rig.DispatchAsync();
        held.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("backup release", held.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(sink.Requests);
        Assert.Contains("held", (await copy.QueryAsync(SalesTasks.Database.Sql.Load("health/backup"), row => row.GetString(2))).Single(), StringComparison.Ordinal);

        (await rig.RunAsync("backup", "release")).ShouldExitWith(ExitCode.Done);
        (await rig.DispatchAsync()).ShouldExitWith(ExitCode.Done);
        (await rig.RunAsync("outbox", "retry", "--in-doubt")).ShouldExitWith(ExitCode.Done);
        (await rig.DispatchAsync()).ShouldExitWith(ExitCode.Done);
        var epoch = await copy.ScalarAsync<string>("SELECT key_epoch FROM restorations");
        Assert.Equal([$"after/1~{epoch}", "waits/1", "wire/1"], sink.Requests.Select(request => request.Key).Order(StringComparer.Ordinal));
        Assert.Contains("Nothing is held", (await rig.RunAsync("backup", "release")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_IntoADatabaseWithContent_IsRefusedAndReplaceKeepsIt()
    {
        var name = await _rig.CreateAsync();
        var into = Name();
        await _database.ExecuteAsync($"CREATE DATABASE {into}");
        await using (var other = Open(into))
        {
            await other.ExecuteAsync("CREATE TABLE precious (i int)");
        }

        var refused = await _rig.RunAsync("backup", "restore", name, "--into", into);
        refused.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("--replace", refused.Errors, StringComparison.Ordinal);
        // Its own database neither, of course.
        (await _rig.RunAsync("backup", "restore", name, "--into", _database.Connection.Database!)).ShouldExitWith(ExitCode.Refused);
        (await _rig.RunAsync("backup", "restore", name, "--into", _database.Connection.Database!, "--replace")).ShouldExitWith(ExitCode.Usage);

        var replaced = Json.Parse((await _rig.RunAsync("backup", "restore", name, "--into", into, "--replace", "--json")).ShouldExitWith(ExitCode.Done).Output)
            .GetProperty("replaced").GetString()!;
        _made.Add(replaced);
        await using var kept = Open(replaced);
        Assert.Equal(0, await kept.ScalarAsync<long>("SELECT count(*) FROM precious"));
        await using var copy = Open(into);
        Assert.Equal(200, await copy.ScalarAsync<long>("SELECT count(*) FROM leads"));
    }

    [Theory]
    [InlineData("docs/privacy.md")]
    [InlineData("docs/es/privacy.md")]
    public async Task Restore_WhoWasErasedSince_IsFoundAndStaysAwayByTheGuidesCommand(string guide)
    {
        // A request of before, so that both databases have the key and rows of these tables.
        (await _rig.Program().RunAsync("privacy", "erase", "lead-1", "--yes")).ShouldExitWith(ExitCode.Done);
        await _rig.CreateAsync();
        (await _rig.Program().RunAsync("privacy", "erase", "lead-2", "--yes")).ShouldExitWith(ExitCode.Done);
        var into = Name();
        (await _rig.RunAsync("backup", "restore", "--into", into)).ShouldExitWith(ExitCode.Done);

        var text = await File.ReadAllTextAsync($"{Checkout.Root}/{guide}", TestContext.Current.CancellationToken);
        var command = text.Split('\n').Single(line => line.StartsWith("pg_dump ", StringComparison.Ordinal));
        var loaded = await SalesTasks.Database.ChildProcess.RunAsync(
            "/bin/sh",
            ["-ec", command],
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["PATH"] = string.Join(Path.PathSeparator, SalesTasks.Database.PostgresBinaries.Folders()),
                ["BEFORE"] = _rig.UriOf(_database.Connection.Database!),
                ["COPY"] = _rig.UriOf(into),
            },
            null,
            TestContext.Current.CancellationToken);
        Assert.Equal((0, ""), (loaded.ExitCode, loaded.Errors));

        await using var copy = Open(into);
        var program = _rig.ProgramIn(into);
        var found = Json.Parse((await program.RunAsync("validate", "--full", "--json")).ShouldExitWith(ExitCode.Findings).Output)
            .GetProperty("findings").EnumerateArray().Single(f => f.GetProperty("check").GetString() == "erasures");
        var back = await copy.QueryAsync(found.GetProperty("fix").GetString()!.Split(": ")[1], row => row.GetString(0));
        Assert.Equal(["lead-2"], back);
        await copy.ExecuteAsync("INSERT INTO leads (ext_id, source, email) VALUES ('another', 'web', 'a2@acme.example')");
        Assert.Equal(0, await copy.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id = 'another'"));
        (await program.RunAsync("privacy", "erase", back[0], "--yes")).ShouldExitWith(ExitCode.Done);
        (await program.RunAsync("validate", "--full")).ShouldExitWith(ExitCode.Done);
    }

    [Fact]
    public async Task Restore_ReplaceWhereTheServerCannotMakeTheDatabase_LeavesWhatIsThere()
    {
        var name = await _rig.CreateAsync();
        var path = Path.Combine(_rig.Folder, name, "manifest.json");
        var manifest = SalesTasks.Backup.BackupManifest.Parse(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        var bytes = (manifest with { Collation = "xx_XX.no_such_locale" }).ToBytes();
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(_rig.Folder, name, "manifest.seal"), new SalesTasks.Backup.ManifestSeal(null).Of(bytes), TestContext.Current.CancellationToken);
        var into = Name();
        await _database.ExecuteAsync($"CREATE DATABASE {into}");
        await using (var other = Open(into))
        {
            await other.ExecuteAsync("CREATE TABLE precious (i int)");
        }

        (await _rig.RunAsync("backup", "restore", name, "--into", into, "--replace")).ShouldExitWith(ExitCode.Refused);

        await using var kept = Open(into);
        Assert.Equal(0, await kept.ScalarAsync<long>("SELECT count(*) FROM precious"));
        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM pg_database WHERE datname LIKE @name || '%'", ("name", into)));
    }

    [Fact]
    public async Task Restore_KilledUnderWay_IsTakenUpByTheNext()
    {
        var name = await _rig.CreateAsync();
        var into = Name();
        // It hangs when the data should come, with the mark and whatever was made in place.
        var tools = await _rig.StandInAsync("[ \"$1\" = --list ] && exit 0; " + BackupRig.Hang);
        var running = _rig.Program().With("PATH", $"{tools}:/usr/bin:/bin").Start("backup", "restore", name, "--into", into, "--backup-folder", _rig.Folder);
        await Eventually.HoldsAsync("the restore is under way", async () =>
        {
            if (!await _database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_database WHERE datname = @into)", ("into", into)))
            {
                return false;
            }

            await using var half = Open(into);
            return await half.ScalarAsync<bool>("SELECT to_regclass('sales_tasks_restore_under_way.backup') IS NOT NULL");
        });
        running.Kill();
        await running.Completion;
        Directory.Delete(tools, recursive: true);
        await using (var half = Open(into))
        {
            await half.ExecuteAsync("CREATE TABLE leads (half int)");
        }

        (await _rig.RunAsync("backup", "restore", name, "--into", into)).ShouldExitWith(ExitCode.Done);

        await using var copy = Open(into);
        Assert.Equal(200, await copy.ScalarAsync<long>("SELECT count(*) FROM leads"));
        Assert.False(await copy.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'sales_tasks_restore_under_way')"));
    }

    private static string SlackTo(HttpSink sink) => $$"""{"conn_type": "slackwebhook", "password": "{{sink.Address}}/services/T/B/secret", "extra": {"allow_http": true} }""";

    private string Name()
    {
        _made.Add("sales_restored_" + Guid.CreateVersion7().ToString("N")[^12..]);
        return _made[^1];
    }

    private TestDatabase Open(string name) =>
        TestDatabase.At(new NpgsqlConnectionStringBuilder(_database.Connection.ConnectionString) { Database = name, Pooling = false });

    private Task<long> ScratchDatabasesAsync() => _database.ScalarAsync<long>(
        "SELECT count(*) FROM pg_database WHERE datname LIKE 'sales_tasks_verify_%' AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = pg_database.oid)");
}
