using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Maintenance;

/// <summary>The step of the DAG <c>sales_maintenance</c> and its parameters. By default nothing that was stored is ever removed.</summary>
internal static class MaintenanceJobs
{
    private const string Section = "Maintenance";

    public static readonly IntParameter ScoreHistoryMonths = new(
        "score_history_months", "Months of score history", "Keep this many months of score history before the current one and drop what is older. 0: keep all.",
        0, 0, 1_200)
    { Section = Section };

    public static readonly IntParameter TaskRunsDays = new(
        "task_runs_days", "Days of task runs", "Delete tries of jobs that ended longer ago; the last one of each command stays. 0: keep all.", 0, 0, 36_500)
    { Section = Section };

    public static readonly IntParameter OutboxPayloadDays = new(
        "outbox_payload_days", "Days of message texts",
        "Clear text and address of messages that were sent or cancelled longer ago; the rows stay. 0: keep all.", 0, 0, 36_500)
    { Section = Section };

    public static readonly IntParameter LockTimeoutSeconds = new(
        "lock_timeout_seconds", "Seconds to wait for a lock",
        "Jobs queue behind a waiting step, so it gives up after this time, tries twice more, and is left for the next run.", 2, 1, 60)
    { Section = Section };

    public static JobDefinition Maintain { get; } = new(
        "db maintain",
        "Partitions ahead, statistics, daily metrics, encryption where it is on, and retention where it is set",
        CommonParameters.With(sharded: false, ScoreHistoryMonths, TaskRunsDays, OutboxPayloadDays, LockTimeoutSeconds),
        (context, stop) => new MaintainDatabase(context).RunAsync(stop));
}
