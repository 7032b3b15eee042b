using System.Text.Json.Serialization;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Predicting;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>A bin of time that a deal entered open, and whether it ended in it.</summary>
/// <param name="Row">The snapshot.</param>
/// <param name="Bin">The bin.</param>
/// <param name="Ended">Won or lost within it.</param>
internal readonly record struct Period(int Row, int Bin, bool Ended);

/// <summary>
/// Days until a deal ends, won or lost, as discrete-time survival: in each bin of time the probability that a deal still open ends
/// (Singer, Willett 1993). A deal that is open contributes the bins it outlived. Bins that were not wholly observed are left out, for deals that ended
/// in them too: of those only the quick ones would be known.
/// </summary>
/// <param name="Algorithm">Which candidate answers.</param>
/// <param name="Edges">Days; the bins lie between.</param>
/// <param name="Overall">Hazard of each bin.</param>
/// <param name="Stages">The same by stage, each pulled to the overall one (Kaplan-Meier by stage).</param>
/// <param name="Encoder">How the hazard model reads columns; null where the stage's curve answers.</param>
/// <param name="Regression">Over columns, then bins, then bins of each of <paramref name="StageNames"/>.</param>
/// <param name="StageNames">The stages in the order of the regression.</param>
internal sealed record TimeModel(
    string Algorithm, IReadOnlyList<double> Edges, double[] Overall, IReadOnlyDictionary<string, double[]> Stages, Encoder? Encoder,
    LogisticRegression? Regression, IReadOnlyList<string> StageNames) : IKeptModel
{
    public const int Format = 1;
    public const string ByStage = "Kaplan-Meier by stage";
    public const string Hazard = "hazard regression";

    /// <summary>The last bins are kept only where deals reach them.</summary>
    private static readonly double[] s_edges = [0, 3, 7, 14, 21, 30, 45, 60, 90, 120, 150, 180, 240, 300, 365, 450, 540, 730, 1095];

    private const int FewestDeals = 50;

    /// <summary>Snapshots at the overall hazard that a stage's bin is taken to have had before.</summary>
    private const double Pull = 20;

    private const double Ridge = 10;

    [JsonIgnore]
    public string? Unusable => null;

    [JsonIgnore]
    public int Bins => Edges.Count - 1;

    /// <summary>Days beyond which nothing is known.</summary>
    [JsonIgnore]
    public double Horizon => Edges[^1];

    /// <summary>Both candidates, fitted on what was known at an instant; null where too few deals were watched long enough.</summary>
    /// <param name="snapshots">Open and ended deals.</param>
    /// <param name="rows">The snapshots to learn from.</param>
    /// <param name="asOf">What happened later is not known.</param>
    /// <param name="cancellationToken">Ends the fit.</param>
    public static (TimeModel ByStage, TimeModel Hazard)? Fit(DealSnapshots snapshots, int[] rows, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        var all = Periods(snapshots.Moments, rows, s_edges, asOf);
        var reached = Enumerable.Range(0, s_edges.Length - 1).TakeWhile(bin =>
            all.Where(p => p.Bin == bin).Select(p => snapshots.Groups[p.Row]).Distinct().Take(FewestDeals).Count() == FewestDeals).Count();
        if (reached < 3)
        {
            return null;
        }

        var periods = all.Where(p => p.Bin < reached).ToList();
        var edges = s_edges[..(reached + 1)];
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        double[] Hazards(IEnumerable<Period> of, double[]? parent)
        {
            var lived = new double[reached];
            var ended = new double[reached];
            foreach (var period in of)
            {
                lived[period.Bin]++;
                ended[period.Bin] += period.Ended ? 1 : 0;
            }

            return [.. lived.Select((l, bin) => parent is null ? (ended[bin] + 0.5) / (l + 1) : (ended[bin] + (Pull * parent[bin])) / (l + Pull))];
        }

        var overall = Hazards(periods, null);
        var byStage = periods.GroupBy(p => stages[p.Row]!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => Hazards(g, overall), StringComparer.Ordinal);
        var names = byStage.Keys.Order(StringComparer.Ordinal).ToArray();
        var simple = new TimeModel(ByStage, edges, overall, byStage, null, null, names);

        var labels = new bool[snapshots.Moments.Count];
        foreach (var period in periods.Where(p => p.Ended))
        {
            labels[period.Row] = true;
        }

        var encoder = Encoder.Fit(snapshots.Table, rows, labels);
        var encoded = encoder.EncodeTraining(snapshots.Table, rows, new TrainingLabels(labels, snapshots.Groups)).Linear;
        var places = rows.Select((row, place) => (row, place)).ToDictionary(r => r.row, r => r.place);
        var width = encoder.LinearWidth;
        var matrix = new SparseRows(width + (reached * (names.Length + 1)));
        foreach (var period in periods)
        {
            var columns = encoded.ColumnsOf(places[period.Row]);
            var values = encoded.ValuesOf(places[period.Row]);
            for (var k = 0; k < columns.Length; k++)
            {
                matrix.Add(columns[k], values[k]);
            }

            matrix.Add(width + period.Bin, 1);
            matrix.Add(width + (reached * (1 + Array.IndexOf(names, stages[period.Row]))) + period.Bin, 1);
            matrix.EndRow();
        }

        var regression = LogisticRegression.Fit(matrix, [.. periods.Select(p => p.Ended)], Ridge, null, cancellationToken);
        return (simple, simple with { Algorithm = Hazard, Encoder = encoder, Regression = regression });
    }

    /// <summary>The bins that each snapshot entered and that were wholly observed at the instant.</summary>
    public static List<Period> Periods(IReadOnlyList<Moment> moments, int[] rows, double[] edges, DateTimeOffset asOf)
    {
        var periods = new List<Period>(rows.Length * 4);
        foreach (var row in rows)
        {
            var moment = moments[row];
            var watched = (asOf - moment.At).TotalDays;
            var lasted = moment.ClosedAt is { } closed ? (closed - moment.At).TotalDays : double.PositiveInfinity;
            for (var bin = 0; bin + 1 < edges.Length && edges[bin + 1] <= watched && lasted > edges[bin]; bin++)
            {
                periods.Add(new Period(row, bin, lasted <= edges[bin + 1]));
            }
        }

        return periods;
    }

    /// <summary>The probability that each row's deal is still open at the end of each bin.</summary>
    public double[][] Survival(DealSnapshots snapshots, int[] rows)
    {
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        if (Regression is null || Encoder is null)
        {
            var curves = Stages.ToDictionary(s => s.Key, s => Curve(bin => s.Value[bin]), StringComparer.Ordinal);
            var overall = Curve(bin => Overall[bin]);
            return [.. rows.Select(row => curves.GetValueOrDefault(stages[row]!, overall))];
        }

        var encoded = Encoder.Encode(snapshots.Table, rows).Linear;
        var width = Encoder.LinearWidth;
        var weights = Regression.Weights;
        var names = StageNames.Select((name, place) => (name, place)).ToDictionary(n => n.name, n => n.place, StringComparer.Ordinal);
        return [.. rows.Select((row, i) =>
        {
            // A row's columns are the same in all of its bins.
            var common = Regression.Logit(encoded, i);
            var place = names.TryGetValue(stages[row]!, out var known) ? known : -1;
            return Curve(bin => Logits.ToProbability(
                common + weights[width + bin] + (place < 0 ? 0 : weights[width + (Bins * (1 + place)) + bin])));
        })];
    }

    /// <summary>Days until each row's deal ends.</summary>
    public DaysToClose[] Predict(DealSnapshots snapshots, int[] rows) =>
        [.. Survival(snapshots, rows).Select(curve => new DaysToClose(Days(curve, 0.1), Days(curve, 0.5), Days(curve, 0.9)))];

    /// <summary>The probability that a deal has ended after so many days, the hazard being even within a bin.</summary>
    public double Ended(double[] curve, double days)
    {
        if (days >= Horizon)
        {
            return 1 - curve[^1];
        }

        var bin = 0;
        while (Edges[bin + 1] <= days)
        {
            bin++;
        }

        var before = bin == 0 ? 1 : curve[bin - 1];
        return 1 - (before * Math.Pow(curve[bin] / before, (days - Edges[bin]) / (Edges[bin + 1] - Edges[bin])));
    }

    /// <summary>The days after which a deal has ended with a probability; null: beyond the horizon.</summary>
    public double? Days(double[] curve, double probability)
    {
        var left = 1 - probability;
        var bin = Array.FindIndex(curve, s => s <= left);
        if (bin < 0)
        {
            return null;
        }

        var before = bin == 0 ? 1 : curve[bin - 1];
        return Edges[bin] + ((Edges[bin + 1] - Edges[bin]) * (before <= left ? 0 : Math.Log(left / before) / Math.Log(curve[bin] / before)));
    }

    private double[] Curve(Func<int, double> hazard)
    {
        var curve = new double[Bins];
        var open = 1.0;
        for (var bin = 0; bin < curve.Length; bin++)
        {
            // A curve that is 0 has no logarithm.
            open *= 1 - Math.Clamp(hazard(bin), 1e-9, 1 - 1e-9);
            curve[bin] = open;
        }

        return curve;
    }
}
