using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Privacy;

/// <summary><c>privacy requests|show|allow</c>: what was asked, what became of it in the CRM, and a person who agrees anew.</summary>
internal static class RequestCommands
{
    private const int Receipts = 1000;

    public static PeopleCommand List()
    {
        var who = new Option<string?>("--person") { Description = "Only those about this ext_id, e-mail address or telephone number, as it was asked for" };
        var limit = WholeNumber.Option("--limit", "Requests at most, the latest first", 50, 1);
        var command = new PeopleCommand("requests", "What was asked about persons, by whom, and what was done; nobody is named", async (context, stop) =>
        {
            var subject = context.Parse.GetValue(who) is { } text ? Subject.Read("privacy requests", text) : null;
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var rows = await ReadAsync(connection, null, subject, context.Parse.GetValue(limit), stop);
            var strays = subject is null ? await ReceiptsAsync(connection, null, stop) : [];
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["requests"] = rows.Select(object? (r) => r.ToJson()).ToList(),
                    ["found_later_in_crm"] = strays.Cast<object?>().ToList(),
                });
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                context.Text("Request", "Solicitud"), context.Text("What", "Qué"), context.Text("When (UTC)", "Cuándo (UTC)"), context.Text("By", "Por"),
                context.Text("Reason", "Motivo"), "Leads", context.Text("Rows", "Filas"), context.Text("In the CRM", "En el CRM"));
            foreach (var row in rows)
            {
                table.AddRow(
                    $"{row.Id}", Kind(context, row.Kind), Instant(row.At), Markup.Escape(row.By), Markup.Escape(row.Reason ?? ""), $"{row.Leads}",
                    row.Counts.Values.Sum().ToString(context.Numbers), Crm(context, row));
            }

            context.Console.Write(table);
            ShowReceipts(context, strays);
            return ExitCode.Done;
        });
        command.Options.Add(who);
        command.Options.Add(limit);
        return command;
    }

    public static PeopleCommand Show()
    {
        var id = new Argument<long>("request") { Description = "The request's number" };
        var command = new PeopleCommand("show", "A request: what was done table by table, and the receipts of the CRM", async (context, stop) =>
        {
            var asked = context.Parse.GetValue(id);
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var rows = await ReadAsync(connection, asked, null, 1, stop);
            if (rows.Count == 0)
            {
                throw JobException.Usage($"privacy show: there is no request {asked}; allowed: a number of privacy requests");
            }

            var receipts = await ReceiptsAsync(connection, asked, stop);
            if (context.Json)
            {
                var json = rows[0].ToJson();
                json["crm"] = receipts.Cast<object?>().ToList();
                context.WriteJson(json);
                return ExitCode.Done;
            }

            context.Host.Out.WriteLine($"{context.Text("Request", "Solicitud")} {rows[0].Id}: {Kind(context, rows[0].Kind)}, {Instant(rows[0].At)} UTC, {rows[0].By}"
                + (rows[0].Reason is { } reason ? $", {reason}" : ""));
            var table = new Table().AddColumns(context.Text("Table", "Tabla"), context.Text("Rows", "Filas"));
            foreach (var (name, count) in rows[0].Counts)
            {
                table.AddRow(name, count.ToString(context.Numbers));
            }

            context.Console.Write(table);
            ShowReceipts(context, receipts);
            return ExitCode.Done;
        });
        command.Arguments.Add(id);
        return command;
    }

    public static PeopleCommand Allow()
    {
        var who = new Argument<string>("person") { Description = "What the person was known by: ext_id, e-mail address or telephone number" };
        var command = new PeopleCommand("allow", "Let an erased person who agrees anew be stored and written to again", async (context, stop) =>
        {
            var subject = Subject.Read("privacy allow", context.Parse.GetRequiredValue(who));
            await using var database = await context.OpenAsync(stop);
            var (tombstones, suppressions) = await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    await connection.ExecuteStatementAsync("database/set_actor", [("actor", Environment.UserName)], token);
                    var risen = (await connection.QueryStatementAsync(
                        "privacy/unbury", subject.Parameters, row => (Tombstones: row.GetInt64(0), Suppressions: row.GetInt64(1)), token))[0];
                    if (risen.Tombstones > 0)
                    {
                        var request = await PrivacyStore.RequestAsync(connection, "allow", subject, null, 0, token);
                        await connection.ExecuteStatementAsync(
                            "privacy/request_done",
                            [
                                ("id", request), ("count", 0),
                                ("counts", ExportPerson.Counts([("privacy_tombstones", risen.Tombstones), ("suppressions", risen.Suppressions)])),
                            ],
                            token);
                    }

                    return risen;
                },
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["changed"] = tombstones > 0,
                    ["suppressions_lifted"] = suppressions,
                });
            }
            else
            {
                context.Host.Out.WriteLine(tombstones > 0
                    ? context.Text("allowed again", "permitida de nuevo")
                    : context.Text("was not erased, nothing changed", "no estaba borrada, nada cambió"));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(who);
        return command;
    }

    private static Task<List<RequestRow>> ReadAsync(NpgsqlConnection connection, long? id, Subject? subject, int limit, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "privacy/requests",
            [("id", id), ("who", subject?.Text), ("email", subject?.Email), ("phone", subject?.Phone), ("limit", limit)],
            row => new RequestRow(
                row.GetInt64(0), row.GetString(1), row.GetDateTime(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), row.GetInt32(5),
                JsonSerializer.Deserialize(row.GetString(6), PrivacyJson.Default.DictionaryStringInt64) ?? [], row.GetInt64(7), row.GetInt64(8), row.GetInt64(9)),
            cancellationToken);

    private static Task<List<Dictionary<string, object?>>> ReceiptsAsync(NpgsqlConnection connection, long? request, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "privacy/receipts",
            [("request_id", request), ("limit", Receipts)],
            row => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["crm"] = row.GetString(1),
                ["object"] = row.GetString(2),
                ["crm_id"] = row.IsDBNull(3) ? null : row.GetString(3),
                ["queued_at"] = row.GetDateTime(4),
                ["attempts"] = row.GetInt32(5),
                ["answer"] = row.IsDBNull(6) ? null : row.GetString(6),
                ["done_at"] = row.IsDBNull(7) ? null : row.GetDateTime(7),
            },
            cancellationToken);

    private static void ShowReceipts(PeopleContext context, List<Dictionary<string, object?>> receipts)
    {
        if (receipts.Count == 0)
        {
            return;
        }

        var table = new Table().AddColumns(
            "CRM", context.Text("Record", "Registro"), context.Text("Id there", "Id allí"), context.Text("Tries", "Intentos"), context.Text("Answer", "Respuesta"),
            context.Text("Erased (UTC)", "Borrado (UTC)"));
        foreach (var row in receipts)
        {
            table.AddRow(
                $"{row["crm"]}", $"{row["object"]}", Markup.Escape($"{row["crm_id"]}"), $"{row["attempts"]}", Markup.Escape($"{row["answer"]}"),
                row["done_at"] is DateTime at ? Instant(at) : context.Text("not yet", "aún no"));
        }

        context.Console.Write(table);
    }

    private static string Kind(PeopleContext context, string kind) => kind switch
    {
        "export" => context.Text("export", "exportación"),
        "erase" => context.Text("erasure", "borrado"),
        _ => context.Text("allowed again", "permitida de nuevo"),
    };

    private static string Crm(PeopleContext context, RequestRow row) => (row.CrmOpen, row.CrmDone) switch
    {
        (0, 0) => "",
        (0, var done) => context.Text($"{done} erased", $"{done} borrados"),
        var (open, done) => context.Text($"{done} erased, {open} to come", $"{done} borrados, {open} por borrar"),
    };

    private static string Instant(DateTime at) => at.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private sealed record RequestRow(
        long Id, string Kind, DateTime At, string By, string? Reason, int Leads, Dictionary<string, long> Counts, long CrmOpen, long CrmDone, long Tombstones)
    {
        public Dictionary<string, object?> ToJson() => new(StringComparer.Ordinal)
        {
            ["request"] = Id,
            ["kind"] = Kind,
            ["requested_at"] = At,
            ["requested_by"] = By,
            ["reason"] = Reason,
            ["leads"] = Leads,
            ["rows"] = Counts.ToDictionary(c => c.Key, object? (c) => c.Value, StringComparer.Ordinal),
            ["tombstones"] = Tombstones,
            ["crm_open"] = CrmOpen,
            ["crm_done"] = CrmDone,
        };
    }
}
