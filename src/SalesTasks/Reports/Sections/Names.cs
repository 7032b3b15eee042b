using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

/// <summary>Names out of the data, as charts and summaries show them.</summary>
internal static class Names
{
    /// <summary>Longer ones are cut where people read them; CSV and JSON have them whole.</summary>
    public const int Longest = 80;

    public static string Of(ReportTable table, object?[] row, string column, ReportLanguage language) => Of((string?)table.Value(row, column), language);

    public static string Of(string? name, ReportLanguage language) =>
        string.IsNullOrWhiteSpace(name) ? language.Text("(nobody)", "(nadie)") : Chart.Cut(name, Longest);
}
