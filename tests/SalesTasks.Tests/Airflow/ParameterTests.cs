using System.Text.Json;
using CsCheck;
using SalesTasks.Airflow;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Airflow;

public sealed class ParameterTests
{
    private static readonly BoolParameter s_bool = new("b", "B", "A flag.", false);
    private static readonly IntParameter s_int = new("i", "I", "A number.", 5, -10, 100);
    private static readonly ChoiceParameter s_choice = new("c", "C", "A word.", "weekly", "weekly", "monthly");
    private static readonly TextParameter s_text = new("t", "T", "A text.", 5);
    private static readonly InstantParameter s_instant = new("a", "A", "An instant.");
    private static readonly ShardParameter s_shard = new("s", "S", "A part.", supported: true);
    private static readonly AddressesParameter s_addresses = new("e", "E", "Addresses.", 2);
    private static readonly ShardParameter s_noShard = new("n", "N", "All.", supported: false);

    private static Parameter[] All => [s_bool, s_int, s_choice, s_text, s_instant, s_addresses, s_shard, s_noShard];

    private static Parameter Named(string name) => All.Single(p => p.Name == name);

    [Theory]
    [InlineData("b", "true", "True")]
    [InlineData("b", "True", "True")]
    [InlineData("b", "false", "False")]
    [InlineData("b", "False", "False")]
    [InlineData("i", "-10", "-10")]
    [InlineData("i", "100", "100")]
    [InlineData("i", "+7", "7")]
    [InlineData("c", "monthly", "monthly")]
    [InlineData("t", "héllo", "héllo")]
    [InlineData("t", "👍👍👍👍👍", "👍👍👍👍👍")]
    [InlineData("a", "2026-01-31T06:00:00Z", "2026-01-31T06:00:00.0000000+00:00")]
    [InlineData("a", "2026-01-31T06:00:00+02:00", "2026-01-31T04:00:00.0000000+00:00")]
    [InlineData("a", "2026-01-31T06:00:00.123456+00:00", "2026-01-31T06:00:00.1234560+00:00")]
    [InlineData("a", "2026-01-31 06:00:00-05:30", "2026-01-31T11:30:00.0000000+00:00")]
    [InlineData("a", " 2026-01-31T06:00Z ", "2026-01-31T06:00:00.0000000+00:00")]
    [InlineData("s", "3/4", "3/4")]
    [InlineData("n", "0/1", "0/1")]
    public void Parse_AllowedText_IsTheValue(string name, string text, string expected)
    {
        var value = Named(name).Parse(text)!.Value;

        Assert.Equal(expected, value is DateTimeOffset instant ? instant.ToString("O") : value!.ToString());
    }

    [Theory]
    [InlineData("b", "")]
    [InlineData("b", "1")]
    [InlineData("b", "TRUE")]
    [InlineData("b", "yes")]
    [InlineData("b", " true")]
    [InlineData("i", "")]
    [InlineData("i", "-11")]
    [InlineData("i", "101")]
    [InlineData("i", "5.0")]
    [InlineData("i", "1e1")]
    [InlineData("i", "0x10")]
    [InlineData("i", " 5")]
    [InlineData("i", "1,000")]
    [InlineData("i", "٣")]
    [InlineData("i", "99999999999999999999")]
    [InlineData("c", "Weekly")]
    [InlineData("c", "")]
    [InlineData("c", "weekly,monthly")]
    [InlineData("t", "")]
    [InlineData("t", "sixsix")]
    [InlineData("t", "a\0b")]
    [InlineData("a", "")]
    [InlineData("a", "now")]
    [InlineData("a", "2026-01-31")]
    [InlineData("a", "2026-01-31T06:00:00")]
    [InlineData("a", "2026-01-31 06:00:00")]
    [InlineData("a", "2026-02-30T06:00:00Z")]
    [InlineData("a", "31/01/2026 06:00:00Z")]
    [InlineData("a", "2026-01-31T06:00:00 Europe/Madrid")]
    [InlineData("a", "20260131T060000Z")]
    [InlineData("a", "1769839200")]
    [InlineData("a", "1969-12-31T23:59:59Z")]
    [InlineData("a", "1970-01-01T00:30:00+01:00")]
    [InlineData("a", "0001-01-01T00:00:00Z")]
    [InlineData("a", "0001-01-01T00:00:00+14:00")]
    [InlineData("a", "3000-01-01T00:00:00Z")]
    [InlineData("a", "9999-12-31T23:59:59.9999999Z")]
    [InlineData("s", "")]
    [InlineData("s", "1/1")]
    [InlineData("s", "all")]
    [InlineData("n", "0/2")]
    [InlineData("n", "1/2")]
    public void Parse_OtherText_IsRefused(string name, string text) => Assert.Null(Named(name).Parse(text));

    [Theory]
    [InlineData("b", "true", "True")]
    [InlineData("i", "100", "100")]
    [InlineData("i", "50.0", "50")]
    [InlineData("i", "5e1", "50")]
    [InlineData("i", "-0", "0")]
    [InlineData("c", "\"weekly\"", "weekly")]
    [InlineData("t", "\"\\u0041\"", "A")]
    [InlineData("t", "null", null)]
    [InlineData("a", "null", null)]
    [InlineData("a", "\"2026-01-31T06:00:00+00:00\"", "01/31/2026 06:00:00 +00:00")]
    [InlineData("s", "\"1/2\"", "1/2")]
    [InlineData("s", "null", "0/1")]
    [InlineData("n", "null", "0/1")]
    [InlineData("n", "\"0/1\"", "0/1")]
    public void Parse_AllowedJson_IsTheValue(string name, string json, string? expected) =>
        Assert.Equal(expected, Named(name).Parse(Json.Parse(json))!.Value?.ToString());

    [Theory]
    [InlineData("b", "null")]
    [InlineData("b", "0")]
    [InlineData("b", "\"true\"")]
    [InlineData("b", "[true]")]
    [InlineData("i", "null")]
    [InlineData("i", "true")]
    [InlineData("i", "\"5\"")]
    [InlineData("i", "5.5")]
    [InlineData("i", "101")]
    [InlineData("i", "1e400")]
    [InlineData("i", "-1e400")]
    [InlineData("i", "123456789012345678901234567890")]
    [InlineData("i", "{}")]
    [InlineData("c", "null")]
    [InlineData("c", "1")]
    [InlineData("c", "\"daily\"")]
    [InlineData("t", "\"\"")]
    [InlineData("t", "\"a\\u0000b\"")]
    [InlineData("t", "5")]
    [InlineData("a", "\"\"")]
    [InlineData("a", "\"2026-01-31T06:00:00\"")]
    [InlineData("a", "1769839200")]
    [InlineData("s", "\"2/2\"")]
    [InlineData("s", "0.5")]
    [InlineData("s", "[0,2]")]
    [InlineData("n", "\"0/2\"")]
    public void Parse_OtherJson_IsRefused(string name, string json) => Assert.Null(Named(name).Parse(Json.Parse(json)));

    /// <summary>Airflow's form makes a list of the lines of its field; somebody may have put two addresses into one.</summary>
    [Theory]
    [InlineData("null", "")]
    [InlineData("[]", "")]
    [InlineData("""[" a@b.example "]""", "a@b.example")]
    [InlineData("""["a@b.example, c@d.example", ""]""", "a@b.example c@d.example")]
    [InlineData("\"a@b.example,c@d.example\"", "a@b.example c@d.example")]
    public void Parse_Addresses_AreThoseOfTheListOrText(string json, string expected) =>
        Assert.Equal(expected, string.Join(' ', (IReadOnlyList<string>)s_addresses.Parse(Json.Parse(json))!.Value!));

    /// <summary>A schema with "items" makes the form ask for JSON, which is not for operations staff.</summary>
    [Fact]
    public void WriteSchema_Addresses_AreLinesInAirflowsForm()
    {
        Assert.False(Schema(s_addresses).TryGetProperty("items", out _));
        Assert.Empty(JsonSchema.Faults(Schema(s_addresses), Json.Parse("""["a@b.example"]""")));
    }

    [Fact]
    public void WriteSchema_DefaultOfEveryKind_IsValidByItsOwnSchema()
    {
        foreach (var parameter in All)
        {
            var schema = Schema(parameter);

            Assert.Empty(JsonSchema.Faults(schema, schema.GetProperty("default")));
        }
    }

    /// <summary>What the program takes, Airflow's form takes too, and the other way round where the schema can say it all.</summary>
    [Fact]
    public void WriteSchema_AnyJson_AgreesWithTheProgram() =>
        Gen.Select(Gen.OneOf(All), JsonGen.Scalar).Sample(
            (parameter, json) =>
            {
                var value = Json.Parse(json);
                var program = parameter.Parse(value) is not null;
                var schema = JsonSchema.Faults(Schema(parameter), value).Count == 0;
                return parameter is BoolParameter or IntParameter or ChoiceParameter ? program == schema : !program || schema;
            },
            iter: 20_000);

    [Fact]
    public void Flag_Name_HasDashes() => Assert.Equal("--max-leads-per-run", new IntParameter("max_leads_per_run", "", "", 0, 0, 1).Flag);

    private static JsonElement Schema(Parameter parameter) => Json.Written(json =>
    {
        json.WriteStartObject();
        parameter.WriteSchema(json);
        json.WriteEndObject();
    });
}
