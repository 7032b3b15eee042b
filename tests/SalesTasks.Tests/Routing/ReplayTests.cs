using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>routing replay and the routing section of explain: what a run noted is enough to explain it and to plan it again.</summary>
public sealed class ReplayTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly RoutingRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.ClearAsync();
        await _rig.AddRepAsync("ana", "max_active_leads, specialisations", "NULL, '{Gold}'");
        await _rig.AddRepAsync("eva", "max_active_leads, languages", "NULL, '{es}'");
        await _rig.AddRepAsync("luis", "max_active_leads, regions, weight", "NULL, '{north}', 2");
        await _rig.AddRepAsync("gone", "active", "false");
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, language, region, product_interest)
            SELECT 'l' || i, 'x', (ARRAY['en', 'es', NULL])[1 + i % 3], (ARRAY['north', 'south', NULL])[1 + i % 4 % 3], (ARRAY['gold', 'silver'])[1 + i % 2]
            FROM generate_series(1, 60) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, assigned_to, qualified_at, estimated_value, stage, closed_at)
            SELECT ext_id, 'a@lead.example', CASE WHEN n % 5 = 0 THEN 'ana@sales.example' WHEN n % 7 = 0 THEN 'gone@sales.example' WHEN n % 11 = 0 THEN 'Maria' END,
              sales_now() - n * interval '1 day', n * 100, (CASE WHEN n % 10 = 0 THEN 'closed_won' WHEN n % 10 = 5 AND n > 30 THEN 'closed_lost' ELSE 'contacted' END)::pipeline_stage,
              CASE WHEN n % 10 = 0 OR n % 10 = 5 AND n > 30 THEN sales_now() - interval '1 day' END
            FROM (SELECT ext_id, substr(ext_id, 2)::int AS n FROM leads) AS l
            """);
        await _rig.AssignAsync("--max-active-leads-per-rep", "10", "--max-reassignments-per-run", "4");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Replay_WithTheSameSettings_IsTheSamePlanWhateverHappenedSince()
    {
        await database.ExecuteAsync(
            """
            UPDATE sales_reps SET max_active_leads = 1, active = false, languages = '{fr}';
            UPDATE sales_pipeline SET estimated_value = 1, stage = 'closed_won';
            UPDATE leads SET language = 'pt', product_interest = NULL
            """);
        var before = await database.FingerprintAsync();

        var replay = await ReplayAsync("1");

        Assert.Equal(0, replay.GetProperty("differences").GetArrayLength());
        Assert.Equal(replay.GetProperty("run_plan").GetProperty("expected_gain").GetDouble(), replay.GetProperty("replay").GetProperty("expected_gain").GetDouble());
        Assert.True(replay.GetProperty("replay").GetProperty("given").GetInt64() > 10, replay.ToString());
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Replay_WithOtherSettings_ShowsWhatWouldHaveBeenDifferent()
    {
        var replay = await ReplayAsync("last", "--set", "max_active_leads_per_rep=3", "--set", "max_reassignments_per_run=0");

        Assert.True(replay.GetProperty("differences").GetArrayLength() > 0);
        Assert.True(replay.GetProperty("replay").GetProperty("given").GetInt64() < replay.GetProperty("run_plan").GetProperty("given").GetInt64());
        Assert.True(replay.GetProperty("replay").GetProperty("reasons").GetProperty("left_outbid").GetInt64() > 0);
        var table = await _rig.RunAsync("routing", "replay", "1", "--set", "max_active_leads_per_rep=3", "--lang", "es");
        Assert.Contains("las plazas libres fueron para leads con más ganancia", table.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, table.ExitCode);
    }

    [Theory]
    [InlineData("7", "no run 7")]
    [InlineData("x", "run 'x'")]
    [InlineData("1", "max_active_leads_per_rep: 'many'", "--set", "max_active_leads_per_rep=many")]
    [InlineData("1", "--set 'nonsense=1'", "--set", "nonsense=1")]
    public async Task Replay_OfNonsense_IsRefusedByName(string run, string fault, params string[] options)
    {
        var answer = await _rig.RunAsync(["routing", "replay", run, .. options]);

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(fault.Replace("max_active_leads_per_rep:", "--max-active-leads-per-rep:", StringComparison.Ordinal), answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_AnyLead_TellsWhoAndWhyAndWhoWasExcluded()
    {
        foreach (var lead in await database.QueryAsync("SELECT lead_ext_id FROM sales_pipeline WHERE stage < 'closed_won' AND lead_ext_id <> 'l11'", row => row.GetString(0)))
        {
            var explained = (await _rig.RunAsync("explain", lead, "--json")).Json;
            var routing = explained.GetProperty("routing");
            if (routing.GetProperty("decisions").GetArrayLength() == 0)
            {
                continue;
            }

            var decision = routing.GetProperty("decisions")[0];
            var candidates = decision.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("rep").GetString()).ToList();
            var excluded = routing.GetProperty("excluded_reps").EnumerateArray().Select(c => c.GetProperty("rep").GetString()).ToList();
            // Every rep is either a candidate or excluded with a reason.
            Assert.Equal(
                ["ana@sales.example", "eva@sales.example", "gone@sales.example", "luis@sales.example"],
                candidates.Concat(excluded).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
            Assert.Equal(excluded.Count, decision.GetProperty("excluded").EnumerateObject().Sum(e => e.Value.GetInt32()));
            if (decision.GetProperty("outcome").GetString() is "assigned")
            {
                Assert.Equal(routing.GetProperty("assigned_to").GetString(), candidates[0]);
                var nets = decision.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("net")).Where(n => n.ValueKind is JsonValueKind.Number).ToList();
                Assert.All(nets, net => Assert.True(net.GetDecimal() <= nets[0].GetDecimal() + 0.02m));
            }
        }
    }

    [Fact]
    public async Task Explain_ForPeople_SpeaksBothLanguages()
    {
        var lead = await database.ScalarAsync<string>("SELECT lead_ext_id FROM v_routing_decisions WHERE outcome = 'assigned' LIMIT 1");

        var english = await _rig.RunAsync("explain", lead!);
        var spanish = await _rig.RunAsync("explain", lead!, "--lang", "es");

        Assert.Contains("the greatest expected gain over all leads", english.Output, StringComparison.Ordinal);
        Assert.Contains("Excluded, inactive (1): gone@sales.example", english.Output, StringComparison.Ordinal);
        Assert.Contains("la mayor ganancia esperada entre todos los leads", spanish.Output, StringComparison.Ordinal);
        Assert.Contains("Excluidos, inactivo (1): gone@sales.example", spanish.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_LeadOutsideThePipeline_HasNoRoutingSection()
    {
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('new', 'x')");

        var explained = (await _rig.RunAsync("explain", "new", "--json")).Json;

        Assert.False(explained.TryGetProperty("routing", out _));
        Assert.Equal("new", explained.GetProperty("lead_ext_id").GetString());
    }

    private async Task<JsonElement> ReplayAsync(params string[] arguments)
    {
        var answer = await _rig.RunAsync(["routing", "replay", .. arguments, "--json"]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer.Json;
    }
}
