using System.Text;
using SalesTasks.Leads;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

public sealed class EngagementImportTests : IClassFixture<TestDatabase>, IDisposable
{
    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public EngagementImportTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Fact]
    public async Task Events_ByIdAliasAndEmail_ReachTheLeadAndCountOnce()
    {
        await LeadsAsync("ev-1,web,ev1@events.example", "ev-2,web,ev1@events.example");
        var text = """
            lead_ext_id,email,event_type,occurred_at,source,source_event_id,campaign
            ev-1,,email_opened,2026-02-01T10:00:00Z,mailer,ev-a,spring
            ev-2,,Email Clicked,2026-02-01T11:00:00Z,mailer,ev-b,spring
            ,EV1@events.example,reply,2026-02-01T12:00:00Z,mailer,ev-c,
            ev-1,,delivered,2026-02-01T09:00:00Z,mailer,ev-d,
            ev-1,,open,2026-02-01T10:00:00Z,mailer,ev-a,
            """;

        var first = await EventsAsync(text);
        var before = await _database.FingerprintAsync("task_runs");
        var second = await EventsAsync(text);

        Assert.Equal("rows 5, ignored 1, events_inserted 3, events_duplicate 1", first.Counts);
        Assert.Equal("rows 5, ignored 1, events_duplicate 4", second.Counts);
        Assert.Equal(before, await _database.FingerprintAsync("task_runs"));
        Assert.Equal(["click ev-1", "open ev-1", "reply ev-1"], await _database.QueryAsync(
            "SELECT event_type || ' ' || lead_ext_id FROM lead_engagement_events WHERE source_event_id LIKE 'ev-%' ORDER BY 1", row => row.GetString(0)));
        Assert.Equal("""{"campaign": "spring"}""", await _database.ScalarAsync<string>("SELECT metadata::text FROM lead_engagement_events WHERE source_event_id = 'ev-a'"));
        Assert.Equal((1, 1, 1), await CountsAsync("ev-1"));
    }

    [Fact]
    public async Task Events_WithoutIds_StillCountOnce()
    {
        await LeadsAsync("noid-1,web,");
        var text = """
            ext_id,event,timestamp,url
            noid-1,click,2026-02-01T10:00:00Z,https://x.example/a
            noid-1,click,2026-02-01T10:00:00Z,https://x.example/b
            noid-1,click,2026-02-01T10:00:00Z,https://x.example/a
            """;

        Assert.Equal("rows 3, events_inserted 2, events_duplicate 1", (await EventsAsync(text, "--source", "mailer")).Counts);
        Assert.Equal("rows 3, events_duplicate 3", (await EventsAsync(text, "--source", "mailer")).Counts);
    }

    [Fact]
    public async Task Events_Bad_GoToTheRejectFile()
    {
        await LeadsAsync("bad-1,web,");
        var path = _runner.Write(
            "events.csv",
            """
            lead_ext_id,event_type,occurred_at
            stranger,open,2026-02-01T10:00:00Z
            bad-1,danced,2026-02-01T10:00:00Z
            bad-1,open,soon
            bad-1,,2026-02-01T10:00:00Z
            ,open,2026-02-01T10:00:00Z
            bad-1,open,
            bad-1,open,2026-02-01T10:00:00Z
            """);

        var outcome = await _runner.ImportAsync(path, "--kind", "engagement");

        Assert.Equal("rows 7, rejected 6, events_inserted 1", outcome.Counts);
        Assert.Equal(
            [
                "file,line,reason,record",
                $"{path},3,\"event_type is none of reply, click, open, visit, demo, pricing\",\"bad-1,danced,2026-02-01T10:00:00Z\"",
                $"{path},4,occurred_at is not a date and time in the expected format,\"bad-1,open,soon\"",
                $"{path},5,event_type is empty,\"bad-1,,2026-02-01T10:00:00Z\"",
                $"{path},6,names no lead: lead_ext_id and email are empty,\",open,2026-02-01T10:00:00Z\"",
                $"{path},7,occurred_at is empty,\"bad-1,open,\"",
                $"{path},2,\"no lead has this id, alias or e-mail address\",\"stranger,open,2026-02-01T10:00:00Z\"",
            ],
            await File.ReadAllLinesAsync(outcome.RejectFile!, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Events_OfBots_AreFlaggedWithTheReasonAndDoNotCount()
    {
        await LeadsAsync("bot-1,web,");

        var outcome = await EventsAsync(
            """
            lead_ext_id,event_type,occurred_at,source,source_event_id,user_agent,delivered_at,is_bot
            bot-1,click,2026-02-01T10:00:00Z,m,bot-a,Mozilla/5.0 (compatible; Barracuda Sentinel (EE)),,
            bot-1,click,2026-02-02T10:00:00Z,m,bot-b,Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0,,
            bot-1,open,2026-02-03T10:00:00Z,m,bot-c,Mozilla/5.0,,
            bot-1,click,2026-02-04T10:00:00Z,m,bot-d,Mozilla/5.0,,
            bot-1,open,2026-02-05T10:00:00Z,m,bot-e,Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy),,
            bot-1,open,2026-02-06T10:00:01Z,m,bot-f,Mozilla/5.0 (iPhone),2026-02-06T10:00:00Z,
            bot-1,open,2026-02-06T11:00:00Z,m,bot-g,Mozilla/5.0 (iPhone),2026-02-06T10:00:00Z,
            bot-1,click,2026-02-07T10:00:00Z,m,bot-h,,,yes
            """);

        Assert.Equal("rows 8, events_inserted 8, events_bot 5", outcome.Counts);
        Assert.Equal(
            ["bot-a mail scanner", "bot-b automation", "bot-c privacy prefetch", "bot-f within two seconds of delivery", "bot-h told by the source"],
            await BotsAsync("bot-%"));
        Assert.Equal((0, 1, 2), await CountsAsync("bot-1"));
    }

    [Fact]
    public async Task Events_BurstsOfClicks_AreABotsHoweverTheyComeIn()
    {
        await LeadsAsync("burst-1,web,", "burst-2,web,", "burst-3,web,");
        const string Header = "lead_ext_id,event_type,occurred_at,source,source_event_id,url\n";

        // Three links in two seconds, but one file at a time; the same link three times; three links in three seconds.
        var counts = new List<string>();
        foreach (var rows in new[]
        {
            "burst-1,click,2026-02-01T10:00:00Z,m,burst-a,/1\nburst-1,click,2026-02-01T10:00:01Z,m,burst-b,/2\n",
            "burst-2,click,2026-02-01T10:00:00Z,m,burst-p,/1\nburst-2,click,2026-02-01T10:00:01Z,m,burst-q,/1\nburst-2,click,2026-02-01T10:00:02Z,m,burst-r,/1\n",
            "burst-3,click,2026-02-01T10:00:00Z,m,burst-x,/1\nburst-3,click,2026-02-01T10:00:01.5Z,m,burst-y,/2\nburst-3,click,2026-02-01T10:00:03Z,m,burst-z,/3\n",
            "burst-1,click,2026-02-01T10:00:02Z,m,burst-c,/3\nburst-1,click,2026-02-01T10:05:00Z,m,burst-d,/3\n",
        })
        {
            counts.Add((await EventsAsync(Header + rows)).Counts);
        }

        Assert.Equal(
            ["rows 2, events_inserted 2", "rows 3, events_inserted 3", "rows 3, events_inserted 3", "rows 2, events_inserted 2, events_bot 3"], counts);
        Assert.Equal(
            ["burst-a three links within two seconds", "burst-b three links within two seconds", "burst-c three links within two seconds"],
            await BotsAsync("burst-%"));
        Assert.Equal((0, 1, 0), await CountsAsync("burst-1"));
    }

    [Fact]
    public async Task Events_DryRun_CountsAndWritesNothing()
    {
        await LeadsAsync("dry-1,web,");
        var text = new StringBuilder("lead_ext_id,event_type,occurred_at,source,source_event_id\nnobody,open,2026-02-01,m,dry-x\n");
        for (var i = 0; i < 12_000; i++)
        {
            text.Append($"dry-1,open,2026-02-01,m,dry-{i % 11_000}\n");
        }

        var before = await _database.FingerprintAsync();
        var dry = await EventsAsync(text.ToString(), "--dry-run");
        Assert.Equal(before, await _database.FingerprintAsync());
        var real = await EventsAsync(text.ToString());

        Assert.Equal("rows 12001, rejected 1, events_inserted 11000, events_duplicate 1000", real.Counts);
        Assert.Equal(real.Counts, dry.Counts);
    }

    [Fact]
    public async Task Events_RequiredColumnMissing_IsRefused()
    {
        var outcome = await EventsAsync("event_type,occurred_at\nopen,2026-02-01\n");

        Assert.Contains("has no column lead_ext_id or email; columns found: event_type, occurred_at.", outcome.ShouldExitWith(ExitCode.Usage).Error);
    }

    [Theory]
    [InlineData("%bot/%", "Some Bot/1.0", true)]
    [InlineData("%bot/%", "CUBOT NOTE", false)]
    [InlineData("curl/%", "curl/8.1", true)]
    [InlineData("curl/%", "not curl/8.1", false)]
    [InlineData("a_c", "ABC", true)]
    [InlineData("a_c", "ac", false)]
    [InlineData(@"100\%", "100%", true)]
    [InlineData(@"100\%", "1000", false)]
    [InlineData("(x|y).*", "x", false)]
    public void BotPatterns_Like_IsReadAsTheDatabaseDoes(string like, string agent, bool expected) =>
        Assert.Equal(expected, new BotPatterns([(like, "reason", null)]).Reason(agent, "open") is not null);

    private async Task LeadsAsync(params string[] rows) =>
        (await _runner.ImportTextAsync("ext_id,source,email\n" + string.Join('\n', rows))).ShouldExitWith(ExitCode.Done);

    private Task<ImportOutcome> EventsAsync(string text, params string[] arguments) =>
        _runner.ImportAsync(_runner.Write("events.csv", text), ["--kind", "engagement", .. arguments]);

    private Task<List<string>> BotsAsync(string pattern) => _database.QueryAsync(
        "SELECT source_event_id || ' ' || bot_reason FROM lead_engagement_events WHERE is_bot AND source_event_id LIKE @pattern ORDER BY 1",
        row => row.GetString(0),
        ("pattern", pattern));

    private async Task<(int Replies, int Clicks, int Opens)> CountsAsync(string extId) => Assert.Single(await _database.QueryAsync(
        "SELECT replies, clicks, opens FROM lead_engagement JOIN leads USING (lead_id) WHERE ext_id = @ext_id",
        row => (row.GetInt32(0), row.GetInt32(1), row.GetInt32(2)),
        ("ext_id", extId)));
}
