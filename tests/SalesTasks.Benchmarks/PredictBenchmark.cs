using System.Diagnostics.CodeAnalysis;
using SalesTasks.Demo;

namespace SalesTasks.Benchmarks;

/// <summary>
/// Predicting all open deals, then again with nothing, 1 % and a day's time changed. The model is trained on the sample; the deals have the history of
/// stages, tasks and events that deals have.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class PredictBenchmark
{
    private static readonly DateTimeOffset s_present = new(2026, 1, 31, 6, 0, 0, TimeSpan.Zero);

    public static async Task RunAsync(int deals, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        Console.WriteLine($"\npredict, {deals:N0} open deals");
        await using (var database = bench.Open(s_present))
        {
            await new SampleLoader(database, new SampleGenerator(new SampleOptions(s_present) { Leads = 10_000 })).LoadAsync(null, cancellationToken);
        }

        await bench.RunInProcessAsync("ml", "train", "--as-of", s_present.ToString("O"));
        await LoadAsync(bench, deals, cancellationToken);
        await RunAsync(bench, "every deal for the first time", deals, s_present, cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await RunAsync(bench, "again, nothing changed", deals, s_present.AddHours(6), cancellationToken);
        await bench.ExecuteAsync(
            $"""
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT 'bench-' || i, 'reply', timestamptz '2026-01-31 07:00Z', 'bench', 'new-' || i FROM generate_series(1, {deals / 100}) AS i
            """,
            cancellationToken);
        await RunAsync(bench, "1 % of the leads replied", deals, s_present.AddHours(6), cancellationToken);
        await RunAsync(bench, "a day later", deals, s_present.AddDays(1), cancellationToken);
        await CompareWritersAsync(bench, deals / 10, cancellationToken);
    }

    /// <summary>What the list of deals costs those who write, in turns with and without it.</summary>
    private static async Task CompareWritersAsync(Bench bench, int rows, CancellationToken cancellationToken)
    {
        (string Name, string Table, string Triggers, string Statement)[] writers =
        [
            ("events", "lead_engagement_events", "engagement_inserted_for_deals",
                "INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id) SELECT 'bench-' || i, 'open', '2026-02-01', 'bench', 'w{1}-' || i FROM generate_series(1, {0}) AS i"),
            ("tasks", "sales_followup_tasks", "followup_tasks_inserted_for_deals",
                "INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, created_at) SELECT id, lead_ext_id, 'call', 'w{1}', '2026-02-01' FROM sales_pipeline WHERE lead_ext_id LIKE 'bench-%' ORDER BY id LIMIT {0}"),
            ("completed tasks", "sales_followup_tasks", "followup_task_updated_for_deal",
                "UPDATE sales_followup_tasks SET status = 'completed', completed_at = '2026-02-01' WHERE task_title = 'w{1}'"),
            ("stages", "sales_stage_history", "stage_history_inserted_for_deals",
                "INSERT INTO sales_stage_history (pipeline_id, lead_ext_id, to_stage, changed_at) SELECT id, lead_ext_id, 'contacted', '2026-02-01' FROM sales_pipeline WHERE lead_ext_id LIKE 'bench-%' ORDER BY id LIMIT {0}"),
            ("leads", "leads", "leads_changed_for_deals", "UPDATE leads SET industry = 'w{1}' WHERE ext_id IN (SELECT 'bench-' || i FROM generate_series(1, {0}) AS i)"),
            ("scores", "leads", "leads_changed_for_deals", "UPDATE leads SET score = {1} WHERE ext_id IN (SELECT 'bench-' || i FROM generate_series(1, {0}) AS i)"),
            ("deals", "sales_pipeline", "sales_pipeline_prediction_due", "UPDATE sales_pipeline SET metadata = metadata || '{{\"w\": {1}}}' WHERE lead_ext_id IN (SELECT 'bench-' || i FROM generate_series(1, {0}) AS i)"),
        ];
        var seconds = writers.ToDictionary(w => w.Name, _ => (With: new List<double>(), Without: new List<double>()));
        for (var round = 0; round < 10; round++)
        {
            foreach (var (name, table, triggers, statement) in writers)
            {
                var with = round % 2 == 0;
                await bench.ExecuteAsync($"ALTER TABLE {table} {(with ? "ENABLE" : "DISABLE")} TRIGGER {triggers}", cancellationToken);
                var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, statement, rows, round);
                var measured = await bench.MeasureAsync(() => bench.ExecuteAsync(text, cancellationToken), cancellationToken);
                (with ? seconds[name].With : seconds[name].Without).Add(measured.Seconds);
            }
        }

        foreach (var (name, (with, without)) in seconds)
        {
            Console.WriteLine($"  {rows:N0} {name,-16} with the list {with.Min():0.000} s, without {without.Min():0.000} s: {with.Min() / without.Min():0.00}x");
        }
    }

    private static async Task RunAsync(Bench bench, string what, int deals, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        var memory = 0L;
        var measured = await bench.MeasureAsync(
            async () => memory = await bench.RunProgramAsync(cancellationToken, "ml", "predict", "--as-of", asOf.ToString("O")), cancellationToken);
        var predicted = await bench.ScalarAsync<int>(
            "SELECT (result -> 'counts' ->> 'predicted')::int FROM task_runs WHERE command = 'ml predict' ORDER BY id DESC LIMIT 1", cancellationToken);
        Console.WriteLine(
            $"  {what,-32} {measured.Seconds,7:0.0} s {deals / measured.Seconds,9:N0} deals/s, {predicted,9:N0} written, program {bench.ProgramCpu.TotalSeconds,5:0.0} s of CPU, {measured.WalBytes / (double)Math.Max(predicted, 1),6:0} WAL B each, peak {memory / 1e6:0} MB");
    }

    private static async Task LoadAsync(Bench bench, int deals, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, email, phone, industry, product_interest, created_at)
            SELECT 'bench-' || i, (ARRAY['organic', 'paid', 'referral', 'social'])[1 + i % 4], 'u' || i || '@acme.example', '+1 202 555 0100', 'software', 'crm',
              timestamptz '2026-01-31 00:00Z' - interval '1 hour' * (1 + i % 3000)
            FROM generate_series(1, {deals}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, qualified_at, estimated_value, metadata)
            SELECT 'bench-' || i, 'u' || i || '@acme.example', 'contacted', 'rep' || i % 50 || '@sales.example',
              timestamptz '2026-01-31 00:00Z' - interval '1 hour' * (i % 2500), CASE WHEN i % 3 > 0 THEN i % 20000 END, jsonb_build_object('campaign', 'spring')
            FROM generate_series(1, {deals}) AS i;
            UPDATE sales_stage_history SET changed_at = p.qualified_at + interval '3 hours' FROM sales_pipeline p
            WHERE p.id = pipeline_id AND to_stage = 'contacted' AND p.lead_ext_id LIKE 'bench-%';
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT 'bench-' || i, (ARRAY['open', 'click', 'reply', 'pricing'])[1 + (i + k) % 4], timestamptz '2026-01-31 00:00Z' - interval '1 hour' * ((i * k) % 1000), 'bench', i || '-' || k
            FROM generate_series(1, {deals}) AS i, generate_series(1, 4) AS k;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, created_at, completed_at)
            SELECT p.id, p.lead_ext_id, (ARRAY['email', 'call', 'meeting'])[k], 'Task', CASE WHEN k < 3 THEN 'completed' ELSE 'pending' END, p.qualified_at,
              CASE WHEN k < 3 THEN p.qualified_at + interval '1 day' * k END
            FROM sales_pipeline p, generate_series(1, 3) AS k
            WHERE p.lead_ext_id LIKE 'bench-%'
            """,
            cancellationToken);
        await bench.ExecuteAsync("TRUNCATE followup_checks, pipeline_outcomes, lead_score_due, deal_prediction_due", cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }
}
