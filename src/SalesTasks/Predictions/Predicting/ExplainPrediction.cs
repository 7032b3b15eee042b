using System.Globalization;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Predictions.Predicting;

/// <summary>In <c>explain</c>: why this probability.</summary>
internal static class ExplainPrediction
{
    public static ExplainSection Section { get; } = new(
        "probability",
        (_, connection, lead, stop) => connection.ScalarStatementAsync<string>("predictions/explain", [("lead", lead)], stop),
        Show);

    private static void Show(PeopleContext context, JsonElement prediction)
    {
        var output = context.Host.Out;
        var by = prediction.GetProperty("answered_by").GetString();
        var at = $"{prediction.GetProperty("predicted_at").GetDateTimeOffset():yyyy-MM-dd HH:mm} UTC";
        if (by == "lead")
        {
            output.WriteLine(context.Text(
                $"Probability: {Percent(prediction, "probability")} if it were qualified now ({prediction.GetProperty("version").GetString()}), {at}",
                $"Probabilidad: {Percent(prediction, "probability")} si se calificara ahora ({prediction.GetProperty("version").GetString()}), {at}"));
            return;
        }

        output.WriteLine(
            $"{context.Text("Probability", "Probabilidad")}: {Percent(prediction, "probability")}"
            + (prediction.GetProperty("probability_low").ValueKind is JsonValueKind.Null ? ""
                : $" ({Percent(prediction, "probability_low")} {context.Text("to", "a")} {Percent(prediction, "probability_high")}, 80 %)")
            + $", {By(context, prediction)}, {at}"
            + (prediction.GetProperty("open").GetBoolean() ? "" : context.Text("; the deal is closed", "; la oportunidad está cerrada")));
        ShowContributions(context, prediction);
        ShowOutlook(context, prediction);
        foreach (var recommendation in prediction.GetProperty("recommendations").EnumerateArray())
        {
            var action = Recommendations.Text(recommendation[0].GetString()!);
            var reason = Recommendations.ReasonText(recommendation[1].GetString()!);
            output.WriteLine($"→ {context.Text(action.English, action.Spanish)}: {context.Text(reason.English, reason.Spanish)}");
        }
    }

    private static string By(PeopleContext context, JsonElement prediction) => prediction.GetProperty("answered_by").GetString() switch
    {
        "model" => context.Text($"model {prediction.GetProperty("win_model")}", $"modelo {prediction.GetProperty("win_model")}"),
        "prior" => context.Text("rates by stage and source (no model)", "tasas por etapa y fuente (sin modelo)"),
        _ => context.Text("external model", "modelo externo"),
    };

    private static void ShowContributions(PeopleContext context, JsonElement prediction)
    {
        if (prediction.GetProperty("base_log_odds").ValueKind is JsonValueKind.Null)
        {
            return;
        }

        var table = new Table().AddColumns(
            context.Text("Because", "Porque"), context.Text("Is", "Es"), context.Text("Log-odds", "Log-odds"));
        table.Columns[2].RightAligned();
        table.AddRow(context.Text("deals on average", "oportunidades en promedio"), "", Signed(prediction.GetProperty("base_log_odds")));
        foreach (var contribution in prediction.GetProperty("contributions").EnumerateArray())
        {
            table.AddRow(Markup.Escape(Feature(context, contribution[0].GetString()!)), Markup.Escape(Value(context, contribution[1])), Signed(contribution[2]));
        }

        table.AddRow(context.Text("all other facts", "los demás datos"), "", Signed(prediction.GetProperty("other_log_odds")));
        table.AddRow(context.Text("sum", "suma"), Percent(prediction, "probability"), Signed(prediction.GetProperty("log_odds")));
        context.Console.Write(table);
    }

    private static void ShowOutlook(PeopleContext context, JsonElement prediction)
    {
        var lines = new List<string> { $"{context.Text("risk", "riesgo")} {Percent(prediction, "risk")}" };
        if (Number(prediction, "expected_value") is { } expected)
        {
            lines.Add(context.Text($"expected value {expected:N0}", $"valor esperado {expected:N0}"));
        }

        if (Number(prediction, "own_value") is null && Number(prediction, "value") is { } value)
        {
            lines.Add(context.Text("value if won", "valor si se gana")
                + $" {value:N0} ({Number(prediction, "value_low"):N0} {context.Text("to", "a")} {Number(prediction, "value_high"):N0}, 80 %)");
        }

        if (Number(prediction, "days_p50") is { } days)
        {
            lines.Add(context.Text("ends within", "termina en") + $" {days:0} {context.Text("days", "días")}"
                + (Number(prediction, "days_p10") is { } soon
                    ? $" ({soon:0} {context.Text("to", "a")} {(Number(prediction, "days_p90") is { } late ? $"{late:0}" : "…")}, 80 %)"
                    : ""));
        }

        context.Host.Out.WriteLine(string.Join("; ", lines));
    }

    private static string Feature(PeopleContext context, string name) => name switch
    {
        "stage" => context.Text("stage", "etapa"),
        "source" => context.Text("source", "fuente"),
        "product_interest" => context.Text("product interest", "producto de interés"),
        "industry" => context.Text("industry", "sector"),
        "has_phone" => context.Text("phone known", "teléfono conocido"),
        "days_in_stage" => context.Text("days in the stage", "días en la etapa"),
        "days_in_pipeline" => context.Text("days in the pipeline", "días en el pipeline"),
        "lead_age_days" => context.Text("days since the lead came", "días desde que llegó el lead"),
        "hours_to_first_contact" => context.Text("hours to the first contact", "horas hasta el primer contacto"),
        "replies" => context.Text("replies", "respuestas"),
        "clicks" => context.Text("clicks", "clics"),
        "opens" => context.Text("opens", "aperturas"),
        "visits" => context.Text("visits", "visitas"),
        "demos" => context.Text("demos asked for", "demos pedidas"),
        "pricing_views" => context.Text("looks at prices", "consultas de precios"),
        "days_since_engagement" => context.Text("days since its last engagement", "días desde su última interacción"),
        "completed_tasks" => context.Text("tasks completed", "tareas completadas"),
        "pending_tasks" => context.Text("tasks pending", "tareas pendientes"),
        "email_tasks" => context.Text("e-mails sent", "correos enviados"),
        "call_tasks" => context.Text("calls made", "llamadas hechas"),
        "days_since_contact" => context.Text("days since the last contact", "días desde el último contacto"),
        _ => name,
    };

    private static string Value(PeopleContext context, JsonElement value) => value.ValueKind is JsonValueKind.Null ? context.Text("none", "ninguno") : value.ToString();

    private static double? Number(JsonElement element, string name) => element.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;

    private static string Percent(JsonElement element, string name) => $"{100 * element.GetProperty(name).GetDouble():0.#} %";

    private static string Signed(JsonElement number) => number.GetDouble().ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture);
}
