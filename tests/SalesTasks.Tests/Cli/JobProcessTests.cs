using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

/// <summary>
/// The program as Airflow runs it: bad input gets a clear answer with the right code, and output is what a machine can read.
/// </summary>
public sealed class JobProcessTests(PostgresServer server, TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"min_scor": 1}""", "", "SALES_PARAMS: unknown parameter 'min_scor'")]
    [InlineData("""{"everything": "yes"}""", "", "SALES_PARAMS: everything = '\"yes\"' is not allowed; allowed: true or false")]
    [InlineData("""{"min_score_to_qualify": 101}""", "", "= '101' is not allowed; allowed: a whole number from 0 to 100")]
    [InlineData("{", "", "SALES_PARAMS: it is not valid JSON (line 1, column 2); allowed: one JSON object, such as {\"dry_run\": true}")]
    [InlineData("""{"as_of": "\ud800"}""", "", "SALES_PARAMS: it is not valid JSON (a \\u escape is one half of a surrogate pair)")]
    [InlineData("", "--max-leads-per-run -1", "--max-leads-per-run: '-1' is not allowed; allowed: a whole number from 0 to 2147483647")]
    [InlineData("", "--as-of 2026-01-31T06:00:00", "'2026-01-31T06:00:00' is not allowed; allowed: an ISO 8601 instant with offset")]
    [InlineData("", "--bogus", "'--bogus' is not known here\nallowed here: --enable-ml-scoring")]
    [InlineData("", "qualify", "'qualify' is not known here")]
    public async Task Score_BadParameters_AreRefused(string salesParams, string arguments, string fault)
    {
        var result = await RunAsync(
            ProgramRunner.For(database).With("SALES_PARAMS", salesParams),
            ["scoring", "score", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        result.ShouldExitWith(ExitCode.Usage);
        Assert.Contains(fault, Fault(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnknownCommand_OfAnyKind_SaysWhatIsAllowedAndPrintsNoResult()
    {
        var result = (await ProgramRunner.For(database).RunAsync("scoring", "scroe")).ShouldExitWith(ExitCode.Usage);

        Assert.Empty(result.Output);
        Assert.Contains("'scroe' is not known here", result.Errors, StringComparison.Ordinal);
        Assert.Contains("allowed here: qualify, rules, score, summarize", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Connection 'sales_postgres' is not defined")]
    [InlineData("postgres://sales:sEcret%zz@", "Connection 'sales_postgres' (environment variable AIRFLOW_CONN_SALES_POSTGRES)")]
    [InlineData("""{"conn_type": "postgres", "passwort": "sEcret"}""", "key 'passwort' is not allowed")]
    [InlineData("mysql://sales:sEcret@localhost/sales", "its type is 'mysql' but must be 'postgres'")]
    public async Task Score_UnusableConnection_IsRefused(string connection, string fault)
    {
        var result = await RunAsync(ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", connection), "scoring", "score");

        result.ShouldExitWith(ExitCode.Usage);
        Assert.Contains(fault, Fault(result), StringComparison.Ordinal);
        Assert.DoesNotContain("sEcret", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_WrongPassword_IsRefusedWithoutShowingIt()
    {
        await using var role = await TestRole.CreateAsync(database);
        const string wrong = "not/the:p@ss word";

        var result = await RunAsync(Connecting(new(role.Connection.ConnectionString) { Password = wrong }), "scoring", "score");

        result.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("(SQLSTATE 28P01). Check user and password of the connection", Fault(result), StringComparison.Ordinal);
        Assert.All(
            (string[])[wrong, Uri.EscapeDataString(wrong), "ss word"],
            part => Assert.DoesNotContain(part, result.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Score_NoSuchDatabase_IsRefused()
    {
        var connection = new NpgsqlConnectionStringBuilder(database.Connection.ConnectionString) { Database = "no_such_database" };

        var result = await RunAsync(Connecting(connection), "scoring", "score");

        result.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("\"no_such_database\"", Fault(result), StringComparison.Ordinal);
        Assert.Contains("Create the database or correct the connection.", Fault(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_ServerDown_IsTemporary()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var connection = new NpgsqlConnectionStringBuilder(database.Connection.ConnectionString) { Host = "127.0.0.1", Port = port };
        var result = await RunAsync(Connecting(connection), "scoring", "score");

        result.ShouldExitWith(ExitCode.TemporaryFailure);
        Assert.Contains($"127.0.0.1:{port}", Fault(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_ServerThatNeverAnswers_IsTemporary()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var connection = $"postgres://sales:x@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/sales?connect_timeout=1";

        var result = await RunAsync(ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", connection), "scoring", "score");

        result.ShouldExitWith(ExitCode.TemporaryFailure);
    }

    [Fact]
    public async Task Score_SchemaMissing_IsRefused()
    {
        await using var empty = await TestDatabase.CreateAsync(server, migrated: false);

        var result = await RunAsync(ProgramRunner.For(empty), "scoring", "score");

        result.ShouldExitWith(ExitCode.Refused);
        Assert.Contains("run \"sales-tasks db migrate\"", Fault(result), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)", "run \"sales-tasks db migrate\"")]
    [InlineData(
        "INSERT INTO schema_migrations SELECT 9999, 'future', '', applied_at, 1, '9.9.9' FROM schema_migrations LIMIT 1",
        "upgrade the program image to 9.9.9 or later")]
    public async Task Score_SchemaOfAnotherVersion_IsRefusedBeforeAnyWork(string change, string advice)
    {
        await using var other = await TestDatabase.CreateAsync(server);
        await other.ExecuteAsync(change);
        var before = await other.FingerprintAsync();

        var result = await RunAsync(ProgramRunner.For(other), "scoring", "score");

        result.ShouldExitWith(ExitCode.Refused);
        Assert.Contains(advice, Fault(result), StringComparison.Ordinal);
        Assert.Equal(before, await other.FingerprintAsync());
    }

    [Fact]
    public async Task Score_RoleThatMayOnlyRead_ReportsADryRunAndIsRefusedOtherwise()
    {
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync(
            $"GRANT USAGE ON SCHEMA public TO {role.Name}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}");

        (await RunAsync(Connecting(role.Connection), "scoring", "score", "--dry-run")).ShouldExitWith(ExitCode.Done);
        var result = (await RunAsync(Connecting(role.Connection), "scoring", "score")).ShouldExitWith(ExitCode.Refused);

        Assert.Contains("Grant the role what it lacks", Fault(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_WrongLogLevelAndResultPath_AreRefusedTogether()
    {
        var result = await RunAsync(
            ProgramRunner.For(database).With("SALES_LOG_LEVEL", "INFO").With("SALES_RESULT_PATH", "/nowhere/result.json"),
            "scoring",
            "score");

        result.ShouldExitWith(ExitCode.Usage);
        Assert.Contains("SALES_LOG_LEVEL: 'INFO' is not allowed", Fault(result), StringComparison.Ordinal);
        Assert.Contains("SALES_RESULT_PATH: '/nowhere/result.json' cannot be written", Fault(result), StringComparison.Ordinal);
    }

    /// <summary>A whole DAG run as Airflow does it: all of the DAG's params to every step; before it, the same dry.</summary>
    [Fact]
    public async Task ScoringDag_DryThenReal_ForetellsWhatItDoesAndWritesOnlyThen()
    {
        await using var own = await TestDatabase.CreateAsync(server);
        await own.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, phone, first_name, demo_requested)
            SELECT 'lead ' || n, 'organic', n || '@acme.example', '+34 600 000 000', 'Ana', n % 2 = 0 FROM generate_series(1, 40) AS n
            """);
        const string parameters =
            """{"min_score_to_qualify": 50.0, "dry_run": DRY, "shard": null, "as_of": null, "auto_qualify_for_sales": true}""";
        foreach (var step in (string[])["score", "qualify", "summarize"])
        {
            var before = await own.FingerprintAsync();
            var dry = (await StepAsync("true")).ShouldExitWith(ExitCode.Done).Result;
            Assert.Equal(before, await own.FingerprintAsync());
            Assert.True(dry.GetProperty("dry_run").GetBoolean());

            var path = Path.GetTempFileName();
            var real = (await StepAsync("false", path)).ShouldExitWith(ExitCode.Done);
            Assert.Equal(dry.GetProperty("counts").GetRawText(), real.Result.GetProperty("counts").GetRawText());
            Assert.Equal(real.Output.TrimEnd('\n'), await File.ReadAllTextAsync(path, Token));
            File.Delete(path);

            Task<ProgramResult> StepAsync(string dryRun, string? resultPath = null) => RunAsync(
                ProgramRunner.For(own)
                    .With("SALES_DAG_ID", "lead_scoring_automation")
                    .With("SALES_TASK_ID", step)
                    .With("SALES_RUN_ID", "scheduled__2026-01-31T06:00:00+00:00")
                    .With("SALES_MAP_INDEX", "-1")
                    .With("SALES_LOGICAL_DATE", "2026-01-31T06:00:00+00:00")
                    .With("SALES_PARAMS", parameters.Replace("DRY", dryRun, StringComparison.Ordinal))
                    .With("SALES_RESULT_PATH", resultPath ?? ""),
                "scoring",
                step);
        }

        Assert.Equal(40, await own.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline"));
        Assert.Equal(
            ["score: scoring score", "qualify: scoring qualify", "summarize: scoring summarize"],
            await own.QueryAsync(
                "SELECT task_id || ': ' || command FROM task_runs WHERE dag_id = 'lead_scoring_automation' ORDER BY id",
                reader => reader.GetString(0)));
        Assert.DoesNotContain(
            own.Connection.Password!,
            await own.ScalarAsync<string>("SELECT string_agg(t::text, '') FROM task_runs t") ?? "",
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Score_NothingToDoAndSkipWanted_EndsWith99()
    {
        await using var empty = await TestDatabase.CreateAsync(server);

        var result = await RunAsync(ProgramRunner.For(empty), "scoring", "score", "--skip-when-idle");

        result.ShouldExitWith(ExitCode.NothingToDo);
        Assert.Equal("nothing_to_do", Text(result.Result, "status"));
        Assert.Equal("skipped", await empty.ScalarAsync<string>("SELECT status FROM task_runs"));
    }

    private static ProgramRunner Connecting(NpgsqlConnectionStringBuilder connection) => ProgramRunner.Bare.With(
        "AIRFLOW_CONN_SALES_POSTGRES",
        JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["conn_type"] = "postgres",
            ["host"] = connection.Host,
            ["port"] = connection.Port,
            ["login"] = connection.Username,
            ["password"] = connection.Password,
            ["schema"] = connection.Database,
        }));

    /// <summary>Runs a job and checks what holds for every one, whatever happens.</summary>
    private async Task<ProgramResult> RunAsync(ProgramRunner program, params string[] arguments)
    {
        var result = await program.RunAsync(arguments);

        Assert.EndsWith("\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(1, result.Output.Count(c => c == '\n'));
        Assert.All(result.Output.TrimEnd('\n'), c => Assert.InRange(c, ' ', '~'));
        Assert.Equal(result.ExitCode, result.Result.GetProperty("exit_code").GetInt32());
        var names = result.Result.EnumerateObject().Select(member => member.Name).ToList();
        Assert.Equal(["task", "status", "run_id", "dry_run", "exit_code", "counts"], names.Take(6));
        Assert.Equal("duration_ms", names[^1]);

        var lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines.Select(Json.Parse), line =>
        {
            Assert.All((string[])["@t", "@m", "dag_id", "task_id", "version"], name => Assert.NotEmpty(Text(line, name)));
            Assert.Equal(Text(result.Result, "run_id"), Text(line, "run_id"));
            Assert.Equal(string.Join(' ', arguments.Take(2)), Text(line, "command"));
            Assert.Equal((-1, 1), (line.GetProperty("map_index").GetInt32(), line.GetProperty("try_number").GetInt32()));
        });
        Assert.DoesNotContain(database.Connection.Password!, result.ToString(), StringComparison.Ordinal);
        return result;
    }

    private static string Fault(ProgramResult result) => Text(result.Result, "error");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
