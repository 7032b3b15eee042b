using System.Security.Cryptography;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Roles;

/// <summary><c>db roles apply|status</c>, <c>reps grant|revoke</c> and what <c>db migrate</c> and <c>validate</c> make of roles.</summary>
public sealed class ApplyRolesTests(PostgresServer server)
{
    [Fact]
    public async Task Apply_DryRunThenTwiceThenByTwo_DoesItOnce()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var (prefix, roles) = Prefix();
        var program = ProgramRunner.For(database);
        try
        {
            var before = await program.RunAsync("db", "roles", "status", "--json");
            Assert.False(Json.Parse(before.Output).GetProperty("applied").GetBoolean());
            var dry = Json.Parse((await program.RunAsync("db", "roles", "apply", "--prefix", prefix, "--dry-run", "--json")).Output);
            Assert.Equal(0, await database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname LIKE '{prefix}%'"));

            var runs = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => program.RunAsync("db", "roles", "apply", "--prefix", prefix, "--json")));

            var lines = runs.Select(run => Json.Parse(run.ShouldExitWith(ExitCode.Done).Output)).OrderBy(run => run.GetProperty("differences").GetArrayLength()).ToList();
            Assert.Equal(0, lines[0].GetProperty("differences").GetArrayLength());
            Assert.Equal(Statements(dry), Statements(lines[1]));
            (await program.RunAsync("db", "roles", "status")).ShouldExitWith(ExitCode.Done);
            Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM audit_log WHERE operation = 'grant'"));
            await Sound.IsAsync(database);
            (await program.RunAsync("db", "roles", "apply", "--prefix", "other_")).ShouldExitWith(ExitCode.Usage);
        }
        finally
        {
            await RoledDatabase.DropAsync(database, roles, []);
        }

        static string[] Statements(System.Text.Json.JsonElement answer) =>
            [.. answer.GetProperty("differences").EnumerateArray().Select(d => d.GetProperty("statement").GetString()!)];
    }

    [Fact]
    public async Task Apply_AsAnOwnerWhoMayCreateRoles_NeedsNoSuperuserAndMigratesAfterwards()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        var (prefix, roles) = Prefix();
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"ALTER ROLE {role.Name} CREATEROLE; ALTER DATABASE {database.Connection.Database} OWNER TO {role.Name}; CREATE SCHEMA mine AUTHORIZATION {role.Name}");
        var connection = new NpgsqlConnectionStringBuilder(role.Connection.ConnectionString) { SearchPath = "mine" };
        try
        {
            await using var mine = new SalesDatabase(connection, new SalesDatabaseOptions(), TimeProvider.System);
            await new Migrator(mine, TimeProvider.System).MigrateAsync(TestContext.Current.CancellationToken);
            Assert.NotEmpty(await DatabaseRoles.ApplyAsync(mine, roles, TestContext.Current.CancellationToken));

            Assert.Empty(await DatabaseRoles.ApplyAsync(mine, roles, TestContext.Current.CancellationToken));
            await using var again = await mine.OpenAsync(TestContext.Current.CancellationToken);
            Assert.Equal([$"{prefix}owner", $"{prefix}reader"], await RoledDatabase.RowsAsync(
                again, "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'mine'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1"));
        }
        finally
        {
            await database.ExecuteAsync($"ALTER DATABASE {database.Connection.Database} OWNER TO CURRENT_USER");
            await RoledDatabase.DropAsync(database, roles, []);
        }
    }

    [Fact]
    public async Task Migrate_OfALaterVersion_GivesItsObjectsOwnerAndGrants()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var (prefix, roles) = Prefix();
        try
        {
            await using var target = database.Open();
            await DatabaseRoles.ApplyAsync(target, roles, TestContext.Current.CancellationToken);
            Migration[] later = [.. Migration.Embedded, new Migration(Migration.Embedded[^1].Version + 1, "later", "CREATE TABLE later_table (x int); CREATE FUNCTION later_function() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION record_stage_change() SECURITY INVOKER")];

            await new Migrator(target, TimeProvider.System, later).MigrateAsync(TestContext.Current.CancellationToken);

            Assert.Equal(
                $"{prefix}owner|true|false",
                await database.ScalarAsync<string>(
                    $"""
                    SELECT concat_ws('|', pg_get_userbyid(c.relowner), has_table_privilege('{prefix}worker', c.oid, 'SELECT')::text,
                      has_function_privilege('{prefix}rep', 'later_function()', 'EXECUTE')::text)
                    FROM pg_class c WHERE c.oid = 'later_table'::regclass
                    """));
            Assert.DoesNotContain(await Sound.FindAsync(database), finding => finding.Check == "roles");
        }
        finally
        {
            await RoledDatabase.DropAsync(database, roles, []);
        }
    }

    [Fact]
    public async Task Apply_AsARoleThatMayNotCreateRoles_SaysWhatSomebodyElseHasToRun()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        var (prefix, _) = Prefix();
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"CREATE SCHEMA mine AUTHORIZATION {role.Name}; ALTER ROLE {role.Name} SET search_path = mine");
        var program = ProgramRunner.Bare.With(
            "AIRFLOW_CONN_SALES_POSTGRES", $"postgres://{role.Name}:{role.Connection.Password}@{role.Connection.Host}:{role.Connection.Port}/{role.Connection.Database}");
        (await program.RunAsync("db", "migrate")).ShouldExitWith(ExitCode.Done);

        var refused = await program.RunAsync("db", "roles", "apply", "--prefix", prefix);

        refused.ShouldExitWith(ExitCode.Refused);
        Assert.Contains($"CREATE ROLE {prefix}worker NOLOGIN", refused.Errors, StringComparison.Ordinal);
        Assert.Contains($"GRANT {prefix}owner TO {role.Name}", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname LIKE '{prefix}%'"));
    }

    [Fact]
    public async Task Apply_WhereARoleOfThatNameIsSomethingElse_TakesNothingOver()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var (prefix, _) = Prefix();
        await database.ExecuteAsync($"CREATE ROLE {prefix}owner LOGIN");
        try
        {
            var refused = await ProgramRunner.For(database).RunAsync("db", "roles", "apply", "--prefix", prefix);

            refused.ShouldExitWith(ExitCode.Refused);
            Assert.Contains($"COMMENT ON ROLE {prefix}owner IS", refused.Errors, StringComparison.Ordinal);
        }
        finally
        {
            await database.ExecuteAsync($"DROP ROLE {prefix}owner");
        }
    }

    [Fact]
    public async Task Drift_OfEveryKind_IsFoundByStatusAndValidateAndSettledByApply()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var (prefix, roles) = Prefix();
        try
        {
            await using var target = database.Open();
            await DatabaseRoles.ApplyAsync(target, roles, TestContext.Current.CancellationToken);
            await database.ExecuteAsync(
                $"""
                GRANT SELECT ON leads TO {prefix}analyst; GRANT UPDATE (assigned_to) ON sales_pipeline TO {prefix}rep; REVOKE INSERT ON leads FROM {prefix}worker;
                GRANT SELECT ON sales_reps TO PUBLIC; GRANT EXECUTE ON FUNCTION drop_old_audit() TO {prefix}rep; ALTER TABLE alerts OWNER TO CURRENT_USER;
                ALTER TABLE sales_pipeline DISABLE ROW LEVEL SECURITY; ALTER POLICY own_rows ON leads USING (true); CREATE POLICY more ON sales_followup_tasks USING (true);
                ALTER FUNCTION record_stage_change() SECURITY INVOKER; GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT {prefix}worker TO {prefix}rep;
                ALTER ROLE {prefix}worker LOGIN; CREATE OR REPLACE FUNCTION sees_all_rows() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'
                """);

            var found = await Sound.FindAsync(database);
            var status = await ProgramRunner.For(database).RunAsync("db", "roles", "status", "--json");

            status.ShouldExitWith(ExitCode.Findings);
            var differences = Json.Parse(status.Output).GetProperty("differences").EnumerateArray().Select(d => d.GetProperty("kind").GetString()!).ToList();
            Assert.Equal(differences.Count, found.Count(f => f.Check == "roles"));
            Assert.Equal(
                ["grant_missing", "grant_too_much", "membership_too_much", "owner_wrong", "policy_missing", "policy_wrong", "rights_wrong", "role_may_log_in", "row_security_wrong"],
                differences.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
            Assert.Equal(5, differences.Count(d => d == "grant_too_much"));

            await DatabaseRoles.ApplyAsync(target, roles, TestContext.Current.CancellationToken);
            await Sound.IsAsync(database);
        }
        finally
        {
            await RoledDatabase.DropAsync(database, roles, []);
        }
    }

    [Fact]
    public async Task Grant_ToALogin_GivesItsRowsAndRevokeTakesThem()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var (prefix, roles) = Prefix();
        var program = ProgramRunner.For(database);
        await database.ExecuteAsync(
            $"INSERT INTO sales_reps (email, name) VALUES ('ana@sales.example', 'Ana'); CREATE ROLE {prefix}ana LOGIN; CREATE ROLE {prefix}boss LOGIN SUPERUSER");
        try
        {
            (await program.RunAsync("reps", "grant", "ana@sales.example", "--role", $"{prefix}ana")).ShouldExitWith(ExitCode.Refused);
            (await program.RunAsync("db", "roles", "apply", "--prefix", prefix)).ShouldExitWith(ExitCode.Done);

            (await program.RunAsync("reps", "grant", "nobody@sales.example", "--role", $"{prefix}ana")).ShouldExitWith(ExitCode.Usage);
            (await program.RunAsync("reps", "grant", "ana@sales.example", "--role", "not_there")).ShouldExitWith(ExitCode.Usage);
            (await program.RunAsync("reps", "grant", "ana@sales.example", "--role", $"{prefix}boss")).ShouldExitWith(ExitCode.Usage);
            (await program.RunAsync("reps", "grant", "Ana@sales.example", "--role", $"{prefix}ana")).ShouldExitWith(ExitCode.Done);
            Assert.True(await MemberAsync());
            var again = await program.RunAsync("reps", "grant", "ana@sales.example", "--role", $"{prefix}ana", "--json");
            Assert.False(Json.Parse(again.ShouldExitWith(ExitCode.Done).Output).GetProperty("changed").GetBoolean());

            (await program.RunAsync("reps", "revoke", "ana@sales.example")).ShouldExitWith(ExitCode.Done);
            Assert.False(await MemberAsync());
            (await program.RunAsync("reps", "revoke", "ana@sales.example")).ShouldExitWith(ExitCode.Usage);
            Assert.Equal(
                ["delete", "insert"],
                await database.QueryAsync("SELECT DISTINCT operation FROM audit_log WHERE subject = 'rep_logins' ORDER BY 1", row => row.GetString(0)));
        }
        finally
        {
            await RoledDatabase.DropAsync(database, roles, [$"{prefix}ana", $"{prefix}boss"]);
        }

        Task<bool> MemberAsync() => database.ScalarAsync<bool>($"SELECT pg_has_role('{prefix}ana', '{prefix}rep', 'MEMBER')");
    }

    /// <summary>A backup by the owner has every row: pg_dump switches row-level security off and fails where that would hide something.</summary>
    [Fact]
    public async Task Owner_WithRowSecurityOff_ReadsEveryTable()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var (_, roles) = Prefix();
        try
        {
            await using var target = database.Open();
            await DatabaseRoles.ApplyAsync(target, roles, TestContext.Current.CancellationToken);
            await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('l', 'web')");

            foreach (var table in (string[])["leads", "sales_pipeline", "sales_followup_tasks", "rep_logins", "audit_log"])
            {
                await using var connection = await database.OpenConnectionAsync();
                await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
                var rows = await RoledDatabase.RowsAsync(connection, $"SET LOCAL ROLE {roles.Names["owner"]}; SET LOCAL row_security = off; SELECT * FROM {table}");
                Assert.Equal(table is "leads" or "audit_log", rows.Count == 1);
            }
        }
        finally
        {
            await RoledDatabase.DropAsync(database, roles, []);
        }
    }

    private static (string Prefix, RoleSet Roles) Prefix()
    {
        var prefix = $"t{RandomNumberGenerator.GetHexString(8, lowercase: true)}_";
        return (prefix, RoleSet.Of(prefix));
    }
}
