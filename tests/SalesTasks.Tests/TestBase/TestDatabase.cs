using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Tests.TestBase;

/// <summary>
/// A migrated database of a test class's own: <c>public sealed class FooTests(TestDatabase database) : IClassFixture&lt;TestDatabase&gt;</c>.
/// Tests of one class run one after the other and share it; use keys of your own or <see cref="CreateAsync"/> for one a test.
/// Statements here are the test's own text; <c>@name</c> parameters as everywhere.
/// </summary>
public sealed class TestDatabase(PostgresServer server) : IAsyncLifetime
{
    private readonly bool _migrated = true;
    private NpgsqlConnectionStringBuilder? _connection;
    private NpgsqlDataSource? _source;

    private TestDatabase(PostgresServer server, bool migrated)
        : this(server) => _migrated = migrated;

    /// <summary>A further database, migrated or empty; the caller disposes of it.</summary>
    internal static async Task<TestDatabase> CreateAsync(PostgresServer server, bool migrated = true)
    {
        var database = new TestDatabase(server, migrated);
        await database.InitializeAsync();
        return database;
    }

    /// <summary>A database of the caller's own server, which is migrated here; disposing of it leaves that server alone.</summary>
    internal static async Task<TestDatabase> OverAsync(NpgsqlConnectionStringBuilder connection)
    {
        await using (var target = new SalesDatabase(connection, new SalesDatabaseOptions(), TimeProvider.System))
        {
            await new Migrator(target, TimeProvider.System).MigrateAsync(TestContext.Current.CancellationToken);
        }

        return new TestDatabase(null!, migrated: true) { _connection = connection, _source = NpgsqlDataSource.Create(connection) };
    }

    /// <summary>A database that is there already, taken as it is; disposing of it leaves it alone.</summary>
    internal static TestDatabase At(NpgsqlConnectionStringBuilder connection) =>
        new(null!, migrated: true) { _connection = connection, _source = NpgsqlDataSource.Create(connection) };

    /// <summary>The server, for further databases.</summary>
    internal PostgresServer Server => server;

    /// <summary>How to reach it; a new copy each time.</summary>
    internal NpgsqlConnectionStringBuilder Connection => new(_connection!.ConnectionString);

    /// <summary>The same as Airflow writes a connection: the value of AIRFLOW_CONN_SALES_POSTGRES.</summary>
    internal string AirflowUri => string.Create(
        CultureInfo.InvariantCulture,
        $"postgres://{Uri.EscapeDataString(Connection.Username!)}:{Uri.EscapeDataString(Connection.Password ?? "")}@{Connection.Host}:{Connection.Port}/{Connection.Database}");

    /// <summary>As the program opens it; the caller disposes of it.</summary>
    internal SalesDatabase Open(DateTimeOffset? asOf = null, TimeProvider? time = null) =>
        new(Connection, new SalesDatabaseOptions { AsOf = asOf }, time ?? TimeProvider.System);

    /// <summary>From now on every session works at this instant, which is what <c>sales_now()</c> answers.</summary>
    internal async Task WorkAtAsync(DateTimeOffset instant)
    {
        var options = $"-c salestasks.as_of={instant:O}";
        if (_connection!.Options != options)
        {
            await _source!.DisposeAsync();
            _connection.Options = options;
            _source = NpgsqlDataSource.Create(_connection);
        }
    }

    /// <summary>A plain connection, past the program's own settings.</summary>
    internal async Task<NpgsqlConnection> OpenConnectionAsync() => await _source!.OpenConnectionAsync(TestContext.Current.CancellationToken);

    /// <summary>Runs one or more statements, as one transaction, and returns the number of rows touched.</summary>
    internal Task<int> ExecuteAsync(string sql, params (string Name, object? Value)[] parameters) => AgainAfterDeadlockAsync(async () =>
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    });

    /// <summary>The first column of the first row; default where there is none or it is null.</summary>
    internal async Task<T?> ScalarAsync<T>(string sql, params (string Name, object? Value)[] parameters)
    {
        var rows = await QueryAsync(sql, reader => reader.IsDBNull(0) ? default : reader.GetFieldValue<T>(0), parameters);
        return rows.Count == 0 ? default : rows[0];
    }

    /// <summary>All rows, each turned into a <typeparamref name="T"/>.</summary>
    internal Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> map, params (string Name, object? Value)[] parameters) =>
        AgainAfterDeadlockAsync(async () =>
    {
        await using var command = Command(sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            rows.Add(map(reader));
        }

        return rows;
    });

    /// <summary>
    /// A person's statement may take locks in another order than the program beside it (a delete follows the foreign keys). PostgreSQL then ends one
    /// of the two with nothing done; where it is the person's, she does it again, and so does a test.
    /// </summary>
    internal static async Task<T> AgainAfterDeadlockAsync<T>(Func<Task<T>> work)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await work();
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected && tries < 10)
            {
                // Nothing was done.
            }
        }
    }

    /// <summary>All rows as values by column name, null for SQL null; enums come as text.</summary>
    internal Task<List<Dictionary<string, object?>>> RowsAsync(string sql, params (string Name, object? Value)[] parameters) => QueryAsync(
        sql,
        reader => Enumerable.Range(0, reader.FieldCount)
            .ToDictionary(reader.GetName, column => reader.IsDBNull(column) ? null : reader.GetValue(column)),
        parameters);

    /// <summary>
    /// Number of rows and a hash of their content, table by table (partitions counted with their parent): equal before and after means
    /// that nothing changed.
    /// </summary>
    /// <param name="except">Tables that may change, for instance <c>task_runs</c>.</param>
    internal async Task<IReadOnlyDictionary<string, string>> FingerprintAsync(params string[] except)
    {
        var tables = await QueryAsync(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
            reader => reader.GetString(0));
        var prints = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var table in tables.Except(except))
        {
            prints[table] = (await ScalarAsync<string>(
                $"SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM \"{table}\" AS t"))!;
        }

        return prints;
    }

    public async ValueTask InitializeAsync()
    {
        _connection = await server.CreateDatabaseAsync(_migrated, TestContext.Current.CancellationToken);
        _source = NpgsqlDataSource.Create(_connection);
    }

    public async ValueTask DisposeAsync()
    {
        if (_source is not null)
        {
            await _source.DisposeAsync();
        }

        if (_connection is not null && server is not null)
        {
            await server.DropDatabaseAsync(_connection.Database!, CancellationToken.None);
        }
    }

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The test's own text.")]
    private NpgsqlCommand Command(string sql, (string Name, object? Value)[] parameters)
    {
        var command = _source!.CreateCommand(sql);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter(name, value ?? DBNull.Value));
        }

        return command;
    }
}
