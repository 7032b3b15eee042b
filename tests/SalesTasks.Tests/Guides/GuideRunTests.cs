using System.Text.RegularExpressions;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Guides;

/// <summary>Every command of a guide is run, in its order, by the program itself on a database that has what the guide speaks of.</summary>
public sealed partial class GuideRunTests(PostgresServer server)
{
    /// <summary>What cannot be run here, and why. An entry that no guide has any more is a failure.</summary>
    private static readonly Dictionary<string, string> s_elsewhere = new(StringComparer.Ordinal)
    {
        ["demo --keep"] = "makes a database server of its own; DemoCommandTests run it",
        ["setup"] = "asks on a terminal; SetupTests answer it",
        ["campaigns import examples/campaigns/*.yaml"] = "the shell writes the names out; FillAsync imports them",
        ["db adopt --dry-run"] = "needs tables of before; AdoptTests have them",
        ["ml evaluate"] = "needs a published model; EvaluationTests publish one",
    };

    /// <summary>What stands for the reader's own in the guides, and what the sample has in its place.</summary>
    private static readonly (string Word, string Value)[] s_own =
    [
        ("examples/", $"{Checkout.Root}/examples/"),
        ("replay 17", "replay last"),
        ("<one of the leads that the demo printed>", "LEAD"),
        (" leads.csv", $" {Checkout.Root}/examples/leads/leads.csv"),
        (" reps.csv", $" {Checkout.Root}/examples/reps/reps.csv"),
        ("history.csv", "{history}"),
    ];

    public static TheoryData<string> Guides => ["quick-start", "best-practices", "operations", "troubleshooting", "queries",
        "campaigns", "experiments", "scoring", "followup", "sending", "alerts", "reports", "routing", "timing", "configuration", "airflow", "database", "image", "production"];

    [Theory]
    [MemberData(nameof(Guides))]
    public async Task Commands_OfAGuide_DoWhatTheyAreThereFor(string guide)
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await FillAsync(database);
        var folder = Directory.CreateTempSubdirectory("sales-tasks-guide-");
        try
        {
            var history = Path.Combine(folder.FullName, "history.csv");
            await File.WriteAllLinesAsync(
                history,
                ["Source,Visits,Converted", .. Enumerable.Range(0, 300).Select(n => $"{(n % 3 == 0 ? "ad" : "organic")},{n % 17},{(n % 17 > 8 ? 1 : 0)}")],
                TestContext.Current.CancellationToken);

            foreach (var line in await CommandsAsync($"docs/{guide}.md"))
            {
                // The launcher runs the measurements.
                if (s_elsewhere.ContainsKey(line) || line.StartsWith("bench ", StringComparison.Ordinal))
                {
                    continue;
                }

                var host = new TestHost(database);
                var exit = await host.RunAsync([.. Words(s_own.Aggregate(line, (text, own) => text.Replace(own.Word, own.Value, StringComparison.Ordinal)).Replace("{history}", history, StringComparison.Ordinal))]);

                // 1 and 2 are answers of health and validate.
                Assert.True(exit is ExitCode.Done or ExitCode.Findings or ExitCode.Critical, $"{line} ended with {exit}:\n{host.Output}{host.Errors}");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Guides))]
    public async Task Commands_InBothLanguages_AreTheSame(string guide)
    {
        Assert.Equal(
            (await CommandsAsync($"docs/{guide}.md")).Select(Shape).Order(StringComparer.Ordinal),
            (await CommandsAsync($"docs/es/{guide}.md")).Select(Shape).Order(StringComparer.Ordinal));

        // Names, addresses and reasons may be of the language.
        static string Shape(string line) =>
            string.Join(' ', Words(line).Where((word, place) => place < 2 || word.StartsWith("--", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Exceptions_AreStillInAGuide()
    {
        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var guide in Guides)
        {
            all.UnionWith(await CommandsAsync($"docs/{guide.Data}.md"));
        }

        Assert.All(s_elsewhere.Keys, line => Assert.Contains(line, all));
    }

    /// <summary>Commands of a page in their order, without what only chooses the language of the answer and without comments.</summary>
    private static async Task<List<string>> CommandsAsync(string page)
    {
        var text = await File.ReadAllTextAsync($"{Checkout.Root}/{page}", TestContext.Current.CancellationToken);
        return
        [
            .. Command().Matches(text)
                .SelectMany(match => match.Groups["line"].Value.Split(" && ./sales-tasks "))
                .Select(line => Language().Replace(line.Split(" #")[0], "").Trim())
                .Select(line => s_spanish.Aggregate(line, (english, pair) => english.Replace(pair.Spanish, pair.English, StringComparison.Ordinal))),
        ];
    }

    private static readonly (string Spanish, string English)[] s_spanish = [("<uno de los leads que mostró la demo>", "<one of the leads that the demo printed>")];

    private static IEnumerable<string> Words(string line) => Word().Matches(line).Select(match => match.Value.Trim('"'));

    /// <summary>A small company in which everything that guides name is there: leads, deals, a rep, a campaign, messages, alerts, a routing run.</summary>
    private static async Task FillAsync(TestDatabase database)
    {
        await database.ExecuteAsync(
            """
            INSERT INTO sales_reps (email, name) VALUES ('ana@sales.example', 'Ana');
            INSERT INTO leads (ext_id, source, email, created_at)
            SELECT ext_id, 'organic', 'lead@acme.example', '2026-01-10Z' FROM unnest(ARRAY['LEAD', 'EXT_ID', 'lead-0000017', 'lead-0000042', 'without a rep']) ext_id;
            INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, estimated_value, qualified_at)
            SELECT ext_id, email, 'qualified', CASE WHEN ext_id <> 'without a rep' THEN 'ana@sales.example' END, 12000, '2026-01-12Z'
            FROM leads;
            INSERT INTO outbox_messages (id, idempotency_key, channel, purpose, recipient, payload, status, finished_at)
            SELECT n, 'guide/' || n, 'slack', 'notice', 'sales', '{"text": "Hello"}', 'in_doubt', '2026-01-30Z' FROM generate_series(16, 20) n;
            INSERT INTO alerts (id, kind, situation_key, severity, peak_severity, opened_at, last_seen_at)
            SELECT n, 'stale_leads', 'guide/' || n, 'warning', 'warning', '2026-01-29Z', '2026-01-30Z' FROM generate_series(16, 20) n
            """);
        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("campaigns", "import", $"{Checkout.Root}/examples/campaigns/re-engagement.yaml", $"{Checkout.Root}/examples/campaigns/qualified-email-sequence.yaml"));
        Assert.Equal(ExitCode.Done, await new TestHost(database).RunAsync("routing", "assign"));
    }

    /// <summary>Lines of code blocks and code within sentences; what is written with a placeholder in three dots is no command.</summary>
    [GeneratedRegex(@"(?:^ *|`)\./sales-tasks (?<line>[^`\n…]+)(?=`|$)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Command();

    [GeneratedRegex(@" --lang es\b")]
    private static partial Regex Language();

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Word();
}
