using System.Diagnostics.CodeAnalysis;

namespace SalesTasks.Benchmarks;

/// <summary>What an experiment costs those who ask about it: leads that enter, tasks and enrolment, without one and while one runs; and the estimate.</summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class ExperimentBenchmark
{
    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\nexperiment, {leads:N0} leads");
        var without = await MeasureAsync(leads, share: 0, cancellationToken);
        var with = await MeasureAsync(leads, share: 10, cancellationToken);
        foreach (var ((what, alone), (_, running)) in without.Zip(with))
        {
            Console.WriteLine($"  {what,-32} {leads / alone,10:N0} leads/s without, {leads / running,10:N0} while one runs: {running / alone:0.00} times the time");
        }
    }

    private static async Task<List<(string What, double Seconds)>> MeasureAsync(int leads, int share, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await bench.ExecuteAsync(
            $$"""
            INSERT INTO leads (ext_id, source, email, phone)
            SELECT 'lead-' || i, (ARRAY['organic', 'paid', 'referral'])[1 + i % 3], 'u' || i || '@acme.example', '+1 202 555 0100' FROM generate_series(1, {{leads}}) AS i;
            INSERT INTO sales_campaigns (name, campaign_type, trigger_criteria, steps_config, max_leads_per_run)
            VALUES ('All', 'email_sequence', '{}', '[{"type": "email", "subject": "Hello", "body": "A word."}]', 0);
            """,
            cancellationToken);
        if (share > 0)
        {
            await bench.ExecuteAsync(
                $"INSERT INTO experiments (name, share_permille, horizon_days, started_at) VALUES ('x', {share * 10}, 30, now() - interval '60 days')", cancellationToken);
        }

        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        var measured = new List<(string, double)>();
        async Task AddAsync(string what, Func<Task> work) => measured.Add((what, (await bench.MeasureAsync(work, cancellationToken)).Seconds));

        await AddAsync("leads enter the pipeline", () => bench.ExecuteAsync(
            $"""
            INSERT INTO sales_pipeline (lead_ext_id, email, score, source, estimated_value, qualified_at)
            SELECT 'lead-' || i, 'u' || i || '@acme.example', 50 + i % 50, 'organic', 1000 + i % 1000, now() - interval '40 days' FROM generate_series(1, {leads}) AS i
            """,
            cancellationToken));
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await AddAsync("followup create-tasks", () => bench.RunProgramAsync(cancellationToken, "followup", "create-tasks"));
        await AddAsync("campaigns enroll", () => bench.RunProgramAsync(cancellationToken, "campaigns", "enroll"));
        if (share > 0)
        {
            await bench.ExecuteAsync(
                """
                UPDATE experiment_assignments SET assigned_at = now() - interval '40 days';
                UPDATE sales_stage_history SET changed_at = now() - interval '40 days';
                UPDATE sales_followup_tasks SET due_date = now() - interval '30 days', status = 'completed', completed_at = now() - interval '31 days';
                UPDATE sales_pipeline SET stage = CASE WHEN id % 2 = 0 THEN 'closed_won' ELSE 'closed_lost' END, closed_at = now() - interval '20 days' WHERE id % 3 = 0;
                """,
                cancellationToken);
            await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
            var memory = 0L;
            var shown = await bench.MeasureAsync(async () => memory = await bench.RunProgramAsync(cancellationToken, "experiment", "show"), cancellationToken);
            Console.WriteLine($"  {"experiment show",-32} {leads / shown.Seconds,10:N0} leads/s, {shown.Seconds:0.0} s, peak {memory / 1e6:0} MB");
        }

        return measured;
    }
}
