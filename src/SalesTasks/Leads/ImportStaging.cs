using Npgsql;
using NpgsqlTypes;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Leads;

/// <summary>Rows that another writer inserted while a batch was about to: the batch is done anew and finds them.</summary>
internal sealed class BatchConflictException : Exception;

/// <summary>
/// The staged rows of one run. Rows come in by binary COPY, 10,000 a transaction, and go out in batches, each a transaction of its own. A
/// dry run does all of it in one transaction on staging tables only, takes no lock that others wait for, and rolls back.
/// </summary>
internal sealed class ImportStaging : IAsyncDisposable
{
    /// <summary>Rows of one transaction: row locks last a fraction of a second, and what a transaction costs is spread.</summary>
    public const int BatchSize = 10_000;

    private const int BatchTries = 5;

    /// <summary>A batch takes a second; what was silent for so long is dead.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromHours(1);

    private readonly JobContext _context;
    private readonly string _copyStatement;
    private readonly CancellationToken _cancellationToken;
    private NpgsqlConnection? _connection;
    private NpgsqlTransaction? _transaction;
    private NpgsqlBinaryImporter? _importer;
    private int _inBatch;

    private ImportStaging(JobContext context, bool engagement, ImportSeal? seal, CancellationToken cancellationToken)
    {
        _context = context;
        Seal = seal;
        _cancellationToken = cancellationToken;
        // The comment on top is for people; COPY wants the statement itself first.
        var text = Sql.Load(engagement ? "leads/copy_events" : "leads/copy_rows");
        _copyStatement = text[text.IndexOf("COPY ", StringComparison.Ordinal)..];
    }

    public long ImportId { get; private set; }

    /// <summary>Null: phone numbers are stored in clear.</summary>
    public ImportSeal? Seal { get; }

    /// <summary>Rows staged so far; they are numbered from 1.</summary>
    public long Count { get; private set; }

    public static async Task<ImportStaging> StartAsync(JobContext context, bool engagement, ImportSeal? seal, CancellationToken cancellationToken)
    {
        var staging = new ImportStaging(context, engagement, seal, cancellationToken);
        try
        {
            await staging.StartAsync();
            return staging;
        }
        catch
        {
            await staging.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stages a row; its record only where it may be needed again.</summary>
    /// <param name="values">In the order of the COPY statement's columns after the attributes.</param>
    /// <param name="attributes">JSON object.</param>
    /// <param name="place">Where it came from.</param>
    public async Task WriteAsync(ReadOnlyMemory<object?> values, string? attributes, (int File, long Line, string? Raw) place)
    {
        var importer = _importer ??= await BeginCopyAsync();
        await importer.StartRowAsync(_cancellationToken);
        await importer.WriteAsync(ImportId, NpgsqlDbType.Bigint, _cancellationToken);
        await importer.WriteAsync(++Count, NpgsqlDbType.Bigint, _cancellationToken);
        await importer.WriteAsync(place.File, NpgsqlDbType.Integer, _cancellationToken);
        await importer.WriteAsync(place.Line, NpgsqlDbType.Bigint, _cancellationToken);
        await WriteValueAsync(importer, place.Raw);
        await WriteValueAsync(importer, attributes);
        for (var index = 0; index < values.Length; index++)
        {
            await WriteValueAsync(importer, values.Span[index]);
        }

        if (++_inBatch == BatchSize)
        {
            await EndCopyAsync();
        }
    }

    /// <summary>Ends the last COPY.</summary>
    public Task FlushAsync() => EndCopyAsync();

    /// <summary>Runs a batch in a transaction of its own, and anew after a deadlock or when another writer was faster.</summary>
    public async Task<T> BatchAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work)
    {
        if (_context.DryRun)
        {
            return await work(_connection!, _cancellationToken);
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await _context.Database.InTransactionAsync((connection, _, token) => work(connection, token), _cancellationToken);
            }
            catch (BatchConflictException) when (attempt < BatchTries)
            {
                // The next try sees what the other writer committed.
            }
        }
    }

    /// <summary>Tells other imports that this one is alive.</summary>
    public Task BeatAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => connection.ExecuteStatementAsync(
        "leads/beat_import", [("import_id", ImportId), ("heartbeat_at", _context.Time.GetUtcNow())], cancellationToken);

    /// <summary>Drops what is staged; after a failure within what a stop leaves of time.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_importer is not null)
        {
            await _importer.DisposeAsync();
        }

        if (_transaction is not null)
        {
            await _transaction.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        if (ImportId > 0 && !_context.DryRun)
        {
            await DropAsync();
        }
    }

    private async Task StartAsync()
    {
        var now = _context.Time.GetUtcNow();
        if (_context.DryRun)
        {
            _connection = await _context.Database.OpenAsync(_cancellationToken);
            _transaction = await _connection.BeginTransactionAsync(_cancellationToken);
            ImportId = await _connection.ScalarStatementAsync<long>("leads/start_import", [("heartbeat_at", now)], _cancellationToken);
            return;
        }

        ImportId = await _context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await connection.ExecuteStatementAsync("leads/drop_silent_imports", [("silent_since_at", now - s_silence)], token);
                return await connection.ScalarStatementAsync<long>("leads/start_import", [("heartbeat_at", now)], token);
            },
            _cancellationToken);
    }

    private async Task<NpgsqlBinaryImporter> BeginCopyAsync()
    {
        if (!_context.DryRun)
        {
            _connection = await _context.Database.OpenAsync(_cancellationToken);
            _transaction = await _connection.BeginTransactionAsync(_cancellationToken);
            await BeatAsync(_connection, _cancellationToken);
        }

        return await _connection!.BeginBinaryImportAsync(_copyStatement, _cancellationToken);
    }

    private async Task EndCopyAsync()
    {
        if (_importer is not { } importer)
        {
            return;
        }

        _importer = null;
        await importer.CompleteAsync(_cancellationToken);
        await importer.DisposeAsync();
        if (Seal is not null)
        {
            await Seal.FlushAsync(_connection!, ImportId, _cancellationToken);
        }

        if (!_context.DryRun)
        {
            await _transaction!.CommitAsync(CancellationToken.None);
            await _transaction.DisposeAsync();
            await _connection!.DisposeAsync();
            _transaction = null;
            _connection = null;
        }

        _context.Advance(_inBatch);
        _inBatch = 0;
    }

    private Task WriteValueAsync(NpgsqlBinaryImporter importer, object? value) => value switch
    {
        null => importer.WriteNullAsync(_cancellationToken),
        string text => importer.WriteAsync(text, NpgsqlDbType.Text, _cancellationToken),
        bool flag => importer.WriteAsync(flag, NpgsqlDbType.Boolean, _cancellationToken),
        DateTime instant => importer.WriteAsync(instant, NpgsqlDbType.TimestampTz, _cancellationToken),
        decimal number => importer.WriteAsync(number, NpgsqlDbType.Numeric, _cancellationToken),
        _ => throw new InvalidOperationException($"No column takes a {value.GetType().Name}."),
    };

    private async Task DropAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), _context.Time);
        try
        {
            await _context.Database.ExecuteAsync("leads/finish_import", [("import_id", ImportId)], limit.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException || PostgresErrors.ToJobException(exception) is not null)
        {
            _context.Log.Warning(
                "The staged rows of import {ImportId} could not be dropped ({Reason}); an import that starts after {Silence} does it",
                ImportId, (PostgresErrors.ToJobException(exception) ?? exception).Message, s_silence);
        }
    }
}
