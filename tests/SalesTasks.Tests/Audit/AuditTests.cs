using System.Text.Json;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Audit;

/// <summary>The append-only trail: what it says of whom, what it never says, and who may touch it.</summary>
public sealed class AuditTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Deal_Changed_IsToldWithoutPersonalValues()
    {
        await AddDealAsync("told");

        await database.ExecuteAsync(
            """
            UPDATE sales_pipeline SET stage = 'contacted', assigned_to = 'ana@sales.example', notes = 'private', phone = '+34 600', email = 'other@lead.example'
            WHERE lead_ext_id = 'told';
            UPDATE sales_pipeline SET score = 90, next_followup_at = now(), metadata = '{"a": 1}' WHERE lead_ext_id = 'told';
            UPDATE sales_pipeline SET probability_pct = 70, metadata = '{"ml_predictions": {}}' WHERE lead_ext_id = 'told';
            UPDATE sales_pipeline SET probability_pct = 75 WHERE lead_ext_id = 'told';
            DELETE FROM leads WHERE ext_id = 'told'
            """);

        var entries = await EntriesAsync("told");
        Assert.Equal(["insert", "update", "update", "delete"], entries.Select(e => e.Operation));
        Assert.Equal("""{"stage": ["qualified", "contacted"], "assigned_to": [null, "ana@sales.example"]}""", entries[1].Changes);
        Assert.Equal(["email", "phone", "notes"], entries[1].Personal);
        Assert.Equal("""{"probability_pct": [70, 75]}""", entries[2].Changes);
        Assert.Contains("\"stage\": [\"contacted\", null]", entries[3].Changes, StringComparison.Ordinal);
        // The trail outlives the person and knows nothing of her: not even the id.
        Assert.False(await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM audit_log a WHERE a::text ~ 'told|lead[.]example|private|[+]34')"));
    }

    public static TheoryData<string, string, string, string> Settings => new()
    {
        {
            "INSERT INTO sales_reps (email, name) VALUES ('eve@sales.example', 'Eve')", "UPDATE sales_reps SET name = 'Eva', weight = 2 WHERE email = 'eve@sales.example'",
            "DELETE FROM sales_reps WHERE email = 'eve@sales.example'", """eve@sales.example {"weight": [1.000, 2.000]} {name}"""
        },
        {
            "INSERT INTO sales_campaigns (name, campaign_type) VALUES ('audited', 'nurturing')", "UPDATE sales_campaigns SET enabled = false WHERE name = 'audited'",
            "DELETE FROM sales_campaigns WHERE name = 'audited'", """* {"enabled": [true, false]} """
        },
        {
            "INSERT INTO scoring_rules (version) VALUES (77)", "UPDATE scoring_rules SET comment = 'c' WHERE version = 77", "", """77 {"comment": ["", "c"]} """
        },
        { "", "UPDATE sending_policy SET max_per_lead_per_day = 2", "", """true {"max_per_lead_per_day": [1, 2]} """ },
        { "", "UPDATE followup_settings SET default_language = 'es'", "", """true {"default_language": ["en", "es"]} """ },
        { "", "UPDATE followup_templates SET due_after = '1 hour' WHERE template = (SELECT min(template) FROM followup_templates)", "", "* " },
        { "", "UPDATE followup_template_texts SET title = 'T' WHERE (template, language) = (SELECT template, language FROM followup_template_texts LIMIT 1)", "", "* " },
        {
            "INSERT INTO experiments (name, share_permille, horizon_days) VALUES ('e', 100, 30)", "UPDATE experiments SET ended_at = started_at, ended_by = 'x' WHERE name = 'e'",
            "DELETE FROM experiments WHERE name = 'e'", "* "
        },
        { "", "UPDATE job_schedules SET expected_every = '5 hours' WHERE dag_id = (SELECT min(dag_id) FROM job_schedules)", "", "* " },
        {
            "INSERT INTO retention_rules (subject, keep_days) VALUES ('alerts', 30)", "UPDATE retention_rules SET keep_days = 60 WHERE subject = 'alerts'",
            "DELETE FROM retention_rules WHERE subject = 'alerts'", """alerts {"keep_days": [30, 60]} """
        },
        {
            "INSERT INTO encryption_state (mode) VALUES ('on')", "UPDATE encryption_state SET mode = 'ending'", "DELETE FROM encryption_state",
            """true {"mode": ["on", "ending"]} """
        },
        {
            "INSERT INTO restorations (backup, taken_at, key_epoch, messages_held) VALUES ('b', now(), '0123456789abcdef', 0)",
            "UPDATE restorations SET released_at = restored_at, released_by = 'ana'", "DELETE FROM restorations", "* "
        },
        { "", "UPDATE audit_retention SET keep_months = 12", "UPDATE audit_retention SET keep_months = NULL", "true " },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task Setting_Changed_IsToldByColumn(string add, string change, string remove, string expected)
    {
        var from = await database.ScalarAsync<long>("SELECT coalesce(max(id), 0) FROM audit_log");
        foreach (var statement in new[] { add, change, remove }.Where(s => s.Length > 0))
        {
            await database.ExecuteAsync(statement);
        }

        var updates = await database.QueryAsync(
            "SELECT concat_ws(' ', row_key, changes::text, coalesce(personal::text, '')) FROM audit_log WHERE id > @from AND operation = 'update' ORDER BY happened_at",
            row => row.GetString(0), ("from", from));
        Assert.NotEmpty(updates);
        var parts = expected.Split('*', 2);
        Assert.StartsWith(parts.Length > 1 ? updates[0].Split(' ')[0] + parts[1].TrimEnd() : parts[0].TrimEnd(), updates[0], StringComparison.Ordinal);
        var inserts = await database.ScalarAsync<long>("SELECT count(*) FROM audit_log WHERE id > @from AND operation = 'insert'", ("from", from));
        Assert.Equal(add.Length > 0, inserts == 1);
    }

    [Fact]
    public async Task SameValues_AndStatistics_WriteNothing()
    {
        await AddDealAsync("same");
        await database.ExecuteAsync("INSERT INTO sales_reps (email, name) VALUES ('stat@sales.example', 'S')");
        var before = await CountAsync();

        await database.ExecuteAsync(
            """
            UPDATE sales_pipeline SET stage = stage, notes = notes WHERE lead_ext_id = 'same';
            UPDATE sales_reps SET name = name WHERE email = 'stat@sales.example';
            SELECT update_rep_stats('stat@sales.example')
            """);

        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task Truncate_OfAnAuditedTable_IsTold()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await own.ExecuteAsync("TRUNCATE sales_pipeline CASCADE; TRUNCATE bot_patterns");

        Assert.Equal(
            ["bot_patterns", "sales_pipeline"],
            await own.QueryAsync("SELECT DISTINCT subject FROM audit_log WHERE operation = 'truncate' ORDER BY 1", row => row.GetString(0)));
    }

    [Fact]
    public async Task Program_ChangingAndReading_IsNamedWithItsRun()
    {
        await AddDealAsync("run");
        var program = ProgramRunner.For(database).With("SALES_DAG_ID", "dag").With("SALES_TASK_ID", "task").With("SALES_RUN_ID", "run_1");
        await database.ExecuteAsync(
            """
            INSERT INTO sales_reps (email, name) VALUES ('run@sales.example', 'R') ON CONFLICT DO NOTHING
            """);

        (await program.RunAsync("routing", "assign", "--only-unassigned")).ShouldExitWith(ExitCode.Done);
        (await program.RunAsync("explain", "run")).ShouldExitWith(ExitCode.Done);
        (await program.RunAsync("explain", "nobody")).ShouldExitWith(ExitCode.Usage);

        var entries = await EntriesAsync("run");
        var assigned = entries.Single(e => e.Operation == "update");
        Assert.Equal(("dag/task/run_1/-1", "sales-tasks routing assign", Environment.UserName), (assigned.Run, assigned.Program, assigned.SystemUser));
        var read = entries.Single(e => e.Operation == "read");
        Assert.Equal(("explain", Environment.UserName, null), (read.Subject, read.SystemUser, read.Run));
        Assert.Single(await EntriesAsync("nobody"));
    }

    [Fact]
    public async Task Commands_ForPeople_ListShowAndFilter()
    {
        await AddDealAsync("listed");
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = 'zoe@sales.example', notes = 'x' WHERE lead_ext_id = 'listed'");
        var program = ProgramRunner.For(database);

        var byLead = await ListAsync("--lead", "listed");
        Assert.Equal(["update", "insert"], byLead.Select(e => e.GetProperty("operation").GetString()));
        Assert.Equal("notes", byLead[0].GetProperty("personal")[0].GetString());
        Assert.Equal(["update"], (await ListAsync("--rep", "Zoe@sales.example")).Select(e => e.GetProperty("operation").GetString()));
        Assert.Single(await ListAsync("--lead", "listed", "--table", "sales_pipeline", "--limit", "1", "--actor", database.Connection.Username!));
        Assert.Empty(await ListAsync("--lead", "listed", "--actor", "nobody"));
        Assert.Empty(await ListAsync("--lead", "listed", "--since", "2999-01-01"));
        (await program.RunAsync("audit", "list", "--since", "soon")).ShouldExitWith(ExitCode.Usage);
        (await program.RunAsync("audit", "list", "--limit", "0")).ShouldExitWith(ExitCode.Usage);
        (await program.RunAsync("audit", "show", "999999999")).ShouldExitWith(ExitCode.Usage);
        var shown = await program.RunAsync("audit", "show", byLead[0].GetProperty("id").GetRawText(), "--lang", "es");
        Assert.Contains("valores no guardados", shown.ShouldExitWith(ExitCode.Done).Output, StringComparison.Ordinal);
        Assert.Contains("zoe@sales.example", (await program.RunAsync("audit", "list", "--lead", "listed")).Output, StringComparison.Ordinal);
        await database.ExecuteAsync("INSERT INTO sales_reps (email, name, regions) VALUES ('zoe@sales.example', 'Zoe', ARRAY['España'])");
        Assert.Contains("[\"España\"]", (await program.RunAsync("audit", "list", "--table", "sales_reps")).Output, StringComparison.Ordinal);

        async Task<List<JsonElement>> ListAsync(params string[] filters) =>
            [.. Json.Parse((await program.RunAsync(["audit", "list", "--json", .. filters])).ShouldExitWith(ExitCode.Done).Output).EnumerateArray()];
    }

    [Fact]
    public async Task Retention_ByTheOwner_DropsWholeMonthsAndNothingElse()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await own.ExecuteAsync("SELECT ensure_audit_partition(now() - m * interval '1 month') FROM generate_series(1, 5) m");
        await own.ExecuteAsync(
            "INSERT INTO audit_log (operation, subject, happened_at) SELECT 'read', 'explain', now() - m * interval '1 month' FROM generate_series(0, 5) m");
        var program = ProgramRunner.For(own);
        Assert.Equal(0, await own.ScalarAsync<int>("SELECT drop_old_audit()"));

        (await program.RunAsync("audit", "retention", "--months", "2000")).ShouldExitWith(ExitCode.Usage);
        Assert.Equal(2, Json.Parse((await program.RunAsync("audit", "retention", "--months", "2", "--json")).Output).GetProperty("keep_months").GetInt32());
        Assert.Equal(3, Dropped(await program.RunAsync("db", "maintain", "--dry-run")));
        Assert.Equal(3, Dropped(await program.RunAsync("db", "maintain")));
        Assert.Equal(0, Dropped(await program.RunAsync("db", "maintain")));

        Assert.Equal(3, await own.ScalarAsync<long>("SELECT count(*) FROM audit_log WHERE operation = 'read'"));
        Assert.Equal(0, await own.ScalarAsync<long>("SELECT count(*) FROM audit_log_default"));

        static long Dropped(ProgramResult result) => result.ShouldExitWith(ExitCode.Done).Result.GetProperty("counts").GetProperty("partitions_dropped").GetInt64();
    }

    private Task<int> AddDealAsync(string lead) => database.ExecuteAsync(
        "INSERT INTO leads (ext_id, source, email) VALUES (@lead, 'web', @lead || '@lead.example'); INSERT INTO sales_pipeline (lead_ext_id, email) VALUES (@lead, @lead || '@lead.example')",
        ("lead", lead));

    private Task<long> CountAsync() => database.ScalarAsync<long>("SELECT count(*) FROM audit_log");

    private Task<List<Entry>> EntriesAsync(string lead) => database.QueryAsync(
        """
        SELECT operation, subject, changes::text, personal, program, os_user, run
        FROM audit_log WHERE lead_hash = hashtextextended(@lead, 0) ORDER BY happened_at
        """,
        row => new Entry(
            row.GetString(0), row.GetString(1), row.IsDBNull(2) ? "" : row.GetString(2), row.IsDBNull(3) ? [] : row.GetFieldValue<string[]>(3),
            row.GetString(4), Text(row, 5), Text(row, 6)),
        ("lead", lead));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private sealed record Entry(string Operation, string Subject, string Changes, string[] Personal, string Program, string? SystemUser, string? Run);
}
