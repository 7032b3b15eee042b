using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Outcomes;

namespace SalesTasks.Predictions.Training;

/// <summary>
/// <c>ml train</c>: learns win probability, deal value, time to close and risk from the team's own deals; publishes of each kind what passes its gate.
/// </summary>
internal static class TrainModel
{
    /// <summary>
    /// A recent moment's outcome is known only for deals that ended quickly, and wins are quicker than losses. A moment counts once the share of its
    /// deals that is still open is no more than this above that of the oldest moments: those few are forgotten, not undecided.
    /// </summary>
    private const double StillOpen = 0.03;

    private const double TestShare = 0.2;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        var (moments, spacing) = await DealSnapshots.MomentsAsync(connection, context.AsOf, cancellationToken);
        var material = await Material.ReadAsync(
            connection, moments, context.AsOf, context.Parameters.Get(PredictionJobs.Seed), context.Parameters.Get(PredictionJobs.MinOutcomes), context.Time, cancellationToken)
            with
        { MaturityDays = MaturityDays(moments, context.AsOf), SpacingDays = spacing };
        context.Log.Information("learning from {Snapshots} snapshots of {Deals} deals", material.Snapshots.Moments.Count, moments.DistinctBy(m => m.PipelineId).Count());
        var win = await CurrentAsync(ModelKinds.WinProbability);
        var value = await CurrentAsync(ModelKinds.DealValue);
        var time = await CurrentAsync(ModelKinds.TimeToClose);
        var risk = await CurrentAsync(ModelKinds.Risk);

        // Win probability takes as long as the others together.
        var others = Task.Run(
            () => (List<KindOutcome>)
            [
                ValueTrial.Train(material, value, cancellationToken),
                TimeTrial.Train(material, time, cancellationToken),
                RiskTrial.Train(material, risk, cancellationToken),
            ],
            cancellationToken);
        List<KindOutcome> outcomes = [await Task.Run(() => TrainWin(material, win, cancellationToken), cancellationToken), .. await others];
        var ids = context.DryRun ? new long?[outcomes.Count] : await context.Database.InTransactionAsync(
            (open, _, token) => KeepAsync(open, outcomes, context.AsOf, token), cancellationToken);
        if (!context.DryRun)
        {
            await Drift.MeasureAsync(context.Database, context.AsOf, cancellationToken);
        }

        return Result(material, outcomes, ids);

        async Task<StoredModel<T>?> CurrentAsync<T>(ModelKind<T> kind)
            where T : class, IKeptModel
        {
            var current = await ModelRegistry.PublishedAsync(connection, kind, cancellationToken);
            if (current?.Fault is not null)
            {
                context.Log.Warning("{Fault:l}", current.FaultText);
            }

            return current;
        }
    }

    /// <summary>Win probability, from moments whose deals have nearly all ended.</summary>
    private static KindOutcome TrainWin(Material material, StoredModel<BlendModel>? current, CancellationToken cancellationToken)
    {
        var kind = ModelKinds.WinProbability.Name;
        if (material.MaturityDays is not { } maturity)
        {
            return KindOutcome.Nothing(kind, "no past moment's deals have nearly all ended yet");
        }

        var snapshots = material.Snapshots.Take(Mature(material));
        var (won, lost) = Outcomes(snapshots.Moments);
        if (Math.Min(won, lost) < material.Fewest)
        {
            return KindOutcome.Nothing(kind, $"too few outcomes to learn from: {won} won and {lost} lost deals; needed: {material.Fewest} of each");
        }

        var rows = Enumerable.Range(0, snapshots.Moments.Count).ToArray();
        var trial = new Trial(snapshots, material.Seed, material.Time);
        var verdict = trial.Judge(TestShare, current, cancellationToken);
        // What is published has also seen the rows that judged it: more data, and the newest.
        using var competition = Competition.Fit(snapshots.Table, rows, snapshots.Labels, trial.Settings, cancellationToken);
        var refusal = verdict.Refusal ?? (competition.Chosen.Name == Competition.Prior ? "nothing known about deals predicts their outcome" : null);
        const string Reason = "it beats what predicted before and is calibrated";
        var metrics = verdict.Figures(maturity, material.SpacingDays);
        metrics["distribution"] = material.Spread;
        return new KindOutcome(
            kind,
            TrainedModel.Of(ModelKinds.WinProbability, competition.Export(), material, snapshots, JsonSerializer.Serialize(metrics), Reason),
            refusal,
            refusal ?? Reason,
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["log_loss"] = Math.Round(verdict.Own.LogLoss, 5),
                ["prior_log_loss"] = Math.Round(verdict.Prior.LogLoss, 5),
                ["auc"] = double.IsNaN(verdict.Own.Auc) ? null : Math.Round(verdict.Own.Auc, 4),
                ["ece"] = Math.Round(verdict.Own.Ece, 4),
            })
        { CurrentId = current?.Id };
    }

    /// <summary>Keeps what was trained, in one transaction.</summary>
    /// <returns>The models' numbers; null where there was nothing to learn from.</returns>
    private static async Task<long?[]> KeepAsync(
        NpgsqlConnection connection, List<KindOutcome> outcomes, DateTimeOffset asOf, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("predictions/lock_models", [], cancellationToken);
        var ids = new long?[outcomes.Count];
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (outcomes[i].Trained is not { } trained)
            {
                continue;
            }

            var now = await connection.ScalarStatementAsync<long>("predictions/published_model", [("kind", outcomes[i].Kind)], cancellationToken);
            if (now != (outcomes[i].CurrentId ?? 0) && outcomes[i].Refusal is null)
            {
                // Another training published meanwhile: ours was compared with the one before.
                const string Late = "another model was published while this one was trained";
                outcomes[i] = outcomes[i] with { Refusal = Late, Reason = Late };
            }

            ids[i] = await ModelRegistry.RegisterAsync(connection, trained, outcomes[i].Refusal, asOf, cancellationToken);
        }

        return ids;
    }

    /// <summary>Win probability's figures as they always were, and each other kind's under its name.</summary>
    private static JobResult Result(Material material, List<KindOutcome> outcomes, long?[] ids)
    {
        var (won, lost) = Outcomes([.. Mature(material).Select(row => material.Snapshots.Moments[row])]);
        var trained = outcomes.Exists(o => o.Trained is not null);
        var details = new Dictionary<string, object?>(Details(0), StringComparer.Ordinal);
        for (var i = 1; i < outcomes.Count; i++)
        {
            details[outcomes[i].Kind] = Details(i);
        }

        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["snapshots"] = trained ? material.Snapshots.Moments.Count : 0,
            ["won"] = won,
            ["lost"] = lost,
            ["published"] = outcomes.Count(o => o.Refusal is null),
        })
        {
            NothingToDo = !trained,
            Details = details,
        };

        Dictionary<string, object?> Details(int i) => new(
            [
                KeyValuePair.Create<string, object?>("model", ids[i]),
                KeyValuePair.Create<string, object?>("published", outcomes[i].Refusal is null),
                KeyValuePair.Create<string, object?>("algorithm", outcomes[i].Trained?.Algorithm),
                KeyValuePair.Create<string, object?>("reason", outcomes[i].Reason),
                .. outcomes[i].Figures,
            ],
            StringComparer.Ordinal);
    }

    private static int[] Mature(Material material) => material.MaturityDays is { } maturity
        ? material.Snapshots.Where(m => m.ClosedAt is not null && m.At <= material.AsOf.AddDays(-maturity))
        : [];

    /// <summary>Days after which nearly all deals that were open at a moment have ended; null where there are no such moments.</summary>
    public static int? MaturityDays(IReadOnlyList<Moment> moments, DateTimeOffset asOf)
    {
        const int Step = 28;
        var groups = moments.GroupBy(m => (int)((asOf - m.At).TotalDays / Step)).OrderByDescending(g => g.Key)
            .Select(g => (Days: g.Key * Step, Open: g.Count(m => m.ClosedAt is null), All: g.Count())).ToList();
        var oldest = groups.Take((groups.Count + 3) / 4).ToList();
        var forgotten = oldest.Sum(g => g.Open) / (double)Math.Max(oldest.Sum(g => g.All), 1);
        // Where even half of the oldest deals are open, nothing has ended yet.
        var enough = groups.TakeWhile(g => g.Open <= (forgotten + StillOpen + (1 / Math.Sqrt(g.All) / 4)) * g.All).ToList();
        return forgotten < 0.5 && enough.Count > 0 ? Math.Max(enough[^1].Days, Step) : null;
    }

    private static (int Won, int Lost) Outcomes(IReadOnlyList<Moment> moments)
    {
        var deals = moments.DistinctBy(m => m.PipelineId).ToList();
        var won = deals.Count(m => m.Won is true);
        return (won, deals.Count - won);
    }
}
