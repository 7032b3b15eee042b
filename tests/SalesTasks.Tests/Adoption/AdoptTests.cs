using SalesTasks.Adoption;
using SalesTasks.Database;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Crm;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Adoption;

/// <summary><c>db adopt</c> on an installation of the same names: what is mended, what is set aside, what people had of their own.</summary>
public sealed class AdoptTests(PostgresServer server, TestDatabase clean) : IClassFixture<TestDatabase>
{
    /// <summary>The contract's tables as they are written down, with nothing wrong in them.</summary>
    private const string Bare =
        """
        CREATE TABLE leads (ext_id varchar(128) PRIMARY KEY, source varchar(32) NOT NULL, first_name varchar(128), last_name varchar(128), email varchar(256),
          phone varchar(64), score int, priority varchar(16), utm_source varchar(128), utm_campaign varchar(128), created_at timestamptz, updated_at timestamptz);
        CREATE TABLE sales_pipeline (id bigserial PRIMARY KEY, lead_ext_id varchar(128) UNIQUE REFERENCES leads, email varchar(256) NOT NULL, stage varchar(32) DEFAULT 'qualified',
          priority varchar(16), assigned_to varchar(256), qualified_at timestamptz DEFAULT now(), closed_at timestamptz, estimated_value numeric(12, 2), metadata jsonb,
          created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
        INSERT INTO leads SELECT 'lead-' || n, 'organic', 'First', 'Last', 'lead' || n || '@acme.example', NULL, 40 + n, 'medium', NULL, NULL, '2025-12-01', '2025-12-02'
        FROM generate_series(1, 9) n;
        INSERT INTO sales_pipeline (lead_ext_id, email, qualified_at, created_at, updated_at) SELECT ext_id, email, '2025-12-03', '2025-12-03', '2025-12-04' FROM leads;
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Adopt_DryRun_TellsWhatWouldComeAndKeepsNothing()
    {
        await using var database = await AdoptRig.MessyAsync(server);
        await database.WorkAtAsync(AdoptRig.Present);
        var before = await AdoptRig.EverythingAsync(database);

        var rehearsal = await AdoptRig.AdoptAsync(database, AdoptRig.Options(dryRun: true));

        Assert.Equal(before, await AdoptRig.EverythingAsync(database));
        Assert.True(rehearsal.DryRun);
        var real = await AdoptRig.AdoptAsync(database);
        Assert.Equal(rehearsal.Tables, real.Tables);
        // A key of somebody else's can only be tried where the new table is.
        Assert.Equal(Lines(rehearsal).Where(line => !line.StartsWith("key_", StringComparison.Ordinal)), Lines(real).Where(line => !line.StartsWith("key_", StringComparison.Ordinal)));
    }

    /// <summary>What <c>--word</c> is to be given is seen before anything is taken over; what may be a person's is not.</summary>
    [Fact]
    public async Task Adopt_DryRun_ShowsWordsThatNobodyKnowsTheMostFrequentFirst()
    {
        await using var database = await AdoptRig.MessyAsync(server);
        await database.WorkAtAsync(AdoptRig.Present);
        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (id, lead_ext_id, email, stage, created_at, updated_at)
            SELECT 100 + i, 'new' || i, 'new' || i || '@acme.example', (ARRAY['Demo booked', 'Demo booked', 'Demo booked', 'On ice', 'On ice', 'ana@acme.example', 'call 600123456'])[i], '2024-01-12', '2024-01-12'
            FROM generate_series(1, 7) AS i
            """);

        var report = await AdoptRig.AdoptAsync(database, AdoptRig.Options(dryRun: true));
        var words = Unknown(report);

        // Before what was merely mended: people are shown the beginning of a long list.
        Assert.Equal("unknown_value", report.Findings.First(finding => finding.SetAside == 0).Rule);
        Assert.Equal(["Demo booked", "On ice"], words.Take(2));
        Assert.Contains("mystery", words);
        Assert.DoesNotContain(words, word => word.Contains("ana@", StringComparison.Ordinal) || word.Contains("600", StringComparison.Ordinal));
        Assert.DoesNotContain(
            "Demo booked",
            Unknown(await AdoptRig.AdoptAsync(database, AdoptRig.Options(dryRun: true, words: ("stage", "Demo booked", "meeting_scheduled")))));

        static IReadOnlyList<string> Unknown(AdoptionReport report) =>
            report.Findings.Single(finding => finding is { Table: "sales_pipeline", Column: "stage", Rule: "unknown_value" }).Examples;
    }

    [Fact]
    public async Task Adopt_CarelessInstallation_MendsOrSetsAsideEveryRow()
    {
        await using var database = await AdoptRig.MessyAsync(server);
        await database.WorkAtAsync(AdoptRig.Present);
        var old = await database.FingerprintAsync();

        var report = await AdoptRig.AdoptAsync(database);

        Assert.Equal(
            [
                new("leads", 7, 5, 2), new("lead_score_history", 5, 3, 2), new("sales_pipeline", 6, 5, 1), new("sales_followup_tasks", 5, 4, 1),
                new("sales_campaigns", 3, 3, 0), new("sales_campaign_executions", 5, 2, 3), new AdoptedTable("sales_campaign_events", 4, 3, 1),
            ],
            report.Tables);
        Assert.Empty(report.Findings.Select(finding => finding.Rule).Except(AdoptionWords.Rules));

        // The old tables are what they were, only elsewhere.
        foreach (var table in AdoptDatabase.Tables)
        {
            Assert.Equal(
                old[table],
                await database.ScalarAsync<string>($"SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM public_before.{table} t"));
        }

        Assert.Equal(
            [
                "a|organic|72|high|2024-01-05 10:00:00|south|HIGH|blue", "adopted-deal-6|unknown|||2024-01-12 00:00:00|||", "b|unknown|100||2026-01-31 06:00:00|||",
                "c|a source with a name much longer||high|2026-01-31 06:00:00|||", "d|referral|55|medium|2024-03-01 00:00:00|||",
                "missing|unknown|||2024-01-12 00:00:00|||",
            ],
            await database.QueryAsync(
                """
                SELECT concat_ws('|', ext_id, source, coalesce(score::text, ''), coalesce(priority::text, ''), created_at AT TIME ZONE 'UTC', coalesce(branch, ''), coalesce(tier, ''),
                  CASE WHEN wishes LIKE '%colour%' THEN wishes::json ->> 'colour' ELSE '' END)
                FROM leads WHERE length(ext_id) < 128 ORDER BY ext_id
                """,
                row => row.GetString(0)));
        Assert.Equal(
            [
                "2|a|proposal_sent|1500.00|100||rep@sales.example|B2", "3|b|closed_won||100|2024-03-20 00:00:00||", "4|missing|qualified||0|||",
                "5|d|closed_lost|10.01|0|2024-03-20 00:00:00||", "6|adopted-deal-6|closed_lost||50|2024-05-01 00:00:00||",
            ],
            await database.QueryAsync(
                """
                SELECT concat_ws('|', id, lead_ext_id, stage, coalesce(estimated_value::text, ''), probability_pct, coalesce((closed_at AT TIME ZONE 'UTC')::text, ''), coalesce(assigned_to, ''),
                  coalesce(budget_code, ''))
                FROM sales_pipeline ORDER BY id
                """,
                row => row.GetString(0)));
        Assert.Equal(
            ["1|2|a|call|completed|high", "3|2|a|custom|pending|low", "5|2|a|email|pending|medium", "6|5|d|email|cancelled|urgent"],
            await database.QueryAsync(
                "SELECT concat_ws('|', id, pipeline_id, lead_ext_id, task_type, status, priority) FROM sales_followup_tasks ORDER BY id", row => row.GetString(0)));
        // Both steps are done as the events show, and nothing goes on by itself.
        Assert.Equal("1|2|a|paused|2|2", await database.ScalarAsync<string>(
            "SELECT concat_ws('|', campaign_id, pipeline_id, lead_ext_id, status, current_step, total_steps) FROM sales_campaign_executions WHERE id = 1"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaigns WHERE enabled"));
        Assert.Equal(
            ["1|2024-01-10 08:00:00", "1|2024-01-10 09:46:40"],
            await database.QueryAsync("SELECT concat_ws('|', execution_id, executed_at AT TIME ZONE 'UTC') FROM sales_campaign_events WHERE execution_id = 1 ORDER BY executed_at", row => row.GetString(0)));
        // What was set aside is there whole.
        Assert.Equal("old@acme.example", await database.ScalarAsync<string>("SELECT old_row ->> 'email' FROM adoption_findings WHERE table_name = 'leads' AND rule = 'duplicate'"));
        Assert.Equal("acme.example", await database.ScalarAsync<string>("SELECT attributes -> 'own_columns' ->> 'domain' FROM leads WHERE ext_id = 'a'"));
        Assert.Equal("spring", await database.ScalarAsync<string>("SELECT scoring_factors -> 'own_columns' ->> 'run_label' FROM lead_score_history WHERE lead_ext_id = 'a' AND score = 71"));
    }

    [Fact]
    public async Task Adopt_ViewsKeysAndFunctionsOfTheirOwn_WorkOnTheNewTablesOrAreListed()
    {
        await using var database = await AdoptRig.MessyAsync(server);
        await database.ExecuteAsync("CREATE VIEW board_impossible AS SELECT ext_id FROM leads WHERE tier = 'HIGH'::priority_level");

        var report = await AdoptRig.AdoptAsync(database);

        var views = report.Findings.Where(finding => finding.Rule.StartsWith("view_", StringComparison.Ordinal)).ToDictionary(finding => finding.Table, finding => finding.Rule);
        Assert.Equal("view_remade", views["public.board_plain"]);
        Assert.Equal("view_remade_old_shape", views["public.board_hot"]);
        Assert.Equal("view_remade", views["public.board_count"]);
        Assert.Equal("view_remade", views["public.board_materialized"]);
        Assert.Equal("view_remade", views["public.board_of_dashboard"]);
        Assert.Equal("view_set_aside", views["public.board_impossible"]);
        Assert.Contains("HIGH", await database.ScalarAsync<string>("SELECT was FROM adoption_findings WHERE rule = 'view_set_aside'"), StringComparison.Ordinal);

        // They show what happens from now on.
        await database.ExecuteAsync("UPDATE sales_pipeline SET priority = 'high', stage = 'negotiating' WHERE id = 2");
        Assert.Equal("negotiating", await database.ScalarAsync<string>("SELECT stage FROM board_hot WHERE ext_id = 'a'"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT deals FROM board_count WHERE stage = 'negotiating'"));
        await database.ExecuteAsync("REFRESH MATERIALIZED VIEW CONCURRENTLY board_materialized");
        Assert.Equal("key_not_valid", Assert.Single(report.Findings, finding => finding.Table == "public.invoices").Rule);
        await database.ExecuteAsync("INSERT INTO invoices VALUES (3, 4, 1)");
        Assert.Equal(30, await database.ScalarAsync<int>("SELECT calculate_lead_score('a')"));
    }

    [Fact]
    public async Task Adopt_ThenEveryJobAndOldScripts_WorkAndValidateFindsOnlyWhatWasSaid()
    {
        await using var database = await AdoptRig.MessyAsync(server);
        var now = TimeProvider.System.GetUtcNow();
        var present = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        await database.WorkAtAsync(present);
        await AdoptRig.AdoptAsync(database);
        Assert.Equal(["constraints_validated"], (await Sound.FindAsync(database, present)).Select(finding => finding.Check));
        await using var crm = new CrmRig(database, "hubspot");

        foreach (var (dag, job) in Commands.DemoDags.SelectMany(dag => dag.Steps, (dag, job) => (dag, job)))
        {
            var answer = await crm.RunAsync([.. dag.Arguments(job), "--as-of", present.ToString("O")]);
            Assert.True(answer.ExitCode is ExitCode.Done, $"{job.Name}: {answer}");
            Assert.Equal(["constraints_validated"], (await Sound.FindAsync(database, present)).Select(finding => finding.Check));
        }

        // As scripts wrote them before, their own columns included; ids go on after the old ones.
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, score, priority, utm_source, utm_campaign, created_at, updated_at, branch)
            VALUES ('script', 'organic', 'S', 'C', 's@acme.example', '600', 10, 'low', NULL, NULL, now(), now(), 'east');
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, priority, estimated_value, probability_pct) VALUES ('script', 's@acme.example', 'contacted', 'high', 100, 30);
            INSERT INTO lead_score_history (lead_ext_id, score, previous_score, priority) VALUES ('script', 10, NULL, 'low')
            """);
        Assert.True(await database.ScalarAsync<long>("SELECT id FROM sales_pipeline WHERE lead_ext_id = 'script'") > 6);
        // A default of theirs still holds.
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('script-2', 'organic')");
        Assert.Equal("north", await database.ScalarAsync<string>("SELECT branch FROM leads WHERE ext_id = 'script-2'"));
        foreach (var view in (string[])["v_sales_dashboard", "v_leads_requires_attention", "v_sales_rep_performance", "v_sales_forecast", "v_conversion_funnel", "mv_sales_metrics"])
        {
            Assert.True(await database.ScalarAsync<long>($"SELECT count(*) FROM {view}") > 0, view);
        }
    }

    [Fact]
    public async Task Adopt_BareTables_IsOursInTheEndAndMendsNothing()
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        await database.ExecuteAsync(Bare);
        var host = new TestHost(database);

        Assert.Equal(ExitCode.Refused, await host.RunAsync("db", "migrate"));
        Assert.Contains("db adopt --dry-run", host.Errors, StringComparison.Ordinal);
        Assert.Contains("\"leads\", \"sales_pipeline\"", host.Errors, StringComparison.Ordinal);
        Assert.Null(await database.ScalarAsync<string>("SELECT to_regclass('schema_migrations')::text"));
        var report = await AdoptRig.AdoptAsync(database);

        Assert.Equal(9, report.Tables[0].Adopted);
        Assert.Equal(9, report.Tables[2].Adopted);
        Assert.DoesNotContain(report.Findings, finding => finding.SetAside > 0);
        Assert.DoesNotContain(report.Findings, finding => finding.Rule is not "missing_column");
        var first = await database.FingerprintAsync();
        var again = await AdoptRig.AdoptAsync(database);
        Assert.True(again.Earlier);
        Assert.Equal(report.Tables, again.Tables);
        Assert.Equal(first, await database.FingerprintAsync());

        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("db", "adopt", "--finish", "--dry-run"));
        Assert.True(await SchemaExistsAsync(database, "public_before"));
        await database.ExecuteAsync("CREATE VIEW late AS SELECT * FROM public_before.leads");
        host = new TestHost(database);
        Assert.Equal(ExitCode.Refused, await host.RunAsync("db", "adopt", "--finish"));
        Assert.Contains("late", host.Errors, StringComparison.Ordinal);
        await database.ExecuteAsync("DROP VIEW late");
        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("db", "adopt", "--finish"));
        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("db", "adopt", "--finish"));
        Assert.False(await SchemaExistsAsync(database, "public_before"));
        Assert.Equal(await SchemaDump.ReadAsync(clean), await SchemaDump.ReadAsync(database));
        await Sound.IsAsync(database);
        Assert.True((await AdoptRig.AdoptAsync(database)).Earlier);
    }

    [Fact]
    public async Task Adopt_AfterAMigrateThatFailedHalfWay_TakesOverWhatIsTheirs()
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        await using var sales = database.Open();
        await new Migrator(sales, TimeProvider.System, [.. Migration.Embedded.Take(1)]).MigrateAsync(Token);
        await database.ExecuteAsync(Bare);
        var refused = await Assert.ThrowsAsync<JobException>(() => new Migrator(sales, TimeProvider.System).MigrateAsync(Token));
        Assert.Contains("db adopt --dry-run", refused.Message, StringComparison.Ordinal);

        var report = await AdoptRig.AdoptAsync(database);

        Assert.Equal(9, report.Tables[0].Adopted);
        await Sound.IsAsync(database);
    }

    [Fact]
    public async Task Adopt_ZoneAndWordsOfTheirOwn_AreUsed()
    {
        await using var database = await AdoptRig.MessyAsync(server);

        await AdoptRig.AdoptAsync(database, AdoptRig.Options(zone: "Europe/Madrid", words: [("stage", "Discovery", "meeting_scheduled")]));

        Assert.Equal("meeting_scheduled", await database.ScalarAsync<string>("SELECT stage::text FROM sales_pipeline WHERE id = 4"));
        Assert.Equal("2024-01-05 09:00:00", await database.ScalarAsync<string>("SELECT (created_at AT TIME ZONE 'UTC')::text FROM leads WHERE ext_id = 'a'"));
        // Views in the old shape show the clock they did.
        Assert.Equal("2024-01-12 00:00:00", await database.ScalarAsync<string>("SELECT qualified_at::text FROM board_hot WHERE ext_id = 'a'"));
    }

    [Fact]
    public async Task Adopt_OwnerWithoutSuperuser_TakesOverAndKeepsRightsOfOthers()
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        await using var owner = await TestRole.CreateAsync(database);
        await using var reader = await TestRole.CreateAsync(database);
        await database.ExecuteAsync($"ALTER SCHEMA public OWNER TO {owner.Name}");
        await using (var theirs = Npgsql.NpgsqlDataSource.Create(owner.Connection))
        {
            await using var make = theirs.CreateCommand(Bare + $"GRANT SELECT, INSERT ON leads TO {reader.Name}; GRANT SELECT (id, stage) ON sales_pipeline TO {reader.Name}");
            await make.ExecuteNonQueryAsync(Token);
        }

        await using var sales = new SalesDatabase(owner.Connection, new SalesDatabaseOptions(), TimeProvider.System);
        var refused = await Assert.ThrowsAsync<JobException>(() => new AdoptDatabase(sales, TimeProvider.System, AdoptRig.Options(), _ => { }).RunAsync(Token));
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("--old-schema", refused.Message, StringComparison.Ordinal);
        await database.ExecuteAsync($"CREATE SCHEMA aside AUTHORIZATION {owner.Name}");

        var report = await new AdoptDatabase(sales, TimeProvider.System, AdoptRig.Options(oldSchema: "aside"), _ => { }).RunAsync(Token);

        Assert.Equal(9, report.Tables[0].Adopted);
        Assert.True(await database.ScalarAsync<bool>($"SELECT has_table_privilege('{reader.Name}', 'leads', 'INSERT') AND has_column_privilege('{reader.Name}', 'sales_pipeline', 'stage', 'SELECT')"));
        Assert.False(await database.ScalarAsync<bool>($"SELECT has_table_privilege('{reader.Name}', 'sales_pipeline', 'SELECT')"));
        Assert.Equal("aside", await new AdoptDatabase(sales, TimeProvider.System, AdoptRig.Options(), _ => { }).FinishAsync(Token));
    }

    [Theory]
    [InlineData("", "", 64, "nothing to adopt")]
    [InlineData("CREATE TABLE leads (ext_id text); CREATE SCHEMA public_before; CREATE TABLE public_before.x (n int)", "", 69, "--old-schema")]
    [InlineData("CREATE TABLE sales_pipeline (id uuid, lead_ext_id text)", "", 69, "sales_pipeline.id is of type uuid")]
    [InlineData("CREATE TABLE leads (ext_id text); CREATE TABLE other (n int); CREATE INDEX idx_tasks_overdue ON other (n)", "", 69, "idx_tasks_overdue")]
    [InlineData("CREATE TABLE leads (ext_id text)", "--time-zone Mars/Olympus", 64, "Mars/Olympus")]
    [InlineData("CREATE TABLE leads (ext_id text)", "--old-schema public", 64, "--old-schema")]
    [InlineData("CREATE TABLE leads (ext_id text)", "--word stage:x", 64, "kind:word=meaning")]
    [InlineData("CREATE TABLE leads (ext_id text)", "--word colour:x=red --word stage:x=gone", 64, "'gone' is no stage")]
    [InlineData("CREATE TABLE leads (ext_id text); CREATE TABLE schema_migrations (version varchar)", "", 69, "belongs to another tool")]
    [InlineData("CREATE TABLE leads (ext_id text)", "--finish", 69, "db migrate")]
    public async Task Adopt_WhatCannotBe_IsRefusedWithTheReasonAndChangesNothing(string schema, string flags, int code, string reason)
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        await database.ExecuteAsync(schema.Length == 0 ? "SELECT 1" : schema);
        var before = await AdoptRig.EverythingAsync(database);
        var host = new TestHost(database);

        var exit = await host.RunAsync(["db", "adopt", .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);

        Assert.Equal(code, (int)exit);
        Assert.Contains(reason, host.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await AdoptRig.EverythingAsync(database));
    }

    [Fact]
    public async Task Adopt_OnASchemaOfOurs_HasNothingToDo()
    {
        var host = new TestHost(clean);

        Assert.Equal(ExitCode.Usage, await host.RunAsync("db", "adopt"));
        Assert.Contains("nothing to adopt", host.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adopt_FullDisk_IsTemporaryAndLeavesTheOldTables()
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        // The last table to be read fails as a full disk does.
        await database.ExecuteAsync(
            Bare + """
            CREATE FUNCTION full_disk() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
            CREATE VIEW lead_score_history AS SELECT full_disk() AS id, 'lead-1'::text AS lead_ext_id, 5 AS score
            """);
        var before = await AdoptRig.EverythingAsync(database);
        var host = new TestHost(database);

        Assert.Equal(ExitCode.TemporaryFailure, await host.RunAsync("db", "adopt"));

        Assert.Equal(before, await AdoptRig.EverythingAsync(database));
        await database.ExecuteAsync("CREATE OR REPLACE FUNCTION full_disk() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("db", "adopt"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_history"));
    }

    [Fact]
    public async Task Adopt_Told_ShowsNoAddressAndBothLanguages()
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        await database.ExecuteAsync(
            "CREATE TABLE leads (ext_id text, source text, priority text); INSERT INTO leads VALUES ('ana@acme.example', NULL, 'hot'), ('34600111222', NULL, 'hot'), ('lead-1', NULL, 'hot')");
        var host = new TestHost(database);

        Assert.Equal(ExitCode.Done, await host.RunAsync("db", "adopt", "--dry-run", "--lang", "es"));

        Assert.Contains("otra palabra para lo mismo", host.Output, StringComparison.Ordinal);
        Assert.Contains("lead-1", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", host.Output + host.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("34600111222", host.Output + host.Errors, StringComparison.Ordinal);
        host = new TestHost(database);
        Assert.Equal(ExitCode.Done, await host.RunAsync("db", "adopt", "--json"));
        Assert.Equal(3, host.Result.GetProperty("tables")[0].GetProperty("adopted").GetInt32());
        // What is known of a person goes with the lead.
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'ana@acme.example'");
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM adoption_findings WHERE row_key = 'ana@acme.example'"));
    }

    private static Task<bool> SchemaExistsAsync(TestDatabase database, string schema) =>
        database.ScalarAsync<bool>("SELECT to_regnamespace(@schema) IS NOT NULL", ("schema", schema))!;

    private static IEnumerable<string> Lines(AdoptionReport report) =>
        report.Findings.Select(finding => $"{finding.Rule} {finding.Table}.{finding.Column} {finding.Rows} {finding.SetAside}").Order(StringComparer.Ordinal);
}
