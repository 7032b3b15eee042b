using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>What a CRM refuses, limits and loses.</summary>
public abstract class FaultTests(TestDatabase database, string crm) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CrmRig _rig = new(database, crm);

    private protected CrmRig Rig => _rig;

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public Task Push_OneBadRecordInAThousand_IsKeptAndTriedAgainWhenItChanges() => OneBadRecordAsync(extraCalls: 0);

    [Fact]
    public async Task Pull_MoreRecordsThanASearchShows_AllOfOneInstant_AllCome()
    {
        var count = crm == "hubspot" ? 10_100 : 4_100;
        for (var i = 0; i < count; i++)
        {
            _rig.Theirs.Edit("contacts", null, ("email", $"w{i}@acme.example"));
        }

        var pull = await _rig.PullAsync();

        Assert.Equal((count, count), (pull["read"], pull["leads_created"]));
        Assert.Equal(count, await database.ScalarAsync<long>("SELECT count(DISTINCT email) FROM leads"));
        Assert.Equal(0, (await _rig.PullAsync("--skip-when-idle"))["leads_updated"]);
    }

    [Fact]
    public async Task Push_DaysCallsUsedUp_EndsWith75AndGoesOnTheNextDay()
    {
        await _rig.AddAsync("y", 500);
        _rig.DailyLimit = "7";

        var push = await _rig.PushAsync();
        Assert.Equal(
            (ExitCode.TemporaryFailure, (7 - _rig.Theirs.CallsBefore) * _rig.Theirs.Batch), (push.ExitCode, push["leads_created"]));
        Assert.Equal((7, 0), (_rig.Theirs.Calls, _rig.Theirs.OverLimit));
        Assert.Contains("daily_limit", push.Fault);
        Assert.Equal(ExitCode.TemporaryFailure, (await _rig.PullAsync()).ExitCode);

        await database.ExecuteAsync("UPDATE crm_quotas SET day = day - 1");
        _rig.DailyLimit = null;
        await _rig.SyncAsync();
        Assert.Equal((500, 500), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count));
    }

    [Fact]
    public async Task Pull_LimitReachedBetweenPages_GoesOnWhereItEnded()
    {
        for (var i = 0; i < 500; i++)
        {
            _rig.Theirs.Edit("contacts", null, ("email", $"z{i}@acme.example"));
        }

        _rig.Theirs.SmallPages();
        _rig.Theirs.Http.DailyCalls = 6;
        var first = await _rig.PullAsync();
        Assert.Equal((ExitCode.TemporaryFailure, 400), (first.ExitCode, first["read"]));

        _rig.Theirs.Http.DailyCalls = 1000;
        await database.ExecuteAsync("UPDATE crm_quotas SET paused_until = NULL");
        var second = await _rig.PullAsync();
        Assert.Equal((100, 500), (second["read"], second["leads_created"]));
    }

    [Fact]
    public async Task Push_FourRunsAtOnce_NeverExceedTheLimitAndShareTheWork()
    {
        await _rig.AddAsync("a", 600);
        _rig.BurstLimit = "12/1";
        _rig.Theirs.Http.BurstCalls = 12;
        _rig.Theirs.Http.BurstWindow = TimeSpan.FromSeconds(1);

        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _rig.PushAsync())));

        Assert.All(runs, run => Assert.Equal(ExitCode.Done, run.ExitCode));
        await _rig.PushAsync();
        Assert.Equal(0, _rig.Theirs.OverLimit);
        Assert.Equal((600, 600), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Created - 600));
        Assert.All(_rig.Theirs.Records("deals"), deal => Assert.Single(deal.Contacts));
    }

    [Theory]
    [InlineData(nameof(FakeFault.Unavailable))]
    [InlineData(nameof(FakeFault.Cut))]
    [InlineData(nameof(FakeFault.TooMany))]
    public async Task Push_OutOfOrder_Is75AndTheNextRunDoesIt(string fault)
    {
        await _rig.AddAsync("f", 10);
        _rig.Theirs.Fault = request => _rig.Theirs.Writes(request) ? Enum.Parse<FakeFault>(fault) : FakeFault.None;
        Assert.Equal(ExitCode.TemporaryFailure, (await _rig.PushAsync()).ExitCode);

        _rig.Theirs.Fault = null;
        await _rig.SyncAsync();
        Assert.Equal((10, 10), (_rig.Theirs.Records("contacts").Count, _rig.Theirs.Records("deals").Count));
    }

    [Fact]
    public async Task Push_OneFailureOnTheWay_IsTriedAgainWithinTheRun()
    {
        await _rig.AddAsync("g", 10);
        var calls = 0;
        _rig.Theirs.Fault = _ => ++calls % 3 == 0 ? FakeFault.Unavailable : calls % 5 == 0 ? FakeFault.TooMany : FakeFault.None;

        await _rig.SyncAsync();

        Assert.Equal(10, _rig.Theirs.Records("deals").Count);
    }

    [Fact]
    public async Task Push_TokenNotAccepted_Is69AndNamesTheConnectionOnly()
    {
        await _rig.AddAsync("h", 1);
        _rig.Token = "expired-secret";

        var push = await _rig.PushAsync();

        Assert.Equal(ExitCode.Refused, push.ExitCode);
        Assert.Contains("test_crm", push.Fault);
        Assert.DoesNotContain("expired-secret", push.Output + push.Errors);
    }

    [Fact]
    public async Task Sync_EveryFailure_TellsNoSecretsAndNobodysAddress()
    {
        await _rig.AddAsync("secretperson", 3);
        await _rig.SetLeadAsync("secretperson1", "email = 'secretperson1 at@bad.example'");
        var told = "";
        foreach (var fault in (FakeFault[])[FakeFault.None, FakeFault.Unavailable, FakeFault.AnswerLost])
        {
            _rig.Theirs.Fault = _ => fault;
            foreach (var answer in (CrmAnswerLine[])[await _rig.PushAsync(), await _rig.PullAsync()])
            {
                told += answer.Output + answer.Errors;
            }
        }

        told += await database.ScalarAsync<string>("SELECT string_agg(problem, ' ') FROM crm_links");
        Assert.DoesNotContain("secret-token", told);
        Assert.DoesNotContain("!session.", told);
        Assert.DoesNotContain("bad.example", told);
        Assert.DoesNotContain("acme.example", told);
    }

    [Fact]
    public async Task Push_AbnormalShareChanged_StopsBeforeTheFirstWriteUnlessAllowed()
    {
        await _rig.AddAsync("ab", 300);
        await _rig.SyncAsync();
        await database.ExecuteAsync("UPDATE leads SET last_name = NULL WHERE ext_id LIKE 'ab%' AND ext_id <= 'ab3'");
        var writes = _rig.Theirs.WriteCalls;

        var push = await _rig.PushAsync();
        Assert.Equal((ExitCode.Usage, writes), (push.ExitCode, _rig.Theirs.WriteCalls));
        Assert.Contains("max_change_percent = 30", push.Fault);

        Assert.Equal(ExitCode.Done, (await _rig.PushAsync("--allow-mass-change")).ExitCode);
        Assert.True(_rig.Theirs.WriteCalls > writes);
    }

    [Fact]
    public async Task Pull_AbnormalShareDeletedOrChanged_StopsBeforeTheFirstChangeUnlessAllowed()
    {
        await _rig.AddAsync("ac", 30);
        await _rig.SyncAsync();
        foreach (var contact in _rig.Theirs.Records("contacts").Take(12))
        {
            _rig.Theirs.Archive("contacts", contact.Id);
        }

        var pull = await _rig.PullAsync();
        Assert.Equal(ExitCode.Usage, pull.ExitCode);
        Assert.Contains("delete 12 of 30", pull.Fault);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links WHERE status <> 'active'"));

        Assert.Equal(12, (await _rig.PullAsync("--allow-mass-change"))["deleted"]);
    }

    [Fact]
    public async Task Sync_DryRun_TellsAndWritesNothing()
    {
        await _rig.AddAsync("dr", 5);
        _rig.Theirs.Edit("contacts", null, ("email", "x@acme.example"));
        var before = await database.FingerprintAsync();

        var push = await _rig.PushAsync("--dry-run");
        var pull = await _rig.PullAsync("--dry-run");

        Assert.Equal((5, 5, 0, 1), (push["leads_created"], push["deals_created"], push["write_calls"], pull["unknown"]));
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Equal(0, _rig.Theirs.WriteCalls);
    }

    [Fact]
    public async Task Push_RepresentativeWhoIsNoOwner_IsToldBeforehandAndCounted()
    {
        await _rig.AddAsync("un", 2);
        await database.ExecuteAsync("INSERT INTO sales_reps (email, name) VALUES ('third@sales.example', 'Third')");
        await _rig.SetDealAsync("un1", "assigned_to = 'third@sales.example'");

        Assert.Equal(1, (await _rig.PushAsync("--dry-run"))["unmapped"]);
        Assert.Equal(1, (await _rig.PushAsync())["unmapped"]);
        Assert.Equal(0, (await _rig.PushAsync())["unmapped"]);
    }

    [Fact]
    public async Task Sync_MaxLeads_TheNextRunGoesOn()
    {
        await _rig.AddAsync("ml", 7);

        Assert.Equal(4, (await _rig.PushAsync("--max-leads-per-run", "4"))["leads_created"]);
        Assert.Equal(3, (await _rig.PushAsync("--max-leads-per-run", "4"))["leads_created"]);
    }

    [Fact]
    public async Task Commands_StatusAndConflicts_TellHowThingsStand()
    {
        await _rig.AddAsync("st", 3);
        await _rig.SetLeadAsync("st1", "email = 'bad'");
        await _rig.SyncAsync();
        _rig.Theirs.Edit("contacts", await _rig.CrmIdAsync("st2"), ("lastname", "Theirs"));
        await _rig.SetLeadAsync("st2", "last_name = 'Ours'");
        await _rig.SyncAsync();

        var status = (await _rig.RunAsync("crm", "status", "--json")).Json;
        var lead = status.GetProperty("objects")[0];
        Assert.Equal((2, 1, 1), (lead.GetProperty("linked").GetInt32(), lead.GetProperty("failed").GetInt32(), lead.GetProperty("conflicts").GetInt32()));
        Assert.Equal("st1", status.GetProperty("refused")[0].Text("lead_ext_id"));
        Assert.Equal(_rig.Theirs.Calls, status.GetProperty("calls")[0].GetProperty("calls_today").GetInt32());
        var conflict = Assert.Single((await _rig.RunAsync("crm", "conflicts", "--lead", "st2", "--json")).Json.EnumerateArray());
        Assert.Equal(("last_name", "Ours", "Theirs", "ours"), (conflict.Text("field"), conflict.Text("ours"), conflict.Text("theirs"), conflict.Text("kept")));
        Assert.Contains("Rechazados", (await _rig.RunAsync("crm", "status", "--lang", "es")).Output);
        Assert.Contains("Kept", (await _rig.RunAsync("crm", "conflicts")).Output);
        Assert.Equal(ExitCode.Usage, await RetryWithoutTargetAsync());
    }

    /// <param name="extraCalls">At most so many calls that write go to finding it.</param>
    private protected async Task OneBadRecordAsync(int extraCalls)
    {
        await _rig.AddAsync("q", 1000);
        await _rig.SetLeadAsync("q500", "email = 'not an address'");

        var push = await _rig.PushAsync();

        Assert.Equal((999, 1), (push["leads_created"], push["failed"]));
        Assert.Equal(999, _rig.Theirs.Records("contacts").Count);
        // The batches of contacts, those of deals, 1 of associations; what is more is the search for the bad one.
        Assert.InRange(push["write_calls"] - (2 * 1000 / _rig.Theirs.Batch) - 1, 0, extraCalls);
        var problem = await database.ScalarAsync<string>("SELECT problem FROM crm_links WHERE lead_ext_id = 'q500' AND object = 'lead'");
        Assert.Contains("email", problem, StringComparison.OrdinalIgnoreCase);

        Assert.Equal(0, (await _rig.PushAsync())["write_calls"]);
        await _rig.SetLeadAsync("q500", "industry = 'not mapped'");
        Assert.Equal(0, (await _rig.PushAsync())["write_calls"]);

        await _rig.RunAsync("crm", "retry", "q500");
        Assert.Equal(1, (await _rig.PushAsync())["failed"]);
        await _rig.SetLeadAsync("q500", "email = 'q500@acme.example'");
        var mended = await _rig.PushAsync();
        Assert.Equal((1, 1, 0), (mended["leads_created"], mended["deals_created"], mended["failed"]));
        Assert.Null(await database.ScalarAsync<string>("SELECT problem FROM crm_links WHERE lead_ext_id = 'q500' AND object = 'lead'"));
    }

    [Fact]
    public async Task Retry_LeadThatIsNotThere_IsNamedAndNothingIsDone()
    {
        var answer = await _rig.RunAsync("crm", "retry", "nobody");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("crm retry: 'nobody': no such lead", answer.ToString(), StringComparison.Ordinal);
    }

    private async Task<ExitCode> RetryWithoutTargetAsync() => (await _rig.RunAsync("crm", "retry")).ExitCode;
}

internal static class JsonTexts
{
    public static string Text(this System.Text.Json.JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
