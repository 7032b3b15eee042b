using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Impact;

/// <summary>Leads of each group.</summary>
internal readonly record struct Arms(long Treated, long Holdout);

/// <summary>What an experiment says about the automation at an instant.</summary>
/// <param name="Id">In <c>experiments</c>.</param>
/// <param name="Name">As given at its start.</param>
/// <param name="Share">Of leads that are held out, 0 to 0.5.</param>
/// <param name="HorizonDays">Days from a lead's assignment over which its outcome is observed.</param>
/// <param name="StartedAt">Leads that entered before are no part of it.</param>
/// <param name="EndedAt">Null: it was still running.</param>
/// <param name="Until">Leads assigned by then have been observed for their whole horizon and are compared.</param>
/// <param name="Assigned">Leads that were given a group.</param>
/// <param name="Observed">Those of them that are compared.</param>
/// <param name="Indicators">In the order of <see cref="Indicator.All"/>.</param>
internal sealed record ImpactEstimate(
    long Id, string Name, double Share, int HorizonDays, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, DateTimeOffset Until, Arms Assigned, Arms Observed,
    IReadOnlyList<IndicatorEstimate> Indicators)
{
    /// <summary>False where the groups' sizes are not what chance makes of the share: then something interferes with the assignment.</summary>
    public bool IsBalanced => Estimator.IsBalanced(Assigned.Treated, Assigned.Holdout, Share);

    /// <summary>
    /// The estimate of one experiment, or of the latest that had begun, at <paramref name="asOf"/>: leads whose horizon had passed by then, and by
    /// the end of the experiment. Reads with whatever snapshot the connection's transaction has; the same data give the same estimate.
    /// </summary>
    /// <returns>Null where there was no such experiment by then.</returns>
    public static async Task<ImpactEstimate?> ReadAsync(NpgsqlConnection connection, DateTimeOffset asOf, long? id, CancellationToken cancellationToken)
    {
        var found = await connection.QueryStatementAsync(
            "experiments/experiment",
            [("as_of", asOf), ("id", id)],
            row => new ImpactEstimate(
                row.GetInt64(0), row.GetString(1), row.GetInt32(2) / 1000.0, row.GetInt32(3), Instant(row, 4)!.Value, Instant(row, 5), default,
                new Arms(row.GetInt64(6), row.GetInt64(7)), default, []),
            cancellationToken);
        if (found.Count == 0)
        {
            return null;
        }

        var experiment = found[0];
        // A lead that was released before its horizon was over did get automated contact: it is no holdout any more.
        var until = (experiment.EndedAt ?? asOf).AddDays(-experiment.HorizonDays);
        var (treated, holdout) = await ObserveAsync(connection, experiment, until, cancellationToken);
        return experiment with
        {
            Until = until,
            Observed = new Arms(treated.Count, holdout.Count),
            Indicators = [.. Indicator.All.Select(indicator => Estimator.Estimate(indicator, treated, holdout))],
        };
    }

    /// <summary>One pass over the leads, none of which is kept.</summary>
    private static async Task<(Moments Treated, Moments Holdout)> ObserveAsync(
        NpgsqlConnection connection, ImpactEstimate experiment, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var (treated, holdout) = (Estimator.NewMoments(), Estimator.NewMoments());
        var values = new double[Enum.GetValues<Outcome>().Length];
        await using var command = Sql.Command(
            connection, "experiments/outcomes", ("id", experiment.Id), ("horizon", experiment.HorizonDays), ("started_at", experiment.StartedAt), ("until_at", until));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = reader.GetDouble(i + 1);
            }

            (reader.GetBoolean(0) ? holdout : treated).Add(values);
        }

        return (treated, holdout);
    }

    private static DateTimeOffset? Instant(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : new DateTimeOffset(row.GetDateTime(column), TimeSpan.Zero);
}
