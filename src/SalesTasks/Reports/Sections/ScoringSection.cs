using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class ScoringSection
{
    public static ReportSection Section { get; } = new(
        "scoring",
        new Phrase("Lead scores", "Puntuación de leads"),
        new Column("period_start", new Phrase("Period", "Periodo"), ColumnKind.Period),
        new Column("calculated", new Phrase("Scores calculated", "Puntuaciones calculadas"), ColumnKind.Count),
        new Column("first_time", new Phrase("For the first time", "Por primera vez"), ColumnKind.Count),
        new Column("raised", new Phrase("Rose", "Subieron"), ColumnKind.Count),
        new Column("lowered", new Phrase("Fell", "Bajaron"), ColumnKind.Count),
        new Column("average_score", new Phrase("Average score", "Puntuación media"), ColumnKind.Decimal),
        new Column("high_share", new Phrase("High priority", "Prioridad alta"), ColumnKind.Share) { Interval = ("high_share_low", "high_share_high") },
        Column.Hidden("high_share_low"),
        Column.Hidden("high_share_high"))
    {
        Explanation = new(
            "Scores are calculated where something changed. The average is that of the scores calculated in the period, not of all leads.",
            "Se calcula donde algo cambió. La media es la de las puntuaciones calculadas en el periodo, no la de todos los leads."),
        Nothing = new("No scores were calculated in these periods.", "No se calcularon puntuaciones en estos periodos."),
        Charts = static (table, language) =>
        [
            TrendChart.Lines(
                table.Section.Chart(
                    "moves", language.Text("Scores that rose and fell, by period", "Puntuaciones que subieron y bajaron, por periodo"),
                    Times.FromTo(table, language, "raised", language.Count)),
                Times.Of(table, language), language.ShortMoney,
                new Series(language.Text("Rose", "Subieron"), table.Numbers("raised")), new Series(language.Text("Fell", "Bajaron"), table.Numbers("lowered"))),
        ],
    };
}
