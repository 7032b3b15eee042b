using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;

namespace SalesTasks.Tests.TestBase;

/// <summary>Short ways to and from JSON.</summary>
internal static class Json
{
    public static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    public static string Text(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    public static JsonElement Written(Action<Utf8JsonWriter> write) => Parse(Text(write));
}

/// <summary>Checks values by the keywords of JSON Schema 2020-12 that parameters use; any other keyword fails the test.</summary>
internal static class JsonSchema
{
    private static readonly string[] s_annotations = ["$schema", "title", "description", "section", "default", "format"];

    /// <summary>What <paramref name="schema"/> says against the value; empty when it is valid.</summary>
    public static List<string> Faults(JsonElement schema, JsonElement value) =>
        [.. schema.EnumerateObject().Where(keyword => !Holds(schema, keyword, value)).Select(keyword => $"{keyword.Name}: {value}")];

    private static bool Holds(JsonElement schema, JsonProperty keyword, JsonElement value) => keyword.Name switch
    {
        "type" when keyword.Value.ValueKind == JsonValueKind.Array =>
            keyword.Value.EnumerateArray().Any(type => IsOfType(type.GetString()!, value)),
        "type" => IsOfType(keyword.Value.GetString()!, value),
        "enum" => keyword.Value.EnumerateArray().Any(item => JsonElement.DeepEquals(item, value)),
        "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= keyword.Value.GetDouble(),
        "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= keyword.Value.GetDouble(),
        "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() >= keyword.Value.GetInt32(),
        "maxLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() <= keyword.Value.GetInt32(),
        "pattern" => value.ValueKind != JsonValueKind.String
            || Regex.IsMatch(value.GetString()!, keyword.Value.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(1)),
        "properties" => value.EnumerateObject().All(member =>
            !keyword.Value.TryGetProperty(member.Name, out var property) || Faults(property, member.Value).Count == 0),
        "additionalProperties" => keyword.Value.GetBoolean()
            || value.EnumerateObject().All(member => schema.GetProperty("properties").TryGetProperty(member.Name, out _)),
        _ => s_annotations.Contains(keyword.Name) ? true : throw new NotSupportedException($"The keyword '{keyword.Name}'."),
    };

    private static bool IsOfType(string type, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => type == "null",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "number" || (type == "integer" && value.GetDouble() == Math.Truncate(value.GetDouble())),
        JsonValueKind.Object => type == "object",
        _ => type == "array",
    };
}

/// <summary>Hostile JSON.</summary>
internal static class JsonGen
{
    private static readonly string[] s_texts =
    [
        "", "true", "false", "null", "0", "-1", "5", "1.5", "weekly", "Weekly", "0/1", "1/2", "3/2", "0/0", "2026-01-31T06:00:00Z",
        "2026-01-31T06:00:00", "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "None", "{{ params }}", "a\0b", "\u001b[31mred",
        "line\nline", "\u2028\u202e", "👍👍👍👍👍👍", "'; DROP TABLE leads; --",
    ];

    private static readonly string[] s_numbers =
    [
        "0", "-0", "1", "-1", "5", "50.0", "5e1", "1e-30", "0.1", "100", "101", "2147483647", "2147483648", "-2147483648",
        "9007199254740993",
        "1e400", "-1e400", "123456789012345678901234567890",
    ];

    private static readonly Gen<string> s_text = Gen.OneOf(Gen.OneOf(s_texts), Gen.String).Select(text => JsonSerializer.Serialize(text));

    /// <summary>The JSON text of null, a boolean, a number or a string.</summary>
    public static Gen<string> Scalar { get; } = Gen.OneOf(
        Gen.OneOf("null", "true", "false"), Gen.OneOf(s_numbers), Gen.Int.Select(number => $"{number}"), s_text);

    /// <summary>The JSON text of anything.</summary>
    public static Gen<string> Any { get; } = Gen.Recursive<string>((depth, any) => depth > 3
        ? Scalar
        : Gen.Frequency(
            (4, Scalar),
            (1, any.Array[0, 4].Select(items => $"[{string.Join(',', items)}]")),
            (1, Gen.Select(s_text, any).Array[0, 4].Select(Object))));

    private static string Object((string Name, string Value)[] members) =>
        $"{{{string.Join(',', members.Select(member => $"{member.Name}:{member.Value}"))}}}";
}
