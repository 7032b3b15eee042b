using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

/// <summary>The example mapping on the real lead list it is for. The list may not be shipped: these tests skip where it is not there.</summary>
public sealed class XEducationTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    // One a test: each imports the list into an empty database.
    private TestDatabase _database = database;
    private ImportRunner _runner = null!;

    private static string Mapping => Path.Combine(Checkout.Folder, "examples", "mappings", "xeducation.yaml");

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(database.Server);
        _runner = new ImportRunner(_database);
    }

    public async ValueTask DisposeAsync()
    {
        _runner.Dispose();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task ExampleMapping_RealList_ImportsEveryLeadAndASecondTimeNothing()
    {
        var list = Leads();
        // The folder of the list may be read-only and a reject file is not expected: it would go to a temporary folder.
        var first = (await _runner.ImportAsync(list, "--mapping-file", Mapping)).ShouldExitWith(ExitCode.Done);
        var before = await _database.FingerprintAsync("task_runs");
        var second = await _runner.ImportAsync(list, "--mapping-file", Mapping, "--as-of", "2026-04-01T00:00:00Z");

        Assert.Equal("rows 9240, inserted 9240", first.Counts);
        Assert.Equal("rows 9240, unchanged 9240", second.Counts);
        Assert.Equal(before, await _database.FingerprintAsync("task_runs"));
        Assert.Equal(
            (9240, 9240, 734, 2, 0),
            Assert.Single(await _database.QueryAsync(
                """
                SELECT
                  count(*), count(*) FILTER (WHERE has_email), count(*) FILTER (WHERE NOT consent_email), count(*) FILTER (WHERE NOT consent_phone),
                  count(*) FILTER (WHERE 'Select' IN (region, product_interest, country))
                FROM leads
                """,
                row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)))));
        Assert.Equal(2873, await _database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE source = 'Google'"));
        Assert.Equal(36, await _database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE source = 'Unknown'"));
    }

    [Fact]
    public async Task ExampleMapping_RealList_KeepsNothingThatKnowsTheOutcome()
    {
        await _runner.ImportAsync(Leads(), "--mapping-file", Mapping);

        var kept = await _database.QueryAsync("SELECT DISTINCT jsonb_object_keys(attributes) AS name FROM leads ORDER BY 1", row => row.GetString(0));

        Assert.Contains("Lead Origin", kept);
        Assert.DoesNotContain(kept, name => name is "Converted" or "Tags" or "Lead Quality" or "Lead Profile" or "Last Activity" or "Last Notable Activity"
            || name.StartsWith("Asymmetrique", StringComparison.Ordinal));
    }

    /// <summary>Beside the checkout, beside its parent, or where SALES_DATA_DIR says.</summary>
    private static string Leads()
    {
        var folders = new[]
        {
            Environment.GetEnvironmentVariable("SALES_DATA_DIR"), Path.Combine(Checkout.Folder, "..", "shared", "data"),
            Path.Combine(Checkout.Folder, "..", "..", "shared", "data"),
        };
        var list = folders.Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.Combine(folder!, "xeducation", "leads.csv")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(list is null, "The X Education list is not here; set SALES_DATA_DIR to the folder that holds xeducation/leads.csv.");
        return list!;
    }
}
