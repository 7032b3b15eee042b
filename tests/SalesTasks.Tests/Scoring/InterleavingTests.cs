using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>Sessions that change leads, rules or settings while a chunk runs: nothing is lost, and nothing is done twice.</summary>
public sealed class InterleavingTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = ScoringRig.T0;

    private readonly ScoringRig _rig = new(database);
    private NpgsqlConnection? _other;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync("TRUNCATE leads CASCADE");
        await _rig.NextLeadIdAsync(1);
        await _rig.AddLeadsAsync("l", 100);
        await _rig.ScoreAsync();
        _other = await database.OpenConnectionAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // Ends what a failed test left open.
        await _other!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    public static TheoryData<string> Changes =>
    [
        // An input, and with it the lead's own row on the list.
        "UPDATE leads SET phone = '600123456' WHERE ext_id = 'l5'",
        // No input: nothing but the list row that the run deletes would bring the lead back.
        "UPDATE leads SET country = 'ES' WHERE ext_id = 'l5'",
        "UPDATE leads SET ext_id = 'l5-renamed' WHERE ext_id = 'l5'",
        "UPDATE leads SET priority = 'urgent' WHERE ext_id = 'l5'",
        "DELETE FROM leads WHERE ext_id = 'l5'",
        "UPDATE leads SET demo_requested = false WHERE ext_id = 'l5'",
    ];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Lead_ChangedWhileItsScoreIsWritten_IsRightInTheEnd(string change)
    {
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id IN ('l4', 'l5', 'l6')");
        await OtherAsync("BEGIN; " + change);

        var run = _rig.ScoreAsync(T0.AddMinutes(1));
        await _rig.WaitsForALockAsync("scoring score");
        await OtherAsync("COMMIT");
        var counts = await run;
        await _rig.ScoreAsync(T0.AddMinutes(2));

        Assert.Equal(3, counts["evaluated"]);
        await _rig.AllAreRightAsync(T0);
        await _rig.HistoryIsUnbrokenAsync();
        Assert.Equal((0, 0), (await _rig.ScoreAsync(T0.AddMinutes(3))).Work);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Lead_ChangedWhileAPassOfItsBlockRuns_IsRightInTheEnd(string change)
    {
        await database.ExecuteAsync("INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, 0, 'm' FROM leads; DELETE FROM lead_score_due");
        await OtherAsync("BEGIN; " + change);

        var run = _rig.ScoreAsync(T0.AddMinutes(1), "--enable-ml-scoring");
        await _rig.WaitsForALockAsync("scoring score");
        await OtherAsync("COMMIT");
        Assert.Equal(1, (await run)["blocks_scored"]);
        await _rig.ScoreAsync(T0.AddMinutes(2), "--enable-ml-scoring");

        await _rig.AllAreRightAsync(T0, model: true);
        await _rig.HistoryIsUnbrokenAsync();
    }

    [Fact]
    public async Task Changes_CommittedAfterTheRunLooked_WaitForTheNext()
    {
        await OtherAsync("BEGIN");
        await OtherAsync("UPDATE leads SET demo_requested = true WHERE ext_id = 'l1'");
        await OtherAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('l2', 'reply')");
        await OtherAsync("INSERT INTO leads (ext_id, source, created_at) VALUES ('l101', 'paid', '2026-01-01')");
        await OtherAsync("DELETE FROM leads WHERE ext_id = 'l3'");

        Assert.Equal((0, 0), (await _rig.ScoreAsync(T0.AddMinutes(1))).Work);
        Assert.Equal((100, 0), (await _rig.ScoreAsync(T0.AddMinutes(1), "--everything")).Work);
        await OtherAsync("COMMIT");

        Assert.Equal((3, 3), (await _rig.ScoreAsync(T0.AddMinutes(2))).Work);
        await _rig.AllAreRightAsync(T0);
        await _rig.HistoryIsUnbrokenAsync();
    }

    [Fact]
    public async Task Lead_OfALowerNumberThatCommitsAfterItsBlockIsDone_IsScoredByTheNext()
    {
        await OtherAsync("BEGIN; INSERT INTO leads (ext_id, source) VALUES ('late', 'paid')");
        await _rig.AddLeadsAsync("m", 10);
        Assert.Equal((10, 10), (await _rig.ScoreAsync()).Work);
        await OtherAsync("COMMIT");

        Assert.Equal((1, 1), (await _rig.ScoreAsync()).Work);
        await _rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task Lead_OfANewBlockArrivingWhileTheRunStarts_IsScoredByTheNext()
    {
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id = 'l5'");
        await OtherAsync("BEGIN; SELECT 1 FROM scoring_blocks FOR UPDATE");
        var run = _rig.ScoreAsync("--everything");
        await _rig.WaitsForALockAsync("scoring score");
        // The run knows its blocks by now.
        await _rig.NextLeadIdAsync(5 << 15);
        await _rig.AddLeadsAsync("far", 3);
        await OtherAsync("COMMIT");

        Assert.Equal(100, (await run)["evaluated"]);
        Assert.Equal(3, (await _rig.ScoreAsync())["evaluated"]);
        await _rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task Rules_EditedWhileAPassRuns_AreTakenUpWithTheNextChunk()
    {
        await _rig.NextLeadIdAsync(1 << 15);
        await _rig.AddLeadsAsync("second", 100);
        await EditAsync("base_points=21");
        // Block 0 is under way, and waits for a lead.
        await OtherAsync("BEGIN; UPDATE leads SET country = 'ES' WHERE ext_id = 'l5'");
        var run = _rig.ScoreAsync(T0.AddMinutes(1));
        await _rig.WaitsForALockAsync("scoring score");

        await EditAsync("base_points=22");
        await OtherAsync("COMMIT");
        await run;

        await _rig.AllAreRightAsync(T0);
        await _rig.HistoryIsUnbrokenAsync();
        // The first block got both versions, the second only the new one.
        Assert.Equal(
            ["0 21", "0 22", "1 22"],
            await database.QueryAsync(
                "SELECT DISTINCT (lead_id >> 15) || ' ' || base_points FROM lead_scores WHERE base_points > 20 ORDER BY 1", row => row.GetString(0)));
        Assert.Equal((0, 0), (await _rig.ScoreAsync(T0.AddMinutes(2))).Work);
        await EditAsync("base_points=20");
    }

    [Fact]
    public async Task Rules_EditedWhileDueLeadsAreScored_LeaveNoLeadWithTheOldOnes()
    {
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id = 'l5'");
        await OtherAsync("BEGIN; SELECT 1 FROM scoring_blocks FOR UPDATE");
        var old = _rig.ScoreAsync(T0.AddMinutes(1));
        await _rig.WaitsForALockAsync("scoring score");

        // The run knows the old rules, and comes to the due lead after the new ones.
        await EditAsync("base_points=23");
        await OtherAsync("COMMIT");
        await old;

        await _rig.AllAreRightAsync(T0);
        await _rig.HistoryIsUnbrokenAsync();
        Assert.Equal((0, 0), (await _rig.ScoreAsync(T0.AddMinutes(2))).Work);
        await EditAsync("base_points=20");
    }

    [Fact]
    public async Task Due_InABlockThatARunWithOtherSettingsTookOver_StaysOnTheList()
    {
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true WHERE ext_id = 'l5'");
        await OtherAsync("BEGIN; SELECT 1 FROM scoring_blocks FOR UPDATE");
        var run = _rig.ScoreAsync(T0.AddMinutes(1));
        await _rig.WaitsForALockAsync("scoring score");
        await OtherAsync("UPDATE scoring_blocks SET settings = replace(settings, 'model=False', 'model=True'); COMMIT");

        Assert.Equal((0, 0), (await run).Work);
        Assert.Equal((1, 1), (await _rig.ScoreAsync(T0.AddMinutes(2), "--enable-ml-scoring")).Work);
        await _rig.AllAreRightAsync(T0);
    }

    [Fact]
    public async Task Block_SharedByTwoRuns_IsDoneOnce()
    {
        // Two chunks' worth of numbers in one block: the runs take turns.
        await _rig.NextLeadIdAsync(20_000);
        await _rig.AddLeadsAsync("h", 100);
        await _rig.ScoreAsync();
        await EditAsync("base_points=24");
        await OtherAsync("BEGIN; UPDATE leads SET country = 'ES' WHERE ext_id = 'l50'");
        var first = _rig.ScoreAsync(T0.AddMinutes(1));
        await _rig.WaitsForALockAsync("scoring score");
        var second = _rig.ScoreAsync(T0.AddMinutes(1));
        await Eventually.HoldsAsync("the second run waits for the first", async () => await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'sales-tasks scoring score'
            """) == 2);
        await OtherAsync("COMMIT");

        var work = await Task.WhenAll(first, second);
        // The lead that was held back is looked at again by whoever comes to the list.
        Assert.Equal(201, work.Sum(w => w["evaluated"]));
        Assert.Equal(200, work.Sum(w => w["changed"]));
        await _rig.AllAreRightAsync(T0);
        await EditAsync("base_points=20");
    }

    [Fact]
    public async Task Lead_DeletedWhileItsHistoryIsInserted_LeavesNoOrphan()
    {
        await OtherAsync("BEGIN; INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('l7', 50)");
        var delete = database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'l7'");
        await Eventually.HoldsAsync("the delete waits", async () => await database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM leads%')"));
        await OtherAsync("COMMIT");
        await delete;

        await _rig.HistoryIsUnbrokenAsync();
    }

    private async Task EditAsync(string set)
    {
        var answer = await _rig.RunAsync("scoring", "rules", "edit", "--set", set);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
    }

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The test's own text.")]
    private async Task OtherAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _other);
        await command.ExecuteNonQueryAsync(Token);
    }
}
