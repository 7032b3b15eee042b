namespace SalesTasks.Predictions.Learning;

/// <summary>Log-odds and probabilities.</summary>
internal static class Logits
{
    public static double ToProbability(double logit) => 1 / (1 + Math.Exp(-logit));

    public static double Of(double probability) => Math.Log(probability / (1 - probability));

    /// <summary>Negative log-likelihood of an outcome, exact where the probability is next to 0 or 1.</summary>
    public static double Loss(double logit, bool label)
    {
        var signed = label ? -logit : logit;
        return signed > 0 ? signed + Math.Log(1 + Math.Exp(-signed)) : Math.Log(1 + Math.Exp(signed));
    }
}
