using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary>What a restore did.</summary>
internal sealed record RestoredBackup(string Name, BackupManifest Manifest, string Database, string? Replaced, long MessagesHeld);

/// <summary>
/// <c>backup restore</c>: into a database that is new or empty, compared with the manifest before it is given out. Nothing is overwritten: a
/// database of that name is renamed where the person says so. The copy sends nothing until it is released (<see cref="RestoreHold"/>).
/// </summary>
internal sealed class RestoreBackup(BackupFolder folder, NpgsqlConnectionStringBuilder connection, TimeProvider time)
{
    /// <summary>Bytes of a database's name: it gets 26 more where it is put aside, and PostgreSQL cuts at 63.</summary>
    public const int LongestName = 37;

    private const string Command = "backup restore";

    public async Task<RestoredBackup> RunAsync(string? wanted, string into, bool replace, int jobs, Action<string> tell, CancellationToken cancellationToken)
    {
        var (name, manifest) = folder.Find(wanted);
        tell("checking");
        await folder.CheckFilesAsync(name, manifest, cancellationToken);
        await using var server = new SalesDatabase(connection, Fingerprints.Options(Command), time);
        await using var session = await server.OpenAsync(cancellationToken);
        var tools = await RestoredCopy.ToolsAsync(manifest, session.PostgreSqlVersion.Major, cancellationToken);
        var target = RestoredCopy.In(connection, into, manifest.Schema);
        var replaced = await MakeRoomAsync(session, target, into, manifest, replace, cancellationToken);

        await using var copy = new SalesDatabase(target, Fingerprints.Options(Command), time);
        await using (var setup = await copy.OpenAsync(cancellationToken))
        {
            await setup.ExecuteStatementAsync("backup/create_mark", [], cancellationToken);
            await setup.ExecuteStatementAsync("backup/mark_restore", [], cancellationToken);
            await RestoredCopy.ExecuteAsync(setup, $"CREATE SCHEMA IF NOT EXISTS {Fingerprints.Quote(manifest.Schema)}", cancellationToken);
        }

        tell("restoring");
        var restored = new RestoredCopy(folder, name, manifest, tools, target);
        await restored.FillAsync(jobs, cancellationToken);
        tell("comparing");
        var differences = await restored.CompareAsync(copy, static _ => { }, cancellationToken);
        if (differences.Count > 0)
        {
            throw JobException.Refused(
                $"backup {name} does not restore to what it was made of: {string.Join("; ", differences.Take(5).Select(d => $"{d.Key} {d.Value}"))}");
        }

        var held = await copy.InTransactionAsync(
            async (connection, _, token) =>
            {
                var messages = await connection.ScalarStatementAsync<long>(
                    "backup/hold_messages",
                    [("backup", name), ("taken_at", manifest.TakenAt), ("key_epoch", RandomNumberGenerator.GetHexString(16, lowercase: true))],
                    token);
                await connection.ExecuteStatementAsync("backup/drop_mark", [], token);
                return messages;
            },
            cancellationToken);
        await using (var last = await copy.OpenAsync(cancellationToken))
        {
            // A restore leaves no statistics, and plans without them are bad ones.
            await RestoredCopy.ExecuteAsync(last, "ANALYZE", cancellationToken);
        }

        return new RestoredBackup(name, manifest, into, replaced, held);
    }

    /// <summary>Leaves an empty database of that name. Returns the name that a database in the way has now.</summary>
    private async Task<string?> MakeRoomAsync(
        NpgsqlConnection session, NpgsqlConnectionStringBuilder target, string into, BackupManifest manifest, bool replace, CancellationToken cancellationToken)
    {
        if (!await session.ScalarStatementAsync<bool>("backup/database_state", [("database", into)], cancellationToken))
        {
            await RestoredCopy.CreateDatabaseAsync(session, into, manifest, cancellationToken);
            return null;
        }

        var (filled, brokenOff) = await ContentsAsync(target, cancellationToken);
        if (brokenOff)
        {
            await EmptyAsync(target, manifest, cancellationToken);
            return null;
        }

        if (!filled)
        {
            return null;
        }

        if (!replace)
        {
            throw JobException.Refused(
                $"the database '{into}' is not empty; allowed: a new name, an empty database, or --replace, which keeps what is there under another name");
        }

        if (session.Database == into)
        {
            throw JobException.Usage(
                $"'{into}' is the database of the connection itself; to replace it, let SALES_POSTGRES_CONN_ID lead to another database of that server, such as postgres");
        }

        var aside = string.Create(CultureInfo.InvariantCulture, $"{into}_replaced_{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}");
        // Made under another name first: where the server cannot make it, what is there stays what it is.
        var made = string.Create(CultureInfo.InvariantCulture, $"{into}_restored_{time.GetUtcNow():yyyyMMdd'T'HHmmss'Z'}");
        await RestoredCopy.CreateDatabaseAsync(session, made, manifest, cancellationToken);
        try
        {
            await using var exchange = await session.BeginTransactionAsync(cancellationToken);
            await RenameAsync(session, into, aside, cancellationToken);
            await RenameAsync(session, made, into, cancellationToken);
            await exchange.CommitAsync(CancellationToken.None);
        }
        catch
        {
            await RestoredCopy.ExecuteAsync(session, $"DROP DATABASE IF EXISTS {Fingerprints.Quote(made)}", CancellationToken.None);
            throw;
        }

        return aside;
    }

    private static Task RenameAsync(NpgsqlConnection session, string from, string to, CancellationToken cancellationToken) =>
        RestoredCopy.ExecuteAsync(session, $"ALTER DATABASE {Fingerprints.Quote(from)} RENAME TO {Fingerprints.Quote(to)}", cancellationToken);

    private async Task<(bool Filled, bool BrokenOff)> ContentsAsync(NpgsqlConnectionStringBuilder target, CancellationToken cancellationToken)
    {
        await using var database = new SalesDatabase(target, Fingerprints.Options(Command), time);
        await using var looking = await database.OpenAsync(cancellationToken);
        return (await looking.QueryStatementAsync("backup/contents", [], row => (row.GetBoolean(0), row.GetBoolean(1)), cancellationToken))[0];
    }

    /// <summary>What a restore that was killed left; its own mark says that it is nobody's data.</summary>
    private async Task EmptyAsync(NpgsqlConnectionStringBuilder target, BackupManifest manifest, CancellationToken cancellationToken)
    {
        await using var database = new SalesDatabase(target, Fingerprints.Options(Command), time);
        await database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await RestoredCopy.ExecuteAsync(connection, $"DROP SCHEMA IF EXISTS {Fingerprints.Quote(manifest.Schema)} CASCADE", token);
                await connection.ExecuteStatementAsync("backup/drop_mark", [], token);
            },
            cancellationToken);
    }
}
