using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>The summary's numbers against numbers counted another way.</summary>
public sealed class SummarizeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly DateTimeOffset T0 = ScoringRig.T0;

    private readonly ScoringRig _rig = new(database);

    [Fact]
    public async Task Summarize_AfterSeveralRuns_CountsTheLast24HoursAndHowLeadsStand()
    {
        Assert.Equal("0 0 0 0 0 0 0 0 0", await SummaryAsync(T0));

        await Samples.InsertAsync(database, Samples.Leads(300, seed: 3, T0));
        await _rig.ScoreAsync(T0.AddHours(-30));
        await database.ExecuteAsync("UPDATE leads SET demo_requested = NOT demo_requested WHERE lead_id % 3 = 0");
        await _rig.ScoreAsync(T0.AddHours(-20));
        await database.ExecuteAsync("UPDATE leads SET first_name = NULL, last_name = NULL, phone = '600123456' WHERE lead_id % 2 = 0");
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('new', 'paid'), ('newer', 'ad')");
        await _rig.ScoreAsync(T0.AddHours(-1));
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, priority) VALUES ('unscored', 'x', NULL), ('urgent', 'x', 'urgent')");
        // On the edge: exactly 24 hours ago is yesterday's, and what comes later than the instant asked for is not there yet.
        await database.ExecuteAsync(
            "INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) VALUES ('new', 1, @edge), ('newer', 1, @later)",
            ("edge", T0.AddHours(-24)), ("later", T0.AddMicroseconds(1)));

        // By history in order of time, from this side: nothing of the statement is reused.
        var history = (await database.QueryAsync(
            "SELECT lead_ext_id, score, previous_score, calculated_at FROM lead_score_history",
            row => (Lead: row.GetString(0), Score: row.GetInt32(1), Before: row.IsDBNull(2) ? (int?)null : row.GetInt32(2), At: row.GetDateTime(3))))
            .Where(h => h.At > T0.UtcDateTime.AddHours(-24) && h.At <= T0.UtcDateTime).ToList();
        var priorities = await database.QueryAsync("SELECT coalesce(priority::text, 'none') FROM leads", row => row.GetString(0));
        long[] expected =
        [
            history.Count, history.Select(h => h.Lead).Distinct().Count(), history.Count(h => h.Score > h.Before), history.Count(h => h.Score < h.Before),
            history.Count(h => h.Before is null), priorities.Count(p => p is "high" or "urgent"), priorities.Count(p => p == "medium"),
            priorities.Count(p => p == "low"), priorities.Count(p => p == "none"),
        ];
        Assert.All(expected, number => Assert.True(number > 0));
        Assert.Equal(string.Join(' ', expected), await SummaryAsync(T0));
        Assert.Equal("0 0 0 0 0", string.Join(' ', (await SummaryAsync(T0.AddDays(-90))).Split(' ').Take(5)));
    }

    private async Task<string> SummaryAsync(DateTimeOffset asOf)
    {
        var counts = await _rig.JobAsync("scoring summarize", asOf);
        return string.Join(' ', new[] { "changes", "leads_changed", "up", "down", "first_scored", "high", "medium", "low", "none" }.Select(name => counts[name]));
    }
}
