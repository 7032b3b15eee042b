using System.CommandLine;
using System.Globalization;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Backup;

/// <summary><c>backup list|verify|restore|release</c>.</summary>
internal static class BackupCommands
{
    private static readonly KeptAs[] s_reasons = [KeptAs.Newest, KeptAs.Daily, KeptAs.Weekly, KeptAs.Monthly];

    public static PeopleCommand List()
    {
        var folder = FolderOption();
        var keep = new[] { Keep("--keep-daily", BackupJobs.KeepDaily), Keep("--keep-weekly", BackupJobs.KeepWeekly), Keep("--keep-monthly", BackupJobs.KeepMonthly) };
        var command = new PeopleCommand("list", "Backups of the folder: when, how large, as what they are kept, whether they are good", (context, _) =>
        {
            var stored = Folder(context, folder).List();
            var plan = new RetentionPlan(context.Parse.GetValue(keep[0]), context.Parse.GetValue(keep[1]), context.Parse.GetValue(keep[2]));
            // As backup create counts: each database's good ones on their own.
            var kept = stored.Where(backup => backup.Fault is null).GroupBy(backup => (backup.Manifest!.Database, backup.Manifest.Schema))
                .SelectMany(group => group.Select(backup => (backup.Name, Kept: plan.Apply(group.Select(b => b.Manifest!.TakenAt))[backup.Manifest!.TakenAt])))
                .ToDictionary(backup => backup.Name, backup => backup.Kept, StringComparer.Ordinal);
            if (context.Json)
            {
                context.WriteJson(stored.Select(object? (backup) => Row(backup, kept)).ToList());
                return Task.FromResult(ExitCode.Done);
            }

            var table = new Table().AddColumns(
                context.Text("Backup", "Copia"), context.Text("Taken (UTC)", "Hecha (UTC)"), context.Text("Database", "Base de datos"), "MB",
                context.Text("Tables", "Tablas"), context.Text("Rows", "Filas"), context.Text("Verified (UTC)", "Verificada (UTC)"),
                context.Text("Kept as", "Se guarda como"), context.Text("State", "Estado"));
            foreach (var backup in stored)
            {
                table.AddRow(
                    backup.Name, Instant(backup.Manifest?.TakenAt), Visible.Markup(backup.Manifest?.Database),
                    ((backup.Manifest?.Bytes ?? 0) / 1e6).ToString("N1", context.Numbers), (backup.Manifest?.Tables.Count ?? 0).ToString("N0", context.Numbers),
                    (backup.Manifest?.Rows ?? 0).ToString("N0", context.Numbers), Instant(backup.VerifiedAt),
                    string.Join(", ", Reasons(kept.GetValueOrDefault(backup.Name)).Select(reason => Word(context, reason))),
                    backup.Fault is null ? context.Text("good", "buena") : Visible.Markup(context.Text("no good: ", "no sirve: ") + backup.Fault));
            }

            context.Console.Write(table);
            return Task.FromResult(ExitCode.Done);
        });
        command.Options.Add(folder);
        Array.ForEach(keep, command.Options.Add);
        return command;
    }

    public static PeopleCommand Verify()
    {
        var (name, folder, jobs) = (NameArgument(), FolderOption(), JobsOption());
        var command = new PeopleCommand("verify", "Restore a backup into a scratch database, compare every table, and drop it again; 69 where it is no good", async (context, stop) =>
        {
            var connection = Connection(context);
            var backups = Folder(context, folder);
            var verified = await VerifyBackup.CompareAsync(
                backups, context.Parse.GetValue(name), connection, context.Parse.GetValue(jobs), context.Host.Time, static _ => { }, stop);
            if (verified.Differences.Count == 0)
            {
                await VerifyBackup.NoteAsync(backups, verified, connection, context.Host.Time, stop);
            }

            Show(context, verified);
            return verified.Differences.Count == 0 ? ExitCode.Done : ExitCode.Refused;
        });
        command.Arguments.Add(name);
        command.Options.Add(folder);
        command.Options.Add(jobs);
        return command;
    }

    public static PeopleCommand Restore()
    {
        var (name, folder, jobs) = (NameArgument(), FolderOption(), JobsOption());
        var into = new Option<string>("--into") { Description = "Name of the database to restore into: new, or empty", Required = true };
        var replace = new Option<bool>("--replace") { Description = "A database of that name that is not empty is renamed and kept" };
        var command = new PeopleCommand("restore", "Restore a backup into a new or empty database; it sends nothing until 'backup release'", async (context, stop) =>
        {
            var database = context.Parse.GetValue(into)!;
            if (System.Text.Encoding.UTF8.GetByteCount(database) is 0 or > RestoreBackup.LongestName || database.Any(char.IsControl))
            {
                throw JobException.Usage(
                    $"backup restore: --into {Quoted.Text(database)} is not allowed; allowed: a database's name of 1 to {RestoreBackup.LongestName} bytes");
            }

            var restored = await new RestoreBackup(Folder(context, folder), Connection(context), context.Host.Time).RunAsync(
                context.Parse.GetValue(name), database, context.Parse.GetValue(replace), context.Parse.GetValue(jobs),
                step => context.Host.Error.WriteLine(Step(context, step)), stop);
            Show(context, restored);
            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        command.Options.Add(into);
        command.Options.Add(replace);
        command.Options.Add(folder);
        command.Options.Add(jobs);
        return command;
    }

    public static PeopleCommand Release() => new(
        "release", "Let a restored copy send again; messages from before the backup stay in doubt until 'outbox retry' or 'outbox discard'", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            var released = await database.InTransactionAsync(
                (connection, _, token) => connection.QueryStatementAsync(
                    "backup/release", [("actor", Environment.UserName)], row => (Backup: row.GetString(0), Held: row.GetInt64(1)), token),
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["released"] = released.Count > 0, ["messages_in_doubt"] = released.Sum(r => r.Held) });
            }
            else if (released.Count == 0)
            {
                context.Host.Out.WriteLine(context.Text("Nothing is held: this database is no restored copy, or it was released before.", "No hay nada retenido: esta base de datos no es una copia restaurada, o ya se liberó."));
            }
            else
            {
                context.Host.Out.WriteLine(context.Text("The next outbox dispatch and crm push go out again.", "El próximo outbox dispatch y crm push vuelven a enviar."));
            }

            return ExitCode.Done;
        });

    private static void Show(PeopleContext context, VerifiedBackup verified)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["name"] = verified.Name,
                ["equal"] = verified.Differences.Count == 0,
                ["tables"] = verified.Manifest.Tables.Select(object? (table) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["name"] = table.Name,
                    ["rows"] = table.Rows,
                    ["difference"] = verified.Differences.GetValueOrDefault(table.Name),
                }).ToList(),
                ["differences"] = verified.Differences.ToDictionary(d => d.Key, object? (d) => d.Value, StringComparer.Ordinal),
            });
            return;
        }

        var table = new Table().AddColumns(context.Text("Table or sequence", "Tabla o secuencia"), context.Text("Rows", "Filas"), context.Text("Restored", "Restaurada"));
        foreach (var print in verified.Manifest.Tables)
        {
            table.AddRow(
                Visible.Markup(print.Name), print.Rows.ToString("N0", context.Numbers),
                Visible.Markup(verified.Differences.GetValueOrDefault(print.Name) ?? context.Text("equal", "igual")));
        }

        foreach (var (subject, difference) in verified.Differences.Where(d => verified.Manifest.Tables.All(t => t.Name != d.Key)))
        {
            table.AddRow(Visible.Markup(subject), "", Visible.Markup(difference));
        }

        context.Console.Write(table);
        context.Host.Out.WriteLine(verified.Differences.Count == 0
            ? context.Text(
                $"{verified.Name}: {verified.Manifest.Tables.Count} tables and {verified.Manifest.Sequences.Count} sequences are equal.",
                $"{verified.Name}: {verified.Manifest.Tables.Count} tablas y {verified.Manifest.Sequences.Count} secuencias son iguales.")
            : context.Text($"{verified.Name} is no good: {verified.Differences.Count} differences.", $"{verified.Name} no sirve: {verified.Differences.Count} diferencias."));
    }

    private static void Show(PeopleContext context, RestoredBackup restored)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["name"] = restored.Name,
                ["database"] = restored.Database,
                ["replaced"] = restored.Replaced,
                ["tables"] = restored.Manifest.Tables.Count,
                ["rows"] = restored.Manifest.Rows,
                ["messages_held"] = restored.MessagesHeld,
            });
            return;
        }

        context.Host.Out.WriteLine(context.Text(
            $"{restored.Name} is restored into {restored.Database}: {restored.Manifest.Tables.Count} tables, {restored.Manifest.Rows} rows, equal to the backup.",
            $"{restored.Name} se restauró en {restored.Database}: {restored.Manifest.Tables.Count} tablas, {restored.Manifest.Rows} filas, iguales a la copia."));
        if (restored.Replaced is not null)
        {
            context.Host.Out.WriteLine(context.Text($"What was there is now the database {restored.Replaced}.", $"Lo que había es ahora la base de datos {restored.Replaced}."));
        }

        context.Host.Out.WriteLine(context.Text(
            $"{restored.MessagesHeld} messages were waiting and are in doubt. Nothing is sent until 'backup release'.",
            $"{restored.MessagesHeld} mensajes esperaban y quedan en duda. No se envía nada hasta 'backup release'."));
    }

    private static Dictionary<string, object?> Row(StoredBackup backup, Dictionary<string, KeptAs> kept) => new(StringComparer.Ordinal)
    {
        ["name"] = backup.Name,
        ["taken_at"] = backup.Manifest?.TakenAt,
        ["database"] = backup.Manifest?.Database,
        ["bytes"] = backup.Manifest?.Bytes,
        ["tables"] = backup.Manifest?.Tables.Count,
        ["rows"] = backup.Manifest?.Rows,
        ["schema_version"] = backup.Manifest?.SchemaVersion,
        ["server_version"] = backup.Manifest?.ServerVersion,
        ["program"] = backup.Manifest?.Program,
        ["verified_at"] = backup.VerifiedAt,
        ["kept_as"] = Reasons(kept.GetValueOrDefault(backup.Name)).Cast<object?>().ToList(),
        ["state"] = backup.Fault is null ? "good" : "damaged",
        ["fault"] = backup.Fault,
    };

    private static IEnumerable<string> Reasons(KeptAs kept) => s_reasons.Where(reason => kept.HasFlag(reason)).Select(reason => reason.ToString().ToLowerInvariant());

    private static string Word(PeopleContext context, string reason) => reason switch
    {
        "newest" => context.Text("newest", "la última"),
        "daily" => context.Text("daily", "diaria"),
        "weekly" => context.Text("weekly", "semanal"),
        _ => context.Text("monthly", "mensual"),
    };

    private static string Step(PeopleContext context, string step) => step switch
    {
        "checking" => context.Text("Checking the files …", "Comprobando los archivos …"),
        "restoring" => context.Text("Restoring …", "Restaurando …"),
        _ => context.Text("Comparing with the backup …", "Comparando con la copia …"),
    };

    private static string Instant(DateTimeOffset? instant) => instant?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) ?? "";

    private static Argument<string?> NameArgument() => new("name")
    {
        Description = "The backup, as 'backup list' shows it; left out: the newest good one",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static Option<string> FolderOption() => new("--backup-folder")
    {
        Description = "Folder that backup create writes to",
        DefaultValueFactory = _ => BackupJobs.DefaultFolder,
    };

    private static Option<int> JobsOption() => WholeNumber.Option("--backup-jobs", "Tables restored at once", BackupJobs.Parallel.Default, 1, 32);

    private static Option<int> Keep(string name, IntParameter parameter) =>
        WholeNumber.Option(name, parameter.Description, parameter.Default, 0, 3_660);

    private static BackupFolder Folder(PeopleContext context, Option<string> folder)
    {
        var path = context.Parse.GetValue(folder)!;
        return path.Length > 0 && !path.Contains('\0', StringComparison.Ordinal)
            ? new BackupFolder(Path.GetFullPath(path), BackupJobs.Seal(context.Host.Connections(), new ConnectionIds(context.Host.Environment)))
            : throw JobException.Usage("--backup-folder: allowed: the path of a folder");
    }

    private static Npgsql.NpgsqlConnectionStringBuilder Connection(PeopleContext context) =>
        LibpqEnvironment.Connection(context.Host.Connections(), new ConnectionIds(context.Host.Environment));
}
