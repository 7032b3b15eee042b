namespace SalesTasks.Benchmarks;

/// <summary>From process start to exit of <c>scoring score</c> with nothing to do, on an empty migrated database.</summary>
internal static class ColdStartBenchmark
{
    public static async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        var seconds = new List<double>();
        var memory = 0L;
        for (var run = 0; run < 11; run++)
        {
            var measured = await bench.MeasureAsync(
                async () => memory = await bench.RunProgramAsync(cancellationToken, "scoring", "score"), cancellationToken);
            if (run > 0)
            {
                seconds.Add(measured.Seconds);
            }
        }

        Console.WriteLine($"cold start: scoring score, empty database: median {Median.Of(seconds):0.000} s ({seconds.Min():0.000} to {seconds.Max():0.000}), peak {memory / 1e6:0} MB");
    }
}
