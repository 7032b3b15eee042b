using System.Globalization;
using Npgsql;
using SalesTasks.Charts;
using SalesTasks.Database;

namespace SalesTasks.Reports;

/// <summary>
/// A section of the report: one table, from the statement <c>sql/reports/&lt;name&gt;.sql</c>, with what is said and drawn about it. A new section
/// is a statement and a file in <c>Sections</c>, and a line in <see cref="ReportSections"/>.
/// </summary>
/// <param name="Name">Of the statement, the CSV file and the JSON member.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Columns">In the order of the statement's.</param>
internal sealed record ReportSection(string Name, Phrase Title, params Column[] Columns)
{
    /// <summary>What the figures mean, in a sentence or two.</summary>
    public required Phrase Explanation { get; init; }

    /// <summary>Said instead of the table where it has no rows.</summary>
    public Phrase Nothing { get; init; } = new("Nothing in this period.", "Nada en este periodo.");

    /// <summary>Charts for a table that has rows.</summary>
    public Func<ReportTable, ReportLanguage, IEnumerable<string>> Charts { get; init; } = static (_, _) => [];

    /// <summary>A sentence about the rows, such as a share over all of them; null: none.</summary>
    public Func<ReportTable, ReportLanguage, string?> Remark { get; init; } = static (_, _) => null;

    /// <summary>Reads the rows.</summary>
    public Func<ReportSnapshot, ReportSection, CancellationToken, Task<IReadOnlyList<object?[]>>> ReadAsync { get; init; } =
        static (snapshot, section, token) => snapshot.RowsAsync("reports/" + section.Name, section.Columns.Length, token);

    /// <summary>Title and description of a chart of this section.</summary>
    public ChartText Chart(string chart, string title, string description) => new($"{Name.Replace('_', '-')}-{chart}", title, description);
}

/// <summary>The database as it was at one instant, seen for one period.</summary>
internal sealed class ReportSnapshot(NpgsqlConnection connection, ReportPeriod period, DateTimeOffset asOf)
{
    public NpgsqlConnection Connection { get; } = connection;

    public ReportPeriod Period { get; } = period;

    public DateTimeOffset AsOf { get; } = asOf;

    /// <summary>Every statement of a report may use these; times are UTC, and a period ends before its end.</summary>
    public (string Name, object? Value)[] Parameters =>
    [
        ("from_at", Period.Start), ("to_at", Period.End), ("previous_at", Period.Previous.Start), ("next_at", Period.Next.End),
        ("trend_at", Period.TrendStart), ("learn_at", Period.ForecastStart), ("step", Period.Interval), ("type", Period.Type),
    ];

    /// <summary>The rows of a statement.</summary>
    public Task<IReadOnlyList<object?[]>> RowsAsync(string statement, int columns, CancellationToken cancellationToken) =>
        ReadAsync(statement, row =>
        {
            if (row.FieldCount != columns)
            {
                throw new InvalidOperationException(string.Create(
                    CultureInfo.InvariantCulture, $"{statement} has {row.FieldCount} columns and its section {columns}."));
            }

            return Enumerable.Range(0, columns).Select(i => row.IsDBNull(i) ? null : Value(row, i)).ToArray();
        }, cancellationToken);

    public async Task<IReadOnlyList<T>> ReadAsync<T>(string statement, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken) =>
        await Connection.QueryStatementAsync(statement, Parameters, map, cancellationToken);

    private static object Value(NpgsqlDataReader row, int column) => row.GetValue(column) switch
    {
        int number => (long)number,
        short number => (long)number,
        DateTime instant => new DateTimeOffset(DateTime.SpecifyKind(instant, DateTimeKind.Utc)),
        var other => other,
    };
}
