using System.CommandLine;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Validation;

/// <summary><c>validate</c>: whether the database is what the program and its users rely on. Changes nothing.</summary>
internal static class ValidateCommand
{
    public static PeopleCommand Create()
    {
        var full = new Option<bool>("--full") { Description = "Look at every row; without it large tables are sampled" };
        var command = new PeopleCommand(
            "validate", "Check schema and data: objects, keys, integrity, partitions, metrics; 1 when something is wrong", async (context, stop) =>
            {
                await using var database = context.Database();
                await RequireJournalAsync(database, stop);
                var everyRow = context.Parse.GetValue(full);
                var all = await Validator.RunAsync(database, everyRow, stop);
                var findings = all.Where(f => !f.IsInformation).OrderBy(f => f.Severity, StringComparer.Ordinal).ThenBy(f => f.Check, StringComparer.Ordinal).ToList();
                var notes = all.Where(f => f.IsInformation).ToList();
                if (context.Json)
                {
                    context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                    {
                        ["valid"] = findings.Count == 0,
                        ["checks"] = Validator.Checks.Cast<object?>().ToList(),
                        ["every_row"] = everyRow,
                        ["findings"] = findings.ConvertAll(object? (f) => Document(context, f)),
                        ["notes"] = notes.ConvertAll(object? (f) => Document(context, f)),
                    });
                }
                else
                {
                    Show(context, database, findings, notes, everyRow);
                }

                return findings.Count == 0 ? ExitCode.Done : ExitCode.Findings;
            });
        command.Options.Add(full);
        return command;
    }

    /// <summary>Without a journal there is nothing to judge; the answer is the same as any job's.</summary>
    private static async Task RequireJournalAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var journal = await MigrationJournal.ReadAsync(connection, cancellationToken);
        if (journal.Entries is null)
        {
            journal.RequireCurrent(Migration.Embedded, database.Place);
        }
    }

    private static Dictionary<string, object?> Document(PeopleContext context, Finding finding) => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["check"] = finding.Check,
        ["severity"] = finding.Severity,
        ["subject"] = finding.Subject,
        ["detail"] = context.Text(finding.Detail, finding.DetailInSpanish),
        ["fix"] = finding.Fix,
    };

    private static void Show(PeopleContext context, SalesDatabase database, List<Finding> findings, List<Finding> notes, bool everyRow)
    {
        if (findings.Count > 0)
        {
            var table = new Table().AddColumns(
                context.Text("Check", "Comprobación"), context.Text("Severity", "Gravedad"), context.Text("What", "Qué"), context.Text("Found", "Hallazgo"));
            foreach (var finding in findings)
            {
                table.AddRow(
                    Visible.Markup(finding.Check), finding.Severity is "error" ? context.Text("error", "error") : context.Text("warning", "aviso"),
                    Visible.Markup(finding.Subject), Visible.Markup(context.Text(finding.Detail, finding.DetailInSpanish)));
            }

            context.Console.Write(table);
            context.Host.Out.WriteLine(context.Text("What mends or shows it:", "Lo que lo arregla o lo muestra:"));
            foreach (var fix in findings.Select(f => f.Fix).OfType<string>().Distinct(StringComparer.Ordinal))
            {
                context.Host.Out.WriteLine("  " + Visible.Text(fix));
            }
        }

        if (notes.Count > 0)
        {
            var table = new Table().AddColumns(context.Text("Good to know", "Para saber"), "");
            foreach (var note in notes)
            {
                table.AddRow(Visible.Markup(note.Subject), Visible.Markup(context.Text(note.Detail, note.DetailInSpanish)));
            }

            context.Console.Write(table);
        }

        context.Host.Out.WriteLine(findings.Count == 0
            ? context.Text(
                $"{database.Place}: {Validator.Checks.Count} checks, nothing found.",
                $"{database.Place}: {Validator.Checks.Count} comprobaciones, sin hallazgos.")
            : context.Text(
                $"{database.Place}: {Validator.Checks.Count} checks, {findings.Count} findings.",
                $"{database.Place}: {Validator.Checks.Count} comprobaciones, {findings.Count} hallazgos."));
        if (!everyRow)
        {
            context.Host.Out.WriteLine(context.Text(
                $"Of tables larger than {Validator.SamplePages * 8 / 1024} MB a random sample was read; --full reads every row.",
                $"De las tablas de más de {Validator.SamplePages * 8 / 1024} MB se leyó una muestra al azar; --full lee todas las filas."));
        }
    }
}
