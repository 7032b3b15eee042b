using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class SourcesSection
{
    private const int Shown = 8;

    public static ReportSection Section { get; } = new(
        "sources",
        new Phrase("Lead sources", "Fuentes de leads"),
        new Column("source", new Phrase("Source", "Fuente"), ColumnKind.Name),
        new Column("new_leads", new Phrase("New leads", "Leads nuevos"), ColumnKind.Count),
        new Column("new_leads_before", new Phrase("Period before", "Periodo anterior"), ColumnKind.Count),
        new Column("qualified", new Phrase("Qualified", "Calificadas"), ColumnKind.Count),
        new Column("won", new Phrase("Won", "Ganadas"), ColumnKind.Count),
        new Column("lost", new Phrase("Lost", "Perdidas"), ColumnKind.Count),
        new Column("win_rate", new Phrase("Win rate", "Tasa de éxito"), ColumnKind.Share) { Interval = ("win_rate_low", "win_rate_high") },
        Column.Hidden("win_rate_low"),
        Column.Hidden("win_rate_high"),
        new Column("won_value", new Phrase("Value won", "Valor ganado"), ColumnKind.Money))
    {
        Explanation = new(
            "Where leads came from, and what was qualified and closed in the period by source, whenever the lead came.",
            "De dónde llegaron los leads, y lo que se calificó y cerró en el periodo por fuente, llegara cuando llegara el lead."),
        Charts = static (table, language) =>
        {
            var largest = table.Rows.Where(row => table.NumberOrZero(row, "won_value") > 0).Take(Shown).ToList();
            return largest.Count == 0 ? [] :
            [
                BarChart.Draw(
                    table.Section.Chart(
                        "won", language.Text("Value won by source", "Valor ganado por fuente"),
                        string.Join(", ", largest.Select(row => $"{Names.Of(table, row, "source", language)}: {language.Money(table.NumberOrZero(row, "won_value"))}"))),
                    [
                        .. largest.Select(row => new Bar(
                            Names.Of(table, row, "source", language), table.NumberOrZero(row, "won_value"), language.Money(table.NumberOrZero(row, "won_value")))),
                    ]),
            ];
        },
    };
}
