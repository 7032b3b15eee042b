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
        await bench.ExecuteAsync("TRUNCATE followup_checks, pipeline_outcomes, lead_score_due", cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }
}
