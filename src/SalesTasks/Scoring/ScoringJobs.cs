using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Scoring;

/// <summary>The steps of the DAG <c>lead_scoring_automation</c> and their parameters.</summary>
internal static class ScoringJobs
{
    private const string Section = "Lead scoring";

    public static readonly IntParameter MinScoreToQualify = new(
        "min_score_to_qualify", "Minimum score to qualify", "Leads with at least this score enter the pipeline.", 50, 0, 100)
    { Section = Section };

    public static readonly BoolParameter EnableMlScoring = new(
        "enable_ml_scoring", "Blend in the model", "Score = 0.7 rules + 0.3 model, for leads the published model has scored.", false)
    { Section = Section };

    public static readonly BoolParameter IncludeEngagementData = new(
        "include_engagement_data", "Count engagement", "Count replies, clicks, opens, visits, demo and pricing events (bots never count).", true)
    { Section = Section };

    public static readonly BoolParameter UpdatePriorityAuto = new(
        "update_priority_auto", "Set priority", "Set a lead's priority from its score.", true)
    { Section = Section };

    public static readonly BoolParameter AutoQualifyForSales = new(
        "auto_qualify_for_sales", "Qualify automatically", "Take leads with enough points into the pipeline; false: qualify does nothing.", true)
    { Section = Section };

    public static readonly BoolParameter Everything = new(
        "everything", "Score everything", "Score all leads again instead of only those whose inputs changed or that crossed an age boundary.", false)
    { Section = Section };

    public static JobDefinition Score { get; } = new(
        "scoring score",
        "Score the leads whose inputs changed or that crossed an age boundary, and keep the history",
        CommonParameters.With(sharded: true, EnableMlScoring, IncludeEngagementData, UpdatePriorityAuto, Everything),
        ScoreLeads.RunAsync);

    public static JobDefinition Qualify { get; } = new(
        "scoring qualify",
        "Take leads with enough points into the pipeline, once; pipeline rows follow their lead's score",
        CommonParameters.With(sharded: true, MinScoreToQualify, AutoQualifyForSales),
        QualifyLeads.RunAsync);

    public static JobDefinition Summarize { get; } = new(
        "scoring summarize",
        "Report the score changes of the last 24 hours and how all leads stand",
        CommonParameters.With(sharded: false, CommonParameters.Language),
        SummarizeScores.RunAsync);
}
