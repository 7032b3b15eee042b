using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Scoring;

/// <summary><c>scoring summarize</c>: score changes of the last 24 hours and the distribution of all leads.</summary>
internal static class SummarizeScores
{
    private static readonly string[] s_counts =
        ["changes", "leads_changed", "up", "down", "first_scored", "high", "medium", "low", "none"];

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        var rows = await connection.QueryStatementAsync(
            "scoring/summarize",
            [("as_of", context.AsOf)],
            row => (
                Counts: s_counts.Select((name, i) => KeyValuePair.Create(name, row.GetInt64(i))).ToList(),
                Average: row.IsDBNull(s_counts.Length) ? (decimal?)null : row.GetDecimal(s_counts.Length)),
            cancellationToken);
        return new JobResult(new Dictionary<string, long>(rows[0].Counts, StringComparer.Ordinal))
        {
            Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["average_score"] = rows[0].Average },
        };
    }
}
