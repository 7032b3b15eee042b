using System.Text.Json;
using SalesTasks.Predictions.Learning;
using SalesTasks.Tests.Cli;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions;

/// <summary>ml benchmark on exports it has never seen, and on the real ones whose reference figures are known.</summary>
public sealed class BenchmarkCommandTests : IDisposable
{
    private static readonly string[] LeakyColumns =
    [
        "Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Last Activity", "Asymmetrique Activity Index", "Asymmetrique Profile Index",
        "Asymmetrique Activity Score", "Asymmetrique Profile Score",
    ];

    private readonly ExportFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_ExportWithSignal_PredictsNearlyAsWellAsTheTruth()
    {
        var report = await ReportAsync(_folder.Deals("deals.csv", 4000), "Result", "Won", "--time", "Created");

        var truth = Metrics.Of(_folder.Truth.ToArray(), _folder.Outcomes.ToArray());
        Assert.Equal(["5-fold", "temporal"], report.GetProperty("protocols").EnumerateArray().Select(p => p.GetProperty("protocol").GetString()));
        Assert.All(report.GetProperty("protocols").EnumerateArray(), protocol =>
        {
            Assert.InRange(Chosen(protocol, "auc"), truth.Auc - 0.03, truth.Auc + 0.03);
            Assert.InRange(Chosen(protocol, "log_loss"), truth.LogLoss - 0.03, truth.LogLoss + 0.03);
            Assert.InRange(Chosen(protocol, "ece"), 0, 0.05);
            Assert.NotEqual("prior", protocol.GetProperty("chosen").GetProperty("name").GetString());
            Assert.Equal(
                ["prior", "logistic regression", "LightGBM", "blend"],
                protocol.GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        });
        Assert.Empty(report.GetProperty("warnings").EnumerateArray());
        Assert.Equal((3200, 800), (Number(report, 1, "train_rows"), Number(report, 1, "test_rows")));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1500)]
    public async Task Run_OutcomesByChance_SaysTheBaseRate(int rows)
    {
        var report = await ReportAsync(_folder.Deals("noise.csv", rows, signal: 0, intercept: 0.4), "Result", "Won", "--time", "Created");

        Assert.All(report.GetProperty("protocols").EnumerateArray(), protocol =>
        {
            var prior = protocol.GetProperty("candidates")[0];
            Assert.Equal("prior", prior.GetProperty("name").GetString());
            Assert.InRange(Chosen(protocol, "log_loss"), 0, prior.GetProperty("log_loss").GetDouble() + 0.002);
        });
    }

    [Theory]
    [InlineData(100, 0.0, "Won", "Lost")]
    [InlineData(300, 1.0, "1", "0")]
    [InlineData(2000, -4.5, "sí", "no; quizá")]
    public async Task Run_SmallOrOneSidedExports_AreNoWorseThanTheBaseRate(int rows, double intercept, string won, string lost)
    {
        var report = await ReportAsync(_folder.Deals("odd.csv", rows, 1, intercept, won, $"\"{lost}\""), "Result", won);

        var protocol = report.GetProperty("protocols")[0];
        Assert.InRange(Chosen(protocol, "log_loss"), 0, protocol.GetProperty("candidates")[0].GetProperty("log_loss").GetDouble() + 0.01);
        Assert.InRange(Chosen(protocol, "ece"), 0, rows < 1000 ? 0.15 : 0.02);
    }

    [Fact]
    public async Task Run_SameSeed_IsTheSameAndAnotherIsNot()
    {
        var path = _folder.Deals("deals.csv", 1000);
        string[] arguments = ["ml", "benchmark", "--csv", path, "--label", "Result", "--positive", "Won", "--json"];

        var first = await RunAsync(arguments);
        var second = await RunAsync(arguments);
        var third = await RunAsync([.. arguments, "--seed", "2"]);

        Assert.Equal(first, second);
        Assert.NotEqual(first.Replace("\"seed\":1", "\"seed\":2", StringComparison.Ordinal), third);
    }

    [Fact]
    public async Task Run_NothingButKeys_SaysTheBaseRate()
    {
        var path = _folder.Write("keys.csv", Enumerable.Range(0, 100).Select(i => $"{i},same,,{i % 3 == 0}").Prepend("id,constant,empty,label"));

        var report = await ReportAsync(path, "label", "true");

        Assert.All(report.GetProperty("columns").EnumerateArray(), c => Assert.False(c.GetProperty("used").GetBoolean()));
        Assert.Equal("prior", report.GetProperty("protocols")[0].GetProperty("chosen").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Run_ColumnsThatKnowTheOutcome_AreWarnedOf()
    {
        var random = new Random(9);
        var day = new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var path = _folder.Write("leaks.csv", Enumerable.Range(0, 600).Select(i =>
        {
            var won = random.NextDouble() < 0.4;
            var created = day.AddDays(i / 2);
            return string.Join(',',
                $"{created:yyyy-MM-dd}", random.Next(5), won == (random.NextDouble() < 0.97) ? "A" : "B", won ? "" : "price", $"{created.AddDays(random.Next(1, 40)):yyyy-MM-dd}",
                random.NextDouble() < (won ? 0.7 : 0.4) ? "hot" : "cold", random.NextDouble() < (won ? 0.7 : 0.4) ? "yes" : "no", won ? "Won" : "Lost");
        }).Prepend("created,harmless,code,lossReason,invoice date,Lead Quality,opened,result"));

        var report = await ReportAsync(path, "result", "Won", "--time", "created");

        Assert.Equal(
            ["Lead Quality name", "code determines", "invoice date later_than_time", "lossReason emptiness"],
            report.GetProperty("warnings").EnumerateArray()
                .Select(w => $"{w.GetProperty("column").GetString()} {w.GetProperty("kind").GetString()}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("--csv /nowhere/x.csv --label Result --positive Won", "--csv '/nowhere/x.csv': cannot be read")]
    [InlineData("--csv {deals} --label Outcome --positive Won", "--label 'Outcome': there is no such column; there are: 'Deal Id', 'Industry'")]
    [InlineData("--csv {deals} --label Result --positive Gewonnen", "--positive 'Gewonnen': no row of 'Result' has it; there are: 'Lost' (")]
    [InlineData("--csv {deals} --label Currency --positive EUR", "--label 'Currency': every row has the same outcome, 'EUR' (200 rows)")]
    [InlineData("--csv {deals} --label Result --positive Won --exclude Nothing", "--exclude 'Nothing': there is no such column")]
    [InlineData("--csv {deals} --label Result --positive Won --exclude Result", "--exclude 'Result': it is the label")]
    [InlineData("--csv {deals} --label Result --positive Won --time Industry", "--time 'Industry': 200 of 200 rows have neither a date nor a number")]
    [InlineData("--csv {deals} --label Result --positive Won --negative Open", "--negative 'Open': no row of 'Result' has it")]
    [InlineData("--csv {deals} --label Result --positive Won --negative Won", "--negative 'Won': it is the positive outcome")]
    [InlineData("--csv {deals} --label Result --positive Won --seed -1", "--seed: '-1' is not allowed")]
    [InlineData("--csv {few} --label y --positive 1", "has 20 rows with an outcome, 10 of them '1'; allowed: at least 50 rows and 5 of each outcome")]
    [InlineData("--csv {empty} --label y --positive 1", "is empty")]
    [InlineData("--csv {folder} --label y --positive 1", "cannot be read")]
    [InlineData("--label y --positive 1", "--csv")]
    public async Task Run_WrongUse_IsRefusedWithWhatIsAllowed(string line, string fault)
    {
        var words = line
            .Replace("{deals}", _folder.Deals("deals.csv", 200), StringComparison.Ordinal)
            .Replace("{few}", _folder.Write("few.csv", Enumerable.Range(0, 20).Select(i => $"{i % 5},{i % 2}").Prepend("x,y")), StringComparison.Ordinal)
            .Replace("{empty}", _folder.Write("empty.csv"), StringComparison.Ordinal)
            .Replace("{folder}", _folder.Path, StringComparison.Ordinal);
        var host = new TestHost();

        Assert.Equal(ExitCode.Usage, await host.RunAsync(["ml", "benchmark", .. words.Split(' ')]));

        Assert.Empty(host.Output);
        Assert.StartsWith("error: ", host.Errors, StringComparison.Ordinal);
        Assert.Contains(fault, host.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ForPeople_ShowsTheSameInBothLanguages()
    {
        string[] arguments = ["ml", "benchmark", "--csv", _folder.Deals("deals.csv", 400), "--label", "Result", "--positive", "Won", "--time", "Created"];

        var english = await RunAsync(arguments);
        var spanish = await RunAsync([.. arguments, "--lang", "es"]);

        Assert.StartsWith("400 rows, ", english, StringComparison.Ordinal);
        Assert.StartsWith("400 filas, ", spanish, StringComparison.Ordinal);
        Assert.Contains("chosen: ", english, StringComparison.Ordinal);
        Assert.Contains("elegido: ", spanish, StringComparison.Ordinal);
        Assert.Equal(english.Count(c => c == '\n'), spanish.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Run_XEducationWithoutLeakyColumns_ReachesTheReferenceFigures()
    {
        if (LightGbmNative.Unavailable is { } reason)
        {
            Checkout.SkipOrFail(reason);
        }

        var report = await ReportAsync(
            SharedData("xeducation/leads.csv"), "Converted", "1", ["--missing", "Select", "--time", "Lead Number", "--exclude", .. LeakyColumns]);

        var (folds, temporal) = (report.GetProperty("protocols")[0], report.GetProperty("protocols")[1]);
        // The best of logistic regression, two gradient boostings of sklearn and XGBoost and LightGBM on the same splits.
        Assert.InRange(Chosen(folds, "auc"), 0.8775 - 0.003, 1);
        Assert.InRange(Chosen(folds, "log_loss"), 0, 0.4203);
        Assert.InRange(Chosen(folds, "ece"), 0, 0.02);
        Assert.InRange(Chosen(temporal, "auc"), 0.8973 - 0.003, 1);
        Assert.InRange(Chosen(temporal, "log_loss"), 0, 0.3947);
        Assert.Empty(report.GetProperty("warnings").EnumerateArray());
    }

    [Fact]
    public async Task Run_XEducationWithLeakyColumns_WarnsOfEachOfThem()
    {
        var report = await ReportAsync(SharedData("xeducation/leads.csv"), "Converted", "1", "--missing", "Select");

        Assert.Equal(LeakyColumns.Order(), report.GetProperty("warnings").EnumerateArray().Select(w => w.GetProperty("column").GetString()!).Order());
    }

    [Fact]
    public async Task Run_MavenCrm_SaysTheBaseRateAndWarnsOfWhatLeaks()
    {
        var path = SharedData("maven_crm/sales_pipeline.csv");
        var honest = await ReportAsync(
            path, "deal_stage", "Won", "--negative", "Lost", "--exclude", "close_date", "close_value", "--time", "engage_date");
        var leaky = await ReportAsync(path, "deal_stage", "Won", "--time", "engage_date");

        Assert.All(honest.GetProperty("protocols").EnumerateArray(), protocol =>
        {
            Assert.Equal("prior", protocol.GetProperty("chosen").GetProperty("name").GetString());
            Assert.InRange(Chosen(protocol, "log_loss"), 0, protocol.GetProperty("candidates")[0].GetProperty("log_loss").GetDouble());
        });
        Assert.Equal(6711, honest.GetProperty("rows").GetInt32());
        Assert.Equal(
            ["account", "close_date", "close_value"],
            leaky.GetProperty("warnings").EnumerateArray().Select(w => w.GetProperty("column").GetString()!).Order());
    }

    private static string SharedData(string name)
    {
        string?[] folders =
        [
            Environment.GetEnvironmentVariable("SALES_DATA_DIR"), Path.Combine(Checkout.Root, "..", "shared", "data"),
            Path.Combine(Checkout.Root, "..", "..", "shared", "data"),
        ];
        var path = folders.Where(folder => !string.IsNullOrEmpty(folder)).Select(folder => Path.Combine(folder!, name)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{name} is not here (it may not be shipped); set SALES_DATA_DIR to the folder that holds it.");
        return path!;
    }

    private static double Chosen(JsonElement protocol, string figure) => protocol.GetProperty("chosen").GetProperty(figure).GetDouble();

    private static int Number(JsonElement report, int protocol, string name) => report.GetProperty("protocols")[protocol].GetProperty(name).GetInt32();

    private static async Task<JsonElement> ReportAsync(string path, string label, string positive, params string[] more) =>
        Json.Parse(await RunAsync(["ml", "benchmark", "--csv", path, "--label", label, "--positive", positive, "--json", .. more]));

    private static async Task<string> RunAsync(string[] arguments)
    {
        var host = new TestHost();
        Assert.True(await host.RunAsync(arguments) is ExitCode.Done, host.Errors);
        Assert.Empty(host.Errors);
        return host.Output;
    }
}
