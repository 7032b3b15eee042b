using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>routing assign against a real database: who gets what, and what is written about it.</summary>
public sealed class AssignTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly RoutingRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.ClearAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Assign_NothingToDo_SaysSo()
    {
        var answer = await _rig.AssignAsync();

        Assert.Equal("nothing_to_do", answer.Json.GetProperty("status").GetString());
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM routing_runs"));
    }

    [Fact]
    public async Task Assign_EqualReps_EndWithinOneLeadOfEachOther()
    {
        foreach (var name in new[] { "ana", "eva", "luis" })
        {
            await _rig.AddRepAsync(name);
        }

        await _rig.AddDealsAsync("d", 50);
        var answer = await _rig.AssignAsync("--only-unassigned");

        Assert.Equal((50, 0, 0), (answer["assigned"], answer["kept"], answer["left"]));
        Assert.Equal([16, 17, 17], (await _rig.LoadsAsync()).Values.Order());
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM routing_decisions WHERE outcome = 'assigned'"));
        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline WHERE assigned_at = @t", ("t", RoutingRig.T0)));
    }
}
