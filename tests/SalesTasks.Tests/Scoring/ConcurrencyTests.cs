using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Several runs at once, writers beside them, and runs killed at any instant: the real program against the real database.</summary>
public sealed class ConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int PerBlock = 3_000;

    private readonly ScoringRig _rig = new(database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync("TRUNCATE leads CASCADE");
        for (var block = 0; block < 3; block++)
        {
            await _rig.NextLeadIdAsync((block << 15) + 1);
            await _rig.AddLeadsAsync($"block{block}-", PerBlock);
        }

        await database.ExecuteAsync("UPDATE leads SET created_at = now() - lead_id % 60 * interval '1 day'");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Score_ThreeRunsAtOnce_ScoreEachLeadOnce()
    {
        var program = ProgramRunner.For(database);
        var results = await TwoRunners.RunAsync(() => program.Start("scoring", "score"), _rig.HistoryIsUnbrokenAsync, runners: 3);

        Assert.Equal(3 * PerBlock, results.Sum(r => Count(r, "evaluated")));
        Assert.Equal(3 * PerBlock, results.Sum(r => Count(r, "first_scored")));
        Assert.Equal(3 * PerBlock, await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores"));
        await _rig.AllAreRightAsync(TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task Score_ThreeRunsAtOnceAmongWriters_LosesNothingAndDeadlocksNever()
    {
        var program = ProgramRunner.For(database);
        var deadlocks = await DeadlocksAsync();
        var changed = 0L;
        var written = await BesideWritersAsync(async () =>
        {
            for (var round = 0; round < 3; round++)
            {
                // The second round changes the rules under way, the third scores with the model.
                string[] flags = round == 2 ? ["--enable-ml-scoring"] : [];
                var runs = Enumerable.Range(0, 3).Select(_ => program.Start(["scoring", "score", .. flags])).ToList();
                if (round == 1)
                {
                    await runs[0].HasLoggedAsync("started");
                    Assert.Equal(ExitCode.Done, (await _rig.RunAsync("scoring", "rules", "edit", "--set", "base_points=25")).ExitCode);
                }

                foreach (var run in runs)
                {
                    changed += Count((await run.Completion).ShouldExitWith(ExitCode.Done), "changed");
                }
            }
        });
        changed += Count((await program.RunAsync("scoring", "score", "--enable-ml-scoring")).ShouldExitWith(ExitCode.Done), "changed");

        Assert.All(written, count => Assert.True(count > 20, $"A writer came to only {count} changes."));
        Assert.Equal(deadlocks, await DeadlocksAsync());
        await _rig.AllAreRightAsync(TimeProvider.System.GetUtcNow(), model: true);
        await _rig.HistoryIsUnbrokenAsync();
        await _rig.FactorsAddUpAsync();
        // Rows of deleted leads are gone; writers delete none.
        Assert.Equal(changed, await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores"));
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT count(*) FROM lead_engagement g
                FULL JOIN (
                  SELECT lead_id, count(*) FILTER (WHERE event_type = 'reply' AND NOT is_bot) AS replies, count(*) FILTER (WHERE is_bot) AS bots
                  FROM lead_engagement_events JOIN leads ON ext_id = lead_ext_id GROUP BY lead_id) AS e USING (lead_id)
                WHERE coalesce(g.replies, 0) <> coalesce(e.replies, 0) OR coalesce(g.bot_events, 0) <> coalesce(e.bots, 0)
                """));
        await database.ExecuteAsync("UPDATE scoring_rules SET active = false WHERE active; UPDATE scoring_rules SET active = true WHERE version = 1");
    }

    [Fact]
    public async Task Score_KilledAgainAndAgain_LeavesAWholeHistoryAndRightScores()
    {
        var program = ProgramRunner.For(database);
        var usual = (await program.RunAsync("scoring", "score")).ShouldExitWith(ExitCode.Done).Duration;
        var random = new Random(5);
        var points = 30;
        var killed = 0;

        // Every kill is followed by new work for the whole table, so that the next run is as long.
        async Task MoreWorkAsync()
        {
            await _rig.HistoryIsUnbrokenAsync();
            await _rig.FactorsAddUpAsync();
            Assert.Equal(ExitCode.Done, (await _rig.RunAsync("scoring", "rules", "edit", "--set", $"base_points={points++}")).ExitCode);
            await database.ExecuteAsync("UPDATE leads SET demo_requested = NOT demo_requested WHERE lead_id % 100 = @rest", ("rest", random.Next(100)));
        }

        await MoreWorkAsync();
        for (var round = 0; round < 10 && killed < 10; round++)
        {
            killed += await KillHarness.RunAsync(
                () => program.Start("scoring", "score"),
                usual,
                kills: 10 - killed,
                seed: round,
                async () =>
                {
                    await _rig.AllAreRightAsync(TimeProvider.System.GetUtcNow());
                    await _rig.HistoryIsUnbrokenAsync();
                    await _rig.FactorsAddUpAsync();
                },
                MoreWorkAsync);
        }

        Assert.True(killed >= 10, $"Only {killed} runs were killed.");
        Assert.Equal((0, 0), (await _rig.ScoreAsync(TimeProvider.System.GetUtcNow())).Work);
        await database.ExecuteAsync("UPDATE scoring_rules SET active = false WHERE active; UPDATE scoring_rules SET active = true WHERE version = 1");
    }

    /// <summary>How many changes each of three writers made while the work ran.</summary>
    private async Task<int[]> BesideWritersAsync(Func<Task> work)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var writers = Enumerable.Range(0, 3).Select(seed => WriteAsync(seed, stop.Token)).ToList();
        try
        {
            await work();
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(writers);
        }

        return await Task.WhenAll(writers);
    }

    /// <summary>Changes leads, one after the other, until it is stopped; tells how many changes it made.</summary>
    private async Task<int> WriteAsync(int seed, CancellationToken stop)
    {
        string[] changes =
        [
            "UPDATE leads SET demo_requested = NOT demo_requested WHERE ext_id = @lead",
            "UPDATE leads SET phone = CASE WHEN phone IS NULL THEN '600123456' END, source = 'direct' WHERE ext_id = @lead",
            "UPDATE leads SET country = 'ES' WHERE ext_id = @lead",
            "UPDATE leads SET created_at = now() - interval '1 day' WHERE ext_id = @lead",
            "INSERT INTO lead_engagement_events (lead_ext_id, event_type, is_bot) VALUES (@lead, 'reply', random() < 0.3), (@lead, 'open', false)",
            "UPDATE lead_engagement_events SET is_bot = NOT is_bot WHERE lead_ext_id = @lead",
            "DELETE FROM lead_engagement_events WHERE lead_ext_id = @lead",
            "INSERT INTO lead_model_scores SELECT lead_id, 50, 'm' FROM leads WHERE ext_id = @lead ON CONFLICT (lead_id) DO UPDATE SET model_score = 90",
            "INSERT INTO leads (ext_id, source, created_at) SELECT 'new-' || md5(random()::text), 'paid', now() WHERE @lead <> ''",
            "UPDATE leads SET phone = '600123456' WHERE lead_id IN (SELECT lead_id FROM leads WHERE ext_id = @lead) AND phone IS NULL",
        ];
        var random = new Random(seed);
        var done = 0;
        while (!stop.IsCancellationRequested)
        {
            await database.ExecuteAsync(changes[random.Next(changes.Length)], ("lead", $"block{random.Next(3)}-{random.Next(1, PerBlock + 1)}"));
            done++;
        }

        return done;
    }

    private Task<long> DeadlocksAsync() =>
        database.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");

    private static long Count(ProgramResult result, string name) => result.Result.GetProperty("counts").GetProperty(name).GetInt64();
}
