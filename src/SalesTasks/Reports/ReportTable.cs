namespace SalesTasks.Reports;

/// <summary>How a column is shown to people. CSV and JSON carry the values as they are.</summary>
internal enum ColumnKind
{
    /// <summary>From data: names of people, sources, campaigns.</summary>
    Name,

    /// <summary>One of our own words: a stage, a task type, an indicator.</summary>
    Word,

    /// <summary>The start of a period.</summary>
    Period,
    Count,
    Decimal,

    /// <summary>A number to a thousandth.</summary>
    Figure,
    Money,
    Share,
    Days,

    /// <summary>A number in the unit that the row's column <c>unit</c> names: money, share or days.</summary>
    Measure,

    /// <summary>The same, as a difference with its sign; shares in points.</summary>
    Change,

    /// <summary>true or false.</summary>
    YesNo,

    /// <summary>In CSV and JSON only.</summary>
    Hidden,
}

/// <summary>A column of a table.</summary>
/// <param name="Name">In CSV, JSON and the statement's comment; never changes.</param>
/// <param name="Title">What people read.</param>
/// <param name="Kind">How it is shown.</param>
internal sealed record Column(string Name, Phrase Title, ColumnKind Kind)
{
    /// <summary>The columns that hold the ends of its interval, shown with it.</summary>
    public (string Low, string High)? Interval { get; init; }

    public static Column Hidden(string name) => new(name, new Phrase(name, name), ColumnKind.Hidden);
}

/// <summary>A table with its values: texts, long, double, decimal, bool, instants and null.</summary>
/// <param name="Section">What it is about.</param>
/// <param name="Period">The report's.</param>
/// <param name="Rows">In the order they are shown; one value a column.</param>
internal sealed record ReportTable(ReportSection Section, ReportPeriod Period, IReadOnlyList<object?[]> Rows)
{
    public IReadOnlyList<Column> Columns => Section.Columns;

    public object? Value(object?[] row, string column)
    {
        for (var i = 0; i < Columns.Count; i++)
        {
            if (Columns[i].Name == column)
            {
                return row[i];
            }
        }

        throw new ArgumentOutOfRangeException(nameof(column), column, "The table has no such column.");
    }

    /// <summary>The period that begins at the instant in the column <c>period_start</c>.</summary>
    public ReportPeriod PeriodOf(object?[] row) => Period.StartingAt((DateTimeOffset)Value(row, "period_start")!);

    public string Text(object?[] row, string column) => (string?)Value(row, column) ?? "";

    public double? Number(object?[] row, string column) => Value(row, column) switch
    {
        null => null,
        long number => number,
        decimal number => (double)number,
        double number => number,
        var other => throw new InvalidOperationException($"{column} is no number but a {other.GetType().Name}."),
    };

    public double NumberOrZero(object?[] row, string column) => Number(row, column) ?? 0;

    /// <summary>The column over all rows.</summary>
    public IReadOnlyList<double?> Numbers(string column) => [.. Rows.Select(row => Number(row, column))];

    /// <summary>The intervals of a column over all rows.</summary>
    public IReadOnlyList<(double Low, double High)?> Intervals(string low, string high) =>
        [.. Rows.Select(row => Number(row, low) is { } l && Number(row, high) is { } h ? (l, h) : ((double, double)?)null)];
}
