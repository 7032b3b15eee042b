using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>The commands for people.</summary>
public sealed class CampaignCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly CampaignRig _rig = new(database);
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-test-").FullName;

    private string File => Path.Combine(_folder, "campaign.yaml");

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Import_ChangedFile_ChangesTheCampaignAndLeavesItsSwitchAlone()
    {
        await WriteAsync("body: one");
        Assert.Contains("created, disabled", (await _rig.DoAsync("campaigns", "import", File)).Output, StringComparison.Ordinal);
        Assert.Contains("unchanged", (await _rig.DoAsync("campaigns", "import", File)).Output, StringComparison.Ordinal);
        await _rig.DoAsync("campaigns", "enable", "Mail");
        await WriteAsync("body: two");
        Assert.Contains("cambiada", (await _rig.DoAsync("campaigns", "import", File, "--lang", "es")).Output, StringComparison.Ordinal);
        Assert.Equal("two True", await database.ScalarAsync<string>("SELECT concat_ws(' ', steps_config -> 0 ->> 'body', initcap(enabled::text)) FROM sales_campaigns"));
    }

    [Fact]
    public async Task Import_ShownDocument_IsTheSameCampaign()
    {
        await WriteAsync("body: {en: one, es: uno}");
        await _rig.DoAsync("campaigns", "import", File);
        var shown = (await _rig.DoAsync("campaigns", "show", "Mail", "--json")).Json;
        await System.IO.File.WriteAllTextAsync(File, shown.GetProperty("document").GetRawText(), TestContext.Current.CancellationToken);
        Assert.Contains("unchanged", (await _rig.DoAsync("campaigns", "import", File)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_OneBadFileAmongGood_SavesNoneAndTellsAll()
    {
        await WriteAsync("body: one");
        var bad = Path.Combine(_folder, "bad.yaml");
        await System.IO.File.WriteAllTextAsync(bad, "name: Bad\ncampaign_type: nurturing\nsteps_config: [{type: email, subject: '{{ x }}', delay_hours: -1}]", TestContext.Current.CancellationToken);
        var answer = await _rig.RunAsync("campaigns", "import", File, bad, File);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("bad.yaml', steps_config[1].delay_hours", answer.Errors, StringComparison.Ordinal);
        Assert.Contains("bad.yaml', steps_config[1].subject", answer.Errors, StringComparison.Ordinal);
        Assert.Contains("both are named 'Mail'", answer.Errors, StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_campaigns"));
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync("campaigns", "import", Path.Combine(_folder, "none.yaml"))).ExitCode);
    }

    [Fact]
    public async Task Create_FromFlags_SavesACampaignOnce()
    {
        string[] create =
        [
            "campaigns", "create", "Hot", "--type", "multichannel", "--where", "stage=qualified,contacted", "--where", "score_min=60",
            "--step", "email;0;Hello {{ first_name }};A word; and more.", "--step", "call;48;Call {{ full_name }}", "--step", "slack;0;;Done", "--max-leads-per-run", "5",
        ];
        await _rig.DoAsync(create);
        var row = Assert.Single(await database.RowsAsync("SELECT * FROM sales_campaigns"));
        Assert.Equal((false, 5, "multichannel"), (row["enabled"], row["max_leads_per_run"], row["campaign_type"]));
        Assert.Equal("""{"stage": ["qualified", "contacted"], "score_min": 60}""", row["trigger_criteria"]);
        Assert.Equal("A word; and more.", await database.ScalarAsync<string>("SELECT steps_config -> 0 ->> 'body' FROM sales_campaigns"));
        Assert.Equal("48", await database.ScalarAsync<string>("SELECT steps_config -> 1 ->> 'delay_hours' FROM sales_campaigns"));

        var again = await _rig.RunAsync(create);
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        Assert.Contains("there is a campaign 'Hot' already", again.Errors, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync("campaigns", "create", "X", "--type", "nurturing", "--step", "email")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync("campaigns", "create", "X", "--type", "nurturing", "--step", "email;0;s;b", "--where", "score_min")).ExitCode);
        var unknown = await _rig.RunAsync("campaigns", "create", "X", "--type", "nurturing", "--step", "email;0;s;b", "--where", "colour=red");
        Assert.Contains("unknown key 'colour'", unknown.Errors, StringComparison.Ordinal);
        await _rig.DoAsync("campaigns", "create", "On", "--type", "nurturing", "--step", "email;0;s;b", "--enable");
        Assert.True(await database.ScalarAsync<bool>("SELECT enabled FROM sales_campaigns WHERE name = 'On'"));
    }

    [Fact]
    public async Task List_Campaigns_ShowsStatesAndFaults()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Good");
        await _rig.CampaignAsync("[{}]", name: "Bad");
        await _rig.EnrollAsync();
        var table = (await _rig.DoAsync("campaigns", "list")).Output;
        Assert.Contains("Bad is invalid; jobs leave it out:", table, StringComparison.Ordinal);
        Assert.Contains("steps_config[1].type: it is missing", table, StringComparison.Ordinal);
        Assert.Contains("activada", (await _rig.DoAsync("campaigns", "list", "--lang", "es")).Output, StringComparison.Ordinal);
        var json = (await _rig.DoAsync("campaigns", "list", "--json")).Json;
        Assert.Equal(("Good", true, 1), (json[0].GetProperty("name").GetString(), json[0].GetProperty("valid").GetBoolean(), json[0].GetProperty("active").GetInt32()));
        Assert.False(json[1].GetProperty("valid").GetBoolean());
        Assert.Contains("Nothing has been sent yet.", (await _rig.DoAsync("campaigns", "show", "Good")).Output, StringComparison.Ordinal);
        Assert.Contains("is invalid", (await _rig.DoAsync("campaigns", "show", "Bad")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_UnknownCampaign_NamesThoseThereAre()
    {
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Good");
        var answer = await _rig.RunAsync("campaigns", "show", "Goood");
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("there is no campaign 'Goood'; allowed: Good", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disable_WithMessagesWaiting_TakesThemBackAtOnceAndEnableGoesOn()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Mail");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();

        Assert.Contains("Disabled; 1 leads are halted.", (await _rig.DoAsync("campaigns", "disable", "Mail")).Output, StringComparison.Ordinal);
        Assert.Empty(await _rig.MessagesAsync());
        Assert.Contains("It is so already.", (await _rig.DoAsync("campaigns", "disable", "Mail")).Output, StringComparison.Ordinal);
        Assert.Contains("campaign_disabled", (await _rig.DoAsync("campaigns", "show", "Mail")).Output, StringComparison.Ordinal);
        var shown = (await _rig.DoAsync("campaigns", "show", "Mail", "--lang", "es")).Output;
        Assert.Contains("campaña desactivada", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("campaign_disabled", shown, StringComparison.Ordinal);
        Assert.Contains("Activada; 1 leads continúan.", (await _rig.DoAsync("campaigns", "enable", "Mail", "--lang", "es")).Output, StringComparison.Ordinal);
        Assert.Equal("advanced 1, queued 1", await _rig.AdvanceAsync(TimeProvider.System.GetUtcNow().AddHours(1)));
        Assert.False((await _rig.DoAsync("campaigns", "enable", "Mail", "--json")).Json.GetProperty("changed").GetBoolean());
    }

    [Fact]
    public async Task Enable_InvalidCampaign_IsRefused()
    {
        await _rig.CampaignAsync("[{}]", name: "Bad");
        await database.ExecuteAsync("UPDATE sales_campaigns SET enabled = false");
        var answer = await _rig.RunAsync("campaigns", "enable", "Bad");
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("steps_config[1].type", answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_CampaignWithHistory_NeedsForce()
    {
        await _rig.LeadAsync("a");
        await _rig.CampaignAsync(CampaignRig.OneEmail, name: "Used");
        await _rig.CampaignAsync(CampaignRig.OneEmail, """{"score_min": 99}""", name: "Unused");
        await _rig.EnrollAsync();
        await _rig.AdvanceAsync();

        var answer = await _rig.RunAsync("campaigns", "delete", "Used");
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("1 leads have been in 'Used', 1 of them still are", answer.Errors, StringComparison.Ordinal);
        await _rig.DoAsync("campaigns", "delete", "Unused");
        Assert.Equal(1, (await _rig.DoAsync("campaigns", "delete", "Used", "--force", "--json")).Json.GetProperty("executions").GetInt32());
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM sales_campaigns) + (SELECT count(*) FROM sales_campaign_executions) + (SELECT count(*) FROM outbox_messages)"));
    }

    [Fact]
    public async Task Preview_ForALead_ShowsWhatWouldBeSentAndSendsNothing()
    {
        await _rig.LeadAsync("a", "first_name = 'Zoë', language = 'es'");
        await _rig.CampaignAsync(
            """
            [{"type": "email", "subject": {"en": "Hi {{ first_name }}", "es": "Hola {{ first_name }}"}, "html": "<p>{{ company_name }}</p>"},
             {"type": "call", "delay_hours": 2, "body": "b", "variants": [{"name": "A", "subject": "x"}, {"name": "B", "subject": "y"}]}]
            """,
            name: "Mail");
        var before = await database.FingerprintAsync();

        var text = (await _rig.DoAsync("campaigns", "preview", "Mail", "--lead", "a")).Output;
        Assert.Contains("Subject: Hola Zoë", text, StringComparison.Ordinal);
        Assert.Contains("<p>tu empresa</p>", text, StringComparison.Ordinal);
        Assert.Contains("== Step 2: call, 2 h after the step before, variant ", text, StringComparison.Ordinal);
        Assert.Contains("Asunto: Hola Ana", (await _rig.DoAsync("campaigns", "preview", "Mail", "--lang", "es")).Output, StringComparison.Ordinal);
        Assert.Contains("Subject: Hi Ana", (await _rig.DoAsync("campaigns", "preview", "Mail")).Output, StringComparison.Ordinal);
        Assert.Equal(3, (await _rig.DoAsync("campaigns", "preview", "Mail", "--all-variants", "--json")).Json.GetArrayLength());
        Assert.Equal(ExitCode.Usage, (await _rig.RunAsync("campaigns", "preview", "Mail", "--lead", "nobody")).ExitCode);
        Assert.Equal(before, await database.FingerprintAsync());
    }

    [Fact]
    public async Task Preview_AFile_NeedsNoSavedCampaign()
    {
        await WriteAsync("body: 'From a file, {{ first_name }}'");
        Assert.Contains("From a file, Ana", (await _rig.DoAsync("campaigns", "preview", File)).Output, StringComparison.Ordinal);
        await WriteAsync("body: '{{ nonsense }}'");
        Assert.Contains("'nonsense' is not known", (await _rig.RunAsync("campaigns", "preview", File)).Errors, StringComparison.Ordinal);
    }

    private Task WriteAsync(string body) => System.IO.File.WriteAllTextAsync(
        File, $"name: Mail\ncampaign_type: email_sequence\nsteps_config:\n  - type: email\n    subject: Hello\n    {body}\n", TestContext.Current.CancellationToken);
}
