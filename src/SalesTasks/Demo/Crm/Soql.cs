using System.Globalization;
using System.Text.RegularExpressions;

namespace SalesTasks.Demo.Crm;

/// <summary>A query that cannot be read.</summary>
internal sealed class SoqlException(string message) : Exception(message);

/// <summary>
/// The part of SOQL that a sync needs: one object, its own fields or count(), conditions with AND, OR, NOT and brackets, IN, ORDER BY and LIMIT. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl
/// </summary>
internal sealed partial class Soql
{
    private readonly Queue<string> _tokens;

    private Soql(string text)
    {
        // An apostrophe that is not closed, or a sign that has no meaning.
        if (Token().Replace(text, "").Any(c => !char.IsWhiteSpace(c)))
        {
            throw new SoqlException("unexpected token");
        }

        _tokens = new Queue<string>(Token().Matches(text).Select(m => m.Value));
    }

    public IReadOnlyList<string> Fields { get; private set; } = [];

    /// <summary>SELECT count().</summary>
    public bool Counts { get; private set; }

    public string From { get; private set; } = "";

    /// <summary>Whether a record, given as its values by name, is meant.</summary>
    public Func<Func<string, string?>, bool> Where { get; private set; } = _ => true;

    /// <summary>Fields of the conditions, and the literals they are compared with as they are written.</summary>
    public List<(string Field, string Literal)> Asked { get; } = [];

    public List<(string Field, bool Descending)> OrderBy { get; } = [];

    public int? Limit { get; private set; }

    /// <exception cref="SoqlException">It is none.</exception>
    public static Soql Parse(string text)
    {
        var query = new Soql(text);
        query.Read();
        return query;
    }

    /// <summary>Numbers by their value, instants by their moment, other texts without case.</summary>
    public static int Compare(string? a, string? b)
    {
        if (a is null || b is null)
        {
            return (a is null ? 0 : 1) - (b is null ? 0 : 1);
        }

        if (IsInstant(a) && IsInstant(b))
        {
            return Instant(a).CompareTo(Instant(b));
        }

        return decimal.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var x) && decimal.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out var y)
            ? x.CompareTo(y)
            : string.Compare(a, b, StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsInstant(string text) => text.Length >= 10 && text[4] == '-' && char.IsAsciiDigit(text[0]);

    private static DateTimeOffset Instant(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : throw new SoqlException($"{text} is no date");

    private void Read()
    {
        Take("SELECT");
        var fields = new List<string>();
        do
        {
            var name = Next();
            if (name.Equals("count", StringComparison.OrdinalIgnoreCase) && Peek == "(")
            {
                Take("(");
                Take(")");
                Counts = true;
            }
            else
            {
                fields.Add(Name(name));
            }
        }
        while (Skip(","));
        Fields = fields;
        Take("FROM");
        From = Name(Next());
        if (Skip("WHERE"))
        {
            Where = Alternatives();
        }

        if (Skip("ORDER"))
        {
            Take("BY");
            do
            {
                OrderBy.Add((Name(Next()), Skip("DESC")));
                Skip("ASC");
            }
            while (Skip(","));
        }

        if (Skip("LIMIT"))
        {
            Limit = int.TryParse(Next(), NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : throw new SoqlException("LIMIT needs a number");
        }

        if (_tokens.Count > 0)
        {
            throw new SoqlException($"unexpected token: '{_tokens.Peek()}'");
        }
    }

    private Func<Func<string, string?>, bool> Alternatives()
    {
        var left = Conditions();
        var all = new List<Func<Func<string, string?>, bool>> { left };
        while (Skip("OR"))
        {
            all.Add(Conditions());
        }

        return all.Count == 1 ? left : record => all.Exists(c => c(record));
    }

    private Func<Func<string, string?>, bool> Conditions()
    {
        var all = new List<Func<Func<string, string?>, bool>> { Condition() };
        while (Skip("AND"))
        {
            all.Add(Condition());
        }

        return record => all.TrueForAll(c => c(record));
    }

    private Func<Func<string, string?>, bool> Condition()
    {
        if (Skip("NOT"))
        {
            var not = Condition();
            return record => !not(record);
        }

        if (Skip("("))
        {
            var inner = Alternatives();
            Take(")");
            return inner;
        }

        var field = Name(Next());
        if (Skip("IN"))
        {
            Take("(");
            var values = new HashSet<string?>(StringComparer.OrdinalIgnoreCase);
            do
            {
                values.Add(Asking(field, Next()));
            }
            while (Skip(","));
            Take(")");
            return record => record(field) is { } value && values.Contains(value);
        }

        var sign = Next();
        var literal = Asking(field, Next());
        return sign switch
        {
            "=" => record => Same(record(field), literal),
            "!=" or "<>" => record => !Same(record(field), literal),
            "<" => record => record(field) is { } v && Compare(v, literal) < 0,
            "<=" => record => record(field) is { } v && Compare(v, literal) <= 0,
            ">" => record => record(field) is { } v && Compare(v, literal) > 0,
            ">=" => record => record(field) is { } v && Compare(v, literal) >= 0,
            _ => throw new SoqlException($"unexpected token: '{sign}'"),
        };
    }

    private static bool Same(string? a, string? b) => a is null || b is null ? a is null && b is null : Compare(a, b) == 0;

    private string? Asking(string field, string token)
    {
        Asked.Add((field, token));
        return Literal(token);
    }

    private static string? Literal(string token)
    {
        if (token[0] == '\'')
        {
            return Escape().Replace(token[1..^1], m => m.Value[1] switch { 'n' => "\n", 't' => "\t", 'r' => "\r", var c => $"{c}" });
        }

        if (token.Equals("null", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        return token.ToLowerInvariant() is "true" or "false" || char.IsAsciiDigit(token[0]) || token[0] is '-'
            ? char.IsAsciiLetter(token[0]) ? token.ToLowerInvariant() : token
            : throw new SoqlException($"unexpected token: '{token}'");
    }

    private static string Name(string token) =>
        char.IsAsciiLetter(token[0]) ? token : throw new SoqlException($"unexpected token: '{token}'");

    private string Peek => _tokens.TryPeek(out var token) ? token : "";

    private string Next() => _tokens.TryDequeue(out var token) ? token : throw new SoqlException("unexpected end of query");

    private bool Skip(string word)
    {
        if (!Peek.Equals(word, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        _tokens.Dequeue();
        return true;
    }

    private void Take(string word)
    {
        if (!Skip(word))
        {
            throw new SoqlException($"expecting '{word}', found '{Peek}'");
        }
    }

    [GeneratedRegex(@"'(?:[^'\\]|\\.)*'|[A-Za-z_][A-Za-z0-9_.]*|-?[0-9][0-9A-Za-z:.+-]*|<=|>=|!=|<>|[=<>(),]", RegexOptions.Singleline)]
    private static partial Regex Token();

    [GeneratedRegex(@"\\.", RegexOptions.Singleline)]
    private static partial Regex Escape();
}
