using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary>Brings a backup into an empty database and compares the copy with its manifest.</summary>
internal sealed partial class RestoredCopy(BackupFolder folder, string name, BackupManifest manifest, PostgresTools tools, NpgsqlConnectionStringBuilder target)
{
    /// <summary>The connection to another database of the same server.</summary>
    public static NpgsqlConnectionStringBuilder In(NpgsqlConnectionStringBuilder connection, string database, string schema) =>
        new(connection.ConnectionString) { Database = database, SearchPath = Fingerprints.Quote(schema) };

    /// <summary>Tools that can read the backup.</summary>
    /// <exception cref="JobException">69: none here, or the server is older than the one the backup is of.</exception>
    public static async Task<PostgresTools> ToolsAsync(BackupManifest manifest, int serverMajor, CancellationToken cancellationToken)
    {
        if (serverMajor < manifest.ServerMajor)
        {
            throw JobException.Refused(string.Create(
                CultureInfo.InvariantCulture, $"the backup is of PostgreSQL {manifest.ServerVersion}; a server of version {serverMajor} cannot take it, allowed: {manifest.ServerMajor} or newer"));
        }

        return await PostgresTools.FindAsync(manifest.ToolMajor, cancellationToken);
    }

    /// <summary>As the original: encoding and collation decide how text sorts.</summary>
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "DDL takes no parameters; names and literals are quoted.")]
    public static async Task CreateDatabaseAsync(NpgsqlConnection connection, string database, BackupManifest manifest, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"CREATE DATABASE {Fingerprints.Quote(database)} TEMPLATE template0 ENCODING {Literal(manifest.Encoding)} "
            + $"LC_COLLATE {Literal(manifest.Collation)} LC_CTYPE {Literal(manifest.Ctype)}",
            connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            throw JobException.Refused(
                $"the role may not create the database '{database}': ALTER ROLE … CREATEDB, or give 'backup restore' an empty database that exists", refused);
        }
        catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.WrongObjectType or PostgresErrorCodes.InvalidParameterValue)
        {
            throw JobException.Refused($"this server cannot make a database as the original was: {refused.MessageText}; give 'backup restore' an empty database that exists", refused);
        }
    }

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "DDL takes no parameters; the name is quoted.")]
    public static async Task ExecuteAsync(NpgsqlConnection connection, string ddl, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ddl, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Everything of the backup, owned by the role that restores. Rights are not restored: their roles may not exist here.</summary>
    public async Task FillAsync(int jobs, CancellationToken cancellationToken)
    {
        var environment = LibpqEnvironment.Of(target);
        var dump = Path.Combine(folder.PathOf(name), BackupFolder.DumpName);
        var contents = await PostgresProgram.RunAsync(tools.Restore, ["--list", dump], environment, folder.Path, cancellationToken);
        var list = Path.GetTempFileName();
        try
        {
            // The schema is there already: every new database has "public".
            await File.WriteAllLinesAsync(list, contents.Split('\n').Where(line => !SchemaEntry().IsMatch(line)), cancellationToken);
            await PostgresProgram.RunAsync(
                tools.Restore,
                [
                    "--dbname=" + target.Database, string.Create(CultureInfo.InvariantCulture, $"--jobs={jobs}"), "--no-owner", "--no-acl", "--exit-on-error",
                    "--no-password", "--use-list=" + list, dump,
                ],
                environment,
                folder.Path,
                cancellationToken);
        }
        finally
        {
            File.Delete(list);
        }
    }

    /// <summary>Where the copy differs from the manifest, in words; nothing where it is equal.</summary>
    public async Task<IReadOnlyDictionary<string, string>> CompareAsync(SalesDatabase copy, Action<long> advance, CancellationToken cancellationToken) =>
        await copy.InSnapshotAsync(
            async (connection, _, token) =>
            {
                await connection.QueryStatementAsync("backup/session", [], _ => 0, token);
                var tables = await Fingerprints.TablesAsync(connection, manifest.Schema, advance, token);
                return Fingerprints.Differences(manifest, tables, await Fingerprints.SequencesAsync(connection, token));
            },
            cancellationToken);

    private static string Literal(string text) => "'" + text.Replace("'", "''", StringComparison.Ordinal) + "'";

    // "4; 2615 2200 SCHEMA - public owner", and its comment.
    [GeneratedRegex("^[0-9]+; [0-9]+ [0-9]+ (COMMENT - )?SCHEMA ")]
    private static partial Regex SchemaEntry();
}
