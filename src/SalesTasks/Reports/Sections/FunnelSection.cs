using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class FunnelSection
{
    public static ReportSection Section { get; } = new(
        "funnel",
        new Phrase("Funnel", "Embudo"),
        new Column("stage", new Phrase("Stage", "Etapa"), ColumnKind.Word),
        new Column("reached", new Phrase("Reached it", "Llegaron"), ColumnKind.Count),
        new Column("share_of_previous", new Phrase("Of the stage before", "De la etapa anterior"), ColumnKind.Share) { Interval = ("share_low", "share_high") },
        Column.Hidden("share_low"),
        Column.Hidden("share_high"),
        new Column("at_end", new Phrase("In it at the end", "En ella al final"), ColumnKind.Count),
        new Column("value_at_end", new Phrase("Their value", "Su valor"), ColumnKind.Money),
        new Column("average_days", new Phrase("Average stay", "Estancia media"), ColumnKind.Days))
    {
        Explanation = new(
            "The deals qualified in the 90 days before the end of the period, and how far they got by then. Lost is measured against all of them; it can happen "
            + "at any stage. In parentheses the 95 % interval.",
            "Las oportunidades calificadas en los 90 días antes del final del periodo y hasta dónde llegaron. Perdido se mide frente a todas; puede ocurrir en "
            + "cualquier etapa. Entre paréntesis el intervalo del 95 %."),
        Nothing = new("No deal was qualified in these 90 days.", "Ninguna oportunidad se calificó en esos 90 días."),
        Charts = static (table, language) =>
        {
            var stages = table.Rows.Where(row => table.Text(row, "stage") != "closed_lost").ToList();
            return
            [
                BarChart.Draw(
                    table.Section.Chart(
                        "reached", language.Text("Deals that reached each stage", "Oportunidades que llegaron a cada etapa"),
                        string.Join(", ", stages.Select(row => $"{language.Word(table.Text(row, "stage"))}: {language.Count(table.NumberOrZero(row, "reached"))}"))),
                    [
                        .. stages.Select(row => new Bar(
                            language.Word(table.Text(row, "stage")), table.NumberOrZero(row, "reached"),
                            language.Count(table.NumberOrZero(row, "reached")) + (table.Number(row, "share_of_previous") is { } share ? $" · {language.Share(share)}" : ""))),
                    ]),
            ];
        },
    };
}
