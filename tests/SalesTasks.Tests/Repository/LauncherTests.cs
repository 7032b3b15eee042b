using System.Globalization;
using System.Runtime.Versioning;
using SalesTasks.Database;

namespace SalesTasks.Tests.Repository;

/// <summary>
/// The launcher script in a small checkout of its own, with a stand-in for <c>dotnet</c> that counts builds and "builds" a program that
/// prints its arguments and ends with 7.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class LauncherTests : IDisposable
{
    private const string Dotnet = """
        #!/bin/sh
        here=$(dirname "$0")
        case $1 in
          --list-sdks)
            echo "8.0.100 [$here/sdk]"
            echo "10.0.100 [$here/sdk]"
            ;;
          build)
            echo "${HOME:-none}" >>"@checkout@/builds"
            if [ -e "@checkout@/broken" ]; then
              echo "Program.cs(1,1): error"
              exit 1
            fi
            program=$2/bin/Release/net10.0/SalesTasks.Tests
            while [ $# -gt 0 ]; do
              [ "$1" != --artifacts-path ] || program=$2/bin/SalesTasks/release/sales-tasks
              shift
            done
            mkdir -p "$(dirname "$program")"
            cp "@checkout@/program" "$program"
            chmod +x "$program"
            ;;
        esac
        """;

    // All that the launcher may need of a machine, besides .NET; the last three are the tests' own.
    private static readonly string[] s_programs =
        ["bash", "cat", "cksum", "dirname", "env", "find", "flock", "grep", "mkdir", "mv", "readlink", "rm", "sed", "tail", "tr", "chmod", "cp", "runuser"];

    private static readonly string[] s_folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

    private readonly string _checkout = Directory.CreateTempSubdirectory("sales-tasks-launcher-").FullName;
    private readonly string _tools;
    private readonly string _home;

    public LauncherTests()
    {
        _tools = $"{_checkout}/.tools";
        _home = $"{_checkout}/.home";
        Directory.CreateDirectory(_home);
        // The machine's own SDK must not be found: what the script looks for in system folders is looked for here.
        var script = File.ReadAllText($"{Checkout.Root}/sales-tasks").Replace(" /usr/", $" {_checkout}/usr/", StringComparison.Ordinal);
        Write("sales-tasks", script, executable: true);
        Write("src/SalesTasks/Program.cs", "");
        Write("src/SalesTasks/Scoring/Rules.cs", "");
        Write("sql/scoring/score.sql", "");
        Write("tests/SalesTasks.Tests/Test.cs", "");
        Write("README.md", "");
        Write("Directory.Build.props", "");
        Write("Directory.Packages.props", "");
        Write("global.json", "");
        Write("program", """
            #!/bin/sh
            printf 'ran'
            printf ' [%s]' "$@"
            echo
            exit 7
            """);
        InstallDotnet(".tools/dotnet");
        foreach (var program in s_programs)
        {
            File.CreateSymbolicLink($"{_tools}/{program}", s_folders.Select(f => $"{f}/{program}").First(File.Exists));
        }

        Tool("sudo", "shift; \"$@\"");
        File.SetUnixFileMode(_checkout, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    public void Dispose() => Directory.Delete(_checkout, recursive: true);

    [Fact]
    public async Task Run_FirstTime_BuildsAndHandsOverArgumentsStreamsAndExitCode()
    {
        var run = await LaunchAsync("scoring", "score", "--as-of", "two words");

        Assert.Equal((7, "ran [scoring] [score] [--as-of] [two words]\n", ""), (run.ExitCode, run.Output, run.Errors));
        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task Run_NothingChanged_DoesNotBuildAgain()
    {
        await LaunchAsync();
        await LaunchAsync();

        Assert.Equal(1, Builds);
    }

    [Theory]
    [InlineData("src/SalesTasks/Program.cs")]
    [InlineData("src/SalesTasks/Scoring/Rules.cs")]
    [InlineData("src/SalesTasks/Scoring")]
    [InlineData("sql/scoring/score.sql")]
    [InlineData("Directory.Packages.props")]
    [InlineData("global.json")]
    public async Task Run_SourceIsNewer_BuildsAgain(string source)
    {
        await LaunchAsync();
        MakeNewerThanBuild(source);
        await LaunchAsync();

        Assert.Equal(2, Builds);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("tests/SalesTasks.Tests/Test.cs")]
    public async Task Run_OtherFileIsNewer_DoesNotBuildAgain(string file)
    {
        await LaunchAsync();
        MakeNewerThanBuild(file);
        await LaunchAsync();

        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task Run_ProgramWasDeleted_BuildsAgain()
    {
        await LaunchAsync();
        Directory.Delete($"{_checkout}/artifacts/launcher/build", recursive: true);
        await LaunchAsync();

        Assert.Equal(2, Builds);
    }

    [Fact]
    public async Task Run_BuildFails_ShowsTheLogOnErrorStreamAndEndsWithDefect()
    {
        Write("broken", "");
        var run = await LaunchAsync();

        Assert.Equal((70, ""), (run.ExitCode, run.Output));
        Assert.Contains("Program.cs(1,1): error", run.Errors, StringComparison.Ordinal);
        Assert.Contains("src/SalesTasks could not be built", run.Errors, StringComparison.Ordinal);

        File.Delete($"{_checkout}/broken");
        Assert.Equal(7, (await LaunchAsync()).ExitCode);
    }

    [Fact]
    public async Task Run_EightAtOnce_BuildOnce()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => LaunchAsync(i.ToString(CultureInfo.InvariantCulture))));

        Assert.All(runs, run => Assert.Equal(7, run.ExitCode));
        Assert.Equal(1, Builds);
    }

    [Fact]
    public async Task Run_ThroughLinksFromElsewhere_FindsItsCheckout()
    {
        Directory.CreateDirectory($"{_home}/bin");
        File.CreateSymbolicLink($"{_home}/bin/relative", "../../sales-tasks");
        File.CreateSymbolicLink($"{_home}/bin/absolute", $"{_home}/bin/relative");

        var run = await Checkout.RunAsync("env", [.. Environment(), "bash", $"{_home}/bin/absolute", "x"]);

        Assert.Equal((7, "ran [x]\n"), (run.ExitCode, run.Output));
    }

    [Fact]
    public async Task Run_WithoutHome_BuildsWithOneInsideTheCheckout()
    {
        var run = await Checkout.RunAsync("env", ["-i", Path, "bash", $"{_checkout}/sales-tasks"]);

        Assert.Equal(7, run.ExitCode);
        Assert.Equal($"{_checkout}/artifacts/launcher/home\n", await File.ReadAllTextAsync($"{_checkout}/builds", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Run_CheckoutCannotBeWritten_BuildsInTheCache()
    {
        // Root may write everywhere, so root asks somebody else.
        string[] user = System.Environment.IsPrivilegedProcess ? ["runuser", "-u", "nobody", "--"] : [];
        var cache = Directory.CreateTempSubdirectory("sales-tasks-cache-").FullName;
        Write("builds", "");
        File.SetUnixFileMode($"{_checkout}/builds", (UnixFileMode)0b110_110_110);
        File.SetUnixFileMode(cache, (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(_checkout, (UnixFileMode)0b101_101_101);
        try
        {
            for (var i = 0; i < 2; i++)
            {
                var run = await Checkout.RunAsync(
                    "env", [.. Environment(), $"XDG_CACHE_HOME={cache}", .. user, "bash", $"{_checkout}/sales-tasks", "x"]);
                Assert.Equal((7, "ran [x]\n", ""), (run.ExitCode, run.Output, run.Errors));
            }

            Assert.Equal(1, Builds);
            Assert.False(Directory.Exists($"{_checkout}/artifacts"));
        }
        finally
        {
            File.SetUnixFileMode(_checkout, (UnixFileMode)0b111_101_101);
            Directory.Delete(cache, recursive: true);
        }
    }

    [Fact]
    public async Task Sdk_PackageManagerHasIt_InstallsThePackage()
    {
        File.Move($"{_tools}/dotnet", $"{_checkout}/dotnet");
        Tool("apt-get", $"""
            case $* in
              *install*dotnet-sdk-10.0) mkdir -p "{_checkout}/usr/share/dotnet" && cp "{_checkout}/dotnet" "{_checkout}/usr/share/dotnet/dotnet" ;;
            esac
            """);
        Tool("apt-cache", "exit 0");

        var run = await LaunchAsync("x");

        Assert.Equal((7, "ran [x]\n"), (run.ExitCode, run.Output));
        Assert.Contains("installing it", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sdk_PackageManagerLacksIt_RunsTheInstallScriptInTheUsersHome()
    {
        File.Move($"{_tools}/dotnet", $"{_checkout}/dotnet");
        Write("dotnet-install.sh", $$"""
            while [ $# -gt 0 ]; do
              [ "$1" != --install-dir ] || directory=$2
              [ "$1" != --channel ] || [ "$2" = 10.0 ] || exit 1
              shift
            done
            mkdir -p "$directory" && cp "{{_checkout}}/dotnet" "$directory/dotnet"
            """);
        Tool("apt-get", "exit 0");
        Tool("apt-cache", "exit 100");
        Tool("curl", $"""while [ "$1" != -o ]; do shift; done; cp "{_checkout}/dotnet-install.sh" "$2" """);

        var run = await LaunchAsync("x");

        Assert.Equal((7, "ran [x]\n"), (run.ExitCode, run.Output));
        Assert.True(File.Exists($"{_home}/.dotnet/dotnet"));
    }

    [Fact]
    public async Task Sdk_CannotBeInstalled_SaysWhatToDo()
    {
        File.Delete($"{_tools}/dotnet");
        Tool("apt-get", "exit 100");
        Tool("apt-cache", "exit 100");
        Tool("curl", "echo 'no route to host' >&2; exit 6");

        var run = await LaunchAsync("x");

        Assert.Equal((69, ""), (run.ExitCode, run.Output));
        Assert.Contains("no route to host", run.Errors, StringComparison.Ordinal);
        Assert.Contains("the .NET SDK 10.0 is missing and could not be installed", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("total=\"5\" passed=\"5\" failed=\"0\" skipped=\"0\" errors=\"0\"", 0, "5 passed, 0 failed", 0)]
    [InlineData("errors=\"0\" failed=\"2\" not-run=\"0\" passed=\"41\" skipped=\"3\" total=\"46\"", 1, "41 passed, 2 failed, 3 skipped", 1)]
    [InlineData("errors=\"1\" failed=\"0\" passed=\"4\" skipped=\"0\" total=\"4\"", 1, "4 passed, 1 failed", 1)]
    [InlineData("errors=\"0\" failed=\"0\" passed=\"4\" skipped=\"0\" total=\"4\"", 3, "4 passed, 1 failed", 1)]
    [InlineData("errors=\"0\" failed=\"0\" passed=\"0\" skipped=\"0\" total=\"0\"", 0, "0 passed, 0 failed", 1)]
    [InlineData("errors=\"0\" failed=\"0\" passed=\"0\" skipped=\"2\" total=\"2\"", 0, "0 passed, 0 failed, 2 skipped", 1)]
    [InlineData(null, 134, "0 passed, 1 failed", 1)]
    public async Task Test_RunnersReport_EndsInOneLineAndItsExitCode(string? totals, int runnerExitCode, string line, int exitCode)
    {
        Write("program", $$"""
            #!/bin/sh
            echo "arguments: $*"
            while [ "$1" != -result-xml ]; do shift; done
            [ -z '{{totals}}' ] || echo '<assemblies><assembly name="T" {{totals}} time="1"><collection total="9" passed="9" failed="9"/></assembly></assemblies>' >"$2"
            exit {{runnerExitCode}}
            """);

        var run = await LaunchAsync("test", "-class", "A.B");

        Assert.Equal(exitCode, run.ExitCode);
        var lines = run.Output.TrimEnd('\n').Split('\n');
        Assert.EndsWith("-class A.B", lines[0], StringComparison.Ordinal);
        Assert.Equal(line, lines[^1]);
    }

    private int Builds => File.ReadAllLines($"{_checkout}/builds").Length;

    private string Path => $"PATH={_tools}";

    private IEnumerable<string> Environment() => ["-i", Path, $"HOME={_home}"];

    private Task<ChildProcess.Result> LaunchAsync(params IEnumerable<string> arguments) =>
        Checkout.RunAsync("env", [.. Environment(), "bash", $"{_checkout}/sales-tasks", .. arguments]);

    private void MakeNewerThanBuild(string source)
    {
        var built = File.GetLastWriteTimeUtc($"{_checkout}/artifacts/launcher/built");
        var path = $"{_checkout}/{source}";
        if (Directory.Exists(path))
        {
            Directory.SetLastWriteTimeUtc(path, built.AddSeconds(1));
        }
        else
        {
            File.SetLastWriteTimeUtc(path, built.AddSeconds(1));
        }
    }

    private void InstallDotnet(string path) =>
        Write(path, Dotnet.Replace("@checkout@", _checkout, StringComparison.Ordinal), executable: true);

    private void Tool(string name, string script) => Write($".tools/{name}", $"#!/bin/sh\n{script}\n", executable: true);

    private void Write(string path, string text, bool executable = false)
    {
        var file = $"{_checkout}/{path}";
        new FileInfo(file).Directory!.Create();
        File.WriteAllText(file, text);
        if (executable)
        {
            File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        }
    }
}
