using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Scoring;

/// <summary>lead_score_history behaves as the table of the contract, for tools that know nothing of what is behind it.</summary>
public sealed class HistoryViewTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ScoringRig _rig = new(database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.ExecuteAsync("TRUNCATE leads CASCADE");
        await _rig.AddLeadAsync("a");
        await _rig.AddLeadAsync("b");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Insert_AllColumnsAsStringLiterals_StoresThemAndReturnsTheRow()
    {
        var row = Assert.Single(await database.RowsAsync(
            """
            INSERT INTO lead_score_history (lead_ext_id, score, previous_score, priority, scoring_factors, calculated_at, calculated_by)
            VALUES ('a', '55', '40', 'high', '{"email": 10}', '2026-03-02 10:00:00+01', 'import')
            RETURNING *
            """));

        Assert.True((long)row["id"]! > 0);
        Assert.Equal(("a", 55, 40, "high", 15), (row["lead_ext_id"], row["score"], row["previous_score"], row["priority"], row["score_change"]));
        Assert.Equal(("""{"email": 10}""", "import"), (row["scoring_factors"], row["calculated_by"]));
        Assert.Equal(new DateTime(2026, 3, 2, 9, 0, 0, DateTimeKind.Utc), row["calculated_at"]);
        Assert.Equal(
            row.Select(c => $"{c}"), Assert.Single(await database.RowsAsync("SELECT * FROM lead_score_history")).Select(c => $"{c}"));
    }

    [Fact]
    public async Task Insert_WithoutOptionalColumns_TakesTheDefaults()
    {
        await database.ExecuteAsync("BEGIN; SET LOCAL salestasks.as_of = '2026-03-01T00:00:00Z'; INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('a', '30'); COMMIT");

        var row = Assert.Single(await database.RowsAsync("SELECT * FROM lead_score_history"));
        Assert.Equal((30, null, null, 30), (row["score"], row["previous_score"], row["priority"], row["score_change"]));
        Assert.Equal((null, "automated_scoring"), (row["scoring_factors"], row["calculated_by"]));
        Assert.Equal(new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc), row["calculated_at"]);
    }

    [Fact]
    public async Task Insert_SeveralRowsAndAGivenId_KeepsThem()
    {
        var ids = await database.QueryAsync(
            "INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('a', 30), ('b', 31), ('a', 32) RETURNING id", row => row.GetInt64(0));
        await database.ExecuteAsync("INSERT INTO lead_score_history (id, lead_ext_id, score) VALUES ('987654321', 'b', 33)");

        Assert.Equal(3, ids.Distinct().Count());
        Assert.Equal(33, await database.ScalarAsync<int>("SELECT score FROM lead_score_history WHERE id = 987654321"));
    }

    [Theory]
    [InlineData("INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('nobody', 30)", PostgresErrorCodes.ForeignKeyViolation)]
    [InlineData("INSERT INTO lead_score_history (lead_ext_id, score) VALUES (NULL, 30)", PostgresErrorCodes.ForeignKeyViolation)]
    [InlineData("INSERT INTO lead_score_history (lead_ext_id) VALUES ('a')", PostgresErrorCodes.NotNullViolation)]
    [InlineData("INSERT INTO lead_score_history (lead_ext_id, score, priority) VALUES ('a', 1, 'enormous')", PostgresErrorCodes.InvalidTextRepresentation)]
    [InlineData("UPDATE lead_score_history SET lead_ext_id = 'nobody'", PostgresErrorCodes.ForeignKeyViolation)]
    [InlineData("UPDATE lead_score_history SET score = NULL", PostgresErrorCodes.NotNullViolation)]
    public async Task Write_AgainstTheContract_IsRefusedAsByATable(string sql, string sqlState)
    {
        await database.ExecuteAsync("INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('a', 30)");

        var error = await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(sql));

        Assert.Equal(sqlState, error.SqlState);
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores"));
    }

    [Fact]
    public async Task Update_OfAScoredRow_ChangesWhatIsNamedAndKeepsTheFactors()
    {
        await _rig.ScoreAsync();
        const string factors = "SELECT scoring_factors::text FROM lead_score_history WHERE lead_ext_id = 'a'";
        var before = await database.ScalarAsync<string>(factors);

        Assert.Equal(1, await database.ExecuteAsync("UPDATE lead_score_history SET calculated_by = 'me', previous_score = '20' WHERE lead_ext_id = 'a'"));

        var row = Assert.Single(await database.RowsAsync("SELECT * FROM lead_score_history WHERE lead_ext_id = 'a'"));
        Assert.Equal((26, 20, 6, "me"), (row["score"], row["previous_score"], row["score_change"], row["calculated_by"]));
        Assert.Equal(before, row["scoring_factors"]);
        Assert.Equal(20, await database.ScalarAsync<short>("SELECT base_points FROM lead_scores WHERE calculated_by = 'me'"));
        Assert.Equal(1, await database.ExecuteAsync("""UPDATE lead_score_history SET scoring_factors = '{"own": 1}', calculated_at = '2026-02-01' WHERE calculated_by = 'me'"""));
        Assert.Equal("""{"own": 1}""", await database.ScalarAsync<string>(factors));
        Assert.Equal(1, await database.ExecuteAsync("UPDATE lead_score_history SET lead_ext_id = 'b', id = 77 WHERE calculated_by = 'me'"));
        Assert.Equal("b", await database.ScalarAsync<string>("SELECT lead_ext_id FROM lead_score_history WHERE id = 77"));
    }

    [Fact]
    public async Task Delete_ByIdOrLead_RemovesThoseRowsOnly()
    {
        await _rig.ScoreAsync();
        var id = await database.ScalarAsync<long>("INSERT INTO lead_score_history (lead_ext_id, score) VALUES ('a', 30) RETURNING id");

        Assert.Equal(1, await database.ExecuteAsync("DELETE FROM lead_score_history WHERE id = @id", ("id", id)));
        Assert.Equal(1, await database.ExecuteAsync("DELETE FROM lead_score_history WHERE lead_ext_id = 'a' AND calculated_at < '2030-01-01'"));

        Assert.Equal(["b"], await database.QueryAsync("SELECT lead_ext_id FROM lead_score_history", row => row.GetString(0)));
    }

    [Fact]
    public async Task Months_WithoutAPartition_LandInTheDefaultAndMoveWhenItIsMade()
    {
        await database.ExecuteAsync(
            """
            INSERT INTO lead_score_history (lead_ext_id, score, calculated_at)
            VALUES ('a', 1, '2019-04-30T23:59:59.999999Z'), ('a', 2, '2019-05-01T00:00:00Z'), ('a', 3, '2019-05-31T23:59:59.999999Z'), ('a', 4, '2019-06-01T00:00:00Z')
            """);
        Assert.Equal(["lead_scores_default"], await PartitionsAsync());

        // Asked for in a session of another time zone: months are those of UTC.
        await database.ExecuteAsync("SET timezone = 'Asia/Tokyo'; SELECT ensure_lead_scores_partition('2019-05-20'); RESET timezone");

        Assert.Equal(["lead_scores_201905", "lead_scores_default"], await PartitionsAsync());
        Assert.Equal([2, 3], await database.QueryAsync("SELECT score::int FROM lead_scores_201905 ORDER BY 1", row => row.GetInt32(0)));
        Assert.Equal(4, await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_history"));
        Assert.False(await database.ScalarAsync<bool>("SELECT ensure_lead_scores_partition('2019-05-01T00:00:00Z')"));
        await database.ExecuteAsync("INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) VALUES ('b', 5, '2019-05-15')");
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores_201905"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM pg_indexes WHERE tablename = 'lead_scores_201905' AND indexdef LIKE '%USING brin%'"));

        Task<List<string>> PartitionsAsync() =>
            database.QueryAsync("SELECT DISTINCT tableoid::regclass::text FROM lead_scores ORDER BY 1", row => row.GetString(0));
    }

    [Fact]
    public async Task EnsurePartition_ManyAtOnceAmongInserts_MakesItOnceAndLosesNothing()
    {
        await database.ExecuteAsync("INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) SELECT 'a', 1, '2018-01-10' FROM generate_series(1, 500)");
        using var start = new Barrier(8);

        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Factory.StartNew(
            async () =>
            {
                start.SignalAndWait(Token);
                if (worker < 5)
                {
                    return await database.ScalarAsync<bool>("SELECT ensure_lead_scores_partition('2018-01-01T00:00:00Z')") ? 1 : 0;
                }

                for (var i = 0; i < 20; i++)
                {
                    await database.ExecuteAsync("INSERT INTO lead_score_history (lead_ext_id, score, calculated_at) VALUES ('b', 2, '2018-01-20')");
                }

                return 0;
            },
            Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap()));

        Assert.Equal(1, made.Sum());
        Assert.Equal(560, await database.ScalarAsync<long>("SELECT count(*) FROM lead_scores_201801"));
        Assert.Equal(560, await database.ScalarAsync<long>("SELECT count(*) FROM lead_score_history"));
    }

    [Fact]
    public async Task Partitions_AfterMigration_AreThereForTheMonthsAhead()
    {
        await using var fresh = await TestDatabase.CreateAsync(database.Server);
        Assert.Equal(
            4,
            await fresh.ScalarAsync<long>(
                """
                SELECT count(*) FROM generate_series(0, 3) AS m
                WHERE to_regclass('lead_scores_' || to_char((now() AT TIME ZONE 'UTC') + make_interval(months => m), 'YYYYMM')) IS NOT NULL
                """));

        // A run makes its own month's and the next, whatever instant it works at.
        await new ScoringRig(fresh).ScoreAsync(new DateTimeOffset(2031, 12, 31, 23, 0, 0, TimeSpan.Zero));
        Assert.Equal(
            2, await fresh.ScalarAsync<long>("SELECT count(*) FROM unnest(ARRAY['lead_scores_203112', 'lead_scores_203201']) AS t WHERE to_regclass(t) IS NOT NULL"));
    }

    [Fact]
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The name is the test's own.")]
    public async Task EnsurePartition_ByARoleThatMayNotCreateTables_Works()
    {
        await using var role = await TestRole.CreateAsync(database);
        await using var source = NpgsqlDataSource.Create(role.Connection);
        await using var command = source.CreateCommand("SELECT ensure_lead_scores_partition('2017-03-01T00:00:00Z')");

        Assert.Equal(true, await command.ExecuteScalarAsync(Token));
    }
}
