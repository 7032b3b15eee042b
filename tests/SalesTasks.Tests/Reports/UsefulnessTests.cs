using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Reports;

/// <summary>The sections about what other jobs achieved: models, timing, alerts, the experiment.</summary>
public sealed class UsefulnessTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ReportsRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await database.ExecuteAsync("TRUNCATE ml_models, timing_lift, alerts, experiments CASCADE");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Models_InUseAtTheEnd_HaveTheirLastDriftBeforeIt()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO ml_models (id, kind, status, reason, algorithm, format, code_version, seed, content, sha256, features, metrics, data_from, data_to,
              training_rows, training_deals, won, lost, trained_at, published_at, retired_at)
            SELECT id, kind, status, 'r', 'a', 1, '1', 1, '', '', '[]', '{}', @end, @end, 1, 1, 1, 1, published, published, retired
            FROM (VALUES
              (1, 'win_probability', 'retired', @end - interval '60 days', @end - interval '30 days'),
              (2, 'win_probability', 'retired', @end - interval '30 days', @end + interval '1 day'),
              (3, 'win_probability', 'published', @end + interval '1 day', NULL),
              (4, 'risk', 'published', @end - interval '1 second', NULL)) AS m (id, kind, status, published, retired);
            INSERT INTO ml_drift (model_id, day, measure, feature, value, level, deals, expected, observed) VALUES
              (1, '2026-03-15', 'psi', 'replies', 0.9, 'high', 9, NULL, NULL),
              (2, '2026-03-14', 'psi', 'replies', 0.8, 'high', 9, NULL, NULL),
              (2, '2026-03-15', 'psi', 'replies', 0.05, 'stable', 40, NULL, NULL),
              (2, '2026-03-15', 'psi', 'stage', 0.15, 'moderate', 40, NULL, NULL),
              (2, '2026-03-15', 'calibration', '', 0.02, 'stable', 30, 0.4, 0.42),
              (2, '2026-03-16', 'psi', 'replies', 0.7, 'high', 9, NULL, NULL);
            """,
            ("end", ReportsRig.WeekEnd));

        await _rig.BuildAsync();

        Assert.Equal(
            [
                "risk|unmeasured|||||", "win_probability|calibration||0.02|stable|30|2026-03-15", "win_probability|psi|stage|0.15|moderate|40|2026-03-15",
                "win_probability|psi|replies|0.05|stable|40|2026-03-15",
            ],
            (await _rig.TableAsync("models")).Select(row => string.Join(
                '|', ((string[])["model", "measure", "feature", "value", "level", "deals", "measured_on"]).Select(column => row.GetProperty(column).ToString()))));
        var page = await _rig.TextAsync("report-en.html");
        PageChecks.ShouldBeSound(page);
        Assert.Contains("not measured yet", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Timing_OfTheWeeksOfTheTrend_IsThatOfItsTable()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO timing_lift (week_start, treated_leads, treated_rate, control_leads, control_rate, difference, difference_low, difference_high, ratio, ratio_low, ratio_high) VALUES
              ('2025-12-08', 1, 0.1, 1, 0.1, NULL, NULL, NULL, NULL, NULL, NULL),
              ('2025-12-15', 20, 0.1, 20, 0.1, NULL, NULL, NULL, NULL, NULL, NULL),
              ('2026-03-09', 400, 0.25, 40, 0.2, 0.05, -0.01, 0.11, 1.25, 0.96, 1.6),
              ('2026-03-16', 1, 0.1, 1, 0.1, NULL, NULL, NULL, NULL, NULL, NULL)
            """);

        await _rig.BuildAsync();

        var rows = await _rig.TableAsync("timing");
        Assert.Equal(["2025-W51", "2026-W11"], rows.Select(row => row.Text("week")));
        Assert.Equal((400, 0.25, 0.2, 0.05, 1.6), (rows[1].Number("treated_leads"), rows[1].Number("treated_rate"), rows[1].Number("control_rate"), rows[1].Number("difference"), rows[1].Number("ratio_high")));
        var page = await _rig.TextAsync("report-en.html");
        PageChecks.ShouldBeSound(page);
        Assert.Contains("+5.0 points", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alerts_OpenedInThePeriod_AreCountedByKind()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO alerts (kind, situation_key, severity, peak_severity, status, opened_at, last_seen_at, acknowledged_at, acted_at, resolved_at, ended_at)
            SELECT kind, n::text, 'warning', peak::alert_severity, CASE WHEN resolved THEN 'resolved' ELSE 'open' END, opened, opened, acknowledged, acted,
              CASE WHEN resolved THEN opened + interval '1 day' END, CASE WHEN resolved THEN opened + interval '1 day' END
            FROM (VALUES
              (1, 'stale_lead', 'critical', true, @start, NULL::timestamptz, @start + interval '2 hours'),
              (2, 'stale_lead', 'warning', false, @start + interval '3 days', @start + interval '4 days', NULL),
              (3, 'stale_lead', 'warning', false, @start + interval '6 days', NULL, NULL),
              (4, 'overdue_tasks', 'warning', false, @start + interval '1 day', NULL, @start + interval '28 hours'),
              (5, 'overdue_tasks', 'warning', false, @end, NULL, NULL),
              (6, 'overdue_tasks', 'warning', false, @start - interval '1 second', NULL, NULL)
            ) AS a (n, kind, peak, resolved, opened, acknowledged, acted)
            """,
            ("start", ReportsRig.WeekStart), ("end", ReportsRig.WeekEnd));

        await _rig.BuildAsync();

        var rows = await _rig.TableAsync("alerts");
        Assert.Equal(["stale_lead", "overdue_tasks"], rows.Select(row => row.Text("kind")));
        Assert.Equal((3, 1, 1, 1, 2, 2), (rows[0].Number("opened"), rows[0].Number("critical"), rows[0].Number("acknowledged"), rows[0].Number("acted_on"), rows[0].Number("useful"), rows[0].Number("still_open")));
        Assert.Equal(2 / 3.0, rows[0].Number("useful_share")!.Value, 1e-9);
        Assert.Equal((1, 4.0), (rows[1].Number("opened"), rows[1].Number("median_hours_to_action")));
        PageChecks.ShouldBeSound(await _rig.TextAsync("report-en.html"));
    }

    [Fact]
    public async Task Impact_OfAnExperiment_IsThatOfItsLeadsAtTheEnd()
    {
        // 300 leads assigned 40 days before the end, observed for 30 days: of the 240 treated a third is won in time, of the 60 held out a tenth.
        await database.ExecuteAsync(
            """
            INSERT INTO experiments (id, name, share_permille, horizon_days, started_at, started_by) VALUES (1, 'First', 200, 30, @end - interval '50 days', 'test');
            ALTER TABLE sales_pipeline DISABLE TRIGGER USER;
            INSERT INTO leads (ext_id, source, created_at) SELECT 'e' || i, 'web', @end - interval '41 days' FROM generate_series(0, 299) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at, closed_at, estimated_value)
            SELECT 'e' || i, 'a@b.example', CASE WHEN won THEN 'closed_won' ELSE 'qualified' END::pipeline_stage, @end - interval '40 days',
              CASE WHEN won THEN @end - interval '20 days' END, 1000
            FROM (SELECT i, CASE WHEN i < 240 THEN i % 3 = 0 ELSE i % 10 = 0 END AS won FROM generate_series(0, 299) AS i) AS d;
            ALTER TABLE sales_pipeline ENABLE TRIGGER USER;
            INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, to_stage, changed_at) SELECT id, lead_ext_id, 'qualified', qualified_at FROM sales_pipeline;
            INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, from_stage, to_stage, changed_at)
            SELECT id, lead_ext_id, 'qualified', stage, closed_at FROM sales_pipeline WHERE closed_at IS NOT NULL;
            DELETE FROM experiment_assignments;
            INSERT INTO experiment_assignments (lead_ext_id, experiment_id, arm, assigned_at, score, source)
            SELECT 'e' || i, 1, CASE WHEN i < 240 THEN 'treated' ELSE 'holdout' END, @end - interval '40 days', 50, 'web' FROM generate_series(0, 299) AS i;
            """,
            ("end", ReportsRig.WeekEnd));

        await _rig.BuildAsync();

        var rows = (await _rig.TableAsync("impact")).ToDictionary(row => row.Text("indicator"), StringComparer.Ordinal);
        var conversion = rows["impact_conversion"];
        Assert.Equal(80 / 240.0, conversion.Number("treated")!.Value, 1e-9);
        Assert.Equal(6 / 60.0, conversion.Number("holdout")!.Value, 1e-9);
        Assert.Equal((240, 60), (conversion.Number("treated_leads"), conversion.Number("holdout_leads")));
        Assert.True(conversion.Number("difference_low") > 0 && conversion.Number("difference_high") < 0.4);
        Assert.Equal(("verdict_better", JsonValueKind.True), (conversion.Text("verdict"), conversion.GetProperty("balanced").ValueKind));
        var page = await _rig.TextAsync("report-en.html");
        PageChecks.ShouldBeSound(page);
        Assert.Contains("240 treated and 60 held-out leads have been observed for 30 days.", page, StringComparison.Ordinal);
    }
}
