using SalesTasks.Database;

namespace SalesTasks.Tests.Database;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class PostgresBinariesTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sales-tasks-test-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task FindAsync_SeveralInstalled_TakesTheNewestByNumber()
    {
        Install("lib/9.6/bin", "9.6.24");
        Install("lib/12/bin", "12.20 (Debian 12.20-1)");
        Install("lib/17/bin", "17.2");
        Directory.CreateDirectory($"{_root}/lib/18/bin");

        var found = await PostgresBinaries.FindAsync([], [$"{_root}/lib/*/bin"], Token);

        Assert.Equal(new PostgresBinaries($"{_root}/lib/17/bin", new Version(17, 2)), found);
    }

    [Fact]
    public async Task FindAsync_OneOnPath_ComesFirstUnlessTooOld()
    {
        Install("old", "11.22");
        Install("mine", "13.4");
        Install("lib/17/bin", "17.2");

        var found = await PostgresBinaries.FindAsync([$"{_root}/old", $"{_root}/mine"], [$"{_root}/lib/*/bin"], Token);

        Assert.Equal($"{_root}/mine", found.Folder);
    }

    [Fact]
    public async Task FindAsync_BetaRelease_IsUnderstood()
    {
        Install("beta", "19beta1");

        Assert.Equal(new Version(19, 0), (await PostgresBinaries.FindAsync([$"{_root}/beta"], [], Token)).Version);
    }

    [Fact]
    public async Task FindAsync_NoneOrTooOld_TellsWhereItLookedAndWhatInstallsOne()
    {
        Install("lib/11/bin", "11.22");

        var error = await Assert.ThrowsAsync<JobException>(() => PostgresBinaries.FindAsync([], [$"{_root}/lib/*/bin"], Token));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains($"{_root}/lib/*/bin", error.Message, StringComparison.Ordinal);
        Assert.Contains($"too old: {_root}/lib/11/bin (11.22)", error.Message, StringComparison.Ordinal);
        Assert.Contains("Install it: ", error.Message, StringComparison.Ordinal);
    }

    private void Install(string folder, string version)
    {
        var path = Directory.CreateDirectory($"{_root}/{folder}").FullName;
        foreach (var program in (string[])["postgres", "initdb", "pg_ctl", "createdb"])
        {
            File.WriteAllText($"{path}/{program}", $"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
            File.SetUnixFileMode($"{path}/{program}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
