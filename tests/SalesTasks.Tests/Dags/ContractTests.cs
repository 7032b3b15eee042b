using System.Globalization;
using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Repository;

namespace SalesTasks.Tests.Dags;

/// <summary>Both ends of what Airflow hands to a container and takes back from it: the Python that writes and the program that reads.</summary>
public sealed class ContractTests
{
    private static readonly string s_script = $"{Checkout.Root}/tests/dags/say_contract.py";

    [Fact]
    public async Task Environment_AsAirflowRendersIt_IsTheRunsIdentity()
    {
        // What the templates give in a run, and where a run has no dates.
        Dictionary<string, string> rendered = new(StringComparer.Ordinal)
        {
            ["{{ params | tojson }}"] = "{\"dry_run\": true}",
            ["{{ dag.dag_id }}"] = "d",
            ["{{ task.task_id }}"] = "t",
            ["{{ run_id }}"] = "manual__2026-01-31T06:00:00+00:00",
            ["{{ logical_date | ts }}"] = "2026-01-31T06:00:00.123456+00:00",
            ["{{ data_interval_start | ts }}"] = "2026-01-31T06:00:00+00:00",
            ["{{ data_interval_end | ts }}"] = "None",
            ["{{ ti.try_number }}"] = "2",
            ["{{ ti.map_index }}"] = "-1",
        };
        var environment = (await Python.JsonAsync(s_script)).GetProperty("environment").EnumerateObject()
            .ToDictionary(variable => variable.Name, variable => rendered[variable.Value.GetString()!], StringComparer.Ordinal);
        List<string> faults = [];
        var run = RunIdentity.Read(environment.GetValueOrDefault, "scoring score", TimeProvider.System, faults);

        Assert.Empty(faults);
        Assert.Equal(("d/t/manual__2026-01-31T06:00:00+00:00/-1", 2), (run.IdempotencyKey, run.TryNumber));
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 6, 0, 0, TimeSpan.Zero).AddTicks(1_234_560), run.LogicalDate);
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 6, 0, 0, TimeSpan.Zero), run.DataIntervalStart);
        Assert.Null(run.DataIntervalEnd);
        Assert.Equal("{\"dry_run\": true}", environment["SALES_PARAMS"]);
    }

    [Fact]
    public async Task Connections_AsTheOperatorWritesThem_AreReadAsTheyAre()
    {
        var connections = (await Python.JsonAsync(s_script)).GetProperty("connections").EnumerateArray().ToList();
        Assert.NotEmpty(connections);

        Assert.All(connections, expected =>
        {
            var read = AirflowConnection.Parse(new ConnectionSource("c", "test"), expected.GetProperty("json").GetString()!);

            Assert.Equal(DagFiles.Text(expected, "conn_type") ?? "", read.Type);
            Assert.Equal(NullIfEmpty(DagFiles.Text(expected, "host")), read.Host);
            Assert.Equal(NullIfEmpty(DagFiles.Text(expected, "login")), read.Login);
            Assert.Equal(NullIfEmpty(DagFiles.Text(expected, "password")), read.Password);
            Assert.Equal(NullIfEmpty(DagFiles.Text(expected, "schema")), read.Schema);
            Assert.Equal(NullIfEmpty(DagFiles.Text(expected, "extra")), read.Extra);
            Assert.Equal(expected.GetProperty("port") is { ValueKind: JsonValueKind.Number } port ? port.GetInt32() : null, read.Port);
        });
    }

    [Fact]
    public async Task ConnectionRoles_All_AreTheVariablesThatTheProgramReads()
    {
        var variables = typeof(ConnectionIds).GetFields().Where(field => field.Name.EndsWith("Variable", StringComparison.Ordinal))
            .Select(field => (string)field.GetValue(null)!);
        var said = await Python.JsonAsync(s_script);

        Assert.Equal(variables.Order(StringComparer.Ordinal), DagFiles.Texts(said, "connection_variables").Order(StringComparer.Ordinal));
        Assert.Equal(ConnectionIds.DefaultPostgres, DagFiles.Text(said, "default_postgres"));
    }

    [Fact]
    public async Task ExitCodes_EachOneAJobEndsWith_HasItsOutcome()
    {
        var outcomes = (await Python.JsonAsync(s_script)).GetProperty("outcomes");
        var expected = new Dictionary<ExitCode, string>
        {
            [ExitCode.Done] = "done",
            [ExitCode.Usage] = "fail",
            [ExitCode.Refused] = "fail",
            [ExitCode.Defect] = "fail",
            [ExitCode.TemporaryFailure] = "retry",
            [ExitCode.NothingToDo] = "skip",
            [ExitCode.Stopped] = "retry",
            // health's, which is no job
            [ExitCode.Degraded] = "retry",
            [ExitCode.Critical] = "retry",
        };

        Assert.All(Enum.GetValues<ExitCode>(), code =>
            Assert.Equal(expected[code], DagFiles.Text(outcomes, ((int)code).ToString(CultureInfo.InvariantCulture))));
    }

    [Fact]
    public async Task Result_OfAFailure_TellsItsReasonInAirflow()
    {
        var host = new TestHost();
        await host.RunAsync("scoring", "score", "--dry-run=maybe");
        var said = await Python.JsonAsync(s_script, host.Output);

        Assert.Equal(
            "scoring score ended with 64 (wrong usage, parameters or configuration; a retry cannot help): "
            + "--dry-run: 'maybe' is not allowed; allowed: true or false",
            DagFiles.Text(said, "ending"));
    }

    private static string? NullIfEmpty(string? text) => text is { Length: > 0 } ? text : null;
}
