using System.Diagnostics.CodeAnalysis;

namespace SalesTasks.Benchmarks;

/// <summary>
/// An analysis of leads with twelve contacts each, applying what it learned to all of them, and both again with nothing new; against one statement
/// that does no more than count the same contacts.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class TimingBenchmark
{
    private const int Contacts = 12;

    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        Console.WriteLine($"\ntiming, {leads:N0} leads with {Contacts} contacts each");
        await LoadAsync(bench, leads, cancellationToken);
        var count = await bench.MeasureAsync(
            () => bench.ExecuteAsync("SELECT task_type, count(*) FROM sales_followup_tasks WHERE completed_at > now() - interval '90 days' GROUP BY 1", cancellationToken),
            cancellationToken);
        await RunAsync(bench, "analyze", leads, count.Seconds, cancellationToken, "timing", "analyze");
        await RunAsync(bench, "apply: every deal planned", leads, count.Seconds, cancellationToken, "timing", "apply");
        await RunAsync(bench, "apply again, nothing to move", leads, count.Seconds, cancellationToken, "timing", "apply");
    }

    private static async Task RunAsync(
        Bench bench, string what, int leads, double bare, CancellationToken cancellationToken, params string[] arguments)
    {
        var memory = 0L;
        var measured = await bench.MeasureAsync(async () => memory = await bench.RunProgramAsync(cancellationToken, arguments), cancellationToken);
        Console.WriteLine(
            $"  {what,-44} {leads / measured.Seconds,10:N0} leads/s {measured.Seconds,7:0.00} s, {measured.Seconds / bare,5:0.0} bare counts, peak {memory / 1e6:0} MB");
    }

    private static async Task LoadAsync(Bench bench, int leads, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, email, industry, time_zone)
            SELECT 'lead-' || i, 'organic', 'u' || i || '@acme.example', 'industry ' || i % 10,
              (ARRAY['Europe/Madrid', 'America/New_York', 'Asia/Kolkata'])[1 + i % 3]
            FROM generate_series(1, {leads}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, qualified_at, first_contact_at, last_contact_at, next_followup_at)
            SELECT ext_id, email, 'contacted', now() - interval '100 days', now() - interval '90 days', now(), now() + interval '3 days' FROM leads;
            SET salestasks.history = 'on';
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, completed_at, metadata)
            SELECT p.id, p.lead_ext_id, 'call', 'x', 'completed', t.at,
              jsonb_build_object('outcome', CASE WHEN random() < CASE extract(hour FROM t.at AT TIME ZONE l.time_zone) WHEN 11 THEN 0.4 ELSE 0.2 END THEN 'answered' ELSE 'no_answer' END)
            FROM sales_pipeline p
            JOIN leads l ON l.ext_id = p.lead_ext_id
            CROSS JOIN generate_series(1, {Contacts}) AS n
            CROSS JOIN LATERAL (
              SELECT (current_date - 7 * n + (random() * 2)::int + make_interval(secs => 32400 + 32000 * random())) AT TIME ZONE l.time_zone AS at OFFSET n * 0) AS t
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }
}
