namespace SalesTasks.Predictions.Learning;

/// <summary>Rows of a sparse matrix, one after another: the columns that are not zero with their values.</summary>
internal sealed class SparseRows(int columns)
{
    private int[] _starts = new int[1024];
    private int[] _columns = new int[8192];
    private float[] _values = new float[8192];

    public int Columns { get; } = columns;

    public int Count { get; private set; }

    public ReadOnlySpan<int> ColumnsOf(int row) => _columns.AsSpan(_starts[row], _starts[row + 1] - _starts[row]);

    public ReadOnlySpan<float> ValuesOf(int row) => _values.AsSpan(_starts[row], _starts[row + 1] - _starts[row]);

    /// <summary>Adds a value to the row that is being written.</summary>
    public void Add(int column, float value)
    {
        var end = _starts[Count + 1];
        if (end == _columns.Length)
        {
            Array.Resize(ref _columns, end * 2);
            Array.Resize(ref _values, end * 2);
        }

        _columns[end] = column;
        _values[end] = value;
        _starts[Count + 1] = end + 1;
    }

    /// <summary>Ends the row that is being written.</summary>
    public void EndRow()
    {
        Count++;
        if (Count + 1 == _starts.Length)
        {
            Array.Resize(ref _starts, _starts.Length * 2);
        }

        _starts[Count + 1] = _starts[Count];
    }
}
