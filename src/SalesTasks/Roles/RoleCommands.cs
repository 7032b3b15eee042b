using System.CommandLine;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Roles;

/// <summary><c>db roles apply</c> and <c>db roles status</c>: group roles, grants and row-level security as <c>sql/roles</c> has them.</summary>
internal static partial class RoleCommands
{
    public static PeopleCommand Apply()
    {
        var prefix = new Option<string?>("--prefix")
        {
            Description = "What the names of the roles begin with, the first time; without it the database's name and _ (roles belong to the whole server)",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show the statements, execute none" };
        var command = new PeopleCommand(
            "apply", "Create this database's group roles and give them what each may do; safe to run again and by several at once", async (context, stop) =>
            {
                await using var database = await context.OpenAsync(stop);
                var roles = await RolesAsync(database, context.Parse.GetValue(prefix), stop);
                IReadOnlyList<RoleDifference> differences;
                if (context.Parse.GetValue(dryRun))
                {
                    await using var connection = await database.OpenAsync(stop);
                    differences = await DatabaseRoles.DifferencesAsync(connection, roles, stop);
                }
                else
                {
                    differences = await DatabaseRoles.ApplyAsync(database, roles, stop);
                }

                Show(context, roles, differences, context.Parse.GetValue(dryRun));
                return ExitCode.Done;
            });
        command.Options.Add(prefix);
        command.Options.Add(dryRun);
        return command;
    }

    public static PeopleCommand Status() => new(
        "status", "Compare roles, grants and row-level security with what they should be; 1 when they differ", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var roles = await DatabaseRoles.RecordedAsync(connection, stop);
            var differences = roles is null ? [] : await DatabaseRoles.DifferencesAsync(connection, roles, stop);
            var logins = await connection.QueryStatementAsync(
                "roles/logins", [], row => new RepLogin(row.GetString(0), row.GetString(1), row.GetString(2)), stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["applied"] = roles is not null,
                    ["roles"] = roles?.Names.ToDictionary(r => r.Key, object? (r) => r.Value, StringComparer.Ordinal),
                    ["differences"] = differences.Select(object? (d) => Document(d)).ToList(),
                    ["rep_logins"] = logins.ConvertAll(object? (l) => new Dictionary<string, object?>(StringComparer.Ordinal)
                    {
                        ["login"] = l.Login,
                        ["rep"] = l.Rep,
                        ["state"] = l.State,
                    }),
                });
                return differences.Count == 0 ? ExitCode.Done : ExitCode.Findings;
            }

            var output = context.Host.Out;
            if (roles is null)
            {
                output.WriteLine(context.Text(
                    "No roles yet: everybody works as the role that connects. db roles apply makes them.",
                    "Aún no hay roles: todos trabajan con el rol que se conecta. db roles apply los crea."));
                return ExitCode.Done;
            }

            output.WriteLine(string.Join(", ", RoleSet.Kinds.Select(kind => $"{kind}: {Visible.Text(roles.Names[kind])}")));
            foreach (var login in logins)
            {
                output.WriteLine($"  {Visible.Text(login.Login)} = {Visible.Text(login.Rep)}" + login.State switch
                {
                    "login_missing" => context.Text(" (there is no such login)", " (no existe ese usuario)"),
                    "not_member" => context.Text(" (not a member of the rep role)", " (no es miembro del rol de representante)"),
                    _ => "",
                });
            }

            if (differences.Count == 0)
            {
                output.WriteLine(context.Text("Everything is as it should be.", "Todo está como debe."));
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(context.Text("Difference", "Diferencia"), context.Text("Object", "Objeto"), context.Text("Role", "Rol"));
            foreach (var difference in differences)
            {
                table.AddRow(
                    Visible.Markup(context.Text(RoleWords.English(difference.Kind), RoleWords.Spanish(difference.Kind))), Visible.Markup(difference.Subject),
                    Visible.Markup(difference.Role ?? ""));
            }

            context.Console.Write(table);
            output.WriteLine(context.Text("db roles apply settles it.", "db roles apply lo arregla."));
            return ExitCode.Findings;
        });

    /// <summary>The recorded names, else those of a prefix.</summary>
    internal static async Task<RoleSet> RolesAsync(SalesDatabase database, string? prefix, CancellationToken cancellationToken)
    {
        if (prefix is not null && !PrefixForm().IsMatch(prefix))
        {
            throw JobException.Usage(
                $"db roles apply: --prefix {Quoted.Text(prefix)} is not allowed; allowed: at most 50 of a-z, 0-9 and _, a letter or _ first");
        }

        await using var connection = await database.OpenAsync(cancellationToken);
        var recorded = await DatabaseRoles.RecordedAsync(connection, cancellationToken);
        if (recorded is not null && prefix is not null && recorded.Rep != RoleSet.Of(prefix).Rep)
        {
            throw JobException.Usage(
                $"db roles apply: --prefix {Quoted.Text(prefix)} is not allowed: the roles of this database exist ({recorded.Rep} and so on); allowed: no --prefix");
        }

        return recorded ?? RoleSet.Of(prefix ?? PrefixOf(connection));
    }

    private static string PrefixOf(NpgsqlConnection connection)
    {
        var name = Outside().Replace(connection.Database.ToLowerInvariant(), "_");
        return (char.IsAsciiDigit(name[0]) ? "_" : "") + name[..Math.Min(name.Length, 48)] + "_";
    }

    private static void Show(PeopleContext context, RoleSet roles, IReadOnlyList<RoleDifference> differences, bool dryRun)
    {
        if (context.Json)
        {
            context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["dry_run"] = dryRun,
                ["changed"] = !dryRun && differences.Count > 0,
                ["roles"] = roles.Names.ToDictionary(r => r.Key, object? (r) => r.Value, StringComparer.Ordinal),
                ["differences"] = differences.Select(object? (d) => Document(d)).ToList(),
            });
            return;
        }

        foreach (var difference in differences)
        {
            context.Host.Out.WriteLine(Visible.Text(difference.Statement) + ";");
        }

        if (differences.Count == 0)
        {
            context.Host.Out.WriteLine(context.Text("Everything is as it should be.", "Todo está como debe."));
        }
        else if (!dryRun)
        {
            context.Host.Out.WriteLine(context.Text(
                $"Done: {differences.Count} statements. Grant {roles.Names["worker"]} to the login of the jobs, {roles.Names["analyst"]} to those of analysts; reps: reps grant.",
                $"Hecho: {differences.Count} sentencias. Conceda {roles.Names["worker"]} al usuario de las tareas y {roles.Names["analyst"]} a los analistas; representantes: reps grant."));
        }
    }

    private static Dictionary<string, object?> Document(RoleDifference difference) => new(StringComparer.Ordinal)
    {
        ["kind"] = difference.Kind,
        ["object"] = difference.Subject,
        ["role"] = difference.Role,
        ["statement"] = difference.Statement,
    };

    private sealed record RepLogin(string Login, string Rep, string State);

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,49}$")]
    private static partial Regex PrefixForm();

    [GeneratedRegex("[^a-z0-9_]")]
    private static partial Regex Outside();
}
