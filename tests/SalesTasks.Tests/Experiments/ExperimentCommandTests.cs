using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Experiments;

/// <summary><c>experiment start|stop|show</c>: what people see and what they cannot do.</summary>
public sealed class ExperimentCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = ExperimentRig.T0;

    private readonly ExperimentRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("0", "30", "x", "--share: '0' is not allowed; allowed: a percentage from 0.1 to 50")]
    [InlineData("50.1", "30", "x", "--share: '50.1'")]
    [InlineData("-5", "30", "x", "--share: '-5'")]
    [InlineData("10.25", "30", "x", "--share: '10.25'")]
    [InlineData("10,5", "30", "x", "--share: '10,5'")]
    [InlineData("ten", "30", "x", "--share: 'ten'")]
    [InlineData("10", "13", "x", "--horizon: '13' is not allowed; allowed: a whole number of days from 14 to 365")]
    [InlineData("10", "1e3", "x", "--horizon: '1e3'")]
    [InlineData("10", "30", " ", "--name: ' ' is not allowed")]
    public async Task Start_WithBadInput_NamesItAndStartsNothing(string share, string horizon, string name, string fault)
    {
        var answer = await _rig.RunAsync("experiment", "start", "--share=" + share, "--horizon", horizon, "--name", name);

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(fault, answer.Errors, StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM experiments"));
    }

    [Fact]
    public async Task Start_WithSeveralFaults_NamesThemAll()
    {
        var answer = await _rig.RunAsync("experiment", "start", "--share", "90", "--horizon", "3");

        Assert.Contains("--share", answer.Errors, StringComparison.Ordinal);
        Assert.Contains("--horizon", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WhileOneRuns_IsRefused()
    {
        await _rig.StartAsync("2.5", "--name", "First", "--horizon", "60");

        var second = await _rig.RunAsync("experiment", "start", "--share", "20");

        Assert.Equal(ExitCode.Usage, second.ExitCode);
        Assert.Contains("running already", second.Errors, StringComparison.Ordinal);
        var stored = Assert.Single(await database.RowsAsync("SELECT * FROM experiments"));
        Assert.Equal(("First", 25, 60, T0.UtcDateTime, Environment.UserName), (stored["name"], stored["share_permille"], stored["horizon_days"], stored["started_at"], stored["started_by"]));
    }

    [Fact]
    public async Task Start_ByTwoAtOnce_StartsOne()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _rig.RunAsync("experiment", "start", "--share", "10")));

        Assert.Equal(1, answers.Count(answer => answer.ExitCode is ExitCode.Done));
        Assert.Equal(3, answers.Count(answer => answer.ExitCode is ExitCode.Usage));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM experiments"));
    }

    [Fact]
    public async Task Stop_Always_WritesDownWhoAndWhenOnce()
    {
        await _rig.StartAsync();
        var first = await _rig.DoAsync(T0.AddDays(2), "experiment", "stop");
        var second = await _rig.DoAsync(T0.AddDays(3), "experiment", "stop", "--json");

        Assert.Contains("Stopped '2026-03-18'", first.Output, StringComparison.Ordinal);
        Assert.False(second.Json.GetProperty("stopped").GetBoolean());
        var stored = Assert.Single(await database.RowsAsync("SELECT * FROM experiments"));
        Assert.Equal((T0.AddDays(2).UtcDateTime, Environment.UserName), (stored["ended_at"], stored["ended_by"]));
    }

    [Fact]
    public async Task Show_WithoutAnExperiment_SaysSo()
    {
        Assert.Contains("no experiment yet", (await _rig.DoAsync(T0, "experiment", "show")).Output, StringComparison.Ordinal);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await _rig.DoAsync(T0, "experiment", "show", "--json")).Json.GetProperty("experiment").ValueKind);
        Assert.Contains("no hay ningún experimento", (await _rig.DoAsync(T0, "experiment", "stop", "--lang", "es")).Output.ToLowerInvariant(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_OfAYoungExperiment_SaysThatItIsTooSmall()
    {
        await _rig.StartAsync("50");
        await _rig.AddLeadsAsync("a", 100);

        var english = (await _rig.DoAsync(T0.AddDays(29), "experiment", "show")).Output;
        var spanish = (await _rig.DoAsync(T0.AddDays(29), "experiment", "show", "--lang", "es")).Output;

        Assert.Contains("too small", english, StringComparison.Ordinal);
        Assert.Contains("Too small: fewer than 20", english, StringComparison.Ordinal);
        Assert.Contains("muestra pequeña", spanish, StringComparison.Ordinal);
        Assert.DoesNotContain("too small", spanish, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_OfGroupsThatChanceDoesNotMake_Warns()
    {
        await _rig.StartAsync("50");
        await _rig.AddLeadsAsync("a", 200);
        Assert.DoesNotContain("WARNING", (await _rig.DoAsync(T0, "experiment", "show")).Output, StringComparison.Ordinal);

        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id IN (SELECT lead_ext_id FROM held_out_leads ORDER BY 1 LIMIT 70)");

        Assert.Contains("WARNING", (await _rig.DoAsync(T0, "experiment", "show")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_OfSeveral_TellsTheLatestAndListsAll()
    {
        await _rig.StartAsync("10", "--name", "One");
        await _rig.DoAsync(T0.AddDays(1), "experiment", "stop");
        await _rig.DoAsync(T0.AddDays(2), "experiment", "start", "--share", "20", "--name", "[Two]");

        var shown = await _rig.DoAsync(T0.AddDays(3), "experiment", "show");
        Assert.Contains("'[Two]': 20 % held out", shown.Output, StringComparison.Ordinal);
        Assert.Contains("All experiments", shown.Output, StringComparison.Ordinal);
        var first = (await _rig.DoAsync(T0.AddDays(3), "experiment", "show", "--id", "1", "--json")).Json;
        Assert.Equal("One", first.GetProperty("experiment").GetProperty("name").GetString());
        Assert.Equal(2, first.GetProperty("experiments").GetArrayLength());
        var unknown = await _rig.RunAsync(T0.AddDays(3), "experiment", "show", "--id", "7");
        Assert.Equal(ExitCode.Usage, unknown.ExitCode);
        Assert.Contains("there is no experiment 7; allowed: one of 2, 1", unknown.Errors, StringComparison.Ordinal);
    }
}
