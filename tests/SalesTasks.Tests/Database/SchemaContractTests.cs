using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary>The names, columns, types and results that dashboards, scripts and tools rely on.</summary>
public sealed class SchemaContractTests(TestDatabase database) : PipelineTests(database)
{
    /// <summary>Tables and views with their columns in order; a trailing … allows further columns.</summary>
    public static TheoryData<string, string> Relations => new()
    {
        {
            "leads",
            """
            ext_id character varying(128), source character varying(32), first_name character varying(128), last_name character varying(128),
            email character varying(256), phone character varying(64), score integer, priority priority_level, utm_source character varying(128),
            utm_campaign character varying(128), created_at timestamp with time zone, updated_at timestamp with time zone, …
            """
        },
        {
            "lead_score_history",
            """
            id bigint, lead_ext_id character varying(128), score integer, previous_score integer, priority priority_level, score_change integer,
            scoring_factors jsonb, calculated_at timestamp with time zone, calculated_by character varying(64)
            """
        },
        { "sales_pipeline", PipelineColumns + ", …" },
        {
            "sales_stage_history",
            """
            id bigint, pipeline_id bigint, lead_ext_id character varying(128), from_stage pipeline_stage, to_stage pipeline_stage,
            changed_at timestamp with time zone, changed_by text
            """
        },
        {
            "sales_followup_tasks",
            """
            id bigint, pipeline_id bigint, lead_ext_id character varying(128), task_type character varying(16), task_title text,
            task_description text, status character varying(16), priority priority_level, assigned_to character varying(256),
            due_date timestamp with time zone, completed_at timestamp with time zone, completed_by character varying(256), metadata jsonb,
            created_at timestamp with time zone, updated_at timestamp with time zone, …
            """
        },
        {
            "sales_campaigns",
            """
            id bigint, name character varying(256), description text, campaign_type character varying(32), trigger_criteria jsonb,
            steps_config jsonb, enabled boolean, max_leads_per_run integer, created_at timestamp with time zone,
            updated_at timestamp with time zone
            """
        },
        {
            "sales_campaign_executions",
            """
            id bigint, campaign_id bigint, lead_ext_id character varying(128), pipeline_id bigint, status character varying(16),
            current_step integer, total_steps integer, started_at timestamp with time zone, completed_at timestamp with time zone,
            next_action_at timestamp with time zone, metadata jsonb, created_at timestamp with time zone, updated_at timestamp with time zone
            """
        },
        {
            "sales_campaign_events",
            """
            id bigint, execution_id bigint, lead_ext_id character varying(128), step_number integer, event_type character varying(32),
            status character varying(16), executed_at timestamp with time zone, metadata jsonb, created_at timestamp with time zone
            """
        },
        {
            "v_sales_dashboard",
            """
            id bigint, lead_ext_id character varying(128), email character varying(256), full_name text, score integer,
            priority priority_level, stage pipeline_stage, assigned_to character varying(256), estimated_value numeric(12,2),
            probability_pct integer, expected_value numeric, qualified_at timestamp with time zone, last_contact_at timestamp with time zone,
            next_followup_at timestamp with time zone, days_in_pipeline integer, days_since_contact integer, pending_tasks bigint,
            overdue_tasks bigint, completed_tasks bigint, ml_probability numeric, ml_risk_score numeric, stage_label text
            """
        },
        { "v_leads_requires_attention", PipelineColumns + ", days_since_contact integer, overdue_tasks bigint, ml_risk_score numeric" },
        {
            "v_sales_rep_performance",
            """
            assigned_to text, active_leads bigint, won_last_30d bigint, lost_last_30d bigint, total_closed bigint, win_rate_pct numeric,
            total_revenue numeric, avg_days_to_close numeric, overdue_tasks bigint, avg_lead_score numeric, weighted_pipeline numeric
            """
        },
        {
            "v_sales_forecast",
            """
            forecast_month date, total_deals bigint, total_pipeline_value numeric, weighted_forecast numeric, high_priority_forecast numeric,
            avg_probability numeric, negotiating_count bigint, proposals_count bigint, weighted_forecast_low numeric,
            weighted_forecast_high numeric
            """
        },
        {
            "v_conversion_funnel",
            """
            stage pipeline_stage, total_leads bigint, high_priority bigint, medium_priority bigint, low_priority bigint, avg_score numeric,
            avg_probability numeric, total_value numeric, avg_days_in_stage numeric, previous_stage_count bigint,
            conversion_rate_pct numeric, reached_leads bigint
            """
        },
        {
            "mv_sales_metrics",
            """
            date date, total_qualified bigint, contacted bigint, meetings_scheduled bigint, proposals_sent bigint, closed_won bigint,
            closed_lost bigint, win_rate_pct numeric, avg_deal_value numeric, total_pipeline_value numeric, tasks_completed bigint,
            tasks_overdue bigint, emails_sent bigint, calls_made bigint
            """
        },
        {
            "sales_reps",
            """
            email character varying(256), name character varying(256), active boolean, min_active_leads integer, max_active_leads integer, …
            """
        },
        {
            "sales_rep_absences",
            """
            id bigint, rep_email character varying(256), starts_at timestamp with time zone, ends_at timestamp with time zone,
            reason character varying(128), created_at timestamp with time zone
            """
        },
        {
            "task_runs",
            """
            id bigint, command character varying(128), dag_id character varying(250), task_id character varying(250),
            run_id character varying(250), map_index integer, try_number integer, started_by character varying(256),
            host character varying(256), process_id integer, program_version character varying(64), parameters jsonb,
            as_of timestamp with time zone, started_at timestamp with time zone, heartbeat_at timestamp with time zone,
            finished_at timestamp with time zone, status character varying(16), exit_code integer, result jsonb, error text
            """
        },
    };

    public static TheoryData<string, string, string> Functions => new()
    {
        {
            "calculate_lead_score",
            """
            p_lead_ext_id character varying, p_engagement_replies integer DEFAULT 0, p_engagement_clicks integer DEFAULT 0,
            p_engagement_opens integer DEFAULT 0, p_has_email boolean DEFAULT false, p_has_phone boolean DEFAULT false,
            p_has_name boolean DEFAULT false, p_source_score integer DEFAULT 0, p_utm_score integer DEFAULT 0,
            p_days_since_created integer DEFAULT 0, p_company_domain character varying DEFAULT NULL::character varying,
            p_website_visited boolean DEFAULT false, p_demo_requested boolean DEFAULT false, p_pricing_page_viewed boolean DEFAULT false
            """,
            "integer"
        },
        { "auto_assign_sales_rep", "p_lead_ext_id character varying", "character varying" },
        {
            "get_top_opportunities",
            "p_limit integer DEFAULT 20, p_min_value numeric DEFAULT 0",
            """
            TABLE(lead_ext_id character varying, email character varying, full_name text, stage pipeline_stage, estimated_value numeric,
            probability_pct integer, expected_value numeric, assigned_to character varying, days_in_pipeline integer)
            """
        },
        {
            "get_leads_at_risk",
            "p_min_days_without_contact integer DEFAULT 7, p_min_risk_score numeric DEFAULT 0.6",
            """
            TABLE(lead_ext_id character varying, email character varying, stage pipeline_stage, estimated_value numeric,
            days_since_contact integer, overdue_tasks_count bigint, ml_risk_score numeric, risk_level text)
            """
        },
        {
            "update_rep_stats",
            "p_rep_email character varying",
            """
            TABLE(rep_email character varying, active_leads bigint, won_last_30d bigint, lost_last_30d bigint, total_closed bigint,
            win_rate_pct numeric, total_revenue numeric, avg_days_to_close numeric, overdue_tasks bigint, avg_lead_score numeric,
            weighted_pipeline numeric, stats_updated_at timestamp with time zone)
            """
        },
    };

    /// <summary>What scripts in the field send: values as string literals, nothing cast, nothing optional named.</summary>
    public static TheoryData<string, string> PlainInserts => new()
    {
        { "leads", "INSERT INTO leads (ext_id, source) VALUES ('n', 'organic')" },
        {
            "leads",
            """
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, score, priority, utm_source, utm_campaign, created_at, updated_at)
            VALUES ('n', 'organic', 'Ana', 'Ruiz', 'ana@lead.example', '+34 600 000 000', '72', 'high', 'google', 'spring', '2026-01-02', '2026-01-02')
            """
        },
        {
            "lead_score_history",
            """
            INSERT INTO lead_score_history (lead_ext_id, score, previous_score, priority, scoring_factors, calculated_at)
            VALUES ('l', '72', '60', 'high', '{"base": 20}', '2026-01-02 10:00')
            """
        },
        { "sales_pipeline", "INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('l2', 'l2@lead.example')" },
        {
            "sales_pipeline",
            """
            INSERT INTO sales_pipeline (id, lead_ext_id, email, first_name, last_name, phone, score, priority, source, utm_source, utm_campaign,
              stage, assigned_to, qualified_at, first_contact_at, last_contact_at, next_followup_at, closed_at, estimated_value,
              probability_pct, notes, metadata, created_at, updated_at)
            VALUES ('900', 'l2', 'l2@lead.example', 'Ana', 'Ruiz', '600', '72', 'urgent', 'organic', 'google', 'spring',
              'closed_won', 'ana@sales.example', '2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05', '2026-01-06', '12000.50',
              '100', 'VIP', '{"ml_predictions": {"probability": 0.8}}', '2026-01-02', '2026-01-06')
            """
        },
        {
            "sales_followup_tasks",
            "INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title) VALUES ('800', 'l', 'email', 'First contact')"
        },
        {
            "sales_followup_tasks",
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, task_description, status, priority, assigned_to,
              due_date, completed_at, completed_by, metadata, created_at, updated_at)
            VALUES ('800', 'l', 'proposal', 'Send it', 'All of it', 'completed', 'urgent', 'ana@sales.example', '2026-01-05', '2026-01-04',
              'ana', '{"template": 3}', '2026-01-02', '2026-01-04')
            """
        },
        { "sales_campaigns", "INSERT INTO sales_campaigns (name, campaign_type) VALUES ('n', 'nurturing')" },
        {
            "sales_campaigns",
            """
            INSERT INTO sales_campaigns (name, description, campaign_type, trigger_criteria, steps_config, enabled, max_leads_per_run)
            VALUES ('n', 'Welcome', 'email_sequence', '{"stage": "qualified", "score_min": 50}',
              '[{"type": "email", "delay_hours": 0, "subject": "Hello", "body": "{{ first_name }}"}]', 'true', '100')
            """
        },
        {
            "sales_campaign_executions",
            "INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id) VALUES ('700', 'l2')"
        },
        {
            "sales_campaign_executions",
            """
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, status, current_step, total_steps, started_at,
              completed_at, next_action_at, metadata)
            VALUES ('700', 'l2', '800', 'paused', '1', '4', '2026-01-02', null, '2026-01-05', '{"variant": "b"}')
            """
        },
        {
            "sales_campaign_events",
            "INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type) VALUES ('600', 'l', 'email_sent')"
        },
        {
            "sales_campaign_events",
            """
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, metadata)
            VALUES ('600', 'l', '1', 'call_answered', 'completed', '2026-01-02', '{"seconds": 90}')
            """
        },
        { "sales_reps", "INSERT INTO sales_reps (email, name) VALUES ('ana@sales.example', 'Ana')" },
        {
            "sales_reps",
            """
            INSERT INTO sales_reps (email, name, active, min_active_leads, max_active_leads, weight, specialisations, languages, regions,
              time_zone, work_days, work_start, work_end)
            VALUES ('ana@sales.example', 'Ana', 'true', '3', '30', '1.5', '{saas,retail}', '{es,en}', '{ES,Jalisco}', 'Europe/Madrid',
              '{1,2,3,4}', '08:30', '16:30')
            """
        },
        { "sales_rep_absences", "INSERT INTO sales_rep_absences (rep_email, starts_at, ends_at) VALUES ('luis@sales.example', '2026-03-01', '2026-03-08')" },
        { "task_runs", "INSERT INTO task_runs (command, dag_id, task_id, run_id) VALUES ('scoring score', 'lead_scoring_automation', 'score', 'r')" },
    };

    /// <summary>Values outside the contract, and the constraint class (SQLSTATE) that stops each.</summary>
    public static TheoryData<string, string> WrongRows => new()
    {
        { "INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('nobody', 'n@lead.example')", PostgresErrorCodes.ForeignKeyViolation },
        { "INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('l', 'again@lead.example')", PostgresErrorCodes.UniqueViolation },
        { "INSERT INTO sales_pipeline (lead_ext_id) VALUES ('l2')", PostgresErrorCodes.NotNullViolation },
        {
            "INSERT INTO sales_pipeline (lead_ext_id, email, stage) VALUES ('l2', 'n@lead.example', 'won')",
            PostgresErrorCodes.InvalidTextRepresentation
        },
        {
            "INSERT INTO sales_pipeline (lead_ext_id, email, priority) VALUES ('l2', 'n@lead.example', 'High')",
            PostgresErrorCodes.InvalidTextRepresentation
        },
        { "UPDATE sales_pipeline SET stage = NULL", PostgresErrorCodes.NotNullViolation },
        { "UPDATE sales_pipeline SET probability_pct = 101", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_pipeline SET probability_pct = -1", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_pipeline SET estimated_value = -0.01", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_pipeline SET qualified_at = 'infinity'", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_pipeline SET last_contact_at = '-infinity'", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_stage_history SET changed_at = 'infinity'", PostgresErrorCodes.CheckViolation },
        {
            "INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title) VALUES (800, 'l', 'fax', 'x')",
            PostgresErrorCodes.CheckViolation
        },
        {
            "INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status) VALUES (800, 'l', 'call', 'x', 'done')",
            PostgresErrorCodes.CheckViolation
        },
        { "INSERT INTO sales_campaigns (name, campaign_type) VALUES ('Welcome', 'nurturing')", PostgresErrorCodes.UniqueViolation },
        { "INSERT INTO sales_campaigns (name, campaign_type) VALUES ('n', 'drip')", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_campaigns SET max_leads_per_run = -1", PostgresErrorCodes.CheckViolation },
        { "INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id) VALUES (700, 'l')", PostgresErrorCodes.UniqueViolation },
        { "UPDATE sales_campaign_executions SET status = 'running'", PostgresErrorCodes.CheckViolation },
        {
            "INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type) VALUES (600, 'l', 'bounced')",
            PostgresErrorCodes.CheckViolation
        },
        {
            "INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type, status) VALUES (600, 'l', 'custom', 'ok')",
            PostgresErrorCodes.CheckViolation
        },
        { "INSERT INTO sales_reps (email, name) VALUES ('LUIS@sales.example', 'Twice')", PostgresErrorCodes.UniqueViolation },
        { "INSERT INTO sales_reps (email, name) VALUES ('  ', 'Blank')", PostgresErrorCodes.CheckViolation },
        { "UPDATE sales_reps SET time_zone = 'Europe/Atlantis'", PostgresErrorCodes.InvalidParameterValue },
        { "UPDATE sales_reps SET work_days = '{0}'", PostgresErrorCodes.CheckViolation },
        {
            "INSERT INTO sales_rep_absences (rep_email, starts_at, ends_at) VALUES ('luis@sales.example', '2026-03-08', '2026-03-01')",
            PostgresErrorCodes.CheckViolation
        },
        { "INSERT INTO task_runs (command, status) VALUES ('health', 'succeeded')", PostgresErrorCodes.CheckViolation },
        { "INSERT INTO task_runs (command, finished_at) VALUES ('health', now())", PostgresErrorCodes.CheckViolation },
    };

    private const string PipelineColumns =
        """
        id bigint, lead_ext_id character varying(128), email character varying(256), first_name character varying(128),
        last_name character varying(128), phone character varying(64), score integer, priority priority_level, source character varying(32),
        utm_source character varying(128), utm_campaign character varying(128), stage pipeline_stage, assigned_to character varying(256),
        qualified_at timestamp with time zone, first_contact_at timestamp with time zone, last_contact_at timestamp with time zone,
        next_followup_at timestamp with time zone, closed_at timestamp with time zone, estimated_value numeric(12,2), probability_pct integer,
        notes text, metadata jsonb, created_at timestamp with time zone, updated_at timestamp with time zone
        """;

    /// <summary>Lead l with deal 800 and execution 600 of campaign 700, lead l2 without a deal, and rep luis.</summary>
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Db.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email) VALUES ('l', 'organic', 'l@lead.example'), ('l2', 'organic', 'l2@lead.example');
            INSERT INTO sales_pipeline (id, lead_ext_id, email) VALUES (800, 'l', 'l@lead.example');
            INSERT INTO sales_campaigns (id, name, campaign_type) VALUES (700, 'Welcome', 'nurturing');
            INSERT INTO sales_campaign_executions (id, campaign_id, lead_ext_id, pipeline_id) VALUES (600, 700, 'l', 800);
            INSERT INTO sales_reps (email, name) VALUES ('luis@sales.example', 'Luis')
            """);
    }

    [Theory]
    [MemberData(nameof(Relations))]
    public async Task Relation_Columns_AreTheContract(string relation, string contract)
    {
        var actual = await ColumnAsync(
            """
            SELECT attname || ' ' || format_type(atttypid, atttypmod)
            FROM pg_attribute
            WHERE attrelid = to_regclass(@relation) AND attnum > 0 AND NOT attisdropped
            ORDER BY attnum
            """,
            ("relation", relation));

        var expected = OneLine(contract).Split(", ");
        if (expected[^1] == "…")
        {
            expected = expected[..^1];
            actual = actual[..Math.Min(expected.Length, actual.Count)];
        }

        Assert.Equal(expected, actual);
    }

    [Theory]
    [MemberData(nameof(Functions))]
    public async Task Function_SignatureAndResult_AreTheContract(string name, string arguments, string result)
    {
        var function = await RowAsync(
            """
            SELECT pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result
            FROM pg_proc WHERE proname = @name
            """,
            ("name", name));

        Assert.Equal(OneLine(arguments), function["arguments"]);
        Assert.Equal(OneLine(result), function["result"]);
    }

    [Fact]
    public async Task Defaults_OfContractColumns_AreTheContract()
    {
        var deal = await RowAsync("SELECT stage, probability_pct, qualified_at, created_at, updated_at FROM sales_pipeline WHERE id = 800");
        var campaign = await RowAsync("SELECT max_leads_per_run, enabled FROM sales_campaigns");
        var rep = await RowAsync("SELECT active, min_active_leads, max_active_leads FROM sales_reps");

        Assert.Equal("qualified", deal["stage"]);
        Assert.Equal(20, deal["probability_pct"]);
        Assert.All(["qualified_at", "created_at", "updated_at"], name => Assert.Equal(Now, deal[name]));
        Assert.Equal(50, campaign["max_leads_per_run"]);
        Assert.Equal(true, campaign["enabled"]);
        Assert.Equal(true, rep["active"]);
        Assert.Equal(5, rep["min_active_leads"]);
        Assert.Equal(50, rep["max_active_leads"]);
    }

    [Theory]
    [MemberData(nameof(PlainInserts))]
    public async Task Insert_OfStringLiterals_AddsOneRow(string table, string insert)
    {
        var before = await CountAsync(table);

        await Db.ExecuteAsync(insert);

        Assert.Equal(before + 1, await CountAsync(table));
    }

    [Theory]
    [MemberData(nameof(WrongRows))]
    public async Task Write_OutsideTheContract_IsRefused(string statement, string reason) => Assert.Equal(reason, await RefusedAsync(statement));

    [Fact]
    public async Task Enums_BoundAsText_AreWritten()
    {
        await Db.ExecuteAsync(
            "UPDATE sales_pipeline SET stage = @stage, priority = @priority WHERE id = 800", ("stage", "contacted"), ("priority", "urgent"));

        Assert.Equal(["contacted urgent"], await ColumnAsync("SELECT stage || ' ' || priority FROM sales_pipeline"));
    }

    [Fact]
    public async Task PriorityAndStage_Ordered_SortByMeaning()
    {
        await Db.ExecuteAsync(
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, priority)
            VALUES (800, 'l', 'call', 'x', 'high'), (800, 'l', 'call', 'x', 'low'), (800, 'l', 'call', 'x', 'urgent'), (800, 'l', 'call', 'x', 'medium')
            """);

        Assert.Equal(["low", "medium", "high", "urgent"], await ColumnAsync("SELECT priority FROM sales_followup_tasks ORDER BY priority"));
        Assert.Equal(
            ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"],
            await ColumnAsync("SELECT stage FROM unnest(enum_range(NULL::pipeline_stage)) AS s (stage) ORDER BY stage"));
    }

    [Theory]
    [InlineData("idx_pipeline_stage_priority_score", "sales_pipeline USING btree (stage, priority DESC NULLS LAST, score DESC NULLS LAST)")]
    [InlineData("idx_pipeline_assigned_stage", "sales_pipeline USING btree (assigned_to, stage)")]
    [InlineData("idx_pipeline_next_followup", "sales_pipeline USING btree (next_followup_at) WHERE ")]
    [InlineData("idx_pipeline_metadata_gin", "sales_pipeline USING gin (metadata jsonb_path_ops)")]
    [InlineData("idx_tasks_overdue", "sales_followup_tasks USING btree (due_date, priority) WHERE ")]
    public async Task Index_OfContract_IsThere(string name, string definition)
    {
        var actual = await Db.ScalarAsync<string>("SELECT pg_get_indexdef(to_regclass(@name))", ("name", name));

        Assert.Contains(definition, actual, StringComparison.Ordinal);
        Assert.DoesNotContain("now()", actual, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("stage NOT IN ('closed_won', 'closed_lost')")]
    [InlineData("stage < 'closed_won'")]
    [InlineData("stage = 'contacted'")]
    public async Task NextFollowupIndex_AnyFormOfOpen_IsUsable(string open)
    {
        var plan = await ColumnAsync(
            $"""
            SET enable_seqscan = off;
            SET enable_sort = off;
            EXPLAIN SELECT id FROM sales_pipeline WHERE {open} AND next_followup_at <= '2026-03-16' ORDER BY next_followup_at
            """);

        Assert.Contains(plan, line => line!.Contains("idx_pipeline_next_followup", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ForeignKeys_ToLeadsAndPipeline_CascadeOnDelete() => Assert.Empty(await ColumnAsync(
        """
        SELECT conrelid::regclass || ': ' || conname
        FROM pg_constraint
        WHERE contype = 'f' AND confrelid IN ('leads'::regclass, 'sales_pipeline'::regclass) AND confdeltype <> 'c'
        """));

    [Fact]
    public async Task ForeignKeys_AllOfThem_HaveAnIndex() => Assert.Empty(await ColumnAsync(
        """
        SELECT c.conrelid::regclass || ': ' || c.conname
        FROM pg_constraint c
        WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace AND NOT EXISTS (
          SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
        """));

    [Fact]
    public async Task Delete_OfLead_TakesEverythingAboutIt()
    {
        await AddEverythingAsync();

        await Db.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'l'");

        Assert.Equal(["l2"], await ColumnAsync("SELECT ext_id FROM leads"));
        await AssertEmptyAsync(
            "sales_pipeline", "sales_stage_history", "sales_followup_tasks", "sales_campaign_executions", "sales_campaign_events",
            "lead_contact_timing", "lead_score_history");
        Assert.Equal(1, await CountAsync("sales_campaigns"));
    }

    [Fact]
    public async Task Delete_OfDeal_TakesItsTasksHistoryAndExecutions()
    {
        await AddEverythingAsync();

        await Db.ExecuteAsync("DELETE FROM sales_pipeline");

        await AssertEmptyAsync("sales_stage_history", "sales_followup_tasks", "sales_campaign_executions", "sales_campaign_events");
        Assert.Equal(2, await CountAsync("leads"));
        Assert.Equal(1, await CountAsync("lead_contact_timing"));
    }

    [Fact]
    public async Task Delete_OfCampaign_TakesItsExecutions()
    {
        await AddEverythingAsync();

        await Db.ExecuteAsync("DELETE FROM sales_campaigns");

        await AssertEmptyAsync("sales_campaign_executions", "sales_campaign_events");
        Assert.Equal(1, await CountAsync("sales_pipeline"));
    }

    [Fact]
    public async Task Rename_OfLead_IsFollowedEverywhere()
    {
        await AddEverythingAsync();

        await Db.ExecuteAsync("UPDATE leads SET ext_id = 'renamed' WHERE ext_id = 'l'");

        Assert.All(
            await ColumnAsync(
                """
                SELECT lead_ext_id FROM sales_pipeline UNION ALL SELECT lead_ext_id FROM sales_stage_history
                UNION ALL SELECT lead_ext_id FROM sales_followup_tasks UNION ALL SELECT lead_ext_id FROM sales_campaign_executions
                UNION ALL SELECT lead_ext_id FROM sales_campaign_events UNION ALL SELECT lead_ext_id FROM lead_contact_timing
                """),
            lead => Assert.Equal("renamed", lead));
    }

    [Fact]
    public async Task Schema_OtherThanPublic_WorksForSessionsOutsideIt()
    {
        await using var outside = await TestDatabase.CreateAsync(Db.Server, migrated: false);
        var inside = outside.Connection;
        inside.SearchPath = "crm";
        await using (var program = new SalesDatabase(inside, new SalesDatabaseOptions(), TimeProvider.System))
        {
            await new Migrator(program, TimeProvider.System).MigrateAsync(TestContext.Current.CancellationToken);
        }

        await outside.ExecuteAsync(
            """
            INSERT INTO crm.leads (ext_id, source, email) VALUES ('l', 'organic', 'l@lead.example');
            INSERT INTO crm.sales_reps (email, name) VALUES ('Ana@Sales.Example', 'Ana');
            INSERT INTO crm.sales_pipeline (lead_ext_id, email, assigned_to, estimated_value)
              VALUES ('l', 'l@lead.example', crm.auto_assign_sales_rep('l'), 1000);
            INSERT INTO crm.sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status)
              SELECT id, 'l', 'call', 'x', 'completed' FROM crm.sales_pipeline;
            UPDATE crm.sales_pipeline SET last_contact_at = '2026-03-01', stage = 'contacted';
            REFRESH MATERIALIZED VIEW CONCURRENTLY crm.mv_sales_metrics
            """);

        Assert.Equal("ana@sales.example", await outside.ScalarAsync<string>("SELECT rep_email FROM crm.update_rep_stats('ana@sales.example')"));
        Assert.Equal("l", await outside.ScalarAsync<string>("SELECT lead_ext_id FROM crm.get_top_opportunities()"));
        Assert.Equal("l", await outside.ScalarAsync<string>("SELECT lead_ext_id FROM crm.get_leads_at_risk()"));
        Assert.Equal(new DateTime(2026, 3, 4, 0, 0, 0, DateTimeKind.Utc), await outside.ScalarAsync<DateTime>("SELECT next_followup_at FROM crm.sales_pipeline"));
        foreach (var (view, rows) in new[]
        {
            ("v_sales_dashboard", 1L), ("v_leads_requires_attention", 1), ("v_sales_rep_performance", 1), ("v_sales_forecast", 1),
            ("v_conversion_funnel", 7),
        })
        {
            Assert.Equal(rows, await outside.ScalarAsync<long>($"SELECT count(*) FROM crm.{view}"));
        }
    }

    private static string OneLine(string text) => string.Join(' ', text.Split('\n', StringSplitOptions.TrimEntries));

    private Task<long> CountAsync(string table) => Db.ScalarAsync<long>($"SELECT count(*) FROM {table}");

    private async Task AssertEmptyAsync(params string[] tables)
    {
        foreach (var table in tables)
        {
            Assert.True(await CountAsync(table) == 0, $"{table} still has rows");
        }
    }

    private Task<int> AddEverythingAsync() => Db.ExecuteAsync(
        """
        UPDATE sales_pipeline SET stage = 'contacted';
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title) VALUES (800, 'l', 'call', 'x');
        INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type) VALUES (600, 'l', 'email_sent');
        INSERT INTO lead_contact_timing (lead_ext_id, interval_days) VALUES ('l', 5);
        INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('l', 50)
        """);
}
