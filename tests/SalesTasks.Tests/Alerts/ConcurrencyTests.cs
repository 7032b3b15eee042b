using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>Evaluations at once, people beside them, and evaluations killed at any instant: the real program against the real database.</summary>
public sealed class ConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 6_000;

    private static readonly string[] s_evaluate = ["alerts", "evaluate"];

    private readonly ProgramRunner _program = ProgramRunner.For(database).With("SALES_SLACK_CONN_ID", "slack");

    public async ValueTask InitializeAsync()
    {
        await new AlertRig(database).EmptyAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source) SELECT 'd' || i, 'organic' FROM generate_series(1, @deals) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, stage, estimated_value, qualified_at)
            SELECT 'd' || i, 'x@acme.example', 'ana@sales.example', 'contacted', 5000 + i, now() - interval '9 days' FROM generate_series(1, @deals) AS i;
            """,
            ("deals", Deals));
        await database.ExecuteAsync("ANALYZE");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Evaluate_ThreeRunsAtOnce_OpenEachAlertOnce()
    {
        var results = await TwoRunners.RunAsync(() => _program.Start(s_evaluate), EachOnceAsync, runners: 3);

        Assert.Equal(Deals, results.Sum(result => Count(result, "opened")));
        Assert.Equal(1, results.Sum(result => Count(result, "messages")));
    }

    [Fact]
    public async Task Evaluate_WhilePeopleSettleAlerts_KeepsWhatTheyDid()
    {
        (await _program.RunAsync(s_evaluate)).ShouldExitWith(ExitCode.Done);
        var first = await database.ScalarAsync<long>("SELECT min(id) FROM alerts");

        var running = new[] { _program.Start(s_evaluate), _program.Start(s_evaluate) };
        foreach (var (verb, number) in new[] { ("ack", first), ("resolve", first + 1), ("snooze", first + 2) })
        {
            string[] time = verb == "snooze" ? ["--for", "2d"] : [];
            (await _program.RunAsync(["alerts", verb, $"{number}", .. time])).ShouldExitWith(ExitCode.Done);
        }

        foreach (var program in running)
        {
            (await program.Completion).ShouldExitWith(ExitCode.Done);
        }

        await EachOnceAsync();
        Assert.Equal(
            ["acknowledged", "resolved", "snoozed"],
            await database.QueryAsync("SELECT status FROM alerts WHERE id < @end ORDER BY id", row => row.GetString(0), ("end", first + 3)));
    }

    [Fact]
    public async Task Evaluate_KilledAgainAndAgain_OpensAndTellsEachAlertOnce()
    {
        var usual = (await _program.RunAsync([.. s_evaluate, "--dry-run"])).ShouldExitWith(ExitCode.Done).Duration * 1.2;
        var killed = 0;
        for (var round = 0; round < 4 && killed < 5; round++)
        {
            await database.ExecuteAsync("TRUNCATE alerts, outbox_messages CASCADE");
            killed += await KillHarness.RunAsync(() => _program.Start(s_evaluate), usual, kills: 5 - killed, seed: round, EachOnceAsync, WholeAsync);
        }

        Assert.True(killed >= 2, $"Only {killed} runs were killed.");
    }

    private async Task EachOnceAsync()
    {
        await WholeAsync();
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM alerts"));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(DISTINCT (kind, situation_key)) FROM alerts WHERE ended_at IS NULL"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE purpose = 'alert'"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM alerts WHERE to_tell OR times_told <> 1"));
    }

    /// <summary>All of an evaluation or nothing: the alerts and their message.</summary>
    private async Task WholeAsync()
    {
        Assert.Equal(
            await database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM alerts)"),
            await database.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM outbox_messages WHERE purpose = 'alert')"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM alert_situations"));
    }

    private static long Count(ProgramResult result, string name) => result.Result.GetProperty("counts").GetProperty(name).GetInt64();
}
