using System.CommandLine;
using System.Globalization;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Impact;
using Spectre.Console;

namespace SalesTasks.Experiments;

/// <summary><c>experiment show</c>: groups, their sizes, and what the automation changed, with 90 % intervals.</summary>
internal static class ShowExperiment
{
    public static PeopleCommand Command()
    {
        var id = new Option<long?>("--id") { Description = "An earlier experiment; left out: the latest" };
        var command = new PeopleCommand("show", "Groups, sizes and what the automation changed, with intervals", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var experiments = await ListAsync(connection, stop);
            var asked = context.Parse.GetValue(id);
            var estimate = await ImpactEstimate.ReadAsync(connection, context.Host.Time.GetUtcNow(), asked, stop);
            if (asked is not null && estimate is null)
            {
                throw JobException.Usage($"--id: there is no experiment {asked}; allowed: {(experiments.Count == 0 ? "none, as there has been no experiment" : "one of " + string.Join(", ", experiments.Select(e => e["id"])))}");
            }

            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["experiment"] = estimate is null ? null : Describe(estimate),
                    ["experiments"] = experiments,
                });
            }
            else if (estimate is null)
            {
                context.Host.Out.WriteLine(context.Text(
                    "There has been no experiment yet; experiment start --share 10 begins one.",
                    "Aún no ha habido ningún experimento; experiment start --share 10 inicia uno."));
            }
            else
            {
                Show(context, estimate);
                ShowAll(context, experiments);
            }

            return ExitCode.Done;
        });
        command.Options.Add(id);
        return command;
    }

    private static Task<List<Dictionary<string, object?>>> ListAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "experiments/list",
            [],
            row => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["id"] = row.GetInt64(0),
                ["name"] = row.GetString(1),
                ["share_percent"] = row.GetInt32(2) / 10m,
                ["horizon_days"] = row.GetInt32(3),
                ["started_at"] = row.GetDateTime(4),
                ["started_by"] = row.GetString(5),
                ["ended_at"] = row.IsDBNull(6) ? null : row.GetDateTime(6),
                ["ended_by"] = row.IsDBNull(7) ? null : row.GetString(7),
                ["treated"] = row.GetInt64(8),
                ["holdout"] = row.GetInt64(9),
            },
            cancellationToken);

    private static void Show(PeopleContext context, ImpactEstimate estimate)
    {
        var output = context.Host.Out;
        var percent = (estimate.Share * 100).ToString("0.#", CultureInfo.InvariantCulture);
        output.WriteLine(context.Text(
            $"{Quoted.Text(estimate.Name)}: {percent} % held out since {estimate.StartedAt:yyyy-MM-dd HH:mm} UTC",
            $"{Quoted.Text(estimate.Name)}: {percent} % apartado desde {estimate.StartedAt:yyyy-MM-dd HH:mm} UTC")
            + (estimate.EndedAt is { } ended ? context.Text($", ended {ended:yyyy-MM-dd HH:mm} UTC", $", terminado {ended:yyyy-MM-dd HH:mm} UTC") : ""));
        var groups = new Table().AddColumns(
            context.Text("Group", "Grupo"), context.Text("Leads", "Leads"), context.Text("Observed", "Observados"));
        groups.AddRow(context.Text("treated", "tratados"), $"{estimate.Assigned.Treated}", $"{estimate.Observed.Treated}");
        groups.AddRow(context.Text("holdout", "apartados"), $"{estimate.Assigned.Holdout}", $"{estimate.Observed.Holdout}");
        context.Console.Write(groups);
        output.WriteLine(context.Text(
            $"Observed: assigned by {estimate.Until:yyyy-MM-dd HH:mm} UTC, so that each of their {estimate.HorizonDays} days has passed.",
            $"Observados: asignados hasta {estimate.Until:yyyy-MM-dd HH:mm} UTC, con sus {estimate.HorizonDays} días cumplidos."));
        if (!estimate.IsBalanced)
        {
            output.WriteLine(context.Text(
                $"WARNING: the groups are not of the sizes that chance makes of {percent} %: something interferes with the assignment, do not trust the estimates.",
                $"AVISO: el tamaño de los grupos no es el que el azar da a un {percent} %: algo interfiere en la asignación, no te fíes de las estimaciones."));
        }

        var table = new Table().AddColumns(
            context.Text("Indicator", "Indicador"), context.Text("Treated", "Tratados"), context.Text("Holdout", "Apartados"),
            context.Text("Difference (90 % interval)", "Diferencia (intervalo del 90 %)"), context.Text("Ratio (90 % interval)", "Cociente (intervalo del 90 %)"),
            context.Text("Detectable", "Detectable"), context.Text("Verdict", "Veredicto"));
        for (var column = 1; column < 6; column++)
        {
            table.Columns[column].RightAligned();
        }

        foreach (var row in estimate.Indicators)
        {
            string Value(double? value) => value is { } number ? Number(row.Indicator, number) : "";
            table.AddRow(
                Label(context, row.Indicator), Value(row.Treated), Value(row.Holdout),
                row.Difference is { } d ? $"{Signed(row.Indicator, d.Value)} ({Signed(row.Indicator, d.Low)} … {Signed(row.Indicator, d.High)})" : "",
                row.Ratio is { } r ? string.Create(CultureInfo.InvariantCulture, $"{r.Value:0.00} ({r.Low:0.00} … {r.High:0.00})") : "",
                row.Detectable is { } detectable ? "± " + Number(row.Indicator, detectable) : "", Text(context, row.Verdict));
        }

        context.Console.Write(table);
        output.WriteLine(context.Text(
            "Judge by conversion, once, on the day you planned: who looks often and stops at a good moment finds effects that are not there.",
            "Juzga por la conversión, una vez, el día previsto: quien mira a menudo y para en un buen momento encuentra efectos que no existen."));
        if (estimate.Indicators.Any(row => row.Verdict is Verdict.TooSmall))
        {
            output.WriteLine(context.Text(
                "Too small: fewer than 20 observed leads, closed deals or due tasks in a group, or fewer than 10 won deals for revenue.",
                "Muestra pequeña: menos de 20 leads observados, oportunidades cerradas o tareas en un grupo, o menos de 10 ganadas para los ingresos."));
        }
    }

    private static void ShowAll(PeopleContext context, List<Dictionary<string, object?>> experiments)
    {
        if (experiments.Count < 2)
        {
            return;
        }

        var table = new Table().Title(context.Text("All experiments", "Todos los experimentos")).AddColumns(
            "Id", context.Text("Name", "Nombre"), "%", context.Text("Days", "Días"), context.Text("Started (UTC)", "Iniciado (UTC)"), context.Text("By", "Por"),
            context.Text("Ended (UTC)", "Terminado (UTC)"), context.Text("By", "Por"));
        foreach (var e in experiments)
        {
            table.AddRow(
                $"{e["id"]}", Markup.Escape($"{e["name"]}"), string.Create(CultureInfo.InvariantCulture, $"{e["share_percent"]:0.#}"), $"{e["horizon_days"]}",
                $"{e["started_at"]:yyyy-MM-dd HH:mm}", Markup.Escape($"{e["started_by"]}"), $"{e["ended_at"]:yyyy-MM-dd HH:mm}", Markup.Escape($"{e["ended_by"]}"));
        }

        context.Console.Write(table);
    }

    private static string Label(PeopleContext context, Indicator indicator) => indicator.Name switch
    {
        "conversion" => context.Text("conversion to won", "conversión a ganada"),
        "win_rate" => context.Text("win rate of closed deals", "tasa de éxito de las cerradas"),
        "hours_to_first_contact" => context.Text("hours to first contact", "horas hasta el primer contacto"),
        "days_to_close" => context.Text("days to close", "días hasta el cierre"),
        "revenue_per_lead" => context.Text("revenue per lead", "ingresos por lead"),
        "tasks_on_time" => context.Text("tasks on time", "tareas a tiempo"),
        "abandoned" => context.Text("abandoned (14 days without contact)", "abandonados (14 días sin contacto)"),
        _ => indicator.Name,
    };

    private static string Text(PeopleContext context, Verdict verdict) => verdict switch
    {
        Verdict.Better => context.Text("better", "mejor"),
        Verdict.Worse => context.Text("worse", "peor"),
        Verdict.Unclear => context.Text("no credible difference", "sin diferencia creíble"),
        _ => context.Text("too small", "muestra pequeña"),
    };

    private static string Number(Indicator indicator, double value) =>
        indicator.IsShare ? (value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %" : value.ToString("#,0.0", CultureInfo.InvariantCulture);

    private static string Signed(Indicator indicator, double value) => (value >= 0 ? "+" : "") + Number(indicator, value);

    private static Dictionary<string, object?> Describe(ImpactEstimate estimate) => new(StringComparer.Ordinal)
    {
        ["id"] = estimate.Id,
        ["name"] = estimate.Name,
        ["share_percent"] = Math.Round(estimate.Share * 100, 1),
        ["horizon_days"] = estimate.HorizonDays,
        ["started_at"] = estimate.StartedAt,
        ["ended_at"] = estimate.EndedAt,
        ["observed_until"] = estimate.Until,
        ["assigned"] = Describe(estimate.Assigned),
        ["observed"] = Describe(estimate.Observed),
        ["balanced"] = estimate.IsBalanced,
        ["level"] = 0.9,
        ["indicators"] = estimate.Indicators.Select(object? (row) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["name"] = row.Indicator.Name,
            ["treated"] = row.Treated,
            ["holdout"] = row.Holdout,
            ["difference"] = Describe(row.Difference),
            ["unadjusted_difference"] = Describe(row.Unadjusted),
            ["ratio"] = Describe(row.Ratio),
            ["detectable"] = row.Detectable,
            ["verdict"] = row.Verdict switch { Verdict.TooSmall => "too_small", var said => said.ToString().ToLowerInvariant() },
        }).ToList(),
    };

    private static Dictionary<string, object?> Describe(Arms arms) =>
        new(StringComparer.Ordinal) { ["treated"] = arms.Treated, ["holdout"] = arms.Holdout };

    private static Dictionary<string, object?>? Describe(Interval? interval) => interval is null ? null : new(StringComparer.Ordinal)
    {
        ["value"] = interval.Value,
        ["low"] = interval.Low,
        ["high"] = interval.High,
    };
}
