using System.CommandLine;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Outcomes;
using Spectre.Console;

namespace SalesTasks.Predictions.Training;

/// <summary><c>ml models</c> and <c>ml evaluate</c>.</summary>
internal static class ModelCommands
{
    private static readonly string[] s_fields =
    [
        "id", "kind", "status", "algorithm", "trained_at", "training_deals", "won", "lost", "metrics", "reason", "format", "code_version", "data_from", "data_to",
        "bytes", "published_at", "retired_at",
    ];

    /// <summary>What is shown of each kind.</summary>
    private static readonly Dictionary<string, (string Name, (string English, string Spanish) Title)[]> s_figures = new(StringComparer.Ordinal)
    {
        ["win_probability"] = [("auc", ("AUC", "AUC")), ("log_loss", ("log-loss", "log-loss")), ("brier", ("Brier", "Brier")), ("ece", ("ECE", "ECE"))],
        ["deal_value"] = [("mae", ("mean absolute error", "error absoluto medio")), ("coverage", ("in the 80 % interval", "en el intervalo del 80 %"))],
        ["time_to_close"] =
        [
            ("log_loss", ("log-loss", "log-loss")), ("brier", ("Brier", "Brier")), ("ece", ("ECE", "ECE")),
            ("coverage", ("in the 80 % interval", "en el intervalo del 80 %")),
        ],
        ["risk"] = [("auc", ("AUC", "AUC")), ("log_loss", ("log-loss", "log-loss")), ("brier", ("Brier", "Brier")), ("ece", ("ECE", "ECE"))],
    };

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
                "Aún no se entrenó ningún modelo; responden las tasas por etapa y fuente. Mira: ml train"));
            return ExitCode.Done;
        }

        var table = new Table().AddColumns(
            context.Text("Model", "Modelo"), context.Text("Predicts", "Predice"), context.Text("Status", "Estado"), context.Text("Algorithm", "Algoritmo"),
            context.Text("Trained (UTC)", "Entrenado (UTC)"), context.Text("Deals", "Oport."), context.Text("Figures (of the simplest)", "Cifras (de lo más simple)"),
            context.Text("Why", "Por qué"));
        foreach (var model in models)
        {
            using var metrics = JsonDocument.Parse((string)model["metrics"]!);
            table.AddRow(
                $"{model["id"]}", KindText(context, (string)model["kind"]!), StatusText(context, (string)model["status"]!), (string)model["algorithm"]!,
                $"{model["trained_at"]:yyyy-MM-dd HH:mm}", $"{model["training_deals"]}", FiguresText(context, (string)model["kind"]!, metrics.RootElement),
                Markup.Escape((string)model["reason"]!));
        }

        context.Console.Write(table);
        return ExitCode.Done;
    });

    public static PeopleCommand Evaluate()
    {
        var number = new Option<long?>("--model") { Description = "A model's number (see ml models); left out: the published ones" };
        var command = new PeopleCommand("evaluate", "Judge models by what happened after they were trained", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var asOf = context.Host.Time.GetUtcNow();
            var asked = context.Parse.GetValue(number);
            var kind = asked is { } id ? await ModelRegistry.KindOfAsync(connection, id, stop) : null;
            var (moments, _) = await DealSnapshots.MomentsAsync(connection, asOf, stop);
            var grades = new List<Grade?>
            {
                await GradeAsync(ModelKinds.WinProbability, (stored, material) => GradeWin(stored.Model!, material.Snapshots), m => m.ClosedAt is not null),
                await GradeAsync(
                    ModelKinds.DealValue, (stored, material) => ValueTrial.Evaluate(stored.Model!, material.Snapshots, material.WonValues), m => m.ClosedAt is not null),
                await GradeAsync(
                    ModelKinds.TimeToClose, (stored, material) => TimeTrial.Evaluate(stored.Model!, material.Snapshots, material.Snapshots.AllRows, asOf), null),
                await GradeAsync(ModelKinds.Risk, (stored, material) => RiskTrial.Evaluate(stored.Model!, material), null),
            }.OfType<Grade>().ToList();
            if (grades.Count == 0)
            {
                throw JobException.Usage("ml evaluate: no model is published; allowed: --model N of 'ml models', or train one with 'ml train'");
            }

            Show(context, grades);
            return ExitCode.Done;

            // Judged by deals that ended since, or by moments since where open deals count as well.
            async Task<Grade?> GradeAsync<T>(ModelKind<T> of, Func<StoredModel<T>, Material, Dictionary<string, object?>> judge, Func<Moment, bool>? counts)
                where T : class, IKeptModel
            {
                if (kind is not null && kind != of.Name)
                {
                    return null;
                }

                var stored = asked is { } wanted
                    ? await ModelRegistry.FindAsync(connection, of, wanted, stop)
                    : await ModelRegistry.PublishedAsync(connection, of, stop);
                if (stored is null)
                {
                    return null;
                }

                if (stored.Fault is not null)
                {
                    throw JobException.Refused(stored.FaultText);
                }

                var since = moments.Where(m => counts is null ? m.At >= stored.DataTo : m.ClosedAt > stored.DataTo).ToList();
                var material = await Material.ReadAsync(connection, since, asOf, 0, 0, context.Host.Time, stop);
                return new Grade(of.Name, stored.Id, stored.DataTo, stored.Metrics, material.Snapshots.Moments.Count, judge(stored, material));
            }
        });
        command.Options.Add(number);
        return command;
    }

    private static Dictionary<string, object?> GradeWin(BlendModel model, DealSnapshots snapshots)
    {
        using var predictor = model.Open();
        var figures = snapshots.Moments.Count == 0
            ? []
            : Metrics.Of([.. predictor.Logits(snapshots.Table, snapshots.AllRows).Select(Logits.ToProbability)], snapshots.Labels).Figures();
        figures["deals"] = snapshots.Groups.Distinct().Count();
        return figures;
    }

    private static void Show(PeopleContext context, List<Grade> grades)
    {
        if (context.Json)
        {
            context.WriteJson(grades.Select(object? (grade) =>
            {
                using var trained = JsonDocument.Parse(grade.Metrics);
                return new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["model"] = grade.Id,
                    ["kind"] = grade.Kind,
                    ["data_to"] = grade.DataTo,
                    ["deals_since"] = grade.Since["deals"],
                    ["snapshots_since"] = grade.Snapshots,
                    ["since"] = grade.Since,
                    ["when_trained"] = Plain(trained.RootElement),
                };
            }).ToList());
            return;
        }

        var table = new Table().AddColumns(
            context.Text("Model", "Modelo"), context.Text("Predicts", "Predice"), context.Text("Figure", "Cifra"), context.Text("When trained", "Al entrenar"),
            context.Text("Since", "Desde entonces"), context.Text("Deals since", "Oport. desde entonces"));
        foreach (var grade in grades)
        {
            using var trained = JsonDocument.Parse(grade.Metrics);
            foreach (var (name, title) in s_figures[grade.Kind])
            {
                table.AddRow(
                    $"{grade.Id}", KindText(context, grade.Kind), context.Text(title.English, title.Spanish), Number(trained.RootElement, "test", name),
                    grade.Since.GetValueOrDefault(name) is double value ? Text(value) : "–", $"{grade.Since["deals"]}");
            }
        }

        context.Console.Write(table);
        context.Host.Out.WriteLine(context.Text(
            "Deals that ended soon after are more often won than those still open: figures on win probability are complete only once those have ended too.",
            "Las oportunidades que terminan pronto se ganan más que las que siguen abiertas: las cifras de la probabilidad solo son completas cuando también estas terminen."));
    }

    private static string FiguresText(PeopleContext context, string kind, JsonElement metrics) => string.Join(
        " · ", s_figures[kind].Select(f => (Own: Number(metrics, "test", f.Name), Prior: Number(metrics, "prior", f.Name), Title: context.Text(f.Title.English, f.Title.Spanish)))
            .Select(f => f.Prior == "–" ? $"{f.Title} {f.Own}" : $"{f.Title} {f.Own} ({f.Prior})"));

    private static string Number(JsonElement metrics, string part, string name) =>
        metrics.TryGetProperty(part, out var figures) && figures.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? Text(value.GetDouble()) : "–";

    private static string Text(double value) => Math.Abs(value) >= 10 ? $"{value:0}" : $"{value:0.0000}";

    public static string KindText(PeopleContext context, string kind) => kind switch
    {
        "win_probability" => context.Text("win probability", "probabilidad de ganar"),
        "deal_value" => context.Text("deal value", "valor de la oportunidad"),
        "time_to_close" => context.Text("time to close", "tiempo hasta el cierre"),
        _ => context.Text("risk", "riesgo"),
    };

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
        JsonValueKind.True or JsonValueKind.False => element.GetBoolean(),
        JsonValueKind.Array => element.EnumerateArray().Select(Plain).ToList(),
        _ => null,
    };

    /// <summary>A model with how it did since it was trained.</summary>
    private sealed record Grade(string Kind, long Id, DateTimeOffset DataTo, string Metrics, int Snapshots, Dictionary<string, object?> Since);
}
