using System.CommandLine;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

public sealed class CommandTreeTests
{
    [Fact]
    public async Task Help_OfEveryCommand_ShowsItsDescriptionAndEndsWithZero()
    {
        var commands = AllCommands().ToList();
        Assert.Contains(commands, c => c.Name == "sales-tasks" || c is RootCommand);
        Assert.True(commands.Count > 10, "The tree was not walked.");
        foreach (var command in commands)
        {
            var host = new TestHost();

            Assert.Equal(ExitCode.Done, await host.RunAsync([.. Words(command), "--help"]));

            Assert.False(string.IsNullOrWhiteSpace(command.Description), $"{command.Name} has no description");
            Assert.Contains(command.Description, host.Output, StringComparison.Ordinal);
            Assert.Empty(host.Errors);
        }
    }

    [Fact]
    public void Tree_EveryOptionAndArgument_IsDescribed() =>
        Assert.All(
            AllCommands().SelectMany(c => c.Options.Cast<Symbol>().Concat(c.Arguments)),
            symbol => Assert.False(string.IsNullOrWhiteSpace(symbol.Description), $"{symbol.Name} has no description"));

    [Fact]
    public void Tree_EveryJob_HasAFlagForEachParameter()
    {
        var jobs = Commands.Dags.SelectMany(d => d.Steps).Concat(Commands.OtherJobs).ToList();
        Assert.NotEmpty(jobs);
        foreach (var job in jobs)
        {
            var command = AllCommands().Single(c => string.Join(' ', Words(c)) == job.Name);

            Assert.Equal(job.Parameters.All.Select(p => p.Flag), command.Options.Select(o => o.Name));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("bogus")]
    [InlineData("scoring")]
    [InlineData("scoring scroe")]
    [InlineData("db bogus --x")]
    [InlineData("bogus --help")]
    [InlineData("db --version")]
    [InlineData("[suggest] sco")]
    [InlineData("[diagram] db status")]
    [InlineData("explain")]
    [InlineData("explain one two")]
    [InlineData("explain one --lang fr")]
    [InlineData("explain one --lang")]
    [InlineData("db status --jsn")]
    [InlineData("db status --json --json=false")]
    [InlineData("scoring rules edit --set --comment why")]
    [InlineData("params")]
    [InlineData("params bogus")]
    [InlineData("params scoring")]
    [InlineData("scoring rules edit --activate one")]
    [InlineData("scoring rules edit --activate 1 --activate 2")]
    [InlineData("scoring rules show --version 99999999999")]
    public async Task RunAsync_WrongCommandLine_IsRefusedWithAHint(string line)
    {
        var host = new TestHost();

        Assert.Equal(ExitCode.Usage, await host.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

        Assert.Empty(host.Output);
        Assert.StartsWith("error: ", host.Errors, StringComparison.Ordinal);
        Assert.Matches("allowed|missing", host.Errors);
        Assert.DoesNotContain("System.", host.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_SeveralFaultsForPeople_AreToldTogether()
    {
        var host = new TestHost();

        Assert.Equal(ExitCode.Usage, await host.RunAsync("explain", "one", "t\u001bwo\n", "--lang", new string('x', 500)));

        Assert.Equal(
            [
                "error: 't wo ' is not known here",
                "error: allowed here: <lead>, --json, --lang, --model",
                $"error: --lang: '{new string('x', 80)}…' is not allowed; "
                    + "allowed: Language of the tables: en or es; without it SALES_LANG, else en",
                "see: sales-tasks explain --help",
            ],
            host.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task RunAsync_UnknownFlagsValuesParamsAndIdentity_AreToldTogether()
    {
        var host = new TestHost()
            .With("SALES_PARAMS", """{"min_score": 1, "enable_ml_scoring": 1}""")
            .With("SALES_TRY_NUMBER", "one")
            .With("SALES_LOG_LEVEL", "loud")
            .With("SALES_RESULT_PATH", "/nowhere/result.json");

        Assert.Equal(
            ExitCode.Usage,
            await host.RunAsync("scoring", "score", "--bogus", "--shard", "4/4", "--dry-run", "--dry-run=false", "--as-of"));

        string[] expected =
        [
            "'--bogus' is not known here",
            "--dry-run: it is given 2 times; allowed: once",
            "--as-of: a value is missing",
            "--shard: '4/4' is not allowed",
            "SALES_TRY_NUMBER: 'one' is not allowed",
            "SALES_PARAMS: unknown parameter 'min_score'",
            "SALES_PARAMS: enable_ml_scoring = '1' is not allowed",
            "SALES_LOG_LEVEL: 'loud' is not allowed",
            "SALES_RESULT_PATH: '/nowhere/result.json' cannot be written",
        ];
        Assert.All(expected, fault => Assert.Contains(fault, host.Fault, StringComparison.Ordinal));
        Assert.Equal(host.Fault, Assert.Single(host.Events).GetProperty("Error").GetString());
    }

    [Theory]
    [InlineData("Information,Error")]
    [InlineData("3")]
    [InlineData("warn")]
    [InlineData("\u001b[31m")]
    public async Task RunAsync_WrongLogLevel_IsRefused(string level)
    {
        var host = new TestHost().With("SALES_LOG_LEVEL", level);

        Assert.Equal(ExitCode.Usage, await host.RunAsync("scoring", "score"));

        Assert.EndsWith("allowed: Verbose, Debug, Information, Warning, Error, Fatal", host.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', host.Fault);
    }

    [Fact]
    public async Task RunAsync_ThousandsOfFaults_ShowsTheFirst()
    {
        var names = string.Join(',', Enumerable.Range(0, 5000).Select(n => $"\"name{n}\":1"));
        var host = new TestHost().With("SALES_PARAMS", $"{{{names}}}");

        Assert.Equal(ExitCode.Usage, await host.RunAsync("scoring", "score"));

        Assert.Contains("'name0'", host.Fault, StringComparison.Ordinal);
        Assert.EndsWith("\nand 4981 more", host.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_ArgumentThatNamesAFile_IsNotReplacedByItsContent()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "content of the file", TestContext.Current.CancellationToken);
        try
        {
            var host = new TestHost();

            await host.RunAsync("params", "@" + file);

            Assert.StartsWith($"error: params: '@{file}' has no parameters", host.Errors, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task RunAsync_OutputCannotBeWritten_IsTemporary()
    {
        foreach (var arguments in (string[][])[["--help"], ["--version"], ["params", "scoring", "score"]])
        {
            var host = new TestHost { Out = new FullWriter() };

            Assert.Equal(ExitCode.TemporaryFailure, await host.RunAsync(arguments));

            Assert.Equal("error: the output cannot be written: No space left on device\n", host.Errors);
        }
    }

    [Fact]
    public async Task Version_Asked_IsTheAssemblysOwn()
    {
        var host = new TestHost();

        Assert.Equal(ExitCode.Done, await host.RunAsync("--version"));

        Assert.Equal(ProgramInfo.Version, host.Output.Trim());
    }

    public static TheoryData<string> Parameterized() =>
        [.. Commands.Dags.Select(d => d.Id).Concat(Commands.Dags.SelectMany(d => d.Steps).Concat(Commands.OtherJobs).Select(s => s.Name)).Distinct()];

    [Theory]
    [MemberData(nameof(Parameterized))]
    public async Task Params_SchemaOfEveryCommandAndDag_TakesItsDefaultsAndNothingElse(string name)
    {
        var host = new TestHost();
        Assert.Equal(ExitCode.Done, await host.RunAsync(["params", .. name.Split(' '), "--schema"]));
        var schema = Json.Parse(host.Output);

        Assert.Equal("https://json-schema.org/draft/2020-12/schema", schema.GetProperty("$schema").GetString());
        Assert.Equal(name, schema.GetProperty("title").GetString());
        var properties = schema.GetProperty("properties").EnumerateObject().ToList();
        Assert.NotEmpty(properties);
        Assert.All(properties, property =>
        {
            Assert.Matches("^[a-z][a-z0-9_]*$", property.Name);
            Assert.All((string[])["title", "description", "section"], key => Assert.NotEmpty(property.Value.GetProperty(key).GetString()!));
            Assert.Empty(JsonSchema.Faults(property.Value, property.Value.GetProperty("default")));
        });

        var defaults = $"{{{string.Join(',', properties.Select(p => $"\"{p.Name}\":{p.Value.GetProperty("default").GetRawText()}"))}}}";
        Assert.Empty(JsonSchema.Faults(schema, Json.Parse(defaults)));
        Assert.NotEmpty(JsonSchema.Faults(schema, Json.Parse("""{"no_such_name": 1}""")));

        // Every step takes what the form sends untouched.
        foreach (var dag in Commands.Dags.Where(d => d.Id == name))
        {
            foreach (var step in dag.Steps)
            {
                var faults = new List<string>();
                step.Parameters.Bind(defaults, new Dictionary<string, string>(), dag.Parameters, faults);
                Assert.Empty(faults);
            }
        }
    }

    [Fact]
    public async Task Params_Json_IsTheSchema()
    {
        var schema = new TestHost();
        var json = new TestHost();
        await schema.RunAsync("params", "scoring", "score", "--schema");
        await json.RunAsync("params", "scoring", "score", "--json");

        Assert.Equal(schema.Output, json.Output);
    }

    [Theory]
    [InlineData("en", "What it does")]
    [InlineData("es", "Qué hace")]
    public async Task Params_TablePiped_HasOneLineAParameter(string language, string heading)
    {
        foreach (var dag in Commands.Dags)
        {
            var host = new TestHost();
            Assert.Equal(ExitCode.Done, await host.RunAsync("params", dag.Id, "--lang", language));

            var rows = host.Output.Split('\n').Where(line => line.StartsWith('│')).ToList();
            Assert.Contains(heading, rows[0], StringComparison.Ordinal);
            Assert.Equal(dag.Parameters.All.Select(p => p.Name), rows.Skip(1).Select(row => row.Split('│')[1].Trim()));
            Assert.DoesNotContain('\u001b', host.Output);
        }
    }

    [Fact]
    public async Task Params_Table_ShowsDefaultsAsTheyAreWritten()
    {
        var host = new TestHost();
        await host.RunAsync("params", "lead_scoring_automation");

        Assert.Matches(@"│ include_engagement_data +│ true +│ true or false +│", host.Output);
        Assert.Matches(@"│ min_score_to_qualify +│ 50 +│ a whole number from 0 to 100 +│", host.Output);
        Assert.Matches(@"│ shard +│ 0/1 +│", host.Output);
    }

    [Theory]
    [InlineData(null, null, "Parameter")]
    [InlineData("es", null, "Parámetro")]
    [InlineData("es", "en", "Parameter")]
    [InlineData("fr", null, "Parameter")]
    public async Task Language_FlagOverEnvironment_Decides(string? environment, string? flag, string expected)
    {
        var host = new TestHost();
        if (environment is not null)
        {
            host.With("SALES_LANG", environment);
        }

        await host.RunAsync(["params", "scoring", "score", .. flag is null ? Array.Empty<string>() : ["--lang", flag]]);

        Assert.Contains($"│ {expected} ", host.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Dag_StepsThatCanAndCannotBeSharded_OfferTheShard()
    {
        var both = Commands.Dags.Where(d =>
            d.Steps.Any(s => s.Parameters.All.Contains(CommonParameters.Shard))
            && d.Steps.Any(s => s.Parameters.All.Contains(CommonParameters.NoShard)));

        Assert.NotEmpty(both);
        Assert.All(both, dag => Assert.NotNull(dag.Parameters.Find("shard")!.Parse("1/2")));
    }

    [Fact]
    public async Task RunAsync_NumberThatIsNone_IsRefusedWithItsValue()
    {
        var lines = AllCommands().SelectMany(c => c.Options.Where(o => IsNumber(o.ValueType)).Select(o => (Symbol: (Symbol)o, Words: (string[])[.. Words(c), o.Name]))
            .Concat(c.Arguments.Where(a => IsNumber(a.ValueType)).Select(a => (Symbol: (Symbol)a, Words: Words(c))))).ToList();
        Assert.Contains(lines, l => l.Symbol is Option);
        Assert.Contains(lines, l => l.Symbol is Argument);
        foreach (var (symbol, words) in lines)
        {
            var (wrong, missing) = (new TestHost(), new TestHost());

            Assert.Equal(ExitCode.Usage, await wrong.RunAsync([.. words, "many"]));
            Assert.Equal(ExitCode.Usage, await missing.RunAsync(words));

            Assert.Contains($"error: {symbol.Name}: 'many' is not allowed; allowed: {symbol.Description}\n", wrong.Errors, StringComparison.Ordinal);
            Assert.Matches($"error: {symbol.Name}: (a value|it) is missing; allowed: ", missing.Errors);
        }
    }

    private static bool IsNumber(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var bare && (bare == typeof(int) || bare == typeof(long));

    private static IEnumerable<Command> AllCommands() => Below(Commands.Tree(new TestHost().Host()).Root);

    private static IEnumerable<Command> Below(Command command) => command.Subcommands.SelectMany(Below).Prepend(command);

    private static string[] Words(Command command) =>
        command is RootCommand ? [] : [.. command.Parents.OfType<Command>().SelectMany(Words), command.Name];

    /// <summary>A disk without space.</summary>
    private sealed class FullWriter : StringWriter
    {
        private static IOException Full => new("No space left on device");

        public override void Write(char value) => throw Full;

        public override void Write(string? value) => throw Full;

        public override void Write(char[] buffer, int index, int count) => throw Full;

        public override void Write(ReadOnlySpan<char> buffer) => throw Full;

        public override void WriteLine(string? value) => throw Full;
    }
}
