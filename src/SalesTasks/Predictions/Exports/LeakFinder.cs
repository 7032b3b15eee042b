using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Exports;

/// <summary>Why a column may know the outcome.</summary>
internal enum LeakKind
{
    /// <summary>By itself it nearly determines the label.</summary>
    Determines,

    /// <summary>Whether it is filled tells the label.</summary>
    Emptiness,

    /// <summary>It is a date after the row's time.</summary>
    LaterThanTime,

    /// <summary>It is called like something that is filled in or changed as the outcome becomes known, and goes with the outcome.</summary>
    Name,
}

/// <param name="Column">The column's name.</param>
/// <param name="Kind">What was found.</param>
/// <param name="Auc">Of the column alone, or of its emptiness alone; on rows its rates were not taken from.</param>
internal sealed record Leak(string Column, LeakKind Kind, double Auc);

/// <summary>Looks at each column alone for knowledge that only the outcome can have given it.</summary>
internal static class LeakFinder
{
    /// <summary>What is known beforehand hardly ever ranks this well by itself.</summary>
    private const double NearlyCertain = 0.9;

    /// <summary>The same for whether there is a value at all.</summary>
    private const double TellingEmptiness = 0.7;

    /// <summary>How well a column with a suspicious name ranks when it does go with the outcome.</summary>
    private const double GoesWithOutcome = 0.55;

    private const int Bins = 32;

    private static readonly HashSet<string> s_suspicious = new(StringComparer.OrdinalIgnoreCase)
    {
        "tag", "tags", "quality", "grade", "rating", "score", "index", "profile", "last", "notable", "latest", "modified", "updated", "status", "stage",
        "reason", "outcome", "result", "disposition", "close", "closed", "closing", "won", "lost", "win", "loss", "churned", "converted", "conversion",
        "final", "end", "ended", "signed", "invoice", "invoiced", "paid", "payment", "cancelled", "canceled",
        "estado", "etapa", "motivo", "resultado", "cierre", "cerrado", "ganado", "perdido", "calidad", "puntuación", "último", "última", "pagado", "factura",
    };

    /// <summary>The columns that are suspicious, the most telling first.</summary>
    public static IReadOnlyList<Leak> Find(ExportTable export) =>
        [.. export.Table.Columns.Select(column => Find(column, export)).OfType<Leak>().OrderByDescending(l => l.Auc)];

    private static Leak? Find(Column column, ExportTable export)
    {
        var codes = Codes(column);
        var auc = Auc(codes, export.Labels);
        var empty = Auc([.. codes.Select(c => c < 0 ? 0 : 1)], export.Labels);
        if (empty >= TellingEmptiness || IsCertainWhereEmpty(codes, export.Labels))
        {
            return new Leak(column.Name, LeakKind.Emptiness, empty);
        }

        if (auc >= NearlyCertain)
        {
            return new Leak(column.Name, LeakKind.Determines, auc);
        }

        if (export.LaterThanTime.Contains(column.Name))
        {
            return new Leak(column.Name, LeakKind.LaterThanTime, auc);
        }

        return auc >= GoesWithOutcome && Words(column.Name).Any(s_suspicious.Contains) ? new Leak(column.Name, LeakKind.Name, auc) : null;
    }

    /// <summary>Rows without a value have the same outcome, though twenty of them or more should have the other one.</summary>
    private static bool IsCertainWhereEmpty(int[] codes, bool[] labels)
    {
        const double Expected = 20;
        var empty = 0;
        var positives = 0;
        var all = 0;
        for (var i = 0; i < codes.Length; i++)
        {
            all += labels[i] ? 1 : 0;
            empty += codes[i] < 0 ? 1 : 0;
            positives += codes[i] < 0 && labels[i] ? 1 : 0;
        }

        var rate = all / (double)codes.Length;
        return (empty * rate >= Expected && positives <= 0.01 * empty * rate)
            || (empty * (1 - rate) >= Expected && empty - positives <= 0.01 * empty * (1 - rate));
    }

    /// <summary>closeDate, close_date and Close Date all are close and date.</summary>
    private static IEnumerable<string> Words(string name)
    {
        var start = 0;
        for (var i = 1; i <= name.Length; i++)
        {
            if (i == name.Length || !char.IsLetterOrDigit(name[i]) || (char.IsUpper(name[i]) && char.IsLower(name[i - 1])))
            {
                yield return name[start..i].Trim(' ', '_', '-', '.', '/', '(', ')', '?');
                start = i;
            }
        }
    }

    /// <summary>The column's values as groups; -1 where missing.</summary>
    private static int[] Codes(Column column) => column switch
    {
        CategoryColumn category => category.Codes,
        NumberColumn number => Binned([.. number.Values.Select(v => (double)v)]),
        DateColumn date => Binned(date.Days),
        TextColumn text => [.. text.Words.Select(words => words.Length == 0 ? -1 : Math.Min(words.Length, 50))],
        _ => throw new ArgumentOutOfRangeException(nameof(column), column.GetType().Name, "A kind of column that is not looked at."),
    };

    private static int[] Binned(double[] values)
    {
        var sorted = values.Where(v => !double.IsNaN(v)).Order().ToArray();
        if (sorted.Length == 0)
        {
            return [.. values.Select(_ => -1)];
        }

        var edges = Enumerable.Range(1, Bins - 1).Select(i => sorted[(int)((long)i * sorted.Length / Bins)]).Distinct().ToArray();
        return [.. values.Select(value =>
        {
            var place = Array.BinarySearch(edges, value);
            return double.IsNaN(value) ? -1 : place < 0 ? ~place : place + 1;
        })];
    }

    /// <summary>The AUC of each group's rate, taken from the other half of the rows; a group not seen there has the base rate.</summary>
    private static double Auc(int[] codes, bool[] labels)
    {
        const double Smoothing = 5;
        var groups = codes.Max() + 2;
        int[][] counts = [new int[groups], new int[groups]];
        int[][] hits = [new int[groups], new int[groups]];
        for (var i = 0; i < codes.Length; i++)
        {
            counts[i & 1][codes[i] + 1]++;
            hits[i & 1][codes[i] + 1] += labels[i] ? 1 : 0;
        }

        double sum = 0;
        double halves = 0;
        for (var half = 0; half < 2; half++)
        {
            var rate = hits[1 - half].Sum() / (double)counts[1 - half].Sum();
            var scores = new List<double>(codes.Length / 2);
            var own = new List<bool>(codes.Length / 2);
            for (var i = half; i < codes.Length; i += 2)
            {
                scores.Add((hits[1 - half][codes[i] + 1] + (Smoothing * rate)) / (counts[1 - half][codes[i] + 1] + Smoothing));
                own.Add(labels[i]);
            }

            if (Metrics.Ranking(scores.ToArray(), own.ToArray()).Auc is var auc && !double.IsNaN(auc))
            {
                sum += auc;
                halves++;
            }
        }

        return halves > 0 ? sum / halves : 0.5;
    }
}
