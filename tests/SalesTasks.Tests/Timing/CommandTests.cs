using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Timing;

public sealed class CommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly TimingRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Show_BeforeAnyAnalysis_SaysThatItLearns()
    {
        Assert.Contains("learning: nothing was analysed yet", (await _rig.RunAsync("timing", "show")).Output, StringComparison.Ordinal);
        Assert.Contains("aprendiendo: aún no se ha analizado nada", (await _rig.RunAsync("timing", "show", "--lang", "es")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_Applied_ShowsBestHoursWithIntervalsLiftAndState()
    {
        await _rig.LearnedAsync(3, 11);
        await database.ExecuteAsync(
            """
            INSERT INTO timing_intervals VALUES ('*', 5, 100, 1.5, 1.2, 1.9, true);
            UPDATE timing_state SET active = true, attempts = 1234, analysis_days = 90, treated_leads = 950, treated_rate = 0.3, control_leads = 50, control_rate = 0.2,
              difference = 0.1, difference_low = 0.02, difference_high = 0.18;
            INSERT INTO timing_lift (week_start, treated_leads, treated_rate, control_leads, control_rate) VALUES ('2026-03-09', 100, 0.3, 6, 0.2)
            """);

        var english = (await _rig.RunAsync("timing", "show")).Output;
        Assert.Contains("applied: learned hours are in use", english, StringComparison.Ordinal);
        Assert.Matches(@"call +│ \(all others\) +│ 1000 +│ 20.0 % │ Wed 11:00 50.0 % \[10.0–60.0\]", english);
        Assert.Contains("30.0 % / 20.0 % of 950 / 50 leads; lift 10.0 % [2.0–18.0]", english, StringComparison.Ordinal);
        Assert.Contains("after 5 days instead of 3: × 1.50 [1.20–1.90]", english, StringComparison.Ordinal);
        Assert.Contains("mié 11:00", (await _rig.RunAsync("timing", "show", "--lang", "es")).Output, StringComparison.Ordinal);

        var json = (await _rig.RunAsync("timing", "show", "--json")).Json;
        Assert.Equal("applied", json.GetProperty("state").GetString());
        Assert.Equal(0.02, json.GetProperty("lift").GetProperty("difference_low").GetDouble());
        Assert.Equal("2026-03-09", json.GetProperty("lift_by_week")[0].GetProperty("week_start").GetString());
        Assert.Equal(11, json.GetProperty("profiles")[0].GetProperty("best")[0].GetProperty("hour").GetInt32());
    }

    [Theory]
    [InlineData(TimingRig.Plain, "Learned time, planned before for 2026-03-17 00:00 UTC.", "Hora aprendida, antes 2026-03-17 00:00 UTC.")]
    [InlineData("contact_arm(ext_id) = 'control'", "random control that the lift is measured against", "grupo de control aleatorio")]
    public async Task Explain_NextContact_SaysWhyThen(string condition, string english, string spanish)
    {
        await _rig.LearnedAsync(3, 11);
        var lead = await _rig.LeadWhereAsync(condition);
        await _rig.AddDealAsync(lead, set: "next_followup_at = last_contact_at + interval '3 days'");
        await _rig.ApplyAsync();

        Assert.Contains(english, (await _rig.RunAsync("explain", lead)).Output, StringComparison.Ordinal);
        Assert.Contains(spanish, (await _rig.RunAsync("explain", lead, "--lang", "es")).Output, StringComparison.Ordinal);
        var next = (await _rig.RunAsync("explain", lead, "--json")).Json.GetProperty("next_contact");
        Assert.Equal(("followup", "call", "none"), (next.GetProperty("kind").GetString(), next.GetProperty("channel").GetString(), next.GetProperty("segment").GetString()));
        Assert.Equal(condition == TimingRig.Plain, next.GetProperty("moved").GetBoolean());
    }

    [Fact]
    public async Task Explain_LeadWithNothingPlanned_SaysNothingOfIt()
    {
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('bare', 'x')");

        Assert.DoesNotContain("Next contact", (await _rig.RunAsync("explain", "bare")).Output, StringComparison.Ordinal);
    }
}
