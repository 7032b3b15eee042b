using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class RepsSection
{
    private const int Shown = 10;

    public static ReportSection Section { get; } = new(
        "reps",
        new Phrase("Representatives", "Representantes"),
        new Column("rep", new Phrase("Representative", "Representante"), ColumnKind.Name),
        Column.Hidden("assigned_to"),
        new Column("won", new Phrase("Won", "Ganadas"), ColumnKind.Count),
        new Column("lost", new Phrase("Lost", "Perdidas"), ColumnKind.Count),
        new Column("win_rate", new Phrase("Win rate", "Tasa de éxito"), ColumnKind.Share) { Interval = ("win_rate_low", "win_rate_high") },
        Column.Hidden("win_rate_low"),
        Column.Hidden("win_rate_high"),
        new Column("won_value", new Phrase("Value won", "Valor ganado"), ColumnKind.Money),
        new Column("median_days_to_win", new Phrase("Median time to win", "Mediana hasta ganar"), ColumnKind.Days),
        new Column("open_deals", new Phrase("Open deals", "Abiertas"), ColumnKind.Count),
        new Column("weighted_pipeline", new Phrase("Weighted pipeline", "Cartera ponderada"), ColumnKind.Money),
        new Column("tasks_due", new Phrase("Tasks due", "Tareas que vencían"), ColumnKind.Count),
        new Column("tasks_on_time", new Phrase("On time", "A tiempo"), ColumnKind.Share) { Interval = ("tasks_on_time_low", "tasks_on_time_high") },
        Column.Hidden("tasks_on_time_low"),
        Column.Hidden("tasks_on_time_high"),
        new Column("overdue_tasks", new Phrase("Overdue at the end", "Atrasadas al final"), ColumnKind.Count))
    {
        Explanation = new(
            "Deals closed in the period, deals and tasks open at its end, by who has them now. With few closed deals a win rate says little: look at its 95 % interval.",
            "Oportunidades cerradas en el periodo, oportunidades y tareas abiertas al final, según quién las lleva ahora. Con pocos cierres una tasa de éxito dice poco: "
            + "mira su intervalo del 95 %."),
        Nothing = new("No deals and no tasks.", "Sin oportunidades ni tareas."),
        Charts = static (table, language) =>
        {
            var best = table.Rows.Where(row => table.NumberOrZero(row, "won_value") > 0).Take(Shown).ToList();
            return best.Count == 0 ? [] :
            [
                BarChart.Draw(
                    table.Section.Chart(
                        "won", language.Text($"Value won, the first {Shown}", $"Valor ganado, los {Shown} primeros"),
                        string.Join(", ", best.Select(row => $"{Names.Of(table, row, "rep", language)}: {language.Money(table.NumberOrZero(row, "won_value"))}"))),
                    [
                        .. best.Select(row => new Bar(
                            Names.Of(table, row, "rep", language), table.NumberOrZero(row, "won_value"),
                            $"{language.Money(table.NumberOrZero(row, "won_value"))} · {language.Count(table.NumberOrZero(row, "won"))}")),
                    ]),
            ];
        },
    };
}
