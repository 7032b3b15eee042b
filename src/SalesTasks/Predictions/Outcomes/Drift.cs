using System.Text.Json;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>One line of <c>ml_drift</c>.</summary>
/// <param name="Measure">psi or calibration.</param>
/// <param name="Feature">Empty for calibration.</param>
/// <param name="Value">Null where too few deals tell.</param>
/// <param name="Level">stable, moderate, high, unknown.</param>
/// <param name="Deals">Deals it was computed from.</param>
/// <param name="Expected">Calibration: mean prediction.</param>
/// <param name="Observed">Calibration: share won.</param>
internal sealed record DriftLine(string Measure, string Feature, double? Value, string Level, int Deals, double? Expected = null, double? Observed = null);

/// <summary>Measures once a UTC day how far open deals are from those learned from, and how past predictions did.</summary>
internal static class Drift
{
    /// <summary>Fewer deals differ by chance alone.</summary>
    public const int FewestDeals = 100;

    /// <summary>Of more deals the index is no more exact than anybody needs.</summary>
    private const int MostDeals = 20_000;

    /// <summary>Measures the published models that were not measured today; does nothing where all were.</summary>
    /// <returns>Models measured.</returns>
    public static async Task<int> MeasureAsync(SalesDatabase database, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        // The database keeps microseconds; an instant finer than that would not be found again.
        asOf = asOf.AddTicks(-(asOf.Ticks % TimeSpan.TicksPerMicrosecond));
        await using var connection = await database.OpenAsync(cancellationToken);
        var due = await connection.QueryStatementAsync(
            "predictions/drift_due", [("as_of", asOf)], row => (Id: row.GetInt64(0), Kind: row.GetString(1), Metrics: row.GetString(2)), cancellationToken);
        if (due.Count == 0)
        {
            return 0;
        }

        var ids = await connection.QueryStatementAsync(
            "predictions/drift_deals", [("as_of", asOf), ("limit", MostDeals)], row => row.GetInt64(0), cancellationToken);
        var open = await DealSnapshots.ReadAsync(connection, [.. ids.Order().Select(id => new Moment(id, asOf, null, null))], cancellationToken);
        var lines = new List<(long Id, List<DriftLine> Lines)>();
        foreach (var (id, kind, metrics) in due)
        {
            using var figures = JsonDocument.Parse(metrics);
            var own = figures.RootElement.TryGetProperty("distribution", out var spreads)
                ? Indices(spreads.Deserialize<Dictionary<string, FeatureSpread>>()!, open)
                : [];
            if (kind == ModelKinds.WinProbability.Name && figures.RootElement.TryGetProperty("maturity_days", out var maturity))
            {
                own.Add(await CalibrationAsync(connection, asOf, maturity.GetInt32(), cancellationToken));
            }

            lines.Add((id, own));
        }

        await database.InTransactionAsync(
            async (session, _, token) =>
            {
                foreach (var (id, own) in lines)
                {
                    await KeepAsync(session, id, own, asOf, token);
                }
            },
            cancellationToken);
        return lines.Count;
    }

    /// <summary>The index of each feature that both know.</summary>
    public static List<DriftLine> Indices(IReadOnlyDictionary<string, FeatureSpread> then, DealSnapshots open)
    {
        var rows = open.AllRows;
        return
        [
            .. open.Table.Columns.Where(c => then.ContainsKey(c.Name)).Select(column =>
            {
                if (rows.Length < FewestDeals)
                {
                    return new DriftLine("psi", column.Name, null, "unknown", rows.Length);
                }

                var index = Distribution.Psi(then[column.Name].Shares, Distribution.Shares(then[column.Name], column, rows));
                return new DriftLine("psi", column.Name, index, Level(index, 0.1, 0.25), rows.Length);
            }),
        ];
    }

    private static async Task<DriftLine> CalibrationAsync(
        NpgsqlConnection connection, DateTimeOffset asOf, int maturityDays, CancellationToken cancellationToken)
    {
        var (deals, error, expected, observed) = (await connection.QueryStatementAsync(
            "predictions/past_predictions",
            [("as_of", asOf), ("days", maturityDays)],
            row => (row.GetInt32(0), Optional(row, 1), Optional(row, 2), Optional(row, 3)),
            cancellationToken))[0];
        return deals < FewestDeals
            ? new DriftLine("calibration", "", null, "unknown", deals, expected, observed)
            : new DriftLine("calibration", "", error, Level(error!.Value, 0.05, 0.1), deals, expected, observed);
    }

    private static string Level(double value, double moderate, double high) => value < moderate ? "stable" : value < high ? "moderate" : "high";

    private static Task<int> KeepAsync(NpgsqlConnection connection, long id, List<DriftLine> lines, DateTimeOffset asOf, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync(
            "predictions/keep_drift",
            [
                ("model_id", id),
                ("as_of", asOf),
                ("measures", lines.Select(l => l.Measure).ToArray()),
                ("features", lines.Select(l => l.Feature).ToArray()),
                ("values", lines.Select(l => l.Value).ToArray()),
                ("levels", lines.Select(l => l.Level).ToArray()),
                ("deals", lines.Select(l => l.Deals).ToArray()),
                ("expected", lines.Select(l => l.Expected).ToArray()),
                ("observed", lines.Select(l => l.Observed).ToArray()),
            ],
            cancellationToken);

    private static double? Optional(NpgsqlDataReader row, int place) => row.IsDBNull(place) ? null : row.GetDouble(place);
}
