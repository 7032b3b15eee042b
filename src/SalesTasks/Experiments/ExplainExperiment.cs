using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Experiments;

/// <summary>In <c>explain</c>: whether a lead is held out, and why.</summary>
internal static class ExplainExperiment
{
    public static ExplainSection Section { get; } = new(
        "experiment",
        (_, connection, lead, stop) => connection.ScalarStatementAsync<string>("experiments/explain", [("lead", lead)], stop),
        Show);

    private static void Show(PeopleContext context, JsonElement answer)
    {
        var name = answer.GetProperty("experiment").GetString();
        var since = $"{answer.GetProperty("assigned_at").GetDateTimeOffset():yyyy-MM-dd HH:mm} UTC";
        var (bucket, below) = (answer.GetProperty("bucket").GetInt32(), answer.GetProperty("holdout_below").GetInt32());
        var ended = answer.GetProperty("ended_at").ValueKind is not JsonValueKind.Null;
        var line = answer.GetProperty("held_out").GetBoolean()
            ? context.Text(
                $"Held out by experiment \"{name}\" since {since}: no automatic tasks, campaigns or messages until it ends. People may work it as they like.",
                $"Apartado por el experimento \"{name}\" desde {since}: sin tareas, campañas ni mensajes automáticos hasta que termine. Las personas lo trabajan como quieran.")
            : answer.GetProperty("arm").GetString() == "holdout"
                ? context.Text($"Was held out by experiment \"{name}\", which has ended.", $"Estuvo apartado por el experimento \"{name}\", ya terminado.")
                : context.Text(
                    $"In the treated group of experiment \"{name}\"{(ended ? ", which has ended" : "")}.",
                    $"En el grupo tratado del experimento \"{name}\"{(ended ? ", ya terminado" : "")}.");
        context.Host.Out.WriteLine(line + context.Text(
            $" Its number from the hash is {bucket} of 0 to 999; below {below} is held out.",
            $" Su número según el hash es {bucket}, de 0 a 999; por debajo de {below} se aparta."));
    }
}
