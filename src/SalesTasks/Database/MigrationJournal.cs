using Npgsql;

namespace SalesTasks.Database;

/// <summary>One row of <c>schema_migrations</c>.</summary>
internal sealed record JournalEntry(
    int Version, string Name, string Checksum, DateTimeOffset AppliedAt, TimeSpan Duration, string ProgramVersion);

/// <summary>What a database says about its schema.</summary>
/// <param name="Schema">The first schema of search_path, which ours is or will be; empty where search_path is.</param>
/// <param name="SchemaExists">Whether that schema is there.</param>
/// <param name="SchemaUsable">Whether it is there and names resolve to it first.</param>
/// <param name="Role">The role we are connected as.</param>
/// <param name="Entries">Applied migrations in order of version; null without a journal.</param>
internal sealed record MigrationJournal(
    string Schema, bool SchemaExists, bool SchemaUsable, string Role, IReadOnlyList<JournalEntry>? Entries)
{
    /// <summary>The newest applied migration; 0 without any.</summary>
    public int Version => Entries is { Count: > 0 } ? Entries[^1].Version : 0;

    /// <summary>Reads it in one round trip, outside of a transaction (a missing journal is an error to the server).</summary>
    /// <exception cref="JobException">69: the table <c>schema_migrations</c> belongs to another tool.</exception>
    public static async Task<MigrationJournal> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Sql.BatchCommand("database/target_schema"));
        batch.BatchCommands.Add(Sql.BatchCommand("database/journal"));
        Target? target = null;
        try
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            target = await ReadTargetAsync(reader, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            var entries = await ReadEntriesAsync(reader, target, cancellationToken);
            return target.WithEntries(target.HasJournal ? entries : null);
        }
        catch (PostgresException error) when (target is not null && error.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return target.WithEntries(null);
        }
        catch (PostgresException error) when (target is not null && error.SqlState == PostgresErrorCodes.UndefinedColumn)
        {
            // Found further down the search_path, the other tool's table is none of our business.
            return target.HasJournal ? throw Foreign(target, error) : target.WithEntries(null);
        }
    }

    /// <summary>Reads it inside a transaction, which a missing journal leaves usable: two round trips.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public static async Task<MigrationJournal> ReadInTransactionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        Target target;
        await using (var command = Sql.Command(connection, "database/target_schema"))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            target = await ReadTargetAsync(reader, cancellationToken);
        }

        if (!target.HasJournal)
        {
            return target.WithEntries(null);
        }

        try
        {
            await using var command = Sql.Command(connection, "database/journal");
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return target.WithEntries(await ReadEntriesAsync(reader, target, cancellationToken));
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UndefinedColumn)
        {
            throw Foreign(target, error);
        }
    }

    /// <summary>Refuses a history that is not the beginning of ours: newer than this program, or changed since it was applied.</summary>
    public void RequireKnown(IReadOnlyList<Migration> migrations, string place)
    {
        var known = migrations.Count == 0 ? 0 : migrations[^1].Version;
        if (Version > known)
        {
            throw JobException.Refused(
                $"The schema \"{Schema}\" at {place} has version {Version}, newer than this program knows ({known}, sales-tasks "
                + $"{Migration.ProgramVersion}): upgrade the program image to {Entries![^1].ProgramVersion} or later.");
        }

        foreach (var entry in Entries ?? [])
        {
            var migration = migrations.FirstOrDefault(candidate => candidate.Version == entry.Version);
            if (migration is null || migration.Name != entry.Name || migration.Checksum != entry.Checksum)
            {
                throw JobException.Refused(
                    $"Migration {entry.Version} ({entry.Name}) in schema \"{Schema}\" at {place} was applied by sales-tasks "
                    + $"{entry.ProgramVersion} with another text than this program has: it is another build's schema. Use that build, or "
                    + "restore the schema from a backup made by this one.");
            }
        }
    }

    /// <summary>Refuses everything but the exact version of this program.</summary>
    public void RequireCurrent(IReadOnlyList<Migration> migrations, string place)
    {
        if (Entries is null)
        {
            throw JobException.Refused($"The schema is missing at {place}, schema \"{Schema}\": run \"sales-tasks db migrate\".");
        }

        RequireKnown(migrations, place);
        if (Entries.Count < migrations.Count)
        {
            throw JobException.Refused(
                $"The schema \"{Schema}\" at {place} has version {Version}, this program needs {migrations[^1].Version}: "
                + "run \"sales-tasks db migrate\".");
        }
    }

    private static async Task<Target> ReadTargetAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        return new Target(reader.GetString(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.GetBoolean(3), reader.GetString(4));
    }

    private static async Task<List<JournalEntry>?> ReadEntriesAsync(
        NpgsqlDataReader reader, Target target, CancellationToken cancellationToken)
    {
        var entries = new List<JournalEntry>();
        try
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                entries.Add(new JournalEntry(
                    reader.GetInt32(0),
                    reader.GetString(1),
                    reader.GetString(2),
                    reader.GetFieldValue<DateTimeOffset>(3),
                    TimeSpan.FromMilliseconds(reader.GetInt64(4)),
                    reader.GetString(5)));
            }
        }
        catch (InvalidCastException error) when (target.HasJournal)
        {
            throw Foreign(target, error);
        }
        catch (InvalidCastException)
        {
            return null;
        }

        return entries;
    }

    private static JobException Foreign(Target target, Exception cause) => JobException.Refused(
        $"The table schema_migrations in schema \"{target.Schema}\" belongs to another tool. Give SalesTasks a schema of its own, "
        + "for instance search_path=sales in the connection.",
        cause);

    private sealed record Target(string Schema, bool SchemaExists, bool SchemaUsable, bool JournalExists, string Role)
    {
        /// <summary>Whether the unqualified name resolves to the journal of this schema.</summary>
        public bool HasJournal => JournalExists && SchemaUsable;

        public MigrationJournal WithEntries(List<JournalEntry>? entries) => new(Schema, SchemaExists, SchemaUsable, Role, entries);
    }
}
