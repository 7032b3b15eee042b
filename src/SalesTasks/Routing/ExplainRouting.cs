using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Routing;

/// <summary>In <c>explain</c>: why this rep.</summary>
internal static class ExplainRouting
{
    public static ExplainSection Section { get; } = new(
        "routing",
        (_, connection, lead, stop) => connection.ScalarStatementAsync<string>("routing/explain", [("lead", lead)], stop),
        Show);

    /// <summary>Reason codes in words.</summary>
    public static string Reason(PeopleContext context, string reason) => reason switch
    {
        "best" => context.Text("the greatest expected gain over all leads", "la mayor ganancia esperada entre todos los leads"),
        "hop_limit" => context.Text("it was passed on as often as allowed", "ya se reasignó tantas veces como se permite"),
        "resting" => context.Text("it was passed on not long ago", "se reasignó hace poco"),
        "reassignment_limit" => context.Text("the run may reassign no more", "la ejecución no puede reasignar más"),
        "nobody_else" => context.Text("no other rep may have it", "nadie más puede llevarlo"),
        "not_stale" => context.Text("it was not stale", "no estaba abandonado"),
        "no_active_rep" => context.Text("there is no active rep", "no hay representantes activos"),
        "all_absent" => context.Text("all active reps are absent", "todos los representantes activos están ausentes"),
        "language" => context.Text("nobody there speaks its language", "nadie disponible habla su idioma"),
        "region" => context.Text("nobody there serves its region", "nadie disponible atiende su región"),
        "full" => context.Text("everybody who may have it is full", "quienes pueden llevarlo están llenos"),
        "outbid" => context.Text("the free places went to leads that gain more", "las plazas libres fueron para leads con más ganancia"),
        "closed" => context.Text("it was closed meanwhile", "se cerró entretanto"),
        "taken" => context.Text("somebody else took or gave it meanwhile", "otra persona lo tomó o asignó entretanto"),
        "contacted" => context.Text("its rep contacted it meanwhile", "su representante lo contactó entretanto"),
        "rep_inactive" => context.Text("the rep became inactive meanwhile", "el representante quedó inactivo entretanto"),
        "rep_absent" => context.Text("the rep became absent meanwhile", "el representante quedó ausente entretanto"),
        "rep_full" => context.Text("the rep became full meanwhile", "el representante se llenó entretanto"),
        "inactive" => context.Text("inactive", "inactivo"),
        "absent" => context.Text("absent", "ausente"),
        _ => reason,
    };

    public static string Outcome(PeopleContext context, string outcome) => outcome switch
    {
        "assigned" => context.Text("assigned", "asignado"),
        "reassigned" => context.Text("reassigned", "reasignado"),
        "kept" => context.Text("kept", "se queda"),
        _ => context.Text("left", "sin asignar"),
    };

    private static void Show(PeopleContext context, JsonElement routing)
    {
        var output = context.Host.Out;
        output.WriteLine(routing.GetProperty("assigned_to") is { ValueKind: JsonValueKind.String } rep
            ? context.Text($"Rep: {rep.GetString()}", $"Representante: {rep.GetString()}")
                + (routing.GetProperty("assigned_at") is { ValueKind: JsonValueKind.String } since
                    ? context.Text($", since {since.GetDateTimeOffset():yyyy-MM-dd HH:mm} UTC", $", desde {since.GetDateTimeOffset():yyyy-MM-dd HH:mm} UTC")
                    : "")
                + (routing.GetProperty("reassignments").GetInt32() is > 0 and var hops
                    ? context.Text($", passed on {hops} times", $", reasignado {hops} veces")
                    : "")
            : context.Text("Rep: nobody", "Representante: nadie"));
        var decisions = routing.GetProperty("decisions").EnumerateArray().ToList();
        if (decisions.Count == 0)
        {
            output.WriteLine(context.Text("No run of routing has decided about it yet.", "Ninguna ejecución de routing ha decidido sobre él todavía."));
            return;
        }

        var history = new Table().Title(context.Text("Latest decisions of routing", "Últimas decisiones de routing")).AddColumns(
            context.Text("When (UTC)", "Cuándo (UTC)"), context.Text("Run", "Ejecución"), context.Text("Outcome", "Resultado"),
            context.Text("Rep", "Representante"), context.Text("Before", "Antes"), context.Text("Because", "Porque"));
        foreach (var decision in decisions)
        {
            history.AddRow(
                $"{decision.GetProperty("decided_at").GetDateTimeOffset():yyyy-MM-dd HH:mm}", Text(decision, "run_id"),
                Outcome(context, Text(decision, "outcome")), Markup.Escape(Text(decision, "chosen_rep")), Markup.Escape(Text(decision, "previous_rep")),
                Markup.Escape(Reason(context, Text(decision, "reason"))));
        }

        context.Console.Write(history);
        ShowCandidates(context, decisions[0]);
        var excluded = routing.GetProperty("excluded_reps").EnumerateArray().GroupBy(e => e.GetProperty("reason").GetString()!, StringComparer.Ordinal).ToList();
        foreach (var reason in excluded)
        {
            var names = reason.Select(e => e.GetProperty("rep").GetString()!).ToList();
            var word = reason.Key switch
            {
                "language" => context.Text("another language", "otro idioma"),
                "region" => context.Text("another region", "otra región"),
                "full" => context.Text("full", "lleno"),
                var other => Reason(context, other),
            };
            output.WriteLine($"{context.Text("Excluded", "Excluidos")}, {word} ({names.Count}): {string.Join(", ", names.Take(10))}{(names.Count > 10 ? ", …" : "")}");
        }
    }

    private static void ShowCandidates(PeopleContext context, JsonElement decision)
    {
        var table = new Table().Title(context.Text(
            $"Candidates in run {Text(decision, "run_id")}: value {Number(decision, "lead_value")}, probability {Number(decision, "probability")}",
            $"Candidatos en la ejecución {Text(decision, "run_id")}: valor {Number(decision, "lead_value")}, probabilidad {Number(decision, "probability")}"));
        table.AddColumns(
            context.Text("Rep", "Representante"), context.Text("Expected gain", "Ganancia esperada"), context.Text("Specialisation", "Especialización"),
            context.Text("Keeping", "Continuidad"), context.Text("Price of a place", "Precio de una plaza"), context.Text("Net", "Neto"));
        for (var column = 1; column < 6; column++)
        {
            table.Columns[column].RightAligned();
        }

        foreach (var candidate in decision.GetProperty("candidates").EnumerateArray())
        {
            table.AddRow(
                Markup.Escape(Text(candidate, "rep")), Number(candidate, "expected_gain"), Number(candidate, "specialisation"), Number(candidate, "keeping"),
                candidate.GetProperty("price").ValueKind is JsonValueKind.Null ? context.Text("none free", "ninguna libre") : Number(candidate, "price"),
                Number(candidate, "net"));
        }

        if (table.Rows.Count > 0)
        {
            context.Console.Write(table);
        }
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).ToString();

    private static string Number(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? $"{number.GetDecimal():0.##}" : "";
}
