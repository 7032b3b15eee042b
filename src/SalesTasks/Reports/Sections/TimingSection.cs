using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class TimingSection
{
    public static ReportSection Section { get; } = new(
        "timing",
        new Phrase("Gain by contact timing", "Ganancia por el momento del contacto"),
        new Column("week", new Phrase("Week", "Semana"), ColumnKind.Word),
        new Column("treated_leads", new Phrase("Leads at learned hours", "Leads a horas aprendidas"), ColumnKind.Count),
        new Column("treated_rate", new Phrase("Answered", "Responden"), ColumnKind.Share),
        new Column("control_leads", new Phrase("Leads of the control", "Leads de control"), ColumnKind.Count),
        new Column("control_rate", new Phrase("Answered", "Responden"), ColumnKind.Share),
        Column.Hidden("unit"),
        new Column("difference", new Phrase("Difference", "Diferencia"), ColumnKind.Change) { Interval = ("difference_low", "difference_high") },
        Column.Hidden("difference_low"),
        Column.Hidden("difference_high"),
        new Column("ratio", new Phrase("Ratio", "Cociente"), ColumnKind.Figure) { Interval = ("ratio_low", "ratio_high") },
        Column.Hidden("ratio_low"),
        Column.Hidden("ratio_high"))
    {
        Explanation = new(
            "Leads contacted at learned hours against a random control that is contacted at plain ones, by week. In parentheses the 90 % interval.",
            "Leads contactados a horas aprendidas frente a un control al azar contactado a las habituales, por semana. Entre paréntesis el intervalo del 90 %."),
        Nothing = new("Learned hours were not in use in these weeks.", "En estas semanas no se usaron horas aprendidas."),
        Charts = static (table, language) =>
        [
            TrendChart.Lines(
                table.Section.Chart(
                    "rates", language.Text("Share of contacts answered, in percent", "Parte de contactos respondidos, en porcentaje"),
                    string.Join(", ", table.Rows.Select(row => $"{table.Text(row, "week")}: {language.Share(table.NumberOrZero(row, "treated_rate"))}"))),
                [.. table.Rows.Select(row => language.Text("W", "S") + table.Text(row, "week")[^2..])], language.AxisShare,
                new Series(language.Text("Learned hours", "Horas aprendidas"), table.Numbers("treated_rate")), new Series("Control", table.Numbers("control_rate"))),
        ],
    };
}
