namespace SalesTasks.Predictions.Training;

/// <summary>
/// Win rates by stage and source: what answers where no model is published, and what a model has to beat. A source's rate in a stage is pulled
/// to the stage's, the stage's to the overall one, the more the fewer deals there are.
/// </summary>
/// <param name="Overall">Of all deals.</param>
/// <param name="Stages">By stage.</param>
/// <param name="Sources">By stage and source.</param>
internal sealed record StagePrior(
    double Overall, IReadOnlyDictionary<string, double> Stages, IReadOnlyDictionary<(string Stage, string Source), double> Sources)
{
    /// <summary>Deals at the higher rate that a cell is taken to have had before.</summary>
    private const double Pull = 20;

    public static StagePrior Fit(DealSnapshots snapshots, int[] rows)
    {
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        var sources = snapshots.Texts(DealSnapshots.SourceColumn);
        double Rate(IReadOnlyCollection<int> cell, double parent)
        {
            // Snapshots of one deal are one observation.
            var deals = cell.Select(row => snapshots.Groups[row]).Distinct().Count();
            var rate = cell.Count == 0 ? parent : cell.Count(row => snapshots.Moments[row].Won is true) / (double)cell.Count;
            return ((deals * rate) + (Pull * parent)) / (deals + Pull);
        }

        // One win and one loss beforehand: no rate is 0 or 1.
        var overall = (rows.Count(row => snapshots.Moments[row].Won is true) + 1.0) / (rows.Length + 2);
        var byStage = rows.GroupBy(row => stages[row]!).ToDictionary(g => g.Key, g => Rate([.. g], overall));
        var bySource = rows.GroupBy(row => (stages[row]!, sources[row]!)).ToDictionary(g => g.Key, g => Rate([.. g], byStage[g.Key.Item1]));
        return new StagePrior(overall, byStage, bySource);
    }

    public double Probability(string stage, string source) =>
        Sources.TryGetValue((stage, source), out var rate) ? rate : Stages.GetValueOrDefault(stage, Overall);

    /// <summary>Of each of the rows.</summary>
    public double[] Probabilities(DealSnapshots snapshots, int[] rows)
    {
        var stages = snapshots.Texts(DealSnapshots.StageColumn);
        var sources = snapshots.Texts(DealSnapshots.SourceColumn);
        return [.. rows.Select(row => Probability(stages[row]!, sources[row]!))];
    }

    public double[] Logits(DealSnapshots snapshots, int[] rows) => [.. Probabilities(snapshots, rows).Select(Learning.Logits.Of)];
}
