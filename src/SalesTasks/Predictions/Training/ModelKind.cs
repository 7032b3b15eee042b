using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Outcomes;

namespace SalesTasks.Predictions.Training;

/// <summary>What a model predicts. One model of a kind is published.</summary>
/// <typeparam name="T">The form of its models.</typeparam>
/// <param name="Name">As in <c>ml_models.kind</c>.</param>
/// <param name="Format">Changes whenever content written before can no longer be read.</param>
/// <param name="Otherwise">What answers where no model of the kind can be used.</param>
internal sealed record ModelKind<T>(string Name, int Format, string Otherwise)
    where T : class, IKeptModel;

/// <summary>All kinds.</summary>
internal static class ModelKinds
{
    public static readonly ModelKind<BlendModel> WinProbability = new("win_probability", BlendModel.Format, "the rates by stage and source answer instead");

    public static readonly ModelKind<ValueModel> DealValue = new("deal_value", ValueModel.Format, "a deal's own estimated value answers instead");

    public static readonly ModelKind<TimeModel> TimeToClose = new("time_to_close", TimeModel.Format, "no time to close is given instead");

    public static readonly ModelKind<RiskModel> Risk = new("risk", RiskModel.Format, "1 - win probability answers instead");
}
