using System.Globalization;
using System.Text.RegularExpressions;
using SalesTasks.Tests.Adoption;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Encryption;
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
        ["ml evaluate"] = "needs a published model; EvaluationTests publish one",
        ["ml card"] = "needs a published model; DriftAndCardTests publish one",
        ["ml card --model 12 --output card.html"] = "needs a trained model; DriftAndCardTests train one",
        ["leads import --path s3://my-bucket/exports/ --reject-path s3://my-bucket/rejects/"] = "needs a bucket; S3ImportTests have one",
        ["crm push --dry-run"] = "needs a CRM; SyncTests have both",
        ["crm pull --dry-run"] = "needs a CRM; SyncTests have both",
        ["crm push"] = "needs a CRM; SyncTests have both",
        ["crm pull"] = "needs a CRM; SyncTests have both",
        ["crm push --crm-type salesforce --dry-run"] = "needs a CRM; SyncTests have both",
        ["crm pull --crm-type salesforce --dry-run"] = "needs a CRM; SyncTests have both",
        ["db roles apply --dry-run"] = "its roles belong to the whole server; ApplyRolesTests make some of their own names",
        ["db roles apply"] = "its roles belong to the whole server; ApplyRolesTests make some of their own names",
        ["reps grant ana@acme.example --role ana"] = "needs the roles; ApplyRolesTests grant it",
        ["reps revoke ana@acme.example"] = "needs the roles; ApplyRolesTests revoke it",
    };

    /// <summary>What is refused, as the guide says, and with which code.</summary>
    private static readonly Dictionary<(string Guide, string Line), ExitCode> s_refused = new()
    {
        [("migration", "db migrate")] = ExitCode.Refused,
        [("backup", "outbox dispatch")] = ExitCode.Refused,
        [("troubleshooting", "db adopt --dry-run")] = ExitCode.Usage,
    };

    /// <summary>What stands for the reader's own in the guides, and what the sample has in its place.</summary>
    private static readonly (string Word, string Value)[] s_own =
    [
        ("examples/", "{folder}/examples/"),
        ("replay 17", "replay last"),
        ("<one of the leads that the demo printed>", "LEAD"),
        (" leads.csv", " {folder}/examples/leads/leads.csv"),
        (" reps.csv", " {folder}/examples/reps/reps.csv"),
        ("history.csv", "{folder}/history.csv"),
        ("deals.csv", "{folder}/deals.csv"),
        ("ana.json", "{folder}/ana.json"),
        ("/srv/backups", "{folder}/backups"),
        ("--into sales", "--into {database}_sales"),
        ("privacy show 12", "privacy show 1"),
        ("audit show 4711", "audit show 1"),
    ];

    public static TheoryData<string> Guides => ["quick-start", "best-practices", "operations", "troubleshooting", "queries",
        "campaigns", "experiments", "scoring", "followup", "sending", "alerts", "reports", "routing", "timing", "configuration", "airflow", "database", "image", "production",
        "privacy", "security", "encryption", "backup", "migration", "lead-sources", "predictions", "crm", "scale"];

    [Theory]
    [MemberData(nameof(Guides))]
    public async Task Commands_OfAGuide_DoWhatTheyAreThereFor(string guide)
    {
        await using var database = guide == "migration" ? await AdoptRig.MessyAsync(server) : await TestDatabase.CreateAsync(server);
        if (guide == "migration")
        {
            // Of two campaigns of the name the guide means the one that can run.
            await database.ExecuteAsync("DELETE FROM sales_campaigns WHERE campaign_type = 'drip'; UPDATE sales_campaigns SET steps_config = steps_config - 1");
        }
        else
        {
            await FillAsync(database);
        }

        var folder = Directory.CreateTempSubdirectory("sales-tasks-guide-");
        try
        {
            await WriteFilesAsync(folder.FullName);
            var uri = database.AirflowUri;
            foreach (var line in await LinesAsync($"docs/{guide}.md"))
            {
                if (Switch().Match(line) is { Success: true } to)
                {
                    // From here on the guide works in another database of the server.
                    uri = new UriBuilder(database.AirflowUri) { Path = Own(to.Groups["database"].Value) }.Uri.AbsoluteUri;
                    continue;
                }

                // The launcher runs the measurements.
                if (s_elsewhere.ContainsKey(line) || line.StartsWith("bench ", StringComparison.Ordinal))
                {
                    continue;
                }

                var host = new TestHost().With("AIRFLOW_CONN_SALES_POSTGRES", uri).With(Keys.Variable, Keys.Connection());
                var exit = await host.RunAsync([.. Words(s_own.Aggregate(line, (text, own) => text.Replace(own.Word, own.Value, StringComparison.Ordinal)))
                    .Select(word => word.Replace("{folder}", folder.FullName, StringComparison.Ordinal).Replace("{database}", database.Connection.Database, StringComparison.Ordinal))]);

                // 1 and 2 are answers of health and validate.
                Assert.True(
                    s_refused.TryGetValue((guide, line), out var refused) ? exit == refused : exit is ExitCode.Done or ExitCode.Findings or ExitCode.Critical,
                    $"{line} ended with {exit}:\n{host.Output}{host.Errors}");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
            foreach (var copy in await database.QueryAsync(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, current_database() || '_sales')", row => row.GetString(0)))
            {
                await database.ExecuteAsync($"DROP DATABASE \"{copy}\" WITH (FORCE)");
            }
        }

        string Own(string name) => name == "postgres" ? name : $"{database.Connection.Database}_{name}";
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
    private static async Task<List<string>> CommandsAsync(string page) =>
        [.. (await LinesAsync(page)).Where(line => !Switch().IsMatch(line))];

    /// <summary>The same with the lines by which the guide turns to another database.</summary>
    private static async Task<List<string>> LinesAsync(string page)
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

    /// <summary>History to measure models on, and a copy of the examples: what an import refuses is written beside them.</summary>
    private static async Task WriteFilesAsync(string folder)
    {
        var token = TestContext.Current.CancellationToken;
        foreach (var file in Directory.EnumerateFiles($"{Checkout.Root}/examples", "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(Checkout.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        await File.WriteAllLinesAsync(
            Path.Combine(folder, "history.csv"),
            ["Source,Visits,Converted", .. Enumerable.Range(0, 300).Select(n => $"{(n % 3 == 0 ? "ad" : "organic")},{n % 17},{(n % 17 > 8 ? 1 : 0)}")],
            token);
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "deals.csv"),
            [
                "Created,Source,Employees,Lost Reason,Stage",
                .. Enumerable.Range(0, 300).Select(n => string.Create(
                    CultureInfo.InvariantCulture,
                    $"{new DateOnly(2025, 1, 1).AddDays(n):yyyy-MM-dd},{(n % 3 == 0 ? "ad" : "organic")},{n % 17},{(n % 17 > 8 ? "" : "price")},{(n % 17 > 8 ? "Won" : "Lost")}")),
            ],
            token);
    }

    /// <summary>A small company in which everything that guides name is there: leads, deals, a rep, a campaign, messages, alerts, a routing run.</summary>
    private static async Task FillAsync(TestDatabase database)
    {
        await database.ExecuteAsync(
            """
            INSERT INTO sales_reps (email, name) VALUES ('ana@sales.example', 'Ana');
            INSERT INTO leads (ext_id, source, email, created_at)
            SELECT ext_id, 'organic', CASE ext_id WHEN 'LEAD' THEN 'ana@acme.example' ELSE 'lead@acme.example' END, '2026-01-10Z' FROM unnest(ARRAY['LEAD', 'EXT_ID', 'lead-0000017', 'lead-0000042', 'without a rep']) ext_id;
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
    [GeneratedRegex(@"(?:^ *|`)(\./sales-tasks (?<line>[^`\n…]+)|(?<line>export AIRFLOW_CONN_SALES_POSTGRES=postgres://\S+))(?=`|$)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Command();

    [GeneratedRegex(@"^export AIRFLOW_CONN_SALES_POSTGRES=\S+/(?<database>\w+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Switch();

    [GeneratedRegex(@" --lang es\b")]
    private static partial Regex Language();

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Word();
}
