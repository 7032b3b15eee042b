using System.Text.Json;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>Learns what deals bring from won deals, and judges it by the newest of them.</summary>
internal static class ValueTrial
{
    /// <summary>Fewer say nothing about an interval.</summary>
    private const int FewestTestDeals = 30;

    /// <summary>The share of values that the interval is to hold, and how far off it may be beyond chance.</summary>
    private const double Coverage = 0.8;

    private const double CoverageSlack = 0.05;

    public static KindOutcome Train(Material material, StoredModel<ValueModel>? current, CancellationToken cancellationToken)
    {
        var kind = ModelKinds.DealValue.Name;
        var snapshots = material.Snapshots;
        if (material.MaturityDays is not { } maturity)
        {
            return KindOutcome.Nothing(kind, "no past moment's deals have nearly all ended yet");
        }

        // A deal counts once, as it stood first: its value does not become truer by being open long.
        var seen = new HashSet<long>();
        var rows = snapshots.Where(m =>
            m.Won is true && m.At <= material.AsOf.AddDays(-maturity) && material.WonValues.ContainsKey(m.PipelineId) && seen.Add(m.PipelineId));
        if (rows.Length < material.Fewest)
        {
            return KindOutcome.Nothing(kind, $"too few won deals with a known value: {rows.Length}; needed: {material.Fewest}");
        }

        // The columns hold the won deals alone, so that levels and quantiles are theirs.
        var deals = snapshots.Take(rows);
        var values = deals.Moments.Select(m => material.WonValues[m.PipelineId]).ToArray();
        var all = Enumerable.Range(0, rows.Length).ToArray();
        var (train, test) = Split.Newest(all, 0.2);
        var candidates = ValueModel.Candidates(deals.Take(train), values[..train.Length], material.Seed, cancellationToken);
        var groups = test.Select(row => deals.Groups[row]).ToArray();
        double[] Errors(ValueModel of) => [.. of.Predict(deals, test).Select((p, i) => Math.Abs(p.Middle - values[test[i]]))];
        GainInterval Over(double[] before, double[] now) => PublishGate.Interval([.. before.Zip(now, (b, n) => b - n)], groups, material.Seed);
        var (model, errors) = candidates[0];
        var ownErrors = Errors(model);
        foreach (var (other, own) in candidates.Skip(1))
        {
            // The simpler one stays unless the other is credibly better both on folds of the older deals and on the newest.
            var otherErrors = Errors(other);
            if (Gain.Of([.. errors.Zip(own, (before, now) => before - now)]).IsCredible && Over(ownErrors, otherErrors).Low > 0)
            {
                (model, errors, ownErrors) = (other, own, otherErrors);
            }
        }

        var said = model.Predict(deals, test);
        var held = said.Where((p, i) => values[test[i]] >= p.Low && values[test[i]] <= p.High).Count() / (double)Math.Max(test.Length, 1);
        var maes = candidates.ToDictionary(c => c.Model.Algorithm, c => Errors(c.Model).Average(), StringComparer.Ordinal);
        var overSimplest = Over(Errors(candidates[0].Model), ownErrors);
        var (overCurrent, currentDeals) = AgainstCurrent(deals, test, values, ownErrors, current, material.Seed);
        var refusal = Refuse(test.Length, held) ?? PublishGate.AgainstCurrent(overCurrent, currentDeals);
        var final = ValueModel.Candidates(deals, values, material.Seed, cancellationToken).Single(c => c.Model.Algorithm == model.Algorithm).Model;
        var reason = model.Algorithm == ValueModel.Global
            ? "nothing known about deals tells their value credibly better than the median"
            : $"its mean absolute error is {maes[model.Algorithm]:0} against {maes[ValueModel.Global]:0} of the median; its interval held {held:P0}";
        var metrics = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["test"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["mae"] = maes[model.Algorithm], ["coverage"] = held },
            ["prior"] = new Dictionary<string, object?>(StringComparer.Ordinal) { ["mae"] = maes[ValueModel.Global] },
            ["candidates"] = maes,
            ["gain_over_prior"] = overSimplest,
            ["gain_over_current"] = overCurrent,
            ["test_deals"] = test.Length,
            ["test_from"] = deals.Moments[test[0]].At,
            ["maturity_days"] = maturity,
            ["spacing_days"] = material.SpacingDays,
            ["products"] = Products(deals, final, values),
            ["distribution"] = material.Spread,
        };
        return new KindOutcome(
            kind,
            TrainedModel.Of(ModelKinds.DealValue, final, material, deals, JsonSerializer.Serialize(metrics), reason),
            refusal,
            refusal ?? reason,
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["mae"] = Math.Round(maes[model.Algorithm], 2),
                ["prior_mae"] = Math.Round(maes[ValueModel.Global], 2),
                ["coverage"] = Math.Round(held, 4),
            })
        { CurrentId = current?.Id };
    }

    /// <summary>What the model says of won deals that ended after an instant, by name.</summary>
    public static Dictionary<string, object?> Evaluate(ValueModel model, DealSnapshots snapshots, IReadOnlyDictionary<long, double> values)
    {
        var seen = new HashSet<long>();
        var rows = snapshots.Where(m => m.Won is true && values.ContainsKey(m.PipelineId) && seen.Add(m.PipelineId));
        var said = model.Predict(snapshots, rows);
        var known = rows.Select(row => values[snapshots.Moments[row].PipelineId]).ToArray();
        return new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["deals"] = rows.Length,
            ["mae"] = rows.Length == 0 ? null : said.Select((p, i) => Math.Abs(p.Middle - known[i])).Average(),
            ["coverage"] = rows.Length == 0 ? null : said.Where((p, i) => known[i] >= p.Low && known[i] <= p.High).Count() / (double)rows.Length,
        };
    }

    private static string? Refuse(int testDeals, double held)
    {
        if (testDeals < FewestTestDeals)
        {
            return $"only {testDeals} deals can judge it; needed: {FewestTestDeals}";
        }

        var allowed = CoverageSlack + (2 * Math.Sqrt(Coverage * (1 - Coverage) / testDeals));
        return Math.Abs(held - Coverage) > allowed ? $"its 80 % interval held {held:P0} of the values; allowed: {Coverage - allowed:P0} to {Coverage + allowed:P0}" : null;
    }

    private static (GainInterval? Gain, int? Deals) AgainstCurrent(
        DealSnapshots deals, int[] test, double[] values, double[] errors, StoredModel<ValueModel>? current, int seed)
    {
        if (current?.Model is not { } model)
        {
            return (null, null);
        }

        var places = Enumerable.Range(0, test.Length).Where(i => deals.Moments[test[i]].ClosedAt > current.DataTo).ToArray();
        if (places.Length == 0)
        {
            return (null, 0);
        }

        var said = model.Predict(deals, [.. places.Select(i => test[i])]);
        return (
            PublishGate.Interval(
                [.. places.Select((i, k) => Math.Abs(said[k].Middle - values[test[i]]) - errors[i])], [.. places.Select(i => deals.Groups[test[i]])], seed),
            places.Length);
    }

    /// <summary>What the model says of each product, beside what its deals brought.</summary>
    private static List<Dictionary<string, object?>> Products(DealSnapshots deals, ValueModel model, double[] values)
    {
        var products = deals.Texts("product_interest");
        return [.. Enumerable.Range(0, values.Length).GroupBy(row => products[row] ?? "", StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g =>
        {
            var said = model.Predict(deals, [.. g]);
            var known = g.Select(row => values[row]).Order().ToArray();
            double Known(double share) => known[(int)Math.Round(share * (known.Length - 1))];
            double Said(Func<Predicting.Estimate, double> part) => said.Select(part).Order().ElementAt(said.Length / 2);
            return new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["product"] = g.Key,
                ["deals"] = known.Length,
                ["said"] = new[] { Said(p => p.Low), Said(p => p.Middle), Said(p => p.High) },
                ["known"] = new[] { Known(0.1), Known(0.5), Known(0.9) },
            };
        })];
    }
}
