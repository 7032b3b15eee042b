namespace SalesTasks.Scoring;

/// <summary>
/// Scoring works in blocks of 2¹⁵ consecutive lead ids: the unit of locking and of sharding. Contiguous, because two shards that
/// interleave row by row would each read every page.
/// </summary>
internal static class ScoringBlocks
{
    public const int Size = 1 << 15;

    public static long First(int block) => (long)block * Size;

    public static long Last(int block) => First(block) + Size - 1;
}

/// <summary>What one or more chunks of scoring did, in leads.</summary>
internal readonly record struct ScoreCounts(long Evaluated, long Changed, long Up, long Down, long FirstScored)
{
    public static ScoreCounts operator +(ScoreCounts a, ScoreCounts b) => new(
        a.Evaluated + b.Evaluated, a.Changed + b.Changed, a.Up + b.Up, a.Down + b.Down, a.FirstScored + b.FirstScored);

    public static ScoreCounts Add(ScoreCounts left, ScoreCounts right) => left + right;
}
