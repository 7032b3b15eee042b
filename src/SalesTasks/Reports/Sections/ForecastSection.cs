namespace SalesTasks.Reports.Sections;

internal static class ForecastSection
{
    public static ReportSection Section { get; } = new(
        "forecast",
        new Phrase("Forecast for the next period", "Previsión para el próximo periodo"),
        new Column("period_start", new Phrase("Period", "Periodo"), ColumnKind.Period),
        new Column("expected", new Phrase("Value to be won", "Valor por ganar"), ColumnKind.Money) { Interval = ("low", "high") },
        Column.Hidden("low"),
        Column.Hidden("high"),
        new Column("expected_wins", new Phrase("Deals to be won", "Oportunidades por ganar"), ColumnKind.Decimal),
        new Column("open_deals", new Phrase("Open deals", "Oportunidades abiertas"), ColumnKind.Count),
        new Column("open_value", new Phrase("Their value", "Su valor"), ColumnKind.Money))
    {
        Explanation = new(
            "From the deals open at the end of the period: how many deals of their stage and size were won within one period before, each weighted by its own probability, times its "
            + "value, set right by how such sums did before, plus the business that begins and ends within a period. In parentheses the 80 % interval: four periods in five should end within it.",
            "A partir de las oportunidades abiertas al final del periodo: cuántas de su etapa y tamaño se ganaban antes en un periodo, ponderadas por su propia probabilidad, por su valor, "
            + "corregido por cómo resultaron antes tales sumas, más el negocio que empieza y acaba dentro de un periodo. Entre paréntesis el intervalo del 80 %: cuatro de cada cinco periodos deberían terminar dentro de él."),
        Nothing = new(
            $"No forecast: fewer than {Forecast.FewestWins} deals were won in the last {ReportPeriod.PeriodsOfForecast} periods.",
            $"Sin previsión: se ganaron menos de {Forecast.FewestWins} oportunidades en los últimos {ReportPeriod.PeriodsOfForecast} periodos."),
        ReadAsync = static async (snapshot, _, token) =>
        {
            var open = await snapshot.ReadAsync(
                "reports/forecast_open",
                row => new OpenDeals(row.GetString(0), row.GetInt32(1), row.GetInt32(2) / 100.0, row.GetInt64(3), row.GetDouble(4), row.GetDouble(5)),
                token);
            var history = await snapshot.ReadAsync(
                "reports/forecast_history",
                row => (
                    Start: row.GetDateTime(0),
                    Stage: row.IsDBNull(1) ? null : row.GetString(1),
                    Outcome: new StageOutcome(
                        row.IsDBNull(1) ? "" : row.GetString(1), row.GetInt32(2), row.GetInt64(3), row.GetDouble(4), row.GetDouble(5), row.GetInt64(6),
                        row.GetDouble(7), row.GetDouble(8))),
                token);
            var past = history.GroupBy(row => row.Start).Select(period =>
            {
                var fresh = period.Single(row => row.Stage is null).Outcome;
                return new PastPeriod(
                    [.. period.Where(row => row.Stage is not null).Select(row => row.Outcome)], fresh.Won, fresh.WonValue, fresh.WonSquares);
            }).ToList();
            return Forecast.Make(open, past) is { } forecast
                ?
                [
                    [
                        snapshot.Period.End, Cents(forecast.Expected), Cents(forecast.Low), Cents(forecast.High), Cents(forecast.Wins),
                        open.Sum(deals => deals.Deals), Cents(open.Sum(deals => deals.Value)),
                    ],
                ]
                : [];
        },
    };

    private static decimal Cents(double value) => Math.Round((decimal)value, 2);
}
