using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Encryption;

namespace SalesTasks.Benchmarks;

/// <summary>
/// What encryption costs: sealing in memory, <c>privacy encrypt</c> against a plain UPDATE of the same rows, a second run, rotation, the
/// program's memory, and scoring before and after.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class EncryptionBenchmark
{
    private const int Fields = 300_000;

    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\nencryption, {leads:N0} leads");
        await using var bench = await Bench.StartAsync(cancellationToken);
        bench.Connect("SALES_ENCRYPTION_CONN_ID", "sales_encryption", Connection("k1", 1));
        var sealer = new Sealer(EncryptionKeys.From(AirflowConnection.Parse(new ConnectionSource("bench", "the benchmark"), Connection("k1", 1))));
        var sealing = await bench.MeasureAsync(
            () =>
            {
                for (var i = 0; i < Fields; i++)
                {
                    sealer.Seal(i, "token", "+34 600 123 456");
                }

                return Task.CompletedTask;
            },
            cancellationToken);
        Console.WriteLine($"  {"AES-GCM in memory",-32} {Fields / sealing.Seconds,10:N0} fields/s");
        await bench.ExecuteAsync(
            $"INSERT INTO leads (ext_id, source, email, phone) SELECT 'lead-' || i, 'organic', 'u' || i || '@acme.example', '+34 600 ' || i FROM generate_series(1, {leads}) AS i",
            cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await AddAsync("scoring score, in clear", "scoring", "score");
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        var plain = await bench.MeasureAsync(() => bench.ExecuteAsync("UPDATE leads SET phone = phone || '0'", cancellationToken), cancellationToken);
        Console.WriteLine($"  {"plain UPDATE of all phones",-32} {leads / plain.Seconds,10:N0} fields/s");
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        var first = await AddAsync("privacy encrypt", "privacy", "encrypt");
        Console.WriteLine($"  {"",-32} {first / plain.Seconds,10:0.0} times the time of the plain UPDATE");
        await bench.ExecuteAsync("VACUUM (ANALYZE)", cancellationToken);
        await AddAsync("privacy encrypt, nothing new", "privacy", "encrypt");
        await bench.ExecuteAsync("UPDATE scoring_blocks SET settings = 'anew'", cancellationToken);
        await AddAsync("scoring score, sealed", "scoring", "score");
        bench.Connect("SALES_ENCRYPTION_CONN_ID", "sales_encryption", Connection("k2", 2, "k1"));
        await AddAsync("privacy encrypt --rotate", "privacy", "encrypt", "--rotate");

        async Task<double> AddAsync(string what, params string[] command)
        {
            var memory = 0L;
            var measured = await bench.MeasureAsync(async () => memory = await bench.RunProgramAsync(cancellationToken, command), cancellationToken);
            Console.WriteLine($"  {what,-32} {leads / measured.Seconds,10:N0} fields/s, peak {memory / 1e6:0} MB");
            return measured.Seconds;
        }
    }

    private static string Connection(string current, byte key, string? older = null) => JsonSerializer.Serialize(new
    {
        conn_type = "generic",
        login = current,
        password = Key(key),
        extra = new { index_secret = Key(99), older_secrets = older is null ? [] : new Dictionary<string, string>(StringComparer.Ordinal) { [older] = Key(1) } },
    });

    private static string Key(byte number) => Convert.ToBase64String(Enumerable.Repeat(number, 32).ToArray());
}
