using System.Globalization;

namespace SalesTasks.Airflow;

/// <summary>
/// One of <see cref="Count"/> equal parts of a job's work, numbered from 0, as <c>--shard i/n</c> says (Airflow's map index is i).
/// The same lead is always in the same shard of n, whatever else is stored.
/// </summary>
internal readonly record struct Shard(int Index, int Count)
{
    /// <summary>More shards than this would each do next to nothing.</summary>
    public const int MaxCount = 1024;

    /// <summary>All of the work.</summary>
    public static readonly Shard Whole = new(0, 1);

    public bool IsWhole => Count == 1;

    /// <summary>Reads <c>i/n</c> with 0 ≤ i &lt; n ≤ 1024.</summary>
    public static bool TryParse(string text, out Shard shard)
    {
        shard = Whole;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0
            || !int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || count < 1
            || count > MaxCount
            || index >= count)
        {
            return false;
        }

        shard = new Shard(index, count);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");
}
