using System.Text.Json.Serialization;

namespace SalesTasks.Predictions.Learning;

/// <summary>One fit of a blend.</summary>
/// <param name="Encoder">How it reads columns.</param>
/// <param name="Linear">Null where the blend has no linear part.</param>
/// <param name="Trees">Boosters in LightGBM's text form; empty where the blend has none.</param>
internal sealed record BlendMember(Encoder Encoder, LogisticRegression? Linear, IReadOnlyList<string> Trees);

/// <summary>
/// A fitted model as it is kept: the mean of its members' log-odds, calibrated. All of it is a sum on the log-odds scale, so contributions of
/// columns add up exactly.
/// </summary>
/// <param name="Algorithm">The winning candidate's name.</param>
/// <param name="LinearWeight">Share of the linear log-odds.</param>
/// <param name="TreeWeight">Share of the trees' log-odds.</param>
/// <param name="Calibration">Applied to the sum.</param>
/// <param name="Members">Fits on different parts of the training rows.</param>
internal sealed record BlendModel(
    string Algorithm, double LinearWeight, double TreeWeight, Calibration Calibration, IReadOnlyList<BlendMember> Members) : IKeptModel
{
    /// <summary>Changes whenever content written before can no longer be read.</summary>
    public const int Format = 1;

    /// <summary>Why this machine cannot use it; null where it can.</summary>
    [JsonIgnore]
    public string? Unusable => TreeWeight > 0 ? LightGbmNative.Unavailable : null;

    /// <summary>Opens the model for predicting.</summary>
    public BlendPredictor Open() => new(this);
}

/// <summary>A model with its trees loaded. Not safe for two threads at once.</summary>
internal sealed class BlendPredictor : IDisposable
{
    private readonly BlendModel _model;
    private readonly List<(BlendMember Member, List<Booster> Boosters)> _members = [];
    private readonly List<List<TreeExplainer>> _explainers = [];

    public BlendPredictor(BlendModel model)
    {
        _model = model;
        try
        {
            foreach (var member in model.Members)
            {
                _members.Add((member, []));
                foreach (var text in member.Trees)
                {
                    _members[^1].Boosters.Add(Booster.Load(text));
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Calibrated log-odds of each row.</summary>
    public double[] Logits(DataTable table, int[] rows) => Predict(table, rows).Logits;

    /// <summary>
    /// Calibrated log-odds of each row with their standard error: members were each fitted without another part of the deals, so their spread is
    /// the delete-a-group jackknife's (Kott 2001). It tells how sure the fit is, not what is recorded nowhere.
    /// </summary>
    public (double[] Logits, double[] Errors) Predict(DataTable table, int[] rows)
    {
        var sums = new double[rows.Length];
        var squares = new double[rows.Length];
        var own = new double[rows.Length];
        foreach (var (member, boosters) in _members)
        {
            Array.Clear(own);
            var encoded = member.Encoder.Encode(table, rows);
            if (member.Linear is { } linear)
            {
                for (var i = 0; i < rows.Length; i++)
                {
                    own[i] += _model.LinearWeight * linear.Logit(encoded.Linear, i);
                }
            }

            foreach (var booster in boosters)
            {
                var logits = booster.Logits(encoded, AllTrees);
                for (var i = 0; i < rows.Length; i++)
                {
                    own[i] += _model.TreeWeight * logits[i] / boosters.Count;
                }
            }

            for (var i = 0; i < rows.Length; i++)
            {
                sums[i] += own[i] / _members.Count;
                squares[i] += own[i] * own[i] / _members.Count;
            }
        }

        return (
            [.. sums.Select(_model.Calibration.Apply)],
            [.. sums.Select((sum, i) => _model.Calibration.Slope * Math.Sqrt(Math.Max(squares[i] - (sum * sum), 0) * (_members.Count - 1)))]);
    }

    /// <summary>
    /// What each column adds to each row's log-odds, exactly: TreeSHAP for trees (Lundberg 2018), weight × value for the linear part, whose
    /// intercept goes to the base. For each row one value a name of <see cref="Columns"/>, then the base; they add up to
    /// <see cref="Logits"/>.
    /// </summary>
    public double[][] Explain(DataTable table, int[] rows)
    {
        var places = Columns.Select((name, place) => (name, place)).ToDictionary(c => c.name, c => c.place, StringComparer.Ordinal);
        var result = rows.Select(_ => new double[places.Count + 1]).ToArray();
        if (_explainers.Count == 0)
        {
            _explainers.AddRange(_model.Members.Select(m => m.Trees.Select(text => new TreeExplainer(text)).ToList()));
        }

        for (var m = 0; m < _members.Count; m++)
        {
            var member = _members[m].Member;
            var encoded = member.Encoder.Encode(table, rows);
            var blocks = member.Encoder.Blocks.Select(b => places[b.Column]).ToArray();
            var linearOwners = member.Encoder.LinearOwners;
            var treeOwners = member.Encoder.TreeOwners;
            if (member.Linear is { } linear)
            {
                var share = _model.Calibration.Slope * _model.LinearWeight / _members.Count;
                for (var i = 0; i < rows.Length; i++)
                {
                    var columns = encoded.Linear.ColumnsOf(i);
                    var values = encoded.Linear.ValuesOf(i);
                    for (var k = 0; k < columns.Length; k++)
                    {
                        result[i][blocks[linearOwners[columns[k]]]] += share * linear.Weights[columns[k]] * values[k];
                    }

                    result[i][^1] += share * linear.Intercept;
                }
            }

            var width = treeOwners.Count;
            var treePlaces = treeOwners.Select(owner => blocks[owner]).ToArray();
            foreach (var explainer in _explainers[m])
            {
                var share = _model.Calibration.Slope * _model.TreeWeight / _explainers[m].Count / _members.Count;
                for (var i = 0; i < rows.Length; i++)
                {
                    explainer.Add(encoded.Tree.AsSpan(i * width, width), treePlaces, share, result[i]);
                }
            }
        }

        foreach (var row in result)
        {
            row[^1] += _model.Calibration.Shift;
        }

        return result;
    }

    /// <summary>Names of the columns that any member reads.</summary>
    public IReadOnlyList<string> Columns => [.. _model.Members.SelectMany(m => m.Encoder.Blocks).Select(b => b.Column).Distinct(StringComparer.Ordinal)];

    public void Dispose() => _members.ForEach(m => m.Boosters.ForEach(b => b.Dispose()));

    /// <summary>LightGBM's number for all trees of a model.</summary>
    private const int AllTrees = -1;
}
