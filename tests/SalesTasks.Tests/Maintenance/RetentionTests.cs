using SalesTasks.Maintenance;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Maintenance;

/// <summary><c>privacy retention</c>, and what <c>db maintain</c> does by its rules.</summary>
public sealed class RetentionTests(PostgresServer server)
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Show_WithoutRules_KeepsEverythingAndRunRemovesNothing()
    {
        await using var database = await FilledAsync();
        var before = await database.FingerprintAsync();

        var rules = Json.Parse(await RunAsync(database, "show", "--json"));
        Assert.Equal(RetentionSubject.All.Select(s => s.Name), rules.EnumerateArray().Select(r => r.GetProperty("subject").GetString()));
        Assert.All(rules.EnumerateArray(), r => Assert.Equal("null", r.GetProperty("keep_days").GetRawText()));
        Assert.Contains("everything is kept", await RunAsync(database, "run"), StringComparison.Ordinal);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Run_EverySubjectHasARule_RemovesWhatIsOlderOnceAndNothingElse()
    {
        await using var database = await FilledAsync();
        await SetAllAsync(database);
        var metrics = await MetricsAsync(database);
        var before = await database.FingerprintAsync();

        var planned = Counts(await RunAsync(database, "run", "--dry-run", "--json"), "older");
        Assert.Equal(before, await database.FingerprintAsync());
        var removed = Counts(await RunAsync(database, "run", "--json"), "removed");
        var after = await database.FingerprintAsync();
        var again = Counts(await RunAsync(database, "run", "--json"), "removed");

        // Of each two things, one is old; of models, the published and the predicting one stay; of reports, the newest version of a period.
        Assert.Equal(
            new Dictionary<string, long>
            {
                ["alerts"] = 1,
                ["engagement_events"] = 1,
                ["inactive_leads"] = 1,
                ["message_texts"] = 1,
                ["models"] = 1,
                ["prediction_history"] = 1,
                ["report_versions"] = 1,
                ["routing_decisions"] = 1,
                ["score_history"] = 1,
                ["task_runs"] = 1,
                // Not before its report is gone.
                ["report_files"] = 0,
            }.OrderBy(c => c.Key),
            planned.OrderBy(c => c.Key));
        Assert.Equal(1, removed["report_files"]);
        Assert.Equal(planned.Where(c => c.Key is not ("report_files" or "inactive_leads")).OrderBy(c => c.Key), removed.Where(c => c.Key != "report_files").OrderBy(c => c.Key));
        Assert.All(again, c => Assert.Equal(0, c.Value));
        Assert.Equal(after, await database.FingerprintAsync());
        Assert.Equal(
            ["alerts 1", "deal_prediction_history 1", "lead_engagement_events 1", "leads 3", "ml_models 3", "outbox_messages 2", "report_files 2", "reports 2", "routing_decisions 1", "routing_runs 1", "stored_files 2", "task_runs 2"],
            await database.QueryAsync(
                """
                SELECT t || ' ' || (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', t), false, true, '')))[1]::text
                FROM unnest(ARRAY['alerts', 'deal_prediction_history', 'lead_engagement_events', 'leads', 'ml_models', 'outbox_messages', 'report_files', 'reports',
                  'routing_decisions', 'routing_runs', 'stored_files', 'task_runs']) AS t ORDER BY 1
                """,
                row => row.GetString(0)));
        Assert.Equal(metrics, await MetricsAsync(database));
        await Sound.IsAsync(database, Now);
    }

    [Fact]
    public async Task Maintain_WithRules_FollowsThem()
    {
        await using var database = await FilledAsync();
        await RunAsync(database, "set", "alerts", "30");
        await RunAsync(database, "set", "models", "30");
        await RunAsync(database, "set", "models", "keep");

        var host = new TestHost(database);
        Assert.True(await host.RunAsync("db", "maintain") is ExitCode.Done, host.Errors);

        Assert.Equal(1, host.Result.GetProperty("counts").GetProperty("retention_removed").GetInt64());
        Assert.Equal((1, 4), (await database.ScalarAsync<long>("SELECT count(*) FROM alerts"), await database.ScalarAsync<long>("SELECT count(*) FROM ml_models")));
    }

    [Theory]
    [InlineData("leads", "30", "subject 'leads' is not known")]
    [InlineData("alerts", "0", "days '0' is not allowed")]
    [InlineData("alerts", "-1", "days '-1' is not allowed")]
    [InlineData("alerts", "36501", "allowed: a whole number from 1 to 36500, or keep")]
    public async Task Set_WhatCannotBe_IsUsage(string subject, string days, string expected)
    {
        var host = new TestHost();

        Assert.Equal(ExitCode.Usage, await host.RunAsync("privacy", "retention", "set", "--", subject, days));

        Assert.Contains(expected, host.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_KilledAtRandomInstants_CompletesInTheEnd()
    {
        await using var database = await FilledAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO deal_prediction_history (pipeline_id, predicted_at, answered_by, probability, risk)
            SELECT 1, timestamptz '2020-01-01', 'prior', 0.5, 0.5 FROM generate_series(1, 12000);
            INSERT INTO retention_rules (subject, keep_days) VALUES ('prediction_history', 365)
            """);

        await KillHarness.RunAsync(
            () => ProgramRunner.For(database).Start("privacy", "retention", "run"),
            TimeSpan.FromSeconds(1),
            kills: 2,
            seed: 1,
            invariant: async () => Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM deal_prediction_history WHERE predicted_at < '2021-01-01'")),
            always: async () => Assert.True(await database.ScalarAsync<bool>("SELECT count(*) % 5000 IN (0, 2000) FROM deal_prediction_history WHERE predicted_at < '2021-01-01'")));
    }

    private static async Task<string> RunAsync(TestDatabase database, params string[] arguments)
    {
        var host = new TestHost(database);
        var exitCode = await host.RunAsync(["privacy", "retention", .. arguments]);
        Assert.True(exitCode is ExitCode.Done, host.Output + host.Errors);
        return host.Output;
    }

    private static Task<int> SetAllAsync(TestDatabase database) => database.ExecuteAsync(
        "INSERT INTO retention_rules (subject, keep_days) SELECT subject, 365 FROM unnest(@subjects) AS subject",
        ("subjects", RetentionSubject.All.Select(s => s.Name).ToArray()));

    private static Dictionary<string, long> Counts(string json, string name) => Json.Parse(json).EnumerateArray()
        .Where(r => r.TryGetProperty(name, out _)).ToDictionary(r => r.GetProperty("subject").GetString()!, r => r.GetProperty(name).GetInt64());

    private static async Task<string?> MetricsAsync(TestDatabase database)
    {
        await database.ExecuteAsync("REFRESH MATERIALIZED VIEW mv_sales_metrics");
        return await database.ScalarAsync<string>("SELECT string_agg(m::text, chr(10) ORDER BY date) FROM mv_sales_metrics m");
    }

    /// <summary>Two of everything: one of 2024, one of this month.</summary>
    private async Task<TestDatabase> FilledAsync()
    {
        var database = await TestDatabase.CreateAsync(server);
        await database.WorkAtAsync(Now);
        await database.ExecuteAsync("SELECT ensure_lead_scores_partition('2024-03-01Z'), ensure_lead_scores_partition('2026-01-10Z'), ensure_lead_scores_partition('2026-02-10Z')");
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email, created_at, updated_at)
            VALUES ('silent', 'web', 'a@acme.example', '2024-03-01Z', '2024-03-01Z'), ('heard', 'web', 'b@acme.example', '2024-03-01Z', '2024-03-01Z'),
              ('deal', 'web', 'c@acme.example', '2024-03-01Z', '2024-03-01Z');
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at) VALUES ('deal', 'c@acme.example', 'closed_won', '2024-03-02Z');
            INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) VALUES ('deal', 40, '2024-03-10Z'), ('deal', 50, '2026-01-10Z');
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at) VALUES ('heard', 'open', '2024-03-10Z'), ('heard', 'open', '2026-01-10Z');
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, payload, status, attempts, sent_at, finished_at)
            VALUES ('old/1', 'slack', 'notice', '{"text": "x"}', 'sent', 1, '2024-03-10Z', '2024-03-10Z'),
              ('new/1', 'slack', 'notice', '{"text": "x"}', 'sent', 1, '2026-01-10Z', '2026-01-10Z');
            INSERT INTO task_runs (command, dag_id, task_id, run_id, started_at, finished_at, status, exit_code, parameters, try_number, map_index, program_version)
            SELECT 'scoring score', 'd', 't', 'r' || d, d, d, 'succeeded', 0, '{}', 1, -1, '0' FROM unnest('{2024-03-10Z,2026-01-09Z,2026-01-10Z}'::timestamptz[]) AS d;
            INSERT INTO routing_runs (run_key, as_of, settings, seed, products, regions, typical_value, team_win_rate, planned_at, leads, expected_gain, expected_gain_of_greedy, optimality_gap)
            SELECT 'r', d, '{}', 1, '{}', '{}', 1, 0.5, d, 1, 1, 1, 0 FROM unnest('{2024-03-10Z,2026-01-10Z}'::timestamptz[]) AS d;
            INSERT INTO routing_decisions (lead_id, run_id, value, probability, outcome, reason, class, product, hops, value_known, place, candidates)
            SELECT l.lead_id, r.id, 1, 0.5, 'left', 'full', 0, 0, 0, false, 1, '{}' FROM leads l, routing_runs r WHERE l.ext_id = 'deal';
            INSERT INTO deal_prediction_history (pipeline_id, predicted_at, answered_by, probability, risk)
            SELECT p.id, d, 'prior', 0.5, 0.5 FROM sales_pipeline p, unnest('{2024-03-10Z,2026-01-10Z}'::timestamptz[]) AS d;
            INSERT INTO ml_models (status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to, training_rows, training_deals, won, lost, trained_at, published_at, retired_at)
            SELECT s, 'x', 'a', 1, '0', 1, '\x00', '\x00', '[]', '{}', '2024-01-01Z', '2024-03-01Z', 1, 1, 1, 0, t, CASE WHEN s <> 'refused' THEN t END, CASE WHEN s = 'retired' THEN t END
            FROM (VALUES ('published', timestamptz '2024-03-10Z'), ('retired', timestamptz '2024-03-10Z'), ('refused', timestamptz '2024-03-10Z'), ('refused', timestamptz '2026-01-10Z')) AS m (s, t);
            INSERT INTO deal_predictions (pipeline_id, inputs_hash, parts, predicted_at, answered_by, win_model, log_odds, probability, risk, confidence)
            SELECT p.id, 1, 1, '2026-01-10Z', 'model', m.id, 0, 0.5, 0.5, 0.5 FROM sales_pipeline p, ml_models m WHERE m.status = 'retired';
            INSERT INTO stored_files (sha256, content_type, content, stored_at)
            SELECT sha256(n::text::bytea), 'text/html', n::text::bytea, '2024-03-10Z' FROM generate_series(1, 3) AS n;
            INSERT INTO reports (report_type, period, period_start, period_end, language, version, sha256, summary, built_at)
            SELECT 'weekly', 'w', '2024-03-04Z', '2024-03-11Z', l, v, sha256('x'), '{}', '2024-03-12Z' FROM (VALUES ('en', 1), ('en', 2), ('es', 1)) AS r (l, v);
            INSERT INTO report_files (report_id, name, sha256) SELECT id, 'page.html', sha256(row_number() OVER (ORDER BY id)::text::bytea) FROM reports;
            INSERT INTO alerts (kind, situation_key, severity, peak_severity, status, opened_at, last_seen_at, resolved_at, ended_at)
            SELECT 'stale_lead', 'k', 'warning', 'warning', 'resolved', d, d, d, d FROM unnest('{2024-03-10Z,2026-01-10Z}'::timestamptz[]) AS d
            """);
        return database;
    }
}
