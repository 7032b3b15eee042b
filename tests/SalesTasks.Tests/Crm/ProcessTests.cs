using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>The real executable: killed at random instants, and twice at once.</summary>
public sealed class ProcessTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CrmRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task Push_KilledAtAnyInstant_EveryRecordIsThereOnce()
    {
        await _rig.AddAsync("kl", 1500);

        var killed = await KillHarness.RunAsync(
            () => _rig.Start("crm", "push"),
            TimeSpan.FromSeconds(5),
            kills: 4,
            seed: 7,
            async () =>
            {
                Assert.Equal((1500, 1500), (_rig.HubSpot.Records("contacts").Count, _rig.HubSpot.Records("deals").Count));
                Assert.Equal(1500, _rig.HubSpot.Records("deals").Count(d => d.Contacts.Count == 1));
                Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links WHERE pending OR sending IS NOT NULL"));
            },
            _rig.ExpireLeasesAsync);

        Assert.True(killed > 0, "No run was killed.");
        Assert.Empty(await _rig.JournalAsync());
    }

    [Fact]
    public async Task Pull_KilledAtAnyInstant_EveryRecordComesOnce()
    {
        for (var i = 0; i < 1500; i++)
        {
            _rig.HubSpot.Edit("contacts", null, ("email", $"kp{i}@acme.example"), ("firstname", "Ana"));
        }

        var killed = await KillHarness.RunAsync(
            () => _rig.Start("crm", "pull"),
            TimeSpan.FromSeconds(4),
            kills: 3,
            seed: 8,
            async () =>
            {
                Assert.Equal(1500, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE first_name = 'Ana'"));
                Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_staged"));
            });

        Assert.True(killed > 0, "No run was killed.");
    }

    [Fact]
    public async Task Push_TwoRunnersAtOnce_ShareTheWorkAndDoItOnce()
    {
        await _rig.AddAsync("tw", 400);

        await TwoRunners.RunAsync(() => _rig.Start("crm", "push"), () => Task.CompletedTask);
        // Deals that one claimed before the other had their leads recorded are left for the next run.
        await _rig.PushAsync();

        Assert.Equal((400, 400, 800), (_rig.HubSpot.Records("contacts").Count, _rig.HubSpot.Records("deals").Count, _rig.HubSpot.Created));
    }
}
