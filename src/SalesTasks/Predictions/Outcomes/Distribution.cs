using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>How a feature is spread over bins.</summary>
/// <param name="Edges">Numbers: a value belongs to the bin of the first edge it does not exceed; the last bin is beyond all. Null for categories.</param>
/// <param name="Levels">Categories: one bin a level, then one for all others. Null for numbers.</param>
/// <param name="Shares">Of each bin, then of missing; they add up to 1.</param>
internal sealed record FeatureSpread(double[]? Edges, string[]? Levels, double[] Shares);

/// <summary>How features are spread, and how far two spreads are apart.</summary>
internal static class Distribution
{
    private const int NumberBins = 10;
    private const int MostLevels = 20;

    /// <summary>An empty bin would make the index infinite.</summary>
    private const double Smallest = 1e-4;

    /// <summary>The spread of each feature over the rows: numbers over their own tenths, categories over their most frequent levels.</summary>
    public static Dictionary<string, FeatureSpread> Of(DealSnapshots snapshots, int[] rows) =>
        snapshots.Table.Columns.ToDictionary(c => c.Name, c => Of(c, rows), StringComparer.Ordinal);

    /// <summary>The shares of the rows in the bins of an earlier spread.</summary>
    public static double[] Shares(FeatureSpread spread, Column column, int[] rows)
    {
        var counts = new double[spread.Shares.Length];
        switch (column)
        {
            case NumberColumn number when spread.Edges is { } edges:
                foreach (var row in rows)
                {
                    counts[Bin(edges, number.Values[row])]++;
                }

                break;
            case CategoryColumn category when spread.Levels is { } levels:
                var places = category.Levels.Select(level => Array.IndexOf(levels, level)).Select(place => place < 0 ? levels.Length : place).ToArray();
                foreach (var row in rows)
                {
                    counts[category.Codes[row] < 0 ? ^1 : places[category.Codes[row]]]++;
                }

                break;
            default:
                throw new InvalidOperationException($"The feature {column.Name} is of another kind than when the model was trained.");
        }

        return [.. counts.Select(c => c / Math.Max(rows.Length, 1))];
    }

    /// <summary>Population stability index: the sum over bins of (now - then) × ln(now / then).</summary>
    public static double Psi(double[] then, double[] now) => then.Zip(now, (a, b) =>
    {
        var (before, after) = (Math.Max(a, Smallest), Math.Max(b, Smallest));
        return (after - before) * Math.Log(after / before);
    }).Sum();

    private static FeatureSpread Of(Column column, int[] rows)
    {
        FeatureSpread spread;
        if (column is NumberColumn number)
        {
            var sorted = rows.Select(row => (double)number.Values[row]).Where(double.IsFinite).Order().ToArray();
            var edges = sorted.Length == 0 ? [] : Enumerable.Range(1, NumberBins - 1).Select(i => sorted[i * (sorted.Length - 1) / NumberBins])
                .Distinct().Where(e => e < sorted[^1]).ToArray();
            spread = new FeatureSpread(edges, null, new double[edges.Length + 2]);
        }
        else
        {
            var category = (CategoryColumn)column;
            var levels = rows.Where(row => category.Codes[row] >= 0).GroupBy(row => category.Levels[category.Codes[row]], StringComparer.Ordinal)
                .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Take(MostLevels).Select(g => g.Key).ToArray();
            spread = new FeatureSpread(null, levels, new double[levels.Length + 2]);
        }

        return spread with { Shares = Shares(spread, column, rows) };
    }

    private static Index Bin(double[] edges, double value)
    {
        if (!double.IsFinite(value))
        {
            return ^1;
        }

        var bin = Array.BinarySearch(edges, value);
        return bin < 0 ? ~bin : bin;
    }
}
