using System.Formats.Tar;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;
using System.Xml.Linq;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Image;

/// <summary>The real image, checked from outside and run against the test PostgreSQL as Airflow's operators run it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ImageTests(BuiltImage image, TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly string[] s_shellsAndTools =
        ["sh", "ash", "bash", "dash", "zsh", "busybox", "env", "python3", "perl", "apt", "apt-get", "dpkg", "apk", "dnf", "curl", "wget", "su", "sudo", "mount"];

    public ValueTask InitializeAsync() => new(image.BuildAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Configuration_UserEntrypointAndLabels_AreSet()
    {
        var config = await ConfigurationAsync();

        Assert.Equal("1654:1654", config.GetProperty("User").GetString());
        Assert.Equal(["/app/sales-tasks"], config.GetProperty("Entrypoint").EnumerateArray().Select(e => e.GetString()));
        Assert.DoesNotContain(config.GetProperty("Env").EnumerateArray(), e => e.GetString()!.Contains("SALES_", StringComparison.Ordinal));

        string Label(string name) => config.GetProperty("Labels").GetProperty("org.opencontainers.image." + name).GetString()!;
        Assert.Equal("SalesTasks", Label("title"));
        Assert.NotEqual("", Label("description"));
        Assert.Equal(ProductVersion, Label("version"));
        Assert.Equal(BuiltImage.Revision, Label("revision"));
        Assert.Equal(BuiltImage.Created, Label("created"));
        Assert.Equal("unknown", Label("source"));
    }

    [Fact]
    public async Task Files_OfTheImage_HaveNoShellNoToolsAndNothingTheUserMayChange()
    {
        var files = await FilesAsync();

        var names = files.Select(f => f.Name.Split('/')[^1]).ToHashSet(StringComparer.Ordinal);
        Assert.Contains("sales-tasks.dll", names);
        Assert.Contains("Madrid", names);
        Assert.DoesNotContain(s_shellsAndTools, names.Contains);
        Assert.DoesNotContain(
            files, f => f.EntryType is TarEntryType.RegularFile && (f.Mode & (UnixFileMode.SetUser | UnixFileMode.SetGroup)) != UnixFileMode.None);
        Assert.DoesNotContain(files, f => f.Name.StartsWith("source/", StringComparison.Ordinal) || f.Name.EndsWith(".cs", StringComparison.Ordinal));
        Assert.All(
            files.Where(f => f.Name.StartsWith("app/", StringComparison.Ordinal)),
            f => Assert.True(f.Uid == 0 && !f.Mode.HasFlag(UnixFileMode.GroupWrite) && !f.Mode.HasFlag(UnixFileMode.OtherWrite), f.Name));
    }

    [Fact]
    public async Task Bill_OfTheImage_NamesEveryPackageOfTheProgramAndNoOther()
    {
        using var shipped = JsonDocument.Parse(await ReadAsync("/app/sales-tasks.deps.json"));
        using var bill = JsonDocument.Parse(await ReadAsync("/app/sbom.cdx.json"));

        Assert.Equal("CycloneDX", bill.RootElement.GetProperty("bomFormat").GetString());
        Assert.Equal(BuiltImage.Created, bill.RootElement.GetProperty("metadata").GetProperty("timestamp").GetString());
        var components = bill.RootElement.GetProperty("components").EnumerateArray().ToList();
        Assert.Equal(
            shipped.RootElement.GetProperty("libraries").EnumerateObject().Where(library => library.Value.GetProperty("type").GetString() == "package")
                .Select(library => library.Name).Order(StringComparer.Ordinal),
            components.Select(component => $"{component.GetProperty("name").GetString()}/{component.GetProperty("version").GetString()}").Order(StringComparer.Ordinal));
        Assert.All(components, component => Assert.NotEmpty(component.GetProperty("licenses").EnumerateArray()));
        Assert.All(components, component => Assert.NotEmpty(component.GetProperty("hashes").EnumerateArray()));
    }

    [Fact]
    public async Task Size_OfTheImage_IsThatOfASlimOne()
    {
        var inspected = await image.DockerAsync("image", "inspect", "--format", "{{.Size}}", "{image}");
        var megabytes = long.Parse(inspected.Output, CultureInfo.InvariantCulture) / 1e6;

        TestContext.Current.TestOutputHelper!.WriteLine($"{megabytes:0} MB");
        // 242 MB when this was written, of it 96 MB the system and .NET, 74 MB the solver of routing, and 10 MB pg_dump, pg_restore and their libraries. A second platform's native libraries, an
        // SDK or a package cache that slips in shows here.
        Assert.InRange(megabytes, 50, 260);
    }

    [Fact]
    public async Task Run_WithoutNetworkOrWritableFiles_TellsItsVersion()
    {
        var run = await image.DockerAsync(
            "run", "--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "{image}", "--version");

        Assert.Equal((0, ProductVersion + "\n", ""), (run.ExitCode, run.Output, run.Errors));
    }

    [Fact]
    public async Task Run_UnknownParameterValue_EndsWithUsageBeforeAnyConnection()
    {
        var run = await image.RunAsync(["-e", "SALES_PARAMS={\"max_leads_per_run\": \"many\"}"], "scoring", "score");

        Assert.Equal(64, run.ExitCode);
        Assert.Equal("scoring score", LastLine(run.Output).GetProperty("task").GetString());
        Assert.Contains("max_leads_per_run", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_MigrateAndScoreTwice_ScoresOnceAndHandsBackResults()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server, migrated: false);
        var connection = ConnectionOf(own);

        Assert.Equal(0, (await image.RunAsync(connection, "db", "migrate")).ExitCode);
        await own.ExecuteAsync(
            "INSERT INTO leads (ext_id, email, source) SELECT 'lead-' || i, 'a' || i || '@example.com', 'organic' FROM generate_series(1, 50) AS i");

        // The folder Kubernetes shares with its sidecar; the container's user is not ours.
        var xcom = Directory.CreateTempSubdirectory("sales-tasks-xcom-").FullName;
        try
        {
            File.SetUnixFileMode(xcom, (UnixFileMode)0b111_111_111);
            var first = await image.RunAsync([.. connection, "-v", $"{xcom}:/airflow/xcom"], "scoring", "score");

            Assert.True(first.ExitCode == 0, first.Errors);
            Assert.Equal(50, await own.ScalarAsync<long>("SELECT count(*) FROM leads WHERE score > 0"));
            Assert.Equal("done", LastLine(first.Output).GetProperty("status").GetString());
            Assert.Equal(first.Output.TrimEnd('\n'), await File.ReadAllTextAsync($"{xcom}/return.json", TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(xcom, recursive: true);
        }

        var before = await own.FingerprintAsync("task_runs");
        var second = await image.RunAsync(connection, "scoring", "score");
        Assert.True(second.ExitCode == 0, second.Errors);
        Assert.Equal(before, await own.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Run_BackupAndVerify_DoBothWithTheToolsOfTheImage()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        // The container's user is not ours.
        var folder = Directory.CreateTempSubdirectory("sales-tasks-backup-").FullName;
        try
        {
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
            var options = (string[])[.. ConnectionOf(own), "-v", $"{folder}:/backups", "--tmpfs", "/tmp"];
            var created = await image.RunAsync(options, "backup", "create");

            Assert.True(created.ExitCode == 0, created.Errors);
            Assert.Equal(1, LastLine(created.Output).GetProperty("counts").GetProperty("backups_made").GetInt64());
            var verified = await image.RunAsync(options, "backup", "verify");
            Assert.True(verified.ExitCode == 0, verified.Output + verified.Errors);
            Assert.True(await own.ScalarAsync<bool>("SELECT verified_at IS NOT NULL FROM backups"));
        }
        finally
        {
            if (Environment.IsPrivilegedProcess)
            {
                // Another user's files: only root can remove them, and the system's own clean-up.
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    [Fact]
    public async Task Run_SchemaIsMissing_EndsWithRefused()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server, migrated: false);

        var run = await image.RunAsync(ConnectionOf(own), "scoring", "score");

        Assert.Equal(69, run.ExitCode);
        Assert.Contains("db migrate", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AskedToStop_EndsWithStoppedWithinDockersGrace()
    {
        // The job waits for a table that we hold, so it is surely at work when the stop comes.
        await using var holder = await database.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new Npgsql.NpgsqlCommand("LOCK TABLE leads", holder, transaction))
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var name = $"sales-tasks-test-{Guid.CreateVersion7():N}";
        var running = image.RunAsync([.. ConnectionOf(database), "--name", name], "scoring", "score");
        while (!running.IsCompleted && !await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(0, (await image.DockerAsync("stop", name)).ExitCode);
        Assert.Equal(143, (await running).ExitCode);
    }

    private static string ProductVersion { get; } =
        XDocument.Load($"{Checkout.Root}/Directory.Build.props").Descendants("Version").Single().Value;

    private static string[] ConnectionOf(TestDatabase target) => ["-e", "AIRFLOW_CONN_SALES_POSTGRES=" + target.AirflowUri];

    private static JsonElement LastLine(string output)
    {
        using var document = JsonDocument.Parse(output.TrimEnd('\n').Split('\n')[^1]);
        return document.RootElement.Clone();
    }

    private async Task<JsonElement> ConfigurationAsync()
    {
        var inspected = await image.DockerAsync("image", "inspect", "{image}");
        using var document = JsonDocument.Parse(inspected.Output);
        return document.RootElement[0].GetProperty("Config").Clone();
    }

    /// <summary>The text of a file of the image.</summary>
    private async Task<string> ReadAsync(string path)
    {
        var container = (await image.DockerAsync("create", "{image}")).Output.Trim();
        var copy = Path.Combine(Path.GetTempPath(), container + Path.GetExtension(path));
        try
        {
            Assert.Equal(0, (await image.DockerAsync("cp", $"{container}:{path}", copy)).ExitCode);
            return await File.ReadAllTextAsync(copy, TestContext.Current.CancellationToken);
        }
        finally
        {
            File.Delete(copy);
            await image.DockerAsync("rm", container);
        }
    }

    /// <summary>Every entry of the image's file system.</summary>
    private async Task<List<TarEntry>> FilesAsync()
    {
        var container = (await image.DockerAsync("create", "{image}")).Output.Trim();
        var archive = Path.Combine(Path.GetTempPath(), container + ".tar");
        try
        {
            Assert.Equal(0, (await image.DockerAsync("export", "--output", archive, container)).ExitCode);
            await using var stream = File.OpenRead(archive);
            await using var reader = new TarReader(stream);
            var entries = new List<TarEntry>();
            while (await reader.GetNextEntryAsync(copyData: false, TestContext.Current.CancellationToken) is { } entry)
            {
                entries.Add(entry);
            }

            return entries;
        }
        finally
        {
            File.Delete(archive);
            await image.DockerAsync("rm", container);
        }
    }
}
