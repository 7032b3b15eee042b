using System.Buffers;
using System.Globalization;
using System.Text;

namespace SalesTasks.Reports;

/// <summary>
/// A table as CSV (RFC 4180, UTF-8 with the mark that spreadsheets look for). A text that a spreadsheet would take for a formula gets an
/// apostrophe in front; numbers stay numbers.
/// </summary>
/// <remarks>https://owasp.org/www-community/attacks/CSV_Injection</remarks>
internal static class CsvText
{
    private static readonly SearchValues<char> s_quoted = SearchValues.Create(",\"\r\n");

    public static byte[] Write(ReportTable table)
    {
        var text = new StringBuilder("\ufeff");
        AppendLine(text, table.Columns.Select(column => column.Name));
        foreach (var row in table.Rows)
        {
            AppendLine(text, row.Select(Field));
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    internal static string Field(object? value) => value switch
    {
        null => "",
        string text => Quote(text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '\0' ? "'" + text : text),
        bool flag => flag ? "true" : "false",
        DateTimeOffset instant => instant.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(value), value.GetType().Name, "No value of a report."),
    };

    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(s_quoted) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private static void AppendLine(StringBuilder text, IEnumerable<string> fields) => text.AppendJoin(',', fields).Append("\r\n");
}
