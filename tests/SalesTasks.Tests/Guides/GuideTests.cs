using System.Text.RegularExpressions;
using SalesTasks.Cli;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Guides;

/// <summary>What the guides promise is there: every query runs, every command exists, every column is explained, both languages agree.</summary>
public sealed partial class GuideTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly string[] s_guides = ["queries", "operations", "troubleshooting", "best-practices", "migration", "backup"];

    private static readonly string[] s_functions =
        ["calculate_lead_score", "auto_assign_sales_rep", "get_top_opportunities", "get_leads_at_risk", "update_rep_stats"];

    private static readonly string[] s_views =
        ["v_sales_dashboard", "v_leads_requires_attention", "v_sales_rep_performance", "v_sales_forecast", "v_conversion_funnel", "mv_sales_metrics"];

    public static TheoryData<string> Pages => [.. s_guides.SelectMany(guide => (string[])[$"docs/{guide}.md", $"docs/es/{guide}.md"])];

    public static TheoryData<string> QueryPages => ["docs/queries.md", "docs/es/queries.md"];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Queries_OfAGuide_RunOnASample(string page)
    {
        await FillAsync();
        foreach (var query in Blocks(await ReadAsync(page), "sql"))
        {
            await database.ExecuteAsync(query);
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Commands_OfAGuide_AreCommandsOfTheProgram(string page)
    {
        var text = await ReadAsync(page);
        var lines = Blocks(text, "sh").SelectMany(block => block.Split('\n')).Where(line => line.StartsWith("./sales-tasks ", StringComparison.Ordinal))
            .Concat(Inline().Matches(text).Select(match => match.Groups["command"].Value))
            .ToList();
        var tree = Commands.Tree(new TestHost().Host());

        Assert.All(lines, line =>
        {
            var words = Word().Matches(line.Split(" #")[0]).Select(match => match.Value.Trim('"')).Skip(1).ToArray();
            var faults = UsageFaults.Of(tree.Root.Parse(words));
            Assert.True(faults.Count == 0, $"{line}\n{string.Join('\n', faults)}");
        });
        Assert.True(lines.Count > 0 || page.Contains("queries", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(QueryPages))]
    public async Task Queries_EveryViewAndFunction_HasASectionWithItsColumnsAndAQuery(string page)
    {
        var sections = (await ReadAsync(page)).Split("\n## ").ToDictionary(section => section.Split('\n')[0].Trim('`'), StringComparer.Ordinal);

        foreach (var name in s_views.Concat(s_functions))
        {
            Assert.True(sections.TryGetValue(name, out var section), $"{page} has no section {name}");
            Assert.NotEmpty(Blocks(section!, "sql"));
            var columns = s_views.Contains(name) ? await ViewColumnsAsync(name) : await FunctionColumnsAsync(name);
            Assert.All(columns, column => Assert.Contains($"`{column}`", section, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Guides_InBothLanguages_HaveTheSameQueriesAndAsManySections()
    {
        foreach (var guide in s_guides)
        {
            var (english, spanish) = (await ReadAsync($"docs/{guide}.md"), await ReadAsync($"docs/es/{guide}.md"));
            Assert.Equal(Blocks(english, "sql"), Blocks(spanish, "sql"));
            Assert.Equal(Headings(english), Headings(spanish));
            Assert.Contains($"({guide}.md)", await ReadAsync("docs/index.md"), StringComparison.Ordinal);
            Assert.Contains($"(es/{guide}.md)", await ReadAsync("docs/index.md"), StringComparison.Ordinal);
        }

        static int Headings(string page) => page.Split('\n').Count(line => line.StartsWith("## ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Development_Layout_NamesEveryFolderOfTheProgram()
    {
        var page = await ReadAsync("docs/development.md");

        Assert.All(
            Directory.GetDirectories($"{Checkout.Root}/src/SalesTasks").Select(folder => Path.GetFileName(folder)).Where(name => name is not ("bin" or "obj")),
            name => Assert.Matches($"[`/]{name}`", page));
    }

    [Theory]
    [InlineData("docs/commands.md")]
    [InlineData("docs/es/commands.md")]
    public async Task Commands_Page_HasEachRowOnce(string page)
    {
        var rows = (await ReadAsync(page)).Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split(" | ")[0]).ToList();

        Assert.NotEmpty(rows);
        Assert.Equal(rows.Distinct(StringComparer.Ordinal), rows);
    }

    /// <summary>The view's own columns; those it takes over from the pipeline are told in one sentence.</summary>
    private async Task<List<string>> ViewColumnsAsync(string view) => await database.QueryAsync(
        """
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = @view::regclass AND attnum > 0
          AND (@view <> 'v_leads_requires_attention' OR attname NOT IN (SELECT attname FROM pg_attribute WHERE attrelid = 'sales_pipeline'::regclass))
        """,
        row => row.GetString(0),
        ("view", view));

    private async Task<List<string>> FunctionColumnsAsync(string function) => await database.QueryAsync(
        """
        SELECT n.name FROM pg_proc p CROSS JOIN LATERAL unnest(p.proargnames, p.proargmodes) AS n (name, mode)
        WHERE p.proname = @function AND p.pronamespace = 'public'::regnamespace AND n.mode = 't'
        """,
        row => row.GetString(0),
        ("function", function));

    private Task<int> FillAsync() => database.ExecuteAsync(
        """
        INSERT INTO sales_reps (email, name) VALUES ('rep@sales.example', 'Rep') ON CONFLICT DO NOTHING;
        INSERT INTO leads (ext_id, source, email) SELECT 'lead-' || n, 'organic', n || '@acme.example' FROM generate_series(1, 8) n ON CONFLICT DO NOTHING;
        INSERT INTO sales_pipeline (lead_ext_id, email, stage, assigned_to, estimated_value, qualified_at)
        SELECT ext_id, email, (ARRAY['qualified', 'contacted', 'negotiating', 'closed_won'])[1 + lead_id % 4]::pipeline_stage, 'rep@sales.example', 12000, now() - interval '20 days'
        FROM leads ON CONFLICT DO NOTHING
        """);

    private static List<string> Blocks(string page, string language) =>
        [.. Block().Matches(page).Where(match => match.Groups["language"].Value == language).Select(match => Regex.Replace(match.Groups["text"].Value, "(?m)^ +(?=\\./)", ""))];

    private static async Task<string> ReadAsync(string path) => await File.ReadAllTextAsync($"{Checkout.Root}/{path}", TestContext.Current.CancellationToken);

    [GeneratedRegex(@"^ *```(?<language>\w+)\n(?<text>.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();

    [GeneratedRegex(@"`(?<command>\./sales-tasks [^`\n]+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Inline();

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Word();
}
