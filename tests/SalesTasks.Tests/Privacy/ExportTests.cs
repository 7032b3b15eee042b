using System.Text.Json;
using SalesTasks.Privacy;
using SalesTasks.Tests.Outbox;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Privacy;

/// <summary>An export holds all there is about a person, and nothing about others.</summary>
public sealed class ExportTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly OutboxRig _rig = new OutboxRig(database).InProcess();
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-export-").FullName;

    public async ValueTask InitializeAsync()
    {
        if (await database.ScalarAsync<long>("SELECT count(*) FROM leads") == 0)
        {
            await Zyxwina.SeedAsync(database);
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(Zyxwina.Lead, "ext_id")]
    [InlineData(Zyxwina.Alias, "ext_id")]
    [InlineData(Zyxwina.Email, "email")]
    [InlineData(Zyxwina.Phone, "phone")]
    public async Task Export_HoweverSheIsNamed_HoldsEverythingAndNobodyElse(string who, string asked)
    {
        var export = Json.Parse((await _rig.RunAsync("privacy", "export", who, "--json")).ShouldExitWith(ExitCode.Done).Output);

        Assert.Equal((ExportPerson.Format, asked), (export.Text("format"), export.Text("asked_by")));
        Assert.Equal([Zyxwina.Lead, Zyxwina.OtherLead], export.GetProperty("leads").EnumerateArray().Select(l => l.GetString()));
        var tables = export.GetProperty("tables").EnumerateArray().ToDictionary(t => t.Text("table"), t => t.GetProperty("rows"));
        Assert.Equal(PersonalData.Tables.Select(t => t.Name), tables.Keys);
        // Every table that names her anywhere is there with rows, the history of scores under the name of its table.
        var dump = Zyxwina.Find(await Zyxwina.DumpAsync(database)).Select(line => line.Split(':')[0]).Select(t => t.StartsWith("lead_scores_", StringComparison.Ordinal) ? "lead_scores" : t);
        Assert.All(dump.Distinct().Except(["privacy_requests"]), table => Assert.True(tables[table].GetArrayLength() > 0, table));
        Assert.Equal(2, tables["leads"].GetArrayLength());
        Assert.Equal("Zyxwina wants a call", tables["sales_pipeline"][0].Text("notes"));
        Assert.Equal(1, tables["deal_prediction_history"].GetArrayLength());
        foreach (var (name, rows) in tables.Where(t => t.Key is not ("outbox_messages" or "task_runs")))
        {
            Assert.False(rows.GetRawText().Contains("ana@acme.example", StringComparison.Ordinal), name);
        }
    }

    [Fact]
    public async Task Export_ToAFile_IsForItsOwnerOnlyAndNeverOverwrites()
    {
        var path = Path.Combine(_folder, "person.json");

        var written = (await _rig.RunAsync("privacy", "export", Zyxwina.Lead, "--out", path, "--lang", "es")).ShouldExitWith(ExitCode.Done);
        var again = (await _rig.RunAsync("privacy", "export", Zyxwina.Lead, "--out", path)).ShouldExitWith(ExitCode.Usage);

        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(ExportPerson.Format, document.RootElement.Text("format"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.Contains("Fuera del alcance", written.Output, StringComparison.Ordinal);
        Assert.Contains("sales_pipeline", written.Output, StringComparison.Ordinal);
        Assert.Contains($"--out '{path}' is there already; allowed: a new file", again.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_EachTime_IsWrittenDownAndChangesNothingElse()
    {
        (await _rig.RunAsync("privacy", "export", Zyxwina.Lead, "--json")).ShouldExitWith(ExitCode.Done);
        var before = await database.FingerprintAsync("privacy_requests", "audit_log");
        var requests = await database.ScalarAsync<long>("SELECT count(*) FROM privacy_requests WHERE kind = 'export'");

        (await _rig.RunAsync("privacy", "export", Zyxwina.Lead, "--json")).ShouldExitWith(ExitCode.Done);

        Assert.Equal(before, await database.FingerprintAsync("privacy_requests", "audit_log"));
        Assert.Equal(requests + 1, await database.ScalarAsync<long>("SELECT count(*) FROM privacy_requests WHERE kind = 'export'"));
        var kept = await database.ScalarAsync<string>("SELECT string_agg(r::text, ' ') FROM privacy_requests r");
        Assert.DoesNotContain(Zyxwina.Traces, t => kept!.Contains(t, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Export_OfNobody_Is64() =>
        Assert.Equal((int)ExitCode.Usage, (await _rig.RunAsync("privacy", "export", "nobody-here", "--json")).ExitCode);

    [Fact]
    public async Task Export_OfAPlaceholder_Is64()
    {
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source, email) SELECT 'none-' || i, 'web', 'none@none.example' FROM generate_series(1, 30) AS i");

        var result = (await _rig.RunAsync("privacy", "export", "none@none.example", "--json")).ShouldExitWith(ExitCode.Usage);

        Assert.Contains("no single person", result.Errors, StringComparison.Ordinal);
        await database.ExecuteAsync("DELETE FROM leads WHERE ext_id LIKE 'none-%'");
    }
}
