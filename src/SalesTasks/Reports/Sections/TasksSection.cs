using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class TasksSection
{
    public static ReportSection Section { get; } = new(
        "tasks",
        new Phrase("Tasks", "Tareas"),
        new Column("task_type", new Phrase("Type", "Tipo"), ColumnKind.Word),
        new Column("created", new Phrase("Created", "Creadas"), ColumnKind.Count),
        new Column("due", new Phrase("Due", "Vencían"), ColumnKind.Count),
        new Column("on_time", new Phrase("Completed on time", "Completadas a tiempo"), ColumnKind.Count),
        new Column("late", new Phrase("Completed late", "Completadas tarde"), ColumnKind.Count),
        new Column("on_time_share", new Phrase("On time", "A tiempo"), ColumnKind.Share) { Interval = ("on_time_low", "on_time_high") },
        Column.Hidden("on_time_low"),
        Column.Hidden("on_time_high"),
        new Column("overdue", new Phrase("Overdue at the end", "Atrasadas al final"), ColumnKind.Count))
    {
        Explanation = new(
            "Tasks created in the period, those due in it, and all that were overdue at its end, however old. Skipped and cancelled tasks count as created only.",
            "Tareas creadas en el periodo, las que vencían en él y todas las atrasadas a su final, por antiguas que sean. Las omitidas y canceladas solo cuentan como creadas."),
        Charts = static (table, language) =>
        {
            var due = table.Rows.Where(row => table.Number(row, "on_time_share") is not null).ToList();
            return due.Count == 0 ? [] :
            [
                BarChart.Draw(
                    table.Section.Chart(
                        "on-time",
                        language.Text("Share completed on time, in percent, with its 95 % interval", "Parte completada a tiempo, en porcentaje, con su intervalo del 95 %"),
                        string.Join(", ", due.Select(row => $"{language.Word(table.Text(row, "task_type"))}: {language.Share(table.NumberOrZero(row, "on_time_share"))}"))),
                    [
                        .. due.Select(row => new Bar(
                            language.Word(table.Text(row, "task_type")), table.NumberOrZero(row, "on_time_share"), language.Share(table.NumberOrZero(row, "on_time_share")),
                            table.Number(row, "on_time_low"), table.Number(row, "on_time_high"))),
                    ],
                    greatest: 1),
            ];
        },
    };
}
