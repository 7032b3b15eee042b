using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>The group roles of one database. People grant them to their logins.</summary>
/// <param name="Names">By kind, in the order of <see cref="Kinds"/>.</param>
internal sealed record RoleSet(IReadOnlyDictionary<string, string> Names)
{
    /// <summary>Of the reader nobody becomes a member: views run as it.</summary>
    public static readonly string[] Kinds = ["owner", "reader", "worker", "analyst", "analyst_pii", "rep"];

    public string Rep => Names["rep"];

    public static RoleSet Of(string prefix) => new(Kinds.ToDictionary(kind => kind, kind => prefix + kind, StringComparer.Ordinal));

    public (string Name, object? Value)[] Parameters =>
        [("kinds", Kinds), ("role_names", Kinds.Select(kind => Names[kind]).ToArray())];
}

/// <summary>Something in which the catalogue is not as the matrix wants it.</summary>
/// <param name="Kind">role_missing, grant_missing, grant_too_much and the like.</param>
/// <param name="Subject">Which object.</param>
/// <param name="Role">Whom it concerns; null where nobody in particular.</param>
/// <param name="Statement">What settles it.</param>
internal sealed record RoleDifference(string Kind, string Subject, string? Role, string Statement);

/// <summary>
/// What <c>sql/roles</c> wants, against the catalogue. Granting is settling the differences, so a second run has nothing to do, and what a dry run
/// shows, what drift is, and what is executed are the same statements.
/// </summary>
internal static class DatabaseRoles
{
    private static readonly string[] s_questions =
    [
        "roles/missing_roles", "roles/memberships", "roles/schema_privileges", "roles/ownership", "roles/trigger_rights", "roles/privileges",
        "roles/row_security",
    ];

    /// <summary>One settles what another needed first; more rounds than this are needed for nothing.</summary>
    private const int Rounds = 4;

    /// <summary>The roles of this database; null where <c>db roles apply</c> was never run.</summary>
    public static async Task<RoleSet?> RecordedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync("roles/recorded", [], row => (Kind: row.GetString(0), Name: row.GetString(1)), cancellationToken);
        return rows.Count == RoleSet.Kinds.Length ? new RoleSet(rows.ToDictionary(row => row.Kind, row => row.Name, StringComparer.Ordinal)) : null;
    }

    /// <summary>All differences, in the order in which they can be settled.</summary>
    public static async Task<IReadOnlyList<RoleDifference>> DifferencesAsync(NpgsqlConnection connection, RoleSet roles, CancellationToken cancellationToken)
    {
        var matrix = await connection.QueryStatementAsync(
            "roles/matrix", [], row => Enumerable.Range(0, 6).Select(row.GetString).ToArray(), cancellationToken);
        string[] columns = ["objects", "workers", "analysts", "reps", "personal", "rep_updates"];
        var values = columns.Select((name, index) => (name, (object?)matrix.Select(row => row[index]).ToArray())).Concat(roles.Parameters).ToList();
        var differences = new List<RoleDifference>();
        foreach (var question in s_questions)
        {
            var text = Sql.Load(question);
            differences.AddRange(await connection.QueryStatementAsync(
                question,
                [.. values.Where(value => text.Contains("@" + value.Item1, StringComparison.Ordinal))],
                row => new RoleDifference(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetString(3)),
                cancellationToken));
        }

        return differences;
    }

    /// <summary>
    /// Settles all differences in one transaction, one runner at a time, and records the names. What it did, in order; nothing where all is settled.
    /// </summary>
    /// <exception cref="JobException">69: what we may not do, with the SQL for one who may.</exception>
    public static Task<IReadOnlyList<RoleDifference>> ApplyAsync(SalesDatabase database, RoleSet roles, CancellationToken cancellationToken) =>
        database.InTransactionAsync((connection, _, token) => ApplyAsync(connection, database, roles, token), cancellationToken);

    /// <summary>After migrations: what they made gets its owner and its grants, where this database has roles.</summary>
    public static async Task ReapplyAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        RoleSet? roles;
        await using (var connection = await database.OpenAsync(cancellationToken))
        {
            roles = await RecordedAsync(connection, cancellationToken);
        }

        if (roles is not null)
        {
            await ApplyAsync(database, roles, cancellationToken);
        }
    }

    private static async Task<IReadOnlyList<RoleDifference>> ApplyAsync(
        NpgsqlConnection connection, SalesDatabase database, RoleSet roles, CancellationToken cancellationToken)
    {
        var schema = (await MigrationJournal.ReadInTransactionAsync(connection, cancellationToken)).Schema;
        await connection.ExecuteStatementAsync("database/wait_unlimited", [], cancellationToken);
        await connection.ExecuteStatementAsync("database/lock_schema", [("schema_name", schema)], cancellationToken);
        var limit = ((long)database.LockTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        await connection.ExecuteStatementAsync("database/begin_migration", [("lock_timeout_ms", limit), ("schema_name", schema)], cancellationToken);

        var done = new List<RoleDifference>();
        for (var round = 1; await DifferencesAsync(connection, roles, cancellationToken) is { Count: > 0 } differences; round++)
        {
            if (round > Rounds)
            {
                throw Refused(database, "they stayed as they were", differences, null);
            }

            if (differences.Where(d => d.Kind is "role_foreign").ToList() is { Count: > 0 } foreign)
            {
                throw Refused(database, "these roles exist already and belong to something else: choose another --prefix, or say that they are ours", foreign, null);
            }

            if (differences.Any(d => d.Kind is "role_missing")
                && !await connection.ScalarStatementAsync<bool>("roles/rights", [], cancellationToken))
            {
                throw Refused(
                    database, "this role may not create roles (CREATEROLE)", differences.Where(d => d.Kind is "role_missing" or "membership_missing").ToList(), null);
            }

            foreach (var difference in differences)
            {
                try
                {
                    await ExecuteAsync(connection, difference.Statement, cancellationToken);
                }
                catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
                {
                    throw Refused(database, $"{refused.MessageText} (SQLSTATE {refused.SqlState})", differences, refused);
                }
            }

            done.AddRange(differences);
        }

        if (done.Count > 0 || await RecordedAsync(connection, cancellationToken) is null)
        {
            await connection.ExecuteStatementAsync("roles/record", roles.Parameters, cancellationToken);
            await AuditLog.RecordGrantAsync(connection, "db roles apply", null, [.. done.Select(d => d.Statement)], cancellationToken);
        }

        return done;
    }

    private static JobException Refused(SalesDatabase database, string why, IReadOnlyList<RoleDifference> differences, Exception? cause) => JobException.Refused(
        $"Roles at {database.Place}: {why}. As one who may (a superuser, or who owns the database and has CREATEROLE), then run it again:"
        + string.Concat(differences.Select(d => $"\n  {d.Statement};")),
        cause);

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Made by sql/roles with quoted names; DDL takes no parameters.")]
    private static async Task ExecuteAsync(NpgsqlConnection connection, string statement, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
