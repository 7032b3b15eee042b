using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Alerts;

/// <summary><c>alerts list|ack|snooze|resolve</c>.</summary>
internal static class AlertCommands
{
    private static readonly string[] s_severities = ["info", "warning", "critical"];
    private static readonly string[] s_statuses = ["open", "acknowledged", "snoozed", "resolved", "all"];

    /// <summary>Longer is no snooze.</summary>
    private static readonly TimeSpan s_longestSnooze = TimeSpan.FromDays(366);

    public static PeopleCommand List()
    {
        var kind = Choice("--kind", "Only alerts of this kind", [.. AlertKind.All.Select(known => known.Name)]);
        var severity = Choice("--severity", "Only alerts of this severity", s_severities);
        var status = Choice("--status", "Only alerts in this state; left out: all that are not resolved", s_statuses);
        var rep = new Option<string?>("--rep") { Description = "Only alerts of this rep (e-mail)" };
        var limit = WholeNumber.Option("--limit", "Alerts at most, the most severe first", 50, 1);
        var usefulness = new Option<bool>("--usefulness") { Description = "Instead: how many of the last 90 days were acknowledged or acted on, by kind" };
        var command = new PeopleCommand("list", "List alerts, the most severe first", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            if (context.Parse.GetValue(usefulness))
            {
                await ShowUsefulnessAsync(context, connection, stop);
                return ExitCode.Done;
            }

            var alerts = await connection.QueryStatementAsync(
                "alerts/list",
                [
                    ("kind", context.Parse.GetValue(kind)), ("severity", context.Parse.GetValue(severity)), ("status", context.Parse.GetValue(status)),
                    ("rep", context.Parse.GetValue(rep)?.Trim().ToLowerInvariant()), ("limit", context.Parse.GetValue(limit)),
                ],
                row => s_fields.Select((name, i) => KeyValuePair.Create(name, row.IsDBNull(i) ? null : row.GetValue(i))).ToDictionary(StringComparer.Ordinal),
                stop);
            Show(context, alerts);
            return ExitCode.Done;
        });
        command.Options.Add(kind);
        command.Options.Add(severity);
        command.Options.Add(status);
        command.Options.Add(rep);
        command.Options.Add(limit);
        command.Options.Add(usefulness);
        return command;
    }

    public static PeopleCommand Acknowledge() => Settle(
        "ack", "Say that somebody sees to these alerts", "alerts/acknowledge", ["open", "snoozed", "acknowledged"],
        "alert acknowledged.|alerts acknowledged.", "alerta atendida.|alertas atendidas.");

    public static PeopleCommand Resolve() => Settle(
        "resolve", "Settle these alerts; they open again when their situation ended and came back", "alerts/resolve", ["open", "snoozed", "acknowledged"],
        "alert resolved.|alerts resolved.", "alerta resuelta.|alertas resueltas.");

    public static PeopleCommand Snooze()
    {
        var until = new Option<string?>("--until") { Description = "Told again at this instant, if the situation still lasts: ISO 8601 with offset" };
        var duration = new Option<string?>("--for") { Description = "Told again after this time: 90m, 4h or 2d" };
        return Settle(
            "snooze", "Put these alerts off", "alerts/snooze", ["open", "snoozed", "acknowledged"], "alert put off.|alerts put off.",
            "alerta pospuesta.|alertas pospuestas.", context => [("until_at", Until(context, context.Parse.GetValue(until), context.Parse.GetValue(duration)))],
            until, duration);
    }

    private static readonly string[] s_fields =
    [
        "id", "kind", "severity", "status", "owner", "lead_ext_id", "facts", "opened_at", "last_seen_at", "seen_count", "times_told", "acknowledged_at",
        "acknowledged_by", "snoozed_until", "acted_at", "resolved_at", "resolved_by", "total",
    ];

    private static void Show(PeopleContext context, List<Dictionary<string, object?>> alerts)
    {
        foreach (var alert in alerts)
        {
            using var facts = JsonDocument.Parse((string)alert["facts"]!);
            alert["text"] = AlertKind.Text((string)alert["kind"]!, Spanish(context), facts.RootElement);
            alert["facts"] = facts.RootElement.EnumerateObject().ToDictionary(fact => fact.Name, fact => Plain(fact.Value), StringComparer.Ordinal);
        }

        if (context.Json)
        {
            context.WriteJson(alerts.ConvertAll(object? (alert) => alert.Where(field => field.Key != "total").ToDictionary(StringComparer.Ordinal)));
            return;
        }

        if (alerts.Count == 0)
        {
            context.Host.Out.WriteLine(context.Text("No alerts.", "No hay alertas."));
            return;
        }

        var table = new Table().AddColumns(
            "#", context.Text("Severity", "Gravedad"), context.Text("Kind", "Clase"), context.Text("What", "Qué"), context.Text("State", "Estado"),
            context.Text("Since (UTC)", "Desde (UTC)"));
        foreach (var alert in alerts)
        {
            table.AddRow(
                $"{alert["id"]}", AlertMessages.Severity((string)alert["severity"]!, Spanish(context)),
                Markup.Escape(AlertKind.Title((string)alert["kind"]!, Spanish(context))), Markup.Escape((string)alert["text"]!),
                Markup.Escape(State(context, alert)), $"{alert["opened_at"]:yyyy-MM-dd HH:mm}");
        }

        context.Console.Write(table);
        if ((long)alerts[0]["total"]! is var total && total > alerts.Count)
        {
            context.Host.Out.WriteLine(context.Text($"{alerts.Count} of {total}; --limit {total} shows all.", $"{alerts.Count} de {total}; --limit {total} las muestra todas."));
        }
    }

    private static string State(PeopleContext context, Dictionary<string, object?> alert) => (string)alert["status"]! switch
    {
        "acknowledged" => context.Text($"seen to by {alert["acknowledged_by"]}", $"la atiende {alert["acknowledged_by"]}"),
        "snoozed" => context.Text($"put off until {alert["snoozed_until"]:yyyy-MM-dd HH:mm}", $"pospuesta hasta {alert["snoozed_until"]:yyyy-MM-dd HH:mm}"),
        "resolved" when alert["resolved_by"] is { } person => context.Text($"resolved by {person}", $"resuelta por {person}"),
        "resolved" => context.Text("over", "terminada"),
        _ => context.Text("open", "abierta"),
    };

    private static async Task ShowUsefulnessAsync(PeopleContext context, Npgsql.NpgsqlConnection connection, CancellationToken stop)
    {
        string[] fields =
        [
            "kind", "opened", "critical", "acknowledged", "acted_on", "useful", "useful_pct", "resolved_by_people", "still_open", "median_hours_to_action",
        ];
        var kinds = await connection.QueryStatementAsync(
            "alerts/usefulness",
            [],
            row => fields.Select((name, i) => KeyValuePair.Create(name, row.IsDBNull(i) ? null : row.GetValue(i))).ToDictionary(StringComparer.Ordinal),
            stop);
        if (context.Json)
        {
            context.WriteJson(kinds.ConvertAll(object? (kind) => kind));
            return;
        }

        var table = new Table { Title = new TableTitle(context.Text("Alerts opened in the last 90 days", "Alertas abiertas en los últimos 90 días")) };
        table.AddColumns(
            context.Text("Kind", "Clase"), context.Text("Opened", "Abiertas"), context.Text("Critical", "Críticas"), context.Text("Acknowledged", "Atendidas"),
            context.Text("Acted on", "Con acción"), context.Text("Useful", "Útiles"), context.Text("Resolved by people", "Resueltas por personas"),
            context.Text("Still open", "Aún abiertas"), context.Text("Hours to action (median)", "Horas hasta la acción (mediana)"));
        foreach (var kind in kinds)
        {
            table.AddRow(
                Markup.Escape(AlertKind.Title((string)kind["kind"]!, Spanish(context))), $"{kind["opened"]:N0}", $"{kind["critical"]:N0}", $"{kind["acknowledged"]:N0}",
                $"{kind["acted_on"]:N0}", $"{kind["useful_pct"]:0.#} %", $"{kind["resolved_by_people"]:N0}", $"{kind["still_open"]:N0}", $"{kind["median_hours_to_action"]}");
        }

        context.Console.Write(table);
    }

    /// <summary>A command that changes the state of alerts by their numbers: all of them or none.</summary>
    private static PeopleCommand Settle(
        string name,
        string description,
        string statement,
        string[] allowed,
        string english,
        string inSpanish,
        Func<PeopleContext, (string, object?)[]>? more = null,
        params Option[] options)
    {
        var ids = new Argument<long[]>("number") { Description = "Numbers of alerts, as 'alerts list' shows them", Arity = ArgumentArity.OneOrMore };
        var by = new Option<string?>("--by") { Description = "Who; left out: the user of this machine" };
        var command = new PeopleCommand(name, description, async (context, stop) =>
        {
            var given = context.Parse.GetValue(ids)!.Distinct().ToArray();
            (string, object?)[] extra = more?.Invoke(context) ?? [];
            var actor = context.Parse.GetValue(by)?.Trim() ?? Environment.UserName;
            if (actor.Length is 0 or > 256 || actor.Any(char.IsControl))
            {
                throw JobException.Usage($"--by: {Quoted.Text(actor)} is not allowed; allowed: a name of 1 to 256 characters");
            }

            await using var database = await context.OpenAsync(stop);
            await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    var states = (await connection.QueryStatementAsync(
                        "alerts/states", [("ids", given)], row => (Id: row.GetInt64(0), Status: row.GetString(1)), token)).ToDictionary(s => s.Id, s => s.Status);
                    var faults = given.Where(id => !states.TryGetValue(id, out var status) || !allowed.Contains(status)).Select(id =>
                        states.TryGetValue(id, out var status)
                            ? $"alert {id} is {status}; allowed: {string.Join(", ", allowed)}"
                            : $"alert {id} does not exist; 'alerts list --status all' shows those that do").ToList();
                    if (faults.Count > 0)
                    {
                        throw JobException.Usage(string.Join('\n', faults));
                    }

                    await connection.ExecuteStatementAsync(statement, [("ids", given), ("actor", actor), .. extra], token);
                },
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["alerts"] = given.Length });
            }
            else
            {
                context.Host.Out.WriteLine($"{given.Length} {context.Words(given.Length, english, inSpanish)}");
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(ids);
        command.Options.Add(by);
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        return command;
    }

    private static DateTimeOffset Until(PeopleContext context, string? until, string? duration)
    {
        if (until is null == duration is null)
        {
            throw JobException.Usage("alerts snooze: it takes exactly one end; allowed: either --until INSTANT or --for TIME");
        }

        var now = context.Host.Time.GetUtcNow();
        DateTimeOffset instant;
        if (duration is not null)
        {
            instant = now + (Duration(duration) ?? throw JobException.Usage($"--for: {Quoted.Text(duration)} is not allowed; allowed: 90m, 4h or 2d, up to a year"));
        }
        else if (!Instants.TryParse(until!, out instant) || instant <= now || instant - now > s_longestSnooze)
        {
            throw JobException.Usage(
                $"--until: {Quoted.Text(until!)} is not allowed; allowed: an ISO 8601 instant with offset, such as 2026-01-31T06:00:00Z, later than now and within a year");
        }

        return instant;
    }

    private static TimeSpan? Duration(string text)
    {
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > 600_000)
        {
            return null;
        }

        TimeSpan? duration = text[^1] switch
        {
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            _ => null,
        };
        return duration <= s_longestSnooze ? duration : null;
    }

    private static Option<string?> Choice(string name, string description, string[] allowed)
    {
        var option = new Option<string?>(name) { Description = $"{description}: {string.Join(", ", allowed)}" };
        option.AcceptOnlyFromAmong(allowed);
        return option;
    }

    private static bool Spanish(PeopleContext context) => context.Text("en", "es") == "es";

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDecimal(),
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };
}
