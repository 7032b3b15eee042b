using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>What HubSpot alone does: batches that fail as a whole, and a search that lags.</summary>
public sealed class HubSpotFaultTests(TestDatabase database) : FaultTests(database, "hubspot")
{
    private HubSpotFake HubSpot => ((HubSpotStand)Rig.Theirs).Fake;

    [Fact]
    public async Task Push_OneBadRecordFailsTheWholeBatch_IsFoundByHalving()
    {
        HubSpot.JudgesEachRecord = false;

        // 2 · ⌈log₂ 100⌉ + 1
        await OneBadRecordAsync(extraCalls: 15);
    }

    [Fact]
    public async Task Push_TenThousandDeals_TakesAtMost110CallsAnObject()
    {
        await Rig.AddAsync("v", 10_000);

        var push = await Rig.PushAsync();

        Assert.Equal((10_000, 10_000), (push["leads_created"], push["deals_created"]));
        // 100 batches of contacts, 100 of deals and 5 of associations; 4 calls that describe the CRM.
        Assert.Equal((205, 209), (push["write_calls"], push["calls"]));
        Assert.Equal(209, HubSpot.Calls);
    }

    /// <summary>Two that were archived are back, and merged into a third, before they are looked at: both are told as that one.</summary>
    [Fact]
    public async Task Pull_TwoThatWereDeletedWentIntoOneMeanwhile_MergesThatOne()
    {
        await Rig.AddAsync("t", 3);
        await Rig.SyncAsync();
        string[] ids = [await Rig.CrmIdAsync("t1"), await Rig.CrmIdAsync("t2"), await Rig.CrmIdAsync("t3")];
        HubSpot.Archive("contacts", ids[1]);
        HubSpot.Archive("contacts", ids[2]);
        HubSpot.Fault = request =>
        {
            if (request.Path.EndsWith("contacts/batch/read", StringComparison.Ordinal))
            {
                HubSpot.Fault = null;
                foreach (var id in ids[1..])
                {
                    HubSpot.Restore("contacts", id);
                    HubSpot.Merge("contacts", ids[0], id);
                }
            }

            return FakeFault.None;
        };

        var pull = await Rig.PullAsync();

        Assert.True(pull.ExitCode is ExitCode.Done, pull.ToString());
        Assert.Equal(
            $"merged {ids[0]}",
            await Rig.Database.ScalarAsync<string>("SELECT string_agg(DISTINCT status || ' ' || merged_into, ',') FROM crm_links WHERE lead_ext_id IN ('t2', 't3') AND object = 'lead'"));
    }

    [Fact]
    public async Task Pull_SearchShowsAChangeLate_TheNextPullHasIt()
    {
        await Rig.AddAsync("i", 2);
        await Rig.SyncAsync();
        HubSpot.SearchLag = 2;
        HubSpot.Edit("contacts", await Rig.CrmIdAsync("i1"), ("firstname", "Late"));

        await Rig.PullAsync();
        Assert.Equal("First1", await Rig.LeadAsync("i1", "first_name"));
        await Rig.PullAsync();
        Assert.Equal("Late", await Rig.LeadAsync("i1", "first_name"));
    }

    [Fact]
    public async Task Pull_SearchStillShowsWhatAPushReplaced_DoesNotTakeItBack()
    {
        await Rig.AddAsync("j", 2);
        await Rig.SyncAsync();
        HubSpot.Edit("contacts", await Rig.CrmIdAsync("j1"), ("firstname", "Old"));
        await Rig.SyncAsync();
        HubSpot.SearchLag = 10;
        await Rig.SetLeadAsync("j1", "first_name = 'New'");

        await Rig.SyncAsync();

        Assert.Equal("New", await Rig.LeadAsync("j1", "first_name"));
        Assert.Equal("New", Rig.Contact(await Rig.CrmIdAsync("j1")).Properties["firstname"]);
    }

    [Fact]
    public async Task Push_MappingAgainstTheCrm_EveryFaultIsNamed()
    {
        HubSpot.Properties["contacts"].RemoveAll(p => p.Name is "company" or "salestasks_lead_id");
        HubSpot.Pipelines["default"] = [.. HubSpot.Pipelines["default"].Where(s => s != "contractsent")];

        var push = await Rig.PushAsync();

        Assert.Equal(ExitCode.Usage, push.ExitCode);
        Assert.Contains("key 'salestasks_lead_id' is no property of contacts", push.Fault);
        Assert.Contains("'company' (for company_name) is no property of contacts", push.Fault);
        Assert.Contains("stages.negotiating = 'contractsent' is no stage of deals", push.Fault);
    }

    [Fact]
    public async Task Push_TwoLeadsOfOneAddress_OneIsRefusedAndHoldsNothingUp()
    {
        await Rig.AddAsync("tw", 4);
        await Rig.SetLeadAsync("tw2", "email = 'tw1@acme.example'");

        var push = await Rig.PushAsync();

        Assert.True(push.ExitCode is ExitCode.Done, push.ToString());
        Assert.Equal((3, 1), (push["leads_created"], push["failed"]));
        Assert.Equal(0, (await Rig.PushAsync())["write_calls"]);
    }
}
