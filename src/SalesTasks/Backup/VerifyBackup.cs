using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary>What a verification found.</summary>
/// <param name="Name">The backup.</param>
/// <param name="Manifest">What it is said to contain.</param>
/// <param name="Differences">By table or sequence, in words; empty where the copy is equal.</param>
internal sealed record VerifiedBackup(string Name, BackupManifest Manifest, IReadOnlyDictionary<string, string> Differences);

/// <summary>
/// Whether a backup is one: its files against the manifest, then a restore into a scratch database of the same server, whose tables and sequences
/// are compared. The scratch database goes in any case; that of a killed run goes with the next.
/// </summary>
internal static class VerifyBackup
{
    private const string Prefix = "sales_tasks_verify_";

    /// <summary>Between its creation and the first session in it a database looks left over.</summary>
    private static readonly TimeSpan s_leftoverAge = TimeSpan.FromMinutes(10);

    /// <summary>Verifies, and notes it where all is equal.</summary>
    /// <exception cref="JobException">69: the files are damaged, or the copy differs.</exception>
    public static async Task<VerifiedBackup> RunAsync(
        BackupFolder folder, string? wanted, NpgsqlConnectionStringBuilder connection, int jobs, TimeProvider time, Action<long> advance,
        CancellationToken cancellationToken)
    {
        var verified = await CompareAsync(folder, wanted, connection, jobs, time, advance, cancellationToken);
        if (verified.Differences.Count > 0)
        {
            throw JobException.Refused(
                $"backup {verified.Name} does not restore to what it was made of: {string.Join("; ", verified.Differences.Take(5).Select(d => $"{d.Key} {d.Value}"))}");
        }

        await NoteAsync(folder, verified, connection, time, cancellationToken);
        return verified;
    }

    /// <summary>The same, told and not thrown where the copy differs; nothing is noted.</summary>
    public static async Task<VerifiedBackup> CompareAsync(
        BackupFolder folder, string? wanted, NpgsqlConnectionStringBuilder connection, int jobs, TimeProvider time, Action<long> advance,
        CancellationToken cancellationToken)
    {
        var (name, manifest) = folder.Find(wanted);
        await folder.CheckFilesAsync(name, manifest, cancellationToken);
        await using var server = new SalesDatabase(connection, Fingerprints.Options("backup verify"), time);
        await using var session = await server.OpenAsync(cancellationToken);
        var tools = await RestoredCopy.ToolsAsync(manifest, session.PostgreSqlVersion.Major, cancellationToken);
        await DropLeftoversAsync(session, time, cancellationToken);

        var scratch = Prefix + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        await RestoredCopy.CreateDatabaseAsync(session, scratch, manifest, cancellationToken);
        try
        {
            var target = RestoredCopy.In(connection, scratch, manifest.Schema);
            await using var copy = new SalesDatabase(target, Fingerprints.Options("backup verify"), time);
            // Stays to the end: while a session is in it, no other run takes it for a left-over.
            await using var presence = await copy.OpenAsync(cancellationToken);
            await RestoredCopy.ExecuteAsync(presence, $"CREATE SCHEMA IF NOT EXISTS {Fingerprints.Quote(manifest.Schema)}", cancellationToken);
            var restored = new RestoredCopy(folder, name, manifest, tools, target);
            await restored.FillAsync(jobs, cancellationToken);
            return new VerifiedBackup(name, manifest, await restored.CompareAsync(copy, advance, cancellationToken));
        }
        finally
        {
            await DropAsync(session, scratch);
        }
    }

    public static async Task NoteAsync(
        BackupFolder folder, VerifiedBackup verified, NpgsqlConnectionStringBuilder connection, TimeProvider time, CancellationToken cancellationToken)
    {
        folder.NoteVerified(verified.Name, new Verification(time.GetUtcNow(), ProgramInfo.Version));
        await using var database = new SalesDatabase(connection, Fingerprints.Options("backup verify"), time);
        try
        {
            await database.ExecuteAsync("backup/record_verified", [("name", verified.Name), ("taken_at", verified.Manifest.TakenAt)], cancellationToken);
        }
        catch (PostgresException missing) when (missing.SqlState is PostgresErrorCodes.UndefinedTable)
        {
            // Verified on a server that is not the original.
        }
    }

    private static async Task DropLeftoversAsync(NpgsqlConnection session, TimeProvider time, CancellationToken cancellationToken)
    {
        var names = await session.QueryStatementAsync("backup/leftovers", [], row => row.GetString(0), cancellationToken);
        foreach (var name in names.Where(name => CreatedAt(name) < time.GetUtcNow() - s_leftoverAge))
        {
            try
            {
                await RestoredCopy.ExecuteAsync(session, $"DROP DATABASE IF EXISTS {Fingerprints.Quote(name)}", cancellationToken);
            }
            catch (PostgresException kept) when (kept.SqlState is PostgresErrorCodes.ObjectInUse or PostgresErrorCodes.InsufficientPrivilege)
            {
                // Another run is at work in it, or it is another role's.
            }
        }
    }

    // The number in the name begins with the milliseconds since 1970: RFC 9562, section 5.7.
    private static DateTimeOffset CreatedAt(string name) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(name.AsSpan(Prefix.Length, 12), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));

    /// <summary>Also when we are asked to stop; sessions of a killed pg_restore take a moment to end, then the next run drops it.</summary>
    private static async Task DropAsync(NpgsqlConnection session, string scratch)
    {
        try
        {
            await RestoredCopy.ExecuteAsync(session, $"DROP DATABASE IF EXISTS {Fingerprints.Quote(scratch)}", CancellationToken.None);
        }
        catch (Exception exception) when (exception is PostgresException { SqlState: PostgresErrorCodes.ObjectInUse } or NpgsqlException { IsTransient: true })
        {
            // Left for the next run.
        }
    }
}
