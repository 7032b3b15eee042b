using System.Globalization;
using System.Text.Json;
using SalesTasks.Demo.Crm;

namespace SalesTasks.Benchmarks;

/// <summary>
/// Leads with a deal each, pushed to a CRM that answers at once: calls and seconds of the first push, of the next without a change, of 1 %
/// changed, and of the pull that sees it all come back.
/// </summary>
internal static class CrmBenchmark
{
    public static async Task RunAsync(int deals, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await using var crm = new HubSpotFake(TimeProvider.System) { BurstCalls = 1_000_000, DailyCalls = int.MaxValue };
        bench.Connect("SALES_CRM_CONN_ID", "bench_crm", JsonSerializer.Serialize(new
        {
            conn_type = "http",
            host = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{crm.Port}"),
            password = crm.Token,
            extra = new { allow_http = true, burst_limit = "2000/1", daily_limit = int.MaxValue },
        }));
        Console.WriteLine($"\nCRM sync, {deals:N0} leads with a deal each");
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone)
            SELECT 'lead-' || i, 'organic', 'Ana', 'Gil', 'u' || i || '@acme.example', '+1 202 555 0100' FROM generate_series(1, {deals}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, estimated_value) SELECT ext_id, email, 1000 FROM leads
            """,
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await RunAsync(bench, crm, "first push", "push", cancellationToken);
        await RunAsync(bench, crm, "push again, nothing changed", "push", cancellationToken);
        await RunAsync(bench, crm, "pull of everything, all of it ours", "pull", cancellationToken);
        await bench.ExecuteAsync($"UPDATE leads SET phone = '+1 202 555 0101' WHERE lead_id <= {deals / 100}", cancellationToken);
        await RunAsync(bench, crm, "push, 1 % of the leads changed", "push", cancellationToken);
    }

    private static async Task RunAsync(Bench bench, HubSpotFake crm, string what, string command, CancellationToken cancellationToken)
    {
        var (calls, writes, memory) = (crm.Calls, crm.WriteCalls, 0L);
        var measured = await bench.MeasureAsync(async () => memory = await bench.RunProgramAsync(cancellationToken, "crm", command), cancellationToken);
        Console.WriteLine(
            $"  {what,-44} {measured.Seconds,7:0.00} s, {crm.Calls - calls,5} calls, {crm.WriteCalls - writes,5} of them writes, peak {memory / 1e6:0} MB");
    }
}
