using System.Text.Json.Serialization;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>Shares of an outcome by stage, each pulled to the overall one the more the fewer deals it has.</summary>
internal sealed record StageRates(double Overall, IReadOnlyDictionary<string, double> Stages)
{
    /// <summary>Deals at the overall rate that a stage is taken to have had before.</summary>
    private const double Pull = 20;

    public static StageRates Fit(DealSnapshots snapshots, int[] rows, bool[] labels)
    {
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        var overall = (rows.Count(row => labels[row]) + 1.0) / (rows.Length + 2);
        return new StageRates(overall, rows.GroupBy(row => stages[row]!, StringComparer.Ordinal).ToDictionary(
            g => g.Key,
            g =>
            {
                var deals = g.Select(row => snapshots.Groups[row]).Distinct().Count();
                return ((deals * (g.Count(row => labels[row]) / (double)g.Count())) + (Pull * overall)) / (deals + Pull);
            },
            StringComparer.Ordinal));
    }

    public double[] Of(DealSnapshots snapshots, int[] rows)
    {
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        return [.. rows.Select(row => Stages.GetValueOrDefault(stages[row]!, Overall))];
    }
}

/// <summary>
/// Probability that within <see cref="HorizonDays"/> a deal is lost, or that nothing happens to it for all of them: it stays in its stage without
/// a person's engagement and without a completed contact.
/// </summary>
/// <param name="Algorithm">Which candidate answers.</param>
/// <param name="HorizonDays">Days.</param>
/// <param name="Rates">By stage.</param>
/// <param name="Blend">Null where the stage's rate answers.</param>
internal sealed record RiskModel(string Algorithm, int HorizonDays, StageRates Rates, BlendModel? Blend) : IKeptModel
{
    public const int Format = 1;
    public const string ByStage = "stage rates";

    [JsonIgnore]
    public string? Unusable => Blend?.Unusable;

    /// <summary>The risk of each row's deal.</summary>
    public double[] Predict(DealSnapshots snapshots, int[] rows)
    {
        if (Blend is null)
        {
            return Rates.Of(snapshots, rows);
        }

        using var predictor = Blend.Open();
        return [.. predictor.Logits(snapshots.Table, rows).Select(Logits.ToProbability)];
    }
}
