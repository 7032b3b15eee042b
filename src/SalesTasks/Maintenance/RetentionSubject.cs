namespace SalesTasks.Maintenance;

/// <summary>
/// Something that may be kept for a time only. All of it is history or a copy of what stays elsewhere: leads, deals, tasks, campaign events and
/// daily metrics are not here, because reports and predictions rest on them.
/// </summary>
/// <param name="Name">As <c>privacy retention set</c> takes it.</param>
/// <param name="English">What goes, in words.</param>
/// <param name="Spanish">The same in Spanish.</param>
/// <param name="Count">Statement that counts what is older than <c>@before_at</c>.</param>
/// <param name="Remove">Statement that removes at most <c>@limit</c> of it and tells how many; null: it is counted only, or has a way of its own.</param>
internal sealed record RetentionSubject(string Name, string English, string Spanish, string Count, string? Remove)
{
    /// <summary>Dropped by whole months and not row by row.</summary>
    public static readonly RetentionSubject ScoreHistory = new(
        "score_history", "Score history, by whole months", "Historial de puntuaciones, por meses enteros", "maintenance/old_partitions", null);

    /// <summary>Only told: who is erased is a person's decision.</summary>
    public static readonly RetentionSubject InactiveLeads = new(
        "inactive_leads", "Leads without a deal and without a sign of life (counted only)", "Leads sin oportunidad ni señales de vida (solo se cuentan)",
        "retention/inactive_leads_count", null);

    /// <summary>Text and address only; the rows stay.</summary>
    public static readonly RetentionSubject MessageTexts = new(
        "message_texts", "Text and address of messages that were sent or cancelled", "Texto y dirección de mensajes enviados o cancelados",
        "maintenance/count_payloads", null);

    public static readonly RetentionSubject TaskRuns = new(
        "task_runs", "Tries of jobs; the last of each command stays", "Ejecuciones de tareas; queda la última de cada comando",
        "maintenance/count_task_runs", "maintenance/delete_task_runs");

    public static readonly IReadOnlyList<RetentionSubject> All =
    [
        ScoreHistory,
        new("engagement_events", "Engagement events; scores forget them too", "Eventos de interacción; las puntuaciones también los olvidan",
            "retention/engagement_events_count", "retention/engagement_events"),
        MessageTexts,
        TaskRuns,
        new("routing_decisions", "Runs of routing with their decisions", "Asignaciones con sus decisiones", "retention/routing_decisions_count", "retention/routing_decisions"),
        new("prediction_history", "Past predictions", "Predicciones pasadas", "retention/prediction_history_count", "retention/prediction_history"),
        new("models", "Models that were refused or retired", "Modelos rechazados o retirados", "retention/models_count", "retention/models"),
        new("report_versions", "Replaced versions of reports", "Versiones sustituidas de informes", "retention/report_versions_count", "retention/report_versions"),
        new("report_files", "Files that no report and no message has any more", "Archivos que ya no usa ningún informe ni mensaje",
            "retention/report_files_count", "retention/report_files"),
        new("alerts", "Alerts whose situation is over", "Alertas cuya situación terminó", "retention/alerts_count", "retention/alerts"),
        InactiveLeads,
    ];
}
