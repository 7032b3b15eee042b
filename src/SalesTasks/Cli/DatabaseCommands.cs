using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Cli;

/// <summary><c>db migrate</c> and <c>db status</c>.</summary>
internal static class DatabaseCommands
{
    public static PeopleCommand Migrate() => new(
        "migrate", "Bring the schema to this program's version; safe to run again and by several at once", async (context, stop) =>
        {
            await using var database = context.Database();
            var applied = await new Migrator(database, context.Host.Time).MigrateAsync(stop);
            if (context.Json)
            {
                context.WriteJson(applied.Select(m => Row(m)).Cast<object?>().ToList());
            }
            else if (applied.Count == 0)
            {
                context.Host.Out.WriteLine(context.Text("The schema is up to date.", "El esquema está al día."));
            }
            else
            {
                foreach (var migration in applied)
                {
                    context.Host.Out.WriteLine($"{migration.Version:0000} {migration.Name} {migration.Duration.TotalMilliseconds:0} ms");
                }
            }

            return ExitCode.Done;
        });

    public static PeopleCommand Status() => new(
        "status", "Show which migrations are applied and which are pending; 69 when some are pending", async (context, stop) =>
        {
            await using var database = context.Database();
            var states = await new Migrator(database, context.Host.Time).StatusAsync(stop);
            if (context.Json)
            {
                context.WriteJson(states.Select(object? (m) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["version"] = m.Version,
                    ["name"] = m.Name,
                    ["status"] = m.Status.ToString().ToLowerInvariant(),
                    ["applied_at"] = m.AppliedAt,
                    ["program_version"] = m.ProgramVersion,
                }).ToList());
            }
            else
            {
                var table = new Table().AddColumns(
                    context.Text("Version", "Versión"), context.Text("Migration", "Migración"), context.Text("Status", "Estado"),
                    context.Text("Applied (UTC)", "Aplicada (UTC)"), context.Text("By program", "Por el programa"));
                foreach (var m in states)
                {
                    table.AddRow(
                        $"{m.Version:0000}", Markup.Escape(m.Name), Label(context, m.Status),
                        m.AppliedAt?.ToString("yyyy-MM-dd HH:mm:ss") ?? "", Markup.Escape(m.ProgramVersion ?? ""));
                }

                context.Console.Write(table);
            }

            return states.Any(m => m.Status is not MigrationStatus.Applied) ? ExitCode.Refused : ExitCode.Done;
        });

    private static string Label(PeopleContext context, MigrationStatus status) => status switch
    {
        MigrationStatus.Applied => context.Text("applied", "aplicada"),
        MigrationStatus.Pending => context.Text("pending", "pendiente"),
        MigrationStatus.Changed => context.Text("changed", "cambiada"),
        _ => context.Text("unknown to this program", "desconocida para este programa"),
    };

    private static Dictionary<string, object?> Row(AppliedMigration migration) => new(StringComparer.Ordinal)
    {
        ["version"] = migration.Version,
        ["name"] = migration.Name,
        ["duration_ms"] = (long)migration.Duration.TotalMilliseconds,
    };
}
