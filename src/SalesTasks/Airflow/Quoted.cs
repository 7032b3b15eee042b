using System.Globalization;
using System.Text;

namespace SalesTasks.Airflow;

/// <summary>A value somebody gave, as a message may show it.</summary>
internal static class Quoted
{
    /// <summary>Longer values are cut, so that a pasted file does not become the log.</summary>
    public const int MaxLength = 80;

    /// <summary>
    /// The value in single quotes on one line. Controls, line separators and characters that turn the writing direction become spaces:
    /// in a terminal or a log they would show something else than what is there.
    /// </summary>
    public static string Text(string value)
    {
        var shown = new StringBuilder("'", MaxLength + 3);
        foreach (var rune in value.EnumerateRunes())
        {
            if (shown.Length + rune.Utf16SequenceLength > MaxLength + 1)
            {
                shown.Append('…');
                break;
            }

            shown.Append(Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator ? " " : rune.ToString());
        }

        return shown.Append('\'').ToString();
    }
}
