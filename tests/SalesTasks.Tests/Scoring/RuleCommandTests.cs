using Npgsql;
using SalesTasks.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>scoring rules show, validate and edit.</summary>
public sealed class RuleCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ScoringRig _rig = new(database);
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-rules-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync("TRUNCATE leads CASCADE");
        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("scoring", "rules", "edit", "--activate", "1")).ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Show_DefaultRules_IsThePointTable()
    {
        var shown = (await _rig.RunAsync("scoring", "rules", "show", "--json")).Json;

        Assert.Equal((1, true), (shown.GetProperty("version").GetInt32(), shown.GetProperty("active").GetBoolean()));
        Assert.Equal(
            PointTable.Default.Numbers.OrderBy(n => n.Key).Select(n => $"{n.Key}={n.Value:0.##}"),
            RuleField.All.OrderBy(f => f.Name).Select(f => $"{f.Name}={shown.GetProperty(f.Name).GetDecimal():0.##}"));
        Assert.Equal(
            PointTable.Default.Words.OrderBy(w => w.Key).Select(w => $"{w.Key}={w.Value}"),
            shown.GetProperty("sources").EnumerateObject().OrderBy(w => w.Name).Select(w => $"{w.Name}={w.Value}"));
    }

    [Fact]
    public async Task Show_ForPeople_NamesEveryRuleInBothLanguages()
    {
        var english = (await _rig.RunAsync("scoring", "rules", "show")).Output;
        var spanish = (await _rig.RunAsync("scoring", "rules", "show", "--lang", "es")).Output;

        Assert.All(RuleField.All, field => Assert.Contains(field.Name, english, StringComparison.Ordinal));
        Assert.All(RuleField.All, field => Assert.Contains(field.English, english, StringComparison.Ordinal));
        Assert.All(RuleField.All, field => Assert.Contains(field.Spanish, spanish, StringComparison.Ordinal));
        Assert.Contains("source.organic", english, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_UnknownVersion_IsRefused()
    {
        var answer = await _rig.RunAsync("scoring", "rules", "show", "--version", "999");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("999", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edit_SetAndComment_MakesTheNextVersionAndPutsItInForce()
    {
        var before = await VersionsAsync();

        var answer = await _rig.RunAsync(
            "scoring", "rules", "edit", "--set", "reply_2_points=30.0", "--set", "source.webinar=4", "--set", "source.ad=none", "--set", "model_weight=0.50",
            "--comment", "Webinars convert");

        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        var shown = (await _rig.RunAsync("scoring", "rules", "show", "--json")).Json;
        Assert.Equal((30, 0.5m, "Webinars convert"), (
            shown.GetProperty("reply_2_points").GetInt32(), shown.GetProperty("model_weight").GetDecimal(), shown.GetProperty("comment").GetString()));
        Assert.Equal(
            "direct, organic, paid, partner, referral, social, webinar",
            string.Join(", ", shown.GetProperty("sources").EnumerateObject().Select(s => s.Name).Order(StringComparer.Ordinal)));
        var after = await VersionsAsync();
        Assert.Equal(before.Count + 1, after.Count);
        Assert.Equal(shown.GetProperty("version").GetInt32(), Assert.Single(after, v => v.Active).Version);
        Assert.Equal(after.Max(v => v.Version), Assert.Single(after, v => v.Active).Version);
    }

    [Fact]
    public async Task Edit_FromShownDocument_IsTheSameRules()
    {
        var shown = (await _rig.RunAsync("scoring", "rules", "show", "--json")).Output;

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("scoring", "rules", "edit", "--file", await FileAsync(shown))).ExitCode);

        Assert.Equal(Comparable(shown), Comparable((await _rig.RunAsync("scoring", "rules", "show", "--json")).Output));

        static string Comparable(string json) => string.Join('\n', Json.Parse(json).EnumerateObject().Where(m => m.Name != "version").Select(m => $"{m.Name}={m.Value}"));
    }

    [Fact]
    public async Task Edit_ManyFaults_ReportsThemTogetherAndKeepsNothing()
    {
        var before = await database.FingerprintAsync();
        var file = await FileAsync("""{"cap": 0, "base_points": "7", "sources": {"UPPER": 1, "ok": 200, "fine": 3}, "nonsense": 1, "email_points": 2.5, "comment": 5}""");

        var answer = await _rig.RunAsync(
            "scoring", "rules", "edit", "--file", file, "--set", "fresh_days=40", "--set", "reply_1_points=many", "--set", "no-equals", "--set", "source.absent=none",
            "--set", "medium_priority_score=60", "--set", "model_weight=0.305", "--comment", new string('x', 501));

        Assert.Equal((ExitCode.Usage, ""), (answer.ExitCode, answer.Output));
        foreach (var fault in (string[])
            ["cap = 0", "base_points = \"7\"", "'UPPER'", "source.ok = 200", "'nonsense'", "email_points = 2.5", "comment is", "fresh_days = 40", "reply_1_points = many",
             "'no-equals'", "source.absent", "medium_priority_score = 60", "model_weight = 0.305", "501 characters"])
        {
            Assert.Contains(fault, answer.Errors, StringComparison.Ordinal);
        }

        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("""{"cap": 90, "cap": 80}""")]
    [InlineData("""{"sources": [1]}""")]
    [InlineData("""{"cap": 1e400}""")]
    [InlineData("""{"cap": null}""")]
    [InlineData("""{"cap": {"deep": {}}}""")]
    public async Task Edit_BadFile_IsAUsageErrorThatNamesIt(string content)
    {
        var before = await database.FingerprintAsync();

        var answer = await _rig.RunAsync("scoring", "rules", "edit", "--file", await FileAsync(content));

        Assert.True(answer.ExitCode is ExitCode.Usage, answer.ToString());
        Assert.Contains("allowed", answer.Errors, StringComparison.Ordinal);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Theory]
    [InlineData("--file", "/no/such/rules.json")]
    [InlineData("--file", "/")]
    [InlineData("--comment", "only a comment")]
    [InlineData("--activate", "999")]
    [InlineData("--activate", "1", "--set", "cap=90")]
    [InlineData]
    public async Task Edit_ThatCannotBeDone_IsAUsageError(params string[] flags) =>
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync(["scoring", "rules", "edit", .. flags])).ExitCode);

    [Fact]
    public async Task Activate_AnOlderVersion_BringsItsPointsBack()
    {
        await _rig.AddLeadAsync("a");
        await _rig.RunAsync("scoring", "rules", "edit", "--set", "base_points=33");
        await _rig.ScoreAsync();
        Assert.Equal(39, await _rig.ScoreOfAsync("a"));

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("scoring", "rules", "edit", "--activate", "1")).ExitCode);

        Assert.Equal((1, 1), (await _rig.ScoreAsync()).Work);
        Assert.Equal(26, await _rig.ScoreOfAsync("a"));
        Assert.Equal(1, Assert.Single(await VersionsAsync(), v => v.Active).Version);
    }

    [Fact]
    public async Task Validate_AChange_ShowsItsEffectAndKeepsNothing()
    {
        await _rig.AddLeadsAsync("l", 120);
        await _rig.ScoreAsync(TimeProvider.System.GetUtcNow());
        var before = await database.FingerprintAsync();

        var answer = await _rig.RunAsync("scoring", "rules", "validate", "--set", "email_points=40", "--set", "source.organic=-3", "--json");

        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        Assert.Equal(before, await database.FingerprintAsync());
        var impact = answer.Json.GetProperty("impact");
        // Two of three have an address (+30); of those without, one in four is organic (-8): nothing else moves.
        Assert.Equal((120, 80 + 10), (impact.GetProperty("evaluated").GetInt32(), impact.GetProperty("changed").GetInt32()));
        Assert.Equal((80, 10), (impact.GetProperty("up").GetInt32(), impact.GetProperty("down").GetInt32()));

        // Put in force, the scoring run finds exactly that.
        await _rig.RunAsync("scoring", "rules", "edit", "--set", "email_points=40", "--set", "source.organic=-3");
        var counts = await _rig.ScoreAsync(TimeProvider.System.GetUtcNow());
        Assert.Equal((90, 80, 10), (counts["changed"], counts["up"], counts["down"]));
        Assert.Equal(
            impact.GetProperty("high_after").GetInt64(), await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE priority = 'high'"));
    }

    [Fact]
    public async Task Edit_TwoEditorsAtOnce_KeepBothChanges()
    {
        var answers = await Task.WhenAll(
            _rig.RunAsync("scoring", "rules", "edit", "--set", "base_points=31"), _rig.RunAsync("scoring", "rules", "edit", "--set", "phone_points=9"));

        Assert.All(answers, answer => Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString()));
        var shown = (await _rig.RunAsync("scoring", "rules", "show", "--json")).Json;
        Assert.Equal((31, 9), (shown.GetProperty("base_points").GetInt32(), shown.GetProperty("phone_points").GetInt32()));
    }

    [Theory]
    [InlineData("UPDATE scoring_rules SET base_points = 21")]
    [InlineData("UPDATE scoring_rules SET version = 77 WHERE version = 1")]
    [InlineData("DELETE FROM scoring_rules WHERE version = 1")]
    [InlineData("UPDATE scoring_rule_source_words SET points = 9")]
    [InlineData("INSERT INTO scoring_rule_source_words VALUES (1, 'later', 9)")]
    [InlineData("DELETE FROM scoring_rule_source_words")]
    public async Task Versions_InTheDatabase_CannotBeChanged(string sql)
    {
        var before = await database.FingerprintAsync();

        var error = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(sql));

        Assert.Equal(PostgresErrorCodes.RestrictViolation, error.SqlState);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Versions_CommentAndForce_CanBeChanged()
    {
        Assert.Equal(1, await database.ExecuteAsync("UPDATE scoring_rules SET comment = 'The first' WHERE version = 1"));
        var error = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(
            "INSERT INTO scoring_rules (version, active) VALUES (500, true)"));
        Assert.Equal(PostgresErrorCodes.UniqueViolation, error.SqlState);
    }

    private Task<List<(int Version, bool Active)>> VersionsAsync() =>
        database.QueryAsync("SELECT version, active FROM scoring_rules ORDER BY version", row => (row.GetInt32(0), row.GetBoolean(1)));

    private async Task<string> FileAsync(string content)
    {
        var path = Path.Combine(_folder, "rules.json");
        await File.WriteAllTextAsync(path, content, Token);
        return path;
    }
}
