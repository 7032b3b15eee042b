using SalesTasks.Demo.Crm;
using SalesTasks.Tests.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Privacy;

public sealed class HubSpotCrmErasureTests(TestDatabase database) : CrmErasureTests(database, "hubspot");

public sealed class SalesforceCrmErasureTests(TestDatabase database) : CrmErasureTests(database, "salesforce");

/// <summary>What an erasure asks of the CRM: carried out once, tried again until it is, with a receipt; and nobody comes back from there.</summary>
public abstract class CrmErasureTests(TestDatabase database, string crm) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CrmRig _rig = new(database, crm);

    private CrmStand Theirs => _rig.Theirs;

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await database.ExecuteAsync("TRUNCATE privacy_requests, privacy_refusals, privacy_crm_erasures, suppressions CASCADE");
    }

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Push_AfterAnErasure_ErasesContactAndDealAndNothingElse()
    {
        await _rig.AddAsync("e", 2);
        await _rig.SyncAsync();
        var contact = await _rig.CrmIdAsync("e1");
        await EraseAsync("e1");

        var first = await _rig.PushAsync();
        // What is left is no lead that a CRM should know of.
        await database.ExecuteAsync("UPDATE sales_pipeline SET assigned_to = 'other@sales.example' WHERE email = 'erased'");
        var second = await _rig.PushAsync();

        Assert.Equal((ExitCode.Done, 2L, 0L), (first.ExitCode, first["erased"], first["leads_updated"]));
        Assert.Equal((ExitCode.Done, 0L), (second.ExitCode, second["erased"]));
        Assert.Equal((1, 1, 1), (Theirs.Erasures, Theirs.Records("contacts").Count, Theirs.Records("deals").Count));
        Assert.Equal(
            ["deal erased True", $"lead erased True {contact}"],
            await database.QueryAsync(
                "SELECT concat_ws(' ', object, answer, CASE WHEN done_at IS NOT NULL THEN 'True' END, CASE object WHEN 'lead' THEN crm_id END) FROM privacy_crm_erasures ORDER BY object",
                row => row.GetString(0)));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links WHERE pending OR key = 'e1'"));
    }

    [Fact]
    public async Task Pull_OfARecordOfAnErasedPerson_MakesNoLeadAndHasItErasedThere()
    {
        await _rig.AddAsync("p", 1);
        await _rig.SyncAsync();
        var linked = await _rig.CrmIdAsync("p1");
        await EraseAsync("p1@acme.example");
        // Before the next push, people go on working there: on the record we know, and on new ones with her address or her id.
        Theirs.Edit("contacts", linked, ("firstname", "Edited"));
        Theirs.Edit("contacts", null, ("phone", "+34 600 1"), ("salestasks_lead_id", "p1"), ("lastname", "Back"));
        var other = Theirs.Edit("contacts", null, ("email", "new@acme.example"), ("firstname", "New"));

        Assert.Equal(ExitCode.Done, (await _rig.PullAsync()).ExitCode);
        var push = await _rig.PushAsync();

        Assert.True(push.ExitCode is ExitCode.Done, push.ToString());
        Assert.Equal([other], Theirs.Records("contacts").Select(r => r.Id));
        Assert.Equal(["New"], await database.QueryAsync("SELECT first_name FROM leads WHERE erased_at IS NULL", row => row.GetString(0)));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM leads l WHERE l::text ~ '(Edited|Back|p1@)'"));
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT count(*) FROM privacy_refusals WHERE way = 'crm'"));

        // Read once more: it is known, gone or erased.
        await _rig.SyncAsync();
        Assert.Equal([other], Theirs.Records("contacts").Select(r => r.Id));
    }

    [Theory]
    [InlineData(nameof(FakeFault.Unavailable), false)]
    [InlineData(nameof(FakeFault.AnswerLost), false)]
    [InlineData(nameof(FakeFault.AnswerLost), true)]
    [InlineData(nameof(FakeFault.Cut), false)]
    [InlineData(nameof(FakeFault.Cut), true)]
    public async Task Push_WhenTheCrmFails_AsksAgainUntilItIsDone(string fault, bool forGood)
    {
        await _rig.AddAsync("f", 1);
        await _rig.SyncAsync();
        await EraseAsync("f1");
        Theirs.Fault = request => Theirs.Erases(request, forGood) ? Enum.Parse<FakeFault>(fault) : FakeFault.None;

        Assert.Equal(ExitCode.TemporaryFailure, (await _rig.PushAsync()).ExitCode);
        Theirs.Fault = null;
        Assert.Equal(ExitCode.Done, (await _rig.PushAsync()).ExitCode);

        Assert.Equal(1, Theirs.Erasures);
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM privacy_crm_erasures WHERE done_at IS NULL"));
    }

    [Fact]
    public async Task Push_WhereTheCrmRefuses_GoesOnAndEndsWith69()
    {
        await _rig.AddAsync("r", 1);
        await _rig.SyncAsync();
        await EraseAsync("r1");
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email) VALUES ('s1', 'web', 's1@acme.example');
            INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('s1', 's1@acme.example')
            """);
        Theirs.Refuses = true;

        var refused = await _rig.PushAsync();

        Assert.Equal((ExitCode.Refused, 1L), (refused.ExitCode, refused["leads_created"]));
        Assert.Contains(Theirs.NeededToErase, await database.ScalarAsync<string>("SELECT answer FROM privacy_crm_erasures WHERE done_at IS NULL"), StringComparison.Ordinal);
        Theirs.Refuses = false;
        Assert.Equal(ExitCode.Done, (await _rig.PushAsync()).ExitCode);
        Assert.Equal(1, Theirs.Erasures);
    }

    [Fact]
    public async Task Push_InDirectionImport_ErasesAllTheSame()
    {
        await _rig.AddAsync("i", 1);
        await _rig.SyncAsync();
        await EraseAsync("i1");

        var push = await _rig.PushAsync("--sync-direction", "import");

        Assert.Equal((ExitCode.Done, 2L, 1), (push.ExitCode, push["erased"], Theirs.Erasures));
        Assert.Equal(ExitCode.Done, (await _rig.PushAsync("--sync-direction", "import")).ExitCode);
    }

    [Fact]
    public async Task Push_DryRun_ErasesNothing()
    {
        await _rig.AddAsync("d", 1);
        await _rig.SyncAsync();
        await EraseAsync("d1");

        Assert.Equal(ExitCode.Done, (await _rig.PushAsync("--dry-run")).ExitCode);

        Assert.Equal((0, 1), (Theirs.Erasures, Theirs.Records("contacts").Count));
    }

    [Fact]
    public async Task Erase_WhileAPushCreatesTheContact_HasItErasedAfterwards()
    {
        await _rig.AddAsync("w", 1);
        var erased = false;
        Theirs.Fault = request =>
        {
            if (Theirs.Creates(request, "contacts") && !erased)
            {
                erased = true;
                EraseNow("w1");
            }

            return FakeFault.None;
        };

        Assert.Equal(ExitCode.Done, (await _rig.PushAsync()).ExitCode);
        Assert.True(erased);
        Assert.Single(Theirs.Records("contacts"));
        // Its lease is over: nothing of it is on its way any more.
        await database.ExecuteAsync("UPDATE privacy_crm_erasures SET not_before = now()");
        Assert.Equal(ExitCode.Done, (await _rig.PushAsync()).ExitCode);

        Assert.Empty(Theirs.Records("contacts"));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM privacy_crm_erasures WHERE done_at IS NULL OR key IS NOT NULL"));
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM crm_links k WHERE k::text LIKE '%w1%'"));
        await _rig.SyncAsync();
        Assert.Equal(0L, await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE erased_at IS NULL"));
    }

    [Fact]
    public async Task Push_TwoAtOnce_EraseEachRecordOnce()
    {
        await _rig.AddAsync("t", 8);
        await _rig.SyncAsync();
        for (var i = 1; i <= 8; i++)
        {
            await EraseAsync($"t{i}");
        }

        var answers = await Task.WhenAll(_rig.PushAsync(), _rig.PushAsync());

        Assert.All(answers, a => Assert.True(a.ExitCode is ExitCode.Done, a.ToString()));
        Assert.Equal((8, 16L), (Theirs.Erasures, answers.Sum(a => a["erased"])));
        Assert.Equal(1L, await database.ScalarAsync<long>("SELECT max(attempts)::bigint FROM privacy_crm_erasures"));
    }

    private void EraseNow(string who) => EraseAsync(who).GetAwaiter().GetResult();

    private async Task EraseAsync(string who)
    {
        var answer = await _rig.RunAsync("privacy", "erase", who, "--yes");
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
    }
}
