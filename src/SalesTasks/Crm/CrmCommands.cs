using System.CommandLine;
using System.Globalization;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;
using Spectre.Console;

namespace SalesTasks.Crm;

/// <summary><c>crm status|conflicts|retry</c>.</summary>
internal static class CrmCommands
{
    private static readonly (string Name, string English, string Spanish)[] s_figures =
    [
        ("linked", "In step", "Enlazados"), ("pending", "To push", "Por enviar"), ("in_doubt", "In doubt", "En duda"), ("failed", "Refused", "Rechazados"),
        ("deleted_there", "Deleted there", "Borrados allí"), ("deleted_here", "Deleted here", "Borrados aquí"), ("merged", "Merged there", "Fusionados allí"),
        ("to_merge", "To merge", "Por incorporar"), ("conflicts", "Conflicts", "Conflictos"),
    ];

    public static PeopleCommand Status()
    {
        var limit = WholeNumber.Option("--limit", "Refused records to show, the latest first", 20, 1);
        var command = new PeopleCommand("status", "How far both sides are in step, what was refused and why, calls made today", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var objects = await connection.QueryStatementAsync("crm/status", [], Figures, stop);
            var problems = await connection.QueryStatementAsync("crm/problems", [("limit", context.Parse.GetValue(limit))], Problem, stop);
            var quotas = await connection.QueryStatementAsync("crm/quotas", [], Quota, stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["objects"] = objects.Cast<object?>().ToList(),
                    ["refused"] = problems.Cast<object?>().ToList(),
                    ["calls"] = quotas.Cast<object?>().ToList(),
                });
                return ExitCode.Done;
            }

            Show(context, ["CRM", context.Text("Records", "Registros"), .. s_figures.Select(f => context.Text(f.English, f.Spanish)), context.Text("Read to (UTC)", "Leído hasta (UTC)")], objects);
            if (problems.Count > 0)
            {
                Show(context, ["Lead", context.Text("Record", "Registro"), context.Text("Why the CRM refused it", "Por qué lo rechazó el CRM"), context.Text("When (UTC)", "Cuándo (UTC)")], problems);
            }

            Show(context, [context.Text("Connection", "Conexión"), context.Text("Calls today", "Llamadas hoy"), context.Text("Paused until (UTC)", "En pausa hasta (UTC)")], quotas);
            return ExitCode.Done;
        });
        command.Options.Add(limit);
        return command;
    }

    public static PeopleCommand Conflicts()
    {
        var lead = new Option<string?>("--lead") { Description = "Only those of this lead (ext_id)" };
        var limit = WholeNumber.Option("--limit", "Conflicts at most, the latest first", 50, 1);
        var command = new PeopleCommand("conflicts", "Fields that both sides had changed, and which side's value was kept", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var rows = await connection.QueryStatementAsync(
                "crm/conflicts", [("lead", context.Parse.GetValue(lead)), ("limit", context.Parse.GetValue(limit))], Conflict, stop);
            await OpenAsync(context, database, rows, stop);
            if (context.Json)
            {
                context.WriteJson(rows.Cast<object?>().ToList());
                return ExitCode.Done;
            }

            Show(
                context,
                [
                    context.Text("When (UTC)", "Cuándo (UTC)"), "CRM", context.Text("Record", "Registro"), "Lead", context.Text("Id there", "Id allí"),
                    context.Text("Field", "Campo"), context.Text("Before", "Antes"), context.Text("Ours", "Nuestro"), context.Text("Theirs", "Suyo"),
                    context.Text("Kept", "Queda"), context.Text("Why", "Por qué"), context.Text("Run", "Ejecución"),
                ],
                rows);
            return ExitCode.Done;
        });
        command.Options.Add(lead);
        command.Options.Add(limit);
        return command;
    }

    public static PeopleCommand Retry()
    {
        var leads = new Argument<string[]>("lead") { Description = "ext_ids of leads", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "All that were refused, or (with --recreate) deleted" };
        var recreate = new Option<bool>("--recreate") { Description = "Make records again that were deleted in the CRM" };
        var command = new PeopleCommand("retry", "Let the next push try again what the CRM refused", async (context, stop) =>
        {
            var chosen = context.Parse.GetValue(leads) ?? [];
            if (chosen.Length == 0 != context.Parse.GetValue(all))
            {
                throw JobException.Usage("crm retry: name leads, or give --all");
            }

            await using var database = await context.OpenAsync(stop);
            List<string> unknown;
            await using (var connection = await database.OpenAsync(stop))
            {
                unknown = await connection.QueryStatementAsync("crm/unknown_leads", [("leads", chosen)], row => row.GetString(0), stop);
            }

            if (unknown.Count > 0)
            {
                throw JobException.Usage(
                    $"crm retry: {string.Join(", ", unknown.Select(Quoted.Text))}: no such lead in the CRM sync, nothing was done; allowed: leads that 'crm status' or 'leads show' names");
            }

            var count = await database.ExecuteAsync(
                "crm/retry",
                [("leads", chosen.Length == 0 ? null : chosen), ("recreate", context.Parse.GetValue(recreate))],
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["records"] = count });
            }
            else
            {
                context.Host.Out.WriteLine(context.Words(
                    count,
                    $"{count} record goes to the CRM with the next push.|{count} records go to the CRM with the next push.",
                    $"{count} registro irá al CRM con el próximo envío.|{count} registros irán al CRM con el próximo envío."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(leads);
        command.Options.Add(all);
        command.Options.Add(recreate);
        return command;
    }

    private static Dictionary<string, object?> Figures(NpgsqlDataReader row)
    {
        var figures = new Dictionary<string, object?>(StringComparer.Ordinal) { ["crm"] = row.GetString(0), ["object"] = row.GetString(1) };
        foreach (var (name, i) in s_figures.Select((f, i) => (f.Name, i + 2)))
        {
            figures[name] = row.GetInt64(i);
        }

        figures["read_to"] = row.IsDBNull(11) ? null : row.GetDateTime(11);
        return figures;
    }

    private static Dictionary<string, object?> Problem(NpgsqlDataReader row) => new(StringComparer.Ordinal)
    {
        ["lead_ext_id"] = row.IsDBNull(0) ? null : row.GetString(0),
        ["object"] = row.GetString(1),
        ["reason"] = row.GetString(2),
        ["failed_at"] = row.IsDBNull(3) ? null : row.GetDateTime(3),
    };

    private static Dictionary<string, object?> Quota(NpgsqlDataReader row) => new(StringComparer.Ordinal)
    {
        ["connection"] = row.GetString(0),
        ["calls_today"] = row.GetInt32(1),
        ["paused_until"] = row.IsDBNull(2) ? null : row.GetDateTime(2),
    };

    private static Dictionary<string, object?> Conflict(NpgsqlDataReader row)
    {
        string[] names =
            ["decided_at", "crm", "object", "lead_ext_id", "crm_id", "field", "base", "ours", "theirs", "kept", "reason", "run_id"];
        return names.Select((name, i) => KeyValuePair.Create(name, row.IsDBNull(i) ? null : i == 0 ? (object)row.GetDateTime(i) : row.GetString(i)))
            .Append(KeyValuePair.Create("link_id", (object?)row.GetInt64(names.Length))).Append(KeyValuePair.Create("version", (object?)row.GetInt32(names.Length + 1)))
            .ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>Phones and notes in clear where they are sealed and the keys are there; without them it is said that they are.</summary>
    private static async Task OpenAsync(
        PeopleContext context, SalesDatabase database, List<Dictionary<string, object?>> rows, CancellationToken cancellationToken)
    {
        Vault? vault = null;
        var asked = false;
        foreach (var row in rows)
        {
            var (link, version) = ((long)row["link_id"]!, (int)row["version"]!);
            row.Remove("link_id");
            row.Remove("version");
            foreach (var (name, column) in ((string, string)[])[("base", "base_value"), ("ours", "our_value"), ("theirs", "their_value")])
            {
                if (row[name] is not string text || !text.StartsWith(Sealer.TextPrefix, StringComparison.Ordinal))
                {
                    continue;
                }

                try
                {
                    vault ??= asked ? null : await context.VaultAsync(database, cancellationToken);
                    row[name] = vault?.OpenText(SealedPlaces.Conflict(link, version, column, (string)row["field"]!), text) ?? "(sealed)";
                }
                catch (JobException fault)
                {
                    row[name] = "(sealed)";
                    if (!asked || fault.ExitCode is not ExitCode.Usage)
                    {
                        context.Host.Error.WriteLine("warning: " + fault.Message);
                    }
                }

                asked = true;
            }
        }
    }

    private static void Show(PeopleContext context, string[] columns, List<Dictionary<string, object?>> rows)
    {
        var table = new Table().AddColumns(columns);
        foreach (var row in rows)
        {
            table.AddRow([.. row.Values.Select(value => Markup.Escape(value switch
            {
                null => "",
                DateTime at => at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
            }))]);
        }

        context.Console.Write(table);
    }
}
