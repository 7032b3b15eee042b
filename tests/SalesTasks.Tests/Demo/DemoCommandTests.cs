using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Backup;
using SalesTasks.Demo;
using SalesTasks.Leads;
using SalesTasks.Scoring;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Demo;

/// <summary>The demo as a stranger starts it: the real program, in a process of its own, with a server of its own.</summary>
public sealed partial class DemoCommandTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Demo_SmallSample_RunsEveryJobAndLeavesNothing()
    {
        var result = (await ProgramRunner.Bare.RunAsync("demo", "--leads", "200")).ShouldExitWith(ExitCode.Done);

        foreach (var job in Commands.DemoDags.SelectMany(dag => dag.Steps))
        {
            Assert.Contains($"│ {job.Name} ", result.Output, StringComparison.Ordinal);
            Assert.Contains($"{job.Name}: ", result.Errors, StringComparison.Ordinal);
        }

        Assert.Contains("200 leads, 5 reps", result.Output, StringComparison.Ordinal);
        Assert.Contains("first scored 200", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"lead-\d{7} .* \+\d", result.Output);
        // Sinks got something, and nothing twice. (Calls are for large deals, of which there are few among so few.)
        foreach (var sink in (string[])["e-mail", "slack", "tasks"])
        {
            Assert.Matches($"│ {sink} +│ +[1-9][0-9,]* │ +0 │", result.Output);
        }

        // The last line leads to the report, which outlives the database.
        var page = result.Output.TrimEnd().Split('\n')[^1].Split(": ")[1];
        Assert.Contains("<h1>Weekly sales report</h1>", await File.ReadAllTextAsync(page, Token), StringComparison.Ordinal);
        Directory.Delete(Path.GetFullPath(Path.Combine(page, "..", "..", "..")), recursive: true);
        await AssertGoneAsync(result);
    }

    [Fact]
    public async Task Demo_JsonAsOfThePast_TellsTheSameEachTime()
    {
        string[] arguments = ["demo", "--json", "--leads", "150", "--seed", "5", "--as-of", "2026-02-03T04:00:00Z"];
        var first = Parse(await ProgramRunner.Bare.RunAsync(arguments));
        var second = Parse(await ProgramRunner.Bare.RunAsync(arguments));

        Assert.Equal(first.GetProperty("sample").GetRawText(), second.GetProperty("sample").GetRawText());
        Assert.Equal(first.GetProperty("top_leads").GetRawText(), second.GetProperty("top_leads").GetRawText());
        Assert.Equal(first.GetProperty("sinks").GetRawText(), second.GetProperty("sinks").GetRawText());
        Assert.All(first.GetProperty("sinks").EnumerateArray(), sink => Assert.Equal(0, sink.GetProperty("repeated").GetInt32()));
        Assert.Equal(1_500, first.GetProperty("sample").GetProperty("tasks").GetInt32());
        Assert.Equal(5, first.GetProperty("top_leads").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("database_url").ValueKind);
        Assert.Equal(
            150,
            first.GetProperty("steps").EnumerateArray().Single(step => step.GetProperty("step").GetString() == "scoring score")
                .GetProperty("counts").GetProperty("first_scored").GetInt32());

        static JsonElement Parse(ProgramResult result)
        {
            using var document = JsonDocument.Parse(result.ShouldExitWith(ExitCode.Done).Output);
            return document.RootElement.Clone();
        }
    }

    [Fact]
    public async Task Demo_Keep_LeavesTheDatabaseUntilItsStopCommandIsTyped()
    {
        var result = (await ProgramRunner.Bare.RunAsync("demo", "--keep", "--leads", "100", "--lang", "es")).ShouldExitWith(ExitCode.Done);
        var lines = result.Output.TrimEnd().Split('\n');
        try
        {
            var url = Url().Match(result.Output);
            var connection = new NpgsqlConnectionStringBuilder
            {
                Host = url.Groups["host"].Value,
                Port = int.Parse(url.Groups["port"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture),
                Username = url.Groups["user"].Value,
                Password = url.Groups["password"].Value,
                Database = url.Groups["database"].Value,
            };
            await using var source = NpgsqlDataSource.Create(connection);
            await using var count = source.CreateCommand("SELECT count(*) FROM leads WHERE score IS NOT NULL");
            Assert.Equal(100L, await count.ExecuteScalarAsync(Token));
            Assert.Contains("La base de datos sigue en marcha", result.Output, StringComparison.Ordinal);

            // What is told to try works.
            var explain = lines.Single(line => line.Contains("sales-tasks explain", StringComparison.Ordinal)).Trim().Split(' ');
            (await ProgramRunner.Bare.With("AIRFLOW_CONN_SALES_POSTGRES", url.Value).RunAsync(explain[1..])).ShouldExitWith(ExitCode.Done);
        }
        finally
        {
            using var shell = Process.Start("/bin/sh", ["-c", $"{{ {lines[^2]}; }} > /dev/null"]);
            await shell.WaitForExitAsync(CancellationToken.None);
        }

        await AssertGoneAsync(result);
    }

    [Fact]
    public async Task Demo_SettingsOfAnotherDatabase_AreNotUsed()
    {
        var elsewhere = ProgramRunner.Bare
            .With("AIRFLOW_CONN_SALES_POSTGRES", "postgres://nobody:x@127.0.0.1:1/production")
            .With("AIRFLOW_CONN_PRODUCTION", "postgres://nobody:x@127.0.0.1:1/production")
            .With("SALES_POSTGRES_CONN_ID", "production")
            .With("SALES_PARAMS", """{"max_leads_per_run": 1}""");

        var result = (await elsewhere.RunAsync("demo", "--leads", "100")).ShouldExitWith(ExitCode.Done);

        Assert.Contains("first scored 100", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Start a private PostgreSQL")]
    [InlineData("Create the schema")]
    [InlineData("Load the sample: 53,248")]
    public async Task Demo_AskedToStop_LeavesNothing(string afterLine)
    {
        var program = ProgramRunner.Bare.Start("demo", "--leads", "60000");
        await program.HasLoggedAsync(afterLine);
        await program.TerminateAsync();

        var result = (await program.Completion).ShouldExitWith(ExitCode.Stopped);

        Assert.Contains("stopped", result.Errors, StringComparison.Ordinal);
        await AssertGoneAsync(result);
    }

    [Fact]
    public async Task Demo_Killed_LeavesNothing()
    {
        var program = ProgramRunner.Bare.Start("demo", "--leads", "60000", "--keep");
        await program.HasLoggedAsync("Create the schema");
        program.Kill();

        await AssertGoneAsync(await program.Completion);
    }

    [Theory]
    [InlineData("--leads", "99", "--leads: '99' is not allowed; allowed: Leads in the sample; tasks are ten times as many [a whole number from 100 to 1000000]")]
    [InlineData("--leads", "many", "--leads: 'many' is not allowed")]
    [InlineData("--seed", "one", "--seed: 'one' is not allowed; allowed: A whole number")]
    [InlineData("--as-of", "yesterday", "--as-of: 'yesterday' is not allowed; allowed: The sample's present and the jobs': an ISO 8601")]
    [InlineData("--as-of", "2026-01-31T06:00:00.5Z", "--as-of: '2026-01-31T06:00:00.5Z' is not allowed")]
    [InlineData("--size", "9", "'--size' is not known here")]
    public async Task Demo_WrongOption_IsRefusedWithWhatIsAllowed(string option, string value, string message)
    {
        var result = (await ProgramRunner.Bare.RunAsync("demo", option, value)).ShouldExitWith(ExitCode.Usage);

        Assert.Contains(message, result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Start a private", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void DemoDags_OfTheProgram_HaveAllStepsButTwo() =>
        // The import needs files that somebody sends, and the demo's database is not worth a backup.
        Assert.Equal([BackupJobs.Create, LeadsJobs.Import], Commands.Dags.SelectMany(dag => dag.Steps).Except(Commands.DemoDags.SelectMany(dag => dag.Steps)));

    [Fact]
    public void Read_JobThatFailed_PassesItsExitCodeAndErrorOn()
    {
        const string Line = """{"task":"scoring score","status":"failed","counts":{},"error":"no rules"}""";

        var failure = Assert.Throws<JobException>(() => DemoJobs.Read(ScoringJobs.Score, ExitCode.Refused, Line, "", TimeSpan.Zero));

        Assert.Equal(ExitCode.Refused, failure.ExitCode);
        Assert.Equal("scoring score: no rules", failure.Message);
    }

    [Theory]
    [InlineData((int)ExitCode.Done, (int)ExitCode.Defect)]
    [InlineData((int)ExitCode.Defect, (int)ExitCode.Defect)]
    public void Read_JobWithoutAResult_IsAFailureWithItsLog(int exitCode, int expected)
    {
        var failure = Assert.Throws<JobException>(
            () => DemoJobs.Read(ScoringJobs.Score, (ExitCode)exitCode, "", "it broke", TimeSpan.Zero));

        Assert.Equal((ExitCode)expected, failure.ExitCode);
        Assert.Contains("it broke", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_JobThatIsDone_TellsWhatItDid()
    {
        var step = DemoJobs.Read(
            ScoringJobs.Qualify,
            ExitCode.Done,
            """{"task":"scoring qualify","status":"done","counts":{"qualified":1234,"without_email":2,"followed":0}}""" + "\n",
            "",
            TimeSpan.FromSeconds(1));

        Assert.Equal("qualified 1,234, without email 2", step.Outcome);
        Assert.Equal(1234, step.Counts["qualified"]);
    }

    /// <summary>The server no longer listens.</summary>
    private static async Task AssertGoneAsync(ProgramResult result)
    {
        var port = int.Parse(Place().Match(result.Errors).Groups["port"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        await Eventually.HoldsAsync($"nothing listens on port {port} any more", async () =>
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync("127.0.0.1", port, Token);
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
        });
    }

    [GeneratedRegex(@"127\.0\.0\.1:(?<port>\d+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Place();

    [GeneratedRegex(
        @"postgresql://(?<user>\w+):(?<password>\w+)@(?<host>[\d.]+):(?<port>\d+)/(?<database>\w+)",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Url();
}
