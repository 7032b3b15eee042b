using SalesTasks.Tests.Image;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Dags;

/// <summary>
/// Each DAG run by Airflow itself, every step in a container of the real image on a real Docker engine, against the test PostgreSQL. Where
/// Airflow is not installed (it is no prerequisite of the tests, on a build server neither) these are skipped; all other tests of the DAGs
/// run everywhere.
/// </summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class AirflowRunTests(BuiltImage image, TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly Dictionary<string, string> s_conf = new(StringComparer.Ordinal)
    {
        ["sales_lead_ingest"] = """{"path": "/leads/leads.csv"}""",
    };

    public static TheoryData<string> Ids => [.. Commands.Dags.Select(dag => dag.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Dag_RunByAirflow_DoesEveryStepInItsContainer(string id)
    {
        await NeedAirflowAsync();
        await image.BuildAsync();
        await image.DockerAsync("tag", "{image}", "sales-tasks-test:dags");
        var home = Directory.CreateTempSubdirectory("sales-tasks-airflow-").FullName;
        // The container's user is not ours.
        File.SetUnixFileMode(Directory.CreateDirectory($"{home}/backups").FullName, (UnixFileMode)0b111_111_111);
        try
        {
            var run = await Checkout.RunAsync(
                "env",
                [
                    .. Environment(home), "python3", "-W", "ignore", $"{Checkout.Root}/tests/dags/run_dag.py", id, s_conf.GetValueOrDefault(id, "{}"),
                ]);

            Assert.True(run.ExitCode == 0, run.Output + run.Errors);
            var tasks = Json.Parse(run.Output.TrimEnd('\n').Split('\n')[^1]);
            var steps = Commands.Dags.Single(dag => dag.Id == id).Steps;
            Assert.Equal(steps.Length, tasks.EnumerateObject().Count());
            Assert.All(steps.Zip(tasks.EnumerateObject()), pair =>
            {
                Assert.Equal("success", DagFiles.Text(pair.Second.Value, "state"));
                // A dictionary, as a task downstream gets it.
                Assert.Equal(pair.First.Name, DagFiles.Text(pair.Second.Value.GetProperty("result"), "task"));
                Assert.Contains("SALES_RUN_ID", pair.Second.Value.GetProperty("shown").GetRawText());
            });
            // A person's own test server may have a password that is an ordinary word; the private one's is random.
            if (database.Connection.Password is { Length: >= 16 } secret)
            {
                Assert.DoesNotContain(secret, run.Output + run.Errors);
            }

            Assert.Equal(
                steps.Length,
                await database.ScalarAsync<long>($"SELECT count(DISTINCT task_id) FROM task_runs WHERE dag_id = '{id}' AND exit_code = 0"));
            Assert.Empty((await image.DockerAsync("ps", "--all", "--quiet", "--filter", $"label=com.sales-tasks.instance={home}")).Output);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static async Task NeedAirflowAsync()
    {
        var (exitCode, _, errors) = await Python.RunAsync("-c", "from airflow.providers.docker.operators.docker import DockerOperator");
        if (exitCode != 0)
        {
            Assert.Skip($"python3 cannot import Airflow with its Docker provider: {errors.TrimEnd('\n').Split('\n')[^1]}");
        }
    }

    private IEnumerable<string> Environment(string home) =>
    [
        "PYTHONDONTWRITEBYTECODE=1",
        $"AIRFLOW_HOME={home}",
        $"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__EXECUTOR=SequentialExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES=false",
        $"AIRFLOW__CORE__DAGS_FOLDER={Checkout.Root}/dags",
        $"AIRFLOW_CONN_SALES_POSTGRES={database.AirflowUri}",
        "SALES_RUNTIME=docker",
        "SALES_IMAGE=sales-tasks-test:dags",
        $"SALES_INSTANCE={home}",
        "SALES_DOCKER_NETWORK=host",
        $"SALES_LEADS_VOLUME={Checkout.Root}/examples/leads",
        $"SALES_BACKUP_VOLUME={home}/backups",
        .. image.EngineHost is { } host ? [$"DOCKER_HOST={host}"] : Array.Empty<string>(),
    ];
}
