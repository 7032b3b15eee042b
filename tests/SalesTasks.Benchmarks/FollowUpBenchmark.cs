using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace SalesTasks.Benchmarks;

/// <summary>
/// Tasks for all open deals and deals that move on, against the client loop that people write: look, insert, a commit a deal. And what the
/// same costs when 1 % or nothing has changed.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class FollowUpBenchmark
{
    private const int LoopDeals = 1_000;

    public static async Task RunAsync(int deals, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        Console.WriteLine($"\nfollow-up, {deals:N0} open deals");
        await LoadAsync(bench, deals, cancellationToken);
        await RunAsync(bench, "a task for every deal", deals, cancellationToken, "followup", "create-tasks");
        await RunAsync(bench, "again, nothing due", deals, cancellationToken, "followup", "create-tasks");

        await bench.ExecuteAsync("UPDATE sales_followup_tasks SET status = 'completed'", cancellationToken);
        await RunAsync(bench, "every task completed: all deals move on", deals, cancellationToken, "pipeline", "advance");
        await RunAsync(bench, "again, nothing happened", deals, cancellationToken, "pipeline", "advance");

        await bench.ExecuteAsync($"UPDATE sales_pipeline SET next_followup_at = now() WHERE id <= {deals / 100}", cancellationToken);
        await RunAsync(bench, "1 % due", deals / 100, cancellationToken, "followup", "create-tasks");

        var loop = await bench.MeasureAsync(() => LoopAsync(bench, cancellationToken), cancellationToken);
        Console.WriteLine($"  {"row-by-row client loop",-44} {LoopDeals / loop.Seconds,10:N0} deals/s");
    }

    private static async Task RunAsync(Bench bench, string what, int deals, CancellationToken cancellationToken, params string[] arguments)
    {
        var memory = 0L;
        var measured = await bench.MeasureAsync(async () => memory = await bench.RunProgramAsync(cancellationToken, arguments), cancellationToken);
        Console.WriteLine(
            $"  {what,-44} {deals / measured.Seconds,10:N0} deals/s {measured.Seconds,7:0.00} s {measured.WalBytes / (double)deals,7:0} WAL B/deal, peak {memory / 1e6:0} MB");
    }

    private static async Task LoadAsync(Bench bench, int deals, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, email, phone, language)
            SELECT 'lead-' || i, 'organic', 'u' || i || '@acme.example', '+1 202 555 0100', CASE WHEN i % 2 = 0 THEN 'es' ELSE 'en' END FROM generate_series(1, {deals}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, qualified_at)
            SELECT 'lead-' || i, 'u' || i || '@acme.example', (ARRAY['qualified', 'contacted', 'meeting_scheduled', 'proposal_sent', 'negotiating'])[1 + i % 5]::pipeline_stage,
              'rep' || i % 50 || '@sales.example', now() - interval '9 days'
            FROM generate_series(1, {deals}) AS i
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>What row-by-row systems do: is there an open task? if not, one, and a commit.</summary>
    private static async Task LoopAsync(Bench bench, CancellationToken cancellationToken)
    {
        await using var connection = await bench.OpenConnectionAsync(cancellationToken);
        for (var id = 1; id <= LoopDeals; id++)
        {
            await using var deal = new NpgsqlCommand("SELECT lead_ext_id, assigned_to FROM sales_pipeline WHERE id = @id", connection);
            deal.Parameters.AddWithValue("id", (long)id);
            string lead, rep;
            await using (var row = await deal.ExecuteReaderAsync(cancellationToken))
            {
                await row.ReadAsync(cancellationToken);
                (lead, rep) = (row.GetString(0), row.GetString(1));
            }

            await using var open = new NpgsqlCommand("SELECT count(*) FROM sales_followup_tasks WHERE pipeline_id = @id AND status = 'in_progress'", connection);
            open.Parameters.AddWithValue("id", (long)id);
            if ((long)(await open.ExecuteScalarAsync(cancellationToken))! == 0)
            {
                await using var insert = new NpgsqlCommand(
                    "INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, assigned_to, due_date) VALUES (@id, @lead, 'call', 'Call', @rep, now())",
                    connection);
                insert.Parameters.AddWithValue("id", (long)id);
                insert.Parameters.AddWithValue("lead", lead);
                insert.Parameters.AddWithValue("rep", rep);
                await insert.ExecuteNonQueryAsync(cancellationToken);
            }
        }
    }
}
