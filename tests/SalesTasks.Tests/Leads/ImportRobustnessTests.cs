using System.Text;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

/// <summary>The real executable: killed, twice at once, beside scoring.</summary>
public sealed class ImportRobustnessTests : IDisposable
{
    private readonly PostgresServer _server;
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-import-").FullName;

    public ImportRobustnessTests(PostgresServer server) => _server = server;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Import_KilledAtRandom_EndsInTheStateOfAnUninterruptedRun()
    {
        var path = WriteLeads(25_000);
        await using var reference = await TestDatabase.CreateAsync(_server);
        var whole = (await Start(reference, path).Completion).ShouldExitWith(ExitCode.Done);
        var expected = await ContentAsync(reference);

        await using var database = await TestDatabase.CreateAsync(_server);
        var killed = await KillHarness.RunAsync(
            () => Start(database, path), whole.Duration, kills: 4, seed: 7, async () => Assert.Equal(expected, await ContentAsync(database)));

        Assert.True(killed > 0, "No run was killed.");
        var again = (await Start(database, path).Completion).ShouldExitWith(ExitCode.Done);
        Assert.Equal("nothing_to_do", again.Result.GetProperty("status").GetString());
    }

    [Fact]
    public async Task Import_SameFileByTwoAtOnce_MakesEachLeadOnce()
    {
        var path = WriteLeads(15_000);
        await using var reference = await TestDatabase.CreateAsync(_server);
        (await Start(reference, path).Completion).ShouldExitWith(ExitCode.Done);
        await using var database = await TestDatabase.CreateAsync(_server);

        var results = await TwoRunners.RunAsync(
            () => Start(database, path),
            async () => Assert.Equal(await ContentAsync(reference), await ContentAsync(database)));

        var inserted = results.Sum(result => result.Result.GetProperty("counts").GetProperty("inserted").GetInt64());
        Assert.Equal(await database.ScalarAsync<long>("SELECT count(*) FROM leads"), inserted);
    }

    [Fact]
    public async Task Import_DifferentIdsOfTheSamePeopleAtOnce_MakesNoDuplicates()
    {
        string Write(string name) => WriteText(name, "ext_id,source,email\n" + string.Concat(
            Enumerable.Range(0, 12_000).Select(i => $"{name}-{i},web,p{i}@both.example\n")));
        var paths = new Queue<string>([Write("left"), Write("right")]);
        await using var database = await TestDatabase.CreateAsync(_server);

        await TwoRunners.RunAsync(() => Start(database, paths.Dequeue()), async () =>
        {
            Assert.Equal(12_000, await database.ScalarAsync<long>("SELECT count(*) FROM leads"));
            Assert.Equal(12_000, await database.ScalarAsync<long>("SELECT count(*) FROM lead_aliases"));
        });
    }

    [Fact]
    public async Task Import_BesideScoring_BothFinish()
    {
        await using var database = await TestDatabase.CreateAsync(_server);
        (await Start(database, WriteLeads(20_000)).Completion).ShouldExitWith(ExitCode.Done);
        var changed = WriteText("changed.csv", "ext_id,source,country,utm_source\n" + string.Concat(
            Enumerable.Range(0, 20_000).Reverse().Select(i => $"L-{i},web,Peru,ads\n")));

        var scoring = ProgramRunner.For(database).Start("scoring", "score");
        var import = Start(database, changed);

        (await scoring.Completion).ShouldExitWith(ExitCode.Done);
        (await import.Completion).ShouldExitWith(ExitCode.Done);
        (await ProgramRunner.For(database).RunAsync("scoring", "score")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE score IS NULL OR utm_source IS NULL AND ext_id LIKE 'L-%'"));
    }

    [Fact]
    public async Task Import_Terminated_StopsWithinTheGraceAndTheNextRunCarriesOn()
    {
        var path = WriteLeads(40_000);
        await using var database = await TestDatabase.CreateAsync(_server);
        var program = Start(database, path);
        await Eventually.HoldsAsync("a first batch is committed", async () => await database.ScalarAsync<long>("SELECT count(*) FROM leads") > 0);

        await program.TerminateAsync();

        Assert.Equal((int)ExitCode.Stopped, (await program.Completion).ExitCode);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM lead_import_rows"));
        (await Start(database, path).Completion).ShouldExitWith(ExitCode.Done);
        // Every fiftieth row repeats an id.
        Assert.Equal(39_200, await database.ScalarAsync<long>(
            "SELECT (SELECT count(*) FROM leads) + (SELECT count(*) FROM lead_aliases)"));
    }

    [Fact]
    public async Task Import_EventsKilledAtRandom_CountEachEventOnce()
    {
        await using var database = await TestDatabase.CreateAsync(_server);
        (await Start(database, WriteLeads(500)).Completion).ShouldExitWith(ExitCode.Done);
        var random = new Random(3);
        var path = WriteText("events.csv", "lead_ext_id,event_type,occurred_at,source,source_event_id,url\n" + string.Concat(
            Enumerable.Range(0, 40_000).Select(i =>
                $"L-{(random.Next(9) * 50) + random.Next(49)},{(i % 3 == 0 ? "click" : "open")},2026-02-{random.Next(1, 28):00}T10:{random.Next(60):00}:{random.Next(60):00}Z,m,e{i},/{i % 5}\n")));
        await using var reference = await TestDatabase.CreateAsync(_server);
        (await Start(reference, WriteLeads(500)).Completion).ShouldExitWith(ExitCode.Done);
        var whole = (await Start(reference, path, "--kind", "engagement").Completion).ShouldExitWith(ExitCode.Done);
        var expected = await ContentAsync(reference);

        await KillHarness.RunAsync(
            () => Start(database, path, "--kind", "engagement"), whole.Duration, kills: 4, seed: 11,
            async () => Assert.Equal(expected, await ContentAsync(database)));

        Assert.Equal(40_000, await database.ScalarAsync<long>("SELECT count(*) FROM lead_engagement_events"));
        Assert.Equal(0, await database.ScalarAsync<long>(
            """
            SELECT count(*)
            FROM lead_engagement g
            JOIN leads l USING (lead_id)
            JOIN (
              SELECT
                lead_ext_id,
                count(*) FILTER (WHERE event_type = 'click' AND NOT is_bot) AS clicks,
                count(*) FILTER (WHERE event_type = 'open' AND NOT is_bot) AS opens,
                count(*) FILTER (WHERE is_bot) AS bots
              FROM lead_engagement_events
              GROUP BY lead_ext_id) AS e ON e.lead_ext_id = l.ext_id
            WHERE (g.clicks, g.opens, g.bot_events) IS DISTINCT FROM (e.clicks::int, e.opens::int, e.bots::int)
            """));
    }

    private static RunningProgram Start(TestDatabase database, string path, params string[] arguments) => ProgramRunner.For(database).Start(
        ["leads", "import", "--path", path, "--as-of", ImportRunner.AsOf, .. arguments]);

    /// <summary>People, every tenth of them twice under different ids, far from each other in the file; some ids twice.</summary>
    private string WriteLeads(int rows)
    {
        var text = new StringBuilder("ext_id,source,first_name,email,phone,country,consent_email,demo_requested,note\n");
        for (var i = 0; i < rows; i++)
        {
            var same = i % 10 == 9 ? i * 7L % rows : i;
            var id = i % 50 == 49 ? i - 40 : i;
            text.Append($"L-{id},src{i % 7},N{same},p{same}@kill.example,{(i % 3 == 0 ? $"+51 9{same:00000000}" : "")},");
            text.Append($"{(i % 4 == 0 ? "Peru" : "")},{(i % 11 == 0 ? "no" : "yes")},{(i % 13 == 0 ? "yes" : "")},{i}\n");
        }

        return WriteText($"leads-{rows}.csv", text.ToString());
    }

    private string WriteText(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>All that an import writes, without what depends on when rows were written.</summary>
    private static async Task<string> ContentAsync(TestDatabase database) => (await database.ScalarAsync<string>(
        "SELECT md5((SELECT string_agg(to_jsonb(l)::text, ',' ORDER BY l.ext_id) FROM ("
        + "SELECT ext_id, source, first_name, email, phone, country, consent_email, demo_requested, attributes, created_at, updated_at FROM leads) AS l)"
        + " || coalesce((SELECT string_agg(alias_ext_id || '>' || ext_id, ',' ORDER BY alias_ext_id) FROM lead_aliases), '')"
        + " || coalesce((SELECT string_agg(concat_ws('|', lead_ext_id, event_type, occurred_at, source_event_id, is_bot), ',' ORDER BY source_event_id) FROM lead_engagement_events), ''))"))!;
}
