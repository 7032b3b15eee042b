using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Timing;

/// <summary>The steps of the DAG <c>sales_timing_optimizer</c> and their parameters.</summary>
internal static class TimingJobs
{
    private const string Section = "Timing";

    public static readonly IntParameter AnalysisDays = new(
        "analysis_days", "Days analysed", "Contact attempts of this many days are analysed.", 90, 7, 730)
    { Section = Section };

    public static readonly IntParameter MinDataPoints = new(
        "min_data_points", "Minimum data points",
        "Leads that an hour of the week and a segment need before anything is said about them; a channel needs twenty times as many.", 10, 1, 100_000)
    { Section = Section };

    public static readonly BoolParameter EnableAutoOptimization = new(
        "enable_auto_optimization", "Use learned hours",
        "Move follow-ups, tasks and campaign messages to the hours that were learned; false: plain windows, and what was moved goes back.", true)
    { Section = Section };

    public static JobDefinition Analyze { get; } = new(
        "timing analyze",
        "Learn the best day, hour and interval to contact whom, and measure what that has gained",
        CommonParameters.With(sharded: false, AnalysisDays, MinDataPoints),
        AnalyzeTiming.RunAsync);

    public static JobDefinition Apply { get; } = new(
        "timing apply",
        "Move follow-ups, tasks and campaign messages to learned hours, or back to plain windows",
        CommonParameters.With(sharded: false, EnableAutoOptimization),
        ApplyTiming.RunAsync);
}
