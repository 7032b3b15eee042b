using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Predictions.Training;

/// <summary>The steps of the DAG <c>sales_ml_training</c> and their parameters.</summary>
internal static class PredictionJobs
{
    private const string Section = "Model";

    public static readonly IntParameter MinOutcomes = new(
        "min_outcomes", "Minimum outcomes", "Train only where at least this many deals were won and as many lost.", 50, 20, 1_000_000)
    { Section = Section };

    public static readonly IntParameter Seed = new(
        "seed", "Seed", "The same data and seed give the same model.", 1, 0, int.MaxValue)
    { Section = Section };

    public static JobDefinition Train { get; } = new(
        "ml train",
        "Learn win probability, deal value, time to close and risk from the team's own deals; publish what beats what predicts now",
        CommonParameters.With(sharded: false, MinOutcomes, Seed),
        TrainModel.RunAsync);
}
