using SalesTasks.Cli;
using SalesTasks.Predictions.Learning;
using Spectre.Console;

namespace SalesTasks.Predictions.Exports;

/// <summary>What <c>ml benchmark</c> tells, as tables or JSON.</summary>
internal sealed class BenchmarkReport(
    PeopleContext context, ExportRequest request, int seed, ExportTable export, IReadOnlyList<Leak> leaks, IReadOnlyList<ProtocolResult> results)
{
    /// <summary>A column of words has too many to list; so may the outcomes of a column that is none.</summary>
    private const int ListedOutcomes = 10;

    public void WriteJson() => context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["label"] = request.Label,
        ["positive"] = request.Positive,
        ["rows"] = export.Labels.Length,
        ["positives"] = Positives,
        ["base_rate"] = BaseRate,
        ["negatives"] = export.Negatives.Take(ListedOutcomes).Select(object? (n) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["value"] = n.Value,
            ["rows"] = n.Rows,
        }).ToList(),
        ["left_out"] = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["without_label"] = export.WithoutLabel,
            ["other_label"] = export.OtherLabel,
            ["malformed"] = export.Malformed,
            ["without_time"] = WithoutTime,
        },
        ["seed"] = seed,
        ["lightgbm_unavailable"] = LightGbmNative.Unavailable,
        ["columns"] = export.Columns.Select(object? (c) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["name"] = c.Name,
            ["kind"] = KindName(c.Kind),
            ["used"] = c.IsUsed,
            ["missing"] = Math.Round(c.Missing, 4),
            ["distinct"] = c.Distinct,
        }).ToList(),
        ["warnings"] = leaks.Select(object? (l) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["column"] = l.Column,
            ["kind"] = LeakName(l.Kind),
            ["auc"] = Math.Round(l.Auc, 4),
            ["message"] = LeakText(l),
        }).ToList(),
        ["protocols"] = results.Select(object? (r) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["protocol"] = r.Protocol,
            ["train_rows"] = r.TrainRows,
            ["test_rows"] = r.TestRows,
            ["base_rate"] = Number(r.BaseRate),
            ["candidates"] = r.Candidates.Select(c => Candidate(c, c.Name)).ToList(),
            ["chosen"] = Candidate(r.Chosen, r.ChosenName),
            ["verdict"] = Verdict(r),
        }).ToList(),
    });

    public void WriteTables()
    {
        var output = context.Host.Out;
        output.WriteLine(context.Text(
            $"{export.Labels.Length} rows, {Positives} of them {request.Positive}: base rate {BaseRate:P1}",
            $"{export.Labels.Length} filas, {Positives} de ellas {request.Positive}: tasa base {BaseRate:P1}"));
        if (export.Negatives.Count > 1)
        {
            var listed = string.Join(", ", export.Negatives.Take(ListedOutcomes).Select(n => $"{n.Value} {n.Rows}"));
            output.WriteLine(context.Text(
                $"All other outcomes count as negative: {listed}. --negative VALUE leaves the others out.",
                $"Los demás resultados cuentan como negativos: {listed}. --negative VALOR deja fuera los otros."));
        }

        WriteLeftOut(export.WithoutLabel, "rows without an outcome were left out", "filas sin resultado quedaron fuera");
        WriteLeftOut(export.OtherLabel, "rows with another outcome were left out", "filas con otro resultado quedaron fuera");
        WriteLeftOut(export.Malformed, "rows have another number of columns than the header and were left out", "filas tienen otro número de columnas que la cabecera y quedaron fuera");
        WriteLeftOut(WithoutTime, "rows have no time and are not in the split by time", "filas no tienen fecha y no están en la división por tiempo");
        WriteColumns();
        foreach (var leak in leaks)
        {
            output.WriteLine($"{context.Text("warning", "aviso")}: {leak.Column}: {LeakText(leak)}");
        }

        if (LightGbmNative.Unavailable is { } reason)
        {
            output.WriteLine(context.Text(
                $"{reason}. Only the prior and logistic regression were compared.", $"{reason}. Solo se compararon la tasa base y la regresión logística."));
        }

        foreach (var result in results)
        {
            WriteResult(result);
        }
    }

    private int Positives => export.Labels.Count(l => l);

    private double BaseRate => Positives / (double)export.Labels.Length;

    private int WithoutTime => export.Time?.Count(double.IsNaN) ?? 0;

    private void WriteLeftOut(int rows, string english, string spanish)
    {
        if (rows > 0)
        {
            context.Host.Out.WriteLine($"{rows} {context.Text(english, spanish)}");
        }
    }

    private void WriteColumns()
    {
        var table = new Table().AddColumns(
            context.Text("Column", "Columna"), context.Text("Holds", "Contiene"), context.Text("Missing", "Falta"), context.Text("Different", "Distintos"));
        table.Columns[2].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var column in export.Columns)
        {
            var unused = column.IsUsed ? "" : context.Text(", not used", ", no se usa");
            table.AddRow(Markup.Escape(column.Name), KindText(column.Kind) + unused, $"{column.Missing:P1}", $"{column.Distinct}");
        }

        context.Console.Write(table);
    }

    private void WriteResult(ProtocolResult result)
    {
        context.Host.Out.WriteLine(result.Protocol == ExportBenchmark.Temporal
            ? context.Text(
                $"The newest {result.TestRows} rows, predicted from the {result.TrainRows} before them (base rate {result.BaseRate:P1}):",
                $"Las {result.TestRows} filas más recientes, predichas con las {result.TrainRows} anteriores (tasa base {result.BaseRate:P1}):")
            : context.Text(
                $"Five-fold cross-validation, {result.TestRows} rows (base rate {result.BaseRate:P1}):",
                $"Validación cruzada en cinco partes, {result.TestRows} filas (tasa base {result.BaseRate:P1}):"));
        var table = new Table().AddColumns(
            context.Text("Model", "Modelo"), "AUC", "PR-AUC", "Log-loss", "Brier", "ECE", context.Text("Fit (s)", "Ajuste (s)"), context.Text("Predict (s)", "Predicción (s)"));
        for (var column = 1; column < table.Columns.Count; column++)
        {
            table.Columns[column].RightAligned();
        }

        void Row(string name, CandidateResult c) => table.AddRow(
            name, Figure(c.Metrics.Auc), Figure(c.Metrics.AveragePrecision), Figure(c.Metrics.LogLoss), Figure(c.Metrics.Brier), Figure(c.Metrics.Ece),
            $"{c.FitSeconds:0.00}", $"{c.PredictSeconds:0.00}");
        foreach (var candidate in result.Candidates)
        {
            Row(candidate.Name, candidate);
        }

        Row($"{context.Text("chosen", "elegido")}: {result.ChosenName}", result.Chosen);
        context.Console.Write(table);
        context.Host.Out.WriteLine(Verdict(result));
    }

    private string Verdict(ProtocolResult result)
    {
        var prior = result.Candidates[0].Metrics;
        var gain = 1 - (result.Chosen.Metrics.LogLoss / prior.LogLoss);
        return gain < 0.005
            ? context.Text(
                "Nothing here predicts the outcome: the base rate is the honest answer.",
                "Nada aquí predice el resultado: la tasa base es la respuesta honesta.")
            : context.Text(
                $"A positive row ranks before another one in {result.Chosen.Metrics.Auc:P0} of cases; the log-loss is {gain:P0} below the base rate's.",
                $"Una fila positiva queda por delante de otra en el {result.Chosen.Metrics.Auc:P0} de los casos; la log-loss es un {gain:P0} menor que la de la tasa base.");
    }

    private string LeakText(Leak leak) => leak.Kind switch
    {
        LeakKind.Determines => context.Text(
            $"by itself it nearly determines the outcome (AUC {leak.Auc:0.00}); what is known beforehand hardly ever does. Exclude it unless you are sure it is filled in before.",
            $"por sí sola casi determina el resultado (AUC {leak.Auc:0.00}); lo que se sabe de antemano casi nunca lo hace. Exclúyela salvo que se rellene antes."),
        LeakKind.Emptiness => context.Text(
            $"whether it is filled tells the outcome (AUC {leak.Auc:0.00}); it looks filled in after the outcome. Exclude it unless you are sure it is not.",
            $"que esté rellena o no delata el resultado (AUC {leak.Auc:0.00}); parece rellenarse después. Exclúyela salvo que no sea así."),
        LeakKind.LaterThanTime => context.Text(
            "its dates are after the row's own time; at that moment they are not known. Exclude it unless they are plans made before.",
            "sus fechas son posteriores a la de la fila; en ese momento no se conocen. Exclúyela salvo que sean planes hechos antes."),
        _ => context.Text(
            $"it goes with the outcome (AUC {leak.Auc:0.00}) and is called like something filled in or changed as the outcome becomes known. Exclude it if it is.",
            $"va con el resultado (AUC {leak.Auc:0.00}) y se llama como algo que se rellena o cambia cuando se conoce el resultado. Exclúyela si es así."),
    };

    private string KindText(ColumnKind kind) => kind switch
    {
        ColumnKind.Empty => context.Text("nothing", "nada"),
        ColumnKind.Constant => context.Text("one value", "un solo valor"),
        ColumnKind.Identifier => context.Text("an identifier", "un identificador"),
        ColumnKind.Number => context.Text("numbers", "números"),
        ColumnKind.Date => context.Text("dates", "fechas"),
        ColumnKind.Category => context.Text("categories", "categorías"),
        ColumnKind.Email => context.Text("e-mail addresses (their domain is used)", "correos (se usa su dominio)"),
        _ => context.Text("text", "texto"),
    };

    private static string KindName(ColumnKind kind) => kind.ToString().ToLowerInvariant();

    private static string LeakName(LeakKind kind) => kind switch
    {
        LeakKind.Determines => "determines",
        LeakKind.Emptiness => "emptiness",
        LeakKind.LaterThanTime => "later_than_time",
        _ => "name",
    };

    private static Dictionary<string, object?> Candidate(CandidateResult candidate, string name) => new(StringComparer.Ordinal)
    {
        ["name"] = name,
        ["auc"] = Number(candidate.Metrics.Auc),
        ["pr_auc"] = Number(candidate.Metrics.AveragePrecision),
        ["log_loss"] = Number(candidate.Metrics.LogLoss),
        ["brier"] = Number(candidate.Metrics.Brier),
        ["ece"] = Number(candidate.Metrics.Ece),
        ["fit_seconds"] = Math.Round(candidate.FitSeconds, 3),
        ["predict_seconds"] = Math.Round(candidate.PredictSeconds, 3),
    };

    /// <summary>JSON has no number that is none.</summary>
    private static double? Number(double value) => double.IsNaN(value) ? null : Math.Round(value, 6);

    private static string Figure(double value) => double.IsNaN(value) ? "–" : $"{value:0.0000}";
}
