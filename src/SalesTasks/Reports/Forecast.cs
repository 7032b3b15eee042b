namespace SalesTasks.Reports;

/// <summary>Open deals that are alike.</summary>
/// <param name="Stage">Where they are.</param>
/// <param name="Band">How large they are, in half decades of value.</param>
/// <param name="Probability">Of winning some day, 0 to 1.</param>
/// <param name="Deals">How many.</param>
/// <param name="Value">Sum of their values.</param>
/// <param name="Squares">Sum of their values squared.</param>
internal sealed record OpenDeals(string Stage, int Band, double Probability, long Deals, double Value, double Squares);

/// <summary>Deals of a stage and size at the start of a past period, and those of them won in it; values and values squared are sums.</summary>
internal sealed record StageOutcome(string Stage, int Band, long Deals, double Value, double Squares, long Won, double WonValue, double WonSquares);

/// <summary>A past period.</summary>
/// <param name="Stages">The deals open at its start.</param>
/// <param name="NewWon">Deals won in it that were not open at its start.</param>
/// <param name="NewValue">Their value.</param>
/// <param name="NewSquares">Their values squared.</param>
internal sealed record PastPeriod(IReadOnlyList<StageOutcome> Stages, long NewWon, double NewValue, double NewSquares);

/// <summary>
/// The value that will be won in the next period, with the interval it lies in four times out of five.
/// </summary>
/// <param name="Expected">The mean.</param>
/// <param name="Low">One in ten periods ends below.</param>
/// <param name="High">One in ten periods ends above.</param>
/// <param name="Wins">Deals expected to be won.</param>
internal sealed record Forecast(double Expected, double Low, double High, double Wins)
{
    /// <summary>Wins in the past periods below which there is nothing to learn from.</summary>
    public const long FewestWins = 10;

    /// <summary>Deals' worth of trust in the average over all stages, for a stage that few deals were in, and in that of the stage, for a size that is rare in it.</summary>
    private const double Shrinkage = 10;

    /// <summary>The 90 % quantile of the normal distribution.</summary>
    private const double Z = 1.2815515655446004;

    /// <summary>
    /// A deal's chance to be won within one period is the share of its stage and size in past periods (which holds both how likely such deals
    /// are won and how long that takes), times its own probability over the average one among them. The sum over the deals is set right by
    /// how the same sum did in the past periods, since within a size large deals may still differ from small ones. To it
    /// comes the business that begins and ends within a period, as often and as large as in the past. The spread has four parts: which deals
    /// are won, how much new business there is, how well the past tells the averages, and how much past periods varied beyond chance. The
    /// interval is that of a gamma distribution with this mean and spread, which fits sums that cannot fall below 0.
    /// </summary>
    /// <returns>Null where the past tells too little.</returns>
    public static Forecast? Make(IReadOnlyList<OpenDeals> open, IReadOnlyList<PastPeriod> past)
    {
        var outcomes = past.SelectMany(period => period.Stages).ToList();
        var won = outcomes.Sum(outcome => outcome.Won);
        var newWon = past.Sum(period => period.NewWon);
        if (won + newWon < FewestWins)
        {
            return null;
        }

        var rates = new WinShares(outcomes);
        double mean = 0, chance = 0, wins = 0;
        foreach (var alike in open.GroupBy(deals => (deals.Stage, deals.Band)))
        {
            var rate = rates.Of(alike.Key.Stage, alike.Key.Band);
            var typical = alike.Sum(deals => deals.Probability * deals.Deals) / alike.Sum(deals => deals.Deals);
            foreach (var deals in alike)
            {
                var q = Math.Min(1, typical > 0 ? rate * deals.Probability / typical : rate);
                mean += q * deals.Value;
                chance += q * (1 - q) * deals.Squares;
                wins += q * deals.Deals;
            }
        }

        // How sums of value, and of value squared, did against what the shares of deals say.
        mean *= Correction(won, outcomes.Sum(o => o.WonValue), outcomes.Sum(o => rates.Of(o.Stage, o.Band) * o.Value));
        chance *= Correction(won, outcomes.Sum(o => o.WonSquares), outcomes.Sum(o => rates.Of(o.Stage, o.Band) * o.Squares));
        var wonValue = outcomes.Sum(o => o.WonValue);
        var unknown = wonValue > 0 ? mean * mean * outcomes.Sum(o => o.WonSquares) / (wonValue * wonValue) : 0;

        var newWins = newWon / (double)past.Count;
        var newSpread = past.Sum(period => period.NewSquares) / past.Count;
        mean += past.Sum(period => period.NewValue) / past.Count;
        unknown += newSpread / past.Count;
        var variance = (Restlessness(past, rates, newWins) * (chance + newSpread)) + unknown;
        return new Forecast(mean, Quantile(mean, variance, -Z), Quantile(mean, variance, Z), wins + newWins);
    }

    /// <summary>Actual over expected, drawn towards 1 where few deals tell it.</summary>
    private static double Correction(long won, double actual, double expected)
    {
        const double FewWins = 3;
        var prior = won > 0 ? expected * FewWins / won : expected;
        return expected > 0 ? (actual + prior) / (expected + prior) : 1;
    }

    /// <summary>How many times the variance of the number of wins exceeded that of chance alone; at least 1.</summary>
    private static double Restlessness(IReadOnlyList<PastPeriod> past, WinShares rates, double newWins)
    {
        double sum = 0;
        var periods = 0;
        foreach (var period in past)
        {
            var expected = newWins + period.Stages.Sum(s => s.Deals * rates.Of(s.Stage, s.Band));
            var variance = newWins + period.Stages.Sum(s => s.Deals * rates.Of(s.Stage, s.Band) * (1 - rates.Of(s.Stage, s.Band)));
            if (variance > 0)
            {
                var off = period.NewWon + period.Stages.Sum(s => s.Won) - expected;
                sum += off * off / variance;
                periods++;
            }
        }

        return periods > 1 ? Math.Max(1, sum / (periods - 1)) : 1;
    }

    /// <summary>Quantile of a gamma distribution by the cube of a normal one (Wilson and Hilferty 1931, doi:10.1073/pnas.17.12.684).</summary>
    private static double Quantile(double mean, double variance, double z)
    {
        if (mean <= 0 || variance <= 0)
        {
            return Math.Max(mean, 0);
        }

        var shape = mean * mean / variance;
        var root = 1 - (1 / (9 * shape)) + (z / (3 * Math.Sqrt(shape)));
        var value = mean * Math.Pow(Math.Max(root, 0), 3);
        // The mean itself lies within the interval also where a few large deals make the distribution very skewed.
        return z < 0 ? Math.Min(value, mean) : Math.Max(value, mean);
    }

    /// <summary>The shares of deals won within a period, by stage and size.</summary>
    private sealed class WinShares
    {
        private readonly double _average;
        private readonly Dictionary<string, double> _stages;
        private readonly Dictionary<(string, int), double> _sizes;

        public WinShares(IReadOnlyList<StageOutcome> outcomes)
        {
            _average = outcomes.Sum(o => o.Won) / Math.Max((double)outcomes.Sum(o => o.Deals), 1);
            _stages = outcomes.GroupBy(o => o.Stage, StringComparer.Ordinal)
                .ToDictionary(stage => stage.Key, stage => Shrunk(stage, _average), StringComparer.Ordinal);
            _sizes = outcomes.GroupBy(o => (o.Stage, o.Band)).ToDictionary(size => size.Key, size => Shrunk(size, _stages[size.Key.Stage]));
        }

        public double Of(string stage, int band) => _sizes.TryGetValue((stage, band), out var share) ? share : _stages.GetValueOrDefault(stage, _average);

        private static double Shrunk(IEnumerable<StageOutcome> outcomes, double towards) =>
            (outcomes.Sum(o => o.Won) + (Shrinkage * towards)) / (outcomes.Sum(o => o.Deals) + Shrinkage);
    }
}
