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
    private static readonly (string Name, string English, string Spanish)[] s_figures =
    [
        ("tasks_created", "Tasks created", "Tareas creadas"), ("tasks_completed", "Tasks completed", "Tareas completadas"),
        ("tasks_open", "Tasks open", "Tareas abiertas"), ("tasks_overdue", "Tasks overdue", "Tareas vencidas"),
        ("messages_sent", "Messages sent", "Mensajes enviados"), ("messages_waiting", "Messages waiting", "Mensajes en espera"),
        ("messages_in_doubt", "Messages in doubt", "Mensajes en duda"), ("messages_dead", "Messages refused", "Mensajes rechazados"),
        ("replies", "Replies", "Respuestas"), ("stage_moves", "Deals moved on", "Oportunidades que avanzan"), ("won", "Deals won", "Oportunidades ganadas"),
        ("lost", "Deals lost", "Oportunidades perdidas"),
    ];

    public static Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken) => context.Database.InTransactionAsync(
        async (connection, _, token) =>
        {
            var message = new SummaryMessage("followup-summary", context.Run.IdempotencyKey, context.Parameters.Get(CommonParameters.Language));
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
                    : await message.WriteAsync(
                        connection, message.Text("Follow-up, last 24 hours", "Seguimiento, últimas 24 horas"), Figures(message, counts, byType), context.AsOf, token);
            }

            return new JobResult(counts)
            {
                Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["tasks_by_type"] = string.Join("; ", byType) },
            };
        },
        cancellationToken);

    private static List<(string Name, string Value)> Figures(SummaryMessage message, Dictionary<string, long> counts, string[] byType) =>
    [
        .. s_figures.Select(figure => (message.Text(figure.English, figure.Spanish), message.Number(counts[figure.Name]))),
        .. byType.Select(line => line.Split(": ")).Select(parts => (
            message.Text($"Tasks: {parts[0]}", $"Tareas: {InSpanish(parts[0])}"),
            message.Text(parts[1], parts[1].Replace("created", "creadas").Replace("completed", "completadas").Replace("open", "abiertas").Replace("overdue", "vencidas")))),
    ];

    private static string InSpanish(string taskType) => taskType switch
    {
        "email" => "correo",
        "call" => "llamada",
        "meeting" => "reunión",
        "proposal" => "propuesta",
        "custom" => "otras",
        _ => taskType,
    };
}
