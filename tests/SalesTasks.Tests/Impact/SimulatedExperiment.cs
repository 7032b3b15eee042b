using SalesTasks.Impact;

namespace SalesTasks.Tests.Impact;

/// <summary>
/// Leads of a random experiment whose truth is known. A lead has a merit u, uniform in (0, 1). It is won within the horizon with probability
/// 0.05 + 0.3 u², times <paramref name="lift"/> where it was treated; if not, it is lost with probability 0.3. The score tells its merit
/// (<paramref name="informative"/>) or nothing.
/// </summary>
internal sealed class SimulatedExperiment(int leads, double share, double lift, bool informative = true)
{
    private const double Horizon = 30 * 24;
    private const double MeanValue = 5_000;

    /// <summary>Mean time to first contact in hours, treated and held out, before the horizon cuts it.</summary>
    private readonly (double Treated, double Holdout) _contact = (300 / lift, 300);

    /// <summary>What the indicator is in the population: treated and held out.</summary>
    public (double Treated, double Holdout) Truth(string indicator)
    {
        (double T, double H) won = (0.15 * lift, 0.15);
        static double WinRate(double won) => won / (won + (0.3 * (1 - won)));
        static double Restricted(double mean) => mean * (1 - Math.Exp(-Horizon / mean));
        return indicator switch
        {
            "conversion" => won,
            "win_rate" => (WinRate(won.T), WinRate(won.H)),
            "hours_to_first_contact" => (Restricted(_contact.Treated), Restricted(_contact.Holdout)),
            "revenue_per_lead" => (won.T * MeanValue, won.H * MeanValue),
            // On time with the lead's own probability, uniform in (0.4, 0.8), whatever the number of tasks; the lift does not touch it.
            "tasks_on_time" => (0.6, 0.6),
            "abandoned" => (0.7 * (1 - won.T) * 0.5, 0.7 * (1 - won.H) * 0.5),
            _ => throw new ArgumentOutOfRangeException(nameof(indicator), indicator, "No truth known."),
        };
    }

    public (Moments Treated, Moments Holdout) Run(int seed)
    {
        var random = new Random(seed);
        var (treated, holdout) = (Estimator.NewMoments(), Estimator.NewMoments());
        var row = new double[Enum.GetValues<Outcome>().Length];
        for (var i = 0; i < leads; i++)
        {
            var held = random.NextDouble() < share;
            var merit = random.NextDouble();
            var value = MeanValue * -Math.Log(1 - random.NextDouble());
            var won = random.NextDouble() < (0.05 + (0.3 * merit * merit)) * (held ? 1 : lift);
            var lost = !won && random.NextDouble() < 0.3;
            var tasks = random.Next(6);
            var punctual = 0.4 + (0.4 * random.NextDouble());
            var onTime = 0;
            for (var task = 0; task < tasks; task++)
            {
                onTime += random.NextDouble() < punctual ? 1 : 0;
            }

            row[(int)Outcome.Score] = 100 * (informative ? merit : random.NextDouble());
            row[(int)Outcome.LogValue] = Math.Log(1 + value);
            row[(int)Outcome.ValueKnown] = 1;
            row[(int)Outcome.SourceShare] = random.Next(3) * 0.1;
            row[(int)Outcome.Won] = won ? 1 : 0;
            row[(int)Outcome.Closed] = won || lost ? 1 : 0;
            row[(int)Outcome.ContactHours] = Math.Min(Horizon, -Math.Log(1 - random.NextDouble()) * (held ? _contact.Holdout : _contact.Treated));
            row[(int)Outcome.CloseDays] = won || lost ? 30 * random.NextDouble() : 30;
            row[(int)Outcome.Revenue] = won ? value : 0;
            row[(int)Outcome.TasksOnTime] = onTime;
            row[(int)Outcome.TasksDue] = tasks;
            row[(int)Outcome.Abandoned] = !won && !lost && random.NextDouble() < 0.5 ? 1 : 0;
            (held ? holdout : treated).Add(row);
        }

        return (treated, holdout);
    }

    /// <summary>The estimates of one indicator over many experiments.</summary>
    public IReadOnlyList<IndicatorEstimate> Repeat(string indicator, int repetitions)
    {
        var asked = Indicator.All.Single(i => i.Name == indicator);
        return [.. Enumerable.Range(1, repetitions).AsParallel().AsOrdered().Select(seed =>
        {
            var (treated, holdout) = Run(seed);
            return Estimator.Estimate(asked, treated, holdout);
        })];
    }
}
