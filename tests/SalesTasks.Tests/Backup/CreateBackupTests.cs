using Npgsql;
using SalesTasks.Backup;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Backup;

/// <summary><c>backup create</c>: what it publishes, and that it publishes nothing else, however it ends.</summary>
public sealed class CreateBackupTests(TestDatabase database) : IClassFixture<TestDatabase>, IDisposable
{
    private readonly BackupRig _rig = new(database);

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Create_ThenTheSameRunAgain_IsOneBackupThatListShows()
    {
        var program = _rig.Program().With("SALES_RUN_ID", "scheduled__2026-01-31").With("AIRFLOW_CONN_SEAL", """{"conn_type": "generic", "password": "a key of twenty signs"}""")
            .With("SALES_BACKUP_CONN_ID", "seal");
        var first = (await program.RunAsync("backup", "create", "--backup-folder", _rig.Folder)).ShouldExitWith(ExitCode.Done);
        var second = (await program.RunAsync("backup", "create", "--backup-folder", _rig.Folder)).ShouldExitWith(ExitCode.Done);

        Assert.Equal((1, 0), (Count(first, "backups_made"), Count(second, "backups_made")));
        var name = Assert.Single(_rig.Names);
        Assert.Empty(_rig.Hidden);
        var listed = Json.Parse((await program.RunAsync("backup", "list", "--backup-folder", _rig.Folder, "--json")).ShouldExitWith(ExitCode.Done).Output)[0];
        Assert.Equal((name, "good"), (listed.GetProperty("name").GetString(), listed.GetProperty("state").GetString()));
        Assert.Equal(["newest", "daily", "weekly", "monthly"], listed.GetProperty("kept_as").EnumerateArray().Select(reason => reason.GetString()));
        Assert.Equal(Count(first, "rows"), listed.GetProperty("rows").GetInt64());
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM backups WHERE name = @name", ("name", name)));
        Assert.StartsWith("hmac-sha256 ", await File.ReadAllTextAsync(Path.Combine(_rig.Folder, name, "manifest.seal"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>Two installations with the same DAGs: their runs have the same names.</summary>
    [Fact]
    public async Task Create_FolderOfTwoDatabases_TheSameRunBacksUpEach()
    {
        await using var other = await TestDatabase.CreateAsync(database.Server);
        var first = (await _rig.Program().With("SALES_RUN_ID", "scheduled__2026-02-01").RunAsync("backup", "create", "--backup-folder", _rig.Folder)).ShouldExitWith(ExitCode.Done);

        var second = (await ProgramRunner.For(other).With("SALES_RUN_ID", "scheduled__2026-02-01").RunAsync("backup", "create", "--backup-folder", _rig.Folder))
            .ShouldExitWith(ExitCode.Done);

        Assert.Equal((1, 1), (Count(first, "backups_made"), Count(second, "backups_made")));
        Assert.Equal(2, _rig.Names.Count);
    }

    [Fact]
    public async Task Create_DryRun_WritesNothing()
    {
        var before = await database.FingerprintAsync();

        var result = (await _rig.RunAsync("backup", "create", "--dry-run")).ShouldExitWith(ExitCode.Done);

        Assert.True(Count(result, "tables") > 20);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_rig.Folder));
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Create_KilledWhileItDumps_LeavesNothingThatCountsAndTheNextClearsIt()
    {
        // It stops for ever with half a dump on disk.
        var tools = await _rig.StandInAsync("for a; do case $a in --file=*) mkdir -p \"${a#--file=}\"; echo half > \"${a#--file=}/toc.dat\";; esac; done; " + BackupRig.Hang);
        var running = _rig.Program().With("PATH", $"{tools}:/usr/bin:/bin").Start("backup", "create", "--backup-folder", _rig.Folder);
        await Eventually.HoldsAsync("half a dump is there", () => Task.FromResult(Directory.EnumerateFiles(_rig.Folder, "toc.dat", SearchOption.AllDirectories).Any()));
        running.Kill();
        Assert.True((await running.Completion).Killed);

        Assert.Empty(_rig.Names);
        Assert.Equal("[]", (await _rig.RunAsync("backup", "list", "--json")).ShouldExitWith(ExitCode.Done).Output.Trim());

        Directory.Delete(tools, recursive: true);
        var name = await _rig.CreateAsync();
        Assert.Equal([name], _rig.Names);
        Assert.Empty(_rig.Hidden);
    }

    [Fact]
    public async Task Create_AskedToStop_EndsWith143StopsTheDumpAndLeavesNothing()
    {
        var tools = await _rig.StandInAsync(BackupRig.Hang);
        var running = _rig.Program().With("PATH", $"{tools}:/usr/bin:/bin").Start("backup", "create", "--backup-folder", _rig.Folder);
        await Eventually.HoldsAsync("the dump runs", () => Task.FromResult(_rig.Hanging is not null));

        // Meanwhile a second one is told so.
        var other = await _rig.RunAsync("backup", "create");
        other.ShouldExitWith(ExitCode.TemporaryFailure);
        Assert.Contains("another backup", other.Result.GetProperty("error").GetString(), StringComparison.Ordinal);

        await running.TerminateAsync();
        (await running.Completion).ShouldExitWith(ExitCode.Stopped);

        await Eventually.HoldsAsync("the dump is gone", () => Task.FromResult(!BackupRig.IsAlive(_rig.Hanging!.Value)));
        Assert.Empty(_rig.Names);
        Assert.Equal([Path.GetFileName(tools)], _rig.Hidden);
    }

    /// <summary>The session that reads for the manifest breaks while pg_dump works: that is why the run ends, not that pg_dump was ended for it.</summary>
    [Fact]
    public async Task Create_SessionEndsWhileItDumps_SaysSoStopsTheDumpAndLeavesNothing()
    {
        var tools = await _rig.StandInAsync(BackupRig.Hang);
        await using var holder = await database.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE", holder))
        {
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var running = _rig.Program().With("PATH", $"{tools}:/usr/bin:/bin").Start("backup", "create", "--backup-folder", _rig.Folder);
        await Eventually.HoldsAsync("the dump runs, and the session waits for the table", async () => _rig.Hanging is not null && await WaitingAsync() == 1);
        await database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()");

        var result = (await running.Completion).ShouldExitWith(ExitCode.TemporaryFailure);
        Assert.DoesNotContain("Canceled", result.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        await Eventually.HoldsAsync("the dump is gone", () => Task.FromResult(!BackupRig.IsAlive(_rig.Hanging!.Value)));
        Assert.Empty(_rig.Names);
        Assert.Equal([Path.GetFileName(tools)], _rig.Hidden);

        Task<long> WaitingAsync() => database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
    }

    [Theory]
    [InlineData("pg_dump: error: could not write to output file: No space left on device", 75, "no space is left")]
    [InlineData("pg_dump: error: query would be affected by row-level security policy for table \"leads\"", 69, "row-level security")]
    public async Task Create_DumpFails_SaysWhyAndPublishesNothing(string says, int expected, string told)
    {
        var tools = await _rig.StandInAsync($"echo '{says}' >&2; exit 1");

        var result = await _rig.Program().With("PATH", $"{tools}:/usr/bin:/bin").RunAsync("backup", "create", "--backup-folder", _rig.Folder);

        result.ShouldExitWith((ExitCode)expected);
        Assert.Contains(told, result.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(_rig.Names);
        Assert.Equal([Path.GetFileName(tools)], _rig.Hidden);
    }

    [Fact]
    public async Task Create_Password_IsInNoArgumentAndNoOutput()
    {
        var tools = await _rig.StandInAsync("echo \"$@\" > \"$(dirname \"$0\")/arguments\"; [ -n \"$PGPASSWORD\" ] && echo yes >> \"$(dirname \"$0\")/arguments\"; exit 1");

        var result = await _rig.Program().With("PATH", $"{tools}:/usr/bin:/bin").RunAsync("backup", "create", "--backup-folder", _rig.Folder);

        var arguments = await File.ReadAllTextAsync($"{tools}/arguments", TestContext.Current.CancellationToken);
        Assert.EndsWith("yes\n", arguments, StringComparison.Ordinal);
        Assert.Contains("--snapshot=", arguments, StringComparison.Ordinal);
        // A person's own test server may have a password that is an ordinary word; the private one's is random.
        if (database.Connection.Password is { Length: >= 16 } secret)
        {
            Assert.DoesNotContain(secret, arguments + result.Output + result.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Create_RoleThatMayNotReadEveryRow_IsRefusedAndNotGivenAPart()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await using var role = await TestRole.CreateAsync(own);
        await own.ExecuteAsync(
            $"""
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role.Name};
            GRANT INSERT, UPDATE ON task_runs, backups TO {role.Name}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role.Name};
            ALTER TABLE leads ENABLE ROW LEVEL SECURITY; CREATE POLICY own_rows ON leads USING (ext_id = 'mine')
            """);
        var uri = $"postgres://{role.Name}:{role.Connection.Password}@{role.Connection.Host}:{role.Connection.Port}/{role.Connection.Database}";

        var result = await ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", uri).RunAsync("backup", "create", "--backup-folder", _rig.Folder);

        result.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("leads", result.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(_rig.Names);
    }

    [Fact]
    public async Task Create_AnOldBackupDoesNotGo_ThoseThatWentAreNotedAndItSaysSo()
    {
        var name = await _rig.CreateAsync();
        var manifest = await ManifestAsync(name);
        var newer = await CopyAsync(name, manifest with { TakenAt = manifest.TakenAt.AddDays(-1) });
        var older = await CopyAsync(name, manifest with { TakenAt = manifest.TakenAt.AddDays(-2) });
        await database.ExecuteAsync(
            "INSERT INTO backups (name, taken_at, bytes, tables, rows) VALUES (@newer, now(), 1, 1, 1), (@older, now(), 1, 1, 1)", ("newer", newer), ("older", older));
        // Something is in the way of the older one.
        await File.WriteAllTextAsync(Path.Combine(_rig.Folder, ".removing-" + older), "", TestContext.Current.CancellationToken);

        var result = await _rig.RunAsync("backup", "create", "--keep-daily", "1", "--keep-weekly", "0", "--keep-monthly", "0");

        result.ShouldExitWith(ExitCode.TemporaryFailure);
        Assert.Contains("backup_folder", result.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains(older, _rig.Names);
        Assert.DoesNotContain(newer, _rig.Names);
        Assert.Equal(
            [(newer, true), (older, false)],
            await database.QueryAsync(
                "SELECT name, removed_at IS NOT NULL FROM backups WHERE name IN (@newer, @older) ORDER BY name DESC",
                row => (row.GetString(0), row.GetBoolean(1)), ("newer", newer), ("older", older)));
    }

    [Fact]
    public async Task Create_WithRetention_RemovesItsOwnGoodOldOnesOnly()
    {
        var name = await _rig.CreateAsync();
        var manifest = await ManifestAsync(name);
        // A month of nights, one of another database, one that is damaged, one that is no backup.
        foreach (var days in Enumerable.Range(1, 30))
        {
            await CopyAsync(name, manifest with { TakenAt = manifest.TakenAt.AddDays(-days) });
        }

        var foreign = await CopyAsync(name, manifest with { Database = "another", TakenAt = manifest.TakenAt.AddDays(-3).AddHours(-1) });
        var damaged = await CopyAsync(name, manifest with { TakenAt = manifest.TakenAt.AddDays(-4).AddHours(-1) });
        await File.AppendAllTextAsync(Path.Combine(_rig.Folder, damaged, "dump", "toc.dat"), "x", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(Path.Combine(_rig.Folder, "20200101T000000Z"));

        var result = (await _rig.RunAsync("backup", "create", "--keep-daily", "3", "--keep-weekly", "0", "--keep-monthly", "1")).ShouldExitWith(ExitCode.Done);

        var days3 = _rig.Names.Where(n => n != foreign && n != damaged && n != "20200101T000000Z").ToList();
        Assert.Equal(3, days3.Count);
        Assert.Contains(result.Result.GetProperty("details").GetProperty("backup").GetString()!, days3);
        Assert.Subset(_rig.Names.ToHashSet(), new HashSet<string> { foreign, damaged, "20200101T000000Z" });
        // Of today only the last stays; 28 older days go.
        Assert.Equal(29, Count(result, "backups_removed"));
        Assert.Empty(_rig.Hidden);
    }

    [Fact]
    public async Task Create_FolderThatCannotBe_IsUsage()
    {
        var result = await _rig.Program().RunAsync("backup", "create", "--backup-folder", "/proc/no/such/place");

        result.ShouldExitWith(ExitCode.Usage);
        Assert.Contains("backup_folder: '/proc/no/such/place'", result.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FindTools_NoneNewEnough_SaysWhatToInstall()
    {
        var tools = await _rig.StandInAsync("exit 1");

        var none = await Assert.ThrowsAsync<JobException>(() => PostgresTools.FindAsync([_rig.Folder], 15, TestContext.Current.CancellationToken));
        var old = await Assert.ThrowsAsync<JobException>(() => PostgresTools.FindAsync([tools], 99, TestContext.Current.CancellationToken));

        Assert.Equal((ExitCode.Refused, ExitCode.Refused), (none.ExitCode, old.ExitCode));
        Assert.Contains("postgresql-client-99", old.Message, StringComparison.Ordinal);
        Assert.Contains(tools, old.Message, StringComparison.Ordinal);
    }

    /// <summary>Every job while a transaction holds what a dump holds: a lock on every table.</summary>
    [Fact]
    public async Task Jobs_WhileADumpIsOpen_WaitForNothing()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await new BackupRig(own, _rig.Folder).FillAsync();
        // As the backup does first, at the instant of the jobs' clock.
        await own.ExecuteAsync("SELECT ensure_lead_scores_partition(timestamptz '2026-01-31Z' + make_interval(months => n)) FROM generate_series(0, 3) AS n");
        await using var dumping = await own.OpenConnectionAsync();
        await using var held = await dumping.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, TestContext.Current.CancellationToken);
        await using (var locking = dumping.CreateCommand())
        {
            locking.CommandText =
                """
                DO $$ DECLARE t regclass; BEGIN
                  FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') LOOP
                    EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', t);
                  END LOOP;
                END $$
                """;
            await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        // Those that reach other systems have nothing to reach here.
        foreach (var (dag, job) in Commands.DemoDags.Where(dag => dag.Id != "sales_crm_sync").SelectMany(dag => dag.Steps, (dag, job) => (dag, job)))
        {
            var host = new TestHost(own);
            var exitCode = await host.RunAsync([.. dag.Arguments(job)]);
            Assert.True(exitCode is ExitCode.Done, $"{job.Name}: {host.Output}{host.Errors}");
        }

        Assert.Equal(200, await own.ScalarAsync<long>("SELECT count(*) FROM leads WHERE score > 0"));
    }

    private static long Count(ProgramResult result, string name) => result.Result.GetProperty("counts").GetProperty(name).GetInt64();

    private async Task<BackupManifest> ManifestAsync(string name) =>
        BackupManifest.Parse(await File.ReadAllBytesAsync(Path.Combine(_rig.Folder, name, "manifest.json"), TestContext.Current.CancellationToken));

    /// <summary>A backup of other content, whose tables' files are those of another one.</summary>
    private async Task<string> CopyAsync(string name, BackupManifest changed)
    {
        var folder = new BackupFolder(_rig.Folder, new ManifestSeal(null));
        var partial = folder.Begin();
        Directory.CreateDirectory(Path.Combine(partial, "dump"));
        foreach (var file in changed.Files)
        {
            File.CreateSymbolicLink(Path.Combine(partial, file.Name), Path.Combine(_rig.Folder, name, file.Name));
        }

        await File.WriteAllTextAsync(Path.Combine(partial, "dump", "toc.dat.new"), "own", TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(partial, "dump", "toc.dat"));
        File.Move(Path.Combine(partial, "dump", "toc.dat.new"), Path.Combine(partial, "dump", "toc.dat"));
        return folder.Publish(partial, changed with { Run = $"other/{changed.TakenAt:O}/{changed.Database}", Files = [new BackupFile("dump/toc.dat", 3, ""), .. changed.Files.Where(f => f.Name != "dump/toc.dat").Select(f => f with { Bytes = new FileInfo(Path.Combine(partial, f.Name)).Length })] });
    }
}
