using System.CommandLine;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;
using Spectre.Console;

namespace SalesTasks.Predictions.Training;

/// <summary><c>ml models</c> and <c>ml evaluate</c>.</summary>
internal static class ModelCommands
{
    private static readonly string[] s_fields =
    [
        "id", "status", "algorithm", "trained_at", "training_deals", "won", "lost", "metrics", "reason", "format", "code_version", "data_from", "data_to",
        "bytes", "published_at", "retired_at",
    ];

    public static PeopleCommand Models() => new("models", "List the trained models: published, retired, refused", async (context, stop) =>
    {
        await using var database = await context.OpenAsync(stop);
        await using var connection = await database.OpenAsync(stop);
        var models = await connection.QueryStatementAsync(
            "predictions/models",
            [],
            row => s_fields.Select((name, i) => KeyValuePair.Create(name, row.IsDBNull(i) ? null : row.GetValue(i))).ToDictionary(StringComparer.Ordinal),
            stop);
        if (context.Json)
        {
            context.WriteJson(models.Select(object? (m) => m.ToDictionary(
                f => f.Key, f => f.Key == "metrics" ? Plain(JsonDocument.Parse((string)f.Value!).RootElement) : f.Value, StringComparer.Ordinal)).ToList());
            return ExitCode.Done;
        }

        if (models.Count == 0)
        {
            context.Host.Out.WriteLine(context.Text(
                "No model was trained yet; rates by stage and source answer. See: ml train",
                "Aún no se entrenó ningún modelo; responden las tasas por etapa y fuente. Vea: ml train"));
            return ExitCode.Done;
        }

        var table = new Table().AddColumns(
            context.Text("Model", "Modelo"), context.Text("Status", "Estado"), context.Text("Algorithm", "Algoritmo"), context.Text("Trained (UTC)", "Entrenado (UTC)"),
            context.Text("Won / lost", "Ganados / perdidos"), "AUC", "Log-loss", context.Text("of the prior", "de la tasa base"), "ECE", context.Text("Why", "Por qué"));
        foreach (var model in models)
        {
            using var metrics = JsonDocument.Parse((string)model["metrics"]!);
            string Figure(string part, string name) =>
                metrics.RootElement.GetProperty(part).GetProperty(name) is { ValueKind: JsonValueKind.Number } value ? $"{value.GetDouble():0.0000}" : "–";
            table.AddRow(
                $"{model["id"]}", StatusText(context, (string)model["status"]!), (string)model["algorithm"]!, $"{model["trained_at"]:yyyy-MM-dd HH:mm}",
                $"{model["won"]} / {model["lost"]}", Figure("test", "auc"), Figure("test", "log_loss"), Figure("prior", "log_loss"), Figure("test", "ece"),
                Markup.Escape((string)model["reason"]!));
        }

        context.Console.Write(table);
        return ExitCode.Done;
    });

    public static PeopleCommand Evaluate()
    {
        var number = new Option<long?>("--model") { Description = "A model's number (see ml models); left out: the published one" };
        var command = new PeopleCommand("evaluate", "Judge a model by the deals that ended after it was trained", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var asked = context.Parse.GetValue(number);
            var stored = asked is { } id
                ? await ModelRegistry.FindAsync(connection, id, stop)
                : await ModelRegistry.PublishedAsync(connection, stop)
                    ?? throw JobException.Usage("ml evaluate: no model is published; allowed: --model N of 'ml models', or train one with 'ml train'");
            if (stored.Fault is not null)
            {
                throw JobException.Refused(stored.FaultText);
            }

            var (moments, _) = await DealSnapshots.MomentsAsync(connection, context.Host.Time.GetUtcNow(), stop);
            var snapshots = await DealSnapshots.ReadAsync(connection, [.. moments.Where(m => m.ClosedAt > stored.DataTo)], stop);
            Show(context, stored, snapshots);
            return ExitCode.Done;
        });
        command.Options.Add(number);
        return command;
    }

    private static void Show(PeopleContext context, StoredModel stored, DealSnapshots snapshots)
    {
        var rows = Enumerable.Range(0, snapshots.Moments.Count).ToArray();
        var deals = snapshots.Groups.Distinct().Count();
        using var predictor = stored.Model!.Open();
        var since = rows.Length == 0 ? null : Metrics.Of(
            [.. predictor.Logits(snapshots.Table, rows).Select(Logits.ToProbability)], snapshots.Labels);
        using var trained = JsonDocument.Parse(stored.Metrics);
        var test = trained.RootElement.GetProperty("test");
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["model"] = stored.Id,
                ["data_to"] = stored.DataTo,
                ["deals_since"] = deals,
                ["snapshots_since"] = rows.Length,
                ["since"] = since is null ? null : new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["auc"] = double.IsNaN(since.Auc) ? null : since.Auc,
                    ["log_loss"] = since.LogLoss,
                    ["brier"] = since.Brier,
                    ["ece"] = since.Ece,
                },
                ["when_trained"] = Plain(trained.RootElement),
            });
            return;
        }

        context.Host.Out.WriteLine(context.Text(
            $"Model {stored.Id}, trained {stored.DataTo:yyyy-MM-dd}: {deals} deals ended since.",
            $"Modelo {stored.Id}, entrenado {stored.DataTo:yyyy-MM-dd}: desde entonces terminaron {deals} tratos."));
        var table = new Table().AddColumns("", "AUC", "Log-loss", "Brier", "ECE");
        string Trained(string name) => test.GetProperty(name) is { ValueKind: JsonValueKind.Number } value ? $"{value.GetDouble():0.0000}" : "–";
        table.AddRow(context.Text("when trained", "al entrenar"), Trained("auc"), Trained("log_loss"), Trained("brier"), Trained("ece"));
        if (since is not null)
        {
            table.AddRow(
                context.Text("since", "desde entonces"), double.IsNaN(since.Auc) ? "–" : $"{since.Auc:0.0000}", $"{since.LogLoss:0.0000}", $"{since.Brier:0.0000}",
                $"{since.Ece:0.0000}");
        }

        context.Console.Write(table);
        context.Host.Out.WriteLine(context.Text(
            "Deals that ended soon after are more often won than those still open: the figures since are complete only once those have ended too.",
            "Los tratos que terminan pronto se ganan más que los que siguen abiertos: las cifras solo son completas cuando también estos hayan terminado."));
    }

    private static string StatusText(PeopleContext context, string status) => status switch
    {
        "published" => context.Text("published", "publicado"),
        "retired" => context.Text("retired", "retirado"),
        _ => context.Text("refused", "rechazado"),
    };

    private static object? Plain(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().ToDictionary(m => m.Name, m => Plain(m.Value), StringComparer.Ordinal),
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.String => element.GetString(),
        _ => null,
    };
}
