using SalesTasks.Privacy;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Privacy;

/// <summary>
/// One person in a large database: what an erasure and an export read are that person's rows, by index, and never a table that grows with
/// leads. What is read whole is small or bounded, and stands here.
/// </summary>
public sealed class ErasePlanTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Leads = 20_000;

    /// <summary>Tables that are read whole: emptied by every run, a row a run of a job, alerts, files of reports.</summary>
    private static readonly string[] s_small =
        ["crm_changes", "crm_staged", "adoption_findings", "lead_import_sealed", "lead_import_rows", "lead_import_events", "lead_import_people", "task_runs", "alerts", "stored_files", "reports", "report_files"];

    public static TheoryData<string> Statements =>
    [
        .. PersonalData.Tables.SelectMany(t => t.Exports.Select(s => "privacy/export/" + s).Concat(t.Erases.Select(s => "privacy/erase/" + s)))
            .Where(s => !s_small.Any(small => s.EndsWith("/" + small, StringComparison.Ordinal)) && !s.EndsWith("/alerts_of_no_lead", StringComparison.Ordinal)),
        "privacy/find", "privacy/sharing", "privacy/persons", "privacy/lock_leads", "privacy/lock_messages", "privacy/lock_executions", "privacy/lock_deals",
        "privacy/links", "privacy/held_phones", "privacy/message_states",
    ];

    public async ValueTask InitializeAsync()
    {
        if (await database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM leads)"))
        {
            return;
        }

        await database.ExecuteAsync(
            $$"""
            SET LOCAL session_replication_role = replica;
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone)
            SELECT 'lead-' || i, 'web', 'First' || i, 'Last' || i, 'lead' || i || '@acme.example', '+3460000' || lpad(i::text, 5, '0') FROM generate_series(1, {{Leads}}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, first_name, stage) SELECT ext_id, email, first_name, 'contacted' FROM leads;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title) SELECT id, lead_ext_id, 'call', 'Call' FROM sales_pipeline;
            INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, to_stage) SELECT id, lead_ext_id, 'qualified' FROM sales_pipeline;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type) SELECT ext_id, 'click' FROM leads;
            INSERT INTO lead_engagement (lead_id) SELECT lead_id FROM leads;
            INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 1, '1' FROM leads;
            INSERT INTO lead_scores (lead_id, score, calculated_by) SELECT lead_id, 1, 'x' FROM leads;
            INSERT INTO lead_score_due (lead_id) SELECT lead_id FROM leads;
            INSERT INTO lead_contact_timing (lead_ext_id, interval_days) SELECT ext_id, 3 FROM leads;
            INSERT INTO lead_aliases (alias_ext_id, ext_id, matched_by) SELECT 'alias-' || ext_id, ext_id, 'email' FROM leads;
            INSERT INTO consent_changes (lead_ext_id, channel) SELECT ext_id, 'email' FROM leads;
            INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to) SELECT 'followup', id, lead_ext_id, now(), now() FROM sales_pipeline;
            INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at) SELECT 'task', id, lead_ext_id, now() FROM sales_pipeline;
            INSERT INTO followup_checks (pipeline_id) SELECT id FROM sales_pipeline;
            INSERT INTO deal_predictions (pipeline_id, predicted_at, inputs_hash, parts, answered_by, log_odds, probability, risk, confidence)
            SELECT id, now(), 1, 1, 'prior', 0, 0.5, 0.5, 0.5 FROM sales_pipeline;
            INSERT INTO deal_prediction_history (pipeline_id, predicted_at, answered_by, probability, risk) SELECT id, now(), 'prior', 0.5, 0.5 FROM sales_pipeline;
            INSERT INTO sales_campaigns (id, name, campaign_type) VALUES (1, 'c', 'email_sequence');
            INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id) SELECT 1, lead_ext_id, id FROM sales_pipeline;
            INSERT INTO sales_campaign_events (execution_id, lead_ext_id, event_type) SELECT id, lead_ext_id, 'email_sent' FROM sales_campaign_executions;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, payload)
            SELECT 'm/' || id, 'email', 'campaign', lead_ext_id, id, '{"text": "x"}' FROM sales_campaign_executions;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload) SELECT 'd/' || i, 'slack', 'alert', '{"text": "x"}' FROM generate_series(1, 50) AS i;
            INSERT INTO experiments (id, name, share_permille, horizon_days) VALUES (1, 'x', 100, 30);
            INSERT INTO experiment_assignments (lead_ext_id, experiment_id, arm, assigned_at) SELECT ext_id, 1, 'treated', now() FROM leads;
            INSERT INTO routing_decisions (lead_id, run_id, value, probability, outcome, reason, class, product, hops, value_known, place, candidates)
            SELECT lead_id, 1, 1, 1, 'kept', 'best', 1, 1, 0, true, 1, '{}' FROM leads;
            INSERT INTO crm_states (crm, used_at, scores_read_to) VALUES ('hubspot', now(), now());
            INSERT INTO crm_links (crm, object, key, lead_ext_id, crm_id) SELECT 'hubspot', 'lead', ext_id, ext_id, lead_id::text FROM leads;
            INSERT INTO crm_conflicts (link_id, lead_ext_id, field, version, winner, reason) SELECT id, lead_ext_id, 'email', 1, 'ours', 'rule' FROM crm_links;
            INSERT INTO suppressions (address_hash, channel, reason) SELECT address_hash('email', email), 'email', 'manual' FROM leads;
            INSERT INTO privacy_requests (kind, subject_hash) SELECT 'export', sha256(convert_to(ext_id, 'UTF8')) FROM leads;
            INSERT INTO privacy_tombstones (person_hash, kind, request_id) SELECT subject_hash, 'email', id FROM privacy_requests
            """);
        // Also sums up the block ranges of the score history.
        await database.ExecuteAsync("VACUUM (ANALYZE)");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [MemberData(nameof(Statements))]
    public async Task Statement_ForOnePersonAmongMany_ReadsThatPersonsRows(string statement)
    {
        await using var connection = await database.OpenConnectionAsync();
        var person = await Person.FindAsync(connection, "test", new Subject("ext_id", "lead-777"), false, null, TestContext.Current.CancellationToken);

        var plan = await QueryPlan.OfAsync(
            database, statement,
            [
                .. person.Parameters, .. new Subject("email", "lead777@acme.example").Parameters, ("limit", 21), ("phones", person.Phones), ("keys", person.Phones.Select(p => p[1..]).ToArray()), ("request_id", 1L),
                ("new_ids", new[] { "erased-1" }), ("links", new[] { 777L }), ("who", person.Subject.Text),
            ]);

        // A block range index reads a few pages around the row; 60 rows are messages of no lead, triggers and foreign keys count elsewhere.
        Assert.True(plan.Work < (statement.EndsWith("/lead_scores", StringComparison.Ordinal) ? 8_000 : 400), $"{plan.Work} rows\n{plan.Text}");
        plan.ShouldNotScan("leads", "sales_pipeline", "sales_followup_tasks", "sales_campaign_events", "sales_campaign_executions", "outbox_messages", "crm_links", "crm_conflicts");
    }
}
