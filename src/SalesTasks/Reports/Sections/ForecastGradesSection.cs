using SalesTasks.Charts;

namespace SalesTasks.Reports.Sections;

internal static class ForecastGradesSection
{
    public static ReportSection Section { get; } = new(
        "forecast_grades",
        new Phrase("How past forecasts did", "Cómo resultaron las previsiones pasadas"),
        new Column("period_start", new Phrase("Period", "Periodo"), ColumnKind.Period),
        Column.Hidden("made_at"),
        new Column("expected", new Phrase("Forecast", "Previsto"), ColumnKind.Money) { Interval = ("low", "high") },
        Column.Hidden("low"),
        Column.Hidden("high"),
        new Column("won_value", new Phrase("Value won", "Valor ganado"), ColumnKind.Money),
        new Column("inside", new Phrase("Inside the interval", "Dentro del intervalo"), ColumnKind.YesNo))
    {
        Explanation = new(
            "Every forecast is kept as it was made, and the first one made for a period is compared with what was won in it. In parentheses the 80 % interval.",
            "Cada previsión se guarda como se hizo, y la primera hecha para un periodo se compara con lo que se ganó en él. Entre paréntesis el intervalo del 80 %."),
        Nothing = new(
            "No forecast has been made yet for a period that is over.", "Aún no se ha hecho ninguna previsión para un periodo que haya terminado."),
        Remark = static (table, language) =>
        {
            var inside = table.Rows.Count(row => table.Value(row, "inside") is true);
            return language.Text(
                $"{inside} of {table.Rows.Count} past forecasts held the value won in their interval ({language.Share(inside / (double)table.Rows.Count)}; aimed at: 80 %).",
                $"{inside} de {table.Rows.Count} previsiones pasadas contenían en su intervalo el valor ganado ({language.Share(inside / (double)table.Rows.Count)}; objetivo: 80 %).");
        },
        Charts = static (table, language) =>
        [
            TrendChart.Columns(
                table.Section.Chart(
                    "past", language.Text("Value won against its forecast", "Valor ganado frente a lo previsto"), Times.FromTo(table, language, "won_value", language.Money)),
                Times.Of(table, language), language.ShortMoney, new Series(language.Text("Value won", "Valor ganado"), table.Numbers("won_value")),
                new Series(language.Text("Forecast, 80 % interval", "Previsto, intervalo del 80 %"), table.Numbers("expected")) { Intervals = table.Intervals("low", "high") }),
        ],
    };
}
