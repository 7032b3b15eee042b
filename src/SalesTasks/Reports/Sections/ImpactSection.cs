using System.Globalization;
using SalesTasks.Impact;

namespace SalesTasks.Reports.Sections;

/// <summary>What the automation changes: leads it worked on against a random holdout, as <c>experiment show</c> tells it.</summary>
internal static class ImpactSection
{
    public static ReportSection Section { get; } = new(
        "impact",
        new Phrase("What the automation changes", "Lo que cambia la automatización"),
        new Column("indicator", new Phrase("Indicator", "Indicador"), ColumnKind.Word),
        Column.Hidden("unit"),
        new Column("treated", new Phrase("Treated", "Tratados"), ColumnKind.Measure),
        new Column("holdout", new Phrase("Held out", "Apartados"), ColumnKind.Measure),
        new Column("difference", new Phrase("Difference", "Diferencia"), ColumnKind.Change) { Interval = ("difference_low", "difference_high") },
        Column.Hidden("difference_low"),
        Column.Hidden("difference_high"),
        new Column("ratio", new Phrase("Ratio", "Cociente"), ColumnKind.Figure) { Interval = ("ratio_low", "ratio_high") },
        Column.Hidden("ratio_low"),
        Column.Hidden("ratio_high"),
        new Column("verdict", new Phrase("Verdict", "Veredicto"), ColumnKind.Word),
        Column.Hidden("treated_leads"),
        Column.Hidden("holdout_leads"),
        Column.Hidden("horizon_days"),
        Column.Hidden("balanced"))
    {
        Explanation = new(
            "A random share of new leads gets no automated contact; what became of them is compared with the others over the same number of days each. Differences are "
            + "adjusted for what was known before. In parentheses the 90 % interval.",
            "Una parte al azar de los leads nuevos no recibe contacto automático; lo que fue de ellos se compara con los demás durante los mismos días. Las diferencias se "
            + "ajustan por lo que se sabía antes. Entre paréntesis el intervalo del 90 %."),
        Nothing = new(
            "No experiment has begun: what the automation changes is not known.", "No ha empezado ningún experimento: no se sabe lo que cambia la automatización."),
        Remark = static (table, language) =>
        {
            double Of(string column) => table.NumberOrZero(table.Rows[0], column);
            var sizes = language.Text(
                $"{language.Count(Of("treated_leads"))} treated and {language.Count(Of("holdout_leads"))} held-out leads have been observed for {language.Count(Of("horizon_days"))} days.",
                $"{language.Count(Of("treated_leads"))} leads tratados y {language.Count(Of("holdout_leads"))} apartados se han observado durante {language.Count(Of("horizon_days"))} días.");
            return table.Value(table.Rows[0], "balanced") is true ? sizes : sizes + language.Text(
                " Warning: the groups are not of the sizes that chance makes; something interferes with the assignment, do not trust the differences.",
                " Aviso: los grupos no tienen el tamaño que da el azar; algo interfiere en la asignación, no te fíes de las diferencias.");
        },
        ReadAsync = static async (snapshot, _, token) => await ImpactEstimate.ReadAsync(snapshot.Connection, snapshot.Period.End, id: null, token) is { } estimate
            ?
            [
                .. estimate.Indicators.Select(object?[] (row) =>
                [
                    "impact_" + row.Indicator.Name, Unit(row.Indicator), row.Treated, row.Holdout, row.Difference?.Value, row.Difference?.Low, row.Difference?.High,
                    row.Ratio?.Value, row.Ratio?.Low, row.Ratio?.High, Verdict(row.Verdict), estimate.Observed.Treated, estimate.Observed.Holdout,
                    (long)estimate.HorizonDays, estimate.IsBalanced,
                ]),
            ]
            : [],
    };

    private static string Unit(Indicator indicator) => indicator switch
    {
        { IsShare: true } => "share",
        { Numerator: Outcome.ContactHours } => "hours",
        { Numerator: Outcome.CloseDays } => "days",
        _ => "money",
    };

    private static string Verdict(Verdict verdict) => "verdict_" + verdict.ToString().ToLower(CultureInfo.InvariantCulture);
}
