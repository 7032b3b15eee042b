using System.Security.Cryptography;
using System.Text;

namespace SalesTasks.Reports;

/// <summary>A file of a report.</summary>
internal sealed record ReportFile(string Name, string ContentType, byte[] Content)
{
    public byte[] Sha256 { get; } = SHA256.HashData(Content);
}

/// <summary>A report: its files, and what is said of it. The same data make the same bytes.</summary>
/// <param name="Period">What it is about.</param>
/// <param name="Language">Of its page and its summary; the data files are the same in every language.</param>
/// <param name="Summary">For e-mail and Slack.</param>
/// <param name="Files">In the order of their names.</param>
internal sealed record Report(ReportPeriod Period, ReportLanguage Language, ReportSummary Summary, IReadOnlyList<ReportFile> Files)
{
    public static string PageName(ReportLanguage language) => $"report-{language.Code}.html";

    public static Report Of(ReportPeriod period, IReadOnlyList<ReportTable> tables, ReportLanguage language)
    {
        var summary = ReportSummary.Of(period, tables, language);
        return new Report(period, language, summary,
        [
            .. tables.Select(table => new ReportFile(table.Section.Name + ".csv", "text/csv; charset=utf-8", CsvText.Write(table)))
                .Append(new ReportFile("report.json", "application/json", JsonDocumentText.Write(period, tables)))
                .Append(new ReportFile(PageName(language), "text/html; charset=utf-8", ReportPage.Write(period, tables, summary, language)))
                .OrderBy(file => file.Name, StringComparer.Ordinal),
        ]);
    }

    /// <summary>Of the names and contents of its files.</summary>
    public byte[] Sha256() => SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(Files.Select(file => $"{file.Name} {Convert.ToHexStringLower(file.Sha256)}\n"))));
}
