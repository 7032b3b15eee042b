using Npgsql;
using SalesTasks.Database;
using SalesTasks.Predictions.Outcomes;

namespace SalesTasks.Predictions.Training;

/// <summary>What all kinds of models learn from, read once.</summary>
/// <param name="Snapshots">Deals as they stood at past moments, the oldest first.</param>
/// <param name="WonValues">What won deals brought.</param>
/// <param name="Silent">Whether nothing happened to a snapshot's deal for <see cref="RiskTrial.HorizonDays"/> after it.</param>
/// <param name="AsOf">The instant worked at.</param>
/// <param name="Seed">Of all draws.</param>
/// <param name="Fewest">Outcomes of each kind without which nothing is learned.</param>
/// <param name="Time">Measures how long fits take.</param>
internal sealed record Material(
    DealSnapshots Snapshots, IReadOnlyDictionary<long, double> WonValues, bool[] Silent, DateTimeOffset AsOf, int Seed, int Fewest, TimeProvider Time)
{
    /// <summary>The newest share of the time judges.</summary>
    private const double NewestShare = 0.25;

    /// <summary>Days on the way to the newest horizon that has to be judged.</summary>
    private const double LongestTest = 90;

    /// <summary>How old moments are at which nearly all deals have ended; null: not known yet.</summary>
    public int? MaturityDays { get; init; }

    /// <summary>Days between the snapshots of a deal.</summary>
    public int SpacingDays { get; init; }

    /// <summary>How features were spread over all deals at all moments, as deals are met when they are predicted: what drift is measured from.</summary>
    public IReadOnlyDictionary<string, FeatureSpread> Spread => Distribution.Of(Snapshots, Snapshots.AllRows);

    /// <summary>
    /// The instant at which a trial stands: it learns only from what was known then and is judged by what came. A deal that was open then lies on
    /// both sides, with what was known of it on each.
    /// </summary>
    public DateTimeOffset Border
    {
        get
        {
            var span = (AsOf - Snapshots.Moments[0].At).TotalDays;
            return AsOf.AddDays(-Math.Max(span * NewestShare, Math.Min(LongestTest, span / 2)));
        }
    }

    public static async Task<Material> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<Moment> moments, DateTimeOffset asOf, int seed, int fewest, TimeProvider time, CancellationToken cancellationToken)
    {
        var snapshots = await DealSnapshots.ReadAsync(connection, moments, cancellationToken);
        var values = await connection.QueryStatementAsync(
            "predictions/won_values", [("as_of", asOf)], row => (Id: row.GetInt64(0), Value: row.GetDouble(1)), cancellationToken);
        var silent = new bool[snapshots.Moments.Count];
        foreach (var chunk in Enumerable.Range(0, silent.Length).Chunk(10_000))
        {
            foreach (var place in await connection.QueryStatementAsync(
                "predictions/silent_moments",
                [
                    ("pipeline_ids", chunk.Select(row => snapshots.Moments[row].PipelineId).ToArray()),
                    ("instants", chunk.Select(row => snapshots.Moments[row].At.UtcDateTime).ToArray()),
                    ("days", RiskTrial.HorizonDays),
                ],
                row => row.GetInt64(0),
                cancellationToken))
            {
                silent[chunk[(int)place - 1]] = true;
            }
        }

        return new Material(snapshots, values.ToDictionary(v => v.Id, v => v.Value), silent, asOf, seed, fewest, time);
    }

    /// <summary>At most so many rows, of whole deals.</summary>
    public int[] Thin(int[] rows, int most)
    {
        var every = (rows.Length + most - 1) / Math.Max(most, 1);
        return every <= 1 ? rows : [.. rows.Where(row => Snapshots.Groups[row] % every == 0)];
    }

    public int Deals(IEnumerable<int> rows) => rows.Select(row => Snapshots.Groups[row]).Distinct().Count();
}

/// <summary>What came of one kind's training.</summary>
/// <param name="Kind">As in <c>ml_models.kind</c>.</param>
/// <param name="Trained">Null where there was too little to learn from.</param>
/// <param name="Refusal">Why it is not published; null where it is.</param>
/// <param name="Reason">In words for people, published or not.</param>
/// <param name="Figures">The main ones.</param>
internal sealed record KindOutcome(
    string Kind, TrainedModel? Trained, string? Refusal, string Reason, IReadOnlyDictionary<string, object?> Figures)
{
    /// <summary>The published model it was compared with.</summary>
    public long? CurrentId { get; init; }

    public static KindOutcome Nothing(string kind, string reason) =>
        new(kind, null, reason, reason, new Dictionary<string, object?>(StringComparer.Ordinal));
}
