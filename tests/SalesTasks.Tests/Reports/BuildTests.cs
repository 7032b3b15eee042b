using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Reports;

/// <summary><c>reports build</c>: versions, repeats, languages, the page.</summary>
public sealed class BuildTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ReportsRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task SameData_BuiltAgainLaterInTheWeek_WritesNothing()
    {
        await _rig.LoadSampleAsync(120);
        var first = await _rig.BuildAsync();
        var before = await database.FingerprintAsync("task_runs");

        var second = await _rig.BuildAsync("--as-of", "2026-03-22T23:59:59Z");

        Assert.Equal((1, 0), (first.Count("new_versions"), second.Count("new_versions")));
        Assert.Equal("nothing_to_do", second.GetProperty("status").GetString());
        Assert.Equal(first.Detail("sha256"), second.Detail("sha256"));
        Assert.Equal(before, await database.FingerprintAsync("task_runs"));
        Assert.Equal(("2026-W11", "1"), (first.Detail("period"), first.Detail("version")));
    }

    [Fact]
    public async Task ChangedData_OfTheSamePeriod_AreANewVersionAndTheOldOneIsKept()
    {
        await _rig.LoadSampleAsync(120);
        await _rig.BuildAsync();
        var old = await _rig.TextAsync("report.json");
        await database.ExecuteAsync(
            "UPDATE sales_pipeline SET estimated_value = estimated_value + 1 WHERE id = (SELECT min(id) FROM sales_pipeline WHERE stage < 'closed_won' AND qualified_at < @end)",
            ("end", ReportsRig.WeekEnd));

        var second = await _rig.BuildAsync();
        // Back to the first data: the third version, though its bytes are those of the first.
        await database.ExecuteAsync(
            "UPDATE sales_pipeline SET estimated_value = estimated_value - 1 WHERE id = (SELECT min(id) FROM sales_pipeline WHERE stage < 'closed_won' AND qualified_at < @end)",
            ("end", ReportsRig.WeekEnd));
        var third = await _rig.BuildAsync();

        Assert.Equal(("2", "3"), (second.Detail("version"), third.Detail("version")));
        Assert.Equal(3, await database.ScalarAsync<long>("SELECT count(*) FROM reports"));
        Assert.Equal(old, await _rig.TextAsync("report.json"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) - count(DISTINCT sha256) FROM reports"));
        // Equal files are kept once.
        Assert.True(await database.ScalarAsync<long>("SELECT count(*) FROM stored_files") < 2 * await database.ScalarAsync<long>("SELECT count(*) FROM report_files WHERE report_id = (SELECT min(id) FROM reports)"));
    }

    [Fact]
    public async Task Languages_Both_ShareDataAndForecast()
    {
        await _rig.LoadSampleAsync(400);

        await _rig.BuildAsync();
        var spanish = await _rig.BuildAsync("--language", "es");

        Assert.Equal("1", spanish.Detail("version"));
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM report_forecasts"));
        Assert.Equal(
            1, await database.ScalarAsync<long>("SELECT count(DISTINCT sha256) FROM report_files WHERE name = 'report.json'"));
        var page = await _rig.TextAsync("report-es.html");
        Assert.Contains("<html lang=\"es\">", page, StringComparison.Ordinal);
        Assert.Contains("Informe semanal de ventas", page, StringComparison.Ordinal);
        Assert.Contains("Semana 11 de 2026 (9 mar 2026 – 15 mar 2026)", page, StringComparison.Ordinal);
        foreach (var english in (string[])["Weekly", "The five", "Win rate", "Forecast", "Funnel", "Representatives", "against", "Table:", "interval:", " days<"])
        {
            Assert.DoesNotContain(english, page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Month_OfTheSample_IsItsOwnReport()
    {
        await _rig.LoadSampleAsync(120);

        var month = await _rig.BuildAsync("--report-type", "monthly");

        Assert.Equal("2026-02", month.Detail("period"));
        Assert.Equal(12, (await _rig.TableAsync("trend")).Count);
        Assert.Equal(
            await database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE created_at >= '2026-02-01Z' AND created_at < '2026-03-01Z'"),
            (await _rig.TableAsync("trend"))[^1].Number("new_leads"));
        Assert.Contains("Feb 2026", await _rig.TextAsync("report-en.html"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Database_Empty_IsAnHonestReport()
    {
        var result = await _rig.BuildAsync();

        var page = await _rig.TextAsync("report-en.html");
        Assert.Equal(1, result.Count("new_versions"));
        Assert.Contains("Deals won: 0, worth 0", page, StringComparison.Ordinal);
        Assert.Contains("No forecast: fewer than 10 deals were won", page, StringComparison.Ordinal);
        Assert.Contains("Nothing in this period.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", page, StringComparison.Ordinal);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM report_forecasts"));
        Assert.All(await _rig.TableAsync("indicators"), row => Assert.True(row.Number("value") is null or 0));
        PageChecks.ShouldBeSound(page);
    }

    [Fact]
    public async Task Names_Hostile_AreHarmlessInPageAndFiles()
    {
        await _rig.LoadSampleAsync(200);
        await _rig.MakeHostileAsync();

        await _rig.BuildAsync();

        var page = await _rig.TextAsync("report-en.html");
        PageChecks.ShouldBeSound(page);
        Assert.Contains("=cmd()|&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        // Turning the order of letters ends with the name; ten thousand characters do not make a page of their own.
        var turns = Enumerable.Range(0, page.Length).Where(i => page[i] == '\u202e').ToList();
        Assert.NotEmpty(turns);
        Assert.All(turns, turn => Assert.Contains(
            (string[])["bdi", "text", "desc"],
            element => page.LastIndexOf($"<{element}", turn, StringComparison.Ordinal) > page.LastIndexOf($"</{element}>", turn, StringComparison.Ordinal)));
        Assert.DoesNotContain(new string('y', 100), page, StringComparison.Ordinal);
        foreach (var file in (string[])["reps.csv", "sources.csv", "campaigns.csv", "campaign_variants.csv"])
        {
            var csv = await _rig.TextAsync(file);
            Assert.Contains("'=cmd()", csv, StringComparison.Ordinal);
            Assert.DoesNotMatch("(^|[,\n\"])[=@\t]", csv);
        }

        Assert.Contains(new string('y', 10_000), await _rig.TextAsync("campaign_variants.csv"), StringComparison.Ordinal);
        Assert.Contains((await _rig.TableAsync("reps")), row => row.GetProperty("rep").GetString()?.StartsWith(ReportsRig.Hostile, StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task DryRun_Always_WritesNothing()
    {
        await _rig.LoadSampleAsync(120);
        using var folder = new ReportFolderOfTest();
        var before = await database.FingerprintAsync();

        var result = await _rig.BuildAsync("--dry-run", "--output", folder.Path);

        Assert.Equal(1, result.Count("new_versions"));
        Assert.Equal(before, await database.FingerprintAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task Folder_GetsTheFiles_AndIsLeftAloneWhereTheyAreThere()
    {
        await _rig.LoadSampleAsync(120);
        using var folder = new ReportFolderOfTest();

        var first = await _rig.BuildAsync("--output", folder.Path);
        var page = first.Detail("page");
        Assert.Equal(Path.Combine(folder.Path, "weekly", "2026-W11", "report-en.html"), page);
        var stamp = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(page, stamp);
        var csv = Path.Combine(Path.GetDirectoryName(page)!, "reps.csv");
        await File.WriteAllTextAsync(csv, "damaged", TestContext.Current.CancellationToken);
        var second = await _rig.BuildAsync("--output", folder.Path);

        Assert.Equal((first.Count("files"), 1), (first.Count("written"), second.Count("written")));
        Assert.Equal(stamp, File.GetLastWriteTimeUtc(page));
        Assert.Equal(await _rig.FileAsync("reps.csv"), await File.ReadAllBytesAsync(csv, TestContext.Current.CancellationToken));
        Assert.Equal(first.Count("files"), Directory.EnumerateFiles(Path.GetDirectoryName(page)!).Count());
    }

    [Theory]
    [InlineData("--report-type", "daily", "one of weekly, monthly")]
    [InlineData("--language", "fr", "one of en, es")]
    [InlineData("--shard", "0/2", "0/1 only")]
    public async Task Parameters_ThatAreNotAllowed_AreRefused(string flag, string value, string allowed)
    {
        var (exitCode, result) = await _rig.RunAsync("reports build", flag, value);

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains(allowed, result.GetProperty("error").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_ThatCannotBeWritten_IsUsage()
    {
        using var folder = new ReportFolderOfTest();
        var file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);

        var (exitCode, result) = await _rig.RunAsync("reports build", "--output", Path.Combine(file, "below"));

        Assert.True(exitCode is ExitCode.Usage or ExitCode.TemporaryFailure, result.GetRawText());
        Assert.Contains("output: ", result.GetProperty("error").GetString()!, StringComparison.Ordinal);
        // What was built is kept all the same.
        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM reports"));
    }

    [Fact]
    public async Task TwoBuilders_AtOnce_MakeOneVersion()
    {
        await _rig.LoadSampleAsync(400);

        var results = await TwoRunners.RunAsync(
            () => ProgramRunner.For(database).Start("reports", "build", "--as-of", ReportsRig.Now.ToString("O")),
            async () =>
            {
                Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM reports"));
                Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM report_forecasts"));
            },
            runners: 3);

        Assert.Equal(1, results.Sum(result => result.Result.Count("new_versions")));
    }

    [Fact]
    public async Task Killed_AtAnyInstant_LeavesAWholeReportOrNone()
    {
        await _rig.LoadSampleAsync(120);
        RunningProgram Start() => ProgramRunner.For(database).Start("reports", "build", "--as-of", ReportsRig.Now.ToString("O"));
        async Task WholeAsync() => Assert.Equal(0, await database.ScalarAsync<long>(
            "SELECT count(*) FROM reports r WHERE (SELECT count(*) FROM report_files f WHERE f.report_id = r.id) <> 17"));
        var usual = (await ProgramRunner.For(database).RunAsync("reports", "build", "--dry-run", "--as-of", ReportsRig.Now.ToString("O"))).ShouldExitWith(ExitCode.Done);

        await KillHarness.RunAsync(
            Start, usual.Duration, kills: 4, seed: 3,
            async () =>
            {
                await WholeAsync();
                Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM reports"));
            },
            WholeAsync);
    }

    [Fact]
    public async Task Forecasts_Kept_AreGradedOnceTheirPeriodIsOver()
    {
        await _rig.LoadSampleAsync(200);
        await _rig.BuildAsync("--as-of", "2026-03-09T09:00:00Z");
        Assert.Empty(await _rig.TableAsync("forecast_grades"));
        // Recorded by the clock on the wall long after the week: made in hindsight, not graded.
        await database.ExecuteAsync("UPDATE report_forecasts SET recorded_at = @late", ("late", ReportsRig.WeekEnd));
        await _rig.BuildAsync();
        Assert.Empty(await _rig.TableAsync("forecast_grades"));

        await database.ExecuteAsync("UPDATE report_forecasts SET recorded_at = made_at");
        await database.ExecuteAsync(
            """
            INSERT INTO report_forecasts (report_type, period_start, period_end, made_at, recorded_at, expected, low, high, expected_wins, open_deals, open_value) VALUES
              -- The second one for its week, and one for another type of report: neither counts.
              ('weekly', @start, @end, @start + interval '2 days', @start + interval '2 days', 1, 1, 1, 1, 1, 1),
              ('monthly', @start, @end, @start, @start, 1, 1, 1, 1, 1, 1),
              -- One that held and one that did not.
              ('weekly', @start - interval '7 days', @start, @start - interval '7 days', @start - interval '6 days', 1, 0, 1e9, 1, 1, 1),
              ('weekly', @start - interval '14 days', @start - interval '7 days', @start - interval '14 days', @start - interval '13 days', 1e9, 1e9, 1e9, 1, 1, 1)
            """,
            ("start", ReportsRig.WeekStart), ("end", ReportsRig.WeekEnd));
        await _rig.BuildAsync();

        var grades = await _rig.TableAsync("forecast_grades");
        Assert.Equal(3, grades.Count);
        Assert.False(grades[0].GetProperty("inside").GetBoolean());
        Assert.True(grades[1].GetProperty("inside").GetBoolean());
        var won = await database.ScalarAsync<double>(
            "SELECT coalesce(sum(estimated_value), 0)::float8 FROM sales_pipeline WHERE stage = 'closed_won' AND closed_at >= @start AND closed_at < @end",
            ("start", ReportsRig.WeekStart), ("end", ReportsRig.WeekEnd));
        Assert.Equal(won, grades[2].Number("won_value")!.Value, 0.001);
        Assert.Equal(won >= grades[2].Number("low") && won <= grades[2].Number("high"), grades[2].GetProperty("inside").GetBoolean());
        Assert.Contains("of 3 past forecasts held the value won", await _rig.TextAsync("report-en.html"), StringComparison.Ordinal);
        // The week's trend tells what had been foretold for it.
        var trend = await _rig.TableAsync("trend");
        Assert.Equal(grades[2].Number("expected"), trend[^1].Number("foretold"));
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class ReportFolderOfTest : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("reports-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
