using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Exports;

/// <summary>How a candidate did on rows it never saw.</summary>
/// <param name="Name">The candidate's name.</param>
/// <param name="Metrics">Over all test rows.</param>
/// <param name="FitSeconds">All fits together.</param>
/// <param name="PredictSeconds">All test rows together.</param>
internal sealed record CandidateResult(string Name, Metrics Metrics, double FitSeconds, double PredictSeconds);

/// <summary>One way to split, judged.</summary>
/// <param name="Protocol">How rows were split.</param>
/// <param name="TrainRows">Rows of the largest training part.</param>
/// <param name="TestRows">Rows that were predicted.</param>
/// <param name="BaseRate">Share of positive outcomes among the test rows.</param>
/// <param name="Candidates">Each candidate on all test rows; the prior is the first.</param>
/// <param name="ChosenName">The candidates that the splits' own validations chose.</param>
/// <param name="Chosen">What was chosen, split by split.</param>
internal sealed record ProtocolResult(
    string Protocol, int TrainRows, int TestRows, double BaseRate, IReadOnlyList<CandidateResult> Candidates, string ChosenName, CandidateResult Chosen);

/// <summary>Cross-validation in five stratified folds, and training on the oldest 80 % against the newest 20 %.</summary>
internal static class ExportBenchmark
{
    public const string Folds = "5-fold";
    public const string Temporal = "temporal";

    private const int FoldCount = 5;
    private const double NewestShare = 0.2;

    public static IEnumerable<ProtocolResult> Run(ExportTable export, CompetitionSettings settings, Action<string> progress, CancellationToken cancellationToken)
    {
        var all = Enumerable.Range(0, export.Labels.Length).ToArray();
        yield return Judge(Folds, export, Split.Folds(all, export.Labels, FoldCount), settings, progress, cancellationToken);
        if (export.Time is { } time)
        {
            var ordered = all.Where(row => !double.IsNaN(time[row])).OrderBy(row => time[row]).ToArray();
            yield return Judge(
                Temporal, export, [Split.Newest(ordered, NewestShare)], settings with { Temporal = true }, progress, cancellationToken);
        }
    }

    private static ProtocolResult Judge(
        string protocol, ExportTable export, IReadOnlyList<Split> splits, CompetitionSettings settings, Action<string> progress,
        CancellationToken cancellationToken)
    {
        var runs = new List<Part>();
        var choices = new List<string>();
        foreach (var split in splits)
        {
            progress($"{protocol}: part {choices.Count + 1} of {splits.Count}");
            using var competition = Competition.Fit(export.Table, split.Train, export.Labels, settings, cancellationToken);
            var labels = split.Test.Select(row => export.Labels[row]).ToArray();
            var predicted = competition.Predict(split.Test);
            choices.Add(competition.Chosen.Name);
            var part = choices.Count;
            runs.AddRange(competition.Candidates.Select(c => new Part(
                part, c.Name, c.Name == competition.Chosen.Name, predicted[c.Name].Probabilities, labels, c.FitSeconds, predicted[c.Name].Seconds)));
        }

        var names = runs.Select(r => r.Name).Distinct(StringComparer.Ordinal).ToList();
        return new ProtocolResult(
            protocol,
            splits.Max(s => s.Train.Length),
            splits.Sum(s => s.Test.Length),
            splits.SelectMany(s => s.Test).Count(row => export.Labels[row]) / (double)splits.Sum(s => s.Test.Length),
            [.. names.Select(name => Together(name, [.. runs.Where(r => r.Name == name)]))],
            string.Join(", ", choices.Distinct(StringComparer.Ordinal)),
            Together("chosen", [.. runs.Where(r => r.IsChosen)]));
    }

    /// <summary>
    /// Losses and calibration over all test rows together; rankings within each part, weighted by rows, because two models' scores are no one
    /// ranking.
    /// </summary>
    private static CandidateResult Together(string name, List<Part> runs)
    {
        var pooled = Metrics.Of(runs.SelectMany(r => r.Probabilities).ToArray(), runs.SelectMany(r => r.Labels).ToArray());
        var rankings = runs.Select(r => (Rank: Metrics.Ranking(r.Probabilities, r.Labels), Weight: r.Labels.Length / (double)runs.Sum(o => o.Labels.Length))).ToList();
        return new CandidateResult(
            name,
            pooled with { Auc = rankings.Sum(r => r.Rank.Auc * r.Weight), AveragePrecision = rankings.Sum(r => r.Rank.AveragePrecision * r.Weight) },
            runs.Sum(r => r.FitSeconds),
            runs.Sum(r => r.PredictSeconds));
    }

    private sealed record Part(
        int Number, string Name, bool IsChosen, double[] Probabilities, bool[] Labels, double FitSeconds, double PredictSeconds);
}
