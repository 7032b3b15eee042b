using SalesTasks.Airflow;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Exports;

/// <summary>What is to be learned from an export.</summary>
/// <param name="Path">The file.</param>
/// <param name="Label">The column that holds the outcome.</param>
/// <param name="Positive">The outcome that is to be predicted.</param>
/// <param name="Negative">The other outcomes; rows of none of both are left out. Empty: all others.</param>
/// <param name="Exclude">Columns that must not be used.</param>
/// <param name="Time">The column that orders rows by time; null: the file has none.</param>
/// <param name="Missing">Further texts that stand for a missing value.</param>
internal sealed record ExportRequest(
    string Path, string Label, string Positive, IReadOnlyList<string> Negative, IReadOnlyList<string> Exclude, string? Time, IReadOnlyList<string> Missing);

/// <summary>How a column of the export is used.</summary>
/// <param name="Name">The column's name.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Missing">Share of rows without a value; of columns that are not used, of those looked at.</param>
/// <param name="Distinct">Different values among the rows looked at.</param>
internal sealed record ColumnUse(string Name, ColumnKind Kind, double Missing, int Distinct)
{
    public bool IsUsed => Kind is not (ColumnKind.Empty or ColumnKind.Constant or ColumnKind.Identifier);
}

/// <summary>An export, typed: what is learned from, the outcome, the order in time.</summary>
internal sealed class ExportTable
{
    /// <summary>Texts that mean "no value" in the exports of usual programs.</summary>
    private static readonly string[] s_missing = ["NA", "N/A", "#N/A", "NULL", "(null)", "NaN", "\\N", "-", "--"];

    /// <summary>All of the first rows are looked at, later ones here and there: kinds of columns show early, but files are often sorted.</summary>
    private const int LookedAtAll = 20_000;
    private const int LookedAtEvery = 10;

    public const int FewestRows = 50;
    public const int FewestOfAClass = 5;

    private ExportTable(DataTable table, bool[] labels, double[]? time, IReadOnlyList<ColumnUse> columns)
    {
        Table = table;
        Labels = labels;
        Time = time;
        Columns = columns;
    }

    public DataTable Table { get; }

    /// <summary>True where the row has the outcome that is to be predicted.</summary>
    public bool[] Labels { get; }

    /// <summary>What rows are ordered by; NaN where unknown.</summary>
    public double[]? Time { get; }

    /// <summary>All columns of the file but the label, the time and the excluded ones.</summary>
    public IReadOnlyList<ColumnUse> Columns { get; }

    /// <summary>Columns whose dates are after the row's time.</summary>
    public IReadOnlySet<string> LaterThanTime { get; private init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>Rows without an outcome, with one that was not asked for, or of another shape than the header.</summary>
    public int WithoutLabel { get; private init; }

    public int OtherLabel { get; private init; }

    public int Malformed { get; private init; }

    /// <summary>Outcomes that count as negative, with their rows, the most frequent first.</summary>
    public IReadOnlyList<(string Value, int Rows)> Negatives { get; private init; } = [];

    /// <summary>Reads the file twice: once to see what its columns hold, once to take it in.</summary>
    /// <exception cref="JobException">64: the file, a column or a value that is not there; too little to learn from.</exception>
    public static ExportTable Read(ExportRequest request, CancellationToken cancellationToken)
    {
        var file = ExportFile.Open(request.Path);
        var label = Find(file, "--label", request.Label);
        int? time = request.Time is null ? null : Find(file, "--time", request.Time);
        var excluded = request.Exclude.Select(name => Find(file, "--exclude", name)).ToHashSet();
        if (excluded.Contains(label))
        {
            throw JobException.Usage($"--exclude {Quoted.Text(request.Label)}: it is the label; allowed: other columns");
        }

        var missing = new HashSet<string>(s_missing.Concat(request.Missing.Select(m => m.Trim())), StringComparer.OrdinalIgnoreCase);
        // An outcome such as "-" is an outcome.
        bool IsMissing(string text) => missing.Contains(text);
        var used = Enumerable.Range(0, file.Columns.Count).Where(c => c != label && c != time && !excluded.Contains(c)).ToArray();

        var (scans, empties, looked, outcomes, timeScan) = Scan(file, used, label, time, IsMissing, cancellationToken);
        var (isPositive, isNegative) = Outcomes(request, outcomes);

        var kinds = used.Select((_, i) => scans[i].Kind(empties[i] > 0)).ToArray();
        var fills = kinds.Select((kind, i) => ColumnFill.For(kind, scans[i])).ToArray();
        var labels = new List<bool>();
        var times = time is null ? null : new List<double>();
        var timeIsDate = timeScan?.Kind(anyMissing: true) is ColumnKind.Date;
        var withoutLabel = 0;
        var otherLabel = 0;
        var malformed = 0;
        int[] wanted = [label, .. time is { } t ? [t] : Array.Empty<int>(), .. used.Where((_, i) => fills[i] is not null)];
        foreach (var row in file.Rows(wanted, IsMissing, () => malformed++))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (row[label] is not { } outcome)
            {
                withoutLabel++;
                continue;
            }

            if (!isPositive.Contains(outcome) && !isNegative.Contains(outcome))
            {
                otherLabel++;
                continue;
            }

            labels.Add(isPositive.Contains(outcome));
            times?.Add(TimeOf(row[time!.Value], timeScan!, timeIsDate));
            for (var i = 0; i < used.Length; i++)
            {
                fills[i]?.Add(row[used[i]]);
            }
        }

        var positives = labels.Count(l => l);
        if (labels.Count < FewestRows || Math.Min(positives, labels.Count - positives) < FewestOfAClass)
        {
            throw JobException.Usage(
                $"'{request.Path}' has {labels.Count} rows with an outcome, {positives} of them {Quoted.Text(request.Positive)}; "
                + $"allowed: at least {FewestRows} rows and {FewestOfAClass} of each outcome");
        }

        var columns = new List<Column>();
        var later = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < used.Length; i++)
        {
            if (fills[i]?.ToColumn(file.Columns[used[i]]) is { } column)
            {
                columns.Add(timeIsDate && column is DateColumn date ? SinceTime(date, times!, later) : column);
            }
        }

        if (time is not null && times!.Count(double.IsNaN) > labels.Count / 2)
        {
            throw JobException.Usage(
                $"--time {Quoted.Text(request.Time!)}: {times!.Count(double.IsNaN)} of {labels.Count} rows have neither a date nor a number there; "
                + "allowed: a column of dates, or of numbers that rise with time");
        }

        return new ExportTable(
            new DataTable(columns, labels.Count),
            [.. labels],
            times?.ToArray(),
            [.. used.Select((c, i) => new ColumnUse(
                file.Columns[c], kinds[i], fills[i] is { } fill ? fill.Missing / (double)labels.Count : empties[i] / (double)Math.Max(looked, 1), scans[i].Distinct))])
        {
            LaterThanTime = later,
            WithoutLabel = withoutLabel,
            OtherLabel = otherLabel,
            Malformed = malformed,
            Negatives = [.. outcomes.Where(o => isNegative.Contains(o.Key)).OrderByDescending(o => o.Value).Select(o => (o.Key, o.Value))],
        };
    }

    private static int Find(ExportFile file, string option, string name)
    {
        for (var ignoreCase = 0; ignoreCase < 2; ignoreCase++)
        {
            for (var c = 0; c < file.Columns.Count; c++)
            {
                if (string.Equals(file.Columns[c], name.Trim(), ignoreCase == 0 ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase))
                {
                    return c;
                }
            }
        }

        throw JobException.Usage($"{option} {Quoted.Text(name)}: there is no such column; there are: {string.Join(", ", file.Columns.Select(Quoted.Text))}");
    }

    private static (ColumnScan[] Scans, long[] Empties, long Looked, Dictionary<string, int> Outcomes, ColumnScan? Time) Scan(
        ExportFile file, int[] used, int label, int? time, Func<string, bool> isMissing, CancellationToken cancellationToken)
    {
        var scans = used.Select(c => new ColumnScan(file.Columns[c])).ToArray();
        var empties = new long[used.Length];
        var outcomes = new Dictionary<string, int>(StringComparer.Ordinal);
        var timeScan = time is { } t ? new ColumnScan(file.Columns[t]) : null;
        long looked = 0;
        long rows = 0;
        foreach (var row in file.Rows([label, .. time is { } c ? [c] : Array.Empty<int>(), .. used], isMissing, () => { }))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (row[label] is { } outcome)
            {
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }

            if (rows++ >= LookedAtAll && rows % LookedAtEvery != 0)
            {
                continue;
            }

            looked++;
            for (var i = 0; i < used.Length; i++)
            {
                if (row[used[i]] is { } value)
                {
                    scans[i].Add(value);
                }
                else
                {
                    empties[i]++;
                }
            }

            if (timeScan is not null && row[time!.Value] is { } instant)
            {
                timeScan.Add(instant);
            }
        }

        return (scans, empties, looked, outcomes, timeScan);
    }

    private static (HashSet<string> Positive, HashSet<string> Negative) Outcomes(ExportRequest request, Dictionary<string, int> outcomes)
    {
        HashSet<string> Matching(string option, string wanted)
        {
            var exact = outcomes.Keys.Where(o => string.Equals(o, wanted.Trim(), StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
            if (exact.Count == 0)
            {
                // Yes and yes, 1 and 1.0.
                var isNumber = ValueParser.TryNumber(wanted.Trim(), decimalComma: false, out var number);
                exact = outcomes.Keys.Where(o => string.Equals(o, wanted.Trim(), StringComparison.OrdinalIgnoreCase)
                    || (isNumber && ValueParser.TryNumber(o, decimalComma: false, out var own) && own == number)).ToHashSet(StringComparer.Ordinal);
            }

            return exact.Count > 0
                ? exact
                : throw JobException.Usage($"{option} {Quoted.Text(wanted)}: no row of {Quoted.Text(request.Label)} has it; there are: {Listed(outcomes)}");
        }

        if (outcomes.Count == 0)
        {
            throw JobException.Usage($"--label {Quoted.Text(request.Label)}: no row has a value there; allowed: a column with outcomes");
        }

        var positive = Matching("--positive", request.Positive);
        var negative = request.Negative.Count == 0
            ? outcomes.Keys.Where(o => !positive.Contains(o)).ToHashSet(StringComparer.Ordinal)
            : request.Negative.SelectMany(n => Matching("--negative", n)).ToHashSet(StringComparer.Ordinal);
        if (negative.Count == 0)
        {
            throw JobException.Usage(
                $"--label {Quoted.Text(request.Label)}: every row has the same outcome, {Listed(outcomes)}; allowed: a column with at least two outcomes");
        }

        return positive.Overlaps(negative)
            ? throw JobException.Usage($"--negative {Quoted.Text(request.Positive)}: it is the positive outcome; allowed: other outcomes")
            : (positive, negative);
    }

    private static string Listed(Dictionary<string, int> outcomes)
    {
        const int Shown = 10;
        var first = outcomes.OrderByDescending(o => o.Value).Take(Shown).Select(o => $"{Quoted.Text(o.Key)} ({o.Value} rows)");
        return string.Join(", ", first) + (outcomes.Count > Shown ? $" and {outcomes.Count - Shown} more" : "");
    }

    private static double TimeOf(string? text, ColumnScan scan, bool isDate) => text switch
    {
        null => double.NaN,
        _ when isDate => ValueParser.TryDate(text, scan.MonthFirst, out var days) ? days : double.NaN,
        _ => ValueParser.TryNumber(text, scan.DecimalComma, out var number) ? number : double.NaN,
    };

    /// <summary>Dates as days after the row's own time: a date itself only tells how old the file is.</summary>
    private static NumberColumn SinceTime(DateColumn date, List<double> times, HashSet<string> later)
    {
        var days = date.Days.Select((day, i) => (float)(day - times[i])).ToArray();
        var known = days.Count(d => !float.IsNaN(d));
        if (known > 0 && days.Count(d => d > 0) > 0.5 * known && days.Count(d => d < 0) < 0.05 * known)
        {
            later.Add(date.Name);
        }

        return new NumberColumn(date.Name, days);
    }
}
