using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Routing;

/// <summary>reps list|show|add|import|absence|deactivate.</summary>
public sealed class RepCommandTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly RoutingRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.ClearAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Add_NewRep_HasWhatIsGivenAndFollowsTheRunElse()
    {
        var answer = await ReadyAsync("reps", "add", "Ana@Sales.Example", "--name", "Ana Paz", "--languages", "es; en", "--time-zone", "Europe/Madrid", "--weight", "1.5");

        Assert.Equal("ana@sales.example: added\n", answer.Output);
        var rep = Assert.Single(await database.RowsAsync("SELECT * FROM sales_reps"));
        Assert.Equal(("ana@sales.example", "Ana Paz", true), (rep["email"], rep["name"], rep["active"]));
        Assert.Equal(("Europe/Madrid", 1.5m, (object?)null, (object?)null), (rep["time_zone"], rep["weight"], rep["max_active_leads"], rep["min_active_leads"]));
        Assert.Equal(["es", "en"], (string[])rep["languages"]!);
    }

    [Fact]
    public async Task Add_KnownRep_ChangesOnlyWhatIsGiven()
    {
        await ReadyAsync("reps", "add", "ana@sales.example", "--name", "Ana", "--capacity", "30", "--regions", "north");
        await ReadyAsync("reps", "deactivate", "ana@sales.example");

        Assert.Equal("ana@sales.example: changed\n", (await ReadyAsync("reps", "add", "ana@sales.example", "--capacity", "40")).Output);
        Assert.Equal("ana@sales.example: unchanged\n", (await ReadyAsync("reps", "add", "ana@sales.example", "--capacity", "40")).Output);
        Assert.Equal("ana@sales.example: changed\n", (await ReadyAsync("reps", "add", "ana@sales.example", "--capacity", "")).Output);
        Assert.Equal(
            ("Ana", "north", true, true),
            Assert.Single(await database.QueryAsync(
                "SELECT name, regions[1], active, max_active_leads IS NULL FROM sales_reps", row => (row.GetString(0), row.GetString(1), row.GetBoolean(2), row.GetBoolean(3)))));
    }

    [Fact]
    public async Task Add_Faults_AreReportedTogether()
    {
        var answer = await _rig.RunAsync("reps", "add", "nobody", "--capacity", "-1", "--weight", "0", "--work-days", "8", "--time-zone", "Mars/Base", "--work-start", "25:00");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.All(["rep: 'nobody'", "--capacity: '-1'", "--weight: '0'", "--work-days: '8'", "'Mars/Base'", "--work-start: '25:00'"],
            fault => Assert.Contains(fault, answer.Errors, StringComparison.Ordinal));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));
    }

    [Fact]
    public async Task Import_ExampleFile_AddsAllAndASecondTimeNothing()
    {
        var file = Path.Combine(Leads.Checkout.Folder, "examples", "reps", "reps.csv");

        Assert.Equal("added 0, changed 0, unchanged 0\n", (await ReadyAsync("reps", "import", file, "--dry-run")).Output.Replace("added 4", "added 0", StringComparison.Ordinal));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));
        Assert.Equal("added 4, changed 0, unchanged 0\n", (await ReadyAsync("reps", "import", file)).Output);
        Assert.Equal("{\"added\":0,\"changed\":0,\"unchanged\":4}\n", (await ReadyAsync("reps", "import", file, "--json")).Output);
    }

    [Fact]
    public async Task Import_BadRows_AreAllNamedAndNothingIsKept()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                file,
                "email,name,max_active_leads\nana@sales.example,Ana,many\nnot-an-address,Luis,3\neva@sales.example,Eva,4\neva@sales.example,Eva again,5\nshort@sales.example,x\n",
                TestContext.Current.CancellationToken);

            var answer = await _rig.RunAsync("reps", "import", file);

            Assert.Equal(ExitCode.Usage, answer.ExitCode);
            Assert.All(
                ["line 2: max_active_leads: 'many'", "line 3: email: 'not-an-address'", "line 5: 'eva@sales.example' stands in line 4 already", "line 6: 2 columns"],
                fault => Assert.Contains(fault, answer.Errors, StringComparison.Ordinal));
            Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM sales_reps"));

            await File.WriteAllTextAsync(file, "name,shoe_size\nAna,40\n", TestContext.Current.CancellationToken);
            var columns = await _rig.RunAsync("reps", "import", file);
            Assert.Contains("column 'shoe_size'", columns.Errors, StringComparison.Ordinal);
            Assert.Contains("there is no column email", columns.Errors, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Absence_InDays_IsInTheRepsOwnTimeZoneWithTheLastDay()
    {
        await ReadyAsync("reps", "add", "ana@sales.example", "--time-zone", "America/Mexico_City");

        var answer = await ReadyAsync("reps", "absence", "ana@sales.example", "--from", "2026-08-01", "--until", "2026-08-15", "--reason", "holiday");

        Assert.Equal("ana@sales.example, absence 1: 2026-08-01 06:00 – 2026-08-16 06:00 UTC\n", answer.Output);
        await ReadyAsync("reps", "absence", "ana@sales.example", "--from", "2026-09-01T12:00:00+02:00");
        Assert.Equal(
            ["2026-08-01 06:00:00+00 2026-08-16 06:00:00+00 holiday", "2026-09-01 10:00:00+00"],
            await database.QueryAsync("SET TimeZone = 'UTC'; SELECT concat_ws(' ', starts_at, ends_at, reason) FROM sales_rep_absences ORDER BY id", row => row.GetString(0)));
        await ReadyAsync("reps", "absence", "ana@sales.example", "--cancel", "1");
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM sales_rep_absences"));
    }

    [Theory]
    [InlineData("--from 'tomorrow'", "--from", "tomorrow")]
    [InlineData("--from is missing", "--until", "2026-08-01")]
    [InlineData("--until: '2026-07-01' is not after", "--from", "2026-08-01", "--until", "2026-07-01")]
    [InlineData("has no absence 9", "--cancel", "9")]
    [InlineData("--cancel goes alone", "--cancel", "9", "--from", "2026-08-01")]
    public async Task Absence_Faults_AreNamed(string fault, params string[] options)
    {
        await _rig.AddRepAsync("ana");

        var answer = await _rig.RunAsync(["reps", "absence", "ana@sales.example", .. options]);

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(fault.Replace("--from 'tomorrow'", "--from: 'tomorrow'", StringComparison.Ordinal), answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_UnknownRep_AreRefusedByName()
    {
        foreach (var command in new string[][] { ["show"], ["deactivate"], ["absence"] })
        {
            string[] options = command[0] is "absence" ? ["--from", "2026-08-01"] : [];
            var answer = await _rig.RunAsync(["reps", .. command, "who@sales.example", .. options]);

            Assert.Equal(ExitCode.Usage, answer.ExitCode);
            Assert.Contains("'who@sales.example'", answer.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Deactivate_RepWithDeals_SaysHowManyMoveAndTheRunMovesThem()
    {
        await _rig.AddRepAsync("ana");
        await _rig.AddRepAsync("eva");
        await _rig.AddDealAsync("a", deal: ("assigned_to", "'ana@sales.example'"));

        Assert.Contains("gives 1 open deals to others", (await ReadyAsync("reps", "deactivate", "ANA@sales.example")).Output, StringComparison.Ordinal);
        await _rig.AssignAsync();

        Assert.Equal("eva", await _rig.OwnerAsync("a"));
    }

    [Fact]
    public async Task ListAndShow_TellLoadStateAndSkill()
    {
        await _rig.AddRepAsync("ana", "max_active_leads, languages", "7, '{es}'");
        await _rig.AddRepAsync("away");
        await _rig.AddRepAsync("gone", "active", "false");
        await database.ExecuteAsync("INSERT INTO sales_rep_absences (rep_email, starts_at) VALUES ('away@sales.example', '2020-01-01')");
        await _rig.AddDealsAsync("d", 3);
        await _rig.AssignAsync();

        var list = await ReadyAsync("reps", "list", "--lang", "es");
        Assert.Contains("ana@sales.example", list.Output, StringComparison.Ordinal);
        Assert.Contains("ausente hasta nuevo aviso", list.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("gone@sales.example", list.Output, StringComparison.Ordinal);
        var json = (await ReadyAsync("reps", "list", "--all", "--json")).Json;
        Assert.Equal(["ana@sales.example 3", "away@sales.example 0", "gone@sales.example 0"],
            json.EnumerateArray().Select(r => $"{r.GetProperty("email").GetString()} {r.GetProperty("open_deals")}"));

        var show = (await ReadyAsync("reps", "show", "away@sales.example", "--json")).Json;
        Assert.True(show.GetProperty("absent").GetBoolean());
        Assert.Equal(1, show.GetProperty("absences").GetArrayLength());
        Assert.Equal(1m, show.GetProperty("win_rates").GetProperty("odds").GetDecimal());
        Assert.Contains("3 / 7", (await ReadyAsync("reps", "show", "ana@sales.example")).Output, StringComparison.Ordinal);
    }

    private async Task<Answer> ReadyAsync(params string[] arguments)
    {
        var answer = await _rig.RunAsync(arguments);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer;
    }
}
