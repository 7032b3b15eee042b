using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.FollowUp;

/// <summary>The follow-up steps of the DAG <c>sales_followup_automation</c> and their parameters.</summary>
internal static class FollowUpJobs
{
    private const string Section = "Follow-up";

    public static readonly BoolParameter EnableAutoTasks = new(
        "enable_auto_tasks", "Create tasks", "Create the tasks that leads need by their stage; false: create-tasks does nothing.", true)
    { Section = Section };

    public static readonly IntParameter DefaultFollowupDays = new(
        "default_followup_days", "Days without contact", "A lead without an open task needs follow-up after this many days without contact.", 3, 0, 365)
    { Section = Section };

    public static JobDefinition CreateTasks { get; } = new(
        "followup create-tasks",
        "Create the tasks that open deals need by their stage, one open task a deal and stage",
        CommonParameters.With(sharded: true, EnableAutoTasks, DefaultFollowupDays),
        FollowUp.CreateTasks.RunAsync);

    public static JobDefinition Advance { get; } = new(
        "pipeline advance",
        "Move deals on by what happened: completed tasks, campaign messages, replies",
        CommonParameters.With(sharded: true),
        AdvancePipeline.RunAsync);

    public static JobDefinition Summarize { get; } = new(
        "followup summarize",
        "Report tasks, messages, replies and stage moves of the last 24 hours, to Slack too where it is configured",
        CommonParameters.With(sharded: false, CommonParameters.Language),
        SummarizeFollowUp.RunAsync);
}
