using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>explain: every point with its fact, for people and for programs.</summary>
public sealed class ExplainTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly string[] s_factors =
    [
        "base", "email", "phone", "name", "replies", "clicks", "opens", "source", "utm", "age", "company_domain", "website_visited", "demo_requested",
        "pricing_page_viewed", "cap", "model",
    ];

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
    public async Task Explain_ManyLeads_AddUpAndAgreeWithWhatIsStored()
    {
        await Samples.InsertAsync(database, Samples.Leads(40, seed: 11, TimeProvider.System.GetUtcNow()));
        await database.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type, is_bot) SELECT ext_id, 'open', i > 3 FROM leads, generate_series(1, 5) AS i");
        await _rig.ScoreAsync(TimeProvider.System.GetUtcNow());

        foreach (var lead in await database.QueryAsync("SELECT ext_id FROM leads ORDER BY lead_id", row => row.GetString(0)))
        {
            var explained = await ExplainAsync(lead);

            var factors = explained.GetProperty("factors").EnumerateArray().ToList();
            Assert.Equal(s_factors, factors.Select(f => f[0].GetString()));
            Assert.Equal(explained.GetProperty("score").GetInt32(), factors.Sum(f => f[1].GetInt32()));
            Assert.Equal(await _rig.ScoreOfAsync(lead), explained.GetProperty("score").GetInt32());
            Assert.Equal(await _rig.ScoreOfAsync(lead), explained.GetProperty("stored_score").GetInt32());
            Assert.False(explained.GetProperty("waiting_to_be_scored").GetBoolean());
            Assert.Equal(2, explained.GetProperty("bot_events_ignored").GetInt32());
            Assert.Equal(1, Assert.Single(explained.GetProperty("history").EnumerateArray()).GetProperty("rule_version").GetInt32());
        }
    }

    [Fact]
    public async Task Explain_AsJson_HasFactsAndTheNextBoundary()
    {
        var now = TimeProvider.System.GetUtcNow();
        var created = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerSecond), TimeSpan.Zero).AddDays(-10);
        await _rig.AddLeadAsync(
            "a'b", "created_at, last_name, email, phone, utm_source, utm_campaign, pricing_page_viewed",
            $"'{created:O}', 'Paz', 'ana@GMAIL.com', '12345', 'news', 'spring', true");
        await database.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) SELECT 'a''b', t FROM unnest(ARRAY['reply', 'visit', 'click', 'click']) AS t");

        var explained = await ExplainAsync("a'b");

        Assert.Equal(("a'b", JsonValueKind.Null, true), (
            explained.GetProperty("lead_ext_id").GetString(), explained.GetProperty("stored_score").ValueKind, explained.GetProperty("waiting_to_be_scored").GetBoolean()));
        Assert.Equal(
            """
            base 20 | email 10 valid | phone 0 too short | name 5 known | replies 15 1 | clicks 12 2 | opens 0 0 | source 1 event | utm 2 news / spring | age 5 10 d
             | company_domain 0 gmail.com (free mail) | website_visited 3 true | demo_requested 0 false | pricing_page_viewed 5 true | cap 0 100 | model 0
            """.ReplaceLineEndings(""),
            string.Join(" | ", explained.GetProperty("factors").EnumerateArray().Select(f => $"{f[0]} {f[1]} {f[2]}".TrimEnd())));
        Assert.Equal(created.AddDays(31), explained.GetProperty("next_age_boundary").GetDateTimeOffset());
    }

    [Fact]
    public async Task Explain_OddDates_IsAnAnswerToo()
    {
        await _rig.AddLeadAsync("never", "created_at", "'infinity'");
        await _rig.AddLeadAsync("ever", "created_at", "'-infinity'");
        await _rig.AddLeadAsync("unknown", "created_at", "NULL");

        Assert.Equal(36, (await ExplainAsync("never")).GetProperty("score").GetInt32());
        Assert.Equal(26, (await ExplainAsync("ever")).GetProperty("score").GetInt32());
        Assert.Equal(26, (await ExplainAsync("unknown")).GetProperty("score").GetInt32());
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("explain", "never")).ExitCode);
    }

    [Fact]
    public async Task Explain_InTheScoringsOwnSettings_AgreesWithTheStoredScore()
    {
        await _rig.AddLeadAsync("a");
        await database.ExecuteAsync("INSERT INTO lead_engagement_events (lead_ext_id, event_type) VALUES ('a', 'reply')");
        await database.ExecuteAsync("INSERT INTO lead_model_scores SELECT lead_id, 100, 'm7' FROM leads");
        await _rig.ScoreAsync("--include-engagement-data=false", "--enable-ml-scoring");

        var explained = await ExplainAsync("a");

        // 26 without the reply; 0.7 * 26 + 0.3 * 100.
        Assert.Equal((48, 48), (explained.GetProperty("stored_score").GetInt32(), explained.GetProperty("score").GetInt32()));
        Assert.False(explained.GetProperty("waiting_to_be_scored").GetBoolean());
        Assert.Equal("1 (not counted)", Fact(explained, "replies"));
        Assert.Equal("100 m7", Fact(explained, "model"));
        Assert.Contains("1 (no cuenta)", (await _rig.RunAsync("explain", "a", "--lang", "es")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_AfterAChange_TellsWhatTheNextRunStores()
    {
        await _rig.AddLeadAsync("a");
        await _rig.ScoreAsync();
        await database.ExecuteAsync("UPDATE leads SET demo_requested = true");

        var english = await _rig.RunAsync("explain", "a");
        Assert.Contains("Stored score: 26; something changed since, the next scoring score stores 36.", english.Output, StringComparison.Ordinal);
        var spanish = await _rig.RunAsync("explain", "a", "--lang", "es");
        Assert.Contains("Puntuación guardada: 26; algo cambió desde entonces, el próximo scoring score guarda 36.", spanish.Output, StringComparison.Ordinal);
        Assert.Contains("pidió una demo", spanish.Output, StringComparison.Ordinal);
        Assert.Contains("Últimos cambios", spanish.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("demo requested", spanish.Output, StringComparison.Ordinal);
        Assert.Contains("demo requested", english.Output, StringComparison.Ordinal);
        Assert.Equal(
            english.Output.Count(c => c == '\n'), spanish.Output.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Explain_NewRules_ShowsThatTheLeadWaits()
    {
        await _rig.AddLeadAsync("a");
        await _rig.ScoreAsync();
        await _rig.RunAsync("scoring", "rules", "edit", "--set", "base_points=21");

        var explained = await ExplainAsync("a");

        Assert.Equal((26, 27, true), (
            explained.GetProperty("stored_score").GetInt32(), explained.GetProperty("score").GetInt32(), explained.GetProperty("waiting_to_be_scored").GetBoolean()));
        await _rig.RunAsync("scoring", "rules", "edit", "--activate", "1");
    }

    [Fact]
    public async Task Explain_UnknownLead_IsRefusedByName()
    {
        var answer = await _rig.RunAsync("explain", "nobody-here");

        Assert.Equal((ExitCode.Usage, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("'nobody-here'", answer.Errors, StringComparison.Ordinal);
    }

    private static string? Fact(JsonElement explained, string factor) =>
        explained.GetProperty("factors").EnumerateArray().Single(f => f[0].GetString() == factor)[2].GetString();

    private async Task<JsonElement> ExplainAsync(string lead)
    {
        var answer = await _rig.RunAsync("explain", lead, "--json");
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer.Json;
    }
}
