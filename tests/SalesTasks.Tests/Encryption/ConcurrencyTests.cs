using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Encryption;

/// <summary>Encrypting and rotating keys while others work, twice at once, and killed.</summary>
public sealed class ConcurrencyTests(PostgresServer server)
{
    /// <summary>More than two batches.</summary>
    private const int Leads = 11_000;

    private static readonly string s_both = Keys.Connection("k2", 2, 99, ("k1", 1));

    [Fact]
    public async Task Encrypt_KilledBetweenBatches_GoesOnAndLosesNothing()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var before = await FillAsync(database);
        var program = ProgramRunner.For(database).With(Keys.Variable, Keys.Connection());

        // In the first transaction, and in one after another was committed.
        foreach (var values in (int[])[0, 4_000])
        {
            await KillAtAsync(database, program, ["privacy", "encrypt"], $"SELECT count(*) >= {values} FROM sealed_values");
            await AssertWholeAsync(database);
        }

        (await program.RunAsync("privacy", "encrypt")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE phone NOT LIKE 'sealed-%'"));
        (await program.RunAsync("privacy", "decrypt", "--yes")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(before, await PhonesAsync(database));
    }

    [Fact]
    public async Task Rotate_TwiceAtOnceAndKilled_LosesNothing()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var before = await FillAsync(database);
        (await ProgramRunner.For(database).With(Keys.Variable, Keys.Connection()).RunAsync("privacy", "encrypt")).ShouldExitWith(ExitCode.Done);
        var program = ProgramRunner.For(database).With(Keys.Variable, s_both);
        string[] rotate = ["privacy", "encrypt", "--rotate"];

        await KillAtAsync(database, program, rotate, "SELECT count(*) >= 4000 FROM sealed_values WHERE key_id = 'k2'");
        await AssertWholeAsync(database);
        var results = await TwoRunners.RunAsync(() => program.Start(rotate), async () =>
            Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sealed_values WHERE key_id <> 'k2'")));

        Assert.Equal(
            Leads - await RotatedBeforeAsync(), results.Sum(r => r.Result.GetProperty("counts").GetProperty("rotated").GetInt64()));
        (await ProgramRunner.For(database).With(Keys.Variable, Keys.Connection("k2", 2)).RunAsync("privacy", "decrypt", "--yes")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(before, await PhonesAsync(database));

        // The killed run had committed its first batch.
        static Task<long> RotatedBeforeAsync() => Task.FromResult(5_000L);
    }

    [Fact]
    public async Task Encrypt_TwiceAtOnceWithWriters_SealsEverything()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        await FillAsync(database);
        var program = ProgramRunner.For(database).With(Keys.Variable, Keys.Connection());
        using var done = new CancellationTokenSource();
        var writer = Task.Run(
            async () =>
            {
                var writes = 0;
                while (!done.IsCancellationRequested)
                {
                    // As another tool does: plain text over whatever is there.
                    await database.ExecuteAsync(
                        "UPDATE leads SET phone = '+34 655 ' || lpad(lead_id::text, 6, '0') WHERE lead_id = (@n * 37) % @leads + 1", ("n", writes), ("leads", Leads));
                    writes++;
                }
            },
            TestContext.Current.CancellationToken);

        await TwoRunners.RunAsync(() => program.Start("privacy", "encrypt"), () => Task.CompletedTask);
        await done.CancelAsync();
        await writer;
        await AssertWholeAsync(database);
        (await program.RunAsync("privacy", "encrypt")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE phone NOT LIKE 'sealed-%'"));
        (await program.RunAsync("privacy", "decrypt", "--yes")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(0, await database.ScalarAsync<long>(
            "SELECT count(*) FROM leads WHERE phone NOT IN ('+34 600 ' || lpad(lead_id::text, 6, '0'), '+34 655 ' || lpad(lead_id::text, 6, '0'))"));
    }

    private static async Task<string> FillAsync(TestDatabase database)
    {
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, phone) SELECT 'lead-' || i, 'web', NULL FROM generate_series(1, @leads) AS i;
            UPDATE leads SET phone = '+34 600 ' || lpad(lead_id::text, 6, '0')
            """,
            ("leads", Leads));
        return await PhonesAsync(database);
    }

    private static async Task<string> PhonesAsync(TestDatabase database) =>
        (await database.ScalarAsync<string>("SELECT md5(string_agg(ext_id || ' ' || phone, ',' ORDER BY lead_id)) FROM leads"))!;

    /// <summary>Whatever stands as a token has its value.</summary>
    private static async Task AssertWholeAsync(TestDatabase database) => Assert.Equal(0, await database.ScalarAsync<long>(
        "SELECT count(*) FROM leads l WHERE phone LIKE 'sealed-%' AND NOT EXISTS (SELECT FROM sealed_values v WHERE v.lead_id = l.lead_id AND v.token = l.phone)"));

    /// <summary>Kills the program in the transaction that stores values once the condition holds: it is held up there until it is dead.</summary>
    private static async Task KillAtAsync(TestDatabase database, ProgramRunner program, string[] command, string condition)
    {
        await database.ExecuteAsync(
            $"""
            CREATE OR REPLACE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF ({condition}) THEN
                PERFORM pg_advisory_xact_lock(4711);
              END IF;
              RETURN NULL;
            END $$;
            CREATE TRIGGER hold_up BEFORE INSERT OR UPDATE ON sealed_values FOR EACH STATEMENT EXECUTE FUNCTION hold_up()
            """);
        await using (var holder = await database.OpenConnectionAsync())
        {
            await using var transaction = await holder.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using var hold = holder.CreateCommand();
            hold.CommandText = "SELECT pg_advisory_xact_lock(4711)";
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            var running = program.Start(command);
            await Eventually.HoldsAsync("it stores values", () => database.ScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"));
            running.Kill();
            Assert.True((await running.Completion).Killed);
        }

        await database.ExecuteAsync("DROP TRIGGER hold_up ON sealed_values");
        await Eventually.HoldsAsync("the server has noticed", () => database.ScalarAsync<bool>(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%privacy%')"));
    }
}
