using System.Globalization;
using SalesTasks.Benchmarks;

// Measures in one run what can only be judged side by side.
// Usage: [scoring] [cold-start] [routing] [campaigns] [follow-up] [outbox] [reports] [alerts] [experiment] [predict] [timing] [crm] [encryption] [security] [scale [--jobs "ml predict,routing assign"]] [--leads 10000,100000,1000000] [--messages 20000] [--rounds 3]
string[] known = ["scoring", "cold-start", "routing", "campaigns", "follow-up", "outbox", "reports", "alerts", "experiment", "predict", "timing", "crm", "encryption", "security", "scale"];
var sizes = new List<int> { 10_000, 100_000, 1_000_000 };
var rounds = 3;
var messages = 20_000;
var wanted = new List<string>();
string[] jobs = [];
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--leads" when i + 1 < args.Length:
            sizes = [.. args[++i].Split(',').Select(n => int.Parse(n, NumberStyles.None, CultureInfo.InvariantCulture))];
            break;
        case "--rounds" when i + 1 < args.Length:
            rounds = int.Parse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture);
            break;
        case "--messages" when i + 1 < args.Length:
            messages = int.Parse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture);
            break;
        case "--jobs" when i + 1 < args.Length:
            jobs = args[++i].Split(',', StringSplitOptions.TrimEntries);
            break;
        case var name when known.Contains(name, StringComparer.Ordinal):
            wanted.Add(name);
            break;
        default:
            await Console.Error.WriteLineAsync(
                $"unknown argument '{args[i]}'; allowed: {string.Join(", ", known)}, --leads N,N, --messages N, --rounds N, --jobs JOB,JOB (of scale)");
            return 64;
    }
}

if (ScaleBenchmark.Fault(jobs) is { } fault)
{
    await Console.Error.WriteLineAsync(fault);
    return 64;
}

if (wanted.Count == 0)
{
    wanted.AddRange(known);
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
if (wanted.Contains("cold-start"))
{
    await ColdStartBenchmark.RunAsync(stop.Token);
}

if (wanted.Contains("outbox"))
{
    await OutboxBenchmark.RunAsync(messages, rounds, stop.Token);
}

if (wanted.Contains("encryption"))
{
    foreach (var size in sizes)
    {
        await EncryptionBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("security"))
{
    foreach (var size in sizes)
    {
        await SecurityBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("reports"))
{
    foreach (var size in sizes)
    {
        await ReportsBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("scoring"))
{
    foreach (var size in sizes)
    {
        await ScoringBenchmark.RunAsync(size, rounds, stop.Token);
    }
}

if (wanted.Contains("routing"))
{
    foreach (var size in sizes.Where(size => size <= 100_000))
    {
        await RoutingBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("campaigns"))
{
    foreach (var size in sizes.Where(size => size <= 100_000))
    {
        await CampaignBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("follow-up"))
{
    foreach (var size in sizes.Where(size => size <= 100_000))
    {
        await FollowUpBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("alerts"))
{
    foreach (var size in sizes)
    {
        await AlertsBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("experiment"))
{
    foreach (var size in sizes)
    {
        await ExperimentBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("predict"))
{
    foreach (var size in sizes)
    {
        await PredictBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("timing"))
{
    foreach (var size in sizes.Where(size => size <= 100_000))
    {
        await TimingBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("crm"))
{
    foreach (var size in sizes.Where(size => size <= 10_000))
    {
        await CrmBenchmark.RunAsync(size, stop.Token);
    }
}

if (wanted.Contains("scale"))
{
    await ScaleBenchmark.RunAsync(sizes, jobs, stop.Token);
}

return 0;
