using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>The points of thousands of hostile leads: what is stored, what the function says, what the point table says.</summary>
public sealed class PointsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Leads = 6_000;

    private readonly ScoringRig _rig = new(database);

    /// <summary>Known answers first: the oracle itself is checked by hand.</summary>
    [Fact]
    public void PointTable_KnownLeads_GivesTheSumsDoneByHand()
    {
        var bare = new SampleLead("a", "x", null, null, null, null, null, null, null, null, false, false, false, []);
        Assert.Equal(21, PointTable.Default.Score(bare, ScoringRig.T0, engagement: true, model: null));

        var everything = new SampleLead(
            "b", "Organic", "Ana", null, "ana@mit.edu", "123456", "u", null, ScoringRig.T0.UtcDateTime.AddDays(-7), null, true, true, true,
            [("reply", false), ("reply", true), ("click", false), ("click", false), ("open", false), ("open", false), ("open", false)]);
        // 20 + 5 + 10 + 5 + 5 + 2 + 15 + 12 + 10 + 10 + 5 + 3 + 10 + 5 = 117, cut at 100
        Assert.Equal(100, PointTable.Default.Score(everything, ScoringRig.T0, engagement: true, model: null));
        Assert.Equal(80, PointTable.Default.Score(everything, ScoringRig.T0, engagement: false, model: null));
        Assert.Equal(62, PointTable.Default.Score(everything, ScoringRig.T0, engagement: false, model: 20));
    }

    [Fact]
    public async Task Score_ThousandsOfHostileLeads_IsTheFunctionAndThePointTable()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        var rig = new ScoringRig(own);
        var leads = Samples.Leads(Leads, seed: 4711, ScoringRig.T0);
        await Samples.InsertAsync(own, leads);

        // In three steps, so that most scores come from a second or third look: half of the events, the rest, then bots found out.
        var events = leads.SelectMany(l => l.Events.Select(e => (l.ExtId, e.Type, e.IsBot))).ToList();
        Assert.Equal((Leads, Leads), (await rig.ScoreAsync()).Work);
        await Samples.InsertEventsAsync(own, events.Where((_, i) => i % 2 == 0).Select(e => (e.ExtId, e.Type, false)));
        await rig.ScoreAsync();
        await Samples.InsertEventsAsync(own, events.Where((_, i) => i % 2 == 1));
        var bots = events.Where((e, i) => i % 2 == 0 && e.IsBot).ToList();
        await own.ExecuteAsync(
            """
            UPDATE lead_engagement_events SET is_bot = true
            FROM unnest(@ids, @types, @counts) AS b (lead_ext_id, event_type, bots),
              (SELECT id, row_number() OVER (PARTITION BY lead_ext_id, event_type ORDER BY id) AS n FROM lead_engagement_events WHERE NOT is_bot) AS r
            WHERE lead_engagement_events.id = r.id AND lead_engagement_events.lead_ext_id = b.lead_ext_id
              AND lead_engagement_events.event_type = b.event_type AND r.n <= b.bots
            """,
            ("ids", bots.GroupBy(e => (e.ExtId, e.Type)).Select(g => g.Key.ExtId).ToArray()),
            ("types", bots.GroupBy(e => (e.ExtId, e.Type)).Select(g => g.Key.Type).ToArray()),
            ("counts", bots.GroupBy(e => (e.ExtId, e.Type)).Select(g => g.Count()).ToArray()));
        await rig.ScoreAsync();

        await AssertAgreesAsync(own, PointTable.Default, leads, engagement: true, models: null);
        Assert.Empty(await FunctionDisagreesAsync(own, leads));
        await rig.FactorsAddUpAsync();
        await rig.HistoryIsUnbrokenAsync();
        await rig.AllAreRightAsync(ScoringRig.T0);
        Assert.Empty(await own.QueryAsync(
            """
            SELECT e.ext_id FROM unnest(@ids, @bots) AS e (ext_id, bots) JOIN lead_score_history h ON h.lead_ext_id = e.ext_id
            GROUP BY e.ext_id, e.bots HAVING max((h.scoring_factors ->> 'bot_events_ignored')::int) > e.bots
            """,
            row => row.GetString(0),
            ("ids", leads.Select(l => l.ExtId).ToArray()), ("bots", leads.Select(l => l.Bots).ToArray())));
    }

    [Fact]
    public async Task Score_RulesWithAnyNumbersAndTheModel_FollowThePointTableAndAddUp()
    {
        var leads = Samples.Leads(1_500, seed: 99, ScoringRig.T0);
        await Samples.InsertAsync(database, leads);
        await Samples.InsertEventsAsync(database, leads.SelectMany(l => l.Events.Select(e => (l.ExtId, e.Type, e.IsBot))));
        var random = new Random(7);
        var models = leads.Where((_, i) => i % 3 != 0).ToDictionary(l => l.ExtId, _ => random.Next(101));
        await database.ExecuteAsync(
            "INSERT INTO lead_model_scores (lead_id, model_score, model_version) SELECT lead_id, s, 'm1' FROM unnest(@ids, @scores) AS m (id, s) JOIN leads ON ext_id = id",
            ("ids", models.Keys.ToArray()), ("scores", models.Values.ToArray()));

        for (var version = 2; version <= 9; version++)
        {
            var table = RandomTable(random, extreme: version % 2 == 0);
            await EditAsync(table);
            var model = version % 3 != 0;
            var engagement = version % 4 != 0;
            var counts = await _rig.ScoreAsync($"--enable-ml-scoring={(model ? "true" : "false")}", $"--include-engagement-data={(engagement ? "true" : "false")}");

            Assert.Equal(leads.Count, counts["evaluated"]);
            await AssertAgreesAsync(database, table, leads, engagement, model ? models : null);
            Assert.Equal(
                counts["changed"],
                await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores WHERE rule_version = @version", ("version", version)));
        }

        await _rig.FactorsAddUpAsync();
        await _rig.HistoryIsUnbrokenAsync();
    }

    private static PointTable RandomTable(Random random, bool extreme)
    {
        int Points() => extreme ? random.Next(-100, 101) : random.Next(-15, 31);
        var numbers = PointTable.Default.Numbers.Keys.ToDictionary(name => name, _ => (decimal)Points());
        numbers["fresh_days"] = random.Next(0, 10);
        numbers["recent_days"] = numbers["fresh_days"] + random.Next(0, 40);
        numbers["short_domain_length"] = random.Next(0, 30);
        numbers["cap"] = random.Next(1, 101);
        numbers["medium_priority_score"] = random.Next(0, 50);
        numbers["high_priority_score"] = numbers["medium_priority_score"] + random.Next(1, 50);
        numbers["model_weight"] = random.Next(0, 101) / 100m;
        string[] words = ["ad", "google", "direct", "x", "event", "2ad"];
        return new PointTable(numbers, words.ToDictionary(word => word, _ => Points()));
    }

    private async Task EditAsync(PointTable table)
    {
        var file = Path.GetTempFileName();
        try
        {
            var document = table.Numbers.ToDictionary(n => n.Key, n => (object)n.Value);
            document["sources"] = table.Words;
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(document), TestContext.Current.CancellationToken);
            var answer = await _rig.RunAsync("scoring", "rules", "edit", "--file", file);
            Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task AssertAgreesAsync(
        TestDatabase database, PointTable table, IReadOnlyList<SampleLead> leads, bool engagement, Dictionary<string, int>? models)
    {
        var expected = leads.ToDictionary(
            l => l.ExtId,
            l => table.Score(l, ScoringRig.T0, engagement, models is not null && models.TryGetValue(l.ExtId, out var model) ? model : null));
        var stored = await database.QueryAsync(
            "SELECT ext_id, score, priority::text FROM leads", row => (ExtId: row.GetString(0), Score: row.GetInt32(1), Priority: row.GetString(2)));

        var wrong = stored.Where(s => s.Score != expected[s.ExtId] || s.Priority != table.Priority(s.Score)).ToList();
        Assert.True(
            wrong.Count == 0,
            string.Join('\n', wrong.Take(5).Select(w => $"{w}, expected {expected[w.ExtId]}: {leads.Single(l => l.ExtId == w.ExtId)}")));
        Assert.Equal(leads.Count, stored.Count);
    }

    /// <summary>calculate_lead_score, called with the facts of each lead, against the stored score.</summary>
    private static Task<List<string>> FunctionDisagreesAsync(TestDatabase database, IReadOnlyList<SampleLead> leads) => database.QueryAsync(
        """
        SELECT l.ext_id || ': stored ' || l.score || ', function ' || f.score
        FROM unnest(@ids, @replies, @clicks, @opens, @emails, @phones, @names, @sources, @utms, @days, @domains, @visited, @demo, @pricing)
          AS x (id, replies, clicks, opens, email, phone, name, source, utm, days, domain, visited, demo, pricing)
        JOIN leads l ON l.ext_id = x.id
        CROSS JOIN LATERAL (SELECT calculate_lead_score(
          x.id, x.replies, x.clicks, x.opens, x.email, x.phone, x.name, x.source, x.utm, x.days, x.domain, x.visited, x.demo, x.pricing) AS score) AS f
        WHERE l.score IS DISTINCT FROM f.score
        LIMIT 20
        """,
        row => row.GetString(0),
        ("ids", leads.Select(l => l.ExtId).ToArray()),
        ("replies", leads.Select(l => l.Count("reply")).ToArray()),
        ("clicks", leads.Select(l => l.Count("click")).ToArray()),
        ("opens", leads.Select(l => l.Count("open")).ToArray()),
        ("emails", leads.Select(l => l.HasEmail).ToArray()),
        ("phones", leads.Select(l => l.HasPhone).ToArray()),
        ("names", leads.Select(l => l.HasName).ToArray()),
        ("sources", leads.Select(PointTable.Default.SourcePoints).ToArray()),
        ("utms", leads.Select(l => l.HasUtm ? 2 : 0).ToArray()),
        ("days", leads.Select(l => l.AgeInDays(ScoringRig.T0)).ToArray()),
        ("domains", leads.Select(l => l.Domain).ToArray()),
        ("visited", leads.Select(l => l.WebsiteVisited || l.Count("visit") > 0).ToArray()),
        ("demo", leads.Select(l => l.DemoRequested || l.Count("demo") > 0).ToArray()),
        ("pricing", leads.Select(l => l.PricingPageViewed || l.Count("pricing") > 0).ToArray()));
}
