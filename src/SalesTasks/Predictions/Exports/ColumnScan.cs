namespace SalesTasks.Predictions.Exports;

/// <summary>What a column of an export holds.</summary>
internal enum ColumnKind
{
    Empty,
    Constant,
    Identifier,
    Number,
    Date,
    Category,
    Email,
    Text,
}

/// <summary>Finds out by looking at many values what a column holds.</summary>
internal sealed class ColumnScan(string name)
{
    /// <summary>Values of a kind that a column of that kind has at least; the rest counts as missing.</summary>
    private const double Enough = 0.95;

    /// <summary>Different values that are told apart; more are "many".</summary>
    private const int MostDistinct = 50_000;

    private readonly HashSet<string> _distinct = new(StringComparer.Ordinal);
    private long _seen;
    private long _pointNumbers;
    private long _commaNumbers;
    private long _integers;
    private long _monthFirst;
    private long _dayFirst;
    private long _emails;
    private long _words;
    private long _beyondDistinct;
    private bool _rising = true;
    private bool _falling = true;
    private double _previous = double.NaN;
    private double _least = double.PositiveInfinity;
    private double _greatest = double.NegativeInfinity;

    public string Name { get; } = name;

    public int Distinct => _distinct.Count;

    /// <summary>Numbers are written 1.234,5.</summary>
    public bool DecimalComma => _commaNumbers > _pointNumbers;

    /// <summary>Dates are written month/day/year. Where every value fits both orders, the month is taken to come first.</summary>
    public bool MonthFirst => _monthFirst >= _dayFirst;

    /// <summary>Looks at a value that is not missing.</summary>
    public void Add(string value)
    {
        _seen++;
        if (_distinct.Count < MostDistinct)
        {
            _distinct.Add(value);
        }
        else if (!_distinct.Contains(value))
        {
            _beyondDistinct++;
        }

        if (ValueParser.TryNumber(value, decimalComma: false, out var number))
        {
            _pointNumbers++;
            _integers += number == Math.Floor(number) ? 1 : 0;
            _rising &= !(number <= _previous);
            _falling &= !(number >= _previous);
            _previous = number;
            _least = Math.Min(_least, number);
            _greatest = Math.Max(_greatest, number);
            _commaNumbers += value.AsSpan().ContainsAny(".,") ? ValueParser.TryNumber(value, decimalComma: true, out _) ? 1 : 0 : 1;
            return;
        }

        _commaNumbers += ValueParser.TryNumber(value, decimalComma: true, out _) ? 1 : 0;
        _monthFirst += ValueParser.TryDate(value, monthFirst: true, out _) ? 1 : 0;
        _dayFirst += ValueParser.TryDate(value, monthFirst: false, out _) ? 1 : 0;
        _emails += value.Contains('@') && !value.Contains(' ') ? 1 : 0;
        _words += WordCount(value);
    }

    /// <param name="anyMissing">Whether some rows have no value: a column of one value then still says something.</param>
    public ColumnKind Kind(bool anyMissing)
    {
        if (_seen == 0)
        {
            return ColumnKind.Empty;
        }

        if (_distinct.Count == 1)
        {
            return anyMissing ? ColumnKind.Category : ColumnKind.Constant;
        }

        if (Math.Max(_monthFirst, _dayFirst) >= Enough * _seen)
        {
            return ColumnKind.Date;
        }

        var allDifferent = _distinct.Count + _beyondDistinct == _seen && _seen >= 20;
        if (Math.Max(_pointNumbers, _commaNumbers) >= Enough * _seen)
        {
            // Counters and keys: whole, never repeated, in the file's order or without gaps worth speaking of, or called so.
            return allDifferent && _integers == _seen && (_rising || _falling || SaysIdentifier || _greatest - _least < 20.0 * _seen)
                ? ColumnKind.Identifier
                : ColumnKind.Number;
        }

        if (_emails >= 0.9 * _seen)
        {
            return ColumnKind.Email;
        }

        var words = _words / (double)_seen;
        var different = (_distinct.Count + _beyondDistinct) / (double)_seen;
        if (words >= 4 && different > 0.3)
        {
            return ColumnKind.Text;
        }

        return different > 0.95 && _seen >= 20 ? ColumnKind.Identifier : ColumnKind.Category;
    }

    private bool SaysIdentifier => Name.Split([' ', '_', '-', '.'], StringSplitOptions.RemoveEmptyEntries)
        .Any(word => word.ToUpperInvariant() is "ID" or "NUMBER" or "NO" or "NR" or "KEY" or "CODE" or "UUID")
        || Name.EndsWith("Id", StringComparison.Ordinal) || Name.EndsWith("ID", StringComparison.Ordinal);

    private static int WordCount(string value)
    {
        var words = 0;
        var inside = false;
        foreach (var character in value)
        {
            var letter = char.IsLetterOrDigit(character);
            words += letter && !inside ? 1 : 0;
            inside = letter || (inside && character is '\'' or '-' or '_');
        }

        return words;
    }
}
