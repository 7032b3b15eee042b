using System.Runtime.InteropServices;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Exports;

/// <summary>Collects a column's values, typed.</summary>
internal abstract class ColumnFill
{
    /// <summary>Rows without a usable value.</summary>
    public int Missing { get; protected set; }

    /// <summary>Adds a row's value; null where missing.</summary>
    public abstract void Add(string? value);

    public abstract Column ToColumn(string name);

    /// <summary>The collector for a kind of column; null where the column is not used.</summary>
    public static ColumnFill? For(ColumnKind kind, ColumnScan scan) => kind switch
    {
        ColumnKind.Number => new Numbers(scan.DecimalComma),
        ColumnKind.Date => new Dates(scan.MonthFirst),
        ColumnKind.Category => new Categories(static value => value),
        ColumnKind.Email => new Categories(static value => value[(value.LastIndexOf('@') + 1)..].ToLowerInvariant()),
        ColumnKind.Text => new Texts(),
        _ => null,
    };

    private sealed class Numbers(bool decimalComma) : ColumnFill
    {
        private readonly List<float> _values = [];

        public override void Add(string? value)
        {
            var known = ValueParser.TryNumber(value, decimalComma, out var number);
            _values.Add(known ? (float)number : float.NaN);
            Missing += known ? 0 : 1;
        }

        public override Column ToColumn(string name) => new NumberColumn(name, [.. _values]);
    }

    private sealed class Dates(bool monthFirst) : ColumnFill
    {
        private readonly List<double> _days = [];

        public override void Add(string? value)
        {
            var known = ValueParser.TryDate(value, monthFirst, out var days);
            _days.Add(known ? days : double.NaN);
            Missing += known ? 0 : 1;
        }

        public override Column ToColumn(string name) => new DateColumn(name, [.. _days]);
    }

    private sealed class Categories(Func<string, string> part) : ColumnFill
    {
        private readonly List<int> _codes = [];
        private readonly Dictionary<string, int> _levels = new(StringComparer.Ordinal);

        public override void Add(string? value)
        {
            if (value is null)
            {
                _codes.Add(-1);
                Missing++;
                return;
            }

            ref var code = ref CollectionsMarshal.GetValueRefOrAddDefault(_levels, part(value), out var known);
            code = known ? code : _levels.Count - 1;
            _codes.Add(code);
        }

        public override Column ToColumn(string name) => new CategoryColumn(name, [.. _codes], [.. _levels.Keys]);
    }

    private sealed class Texts : ColumnFill
    {
        /// <summary>A column of generated keys inside sentences must not fill the memory; later words are rare ones.</summary>
        private const int MostWords = 100_000;

        private const int MostWordsOfARow = 100;

        private readonly List<int[]> _rows = [];
        private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);

        public override void Add(string? value)
        {
            Missing += value is null ? 1 : 0;
            var words = new HashSet<int>();
            var text = value ?? "";
            for (var start = 0; start < text.Length && words.Count < MostWordsOfARow;)
            {
                while (start < text.Length && !char.IsLetterOrDigit(text[start]))
                {
                    start++;
                }

                var end = start;
                while (end < text.Length && char.IsLetterOrDigit(text[end]))
                {
                    end++;
                }

                if (end - start is >= 2 and <= 40)
                {
                    var word = text[start..end].ToLowerInvariant();
                    if (!_vocabulary.TryGetValue(word, out var code) && _vocabulary.Count < MostWords)
                    {
                        code = _vocabulary.Count;
                        _vocabulary.Add(word, code);
                        words.Add(code);
                    }
                    else if (_vocabulary.ContainsKey(word))
                    {
                        words.Add(code);
                    }
                }

                start = end;
            }

            _rows.Add([.. words]);
        }

        public override Column ToColumn(string name) => new TextColumn(name, [.. _rows], [.. _vocabulary.Keys]);
    }
}
