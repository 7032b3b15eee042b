using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Scoring;

/// <summary>In <c>explain</c>: every point of a lead's score with the fact behind it, and how the score came about over time.</summary>
internal static class ExplainScore
{
    private const string Model = "--model";

    public static ExplainSection Section { get; } = new(
        null,
        (context, connection, lead, stop) => connection.ScalarStatementAsync<string>(
            "scoring/explain", [("lead", lead), ("as_of", context.Host.Time.GetUtcNow()), ("model", context.Parse.GetValue<bool>(Model))], stop),
        Show)
    {
        Options = () => [new Option<bool>(Model) { Description = "Blend the model in, as enable_ml_scoring does" }],
    };

    private static void Show(PeopleContext context, JsonElement lead)
    {
        var stored = lead.GetProperty("stored_score");
        var score = lead.GetProperty("score").GetInt32();
        context.Host.Out.WriteLine(
            $"{context.Text("Lead", "Lead")} {lead.GetProperty("lead_ext_id").GetString()}: {context.Text("score", "puntuación")} {score} "
            + $"({Text(lead, "priority")}), {context.Text("rules version", "reglas versión")} {Text(lead, "rule_version")}");
        if (stored.ValueKind is JsonValueKind.Null)
        {
            context.Host.Out.WriteLine(context.Text("Not scored yet: the next scoring score stores it.", "Aún sin puntuar: lo guarda el próximo scoring score."));
        }
        else if (stored.GetInt32() != score || lead.GetProperty("waiting_to_be_scored").GetBoolean())
        {
            context.Host.Out.WriteLine(context.Text(
                $"Stored score: {stored.GetInt32()}; something changed since, the next scoring score stores {score}.",
                $"Puntuación guardada: {stored.GetInt32()}; algo cambió desde entonces, el próximo scoring score guarda {score}."));
        }

        var table = new Table().AddColumns(context.Text("Factor", "Factor"), context.Text("Points", "Puntos"), context.Text("Because", "Porque"));
        table.Columns[1].RightAligned();
        foreach (var factor in lead.GetProperty("factors").EnumerateArray())
        {
            table.AddRow(
                Markup.Escape(Factor(context, factor[0].GetString()!)), factor[1].GetInt32().ToString("+0;-0;0", CultureInfo.InvariantCulture),
                Markup.Escape(Fact(context, factor[2].GetString() ?? "")));
        }

        table.AddRow(context.Text("score", "puntuación"), score.ToString(CultureInfo.InvariantCulture), "");
        context.Console.Write(table);
        if (lead.GetProperty("bot_events_ignored").GetInt32() is > 0 and var bots)
        {
            context.Host.Out.WriteLine(context.Text(
                $"{bots} events of bots and link scanners are not counted.", $"{bots} eventos de bots y escáneres de enlaces no cuentan."));
        }

        if (lead.GetProperty("next_age_boundary") is { ValueKind: JsonValueKind.String } boundary)
        {
            context.Host.Out.WriteLine(
                $"{context.Text("Age points change next on", "Los puntos por antigüedad cambian el")} {boundary.GetDateTimeOffset():yyyy-MM-dd HH:mm} UTC");
        }

        var history = new Table().Title(context.Text("Latest changes", "Últimos cambios")).AddColumns(
            context.Text("When (UTC)", "Cuándo (UTC)"), context.Text("Score", "Puntuación"), context.Text("Before", "Antes"),
            context.Text("Rules", "Reglas"), context.Text("By", "Por"));
        foreach (var entry in lead.GetProperty("history").EnumerateArray())
        {
            history.AddRow(
                $"{entry.GetProperty("calculated_at").GetDateTimeOffset():yyyy-MM-dd HH:mm}", Text(entry, "score"), Text(entry, "previous_score"),
                Text(entry, "rule_version"), Markup.Escape(Text(entry, "calculated_by")));
        }

        if (history.Rows.Count > 0)
        {
            context.Console.Write(history);
        }
    }

    private static string Factor(PeopleContext context, string name) => name switch
    {
        "base" => context.Text("every lead", "todo lead"),
        "email" => context.Text("e-mail", "correo"),
        "phone" => context.Text("phone", "teléfono"),
        "name" => context.Text("name", "nombre"),
        "replies" => context.Text("replies", "respuestas"),
        "clicks" => context.Text("clicks", "clics"),
        "opens" => context.Text("opens", "aperturas"),
        "source" => context.Text("source", "fuente"),
        "utm" => "UTM",
        "age" => context.Text("age", "antigüedad"),
        "company_domain" => context.Text("company domain", "dominio de empresa"),
        "website_visited" => context.Text("website visited", "visitó la web"),
        "demo_requested" => context.Text("demo requested", "pidió una demo"),
        "pricing_page_viewed" => context.Text("pricing page viewed", "vio los precios"),
        "cap" => context.Text("cut by the cap", "recortado por el tope"),
        "model" => context.Text("model", "modelo"),
        _ => name,
    };

    private static string Fact(PeopleContext context, string fact) => fact switch
    {
        "valid" => context.Text(fact, "válido"),
        "not valid" => context.Text(fact, "no válido"),
        "none" => context.Text(fact, "ninguno"),
        "known" => context.Text(fact, "conocido"),
        "too short" => context.Text(fact, "demasiado corto"),
        "more than 5 digits" => context.Text(fact, "más de 5 dígitos"),
        "true" => context.Text("yes", "sí"),
        "false" => context.Text("no", "no"),
        _ => fact
            .Replace("(free mail)", context.Text("(free mail)", "(correo gratuito)"), StringComparison.Ordinal)
            .Replace("(not counted)", context.Text("(not counted)", "(no cuenta)"), StringComparison.Ordinal),
    };

    private static string Text(JsonElement element, string name) => element.GetProperty(name).ToString();
}
