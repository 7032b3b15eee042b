using System.Text;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Privacy;

/// <summary>A person whose name, addresses and ids stand nowhere else, put into every column that may hold something about her.</summary>
internal static class Zyxwina
{
    public const string Lead = "zx-lead-4711";
    public const string OtherLead = "zx-other-0815";
    public const string Alias = "zx-alias-2342";
    public const string Email = "Zyxwina.Qqortsen@vrumpf.example";
    public const string Phone = "+34 699 812 733";

    /// <summary>What must be found nowhere, in lower case.</summary>
    public static IReadOnlyList<string> Traces { get; } =
    [
        "zyxwina", "qqorts", "vrumpf", "699 812 733", "699812733", "699-812-733", Lead, OtherLead, Alias, "zyxwina.qqortsen%40",
        // The address in Base64, wherever in a group of three it begins.
        .. Enumerable.Range(0, 3).Select(n => Convert.ToBase64String(Encoding.UTF8.GetBytes(new string(' ', n) + Email))[(n == 0 ? 0 : n + 1)..^4].ToLowerInvariant()),
    ];

    /// <summary>Two leads of hers, another id, and what sales people, campaigns and jobs wrote about her; beside them a lead that is somebody else.</summary>
    public static Task SeedAsync(TestDatabase database) => database.ExecuteAsync(
        """
        INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, company_name, company_domain, industry,
          product_interest, language, country, region, time_zone, attributes, estimated_value, score, created_at)
        VALUES
          ('zx-lead-4711', 'web', 'Zyxwina', 'Qqortsén', 'Zyxwina.Qqortsen@vrumpf.example', '+34 699 812 733', 'zyxwina-mail', 'for-qqortsen', 'Vrumpf GmbH',
            'vrumpf.example', 'software', 'suite', 'es', 'ES', 'Vrumpf', 'Europe/Madrid', '{"nick": "Zyxwina", "nested": {"a": ["Qqortsén"]}}', 5000, 60, now() - interval '60 days'),
          ('zx-other-0815', 'event', 'Zyxwina', NULL, 'zyxwina.qqortsen@VRUMPF.example', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 40, now() - interval '50 days'),
          ('bystander', 'web', 'Ana', 'Garcia', 'ana@acme.example', '+34 611 111 111', NULL, NULL, 'Acme', NULL, NULL, NULL, 'es', NULL, NULL, NULL, NULL, 900, 55, now() - interval '60 days');
        INSERT INTO lead_aliases (alias_ext_id, ext_id, matched_by) VALUES ('zx-alias-2342', 'zx-lead-4711', 'email');
        INSERT INTO sales_campaigns (name, campaign_type, steps_config) VALUES ('zx welcome', 'multichannel', '[{"type": "email"}]') ON CONFLICT DO NOTHING;
        INSERT INTO sales_pipeline (lead_ext_id, email, first_name, last_name, phone, source, utm_source, utm_campaign, stage, assigned_to, estimated_value, notes,
          metadata, qualified_at, closed_at)
        VALUES
          ('zx-lead-4711', 'zyxwina@second.vrumpf.example', 'Zyxwina', 'Qqortsén', '0034-699-812-733', 'web', 'zyxwina', 'qqortsen', 'closed_won', 'rep@sales.example', 5000,
            'Zyxwina wants a call', '{"meeting_with": "Zyxwina Qqortsén", "ml_predictions": {"recommendations": ["call Zyxwina"]}}', now() - interval '40 days', now() - interval '10 days'),
          ('zx-other-0815', 'zyxwina.qqortsen@vrumpf.example', 'Zyxwina', NULL, NULL, 'event', NULL, NULL, 'contacted', 'rep@sales.example', 700, NULL, '{}', now() - interval '20 days', NULL),
          ('bystander', 'ana@acme.example', 'Ana', 'Garcia', '+34 611 111 111', 'web', NULL, NULL, 'contacted', 'rep@sales.example', 900, 'Ana', '{"x": 1}', now() - interval '30 days', NULL);
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, task_description, status, metadata, completed_by, followup_stage, assigned_to)
        SELECT p.id, p.lead_ext_id, k.type, 'Call ' || coalesce(p.first_name, ''), 'About ' || p.email, k.status, jsonb_build_object('outcome', 'answered', 'note', p.first_name),
          CASE WHEN k.status = 'completed' AND p.lead_ext_id <> 'bystander' THEN 'Zyxwina Qqortsén' END, k.stage::pipeline_stage, 'rep@sales.example'
        FROM sales_pipeline p, (VALUES ('call', 'completed', NULL), ('email', 'pending', 'contacted')) AS k (type, status, stage)
        WHERE p.lead_ext_id IN ('zx-lead-4711', 'zx-other-0815', 'bystander');
        INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, from_stage, to_stage, changed_at, changed_by)
        SELECT id, lead_ext_id, 'qualified', 'contacted', now() - interval '35 days', 'Zyxwina Qqortsén' FROM sales_pipeline WHERE lead_ext_id = 'zx-lead-4711';
        INSERT INTO lead_engagement_events (lead_ext_id, event_type, source, source_event_id, bot_reason, metadata)
        SELECT l.ext_id, e.type, 'mail', e.type || '-' || l.email, NULL, jsonb_build_object('subject', 'Re: Hello ' || l.first_name, 'from', l.email)
        FROM leads l, (VALUES ('reply'), ('click')) AS e (type) WHERE l.ext_id IN ('zx-lead-4711', 'bystander');
        INSERT INTO lead_score_history (lead_ext_id, score, scoring_factors, calculated_by)
        SELECT ext_id, 50, jsonb_build_object('who', email), 'tool of ' || first_name || ' Qqortsén' FROM leads WHERE ext_id IN ('zx-lead-4711');
        INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 50, 'zyxwina' FROM leads WHERE ext_id = 'zx-lead-4711';
        INSERT INTO lead_contact_timing (lead_ext_id, interval_days) VALUES ('zx-lead-4711', 4);
        INSERT INTO consent_changes (lead_ext_id, channel, consent, changed_by) VALUES ('zx-lead-4711', 'email', true, 'Zyxwina by form');
        INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, pipeline_id, status, current_step, total_steps, next_action_at, metadata)
        SELECT c.id, p.lead_ext_id, p.id, 'active', 1, 3, now(), jsonb_build_object('variant', 'B', 'note', p.first_name) FROM sales_campaigns c, sales_pipeline p
        WHERE c.name = 'zx welcome' AND p.lead_ext_id IN ('zx-lead-4711', 'bystander');
        INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, status, executed_at, metadata)
        SELECT x.id, x.lead_ext_id, k.step, 'email_sent', k.status, k.at, jsonb_build_object('variant', 'B', 'to', l.email)
        FROM sales_campaign_executions x JOIN leads l ON l.ext_id = x.lead_ext_id, (VALUES (1, 'sent', now() - interval '2 days'), (2, 'queued', NULL)) AS k (step, status, at);
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, campaign_event_id, recipient, payload, status, sent_at, finished_at, reason)
        SELECT 'campaign/' || e.execution_id || '/' || e.step_number, 'email', 'campaign', e.lead_ext_id, e.execution_id, e.step_number, e.id, l.email,
          jsonb_build_object('subject', 'Hello ' || l.first_name, 'text', 'Dear ' || l.last_name, 'html', '<a href="mailto:' || replace(l.email, '@', '%40') || '">' || l.first_name || '</a>'),
          CASE e.status WHEN 'sent' THEN 'sent' ELSE 'pending' END, e.executed_at, e.executed_at, 'said to ' || l.first_name || ' ' || l.last_name
        FROM sales_campaign_events e JOIN leads l ON l.ext_id = e.lead_ext_id;
        INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload) VALUES
          ('own/zx-lead-4711', 'task', 'followup', 'zx-lead-4711', NULL, '{"title": "Zyxwina"}'),
          ('digest/1', 'slack', 'alert', NULL, NULL, '{"text": "zx-lead-4711 (Zyxwina Qqorts&#233;n, call 0034699812733) and bystander wait", "blocks": [{"zx-lead-4711": 34699812733, "n": 7}]}'),
          ('notice/zyxwina.qqortsen@vrumpf.example', 'email', 'notice', NULL, 'zyxwina.qqortsen@vrumpf.example', '{"subject": "x", "text": "Sent to Zyxwina"}'),
          ('digest/2', 'slack', 'alert', NULL, NULL, '{"text": "bystander waits, and so does zx-lead-471", "n": 9812733}');
        INSERT INTO alerts (kind, situation_key, severity, peak_severity, lead_ext_id, facts, opened_at, last_seen_at) VALUES
          ('stale_lead', 'zx-lead-4711', 'warning', 'warning', 'zx-lead-4711', '{"lead": "zx-lead-4711", "value": 5000, "who": "Zyxwina Qqortsén"}', now(), now()),
          ('overloaded_rep', 'about Zyxwina Qqortsén', 'warning', 'warning', NULL, '{"rep": "rep@sales.example", "last": "zyxwina.qqortsen@vrumpf.example"}', now(), now()),
          ('stale_lead', 'bystander', 'warning', 'warning', 'bystander', '{"lead": "bystander"}', now(), now());
        INSERT INTO task_runs (command, parameters, result, error, status, finished_at) VALUES
          ('leads import', '{"path": "/data/zyxwina.qqortsen@vrumpf.example.csv"}', '{"first": ["Zyxwina Qqortsén", {"zx-lead-4711": 1}]}', 'row of zx-other-0815: Qqortsén', 'failed', now());
        INSERT INTO timing_moves (kind, id, lead_ext_id, plain_at, moved_to) SELECT 'followup', id, lead_ext_id, now(), now() FROM sales_pipeline WHERE lead_ext_id = 'zx-lead-4711';
        INSERT INTO deal_predictions (pipeline_id, predicted_at, inputs_hash, parts, answered_by, log_odds, contributions, probability, risk, confidence, recommendations)
        SELECT id, now(), 1, 1, 'endpoint', 0, '[["who", "Zyxwina", 1]]', 0.5, 0.5, 0.5, '[["call", "Qqortsén waits"]]' FROM sales_pipeline WHERE lead_ext_id = 'zx-other-0815';
        INSERT INTO deal_prediction_history (pipeline_id, predicted_at, answered_by, probability, risk)
        SELECT id, now(), 'endpoint', 0.5, 0.5 FROM sales_pipeline WHERE lead_ext_id = 'zx-lead-4711';
        INSERT INTO lead_imports (heartbeat_at) VALUES (now());
        INSERT INTO lead_import_rows (import_id, seq, ext_id, email, first_name, raw) SELECT max(id), 1, 'zx-new-1', 'ZYXWINA.qqortsen@vrumpf.example', 'Zyxwina', 'raw' FROM lead_imports;
        INSERT INTO lead_import_rows (import_id, seq, ext_id, target, raw) SELECT max(id), 2, 'zx-new-2', 'zx-lead-4711', 'Zyxwina' FROM lead_imports;
        INSERT INTO lead_import_events (import_id, seq, lead_ext_id, event_type, occurred_at, source, source_event_id, file, line, raw)
        SELECT max(id), 1, 'zx-alias-2342', 'reply', now(), 'mail', 'Zyxwina', 0, 1, 'Zyxwina' FROM lead_imports;
        INSERT INTO lead_import_people (import_id, ext_id, seq, phone_key, first_name_key) SELECT max(id), 'zx-new-1', 1, '34699812733', 'zyxwina' FROM lead_imports;
        INSERT INTO stored_files (sha256, content_type, content)
        SELECT sha256(c.content), 'text/csv', c.content FROM (SELECT convert_to(E'lead,value\nzyxwina.qqortsen@vrumpf.example,5000\n', 'UTF8') AS content UNION SELECT convert_to('bystander', 'UTF8')) AS c;
        INSERT INTO reports (report_type, period, period_start, period_end, language, version, sha256, summary)
        SELECT 'weekly', '2020-W0' || n, timestamptz '2020-01-06' + n * interval '7 days', timestamptz '2020-01-13' + n * interval '7 days', 'en', 1, sha256('x'), '{}' FROM generate_series(1, 2) AS n;
        INSERT INTO report_files (report_id, name, sha256)
        SELECT r.id, 'leads.csv', f.sha256 FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM reports) r JOIN (SELECT sha256, row_number() OVER (ORDER BY length(content) DESC) AS n FROM stored_files) f USING (n);
        INSERT INTO experiments (name, share_permille, horizon_days) SELECT 'x', 100, 30 WHERE NOT EXISTS (SELECT FROM experiments);
        INSERT INTO experiment_assignments (lead_ext_id, experiment_id, arm, assigned_at, source) SELECT 'zx-lead-4711', max(id), 'treated', now(), 'Zyxwina Qqortsén' FROM experiments
        ON CONFLICT (lead_ext_id) DO UPDATE SET source = excluded.source;
        INSERT INTO crm_states (crm, used_at, scores_read_to) VALUES ('hubspot', now(), now()) ON CONFLICT DO NOTHING;
        INSERT INTO crm_links (crm, object, key, lead_ext_id, crm_id, our_base, their_base, sending, problem, problem_values, related_to)
        VALUES ('hubspot', 'lead', 'zx-lead-4711', 'zx-lead-4711', '900001', '{"email": "zyxwina.qqortsen@vrumpf.example"}', '{"firstname": "Zyxwina"}', '{"lastname": "Qqortsén"}', 'Zyxwina is refused',
            '{"phone": "+34 699 812 733"}', NULL),
          ('hubspot', 'deal', 'zx-lead-4711', 'zx-lead-4711', '900002', '{"name": "Vrumpf GmbH - Zyxwina"}', '{}', NULL, NULL, NULL, '900001');
        INSERT INTO crm_conflicts (link_id, lead_ext_id, field, version, base_value, our_value, their_value, winner, reason)
        SELECT id, 'zx-lead-4711', 'first_name', 1, 'Zyxwina', 'Zyxwina', 'Qqortsén', 'ours', 'rule' FROM crm_links WHERE crm_id = '900001';
        INSERT INTO crm_staged (crm, object, crm_id, key, modified_at, properties) VALUES
          ('hubspot', 'lead', '900001', 'zx-lead-4711', now(), '{"email": "zyxwina.qqortsen@vrumpf.example", "first_name": "Zyxwina"}'),
          ('hubspot', 'lead', '900003', NULL, now(), '{"email": "zyxwina.qqortsen@vrumpf.example", "last_name": "Qqortsén"}');
        INSERT INTO adoption_findings (table_name, row_key, lead_ext_id, rule, column_name, was, became, old_row) VALUES
          ('leads', 'zx-lead-4711', 'zx-lead-4711', 'value', 'phone', '+34 699 812 733 ext', '+34 699 812 733', NULL),
          ('leads', 'old-77', 'old-77', 'duplicate', NULL, NULL, 'zx-lead-4711', '{"ext_id": "old-77", "email": "zyxwina.qqortsen@vrumpf.example"}'),
          ('sales_pipeline', '77', NULL, 'no_lead', NULL, NULL, NULL, '{"lead_ext_id": "gone", "first_name": "Zyxwina", "last_name": "Qqortsén"}'),
          ('leads', 'bystander', 'bystander', 'value', 'phone', '611', NULL, NULL);
        INSERT INTO crm_changes (crm, lead_ext_id) VALUES ('hubspot', 'zx-lead-4711'), ('hubspot', 'bystander');
        INSERT INTO pipeline_outcomes (kind, source_id, lead_ext_id, happened_at) VALUES ('reply', 1, 'zx-lead-4711', now());
        INSERT INTO followup_checks (pipeline_id) SELECT id FROM sales_pipeline WHERE lead_ext_id = 'zx-other-0815'
        """);

    /// <summary>Everything in every table as text, what is kept as bytes included, in lower case.</summary>
    public static async Task<string> DumpAsync(TestDatabase database)
    {
        var text = new StringBuilder();
        var columns = await database.QueryAsync(
            """
            SELECT c.relname, coalesce(string_agg(quote_ident(a.attname), ' ') FILTER (WHERE a.atttypid = 'bytea'::regtype), '')
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'm') GROUP BY c.relname ORDER BY c.relname
            """,
            row => (Table: row.GetString(0), Bytes: row.GetString(1).Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        foreach (var (table, bytes) in columns)
        {
            foreach (var row in await database.QueryAsync($"SELECT t::text FROM \"{table}\" AS t", reader => reader.GetString(0)))
            {
                text.Append(table).Append(": ").AppendLine(row.ToLowerInvariant());
            }

            foreach (var column in bytes)
            {
                foreach (var row in await database.QueryAsync($"SELECT encode({column}, 'escape') FROM \"{table}\" WHERE {column} IS NOT NULL", reader => reader.GetString(0)))
                {
                    text.Append(table).Append(": ").AppendLine(row.ReplaceLineEndings(" ").ToLowerInvariant());
                }
            }
        }

        return text.ToString();
    }

    /// <summary>Lines of a dump with a trace of her.</summary>
    public static List<string> Find(string dump) => [.. dump.Split('\n').Where(line => Traces.Any(t => line.Contains(t, StringComparison.OrdinalIgnoreCase)))];
}
