using SalesTasks.Demo;
using SalesTasks.Tests.Crm;
using SalesTasks.Tests.Encryption;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Roles;

/// <summary>The worker's login runs everything that is run by schedule and by people, and cannot do what is the owner's.</summary>
public sealed class WorkerTests(RoledDatabase roled) : IClassFixture<RoledDatabase>
{
    [Fact]
    public async Task EveryJob_AsTheWorker_RunsAndLeavesASoundDatabase()
    {
        var now = TimeProvider.System.GetUtcNow();
        var present = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        await using (var target = roled.Database.Open(present))
        {
            await new SampleLoader(target, new SampleGenerator(new SampleOptions(present) { Leads = 400 }))
                .LoadAsync(progress: null, TestContext.Current.CancellationToken);
        }

        // Made by who loaded the sample, and no part of the schema.
        await roled.Database.ExecuteAsync("DROP TABLE demo_truth");
        await using var worker = await TestDatabase.OverAsync(roled.ConnectionOf(roled.Login("worker")));
        await using var crm = new CrmRig(worker, "hubspot");

        // What the contract's jobs find is sealed, as in a database that uses all there is.
        crm.Variables[Keys.Variable] = Keys.Connection();
        await SucceedsAsync(crm, "privacy", "encrypt");
        foreach (var (dag, job) in Commands.DemoDags.SelectMany(dag => dag.Steps, (dag, job) => (dag, job)))
        {
            var answer = await crm.RunAsync([.. dag.Arguments(job), "--as-of", present.ToString("O")]);
            Assert.True(answer.ExitCode is ExitCode.Done, $"{job.Name}: {answer}");
            Assert.True(job.Name != "db maintain" || answer["skipped"] == 0, answer.ToString());
        }

        await using (var other = new CrmRig(worker, "salesforce"))
        {
            other.Variables[Keys.Variable] = Keys.Connection();
            await other.SyncAsync("--as-of", present.ToString("O"));
        }

        var lead = await worker.ScalarAsync<string>("SELECT min(lead_ext_id) FROM sales_pipeline");
        var erased = await worker.ScalarAsync<string>("SELECT max(lead_ext_id) FROM sales_pipeline");
        foreach (var command in (string[][])
        [
            ["privacy", "export", erased!, "--out", "-"], ["privacy", "erase", erased!, "--yes"], ["privacy", "allow", erased!],
            ["privacy", "retention", "set", "task_runs", "365"], ["privacy", "retention", "run"], ["crm", "push", "--as-of", present.ToString("O")],
            ["privacy", "encrypt", "--rotate"], ["privacy", "decrypt", "--yes"],
        ])
        {
            await SucceedsAsync(crm, command);
        }

        foreach (var command in (string[][])
        [
            ["health", "--json"], ["insights", "top"], ["reps", "list"], ["reps", "add", "new@sales.example", "--name", "New"], ["explain", lead!],
            ["leads", "show", lead!], ["campaigns", "list"], ["outbox", "list"], ["outbox", "policy"], ["alerts", "list"], ["ml", "models"],
            ["scoring", "rules", "show"], ["timing", "show"], ["suppressions", "count"], ["db", "status"], ["db", "roles", "status"], ["audit", "list"],
            ["audit", "retention"], ["experiment", "show"], ["crm", "status"], ["privacy", "requests"], ["privacy", "retention", "show"], ["backup", "list", "--backup-folder", Path.GetTempPath()],
            ["validate"],
        ])
        {
            var answer = await crm.RunAsync(command);
            Assert.True(answer.ExitCode is ExitCode.Done or ExitCode.Degraded or ExitCode.Critical, $"{string.Join(' ', command)}: {answer}");
            Assert.DoesNotContain("42501", answer.Errors, StringComparison.Ordinal);
        }

        var findings = await Sound.FindAsync(worker, present);
        Assert.True(findings.Count == 0, string.Join('\n', findings));
        Assert.Equal(
            [roled.Login("worker")],
            await worker.QueryAsync("SELECT DISTINCT db_user FROM audit_log WHERE run LIKE 'manual/%' OR operation = 'read'", row => row.GetString(0)));
    }

    private static async Task SucceedsAsync(CrmRig crm, params string[] command)
    {
        var answer = await crm.RunAsync(command);
        Assert.True(answer.ExitCode is ExitCode.Done, $"{string.Join(' ', command)}: {answer}");
    }

    /// <summary>A dump needs every row of every table, and some are kept from jobs: the owner's login makes it, the worker's is told so.</summary>
    [Fact]
    public async Task Backup_AsTheWorker_IsRefused_AndAsTheOwner_Done()
    {
        var folder = Directory.CreateTempSubdirectory("sales-tasks-worker-").FullName;
        try
        {
            var refused = await CreateAsync("worker");
            refused.ShouldExitWith(ExitCode.Refused);
            Assert.Contains("(SQLSTATE 42501)", refused.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.EnumerateDirectories(folder), d => Path.GetFileName(d)[0] != '.');

            var done = (await CreateAsync("owner")).ShouldExitWith(ExitCode.Done);
            Assert.Equal(1, done.Result.GetProperty("counts").GetProperty("backups_made").GetInt64());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Task<ProgramResult> CreateAsync(string kind) => ProgramRunner.Bare
            .With("AIRFLOW_CONN_SALES_POSTGRES", roled.UriOf(roled.Login(kind))).RunAsync("backup", "create", "--backup-folder", folder);
    }

    public static TheoryData<string> OwnersWork =>
    [
        "ALTER TABLE sales_pipeline ADD COLUMN x int",
        "ALTER TABLE sales_pipeline DISABLE TRIGGER ALL",
        "ALTER TABLE sales_pipeline DISABLE ROW LEVEL SECURITY",
        "DROP TABLE sales_pipeline CASCADE",
        "DROP VIEW v_sales_forecast",
        "CREATE TABLE public.mine (x int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION public.sees_all_rows() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "ALTER FUNCTION audit_rows() SECURITY INVOKER",
        "CREATE TRIGGER mine AFTER UPDATE ON sales_pipeline FOR EACH ROW EXECUTE FUNCTION set_updated_at()",
        "CREATE INDEX ON sales_pipeline (score)",
        "CREATE POLICY mine ON sales_pipeline USING (true)",
        "TRUNCATE sales_followup_tasks",
        "GRANT SELECT ON leads TO PUBLIC; SELECT 1/(has_table_privilege('public', 'leads', 'SELECT')::int - 0)",
        "GRANT {owner} TO CURRENT_USER",
        "GRANT {worker} TO {rep}",
        "CREATE ROLE mine",
        "SET ROLE {owner}",
        "SET session_replication_role = replica",
        "SELECT inner_key FROM privacy_secret",
        "UPDATE privacy_secret SET inner_key = outer_key",
        "DELETE FROM privacy_secret",
        "DELETE FROM privacy_requests",
        "DELETE FROM restorations",
        "SELECT * FROM adoption_rows",
        "INSERT INTO audit_log (operation, subject) VALUES ('read', 'x')",
        "UPDATE audit_log SET changes = NULL",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_log_default",
        "DROP TABLE audit_log_default",
        "ALTER TABLE audit_log DETACH PARTITION audit_log_default",
        "DROP TRIGGER sales_pipeline_audit_changed ON sales_pipeline",
        "UPDATE audit_retention SET keep_months = 1",
        "SELECT audit_event('delete', 'x', NULL, NULL, NULL)",
        "SELECT analyze_table('pg_class'::regclass)",
        "DELETE FROM schema_migrations",
        "INSERT INTO rep_logins (login, rep_email) SELECT current_user, email FROM sales_reps",
        "DELETE FROM database_roles",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON TABLES TO PUBLIC",
        "REFRESH MATERIALIZED VIEW mv_sales_metrics",
    ];

    [Theory]
    [MemberData(nameof(OwnersWork))]
    public async Task OwnersWork_AsTheWorker_IsRefused(string sql)
    {
        foreach (var (kind, name) in roled.Roles.Names)
        {
            sql = sql.Replace("{" + kind + "}", name, StringComparison.Ordinal);
        }

        var (_, refused) = await roled.TryAsync(roled.Login("worker"), sql);

        // 22012: a grant that gives nothing is a warning and no error; the division tells. 22023: the function's own check. 42704, 2BP01: never.
        Assert.True(refused is "42501" or "22012" or "22023", $"{sql}: {refused ?? "done"}");
    }
}
