using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Timing;

/// <summary>Two runs at once, and runs killed at any instant: the real program against the real database.</summary>
public sealed class ConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 20_000;

    private static readonly string[] s_apply = ["timing", "apply", "--as-of", TimingRig.T0.ToString("O")];
    private static readonly string[] s_analyze = ["timing", "analyze", "--as-of", TimingRig.T0.ToString("O")];

    private readonly TimingRig _rig = new(database);
    private readonly ProgramRunner _program = ProgramRunner.For(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Apply_TwoRunsAtOnce_MoveEachOnce()
    {
        await PlanAsync();
        var results = await TwoRunners.RunAsync(() => _program.Start(s_apply), MovedOnceAsync);

        Assert.Equal(
            await database.ScalarAsync<long>("SELECT count(*) FROM timing_moves"),
            results.Sum(r => Json.Parse(r.Output).GetProperty("counts").GetProperty("followups_moved").GetInt64()));
    }

    [Fact]
    public async Task Apply_KilledAgainAndAgain_MovesEachOnce()
    {
        await PlanAsync();
        var usual = (await _program.RunAsync([.. s_apply, "--dry-run"])).ShouldExitWith(ExitCode.Done).Duration;
        var killed = 0;
        for (var round = 0; round < 5 && killed < 5; round++)
        {
            await database.ExecuteAsync(
                "UPDATE sales_pipeline p SET next_followup_at = last_contact_at + interval '3 days' FROM timing_moves v WHERE v.id = p.id; DELETE FROM timing_moves");
            killed += await KillHarness.RunAsync(() => _program.Start(s_apply), usual, kills: 5 - killed, seed: round, MovedOnceAsync, HalfDoneNowhereAsync);
        }

        Assert.True(killed >= 3, $"Only {killed} runs were killed.");
    }

    [Fact]
    public async Task Analyze_TwoRunsAtOnce_TakeTurnsAndConcludeTheSame()
    {
        await _rig.HistoryAsync(effect: 0.4, leads: 300);
        await _rig.AnalyzeAsync();
        var before = await database.FingerprintAsync("task_runs");

        await TwoRunners.RunAsync(
            () => _program.Start(s_analyze), async () => Assert.Equal(before, await database.FingerprintAsync("task_runs")));
    }

    private async Task PlanAsync()
    {
        await _rig.LearnedAsync(3, 11);
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, time_zone) SELECT 'd' || i, 'x', 'Europe/Madrid' FROM generate_series(1, @deals) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, first_contact_at, last_contact_at, next_followup_at)
            SELECT 'd' || i, 'x', 'contacted', @t0 - interval '9 days', @t0 - interval '2 days', @t0 + interval '1 day' FROM generate_series(1, @deals) AS i
            """,
            ("deals", Deals), ("t0", TimingRig.T0));
    }

    /// <summary>Every deal that may be moved is, is where it is said to be, and was moved from its plain time.</summary>
    private async Task MovedOnceAsync()
    {
        await HalfDoneNowhereAsync();
        Assert.Equal(
            0,
            await database.ScalarAsync<long>(
                """
                SELECT count(*) FROM sales_pipeline p
                WHERE contact_arm(p.lead_ext_id) = 'treated' AND NOT contact_explores(p.lead_ext_id, '2026-03-16')
                  AND NOT EXISTS (SELECT FROM timing_moves v WHERE v.kind = 'followup' AND v.id = p.id)
                """));
    }

    private async Task HalfDoneNowhereAsync() => Assert.Equal(
        0,
        await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM sales_pipeline p LEFT JOIN timing_moves v ON v.kind = 'followup' AND v.id = p.id
            WHERE p.next_followup_at <> coalesce(v.moved_to, p.last_contact_at + interval '3 days') OR v.plain_at <> p.last_contact_at + interval '3 days'
            """));
}
