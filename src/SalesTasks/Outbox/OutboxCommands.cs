using System.CommandLine;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Outbox;

/// <summary><c>outbox list|retry|discard</c>.</summary>
internal static class OutboxCommands
{
    private static readonly string[] s_statuses = ["pending", "leased", "sending", "sent", "in_doubt", "dead", "cancelled"];
    private static readonly string[] s_channels = ["email", "slack", "call", "task", "crm"];

    public static PeopleCommand List()
    {
        var status = new Option<string?>("--status") { Description = "Only messages in this state: " + string.Join(", ", s_statuses) };
        status.AcceptOnlyFromAmong(s_statuses);
        var channel = Channel();
        var limit = WholeNumber.Option("--limit", "Messages at most, the latest first", 50, 1);
        var command = new PeopleCommand("list", "List messages with their state; recipients are masked", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var rows = await connection.QueryStatementAsync(
                "outbox/list",
                [
                    ("status", context.Parse.GetValue(status)), ("channel", context.Parse.GetValue(channel)),
                    ("limit", context.Parse.GetValue(limit)),
                ],
                row => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["id"] = row.GetInt64(0),
                    ["created_at"] = row.GetDateTime(1),
                    ["channel"] = row.GetString(2),
                    ["purpose"] = row.GetString(3),
                    ["status"] = row.GetString(4),
                    ["lead_ext_id"] = row.IsDBNull(5) ? null : row.GetString(5),
                    ["recipient"] = Masked.Recipient(row.IsDBNull(6) ? null : row.GetString(6)),
                    ["attempts"] = row.GetInt32(7),
                    ["not_before"] = row.GetDateTime(8),
                    ["finished_at"] = row.IsDBNull(9) ? null : row.GetDateTime(9),
                    ["reason"] = row.IsDBNull(10) ? null : row.GetString(10),
                },
                stop);
            if (context.Json)
            {
                context.WriteJson(rows);
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                "Id", context.Text("Written", "Escrito"), context.Text("Channel", "Canal"), context.Text("Purpose", "Motivo"),
                context.Text("State", "Estado"), "Lead", context.Text("To", "Para"), context.Text("Attempts", "Intentos"),
                context.Text("Ended or due", "Acabado o previsto"), context.Text("Reason", "Razón"));
            foreach (var row in rows)
            {
                table.AddRow(
                    $"{row["id"]}", $"{row["created_at"]:yyyy-MM-dd HH:mm}", Word(context, row, "channel"), Word(context, row, "purpose"),
                    Word(context, row, "status"),
                    Show(row, "lead_ext_id"), Show(row, "recipient"), $"{row["attempts"]}",
                    $"{row["finished_at"] ?? row["not_before"]:yyyy-MM-dd HH:mm}", Word(context, row, "reason"));
            }

            context.Console.Write(table);
            await ShowCountsAsync(context, connection, stop);
            return ExitCode.Done;
        });
        command.Options.Add(status);
        command.Options.Add(channel);
        command.Options.Add(limit);
        return command;
    }

    public static PeopleCommand Retry()
    {
        var ids = Ids();
        var inDoubt = new Option<bool>("--in-doubt") { Description = "All that are in doubt; those that did arrive then arrive twice" };
        var dead = new Option<bool>("--dead") { Description = "All that are dead" };
        var channel = Channel();
        var command = new PeopleCommand("retry", "Send messages again that are in doubt or dead", async (context, stop) =>
        {
            var given = context.Parse.GetValue(ids) ?? [];
            string[] statuses = [.. context.Parse.GetValue(inDoubt) ? ["in_doubt"] : Array.Empty<string>(), .. context.Parse.GetValue(dead) ? ["dead"] : Array.Empty<string>()];
            if (given.Length > 0 == statuses.Length > 0)
            {
                throw JobException.Usage("outbox retry: allowed: either the ids of messages, or --in-doubt and/or --dead");
            }

            await using var database = await context.OpenAsync(stop);
            var again = await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    var done = await connection.QueryStatementAsync(
                        "outbox/retry",
                        [("ids", given), ("statuses", statuses), ("channel", context.Parse.GetValue(channel)), ("actor", Environment.UserName)],
                        row => row.GetInt64(0),
                        token);
                    await RequireAllAsync(connection, given, done, "in_doubt or dead", token);
                    return done.Count;
                },
                stop);
            Tell(
                context, again, "message will be sent again by the next outbox dispatch.|messages will be sent again by the next outbox dispatch.",
                "mensaje se enviará de nuevo con el próximo outbox dispatch.|mensajes se enviarán de nuevo con el próximo outbox dispatch.");
            return ExitCode.Done;
        });
        command.Arguments.Add(ids);
        command.Options.Add(inDoubt);
        command.Options.Add(dead);
        command.Options.Add(channel);
        return command;
    }

    public static PeopleCommand Discard()
    {
        var ids = Ids();
        ids.Arity = ArgumentArity.OneOrMore;
        var reason = new Option<string>("--reason") { Description = "Why, for those who read it later; no names or addresses", Required = true };
        var delivered = new Option<bool>("--delivered") { Description = "The messages, in doubt until now, did arrive: they count as sent" };
        var command = new PeopleCommand("discard", "Settle messages that are not to be sent, or that did arrive", async (context, stop) =>
        {
            var given = context.Parse.GetValue(ids)!;
            var arrived = context.Parse.GetValue(delivered);
            var why = context.Parse.GetValue(reason)!.Trim();
            if (why.Length is 0 or > 200 || why.Contains('\0', StringComparison.Ordinal))
            {
                throw JobException.Usage("outbox discard: --reason: allowed: 1 to 200 characters");
            }

            await using var database = await context.OpenAsync(stop);
            var settled = await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    var done = await connection.QueryStatementAsync(
                        "outbox/settle", [("ids", given), ("delivered", arrived), ("reason", why)], row => row.GetInt64(0), token);
                    await RequireAllAsync(connection, given, done, arrived ? "in_doubt" : "pending, in_doubt or dead", token);
                    return done.Count;
                },
                stop);
            if (arrived)
            {
                Tell(context, settled, "message counts as sent.|messages count as sent.", "mensaje cuenta como enviado.|mensajes cuentan como enviados.");
            }
            else
            {
                Tell(context, settled, "message will not be sent.|messages will not be sent.", "mensaje no se enviará.|mensajes no se enviarán.");
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(ids);
        command.Options.Add(reason);
        command.Options.Add(delivered);
        return command;
    }

    private static Argument<long[]> Ids() => new("id") { Description = "Numbers of messages, as 'outbox list' shows them", Arity = ArgumentArity.ZeroOrMore };

    private static Option<string?> Channel()
    {
        var channel = new Option<string?>("--channel") { Description = "Only messages of this channel: " + string.Join(", ", s_channels) };
        channel.AcceptOnlyFromAmong(s_channels);
        return channel;
    }

    private static string Show(Dictionary<string, object?> row, string name) => Markup.Escape(row[name] as string ?? "");

    private static string Word(PeopleContext context, Dictionary<string, object?> row, string name) =>
        Markup.Escape(Words.Text(context, row[name] as string ?? ""));

    private static void Tell(PeopleContext context, int messages, string english, string spanish)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["messages"] = messages });
        }
        else
        {
            context.Host.Out.WriteLine($"{messages} {context.Words(messages, english, spanish)}");
        }
    }

    private static async Task ShowCountsAsync(PeopleContext context, Npgsql.NpgsqlConnection connection, CancellationToken stop)
    {
        var counts = await connection.QueryStatementAsync(
            "outbox/counts", [], row => (Channel: row.GetString(0), Status: row.GetString(1), Messages: row.GetInt64(2)), stop);
        foreach (var channel in counts.GroupBy(c => c.Channel))
        {
            context.Host.Out.WriteLine($"{Words.Text(context, channel.Key)}: {string.Join(", ", channel.Select(c => $"{Words.Text(context, c.Status)} {c.Messages}"))}");
        }
    }

    /// <summary>All or nothing: the transaction is rolled back where one of the messages is in another state.</summary>
    private static async Task RequireAllAsync(
        Npgsql.NpgsqlConnection connection, long[] given, List<long> done, string allowed, CancellationToken stop)
    {
        var missing = given.Except(done).ToArray();
        if (missing.Length == 0)
        {
            return;
        }

        var states = (await connection.QueryStatementAsync(
            "outbox/states", [("ids", missing)], row => (Id: row.GetInt64(0), Status: row.GetString(1)), stop)).ToDictionary(s => s.Id, s => s.Status);
        throw JobException.Usage(string.Join(
            '\n',
            missing.Select(id => states.TryGetValue(id, out var status)
                ? $"message {id} is {status}; allowed: {allowed}"
                : $"message {id} does not exist; 'outbox list' shows those that do")));
    }
}

/// <summary>Recipients as a table may show them.</summary>
internal static class Masked
{
    /// <summary><c>a***@e***</c> or <c>***12</c>: enough to tell one from another, not enough to write to.</summary>
    public static string? Recipient(string? recipient)
    {
        if (string.IsNullOrWhiteSpace(recipient))
        {
            return null;
        }

        var at = recipient.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && at < recipient.Length - 1 ? $"{recipient[0]}***@{recipient[at + 1]}***" : $"***{recipient[Math.Max(recipient.Length - 2, 0)..]}";
    }
}
