using SalesTasks.Crm;
using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>What Salesforce alone does: sessions that end, records that others have locked, calls that the whole organisation shares.</summary>
public sealed class SalesforceFaultTests(TestDatabase database) : FaultTests(database, "salesforce")
{
    private readonly TestDatabase _database = database;

    private SalesforceFake Salesforce => ((SalesforceStand)Rig.Theirs).Fake;

    [Fact]
    public async Task Push_TenThousandDeals_TakesAtMost60CallsAnObject()
    {
        await Rig.AddAsync("v", 10_000);
        var calls = new Dictionary<string, int>(StringComparer.Ordinal);
        Salesforce.Fault = request =>
        {
            // The query that asks who is there is packed into a request of its own.
            var of = request.Path + request.Body?["records"]?[0]?["attributes"]?["type"] + request.Body?["compositeRequest"]?[0]?["url"];
            var name = of.Contains("OpportunityContactRole", StringComparison.Ordinal) ? "roles" : of.Contains("Contact", StringComparison.Ordinal) ? "contacts" : "others";
            name = name == "others" && of.Contains("Opportunity", StringComparison.Ordinal) ? "deals" : name;
            calls[name] = calls.GetValueOrDefault(name) + 1;
            return FakeFault.None;
        };

        var push = await Rig.PushAsync();

        Assert.Equal((10_000, 10_000), (push["leads_created"], push["deals_created"]));
        Assert.All(calls.Values, count => Assert.InRange(count, 1, 60));
        Assert.Equal((Salesforce.Calls, 50), (push["calls"], calls["deals"] - 1));
        Assert.Equal(10_000, Rig.Theirs.Records("deals").Count(d => d.Contacts.Count == 1));
    }

    [Fact]
    public async Task Sync_SessionEnds_SignsInAgainAndGoesOn()
    {
        await Rig.AddAsync("se", 450);
        Salesforce.SessionCalls = 4;

        await Rig.SyncAsync();

        Assert.Equal((450, 450), (Rig.Theirs.Records("contacts").Count, Rig.Theirs.Records("deals").Count));
        Assert.True(Salesforce.SignIns > 2, $"{Salesforce.SignIns} sign-ins");
    }

    [Fact]
    public async Task Push_SessionRefusedRightAfterSignIn_Is69()
    {
        await Rig.AddAsync("sr", 1);
        Salesforce.Fault = _ =>
        {
            Salesforce.EndSessions();
            return FakeFault.None;
        };

        var push = await Rig.PushAsync();

        Assert.Equal(ExitCode.Refused, push.ExitCode);
        Assert.Contains("INVALID_SESSION_ID", push.Fault);
    }

    [Fact]
    public async Task Push_RecordLocked_IsTriedAgainAndTheOthersAreWritten()
    {
        await Rig.AddAsync("lk", 10);
        var tries = 0;
        Salesforce.Locked = body => body["SalesTasks_Lead_Id__c"]?.ToString() switch { "lk3" => ++tries < 3, "lk4" => true, _ => false };

        var push = await Rig.PushAsync();
        Assert.Equal((9, 9, 1), (push["leads_created"], push["deals_created"], push["failed"]));
        Assert.Null(await _database.ScalarAsync<string>("SELECT string_agg(problem, ' ') FROM crm_links"));

        Salesforce.Locked = null;
        Assert.Equal((1, 1), (await Rig.PushAsync() is var next ? (next["leads_created"], next["deals_created"]) : default));
    }

    [Fact]
    public async Task Push_LastNameTakenAway_IsTheWordThatStandsForNone()
    {
        await Rig.AddAsync("ln", 2);
        await Rig.SetLeadAsync("ln1", "last_name = NULL");
        await Rig.SyncAsync();
        await Rig.SetLeadAsync("ln2", "last_name = ''");
        await Rig.SyncAsync();
        await Rig.SyncAsync();

        Assert.All(Salesforce.Records("Contact"), contact => Assert.Equal("-", contact.Values["LastName"]));
        Assert.Null(await Rig.LeadAsync("ln1", "last_name"));
        Assert.Empty(await Rig.JournalAsync());
    }

    [Fact]
    public async Task Sync_NobodysDeal_IsTheConnectionsUsersThere()
    {
        await Rig.AddAsync("nb", 3);
        await Rig.SetDealAsync("nb1", "assigned_to = NULL");
        // No user of Salesforce: it stays with him here.
        await Rig.SetDealAsync("nb2", "assigned_to = 'elsewhere@sales.example'");
        await Rig.SyncAsync();
        Salesforce.Edit("Opportunity", await Rig.CrmIdAsync("nb3", "deal"), ("OwnerId", Salesforce.RunningUser));
        await Rig.SyncAsync();
        var (push, _) = await Rig.SyncAsync();

        Assert.Equal(0, push["write_calls"]);
        Assert.Equal((null, "elsewhere@sales.example", null), (await Rig.DealAsync("nb1", "assigned_to"), await Rig.DealAsync("nb2", "assigned_to"), await Rig.DealAsync("nb3", "assigned_to")));
        Assert.Empty(await Rig.JournalAsync());
    }

    [Fact]
    public async Task Push_OrganisationsCallsNearlyUsedUp_LeavesTheRestToOthers()
    {
        await Rig.AddAsync("og", 2000);
        Salesforce.DailyCalls = 8;
        // 95 % of 8 are 7.6.
        var push = await Rig.PushAsync();

        Assert.Equal((ExitCode.TemporaryFailure, 600), (push.ExitCode, push["leads_created"]));
        Assert.Equal((8, 0), (Salesforce.Calls, Salesforce.OverLimit));
    }

    [Fact]
    public async Task Push_OrganisationsCallsUsedUpByOthers_Is75()
    {
        await Rig.AddAsync("ou", 2);
        Salesforce.DailyCalls = 1;

        var push = await Rig.PushAsync();

        Assert.Equal(ExitCode.TemporaryFailure, push.ExitCode);
    }

    [Fact]
    public async Task Push_MappingAgainstSalesforce_EveryFaultIsNamed()
    {
        Salesforce.Fields("Contact").RemoveAll(f => f.Name is "SalesTasks_Company__c");
        var key = Salesforce.Fields("Contact").FindIndex(f => f.Name == "SalesTasks_Lead_Id__c");
        Salesforce.Fields("Contact")[key] = Salesforce.Fields("Contact")[key] with { Unique = false };
        var stage = Salesforce.Fields("Opportunity").FindIndex(f => f.Name == "StageName");
        Salesforce.Fields("Opportunity")[stage] = Salesforce.Fields("Opportunity")[stage] with { Options = ["Qualification"] };

        var push = await Rig.PushAsync();

        Assert.Equal(ExitCode.Usage, push.ExitCode);
        Assert.Contains("key 'SalesTasks_Lead_Id__c' of Contact is not unique", push.Fault);
        Assert.Contains("'SalesTasks_Company__c' (for company_name) is no property of Contact", push.Fault);
        Assert.Contains("stages.negotiating = 'Negotiation/Review' is no stage of Opportunity", push.Fault);
    }

    [Fact]
    public async Task Pull_LeftoverOfAnEarlierRun_DoesNotUndoWhatAPushWroteSince()
    {
        await Rig.AddAsync("lo", 3);
        await Rig.SyncAsync();
        Salesforce.Edit("Contact", await Rig.CrmIdAsync("lo1"), ("FirstName", "Theirs"));
        // Read and staged; the deletions are not answered, so nothing is merged.
        Salesforce.Fault = request => request.Path.Contains("queryAll", StringComparison.Ordinal) ? FakeFault.Unavailable : FakeFault.None;
        Assert.Equal(ExitCode.TemporaryFailure, (await Rig.PullAsync()).ExitCode);
        Salesforce.Fault = null;
        await Rig.SetLeadAsync("lo1", "last_name = 'Ours'");
        await Rig.SyncAsync();
        await Rig.SyncAsync();

        Assert.Equal(("Theirs", "Ours"), (await Rig.LeadAsync("lo1", "first_name"), await Rig.LeadAsync("lo1", "last_name")));
        Assert.Equal("Ours", Salesforce.Records("Contact").Single(c => c.Values["FirstName"] == "Theirs").Values["LastName"]);
    }

    [Fact]
    public async Task Push_DuplicateRuleRefusesAContact_IsKeptWithTheReasonAndHoldsNothingUp()
    {
        await Rig.AddAsync("du", 4);
        await Rig.SetLeadAsync("du2", "email = 'du1@acme.example'");
        Salesforce.DuplicateRule = true;

        var push = await Rig.PushAsync();

        Assert.True(push.ExitCode is ExitCode.Done, push.ToString());
        Assert.Equal((3, 1), (push["leads_created"], push["failed"]));
        Assert.Contains("DUPLICATES_DETECTED", await _database.ScalarAsync<string>("SELECT problem FROM crm_links WHERE problem IS NOT NULL"));
        Assert.Equal(0, (await Rig.PushAsync())["write_calls"]);
    }

    [Fact]
    public async Task Push_AnswersOfContactRolesLost_AttachesEachOnce()
    {
        await Rig.AddAsync("ro", 450);
        var lost = 0;
        Salesforce.Fault = request => request is { Method: "POST" } && request.Path.EndsWith("/composite/sobjects", StringComparison.Ordinal) && ++lost <= 2
            ? FakeFault.AnswerLost
            : FakeFault.None;

        var push = await Rig.PushAsync();

        Assert.Equal((ExitCode.Done, 450), (push.ExitCode, push["deals_created"]));
        Assert.Equal(450, Salesforce.Records("OpportunityContactRole").Count);
        Assert.All(Rig.Theirs.Records("deals"), deal => Assert.Single(deal.Contacts));
    }

    [Fact]
    public async Task Sync_RecordThatSalesforceDoesNotDelete_HoldsNothingUp()
    {
        var mapping = await Rig.MappingAsync("\"deletions\": \"keep\"", "\"deletions\": \"archive\"");
        await Rig.AddAsync("dl", 5);
        await Rig.SyncAsync("--mapping-file", mapping);
        var held = await Rig.CrmIdAsync("dl2");
        Salesforce.Undeletable = held;
        await _database.ExecuteAsync("DELETE FROM leads WHERE ext_id IN ('dl1', 'dl2', 'dl3')");

        var (push, _) = await Rig.SyncAsync("--mapping-file", mapping);

        Assert.Equal((5, 1), (push["deleted"], push["failed"]));
        Assert.Equal(3, Salesforce.Records("Contact").Count);
        Assert.Equal(0, (await Rig.SyncAsync("--mapping-file", mapping)).Push["write_calls"]);
    }

    [Theory]
    [InlineData("client_credentials")]
    [InlineData("password")]
    public async Task Erase_Contacts_AreGoneFromTheRecycleBinWithWhatWasMergedIntoThem(string grant)
    {
        Salesforce.Person = ("person@sales.example", "their-passwordtheir-token");
        string[] ids = [.. Enumerable.Range(1, 3).Select(i => Salesforce.Edit("Contact", null, ("LastName", $"Erased {i}")))];
        var kept = Salesforce.Edit("Contact", null, ("LastName", "Kept"));
        var merged = Salesforce.Edit("Contact", null, ("LastName", "Merged"));
        Salesforce.Merge("Contact", ids[0], merged);
        Salesforce.Delete("Contact", ids[1]);
        var stop = TestContext.Current.CancellationToken;
        await using var crm = Rig.OpenSalesforce(grant == "password");

        await crm.EraseAsync(CrmObject.Lead, ids, stop);
        await crm.EraseAsync(CrmObject.Lead, ids, stop);

        Assert.All(ids.Append(merged), id => Assert.True(Salesforce.Record("Contact", id) is { Purged: true, Values.Count: 0 }));
        Assert.Equal(kept, Assert.Single(Salesforce.Records("Contact")).Id);
    }

    [Fact]
    public async Task Erase_WhereTheSessionEndsBetweenTheCalls_SignsInAgain()
    {
        var id = Salesforce.Edit("Contact", null, ("LastName", "Erased"));
        var ended = false;
        Salesforce.Fault = request =>
        {
            if (Rig.Theirs.Erases(request, forGood: true) && !ended)
            {
                ended = true;
                Salesforce.EndSessions();
            }

            return FakeFault.None;
        };
        await using var crm = Rig.OpenSalesforce(asPerson: false);

        await crm.EraseAsync(CrmObject.Lead, [id], TestContext.Current.CancellationToken);

        Assert.Equal((2, 1), (Salesforce.SignIns, Salesforce.Erasures));
    }

    [Fact]
    public async Task Erase_RecordThatStays_Is69()
    {
        var id = Salesforce.Edit("Contact", null, ("LastName", "Held"));
        Salesforce.Undeletable = id;
        await using var crm = Rig.OpenSalesforce(asPerson: false);

        var fault = await Assert.ThrowsAsync<JobException>(() => crm.EraseAsync(CrmObject.Lead, [id], TestContext.Current.CancellationToken));

        Assert.Equal(ExitCode.Refused, fault.ExitCode);
        Assert.Contains("DELETE_FAILED", fault.Message);
    }
}
