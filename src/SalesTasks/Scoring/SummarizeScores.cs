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
    private static readonly (string Name, string English, string Spanish)[] s_figures =
    [
        ("changes", "Score changes", "Cambios de puntuación"), ("leads_changed", "Leads changed", "Leads con cambios"), ("up", "Up", "Suben"),
        ("down", "Down", "Bajan"), ("first_scored", "Scored for the first time", "Puntuados por primera vez"), ("high", "High priority", "Prioridad alta"),
        ("medium", "Medium priority", "Prioridad media"), ("low", "Low priority", "Prioridad baja"), ("none", "Without priority", "Sin prioridad"),
    ];

    public static Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken) => context.Database.InTransactionAsync(
        async (connection, _, token) =>
        {
            var message = new SummaryMessage("scoring-summary", context.Run.IdempotencyKey, context.Parameters.Get(CommonParameters.Language));
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
                    : await message.WriteAsync(
                        connection, message.Text("Lead scoring, last 24 hours", "Puntuación de leads, últimas 24 horas"), Figures(message, counts, average), context.AsOf,
                        token);
            }

            return new JobResult(counts)
            {
                Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["average_score"] = average },
            };
        },
        cancellationToken);

    private static List<(string Name, string Value)> Figures(SummaryMessage message, Dictionary<string, long> counts, decimal? average) =>
    [
        .. s_figures.Select(figure => (message.Text(figure.English, figure.Spanish), message.Number(counts[figure.Name]))),
        (message.Text("Average score", "Puntuación media"), average is { } known ? message.Number(known, 1) : "–"),
    ];
}
