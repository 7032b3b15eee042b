using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class AlertsSection
{
    public static ReportSection Section { get; } = new(
        "alerts",
        new Phrase("Usefulness of alerts", "Utilidad de las alertas"),
        new Column("kind", new Phrase("Kind", "Clase"), ColumnKind.Word),
        new Column("opened", new Phrase("Opened", "Abiertas"), ColumnKind.Count),
        new Column("critical", new Phrase("Critical", "Críticas"), ColumnKind.Count),
        new Column("acknowledged", new Phrase("Acknowledged", "Atendidas"), ColumnKind.Count),
        new Column("acted_on", new Phrase("Acted on", "Con acción"), ColumnKind.Count),
        new Column("useful", new Phrase("Either", "Lo uno o lo otro"), ColumnKind.Count),
        new Column("useful_share", new Phrase("Useful", "Útiles"), ColumnKind.Share) { Interval = ("useful_low", "useful_high") },
        Column.Hidden("useful_low"),
        Column.Hidden("useful_high"),
        new Column("still_open", new Phrase("Still open", "Siguen abiertas"), ColumnKind.Count),
        new Column("median_hours_to_action", new Phrase("Median hours to action", "Mediana de horas hasta la acción"), ColumnKind.Decimal))
    {
        Explanation = new(
            "The alerts opened in the period. Useful: acknowledged by a person, or acted on by the owner, until the report was built. In parentheses the 95 % interval.",
            "Las alertas abiertas en el periodo. Útil: atendida por una persona, o seguida de una acción de su responsable, hasta que se hizo el informe. Entre paréntesis el "
            + "intervalo del 95 %."),
        Nothing = new("No alert was opened in this period.", "No se abrió ninguna alerta en este periodo."),
        Charts = static (table, language) =>
        [
            BarChart.Draw(
                table.Section.Chart(
                    "useful", language.Text("Useful alerts by kind, in percent, with the 95 % interval", "Alertas útiles por clase, en porcentaje, con el intervalo del 95 %"),
                    string.Join(", ", table.Rows.Select(row => $"{language.Word(table.Text(row, "kind"))}: {language.Share(table.NumberOrZero(row, "useful_share"))}"))),
                [
                    .. table.Rows.Select(row => new Bar(
                        language.Word(table.Text(row, "kind")), table.NumberOrZero(row, "useful_share"),
                        $"{language.Share(table.NumberOrZero(row, "useful_share"))} · {language.Count(table.NumberOrZero(row, "opened"))}",
                        table.Number(row, "useful_low"), table.Number(row, "useful_high"))),
                ],
                greatest: 1),
        ],
    };
}
