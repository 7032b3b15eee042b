using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Encryption;

/// <summary><c>db maintain</c> seals what other tools wrote in clear, where encryption is on.</summary>
public sealed class MaintainTests(PostgresServer server)
{
    private const string Clear =
        "SELECT (SELECT count(*) FROM leads WHERE phone <> '' AND phone NOT LIKE 'sealed-%') + (SELECT count(*) FROM sales_pipeline WHERE notes <> '' AND notes !~ '^sealed-[a-p]{32}$')";

    private const string OthersWrite =
        """
        UPDATE leads SET phone = '+34 911 222 333' WHERE ext_id = 'lead-1';
        UPDATE sales_pipeline SET notes = notes || E'\ncalled again' WHERE notes <> ''
        """;

    [Fact]
    public async Task Maintain_WhereEncryptionIsOff_SealsNothingAndNeedsNoKeys()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 8);

        var withKeys = (await rig.With().RunAsync("db", "maintain")).ShouldExitWith(ExitCode.Done);
        var bare = (await rig.Bare.RunAsync("db", "maintain")).ShouldExitWith(ExitCode.Done);

        Assert.Equal((0, 0, 0), (Sealed(withKeys), Sealed(bare), await database.ScalarAsync<long>("SELECT count(*) FROM sealed_values")));
    }

    [Fact]
    public async Task Maintain_WhereEncryptionIsOn_SealsWhatCameInClearOnce()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 8);
        await rig.EncryptAsync();
        await database.ExecuteAsync(OthersWrite);
        var clear = await database.ScalarAsync<long>(Clear);
        var fingerprint = await database.FingerprintAsync("task_runs");

        var preview = (await rig.With().RunAsync("db", "maintain", "--dry-run")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(clear, Sealed(preview));
        Assert.Equal(fingerprint, await database.FingerprintAsync("task_runs"));
        var first = (await rig.With().RunAsync("db", "maintain")).ShouldExitWith(ExitCode.Done);
        // Where ml predict does not run, each maintenance notes from when on its list is needed.
        var values = await database.FingerprintAsync("task_runs", "mv_sales_metrics", "deal_prediction_blocks");
        var second = (await rig.With().RunAsync("db", "maintain")).ShouldExitWith(ExitCode.Done);

        Assert.True(clear > 1);
        Assert.Equal((clear, 0), (Sealed(first), Sealed(second)));
        Assert.Equal(0, await database.ScalarAsync<long>(Clear));
        Assert.Equal(values, await database.FingerprintAsync("task_runs", "mv_sales_metrics", "deal_prediction_blocks"));
        Assert.Equal("+34 911 222 333", await rig.ShownAsync("lead-1"));
    }

    [Fact]
    public async Task Maintain_WithoutKeys_DoesAllTheRestAndSaysSo()
    {
        await using var database = await TestDatabase.CreateAsync(server);
        var rig = new EncryptionRig(database);
        await rig.AddAsync("lead-", 8);
        await rig.EncryptAsync();
        await database.ExecuteAsync(OthersWrite);
        var clear = await database.ScalarAsync<long>(Clear);

        var without = (await rig.Bare.RunAsync("db", "maintain", "--as-of", "2041-03-01T00:00:00Z")).ShouldExitWith(ExitCode.Usage);
        var wrong = (await rig.With(Keys.Connection(key: 7)).RunAsync("db", "maintain")).ShouldExitWith(ExitCode.Usage);

        Assert.Contains("SALES_ENCRYPTION_CONN_ID", without.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        var counts = without.Result.GetProperty("counts");
        Assert.Equal((4, 1), (counts.GetProperty("partitions_created").GetInt64(), counts.GetProperty("metrics_refreshed").GetInt64()));
        Assert.Contains("'k1' is not the one that sealed", wrong.Result.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(clear, await database.ScalarAsync<long>(Clear));
    }

    private static long Sealed(ProgramResult result) => result.Result.GetProperty("counts").GetProperty("sealed").GetInt64();
}
