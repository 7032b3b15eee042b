using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary><c>db migrate</c> as a process of its own.</summary>
public sealed class MigrateCommandTests(PostgresServer server, TestDatabase clean) : IClassFixture<TestDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Migrate_KilledAtRandomInstants_CompletesInTheEnd(int seed)
    {
        TimeSpan usual;
        await using (var rehearsal = await TestDatabase.CreateAsync(server, migrated: false))
        {
            usual = (await ProgramRunner.For(rehearsal).RunAsync("db", "migrate")).ShouldExitWith(ExitCode.Done).Duration;
        }

        await using var database = await TestDatabase.CreateAsync(server, migrated: false);
        var killed = await KillHarness.RunAsync(
            () => ProgramRunner.For(database).Start("db", "migrate"),
            usual,
            kills: 8,
            seed,
            invariant: async () => Assert.Equal(await SchemaDump.ReadAsync(clean), await SchemaDump.ReadAsync(database)),
            always: () => WholeMigrationsAsync(database));

        Assert.InRange(killed, 1, 8);
    }

    [Fact]
    public async Task Migrate_FourProcessesAtOnce_MigrateOnce()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);

        await TwoRunners.RunAsync(
            () => ProgramRunner.For(database).Start("db", "migrate"),
            async () => Assert.Equal(await SchemaDump.ReadAsync(clean), await SchemaDump.ReadAsync(database)),
            runners: 4);
    }

    [Fact]
    public async Task Migrate_Twice_ChangesNothingTheSecondTime()
    {
        await using var database = await TestDatabase.CreateAsync(server, migrated: false);

        await TwiceRun.RunAsync(database, () => ProgramRunner.For(database).Start("db", "migrate"));

        Assert.Equal(await SchemaDump.ReadAsync(clean), await SchemaDump.ReadAsync(database));
    }

    [Fact]
    public async Task Migrate_UnknownDatabase_IsRefusedWithoutShowingThePassword()
    {
        var connection = new UriBuilder(clean.AirflowUri) { Path = "no_such_database", Password = "a-secret" }.ToString();

        var result = await ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", connection).RunAsync("db", "migrate");

        // A server that checks passwords refuses for that reason already.
        result.ShouldExitWith(ExitCode.Refused);
        Assert.DoesNotContain("a-secret", result.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The journal holds 1, 2, …, n, and the schema is what these make: checked by the status each has.</summary>
    private static async Task WholeMigrationsAsync(TestDatabase database)
    {
        await using var sales = database.Open();
        var states = await new Migrator(sales, TimeProvider.System).StatusAsync(Token);
        var applied = states.TakeWhile(state => state.Status == MigrationStatus.Applied).Count();
        Assert.All(states.Skip(applied), state => Assert.Equal(MigrationStatus.Pending, state.Status));
    }
}
