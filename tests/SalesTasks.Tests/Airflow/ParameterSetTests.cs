using System.Text.Json;
using CsCheck;
using SalesTasks.Airflow;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Airflow;

public sealed class ParameterSetTests
{
    private static readonly BoolParameter s_dryRun = new("dry_run", "Dry run", "Write nothing.", false);
    private static readonly IntParameter s_limit = new("limit", "Limit", "At most.", 7, 0, 100);
    private static readonly TextParameter s_note = new("note", "Note", "Why.");
    private static readonly InstantParameter s_asOf = new("as_of", "As of", "When.");
    private static readonly ShardParameter s_shard = new("shard", "Shard", "A part.", supported: true);
    private static readonly ShardParameter s_noShard = new("shard", "Shard", "All.", supported: false);
    private static readonly IntParameter s_ofOtherStep = new("min_score", "Score", "Of another step.", 50, 0, 100);

    private static readonly ParameterSet s_own = new(s_dryRun, s_limit, s_note, s_asOf, s_shard);
    private static readonly ParameterSet s_dag = new(s_dryRun, s_limit, s_note, s_asOf, s_shard, s_ofOtherStep);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" \n")]
    [InlineData("{}")]
    public void Bind_NothingGiven_AreTheDefaults(string? salesParams)
    {
        var values = BindWithoutFault(salesParams);

        Assert.False(values.Get(s_dryRun));
        Assert.Equal(7, values.Get(s_limit));
        Assert.Null(values.Get(s_note));
        Assert.Equal(Shard.Whole, values.Get(s_shard));
    }

    [Fact]
    public void Bind_DefaultParamsAndFlag_LaterWins()
    {
        Assert.Equal(8, BindWithoutFault("""{"limit": 8}""").Get(s_limit));
        Assert.Equal(9, BindWithoutFault("""{"limit": 8}""", ("limit", "9")).Get(s_limit));
        Assert.False(BindWithoutFault("""{"dry_run": true}""", ("dry_run", "false")).Get(s_dryRun));
        Assert.Null(BindWithoutFault("""{"note": null}""").Get(s_note));
    }

    [Fact]
    public void Bind_FlagOverAFaultyParam_StillTellsTheFault()
    {
        Assert.Equal(
            ["SALES_PARAMS: limit = '\"8\"' is not allowed; allowed: a whole number from 0 to 100"],
            Faults("""{"limit": "8"}""", ("limit", "9")));
    }

    [Fact]
    public void Bind_EveryKindOfFault_AreToldTogether()
    {
        var faults = Faults(
            """
            {"dry_run": "yes", "limit": 101, "Limit": 1, "note": 5, "as_of": "2026-01-31T06:00:00", "shard": "4/4", "min_score": null,
             "limit": 3}
            """,
            ("limit", "many"),
            ("dry_run", ""));

        Assert.Equal(
            [
                "SALES_PARAMS: dry_run = '\"yes\"' is not allowed; allowed: true or false",
                "SALES_PARAMS: limit = '101' is not allowed; allowed: a whole number from 0 to 100",
                "SALES_PARAMS: unknown parameter 'Limit'",
                "SALES_PARAMS: note = '5' is not allowed; allowed: text of 1 to 1000 characters, no NUL",
                "SALES_PARAMS: as_of = '\"2026-01-31T06:00:00\"' is not allowed; "
                    + "allowed: an ISO 8601 instant with offset, years 1970 to 2999, such as 2026-01-31T06:00:00Z",
                "SALES_PARAMS: shard = '\"4/4\"' is not allowed; allowed: i/n with 0 <= i < n <= 1024, such as 0/4",
                "SALES_PARAMS: min_score = 'null' is not allowed; allowed: a whole number from 0 to 100",
                "SALES_PARAMS: limit is given twice; allowed: once",
                "SALES_PARAMS: allowed parameters: dry_run, limit, note, as_of, shard, min_score",
                "--limit: 'many' is not allowed; allowed: a whole number from 0 to 100",
                "--dry-run: '' is not allowed; allowed: true or false",
            ],
            faults);
    }

    [Theory]
    [InlineData("""{"dry_run": true, "dry_run": false}""", "SALES_PARAMS: dry_run is given twice; allowed: once")]
    [InlineData("""{"dry_run": true, "dry_run": true}""", "SALES_PARAMS: dry_run is given twice; allowed: once")]
    [InlineData("""{"dry_run": true, "dry\u005frun": false}""", "SALES_PARAMS: dry_run is given twice; allowed: once")]
    [InlineData("""{"min_score": 1, "min_score": 2}""", "SALES_PARAMS: min_score is given twice; allowed: once")]
    public void Bind_NameTwice_IsRefused(string salesParams, string fault) => Assert.Equal([fault], Faults(salesParams));

    [Theory]
    [InlineData("[]", "SALES_PARAMS: a JSON array;")]
    [InlineData("\"x\"", "SALES_PARAMS: a JSON string;")]
    [InlineData("1", "SALES_PARAMS: a JSON number;")]
    [InlineData("true", "SALES_PARAMS: a JSON boolean;")]
    [InlineData("null", "SALES_PARAMS: a JSON null;")]
    [InlineData("None", "SALES_PARAMS: it is not valid JSON (line 1, column 1);")]
    [InlineData("{'limit': 5}", "SALES_PARAMS: it is not valid JSON (line 1, column 2);")]
    [InlineData("{\"limit\": 5,}", "SALES_PARAMS: it is not valid JSON (line 1, column 13);")]
    [InlineData("{\"limit\": 5} {}", "SALES_PARAMS: it is not valid JSON (line 1, column 14);")]
    [InlineData("{\"limit\": NaN}", "SALES_PARAMS: it is not valid JSON (line 1, column 11);")]
    [InlineData("{\"limit\": 5 // five\n}", "SALES_PARAMS: it is not valid JSON (line 1, column 13);")]
    [InlineData("{\"note\": \"a\nb\"}", "SALES_PARAMS: it is not valid JSON (line 1, column 12);")]
    [InlineData("{\"note\": \"\\ud800\"}", "SALES_PARAMS: it is not valid JSON (a \\u escape is one half of a surrogate pair);")]
    [InlineData("{\"\\udfff\": 1}", "SALES_PARAMS: it is not valid JSON (a \\u escape is one half of a surrogate pair);")]
    [InlineData("\ufeff{}", "SALES_PARAMS: it is not valid JSON (line 1, column 1);")]
    public void Bind_NotOneJsonObject_IsRefused(string salesParams, string fault) =>
        Assert.Equal([fault + " allowed: one JSON object, such as {\"dry_run\": true}"], Faults(salesParams));

    [Fact]
    public void Bind_DeeperThanAnyValue_IsRefused()
    {
        var fault = Assert.Single(Faults("{\"note\": " + new string('[', 10_000) + new string(']', 10_000) + "}"));

        Assert.StartsWith("SALES_PARAMS: it is not valid JSON", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_NamesOfOtherSteps_AreCheckedAndLeftAlone()
    {
        var values = BindWithoutFault("""{"min_score": 99, "limit": 1}""");

        Assert.DoesNotContain("min_score", Json.Text(values.Write), StringComparison.Ordinal);
        Assert.Equal(
            ["SALES_PARAMS: min_score = '-1' is not allowed; allowed: a whole number from 0 to 100"], Faults("""{"min_score": -1}"""));
    }

    /// <summary>The form of a DAG offers a shard where one of its steps can be sharded; the others must not fail on it.</summary>
    [Fact]
    public void Bind_ShardOfTheDagForAnUnshardedStep_DoesAllOfItsWork()
    {
        var step = new ParameterSet(s_dryRun, s_noShard);
        var faults = new List<string>();

        var values = step.Bind("""{"shard": "1/4"}""", new Dictionary<string, string>(), s_dag, faults);
        Assert.Empty(faults);
        Assert.Equal(Shard.Whole, values.Get(s_noShard));

        step.Bind("""{"shard": "4/4"}""", new Dictionary<string, string> { ["shard"] = "1/4" }, s_dag, faults);
        Assert.Equal(
            [
                "SALES_PARAMS: shard = '\"4/4\"' is not allowed; allowed: 0/1 only: this command does its whole work at once",
                "--shard: '1/4' is not allowed; allowed: 0/1 only: this command does its whole work at once",
            ],
            faults);
    }

    [Fact]
    public void Bind_ControlsInNamesAndValues_ShowAsSpaces()
    {
        Assert.Equal(
            "SALES_PARAMS: unknown parameter 'a b c d e '", Faults("""{"a\nb\u001bc\u2028d\u202ee\u0000": 1}""")[0]);
        Assert.Equal(
            ["--limit: ' [31m5 ' is not allowed; allowed: a whole number from 0 to 100"], Faults(null, ("limit", "\u001b[31m5\r")));
    }

    [Fact]
    public void Bind_HugeValues_ShowEightyCharacters()
    {
        var huge = string.Concat(Enumerable.Range(0, 200_000).Select(n => $"{n},"));

        foreach (var fault in Faults($$"""{"limit": "{{huge}}", "{{huge}}": 1}""", ("limit", huge), ("as_of", huge)))
        {
            Assert.DoesNotContain(huge[..81], fault, StringComparison.Ordinal);
            Assert.InRange(fault.Length, 1, 250);
        }
    }

    [Fact]
    public void Bind_CutInsideASurrogatePair_KeepsWholeCharacters()
    {
        var fault = Assert.Single(Faults(null, ("limit", new string('x', 79) + "👍👍")));

        Assert.StartsWith($"--limit: '{new string('x', 79)}…' is", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Bind_AnyText_IsValuesOrFaults() =>
        Gen.Select(Gen.OneOf(Gen.String, JsonGen.Any), Gen.String).Sample((salesParams, flag) => Hostile(salesParams, flag), iter: 20_000);

    [Fact]
    public void Bind_AnyValueOfOurNames_IsAValueOrAFault() =>
        Gen.Select(Gen.OneOf("dry_run", "limit", "note", "as_of", "shard", "min_score"), JsonGen.Any).Array[0, 4].Sample(
            members => Hostile($"{{{string.Join(',', members.Select(m => $"\"{m.Item1}\":{m.Item2}"))}}}", "true"),
            iter: 20_000);

    /// <summary>What task_runs keeps of a try's parameters starts the same run again.</summary>
    [Fact]
    public void Write_AnyValues_BindToTheSame() =>
        Gen.Select(
            Gen.Bool,
            Gen.Int[0, 100],
            Gen.String[1, 20].Where(text => !text.Contains('\0', StringComparison.Ordinal)).Null(),
            Gen.Long[0, 32_503_679_999],
            Gen.Int[0, 3]).Sample(
            (dryRun, limit, note, asOf, part) =>
            {
                var salesParams = JsonSerializer.Serialize(new Dictionary<string, object?>
                {
                    ["dry_run"] = dryRun,
                    ["limit"] = limit,
                    ["note"] = note,
                    ["as_of"] = DateTimeOffset.FromUnixTimeSeconds(asOf).ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"),
                    ["shard"] = $"{part}/4",
                });

                var values = BindWithoutFault(salesParams);
                var written = Json.Text(values.Write);

                Assert.Equal(
                    (dryRun, limit, DateTimeOffset.FromUnixTimeSeconds(asOf), new Shard(part, 4)),
                    (values.Get(s_dryRun), values.Get(s_limit), values.Get(s_asOf)!.Value, values.Get(s_shard)));
                Assert.Equal(written, Json.Text(BindWithoutFault(written).Write));
            },
            iter: 2000);

    private static void Hostile(string salesParams, string flag)
    {
        var faults = new List<string>();
        var values = s_own.Bind(salesParams, new Dictionary<string, string> { ["limit"] = flag, ["as_of"] = flag }, s_dag, faults);

        Json.Text(values.Write);
        Assert.All(faults, fault =>
        {
            Assert.DoesNotContain(fault, char.IsControl);
            Assert.InRange(fault.Length, 1, 400);
        });
    }

    private static ParameterValues BindWithoutFault(string? salesParams, params (string Name, string Text)[] flags)
    {
        var faults = new List<string>();
        var values = s_own.Bind(salesParams, flags.ToDictionary(f => f.Name, f => f.Text), s_dag, faults);
        Assert.Empty(faults);
        return values;
    }

    private static List<string> Faults(string? salesParams, params (string Name, string Text)[] flags)
    {
        var faults = new List<string>();
        s_own.Bind(salesParams, flags.ToDictionary(f => f.Name, f => f.Text), s_dag, faults);
        return faults;
    }
}
