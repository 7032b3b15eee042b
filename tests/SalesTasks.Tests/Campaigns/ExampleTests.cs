using SalesTasks.Campaigns;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>The four campaigns of examples/campaigns, imported as they are and run to their end.</summary>
public sealed class ExampleTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset T0 = CampaignRig.T0;

    private readonly CampaignRig _rig = new(database);

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.yaml").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(Checkout.Root, "examples", "campaigns");

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public void Examples_AreFour() => Assert.Equal(4, Files.Count);

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Example_ImportedTwice_IsCreatedThenUnchanged(string file)
    {
        var path = Path.Combine(Folder, file);
        Assert.Equal("created", (await _rig.DoAsync("campaigns", "import", path, "--json")).Json[0].GetProperty("state").GetString());
        var before = await database.FingerprintAsync();
        Assert.Equal("unchanged", (await _rig.DoAsync("campaigns", "import", path, "--json")).Json[0].GetProperty("state").GetString());
        Assert.Equal(before, await database.FingerprintAsync());
    }

    /// <summary>Every step for an English and a Spanish lead about whom all or nothing is known: right language, no gap where a value is missing.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Example_EveryText_ReadsWellInBothLanguages(string file)
    {
        var policy = new SendWindow([1, 2, 3, 4, 5], new TimeOnly(9, 0), new TimeOnly(18, 0));
        var (campaign, faults) = CampaignReader.Read(CampaignFile.Read(Path.Combine(Folder, file)), policy);
        Assert.Empty(faults);
        foreach (var step in campaign!.Steps)
        {
            foreach (var variant in step.Variants)
            {
                Assert.Equal(["en", "es"], variant.Texts.Keys.Order());
                foreach (var language in Languages.All)
                {
                    foreach (var facts in (LeadFacts[])[CampaignCheck.Complete, CampaignCheck.Unknown])
                    {
                        var message = StepMessage.Render(step, variant.Texts[language], facts, language);
                        var all = $"{message.Subject}\n{message.Text}";
                        Assert.DoesNotContain("{{", all, StringComparison.Ordinal);
                        Assert.DoesNotContain("  ", message.Subject ?? "", StringComparison.Ordinal);
                        Assert.DoesNotContain(" ,", all, StringComparison.Ordinal);
                        Assert.DoesNotContain(" :", all, StringComparison.Ordinal);
                    }
                }
            }
        }
    }

    [Fact]
    public async Task Examples_EndToEnd_SendEveryStepOnceAndComplete()
    {
        await _rig.DoAsync(["campaigns", "import", .. Directory.GetFiles(Folder, "*.yaml")]);
        foreach (var file in Files.Select(row => row.Data))
        {
            var (campaign, _) = CampaignReader.Read(
                CampaignFile.Read(Path.Combine(Folder, file)), new SendWindow([1, 2, 3, 4, 5], new TimeOnly(9, 0), new TimeOnly(18, 0)));
            await _rig.DoAsync("campaigns", "enable", campaign!.Name);
        }

        await database.ExecuteAsync("INSERT INTO sales_reps (email, name) VALUES ('luis@sales.example', 'Luis Pérez')");
        await _rig.LeadAsync("qualified", "language = 'es-MX'", "assigned_to = 'luis@sales.example'");
        await _rig.LeadAsync("proposal", "language = 'en'", "stage = 'proposal_sent', assigned_to = 'luis@sales.example'");
        await _rig.LeadAsync("valuable", "language = 'es'", "stage = 'negotiating', estimated_value = 50000");
        await _rig.LeadAsync("quiet", "first_name = NULL", "stage = 'contacted', qualified_at = '2026-01-01'");
        _rig.With("SALES_SLACK_CONN_ID", "team");
        Assert.Equal("enrolled 4", await _rig.EnrollAsync());

        for (var day = 0; day < 60; day++)
        {
            await _rig.AdvanceAsync(T0.AddDays(day));
            await _rig.SendAsync(T0.AddDays(day).AddHours(1));
        }

        Assert.All(await _rig.ExecutionsAsync(), execution => Assert.Contains(" completed ", execution, StringComparison.Ordinal));
        Assert.Equal(
            [
                "proposal:1 custom completed", "proposal:2 email_sent sent", "proposal:3 custom completed", "proposal:4 custom completed",
                "qualified:1 email_sent sent", "qualified:2 email_sent sent", "qualified:3 email_sent sent", "qualified:4 email_sent sent",
                "quiet:1 email_sent sent", "quiet:2 email_sent sent", "quiet:3 custom completed",
                "valuable:1 custom sent", "valuable:2 email_sent sent", "valuable:3 custom completed", "valuable:4 custom completed", "valuable:5 email_sent sent",
            ],
            await _rig.EventsAsync());
        Assert.Equal(
            ["proposal call high", "proposal call urgent", "proposal proposal high", "quiet custom low", "valuable call high", "valuable meeting high"],
            await database.QueryAsync("SELECT lead_ext_id || ' ' || task_type || ' ' || priority FROM sales_followup_tasks ORDER BY 1", row => row.GetString(0)));
        Assert.Equal(
            "Hola Ana:",
            await database.ScalarAsync<string>("SELECT split_part(payload ->> 'text', chr(10), 1) FROM outbox_messages WHERE lead_ext_id = 'qualified' AND step_number = 2"));
        Assert.Equal(
            "Hi there,",
            await database.ScalarAsync<string>("SELECT split_part(payload ->> 'text', chr(10), 1) FROM outbox_messages WHERE lead_ext_id = 'quiet' AND step_number = 1"));
    }
}
