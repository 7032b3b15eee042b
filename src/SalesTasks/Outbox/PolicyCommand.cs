using System.CommandLine;
using System.Globalization;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Outbox;

/// <summary><c>outbox policy</c>: shows and changes when and how often a lead may be written to or called.</summary>
internal static class PolicyCommand
{
    private static readonly (string Name, string English, string Spanish)[] s_rules =
    [
        ("window_days", "Days on which leads are written to and called, 1 = Monday", "Días en que se escribe y llama a los leads, 1 = lunes"),
        ("window_start", "From this time on the lead's clock", "Desde esta hora en el reloj del lead"),
        ("window_end", "Until this time on the lead's clock", "Hasta esta hora en el reloj del lead"),
        ("default_time_zone", "Zone of leads whose own is missing or unknown", "Zona de los leads sin zona propia o desconocida"),
        ("max_per_lead_per_day", "Messages a lead gets within 24 hours, all campaigns together; 0: no limit", "Mensajes por lead en 24 horas, todas las campañas juntas; 0: sin límite"),
        ("max_per_lead_per_week", "The same within 7 days; 0: no limit", "Lo mismo en 7 días; 0: sin límite"),
    ];

    public static PeopleCommand Create()
    {
        var set = new Option<string[]>("--set")
        {
            Description = "NAME=VALUE, such as window_end=17:30, window_days=1,2,3,4,5 or max_per_lead_per_day=2; may be repeated",
        };
        var command = new PeopleCommand("policy", "Show or change when and how often leads are written to", async (context, stop) =>
        {
            var changes = Read(context.Parse.GetValue(set) ?? []);
            await using var database = await context.OpenAsync(stop);
            if (changes.Count > 0)
            {
                await database.InTransactionAsync((connection, _, token) => ChangeAsync(connection, changes, token), stop);
            }

            await using var connection = await database.OpenAsync(stop);
            await ShowAsync(context, connection, stop);
            return ExitCode.Done;
        });
        command.Options.Add(set);
        return command;
    }

    /// <exception cref="JobException">64 with every fault.</exception>
    private static Dictionary<string, object?> Read(string[] assignments)
    {
        var changes = new Dictionary<string, object?>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (var assignment in assignments)
        {
            var (name, text) = assignment.Split('=', 2) is [var left, var right] ? (left.Trim(), right.Trim()) : (assignment, "");
            (object? Value, string Allowed) read = name switch
            {
                "window_days" => (Days(text), "days from 1 (Monday) to 7, separated by commas, such as 1,2,3,4,5"),
                "window_start" or "window_end" => (Time(text), "a time from 00:00 to 24:00, such as 17:30"),
                "default_time_zone" => (text.Length is > 0 and <= 64 ? text : null, "the name of a time zone, such as Europe/Madrid"),
                "max_per_lead_per_day" or "max_per_lead_per_week" =>
                    (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null, "a whole number from 0; 0: no limit"),
                _ => (null, "NAME=VALUE with one of " + string.Join(", ", s_rules.Select(r => r.Name))),
            };
            if (read.Value is null)
            {
                faults.Add($"--set: {Quoted.Text(assignment)} is not allowed; allowed: {read.Allowed}");
            }

            changes[name] = read.Value;
        }

        return faults.Count == 0 ? changes : throw JobException.Usage(string.Join('\n', faults));
    }

    private static int[]? Days(string text)
    {
        var days = text.Split(',', StringSplitOptions.TrimEntries)
            .Select(day => int.TryParse(day, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 7 ? number : 0)
            .Distinct().Order().ToArray();
        return days.Contains(0) ? null : days;
    }

    /// <summary>As text, because .NET has no 24:00.</summary>
    private static string? Time(string text) =>
        text == "24:00" || TimeOnly.TryParseExact(text, "H:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? text : null;

    private static async Task ChangeAsync(Npgsql.NpgsqlConnection connection, Dictionary<string, object?> changes, CancellationToken stop)
    {
        if (changes.GetValueOrDefault("default_time_zone") is string zone
            && !await connection.ScalarStatementAsync<bool>("outbox/knows_zone", [("zone", zone)], stop))
        {
            throw JobException.Usage($"--set: {Quoted.Text("default_time_zone=" + zone)} is not allowed; allowed: a zone of the database, such as Europe/Madrid");
        }

        try
        {
            await connection.ExecuteStatementAsync(
                "outbox/set_policy", [.. s_rules.Select(r => (r.Name, changes.GetValueOrDefault(r.Name))), ("actor", Environment.UserName)], stop);
        }
        catch (Npgsql.PostgresException refused) when (refused.SqlState == Npgsql.PostgresErrorCodes.CheckViolation)
        {
            throw JobException.Usage("--set: the window would never open; allowed: window_start before window_end", refused);
        }
    }

    private static async Task ShowAsync(PeopleContext context, Npgsql.NpgsqlConnection connection, CancellationToken stop)
    {
        var policy = (await connection.QueryStatementAsync(
            "outbox/policy",
            [],
            row => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["window_days"] = row.GetString(0),
                ["window_start"] = row.GetString(1),
                ["window_end"] = row.GetString(2),
                ["default_time_zone"] = row.GetString(3),
                ["max_per_lead_per_day"] = row.GetInt32(4),
                ["max_per_lead_per_week"] = row.GetInt32(5),
                ["updated_at"] = row.GetDateTime(6),
                ["updated_by"] = row.GetString(7),
            },
            stop))[0];
        if (context.Json)
        {
            context.WriteJson(policy);
            return;
        }

        var table = new Table().AddColumns(context.Text("Rule", "Regla"), context.Text("Value", "Valor"), context.Text("Meaning", "Significado"));
        foreach (var (name, english, spanish) in s_rules)
        {
            table.AddRow(name, Markup.Escape($"{policy[name]}"), Markup.Escape(context.Text(english, spanish)));
        }

        context.Console.Write(table);
    }
}
