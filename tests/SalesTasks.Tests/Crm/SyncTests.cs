using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

public sealed class HubSpotSyncTests(TestDatabase database) : SyncTests(database, "hubspot");

public sealed class SalesforceSyncTests(TestDatabase database) : SyncTests(database, "salesforce");

/// <summary>What goes over and comes back, case by case.</summary>
public abstract class SyncTests(TestDatabase database, string crm) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CrmRig _rig = new(database, crm);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Push_ConnectionOfTheOtherCrm_Is64AndSaysSo()
    {
        var other = crm == "hubspot" ? "salesforce" : "hubspot";

        var push = await _rig.PushAsync("--crm-type", other);

        Assert.Equal((ExitCode.Usage, 0), (push.ExitCode, _rig.Theirs.Calls));
        Assert.Contains($"but crm_type is {other}; allowed: {(other == "hubspot" ? "http" : "salesforce")}", push.Fault);
    }

    [Fact]
    public async Task Push_First_CreatesContactsAndDealsAttachedToThem()
    {
        await _rig.AddAsync("p", 150);
        await _rig.SetDealAsync("p7", "stage = 'negotiating', estimated_value = 2500.50");

        var push = await _rig.PushAsync();

        Assert.Equal((150, 150, 0, (2 * (((150 - 1) / _rig.Theirs.Batch) + 1)) + 1), (push["leads_created"], push["deals_created"], push["failed"], push["write_calls"]));
        var contact = _rig.Contact(await _rig.CrmIdAsync("p7"));
        Assert.Equal(("p7@acme.example", "First7", "p7"), (contact.Properties["email"], contact.Properties["firstname"], contact.Properties["salestasks_lead_id"]));
        var deal = _rig.Theirs.Records("deals").Single(d => d.Properties["salestasks_deal_id"] == "p7");
        Assert.Equal(
            ("contractsent", "2500.5", "1", "default", "First7 Last7 – Acme"),
            (deal.Properties["dealstage"], deal.Properties["amount"], deal.Properties["hubspot_owner_id"], deal.Properties["pipeline"], deal.Properties["dealname"]));
        Assert.Equal(contact.Id, Assert.Single(deal.Contacts));
    }

    [Fact]
    public async Task Sync_NothingChanged_WritesNothingOnEitherSide()
    {
        await _rig.AddAsync("n", 20);
        await _rig.SyncAsync();
        var writes = _rig.Theirs.WriteCalls;
        var before = await database.FingerprintAsync("task_runs", "crm_slots", "crm_quotas", "crm_cursors", "crm_states");

        var (push, pull) = await _rig.SyncAsync();

        Assert.Equal((writes, 0), (_rig.Theirs.WriteCalls, push["write_calls"]));
        Assert.Equal((40, 40), (pull["read"], pull["unchanged"]));
        Assert.Equal(before, await database.FingerprintAsync("task_runs", "crm_slots", "crm_quotas", "crm_cursors", "crm_states"));
    }

    [Fact]
    public async Task Push_ChangeHere_IsOneWriteOfThatField()
    {
        await _rig.AddAsync("c", 30);
        await _rig.SyncAsync();
        await _rig.SetLeadAsync("c3", "phone = '+1 202 555 0100'");
        await _rig.SetDealAsync("c4", "stage = 'closed_won'");
        _rig.Theirs.Edit("contacts", await _rig.CrmIdAsync("c3"), ("firstname", "Changed there"));

        var push = await _rig.PushAsync();

        Assert.Equal((1, 1, 2), (push["leads_updated"], push["deals_updated"], push["write_calls"]));
        var contact = _rig.Contact(await _rig.CrmIdAsync("c3"));
        Assert.Equal(("+1 202 555 0100", "Changed there"), (contact.Properties["phone"], contact.Properties["firstname"]));
        Assert.Equal("Changed there", await _rig.LeadAsync("c3", "first_name"));
        Assert.Empty(await _rig.JournalAsync());
    }

    [Fact]
    public async Task Pull_ChangeThere_ComesHereAndDoesNotGoBack()
    {
        await _rig.AddAsync("t", 5);
        await _rig.SyncAsync();
        _rig.Theirs.Edit("contacts", await _rig.CrmIdAsync("t1"), ("lastname", "Nueva"), ("phone", null));
        _rig.Theirs.Edit("deals", await _rig.CrmIdAsync("t2", "deal"), ("dealstage", "decisionmakerboughtin"), ("amount", "77.25"));

        var (_, pull) = await _rig.SyncAsync();

        Assert.Equal((1, 1), (pull["leads_updated"], pull["deals_updated"]));
        Assert.Equal(("Nueva", null), (await _rig.LeadAsync("t1", "last_name"), await _rig.LeadAsync("t1", "phone")));
        Assert.Equal(("proposal_sent", "77.25"), (await _rig.DealAsync("t2", "stage"), await _rig.DealAsync("t2", "estimated_value")));
        Assert.Equal("Nueva", await _rig.DealAsync("t1", "last_name"));
        Assert.Equal("crm pull", await database.ScalarAsync<string>(
            "SELECT changed_by FROM sales_stage_history WHERE lead_ext_id = 't2' ORDER BY id DESC LIMIT 1"));
        Assert.Equal(0, (await _rig.SyncAsync()).Push["write_calls"]);
    }

    [Fact]
    public async Task Sync_BothChanged_RuleDecidesAndJournalKeepsTheLoser()
    {
        await _rig.AddAsync("b", 3);
        await _rig.SyncAsync();
        // company_name: theirs; assigned_to: ours; last_name: newest, which is ours.
        _rig.Theirs.Edit("contacts", await _rig.CrmIdAsync("b1"), ("company", "Their Corp"), ("lastname", "Theirs"));
        _rig.Theirs.Edit("deals", await _rig.CrmIdAsync("b1", "deal"), ("hubspot_owner_id", null));
        await _rig.SetLeadAsync("b1", "company_name = 'Our Corp', last_name = 'Ours'");
        await _rig.SetDealAsync("b1", "assigned_to = 'other@sales.example'");

        await _rig.SyncAsync();

        var contact = _rig.Contact(await _rig.CrmIdAsync("b1"));
        Assert.Equal(("Their Corp", "Ours"), (contact.Properties["company"], contact.Properties["lastname"]));
        Assert.Equal(("Their Corp", "Ours"), (await _rig.LeadAsync("b1", "company_name"), await _rig.LeadAsync("b1", "last_name")));
        Assert.Equal("2", _rig.Theirs.Records("deals").Single(d => d.Properties["salestasks_deal_id"] == "b1").Properties["hubspot_owner_id"]);
        Assert.Equal(
            ["b1 assigned_to 2 - ours rule", "b1 company_name Our Corp Their Corp theirs rule", "b1 last_name Ours Theirs ours newest"],
            (await _rig.JournalAsync()).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await _rig.SyncAsync()).Push["write_calls"]);
    }

    [Fact]
    public async Task Sync_DeletedThere_IsRecordedAndNotMadeAgainUnlessTold()
    {
        await _rig.AddAsync("d", 4);
        await _rig.SyncAsync();
        _rig.Theirs.Archive("contacts", await _rig.CrmIdAsync("d1"));
        _rig.Theirs.Archive("deals", await _rig.CrmIdAsync("d1", "deal"));
        _rig.Theirs.Archive("contacts", await _rig.CrmIdAsync("d2"));
        await _rig.SetLeadAsync("d2", "first_name = 'Changed'");

        var (push, pull) = await _rig.SyncAsync();
        await _rig.SetLeadAsync("d1", "first_name = 'Changed'");
        await _rig.SyncAsync();

        Assert.Equal((1, 2), (push["gone"], pull["deleted"]));
        Assert.Equal(2, _rig.Theirs.Records("contacts").Count);
        Assert.Equal("Changed", await _rig.LeadAsync("d1", "first_name"));

        Assert.Equal(ExitCode.Done, (await _rig.RunAsync("crm", "retry", "d1", "--recreate")).ExitCode);
        await _rig.SyncAsync();
        Assert.Equal((3, 4), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count));
        Assert.Contains(_rig.Theirs.Records("contacts"), c => c.Properties["firstname"] == "Changed");
    }

    [Fact]
    public async Task Sync_RestoredThere_IsInStepAgain()
    {
        await _rig.AddAsync("r", 2);
        await _rig.SyncAsync();
        var id = await _rig.CrmIdAsync("r1");
        _rig.Theirs.Archive("contacts", id);
        await _rig.SyncAsync();
        _rig.Theirs.Restore("contacts", id);
        _rig.Theirs.Edit("contacts", id, ("firstname", "Back"));

        await _rig.SyncAsync();

        Assert.Equal("Back", await _rig.LeadAsync("r1", "first_name"));
        Assert.Equal("active", await database.ScalarAsync<string>("SELECT status FROM crm_links WHERE lead_ext_id = 'r1' AND object = 'lead'"));
    }

    [Fact]
    public async Task Sync_MergedThere_LinkMovesOrEnds()
    {
        await _rig.AddAsync("m", 3);
        await _rig.SyncAsync();
        var stranger = _rig.Theirs.Edit("contacts", null, ("email", "stranger@acme.example"));
        _rig.Theirs.Merge("contacts", stranger, await _rig.CrmIdAsync("m1"));
        _rig.Theirs.Merge("contacts", await _rig.CrmIdAsync("m2"), await _rig.CrmIdAsync("m3"));

        await _rig.SyncAsync();
        await _rig.SyncAsync();

        Assert.Equal(stranger, await _rig.CrmIdAsync("m1"));
        Assert.Equal("stranger@acme.example", await _rig.LeadAsync("m1", "email"));
        Assert.Equal(
            $"merged {await _rig.CrmIdAsync("m2")}",
            await database.ScalarAsync<string>("SELECT status || ' ' || merged_into FROM crm_links WHERE lead_ext_id = 'm3' AND object = 'lead'"));
        Assert.Equal(2, _rig.Theirs.Records("contacts").Count);
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM leads"));
        Assert.Equal(0, (await _rig.SyncAsync()).Push["write_calls"]);
    }

    [Fact]
    public async Task Pull_UnknownContactWithDeal_BecomesLeadWithDealOnce()
    {
        var contact = _rig.Theirs.Edit("contacts", null, ("email", "New@Acme.Example"), ("firstname", "Nora"));
        var deal = _rig.Theirs.Edit("deals", null, ("dealname", "Big one"), ("dealstage", "qualifiedtobuy"), ("amount", "900"), ("pipeline", "default"));
        _rig.Theirs.Relate(deal, contact);
        var second = _rig.Theirs.Edit("deals", null, ("dealname", "Second"), ("dealstage", "qualifiedtobuy"));
        _rig.Theirs.Relate(second, contact);

        var pull = await _rig.PullAsync();
        await _rig.SyncAsync();
        await _rig.SyncAsync();

        Assert.Equal((1, 1, 1), (pull["leads_created"], pull["deals_created"], pull["unknown"]));
        Assert.Equal("new@acme.example", await _rig.LeadAsync($"{crm}-{contact}", "email"));
        Assert.Equal(("contacted", "900.00"), (await _rig.DealAsync($"{crm}-{contact}", "stage"), await _rig.DealAsync($"{crm}-{contact}", "estimated_value")));
        Assert.Equal("Big one", _rig.Theirs.Records("deals").Single(d => d.Id == deal).Properties["dealname"]);
        Assert.Equal((1, 2), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count));
    }

    [Fact]
    public async Task Push_ContactOfThatAddressExists_IsTakenOverNotDoubled()
    {
        await _rig.AddAsync("e", 3);
        var contact = _rig.Theirs.Edit("contacts", null, ("email", "e2@acme.example"), ("lastname", "Known there"), ("phone", "1"));

        var (push, _) = await _rig.SyncAsync();

        Assert.Equal((2, 1, 1, 0), (push["leads_created"], push["adopted"], push["leads_updated"], push["failed"]));
        Assert.Equal(3, _rig.Theirs.Records("contacts").Count);
        Assert.Equal(contact, await _rig.CrmIdAsync("e2"));
        Assert.Equal(3, push["deals_created"]);
        Assert.Contains(await _rig.JournalAsync(), line => line.StartsWith("e2 last_name Last2 Known there", StringComparison.Ordinal));
        Assert.Equal(0, (await _rig.SyncAsync()).Push["write_calls"]);
    }

    [Fact]
    public async Task Pull_ContactOfAKnownAddress_IsLinkedToItsLead()
    {
        await _rig.AddAsync("k", 2);
        var contact = _rig.Theirs.Edit("contacts", null, ("email", "k1@acme.example"));

        await _rig.PullAsync();
        await _rig.SyncAsync();

        Assert.Equal(contact, await _rig.CrmIdAsync("k1"));
        Assert.Equal((2, 2), (_rig.Theirs.Records("contacts").Count, await database.ScalarAsync<long>("SELECT count(*) FROM leads")));
    }

    [Theory]
    [InlineData("keep", 3)]
    [InlineData("archive", 2)]
    public async Task Sync_DeletedHere_StaysOrIsArchivedThereAndNeverComesBack(string deletions, int contacts)
    {
        var mapping = await _rig.MappingAsync("\"deletions\": \"keep\"", $"\"deletions\": \"{deletions}\"");
        await _rig.AddAsync("x", 3);
        await _rig.SyncAsync("--mapping-file", mapping);
        var id = await _rig.CrmIdAsync("x1");
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'x1'");

        await _rig.SyncAsync("--mapping-file", mapping);
        if (deletions == "keep")
        {
            _rig.Theirs.Edit("contacts", id, ("firstname", "Edited"));
        }

        var (push, pull) = await _rig.SyncAsync("--mapping-file", mapping);

        Assert.Equal(contacts, _rig.Theirs.Records("contacts").Count);
        Assert.Equal(2, await database.ScalarAsync<long>("SELECT count(*) FROM leads"));
        Assert.Equal((0, 0), (push["write_calls"], pull["leads_created"]));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links WHERE lead_ext_id IS NULL AND our_base::text || their_base::text <> '{}{}'"));
    }

    [Fact]
    public async Task Push_LeadDeletedWhileItIsSent_KeepsNoneOfItsValues()
    {
        await _rig.AddAsync("w", 2);
        _rig.Theirs.Fault = request =>
        {
            if (_rig.Theirs.Creates(request, "contacts"))
            {
                _rig.DeleteNow("w1");
            }

            return FakeFault.None;
        };

        await _rig.SyncAsync();
        _rig.Theirs.Fault = null;
        await _rig.SyncAsync();

        Assert.Equal(
            "deleted_here {} {} t",
            await database.ScalarAsync<string>(
                "SELECT concat_ws(' ', status, our_base, their_base, crm_id IS NOT NULL AND sending IS NULL) FROM crm_links WHERE key = 'w1' AND object = 'lead'"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM leads"));
    }

    [Fact]
    public async Task Sync_LeadGetsAnotherId_StaysTheSameContact()
    {
        await _rig.AddAsync("v", 1);
        await _rig.SyncAsync();
        await _rig.SetLeadAsync("v1", "ext_id = 'renamed', first_name = 'Nueva'");

        await _rig.SyncAsync();

        Assert.Equal("Nueva", Assert.Single(_rig.Theirs.Records("contacts")).Properties["firstname"]);
        Assert.Single(_rig.Theirs.Records("deals"));
    }

    [Fact]
    public async Task Push_AnswerOfACreateLost_MakesNoSecondRecord()
    {
        await _rig.AddAsync("l", 10);
        _rig.Theirs.Fault = request => _rig.Theirs.Creates(request, "contacts") || _rig.Theirs.Creates(request, "deals") ? FakeFault.AnswerLost : FakeFault.None;

        var failed = await _rig.PushAsync();
        _rig.Theirs.Fault = null;
        await _rig.SetLeadAsync("l1", "first_name = 'Later'");
        var push = await _rig.PushAsync();

        Assert.Equal(ExitCode.TemporaryFailure, failed.ExitCode);
        Assert.Equal(ExitCode.Done, push.ExitCode);
        Assert.Equal((10, 10), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count));
        Assert.Equal("Later", _rig.Contact(await _rig.CrmIdAsync("l1")).Properties["firstname"]);
        Assert.Empty(await _rig.JournalAsync());
    }

    [Fact]
    public async Task Sync_ValueThatMeansNothingHere_StaysThereAndIsJournaledOnce()
    {
        _rig.Theirs.AddStage("custom");
        await _rig.AddAsync("u", 1);
        await _rig.SyncAsync();
        _rig.Theirs.Edit("deals", await _rig.CrmIdAsync("u1", "deal"), ("dealstage", "custom"));

        await _rig.SyncAsync();
        await _rig.SyncAsync();

        Assert.Equal("qualified", await _rig.DealAsync("u1", "stage"));
        Assert.Equal("u1 stage appointmentscheduled custom ours not_usable", Assert.Single(await _rig.JournalAsync()));
    }

    [Fact]
    public async Task Sync_OneDirection_LeavesTheOtherSideAlone()
    {
        await _rig.AddAsync("o", 2);
        await _rig.SyncAsync("--sync-direction", "export");
        _rig.Theirs.Edit("contacts", await _rig.CrmIdAsync("o1"), ("firstname", "There"));
        await _rig.SetLeadAsync("o2", "first_name = 'Here'");

        var (exported, skipped) = await _rig.SyncAsync("--sync-direction", "export");
        Assert.Equal(("nothing_to_do", "First1"), (skipped.Json.GetProperty("status").GetString(), await _rig.LeadAsync("o1", "first_name")));
        Assert.Equal("Here", _rig.Contact(await _rig.CrmIdAsync("o2")).Properties["firstname"]);
        Assert.Equal(1, exported["leads_updated"]);

        await _rig.SetLeadAsync("o2", "last_name = 'Here too'");
        await _rig.SyncAsync("--sync-direction", "import");
        Assert.Equal("There", await _rig.LeadAsync("o1", "first_name"));
        Assert.Equal("Last2", _rig.Contact(await _rig.CrmIdAsync("o2")).Properties["lastname"]);
    }

    [Fact]
    public async Task Push_ScoreChanged_GoesThereFromTheHistory()
    {
        await _rig.AddAsync("s", 2);
        await _rig.SyncAsync();
        await database.ExecuteAsync(
            """
            UPDATE leads SET score = 77 WHERE ext_id = 's1';
            INSERT INTO lead_score_history (lead_ext_id, score, priority) VALUES ('s1', 77, 'high')
            """);

        var push = await _rig.PushAsync();

        Assert.Equal(1, push["leads_updated"]);
        Assert.Equal("77", _rig.Contact(await _rig.CrmIdAsync("s1")).Properties["salestasks_score"]);
    }
}
