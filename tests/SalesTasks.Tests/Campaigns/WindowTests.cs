using CsCheck;
using SalesTasks.Campaigns;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Messages wait for the window on the lead's clock, also on the days on which clocks change; none is dropped.</summary>
public sealed class WindowTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CampaignRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Zone and a day on which its clock changes; the last has none, and half an hour of offset.</summary>
    [Theory]
    [InlineData("Europe/Madrid", "2026-03-29")]
    [InlineData("Europe/Madrid", "2026-10-25")]
    [InlineData("America/New_York", "2026-03-08")]
    [InlineData("America/New_York", "2026-11-01")]
    [InlineData("Australia/Lord_Howe", "2026-04-05")]
    [InlineData("Australia/Lord_Howe", "2026-10-04")]
    [InlineData("Asia/Kolkata", "2026-06-15")]
    public async Task Advance_AroundAClockChange_WritesEveryMessageIntoTheNextOpenWindow(string zone, string day)
    {
        var from = DateTimeOffset.Parse(day + "T00:00:00Z", null).AddDays(-2);
        await database.ExecuteAsync("UPDATE sending_policy SET window_days = '{1,2,3,4,5,6,7}', window_start = '01:30', window_end = '23:00'");
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "body": "b", "window": {"start": "02:15", "end": "04:00"}}]""", name: "Night");
        await _rig.CampaignAsync("""[{"type": "email", "subject": "s", "body": "b", "window": {"days": [1, 7], "start": "09:00", "end": "11:00"}}]""", name: "Day");
        const int leads = 16;
        await _rig.LeadsAsync("lead", leads);
        await database.ExecuteAsync("UPDATE leads SET time_zone = @zone", ("zone", zone));
        for (var hour = 0; hour < 96; hour += 6)
        {
            // One lead is due at each of these instants.
            await database.ExecuteAsync(
                """
                INSERT INTO sales_campaign_executions (campaign_id, lead_ext_id, total_steps, started_at, next_action_at)
                SELECT id, 'lead' || @lead, 1, @at, @at FROM sales_campaigns
                """,
                ("lead", (hour / 6) + 1), ("at", from.AddHours(hour)));
            await _rig.AdvanceAsync(from.AddHours(hour));
        }

        Assert.Equal(2 * leads, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages"));
        // In the window, on one of its days, not before its time; and no instant before is open as well.
        Assert.Empty(await database.QueryAsync(
            """
            SELECT m.id || ': ' || m.not_before || ' is ' || l.at || ' there'
            FROM outbox_messages m
            CROSS JOIN LATERAL (SELECT m.not_before AT TIME ZONE m.time_zone AS at) AS l
            WHERE l.at::time >= m.window_end OR NOT extract(isodow FROM l.at)::int = ANY (m.window_days) OR m.not_before < m.created_at
              OR (l.at::time < m.window_start AND m.not_before <> (l.at::date + m.window_start) AT TIME ZONE m.time_zone)
              OR EXISTS (
                SELECT FROM generate_series(m.created_at, m.not_before - interval '15 minutes', interval '15 minutes') AS t (earlier)
                CROSS JOIN LATERAL (SELECT t.earlier AT TIME ZONE m.time_zone AS at) AS e
                WHERE e.at::time >= m.window_start AND e.at::time < m.window_end AND extract(isodow FROM e.at)::int = ANY (m.window_days)
                  AND t.earlier >= (e.at::date + m.window_start) AT TIME ZONE m.time_zone
                  AND t.earlier < (e.at::date + m.window_end) AT TIME ZONE m.time_zone)
            """,
            row => row.GetString(0)));
    }

    [Fact]
    public void Within_AnyTwoWindows_IsTheHoursInBoth()
    {
        var time = Gen.Int[0, 23].Select(hour => new TimeOnly(hour, 0));
        var window = Gen.Select(Gen.Int[1, 7].Array[1, 7], time, time).Where((_, a, b) => a < b).Select((days, start, end) => new SendWindow([.. days.Distinct().Order()], start, end));
        Gen.Select(window, window).Sample((a, b) =>
        {
            var both = a.Within(b);
            for (var day = 1; day <= 7; day++)
            {
                for (var hour = 0; hour < 24; hour++)
                {
                    Assert.Equal(Open(a, day, hour) && Open(b, day, hour), both is not null && Open(both, day, hour));
                }
            }
        });

        static bool Open(SendWindow window, int day, int hour) =>
            window.Days.Contains(day) && new TimeOnly(hour, 0) >= window.Start && new TimeOnly(hour, 0) < window.End;
    }
}
