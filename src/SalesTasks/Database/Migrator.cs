using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>A migration that this run applied.</summary>
internal sealed record AppliedMigration(int Version, string Name, TimeSpan Duration);

/// <summary>Where a migration stands.</summary>
internal enum MigrationStatus
{
    /// <summary>Applied as this program has it.</summary>
    Applied,

    /// <summary>To be applied by <c>db migrate</c>.</summary>
    Pending,

    /// <summary>Applied with another text than this program has.</summary>
    Changed,

    /// <summary>Applied by a newer program; this one does not know it.</summary>
    Unknown,
}

/// <summary>One line of <c>db status</c>; the last three are null while pending.</summary>
internal sealed record MigrationState(
    int Version, string Name, MigrationStatus Status, DateTimeOffset? AppliedAt, TimeSpan? Duration, string? ProgramVersion);

/// <summary>
/// Brings the schema (the first of search_path, created where it is missing) to the version of this program. Every migration is one
/// transaction that also writes the journal, under an advisory lock keyed by schema: any number of runners may start at once, and a
/// runner killed at any instant leaves whole migrations only.
/// </summary>
internal sealed class Migrator(SalesDatabase database, TimeProvider time, IReadOnlyList<Migration> migrations)
{
    /// <summary>The oldest server whose SQL suffices.</summary>
    internal const int OldestServer = 12;

    private const string AdoptOrMove =
        "To take them over with their rows, look at \"sales-tasks db adopt --dry-run\"; or give SalesTasks a schema of its own, for instance "
        + "search_path=sales in the connection.";

    public Migrator(SalesDatabase database, TimeProvider time)
        : this(database, time, Migration.Embedded)
    {
    }

    /// <summary>Applies what is pending and tells what it applied; nothing where the schema is up to date.</summary>
    /// <exception cref="JobException">
    /// 69: server too old, schema newer or changed, no privilege, names already taken by another system's objects.
    /// </exception>
    public async Task<IReadOnlyList<AppliedMigration>> MigrateAsync(CancellationToken cancellationToken)
    {
        var journal = await ReadAsync(cancellationToken);
        journal.RequireKnown(migrations, database.Place);
        if (journal.Entries is null)
        {
            await RequireNoOthersAsync(journal, cancellationToken);
            await database.InTransactionAsync((connection, _, token) => CreateJournalAsync(connection, token), cancellationToken);
        }
        else if (journal.Entries.Count == migrations.Count)
        {
            return [];
        }

        var applied = new List<AppliedMigration>();
        while (await database.InTransactionAsync((connection, _, token) => ApplyNextAsync(connection, token), cancellationToken) is { } step)
        {
            applied.Add(step);
        }

        if (applied.Count > 0)
        {
            // The pool learnt the types before they were there.
            await using var connection = await database.OpenAsync(cancellationToken);
            await connection.ReloadTypesAsync(cancellationToken);
            if (Migration.Embedded.All(migrations.Contains))
            {
                await DatabaseRoles.ReapplyAsync(database, cancellationToken);
            }
        }

        return applied;
    }

    /// <summary>
    /// The same within the caller's transaction: all of it or nothing. Takes the lock of the schema, and leaves the transaction with no
    /// statement time-out and with only that schema on its search_path.
    /// </summary>
    /// <inheritdoc cref="MigrateAsync" path="/exception"/>
    public async Task MigrateWithinAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if ((await LockAsync(connection, cancellationToken)).Entries is null)
        {
            await CreateJournalAsync(connection, cancellationToken);
        }

        while (await ApplyNextAsync(connection, cancellationToken) is not null)
        {
        }
    }

    /// <summary>Every migration of the program or the journal, in order of version. Changes nothing.</summary>
    public async Task<IReadOnlyList<MigrationState>> StatusAsync(CancellationToken cancellationToken)
    {
        var journal = await ReadAsync(cancellationToken);
        var entries = (journal.Entries ?? []).ToDictionary(entry => entry.Version);
        var states = migrations.Select(migration => entries.Remove(migration.Version, out var entry)
            ? new MigrationState(
                entry.Version,
                entry.Name,
                entry.Name == migration.Name && entry.Checksum == migration.Checksum ? MigrationStatus.Applied : MigrationStatus.Changed,
                entry.AppliedAt,
                entry.Duration,
                entry.ProgramVersion)
            : new MigrationState(migration.Version, migration.Name, MigrationStatus.Pending, null, null, null)).ToList();
        states.AddRange(entries.Values.OrderBy(entry => entry.Version).Select(entry => new MigrationState(
            entry.Version, entry.Name, MigrationStatus.Unknown, entry.AppliedAt, entry.Duration, entry.ProgramVersion)));
        return states;
    }

    /// <summary>Refuses servers whose SQL lacks what the migrations use.</summary>
    internal static void RequireSupported(Version server, string place)
    {
        if (server.Major < OldestServer)
        {
            throw JobException.Refused($"PostgreSQL {place} is version {server}; SalesTasks needs {OldestServer} or newer.");
        }
    }

    private async Task<MigrationJournal> ReadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        RequireSupported(connection.PostgreSqlVersion, database.Place);
        return await MigrationJournal.ReadAsync(connection, cancellationToken);
    }

    private async Task CreateJournalAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var journal = await LockAsync(connection, cancellationToken);
        if (journal.Schema.Length == 0)
        {
            throw JobException.Refused($"search_path at {database.Place} is empty: name the schema to use, for instance search_path=sales.");
        }

        if (!journal.SchemaExists)
        {
            await CreateSchemaAsync(connection, journal, cancellationToken);
        }
        else if (!journal.SchemaUsable)
        {
            throw NoPrivilege(journal, null);
        }

        try
        {
            await connection.ExecuteStatementAsync("database/create_journal", [], cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw NoPrivilege(journal, refused);
        }
    }

    private async Task<AppliedMigration?> ApplyNextAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var journal = await LockAsync(connection, cancellationToken);
        journal.RequireKnown(migrations, database.Place);
        if (migrations.FirstOrDefault(candidate => candidate.Version > journal.Version) is not { } migration)
        {
            return null;
        }

        var started = time.GetTimestamp();
        await ExecuteAsync(connection, migration, journal, cancellationToken);
        var duration = time.GetElapsedTime(started);
        await connection.ExecuteStatementAsync(
            "database/journal_migration",
            [
                ("version", migration.Version),
                ("name", migration.Name),
                ("checksum", migration.Checksum),
                ("applied_at", time.GetUtcNow()),
                ("duration_ms", (long)duration.TotalMilliseconds),
                ("program_version", Migration.ProgramVersion),
            ],
            cancellationToken);
        return new AppliedMigration(migration.Version, migration.Name, duration);
    }

    // Before anything is written: a journal beside somebody else's tables would only be in the way of db adopt.
    private async Task RequireNoOthersAsync(MigrationJournal journal, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var tables = await connection.QueryStatementAsync(
            "database/foreign_tables", [("schema_name", journal.Schema)], row => $"\"{row.GetString(0)}\"", cancellationToken);
        // Another runner may have made them since the journal was read.
        if (tables.Count > 0 && (await MigrationJournal.ReadAsync(connection, cancellationToken)).Entries is null)
        {
            throw JobException.Refused(
                $"The schema \"{journal.Schema}\" at {database.Place} holds tables that SalesTasks did not create: {string.Join(", ", tables)}. "
                + AdoptOrMove);
        }
    }

    /// <summary>
    /// Takes the schema's lock, waiting for other runners, and reads its journal then: another runner may have been here while we waited.
    /// </summary>
    public async Task<MigrationJournal> LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var schema = (await MigrationJournal.ReadInTransactionAsync(connection, cancellationToken)).Schema;
        await connection.ExecuteStatementAsync("database/wait_unlimited", [], cancellationToken);
        await using (var wait = Sql.Command(connection, "database/lock_schema", ("schema_name", schema)))
        {
            wait.CommandTimeout = 0;
            await wait.ExecuteNonQueryAsync(cancellationToken);
        }

        var limit = ((long)database.LockTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        await connection.ExecuteStatementAsync(
            "database/begin_migration", [("lock_timeout_ms", limit), ("schema_name", schema)], cancellationToken);
        await connection.ExecuteStatementAsync("database/become_owner", [], cancellationToken);
        return await MigrationJournal.ReadInTransactionAsync(connection, cancellationToken);
    }

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "The text is an embedded file.")]
    private async Task ExecuteAsync(
        NpgsqlConnection connection, Migration migration, MigrationJournal journal, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(migration.Text, connection) { CommandTimeout = 0 };
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException taken) when (taken.SqlState is PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject
            or PostgresErrorCodes.DuplicateFunction or PostgresErrorCodes.DuplicateColumn)
        {
            throw JobException.Refused(
                $"Migration {migration.FullName} at {database.Place}: {taken.MessageText} (SQLSTATE {taken.SqlState}). The schema "
                + $"\"{journal.Schema}\" holds objects that SalesTasks did not create. " + AdoptOrMove,
                taken);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw NoPrivilege(journal, refused);
        }
    }

    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "A quoted identifier; DDL takes no parameters.")]
    private async Task CreateSchemaAsync(NpgsqlConnection connection, MigrationJournal journal, CancellationToken cancellationToken)
    {
        var name = "\"" + journal.Schema.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
        await using var command = new NpgsqlCommand($"CREATE SCHEMA {name}", connection);
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw JobException.Refused(
                $"The schema \"{journal.Schema}\" (first of search_path) is missing at {database.Place} and role \"{journal.Role}\" may not "
                + $"create it. As the database's owner: CREATE SCHEMA {name} AUTHORIZATION \"{journal.Role}\"",
                refused);
        }
    }

    private JobException NoPrivilege(MigrationJournal journal, PostgresException? cause) => JobException.Refused(
        $"Role \"{journal.Role}\" may not create objects in schema \"{journal.Schema}\" at {database.Place}"
        + (cause is null ? "" : $": {cause.MessageText} (SQLSTATE {cause.SqlState})")
        + $". As the schema's owner: GRANT USAGE, CREATE ON SCHEMA \"{journal.Schema}\" TO \"{journal.Role}\"",
        cause);
}
