using System.CommandLine;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Privacy;

/// <summary><c>privacy decrypt</c>: puts phones and notes back in clear and turns encryption off.</summary>
internal static class DecryptCommand
{
    private static readonly (string Name, string English, string Spanish)[] s_places =
    [
        ("leads", "lead|leads", "lead|leads"), ("deals", "deal|deals", "oportunidad|oportunidades"), ("messages", "message|messages", "mensaje|mensajes"),
        ("tasks", "task|tasks", "tarea|tareas"), ("crm", "row of the CRM sync|rows of the CRM sync", "fila de la sincronización con el CRM|filas de la sincronización con el CRM"),
    ];

    public static PeopleCommand Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count what is encrypted" };
        var yes = new Option<bool>("--yes") { Description = "Do it: phones and notes will stand in the database in clear" };
        var command = new PeopleCommand("decrypt", "Put phones and notes back in clear and turn encryption off", async (context, stop) =>
        {
            if (!context.Parse.GetValue(dryRun) && !context.Parse.GetValue(yes))
            {
                throw JobException.Usage("privacy decrypt: phones and notes will stand in the database in clear; allowed: --yes to do it, --dry-run to see how much");
            }

            await using var database = await context.OpenAsync(stop);
            return context.Parse.GetValue(dryRun) ? await CountAsync(context, database, stop) : await RunAsync(context, database, stop);
        });
        command.Options.Add(dryRun);
        command.Options.Add(yes);
        return command;
    }

    private static async Task<ExitCode> CountAsync(PeopleContext context, SalesDatabase database, CancellationToken cancellationToken)
    {
        Show(context, await SealedAsync(database, cancellationToken), 0);
        return ExitCode.Done;
    }

    private static async Task<ExitCode> RunAsync(PeopleContext context, SalesDatabase database, CancellationToken cancellationToken)
    {
        if (!await Vault.IsUsedAsync(database, cancellationToken))
        {
            Show(context, new long[s_places.Length], 0);
            return ExitCode.Done;
        }

        var keys = EncryptionKeys.From(context.Host.Connections().Resolve(new ConnectionIds(context.Host.Environment).Encryption));
        var vault = await Vault.TurnAsync(database, keys, seals: false, cancellationToken);
        var sweep = new ColumnSweep(database, vault, seal: false, static _ => { });
        await sweep.RunAsync(rotate: false, cancellationToken);
        long[] done = [sweep.Leads, sweep.Deals, sweep.Messages, sweep.Tasks, sweep.Crm];
        var left = (await SealedAsync(database, cancellationToken)).Sum();
        if (left == 0)
        {
            await database.ExecuteAsync("encryption/forget", [], cancellationToken);
        }

        Show(context, done, left);
        if (left > 0)
        {
            throw JobException.Refused(
                sweep.Unreadable > 0
                    ? $"{sweep.Unreadable} sealed values do not open: they were changed or moved, or connection '{keys.ConnectionId}' lacks their key"
                    : "Jobs that were running sealed values meanwhile; run it again when they have ended");
        }

        return ExitCode.Done;
    }

    private static async Task<long[]> SealedAsync(SalesDatabase database, CancellationToken cancellationToken) =>
        (await database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "encryption/count_sealed", [], row => Enumerable.Range(0, s_places.Length).Select(row.GetInt64).ToArray(), token),
            cancellationToken))[0];

    private static void Show(PeopleContext context, long[] counts, long left)
    {
        if (context.Json)
        {
            var document = s_places.Zip(counts).ToDictionary(p => p.First.Name, object? (p) => p.Second, StringComparer.Ordinal);
            document["left"] = left;
            context.WriteJson(document);
            return;
        }

        foreach (var (place, count) in s_places.Zip(counts))
        {
            context.Host.Out.WriteLine($"{count} {context.Words(count, place.English, place.Spanish)}");
        }

        if (left > 0)
        {
            context.Host.Out.WriteLine($"{left} {context.Words(left, "row is still encrypted|rows are still encrypted", "fila sigue cifrada|filas siguen cifradas")}");
        }
    }
}
