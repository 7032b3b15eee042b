using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

public sealed class HubSpotProcessTests(TestDatabase database) : ProcessTests(database, "hubspot");

public sealed class SalesforceProcessTests(TestDatabase database) : ProcessTests(database, "salesforce");

/// <summary>The real executable: killed, and twice at once.</summary>
public abstract class ProcessTests(TestDatabase database, string crm) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CrmRig _rig = new(database, crm);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Push_KilledAtItsCalls_EveryRecordIsThereOnce()
    {
        await _rig.AddAsync("kl", 1500);

        // The last is among the calls that attach deals.
        await KilledAtCallsAsync("push", crm == "hubspot" ? [6, 9, 12, 15] : [6, 9, 12, 15, 7]);

        Assert.Equal((1500, 1500), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count));
        Assert.Equal(1500, _rig.Theirs.Records("deals").Count(d => d.Contacts.Count == 1));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links WHERE pending OR sending IS NOT NULL"));
        Assert.Empty(await _rig.JournalAsync());
    }

    [Fact]
    public async Task Pull_KilledAtItsCalls_EveryRecordComesOnce()
    {
        for (var i = 0; i < 1500; i++)
        {
            _rig.Theirs.Edit("contacts", null, ("email", $"kp{i}@acme.example"), ("firstname", "Ana"));
        }

        _rig.Theirs.SmallPages();
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

        Assert.Equal((400, 400, 800), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count, _rig.Theirs.Created));
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
            _rig.Theirs.Fault = _ =>
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

        _rig.Theirs.Fault = null;
        (await _rig.Start("crm", step).Completion).ShouldExitWith(ExitCode.Done);
    }
}
