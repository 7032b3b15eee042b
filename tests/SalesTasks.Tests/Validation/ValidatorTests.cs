using SalesTasks.Database;
using SalesTasks.Tests.TestBase;
using SalesTasks.Validation;

namespace SalesTasks.Tests.Validation;

/// <summary>Each fault that can be planted is found by the check made for it, and a sound database has none.</summary>
public sealed class ValidatorTests(PostgresServer server, TestDatabase clean) : IClassFixture<TestDatabase>
{
    /// <summary>A little of everything, as the program and its users would have written it.</summary>
    private const string Rows =
        """
        INSERT INTO sales_reps (email, name) VALUES ('rep@sales.example', 'Rep');
        INSERT INTO leads (ext_id, source, first_name, email) SELECT 'lead-' || n, 'organic', 'Ana', 'ana' || n || '@acme.example' FROM generate_series(1, 5) n;
        INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('lead-1', 'reply'), ('lead-1', 'click'), ('lead-2', 'open');
        INSERT INTO lead_scores (lead_id, priority, rule_version, score, base_points, email_points, phone_points, name_points, reply_points, click_points,
          open_points, source_points, utm_points, age_points, domain_points, website_points, demo_points, pricing_points, cap_points, model_points)
        SELECT lead_id, 'medium', 1, 47, 20, 10, 0, 5, 0, 0, 0, 5, 0, 5, 2, 0, 0, 0, 0, 0 FROM leads;
        INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('lead-1', 30);
        INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, estimated_value)
        SELECT ext_id, email, CASE ext_id WHEN 'lead-4' THEN 'closed_won' WHEN 'lead-5' THEN 'closed_lost' ELSE 'qualified' END::pipeline_stage,
          'rep@sales.example', 1000 FROM leads;
        UPDATE sales_pipeline SET stage = 'contacted' WHERE lead_ext_id = 'lead-2';
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, followup_stage)
        SELECT id, lead_ext_id, 'email', 'First contact', stage FROM sales_pipeline WHERE stage < 'closed_won';
        INSERT INTO sales_campaigns (name, campaign_type, steps_config) VALUES
          ('Welcome', 'email_sequence', '[{"type": "email", "delay_hours": 0, "subject": "Hello", "body": "Hello"}]');
        INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, total_steps, next_action_at)
        SELECT c.id, p.lead_ext_id, p.id, 1, now() FROM sales_campaigns c, sales_pipeline p WHERE p.lead_ext_id = 'lead-1';
        INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type)
        SELECT id, lead_ext_id, 1, 'email_sent' FROM sales_campaign_executions;
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, payload)
        SELECT 'k' || id, 'email', 'campaign', lead_ext_id, id, '{"subject": "Hello"}' FROM sales_campaign_executions;
        """;

    private const string WithoutTriggers = "SET session_replication_role = replica; ";

    /// <summary>Name → checks that find it, and the statements that plant it.</summary>
    private static readonly Dictionary<string, (string Checks, string Plant)> s_faults = new(StringComparer.Ordinal)
    {
        ["table gone"] = ("objects engagement_counts orphans_by_lead_id", "DROP TABLE lead_engagement CASCADE"),
        ["view gone"] = ("objects", "DROP VIEW v_sales_forecast"),
        ["metrics gone"] = ("metrics objects", "DROP MATERIALIZED VIEW mv_sales_metrics"),
        ["function gone"] = ("objects", "DROP FUNCTION get_leads_at_risk"),
        ["index gone"] = ("objects", "DROP INDEX idx_pipeline_next_followup"),
        ["trigger gone"] = ("objects", "DROP TRIGGER sales_pipeline_closed_at_update ON sales_pipeline"),
        ["trigger disabled"] = ("triggers_enabled", "ALTER TABLE leads DISABLE TRIGGER leads_inserted"),
        ["index invalid"] = ("indexes_valid", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_tasks_overdue'::regclass"),
        ["primary key gone"] = ("keys", "ALTER TABLE sales_campaign_events DROP CONSTRAINT sales_campaign_events_pkey CASCADE"),
        ["foreign key gone"] = ("keys", "ALTER TABLE sales_followup_tasks DROP CONSTRAINT sales_followup_tasks_pipeline_id_fkey"),
        ["column renamed"] = ("columns", "ALTER TABLE sales_pipeline RENAME COLUMN utm_campaign TO campaign"),
        ["constraint not validated"] = ("constraints_validated", "ALTER TABLE sales_pipeline ADD CONSTRAINT small CHECK (id < 1000000) NOT VALID"),
        ["migration not applied"] = ("migrations", "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)"),
        ["migration of another build"] = ("migrations", "UPDATE schema_migrations SET checksum = 'x' WHERE version = 3"),
        ["migration of a newer program"] = (
            "migrations", "INSERT INTO schema_migrations SELECT 9999, 'future', 'x', now(), 1, '99' FROM schema_migrations LIMIT 1"),
        ["migrations out of order"] = ("migrations", "UPDATE schema_migrations SET applied_at = applied_at + interval '1 day' WHERE version = 2"),
        ["score history without lead"] = ("orphans_by_lead_id", WithoutTriggers + "INSERT INTO lead_scores (lead_id, score) VALUES (-1, 50)"),
        ["counts without lead"] = ("orphans_by_lead_id", "INSERT INTO lead_engagement (lead_id) VALUES (-1)"),
        ["deal without lead"] = ("orphans_by_key", WithoutTriggers + "DELETE FROM leads WHERE ext_id = 'lead-3'; DELETE FROM lead_scores WHERE lead_id NOT IN (SELECT lead_id FROM leads)"),
        ["task without deal"] = (
            "orphans_by_key", WithoutTriggers + "UPDATE sales_followup_tasks SET pipeline_id = 999 WHERE lead_ext_id = 'lead-3'"),
        ["task of another lead's deal"] = ("cross_references", WithoutTriggers + "UPDATE sales_followup_tasks SET lead_ext_id = 'lead-1'"),
        ["message of another lead's execution"] = ("cross_references", "UPDATE outbox_messages SET lead_ext_id = 'lead-2'"),
        ["closed without closed_at"] = (
            "closed_at",
            "ALTER TABLE sales_pipeline DROP CONSTRAINT sales_pipeline_closed_at_with_stage; " + WithoutTriggers
            + "UPDATE sales_pipeline SET closed_at = NULL WHERE stage = 'closed_won'"),
        ["stage without history"] = (
            "stage_history", WithoutTriggers + "UPDATE sales_pipeline SET stage = 'negotiating' WHERE lead_ext_id = 'lead-1'"),
        ["deal of no rep"] = ("assigned_to", "UPDATE sales_pipeline SET assigned_to = 'gone@sales.example' WHERE lead_ext_id = 'lead-1'"),
        ["task of a closed deal"] = (
            "closed_deal_tasks",
            """
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, followup_stage)
            SELECT id, lead_ext_id, 'call', 'Call', 'negotiating' FROM sales_pipeline WHERE stage = 'closed_won'
            """),
        ["two open tasks for one stage"] = (
            "duplicate_tasks objects",
            """
            DROP INDEX idx_tasks_one_open_per_stage;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, followup_stage)
            SELECT pipeline_id, lead_ext_id, 'email', 'Again', followup_stage FROM sales_followup_tasks WHERE lead_ext_id = 'lead-1'
            """),
        ["address that is none"] = ("emails", "UPDATE sales_pipeline SET email = 'ana at acme' WHERE lead_ext_id = 'lead-1'"),
        ["token without its value"] = (
            "sealed_values", "INSERT INTO encryption_state (mode) VALUES ('on'); UPDATE leads SET phone = 'sealed-abcdefghijklmnop-1' || repeat('0', 38) WHERE ext_id = 'lead-1'"),
        ["erased person is here again"] = (
            "erasures",
            """
            INSERT INTO privacy_secret (inner_key, outer_key) VALUES (sha256('a') || sha256('b'), sha256('c') || sha256('d'));
            INSERT INTO privacy_requests (kind, subject_hash) VALUES ('erase', sha256('x'));
            INSERT INTO privacy_tombstones (person_hash, kind, request_id)
            SELECT person_hash('email', l.email), 'email', r.id FROM leads l, privacy_requests r WHERE l.ext_id = 'lead-1'
            """),
        ["erased lead whose deal names somebody"] = ("erasures", "UPDATE leads SET erased_at = now() WHERE ext_id = 'lead-1'"),
        ["erasure that the CRM owes"] = (
            "erasures", "INSERT INTO privacy_crm_erasures (crm, object, crm_id, queued_at) VALUES ('hubspot', 'lead', '1', now() - interval '8 days')"),
        ["campaign without steps"] = ("campaigns", "INSERT INTO sales_campaigns (name, campaign_type) VALUES ('Empty', 'nurturing')"),
        ["campaign with an unknown step"] = ("campaigns", """UPDATE sales_campaigns SET steps_config = '[{"type": "fax"}]'"""),
        ["campaign with steps that are no list"] = ("campaigns", """UPDATE sales_campaigns SET steps_config = '{"type": "email"}'"""),
        ["campaign with an unknown criterion"] = ("campaigns", """UPDATE sales_campaigns SET trigger_criteria = '{"shoe_size": 43}'"""),
        ["execution beyond its steps"] = ("executions", "UPDATE sales_campaign_executions SET current_step = 2"),
        ["score out of range"] = ("scores", "UPDATE leads SET score = 130 WHERE ext_id = 'lead-1'"),
        ["past score out of range"] = ("scores", "UPDATE lead_score_history SET score = -5 WHERE score = 30"),
        ["points that do not add up"] = ("scores", "UPDATE lead_scores SET base_points = 25 WHERE score = 47"),
        ["counts that are not those of the events"] = ("engagement_counts", "UPDATE lead_engagement SET replies = 7 WHERE replies > 0"),
        ["sent and never on the wire"] = ("outbox", "UPDATE outbox_messages SET status = 'sent', sent_at = now(), finished_at = now()"),
        ["held for days"] = (
            "outbox", "UPDATE outbox_messages SET status = 'sending', lease_token = md5('x')::uuid, lease_until = now() - interval '2 days', attempts = 1"),
        ["ended without an instant"] = (
            "outbox", "ALTER TABLE outbox_messages DROP CONSTRAINT finished_at_with_status; UPDATE outbox_messages SET status = 'dead'"),
        ["partition of next month gone"] = (
            "partitions",
            """
            DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'lead_scores_' || to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYYMM')); END $$
            """),
        ["rows in the default partition"] = (
            "partitions", "INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) VALUES ('lead-1', 40, '2001-01-01')"),
        ["metrics not refreshed"] = ("metrics", "UPDATE sales_pipeline SET qualified_at = now() - interval '5 days' WHERE lead_ext_id = 'lead-1'"),
        ["no rules in force"] = ("settings", "UPDATE scoring_rules SET active = false"),
        ["no sending policy"] = ("settings", "DELETE FROM sending_policy"),
        ["sequence behind"] = ("sequences", "UPDATE sales_campaigns SET id = id + 1000 WHERE false; INSERT INTO sales_campaigns (id, name, campaign_type, enabled) VALUES (1000, 'Restored', 'nurturing', false)"),
    };

    /// <summary>Faults whose fix is SQL that mends them as it stands.</summary>
    private static readonly HashSet<string> s_mended =
    [
        "index gone",
        "trigger gone",
        "trigger disabled",
        "foreign key gone",
        "constraint not validated",
        "closed without closed_at",
        "stage without history",
        "task of a closed deal",
        "two open tasks for one stage",
        "score history without lead",
        "task of another lead's deal",
        "counts that are not those of the events",
        "sequence behind",
        "no sending policy",
    ];

    public static TheoryData<string> Faults => [.. s_faults.Keys];

    [Fact]
    public Task Validate_MigratedAndEmpty_FindsNothing() => Sound.IsAsync(clean);

    [Fact]
    public async Task Validate_SoundRows_FindsNothing()
    {
        await using var database = await PlantedAsync("SELECT 1");

        await Sound.IsAsync(database);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Validate_PlantedFault_IsFoundByItsChecksAndNoOtherAndMended(string fault)
    {
        var (checks, plant) = s_faults[fault];
        await using var database = await PlantedAsync(plant);

        var findings = await Sound.FindAsync(database);

        Assert.Equal(checks.Split(' ').Order(StringComparer.Ordinal), findings.Select(f => f.Check).Distinct().Order(StringComparer.Ordinal));
        Assert.All(findings, finding => Assert.True(
            finding.Severity is "error" or "warning" && finding.Subject.Length > 0 && finding.Detail != finding.DetailInSpanish && finding.Fix is { Length: > 0 },
            finding.ToString()));
        if (s_mended.Contains(fault))
        {
            foreach (var fix in findings)
            {
                await database.ExecuteAsync(fix.Fix!);
            }

            await Sound.IsAsync(database);
        }
    }

    [Fact]
    public void Checks_EachOne_HasAPlantedFault() => Assert.Empty(
        Validator.Checks.Except(s_faults.Values.SelectMany(fault => fault.Checks.Split(' '))).Except(["sizes", "unused_indexes"]));

    [Fact]
    public async Task Expected_Objects_AreThoseOfAMigratedDatabase()
    {
        var present = await clean.QueryAsync(
            """
            SELECT 'relation ' || c.relname FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I') AND c.relname <> 'schema_migrations'
              -- Month partitions are made as time goes by; indexes of keys and of partitions come with what they belong to.
              AND c.relname !~ '^(lead_scores|audit_log)_[0-9]{6}'
              AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conindid = c.oid AND n.contype <> 'f')
              AND NOT (c.relkind IN ('i', 'I') AND c.relispartition)
            UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
            UNION ALL SELECT 'trigger ' || c.relname || '.' || g.tgname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
            WHERE c.relnamespace = 'public'::regnamespace AND NOT g.tgisinternal
            """,
            row => row.GetString(0));

        var expected = ExpectedSchema.Of(Migration.Embedded).Select(o => o.Kind switch
        {
            "trigger" => $"trigger {o.OnTable}.{o.Name}",
            "function" or "type" => $"{o.Kind} {o.Name}",
            _ => $"relation {o.Name}",
        });

        Assert.Equal(present.Distinct().Order(StringComparer.Ordinal), expected.Distinct().Order(StringComparer.Ordinal));
    }

    private async Task<TestDatabase> PlantedAsync(string plant)
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync(Rows);
        await database.ExecuteAsync(plant);
        return database;
    }
}
