using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SalesTasks.Database;

/// <summary>
/// The words of a statement that finds something people are told, in the comment on top of its file: <c>-- title en: …</c> and
/// <c>-- text en: …</c>, the same with <c>es</c>; <c>-- text NAME en: …</c> where there are several. <c>{value}</c> stands for a fact of the row.
/// So a new kind of alert or check is one file.
/// </summary>
internal sealed partial class StatementTexts
{
    private const int LongestValue = 120;

    private static readonly ConcurrentDictionary<string, StatementTexts> s_all = new();

    private static readonly NumberFormatInfo s_spanish = new() { NumberGroupSeparator = ".", NumberDecimalSeparator = "," };

    private readonly Dictionary<(string What, string Variant, string Language), string> _texts;

    private StatementTexts(string statement) => _texts = Line().Matches(Sql.Load(statement)).ToDictionary(
        line => (line.Groups["what"].Value, line.Groups["variant"].Value, line.Groups["language"].Value), line => line.Groups["text"].Value);

    /// <summary>How numbers are written for people.</summary>
    public static IFormatProvider Numbers(bool spanish) => spanish ? s_spanish : CultureInfo.InvariantCulture;

    public static StatementTexts Of(string statement) => s_all.GetOrAdd(statement, name => new StatementTexts(name));

    public string Title(bool spanish) => Find("title", "", spanish);

    /// <summary>The text with the facts in it: one line without control characters, nothing of it escaped.</summary>
    /// <param name="spanish">Else English.</param>
    /// <param name="facts">A JSON object; what is missing or null shows as a dash.</param>
    /// <param name="variant">Which text, where there are several.</param>
    public string Text(bool spanish, JsonElement facts, string variant = "") => Place().Replace(
        Find("text", variant, spanish), place => facts.TryGetProperty(place.Groups["name"].Value, out var value) ? Show(value, spanish) : "–");

    private static string Show(JsonElement value, bool spanish) => value.ValueKind switch
    {
        // Large amounts are read whole.
        JsonValueKind.Number => value.GetDecimal() is var number && Math.Abs(number) >= 1000
            ? number.ToString("#,##0", Numbers(spanish))
            : number.ToString("#,##0.#", Numbers(spanish)),
        JsonValueKind.String when value.GetString()!.Length > 0 => Clean(value.GetString()!),
        _ => "–",
    };

    private static string Clean(string text)
    {
        var cut = text.Length <= LongestValue ? text : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[LongestValue - 1]) ? LongestValue - 1 : LongestValue), "…");
        // Format characters too: a right-to-left override in a name turns the rest of the line around.
        return string.Concat(cut.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format ? ' ' : c));
    }

    private string Find(string what, string variant, bool spanish) => _texts[(what, variant, spanish ? "es" : "en")];

    [GeneratedRegex("^-- (?<what>title|text)( (?<variant>\\w+))? (?<language>en|es): (?<text>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Line();

    [GeneratedRegex("\\{(?<name>\\w+)\\}", RegexOptions.ExplicitCapture)]
    private static partial Regex Place();
}
