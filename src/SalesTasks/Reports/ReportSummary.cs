using System.Text.Json;
using System.Text.Json.Nodes;
using SalesTasks.Reports.Sections;

namespace SalesTasks.Reports;

/// <summary>What e-mail and Slack say of a report. Names in it are as they stand in the data: whoever shows them escapes them.</summary>
/// <param name="Heading">Weekly sales report.</param>
/// <param name="Title">The same with its period.</param>
/// <param name="Won">What was won, in a sentence.</param>
/// <param name="Lines">Names and values.</param>
internal sealed record ReportSummary(string Heading, string Title, string Won, IReadOnlyList<(string Name, string Value)> Lines)
{
    public static ReportSummary Of(ReportPeriod period, IReadOnlyList<ReportTable> tables, ReportLanguage language)
    {
        ReportTable Table(string name) => tables.Single(table => table.Section.Name == name);
        var heading = period.Type == ReportPeriod.Weekly
            ? language.Text("Weekly sales report", "Informe semanal de ventas")
            : language.Text("Monthly sales report", "Informe mensual de ventas");
        var trend = Table("trend");
        var (now, before) = (trend.Rows[^1], trend.Rows[^2]);
        string Deals(object?[] row) => language.Count(trend.NumberOrZero(row, "won"));
        string Value(object?[] row) => language.Money(trend.NumberOrZero(row, "won_value"));
        var won = language.Text(
            $"Deals won: {Deals(now)}, worth {Value(now)} (period before: {Deals(before)}, worth {Value(before)}). New leads: {language.Count(trend.NumberOrZero(now, "new_leads"))}.",
            $"Oportunidades ganadas: {Deals(now)}, por valor de {Value(now)} (periodo anterior: {Deals(before)}, por valor de {Value(before)}). Leads nuevos: {language.Count(trend.NumberOrZero(now, "new_leads"))}.");

        var lines = new List<(string, string)> { (language.Text("Deals won", "Oportunidades ganadas"), $"{Deals(now)} = {Value(now)}") };
        var indicators = Table("indicators");
        foreach (var row in indicators.Rows)
        {
            string Cell(string column) => CellText.Of(indicators, row, indicators.Columns.Single(c => c.Name == column) with { Interval = null }, language);
            lines.Add((language.Word(indicators.Text(row, "indicator")), $"{Cell("value")} ({language.Text("before", "antes")}: {Cell("previous")})"));
        }

        var forecast = Table("forecast");
        lines.AddRange(forecast.Rows.Select(row => (
            language.Text("Forecast, next period", "Previsión, próximo periodo"),
            $"{language.Money(forecast.NumberOrZero(row, "expected"))} ({language.Money(forecast.NumberOrZero(row, "low"))} – {language.Money(forecast.NumberOrZero(row, "high"))})")));
        Best(Table("reps"), "rep", language.Text("Most value won by", "Más valor ganado por"));
        Best(Table("sources"), "source", language.Text("Best source", "Mejor fuente"));
        return new ReportSummary(heading, $"{heading}: {language.LongPeriod(period)}", won, lines);

        void Best(ReportTable table, string column, string name)
        {
            if (table.Rows.FirstOrDefault(row => table.NumberOrZero(row, "won_value") > 0 && table.Value(row, column) is not null) is { } best)
            {
                lines.Add((name, $"{Names.Of(table, best, column, language)}: {language.Money(table.NumberOrZero(best, "won_value"))}"));
            }
        }
    }

    public string ToJson() => new JsonObject
    {
        ["heading"] = Heading,
        ["title"] = Title,
        ["won"] = Won,
        ["lines"] = new JsonArray([.. Lines.Select(line => new JsonArray(line.Name, line.Value))]),
    }.ToJsonString();

    public static ReportSummary Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        return new ReportSummary(
            root.GetProperty("heading").GetString()!, root.GetProperty("title").GetString()!, root.GetProperty("won").GetString()!,
            [.. root.GetProperty("lines").EnumerateArray().Select(line => (line[0].GetString()!, line[1].GetString()!))]);
    }
}
