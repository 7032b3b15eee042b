namespace SalesTasks.Benchmarks;

/// <summary>
/// Situations of one kind in 100 times as many leads: the first evaluation, the same again, a tenth of them over.
/// </summary>
internal static class AlertsBenchmark
{
    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        var situations = leads / 100;
        Console.WriteLine($"\nalerts, {leads:N0} leads, {situations:N0} situations");
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, email, score) SELECT 'lead-' || i, 'organic', 'u' || i || '@acme.example', 60 FROM generate_series(1, {leads}) AS i;
            SET salestasks.history = 'on';
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, estimated_value, score, qualified_at, first_contact_at, last_contact_at)
            SELECT 'lead-' || i, 'u' || i || '@acme.example', 'contacted', 'rep' || i % 5000 || '@sales.example', 20000, 60, now() - interval '90 days',
              now() - interval '80 days', now() - CASE WHEN i % 100 = 0 THEN interval '9 days' ELSE interval '1 day' END
            FROM generate_series(1, {leads}) AS i
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
        bench.Connect("SALES_SLACK_CONN_ID", "slack", "slackwebhook://:x@");
        await RunAsync(bench, "dry run", "alerts", "evaluate", "--dry-run");
        await RunAsync(bench, "all open", "alerts", "evaluate");
        await RunAsync(bench, "again, all still there", "alerts", "evaluate");
        await bench.ExecuteAsync($"UPDATE sales_pipeline SET last_contact_at = now(), next_followup_at = now() WHERE id % 1000 = 0", cancellationToken);
        await RunAsync(bench, "a tenth is over", "alerts", "evaluate");

        async Task RunAsync(Bench on, string what, params string[] arguments)
        {
            var memory = 0L;
            var measured = await on.MeasureAsync(async () => memory = await on.RunProgramAsync(cancellationToken, arguments), cancellationToken);
            Console.WriteLine($"  {what,-44} {measured.Seconds,7:0.00} s {measured.WalBytes / (double)situations,7:0} WAL B/situation, peak {memory / 1e6:0} MB");
        }
    }
}
