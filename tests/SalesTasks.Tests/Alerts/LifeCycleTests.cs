using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Alerts;

/// <summary>How an alert opens, goes on, grows, ends and comes back, and what people make of it.</summary>
public sealed class LifeCycleTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = AlertRig.T0;

    private readonly AlertRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Situation_ThatLasts_IsToldOnceAndEndsByItself()
    {
        await _rig.AddQuietAsync("a", 8);

        var first = await _rig.EvaluateAsync(T0);
        Assert.Equal((1, 0, 1, 1), (first["opened"], first["critical"], first["current"], first["messages"]));
        for (var run = 1; run <= 3; run++)
        {
            var again = await _rig.EvaluateAsync(T0.AddHours(2 * run));
            Assert.Equal((0, 0, 1, 0), (again["opened"], again["escalated"], again["current"], again["messages"]));
        }

        Assert.Equal(4, await database.ScalarAsync<int>("SELECT seen_count FROM alerts"));
        Assert.Equal(T0.AddHours(6).UtcDateTime, await database.ScalarAsync<DateTime>("SELECT last_seen_at FROM alerts"));
        await ContactAsync("a", T0.AddHours(7));

        var last = await _rig.EvaluateAsync(T0.AddHours(8));
        Assert.Equal((1, 0, 0), (last["resolved"], last["current"], last["messages"]));
        Assert.Equal(["high_value_lead a warning resolved ana@sales.example"], await _rig.AlertsAsync());
        Assert.True(await database.ScalarAsync<bool>("SELECT resolved_by IS NULL AND ended_at = resolved_at FROM alerts"));
        Assert.Single(await _rig.MessagesAsync());
    }

    [Fact]
    public async Task Situation_ThatGrows_IsToldOnceMoreAndNeverForGoingDown()
    {
        var deal = await _rig.AddQuietAsync("a", 8);
        Assert.Equal(1, (await _rig.EvaluateAsync(T0))["messages"]);
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("alerts", "ack", "1")).ExitCode);

        // Fourteen days without contact are critical, ten are not, fourteen again are nothing new.
        await SilentSinceAsync(deal, T0.AddDays(-15));
        var worse = await _rig.EvaluateAsync(T0.AddHours(2));
        await SilentSinceAsync(deal, T0.AddDays(-10));
        var better = await _rig.EvaluateAsync(T0.AddHours(4));
        await SilentSinceAsync(deal, T0.AddDays(-15));
        var again = await _rig.EvaluateAsync(T0.AddHours(6));

        Assert.Equal((1, 1), (worse["escalated"], worse["messages"]));
        Assert.Equal((0, 0, 0, 0), (better["escalated"], better["messages"], again["escalated"], again["messages"]));
        Assert.Equal(["high_value_lead a critical open ana@sales.example"], await _rig.AlertsAsync());
        Assert.Equal(2, await database.ScalarAsync<int>("SELECT times_told FROM alerts"));
    }

    [Theory]
    [InlineData(9_900, 2)]
    [InlineData(8_000, 2)]
    [InlineData(8_000, 8)]
    public async Task Situation_ThatFlickersTwentyTimes_OpensOnceAndIsToldOnce(int below, int hours)
    {
        // Below the threshold it stays open down to 9,000; below that it ends and comes back, which within a day is the same alert.
        var deal = await _rig.AddQuietAsync("a", 8);
        var at = T0;
        var (opened, told, ended) = (0L, 0L, 0L);
        for (var flicker = 0; flicker < 20; flicker++)
        {
            foreach (var value in new[] { 10_100, below })
            {
                await database.ExecuteAsync("UPDATE sales_pipeline SET estimated_value = @value WHERE id = @id", ("value", value), ("id", deal));
                var counts = await _rig.EvaluateAsync(at, "--stale-lead-days", "5", "--max-leads-per-run", "0");
                opened += await database.ScalarAsync<long>("SELECT count(*) FROM alerts WHERE kind = 'high_value_lead' AND opened_at = @at", ("at", at));
                told += await database.ScalarAsync<long>("SELECT count(*) FROM alerts WHERE kind = 'high_value_lead' AND told_at = @at", ("at", at));
                ended += counts["resolved"];
                at = at.AddHours(hours);
            }
        }

        Assert.Equal(1, opened);
        // Once as a warning, once as critical: fourteen days pass meanwhile where the runs are far apart.
        Assert.InRange(told, 1, 2);
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM alerts WHERE kind = 'high_value_lead'"));
        Assert.Equal(below > 9_000, ended == 0);
    }

    [Fact]
    public async Task Situation_ThatComesBackAfterTheQuietHours_OpensAnew()
    {
        var deal = await _rig.AddQuietAsync("a", 8);
        await _rig.EvaluateAsync(T0);
        await ContactAsync("a", T0.AddHours(1));
        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddHours(2)))["resolved"]);
        await SilentSinceAsync(deal, T0.AddDays(-8));

        Assert.Equal(1, (await _rig.EvaluateAsync(T0.AddHours(26), "--dry-run"))["opened"]);
        var within = await _rig.EvaluateAsync(T0.AddHours(25));
        Assert.Equal((0, 1, 0), (within["opened"], within["returned"], within["messages"]));
        Assert.Equal(1, await database.ScalarAsync<int>("SELECT returns FROM alerts"));
    }

    [Fact]
    public async Task Snooze_UntilItIsOver_IsSilentAndThenToldAgain()
    {
        await _rig.AddQuietAsync("a", 8);
        await _rig.EvaluateAsync(T0);
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("alerts", "snooze", "1", "--for", "4h", "--by", "luis")).ExitCode);

        Assert.Equal(0, (await _rig.EvaluateAsync(T0.AddHours(2)))["messages"]);
        Assert.Equal(["high_value_lead a warning snoozed ana@sales.example"], await _rig.AlertsAsync());
        var over = await _rig.EvaluateAsync(T0.AddHours(4));
        Assert.Equal((1, 1), (over["woken"], over["messages"]));
        Assert.Equal(["high_value_lead a warning open ana@sales.example"], await _rig.AlertsAsync());

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("alerts", "snooze", "1", "--until", T0.AddDays(1).ToString("O"))).ExitCode);
        await ContactAsync("a", T0.AddHours(5));
        var ended = await _rig.EvaluateAsync(T0.AddHours(6));
        Assert.Equal((1, 0), (ended["resolved"], ended["messages"]));
    }

    [Fact]
    public async Task Resolve_ByAPerson_HoldsWhileTheSituationLastsAndForAWeek()
    {
        var deal = await _rig.AddQuietAsync("a", 8);
        await _rig.EvaluateAsync(T0);
        await database.ExecuteAsync("UPDATE sales_pipeline SET last_contact_at = @at, next_followup_at = NULL", ("at", T0.AddDays(-8)));
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("alerts", "resolve", "1", "--by", "luis")).ExitCode);
        await database.ExecuteAsync("UPDATE alerts SET resolved_at = @at", ("at", T0));

        foreach (var hours in new[] { 2, 48, 120 })
        {
            var quiet = await _rig.EvaluateAsync(T0.AddHours(hours));
            Assert.Equal((0, 0, 0, 0), (quiet["opened"], quiet["reopened"], quiet["messages"], quiet["current"]));
        }

        // A week later nothing has changed: it is told again. A severity it never had would have been told before.
        await SilentSinceAsync(deal, T0);
        var rested = await _rig.EvaluateAsync(T0.AddDays(7));
        Assert.Equal((1, 1), (rested["reopened"], rested["messages"]));
        Assert.Equal(["high_value_lead a warning open ana@sales.example"], await _rig.AlertsAsync());

        // Resolved again, over, and back at once: that is another alert.
        await _rig.RunAsync("alerts", "resolve", "1");
        await SilentSinceAsync(deal, T0.AddDays(7));
        await _rig.EvaluateAsync(T0.AddDays(7).AddHours(2));
        await SilentSinceAsync(deal, T0.AddDays(-1));
        var back = await _rig.EvaluateAsync(T0.AddDays(7).AddHours(4));
        Assert.Equal((1, 1), (back["opened"], back["messages"]));
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM alerts"));
    }

    [Fact]
    public async Task Evaluate_Twice_ChangesNothing()
    {
        await SituationsAsync();
        await _rig.EvaluateAsync(T0);
        var before = await database.FingerprintAsync("task_runs");

        var second = await _rig.EvaluateAsync(T0);

        Assert.Equal((0, 0, 0), (second["opened"], second["resolved"], second["messages"]));
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
        Assert.Equal(ExitCode.NothingToDo, (await _rig.RunAsync("alerts", "evaluate", "--as-of", T0.ToString("O"), "--skip-when-idle")).ExitCode);
    }

    [Fact]
    public async Task Evaluate_DryRun_TellsWhatARunDoesAndWritesNothing()
    {
        await SituationsAsync();
        await _rig.EvaluateAsync(T0.AddHours(-2));
        await ContactAsync("q1", T0.AddHours(-1));
        await _rig.AddQuietAsync("late", 9);
        var before = await database.FingerprintAsync();

        var dry = await _rig.EvaluateAsync(T0, "--dry-run");

        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Equal((1, 1, 1), (dry["opened"], dry["resolved"], dry["messages"]));
        Assert.Equal(dry.ToString(), (await _rig.EvaluateAsync(T0)).ToString());
    }

    [Fact]
    public async Task Evaluate_WithALimit_OpensTheMostSevereAndTheOthersNextTime()
    {
        await SituationsAsync();

        var first = await _rig.EvaluateAsync(T0, "--max-leads-per-run", "2");
        var second = await _rig.EvaluateAsync(T0.AddHours(2), "--max-leads-per-run", "2");
        var third = await _rig.EvaluateAsync(T0.AddHours(4), "--max-leads-per-run", "2");

        Assert.Equal((2, 2, 3), (first["opened"], first["critical"], first["left_for_next_run"]));
        Assert.Equal((2, 1, 0), (second["opened"], second["left_for_next_run"], second["resolved"]));
        Assert.Equal((1, 0), (third["opened"], third["left_for_next_run"]));
    }

    [Fact]
    public async Task Evaluate_OfALeadDeletedWithItsAlert_GoesOn()
    {
        await SituationsAsync();
        await _rig.EvaluateAsync(T0);
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'q1'");

        var counts = await _rig.EvaluateAsync(T0.AddHours(2));

        Assert.Equal((0, 4), (counts["resolved"], counts["current"]));
    }

    /// <summary>Five quiet deals; the first two are critical.</summary>
    private async Task SituationsAsync()
    {
        for (var i = 1; i <= 5; i++)
        {
            await _rig.AddQuietAsync($"q{i}", i <= 2 ? 15 : 8);
        }
    }

    private Task<int> ContactAsync(string lead, DateTimeOffset at) =>
        database.ExecuteAsync("UPDATE sales_pipeline SET last_contact_at = @at WHERE lead_ext_id = @lead", ("at", at), ("lead", lead));

    private Task<int> SilentSinceAsync(long deal, DateTimeOffset at) =>
        database.ExecuteAsync("UPDATE sales_pipeline SET last_contact_at = @at WHERE id = @id", ("at", at), ("id", deal));
}
