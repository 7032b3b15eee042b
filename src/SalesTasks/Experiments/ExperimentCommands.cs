using System.CommandLine;
using System.Globalization;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Experiments;

/// <summary><c>experiment start|stop</c>: begins and ends holding out a random share of new leads.</summary>
internal static class ExperimentCommands
{
    private const int LeastHorizon = 14;
    private const int LongestHorizon = 365;
    private const int MaxName = 128;

    public static PeopleCommand Start()
    {
        var share = new Option<string>("--share") { Description = "Leads in 100 that get no automated contact, such as 10 or 2.5; at most 50", Required = true };
        var name = new Option<string?>("--name") { Description = "What to call it; left out: the day it starts" };
        var horizon = new Option<string?>("--horizon")
        {
            Description = "Days over which what becomes of a lead is observed, 14 to 365; left out: 30",
        };
        var command = new PeopleCommand("start", "Hold out a random share of the leads that enter the pipeline from now on", async (context, stop) =>
        {
            var asOf = context.Host.Time.GetUtcNow();
            var (permille, days, text) = Read(
                context.Parse.GetRequiredValue(share), context.Parse.GetValue(horizon) ?? "30",
                context.Parse.GetValue(name) ?? asOf.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            await using var database = await context.OpenAsync(stop);
            var id = await database.InTransactionAsync(
                (connection, _, token) => connection.ScalarStatementAsync<long?>(
                    "experiments/start",
                    [("name", text), ("share", permille), ("horizon", days), ("as_of", asOf), ("actor", Environment.UserName)],
                    token),
                stop);
            if (id is null)
            {
                throw JobException.Usage("experiment start: an experiment is running already; allowed: experiment show to see it, experiment stop to end it first");
            }

            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["id"] = id,
                    ["name"] = text,
                    ["share_percent"] = permille / 10m,
                    ["horizon_days"] = days,
                    ["started_at"] = asOf,
                });
            }
            else
            {
                var percent = (permille / 10m).ToString(CultureInfo.InvariantCulture);
                context.Host.Out.WriteLine(context.Text(
                    $"Started {Quoted.Text(text)}: {percent} % of the leads that enter the pipeline from now on get no automated contact. "
                    + $"First results in {days} days.",
                    $"Iniciado {Quoted.Text(text)}: el {percent} % de los leads que entren en el pipeline desde ahora no recibe contacto automático. "
                    + $"Primeros resultados en {days} días."));
            }

            return ExitCode.Done;
        });
        command.Options.Add(share);
        command.Options.Add(name);
        command.Options.Add(horizon);
        return command;
    }

    public static PeopleCommand Stop() => new("stop", "End the experiment: leads that were held out get automated contact from now on", async (context, stop) =>
    {
        await using var database = await context.OpenAsync(stop);
        var (name, released) = await database.InTransactionAsync(
            async (connection, _, token) =>
            {
                var running = await connection.QueryStatementAsync(
                    "experiments/lock_running", [], row => (Id: row.GetInt64(0), Name: row.GetString(1)), token);
                if (running is not [var experiment])
                {
                    return (null, 0);
                }

                await connection.ExecuteStatementAsync(
                    "experiments/stop",
                    [("id", experiment.Id), ("as_of", context.Host.Time.GetUtcNow()), ("actor", Environment.UserName)],
                    token);
                return ((string?)experiment.Name, await connection.ExecuteStatementAsync("experiments/release", [("id", experiment.Id)], token));
            },
            stop);
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["name"] = name,
                ["stopped"] = name is not null,
                ["released"] = released,
            });
        }
        else
        {
            context.Host.Out.WriteLine(name is null
                ? context.Text("No experiment is running.", "No hay ningún experimento en marcha.")
                : context.Text(
                    $"Stopped {Quoted.Text(name)}; open deals that were held out and are followed up again: {released}.",
                    $"Terminado {Quoted.Text(name)}; oportunidades abiertas apartadas que vuelven a tener seguimiento: {released}."));
        }

        return ExitCode.Done;
    });

    /// <exception cref="JobException">64 with every fault.</exception>
    private static (int Permille, int Days, string Name) Read(string share, string horizon, string name)
    {
        var faults = new List<string>();
        if (!decimal.TryParse(share, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
            || percent is <= 0 or > 50 || percent * 10 != Math.Floor(percent * 10))
        {
            faults.Add($"--share: {Quoted.Text(share)} is not allowed; allowed: a percentage from 0.1 to 50 with one decimal at most, such as 10 (none: no experiment)");
        }

        if (!int.TryParse(horizon, NumberStyles.None, CultureInfo.InvariantCulture, out var days) || days is < LeastHorizon or > LongestHorizon)
        {
            faults.Add($"--horizon: {Quoted.Text(horizon)} is not allowed; allowed: a whole number of days from {LeastHorizon} to {LongestHorizon}");
        }

        if (name.Trim().Length is 0 or > MaxName || name.Any(char.IsControl))
        {
            faults.Add($"--name: {Quoted.Text(name)} is not allowed; allowed: up to {MaxName} characters on one line");
        }

        return faults.Count == 0 ? ((int)(percent * 10), days, name.Trim()) : throw JobException.Usage(string.Join('\n', faults));
    }
}
