namespace SalesTasks.Reports.Sections;

/// <summary>What sections over time share.</summary>
internal static class Times
{
    /// <summary>The labels of a table's periods.</summary>
    public static IReadOnlyList<string> Of(ReportTable table, ReportLanguage language) =>
        [.. table.Rows.Select(row => language.ShortPeriod(table.PeriodOf(row)))];

    /// <summary>A chart in words: the first and the last value.</summary>
    public static string FromTo(ReportTable table, ReportLanguage language, string column, Func<double, string> unit)
    {
        var known = table.Rows.Where(row => table.Number(row, column) is not null).ToList();
        if (known.Count == 0)
        {
            return language.Text("No values.", "Sin valores.");
        }

        string At(object?[] row) => $"{language.ShortPeriod(table.PeriodOf(row))}: {unit(table.NumberOrZero(row, column))}";
        return language.Text($"From {At(known[0])} to {At(known[^1])}.", $"De {At(known[0])} a {At(known[^1])}.");
    }
}
