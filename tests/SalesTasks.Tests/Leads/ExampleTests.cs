using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

/// <summary>The files of examples/ that the documentation tells people to try, in the order it does.</summary>
public sealed class ExampleTests : IClassFixture<TestDatabase>, IDisposable
{
    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public ExampleTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Fact]
    public async Task Examples_InTheOrderOfTheDocumentation_DoWhatItSays()
    {
        var examples = Path.Combine(Checkout.Folder, "examples");

        var leads = await _runner.ImportAsync(Path.Combine(examples, "leads", "leads.csv"));
        var save = await _runner.RunAsync("leads", "mappings", "save", "contacts", "--file", Path.Combine(examples, "mappings", "contacts.yaml"));
        var contacts = await _runner.ImportAsync(Path.Combine(examples, "leads", "contacts.csv"), "--mapping", "contacts");
        var chat = await _runner.ImportAsync(Path.Combine(examples, "leads", "manychat.json"));
        var events = await _runner.ImportAsync(Path.Combine(examples, "leads", "events.csv"), "--kind", "engagement");
        var show = await _runner.RunAsync("leads", "show", "ana.garcia@acme.example");

        Assert.Equal("rows 3, inserted 3", leads.Counts);
        Assert.Equal(ExitCode.Done, save.ExitCode);
        Assert.Equal("rows 3, inserted 3", contacts.Counts);
        Assert.Equal("rows 2, inserted 2", chat.Counts);
        Assert.Equal("rows 5, ignored 1, events_inserted 4, events_bot 1", events.Counts);
        Assert.Contains("1 clicks, 1 opens", show.Output);
        var luis = Assert.Single(await _database.RowsAsync("SELECT * FROM leads WHERE ext_id = 'crm:4711'"));
        Assert.Equal(("paid google", "luis@contoso.example", 1250.5m, true), (luis["source"], luis["email"], luis["estimated_value"], luis["website_visited"]));
        Assert.Equal((new DateTime(2025, 11, 5, 13, 30, 0, DateTimeKind.Utc), null, null), (luis["created_at"], luis["consent_email"], luis["attributes"]));
        Assert.Equal(false, await _database.ScalarAsync<bool?>("SELECT consent_email FROM leads WHERE ext_id = 'crm:4712'"));
    }
}
