using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Training;
using Spectre.Console;

namespace SalesTasks.Predictions.Outcomes;

/// <summary><c>ml drift</c>.</summary>
internal static class DriftCommand
{
    private static readonly string[] s_fields = ["kind", "model", "day", "measure", "feature", "value", "level", "deals", "expected", "observed"];

    public static PeopleCommand Create() => new(
        "drift", "How far the open deals are from those the models learned from, and how past predictions did", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await Drift.MeasureAsync(database, context.Host.Time.GetUtcNow(), stop);
            await using var connection = await database.OpenAsync(stop);
            var lines = await connection.QueryStatementAsync(
                "predictions/drift",
                [],
                row => s_fields.Select((name, i) => KeyValuePair.Create(name, row.IsDBNull(i) ? null : row.GetValue(i))).ToDictionary(StringComparer.Ordinal),
                stop);
            if (context.Json)
            {
                context.WriteJson(lines.Select(object? (line) => line.ToDictionary(
                    f => f.Key, f => f.Value is DateTime day ? DateOnly.FromDateTime(day) : f.Value, StringComparer.Ordinal)).ToList());
                return ExitCode.Done;
            }

            if (lines.Count == 0)
            {
                context.Host.Out.WriteLine(context.Text("No model is published. See: ml train", "No hay ningún modelo publicado. Mira: ml train"));
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                context.Text("Model", "Modelo"), context.Text("Predicts", "Predice"), context.Text("Day (UTC)", "Día (UTC)"), context.Text("Measure", "Medida"),
                context.Text("Feature", "Característica"), context.Text("Value", "Valor"), context.Text("Level", "Nivel"), context.Text("Deals", "Oport."));
            foreach (var line in lines.Where(l => l["level"] is not "stable"))
            {
                table.AddRow(
                    $"{line["model"]}", ModelCommands.KindText(context, (string)line["kind"]!), $"{line["day"]:yyyy-MM-dd}", MeasureText(context, line),
                    (string)line["feature"]!, line["value"] is double value ? $"{value:0.000}" : "–", LevelText(context, (string)line["level"]!), $"{line["deals"]}");
            }

            context.Console.Write(table);
            var stable = lines.Count(l => l["level"] is "stable");
            context.Host.Out.WriteLine(context.Text($"Stable and not listed: {stable} of {lines.Count}.", $"Estables y sin listar: {stable} de {lines.Count}."));
            return ExitCode.Done;
        });

    private static string MeasureText(PeopleContext context, Dictionary<string, object?> line) => line["measure"] is "psi"
        ? context.Text("PSI, training to open deals", "PSI, del entrenamiento a las oportunidades abiertas")
        : line["expected"] is double expected && line["observed"] is double observed
            ? context.Text($"calibration: {expected:P0} predicted, {observed:P0} won", $"calibración: {expected:P0} previsto, {observed:P0} ganado")
            : context.Text("calibration of past predictions", "calibración de las predicciones pasadas");

    private static string LevelText(PeopleContext context, string level) => level switch
    {
        "stable" => context.Text("stable", "estable"),
        "moderate" => context.Text("moderate", "moderado"),
        "high" => context.Text("high", "alto"),
        _ => context.Text("too few deals", "muy pocas oportunidades"),
    };
}
