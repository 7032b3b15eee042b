using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Roles;

/// <summary>A rep sees her own rows and no others, whatever she tries, and changes what she may.</summary>
public sealed class RepRowsTests(RoledDatabase roled) : IClassFixture<RoledDatabase>, IAsyncLifetime
{
    private string Ana => $"{roled.Roles.Rep}_ana";

    /// <summary>Two reps, three deals each with a lead, a task, a campaign step and a score; and two deals of nobody.</summary>
    public async ValueTask InitializeAsync()
    {
        if (await roled.Database.ScalarAsync<long>("SELECT count(*) FROM leads") > 0)
        {
            return;
        }

        await roled.AddRepAsync("ana");
        await roled.AddRepAsync("ben");
        await roled.Database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, email, phone)
            SELECT r || '-' || i, 'web', r || i, r || i || '@lead.example', '+34 600 000 00' || i FROM unnest(ARRAY['ana', 'ben', 'none']) r, generate_series(1, 3) i;
            INSERT INTO lead_score_history (lead_ext_id, score) SELECT ext_id, 50 FROM leads;
            INSERT INTO sales_pipeline (lead_ext_id, email, first_name, phone, estimated_value, probability_pct, assigned_to, notes, qualified_at)
            SELECT ext_id, email, first_name, phone, 20000, 50, CASE WHEN split_part(ext_id, '-', 1) <> 'none' THEN split_part(ext_id, '-', 1) || '@sales.example' END,
              'secret of ' || ext_id, now() - interval '20 days'
            FROM leads;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, assigned_to, due_date)
            SELECT id, lead_ext_id, 'call', 'Call ' || lead_ext_id, assigned_to, now() - interval '1 day' FROM sales_pipeline;
            INSERT INTO sales_campaigns (name, campaign_type) VALUES ('c', 'nurturing');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id) SELECT c.id, p.lead_ext_id, p.id FROM sales_campaigns c, sales_pipeline p;
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type, status) SELECT id, lead_ext_id, 'email_sent', 'sent' FROM sales_campaign_executions;
            ANALYZE
            """);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public static TheoryData<string, int> OwnRows => new()
    {
        { "SELECT ext_id FROM leads", 3 },
        { "SELECT lead_ext_id FROM sales_pipeline", 3 },
        { "SELECT lead_ext_id FROM sales_followup_tasks", 3 },
        { "SELECT lead_ext_id FROM sales_campaign_executions", 3 },
        { "SELECT lead_ext_id FROM sales_campaign_events", 3 },
        { "SELECT lead_ext_id FROM sales_stage_history", 3 },
        { "SELECT lead_ext_id FROM lead_score_history", 3 },
        { "SELECT lead_ext_id FROM v_sales_dashboard", 3 },
        { "SELECT lead_ext_id FROM v_sales_dashboard_no_pii", 3 },
        { "SELECT lead_ext_id FROM v_leads_requires_attention", 3 },
        { "SELECT lead_ext_id FROM get_top_opportunities(1000)", 3 },
        { "SELECT lead_ext_id FROM get_leads_at_risk(0, 0)", 3 },
        { "SELECT assigned_to FROM v_sales_rep_performance", 1 },
        { "SELECT email FROM sales_reps", 1 },
        { "SELECT rep_email FROM rep_logins", 1 },
    };

    [Theory]
    [MemberData(nameof(OwnRows))]
    public async Task Rep_Reading_SeesHerOwnRowsOnly(string query, int expected)
    {
        var (rows, refused) = await roled.TryAsync(Ana, query);

        Assert.Null(refused);
        Assert.Equal(expected, rows.Count);
        Assert.All(rows, row => Assert.StartsWith("ana", row, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rep_ReadingTotals_SeesHerOwnTotals()
    {
        Assert.Equal("3|60000.00", Assert.Single((await roled.TryAsync(Ana, "SELECT total_deals, total_pipeline_value FROM v_sales_forecast")).Rows));
        Assert.Equal("3", Assert.Single((await roled.TryAsync(Ana, "SELECT total_leads FROM v_conversion_funnel WHERE stage = 'qualified'")).Rows));
        Assert.Equal("1|0", Assert.Single((await roled.TryAsync(Ana, "SELECT overdue_tasks, completed_tasks FROM v_sales_dashboard LIMIT 1")).Rows));
    }

    /// <summary>Each ends with an error or without a row of anybody else's, and leaves nothing behind.</summary>
    public static TheoryData<string, string> Tricks => new()
    {
        { "a function that tells what a filter sees", "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE EXCEPTION 'saw %', $1; END $$; SELECT notes FROM sales_pipeline WHERE assigned_to <> 'ana@sales.example' AND pg_temp.tell(notes)" },
        { "an error that quotes a hidden value", "SELECT notes FROM v_leads_requires_attention WHERE assigned_to LIKE 'ben%' AND notes::int > 0" },
        { "a hidden row through a join", "SELECT l.ext_id FROM sales_reps r RIGHT JOIN leads l ON true WHERE l.ext_id NOT LIKE 'ana%'" },
        { "a join from an own row to a hidden one", "SELECT o.lead_ext_id FROM sales_pipeline p JOIN sales_pipeline o ON o.id <> p.id WHERE o.assigned_to IS DISTINCT FROM 'ana@sales.example'" },
        { "a partition directly", "SELECT lead_id FROM lead_scores_default" },
        { "the partitioned table itself", "SELECT lead_id FROM lead_scores" },
        { "row_security off", "SET LOCAL row_security = off; SELECT lead_ext_id FROM sales_pipeline" },
        { "COPY", "COPY (SELECT lead_ext_id FROM sales_pipeline WHERE lead_ext_id NOT LIKE 'ana%') TO STDOUT" },
        { "the group role", "SET ROLE {rep}; SELECT lead_ext_id FROM v_sales_dashboard" },
        { "another role", "SET ROLE {worker}; SELECT lead_ext_id FROM sales_pipeline" },
        { "the owner", "SET ROLE {owner}; SELECT lead_ext_id FROM sales_pipeline" },
        { "the reader", "SET ROLE {reader}; SELECT lead_ext_id FROM sales_pipeline" },
        { "another user of the session", "SET SESSION AUTHORIZATION {worker}" },
        { "to be another rep", "UPDATE rep_logins SET rep_email = 'ben@sales.example'; SELECT lead_ext_id FROM sales_pipeline" },
        { "a second login of another rep", "INSERT INTO rep_logins VALUES (current_user, 'ben@sales.example') ON CONFLICT (login) DO UPDATE SET rep_email = EXCLUDED.rep_email" },
        { "a table that hides the mapping", "CREATE TEMP TABLE rep_logins (login name, rep_email text); INSERT INTO rep_logins VALUES (current_user, 'ben@sales.example'); SELECT lead_ext_id FROM v_sales_dashboard WHERE lead_ext_id NOT LIKE 'ana%'" },
        { "a function that hides another", "CREATE FUNCTION pg_temp.sees_all_rows() RETURNS boolean LANGUAGE sql AS 'SELECT true'; SET search_path = pg_temp, public; SELECT lead_ext_id FROM v_sales_dashboard WHERE lead_ext_id NOT LIKE 'ana%'" },
        { "an operator that hides another", "CREATE FUNCTION pg_temp.always(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR pg_temp.= (FUNCTION = pg_temp.always, LEFTARG = varchar, RIGHTARG = varchar); SET search_path = pg_temp, public; SELECT lead_ext_id FROM sales_pipeline WHERE lead_ext_id NOT LIKE 'ana%'" },
        { "an object in the schema", "CREATE TABLE public.rep_logins_2 (login name)" },
        { "a function in the schema", "CREATE FUNCTION public.sees_all_rows(int) RETURNS boolean LANGUAGE sql AS 'SELECT true'" },
        { "another function", "CREATE OR REPLACE FUNCTION public.sees_all_rows() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'" },
        { "another policy", "CREATE POLICY mine ON sales_pipeline USING (true)" },
        { "no policy", "ALTER TABLE sales_pipeline DISABLE ROW LEVEL SECURITY" },
        { "a view of her own", "CREATE VIEW public.all_deals AS SELECT * FROM sales_pipeline" },
        { "a temporary view", "CREATE TEMP VIEW all_deals AS SELECT * FROM v_sales_dashboard; SELECT lead_ext_id FROM all_deals WHERE lead_ext_id NOT LIKE 'ana%'" },
        { "a trigger", "CREATE TRIGGER spy AFTER UPDATE ON sales_pipeline FOR EACH ROW EXECUTE FUNCTION set_updated_at()" },
        { "a cursor that stays", "DECLARE c CURSOR WITH HOLD FOR SELECT lead_ext_id FROM sales_pipeline WHERE lead_ext_id NOT LIKE 'ana%'; FETCH ALL FROM c" },
        { "statistics of columns", "SELECT most_common_vals::text FROM pg_stats WHERE tablename IN ('sales_pipeline', 'leads') AND most_common_vals IS NOT NULL" },
        { "metrics of everybody", "SELECT date FROM mv_sales_metrics" },
        { "the trail", "SELECT changes FROM audit_log" },
        { "an entry in the trail", "SELECT audit_event('read', 'explain', NULL, 'ben-1', NULL)" },
        { "messages", "SELECT recipient FROM outbox_messages" },
        { "routing", "SELECT lead_ext_id FROM v_routing_decisions" },
        { "a lock on hidden rows", "SELECT lead_ext_id FROM sales_pipeline WHERE lead_ext_id NOT LIKE 'ana%' FOR UPDATE" },
        { "a foreign key that tells what exists", "CREATE TEMP TABLE guess (ext_id varchar REFERENCES public.leads (ext_id))" },
        { "an insert", "INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to) VALUES ('none-1', 'x@x.example', 'ana@sales.example') ON CONFLICT (lead_ext_id) DO UPDATE SET notes = 'x' RETURNING lead_ext_id" },
        { "a hidden row by UPDATE", "UPDATE sales_pipeline SET notes = 'x' WHERE lead_ext_id NOT LIKE 'ana%' RETURNING lead_ext_id" },
        { "a hidden task by UPDATE", "UPDATE sales_followup_tasks SET status = 'completed' WHERE lead_ext_id NOT LIKE 'ana%' RETURNING lead_ext_id" },
        { "taking a deal", "UPDATE sales_pipeline SET assigned_to = 'ana@sales.example' RETURNING lead_ext_id" },
        { "giving a deal away", "UPDATE sales_pipeline SET assigned_to = 'ben@sales.example' WHERE lead_ext_id = 'ana-1'" },
        { "a value of a deal", "UPDATE sales_pipeline SET estimated_value = 1" },
        { "a task done by a colleague", "UPDATE sales_followup_tasks SET status = 'completed', completed_by = 'ben@sales.example'" },
        { "deleting", "DELETE FROM sales_pipeline" },
        { "emptying", "TRUNCATE sales_followup_tasks" },
        { "the work of jobs", "SELECT stop_campaigns(ARRAY['ben-1'], ARRAY[now()], 'manual')" },
        { "the owner's work", "SELECT drop_lead_scores_partition('lead_scores_default')" },
        { "large objects and files", "SELECT pg_read_file('postgresql.conf')" },
        { "another session's statements", "SELECT query FROM pg_stat_activity WHERE query LIKE '%ben@%' AND usename <> current_user AND query <> '<insufficient privilege>'" },
    };

    [Theory]
    [MemberData(nameof(Tricks))]
    public async Task Rep_TryingTo_GetsNothing(string what, string sql)
    {
        foreach (var (kind, name) in roled.Roles.Names)
        {
            sql = sql.Replace("{" + kind + "}", name, StringComparison.Ordinal);
        }

        List<string> rows;
        string message;
        await using var connection = new NpgsqlConnection(roled.ConnectionOf(Ana).ConnectionString + ";Include Error Detail=true");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        try
        {
            rows = sql.StartsWith("COPY", StringComparison.Ordinal) ? await CopyAsync(connection, sql) : await RoledDatabase.RowsAsync(connection, sql);
            message = "";
        }
        catch (PostgresException refused)
        {
            rows = [];
            message = $"{refused.MessageText} {refused.Detail} {refused.Hint}";
        }

        Assert.True(rows.Count == 0, $"{what}: {string.Join(", ", rows)}");
        Assert.DoesNotContain("ben-", message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_MadeByAnother_IsMadeAnewForTheRep()
    {
        await using var connection = await roled.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        var rows = await RoledDatabase.RowsAsync(
            connection,
            $"""
            SET LOCAL plan_cache_mode = force_generic_plan;
            PREPARE deals AS SELECT count(*) FROM v_sales_dashboard;
            PREPARE leads_seen AS SELECT count(*) FROM leads;
            EXECUTE deals; EXECUTE leads_seen;
            SET LOCAL ROLE {Ana}; EXECUTE deals; EXECUTE leads_seen;
            RESET ROLE; EXECUTE deals;
            SET LOCAL ROLE {roled.Login("analyst")}; EXECUTE deals;
            SET LOCAL ROLE {roled.Login("rep")}; EXECUTE deals; EXECUTE leads_seen
            """);

        Assert.Equal(["9", "9", "3", "3", "9", "9", "0", "0"], rows);
    }

    [Fact]
    public async Task Member_WhoIsNoRep_SeesNothing()
    {
        foreach (var table in (string[])["leads", "sales_pipeline", "v_sales_dashboard", "get_top_opportunities(1000)", "sales_reps"])
        {
            Assert.Equal((0, null), await CountAsync($"SELECT * FROM {table}"));
        }

        async Task<(int, string?)> CountAsync(string sql)
        {
            var (rows, refused) = await roled.TryAsync(roled.Login("rep"), sql);
            return (rows.Count, refused);
        }
    }

    [Fact]
    public async Task Rep_Working_ChangesHerDealAndTaskWithAllThatFollows()
    {
        var ida = await roled.AddRepAsync("ida");
        await roled.Database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email) VALUES ('ida-1', 'web', 'ida1@lead.example');
            INSERT INTO crm_states (crm, used_at, scores_read_to) VALUES ('hubspot', now(), now()) ON CONFLICT DO NOTHING;
            INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to) VALUES ('ida-1', 'ida1@lead.example', 'ida@sales.example');
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title)
            SELECT id, lead_ext_id, 'meeting', 'Meet' FROM sales_pipeline WHERE lead_ext_id = 'ida-1'
            """);
        await using var connection = new NpgsqlConnection(roled.ConnectionOf(ida).ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);

        await RoledDatabase.RowsAsync(
            connection,
            """
            UPDATE sales_pipeline SET stage = 'negotiating', notes = 'likes it', last_contact_at = now(), first_contact_at = now();
            UPDATE sales_followup_tasks SET status = 'completed', completed_by = 'ida@sales.example';
            UPDATE sales_pipeline SET stage = 'closed_won'
            """);

        Assert.Equal(
            "closed_won|true|likes it|completed|true|2",
            await roled.Database.ScalarAsync<string>(
                """
                SELECT concat_ws('|', p.stage, (p.closed_at IS NOT NULL)::text, p.notes, t.status, (t.completed_at IS NOT NULL)::text,
                  (SELECT count(*) FROM sales_stage_history h WHERE h.pipeline_id = p.id AND h.from_stage IS NOT NULL))
                FROM sales_pipeline p JOIN sales_followup_tasks t ON t.pipeline_id = p.id WHERE p.lead_ext_id = 'ida-1'
                """));
        Assert.Equal(
            [ida],
            await roled.Database.QueryAsync(
                "SELECT DISTINCT db_user FROM audit_log WHERE lead_hash = hashtextextended('ida-1', 0) AND operation = 'update'", row => row.GetString(0)));
        Assert.True(await roled.Database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM crm_changes WHERE lead_ext_id = 'ida-1')"));
        await roled.Database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'ida-1'");
    }

    private static async Task<List<string>> CopyAsync(NpgsqlConnection connection, string sql)
    {
        using var reader = await connection.BeginTextExportAsync(sql, TestContext.Current.CancellationToken);
        var text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
