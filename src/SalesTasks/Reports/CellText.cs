using SalesTasks.Reports.Sections;

namespace SalesTasks.Reports;

/// <summary>A value as people read it.</summary>
internal static class CellText
{
    public const string None = "–";

    /// <summary>The value of a column with its interval.</summary>
    public static string Of(ReportTable table, object?[] row, Column column, ReportLanguage language)
    {
        var value = table.Value(row, column.Name);
        return column.Kind switch
        {
            ColumnKind.Name => Names.Of((string?)value, language),
            ColumnKind.Word => value is string word ? language.Word(word) : None,
            ColumnKind.Period => language.ShortPeriod(table.PeriodOf(row)),
            ColumnKind.YesNo => value switch
            {
                true => language.Text("yes", "sí"),
                false => language.Text("no", "no"),
                _ => None,
            },
            _ => table.Number(row, column.Name) is { } number
                ? Number(number, column.Kind, Unit(table, row, column), language) + Interval(table, row, column, language)
                : None,
        };
    }

    private static string Interval(ReportTable table, object?[] row, Column column, ReportLanguage language) =>
        column.Interval is var (low, high) && table.Number(row, low) is { } from && table.Number(row, high) is { } to
            ? $" ({Bare(from, column.Kind, Unit(table, row, column), language)} – {Bare(to, column.Kind, Unit(table, row, column), language)})"
            : "";

    private static string Unit(ReportTable table, object?[] row, Column column) => column.Kind switch
    {
        ColumnKind.Measure or ColumnKind.Change => table.Text(row, "unit"),
        ColumnKind.Share => "share",
        ColumnKind.Money => "money",
        ColumnKind.Days => "days",
        ColumnKind.Decimal => "decimal",
        ColumnKind.Figure => "figure",
        _ => "count",
    };

    private static string Number(double value, ColumnKind kind, string unit, ReportLanguage language) => (kind, unit) switch
    {
        (ColumnKind.Change, "share") => Signed(value * 100, v => language.Decimal(v)) + language.Text(" points", " puntos"),
        (ColumnKind.Change, "days") => Signed(value, language.Days),
        (ColumnKind.Change, "hours") => Signed(value, language.Hours),
        (ColumnKind.Change, _) => Signed(value, language.Money),
        (_, "share") => language.Share(value),
        (_, "days") => language.Days(value),
        (_, "hours") => language.Hours(value),
        (_, "figure") => language.Decimal(value, 3),
        (_, "money") => language.Money(value),
        (_, "decimal") => language.Decimal(value),
        _ => language.Count(value),
    };

    /// <summary>An end of an interval, whose unit stands with the value already.</summary>
    private static string Bare(double value, ColumnKind kind, string unit, ReportLanguage language) => (kind, unit) switch
    {
        (ColumnKind.Change, "share") => Signed(value * 100, v => language.Decimal(v)),
        (ColumnKind.Change, "money") => Signed(value, language.Money),
        (ColumnKind.Change, _) => Signed(value, v => language.Decimal(v)),
        (_, "share") => language.Decimal(value * 100),
        (_, "figure") => language.Decimal(value, 3),
        (_, "days") or (_, "decimal") or (_, "hours") => language.Decimal(value),
        _ => language.Count(value),
    };

    private static string Signed(double value, Func<double, string> text)
    {
        var written = text(Math.Abs(value));
        var isZero = written.All(c => c is not (>= '1' and <= '9'));
        return isZero ? written : (value < 0 ? "−" : "+") + written;
    }
}
