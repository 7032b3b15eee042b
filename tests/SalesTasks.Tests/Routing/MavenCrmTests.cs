using System.Globalization;
using SalesTasks.Routing;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>
/// A real-shaped past (8,800 deals, 35 agents) imported as history. The data may not be shipped: these tests skip where they are not there.
/// </summary>
public sealed class MavenCrmTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    /// <summary>The day after the last outcome.</summary>
    private static readonly DateTimeOffset s_end = new(2018, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly RoutingRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.ClearAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task History_Imported_GivesShrunkWinRatesByAgentProductAndRegion()
    {
        await ImportAsync(Folder());
        var history = await database.QueryAsync(
            """
            SELECT p.assigned_to, lower(l.product_interest), lower(l.region), count(*)::int, (count(*) FILTER (WHERE p.stage = 'closed_won'))::int
            FROM sales_pipeline p JOIN leads l ON l.ext_id = p.lead_ext_id
            WHERE p.closed_at IS NOT NULL GROUP BY 1, 2, 3
            """,
            row => new ClosedDeals(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt32(4)));

        var rates = WinRates.Learn(history);

        Assert.Equal((6711, 4238), (history.Sum(h => h.Deals), history.Sum(h => h.Won)));
        Assert.Equal(4238 / 6711.0, rates.Team, 1e-3);
        var agents = history.GroupBy(h => h.Owner).ToDictionary(g => g.Key, g => (Deals: g.Sum(h => h.Deals), Won: g.Sum(h => h.Won)));
        Assert.Equal(30, agents.Count);
        foreach (var (agent, (deals, won)) in agents)
        {
            // Between the team's rate and the agent's own, nearer to the team's the fewer deals there are.
            var (own, shrunk) = (won / (double)deals, WinRates.WithSkill(rates.Team, rates[agent].Overall));
            Assert.InRange(shrunk, Math.Min(own, rates.Team) - 0.01, Math.Max(own, rates.Team) + 0.01);
            Assert.True(Math.Abs(shrunk - rates.Team) < Math.Abs(own - rates.Team) + 0.005, $"{agent}: {own:0.000} {shrunk:0.000}");
            TestContext.Current.TestOutputHelper?.WriteLine($"{agent}: {won}/{deals} = {own:0.000}, shrunk {shrunk:0.000}, products "
                + string.Join(" ", rates[agent].Products.Select(p => $"{p:+0.00;-0.00}")));
        }
    }

    [Fact]
    public async Task OpenDeals_PlannedInsteadOfAsAssigned_GainMoreWithTheSamePlaces()
    {
        await ImportAsync(Folder());
        var assigned = (await database.QueryAsync(
            "SELECT lead_ext_id, assigned_to FROM sales_pipeline WHERE stage < 'closed_won'", row => (row.GetString(0), row.GetString(1)))).ToDictionary();
        // Everybody keeps as many as they have: only who has which may change.
        await database.ExecuteAsync(
            """
            UPDATE sales_reps r SET max_active_leads = (SELECT count(*) FROM sales_pipeline p WHERE p.assigned_to = r.email AND p.stage < 'closed_won');
            UPDATE sales_pipeline SET assigned_to = NULL WHERE stage < 'closed_won'
            """);

        var answer = await _rig.AssignAsync("--as-of", s_end.ToString("O"), "--enable-load-balancing", "false");

        Assert.Equal((2089, 0), (answer["assigned"], answer["left"]));
        await using var connection = await database.OpenConnectionAsync();
        var run = await PastRun.LoadAsync(connection, null, TestContext.Current.CancellationToken);
        var scores = new PairScores(run.Situation, new RoutingSettings());
        var number = run.Situation.Reps.Index().ToDictionary(r => r.Item.Email, r => r.Index);
        double Gain(Func<int, int> rep) => Enumerable.Range(0, run.ExtIds.Count).Sum(lead => scores.Gain(lead, rep(lead)));
        var planned = Gain(lead => run.Chosen[lead]!.Value);
        var asAssigned = Gain(lead => number[assigned[run.ExtIds[lead]]]);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"expected gain of 2,089 open deals: as assigned {asAssigned:N0}, planned {planned:N0} ({(planned / asAssigned) - 1:P2} more), one by one "
            + $"{answer.Json.GetProperty("details").GetProperty("expected_gain_one_by_one").GetDouble():N0}");
        Assert.True(planned > asAssigned);
    }

    private async Task ImportAsync(string folder)
    {
        var teams = Read(folder, "sales_teams.csv");
        var accounts = Read(folder, "accounts.csv").ToDictionary(a => a["account"]);
        var prices = Read(folder, "products.csv").ToDictionary(p => p["product"], p => decimal.Parse(p["sales_price"], CultureInfo.InvariantCulture));
        var deals = Read(folder, "sales_pipeline.csv");
        static string Email(string agent) => agent.ToLowerInvariant().Replace(' ', '.') + "@maven.example";
        static string Product(Dictionary<string, string> deal) => deal["product"] == "GTXPro" ? "GTX Pro" : deal["product"];
        string? Account(Dictionary<string, string> deal, string column) => accounts.GetValueOrDefault(deal["account"])?[column].Replace("technolgy", "technology", StringComparison.Ordinal);
        string?[] Column(Func<Dictionary<string, string>, string?> value) => [.. deals.Select(value)];

        await database.ExecuteAsync(
            "INSERT INTO sales_reps (email, name, max_active_leads, min_active_leads) SELECT e, n, NULL, 0 FROM unnest(@emails, @names) AS r (e, n)",
            ("emails", teams.Select(t => Email(t["sales_agent"])).ToArray()), ("names", teams.Select(t => t["sales_agent"]).ToArray()));
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, product_interest, industry, region)
            SELECT i, 'maven', p, s, r FROM unnest(@ids, @products, @sectors, @regions) AS l (i, p, s, r)
            """,
            ("ids", Column(d => d["opportunity_id"])), ("products", Column(Product)), ("sectors", Column(d => Account(d, "sector"))),
            ("regions", Column(d => Account(d, "office_location"))));
        await database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, stage, qualified_at, closed_at, estimated_value, probability_pct)
            SELECT i, i || '@maven.example', e, s::pipeline_stage, coalesce(nullif(q, ''), nullif(c, ''), '2017-12-31')::timestamptz, nullif(c, '')::timestamptz, v, 63
            FROM unnest(@ids, @reps, @stages, @engaged, @closed, @values) AS d (i, e, s, q, c, v)
            """,
            ("ids", Column(d => d["opportunity_id"])), ("reps", Column(d => Email(d["sales_agent"]))),
            ("stages", Column(d => d["deal_stage"] switch { "Won" => "closed_won", "Lost" => "closed_lost", "Engaging" => "contacted", _ => "qualified" })),
            ("engaged", Column(d => d["engage_date"])), ("closed", Column(d => d["close_date"])), ("values", deals.Select(d => prices[Product(d)]).ToArray()));
    }

    private static List<Dictionary<string, string>> Read(string folder, string file)
    {
        // No field of these files is quoted.
        var lines = File.ReadAllLines(Path.Combine(folder, file));
        var header = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line => header.Zip(line.Split(',')).ToDictionary(f => f.First, f => f.Second))];
    }

    /// <summary>Beside the checkout, beside its parent, or where SALES_DATA_DIR says.</summary>
    private static string Folder()
    {
        var checkout = Leads.Checkout.Folder;
        var folder = new[]
        {
            Environment.GetEnvironmentVariable("SALES_DATA_DIR"), Path.Combine(checkout, "..", "shared", "data"), Path.Combine(checkout, "..", "..", "shared", "data"),
        }
            .Where(f => !string.IsNullOrEmpty(f)).Select(f => Path.Combine(f!, "maven_crm")).FirstOrDefault(f => File.Exists(Path.Combine(f, "sales_pipeline.csv")));
        Assert.SkipWhen(folder is null, "The Maven CRM data are not here; set SALES_DATA_DIR to the folder that holds maven_crm.");
        return folder!;
    }
}
