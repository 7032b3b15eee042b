using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Audit;

/// <summary><c>audit list|show|retention</c>: who changed what, who read about whom.</summary>
internal static class AuditCommands
{
    public static PeopleCommand List()
    {
        var lead = new Option<string?>("--lead") { Description = "About this lead (ext_id), erased or not" };
        var rep = new Option<string?>("--rep") { Description = "About this rep: the person, logins, absences, deals assigned to or taken from" };
        var table = new Option<string?>("--table") { Description = "Of this table, or read by this command, such as explain" };
        var actor = new Option<string?>("--actor") { Description = "By this database user, role, program, operating system user or run" };
        var since = new Option<string?>("--since") { Description = "From this day or instant on (UTC); without it the last 30 days" };
        var limit = WholeNumber.Option("--limit", "Entries at most", 100, 1, 100_000);
        var command = new PeopleCommand("list", "Who changed deals, people and settings, and who read about whom; newest first", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var entries = await connection.QueryStatementAsync(
                "audit/list",
                [
                    ("since_at", Since(context, context.Parse.GetValue(since))), ("lead", context.Parse.GetValue(lead)),
                    ("subject", context.Parse.GetValue(table)), ("rep", context.Parse.GetValue(rep)?.Trim().ToLowerInvariant()),
                    ("actor", context.Parse.GetValue(actor)), ("limit", (long)context.Parse.GetValue(limit)),
                ],
                row => new AuditEntry(row),
                stop);
            if (context.Json)
            {
                context.WriteJson(entries.ConvertAll(object? (e) => e.Document()));
                return ExitCode.Done;
            }

            var grid = new Table().AddColumns(
                "Id", context.Text("When (UTC)", "Cuándo (UTC)"), context.Text("What", "Qué"), context.Text("Where", "Dónde"), context.Text("Changes", "Cambios"),
                context.Text("Who", "Quién"));
            foreach (var entry in entries)
            {
                grid.AddRow(
                    $"{entry.Id}", entry.At.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), Operation(context, entry.Operation),
                    Visible.Markup(entry.Key is null ? entry.Subject : $"{entry.Subject} {entry.Key}"), Visible.Markup(Short(entry.Summary())), Visible.Markup(entry.Who()));
            }

            context.Console.Write(grid);
            return ExitCode.Done;
        });
        foreach (var option in (Option[])[lead, rep, table, actor, since, limit])
        {
            command.Options.Add(option);
        }

        return command;
    }

    public static PeopleCommand Show()
    {
        var id = new Argument<long>("id") { Description = "Number of the entry" };
        var command = new PeopleCommand("show", "One entry of the audit log, whole", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var number = context.Parse.GetRequiredValue(id);
            var found = await connection.QueryStatementAsync("audit/show", [("id", number)], row => new AuditEntry(row), stop);
            if (found is not [var entry])
            {
                throw JobException.Usage(string.Create(CultureInfo.InvariantCulture, $"audit show: there is no entry {number}; audit list shows them"));
            }

            if (context.Json)
            {
                context.WriteJson(entry.Document());
                return ExitCode.Done;
            }

            var grid = new Table().HideHeaders().AddColumns("", "");
            grid.AddRow(context.Text("When (UTC)", "Cuándo (UTC)"), entry.At.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));
            grid.AddRow(context.Text("What", "Qué"), Operation(context, entry.Operation));
            grid.AddRow(context.Text("Where", "Dónde"), Visible.Markup(entry.Key is null ? entry.Subject : $"{entry.Subject} {entry.Key}"));
            grid.AddRow(context.Text("Who", "Quién"), Visible.Markup(entry.Who()));
            foreach (var (column, change) in entry.Changes ?? [])
            {
                grid.AddRow(Visible.Markup(column), Visible.Markup(AuditEntry.Words(change)));
            }

            if (entry.Personal.Length > 0)
            {
                grid.AddRow(context.Text("Changed, values not kept", "Cambiado, valores no guardados"), Visible.Markup(string.Join(", ", entry.Personal)));
            }

            context.Console.Write(grid);
            return ExitCode.Done;
        });
        command.Arguments.Add(id);
        return command;
    }

    public static PeopleCommand Retention()
    {
        var months = new Option<int?>("--months") { Description = "Whole months to keep before the current one; 0 = for ever. Only the schema's owner may" };
        var command = new PeopleCommand("retention", "How long the audit log is kept; db maintain drops what is older", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            if (context.Parse.GetValue(months) is { } given)
            {
                if (given is < 0 or > 1_200)
                {
                    throw JobException.Usage(string.Create(CultureInfo.InvariantCulture, $"audit retention: --months {given} is not allowed; allowed: 0 to 1200"));
                }

                await database.InTransactionAsync(
                    async (connection, _, token) =>
                    {
                        await connection.ExecuteStatementAsync("database/become_owner", [], token);
                        return await connection.ExecuteStatementAsync("audit/set_retention", [("months", given == 0 ? null : given)], token);
                    },
                    stop);
            }

            await using var open = await database.OpenAsync(stop);
            var kept = await open.ScalarStatementAsync<int?>("audit/retention", [], stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["keep_months"] = kept });
            }
            else
            {
                context.Host.Out.WriteLine(kept is { } number
                    ? context.Text($"Kept for {number} whole months before the current one.", $"Se guarda {number} meses completos antes del actual.")
                    : context.Text("Kept for ever.", "Se guarda para siempre."));
            }

            return ExitCode.Done;
        });
        command.Options.Add(months);
        return command;
    }

    private static DateTimeOffset Since(PeopleContext context, string? text)
    {
        if (text is null)
        {
            return context.Host.Time.GetUtcNow().AddDays(-30);
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : throw JobException.Usage($"audit list: --since {Quoted.Text(text)} is not allowed; allowed: a day such as 2026-03-01 or an instant such as 2026-03-01T10:00Z");
    }

    private static string Operation(PeopleContext context, string operation) => operation switch
    {
        "insert" => context.Text("added", "alta"),
        "update" => context.Text("changed", "cambio"),
        "delete" => context.Text("deleted", "baja"),
        "truncate" => context.Text("emptied", "vaciado"),
        "read" => context.Text("read", "lectura"),
        _ => context.Text("access", "acceso"),
    };

    private static string Short(string text) => text.Length <= 120 ? text : text[..119] + "…";
}

/// <summary>One row of the trail.</summary>
internal sealed class AuditEntry(NpgsqlDataReader row)
{
    // For people's eyes: accents and quotes of a list stay as they are.
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public long Id { get; } = row.GetInt64(0);

    public DateTimeOffset At { get; } = row.GetFieldValue<DateTimeOffset>(1);

    public string Operation { get; } = row.GetString(2);

    public string Subject { get; } = row.GetString(3);

    public string? Key { get; } = Text(row, 4);

    /// <summary>By column, [before, after]; of a read or a grant, its details.</summary>
    public JsonObject? Changes { get; } = Text(row, 5) is { } json ? JsonNode.Parse(json) as JsonObject : null;

    /// <summary>Columns whose values are personal and not kept.</summary>
    public string[] Personal { get; } = row.IsDBNull(6) ? [] : row.GetFieldValue<string[]>(6);

    public string DatabaseUser { get; } = row.GetString(7);

    public string? DatabaseRole { get; } = Text(row, 8);

    public string Program { get; } = row.GetString(9);

    public string? SystemUser { get; } = Text(row, 10);

    public string? Run { get; } = Text(row, 11);

    public string Summary() => string.Join("; ", (Changes ?? []).Select(c => $"{c.Key}: {Words(c.Value)}").Concat(Personal));

    public string Who() => string.Join(
        ", ", ((string?[])[DatabaseRole is null ? DatabaseUser : $"{DatabaseUser} as {DatabaseRole}", SystemUser, Run ?? Program]).OfType<string>().Where(w => w.Length > 0));

    public static string Words(JsonNode? change) => change is JsonArray { Count: 2 } pair ? $"{Value(pair[0])} → {Value(pair[1])}" : Value(change);

    public Dictionary<string, object?> Document() => new(StringComparer.Ordinal)
    {
        ["id"] = Id,
        ["at"] = At,
        ["operation"] = Operation,
        ["subject"] = Subject,
        ["key"] = Key,
        ["changes"] = Changes,
        ["personal"] = Personal.Cast<object?>().ToList(),
        ["db_user"] = DatabaseUser,
        ["db_role"] = DatabaseRole,
        ["program"] = Program,
        ["os_user"] = SystemUser,
        ["run"] = Run,
    };

    private static string Value(JsonNode? node) => node switch
    {
        null => "–",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => node.ToJsonString(s_plain),
    };

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
