using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace SalesTasks.Benchmarks;

/// <summary>
/// Scoring against what it cannot beat (a bare UPDATE of the same rows, the calculation alone) and against what people do (a client loop
/// with a function call, a history insert and an update a lead). Both sides run in turn, vacuumed and checkpointed before each.
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class ScoringBenchmark
{
    private const int LoopLeads = 2_000;

    public static async Task RunAsync(int leads, int rounds, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await LoadAsync(bench, leads, cancellationToken);
        Console.WriteLine($"\nscoring, {leads:N0} leads");
        var memory = 0L;
        var first = await bench.MeasureAsync(
            async () => memory = await bench.RunProgramAsync(cancellationToken, "scoring", "score"), cancellationToken);
        Report("first score of all leads (queue emptied)", leads, first, null);

        var bare = new List<Measured>();
        var full = new List<Measured>();
        var sharded = new List<Measured>();
        var worstWait = 0.0;
        for (var round = 0; round <= rounds; round++)
        {
            if (round == 1)
            {
                // The first round brings the table into the state that repeated updates keep it in.
                bare.Clear();
                full.Clear();
                sharded.Clear();
            }

            await SettleAsync(bench, cancellationToken);
            bare.Add(await bench.MeasureAsync(
                () => bench.ExecuteAsync("UPDATE leads SET score = score + 1, priority = 'low', updated_at = now()", cancellationToken), cancellationToken));

            await ChangeRulesAsync(bench, cancellationToken);
            await SettleAsync(bench, cancellationToken);
            using var probe = new LockProbe(bench, leads, cancellationToken);
            full.Add(await bench.MeasureAsync(() => ScoreAsync(bench, cancellationToken), cancellationToken));
            worstWait = Math.Max(worstWait, await probe.StopAsync());

            await ChangeRulesAsync(bench, cancellationToken);
            await SettleAsync(bench, cancellationToken);
            sharded.Add(await bench.MeasureAsync(
                () => Task.WhenAll(ScoreAsync(bench, cancellationToken, "--shard", "0/2"), ScoreAsync(bench, cancellationToken, "--shard", "1/2")),
                cancellationToken));
        }

        var bareMedian = new Measured(Median.Of(bare.Select(m => m.Seconds)), (long)Median.Of(bare.Select(m => (double)m.WalBytes)));
        var fullMedian = new Measured(Median.Of(full.Select(m => m.Seconds)), (long)Median.Of(full.Select(m => (double)m.WalBytes)));
        var shardedMedian = new Measured(Median.Of(sharded.Select(m => m.Seconds)), (long)Median.Of(sharded.Select(m => (double)m.WalBytes)));
        Report("bare UPDATE of all leads", leads, bareMedian, null);
        Report("full re-score, all changed, history written", leads, fullMedian, bareMedian);
        Console.WriteLine($"    speed against bare, round by round: {string.Join(", ", bare.Zip(full, (b, f) => $"{b.Seconds / f.Seconds:P0}"))}; shards against one: {string.Join(", ", full.Zip(sharded, (f, s) => $"{f.Seconds / s.Seconds:0.00}x"))}");
        Console.WriteLine($"    longest wait of another session for a lead's row lock: {worstWait:0.00} s; peak memory of the process: {memory / 1e6:0} MB");
        Report("the same, two shards side by side", leads, shardedMedian, bareMedian);
        Console.WriteLine($"    two shards against one: {fullMedian.Seconds / shardedMedian.Seconds:0.00}x");

        await SettleAsync(bench, cancellationToken);
        var compute = new List<double>();
        var unchanged = new List<Measured>();
        for (var round = 0; round < rounds; round++)
        {
            compute.Add((await bench.MeasureAsync(
                () => bench.ExecuteAsync(
                    "SELECT sum(score) FROM (SELECT * FROM lead_score_calculation((SELECT version FROM scoring_rules WHERE active), now(), true, false, 0, 9223372036854775807) OFFSET 0) AS k",
                    cancellationToken),
                cancellationToken)).Seconds);
            unchanged.Add(await bench.MeasureAsync(() => ScoreAsync(bench, cancellationToken, "--everything"), cancellationToken));
        }

        var computeMedian = new Measured(Median.Of(compute), 0);
        var unchangedMedian = new Measured(Median.Of(unchanged.Select(m => m.Seconds)), (long)Median.Of(unchanged.Select(m => (double)m.WalBytes)));
        Report("calculation alone", leads, computeMedian, null);
        Report("everything scored, nothing changed", leads, unchangedMedian, computeMedian);
        Report("incremental run, nothing due", leads, await bench.MeasureAsync(() => ScoreAsync(bench, cancellationToken), cancellationToken), null);

        var dirty = Math.Max(leads / 100, 100);
        await bench.ExecuteAsync(
            $"UPDATE leads SET demo_requested = NOT demo_requested WHERE lead_id IN (SELECT lead_id FROM leads ORDER BY md5(ext_id) LIMIT {dirty})", cancellationToken);
        Report($"1 % changed ({dirty:N0} leads all over the table)", dirty, await bench.MeasureAsync(() => ScoreAsync(bench, cancellationToken), cancellationToken), null);

        var loop = await bench.MeasureAsync(() => LoopAsync(bench, cancellationToken), cancellationToken);
        Console.WriteLine($"  {"row-by-row client loop",-52} {LoopLeads / loop.Seconds,10:N0} leads/s; full re-score is {leads / fullMedian.Seconds / (LoopLeads / loop.Seconds):0}x as fast");
    }

    private static async Task LoadAsync(Bench bench, int leads, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, created_at, company_name, country,
              language, time_zone, website_visited, industry, estimated_value)
            SELECT 'lead-' || lpad(i::text, 9, '0'),
              (ARRAY['organic', 'Direct Traffic', 'referral', 'partner', 'paid_search', 'Google', 'social media', 'event', 'Olark Chat', 'ad'])[1 + i % 10],
              CASE WHEN i % 17 <> 0 THEN 'First' || (i % 5000) END, 'Last' || (i % 7919),
              CASE WHEN i % 11 <> 0 THEN 'user' || i || '@' || (ARRAY['gmail.com', 'acme.example', 'university.edu', 'a-really-long-company-name.example', 'hotmail.com'])[1 + i % 5] END,
              CASE WHEN i % 3 <> 0 THEN '+34 600 ' || lpad((i % 1000000)::text, 6, '0') END, CASE WHEN i % 4 = 0 THEN 'newsletter' END, NULL,
              now() - (i % 400) * interval '1 day', 'Company ' || (i % 3000), 'ES', 'es', 'Europe/Madrid', i % 9 = 0, 'software', i % 50000
            FROM generate_series(1, {leads}) AS i
            """,
            cancellationToken);
        await bench.ExecuteAsync(
            $"""
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, source, source_event_id)
            SELECT 'lead-' || lpad((1 + (i::bigint * 7919) % {leads})::text, 9, '0'),
              (ARRAY['reply', 'click', 'open', 'open', 'open', 'visit'])[1 + i % 6], 'bench', i::text
            FROM generate_series(1, {leads / 2}) AS i
            """,
            cancellationToken);
        await SettleAsync(bench, cancellationToken);
    }

    private static async Task SettleAsync(Bench bench, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync("VACUUM (ANALYZE) leads", cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE) lead_engagement", cancellationToken);
        await bench.ExecuteAsync("VACUUM (ANALYZE) lead_score_due", cancellationToken);
        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>A new version that moves every score.</summary>
    private static Task<long> ChangeRulesAsync(Bench bench, CancellationToken cancellationToken) => bench.RunProgramAsync(
        cancellationToken, "scoring", "rules", "edit", "--set", $"base_points={10 + (s_turn++ % 2)}");

    private static int s_turn;

    /// <summary>The job from its connection to its result line, without the start of a process (cold-start measures that).</summary>
    private static Task ScoreAsync(Bench bench, CancellationToken cancellationToken, params string[] flags)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return bench.RunInProcessAsync(["scoring", "score", .. flags]);
    }

    /// <summary>What row-by-row systems do: facts, function, history, update; a commit each.</summary>
    private static async Task LoopAsync(Bench bench, CancellationToken cancellationToken)
    {
        await using var connection = await bench.OpenConnectionAsync(cancellationToken);
        for (var i = 1; i <= LoopLeads; i++)
        {
            var id = $"lead-{i:000000000}";
            await using var score = new NpgsqlCommand(
                """
                SELECT calculate_lead_score(l.ext_id, coalesce(g.replies, 0), coalesce(g.clicks, 0), coalesce(g.opens, 0), l.has_email, l.has_phone,
                  l.has_name, 3, 0, extract(day FROM now() - l.created_at)::int, l.domain::varchar, l.website_visited, l.demo_requested, l.pricing_page_viewed)
                FROM leads l LEFT JOIN lead_engagement g USING (lead_id) WHERE l.ext_id = $1
                """,
                connection)
            { Parameters = { new NpgsqlParameter<string> { TypedValue = id } } };
            var value = (int)(await score.ExecuteScalarAsync(cancellationToken))!;
            await using var history = new NpgsqlCommand(
                "INSERT INTO lead_score_history (lead_ext_id, score, priority, scoring_factors) VALUES ($1, $2, 'low', '{}')", connection)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = id }, new NpgsqlParameter<int> { TypedValue = value } },
            };
            await history.ExecuteNonQueryAsync(cancellationToken);
            await using var update = new NpgsqlCommand("UPDATE leads SET score = $2, priority = 'low', updated_at = now() WHERE ext_id = $1", connection)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = id }, new NpgsqlParameter<int> { TypedValue = value } },
            };
            await update.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static void Report(string what, int leads, Measured measured, Measured? against)
    {
        var line = $"  {what,-52} {leads / measured.Seconds,10:N0} leads/s {measured.Seconds,8:0.00} s {measured.WalBytes / (double)leads,7:0} WAL B/lead";
        Console.WriteLine(against is null
            ? line
            : line + $"   speed {against.Seconds / measured.Seconds:P0}" + (against.WalBytes > 0 ? $", WAL {measured.WalBytes / (double)against.WalBytes:0.00}x" : ""));
    }

    /// <summary>Another session that locks leads at random meanwhile; its longest wait is how long scoring holds a row.</summary>
    private sealed class LockProbe : IDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly Task<double> _work;

        public LockProbe(Bench bench, int leads, CancellationToken cancellationToken)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _work = ProbeAsync(bench, leads);
        }

        public async Task<double> StopAsync()
        {
            await _stop.CancelAsync();
            return await _work;
        }

        public void Dispose() => _stop.Dispose();

        private async Task<double> ProbeAsync(Bench bench, int leads)
        {
            await using var connection = await bench.OpenConnectionAsync(CancellationToken.None);
            var random = new Random(1);
            var worst = 0.0;
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            while (!_stop.IsCancellationRequested)
            {
                var started = TimeProvider.System.GetTimestamp();
                await using var command = new NpgsqlCommand("SELECT 1 FROM leads WHERE lead_id = $1 FOR NO KEY UPDATE", connection)
                {
                    Parameters = { new NpgsqlParameter<long> { TypedValue = random.Next(1, leads + 1) } },
                };
                await command.ExecuteScalarAsync(CancellationToken.None);
                worst = Math.Max(worst, TimeProvider.System.GetElapsedTime(started).TotalSeconds);
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }

            return worst;
        }
    }
}
