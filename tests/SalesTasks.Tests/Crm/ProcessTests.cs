using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>The real executable: killed, and twice at once.</summary>
public sealed class ProcessTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CrmRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task Push_KilledAtItsCalls_EveryRecordIsThereOnce()
    {
        await _rig.AddAsync("kl", 1500);

        await KilledAtCallsAsync("push", 6, 9, 12, 15);

        Assert.Equal((1500, 1500), (_rig.HubSpot.Records("contacts").Count, _rig.HubSpot.Records("deals").Count));
        Assert.Equal(1500, _rig.HubSpot.Records("deals").Count(d => d.Contacts.Count == 1));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links WHERE pending OR sending IS NOT NULL"));
        Assert.Empty(await _rig.JournalAsync());
    }

    [Fact]
    public async Task Pull_KilledAtItsCalls_EveryRecordComesOnce()
    {
        for (var i = 0; i < 1500; i++)
        {
            _rig.HubSpot.Edit("contacts", null, ("email", $"kp{i}@acme.example"), ("firstname", "Ana"));
        }

        await KilledAtCallsAsync("pull", 5, 7, 9);

        Assert.Equal(1500, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE first_name = 'Ana'"));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_staged"));
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

    /// <summary>
    /// Runs a step again and again, killed −9 at its so-and-so-many-th call, however fast the machine is: in turn the call is done and its answer
    /// lost, or not done at all. Then one run goes to its end.
    /// </summary>
    private async Task KilledAtCallsAsync(string step, params int[] calls)
    {
        foreach (var (turn, call) in calls.Index())
        {
            var started = new TaskCompletionSource<RunningProgram>(TaskCreationOptions.RunContinuationsAsynchronously);
            var left = call;
            _rig.HubSpot.Fault = _ =>
            {
                if (--left > 0)
                {
                    return FakeFault.None;
                }

                started.Task.GetAwaiter().GetResult().Kill();
                return turn % 2 == 0 ? FakeFault.AnswerLost : FakeFault.Cut;
            };
            started.SetResult(_rig.Start("crm", step));
            var result = await (await started.Task).Completion;
            Assert.True(result.Killed, $"crm {step} ended before its call {call}: {result}");
            await _rig.ExpireLeasesAsync();
        }

        _rig.HubSpot.Fault = null;
        (await _rig.Start("crm", step).Completion).ShouldExitWith(ExitCode.Done);
    }
}
