namespace SalesTasks.Predictions.Learning;

/// <summary>Rows to fit on and rows to judge on.</summary>
internal sealed record Split(int[] Train, int[] Test)
{
    /// <summary>
    /// Stratified folds: the fold of a row is a running counter within its class modulo the number of folds, in the order given.
    /// </summary>
    public static IReadOnlyList<Split> Folds(int[] rows, bool[] labels, int folds)
    {
        Span<int> counters = stackalloc int[2];
        counters.Clear();
        var fold = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            fold[i] = counters[labels[rows[i]] ? 1 : 0]++ % folds;
        }

        return [.. Enumerable.Range(0, folds).Select(f => new Split(
            [.. rows.Where((_, i) => fold[i] != f)], [.. rows.Where((_, i) => fold[i] == f)]))];
    }

    /// <summary>Folds of whole groups, in turn by the order in which groups appear: rows of one deal never judge a model that saw the others.</summary>
    /// <param name="rows">The rows to split.</param>
    /// <param name="groups">The group of each row of the table.</param>
    /// <param name="folds">How many.</param>
    public static IReadOnlyList<Split> GroupFolds(int[] rows, int[] groups, int folds)
    {
        var fold = new Dictionary<int, int>();
        foreach (var row in rows)
        {
            fold.TryAdd(groups[row], fold.Count % folds);
        }

        return [.. Enumerable.Range(0, folds).Select(f => new Split(
            [.. rows.Where(row => fold[groups[row]] != f)], [.. rows.Where(row => fold[groups[row]] == f)]))];
    }

    /// <summary>The first part of the rows to fit on, the newest to judge on.</summary>
    /// <param name="ordered">Rows, oldest first.</param>
    /// <param name="newest">The newest rows' share.</param>
    public static Split Newest(int[] ordered, double newest)
    {
        var train = (int)((1 - newest) * ordered.Length + 1e-9);
        return new Split(ordered[..train], ordered[train..]);
    }
}
