using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Reports;

/// <summary>A report as it is stored.</summary>
internal sealed record StoredReport(long Id, int Version, byte[] Sha256, string Summary);

/// <summary>Reports in the database, where a step in another container finds them.</summary>
internal static class ReportStore
{
    /// <summary>The newest version; null: it was never built.</summary>
    public static async Task<StoredReport?> NewestAsync(
        NpgsqlConnection connection, ReportPeriod period, ReportLanguage language, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync(
            "reports/newest",
            [("type", period.Type), ("from_at", period.Start), ("language", language.Code)],
            row => new StoredReport(row.GetInt64(0), row.GetInt32(1), row.GetFieldValue<byte[]>(2), row.GetString(3)),
            cancellationToken)).SingleOrDefault();

    public static async Task<IReadOnlyList<ReportFile>> FilesAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) =>
        await connection.QueryStatementAsync(
            "reports/files", [("id", id)], row => new ReportFile(row.GetString(0), row.GetString(1), row.GetFieldValue<byte[]>(2)), cancellationToken);

    public static async Task SaveAsync(NpgsqlConnection connection, Report report, int version, CancellationToken cancellationToken)
    {
        var hashes = report.Files.Select(file => file.Sha256).ToArray();
        await connection.ExecuteStatementAsync(
            "reports/store_files",
            [
                ("hashes", hashes), ("types", report.Files.Select(file => file.ContentType).ToArray()),
                ("contents", report.Files.Select(file => file.Content).ToArray()),
            ],
            cancellationToken);
        await connection.ExecuteStatementAsync(
            "reports/save",
            [
                ("type", report.Period.Type), ("period", report.Period.Id), ("from_at", report.Period.Start), ("to_at", report.Period.End),
                ("language", report.Language.Code), ("version", version), ("sha256", report.Sha256()), ("summary", report.Summary.ToJson()),
                ("names", report.Files.Select(file => file.Name).ToArray()), ("hashes", hashes),
            ],
            cancellationToken);
    }

    public static Task SaveForecastAsync(
        NpgsqlConnection connection, ReportPeriod period, ReportTable table, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        if (table.Rows.Count == 0)
        {
            return Task.CompletedTask;
        }

        object? Value(string column) => table.Value(table.Rows[0], column);
        return connection.ExecuteStatementAsync(
            "reports/save_forecast",
            [
                ("type", period.Type), ("to_at", period.End), ("next_at", period.Next.End), ("as_of", asOf), ("expected", Value("expected")),
                ("low", Value("low")), ("high", Value("high")), ("wins", Value("expected_wins")), ("deals", Value("open_deals")), ("value", Value("open_value")),
            ],
            cancellationToken);
    }
}
