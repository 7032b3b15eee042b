using SalesTasks.Demo;
using SalesTasks.Tests.Crm;
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

        await using var worker = await TestDatabase.OverAsync(roled.ConnectionOf(roled.Login("worker")));
        await using var crm = new CrmRig(worker, "hubspot");

        foreach (var (dag, job) in Commands.DemoDags.SelectMany(dag => dag.Steps, (dag, job) => (dag, job)))
        {
            var answer = await crm.RunAsync([.. dag.Arguments(job), "--as-of", present.ToString("O")]);
            Assert.True(answer.ExitCode is ExitCode.Done, $"{job.Name}: {answer}");
            Assert.True(job.Name != "db maintain" || answer["skipped"] == 0, answer.ToString());
        }

        var lead = await worker.ScalarAsync<string>("SELECT min(lead_ext_id) FROM sales_pipeline");
        foreach (var command in (string[][])
        [
            ["health", "--json"], ["insights", "top"], ["reps", "list"], ["reps", "add", "new@sales.example", "--name", "New"], ["explain", lead!],
            ["leads", "show", lead!], ["campaigns", "list"], ["outbox", "list"], ["outbox", "policy"], ["alerts", "list"], ["ml", "models"],
            ["scoring", "rules", "show"], ["timing", "show"], ["suppressions", "count"], ["db", "status"], ["db", "roles", "status"], ["audit", "list"],
            ["audit", "retention"], ["experiment", "show"], ["crm", "status"],
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
