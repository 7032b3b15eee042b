using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

/// <summary>
/// Every job that can be split, done by four processes at once, one of them killed and run again and one run twice: what is stored in the end is what
/// one process alone stores, but for the numbers rows get.
/// </summary>
public sealed class ShardedJobsTests(PostgresServer server)
{
    private const int Shards = 4;

    private static readonly DateTimeOffset T0 = new(2026, 3, 16, 10, 0, 0, TimeSpan.Zero);

    /// <summary>In this order; a deal's number is an input of its prediction, so those that get theirs here come last.</summary>
    private static readonly string[] s_jobs =
        ["scoring score", "ml predict", "followup create-tasks", "campaigns advance", "pipeline advance", "scoring qualify"];

    [Fact]
    public void Jobs_ThatTakeShards_AreTriedHere() => Assert.Equal(
        Commands.Dags.SelectMany(dag => dag.Steps).Where(step => step.Parameters.All.Contains(CommonParameters.Shard)).Select(step => step.Name).Distinct().Order(),
        s_jobs.Order());

    [Fact]
    public async Task Jobs_InFourProcessesOneKilled_StoreWhatOneProcessStores()
    {
        await using var whole = await CreateAsync();
        await using var sharded = await CreateAsync();
        foreach (var job in s_jobs)
        {
            (await ProgramRunner.For(whole).RunAsync(Arguments(job))).ShouldExitWith(ExitCode.Done);
            await RunShardsAsync(sharded, job);

            var (expected, actual) = (await StateAsync(whole), await StateAsync(sharded));
            Assert.True(expected.Count > 20);
            var different = expected.Where(table => actual[table.Key] != table.Value).Select(table => $"{table.Key}: {table.Value} and {actual[table.Key]}").ToList();
            Assert.True(different.Count == 0, $"{job}: one process and four processes differ in {string.Join("; ", different)}");
        }

        // Each shard is a step of its own to Airflow, whose tries are told apart by its map index.
        Assert.Equal(
            s_jobs.SelectMany(job => Enumerable.Range(0, Shards).Select(shard => $"{job} {shard}")).Order(),
            await sharded.QueryAsync("SELECT DISTINCT command || ' ' || map_index FROM task_runs WHERE exit_code = 0 ORDER BY 1", row => row.GetString(0)));
    }

    private static async Task RunShardsAsync(TestDatabase database, string job)
    {
        RunningProgram Start(int shard) => ProgramRunner.For(database)
            .With("SALES_DAG_ID", "sharded").With("SALES_TASK_ID", job.Replace(' ', '_')).With("SALES_RUN_ID", "run").With("SALES_MAP_INDEX", $"{shard}")
            .Start([.. Arguments(job), "--shard", $"{shard}/{Shards}"]);

        var running = Enumerable.Range(0, Shards).Select(Start).ToList();
        await running[1].HasLoggedAsync("started");
        running[1].Kill();
        foreach (var shard in running.Where((_, index) => index != 1))
        {
            (await shard.Completion).ShouldExitWith(ExitCode.Done);
        }

        await running[1].Completion;
        (await Start(1).Completion).ShouldExitWith(ExitCode.Done);
        var before = await StateAsync(database);
        (await Start(2).Completion).ShouldExitWith(ExitCode.Done);
        Assert.Equal(before, await StateAsync(database));
    }

    private static string[] Arguments(string job) => [.. job.Split(' '), "--as-of", T0.ToString("O")];

    /// <summary>The content of each table without what the database hands out itself: numbers, instants of the server's clock, and the run.</summary>
    private static async Task<SortedDictionary<string, string>> StateAsync(TestDatabase database)
    {
        var tables = await database.QueryAsync(
            """
            SELECT c.relname, array(
              SELECT a.attname::text
              FROM pg_attribute a
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE a.attrelid = c.oid AND a.attnum > 0
                AND (a.attidentity <> '' OR a.attname IN ('run', 'row_key', 'pipeline_id', 'execution_id', 'campaign_event_id', 'source_id')
                  OR (NOT a.attisdropped AND pg_get_expr(d.adbin, d.adrelid) ~ '(clock_timestamp|\ynow)\(|CURRENT_TIMESTAMP')))
            FROM pg_class c
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'task_runs'
            """,
            row => (Name: row.GetString(0), Numbers: row.GetFieldValue<string[]>(1)));
        var state = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, numbers) in tables)
        {
            state[name] = (await database.ScalarAsync<string>(
                $"""
                SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(j::text, chr(10) ORDER BY j::text)), '')
                FROM (SELECT to_jsonb(t) - @numbers AS j FROM "{name}" AS t) AS rows
                """,
                ("numbers", numbers)))!;
        }

        return state;
    }

    /// <summary>Leads and deals whose ids lie far apart, so that each shard has some; half of the leads have a deal, which had a bit of everything.</summary>
    private async Task<TestDatabase> CreateAsync()
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.WorkAtAsync(T0);
        await database.ExecuteAsync(
            """
            INSERT INTO leads (lead_id, ext_id, source, first_name, email, phone, demo_requested, time_zone, created_at)
            OVERRIDING SYSTEM VALUE
            SELECT i * 2048, 's' || i, (ARRAY['organic', 'paid', 'social'])[1 + i % 3], 'Ana', 's' || i || '@acme.example', '+1 202 555 0100', i % 2 = 1, 'UTC',
              @now - i * interval '1 hour'
            FROM generate_series(1, 240) AS i;
            INSERT INTO sales_pipeline (id, lead_ext_id, email, stage, qualified_at, next_followup_at, estimated_value)
            OVERRIDING SYSTEM VALUE
            SELECT lead_id / 4, ext_id, email, CASE WHEN lead_id / 2048 % 4 = 0 THEN 'qualified' ELSE 'contacted' END::pipeline_stage, @now - interval '20 days',
              @now - interval '1 hour', 1000 + lead_id % 7
            FROM leads WHERE lead_id / 2048 % 2 = 0;
            UPDATE sales_stage_history SET changed_at = @now - interval '20 days';
            INSERT INTO sales_campaigns (name, campaign_type, steps_config)
            VALUES ('c', 'email_sequence', '[{"type": "email", "subject": "Hello {{ first_name }}", "body": "A word."}, {"type": "task", "title": "Call"}]');
            INSERT INTO sales_campaign_executions (id, campaign_id, lead_ext_id, pipeline_id, total_steps, started_at, next_action_at)
            OVERRIDING SYSTEM VALUE
            SELECT p.id, c.id, p.lead_ext_id, p.id, 2, @now - interval '1 day', @now - interval '1 hour' FROM sales_pipeline p, sales_campaigns c WHERE p.id / 512 % 3 > 0;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, created_at)
            SELECT id, lead_ext_id, (ARRAY['call', 'meeting', 'proposal'])[1 + id / 512 % 3], 'x', 'completed', @now - interval '2 hours', @now - interval '3 days'
            FROM sales_pipeline WHERE id / 512 % 4 = 2;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT lead_ext_id, 'reply', @now - interval '1 hour', 'test', lead_ext_id FROM sales_pipeline WHERE id / 512 % 6 = 2;
            """,
            ("now", T0));
        return database;
    }
}
