using System.Globalization;

namespace SalesTasks.Predictions.Learning;

/// <summary>
/// Exact Shapley values of one booster's trees on the log-odds scale (TreeSHAP, Lundberg 2018), as LightGBM computes them, at a fraction of the cost.
/// What a leaf gives to the features on its path depends only on which of them the row agrees with, and what a whole tree gives only on the way the row
/// goes at each split (Yang 2021): both are computed once and kept. Not safe for two threads at once.
/// </summary>
internal sealed class TreeExplainer
{
    private readonly List<Tree> _trees;

    /// <param name="model">A booster in LightGBM's text form.</param>
    public TreeExplainer(string model) => _trees = [.. Sections(model).Select(section => new Tree(section))];

    /// <summary>Adds to each column's place what it gives to the row, times the factor, and to the last place the base.</summary>
    /// <param name="row">The row's tree columns.</param>
    /// <param name="places">The place of each tree column in the sums.</param>
    /// <param name="factor">What everything counts.</param>
    /// <param name="sums">To be added to.</param>
    public void Add(ReadOnlySpan<float> row, int[] places, double factor, double[] sums)
    {
        foreach (var tree in _trees)
        {
            tree.Add(row, places, factor, sums);
        }
    }

    private static IEnumerable<Dictionary<string, string>> Sections(string model)
    {
        Dictionary<string, string>? section = null;
        foreach (var line in model.Split('\n'))
        {
            if (line.StartsWith("Tree=", StringComparison.Ordinal))
            {
                section = new Dictionary<string, string>(StringComparer.Ordinal);
            }
            else if (line.StartsWith("end of trees", StringComparison.Ordinal))
            {
                break;
            }
            else if (section is not null && line.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
            {
                section[line[..equals]] = line[(equals + 1)..];
            }
            else if (section is { Count: > 0 })
            {
                yield return section;
                section = null;
            }
        }

        if (section is { Count: > 0 })
        {
            yield return section;
        }
    }

    private sealed class Tree
    {
        /// <summary>Ways through a tree that are remembered; rows beyond them are computed leaf by leaf.</summary>
        private const int MostWays = 1024;

        private readonly Split[] _splits;
        private readonly Leaf[] _leaves;
        private readonly int[] _columns;
        private readonly double _base;
        private readonly Dictionary<ulong, double[]> _ways = [];

        public Tree(Dictionary<string, string> section)
        {
            var values = Doubles(section, "leaf_value");
            if (values.Length == 1)
            {
                (_splits, _leaves, _columns, _base) = ([], [], [], values[0]);
                return;
            }

            if (values.Length > 64)
            {
                throw new LightGbmException("a tree of more than 64 leaves");
            }

            _splits = Split.Read(section);
            _columns = [.. _splits.Select(s => s.Column).Distinct()];
            var leafCounts = Doubles(section, "leaf_count");
            var counts = Doubles(section, "internal_count");
            var left = Integers(section, "left_child");
            var right = Integers(section, "right_child");
            var leaves = new List<Leaf>();
            void Walk(int node, List<Step> path)
            {
                if (node < 0)
                {
                    leaves.Add(new Leaf(values[~node], path));
                    return;
                }

                foreach (var (child, goesLeft) in ((int, bool)[])[(left[node], true), (right[node], false)])
                {
                    var share = (child < 0 ? leafCounts[~child] : counts[child]) / counts[node];
                    Walk(child, [.. path, new Step(node, Array.IndexOf(_columns, _splits[node].Column), goesLeft, share)]);
                }
            }

            Walk(0, []);
            _leaves = [.. leaves];
            _base = _leaves.Sum(l => l.Base);
        }

        public void Add(ReadOnlySpan<float> row, int[] places, double factor, double[] sums)
        {
            sums[^1] += factor * _base;
            var way = 0UL;
            for (var s = 0; s < _splits.Length; s++)
            {
                way |= (_splits[s].GoesLeft(row) ? 1UL : 0) << s;
            }

            if (!_ways.TryGetValue(way, out var given))
            {
                given = new double[_columns.Length];
                foreach (var leaf in _leaves)
                {
                    leaf.Add(way, given);
                }

                if (_ways.Count < MostWays)
                {
                    _ways.Add(way, given);
                }
            }

            for (var c = 0; c < given.Length; c++)
            {
                sums[places[_columns[c]]] += factor * given[c];
            }
        }
    }

    /// <summary>A step of a leaf's path.</summary>
    /// <param name="Split">The split.</param>
    /// <param name="Column">Its place among the tree's columns.</param>
    /// <param name="GoesLeft">Where the path goes.</param>
    /// <param name="Share">Of the training rows at the split that go there.</param>
    private readonly record struct Step(int Split, int Column, bool GoesLeft, double Share);

    private sealed class Leaf
    {
        private readonly double _value;
        private readonly int[] _columns;
        private readonly ulong[] _masks;
        private readonly ulong[] _wanted;
        private readonly double[] _shares;
        private readonly Dictionary<int, double[]> _given = [];

        public Leaf(double value, List<Step> path)
        {
            _value = value;
            _columns = [.. path.Select(s => s.Column).Distinct()];
            _masks = [.. _columns.Select(c => path.Where(s => s.Column == c).Aggregate(0UL, (mask, s) => mask | (1UL << s.Split)))];
            _wanted = [.. _columns.Select(c => path.Where(s => s.Column == c && s.GoesLeft).Aggregate(0UL, (mask, s) => mask | (1UL << s.Split)))];
            _shares = [.. _columns.Select(c => path.Where(s => s.Column == c).Aggregate(1.0, (share, s) => share * s.Share))];
            Base = value * _shares.Aggregate(1.0, (product, share) => product * share);
        }

        /// <summary>What it gives to the mean over the training rows.</summary>
        public double Base { get; }

        public void Add(ulong way, double[] sums)
        {
            var agrees = 0;
            for (var c = 0; c < _masks.Length; c++)
            {
                agrees |= ((way ^ _wanted[c]) & _masks[c]) == 0 ? 1 << c : 0;
            }

            if (!_given.TryGetValue(agrees, out var given))
            {
                given = Shapley(agrees);
                _given.Add(agrees, given);
            }

            for (var c = 0; c < given.Length; c++)
            {
                sums[_columns[c]] += given[c];
            }
        }

        /// <summary>
        /// The leaf as a game of its path's columns: a coalition that all agree is worth the value times the shares of those outside it, any other nothing.
        /// The sums over coalitions of each size come from the coefficients of the product of (share + agrees × t), as in TreeSHAP.
        /// </summary>
        private double[] Shapley(int agrees)
        {
            var players = _columns.Length;
            var given = new double[players];
            for (var player = 0; player < players; player++)
            {
                var sums = new double[players];
                sums[0] = 1;
                var others = 0;
                for (var other = 0; other < players; other++)
                {
                    if (other == player)
                    {
                        continue;
                    }

                    others++;
                    var one = (agrees >> other) & 1;
                    for (var size = others; size >= 0; size--)
                    {
                        sums[size] = (sums[size] * _shares[other]) + (size > 0 ? sums[size - 1] * one : 0);
                    }
                }

                // |S|! (n - |S| - 1)! / n!
                var total = 0.0;
                var weight = 1.0 / players;
                for (var size = 0; size < players; size++)
                {
                    total += weight * sums[size];
                    weight *= (size + 1.0) / Math.Max(players - size - 1, 1);
                }

                given[player] = _value * total * (((agrees >> player) & 1) - _shares[player]);
            }

            return given;
        }
    }

    /// <summary>A split as LightGBM decides it (include/LightGBM/tree.h: NumericalDecision, CategoricalDecision).</summary>
    private sealed record Split(int Column, double Threshold, uint[]? Categories, bool DefaultLeft, int Missing)
    {
        private const int MissingZero = 1;
        private const int MissingNaN = 2;
        private const double ZeroThreshold = 1e-35;

        public static Split[] Read(Dictionary<string, string> section)
        {
            var columns = Integers(section, "split_feature");
            var thresholds = Doubles(section, "threshold");
            var decisions = Integers(section, "decision_type");
            var borders = section.ContainsKey("cat_boundaries") ? Integers(section, "cat_boundaries") : [];
            var categories = section.TryGetValue("cat_threshold", out var text) ? Array.ConvertAll(Words(text), w => uint.Parse(w, CultureInfo.InvariantCulture)) : [];
            return [.. columns.Select((column, s) => new Split(
                column,
                thresholds[s],
                (decisions[s] & 1) == 1 ? categories[borders[(int)thresholds[s]]..borders[(int)thresholds[s] + 1]] : null,
                (decisions[s] & 2) == 2,
                (decisions[s] >> 2) & 3))];
        }

        public bool GoesLeft(ReadOnlySpan<float> row)
        {
            var value = (double)row[Column];
            if (Categories is { } categories)
            {
                var code = double.IsNaN(value) ? -1 : (int)value;
                return code >= 0 && code < categories.Length * 32 && ((categories[code / 32] >> (code % 32)) & 1) == 1;
            }

            if (double.IsNaN(value) && Missing != MissingNaN)
            {
                value = 0;
            }

            return (Missing == MissingZero && Math.Abs(value) <= ZeroThreshold) || (Missing == MissingNaN && double.IsNaN(value)) ? DefaultLeft : value <= Threshold;
        }
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static double[] Doubles(Dictionary<string, string> section, string name) =>
        Array.ConvertAll(Words(section[name]), word => word switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            _ => double.Parse(word, CultureInfo.InvariantCulture),
        });

    private static int[] Integers(Dictionary<string, string> section, string name) =>
        Array.ConvertAll(Words(section[name]), word => int.Parse(word, CultureInfo.InvariantCulture));
}
