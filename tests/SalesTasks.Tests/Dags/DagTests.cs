using System.Text.Json;
using System.Xml.Linq;
using SalesTasks.Cli;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Dags;

/// <summary>The DAG files against the program: they may promise nothing that it does not have, and leave out nothing that it has.</summary>
public sealed class DagTests(DagFiles files)
{
    /// <summary>When a DAG runs is a promise to its users; null is by hand.</summary>
    private static readonly Dictionary<string, string?> s_schedules = new(StringComparer.Ordinal)
    {
        ["lead_scoring_automation"] = "0 */6 * * *",
        ["sales_followup_automation"] = "0 */2 * * *",
        ["sales_intelligent_routing"] = "0 */3 * * *",
        ["sales_alerts_intelligent"] = "0 */2 * * *",
        ["sales_ml_predictions"] = "0 */6 * * *",
        ["sales_ml_training"] = "0 3 * * 0",
        ["sales_timing_optimizer"] = "0 0 * * 1",
        ["sales_analytics_reports"] = "0 9 * * 1",
        ["sales_crm_sync"] = "0 */4 * * *",
        ["sales_lead_ingest"] = null,
        ["sales_maintenance"] = "30 2 * * *",
    };

    public static TheoryData<string> Ids => [.. Commands.Dags.Select(dag => dag.Id)];

    [Fact]
    public async Task Files_All_AreTheProgramsDagsAndNothingElse()
    {
        var found = await files.AllAsync();

        Assert.Equal(Commands.Dags.Select(dag => dag.Id).Order(StringComparer.Ordinal), found.Select(dag => DagFiles.Text(dag, "id")));
        Assert.All(found, dag => Assert.Equal(DagFiles.Text(dag, "file"), DagFiles.Text(dag, "id")));
    }

    [Fact]
    public async Task Files_All_AreThinAndFoundByAirflow()
    {
        var document = await files.ReadAsync();

        Assert.All(document.GetProperty("dags").EnumerateArray(), dag =>
        {
            Assert.Empty(DagFiles.Texts(dag, "problems"));
            Assert.True(dag.GetProperty("discoverable").GetBoolean(), "Airflow looks only into files with the words dag and airflow.");
        });
        Assert.Empty(DagFiles.Texts(document, "shared_problems"));
        Assert.Contains("dag.py", DagFiles.Texts(document, "shared_files"));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Dag_Steps_AreTheProgramsInItsOrder(string id)
    {
        var dag = await files.DagAsync(id);
        var program = Commands.Dags.Single(d => d.Id == id);

        Assert.Equal(
            program.Steps.Select(step => string.Join(' ', program.Arguments(step))),
            dag.GetProperty("steps").EnumerateArray().Select(Arguments));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Dag_ScheduleAndPage_AreAsPromised(string id)
    {
        var dag = await files.DagAsync(id);
        var options = dag.GetProperty("options");

        Assert.Equal(s_schedules[id], DagFiles.Text(options, "schedule"));
        Assert.Equal("__doc__", DagFiles.Text(options, "doc"));
        Assert.NotEmpty(DagFiles.Text(dag, "doc")!);
        Assert.NotEmpty(DagFiles.Texts(options, "tags"));
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Dag_StepOptions_AreFlagsThatTheProgramTakes(string id)
    {
        foreach (var (job, step) in await StepsAsync(id))
        {
            if (!step.TryGetProperty("options", out var options))
            {
                continue;
            }

            Assert.All(options.EnumerateObject(), option =>
                Assert.True(job.Parameters.Find(option.Name)?.Parse(option.Value) is not null, $"{job.Name}: {option} is not allowed"));
        }
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Dag_Shards_AreUsedWhereTheStepCanBeSplit(string id) => Assert.All(
        await StepsAsync(id),
        pair => Assert.Equal(
            ReferenceEquals(pair.Job.Parameters.Find("shard"), CommonParameters.Shard),
            pair.Step.TryGetProperty("sharded", out var sharded) && sharded.GetBoolean()));

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Dag_PoolsAndTables_Exist(string id)
    {
        var pools = Json.Parse(await ReadAsync("dags/pools.json"));
        var migrations = string.Concat(
            Directory.EnumerateFiles($"{Checkout.Root}/sql/migrations", "*.sql").Select(File.ReadAllText));

        Assert.All(await StepsAsync(id), pair =>
        {
            var expected = pair.Job.Name.Split(' ')[0] switch
            {
                "ml" => "sales_ml",
                "outbox" => "sales_messages",
                "crm" => "sales_crm",
                _ => "sales_pipeline",
            };
            Assert.Equal((pair.Job.Name, expected), (pair.Job.Name, DagFiles.Text(pair.Step, "pool") ?? "sales_pipeline"));
            Assert.True(pools.TryGetProperty(DagFiles.Text(pair.Step, "pool") ?? "sales_pipeline", out _), $"{pair.Job.Name}: no such pool");
            // The score history is a view over its partitions.
            Assert.All(
                DagFiles.Texts(pair.Step, "updates"),
                table => Assert.True(
                    migrations.Contains($"CREATE TABLE {table} (", StringComparison.Ordinal)
                    || migrations.Contains($"CREATE VIEW {table} AS", StringComparison.Ordinal),
                    $"{pair.Job.Name}: there is no table {table}"));
        });
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Schema_EachDag_IsWhatTheProgramSaysToday(string id)
    {
        var host = new TestHost();
        await host.RunAsync("params", id, "--schema");

        Assert.True(
            host.Output == await ReadAsync($"dags/schemas/{id}.json"),
            $"dags/schemas/{id}.json is out of date. This makes all of them anew:\n"
            + "for f in dags/*.py; do d=$(basename \"$f\" .py); ./sales-tasks params \"$d\" --schema > \"dags/schemas/$d.json\"; done");
    }

    [Fact]
    public void Schemas_All_BelongToADag() => Assert.Equal(
        Commands.Dags.Select(dag => dag.Id).Order(StringComparer.Ordinal),
        Directory.EnumerateFiles($"{Checkout.Root}/dags/schemas").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));

    [Fact]
    public async Task Pools_All_HaveSlotsAndDescription() => Assert.All(
        Json.Parse(await ReadAsync("dags/pools.json")).EnumerateObject(),
        pool => Assert.True(pool.Value.GetProperty("slots").GetInt32() > 0 && DagFiles.Text(pool.Value, "description") is { Length: > 0 }));

    [Fact]
    public async Task SharedModule_ImageByDefault_IsThisVersion()
    {
        var version = XDocument.Load($"{Checkout.Root}/Directory.Build.props").Descendants("Version").Single().Value;

        Assert.Contains($"image: str = \"sales-tasks:{version}\"", await ReadAsync("dags/sales_tasks/contract.py"));
        Assert.Contains($"sales-tasks:{version}", await ReadAsync("docker-compose.airflow.yml"));
        Assert.Contains($"sales-tasks:{version}", await ReadAsync(".env.example"));
    }

    /// <summary>A step of a DAG file as the program is called: its command and the flags that are always set.</summary>
    private static string Arguments(JsonElement step) => string.Join(
        ' ',
        [
            DagFiles.Text(step, "command"),
            .. step.TryGetProperty("options", out var options)
                ? options.EnumerateObject().Select(option => "--" + option.Name.Replace('_', '-'))
                : [],
        ]);

    private static async Task<string> ReadAsync(string path) =>
        await File.ReadAllTextAsync($"{Checkout.Root}/{path}", TestContext.Current.CancellationToken);

    private async Task<IReadOnlyList<(JobDefinition Job, JsonElement Step)>> StepsAsync(string id)
    {
        var jobs = Commands.Dags.Single(dag => dag.Id == id).Steps;
        var steps = (await files.DagAsync(id)).GetProperty("steps").EnumerateArray().ToList();
        Assert.Equal(jobs.Length, steps.Count);
        return [.. jobs.Zip(steps)];
    }
}
