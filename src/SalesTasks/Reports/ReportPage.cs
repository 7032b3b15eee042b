using System.Security.Cryptography;
using System.Text;
using SalesTasks.Charts;

namespace SalesTasks.Reports;

/// <summary>
/// The report as one HTML page without anything from outside: no script, no request, its one style sheet allowed by hash. Light or dark as the
/// reader has it, printable, readable on a phone: wide tables scroll within themselves.
/// </summary>
internal static class ReportPage
{
    /// <summary>Rows of a table that the page shows; CSV and JSON have all.</summary>
    public const int MostRows = 50;

    private const string Style =
        """

        :root{color-scheme:light dark;--back:#f4f6f8;--paper:#fff;--text:#1d2733;--soft:#566372;--line:#d5dce4;--head:#0b4f7d;--stripe:#f7f9fb;--good:#e3f1fb}
        @media (prefers-color-scheme:dark){:root{--back:#10161c;--paper:#19222b;--text:#e8edf2;--soft:#a7b4c1;--line:#33414e;--head:#8fd0fa;--stripe:#1f2a34;--good:#173449}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
        main,header,footer{max-width:1120px;margin:0 auto;padding:0 16px}
        header{padding-top:28px}
        h1{margin:0;font-size:1.75rem;line-height:1.2;color:var(--head)}
        h2{margin:0 0 4px;font-size:1.25rem;color:var(--head)}
        .lead{margin:6px 0 0;font-size:1.1rem}.soft{color:var(--soft);font-size:.875rem}
        .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr));gap:12px;margin:20px 0;padding:0;list-style:none}
        .cards li,section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px}
        .cards li{display:flex;flex-direction:column}
        .cards .name{font-size:.9rem;color:var(--soft)}.cards .value{font-size:1.7rem;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}
        .cards .change{margin-top:auto;padding-top:6px;font-size:.9rem}.cards .mark{background:var(--good);border-radius:4px;padding:1px 6px;margin-left:4px}
        section{margin:0 0 16px}section>p{margin:0 0 12px}
        .charts{display:flex;flex-wrap:wrap;gap:16px 32px;margin:12px 0 16px}.charts figure{flex:1 1 300px;min-width:0;max-width:600px;margin:0}
        figcaption{font-size:.9rem;font-weight:600;margin-bottom:8px}
        .scroll{overflow-x:auto;max-width:100%}.scroll:focus-visible{outline:2px solid var(--head);outline-offset:2px}
        table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
        caption{text-align:left;font-size:.875rem;color:var(--soft);padding:0 0 6px}
        th,td{padding:6px 12px 6px 0;text-align:right;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
        th:first-child,td.w{text-align:left}thead th{color:var(--soft);font-weight:600;vertical-align:bottom;white-space:normal;min-width:4.5em}
        tbody th{font-weight:500;white-space:normal;min-width:8em;max-width:22em;overflow-wrap:anywhere}tbody tr:nth-child(even){background:var(--stripe)}
        td.w{white-space:normal;max-width:22em;overflow-wrap:anywhere}
        td small{color:var(--soft);font-size:.93em}
        footer{padding-bottom:40px}
        @media print{:root{--back:#fff;--paper:#fff;--text:#1d2733;--soft:#566372;--line:#d5dce4;--head:#0b4f7d;--stripe:#f7f9fb;--good:#e3f1fb}
        @page{margin:14mm}html{font-size:11px}body{font-size:1rem}main,header,footer{max-width:none;padding-left:0;padding-right:0}.cards{grid-template-columns:repeat(3,1fr)}
        .cards li,figure,tr,h2{break-inside:avoid}h2,caption,thead{break-after:avoid}section{border:0;padding:0 0 8px}.scroll{overflow:visible}
        table{font-size:.8rem}th,td{padding:3px 6px 3px 0;white-space:normal}tbody th{min-width:0}thead th{min-width:0}.charts figure{max-width:45%}}

        """;

    private static readonly string s_style = Chart.Style.ReplaceLineEndings("\n") + Style.ReplaceLineEndings("\n");
    private static readonly string s_policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(s_style)))}'; base-uri 'none'; form-action 'none'";

    public static byte[] Write(ReportPeriod period, IReadOnlyList<ReportTable> tables, ReportSummary summary, ReportLanguage language)
    {
        var page = new Markup().Raw("<!DOCTYPE html>\n").Open("html", ("lang", language.Code)).Line()
            .Open("head").Line()
            .Empty("meta", ("charset", "utf-8")).Line()
            .Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", s_policy)).Line()
            .Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")).Line()
            .Empty("meta", ("name", "color-scheme"), ("content", "light dark")).Line()
            .Empty("meta", ("name", "referrer"), ("content", "no-referrer")).Line()
            .Element("title", summary.Title).Line()
            .Open("style").Raw(s_style).Close().Line()
            .Close().Line()
            .Open("body").Line()
            .Open("header").Line()
            .Element("h1", summary.Heading).Line()
            .Element("p", language.LongPeriod(period), ("class", "lead")).Line()
            .Element("p", summary.Won, ("class", "lead")).Line()
            .Close().Line()
            .Open("main").Line();
        WriteCards(page, tables, language);
        foreach (var table in tables)
        {
            WriteSection(page, table, language);
        }

        return Encoding.UTF8.GetBytes(page.Close().Line()
            .Open("footer", ("class", "soft"))
            .Element("p", language.Text(
                $"All figures are from one moment of the database and for the time from {Instant(period.Start, language)} to {Instant(period.End, language)} (UTC). "
                + "Amounts are in the currency of the data.",
                $"Todas las cifras son de un mismo momento de la base de datos y del tiempo entre {Instant(period.Start, language)} y {Instant(period.End, language)} (UTC). "
                + "Los importes están en la moneda de los datos."))
            .Close().Line().Close().Line().Close().Line().ToString());
    }

    private static string Instant(DateTimeOffset instant, ReportLanguage language) => language.Date(instant) + " 00:00";

    private static void WriteCards(Markup page, IReadOnlyList<ReportTable> tables, ReportLanguage language)
    {
        var indicators = tables.Single(table => table.Section.Name == "indicators");
        page.Open("ul", ("class", "cards"), ("aria-label", language.Text(indicators.Section.Title))).Line();
        foreach (var row in indicators.Rows)
        {
            string Cell(string column) => CellText.Of(indicators, row, indicators.Columns.Single(c => c.Name == column) with { Interval = null }, language);
            var change = indicators.Number(row, "change");
            page.Open("li")
                .Element("span", language.Word(indicators.Text(row, "indicator")), ("class", "name"))
                .Element("span", Cell("value"), ("class", "value"))
                .Element("span", Basis(indicators, row, language), ("class", "soft"))
                .Open("span", ("class", "change"))
                .Text(change is { } difference
                    ? $"{(difference > 0 ? "▲" : difference < 0 ? "▼" : "=")} {Cell("change")} {language.Text("against", "frente a")} {Cell("previous")}"
                    : language.Text("nothing to compare with", "nada con qué comparar"));
            if (indicators.Value(row, "credible") is true)
            {
                page.Element("span", language.Text("credible", "creíble"), ("class", "mark"));
            }

            page.Close().Close().Line();
        }

        var forecast = tables.Single(table => table.Section.Name == "forecast");
        foreach (var row in forecast.Rows)
        {
            page.Open("li")
                .Element("span", language.Text("Forecast, ", "Previsión, ") + language.ShortPeriod(forecast.PeriodOf(row)), ("class", "name"))
                .Element("span", language.Money(forecast.NumberOrZero(row, "expected")), ("class", "value"))
                .Element(
                    "span",
                    language.Text("80 % interval: ", "intervalo del 80 %: ")
                    + $"{language.Money(forecast.NumberOrZero(row, "low"))} – {language.Money(forecast.NumberOrZero(row, "high"))}", ("class", "soft"))
                .Element(
                    "span",
                    language.Text("deals to be won: ", "oportunidades por ganar: ") + language.Decimal(forecast.NumberOrZero(row, "expected_wins")), ("class", "change"))
                .Close().Line();
        }

        page.Close().Line();
    }

    /// <summary>What a figure stands on: its interval and its sample.</summary>
    private static string Basis(ReportTable table, object?[] row, ReportLanguage language)
    {
        var sample = language.Count(table.NumberOrZero(row, "sample"));
        return table.Number(row, "low") is { } low && table.Number(row, "high") is { } high
            ? language.Text("95 % interval: ", "intervalo del 95 %: ") + $"{language.Share(low)}\u00a0– {language.Share(high)}, n\u00a0=\u00a0{sample}"
            : $"n\u00a0=\u00a0{sample}";
    }

    private static void WriteSection(Markup page, ReportTable table, ReportLanguage language)
    {
        var section = table.Section;
        var id = section.Name.Replace('_', '-');
        page.Open("section", ("aria-labelledby", id)).Line()
            .Element("h2", language.Text(section.Title), ("id", id)).Line()
            .Element("p", language.Text(section.Explanation), ("class", "soft")).Line();
        if (table.Rows.Count == 0)
        {
            page.Element("p", language.Text(section.Nothing)).Line().Close().Line();
            return;
        }

        if (section.Remark(table, language) is { } remark)
        {
            page.Element("p", remark).Line();
        }

        var charts = section.Charts(table, language).ToList();
        if (charts.Count > 0)
        {
            page.Open("div", ("class", "charts")).Line();
            foreach (var chart in charts)
            {
                page.Open("figure").Element("figcaption", TitleOf(chart)).Raw(chart).Close().Line();
            }

            page.Close().Line();
        }

        WriteTable(page, table, id, language);
        page.Close().Line();
    }

    /// <summary>A chart's own title, which is written escaped, in plain text again.</summary>
    private static string TitleOf(string chart)
    {
        var start = chart.IndexOf('>', chart.IndexOf("<title", StringComparison.Ordinal)) + 1;
        return System.Net.WebUtility.HtmlDecode(chart[start..chart.IndexOf("</title>", StringComparison.Ordinal)]);
    }

    private static void WriteTable(Markup page, ReportTable table, string id, ReportLanguage language)
    {
        var columns = table.Columns.Where(column => column.Kind is not ColumnKind.Hidden).ToList();
        var title = language.Text(table.Section.Title);
        // A table that scrolls has to be reachable by keyboard.
        page.Open("div", ("class", "scroll"), ("role", "region"), ("aria-label", language.Text($"Table: {title}", $"Tabla: {title}")), ("tabindex", "0"))
            .Open("table").Line()
            .Element("caption", Caption(table, title, language)).Line()
            .Open("thead").Open("tr");
        foreach (var column in columns)
        {
            page.Element("th", language.Text(column.Title), ("scope", "col"));
        }

        page.Close().Close().Line().Open("tbody").Line();
        foreach (var row in table.Rows.Take(MostRows))
        {
            page.Open("tr");
            for (var i = 0; i < columns.Count; i++)
            {
                WriteCell(page, table, row, columns[i], isHeading: i == 0, language);
            }

            page.Close().Line();
        }

        page.Close().Close().Close().Line();
    }

    private static string Caption(ReportTable table, string title, ReportLanguage language)
    {
        var file = language.Text($"{title}; as a file: {table.Section.Name}.csv", $"{title}; como fichero: {table.Section.Name}.csv");
        return table.Rows.Count > MostRows
            ? file + language.Text(
                $"; the first {MostRows} of {language.Count(table.Rows.Count)} rows, all are in the file",
                $"; las primeras {MostRows} de {language.Count(table.Rows.Count)} filas, todas están en el fichero")
            : file;
    }

    private static void WriteCell(Markup page, ReportTable table, object?[] row, Column column, bool isHeading, ReportLanguage language)
    {
        var text = CellText.Of(table, row, column, language);
        if (isHeading)
        {
            page.Open("th", ("scope", "row"));
        }
        else
        {
            page.Open("td", ("class", column.Kind is ColumnKind.Name or ColumnKind.Word ? "w" : null));
        }

        if (column.Kind is ColumnKind.Name)
        {
            page.Isolated(text);
        }
        else if (column.Interval is not null && text.IndexOf(" (", StringComparison.Ordinal) is > 0 and var interval)
        {
            page.Text(text[..interval] + " ").Element("small", text[(interval + 1)..]);
        }
        else
        {
            page.Text(text);
        }

        page.Close();
    }
}
