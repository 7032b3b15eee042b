using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class TrendSection
{
    public static ReportSection Section { get; } = new(
        "trend",
        new Phrase("Trend", "Evolución"),
        new Column("period_start", new Phrase("Period", "Periodo"), ColumnKind.Period),
        new Column("new_leads", new Phrase("New leads", "Leads nuevos"), ColumnKind.Count),
        new Column("qualified", new Phrase("Qualified", "Calificadas"), ColumnKind.Count),
        new Column("won", new Phrase("Won", "Ganadas"), ColumnKind.Count),
        new Column("lost", new Phrase("Lost", "Perdidas"), ColumnKind.Count),
        new Column("win_rate", new Phrase("Win rate", "Tasa de éxito"), ColumnKind.Share) { Interval = ("win_rate_low", "win_rate_high") },
        Column.Hidden("win_rate_low"),
        Column.Hidden("win_rate_high"),
        new Column("won_value", new Phrase("Value won", "Valor ganado"), ColumnKind.Money),
        new Column("foretold", new Phrase("Forecast", "Previsto"), ColumnKind.Money) { Interval = ("foretold_low", "foretold_high") },
        Column.Hidden("foretold_low"),
        Column.Hidden("foretold_high"))
    {
        Explanation = new(
            "What came in and what was closed, period by period. The forecast is the one made at the period's start, with its 80 % interval.",
            "Lo que entró y lo que se cerró, periodo a periodo. El valor previsto es el de la previsión hecha al empezar el periodo, con su intervalo del 80 %."),
        Charts = static (table, language) =>
        {
            var times = Times.Of(table, language);
            var foretold = table.Rows.Any(row => table.Number(row, "foretold") is not null)
                ? new Series(language.Text("Forecast, 80 % interval", "Previsto, intervalo del 80 %"), table.Numbers("foretold"))
                {
                    Intervals = table.Intervals("foretold_low", "foretold_high"),
                }
                : null;
            return
            [
                TrendChart.Columns(
                    table.Section.Chart("value", language.Text("Value won by period", "Valor ganado por periodo"), Times.FromTo(table, language, "won_value", language.Money)),
                    times, language.ShortMoney, new Series(language.Text("Value won", "Valor ganado"), table.Numbers("won_value")), foretold),
                TrendChart.Lines(
                    table.Section.Chart(
                        "rate", language.Text("Win rate by period, in percent, with its 95 % interval", "Tasa de éxito por periodo, en porcentaje, con su intervalo del 95 %"),
                        Times.FromTo(table, language, "win_rate", language.Share)),
                    times, language.AxisShare,
                    new Series(language.Text("Win rate", "Tasa de éxito"), table.Numbers("win_rate")) { Intervals = table.Intervals("win_rate_low", "win_rate_high") }),
            ];
        },
    };
}
