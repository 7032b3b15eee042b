using System.Text.RegularExpressions;
using SalesTasks.Database;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary>From every version there ever was to the newest, with rows in every table it had; and never the other way.</summary>
public sealed partial class UpgradeTests(PostgresServer server, TestDatabase clean) : IClassFixture<TestDatabase>
{
    /// <summary>Tables that a migration fills, or empties because their content is derived.</summary>
    private static readonly string[] s_derived = ["schema_migrations"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int> Versions => [.. Migration.Embedded.Select(migration => migration.Version)];

    /// <summary>Every command that reads the schema, with the arguments it cannot do without.</summary>
    private static readonly string[] s_commandLines =
    [
        .. Commands.Dags.SelectMany(dag => dag.Steps).Select(job => job.Name).Distinct().Where(name => name is not "leads import"),
        "db status", "db migrate", "db adopt", "db adopt --dry-run", "db adopt --finish", "validate", "health", "insights", "explain lead-1", "scoring rules show",
        "reps list", "campaigns list", "experiment show", "crm status", "ml models", "timing show", "leads show lead-1", "leads opt-out lead-1",
        "leads mappings list", "alerts list", "outbox list", "outbox policy", "suppressions count",
    ];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task MigrateAsync_FromAVersionWithRowsInEveryTable_LosesNoneAndEndsAsANewSchema(int version)
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        await using var sales = database.Open();
        await new Migrator(sales, TimeProvider.System, [.. Migration.Embedded.Take(version)]).MigrateAsync(Token);
        await database.ExecuteAsync(await File.ReadAllTextAsync($"{Checkout.Root}/tests/SalesTasks.Tests/Database/fill_every_table.sql", Token));
        var before = await ContentAsync(database);
        Assert.True(version == 1 || before.Count > 1);

        await new Migrator(sales, TimeProvider.System).MigrateAsync(Token);

        await sales.CheckSchemaAsync(Token);
        foreach (var (table, (columns, rows)) in before)
        {
            var lost = rows.Except(await RowsAsync(database, table, columns)).ToList();
            Assert.True(lost.Count == 0, $"{table} lost {string.Join('\n', lost)}");
        }

        // Months that are there because rows lay in them are no difference.
        Assert.Equal(await SchemaAsync(clean), await SchemaAsync(database));
    }

    [Fact]
    public async Task Commands_OnANewerSchema_AreRefusedAndSayWhatToUpgrade()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync("INSERT INTO schema_migrations VALUES (9999, 'tomorrow', 'x', now(), 1, '9.9.9')");
        var faults = new List<string>();
        foreach (var command in s_commandLines)
        {
            var host = new TestHost(database)
                .With("AIRFLOW_CONN_SALES_CRM", "http://:token@localhost").With("AIRFLOW_CONN_SALES_EMAIL", "http://localhost");
            var code = await host.RunAsync(command.Split(' '));
            var told = host.Output + host.Errors;
            // Those that look at the schema itself tell what they see.
            var (expected, words) = command switch
            {
                "db status" => (ExitCode.Refused, "unknown to this program"),
                "validate" => (ExitCode.Findings, "9999"),
                "health" => (ExitCode.Critical, "9.9.9 or later"),
                _ => (ExitCode.Refused, "9.9.9 or later"),
            };
            if (code != expected || !told.Contains(words, StringComparison.Ordinal))
            {
                faults.Add($"{command}: {code} {told}");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("scoring score")]
    [InlineData("outbox dispatch")]
    [InlineData("reps list")]
    [InlineData("validate")]
    public async Task Command_OnAnOlderSchema_SaysDbMigrate(string command)
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        await using (var sales = database.Open())
        {
            await new Migrator(sales, TimeProvider.System, [.. Migration.Embedded.SkipLast(1)]).MigrateAsync(Token);
        }

        var host = new TestHost(database);
        var code = await host.RunAsync(command.Split(' '));

        // validate looks at what is there and reports the rest.
        Assert.Equal(command is "validate" ? ExitCode.Findings : ExitCode.Refused, code);
        Assert.Contains("db migrate", host.Output + host.Errors, StringComparison.Ordinal);
    }

    private static async Task<string> SchemaAsync(TestDatabase database) => string.Join(
        '\n',
        (await SchemaDump.ReadAsync(database)).Split('\n').Where(line => !Month().IsMatch(line)));

    private static async Task<Dictionary<string, (string[] Columns, HashSet<string> Rows)>> ContentAsync(TestDatabase database)
    {
        var content = new Dictionary<string, (string[], HashSet<string>)>(StringComparer.Ordinal);
        var tables = await database.QueryAsync(
            """
            SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition GROUP BY c.relname
            """,
            row => (Name: row.GetString(0), Columns: row.GetFieldValue<string[]>(1)));
        foreach (var (name, columns) in tables.Where(table => !s_derived.Contains(table.Name)))
        {
            content[name] = (columns, await RowsAsync(database, name, columns));
            Assert.NotEmpty(content[name].Item2);
        }

        return content;
    }

    private static async Task<HashSet<string>> RowsAsync(TestDatabase database, string table, string[] columns) =>
    [
        .. await database.QueryAsync(
            $"SELECT md5(row({string.Join(", ", columns.Select(column => $"t.\"{column}\""))})::text) FROM \"{table}\" t", row => row.GetString(0)),
    ];

    [GeneratedRegex("lead_scores_[0-9]{6}")]
    private static partial Regex Month();
}
