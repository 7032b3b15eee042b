using System.Text;
using CsCheck;
using SalesTasks.Backup;

namespace SalesTasks.Tests.Backup;

/// <summary>Backups that were cut short, changed, robbed of a file or given one are found.</summary>
public sealed class BackupFolderTests : IDisposable
{
    private const string Key = "a key of twenty signs";

    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-backup-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(null)]
    [InlineData(Key)]
    public async Task Find_UntouchedBackup_IsGood(string? key)
    {
        var (folder, name) = await MakeAsync(key);

        Assert.Equal(name, folder.Find(null).Name);
        await folder.CheckFilesAsync(name, folder.Find(name).Manifest, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Key)]
    public async Task Find_AnyByteOfManifestOrSealChangedOrCut_IsRefused(string? key)
    {
        var (folder, name) = await MakeAsync(key);
        foreach (var file in (string[])["manifest.json", "manifest.seal"])
        {
            var path = Path.Combine(_folder, name, file);
            var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);

            Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Bool).Sample(
                (at, value, cut) =>
                {
                    var changed = cut ? whole[..at] : [.. whole[..at], (byte)(whole[at] ^ (value == 0 ? 1 : value)), .. whole[(at + 1)..]];
                    File.WriteAllBytes(path, changed);
                    Assert.NotNull(folder.List().Single().Fault);
                    Assert.Equal(ExitCode.Refused, Assert.Throws<JobException>(() => folder.Find(name)).ExitCode);
                    // What is damaged is nobody's newest good one.
                    Assert.Equal(ExitCode.Usage, Assert.Throws<JobException>(() => folder.Find(null)).ExitCode);
                },
                iter: 200, threads: 1);
            await File.WriteAllBytesAsync(path, whole, TestContext.Current.CancellationToken);
        }

        Assert.Null(folder.List().Single().Fault);
    }

    [Fact]
    public async Task CheckFiles_AnyByteOfTheDumpChanged_IsRefused()
    {
        var (folder, name) = await MakeAsync(null);
        var path = Path.Combine(_folder, name, "dump", "1.dat.gz");
        var whole = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        for (var at = 0; at < whole.Length; at += 97)
        {
            var changed = whole.ToArray();
            changed[at] ^= 0x10;
            await File.WriteAllBytesAsync(path, changed, TestContext.Current.CancellationToken);

            var manifest = folder.Find(name).Manifest;
            var refused = await Assert.ThrowsAsync<JobException>(() => folder.CheckFilesAsync(name, manifest, TestContext.Current.CancellationToken));
            Assert.Equal(ExitCode.Refused, refused.ExitCode);
            Assert.Contains("1.dat.gz", refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("missing", "is missing")]
    [InlineData("cut", "bytes")]
    [InlineData("longer", "bytes")]
    [InlineData("extra", "not in its manifest")]
    [InlineData("empty", "is missing")]
    public async Task List_FilesOfTheDumpAreNotThose_SaysWhich(string damage, string expected)
    {
        var (folder, name) = await MakeAsync(null);
        var file = Path.Combine(_folder, name, "dump", "toc.dat");
        switch (damage)
        {
            case "missing":
                File.Delete(file);
                break;
            case "cut":
                await File.WriteAllBytesAsync(file, (await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken))[..^1], TestContext.Current.CancellationToken);
                break;
            case "longer":
                await File.AppendAllTextAsync(file, "x", TestContext.Current.CancellationToken);
                break;
            case "extra":
                await File.WriteAllTextAsync(Path.Combine(_folder, name, "dump", "9.dat"), "x", TestContext.Current.CancellationToken);
                break;
            default:
                Directory.EnumerateFiles(Path.Combine(_folder, name, "dump")).ToList().ForEach(File.Delete);
                break;
        }

        Assert.Contains(expected, folder.List().Single().Fault, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, Assert.Throws<JobException>(() => folder.Find(name)).ExitCode);
    }

    [Fact]
    public async Task Find_SealedOtherwise_IsRefused()
    {
        var (_, name) = await MakeAsync(Key);

        Assert.Contains("SALES_BACKUP_CONN_ID", With(null).List().Single().Fault, StringComparison.Ordinal);
        Assert.Contains("another", With("another key of 23 signs").List().Single().Fault, StringComparison.Ordinal);

        // Whoever changes a dump could seal it anew without a key: with one set, that does not pass.
        var manifest = await File.ReadAllBytesAsync(Path.Combine(_folder, name, "manifest.json"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder, name, "manifest.seal"), new ManifestSeal(null).Of(manifest), TestContext.Current.CancellationToken);
        Assert.Contains("without the key", With(Key).List().Single().Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("20260131T060000Z/../..")]
    [InlineData("nothing")]
    public async Task Find_WhatIsNoName_IsRefused(string name)
    {
        var (folder, _) = await MakeAsync(null);

        Assert.Equal(ExitCode.Usage, Assert.Throws<JobException>(() => folder.Find(name)).ExitCode);
    }

    [Fact]
    public async Task Lock_SomebodyIsAtWork_IsTemporaryUntilTheyEnd()
    {
        var (folder, _) = await MakeAsync(null);
        using (folder.Lock())
        {
            Assert.Equal(ExitCode.TemporaryFailure, Assert.Throws<JobException>(() => folder.Lock()).ExitCode);
        }

        folder.Lock().Dispose();
    }

    [Fact]
    public async Task ClearLeftovers_WhatKilledRunsLeft_GoesAndNothingElse()
    {
        var (folder, name) = await MakeAsync(null);
        await File.WriteAllTextAsync(Path.Combine(folder.Begin(), "half"), "x", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(Path.Combine(_folder, ".removing-20250101T000000Z"));
        Directory.CreateDirectory(Path.Combine(_folder, "a persons own"));

        Assert.Equal(0, folder.ClearLeftovers());

        Assert.Equal([Path.Combine(_folder, name), Path.Combine(_folder, "a persons own")], Directory.EnumerateDirectories(_folder).Order(StringComparer.Ordinal));
        Assert.Equal(name, Assert.Single(folder.List()).Name);
    }

    private BackupFolder With(string? key) => new(_folder, new ManifestSeal(key));

    private async Task<(BackupFolder Folder, string Name)> MakeAsync(string? key)
    {
        var folder = With(key);
        var partial = folder.Begin();
        var dump = Directory.CreateDirectory(Path.Combine(partial, "dump")).FullName;
        await File.WriteAllTextAsync(Path.Combine(dump, "toc.dat"), "what is in it", TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(dump, "1.dat.gz"), Encoding.ASCII.GetBytes(new string('x', 1_000)), TestContext.Current.CancellationToken);
        var name = folder.Publish(partial, new BackupManifest
        {
            Format = 1,
            Program = "0.1.0",
            SchemaVersion = 1,
            Database = "sales",
            Schema = "public",
            ServerMajor = 15,
            ServerVersion = "15.1",
            Tool = "15.1",
            Encoding = "UTF8",
            Collation = "C",
            Ctype = "C",
            TakenAt = new DateTimeOffset(2026, 1, 31, 6, 0, 0, TimeSpan.Zero),
            FinishedAt = new DateTimeOffset(2026, 1, 31, 6, 0, 9, TimeSpan.Zero),
            Run = "dag/task/run/-1",
            Tables = [new TableFingerprint("leads", 2, "-17")],
            Sequences = [new SequenceRange("leads_lead_id_seq", 1, 2)],
            Files = await BackupFolder.DescribeAsync(partial, TestContext.Current.CancellationToken),
        });
        return (folder, name);
    }
}
