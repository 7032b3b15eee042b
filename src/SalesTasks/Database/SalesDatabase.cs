using System.Data;
using System.Globalization;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>How a job uses the database; the defaults suit every job.</summary>
internal sealed record SalesDatabaseOptions
{
    /// <summary>What <c>pg_stat_activity</c> shows, at most 63 bytes: the step, for instance <c>sales-tasks scoring score</c>.</summary>
    public string ApplicationName { get; init; } = "sales-tasks";

    /// <summary>The instant transactions work at; null is the present.</summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>Which run of which task this is, for the audit log; null where a person is at work.</summary>
    public string? Run { get; init; }

    /// <summary>The server ends a statement that runs longer.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The server ends a statement that waits longer for a lock.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// The connections of one job to its database. Every session speaks UTC and has statement, lock and idle time-outs. Errors come as Npgsql
/// throws them, save those of connecting (<see cref="JobException"/>); <see cref="PostgresErrors"/> tells what they mean.
/// </summary>
internal sealed class SalesDatabase : IAsyncDisposable
{
    /// <summary>How often a transaction is tried before a deadlock or serialization failure is passed on.</summary>
    public const int TransactionTries = 5;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);

    private readonly NpgsqlDataSource _source;
    private readonly SalesDatabaseOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Nothing is opened yet.</summary>
    /// <param name="connection">Where and as whom; pooling, time-out and logging settings are ours and replaced.</param>
    /// <param name="options">Time-outs and the instant to work at.</param>
    /// <param name="time">Paces retries.</param>
    public SalesDatabase(NpgsqlConnectionStringBuilder connection, SalesDatabaseOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        var settings = new NpgsqlConnectionStringBuilder(connection.ConnectionString)
        {
            ApplicationName = options.ApplicationName,
            // Said at start-up as well, because PgBouncer in transaction mode keeps what is said there and loses what is set later.
            Timezone = "UTC",
            MaxPoolSize = 10,
            Multiplexing = false,
            Enlist = false,
            PersistSecurityInfo = false,
            // Details carry row values, which must not reach logs.
            IncludeErrorDetail = false,
            LogParameters = false,
            // DISCARD ALL would undo the session settings below; our transactions leave nothing behind (SET LOCAL, xact locks only).
            NoResetOnClose = true,
            // The server's limit comes first and is a proper answer; this one is for a server that no longer answers.
            CommandTimeout = (int)Math.Ceiling(options.StatementTimeout.TotalSeconds) + 30,
            TcpKeepAlive = true,
        };
        Place = $"{settings.Host}:{settings.Port.ToString(CultureInfo.InvariantCulture)}, database \"{settings.Database ?? settings.Username}\"";

        // Slim: only what the statements use, which saves start-up time.
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableArrays().EnableTransportSecurity();
        if (settings.ContainsKey("Kerberos Service Name") || settings.ContainsKey("GSS Encryption Mode"))
        {
            builder.EnableIntegratedSecurity();
        }

        builder.UsePhysicalConnectionInitializer(
            _ => throw new NotSupportedException("Connections are opened asynchronously."), OpenSessionAsync);
        _source = builder.Build();
    }

    /// <summary>Host, port and database, for messages.</summary>
    public string Place { get; }

    /// <summary>The instant transactions work at; null is the present.</summary>
    public DateTimeOffset? AsOf => _options.AsOf;

    /// <summary>The lock time-out of a session.</summary>
    public TimeSpan LockTimeout => _options.LockTimeout;

    /// <summary>An open connection from the pool.</summary>
    /// <exception cref="JobException">The server is not reachable (75) or refuses us (69).</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _source.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception exception) when (PostgresErrors.ToConnectException(exception, Place) is { } failure)
        {
            throw new JobException(failure.ExitCode, failure.Message, exception);
        }
    }

    /// <summary>
    /// Runs <paramref name="work"/> in one explicit transaction and commits it. A deadlock or serialization failure rolls everything back
    /// and starts the work anew, a bounded number of times: the work must have no effect outside the transaction. A connection lost at
    /// commit is not retried here, since the outcome is unknown.
    /// </summary>
    public Task<T> InTransactionAsync<T>(
        Func<NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        InTransactionAsync(IsolationLevel.ReadCommitted, work, cancellationToken);

    /// <summary>
    /// The same with one snapshot for all that <paramref name="work"/> reads. What it writes fails with a serialization failure where somebody
    /// else wrote it meanwhile, and is then tried anew on a new snapshot.
    /// </summary>
    public Task<T> InSnapshotAsync<T>(
        Func<NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        InTransactionAsync(IsolationLevel.RepeatableRead, work, cancellationToken);

    private async Task<T> InTransactionAsync<T>(
        IsolationLevel isolation, Func<NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryTransactionAsync(isolation, work, cancellationToken);
            }
            catch (PostgresException conflict) when (attempt < TransactionTries && RolledBackByConflict(conflict))
            {
                await Task.Delay(Pause(attempt), _time, cancellationToken);
            }
        }
    }

    /// <inheritdoc cref="InTransactionAsync{T}(Func{NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task{T}}, CancellationToken)"/>
    public Task InTransactionAsync(Func<NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        InTransactionAsync(
            async (connection, transaction, token) =>
            {
                await work(connection, transaction, token);
                return 0;
            },
            cancellationToken);

    /// <summary>Runs one embedded statement in its own transaction and returns the number of rows it touched.</summary>
    public Task<int> ExecuteAsync(string sqlName, (string Name, object? Value)[] parameters, CancellationToken cancellationToken) =>
        InTransactionAsync((connection, _, token) => connection.ExecuteStatementAsync(sqlName, parameters, token), cancellationToken);

    /// <summary>
    /// Makes sure, in one round trip, that the schema is exactly the one this program was written for.
    /// </summary>
    /// <exception cref="JobException">69: missing, older, newer, changed or another tool's; the message says which and what to do.</exception>
    public async Task CheckSchemaAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        var journal = await MigrationJournal.ReadAsync(connection, cancellationToken);
        journal.RequireCurrent(Migration.Embedded, Place);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static bool RolledBackByConflict(PostgresException exception) =>
        exception.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected;

    // Full jitter: those who collided do not collide again. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    private static TimeSpan Pause(int attempt) => FirstPause * Math.Pow(2, attempt - 1) * Random.Shared.NextDouble();

    private async Task<T> TryTransactionAsync<T>(
        IsolationLevel isolation, Func<NpgsqlConnection, NpgsqlTransaction, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(isolation, cancellationToken);
        if (_options.AsOf is { } asOf)
        {
            await connection.ExecuteStatementAsync("database/set_as_of", [("as_of", asOf.ToString("O"))], cancellationToken);
        }

        var result = await work(connection, transaction, cancellationToken);
        // Once the work is done it is kept: a cancelled commit would leave its outcome unknown.
        await transaction.CommitAsync(CancellationToken.None);
        return result;
    }

    private async Task OpenSessionAsync(NpgsqlConnection connection)
    {
        await using var command = Sql.Command(
            connection,
            "database/open_session",
            ("statement_timeout_ms", Milliseconds(_options.StatementTimeout)),
            ("lock_timeout_ms", Milliseconds(_options.LockTimeout)),
            ("os_user", Environment.UserName),
            ("run", _options.Run ?? ""));
        await command.ExecuteNonQueryAsync();
    }

    private static string Milliseconds(TimeSpan time) => ((long)time.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
