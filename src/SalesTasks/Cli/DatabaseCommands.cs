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
            var applied = await new Migrator(database, ProgramInfo.Version, context.Host.Time).MigrateAsync(stop).ConfigureAwait(false);
            if (context.Json)
            {
                context.WriteJson(applied.Select(m => Row(m.Version, m.Name, m.DurationMs)).Cast<object?>().ToList());
            }
            else if (applied.Count == 0)
            {
                context.Host.Out.WriteLine(context.Text("The schema is up to date.", "El esquema está al día."));
            }
            else
            {
                foreach (var migration in applied)
                {
                    context.Host.Out.WriteLine($"{migration.Version:0000} {migration.Name} {migration.DurationMs} ms");
                }
            }

            return ExitCode.Done;
        });

    public static PeopleCommand Status() => new(
        "status", "Show which migrations are applied and which are pending; 69 when some are pending", async (context, stop) =>
        {
            await using var database = context.Database();
            var states = await new Migrator(database, ProgramInfo.Version, context.Host.Time).StatusAsync(stop).ConfigureAwait(false);
            if (context.Json)
            {
                context.WriteJson(states.Select(object? (m) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["version"] = m.Version,
                    ["name"] = m.Name,
                    ["applied_at"] = m.AppliedAt,
                    ["program_version"] = m.ProgramVersion,
                }).ToList());
            }
            else
            {
                var table = new Table().AddColumns(
                    context.Text("Version", "Versión"), context.Text("Migration", "Migración"), context.Text("Applied (UTC)", "Aplicada (UTC)"),
                    context.Text("By program", "Por el programa"));
                foreach (var m in states)
                {
                    table.AddRow(
                        $"{m.Version:0000}", Markup.Escape(m.Name), m.AppliedAt?.ToString("yyyy-MM-dd HH:mm:ss") ?? context.Text("pending", "pendiente"),
                        Markup.Escape(m.ProgramVersion ?? ""));
                }

                context.Console.Write(table);
            }

            return states.Any(m => m.AppliedAt is null) ? ExitCode.Refused : ExitCode.Done;
        });

    private static Dictionary<string, object?> Row(int version, string name, long durationMs) => new(StringComparer.Ordinal)
    {
        ["version"] = version,
        ["name"] = name,
        ["duration_ms"] = durationMs,
    };
}
