using System.Diagnostics.CodeAnalysis;

namespace SalesTasks.Benchmarks;

/// <summary>
/// <c>routing assign</c> from process start to exit: a team with a past (five closed deals for each place, reps who differ by themselves and by
/// product), and as many unassigned leads as nine tenths of the team's places. What the plan gains is measured against giving each lead in turn
/// to the free rep who gains most with it; what it costs, against the same leads a second time, when nothing is to do.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class RoutingBenchmark
{
    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        var reps = leads <= 10_000 ? 50 : leads / 500;
        await using var bench = await Bench.StartAsync(cancellationToken);
        Console.WriteLine($"\nrouting, {leads:N0} leads, {reps} reps");
        await LoadAsync(bench, leads, reps, cancellationToken);

        var memory = 0L;
        var dry = await bench.MeasureAsync(
            async () => memory = await bench.RunProgramAsync(cancellationToken, "routing", "assign", "--dry-run"), cancellationToken);
        Report(bench, "read and planned (--dry-run)", leads, dry, memory);
        var written = await bench.MeasureAsync(
            async () => memory = await bench.RunProgramAsync(cancellationToken, "routing", "assign"), cancellationToken);
        Report(bench, "read, planned and written", leads, written, memory);
        var idle = await bench.MeasureAsync(
            async () => memory = await bench.RunProgramAsync(cancellationToken, "routing", "assign"), cancellationToken);
        Report(bench, "again, with only what was left over", leads, idle, memory);

        Console.WriteLine("  " + await bench.ScalarAsync<string>(
            """
            SELECT format('expected gain %s, one by one %s: %s %% more; at most %s %% below the best possible; %s',
              round(expected_gain::numeric), round(expected_gain_of_greedy::numeric), round((100 * (expected_gain / expected_gain_of_greedy - 1))::numeric, 2),
              round((100 * optimality_gap)::numeric, 4), counts)
            FROM routing_runs ORDER BY id LIMIT 1
            """,
            cancellationToken));
        Console.WriteLine("  " + await bench.ScalarAsync<string>(
            """
            SELECT format('decisions: %s bytes a lead with index, %s rows', pg_total_relation_size('routing_decisions') / count(*), count(*)) FROM routing_decisions
            """,
            cancellationToken));
    }

    private static async Task LoadAsync(Bench bench, int leads, int reps, CancellationToken cancellationToken)
    {
        var capacity = (int)Math.Ceiling(leads / 0.9 / reps);
        await bench.ExecuteAsync(
            $"""
            SELECT setseed(0.42);
            INSERT INTO sales_reps (email, name, max_active_leads, languages)
            SELECT 'rep' || j || '@sales.example', 'Rep ' || j, {capacity}, CASE WHEN j % 5 = 0 THEN ARRAY['es', 'en'] WHEN j % 5 < 3 THEN ARRAY['en'] ELSE ARRAY[]::text[] END
            FROM generate_series(1, {reps}) AS j;
            CREATE TEMP TABLE skill AS
            SELECT 'rep' || j || '@sales.example' AS email, 'product ' || p AS product, own + 0.5 * (random() + random() + random() - 1.5) AS log_odds
            FROM (SELECT j, 0.5 * (random() + random() + random() - 1.5) AS own FROM generate_series(1, {reps}) AS j) AS r, generate_series(0, 6) AS p;
            INSERT INTO leads (ext_id, source, product_interest, language)
            SELECT 'past-' || i, 'organic', 'product ' || i % 7, 'en' FROM generate_series(1, {leads * 5}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, stage, qualified_at, closed_at, estimated_value)
            SELECT 'past-' || i, i || '@lead.example', s.email,
              (CASE WHEN random() < 1 / (1 + exp(1.2 - s.log_odds)) THEN 'closed_won' ELSE 'closed_lost' END)::pipeline_stage,
              now() - interval '400 days' + i % 300 * interval '1 day', now() - interval '350 days' + i % 300 * interval '1 day', 1000
            FROM generate_series(1, {leads * 5}) AS i
            JOIN skill s ON s.email = 'rep' || 1 + (i / 7) % {reps} || '@sales.example' AND s.product = 'product ' || i % 7;
            INSERT INTO leads (ext_id, source, product_interest, language, score, priority)
            SELECT 'lead-' || i, 'organic', 'product ' || floor(7 * random()), CASE WHEN random() < 0.2 THEN 'es' ELSE 'en' END, s.score,
              CASE WHEN s.score >= 50 THEN 'high' WHEN s.score >= 35 THEN 'medium' ELSE 'low' END::priority_level
            FROM (SELECT i, floor(100 * random())::int AS score FROM generate_series(1, {leads}) AS i) AS s;
            INSERT INTO sales_pipeline (lead_ext_id, email, score, priority, qualified_at, estimated_value, probability_pct)
            SELECT ext_id, ext_id || '@lead.example', score, priority, now() - random() * interval '5 days', exp(6 + 3 * random()), 5 + floor(40 * random())
            FROM leads WHERE ext_id LIKE 'lead-%';
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    private static void Report(Bench bench, string what, int leads, Measured measured, long memory) => Console.WriteLine(
        $"  {what,-40} {measured.Seconds,7:0.00} s (program's own CPU {bench.ProgramCpu.TotalSeconds:0.00} s) {leads / measured.Seconds,10:N0} leads/s {measured.WalBytes / (double)leads,7:0} WAL B/lead, peak {memory / 1e6:0} MB");
}
