using System.Text.Json;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>Learns which deals will be lost or fall silent, and judges it by the newest moments.</summary>
internal static class RiskTrial
{
    public const int HorizonDays = 30;

    /// <summary>Snapshots of one deal say nearly the same; more are only slower.</summary>
    private const int MostRows = 24_000;

    public static KindOutcome Train(Material material, StoredModel<RiskModel>? current, CancellationToken cancellationToken)
    {
        var kind = ModelKinds.Risk.Name;
        var snapshots = material.Snapshots;
        var labels = Labels(snapshots, material.Silent);
        // Open deals count too: what happened within the horizon is known for all of them once it has passed.
        var rows = material.Thin(snapshots.Where(m => m.At.AddDays(HorizonDays) <= material.AsOf), MostRows);
        var bad = material.Deals(rows.Where(row => labels[row]));
        var good = material.Deals(rows.Where(row => !labels[row]));
        if (Math.Min(bad, good) < material.Fewest)
        {
            return KindOutcome.Nothing(kind, $"too few deals to learn from: {bad} lost or silent within {HorizonDays} days and {good} not; needed: {material.Fewest} of each");
        }

        var border = material.Border;
        var train = rows.Where(row => snapshots.Moments[row].At.AddDays(HorizonDays) <= border).ToArray();
        var test = rows.Where(row => snapshots.Moments[row].At >= border).ToArray();
        var trainBad = train.Count(row => labels[row]);
        if (trainBad == 0 || trainBad == train.Length || test.Length == 0)
        {
            return KindOutcome.Nothing(kind, "the history is too short to judge a model by");
        }

        var rates = StageRates.Fit(snapshots, train, labels);
        using var competition = Competition.Fit(snapshots.Table, train, labels, Settings(material), cancellationToken);
        var learned = competition.Chosen.Name == Competition.Prior
            ? new RiskModel(RiskModel.ByStage, HorizonDays, rates, null)
            : new RiskModel(competition.Chosen.Name, HorizonDays, rates, competition.Export());
        var testLabels = test.Select(row => labels[row]).ToArray();
        var groups = test.Select(row => snapshots.Groups[row]).ToArray();
        var own = learned.Predict(snapshots, test);
        var simple = rates.Of(snapshots, test);
        var ownFigures = Metrics.Of(own, testLabels);
        var simpleFigures = Metrics.Of(simple, testLabels);
        var gain = PublishGate.Compare([.. own.Select(Logits.Of)], [.. simple.Select(Logits.Of)], testLabels, groups, material.Seed);
        var deals = groups.Distinct().Count();

        // The stage's rates answer where nothing better is known; they too have to be calibrated.
        var why = learned.Blend is null ? "nothing known about deals predicts it beyond their stage"
            : gain.Low <= 0 ? $"the learned model's gain over the stage's rates is not credible: {gain.Mean:0.0000} ({gain.Low:0.0000} to {gain.High:0.0000})"
            : ownFigures.Ece > PublishGate.LargestError ? $"the learned model's calibration error is {ownFigures.Ece:0.000}; allowed: {PublishGate.LargestError:0.00}"
            : null;
        var (chosen, figures, said) = why is null ? (learned, ownFigures, own) : (new RiskModel(RiskModel.ByStage, HorizonDays, rates, null), simpleFigures, simple);
        var (overCurrent, currentDeals) = AgainstCurrent(snapshots, test, said, testLabels, current, material.Seed);
        var refusal = deals < PublishGate.FewestTestDeals ? $"only {deals} deals can judge it; needed: {PublishGate.FewestTestDeals}"
            : figures.Ece > PublishGate.LargestError ? $"its calibration error is {figures.Ece:0.000}; allowed: {PublishGate.LargestError:0.00}"
            : PublishGate.AgainstCurrent(overCurrent, currentDeals);
        var reason = why is null ? "it beats the stage's rates and is calibrated" : $"{why}; the stage's rates answer";

        // What is kept has also seen the rows that judged it.
        RiskModel final;
        if (chosen.Blend is null)
        {
            final = chosen with { Rates = StageRates.Fit(snapshots, rows, labels) };
        }
        else
        {
            using var whole = Competition.Fit(snapshots.Table, rows, labels, Settings(material), cancellationToken);
            final = new RiskModel(whole.Chosen.Name, HorizonDays, StageRates.Fit(snapshots, rows, labels), whole.Export());
        }

        var metrics = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["test"] = figures.Figures(),
            ["prior"] = simpleFigures.Figures(),
            ["gain_over_prior"] = gain,
            ["gain_over_current"] = overCurrent,
            ["test_rows"] = test.Length,
            ["test_deals"] = deals,
            ["test_from"] = border,
            ["horizon_days"] = HorizonDays,
            ["spacing_days"] = material.SpacingDays,
            ["stage_rates"] = final.Rates.Stages,
            ["calibration"] = Curves.Calibration(said, testLabels),
            ["cumulative_gain"] = Curves.CumulativeGain(said, testLabels),
            ["distribution"] = material.Spread,
        };
        return new KindOutcome(
            kind,
            TrainedModel.Of(ModelKinds.Risk, final, material, snapshots.Take(rows), JsonSerializer.Serialize(metrics), reason),
            refusal,
            refusal ?? reason,
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["log_loss"] = Math.Round(figures.LogLoss, 5),
                ["prior_log_loss"] = Math.Round(simpleFigures.LogLoss, 5),
                ["brier"] = Math.Round(figures.Brier, 5),
                ["ece"] = Math.Round(figures.Ece, 4),
            })
        { CurrentId = current?.Id };
    }

    /// <summary>How a model did on snapshots whose horizon has passed, by name.</summary>
    public static Dictionary<string, object?> Evaluate(RiskModel model, Material material)
    {
        var labels = Labels(material.Snapshots, material.Silent);
        var rows = material.Snapshots.Where(m => m.At.AddDays(HorizonDays) <= material.AsOf);
        var figures = rows.Length == 0 ? [] : Metrics.Of(model.Predict(material.Snapshots, rows), [.. rows.Select(row => labels[row])]).Figures();
        figures["deals"] = material.Deals(rows);
        return figures;
    }

    /// <summary>Whether each snapshot's deal was lost within the horizon or was silent for all of it.</summary>
    public static bool[] Labels(DealSnapshots snapshots, bool[] silent) =>
        [.. snapshots.Moments.Select((m, row) => (m.Won is false && m.ClosedAt <= m.At.AddDays(HorizonDays)) || silent[row])];

    private static CompetitionSettings Settings(Material material) =>
        new() { Seed = material.Seed, Groups = material.Snapshots.Groups, Time = material.Time };

    private static (GainInterval? Gain, int? Deals) AgainstCurrent(
        DealSnapshots snapshots, int[] test, double[] said, bool[] labels, StoredModel<RiskModel>? current, int seed)
    {
        if (current?.Model is not { } model)
        {
            return (null, null);
        }

        var places = Enumerable.Range(0, test.Length).Where(i => snapshots.Moments[test[i]].At >= current.DataTo).ToArray();
        var groups = places.Select(i => snapshots.Groups[test[i]]).ToArray();
        if (places.Length == 0)
        {
            return (null, 0);
        }

        var before = model.Predict(snapshots, [.. places.Select(i => test[i])]);
        return (
            PublishGate.Compare([.. places.Select(i => Logits.Of(said[i]))], [.. before.Select(Logits.Of)], [.. places.Select(i => labels[i])], groups, seed),
            groups.Distinct().Count());
    }
}
