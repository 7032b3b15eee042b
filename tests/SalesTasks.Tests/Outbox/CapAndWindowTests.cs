using System.Globalization;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>How often and when leads are written to: nothing too much, nothing too early, and nothing is lost.</summary>
public sealed class CapAndWindowTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = OutboxRig.T0;

    private readonly OutboxRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AlwaysOpenAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Caps_FourDispatchersAndFiveCampaigns_Hold()
    {
        const int leads = 40;
        await using var sink = new HttpSink(_ => new SinkAnswer { Delay = TimeSpan.FromMilliseconds(3) });
        await database.ExecuteAsync("UPDATE sending_policy SET max_per_lead_per_day = 1, max_per_lead_per_week = 3");
        await _rig.AddLeadsAsync("l", leads);
        foreach (var (campaign, channel) in (IEnumerable<(string, string)>)[("a", "email"), ("b", "call"), ("c", "email"), ("d", "email"), ("e", "call")])
        {
            await _rig.AddCampaignEmailsAsync("l", campaign, channel);
        }

        // Our own people are not the lead: no cap applies.
        await _rig.AddAsync("t", "task", """{"title": "T"}""", purpose: "campaign", lead: "l1");
        await database.ExecuteAsync("UPDATE outbox_messages SET not_before = @at, created_at = @at WHERE idempotency_key = 't'", ("at", T0));
        var rig = _rig.With("EMAIL", sink.Connection()).With("CALLS", sink.Connection()).With("TASKS", sink.Connection());
        var expected = 1L;
        foreach (var (hours, most) in (IEnumerable<(int, int)>)[(0, 1), (23, 1), (24, 2), (47, 2), (48, 3), (72, 3), (167, 3), (168, 4), (192, 5)])
        {
            await TwoRunners.RunAsync(() => rig.Start("--as-of", $"{T0.AddHours(hours):O}", "--max-wait-seconds", "10"), () => Task.CompletedTask, hours is 0 or 24 or 168 ? 4 : 1);

            expected = (most * leads) + 1;
            Assert.Equal((hours, expected), (hours, sink.Count));
            Assert.Equal(most, await database.ScalarAsync<long>(
                "SELECT max(n) FROM (SELECT count(*) AS n FROM outbox_messages WHERE status = 'sent' AND reaches_lead GROUP BY lead_ext_id) AS s"));
        }

        Assert.Equal($"sent {(5 * leads) + 1}", await _rig.StatesAsync());
        Assert.Equal(sink.Count, sink.Requests.Select(r => r.Key).Distinct().Count());
    }

    [Fact]
    public async Task Cap_Reached_SaysUntilWhen()
    {
        await using var sink = new HttpSink();
        await database.ExecuteAsync("UPDATE sending_policy SET max_per_lead_per_day = 1");
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "a");
        await _rig.AddCampaignEmailsAsync("l", "b");
        // Perhaps it arrived: it counts.
        await database.ExecuteAsync(
            "UPDATE outbox_messages SET status = 'in_doubt', finished_at = @at WHERE id = (SELECT min(id) FROM outbox_messages)", ("at", T0.AddHours(-1)));

        var result = await _rig.InProcess().With("EMAIL", sink.Connection()).DispatchAsync("--as-of", $"{T0:O}");

        Assert.Equal("put_off 1", result.ShouldExitWith(ExitCode.Done).Counts());
        var row = Assert.Single(await database.RowsAsync("SELECT status, reason, not_before FROM outbox_messages WHERE status = 'pending'"));
        Assert.Equal(("frequency_cap", T0.AddHours(23).UtcDateTime), (row["reason"], row["not_before"]));
    }

    [Fact]
    public async Task Windows_OnDaysOfClockChanges_OpenAtNineOnTheLeadsClock()
    {
        await using var sink = new HttpSink();
        var rig = _rig.InProcess().With("EMAIL", sink.Connection());
        (string Zone, DateTimeOffset Night)[] cases =
        [
            ("Europe/Madrid", Instant("2026-03-28T22:00Z")), ("Europe/Madrid", Instant("2026-10-24T22:00Z")),
            ("America/New_York", Instant("2026-03-08T02:00Z")), ("America/New_York", Instant("2026-11-01T02:00Z")),
            ("Australia/Sydney", Instant("2026-04-04T10:00Z")), ("Australia/Sydney", Instant("2026-10-03T10:00Z")),
            ("America/Santiago", Instant("2026-04-05T01:00Z")), ("America/Santiago", Instant("2026-09-06T01:00Z")),
        ];
        await database.ExecuteAsync("UPDATE sending_policy SET window_start = '09:00', window_end = '18:00'");
        foreach (var (zone, night) in cases)
        {
            await database.ExecuteAsync("TRUNCATE leads CASCADE");
            await _rig.AddLeadsAsync("l", 2);
            await database.ExecuteAsync("UPDATE leads SET time_zone = CASE WHEN ext_id = 'l1' THEN @zone ELSE 'Nowhere/Atlantis' END", ("zone", zone));
            await database.ExecuteAsync("UPDATE sending_policy SET default_time_zone = @zone", ("zone", zone));
            await _rig.AddCampaignEmailsAsync("l", "night", at: night);
            var opens = NineOClock(zone, night);

            Assert.Equal("put_off 2", (await rig.DispatchAsync("--as-of", $"{night:O}")).ShouldExitWith(ExitCode.Done).Counts());
            Assert.Equal(
                [(opens, "send_window"), (opens, "send_window")],
                await database.QueryAsync("SELECT not_before, reason FROM outbox_messages", row => (row.GetFieldValue<DateTimeOffset>(0), row.GetString(1))));
            Assert.Equal("", (await rig.DispatchAsync("--as-of", $"{opens.AddSeconds(-1):O}")).ShouldExitWith(ExitCode.Done).Counts());
            Assert.Equal("sent 2", (await rig.DispatchAsync("--as-of", $"{opens:O}")).ShouldExitWith(ExitCode.Done).Counts());
        }
    }

    [Fact]
    public async Task Window_OfTheMessage_NarrowsThatOfTheHouse()
    {
        await using var sink = new HttpSink();
        await database.ExecuteAsync("UPDATE sending_policy SET window_days = '{1,2,3,4,5}', window_start = '09:00', window_end = '18:00'");
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "fridays", at: T0);
        await database.ExecuteAsync("UPDATE outbox_messages SET time_zone = 'America/New_York', window_days = '{5}', window_start = '08:00', window_end = '10:00'");
        var rig = _rig.InProcess().With("EMAIL", sink.Connection());

        Assert.Equal("put_off 1", (await rig.DispatchAsync("--as-of", $"{T0:O}")).Counts());
        // Friday at eight in New York, when the house has been open for three hours.
        Assert.Equal(Instant("2026-03-20T12:00Z"), await database.ScalarAsync<DateTimeOffset>("SELECT not_before FROM outbox_messages"));
        Assert.Equal("sent 1", (await rig.DispatchAsync("--as-of", "2026-03-20T13:59:00Z")).Counts());
    }

    [Fact]
    public async Task Execution_ThatRests_KeepsItsMessageWaiting()
    {
        await using var sink = new HttpSink();
        await _rig.AddLeadsAsync("l", 1);
        await _rig.AddCampaignEmailsAsync("l", "a");
        await database.ExecuteAsync("UPDATE sales_campaign_executions SET status = 'paused'");
        var rig = _rig.InProcess().With("EMAIL", sink.Connection());

        Assert.Equal("put_off 1", (await rig.DispatchAsync("--as-of", $"{T0:O}")).Counts());
        Assert.Equal("execution_paused", await database.ScalarAsync<string>("SELECT reason FROM outbox_messages"));
        await database.ExecuteAsync("UPDATE sales_campaign_executions SET status = 'active'");

        Assert.Equal("sent 1", (await rig.DispatchAsync("--as-of", $"{T0.AddHours(1):O}")).Counts());
    }

    /// <summary>The database's answer against a search minute by minute with .NET's own zone data.</summary>
    [Theory]
    [InlineData("Europe/Madrid", "2026-03-28T00:00Z")]
    [InlineData("Europe/Madrid", "2026-10-24T00:00Z")]
    [InlineData("America/New_York", "2026-03-07T00:00Z")]
    [InlineData("America/New_York", "2026-10-31T00:00Z")]
    [InlineData("Australia/Lord_Howe", "2026-04-03T00:00Z")]
    [InlineData("America/Santiago", "2026-09-05T00:00Z")]
    public async Task NextSendTime_AroundAClockChange_IsTheFirstOpenMinute(string zone, string from)
    {
        var random = new Random(zone.Length);
        var local = TimeZoneInfo.FindSystemTimeZoneById(zone);
        for (var i = 0; i < 60; i++)
        {
            var at = Instant(from).AddMinutes(random.Next(0, 3 * 24 * 60));
            // Not within the hours that a change skips or repeats: what they mean is said at the function.
            var start = TimeSpan.FromMinutes(random.Next(4 * 60, 22 * 60));
            var end = start + TimeSpan.FromMinutes(random.Next(1, 90));
            int[] days = [.. Enumerable.Range(1, 7).Where(_ => random.Next(3) > 0)];
            if (days.Length == 0)
            {
                days = [random.Next(1, 8)];
            }

            var expected = at;
            while (!IsOpen(TimeZoneInfo.ConvertTime(expected, local), start, end, days))
            {
                expected = expected.AddMinutes(1);
            }

            var actual = await database.ScalarAsync<DateTimeOffset>(
                "SELECT next_send_time(@at, @zone, @days, @start::time, @end::time)",
                ("at", at), ("zone", zone), ("days", days), ("start", start), ("end", end));

            Assert.Equal((i, expected), (i, actual));
        }
    }

    private static bool IsOpen(DateTimeOffset local, TimeSpan start, TimeSpan end, int[] days) =>
        local.TimeOfDay >= start && local.TimeOfDay < end && days.Contains(local.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)local.DayOfWeek);

    private static DateTimeOffset NineOClock(string zone, DateTimeOffset night)
    {
        var local = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var at = night;
        while (TimeZoneInfo.ConvertTime(at, local).TimeOfDay != TimeSpan.FromHours(9))
        {
            at = at.AddMinutes(1);
        }

        return at;
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
