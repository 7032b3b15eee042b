using System.Text.Json.Serialization;

namespace SalesTasks.Predictions.Learning;

/// <summary>A table as learners read it.</summary>
/// <param name="Tree">Row by row, for trees: numbers as they are, categories as codes, NaN where missing.</param>
/// <param name="Linear">For linear models: standardised numbers, quantile bins and one column a category.</param>
/// <param name="Rows">The number of rows.</param>
internal sealed record Encoded(float[] Tree, SparseRows Linear, int Rows);

/// <summary>
/// How columns become numbers, learned on training rows only: bins, levels, and for categories with many levels the smoothed rate of the
/// label (target encoding, Micci-Barreca 2001). Training rows get rates computed without themselves, by folds; otherwise a level seen once
/// would give its own label away.
/// </summary>
/// <param name="Blocks">One a column that is used, in the table's order.</param>
internal sealed record Encoder(IReadOnlyList<Block> Blocks)
{
    [JsonIgnore]
    public int TreeWidth => Blocks.Sum(b => b.TreeWidth);

    [JsonIgnore]
    public int LinearWidth => Blocks.Sum(b => b.LinearWidth);

    /// <summary>Places of tree columns that hold codes and not amounts.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> Categorical => [.. Offsets(b => b.TreeWidth).SelectMany(b => b.Block.CategoricalColumns.Select(c => c + b.Offset))];

    /// <summary>For each tree column the block it belongs to.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> TreeOwners => Owners(b => b.TreeWidth);

    /// <summary>For each linear column the block it belongs to.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> LinearOwners => Owners(b => b.LinearWidth);

    /// <summary>Learns the encoding from rows with known labels.</summary>
    /// <param name="table">All columns.</param>
    /// <param name="rows">The training rows.</param>
    /// <param name="labels">The label of each row of the table.</param>
    public static Encoder Fit(DataTable table, int[] rows, bool[] labels) =>
        new([.. table.Columns.Select(column => Block.Fit(column, rows, labels)).OfType<Block>()]);

    /// <summary>Encodes rows whose labels are unknown or must not be used.</summary>
    public Encoded Encode(DataTable table, int[] rows) => Encode(table, rows, null);

    /// <summary>Encodes the rows the encoder was fitted on.</summary>
    public Encoded EncodeTraining(DataTable table, int[] rows, TrainingLabels training) => Encode(table, rows, training);

    private Encoded Encode(DataTable table, int[] rows, TrainingLabels? training)
    {
        var columns = table.Columns.ToDictionary(c => c.Name, StringComparer.Ordinal);
        var writers = Blocks.Select(block => block.Bind(columns[block.Column], rows, training)).ToArray();
        var treeOffsets = Offsets(b => b.TreeWidth).Select(b => b.Offset).ToArray();
        var linearOffsets = Offsets(b => b.LinearWidth).Select(b => b.Offset).ToArray();
        var width = TreeWidth;
        var tree = new float[(long)rows.Length * width];
        var linear = new SparseRows(LinearWidth);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = tree.AsSpan(i * width, width);
            for (var b = 0; b < writers.Length; b++)
            {
                writers[b].Write(rows[i], i, row.Slice(treeOffsets[b], Blocks[b].TreeWidth), linear, linearOffsets[b]);
            }

            linear.EndRow();
        }

        return new Encoded(tree, linear, rows.Length);
    }

    private List<(Block Block, int Offset)> Offsets(Func<Block, int> width)
    {
        var offsets = new List<(Block, int)>(Blocks.Count);
        var offset = 0;
        foreach (var block in Blocks)
        {
            offsets.Add((block, offset));
            offset += width(block);
        }

        return offsets;
    }

    private int[] Owners(Func<Block, int> width) =>
        [.. Blocks.SelectMany((block, index) => Enumerable.Repeat(index, width(block)))];
}
