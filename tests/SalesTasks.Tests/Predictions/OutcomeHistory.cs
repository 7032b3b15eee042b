using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Tests.Predictions;

/// <summary>Made-up histories whose laws are known.</summary>
internal static class OutcomeHistory
{
    public static readonly DateTimeOffset Present = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] s_stages = ["contacted", "proposal_sent"];
    private static readonly string[] s_sources = ["ad", "referral", "event"];
    private static readonly string[] s_products = ["Small", "Middle", "Large"];

    /// <summary>Days that a deal lasts: Weibull of shape 1.4, its scale by stage, product and replies.</summary>
    public static double Days(Random random, int stage, int product, int replies) =>
        30 * Math.Exp((0.5 * (product - 1)) - (0.25 * (replies - 1.5)) - (0.4 * stage)) * Math.Pow(-Math.Log(1 - random.NextDouble()), 1 / 1.4);

    /// <summary>One snapshot a deal over two years.</summary>
    /// <param name="seed">Of the draws.</param>
    /// <param name="deals">How many.</param>
    /// <param name="censored">Share of the deals that are still open at the present whatever their length would be.</param>
    /// <param name="value">What a deal of a product brings.</param>
    /// <param name="risk">Log-odds of losing it or of its silence by replies; null: by chance.</param>
    public static Material Make(
        int seed, int deals, double censored = 0, Func<Random, int, int, double>? value = null, Func<int, double>? risk = null)
    {
        var random = new Random(seed);
        var moments = new List<Moment>();
        var codes = (Stages: new int[deals], Sources: new int[deals], Products: new int[deals]);
        var replies = new float[deals];
        var silent = new bool[deals];
        var values = new Dictionary<long, double>();
        for (var deal = 0; deal < deals; deal++)
        {
            (codes.Stages[deal], codes.Sources[deal], codes.Products[deal]) = (random.Next(2), random.Next(3), random.Next(3));
            replies[deal] = random.Next(4);
            var days = Days(random, codes.Stages[deal], codes.Products[deal], (int)replies[deal]);
            var at = Present.AddDays(-730.0 * (deals - deal) / deals);
            if (random.NextDouble() < censored)
            {
                // Watched for a part of its life only: it began so late.
                at = Present.AddDays(-days * random.NextDouble());
            }

            var closed = at.AddDays(days);
            var won = random.NextDouble() < 0.4;
            moments.Add(new Moment(deal, at, closed <= Present ? closed : null, closed <= Present ? won : null));
            silent[deal] = random.NextDouble() < Logits.ToProbability(risk?.Invoke((int)replies[deal]) ?? -0.8);
            values[deal] = value?.Invoke(random, codes.Products[deal], (int)replies[deal]) ?? 1000;
        }

        var snapshots = new DealSnapshots(moments, new DataTable(
            [
                new CategoryColumn("stage", codes.Stages, s_stages),
                new CategoryColumn("source", codes.Sources, s_sources),
                new CategoryColumn("product_interest", codes.Products, s_products),
                new NumberColumn("replies", replies),
                new NumberColumn("chance", [.. moments.Select(_ => (float)random.NextDouble())]),
            ],
            deals)).Take([.. Enumerable.Range(0, deals).OrderBy(i => moments[i].At)]);
        var order = snapshots.Moments.Select(m => (int)m.PipelineId).ToArray();
        return new Material(snapshots, values, [.. order.Select(deal => silent[deal])], Present, seed, 50, TimeProvider.System) { MaturityDays = 90, SpacingDays = 14 };
    }
}
