using SalesTasks.Tests.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Demo;

public sealed class SampleCommandTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Sample_EmptyDatabase_IsFilledOnceAndLeftAloneThen()
    {
        var first = new TestHost(database);
        Assert.Equal(ExitCode.Done, await first.RunAsync("db", "sample"));
        var loaded = await CountsAsync();
        var second = new TestHost(database);
        Assert.Equal(ExitCode.Done, await second.RunAsync("db", "sample"));

        Assert.StartsWith("10000 leads, ", first.Output, StringComparison.Ordinal);
        Assert.StartsWith("10000/", loaded, StringComparison.Ordinal);
        Assert.EndsWith("holds leads, reps or campaigns already: nothing was loaded.\n", second.Output, StringComparison.Ordinal);
        Assert.Equal(loaded, await CountsAsync());
    }

    private Task<string?> CountsAsync() => database.ScalarAsync<string>(
        "SELECT concat_ws('/', (SELECT count(*) FROM leads), (SELECT count(*) FROM sales_pipeline), (SELECT count(*) FROM sales_followup_tasks))");
}
