namespace SalesTasks.Predictions.Predicting;

/// <summary>An estimate with the interval that holds four of five outcomes.</summary>
/// <param name="Low">One of ten is below.</param>
/// <param name="Middle">Half are below.</param>
/// <param name="High">One of ten is above.</param>
internal readonly record struct Estimate(double Low, double Middle, double High);

/// <summary>Days from now until a deal ends; null where the curve does not get there within the model's horizon.</summary>
/// <param name="P10">One of ten such deals has ended by then.</param>
/// <param name="P50">Half of them.</param>
/// <param name="P90">Nine of ten.</param>
internal readonly record struct DaysToClose(double? P10, double? P50, double? P90);

/// <summary>What is expected of one open deal.</summary>
/// <param name="LogOdds">Of winning; the base and all contributions add up to it.</param>
/// <param name="Error">Its standard error on the log-odds scale.</param>
/// <param name="Contributions">What each of <see cref="IWinModel.Columns"/> adds to the log-odds, then the base.</param>
/// <param name="Value">What the deal brings if won; null where no model tells. The deal's own estimated_value comes before it.</param>
/// <param name="Days">Days until it ends.</param>
/// <param name="Risk">Probability of losing it or of its going silent.</param>
internal sealed record Outlook(double LogOdds, double Error, double[] Contributions, Estimate? Value, DaysToClose Days, double Risk)
{
    /// <summary>Standard deviations on either side of the middle between which a normal distribution holds 80 %.</summary>
    private const double EightyPercent = 1.2816;

    public double Probability => Learning.Logits.ToProbability(LogOdds);

    /// <summary>The probability with its 80 % interval.</summary>
    public Estimate Win => new(
        Learning.Logits.ToProbability(LogOdds - (EightyPercent * Error)), Probability, Learning.Logits.ToProbability(LogOdds + (EightyPercent * Error)));
}
