namespace SalesTasks.Predictions.Learning;

/// <summary>One column of a table, typed; all columns of a table have the same number of rows.</summary>
internal abstract record Column(string Name);

/// <param name="Name">The column's name.</param>
/// <param name="Values">One a row; NaN where missing.</param>
internal sealed record NumberColumn(string Name, float[] Values) : Column(Name);

/// <param name="Name">The column's name.</param>
/// <param name="Days">Days since 1970-01-01 with the time of day as fraction; NaN where missing.</param>
internal sealed record DateColumn(string Name, double[] Days) : Column(Name);

/// <param name="Name">The column's name.</param>
/// <param name="Codes">Index into <paramref name="Levels"/>; -1 where missing.</param>
/// <param name="Levels">The different values.</param>
internal sealed record CategoryColumn(string Name, int[] Codes, IReadOnlyList<string> Levels) : Column(Name);

/// <param name="Name">The column's name.</param>
/// <param name="Words">The different words of each row's text as indices into <paramref name="Vocabulary"/>; empty where missing.</param>
/// <param name="Vocabulary">The words.</param>
internal sealed record TextColumn(string Name, int[][] Words, IReadOnlyList<string> Vocabulary) : Column(Name);

/// <summary>Columns to learn from.</summary>
internal sealed record DataTable(IReadOnlyList<Column> Columns, int Rows);
