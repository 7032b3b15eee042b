using System.Globalization;
using System.Text;
using Fluid;
using Fluid.Values;

namespace SalesTasks.Campaigns;

/// <summary>
/// The filters templates may use: those that make text for people, each bounded. The engine itself bounds how many steps a template takes
/// but not how long its values grow, and a value that doubles at each step needs few of them.
/// </summary>
internal static class TemplateFilters
{
    /// <summary>Characters of a value that a template makes.</summary>
    public const int LargestValue = 16 * 1024;

    private const int MostItems = 1_000;
    private const int LongestDateFormat = 64;

    private static readonly string[] s_plain =
    [
        "default", "upcase", "downcase", "capitalize", "strip", "lstrip", "rstrip", "strip_newlines", "strip_html", "escape", "escape_once",
        "url_encode", "newline_to_br", "truncatewords", "plus", "minus", "times", "divided_by", "modulo", "round", "ceil", "floor", "abs",
        "at_least", "at_most", "size", "first", "last", "slice", "remove", "raw",
    ];

    private static readonly string[] s_growing = ["append", "prepend", "replace", "replace_first", "join", "split", "truncate", "date"];

    public static IReadOnlyList<string> Allowed { get; } = [.. s_plain.Concat(s_growing).Order(StringComparer.Ordinal)];

    /// <summary>Takes every other filter away and bounds these.</summary>
    public static void Restrict(FilterCollection filters)
    {
        var kept = Allowed.Select(name => (Name: name, Filter: filters.TryGetValue(name, out var filter)
            ? filter
            : throw new InvalidOperationException($"The template engine has no filter '{name}'."))).ToList();
        filters.Clear();
        foreach (var (name, filter) in kept)
        {
            filters.AddFilter(name, (input, arguments, context) =>
            {
                Check(name, input, arguments);
                var result = filter(input, arguments, context);
                if (result.IsCompletedSuccessfully)
                {
                    Check(result.Result);
                    return new(result.Result);
                }

                return result;
            });
        }
    }

    /// <exception cref="TemplateException">The value is longer than texts to people are.</exception>
    public static void Check(FluidValue value)
    {
        if (value is StringValue && value.ToStringValue().Length > LargestValue)
        {
            throw TooLarge();
        }

        if (value is ArrayValue array && array.Values.Count > MostItems)
        {
            throw TooLarge();
        }
    }

    /// <summary>What a filter could make of its input, bounded before it does.</summary>
    private static void Check(string name, FluidValue input, FilterArguments arguments)
    {
        var lengths = 0L;
        for (var i = 0; i < arguments.Count; i++)
        {
            lengths += arguments.At(i).ToStringValue().Length;
        }

        var size = input is ArrayValue array ? array.Values.Count : input.ToStringValue().Length;
        var most = name switch
        {
            "replace" or "replace_first" or "join" => (size + 1) * (lengths + 1),
            "split" => size > LargestValue ? long.MaxValue : 0,
            _ => size + lengths,
        };
        if (most > (name is "replace" or "replace_first" or "join" ? 64L * LargestValue : LargestValue))
        {
            throw TooLarge();
        }

        // A number in a date format is a width.
        if (name is "date" && (lengths > LongestDateFormat || HasLongNumber(arguments.At(0).ToStringValue())))
        {
            throw new TemplateException(string.Create(CultureInfo.InvariantCulture, $"a date format of more than {LongestDateFormat} characters or with a width over 99"));
        }
    }

    private static bool HasLongNumber(string format)
    {
        var digits = 0;
        var width = false;
        foreach (var c in format)
        {
            width = c is '%' || (width && (char.IsAsciiDigit(c) || "-_^#:+".Contains(c, StringComparison.Ordinal)));
            digits = width && char.IsAsciiDigit(c) ? digits + 1 : 0;
            if (digits > 2)
            {
                return true;
            }
        }

        return false;
    }

    private static TemplateException TooLarge() => new(string.Create(
        CultureInfo.InvariantCulture, $"the template makes a value of more than {LargestValue} characters or {MostItems} items"));
}

/// <summary>Keeps what is written, up to a number of characters.</summary>
internal sealed class BoundedWriter(int limit) : TextWriter
{
    private readonly StringBuilder _text = new();

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (_text.Length + buffer.Length > limit)
        {
            throw new TemplateException(string.Create(CultureInfo.InvariantCulture, $"the template renders more than {limit} characters"));
        }

        _text.Append(buffer);
    }

    public override Task WriteAsync(char value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Write(buffer, index, count);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return Task.CompletedTask;
    }

    public override string ToString() => _text.ToString();
}
