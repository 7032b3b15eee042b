using System.Globalization;
using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>
/// One named setting of a job: what Airflow shows in its trigger form, what <c>SALES_PARAMS</c> and the flag of the same name may
/// hold. A value is checked before any connection opens.
/// </summary>
/// <param name="name">As in Airflow's params: snake_case; the flag is the same with dashes.</param>
/// <param name="title">Label in the trigger form.</param>
/// <param name="description">What it does, units included.</param>
internal abstract class Parameter(string name, string title, string description)
{
    public string Name { get; } = name;

    public string Title { get; } = title;

    public string Description { get; } = description;

    /// <summary>Heading under which the trigger form groups it.</summary>
    public string Section { get; init; } = "Settings";

    public string Flag => "--" + Name.Replace('_', '-');

    /// <summary>What a flag without a value means; null where a value is needed.</summary>
    public virtual string? TextOfBareFlag => null;

    /// <summary>Allowed values in words, the end of every error message.</summary>
    public abstract string Allowed { get; }

    public abstract object? DefaultAsObject { get; }

    /// <summary>Reads a flag's text; null when it is not allowed.</summary>
    public abstract ParsedValue? Parse(string text);

    /// <summary>Reads a JSON value of <c>SALES_PARAMS</c>; null when its type or value is not allowed.</summary>
    public abstract ParsedValue? Parse(JsonElement element);

    /// <summary>Writes the JSON Schema keywords (type, default, limits) of this parameter into the open object.</summary>
    public abstract void WriteSchema(Utf8JsonWriter json);
}

/// <summary>A value that was read; the box tells "null is the value" from "could not be read".</summary>
internal sealed record ParsedValue(object? Value);

/// <inheritdoc/>
internal abstract class Parameter<T>(string name, string title, string description, T defaultValue) : Parameter(name, title, description)
{
    public T Default { get; } = defaultValue;

    public override object? DefaultAsObject => Default;
}

internal sealed class BoolParameter(string name, string title, string description, bool defaultValue)
    : Parameter<bool>(name, title, description, defaultValue)
{
    public override string? TextOfBareFlag => "true";

    public override string Allowed => "true or false";

    public override ParsedValue? Parse(string text) => text switch
    {
        "true" or "True" => new ParsedValue(true),
        "false" or "False" => new ParsedValue(false),
        _ => null,
    };

    public override ParsedValue? Parse(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.True => new ParsedValue(true),
        JsonValueKind.False => new ParsedValue(false),
        _ => null,
    };

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "boolean");
        json.WriteBoolean("default", Default);
    }
}

internal sealed class IntParameter(string name, string title, string description, int defaultValue, int min, int max)
    : Parameter<int>(name, title, description, defaultValue)
{
    public override string Allowed => string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}");

    public override ParsedValue? Parse(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? Check(value) : null;

    public override ParsedValue? Parse(JsonElement element) =>
        // 50.0 is a whole number to JSON Schema, so Airflow's form lets it through.
        element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out var value) && value == Math.Truncate(value)
        && value >= min && value <= max ? new ParsedValue((int)value) : null;

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "integer");
        json.WriteNumber("default", Default);
        json.WriteNumber("minimum", min);
        json.WriteNumber("maximum", max);
    }

    private ParsedValue? Check(int value) => value >= min && value <= max ? new ParsedValue(value) : null;
}

/// <summary>One of a few words.</summary>
internal sealed class ChoiceParameter(string name, string title, string description, string defaultValue, params string[] choices)
    : Parameter<string>(name, title, description, defaultValue)
{
    public override string Allowed => "one of " + string.Join(", ", choices);

    public override ParsedValue? Parse(string text) => choices.Contains(text, StringComparer.Ordinal) ? new ParsedValue(text) : null;

    public override ParsedValue? Parse(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? Parse(element.GetString()!) : null;

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteString("type", "string");
        json.WriteString("default", Default);
        json.WriteStartArray("enum");
        foreach (var choice in choices)
        {
            json.WriteStringValue(choice);
        }

        json.WriteEndArray();
    }
}

/// <summary>Free text, may be left out (null unless it has a default). Without NUL, which PostgreSQL cannot store.</summary>
internal sealed class TextParameter(string name, string title, string description, int maxLength = 1000, string? defaultValue = null)
    : Parameter<string?>(name, title, description, defaultValue)
{
    public override string Allowed => string.Create(CultureInfo.InvariantCulture, $"text of 1 to {maxLength} characters, no NUL");

    public override ParsedValue? Parse(string text) =>
        text.Length >= 1 && text.EnumerateRunes().Count() <= maxLength && !text.Contains('\0', StringComparison.Ordinal)
            ? new ParsedValue(text)
            : null;

    public override ParsedValue? Parse(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => new ParsedValue(Default),
        JsonValueKind.String => Parse(element.GetString()!),
        _ => null,
    };

    public override void WriteSchema(Utf8JsonWriter json)
    {
        NullableTypes.Write(json, "string", Default);
        json.WriteNumber("minLength", 1);
        json.WriteNumber("maxLength", maxLength);
    }
}

/// <summary>E-mail addresses, as a JSON list or as one text with commas between them; may be left out (none). Each counts once.</summary>
internal sealed class AddressesParameter(string name, string title, string description, int most = 100)
    : Parameter<IReadOnlyList<string>>(name, title, description, [])
{
    private const int LongestAddress = 320;

    public override string Allowed => string.Create(
        CultureInfo.InvariantCulture, $"at most {most} e-mail addresses, as a list or separated by commas");

    public override object? DefaultAsObject => null;

    public override ParsedValue? Parse(string text) => Check(text.Split(','));

    public override ParsedValue? Parse(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => new ParsedValue(Default),
        JsonValueKind.String => Parse(element.GetString()!),
        JsonValueKind.Array => element.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? Check(element.EnumerateArray().Select(item => item.GetString()!))
            : null,
        _ => null,
    };

    public override void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartArray("type");
        json.WriteStringValue("null");
        json.WriteStringValue("string");
        json.WriteStringValue("array");
        json.WriteEndArray();
        json.WriteNull("default");
        json.WriteStartObject("items");
        json.WriteString("type", "string");
        json.WriteEndObject();
    }

    private ParsedValue? Check(IEnumerable<string> given)
    {
        var addresses = given.Select(address => address.Trim()).Where(address => address.Length > 0).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        return addresses.Count <= most && addresses.TrueForAll(IsAddress) ? new ParsedValue(addresses) : null;
    }

    private static bool IsAddress(string text) =>
        text.Length <= LongestAddress && text.IndexOf('@', StringComparison.Ordinal) is > 0 and var at && at == text.LastIndexOf('@') && at < text.Length - 1
        && !text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c is '<' or '>' or '"' or ';' or ',');
}

/// <summary>
/// An instant with its offset, ISO 8601; may be left out (null). Years far off are typing errors, and .NET and PostgreSQL take the very
/// first and last instant for infinity.
/// </summary>
internal sealed class InstantParameter(string name, string title, string description)
    : Parameter<DateTimeOffset?>(name, title, description, null)
{
    private const int FirstYear = 1970;
    private const int LastYear = 2999;

    public override string Allowed => string.Create(
        CultureInfo.InvariantCulture, $"an ISO 8601 instant with offset, years {FirstYear} to {LastYear}, such as 2026-01-31T06:00:00Z");

    public override ParsedValue? Parse(string text) =>
        Instants.TryParse(text, out var instant) && instant.Year is >= FirstYear and <= LastYear ? new ParsedValue(instant) : null;

    public override ParsedValue? Parse(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => new ParsedValue(null),
        JsonValueKind.String => Parse(element.GetString()!),
        _ => null,
    };

    public override void WriteSchema(Utf8JsonWriter json)
    {
        NullableTypes.Write(json, "string");
        json.WriteString("format", "date-time");
    }
}

/// <summary>A part of the work, <c>i/n</c>; may be left out (null = all of it).</summary>
internal sealed class ShardParameter(string name, string title, string description, bool supported)
    : Parameter<Shard>(name, title, description, Shard.Whole)
{
    public override string Allowed => supported
        ? string.Create(CultureInfo.InvariantCulture, $"i/n with 0 <= i < n <= {Shard.MaxCount}, such as 0/4")
        : "0/1 only: this command does its whole work at once";

    public override ParsedValue? Parse(string text) =>
        Shard.TryParse(text, out var shard) && (supported || shard.IsWhole) ? new ParsedValue(shard) : null;

    public override ParsedValue? Parse(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => new ParsedValue(Shard.Whole),
        JsonValueKind.String => Parse(element.GetString()!),
        _ => null,
    };

    public override void WriteSchema(Utf8JsonWriter json)
    {
        NullableTypes.Write(json, "string");
        json.WriteString("pattern", supported ? "^[0-9]+/[0-9]+$" : "^0/1$");
    }
}

internal static class NullableTypes
{
    /// <summary>A parameter that may be left out: JSON type "null or <paramref name="type"/>", default null unless it has one.</summary>
    public static void Write(Utf8JsonWriter json, string type, string? defaultValue = null)
    {
        json.WriteStartArray("type");
        json.WriteStringValue("null");
        json.WriteStringValue(type);
        json.WriteEndArray();
        json.WriteString("default", defaultValue);
    }
}

internal static class Instants
{
    private static readonly string[] s_formats =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mm:ssK",
        "yyyy-MM-dd HH:mm:ss.FFFFFFFK",
    ];

    /// <summary>Reads an ISO 8601 instant; without an offset it is refused, because two machines would read it differently.</summary>
    public static bool TryParse(string text, out DateTimeOffset instant)
    {
        instant = default;
        var trimmed = text.Trim();
        var time = trimmed.IndexOfAny(['T', ' ']);
        if (time < 0 || trimmed.IndexOfAny(['Z', '+', '-'], time) < 0)
        {
            return false;
        }

        if (!DateTimeOffset.TryParseExact(trimmed, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed))
        {
            return false;
        }

        instant = parsed.ToUniversalTime();
        return true;
    }
}
