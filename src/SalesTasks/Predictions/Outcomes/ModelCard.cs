using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SalesTasks.Charts;
using SalesTasks.Cli;

namespace SalesTasks.Predictions.Outcomes;

/// <summary>
/// A model card (Mitchell et al. 2019): one HTML page without anything from outside, light or dark as the reader has it. Everything on it is kept
/// with the model, so that a card of an old model can be made.
/// </summary>
internal sealed class ModelCard
{
    private const string Style =
        """

        :root{color-scheme:light dark;--back:#f4f6f8;--paper:#fff;--text:#1d2733;--soft:#566372;--line:#d5dce4;--head:#0b4f7d;--mark:#e3f1fb}
        @media (prefers-color-scheme:dark){:root{--back:#10161c;--paper:#19222b;--text:#e8edf2;--soft:#a7b4c1;--line:#33414e;--head:#8fd0fa;--mark:#173449}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
        main,header{max-width:1000px;margin:0 auto;padding:0 16px}header{padding-top:24px}
        h1{margin:0;font-size:1.7rem;line-height:1.2;color:var(--head)}h2{margin:0 0 4px;font-size:1.35rem;color:var(--head)}h3{margin:20px 0 6px;font-size:1.05rem}
        article{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px;margin:16px 0}
        .soft{color:var(--soft);font-size:.9rem}.verdict{background:var(--mark);border-radius:6px;padding:8px 12px;margin:12px 0}
        .plot{margin-top:20px;display:flex;flex-wrap:wrap;gap:8px 32px;align-items:flex-start}.plot figure{flex:1 1 320px;min-width:0;max-width:600px;margin:0}.plot>div{flex:1 1 260px;min-width:0}
        figcaption{font-weight:600;font-size:.95rem;margin-bottom:6px}
        .scroll{overflow-x:auto;max-width:100%}
        table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;width:100%;overflow-wrap:normal}
        caption{text-align:left;color:var(--soft);font-size:.875rem;padding-bottom:4px}
        th,td{padding:5px 14px 5px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}th:first-child{text-align:left}tbody th,thead th{white-space:normal}thead th{color:var(--soft);font-weight:600}tbody th{font-weight:500}
        dl{display:grid;grid-template-columns:minmax(8em,auto) 1fr;gap:4px 16px;margin:0}dt{color:var(--soft)}dd{margin:0;min-width:0}
        @media (max-width:480px){dl{grid-template-columns:1fr}dt{margin-top:6px}}
        """;

    private static readonly string[] s_stages = ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating"];
    private static readonly string s_style =
        Chart.Style.ReplaceLineEndings("\n") + "\n" + CurveChart.Style.ReplaceLineEndings("\n") + Style.ReplaceLineEndings("\n");

    private readonly PeopleContext _language;
    private readonly Markup _page = new();

    private ModelCard(PeopleContext language) => _language = language;

    public static string Write(IReadOnlyList<CardModel> models, PeopleContext language)
    {
        var card = new ModelCard(language);
        var title = card.Text("Model card", "Ficha de modelos");
        var policy = $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(s_style)))}'";
        card._page.Raw("<!DOCTYPE html>\n").Open("html", ("lang", card.Text("en", "es"))).Line()
            .Open("head").Line()
            .Empty("meta", ("charset", "utf-8")).Line()
            .Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", policy)).Line()
            .Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")).Line()
            .Empty("meta", ("name", "color-scheme"), ("content", "light dark")).Line()
            .Element("title", title).Line()
            .Open("style").Raw(s_style).Close().Line()
            .Close().Line()
            .Open("body").Line()
            .Open("header").Element("h1", title)
            .Element("p", card.Text("SalesTasks: what predicts, from what, and how well.", "SalesTasks: qué predice, a partir de qué y con qué acierto."), ("class", "soft"))
            .Close().Line().Open("main").Line();
        foreach (var model in models)
        {
            card.WriteModel(model);
        }

        return card._page.Close().Line().Close().Line().Close().Line().ToString();
    }

    private void WriteModel(CardModel model)
    {
        _page.Open("article").Line().Element("h2", $"{Kind(model)} · {Text("model", "modelo")} {model.Id}")
            .Element("p", model.Status switch
            {
                "published" => Text("Published: it predicts.", "Publicado: predice."),
                "retired" => Text("Retired: another model took its place.", "Retirado: otro modelo ocupa su lugar."),
                _ => Text("Refused: it does not predict.", "Rechazado: no predice."),
            }, ("class", "soft"))
            .Element("p", $"{Text("Verdict of the gate", "Veredicto del control")}: {model.Reason}.", ("class", "verdict")).Line();
        Heading(Text("What it is for", "Para qué sirve"));
        foreach (var sentence in Purpose(model))
        {
            _page.Element("p", sentence);
        }

        Heading(Text("How it was made", "Cómo se hizo"));
        _page.Open("dl");
        Fact(Text("Algorithm", "Algoritmo"), model.Algorithm);
        Fact(Text("Trained", "Entrenado"), $"{Instant(model.TrainedAt)} UTC, SalesTasks {model.Version}, {Text("seed", "semilla")} {model.Seed}");
        Fact(Text("Data", "Datos"), Text($"moments from {Instant(model.From)} to {Instant(model.To)} UTC", $"momentos del {Instant(model.From)} al {Instant(model.To)} UTC"));
        Fact(Text("Deals", "Oportunidades"), Text(
            $"{Whole(model.Deals)} deals ({Whole(model.Won)} won, {Whole(model.Lost)} lost) in {Whole(model.Rows)} snapshots",
            $"{Whole(model.Deals)} oportunidades ({Whole(model.Won)} ganadas, {Whole(model.Lost)} perdidas) en {Whole(model.Rows)} instantáneas"));
        if (model.Metrics.TryGetProperty("test_from", out var from) && model.Figure("test_deals") is { } deals)
        {
            var instant = Instant(from.GetDateTimeOffset());
            Fact(Text("Judged by", "Juzgado con"), Text($"{Whole(deals)} deals from {instant} on; while it was judged it had not learned from them", $"{Whole(deals)} oportunidades desde el {instant}; al juzgarlo no había aprendido de ellas"));
        }

        Fact(Text("Reads", "Lee"), string.Join(", ", model.Features));
        Fact(Text("Does not read", "No lee"), Text(
            "estimated_value, assigned_to, probability_pct, score, notes and metadata of the deal and the lead's flags (their latest value may have been written when the outcome was known); names, language, country and region (protected attributes or stand-ins for them)",
            "estimated_value, assigned_to, probability_pct, score, notes y metadata de la oportunidad ni las marcas del lead (su último valor pudo escribirse cuando ya se sabía el resultado); nombres, idioma, país ni región (atributos protegidos o que los sustituyen)"));
        Fact("SHA-256", model.Hash);
        _page.Close().Line();
        Heading(Text("How good it is", "Qué tal acierta"));
        WriteFigures(model);
        WriteCalibration(model);
        WriteGain(model);
        WriteSurvival(model);
        WriteProducts(model);
        _page.Close().Line();
    }

    private void WriteFigures(CardModel model)
    {
        (string Name, string Title, bool Share)[] names = model.Kind == "deal_value"
            ? [("mae", Text("Mean absolute error (currency of the data)", "Error absoluto medio (moneda de los datos)"), false), ("coverage", Coverage(), true)]
            :
            [
                ("auc", Text("AUC (0.5 chance, 1 perfect)", "AUC (0,5 azar, 1 perfecto)"), false), ("log_loss", Text("Log-loss (lower is better)", "Log-loss (menor es mejor)"), false),
                ("brier", Text("Brier score (lower is better)", "Brier (menor es mejor)"), false), ("ece", Text("Calibration error (ECE)", "Error de calibración (ECE)"), false), ("coverage", Coverage(), true),
            ];
        var rows = names.Select(n => (n.Title, Own: model.Figure("test", n.Name), Prior: model.Figure("prior", n.Name), n.Share)).Where(r => r.Own is not null);
        string Figure(double? value, bool share) => value is not { } number ? "–" : share ? Percent(number) : Math.Abs(number) >= 10 ? Whole(number) : Decimal(number);
        Table(
            Text("On deals it did not learn from, beside the simplest answer", "Con oportunidades de las que no aprendió, junto a la respuesta más simple"),
            [Text("Figure", "Cifra"), Text("Model", "Modelo"), Simplest(model)],
            rows.Select(r => (string[])[r.Title, Figure(r.Own, r.Share), Figure(r.Prior, r.Share)]));
        if (model.Metrics.TryGetProperty("gain_over_prior", out var gain))
        {
            double Part(string name) => gain.GetProperty(name).GetDouble();
            string Shown(double value) => model.Kind == "deal_value" ? Whole(value) : Decimal(value);
            _page.Element("p", Text(
                $"Gain over the simplest answer: {Shown(Part("Mean"))} (95 % interval {Shown(Part("Low"))} to {Shown(Part("High"))}).",
                $"Mejora sobre la respuesta más simple: {Shown(Part("Mean"))} (intervalo del 95 %: de {Shown(Part("Low"))} a {Shown(Part("High"))})."), ("class", "soft"));
        }

        if (model.Metrics.TryGetProperty("horizons", out var horizons))
        {
            Table(
                Text("Share of deals that end within so many days", "Proporción de oportunidades que terminan en esos días"),
                [Text("Days", "Días"), Text("Snapshots", "Instantáneas"), "Brier", Simplest(model), "Log-loss", Simplest(model)],
                horizons.EnumerateArray().Select(h => (string[])
                [
                    Whole(h.GetProperty("days").GetDouble()), Whole(h.GetProperty("rows").GetDouble()), Decimal(h.GetProperty("brier").GetDouble()),
                    Decimal(h.GetProperty("prior_brier").GetDouble()), Decimal(h.GetProperty("log_loss").GetDouble()), Decimal(h.GetProperty("prior_log_loss").GetDouble()),
                ]));
        }

        string Coverage() => Text("Deals within the 80 % interval", "Oportunidades dentro del intervalo del 80 %");
    }

    private void WriteCalibration(CardModel model)
    {
        if (!model.Metrics.TryGetProperty("calibration", out var kept) || kept.Deserialize<List<Learning.CalibrationBin>>() is not { Count: > 0 } bins)
        {
            return;
        }

        var most = Math.Sqrt(bins.Max(b => b.Count));
        var title = Text("Calibration: what was said against what happened", "Calibración: lo dicho frente a lo ocurrido");
        Plot(
            title,
            CurveChart.Draw(
                new ChartText($"calibration-{model.Id}", title, Text(
                    "Each dot is a tenth of the probabilities; its area is the number of snapshots. On the dotted line, what was said came true.",
                    "Cada punto es una décima de las probabilidades; su área es el número de instantáneas. Sobre la línea de puntos se cumplió lo dicho.")),
                Text("Predicted probability", "Probabilidad predicha"), 1, Percent, Percent,
                [new Curve(Text("Observed share", "Proporción observada"), [.. bins.Select(b => (b.Said, b.Happened))], [.. bins.Select(b => 2.5 + (7 * Math.Sqrt(b.Count) / most))])],
                Text("Exactly as said", "Exactamente lo dicho")),
            [Text("Predicted", "Predicho"), Text("Observed", "Observado"), Text("Snapshots", "Instantáneas")],
            bins.Select(b => (string[])[Percent(b.Said), Percent(b.Happened), Whole(b.Count)]));
    }

    private void WriteGain(CardModel model)
    {
        if (!model.Metrics.TryGetProperty("cumulative_gain", out var kept) || kept.Deserialize<double[]>() is not { Length: > 1 } shares)
        {
            return;
        }

        var found = model.Kind == "risk" ? Text("lost or silent deals", "oportunidades perdidas o en silencio") : Text("won deals", "oportunidades ganadas");
        var title = Text($"Cumulative gain: share of the {found} among the highest", $"Ganancia acumulada: proporción de las {found} entre las más altas");
        double Top(int i) => i / (double)(shares.Length - 1);
        Plot(
            title,
            CurveChart.Draw(
                new ChartText($"gain-{model.Id}", title, Text(
                    $"Of the half with the highest predictions come {Percent(shares[shares.Length / 2])} of the {found}.",
                    $"De la mitad con predicciones más altas viene el {Percent(shares[shares.Length / 2])} de las {found}.")),
                Text("Snapshots, the highest prediction first", "Instantáneas, primero la predicción más alta"), 1, Percent, Percent,
                [new Curve(Text("Model", "Modelo"), [.. shares.Select((s, i) => (Top(i), s))])],
                Text("In any order", "En cualquier orden")),
            [Text("Highest", "Más altas"), Text("Found", "Encontradas")],
            Enumerable.Range(0, shares.Length).Where(i => i % 4 == 0 && i > 0).Select(i => (string[])[Percent(Top(i)), Percent(shares[i])]));
    }

    private void WriteSurvival(CardModel model)
    {
        if (!model.Metrics.TryGetProperty("curves", out var kept) || kept.Deserialize<Dictionary<string, double[]>>() is not { Count: > 0 } curves
            || !model.Metrics.TryGetProperty("edges_days", out var border))
        {
            return;
        }

        var edges = border.Deserialize<double[]>()!;
        var stages = s_stages.Where(curves.ContainsKey).ToList();
        var title = Text("Still open after so many days, by stage today", "Siguen abiertas tras esos días, por etapa actual");
        var days = edges[^1];
        Plot(
            title,
            CurveChart.Draw(
                new ChartText($"survival-{model.Id}", title, Text(
                    $"Mean curve of each stage's deals up to {Whole(days)} days; beyond them nothing is said.",
                    $"Curva media de las oportunidades de cada etapa hasta {Whole(days)} días; más allá no se dice nada.")),
                Text("Days from now", "Días desde ahora"), days, Whole, Percent,
                [.. stages.Select(stage => new Curve(Stage(stage), [(0.0, 1.0), .. curves[stage].Select((share, bin) => (edges[bin + 1], share))]))]),
            [Text("Stage", "Etapa"), .. Marks(edges).Select(bin => $"{Whole(edges[bin + 1])} {Text("d", "d")}")],
            stages.Select(stage => (string[])[Stage(stage), .. Marks(edges).Select(bin => Percent(curves[stage][bin]))]));

        static IEnumerable<int> Marks(double[] edges) => Enumerable.Range(0, edges.Length - 1).Where(bin => edges[bin + 1] is 14 or 30 or 60 or 90 or 180 or 365);
    }

    private void WriteProducts(CardModel model)
    {
        if (!model.Metrics.TryGetProperty("products", out var kept))
        {
            return;
        }

        var products = kept.EnumerateArray().Select(p => (
            Name: p.GetProperty("product").GetString() is { Length: > 0 } name ? name : Text("(unknown)", "(desconocido)"),
            Deals: p.GetProperty("deals").GetInt32(),
            Said: p.GetProperty("said").Deserialize<double[]>()!,
            Known: p.GetProperty("known").Deserialize<double[]>()!)).OrderByDescending(p => p.Deals).Take(12).ToList();
        var title = Text("Deal value if won: median and 80 % interval (currency of the data)", "Valor si se gana: mediana e intervalo del 80 % (moneda de los datos)");
        string Span(double[] range) => $"{Whole(range[0])} – {Whole(range[2])}";
        Plot(
            title,
            BarChart.Draw(
                new ChartText($"value-{model.Id}", title, Text(
                    "The bar is the median of a product's predictions, the line its 80 % interval.", "La barra es la mediana de las predicciones de un producto; la línea, su intervalo del 80 %.")),
                [.. products.Select(p => new Bar(p.Name, p.Said[1], $"{Whole(p.Said[1])} ({Span(p.Said)})", p.Said[0], p.Said[2]))]),
            [Text("Product", "Producto"), Text("Predicted", "Predicho"), Text("Won deals brought", "Lo que trajeron"), Text("Deals", "Oportunidades")],
            products.Select(p => (string[])[p.Name, $"{Whole(p.Said[1])} ({Span(p.Said)})", $"{Whole(p.Known[1])} ({Span(p.Known)})", Whole(p.Deals)]));
    }

    private void Heading(string text) => _page.Element("h3", text).Line();

    private void Fact(string name, string value) => _page.Element("dt", name).Element("dd", value).Line();

    private void Plot(string title, string svg, string[] columns, IEnumerable<string[]> rows)
    {
        _page.Open("div", ("class", "plot")).Open("figure").Element("figcaption", title).Raw(svg).Close().Line().Open("div");
        Table(title, columns, rows);
        _page.Close().Close().Line();
    }

    private void Table(string caption, string[] columns, IEnumerable<string[]> rows)
    {
        _page.Open("div", ("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)).Open("table").Element("caption", caption).Open("thead").Open("tr");
        foreach (var column in columns)
        {
            _page.Element("th", column, ("scope", "col"));
        }

        _page.Close().Close().Open("tbody");
        foreach (var row in rows)
        {
            _page.Open("tr").Element("th", row[0], ("scope", "row"));
            foreach (var cell in row.Skip(1))
            {
                _page.Element("td", cell);
            }

            _page.Close();
        }

        _page.Close().Close().Close().Line();
    }

    private string Kind(CardModel model) => model.Kind switch
    {
        "win_probability" => Text("Win probability", "Probabilidad de ganar"),
        "deal_value" => Text("Deal value", "Valor de la oportunidad"),
        "time_to_close" => Text("Time to close", "Tiempo hasta el cierre"),
        _ => Text("Risk", "Riesgo"),
    };

    private string Simplest(CardModel model) => model.Kind switch
    {
        "win_probability" => Text("Rates by stage and source", "Tasas por etapa y fuente"),
        "deal_value" => Text("Median of all", "Mediana de todas"),
        "time_to_close" => Text("Curve of the stage", "Curva de la etapa"),
        _ => Text("Rate of the stage", "Tasa de la etapa"),
    };

    private string[] Purpose(CardModel model) =>
    [
        model.Kind switch
        {
            "win_probability" => Text("The probability that an open deal is won in the end.", "La probabilidad de que una oportunidad abierta se gane al final."),
            "deal_value" => Text("What an open deal brings if it is won, where nobody gave an estimate of its own.", "Lo que una oportunidad abierta trae si se gana, cuando nadie dio una estimación propia."),
            "time_to_close" => Text("Days until an open deal ends, won or lost. Where the curve does not reach a probability within its horizon, nothing is said.", "Días hasta que una oportunidad abierta termina, ganada o perdida. Donde la curva no alcanza una probabilidad dentro de su horizonte, no se dice nada."),
            _ => Text(
                $"The probability that within {Whole(model.Figure("horizon_days") ?? RiskTrial.HorizonDays)} days a deal is lost, or that nothing happens to it for all of them: no engagement of a person, no completed contact, no change of stage.",
                $"La probabilidad de que en {Whole(model.Figure("horizon_days") ?? RiskTrial.HorizonDays)} días una oportunidad se pierda, o de que en todos ellos no ocurra nada: ni interacción de una persona, ni contacto completado, ni cambio de etapa."),
        },
        Text(
            "Use it to order and plan the team's own work. It describes deals of this team in the time named below; it is not meant for decisions about people, for other teams, or for what was never tried. It says what goes with an outcome, not what causes it.",
            "Sirve para ordenar y planificar el trabajo del propio equipo. Describe oportunidades de este equipo en el tiempo indicado abajo; no sirve para decidir sobre personas, para otros equipos ni para lo que nunca se probó. Dice qué acompaña a un resultado, no qué lo causa."),
    ];

    private string Stage(string stage) => stage switch
    {
        "qualified" => Text("Qualified", "Inicial"),
        "contacted" => Text("Contacted", "Contactado"),
        "meeting_scheduled" => Text("Meeting scheduled", "Reunión"),
        "proposal_sent" => Text("Proposal sent", "Propuesta"),
        _ => Text("Negotiating", "Negociación"),
    };

    private string Text(string english, string spanish) => _language.Text(english, spanish);

    private string Local(string number) => Text(number, number.Replace(',', ' ').Replace('.', ',').Replace(' ', '.'));

    private string Whole(double value) => Local(Math.Round(value).ToString("#,0", CultureInfo.InvariantCulture));

    private string Whole(int value) => Whole((double)value);

    private string Decimal(double value) => Local(value.ToString("0.000", CultureInfo.InvariantCulture));

    private string Percent(double share) => Local(Math.Round(100 * share).ToString("0", CultureInfo.InvariantCulture)) + " %";

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
