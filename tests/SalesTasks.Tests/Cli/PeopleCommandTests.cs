using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

/// <summary>Commands for people: tables that pipes can read, stable JSON, both languages, errors in words with the right code.</summary>
public sealed class PeopleCommandTests(PostgresServer server, TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Status_Migrated_ListsEveryMigrationAsApplied()
    {
        var json = await JsonAsync(database, ExitCode.Done, "db", "status");

        Assert.Equal(Enumerable.Range(1, json.GetArrayLength()), json.EnumerateArray().Select(m => m.GetProperty("version").GetInt32()));
        Assert.All(json.EnumerateArray(), migration =>
        {
            Assert.Equal(["version", "name", "status", "applied_at", "program_version"], migration.EnumerateObject().Select(m => m.Name));
            Assert.Equal("applied", migration.GetProperty("status").GetString());
        });
        var rows = Rows(await OutputAsync(database, ExitCode.Done, "db", "status"));
        Assert.Equal(json.GetArrayLength() + 1, rows.Count);
        Assert.Equal(["Version", "Migration", "Status", "Applied (UTC)", "By program"], rows[0]);
        var spanish = Rows(await OutputAsync(database, ExitCode.Done, "db", "status", "--lang", "es"));
        Assert.Equal(["Versión", "Migración", "Estado", "Aplicada (UTC)", "Por el programa"], spanish[0]);
    }

    [Fact]
    public async Task Migrate_EmptyThenUpToDate_SaysWhatItDid()
    {
        await using var empty = await TestDatabase.CreateAsync(server, migrated: false);

        var pending = await JsonAsync(empty, ExitCode.Refused, "db", "status");
        Assert.All(pending.EnumerateArray(), m => Assert.Equal(
            ("pending", JsonValueKind.Null), (m.GetProperty("status").GetString(), m.GetProperty("applied_at").ValueKind)));
        Assert.Contains("pendiente", await OutputAsync(empty, ExitCode.Refused, "db", "status", "--lang", "es"), StringComparison.Ordinal);

        var applied = await JsonAsync(empty, ExitCode.Done, "db", "migrate", "--json");
        Assert.Equal(
            pending.EnumerateArray().Select(m => m.GetProperty("name").GetString()),
            applied.EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        Assert.Equal("[]\n", await OutputAsync(empty, ExitCode.Done, "db", "migrate", "--json"));
        Assert.Equal("The schema is up to date.\n", await OutputAsync(empty, ExitCode.Done, "db", "migrate"));
        Assert.Equal("El esquema está al día.\n", await OutputAsync(empty, ExitCode.Done, "db", "migrate", "--lang", "es"));
        Assert.Equal(0, await empty.ScalarAsync<long>("SELECT count(*) FROM task_runs"));
    }

    [Fact]
    public async Task RulesShow_InForce_IsTheDocumentThatEditTakes()
    {
        var rules = await JsonAsync(database, ExitCode.Done, "scoring", "rules", "show", "--json");

        Assert.True(rules.GetProperty("active").GetBoolean());
        Assert.Equal(20, rules.GetProperty("base_points").GetInt32());
        Assert.Equal(5, rules.GetProperty("sources").GetProperty("organic").GetInt32());
        var rows = Rows(await OutputAsync(database, ExitCode.Done, "scoring", "rules", "show", "--lang", "es"));
        Assert.Equal(["Regla", "Valor", "Significado"], rows[0]);
        Assert.Contains(["base_points", "20", "Todo lead"], rows);
        Assert.Contains(["source.organic", "5", "Fuente con la palabra organic"], rows);
    }

    [Fact]
    public async Task RulesValidate_AChange_ShowsItsEffectAndKeepsNothing()
    {
        await using var own = await WithLeadsAsync();
        var before = await own.FingerprintAsync();

        string[] validate = ["scoring", "rules", "validate", "--set", "base_points=40"];
        var json = await JsonAsync(own, ExitCode.Done, [.. validate, "--comment", "más"]);
        var text = await OutputAsync(own, ExitCode.Done, [.. validate, "--lang", "es"]);

        Assert.Equal("más", json.GetProperty("comment").GetString());
        var impact = json.GetProperty("impact");
        Assert.Equal((1, 1), (impact.GetProperty("evaluated").GetInt32(), impact.GetProperty("changed").GetInt32()));
        Assert.StartsWith("Las reglas son válidas. De 1 leads cambian 1", text, StringComparison.Ordinal);
        Assert.Equal(before, await own.FingerprintAsync());
    }

    [Fact]
    public async Task RulesEdit_AChangeAndBack_IsInForceAndListed()
    {
        await using var own = await TestDatabase.CreateAsync(server);

        await OutputAsync(own, ExitCode.Done, "scoring", "rules", "edit", "--set", "base_points=40", "--comment", "more");
        await OutputAsync(own, ExitCode.Done, "scoring", "rules", "edit", "--activate", "1");

        var versions = await JsonAsync(own, ExitCode.Done, "scoring", "rules", "show", "--versions", "--json");
        Assert.Equal(
            [(1, true, "Default point table"), (2, false, "more")],
            versions.EnumerateArray()
                .Select(v => (
                    v.GetProperty("version").GetInt32(), v.GetProperty("active").GetBoolean(), v.GetProperty("comment").GetString()!))
                .Order());
    }

    [Theory]
    [InlineData("scoring rules edit", "nothing to change")]
    [InlineData("scoring rules edit --activate 99", "there is no version 99")]
    [InlineData("scoring rules edit --activate 1 --set base_points=1", "--activate goes alone")]
    [InlineData("scoring rules edit --set base_points=1000 --set bogus=1 --set x", "base_points = 1000 is not allowed")]
    [InlineData("scoring rules edit --set base_points=1000 --set bogus=1 --set x", "unknown rule 'bogus'")]
    [InlineData("scoring rules edit --set base_points=1000 --set bogus=1 --set x", "--set 'x' is not allowed")]
    [InlineData("scoring rules edit --file /nowhere/rules.json", "--file '/nowhere/rules.json': cannot be read")]
    [InlineData("scoring rules show --version 99", "there is no version 99")]
    [InlineData("explain nobody", "there is no lead with ext_id 'nobody'")]
    public async Task Run_WrongUse_IsRefusedInWordsAndChangesNothing(string line, string fault)
    {
        // Who asked about whom is noted before anything is looked up.
        var before = await database.FingerprintAsync("audit_log");
        var host = new TestHost(database);

        Assert.Equal(ExitCode.Usage, await host.RunAsync(line.Split(' ')));

        Assert.Empty(host.Output);
        Assert.StartsWith("error: ", host.Errors, StringComparison.Ordinal);
        Assert.Contains(fault, host.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await database.FingerprintAsync("audit_log"));
    }

    [Fact]
    public async Task Explain_Lead_ShowsEveryPointInBothLanguagesAndAsJson()
    {
        await using var own = await WithLeadsAsync();

        var json = await JsonAsync(own, ExitCode.Done, "explain", "[red]lead[/]", "--json");
        Assert.Equal("[red]lead[/]", json.GetProperty("lead_ext_id").GetString());
        var points = json.GetProperty("factors").EnumerateArray().Sum(f => f[1].GetInt32());
        Assert.Equal(json.GetProperty("score").GetInt32(), points);

        var english = await OutputAsync(own, ExitCode.Done, "explain", "[red]lead[/]");
        Assert.StartsWith($"Lead [red]lead[/]: score {points} (", english, StringComparison.Ordinal);
        Assert.Contains("Not scored yet", english, StringComparison.Ordinal);
        Assert.Contains(["e-mail", "+10", "valid"], Rows(english));
        var spanish = Rows(await OutputAsync(own, ExitCode.Done, "explain", "[red]lead[/]", "--lang", "es"));
        Assert.Contains(["correo", "+10", "válido"], spanish);
        Assert.Equal(Rows(english).Count, spanish.Count);
    }

    [Theory]
    [InlineData("db status")]
    [InlineData("db migrate")]
    [InlineData("explain lead")]
    [InlineData("scoring rules show --json")]
    public async Task Run_NoConnection_IsRefused(string line)
    {
        var host = new TestHost();

        Assert.Equal(ExitCode.Usage, await host.RunAsync(line.Split(' ')));

        Assert.StartsWith("error: Connection 'sales_postgres' is not defined", host.Errors, StringComparison.Ordinal);
        Assert.Empty(host.Output);
    }

    [Fact]
    public async Task Run_ServerDownOrSchemaMissing_HaveTheirCodes()
    {
        await using var empty = await TestDatabase.CreateAsync(server, migrated: false);
        var down = new TestHost().With("AIRFLOW_CONN_SALES_POSTGRES", "postgres://u:sEcret@127.0.0.1:1/d");
        var missing = new TestHost(empty);

        Assert.Equal(ExitCode.TemporaryFailure, await down.RunAsync("explain", "lead"));
        Assert.Equal(ExitCode.Refused, await missing.RunAsync("explain", "lead"));

        Assert.StartsWith("error: PostgreSQL 127.0.0.1:1", down.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("sEcret", down.Errors, StringComparison.Ordinal);
        Assert.Contains("run \"sales-tasks db migrate\"", missing.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Defect_ShowsItsPlaceWithoutItsMessage()
    {
        await using var own = await TestDatabase.CreateAsync(server);
        await own.ExecuteAsync("ALTER TABLE scoring_rules RENAME COLUMN comment TO maria_perez");
        var host = new TestHost(own);

        Assert.Equal(ExitCode.Defect, await host.RunAsync("scoring", "rules", "show", "--versions"));

        Assert.StartsWith("error: defect: PostgresException, SQLSTATE 42703\n", host.Errors, StringComparison.Ordinal);
        Assert.Contains("RuleCommands", host.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("does not exist", host.Errors, StringComparison.Ordinal);
    }

    private async Task<TestDatabase> WithLeadsAsync()
    {
        var own = await TestDatabase.CreateAsync(server);
        await own.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, created_at)
            VALUES ('[red]lead[/]', 'paid [b]social', 'ana@acme.example', '2026-01-30Z')
            """);
        return own;
    }

    private static async Task<string> OutputAsync(TestDatabase database, ExitCode exitCode, params string[] arguments)
    {
        var host = new TestHost(database);
        Assert.True(await host.RunAsync(arguments) == exitCode, host.Output + host.Errors);
        Assert.Empty(host.Errors);
        Assert.DoesNotContain('\u001b', host.Output);
        return host.Output;
    }

    /// <summary>The command's JSON: one line, and the same text when asked again where nothing changed.</summary>
    private static async Task<JsonElement> JsonAsync(TestDatabase database, ExitCode exitCode, params string[] arguments)
    {
        if (!arguments.Contains("--json"))
        {
            arguments = [.. arguments, "--json"];
        }

        var output = await OutputAsync(database, exitCode, arguments);
        Assert.Equal(1, output.Count(c => c == '\n'));
        if (arguments[1] != "migrate")
        {
            Assert.Equal(output, await OutputAsync(database, exitCode, arguments));
        }

        return Json.Parse(output);
    }

    /// <summary>The cells of the tables in the output, row by row.</summary>
    private static List<string[]> Rows(string output) =>
        [.. output.Split('\n')
            .Where(line => line.StartsWith('│'))
            .Select(line => line.Trim('│').Split('│', StringSplitOptions.TrimEntries))];
}
