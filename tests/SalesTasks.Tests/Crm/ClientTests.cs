using System.Diagnostics;
using System.Text.RegularExpressions;
using SalesTasks.Demo.Crm;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>The stand-ins against clients that nobody here wrote: they must not be lenient where the real services are not.</summary>
public sealed partial class ClientTests
{
    [Fact]
    public async Task HubSpotFake_ToHubSpotsOwnClient_IsHubSpot()
    {
        var folder = await InstallAsync();
        await using var fake = new HubSpotFake(TimeProvider.System, "token") { BurstCalls = 1000 };
        fake.Owners["1"] = "rep@sales.example";

        var result = await RunAsync("node", folder, $"{Checkout.Root}/tests/crm/hubspot.cjs", $"http://127.0.0.1:{fake.Port}", "token");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("as it should be", result.Output);
    }

    [Fact]
    public async Task SalesforceFake_ToJsforce_IsSalesforce()
    {
        var folder = await InstallAsync();
        await using var fake = new SalesforceFake(TimeProvider.System, "client", "secret") { BurstCalls = 1000 };

        var result = await RunAsync("node", folder, $"{Checkout.Root}/tests/crm/salesforce.cjs", $"http://127.0.0.1:{fake.Port}", "client", "secret");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("as it should be", result.Output);
    }

    /// <summary>The clients as locked, installed once beside the tests.</summary>
    private static async Task<string> InstallAsync()
    {
        foreach (var tool in (string[])["node", "npm"])
        {
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(place => File.Exists(Path.Combine(place, tool))))
            {
                var missing = $"{tool} is not installed: apt-get install nodejs npm.";
                Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", missing);
                Assert.Fail(missing);
            }
        }

        var folder = Path.Combine(AppContext.BaseDirectory, "crm-clients");
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "jsforce")))
        {
            Directory.CreateDirectory(folder);
            foreach (var file in (string[])["package.json", "package-lock.json"])
            {
                File.Copy($"{Checkout.Root}/tests/crm/{file}", Path.Combine(folder, file), overwrite: true);
            }

            var installed = await RunAsync(
                "npm", folder, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000",
                "--fetch-timeout=60000");
            if (installed.ExitCode != 0 && Unreachable().IsMatch(installed.Errors))
            {
                // On a build server too: that the registry cannot be reached says nothing about the stand-in.
                Assert.Skip($"npm cannot reach its registry: {installed.Errors.Trim()}");
            }

            Assert.True(installed.ExitCode == 0, installed.ToString());
        }

        return folder;
    }

    /// <summary>npm's line "npm error code …" (before version 10 "npm ERR! code …") where it is the network's fault.</summary>
    [GeneratedRegex(
        @"^npm (error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\s*$",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Unreachable();

    private static Task<ProgramResult> RunAsync(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder };
        start.Environment["NODE_PATH"] = Path.Combine(folder, "node_modules");
        return RunningProgram.Start(start).Completion;
    }
}
