using Npgsql;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary>A moment at which a deal was open.</summary>
/// <param name="PipelineId">The deal.</param>
/// <param name="At">The moment.</param>
/// <param name="ClosedAt">When it ended; null: still open at the instant worked at.</param>
/// <param name="Won">How it ended.</param>
internal sealed record Moment(long PipelineId, DateTimeOffset At, DateTimeOffset? ClosedAt, bool? Won);

/// <summary>Deals as they stood at past moments, with what was known then and nothing that came later.</summary>
internal sealed class DealSnapshots
{
    public const string StageColumn = "stage";
    public const string SourceColumn = "source";

    /// <summary>Enough to learn from; more is only slower.</summary>
    private const int MostMoments = 80_000;

    private const int Chunk = 10_000;

    /// <param name="moments">One a row.</param>
    /// <param name="table">With the columns stage and source at least.</param>
    public DealSnapshots(IReadOnlyList<Moment> moments, DataTable table)
    {
        Moments = moments;
        Table = table;
        Groups = [.. moments.Select(m => (int)(m.PipelineId % int.MaxValue))];
    }

    /// <summary>One a row of the table.</summary>
    public IReadOnlyList<Moment> Moments { get; }

    public DataTable Table { get; }

    /// <summary>Whether each row's deal was won; false where it is not known.</summary>
    public bool[] Labels => [.. Moments.Select(m => m.Won ?? false)];

    /// <summary>The deal of each row.</summary>
    public int[] Groups { get; }

    /// <summary>The numbers of all rows.</summary>
    public int[] AllRows => [.. Enumerable.Range(0, Moments.Count)];

    /// <summary>Names of all features.</summary>
    public static IReadOnlyList<string> Columns => FeatureRows.Names;

    /// <summary>All moments on a grid of at least two weeks back from the instant, coarser where there would be too many, the oldest first.</summary>
    public static async Task<(List<Moment> Moments, int SpacingDays)> MomentsAsync(
        NpgsqlConnection connection, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        for (var spacing = 14; ; spacing *= 2)
        {
            var moments = await connection.QueryStatementAsync(
                "predictions/moments",
                [("as_of", asOf), ("spacing_days", spacing)],
                row => new Moment(
                    row.GetInt64(0), row.GetInstant(1), row.IsDBNull(2) ? null : row.GetInstant(2),
                    row.IsDBNull(3) ? null : row.GetBoolean(3)),
                cancellationToken);
            if (moments.Count <= MostMoments || spacing > 365)
            {
                return (moments, spacing);
            }
        }
    }

    /// <summary>Reads what was known at each moment; moments without stage history are left out.</summary>
    public static async Task<DealSnapshots> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<Moment> moments, CancellationToken cancellationToken)
    {
        var byKey = moments.ToDictionary(m => (m.PipelineId, m.At));
        var kept = new List<Moment>(moments.Count);
        var rows = new FeatureRows();
        foreach (var chunk in moments.Chunk(Chunk))
        {
            await using var command = Sql.Command(
                connection,
                "predictions/features",
                ("pipeline_ids", chunk.Select(m => m.PipelineId).ToArray()),
                ("instants", chunk.Select(m => m.At.UtcDateTime).ToArray()));
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            while (await row.ReadAsync(cancellationToken))
            {
                kept.Add(byKey[(row.GetInt64(0), row.GetInstant(1))]);
                rows.Add(row, null);
            }
        }

        return new DealSnapshots(kept, rows.Table());
    }

    /// <summary>Some of the rows.</summary>
    public DealSnapshots Part(Range rows)
    {
        var (start, count) = rows.GetOffsetAndLength(Moments.Count);
        return count == Moments.Count ? this : new DealSnapshots([.. Moments.Skip(start).Take(count)], new DataTable(
            [.. Table.Columns.Select<Column, Column>(column => column switch
            {
                CategoryColumn category => category with { Codes = category.Codes[rows] },
                NumberColumn number => number with { Values = number.Values[rows] },
                _ => throw new InvalidOperationException($"A feature column of type {column.GetType().Name}."),
            })],
            count));
    }

    /// <summary>Some of the rows, in the order given.</summary>
    public DealSnapshots Take(int[] rows) => new(
        [.. rows.Select(row => Moments[row])],
        new DataTable(
            [
                .. Table.Columns.Select(Column (column) => column switch
                {
                    CategoryColumn category => category with { Codes = [.. rows.Select(row => category.Codes[row])] },
                    NumberColumn number => number with { Values = [.. rows.Select(row => number.Values[row])] },
                    _ => throw new InvalidOperationException($"A feature of type {column.GetType().Name}."),
                }),
            ],
            rows.Length));

    /// <summary>The rows for which something holds.</summary>
    public int[] Where(Func<Moment, bool> holds) => [.. Enumerable.Range(0, Moments.Count).Where(row => holds(Moments[row]))];

    /// <summary>The texts of a category column, row by row; null where missing.</summary>
    public string?[] Texts(string name)
    {
        var column = (CategoryColumn)Table.Columns.Single(c => c.Name == name);
        return [.. column.Codes.Select(code => code < 0 ? null : column.Levels[code])];
    }
}
