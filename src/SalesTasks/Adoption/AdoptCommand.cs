using System.CommandLine;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Adoption;

/// <summary><c>db adopt</c>: an existing installation under the contract's names becomes ours, with all its rows.</summary>
internal static class AdoptCommand
{
    /// <summary>Rows of findings that a person is shown; <c>--json</c> has all.</summary>
    private const int Shown = 60;

    public static PeopleCommand Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Do it all beside the old tables, which are only read, tell what came of it, and undo it" };
        var finish = new Option<bool>("--finish") { Description = "Drop the old tables of an adoption, for good" };
        var oldSchema = new Option<string?>("--old-schema") { Description = "Where the old tables go: a schema that is missing or empty; without it the schema's name with _before" };
        var zone = new Option<string>("--time-zone") { Description = "The clock of old instants without an offset", DefaultValueFactory = _ => "UTC" };
        var words = new Option<string[]>("--word")
        {
            Description = $"What a word of the old tables means, for instance stage:Discovery=contacted; kinds: {string.Join(", ", AdoptionWords.Kinds)}. May be given several times",
        };
        var command = new PeopleCommand(
            "adopt", "Take over existing tables of the same names, with all their rows, into this program's schema", async (context, stop) =>
            {
                var options = new AdoptOptions(
                    context.Parse.GetValue(oldSchema), context.Parse.GetRequiredValue(zone), AdoptionWords.Read(context.Parse.GetValue(words) ?? []),
                    context.Parse.GetValue(dryRun));
                // Years of rows in one statement: the server's limit on a statement is for jobs.
                await using var database = context.Database(new SalesDatabaseOptions { ApplicationName = "sales-tasks db adopt", StatementTimeout = TimeSpan.FromDays(1) });
                var adoption = new AdoptDatabase(database, context.Host.Time, options, step => context.Host.Error.WriteLine($"{context.Host.Time.GetUtcNow():HH:mm:ss} {step}"));
                if (context.Parse.GetValue(finish))
                {
                    Finished(context, await adoption.FinishAsync(stop), options.DryRun);
                }
                else
                {
                    Show(context, await adoption.RunAsync(stop));
                }

                return ExitCode.Done;
            });
        command.Options.Add(dryRun);
        command.Options.Add(finish);
        command.Options.Add(oldSchema);
        command.Options.Add(zone);
        command.Options.Add(words);
        return command;
    }

    private static void Finished(PeopleContext context, string schema, bool dryRun)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["dry_run"] = dryRun, ["dropped_schema"] = schema });
            return;
        }

        context.Host.Out.WriteLine(dryRun
            ? context.Text($"The schema {schema} with the old tables would be dropped.", $"Se eliminaría el esquema {schema} con las tablas antiguas.")
            : context.Text($"The schema {schema} with the old tables is gone.", $"El esquema {schema} con las tablas antiguas ya no existe."));
    }

    private static void Show(PeopleContext context, AdoptionReport report)
    {
        if (context.Json)
        {
            context.WriteJson(Json(report));
            return;
        }

        var rows = new Table().AddColumns(
            context.Text("Table", "Tabla"), context.Text("Rows found", "Filas encontradas"), context.Text("Taken over", "Adoptadas"),
            context.Text("Set aside", "Apartadas"));
        foreach (var table in report.Tables)
        {
            rows.AddRow(Markup.Escape(table.Name), Number(context, table.Old), Number(context, table.Adopted), Number(context, table.SetAside));
        }

        context.Console.Write(rows);
        if (report.Findings.Count > 0)
        {
            var findings = new Table().AddColumns(
                context.Text("What", "Qué"), context.Text("Where", "Dónde"), context.Text("Rows", "Filas"), context.Text("For instance", "Por ejemplo"));
            foreach (var finding in report.Findings.Take(Shown))
            {
                findings.AddRow(
                    Markup.Escape(AdoptionWords.Rule(finding.Rule, context)),
                    Markup.Escape(finding.Column is null ? finding.Table : $"{finding.Table}.{finding.Column}"),
                    Number(context, finding.Rows),
                    Markup.Escape(string.Join(", ", finding.Examples)));
            }

            context.Console.Write(findings);
            if (report.Findings.Count > Shown)
            {
                context.Host.Out.WriteLine(context.Text($"... and {report.Findings.Count - Shown} more: --json", $"... y {report.Findings.Count - Shown} más: --json"));
            }
        }

        context.Host.Out.WriteLine(Next(context, report));
    }

    private static string Next(PeopleContext context, AdoptionReport report) => report switch
    {
        { DryRun: true } => context.Text(
            "Dry run: nothing was kept of it. Without --dry-run the old tables are locked for as long as this took; stop what writes to them first.",
            "Simulación: no se conservó nada. Sin --dry-run las tablas antiguas quedan bloqueadas tanto como duró esto; detén antes lo que escribe en ellas."),
        { FinishedAt: not null } => context.Text(
            $"Adopted earlier; the old tables were dropped on {report.FinishedAt:yyyy-MM-dd}. Every difference is in adoption_findings.",
            $"Ya adoptado; las tablas antiguas se eliminaron el {report.FinishedAt:yyyy-MM-dd}. Cada diferencia está en adoption_findings."),
        _ => context.Text(
            $"{(report.Earlier ? "Adopted earlier; this run changed nothing. " : "")}The old tables are unchanged in schema {report.OldSchema}; every difference is in adoption_findings. "
            + "Next: sales-tasks validate; once satisfied, sales-tasks db adopt --finish. Campaigns are switched off until somebody enables them.",
            $"{(report.Earlier ? "Ya adoptado; esta ejecución no cambió nada. " : "")}Las tablas antiguas siguen intactas en el esquema {report.OldSchema}; cada diferencia está en adoption_findings. "
            + "Después: sales-tasks validate; cuando todo esté bien, sales-tasks db adopt --finish. Las campañas quedan apagadas hasta que alguien las active."),
    };

    private static Dictionary<string, object?> Json(AdoptionReport report) => new(StringComparer.Ordinal)
    {
        ["dry_run"] = report.DryRun,
        ["earlier"] = report.Earlier,
        ["schema"] = report.Schema,
        ["old_schema"] = report.OldSchema,
        ["finished_at"] = report.FinishedAt,
        ["tables"] = report.Tables.Select(object? (t) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["table"] = t.Name,
            ["old_rows"] = t.Old,
            ["adopted"] = t.Adopted,
            ["set_aside"] = t.SetAside,
        }).ToList(),
        ["findings"] = report.Findings.Select(object? (f) => new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["table"] = f.Table,
            ["rule"] = f.Rule,
            ["column"] = f.Column,
            ["rows"] = f.Rows,
            ["set_aside"] = f.SetAside,
            ["examples"] = f.Examples.Cast<object?>().ToList(),
        }).ToList(),
    };

    private static string Number(PeopleContext context, long number) => number.ToString("N0", context.Numbers);
}
