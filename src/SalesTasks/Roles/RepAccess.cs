using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Roles;

/// <summary><c>reps grant</c> and <c>reps revoke</c>: which database login is which rep.</summary>
internal static class RepAccess
{
    public static PeopleCommand Grant()
    {
        var rep = RepArgument();
        var role = new Option<string>("--role") { Description = "The database login, which exists already", Required = true };
        var command = new PeopleCommand("grant", "Let a database login see and work on the rows of this rep, and no others", async (context, stop) =>
        {
            var (email, login) = (context.Parse.GetRequiredValue(rep).Trim().ToLowerInvariant(), context.Parse.GetRequiredValue(role));
            await using var database = await context.OpenAsync(stop);
            var changed = await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    await connection.ExecuteStatementAsync("database/become_owner", [], token);
                    var answers = await connection.QueryStatementAsync(
                        "roles/grant_rep", [("login", login), ("rep", email)],
                        row => (Refused: Text(row, 0), Changed: row.GetBoolean(1), Role: row.GetString(2), Statement: Text(row, 3)), token);
                    if (answers is not [var answer])
                    {
                        throw JobException.Refused("reps grant: this database has no roles yet; run \"sales-tasks db roles apply\"");
                    }

                    if (answer.Refused is { } reason)
                    {
                        throw JobException.Usage("reps grant: " + reason switch
                        {
                            "rep" => $"there is no rep {Quoted.Text(email)}; reps list --all shows them",
                            "login" => $"--role {Quoted.Text(login)}: there is no such database role; allowed: an existing login (CREATE ROLE … LOGIN)",
                            "superuser" => $"--role {Quoted.Text(login)} is a superuser or bypasses row-level security; allowed: a login that does not",
                            _ => $"--role {Quoted.Text(login)} is a member of another role of this database, which sees more; allowed: a login of the rep's own",
                        });
                    }

                    await MembershipAsync(database, connection, "reps grant", login, answer.Statement, token);
                    return answer.Changed || answer.Statement is not null;
                },
                stop);
            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["rep"] = email, ["login"] = login, ["changed"] = changed });
            }
            else
            {
                context.Host.Out.WriteLine(changed
                    ? context.Text($"{Visible.Text(login)} now sees the rows of {email} and no others.", $"{Visible.Text(login)} ve ahora las filas de {email} y ninguna más.")
                    : context.Text($"{Visible.Text(login)} is {email} already.", $"{Visible.Text(login)} ya es {email}."));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(rep);
        command.Options.Add(role);
        return command;
    }

    public static PeopleCommand Revoke()
    {
        var rep = RepArgument();
        var role = new Option<string?>("--role") { Description = "Only this login; without it all of the rep's" };
        var command = new PeopleCommand("revoke", "Take a rep's database logins back; the logins themselves stay", async (context, stop) =>
        {
            var email = context.Parse.GetRequiredValue(rep).Trim().ToLowerInvariant();
            await using var database = await context.OpenAsync(stop);
            var logins = await database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    await connection.ExecuteStatementAsync("database/become_owner", [], token);
                    var gone = await connection.QueryStatementAsync(
                        "roles/revoke_rep", [("rep", email), ("login", context.Parse.GetValue(role))], row => (Login: row.GetString(0), Statement: Text(row, 2)), token);
                    foreach (var (login, statement) in gone)
                    {
                        await MembershipAsync(database, connection, "reps revoke", login, statement, token);
                    }

                    return gone.ConvertAll(g => g.Login);
                },
                stop);
            if (logins.Count == 0)
            {
                throw JobException.Usage(
                    $"reps revoke: {Quoted.Text(email)} has no login" + (context.Parse.GetValue(role) is { } given ? " " + Quoted.Text(given) : "")
                    + "; db roles status shows them");
            }

            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["rep"] = email, ["logins"] = logins.Cast<object?>().ToList() });
            }
            else
            {
                context.Host.Out.WriteLine(context.Text("No longer the rep's: ", "Ya no son del representante: ") + string.Join(", ", logins.Select(Visible.Text)));
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(rep);
        command.Options.Add(role);
        return command;
    }

    private static Argument<string> RepArgument() => new("rep") { Description = "The rep's e-mail" };

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    /// <summary>Changes the membership, as the connection's own role: the schema's owner need not be able to grant roles.</summary>
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Made by sql/roles with quoted names; DDL takes no parameters.")]
    private static async Task MembershipAsync(
        SalesDatabase database, NpgsqlConnection connection, string what, string login, string? statement, CancellationToken cancellationToken)
    {
        await AuditLog.RecordGrantAsync(connection, what, login, statement is null ? [] : [statement], cancellationToken);
        if (statement is null)
        {
            return;
        }

        await connection.ExecuteStatementAsync("roles/become_oneself", [], cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw JobException.Refused(
                $"{what} at {database.Place}: {refused.MessageText} (SQLSTATE {refused.SqlState}). As one who may grant roles, then run it again: {statement};", refused);
        }
    }
}
