using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using SalesTasks.Setup;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Dags;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Setup;

/// <summary><c>setup</c>: from an empty server, twice, without rights, killed, and by a person at a terminal.</summary>
public sealed class SetupTests(PostgresServer server, TestDatabase other) : IClassFixture<TestDatabase>
{
    private static readonly string[] s_everything = ["setup", "--yes", "--sample-reps", "--sample-campaigns"];

    [Fact]
    public async Task Setup_EmptyServer_MakesASoundDatabaseAndTheSecondRunChangesNothing()
    {
        await using var target = new MissingDatabase(server, other);

        var first = Json.Parse((await target.Program.RunAsync([.. s_everything, "--json"])).ShouldExitWith(ExitCode.Done).Output);
        await using var database = await TestDatabase.OverAsync(target.Connection);
        var before = await database.FingerprintAsync();
        var second = Json.Parse((await target.Program.RunAsync([.. s_everything, "--json"])).ShouldExitWith(ExitCode.Done).Output);
        var third = await target.Program.RunAsync([.. s_everything, "--lang", "es"]);

        Assert.Equal(["changed", "valid", "steps"], first.EnumerateObject().Select(member => member.Name));
        Assert.Equal((true, true), (first.GetProperty("changed").GetBoolean(), first.GetProperty("valid").GetBoolean()));
        Assert.Equal(
            [$"CREATE DATABASE {target.Connection.Database}", "db migrate", "reps import", "campaigns import", "validate", "connections"],
            first.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("step").GetString()));
        Assert.False(second.GetProperty("changed").GetBoolean());
        Assert.Contains("no se ha cambiado nada", third.Output, StringComparison.Ordinal);
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaigns WHERE NOT enabled"));
        await Sound.IsAsync(database);
    }

    [Fact]
    public async Task Setup_WithoutFlags_MakesTheSchemaAlone()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        var host = new TestHost(database);

        Assert.Equal(ExitCode.Done, await host.RunAsync("setup", "--yes"));

        Assert.Equal(0, await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM sales_reps) + (SELECT count(*) FROM sales_campaigns)"));
        Assert.Contains("validate: nothing found", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Setup_WhatATeamHasMadeOfItsOwn_StaysAsItIs()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var name = Samples.CampaignName(Samples.Of("campaigns")[0].Text);
        await database.ExecuteAsync("INSERT INTO sales_reps (email, name) VALUES ('own@sales.example', 'Own')");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_campaigns (name, campaign_type, steps_config, description)
            VALUES (@name, 'nurturing', '[{"type": "slack", "delay_hours": 0, "body": "ours"}]', 'ours')
            """,
            ("name", name));

        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync(s_everything));

        Assert.Equal(["own@sales.example"], await database.QueryAsync("SELECT email FROM sales_reps", row => row.GetString(0)));
        Assert.Equal("ours", await database.ScalarAsync<string>("SELECT description FROM sales_campaigns WHERE name = @name", ("name", name)));
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaigns"));
    }

    [Fact]
    public async Task Setup_RoleThatMayNotCreateTheDatabase_IsToldTheSql()
    {
        await using var role = await TestRole.CreateAsync(other);
        var program = ProgramRunner.Bare.With(
            "AIRFLOW_CONN_SALES_POSTGRES",
            $"postgres://{role.Name}:{role.Connection.Password}@{role.Connection.Host}:{role.Connection.Port}/sales_not_there");

        var result = (await program.RunAsync("setup", "--yes")).ShouldExitWith(ExitCode.Refused);

        Assert.Contains($"CREATE DATABASE \"sales_not_there\" OWNER \"{role.Name}\"", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(role.Connection.Password!, result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Setup_AConnectionThatCannotBeRead_IsNamedAndEndsWith1()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var host = new TestHost(database).With("SALES_SLACK_CONN_ID", "team_slack").With("AIRFLOW_CONN_TEAM_SLACK", "slackwebhook://:s3cret@@proto://x");

        Assert.Equal(ExitCode.Findings, await host.RunAsync("setup", "--yes"));

        Assert.Contains("SALES_SLACK_CONN_ID: Connection 'team_slack'", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", host.Output + host.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("setup", "there is no terminal to ask on; allowed: --yes")]
    [InlineData("setup --yes --reps /nowhere/reps.csv", "--reps '/nowhere/reps.csv' cannot be read")]
    [InlineData("setup --yes --reps x --sample-reps", "exclude each other")]
    public async Task Setup_WrongUse_IsRefusedBeforeAnythingIsDone(string line, string fault)
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        var host = new TestHost(database);

        Assert.Equal(ExitCode.Usage, await host.RunAsync(line.Split(' ')));

        Assert.Contains(fault, host.Errors, StringComparison.Ordinal);
        Assert.False(await database.ScalarAsync<bool>("SELECT to_regclass('leads') IS NOT NULL"));
    }

    [Fact]
    public async Task Setup_RepsFileWithAFault_StopsThereAndGoesOnWhenItIsMended()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        var file = Path.Combine(Path.GetTempPath(), $"sales-reps-{RandomNumberGenerator.GetHexString(16)}.csv");
        try
        {
            await File.WriteAllTextAsync(file, "email,name,time_zone\nana@sales.example,Ana,Atlantis\n", TestContext.Current.CancellationToken);
            var host = new TestHost(database);
            Assert.Equal(ExitCode.Usage, await host.RunAsync("setup", "--yes", "--reps", file));
            Assert.Contains("Atlantis", host.Errors, StringComparison.Ordinal);
            Assert.Contains("setup stopped here", host.Errors, StringComparison.Ordinal);
            Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));

            await File.WriteAllTextAsync(file, "email,name,time_zone\nana@sales.example,Ana,Europe/Madrid\n", TestContext.Current.CancellationToken);
            Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("setup", "--yes", "--reps", file));
            Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Setup_KilledAtRandomInstants_CompletesInTheEnd()
    {
        await using var rehearsal = new MissingDatabase(server, other);
        var usual = (await rehearsal.Program.RunAsync(s_everything)).ShouldExitWith(ExitCode.Done).Duration;
        await using var target = new MissingDatabase(server, other);

        await KillHarness.RunAsync(
            () => target.Program.Start(s_everything),
            usual,
            kills: 3,
            seed: 3,
            invariant: async () =>
            {
                await using var database = await TestDatabase.OverAsync(target.Connection);
                Assert.Equal((4, 4), (
                    await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"), await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaigns")));
                await Sound.IsAsync(database);
            });
    }

    [Fact]
    public async Task Wizard_AnsweredByAPerson_SetsUpWhatWasAskedFor()
    {
        await using var target = new MissingDatabase(server, other);
        var c = target.Connection;

        var (exitCode, screen) = await PlayAsync(
            [],
            [
                ["Host", c.Host! + "\r"], ["Port", $"{c.Port}\r"], ["Database", c.Database! + "\r"], ["User", c.Username! + "\r"],
                ["Password", (c.Password ?? "") + "\r"], ["database roles", "\r"], ["Sales representatives", "sample\r"], ["sample campaigns", "y\r"], ["Go ahead?", "\r"],
            ]);

        Assert.True(exitCode == 0, screen);
        Assert.Contains($"create the database {c.Database}", screen, StringComparison.Ordinal);
        Assert.Contains(":PASSWORD@", screen, StringComparison.Ordinal);
        await using var database = await TestDatabase.OverAsync(c);
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaigns"));
    }

    [Fact]
    public async Task Wizard_CtrlCAtAQuestion_LeavesNothingBehind()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);

        var (exitCode, screen) = await PlayAsync(
            new() { ["AIRFLOW_CONN_SALES_POSTGRES"] = database.AirflowUri },
            [["roles de base de datos", "\r"], ["Representantes", "sample\r"], ["campañas de muestra", "s\r"], ["¿Continuar?", "\u0003"]],
            "--lang",
            "es");

        Assert.True(exitCode == (int)ExitCode.Stopped, screen);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
    }

    [Fact]
    public async Task Wizard_AnsweredWithNo_ChangesNothing()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);

        var (exitCode, screen) = await PlayAsync(
            new() { ["AIRFLOW_CONN_SALES_POSTGRES"] = database.AirflowUri },
            [["database roles", "\r"], ["representatives", "\r"], ["sample campaigns", "\r"], ["Go ahead?", "n\r"]]);

        Assert.True(exitCode == 0, screen);
        Assert.Contains("Nothing was changed.", screen, StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"));
    }

    [Fact]
    public void Samples_AreTheExamples()
    {
        Assert.Equal(4, Samples.Of("campaigns").Count);
        Assert.All(Samples.Of("campaigns"), sample => Assert.NotEmpty(Samples.CampaignName(sample.Text)));
        Assert.Single(Samples.Of("reps"));
    }

    /// <summary>The real program on a terminal of its own, answered as the dialogue says.</summary>
    private static async Task<(int ExitCode, string Screen)> PlayAsync(Dictionary<string, string> environment, string[][] dialogue, params string[] flags)
    {
        environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        string[] program = [Path.Combine(AppContext.BaseDirectory, "sales-tasks"), "setup", .. flags];
        var result = await Python.JsonAsync(
            $"{Checkout.Root}/tests/setup/wizard.py", JsonSerializer.Serialize(new { program, environment, dialogue }));
        // Without the colours and cursor movements of a terminal, and in one line: it wraps where it is narrow.
        var screen = Regex.Replace(result.GetProperty("screen").GetString()!, @"\e\[[0-9;?]*[A-Za-z]|\r?\n", "", RegexOptions.None, TimeSpan.FromSeconds(5));
        return (result.GetProperty("exit_code").GetInt32(), screen);
    }

    /// <summary>A database that is not there yet, on the server of the tests; what became of it is dropped.</summary>
    private sealed class MissingDatabase : IAsyncDisposable
    {
        private readonly PostgresServer _server;

        public MissingDatabase(PostgresServer server, TestDatabase there)
        {
            _server = server;
            Connection = there.Connection;
            Connection.Database = $"sales_setup_{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
            Program = ProgramRunner.Bare.With(
                "AIRFLOW_CONN_SALES_POSTGRES",
                new Uri(there.AirflowUri).GetLeftPart(UriPartial.Authority) + "/" + Connection.Database);
        }

        public Npgsql.NpgsqlConnectionStringBuilder Connection { get; }

        public ProgramRunner Program { get; }

        public async ValueTask DisposeAsync() => await _server.DropDatabaseAsync(Connection.Database!, CancellationToken.None);
    }
}
