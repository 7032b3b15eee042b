using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;
using SalesTasks.Validation;

namespace SalesTasks.Tests.Validation;

/// <summary><c>validate</c> as people and scripts call it.</summary>
public sealed class ValidateCommandTests(PostgresServer server, TestDatabase clean) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Validate_SoundDatabase_SaysSoChangesNothingAndEndsWith0()
    {
        var before = await clean.FingerprintAsync();

        var english = await RunAsync(clean, ExitCode.Done, "validate");
        var spanish = await RunAsync(clean, ExitCode.Done, "validate", "--full", "--lang", "es");

        Assert.Contains($"{Validator.Checks.Count} checks, nothing found.", english, StringComparison.Ordinal);
        Assert.Contains("Of tables larger than 31 MB a random sample was read; --full reads every row.", english, StringComparison.Ordinal);
        Assert.Contains($"{Validator.Checks.Count} comprobaciones, sin hallazgos.", spanish, StringComparison.Ordinal);
        Assert.DoesNotContain("--full", spanish, StringComparison.Ordinal);
        Assert.Equal(before, await clean.FingerprintAsync());
    }

    [Fact]
    public async Task Validate_AFault_IsShownWithWhatMendsItAndEndsWith1()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync("ALTER TABLE leads DISABLE TRIGGER leads_inserted");

        var table = await RunAsync(database, ExitCode.Findings, "validate", "--lang", "es");
        var json = Json.Parse(await RunAsync(database, ExitCode.Findings, "validate", "--json"));

        Assert.Contains("el disparador está desactivado", table, StringComparison.Ordinal);
        Assert.Contains("ALTER TABLE leads ENABLE TRIGGER leads_inserted", table, StringComparison.Ordinal);
        Assert.Equal(["valid", "checks", "every_row", "findings", "notes"], json.EnumerateObject().Select(member => member.Name));
        Assert.False(json.GetProperty("valid").GetBoolean());
        var finding = Assert.Single(json.GetProperty("findings").EnumerateArray());
        Assert.Equal(["check", "severity", "subject", "detail", "fix"], finding.EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            ("triggers_enabled", "error", "leads.leads_inserted", "the trigger is disabled"),
            (Text("check"), Text("severity"), Text("subject"), Text("detail")));

        string Text(string name) => finding.GetProperty(name).GetString()!;
    }

    [Fact]
    public async Task Validate_NameWithEscapeSequences_ReachesNoTerminal()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync("INSERT INTO sales_campaigns (name, campaign_type) VALUES ('[red]' || chr(27) || '[2J' || chr(8238) || 'x', 'nurturing')");

        var table = await RunAsync(database, ExitCode.Findings, "validate");

        Assert.Contains("[red]", table, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table);
        Assert.DoesNotContain('\u202e', table);
    }

    [Fact]
    public async Task Validate_DatabaseWithoutSchema_IsRefusedLikeAnyJob()
    {
        await using var empty = await TestDatabase.CreateAsync(server, migrated: false);
        var host = new TestHost(empty);

        Assert.Equal(ExitCode.Refused, await host.RunAsync("validate"));
        Assert.Contains("run \"sales-tasks db migrate\"", host.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(TestDatabase database, ExitCode expected, params string[] arguments)
    {
        var host = new TestHost(database);
        var exitCode = await host.RunAsync(arguments);
        Assert.True(exitCode == expected, $"{exitCode}\n{host.Output}\n{host.Errors}");
        return host.Output;
    }
}
