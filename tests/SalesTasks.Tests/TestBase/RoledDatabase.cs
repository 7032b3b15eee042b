using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Tests.TestBase;

/// <summary>
/// A migrated database with its group roles and a login of each kind; roles belong to the whole server, so they have a prefix of their own and are
/// dropped at the end.
/// </summary>
public sealed class RoledDatabase(PostgresServer server) : IAsyncLifetime
{
    private readonly List<string> _logins = [];

    private readonly string _password = RandomNumberGenerator.GetHexString(16);

    /// <summary>As the server's superuser.</summary>
    internal TestDatabase Database { get; private set; } = null!;

    internal RoleSet Roles { get; private set; } = null!;

    /// <summary>A login that is a member of the group role of this kind; for a rep, not mapped to anybody yet.</summary>
    internal string Login(string kind) => $"{Roles.Names[kind]}_login";

    /// <summary>How a login connects.</summary>
    internal NpgsqlConnectionStringBuilder ConnectionOf(string login) => new(Database.Connection.ConnectionString) { Username = login, Password = _password };

    internal string UriOf(string login) => string.Create(
        CultureInfo.InvariantCulture,
        $"postgres://{login}:{_password}@{Database.Connection.Host}:{Database.Connection.Port}/{Database.Connection.Database}");

    /// <summary>A further login, in no group.</summary>
    internal async Task<string> AddLoginAsync(string name, string attributes = "")
    {
        var login = $"{Roles.Names["rep"]}_{name}";
        await Database.ExecuteAsync($"CREATE ROLE {login} LOGIN PASSWORD '{_password}' {attributes}");
        _logins.Add(login);
        return login;
    }

    /// <summary>A login that is this rep, who is added as well.</summary>
    internal async Task<string> AddRepAsync(string name)
    {
        var login = await AddLoginAsync(name);
        await Database.ExecuteAsync(
            $"""
            INSERT INTO sales_reps (email, name) VALUES ('{name}@sales.example', '{name}');
            INSERT INTO rep_logins (login, rep_email) VALUES ('{login}', '{name}@sales.example');
            GRANT {Roles.Rep} TO {login}
            """);
        return login;
    }

    /// <summary>Runs one statement as a login, in a session of its own that is undone; the rows as text, or the SQLSTATE it was refused with.</summary>
    internal async Task<(List<string> Rows, string? SqlState)> TryAsync(string login, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionOf(login).ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        try
        {
            return (await RowsAsync(connection, sql), null);
        }
        catch (PostgresException refused)
        {
            return ([], refused.SqlState);
        }
    }

    /// <summary>As <see cref="TryAsync"/>, in a session that the caller holds.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    internal static async Task<List<string>> RowsAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<string>();
        do
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            {
                rows.Add(string.Join("|", Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? "" : reader.GetString(column))));
            }
        }
        while (await reader.NextResultAsync(TestContext.Current.CancellationToken));

        return rows;
    }

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync(server);
        Roles = RoleSet.Of($"t{RandomNumberGenerator.GetHexString(8, lowercase: true)}_");
        await using (var target = Database.Open())
        {
            await DatabaseRoles.ApplyAsync(target, Roles, TestContext.Current.CancellationToken);
        }

        foreach (var kind in RoleSet.Kinds)
        {
            await Database.ExecuteAsync($"CREATE ROLE {Login(kind)} LOGIN PASSWORD '{_password}'; GRANT {Roles.Names[kind]} TO {Login(kind)}");
            _logins.Add(Login(kind));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync(Database, Roles, _logins);
        await Database.DisposeAsync();
    }

    /// <summary>Takes roles and logins from the server; what they own goes to the superuser.</summary>
    internal static async Task DropAsync(TestDatabase database, RoleSet roles, IEnumerable<string> logins)
    {
        var all = string.Join(", ", logins.Concat(RoleSet.Kinds.Select(kind => roles.Names[kind])));
        await database.ExecuteAsync($"REASSIGN OWNED BY {all} TO CURRENT_USER");
        foreach (var role in all.Split(", "))
        {
            // One by one: of several that have default privileges of each other, PostgreSQL looks for what it has dropped already.
            await database.ExecuteAsync($"DROP OWNED BY {role} CASCADE");
        }

        await database.ExecuteAsync($"DROP ROLE {all}");
    }
}
