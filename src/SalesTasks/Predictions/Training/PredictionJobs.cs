using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Predictions.Predicting;

namespace SalesTasks.Predictions.Training;

/// <summary>The steps of the DAGs <c>sales_ml_training</c> and <c>sales_ml_predictions</c> and their parameters.</summary>
internal static class PredictionJobs
{
    private const string Section = "Model";
    private const string Prediction = "Prediction";

    public static readonly IntParameter MinOutcomes = new(
        "min_outcomes", "Minimum outcomes", "Train only where at least this many deals were won and as many lost.", 50, 20, 1_000_000)
    { Section = Section };

    public static readonly IntParameter Seed = new(
        "seed", "Seed", "The same data and seed give the same model.", 1, 0, int.MaxValue)
    { Section = Section };

    public static readonly ChoiceParameter MlModelType = new(
        "ml_model_type", "What to predict", "The probability, with it the value or the time to close, or all of them.", "all",
        "probability", "value", "time_to_close", "all")
    { Section = Prediction };

    public static readonly BoolParameter EnableMlPredictions = new(
        "enable_ml_predictions", "Predict", "Predict open deals; false: predict does nothing.", true)
    { Section = Prediction };

    public static readonly BoolParameter UpdateProbabilityAuto = new(
        "update_probability_auto", "Set the probability", "Set a deal's probability_pct to the predicted one.", true)
    { Section = Prediction };

    public static readonly IntParameter MinProbabilityThreshold = new(
        "min_probability_threshold", "Minimum probability", "Percent below which a prediction is stored and probability_pct is left alone.", 20, 0, 100)
    { Section = Prediction };

    public static JobDefinition Predict { get; } = new(
        "ml predict",
        "Predict the open deals whose inputs or model changed: probability, expected value, time to close, risk, recommendations",
        CommonParameters.With(sharded: true, MlModelType, EnableMlPredictions, UpdateProbabilityAuto, MinProbabilityThreshold),
        PredictDeals.RunAsync);

    public static JobDefinition Train { get; } = new(
        "ml train",
        "Learn win probability, deal value, time to close and risk from the team's own deals; publish what beats what predicts now",
        CommonParameters.With(sharded: false, MinOutcomes, Seed),
        TrainModel.RunAsync);
}
