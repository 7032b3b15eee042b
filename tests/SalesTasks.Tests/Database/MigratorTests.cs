using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

public sealed class MigratorTests(PostgresServer server, TestDatabase clean) : IClassFixture<TestDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int, bool> KillPoints
    {
        get
        {
            var points = new TheoryData<int, bool>();
            for (var i = 0; i < Migration.Embedded.Count; i++)
            {
                points.Add(i, false);
                points.Add(i, true);
            }

            return points;
        }
    }

    [Fact]
    public async Task MigrateAsync_EmptyDatabase_AppliesAllInOrderOnce()
    {
        await using var database = await EmptyAsync();
        await using var sales = database.Open();
        var migrator = new Migrator(sales, TimeProvider.System);

        var first = await migrator.MigrateAsync(Token);
        var before = await database.FingerprintAsync();
        var second = await migrator.MigrateAsync(Token);

        Assert.Equal(Migration.Embedded.Select(migration => (migration.Version, migration.Name)), first.Select(step => (step.Version, step.Name)));
        Assert.Empty(second);
        Assert.Equal(before, await database.FingerprintAsync());
        await sales.CheckSchemaAsync(Token);
    }

    [Fact]
    public async Task MigrateAsync_TwentyRunnersAtOnce_ApplyEachMigrationOnce()
    {
        await using var database = await EmptyAsync();
        using var start = new Barrier(20);

        var applied = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Factory.StartNew(
            async () =>
            {
                await using var sales = database.Open();
                start.SignalAndWait(Token);
                return await new Migrator(sales, TimeProvider.System).MigrateAsync(Token);
            },
            Token,
            // A thread of its own: all twenty wait at the barrier.
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap()));

        Assert.Equal(
            Migration.Embedded.Select(migration => migration.Version),
            applied.SelectMany(steps => steps).Select(step => step.Version).Order());
        Assert.Equal(await CleanSchemaAsync(), await SchemaDump.ReadAsync(database));
    }

    [Theory]
    [MemberData(nameof(KillPoints))]
    public async Task MigrateAsync_KilledInside_LeavesWholeMigrationsAndTheNextRunCompletes(int index, bool atItsEnd)
    {
        await using var database = await EmptyAsync();
        await using var sales = database.Open();
        var victim = Migration.Embedded[index];
        const string kill = "SELECT pg_terminate_backend(pg_backend_pid());\n";
        var deadly = victim with { Text = atItsEnd ? $"{victim.Text}\n;{kill}" : $"{kill}{victim.Text}" };

        var error = await Assert.ThrowsAnyAsync<NpgsqlException>(() =>
            new Migrator(sales, TimeProvider.System, [.. Migration.Embedded.Take(index), deadly]).MigrateAsync(Token));
        var left = await database.ScalarAsync<long>("SELECT count(*) FROM schema_migrations");

        Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(error)?.ExitCode);
        Assert.Equal(index, left);
        await using var retry = database.Open();
        Assert.Equal(Migration.Embedded.Count - index, (await new Migrator(retry, TimeProvider.System).MigrateAsync(Token)).Count);
        Assert.Equal(await CleanSchemaAsync(), await SchemaDump.ReadAsync(database));
    }

    [Fact]
    public async Task MigrateAsync_FailingMigration_LeavesThoseBeforeItAndNothingOfIt()
    {
        await using var database = await EmptyAsync();
        await using var sales = database.Open();
        Migration[] migrations =
        [
            new(1, "good", "CREATE TABLE good (n int);"),
            new(2, "bad", "CREATE TABLE half (n int); SELECT 1 / 0;"),
        ];

        var error = await Assert.ThrowsAsync<PostgresException>(() => new Migrator(sales, TimeProvider.System, migrations).MigrateAsync(Token));

        Assert.Equal("22012", error.SqlState);
        Assert.Equal(
            ["good", "schema_migrations"],
            await database.QueryAsync("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", row => row.GetString(0)));
        Assert.Equal([1], await database.QueryAsync("SELECT version FROM schema_migrations", row => row.GetInt32(0)));
    }

    [Fact]
    public async Task MigrateAsync_AnotherRunnerHoldsTheLock_WaitsBeyondTheLockTimeOutAndThenGoesOn()
    {
        await using var database = await EmptyAsync();
        await using var holder = await database.OpenConnectionAsync();
        var transaction = await HoldLockAsync(holder, "public");
        var options = new SalesDatabaseOptions { LockTimeout = TimeSpan.FromMilliseconds(1), StatementTimeout = TimeSpan.FromMilliseconds(100) };
        await using var sales = new SalesDatabase(database.Connection, options, TimeProvider.System);

        var run = new Migrator(sales, TimeProvider.System, [new Migration(1, "one", "CREATE TABLE one (n int)")]).MigrateAsync(Token);
        await Eventually.HoldsAsync("the runner waits for longer than its time-outs", async () => await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory' "
            + "AND query_start < clock_timestamp() - interval '150 milliseconds'") == 1);
        Assert.False(run.IsCompleted);
        await transaction.CommitAsync(Token);

        Assert.Single(await run);
    }

    [Fact]
    public async Task MigrateAsync_CancelledWhileWaiting_Ends()
    {
        await using var database = await EmptyAsync();
        await using var holder = await database.OpenConnectionAsync();
        await using var transaction = await HoldLockAsync(holder, "public");
        await using var sales = database.Open();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var run = new Migrator(sales, TimeProvider.System).MigrateAsync(stop.Token);
        await Eventually.HoldsAsync("the runner waits", async () => await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'") == 1);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task Schema_NewerThanTheProgram_IsRefusedNamingBothVersions()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync("INSERT INTO schema_migrations VALUES (9999, 'future', 'x', now(), 1, '99.1.0')");
        await using var sales = database.Open();

        foreach (var error in new[]
                 {
                     await Assert.ThrowsAsync<JobException>(() => new Migrator(sales, TimeProvider.System).MigrateAsync(Token)),
                     await Assert.ThrowsAsync<JobException>(() => sales.CheckSchemaAsync(Token)),
                 })
        {
            Assert.Equal(ExitCode.Refused, error.ExitCode);
            Assert.Contains("9999", error.Message, StringComparison.Ordinal);
            Assert.Contains($"({Migration.Embedded[^1].Version},", error.Message, StringComparison.Ordinal);
            Assert.Contains("upgrade the program image to 99.1.0", error.Message, StringComparison.Ordinal);
        }

        var states = await new Migrator(sales, TimeProvider.System).StatusAsync(Token);
        Assert.Equal((9999, MigrationStatus.Unknown), (states[^1].Version, states[^1].Status));
    }

    [Fact]
    public async Task Schema_AppliedMigrationChanged_IsRefused()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await database.ExecuteAsync("UPDATE schema_migrations SET checksum = md5(checksum) WHERE version = 2");
        await using var sales = database.Open();

        foreach (var error in new[]
                 {
                     await Assert.ThrowsAsync<JobException>(() => new Migrator(sales, TimeProvider.System).MigrateAsync(Token)),
                     await Assert.ThrowsAsync<JobException>(() => sales.CheckSchemaAsync(Token)),
                 })
        {
            Assert.Equal(ExitCode.Refused, error.ExitCode);
            Assert.Contains("Migration 2 (leads)", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(MigrationStatus.Changed, (await new Migrator(sales, TimeProvider.System).StatusAsync(Token))[1].Status);
    }

    [Fact]
    public async Task CheckSchemaAsync_EmptyDatabase_IsRefusedWithTheCommandThatHelps()
    {
        await using var database = await EmptyAsync();
        await using var sales = database.Open();

        var error = await Assert.ThrowsAsync<JobException>(() => sales.CheckSchemaAsync(Token));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains("run \"sales-tasks db migrate\"", error.Message, StringComparison.Ordinal);
        Assert.Contains("schema \"public\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckSchemaAsync_OlderSchema_IsRefusedNamingBothVersions()
    {
        await using var database = await EmptyAsync();
        await using var sales = database.Open();
        await new Migrator(sales, TimeProvider.System, [.. Migration.Embedded.Take(1)]).MigrateAsync(Token);

        var error = await Assert.ThrowsAsync<JobException>(() => sales.CheckSchemaAsync(Token));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains($"has version 1, this program needs {Migration.Embedded[^1].Version}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StatusAsync_HalfMigrated_TellsAppliedAndPending()
    {
        await using var database = await EmptyAsync();
        await using var sales = database.Open();
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero));
        Assert.All(await new Migrator(sales, clock).StatusAsync(Token), state => Assert.Equal(MigrationStatus.Pending, state.Status));
        await new Migrator(sales, clock, [.. Migration.Embedded.Take(1)]).MigrateAsync(Token);

        var states = await new Migrator(sales, clock).StatusAsync(Token);

        Assert.Equal(
            new MigrationState(1, "types", MigrationStatus.Applied, clock.GetUtcNow(), TimeSpan.Zero, Migration.ProgramVersion), states[0]);
        Assert.All(states.Skip(1), state => Assert.Equal(MigrationStatus.Pending, state.Status));
        Assert.Equal(Migration.Embedded.Select(migration => migration.Version), states.Select(state => state.Version));
    }

    [Theory]
    [InlineData("sales", "sales")]
    [InlineData("Sales, public", "sales")]
    [InlineData("\"Sales \"\"A\"\", B\", public", "Sales \"A\", B")]
    [InlineData("\"$user\", sales, public", "sales")]
    public async Task MigrateAsync_FirstSchemaOfSearchPathMissing_IsCreatedAndHoldsEverything(string searchPath, string schema)
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var before = await SchemaDump.ReadAsync(database);
        var connection = database.Connection;
        connection.SearchPath = searchPath;
        await using var sales = new SalesDatabase(connection, new SalesDatabaseOptions(), TimeProvider.System);

        // A neighbour in public, although on the search_path, is not ours.
        var error = await Assert.ThrowsAsync<JobException>(() => sales.CheckSchemaAsync(Token));
        Assert.Contains($"schema \"{schema}\"", error.Message, StringComparison.Ordinal);
        await new Migrator(sales, TimeProvider.System).MigrateAsync(Token);

        await sales.CheckSchemaAsync(Token);
        Assert.Equal(before, await SchemaDump.ReadAsync(database));
        Assert.Equal(before, await SchemaDump.ReadAsync(database, schema));
    }

    [Fact]
    public async Task MigrateAsync_SchemaNamedAfterTheUser_CountsBeforePublic()
    {
        await using var database = await EmptyAsync();
        var user = database.Connection.Username!;
        await database.ExecuteAsync($"CREATE SCHEMA \"{user}\"");
        await using var sales = database.Open();

        await new Migrator(sales, TimeProvider.System).MigrateAsync(Token);

        Assert.Equal(await CleanSchemaAsync(), await SchemaDump.ReadAsync(database, user));
    }

    [Fact]
    public async Task MigrateAsync_JournalOfAnotherTool_IsRefusedAndLeftAlone()
    {
        await using var database = await EmptyAsync();
        await database.ExecuteAsync("CREATE TABLE schema_migrations (version varchar NOT NULL); INSERT INTO schema_migrations VALUES ('2024')");
        await using var sales = database.Open();

        var error = await Assert.ThrowsAsync<JobException>(() => new Migrator(sales, TimeProvider.System).MigrateAsync(Token));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains("belongs to another tool", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));

        // In a schema of our own, the same table further down the search_path does no harm.
        var connection = database.Connection;
        connection.SearchPath = "sales, public";
        await using var own = new SalesDatabase(connection, new SalesDatabaseOptions(), TimeProvider.System);
        Assert.NotEmpty(await new Migrator(own, TimeProvider.System).MigrateAsync(Token));
    }

    [Fact]
    public async Task MigrateAsync_TableOfAnotherSystemInTheWay_IsRefusedNamingIt()
    {
        await using var database = await EmptyAsync();
        await database.ExecuteAsync("CREATE TABLE leads (ext_id varchar)");
        await using var sales = database.Open();

        var error = await Assert.ThrowsAsync<JobException>(() => new Migrator(sales, TimeProvider.System).MigrateAsync(Token));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains("\"leads\"", error.Message, StringComparison.Ordinal);
        Assert.Contains("db adopt --dry-run", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Theory]
    [InlineData("public")] // there, but closed
    [InlineData("sales")] // missing, and we may not create it
    public async Task MigrateAsync_WithoutPrivilege_IsRefusedWithTheStatementThatHelps(string schema)
    {
        await using var database = await EmptyAsync();
        await using var role = await TestRole.CreateAsync(database);
        await database.ExecuteAsync("REVOKE ALL ON SCHEMA public FROM PUBLIC");
        var connection = role.Connection;
        connection.SearchPath = schema;
        await using var sales = new SalesDatabase(connection, new SalesDatabaseOptions(), TimeProvider.System);

        var error = await Assert.ThrowsAsync<JobException>(() => new Migrator(sales, TimeProvider.System).MigrateAsync(Token));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains(role.Name, error.Message, StringComparison.Ordinal);
        var remedy = error.Message[(error.Message.LastIndexOf(": ", StringComparison.Ordinal) + 2)..];
        await database.ExecuteAsync(remedy);
        Assert.NotEmpty(await new Migrator(sales, TimeProvider.System).MigrateAsync(Token));
    }

    [Fact]
    public void RequireSupported_OldServer_IsRefused()
    {
        var error = Assert.Throws<JobException>(() => Migrator.RequireSupported(new Version(11, 22), "db:5432"));

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains("11.22", error.Message, StringComparison.Ordinal);
        Migrator.RequireSupported(new Version(12, 0), "db:5432");
    }

    private Task<TestDatabase> EmptyAsync() => TestDatabase.CreateAsync(server, migrated: false);

    private Task<string> CleanSchemaAsync() => SchemaDump.ReadAsync(clean);

    private static async Task<NpgsqlTransaction> HoldLockAsync(NpgsqlConnection connection, string schema)
    {
        var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteStatementAsync("database/lock_schema", [("schema_name", schema)], Token);
        return transaction;
    }
}
