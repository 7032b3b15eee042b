using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Part of the work: limits, shards, everything by hand, dry runs.</summary>
public sealed class LimitTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = ScoringRig.T0;

    private readonly ScoringRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync("TRUNCATE leads CASCADE");
        await _rig.NextLeadIdAsync(1);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task MaxLeads_InAPass_GoesOnWhereItLeftOff()
    {
        await FiveBlocksAsync(perBlock: 30);

        for (var run = 1; run <= 3; run++)
        {
            Assert.Equal((40, 40), (await _rig.ScoreAsync("--max-leads-per-run", "40")).Work);
            Assert.Equal(run * 40, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE score IS NOT NULL"));
        }

        Assert.Equal((30, 30), (await _rig.ScoreAsync("--max-leads-per-run", "40")).Work);
        Assert.Equal((0, 0), (await _rig.ScoreAsync("--max-leads-per-run", "40")).Work);
        await _rig.AllAreRightAsync(T0);
        await _rig.HistoryIsUnbrokenAsync();
    }

    [Fact]
    public async Task MaxLeads_OfDueLeads_GoesOnWhereItLeftOff()
    {
        await FiveBlocksAsync(perBlock: 30);
        await _rig.ScoreAsync();
        // Twice, so that a lead has several rows on the list and still counts once.
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true");
        await database.ExecuteAsync("UPDATE leads SET phone = '600123456' WHERE lead_id % 2 = 0");

        var seen = 0L;
        for (var run = 0; run < 4; run++)
        {
            var work = await _rig.ScoreAsync("--max-leads-per-run", "45");
            Assert.Equal((Math.Min(45, 150 - seen), Math.Min(45, 150 - seen)), work.Work);
            seen += work["evaluated"];
        }

        Assert.Equal((0, 0), (await _rig.ScoreAsync()).Work);
        await _rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task MaxLeads_OverAPassAndDueLeads_CountsBoth()
    {
        await FiveBlocksAsync(perBlock: 10);
        await _rig.ScoreAsync();
        await _rig.NextLeadIdAsync(6 << 15);
        await _rig.AddLeadsAsync("new", 10);
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE lead_id < 1 << 16");

        Assert.Equal((15, 15), (await _rig.ScoreAsync("--max-leads-per-run", "15")).Work);
        Assert.Equal((15, 15), (await _rig.ScoreAsync("--max-leads-per-run", "100")).Work);
        await _rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task Shards_Together_AreTheWhole()
    {
        await FiveBlocksAsync(perBlock: 20);

        var passes = new List<Counts>();
        for (var shard = 0; shard < 3; shard++)
        {
            passes.Add(await _rig.ScoreAsync("--shard", $"{shard}/3"));
        }

        // Blocks 0 and 3, 1 and 4, 2.
        Assert.Equal([40, 40, 20], passes.Select(p => p["evaluated"]));
        await _rig.AllAreRightAsync(T0);
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE lead_id % 2 = 0");
        var due = await Task.WhenAll(Enumerable.Range(0, 3).Select(shard => _rig.ScoreAsync("--shard", $"{shard}/3")));
        Assert.Equal([20, 20, 10], due.Select(p => p["evaluated"]));
        Assert.Equal(50, due.Sum(p => p["changed"]));
        Assert.Equal((0, 0), (await _rig.ScoreAsync()).Work);
        await _rig.AllAreRightAsync(T0);
        await _rig.HistoryIsUnbrokenAsync();
    }

    [Fact]
    public async Task Everything_LooksAtAllLeadsAndAtWhatTheListMissed()
    {
        await FiveBlocksAsync(perBlock: 10);
        await _rig.ScoreAsync();
        // As after a restore without the list, or an UPDATE with triggers off.
        await database.ExecuteAsync("UPDATE leads SET score = 3 WHERE ext_id = 'block2-1'");
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id = 'block3-1'");

        Assert.Equal((10, 1), (await _rig.ScoreAsync("--everything", "--max-leads-per-run", "10", "--shard", "2/5")).Work);
        Assert.Equal((50, 1), (await _rig.ScoreAsync("--everything")).Work);

        await _rig.AllAreRightAsync(T0);
        Assert.Equal((0, 0), (await _rig.ScoreAsync()).Work);
    }

    public static TheoryData<string, string[]> Situations => new()
    {
        { "nothing scored yet", [] },
        { "nothing scored yet", ["--max-leads-per-run", "25"] },
        { "a pass begun", [] },
        { "a pass begun", ["--max-leads-per-run", "25"] },
        { "all scored, some due", [] },
        { "all scored, some due", ["--max-leads-per-run", "7"] },
        { "all scored, some due", ["--everything"] },
        { "all scored, some due", ["--enable-ml-scoring"] },
        { "all scored, some due", ["--shard", "1/2"] },
        { "all scored, some due", ["--update-priority-auto=false"] },
        { "a pass begun, some due", [] },
        { "nothing due", [] },
    };

    [Theory]
    [MemberData(nameof(Situations))]
    public async Task DryRun_InAnySituation_CountsAsTheRealRunAndWritesNothing(string situation, string[] flags)
    {
        await FiveBlocksAsync(perBlock: 10);
        await database.ExecuteAsync("INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 100, 'm' FROM leads WHERE lead_id % 3 = 0");
        if (situation.StartsWith("all", StringComparison.Ordinal) || situation == "nothing due")
        {
            await _rig.ScoreAsync();
        }

        if (situation.StartsWith("a pass", StringComparison.Ordinal))
        {
            await _rig.ScoreAsync("--max-leads-per-run", "13");
        }

        if (situation.EndsWith("some due", StringComparison.Ordinal))
        {
            await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE lead_id % 4 = 0");
            await database.ExecuteAsync("UPDATE leads SET phone = '600123456', source = 'direct' WHERE lead_id % 8 = 0");
            await database.ExecuteAsync("UPDATE leads SET first_name = NULL WHERE lead_id % 5 = 0");
        }

        var before = await database.FingerprintAsync();
        var dry = await _rig.ScoreAsync([.. flags, "--dry-run"]);
        Assert.Equal(before, await database.FingerprintAsync());
        var real = await _rig.ScoreAsync(flags);

        Assert.Equal(real.ToString(), dry.ToString());
    }

    /// <summary>Leads in blocks 0 to 4, named block0-1 and on.</summary>
    private async Task FiveBlocksAsync(int perBlock)
    {
        for (var block = 0; block < 5; block++)
        {
            await _rig.NextLeadIdAsync((block << 15) + 1);
            await _rig.AddLeadsAsync($"block{block}-", perBlock);
        }
    }
}
