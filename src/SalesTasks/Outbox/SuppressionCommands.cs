using System.CommandLine;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Delivery;
using Spectre.Console;

namespace SalesTasks.Outbox;

/// <summary>
/// <c>suppressions add|remove|check|count</c>: addresses that are not written to or called any more. Only hashes are kept, so no address
/// can ever be listed.
/// </summary>
internal static class SuppressionCommands
{
    private static readonly string[] s_reasons = ["opt_out", "unsubscribe", "bounce", "complaint", "erasure", "manual"];

    public static PeopleCommand Add()
    {
        var target = new Target();
        var reason = new Option<string>("--reason") { Description = "Why: " + string.Join(", ", s_reasons), DefaultValueFactory = _ => "manual" };
        reason.AcceptOnlyFromAmong(s_reasons);
        var command = new PeopleCommand("add", "Never write to or call an address again", async (context, stop) =>
        {
            var (channel, hash, number) = target.Read(context);
            await using var database = await context.OpenAsync(stop);
            var added = await ChangeAsync(
                context,
                database,
                "outbox/suppress",
                [("hash", hash), ("channel", channel), ("reason", context.Parse.GetValue(reason)), ("actor", Environment.UserName)],
                number,
                stop);
            Tell(context, added > 0, context.Text("suppressed", "suprimida"), context.Text("was suppressed already", "ya estaba suprimida"));
            return ExitCode.Done;
        });
        target.AddTo(command);
        command.Options.Add(reason);
        return command;
    }

    public static PeopleCommand Remove()
    {
        var target = new Target();
        var command = new PeopleCommand("remove", "Allow an address again", async (context, stop) =>
        {
            var (_, hash, number) = target.Read(context);
            await using var database = await context.OpenAsync(stop);
            var removed = await ChangeAsync(context, database, "outbox/unsuppress", [("hash", hash)], number, stop);
            Tell(context, removed > 0, context.Text("allowed again", "permitida de nuevo"), context.Text("was not suppressed", "no estaba suprimida"));
            return ExitCode.Done;
        });
        target.AddTo(command);
        return command;
    }

    public static PeopleCommand Check()
    {
        var target = new Target();
        var command = new PeopleCommand("check", "Tell whether an address is suppressed, since when and why", async (context, stop) =>
        {
            var (_, hash, _) = target.Read(context);
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var found = (await connection.QueryStatementAsync(
                "outbox/suppression",
                [("hash", hash)],
                row => (Reason: row.GetString(1), At: row.GetDateTime(2), By: row.GetString(3)),
                stop)).Select(row => ((string Reason, DateTime At, string By)?)row).FirstOrDefault();
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["suppressed"] = found is not null,
                    ["reason"] = found?.Reason,
                    ["suppressed_at"] = found?.At,
                    ["suppressed_by"] = found?.By,
                });
            }
            else
            {
                context.Host.Out.WriteLine(found is { } entry
                    ? context.Text(
                        $"suppressed since {entry.At:yyyy-MM-dd HH:mm} ({entry.Reason}, by {entry.By})",
                        $"suprimida desde {entry.At:yyyy-MM-dd HH:mm} ({entry.Reason}, por {entry.By})")
                    : context.Text("not suppressed", "no suprimida"));
            }

            return ExitCode.Done;
        });
        target.AddTo(command);
        return command;
    }

    public static PeopleCommand Count() => new("count", "Count suppressed addresses by channel and reason", async (context, stop) =>
    {
        await using var database = await context.OpenAsync(stop);
        await using var connection = await database.OpenAsync(stop);
        var rows = await connection.QueryStatementAsync(
            "outbox/suppression_counts",
            [],
            row => new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["channel"] = row.GetString(0),
                ["reason"] = row.GetString(1),
                ["addresses"] = row.GetInt64(2),
                ["latest"] = row.GetDateTime(3),
            },
            stop);
        if (context.Json)
        {
            context.WriteJson(rows);
            return ExitCode.Done;
        }

        var table = new Table().AddColumns(
            context.Text("Channel", "Canal"), context.Text("Reason", "Razón"), context.Text("Addresses", "Direcciones"), context.Text("Latest", "Última"));
        foreach (var row in rows)
        {
            table.AddRow($"{row["channel"]}", $"{row["reason"]}", $"{row["addresses"]}", $"{row["latest"]:yyyy-MM-dd HH:mm}");
        }

        context.Console.Write(table);
        return ExitCode.Done;
    });

    /// <summary>Changes the entry of an address, and of a telephone number the one under its token, in one transaction.</summary>
    private static async Task<int> ChangeAsync(
        PeopleContext context, SalesDatabase database, string statement, (string, object?)[] parameters, string? number, CancellationToken cancellationToken)
    {
        var vault = number is null ? null : await context.VaultAsync(database, cancellationToken);
        return await database.InTransactionAsync(
            async (connection, _, token) =>
            {
                var changed = await connection.ExecuteStatementAsync(statement, parameters, token);
                if (vault is not null)
                {
                    await vault.SyncSuppressionsAsync(connection, [number!], token);
                }

                return changed;
            },
            cancellationToken);
    }

    private static void Tell(PeopleContext context, bool changed, string yes, string no)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["changed"] = changed });
        }
        else
        {
            context.Host.Out.WriteLine(changed ? yes : no);
        }
    }

    /// <summary>An address, or the hash that an unsubscription link carries.</summary>
    private sealed class Target
    {
        private readonly Argument<string?> _address = new("address") { Description = "E-mail address or telephone number", Arity = ArgumentArity.ZeroOrOne };
        private readonly Option<string?> _hash = new("--hash") { Description = "Instead of an e-mail address: its hash, as unsubscription links carry it" };

        public void AddTo(Command command)
        {
            command.Arguments.Add(_address);
            command.Options.Add(_hash);
        }

        /// <exception cref="JobException">64: neither or both are given, or it is none of them.</exception>
        public (string Channel, byte[] Hash, string? Number) Read(PeopleContext context)
        {
            switch (context.Parse.GetValue(_address)?.Trim(), context.Parse.GetValue(_hash)?.Trim())
            {
                case ({ Length: > 0 } address, null) when address.Contains('@', StringComparison.Ordinal):
                    return ("email", AddressHash.Email(address), null);
                case ({ Length: > 0 } number, null) when number.Count(char.IsAsciiDigit) > 5:
                    return ("phone", AddressHash.Phone(number), number);
                case (null, { Length: 64 } hash) when hash.All(char.IsAsciiHexDigit):
                    return ("email", Convert.FromHexString(hash), null);
                default:
                    // What was given may be somebody's address: it is not repeated.
                    throw JobException.Usage(
                        "suppressions: allowed: an e-mail address, a telephone number of more than five digits, or --hash with 64 hexadecimal digits");
            }
        }
    }
}
