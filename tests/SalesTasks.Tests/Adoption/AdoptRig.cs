using SalesTasks.Adoption;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Adoption;

/// <summary>Databases as an installation before this one left them.</summary>
internal static class AdoptRig
{
    /// <summary>What triggers and defaults take for now.</summary>
    public static readonly DateTimeOffset Present = new(2026, 1, 31, 6, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A careless one: see before.sql. The caller disposes of it.</summary>
    public static async Task<TestDatabase> MessyAsync(PostgresServer server)
    {
        var database = await EmptyAsync(server);
        await database.ExecuteAsync(await File.ReadAllTextAsync($"{Checkout.Root}/tests/SalesTasks.Tests/Adoption/before.sql", Token));
        return database;
    }

    public static Task<TestDatabase> EmptyAsync(PostgresServer server) => TestDatabase.CreateAsync(server, migrated: false);

    public static AdoptOptions Options(bool dryRun = false, string zone = "UTC", string? oldSchema = null, params (string, string, string)[] words) =>
        new(oldSchema, zone, words, dryRun);

    public static async Task<AdoptionReport> AdoptAsync(TestDatabase database, AdoptOptions? options = null)
    {
        await using var sales = database.Open(time: new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Present));
        return await new AdoptDatabase(sales, TimeProvider.System, options ?? Options(), _ => { }).RunAsync(Token);
    }

    /// <summary>All relations with their schema and all rows of tables: equal before and after means that nothing changed.</summary>
    public static async Task<string> EverythingAsync(TestDatabase database)
    {
        var objects = await database.QueryAsync(
            """
            SELECT format('%s %I.%I', c.relkind, n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1
            """,
            row => row.GetString(0));
        return string.Join('\n', objects) + string.Join('\n', await database.FingerprintAsync());
    }
}
