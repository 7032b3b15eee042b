using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Steps become messages and tasks, one after the other, and stop when they have to.</summary>
public sealed class AdvanceTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = CampaignRig.T0;

    private readonly CampaignRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Advance_TwoSteps_TheSecondWaitsItsDelayFromTheSendingOfTheFirst()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.TwoEmails);
        Assert.Equal("enrolled 1", await _rig.EnrollAsync());
        Assert.Equal(["a active 0/2 16.10:00"], await _rig.ExecutionsAsync());

        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync());
        Assert.Equal(["a active 1/2 -"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email pending a@acme.example One"], await _rig.MessagesAsync());
        Assert.Equal(["a:1 email_sent queued"], await _rig.EventsAsync());

        // Not sent yet: however long it takes, nothing follows.
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(30)));
        await _rig.SendAsync(T0.AddDays(31));
        Assert.Equal("settled 1", await _rig.AdvanceAsync(T0.AddDays(32)));
        Assert.Equal(["a active 1/2 18.10:00"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email_sent sent"], await _rig.EventsAsync());

        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(T0.AddDays(33)));
        await _rig.SendAsync(T0.AddDays(33));
        Assert.Equal("settled 1, completed 1", await _rig.AdvanceAsync(T0.AddDays(34)));
        Assert.Equal(["a completed 2/2 -"], await _rig.ExecutionsAsync());
        Assert.Equal(["a:1 email sent a@acme.example One", "a:2 email sent a@acme.example Two"], await _rig.MessagesAsync());
        Assert.Equal("", await _rig.AdvanceAsync(T0.AddDays(90)));
        Assert.Equal("", await _rig.EnrollAsync());
    }
}
