using System.Text.Json;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

public sealed class LeadCommandsTests : IClassFixture<TestDatabase>, IDisposable
{
    private const string Mapping = "# ours\ncolumns: {ext_id: id, source: {value: crm}}\n";

    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public LeadCommandsTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Theory]
    [InlineData("show-1")]
    [InlineData("show-2")]
    [InlineData("SHOW@show.example")]
    public async Task Show_ByIdAliasOrEmail_TellsEverything(string asked)
    {
        await SeedAsync();

        var english = (await _runner.RunAsync("leads", "show", asked)).ShouldExitWith(ExitCode.Done).Output;
        var spanish = (await _runner.RunAsync("leads", "show", asked, "--lang", "es")).Output;
        using var json = JsonDocument.Parse((await _runner.RunAsync("leads", "show", asked, "--json")).Output);

        Assert.Contains("Ana García", english);
        Assert.Contains("1 clicks", english);
        Assert.Contains("1 of bots, ignored", english);
        Assert.Contains("show-2 (email)", english);
        Assert.Contains("contacted", english);
        Assert.Contains("colour: blue", english);
        Assert.Contains("1 de bots, ignorados", spanish);
        Assert.Contains("correo: denegado", spanish);
        var lead = Assert.Single(json.RootElement.EnumerateArray());
        Assert.Equal(("show-1", 1, 1, "contacted", "show-2"), (
            lead.GetProperty("ext_id").GetString(), lead.GetProperty("engagement").GetProperty("clicks").GetInt32(),
            lead.GetProperty("engagement").GetProperty("bot_events_ignored").GetInt32(), lead.GetProperty("pipeline").GetProperty("stage").GetString(),
            lead.GetProperty("aliases")[0].GetProperty("ext_id").GetString()));
    }

    [Fact]
    public async Task Show_NewLead_SaysWhatIsMissing()
    {
        await _runner.ImportTextAsync("ext_id,source\nfresh-1,web\n");

        var output = (await _runner.RunAsync("leads", "show", "fresh-1")).Output;

        Assert.Contains("not scored yet", output);
        Assert.Contains("not in the pipeline", output);
    }

    [Fact]
    public async Task Show_Unknown_IsRefused()
    {
        var outcome = (await _runner.RunAsync("leads", "show", "nobody")).ShouldExitWith(ExitCode.Usage);

        Assert.Contains("no lead has the ext_id, alias or e-mail address 'nobody'", outcome.Log);
    }

    [Fact]
    public async Task Mappings_SavedByName_AreListedShownUsedAndDeleted()
    {
        var file = _runner.Write("m.yaml", Mapping);

        (await _runner.RunAsync("leads", "mappings", "save", "crm", "--file", file)).ShouldExitWith(ExitCode.Done);
        var again = await _runner.RunAsync("leads", "mappings", "save", "crm", "--file", file, "--json");
        var list = await _runner.RunAsync("leads", "mappings", "list");
        var show = await _runner.RunAsync("leads", "mappings", "show", "crm");
        var import = await _runner.ImportTextAsync("id\nmapped-1\n", "--mapping", "crm");
        var delete = await _runner.RunAsync("leads", "mappings", "delete", "crm");
        var gone = await _runner.ImportTextAsync("id\nmapped-2\n", "--mapping", "crm");

        Assert.Contains("\"changed\":false", again.Output);
        Assert.Contains("crm", list.Output);
        Assert.Equal(Mapping, show.Output);
        Assert.Equal("rows 1, inserted 1", import.Counts);
        Assert.Equal("crm", await _database.ScalarAsync<string>("SELECT source FROM leads WHERE ext_id = 'mapped-1'"));
        Assert.Equal(ExitCode.Done, delete.ExitCode);
        Assert.Contains("there is no saved mapping 'crm'", gone.ShouldExitWith(ExitCode.Usage).Error);
    }

    [Theory]
    [InlineData("Bad Name", Mapping, "'Bad Name' is no name for a mapping")]
    [InlineData("good", "columns: {ext_id: id, sauce: x}", "line 1: columns: unknown 'sauce'")]
    public async Task Mappings_SaveUnusable_IsRefusedAndNotSaved(string name, string text, string fault)
    {
        var outcome = await _runner.RunAsync("leads", "mappings", "save", name, "--file", _runner.Write("m.yaml", text));

        Assert.Contains(fault, outcome.ShouldExitWith(ExitCode.Usage).Log);
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM lead_import_mappings WHERE name = @name", ("name", name)));
    }

    private async Task SeedAsync()
    {
        await _runner.ImportTextAsync(
            "ext_id,source,email,first_name,last_name,consent_email,colour\nshow-1,web,show@show.example,Ana,García,no,blue\nshow-2,ads,show@show.example,,,,\n");
        await _runner.ImportAsync(
            _runner.Write(
                "e.csv",
                "lead_ext_id,event_type,occurred_at,source,source_event_id,user_agent\nshow-2,click,2026-02-01,m,show-a,Firefox\nshow-1,click,2026-02-02,m,show-b,curl/8\n"),
            "--kind", "engagement");
        await _database.ExecuteAsync(
            "INSERT INTO sales_pipeline (lead_ext_id, email, stage) VALUES ('show-1', 'show@show.example', 'contacted') ON CONFLICT DO NOTHING");
    }
}
