using System.Globalization;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Delivery;

namespace SalesTasks.FollowUp;

/// <summary>
/// <c>followup summarize</c>: tasks, messages, replies and stage moves of the last 24 hours. Told to Slack where a connection is configured and
/// something happened since the last time.
/// </summary>
internal static class SummarizeFollowUp
{
    private static readonly (string Name, string Label)[] s_figures =
    [
        ("tasks_created", "Tasks created"), ("tasks_completed", "Tasks completed"), ("tasks_open", "Tasks open"), ("tasks_overdue", "Tasks overdue"),
        ("messages_sent", "Messages sent"), ("messages_waiting", "Messages waiting"), ("messages_in_doubt", "Messages in doubt"),
        ("messages_dead", "Messages refused"), ("replies", "Replies"), ("stage_moves", "Deals moved on"), ("won", "Deals won"), ("lost", "Deals lost"),
    ];

    public static Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken) => context.Database.InTransactionAsync(
        async (connection, _, token) =>
        {
            var message = new SummaryMessage("followup-summary", context.Run.IdempotencyKey);
            var rows = await connection.QueryStatementAsync(
                "followup/summarize",
                [("as_of", context.AsOf), ("since_at", await message.SinceAsync(connection, context.AsOf, token))],
                row => (
                    Counts: s_figures.Select((figure, i) => KeyValuePair.Create(figure.Name, row.GetInt64(i))).ToDictionary(StringComparer.Ordinal),
                    News: row.GetInt64(s_figures.Length),
                    ByType: row.GetFieldValue<string[]>(s_figures.Length + 1)),
                token);
            var (counts, news, byType) = rows[0];
            counts["messages"] = 0;
            if (news > 0 && context.ConnectionIds.Slack is not null)
            {
                counts["messages"] = context.DryRun
                    ? 1
                    : await message.WriteAsync(connection, "Follow-up, last 24 hours", Figures(counts, byType), context.AsOf, token);
            }

            return new JobResult(counts)
            {
                Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["tasks_by_type"] = string.Join("; ", byType) },
            };
        },
        cancellationToken);

    private static List<(string Name, string Value)> Figures(Dictionary<string, long> counts, string[] byType) =>
    [
        .. s_figures.Select(figure => (figure.Label, counts[figure.Name].ToString("N0", CultureInfo.InvariantCulture))),
        .. byType.Select(line => line.Split(": ")).Select(parts => ($"Tasks: {parts[0]}", parts[1])),
    ];
}
