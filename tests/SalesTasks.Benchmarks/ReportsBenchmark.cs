using System.Diagnostics.CodeAnalysis;

namespace SalesTasks.Benchmarks;

/// <summary>
/// A weekly report over as many leads as asked for, three quarters of them in the pipeline and four tasks a deal, against scanning the same tables once:
/// what no report can be faster than without being told in advance what it is about.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class ReportsBenchmark
{
    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        Console.WriteLine($"\nreports, {leads:N0} leads");
        await LoadAsync(bench, leads, cancellationToken);
        var scan = await bench.MeasureAsync(
            () => bench.ExecuteAsync(
                """
                SELECT (SELECT count(source) FROM leads), (SELECT sum(estimated_value) FROM sales_pipeline), (SELECT max(changed_at) FROM sales_stage_history),
                  (SELECT max(due_date) FROM sales_followup_tasks), (SELECT sum(score) FROM lead_scores)
                """,
                cancellationToken),
            cancellationToken);
        Console.WriteLine($"  {"one scan of the tables",-44} {scan.Seconds,7:0.00} s");
        foreach (var (what, flags) in new (string, string[])[]
        {
            ("weekly report", []), ("again, nothing changed", []), ("monthly report", ["--report-type", "monthly"]),
        })
        {
            var memory = 0L;
            var measured = await bench.MeasureAsync(
                async () => memory = await bench.RunProgramAsync(cancellationToken, ["reports", "build", .. flags]), cancellationToken);
            Console.WriteLine($"  {what,-44} {measured.Seconds,7:0.00} s {measured.Seconds / scan.Seconds,7:0.0} scans, peak {memory / 1e6:0} MB");
        }
    }

    private static async Task LoadAsync(Bench bench, int leads, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync(
            $"""
            SET salestasks.history = 'on';
            INSERT INTO leads (ext_id, source, email, created_at)
            SELECT 'lead-' || i, (ARRAY['organic', 'paid', 'referral', 'partner', 'social', 'direct'])[1 + i % 6], 'u' || i || '@acme.example',
              now() - interval '1 minute' * (i * 7919::bigint % 1051200)
            FROM generate_series(1, {leads}) AS i;
            INSERT INTO sales_reps (email, name) SELECT 'rep' || i || '@sales.example', 'Rep ' || i FROM generate_series(1, 50) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, qualified_at, closed_at, estimated_value, probability_pct)
            SELECT ext_id, email, stage::pipeline_stage, 'rep' || 1 + n % 50 || '@sales.example', created_at,
              CASE WHEN stage LIKE 'closed%' THEN least(created_at + interval '1 hour' * (n * 31 % 1400), now()) END, 500 + n * 13 % 20000, 20 + n % 60
            FROM (
              SELECT l.*, lead_id::int AS n,
                CASE WHEN lead_id % 100 < 29 THEN 'closed_won' WHEN lead_id % 100 < 89 THEN 'closed_lost' WHEN lead_id % 2 = 0 THEN 'qualified' ELSE 'negotiating' END AS stage
              FROM leads l WHERE lead_id % 100 < 99 AND lead_id % 4 > 0
            ) AS l;
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, created_at, due_date, completed_at)
            SELECT p.id, p.lead_ext_id, (ARRAY['email', 'call', 'meeting', 'proposal'])[1 + k % 4], 'Task', CASE WHEN k < 3 THEN 'completed' ELSE 'pending' END,
              p.qualified_at + interval '1 day' * k, p.qualified_at + interval '1 day' * (k + 1),
              CASE WHEN k < 3 THEN p.qualified_at + interval '1 hour' * (24 * k + 20 + p.id % 8) END
            FROM sales_pipeline p, generate_series(0, 3) AS k;
            INSERT INTO lead_scores (lead_id, calculated_at, score, previous_score, priority)
            SELECT lead_id, now() - interval '1 minute' * (lead_id * 104729 % 525600), lead_id * 37 % 101, lead_id * 11 % 101, 'high' FROM leads;
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }
}
