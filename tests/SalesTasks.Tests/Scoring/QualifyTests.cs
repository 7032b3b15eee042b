using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Leads with enough points enter the pipeline once, and deals follow their lead.</summary>
public sealed class QualifyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
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
    public async Task Qualify_LeadsAroundTheThreshold_TakesThoseWithEnoughPointsOnce()
    {
        await LeadsAsync(("low", 49), ("at", 50), ("high", 90));
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, email) VALUES ('unscored', 'x', 'u@acme.com')");

        Assert.Equal((2, 0, 0), await QualifyAsync());
        Assert.Equal(["at", "high"], await QualifiedAsync());
        Assert.Equal((0, 0, 0), await QualifyAsync());
        Assert.Equal((1, 0, 0), await QualifyAsync("--min-score-to-qualify", "49"));
        Assert.Equal((0, 0, 0), await QualifyAsync("--min-score-to-qualify", "0"));
    }

    [Fact]
    public async Task Qualify_ALead_CopiesItsFactsAndWritesItsStage()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, utm_source, utm_campaign, score, priority, estimated_value)
            VALUES ('a', 'paid', 'Ana', 'Paz', 'ana@acme.com', '600123456', 'news', 'spring', 77, 'high', 1234.5)
            """);

        await QualifyAsync();

        var row = Assert.Single(await database.RowsAsync("SELECT * FROM sales_pipeline"));
        Assert.Equal(("a", "paid", "Ana", "Paz", "ana@acme.com"), (row["lead_ext_id"], row["source"], row["first_name"], row["last_name"], row["email"]));
        Assert.Equal(("600123456", "news", "spring", 77, "high"), (row["phone"], row["utm_source"], row["utm_campaign"], row["score"], row["priority"]));
        Assert.Equal(("qualified", 1234.5m, 20), (row["stage"], row["estimated_value"], row["probability_pct"]));
        Assert.Equal((ScoringRig.T0.UtcDateTime, ScoringRig.T0.UtcDateTime), (row["qualified_at"], row["next_followup_at"]));
        Assert.Equal("qualified", await database.ScalarAsync<string>("SELECT string_agg(to_stage::text, ' ') FROM sales_stage_history"));
    }

    [Fact]
    public async Task Qualify_DealsAlreadyThere_FollowScoreAndPriority()
    {
        await LeadsAsync(("open", 80), ("won", 80), ("same", 80), ("gone-down", 80));
        await QualifyAsync();
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = 'won'");
        await database.ExecuteAsync("UPDATE leads SET score = 95, priority = 'urgent' WHERE ext_id IN ('open', 'won')");
        await database.ExecuteAsync("UPDATE leads SET score = 10, priority = 'low' WHERE ext_id = 'gone-down'");
        var untouched = await database.ScalarAsync<string>("SELECT xmin::text FROM sales_pipeline WHERE lead_ext_id = 'same'");

        Assert.Equal((0, 3, 0), await QualifyAsync());

        Assert.Equal(
            ["gone-down qualified 10 low", "open qualified 95 urgent", "same qualified 80 high", "won closed_won 95 urgent"],
            await database.QueryAsync("SELECT lead_ext_id || ' ' || stage || ' ' || score || ' ' || priority FROM sales_pipeline ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(untouched, await database.ScalarAsync<string>("SELECT xmin::text FROM sales_pipeline WHERE lead_ext_id = 'same'"));
        Assert.Equal((0, 0, 0), await QualifyAsync());
    }

    [Fact]
    public async Task Qualify_LeadWithoutPriority_TakesNoneAway()
    {
        await LeadsAsync(("a", 80));
        await QualifyAsync();
        await database.ExecuteAsync("UPDATE sales_pipeline SET priority = 'urgent'");
        await database.ExecuteAsync("UPDATE leads SET priority = NULL, score = 81");

        Assert.Equal((0, 1, 0), await QualifyAsync());
        Assert.Equal("81 urgent", await database.ScalarAsync<string>("SELECT score || ' ' || priority FROM sales_pipeline"));
    }

    [Fact]
    public async Task Qualify_ClosedDeals_AreNeverOpenedAgain()
    {
        await LeadsAsync(("lost", 80), ("won", 80));
        await QualifyAsync();
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_lost' WHERE lead_ext_id = 'lost'");
        await database.ExecuteAsync("UPDATE sales_pipeline SET stage = 'closed_won' WHERE lead_ext_id = 'won'");
        await database.ExecuteAsync("UPDATE leads SET score = 30");
        await QualifyAsync();
        await database.ExecuteAsync("UPDATE leads SET score = 99");

        Assert.Equal((0, 2, 0), await QualifyAsync());
        Assert.Equal(["closed_lost", "closed_won"], await database.QueryAsync("SELECT stage::text FROM sales_pipeline ORDER BY lead_ext_id", row => row.GetString(0)));
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(closed_at) FROM sales_pipeline"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    public async Task Qualify_LeadWithoutAddress_IsCountedAndEntersWhenItHasOne(string? email)
    {
        await LeadsAsync(("a", 80));
        await database.ExecuteAsync("UPDATE leads SET email = @email", ("email", email));

        Assert.Equal((0, 0, 1), await QualifyAsync());
        Assert.Equal((0, 0, 1), await QualifyAsync());
        await database.ExecuteAsync("UPDATE leads SET email = 'ana@acme.com'");
        Assert.Equal((1, 0, 0), await QualifyAsync());
    }

    [Fact]
    public async Task Qualify_LeadWithANegativeValue_EntersWithoutOne()
    {
        await LeadsAsync(("a", 80), ("b", 80));
        await database.ExecuteAsync("UPDATE leads SET estimated_value = -5 WHERE ext_id = 'a'");

        Assert.Equal((2, 0, 0), await QualifyAsync());
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(estimated_value) FROM sales_pipeline"));
    }

    [Fact]
    public async Task Qualify_WithALimit_TakesTheBestFirstAndTheRestLater()
    {
        await LeadsAsync(("c", 60), ("a", 90), ("b", 70), ("d", 55));

        Assert.Equal((2, 0, 0), await QualifyAsync("--max-leads-per-run", "2"));
        Assert.Equal(["a", "b"], await QualifiedAsync());
        Assert.Equal((2, 0, 0), await QualifyAsync("--max-leads-per-run", "3"));
        Assert.Equal((0, 0, 0), await QualifyAsync("--max-leads-per-run", "3"));
    }

    [Fact]
    public async Task Qualify_NotWanted_DoesNothing()
    {
        await LeadsAsync(("a", 80));

        Assert.Equal((0, 0, 0), await QualifyAsync("--auto-qualify-for-sales=false"));
        Assert.Empty(await QualifiedAsync());
    }

    [Theory]
    [InlineData]
    [InlineData("--max-leads-per-run", "2")]
    [InlineData("--min-score-to-qualify", "60")]
    public async Task DryRun_CountsAsTheRealRunAndWritesNothing(params string[] flags)
    {
        await LeadsAsync(("a", 80), ("b", 55), ("c", 70), ("d", 90), ("e", 20));
        await _rig.QualifyAsync("--min-score-to-qualify", "85");
        await database.ExecuteAsync("UPDATE leads SET score = 91 WHERE ext_id = 'd'");
        await database.ExecuteAsync("UPDATE leads SET email = NULL WHERE ext_id = 'c'");

        var before = await database.FingerprintAsync();
        var dry = await _rig.QualifyAsync([.. flags, "--dry-run"]);
        Assert.Equal(before, await database.FingerprintAsync());

        Assert.Equal((await _rig.QualifyAsync(flags)).ToString(), dry.ToString());
    }

    [Fact]
    public async Task Qualify_TwoRunsAtOnceWhileScoresMove_EntersEachLeadOnce()
    {
        for (var block = 0; block < 3; block++)
        {
            await _rig.NextLeadIdAsync((block << 15) + 1);
            await _rig.AddLeadsAsync($"block{block}-", 1_000);
        }

        await database.ExecuteAsync("UPDATE leads SET score = lead_id % 100, email = ext_id || '@acme.com'");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var scorer = MoveScoresAsync(stop.Token);

        var runs = await Task.WhenAll(_rig.QualifyAsync("--min-score-to-qualify", "0"), _rig.QualifyAsync("--min-score-to-qualify", "0"));
        await stop.CancelAsync();
        await scorer;

        Assert.Equal(3_000, runs.Sum(r => r["qualified"]));
        Assert.Equal(3_000, await database.ScalarAsync<long>("SELECT count(DISTINCT lead_ext_id) FROM sales_pipeline"));
        await _rig.QualifyAsync();
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline p JOIN leads l ON l.ext_id = p.lead_ext_id WHERE p.score <> l.score"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));

        async Task MoveScoresAsync(CancellationToken token)
        {
            while (!token.IsCancellationRequested)
            {
                await database.ExecuteAsync("UPDATE leads SET score = (score * 7 + 3) % 100");
            }
        }
    }

    [Fact]
    public async Task Qualify_InShards_IsTheWhole()
    {
        for (var block = 0; block < 3; block++)
        {
            await _rig.NextLeadIdAsync((block << 15) + 1);
            await LeadsAsync(($"block{block}", 80));
        }

        Assert.Equal((1, 0, 0), await QualifyAsync("--shard", "1/3"));
        Assert.Equal(["block1"], await QualifiedAsync());
        await QualifyAsync("--shard", "0/3");
        await QualifyAsync("--shard", "2/3");
        Assert.Equal(["block0", "block1", "block2"], await QualifiedAsync());
    }

    private async Task LeadsAsync(params (string ExtId, int Score)[] leads)
    {
        foreach (var (extId, score) in leads)
        {
            await database.ExecuteAsync(
                "INSERT INTO leads (ext_id, source, email, score, priority) VALUES (@id, 'x', @id || '@acme.com', @score, CASE WHEN @score >= 50 THEN 'high' ELSE 'low' END)",
                ("id", extId), ("score", score));
        }
    }

    private async Task<(long Qualified, long Followed, long WithoutEmail)> QualifyAsync(params string[] flags)
    {
        var counts = await _rig.QualifyAsync(flags);
        return (counts["qualified"], counts["followed"], counts["without_email"]);
    }

    private Task<List<string>> QualifiedAsync() => database.QueryAsync("SELECT lead_ext_id FROM sales_pipeline ORDER BY 1", row => row.GetString(0));
}
