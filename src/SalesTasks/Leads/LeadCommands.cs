using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;
using Spectre.Console;

namespace SalesTasks.Leads;

/// <summary><c>leads show</c>: all that is known about a lead.</summary>
internal static class LeadCommands
{
    public static PeopleCommand Show()
    {
        var lead = new Argument<string>("lead") { Description = "The lead's ext_id, another id it is known by, or its e-mail address" };
        var command = new PeopleCommand("show", "Show a lead: profile, score, engagement, pipeline, other ids", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var asked = context.Parse.GetRequiredValue(lead);
            var found = await connection.QueryStatementAsync("leads/show", [("lead", asked)], row => row.GetString(0), stop);
            if (found.Count == 0)
            {
                throw JobException.Usage($"leads show: no lead has the ext_id, alias or e-mail address '{asked}'");
            }

            found = await OpenAsync(context, database, connection, found, stop);
            if (context.Json)
            {
                context.Host.Out.WriteLine($"[{string.Join(',', found)}]");
                return ExitCode.Done;
            }

            foreach (var json in found)
            {
                using var document = JsonDocument.Parse(json);
                Show(context, document.RootElement);
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(lead);
        return command;
    }

    /// <summary>Phone and notes in clear where they are sealed and the keys are there; without them they show as they are stored, and it is said.</summary>
    private static async Task<List<string>> OpenAsync(
        PeopleContext context, SalesDatabase database, NpgsqlConnection connection, List<string> leads, CancellationToken cancellationToken)
    {
        var wanted = leads.SelectMany(json =>
        {
            using var document = JsonDocument.Parse(json);
            var lead = document.RootElement.GetProperty("ext_id").GetString()!;
            return Sealer.TokensIn(json).Select(token => (lead, token)).ToList();
        }).Distinct().ToList();
        if (wanted.Count == 0)
        {
            return leads;
        }

        try
        {
            var vault = await context.VaultAsync(database, cancellationToken);
            var opened = vault is null ? [] : await vault.ReadAsync(connection, wanted, cancellationToken);
            return leads.ConvertAll(json =>
            {
                var lead = JsonNode.Parse(json)!;
                var id = lead["ext_id"]!.GetValue<string>();
                MessageTexts.Change(lead, (_, text) => Sealer.Replace(text, token => opened.GetValueOrDefault((id, token)).Text ?? token));
                return lead.ToJsonString();
            });
        }
        catch (JobException fault) when (fault.ExitCode is ExitCode.Usage)
        {
            context.Host.Error.WriteLine("warning: " + fault.Message);
            return leads;
        }
    }

    private static void Show(PeopleContext context, JsonElement lead)
    {
        context.Host.Out.WriteLine($"{context.Text("Lead", "Lead")} {Text(lead, "ext_id")}");
        var table = new Table().HideHeaders().AddColumns("", "");
        void Row(string english, string spanish, string value)
        {
            if (value.Length > 0)
            {
                table.AddRow(context.Text(english, spanish), Markup.Escape(value));
            }
        }

        var email = Text(lead, "email");
        var wrong = email.Length > 0 && !lead.GetProperty("email_valid").GetBoolean() ? $" ({context.Text("not valid", "no válido")})" : "";
        Row("name", "nombre", $"{Text(lead, "first_name")} {Text(lead, "last_name")}".Trim());
        Row("e-mail", "correo", email + wrong);
        Row("phone", "teléfono", Text(lead, "phone"));
        Row("company", "empresa", Joined(lead, "company_name", "company_domain"));
        Row("source", "fuente", Joined(lead, "source", "utm_source", "utm_campaign"));
        Row("score", "puntuación", Joined(lead, "score", "priority") is { Length: > 0 } score ? score : context.Text("not scored yet", "aún sin puntuar"));
        Row("estimated value", "valor estimado", Text(lead, "estimated_value"));
        Row("interest", "interés", Joined(lead, "product_interest", "industry"));
        Row("place", "lugar", Joined(lead, "country", "region", "time_zone"));
        Row("language", "idioma", Text(lead, "language"));
        Row("consent", "consentimiento", $"{context.Text("e-mail", "correo")}: {Consent(context, lead, "consent_email")}, "
            + $"{context.Text("phone", "teléfono")}: {Consent(context, lead, "consent_phone")}");
        Row("engagement", "actividad", Engagement(context, lead));
        Row("facts", "hechos", Facts(context, lead));
        Row("created (UTC)", "creado (UTC)", Instant(lead, "created_at"));
        Row("updated (UTC)", "actualizado (UTC)", Instant(lead, "updated_at"));
        Row("pipeline", "pipeline", Pipeline(context, lead.GetProperty("pipeline")));
        Row("notes", "notas", lead.GetProperty("pipeline") is { ValueKind: JsonValueKind.Object } deal ? Text(deal, "notes") : "");
        Row("also known as", "también conocido como", string.Join(Environment.NewLine, lead.GetProperty("aliases").EnumerateArray()
            .Select(alias => $"{Text(alias, "ext_id")} ({Text(alias, "matched_by")})")));
        if (lead.GetProperty("attributes") is { ValueKind: JsonValueKind.Object } attributes)
        {
            Row("attributes", "atributos", string.Join(Environment.NewLine, attributes.EnumerateObject().Select(a => $"{a.Name}: {a.Value}")));
        }

        context.Console.Write(table);
    }

    private static string Engagement(PeopleContext context, JsonElement lead)
    {
        var engagement = lead.GetProperty("engagement");
        var counts = new StringBuilder();
        (string Name, string English, string Spanish)[] kinds =
        [
            ("replies", "replies", "respuestas"), ("clicks", "clicks", "clics"), ("opens", "opens", "aperturas"), ("visits", "visits", "visitas"),
            ("demos", "demos", "demos"), ("pricing_views", "pricing views", "vistas de precios"),
            ("bot_events_ignored", "of bots, ignored", "de bots, ignorados"),
        ];
        foreach (var (name, english, spanish) in kinds)
        {
            counts.Append(CultureInfo.InvariantCulture, $"{(counts.Length > 0 ? ", " : "")}{engagement.GetProperty(name).GetInt32()} {context.Text(english, spanish)}");
        }

        return Instant(engagement, "last_event_at") is { Length: > 0 } last
            ? $"{counts}; {context.Text("last", "último")} {last} UTC"
            : counts.ToString();
    }

    private static string Facts(PeopleContext context, JsonElement lead)
    {
        (string Name, string English, string Spanish)[] facts =
        [
            ("website_visited", "website visited", "visitó la web"), ("demo_requested", "demo requested", "pidió una demo"),
            ("pricing_page_viewed", "pricing page viewed", "vio los precios"),
        ];
        return string.Join(", ", facts.Where(fact => lead.GetProperty(fact.Name).GetBoolean()).Select(fact => context.Text(fact.English, fact.Spanish)));
    }

    private static string Pipeline(PeopleContext context, JsonElement pipeline) => pipeline.ValueKind == JsonValueKind.Null
        ? context.Text("not in the pipeline", "no está en el pipeline")
        : string.Join(", ", new[]
        {
            Text(pipeline, "stage"),
            Text(pipeline, "assigned_to") is { Length: > 0 } rep ? $"{context.Text("rep", "representante")} {rep}" : context.Text("nobody's", "sin asignar"),
            $"{Text(pipeline, "probability_pct")} %",
            Text(pipeline, "estimated_value"),
            Instant(pipeline, "next_followup_at") is { Length: > 0 } next ? $"{context.Text("next contact", "próximo contacto")} {next} UTC" : "",
        }.Where(part => part.Length > 0));

    private static string Consent(PeopleContext context, JsonElement lead, string name) => lead.GetProperty(name).ValueKind switch
    {
        JsonValueKind.True => context.Text("yes", "sí"),
        JsonValueKind.False => context.Text("refused", "denegado"),
        _ => context.Text("never asked", "sin preguntar"),
    };

    private static string Joined(JsonElement element, params string[] names) =>
        string.Join(" / ", names.Select(name => Text(element, name)).Where(text => text.Length > 0));

    private static string Instant(JsonElement element, string name) => element.GetProperty(name) is { ValueKind: JsonValueKind.String } value
        ? value.GetDateTimeOffset().UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
        : "";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).ToString();
}
