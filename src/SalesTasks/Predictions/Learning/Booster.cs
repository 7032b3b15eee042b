using System.Text;
using static SalesTasks.Predictions.Learning.LightGbmNative;

namespace SalesTasks.Predictions.Learning;

/// <summary>How trees are grown. Names and meanings are LightGBM's.</summary>
internal sealed record BoosterSettings
{
    public required int Leaves { get; init; }

    public required int MinimumRowsInLeaf { get; init; }

    public required double ColumnShare { get; init; }

    /// <summary>How strongly a leaf's value is pulled to that of the node above.</summary>
    public double PathSmoothing { get; init; }

    /// <summary>Log-odds of a label; regression_l1 for the median of an amount.</summary>
    public string Objective { get; init; } = "binary";

    public double RowShare { get; init; } = 0.8;

    public double LearningRate { get; init; } = 0.1;

    public int Seed { get; init; }

    public int Threads { get; init; } = 1;

    /// <summary>
    /// Few large leaves and many small ones: the first hold where the future differs from the past, the second where it does not. Their mean
    /// is better than either.
    /// </summary>
    public static IReadOnlyList<BoosterSettings> Kinds(int seed, int threads) =>
    [
        new() { Leaves = 15, MinimumRowsInLeaf = 50, ColumnShare = 0.35, Seed = seed, Threads = threads },
        new() { Leaves = 31, MinimumRowsInLeaf = 10, ColumnShare = 0.35, PathSmoothing = 5, Seed = seed + 1, Threads = threads },
    ];

    /// <param name="categorical">Columns that hold codes.</param>
    /// <param name="rows">Rows to fit on: of few rows, a leaf must not need too many.</param>
    public string Parameters(IReadOnlyList<int> categorical, int rows) => string.Join(' ',
        $"objective={Objective}", Objective == "binary" ? "metric=binary_logloss" : "metric=l1", "verbosity=-1", "deterministic=true", "force_row_wise=true", "boost_from_average=true",
        $"num_leaves={Leaves}", $"min_data_in_leaf={Math.Min(MinimumRowsInLeaf, Math.Max(rows / 40, 5))}", $"learning_rate={LearningRate:R}",
        $"bagging_fraction={RowShare:R}", "bagging_freq=1", $"feature_fraction={ColumnShare:R}", "lambda_l2=1", $"path_smooth={PathSmoothing:R}",
        "cat_smooth=5 cat_l2=2 min_data_per_group=5 max_cat_to_onehot=4", "feature_pre_filter=false",
        $"seed={Seed}", $"num_threads={Threads}",
        categorical.Count == 0 ? "" : "categorical_feature=" + string.Join(',', categorical));
}

/// <summary>Rows as LightGBM keeps them, binned.</summary>
internal sealed class BoosterRows : IDisposable
{
    private const int Float32 = 0;

    public BoosterRows(Encoded rows, bool[] labels, string parameters, BoosterRows? reference = null)
        : this(rows, [.. labels.Select(l => l ? 1f : 0f)], parameters, reference)
    {
    }

    public BoosterRows(Encoded rows, float[] labels, string parameters, BoosterRows? reference = null)
    {
        Check(LGBM_DatasetCreateFromMat(
            rows.Tree, Float32, rows.Rows, rows.Tree.Length / rows.Rows, 1, parameters, reference?.Handle ?? 0, out var handle));
        Handle = handle;
        Check(LGBM_DatasetSetField(handle, "label", labels, labels.Length, Float32));
    }

    public nint Handle { get; }

    public void Dispose() => _ = LGBM_DatasetFree(Handle);
}

/// <summary>Gradient-boosted trees (LightGBM, Ke et al. 2017). Not safe for two threads at once.</summary>
internal sealed class Booster : IDisposable
{
    private const int Float32 = 0;
    private const int Raw = 1;
    private const int Contributions = 3;
    private const string PredictParameters = "num_threads=1 verbosity=-1";

    private nint _handle;

    private Booster(nint handle) => _handle = handle;

    public Booster(BoosterRows rows, string parameters) => Check(LGBM_BoosterCreate(rows.Handle, parameters, out _handle));

    /// <exception cref="LightGbmException">The text is no model.</exception>
    public static Booster Load(string model)
    {
        Check(LGBM_BoosterLoadModelFromString(model, out _, out var handle));
        return new Booster(handle);
    }

    public void Watch(BoosterRows rows) => Check(LGBM_BoosterAddValidData(_handle, rows.Handle));

    /// <summary>Adds a tree; false where no split is left that gains anything.</summary>
    public bool Grow()
    {
        Check(LGBM_BoosterUpdateOneIter(_handle, out var finished));
        return finished == 0;
    }

    /// <summary>Loss of the rows under <see cref="Watch"/>.</summary>
    public double WatchedLoss()
    {
        Span<double> result = stackalloc double[1];
        Check(LGBM_BoosterGetEval(_handle, 1, out _, result));
        return result[0];
    }

    /// <summary>The model's log-odds (or amounts) for each row by its first trees.</summary>
    public double[] Logits(Encoded rows, int trees)
    {
        var results = new double[rows.Rows];
        if (rows.Rows > 0)
        {
            Check(LGBM_BoosterPredictForMat(
                _handle, rows.Tree, Float32, rows.Rows, rows.Tree.Length / rows.Rows, 1, Raw, 0, trees, PredictParameters, out _, results));
        }

        return results;
    }

    /// <summary>
    /// Exact Shapley values on the log-odds scale (TreeSHAP, Lundberg 2018) by LightGBM itself: for each row one value a column, then the base; they add
    /// up to the log-odds. What <see cref="TreeExplainer"/>, which predictions use, is measured by.
    /// </summary>
    public double[] Explain(Encoded rows, int trees)
    {
        var columns = rows.Tree.Length / rows.Rows;
        var results = new double[rows.Rows * (columns + 1)];
        Check(LGBM_BoosterPredictForMat(
            _handle, rows.Tree, Float32, rows.Rows, columns, 1, Contributions, 0, trees, PredictParameters, out _, results));
        return results;
    }

    /// <summary>The model as text, its first trees only.</summary>
    public string Save(int trees)
    {
        Check(LGBM_BoosterSaveModelToString(_handle, 0, trees, 0, 0, out var length, []));
        var text = new byte[length];
        Check(LGBM_BoosterSaveModelToString(_handle, 0, trees, 0, length, out _, text));
        return Encoding.UTF8.GetString(text.AsSpan().TrimEnd((byte)0));
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = LGBM_BoosterFree(_handle);
            _handle = 0;
        }
    }
}
