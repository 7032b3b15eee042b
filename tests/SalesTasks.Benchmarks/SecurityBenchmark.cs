using System.Diagnostics.CodeAnalysis;

namespace SalesTasks.Benchmarks;

/// <summary>What the audit log costs the jobs that write many deals: the same run without its triggers and with them.</summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class SecurityBenchmark
{
    /// <summary>Not the tables that are still empty: a session keeps the plan it made for one, and autovacuum, which would end that, is off here.</summary>
    private const string Vacuum = "VACUUM (ANALYZE) leads, sales_pipeline";

    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\nsecurity, {leads:N0} leads");
        var without = await MeasureAsync(leads, audited: false, cancellationToken);
        var with = await MeasureAsync(leads, audited: true, cancellationToken);
        foreach (var ((what, alone), (_, audited)) in without.Zip(with))
        {
            Console.WriteLine($"  {what,-32} {leads / alone,10:N0} leads/s without the audit log, {leads / audited,10:N0} with it: {audited / alone:0.00} times the time");
        }
    }

    private static async Task<List<(string What, double Seconds)>> MeasureAsync(int leads, bool audited, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, first_name, email, phone, demo_requested)
            SELECT 'lead-' || i, 'organic', 'First', 'u' || i || '@acme.example', '+1 202 555 0100', true FROM generate_series(1, {leads}) AS i;
            INSERT INTO sales_reps (email, name, max_active_leads)
            SELECT 'rep' || i || '@acme.example', 'Rep', {leads} FROM generate_series(1, 50) AS i
            """,
            cancellationToken);
        if (!audited)
        {
            await bench.ExecuteAsync(
                """
                ALTER TABLE sales_pipeline DISABLE TRIGGER sales_pipeline_audit_added;
                ALTER TABLE sales_pipeline DISABLE TRIGGER sales_pipeline_audit_changed
                """,
                cancellationToken);
        }

        await bench.RunProgramAsync(cancellationToken, "scoring", "score");
        await bench.ExecuteAsync(Vacuum, cancellationToken);
        var measured = new List<(string, double)>();
        foreach (var command in (string[][])[["scoring", "qualify"], ["routing", "assign"]])
        {
            measured.Add((string.Join(' ', command), (await bench.MeasureAsync(() => bench.RunProgramAsync(cancellationToken, command), cancellationToken)).Seconds));
            await bench.ExecuteAsync(Vacuum, cancellationToken);
        }

        // The next pass of scores over deals that are there: what the row trigger spares.
        measured.Add(("scores move", (await bench.MeasureAsync(
            () => bench.ExecuteAsync("UPDATE sales_pipeline SET score = score + 1", cancellationToken), cancellationToken)).Seconds));
        return measured;
    }
}
