using System.Text.Json.Serialization;

namespace SalesTasks.Predictions.Learning;

/// <summary>How one column becomes numbers.</summary>
/// <param name="Column">The column's name.</param>
[JsonDerivedType(typeof(NumberBlock), "number")]
[JsonDerivedType(typeof(DateBlock), "date")]
[JsonDerivedType(typeof(CategoryBlock), "category")]
[JsonDerivedType(typeof(RateBlock), "rate")]
[JsonDerivedType(typeof(TextBlock), "text")]
internal abstract record Block(string Column)
{
    /// <summary>Categories with more levels than this are encoded by their rate.</summary>
    public const int MostLevels = 40;

    [JsonIgnore]
    public abstract int TreeWidth { get; }

    [JsonIgnore]
    public abstract int LinearWidth { get; }

    /// <summary>Tree columns of this block that hold codes.</summary>
    [JsonIgnore]
    public virtual IReadOnlyList<int> CategoricalColumns => [];

    /// <summary>The encoding of a column; null where its training rows hold nothing to learn from.</summary>
    public static Block? Fit(Column column, int[] rows, bool[] labels) => column switch
    {
        NumberColumn number => NumberBlock.Fit(number, rows),
        DateColumn date => DateBlock.Fit(date, rows),
        CategoryColumn category => CategoryBlock.Fit(category, rows, labels),
        TextColumn text => TextBlock.Fit(text, rows),
        _ => throw new ArgumentOutOfRangeException(nameof(column), column.GetType().Name, "A kind of column without an encoding."),
    };

    /// <summary>Prepares to write rows of a table's column.</summary>
    /// <param name="column">The column of this block's name.</param>
    /// <param name="rows">The rows that will be written, in order.</param>
    /// <param name="training">Only for training rows: their labels.</param>
    public abstract BlockWriter Bind(Column column, int[] rows, TrainingLabels? training);
}

/// <summary>What is known about training rows.</summary>
/// <param name="Labels">The label of each row of the table.</param>
/// <param name="Groups">Rows of one group share their label's cause, such as snapshots of one deal; null: each row is its own.</param>
internal sealed record TrainingLabels(bool[] Labels, int[]? Groups);

/// <summary>Writes a column's share of a row.</summary>
internal abstract class BlockWriter
{
    /// <param name="row">The row of the table.</param>
    /// <param name="position">Its place among the rows given to <see cref="Block.Bind"/>.</param>
    /// <param name="tree">The block's tree columns of the row.</param>
    /// <param name="linear">The row of the sparse matrix that is being written.</param>
    /// <param name="offset">The block's first linear column.</param>
    public abstract void Write(int row, int position, Span<float> tree, SparseRows linear, int offset);
}

/// <summary>Scales an amount for linear models: cut at the outer quantiles, then mean 0 and variance 1, and a step function over quantiles.</summary>
/// <param name="Low">Smaller amounts count as this.</param>
/// <param name="High">Larger amounts count as this.</param>
/// <param name="Mean">Of the training rows, cut.</param>
/// <param name="Deviation">Their standard deviation, cut.</param>
/// <param name="Edges">A value belongs to the bin of the first edge it does not exceed; the last bin is beyond all edges.</param>
internal sealed record Scale(double Low, double High, double Mean, double Deviation, double[] Edges)
{
    private const int MostBins = 10;

    /// <summary>Linear columns: the amount, the bins, missing.</summary>
    [JsonIgnore]
    public int Width => Edges.Length + 3;

    /// <summary>Null where the values do not differ.</summary>
    public static Scale? Of(IEnumerable<double> values)
    {
        var sorted = values.Where(double.IsFinite).Order().ToArray();
        if (sorted.Length == 0)
        {
            return null;
        }

        double Quantile(double share) => sorted[(int)Math.Round(share * (sorted.Length - 1))];
        var low = Quantile(0.005);
        var high = Quantile(0.995);
        var mean = 0.0;
        foreach (var value in sorted)
        {
            mean += Math.Clamp(value, low, high) / sorted.Length;
        }

        var variance = 0.0;
        foreach (var value in sorted)
        {
            variance += Math.Pow(Math.Clamp(value, low, high) - mean, 2) / sorted.Length;
        }

        var edges = Enumerable.Range(1, MostBins - 1).Select(i => Quantile(i / (double)MostBins)).Distinct().Where(e => e < sorted[^1]).ToArray();
        return new Scale(low, high, mean, variance > 0 ? Math.Sqrt(variance) : 1, edges);
    }

    public void Write(double value, SparseRows linear, int offset)
    {
        if (double.IsNaN(value))
        {
            linear.Add(offset + Width - 1, 1);
            return;
        }

        linear.Add(offset, (float)((Math.Clamp(value, Low, High) - Mean) / Deviation));
        var bin = Array.BinarySearch(Edges, value);
        linear.Add(offset + 1 + (bin < 0 ? ~bin : bin), 1);
    }
}

internal sealed record NumberBlock(string Column, Scale Scale) : Block(Column)
{
    public override int TreeWidth => 1;

    public override int LinearWidth => Scale.Width;

    public static NumberBlock? Fit(NumberColumn column, int[] rows) =>
        Scale.Of(rows.Select(row => (double)column.Values[row])) is { } scale ? new NumberBlock(column.Name, scale) : null;

    public override BlockWriter Bind(Column column, int[] rows, TrainingLabels? training) => new Writer(this, ((NumberColumn)column).Values);

    private sealed class Writer(NumberBlock block, float[] values) : BlockWriter
    {
        public override void Write(int row, int position, Span<float> tree, SparseRows linear, int offset)
        {
            tree[0] = values[row];
            block.Scale.Write(values[row], linear, offset);
        }
    }
}

/// <summary>A date as its distance in days, the weekday and the hour.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Scale">Of the distance in days.</param>
/// <param name="HasTime">Whether the training rows had times of day.</param>
internal sealed record DateBlock(string Column, Scale Scale, bool HasTime) : Block(Column)
{
    private const int Weekdays = 7;

    public override int TreeWidth => HasTime ? 3 : 2;

    public override int LinearWidth => Scale.Width + Weekdays;

    public static DateBlock? Fit(DateColumn column, int[] rows) =>
        Scale.Of(rows.Select(row => column.Days[row])) is { } scale
            ? new DateBlock(column.Name, scale, rows.Any(row => column.Days[row] != Math.Floor(column.Days[row])))
            : null;

    public override BlockWriter Bind(Column column, int[] rows, TrainingLabels? training) => new Writer(this, ((DateColumn)column).Days);

    private sealed class Writer(DateBlock block, double[] days) : BlockWriter
    {
        public override void Write(int row, int position, Span<float> tree, SparseRows linear, int offset)
        {
            var day = days[row];
            block.Scale.Write(day, linear, offset);
            if (double.IsNaN(day))
            {
                tree.Fill(float.NaN);
                return;
            }

            // 1970-01-01 was a Thursday.
            var weekday = (int)((((long)Math.Floor(day) + 3) % Weekdays + Weekdays) % Weekdays);
            tree[0] = (float)day;
            tree[1] = weekday;
            if (block.HasTime)
            {
                tree[2] = (float)((day - Math.Floor(day)) * 24);
            }

            linear.Add(offset + block.Scale.Width + weekday, 1);
        }
    }
}

/// <summary>A category with few levels: one code for trees, one column a level for linear models, the rare ones together.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Levels">Levels of the training rows, the most frequent first.</param>
/// <param name="Frequent">How many of them have a linear column; two more are for rare or unknown levels and for missing.</param>
internal sealed record CategoryBlock(string Column, IReadOnlyList<string> Levels, int Frequent) : Block(Column)
{
    public override int TreeWidth => 1;

    public override int LinearWidth => Frequent + 2;

    public override IReadOnlyList<int> CategoricalColumns => [0];

    public static Block? Fit(CategoryColumn column, int[] rows, bool[] labels)
    {
        var counts = new int[column.Levels.Count];
        var missing = 0;
        foreach (var row in rows)
        {
            if (column.Codes[row] is >= 0 and var code)
            {
                counts[code]++;
            }
            else
            {
                missing++;
            }
        }

        var seen = counts.Count(c => c > 0);
        if (seen + (missing > 0 ? 1 : 0) < 2)
        {
            return null;
        }

        if (seen > MostLevels)
        {
            return RateBlock.Fit(column, rows, labels);
        }

        // A level of a handful of rows says little by itself, and less the more rows there are to learn from.
        var fewest = Math.Clamp(rows.Length / 1000, 2, 10);
        return new CategoryBlock(
            column.Name,
            [.. Enumerable.Range(0, counts.Length)
                .Where(code => counts[code] > 1)
                .OrderByDescending(code => counts[code]).ThenBy(code => column.Levels[code], StringComparer.Ordinal)
                .Select(code => column.Levels[code])],
            counts.Count(count => count >= fewest));
    }

    public override BlockWriter Bind(Column column, int[] rows, TrainingLabels? training)
    {
        var category = (CategoryColumn)column;
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var level in Levels)
        {
            places.Add(level, places.Count);
        }

        return new Writer(category.Codes, [.. category.Levels.Select(level => places.GetValueOrDefault(level, Levels.Count))], Frequent, Levels.Count);
    }

    private sealed class Writer(int[] codes, int[] places, int frequent, int unknown) : BlockWriter
    {
        public override void Write(int row, int position, Span<float> tree, SparseRows linear, int offset)
        {
            if (codes[row] is not (>= 0 and var code))
            {
                tree[0] = float.NaN;
                linear.Add(offset + frequent + 1, 1);
                return;
            }

            tree[0] = Math.Min(places[code], unknown);
            linear.Add(offset + Math.Min(places[code], frequent), 1);
        }
    }
}

/// <summary>A category with many levels: the smoothed log-odds of its label, and how frequent it is.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="BaseOdds">Log-odds of the label in the training rows; what an unknown level gets.</param>
/// <param name="Odds">Smoothed log-odds of each level.</param>
/// <param name="Counts">Training rows of each level.</param>
internal sealed record RateBlock(string Column, double BaseOdds, IReadOnlyDictionary<string, float> Odds, IReadOnlyDictionary<string, int> Counts)
    : Block(Column)
{
    private const int Folds = 5;

    /// <summary>Rows at the base rate that each level is taken to have had before.</summary>
    private const double Smoothing = 20;

    public override int TreeWidth => 2;

    /// <summary>Rate, frequency, missing.</summary>
    public override int LinearWidth => 3;

    public static RateBlock Fit(CategoryColumn column, int[] rows, bool[] labels)
    {
        var counts = new int[column.Levels.Count];
        var hits = new int[column.Levels.Count];
        var positives = 0;
        foreach (var row in rows)
        {
            positives += labels[row] ? 1 : 0;
            if (column.Codes[row] is >= 0 and var code)
            {
                counts[code]++;
                hits[code] += labels[row] ? 1 : 0;
            }
        }

        var rate = (positives + 0.5) / (rows.Length + 1);
        // A level of one row only shows that it is rare.
        var kept = Enumerable.Range(0, counts.Length).Where(code => counts[code] > 1).ToList();
        return new RateBlock(
            column.Name,
            LogOdds(rate),
            kept.ToDictionary(code => column.Levels[code], code => Smoothed(hits[code], counts[code], rate), StringComparer.Ordinal),
            kept.ToDictionary(code => column.Levels[code], code => counts[code], StringComparer.Ordinal));
    }

    public override BlockWriter Bind(Column column, int[] rows, TrainingLabels? training)
    {
        var category = (CategoryColumn)column;
        var frequencies = category.Levels.Select(level => (float)Math.Log(1 + Counts.GetValueOrDefault(level, 0))).ToArray();
        if (training is null)
        {
            var odds = category.Levels.Select(level => Odds.TryGetValue(level, out var known) ? known : (float)BaseOdds).ToArray();
            return new Writer(this, category.Codes, frequencies, (code, _) => odds[code]);
        }

        var counts = new int[category.Levels.Count];
        var hits = new int[category.Levels.Count];
        // Rows of one deal share its label, so they share its fold.
        int Fold(int position) => (training.Groups is { } groups ? groups[rows[position]] : position) % Folds;
        var counted = new Dictionary<(int Fold, int Code), (int Count, int Hits)>();
        for (var i = 0; i < rows.Length; i++)
        {
            if (category.Codes[rows[i]] is >= 0 and var code)
            {
                var hit = training.Labels[rows[i]] ? 1 : 0;
                counts[code]++;
                hits[code] += hit;
                var fold = Fold(i);
                var (count, own) = counted.GetValueOrDefault((fold, code));
                counted[(fold, code)] = (count + 1, own + hit);
            }
        }

        var rate = Logits.ToProbability(BaseOdds);
        return new Writer(this, category.Codes, frequencies, (code, position) =>
        {
            var (count, own) = counted[(Fold(position), code)];
            return Smoothed(hits[code] - own, counts[code] - count, rate);
        });
    }

    private static float Smoothed(int hits, int count, double rate) => (float)LogOdds((hits + (Smoothing * rate)) / (count + Smoothing));

    private static double LogOdds(double rate) => Math.Log(rate / (1 - rate));

    private sealed class Writer(RateBlock block, int[] codes, float[] frequencies, Func<int, int, float> odds) : BlockWriter
    {
        public override void Write(int row, int position, Span<float> tree, SparseRows linear, int offset)
        {
            if (codes[row] is not (>= 0 and var code))
            {
                tree.Fill(float.NaN);
                linear.Add(offset + 2, 1);
                return;
            }

            tree[0] = odds(code, position);
            tree[1] = frequencies[code];
            linear.Add(offset, tree[0] - (float)block.BaseOdds);
            linear.Add(offset + 1, tree[1] / 10);
        }
    }
}

/// <summary>Free text: whether it has each of the frequent words, and how long it is.</summary>
internal sealed record TextBlock(string Column, IReadOnlyList<string> Words, Scale Length) : Block(Column)
{
    private const int MostWords = 60;

    public override int TreeWidth => Words.Count + 1;

    public override int LinearWidth => Words.Count + Length.Width;

    public static TextBlock? Fit(TextColumn column, int[] rows)
    {
        if (Scale.Of(rows.Select(row => (double)column.Words[row].Length)) is not { } length)
        {
            return null;
        }

        var counts = new int[column.Vocabulary.Count];
        foreach (var row in rows)
        {
            foreach (var word in column.Words[row])
            {
                counts[word]++;
            }
        }

        var fewest = Math.Max(5, rows.Length / 200);
        return new TextBlock(
            column.Name,
            [.. Enumerable.Range(0, counts.Length)
                .Where(word => counts[word] >= fewest && counts[word] <= rows.Length - fewest)
                .OrderByDescending(word => counts[word]).ThenBy(word => column.Vocabulary[word], StringComparer.Ordinal)
                .Take(MostWords)
                .Select(word => column.Vocabulary[word])],
            length);
    }

    public override BlockWriter Bind(Column column, int[] rows, TrainingLabels? training)
    {
        var text = (TextColumn)column;
        var places = Words.Select((word, place) => (word, place)).ToDictionary(w => w.word, w => w.place, StringComparer.Ordinal);
        return new Writer(this, text.Words, [.. text.Vocabulary.Select(word => places.GetValueOrDefault(word, -1))]);
    }

    private sealed class Writer(TextBlock block, int[][] words, int[] places) : BlockWriter
    {
        public override void Write(int row, int position, Span<float> tree, SparseRows linear, int offset)
        {
            tree.Clear();
            foreach (var word in words[row])
            {
                if (places[word] is >= 0 and var place)
                {
                    tree[place] = 1;
                    linear.Add(offset + place, 1);
                }
            }

            tree[^1] = words[row].Length;
            block.Length.Write(words[row].Length, linear, offset + block.Words.Count);
        }
    }
}
