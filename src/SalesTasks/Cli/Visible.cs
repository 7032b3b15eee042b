using System.Globalization;
using System.Text;

namespace SalesTasks.Cli;

/// <summary>
/// Text out of the database as a terminal may show it. Controls and characters that turn the writing direction become spaces: a name with an
/// escape sequence in it would otherwise move the cursor, colour the rest or rename the window.
/// </summary>
internal static class Visible
{
    public static string Text(string? value)
    {
        var shown = new StringBuilder();
        foreach (var rune in (value ?? "").EnumerateRunes())
        {
            shown.Append(Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator ? " " : rune.ToString());
        }

        return shown.ToString();
    }

    /// <summary>The same for a cell of a table, in which square brackets are no markup.</summary>
    public static string Markup(string? value) => Spectre.Console.Markup.Escape(Text(value));
}
