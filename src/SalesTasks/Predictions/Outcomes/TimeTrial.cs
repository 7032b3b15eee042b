using System.Text.Json;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>Learns how long deals still take, and judges it by what became of the newest moments.</summary>
internal static class TimeTrial
{
    /// <summary>Snapshots of one deal say nearly the same; more are only slower.</summary>
    private const int MostRows = 24_000;

    /// <summary>Fewer snapshots do not judge a horizon.</summary>
    private const int FewestRows = 100;

    private const double LeastCoverage = 0.7;
    private const double MostCoverage = 0.9;

    private static readonly int[] s_horizons = [14, 30, 60, 90, 180];

    public static KindOutcome Train(Material material, StoredModel<TimeModel>? current, CancellationToken cancellationToken)
    {
        var kind = ModelKinds.TimeToClose.Name;
        var snapshots = material.Snapshots;
        var rows = material.Thin([.. Enumerable.Range(0, snapshots.Moments.Count)], MostRows);
        var ended = material.Deals(rows.Where(row => snapshots.Moments[row].ClosedAt is not null));
        if (ended < material.Fewest)
        {
            return KindOutcome.Nothing(kind, $"too few deals have ended: {ended}; needed: {material.Fewest}");
        }

        var border = material.Border;
        var test = rows.Where(row => snapshots.Moments[row].At >= border).ToArray();
        if (TimeModel.Fit(snapshots, [.. rows.Where(row => snapshots.Moments[row].At < border)], border, cancellationToken) is not { } fits
            || TimeModel.Fit(snapshots, rows, material.AsOf, cancellationToken) is not { } whole)
        {
            return KindOutcome.Nothing(kind, "the history is too short to judge a model by");
        }

        var learned = new Judged(fits.Hazard, snapshots, test, material.AsOf);
        var simple = new Judged(fits.ByStage, snapshots, test, material.AsOf);
        if (learned.Labels.Length == 0)
        {
            return KindOutcome.Nothing(kind, "the history is too short to judge a model by");
        }

        var gain = PublishGate.Compare(learned.LogOdds, simple.LogOdds, learned.Labels, learned.Deals, material.Seed);
        var deals = learned.Deals.Distinct().Count();
        var why = gain.Low <= 0 ? $"the hazard regression's gain over the stage's curves is not credible: {gain.Mean:0.0000} ({gain.Low:0.0000} to {gain.High:0.0000})"
            : learned.Figures.Ece > PublishGate.LargestError ? $"the hazard regression's calibration error is {learned.Figures.Ece:0.000}; allowed: {PublishGate.LargestError:0.00}"
            : null;
        var (judged, final) = why is null ? (learned, whole.Hazard) : (simple, whole.ByStage);
        var (overCurrent, currentDeals) = AgainstCurrent(judged, current, material);
        var refusal = deals < PublishGate.FewestTestDeals ? $"only {deals} deals can judge it; needed: {PublishGate.FewestTestDeals}"
            : judged.Figures.Ece > PublishGate.LargestError ? $"its calibration error is {judged.Figures.Ece:0.000}; allowed: {PublishGate.LargestError:0.00}"
            : judged.Coverage is < LeastCoverage or > MostCoverage ? $"its 80 % interval held {judged.Coverage:P0} of the deals; allowed: {LeastCoverage:P0} to {MostCoverage:P0}"
            : PublishGate.AgainstCurrent(overCurrent, currentDeals);
        var reason = why is null ? "it beats the stage's curves and is calibrated" : $"{why}; the stage's curves answer";
        var metrics = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["test"] = With(judged.Figures.Figures(), "coverage", judged.Coverage),
            ["prior"] = With(simple.Figures.Figures(), "coverage", simple.Coverage),
            ["horizons"] = judged.Horizons.Zip(simple.Horizons, (own, other) => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["days"] = own.Days,
                ["rows"] = own.Rows,
                ["brier"] = own.Figures.Brier,
                ["log_loss"] = own.Figures.LogLoss,
                ["prior_brier"] = other.Figures.Brier,
                ["prior_log_loss"] = other.Figures.LogLoss,
            }),
            ["gain_over_prior"] = gain,
            ["gain_over_current"] = overCurrent,
            ["test_rows"] = test.Length,
            ["test_deals"] = deals,
            ["test_from"] = border,
            ["spacing_days"] = material.SpacingDays,
            ["edges_days"] = final.Edges,
            ["curves"] = CurvesByStage(final, snapshots, rows),
            ["calibration"] = Curves.Calibration(judged.Said, judged.Labels),
            ["distribution"] = material.Spread,
        };
        return new KindOutcome(
            kind,
            TrainedModel.Of(ModelKinds.TimeToClose, final, material, snapshots.Take(rows), JsonSerializer.Serialize(metrics), reason),
            refusal,
            refusal ?? reason,
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["brier"] = Math.Round(judged.Figures.Brier, 5),
                ["prior_brier"] = Math.Round(simple.Figures.Brier, 5),
                ["ece"] = Math.Round(judged.Figures.Ece, 4),
                ["coverage"] = judged.Coverage is { } coverage ? Math.Round(coverage, 4) : null,
            })
        { CurrentId = current?.Id };
    }

    /// <summary>How a model did on snapshots, by name.</summary>
    public static Dictionary<string, object?> Evaluate(TimeModel model, DealSnapshots snapshots, int[] rows, DateTimeOffset asOf)
    {
        var judged = new Judged(model, snapshots, rows, asOf);
        return judged.Labels.Length == 0
            ? new Dictionary<string, object?>(StringComparer.Ordinal) { ["deals"] = 0 }
            : With(With(judged.Figures.Figures(), "coverage", judged.Coverage), "deals", judged.Deals.Distinct().Count());
    }

    /// <summary>
    /// The share of deals that end between their P10 and their P90, those still open counted as what they are. A deal's place in its own
    /// distribution is even between 0 and 1 where the model is right, known beyond a border for a deal that is open: the Kaplan-Meier
    /// estimate of those places at 0.1 and 0.9 tells it. Null where too few deals were watched that far.
    /// </summary>
    public static double? CoverageOf(TimeModel model, DealSnapshots snapshots, int[] rows, double[][] curves, DateTimeOffset asOf)
    {
        var places = rows.Select((row, i) =>
        {
            var moment = snapshots.Moments[row];
            var ended = moment.ClosedAt is { } closed && closed <= asOf && (closed - moment.At).TotalDays <= model.Horizon;
            var days = (((ended ? moment.ClosedAt : null) ?? asOf) - moment.At).TotalDays;
            return (Place: model.Ended(curves[i], Math.Min(days, model.Horizon)), Ended: ended);
        }).OrderBy(p => p.Place).ThenByDescending(p => p.Ended).ToArray();
        var open = 1.0;
        var (atLow, atHigh) = (1.0, (double?)null);
        for (var i = 0; i < places.Length && atHigh is null; i++)
        {
            var watched = places.Length - i;
            if (places[i].Place > 0.9)
            {
                atHigh = watched >= FewestRows / 2 ? open : null;
                break;
            }

            open *= places[i].Ended ? 1 - (1.0 / watched) : 1;
            atLow = places[i].Place <= 0.1 ? open : atLow;
        }

        return atHigh is { } high ? atLow - high : null;
    }

    private static Dictionary<string, object?> With(Dictionary<string, object?> figures, string name, object? value)
    {
        figures[name] = value;
        return figures;
    }

    private static (GainInterval? Gain, int? Deals) AgainstCurrent(Judged judged, StoredModel<TimeModel>? current, Material material)
    {
        if (current?.Model is not { } model)
        {
            return (null, null);
        }

        var rows = judged.Rows.Where(row => material.Snapshots.Moments[row].At >= current.DataTo).ToArray();
        var before = new Judged(model, material.Snapshots, rows, material.AsOf);
        var now = new Judged(judged.Model, material.Snapshots, rows, material.AsOf);
        // Both have to reach the same horizons.
        return before.Labels.Length == 0 || before.Labels.Length != now.Labels.Length
            ? (null, 0)
            : (PublishGate.Compare(now.LogOdds, before.LogOdds, now.Labels, now.Deals, material.Seed), now.Deals.Distinct().Count());
    }

    /// <summary>The mean curve of each stage's snapshots.</summary>
    private static Dictionary<string, double[]> CurvesByStage(TimeModel model, DealSnapshots snapshots, int[] rows)
    {
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        return rows.GroupBy(row => stages[row]!, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(
            g => g.Key,
            g =>
            {
                var curves = model.Survival(snapshots, [.. g]);
                return Enumerable.Range(0, model.Bins).Select(bin => curves.Average(c => c[bin])).ToArray();
            },
            StringComparer.Ordinal);
    }

    /// <summary>
    /// What a model says of the share of deals that end within each horizon, against what happened. A snapshot judges a horizon only where all of
    /// it has passed, for deals that ended early too.
    /// </summary>
    private sealed class Judged
    {
        public Judged(TimeModel model, DealSnapshots snapshots, int[] rows, DateTimeOffset asOf)
        {
            Model = model;
            Rows = rows;
            var curves = model.Survival(snapshots, rows);
            var said = new List<double>();
            var labels = new List<bool>();
            var deals = new List<int>();
            foreach (var days in s_horizons.Where(h => h <= model.Horizon))
            {
                var places = Enumerable.Range(0, rows.Length).Where(i => snapshots.Moments[rows[i]].At.AddDays(days) <= asOf).ToArray();
                if (places.Length < FewestRows)
                {
                    continue;
                }

                double[] own = [.. places.Select(i => Math.Clamp(model.Ended(curves[i], days), 1e-6, 1 - 1e-6))];
                bool[] happened = [.. places.Select(i => snapshots.Moments[rows[i]].ClosedAt <= snapshots.Moments[rows[i]].At.AddDays(days))];
                Horizons.Add((days, places.Length, Metrics.Of(own, happened)));
                said.AddRange(own);
                labels.AddRange(happened);
                deals.AddRange(places.Select(i => snapshots.Groups[rows[i]]));
            }

            (Said, Labels, Deals) = ([.. said], [.. labels], [.. deals]);
            Figures = Metrics.Of(Said, Labels);
            Coverage = CoverageOf(model, snapshots, rows, curves, asOf);
        }

        public TimeModel Model { get; }

        public int[] Rows { get; }

        public List<(int Days, int Rows, Metrics Figures)> Horizons { get; } = [];

        public double[] Said { get; }

        public bool[] Labels { get; }

        public int[] Deals { get; }

        public double[] LogOdds => [.. Said.Select(Logits.Of)];

        public Metrics Figures { get; }

        public double? Coverage { get; }
    }
}
