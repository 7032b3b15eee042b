namespace SalesTasks.Impact;

/// <summary>
/// Means and covariances of several numbers that come row by row, in memory that does not grow with the rows (Welford 1962,
/// doi:10.1080/00401706.1962.10490022).
/// </summary>
internal sealed class Moments(int size)
{
    private readonly double[] _means = new double[size];
    private readonly double[,] _products = new double[size, size];
    private readonly double[] _deltas = new double[size];

    public long Count { get; private set; }

    public void Add(ReadOnlySpan<double> row)
    {
        Count++;
        for (var i = 0; i < size; i++)
        {
            _deltas[i] = row[i] - _means[i];
            _means[i] += _deltas[i] / Count;
            for (var j = 0; j <= i; j++)
            {
                // The distance from the old mean times that from the new one.
                _products[i, j] += _deltas[i] * (row[j] - _means[j]);
            }
        }
    }

    public double Mean(int column) => Count > 0 ? _means[column] : 0;

    public double Sum(int column) => _means[column] * Count;

    /// <summary>Of the sample, over Count − 1; 0 where there are fewer than two rows.</summary>
    public double Covariance(int first, int second) =>
        Count > 1 ? _products[Math.Max(first, second), Math.Min(first, second)] / (Count - 1) : 0;
}
