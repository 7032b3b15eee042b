using System.Globalization;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Delivery;

namespace SalesTasks.Scoring;

/// <summary>
/// <c>scoring summarize</c>: score changes of the last 24 hours and the distribution of all leads. Told to Slack where a connection is configured
/// and a score changed since the last time.
/// </summary>
internal static class SummarizeScores
{
    private static readonly (string Name, string Label)[] s_figures =
    [
        ("changes", "Score changes"), ("leads_changed", "Leads changed"), ("up", "Up"), ("down", "Down"), ("first_scored", "Scored for the first time"),
        ("high", "High priority"), ("medium", "Medium priority"), ("low", "Low priority"), ("none", "Without priority"),
    ];

    public static Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken) => context.Database.InTransactionAsync(
        async (connection, _, token) =>
        {
            var message = new SummaryMessage("scoring-summary", context.Run.IdempotencyKey);
            var rows = await connection.QueryStatementAsync(
                "scoring/summarize",
                [("as_of", context.AsOf), ("since_at", await message.SinceAsync(connection, context.AsOf, token))],
                row => (
                    Counts: s_figures.Select((figure, i) => KeyValuePair.Create(figure.Name, row.GetInt64(i))).ToDictionary(StringComparer.Ordinal),
                    Average: row.IsDBNull(s_figures.Length) ? (decimal?)null : row.GetDecimal(s_figures.Length),
                    News: row.GetInt64(s_figures.Length + 1)),
                token);
            var (counts, average, news) = rows[0];
            counts["messages"] = 0;
            if (news > 0 && context.ConnectionIds.Slack is not null)
            {
                counts["messages"] = context.DryRun
                    ? 1
                    : await message.WriteAsync(connection, "Lead scoring, last 24 hours", Figures(counts, average), context.AsOf, token);
            }

            return new JobResult(counts)
            {
                Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["average_score"] = average },
            };
        },
        cancellationToken);

    private static List<(string Name, string Value)> Figures(Dictionary<string, long> counts, decimal? average) =>
    [
        .. s_figures.Select(figure => (figure.Label, counts[figure.Name].ToString("N0", CultureInfo.InvariantCulture))),
        ("Average score", average?.ToString("0.0", CultureInfo.InvariantCulture) ?? "–"),
    ];
}
