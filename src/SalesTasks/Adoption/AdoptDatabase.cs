using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Adoption;

/// <summary>
/// Takes over an installation that has tables of the contract's names: one transaction moves them into a schema of their own, makes ours,
/// copies and mends their rows, and makes people's views, keys and rights work on the new tables. Whatever ends it half-way, nothing has
/// happened. Under the lock of migrations: a second runner waits and finds it done.
/// </summary>
internal sealed class AdoptDatabase(SalesDatabase database, TimeProvider time, AdoptOptions options, Action<string> progress)
{
    /// <summary>Whose rows are taken over, in the order they refer to each other.</summary>
    public static readonly IReadOnlyList<string> Tables =
    [
        "leads", "lead_score_history", "sales_pipeline", "sales_followup_tasks", "sales_campaigns", "sales_campaign_executions", "sales_campaign_events",
    ];

    private static readonly string[] s_steps =
    [
        "leads", "analyze", "deal_rows", "restored_leads", "deals", "analyze", "stage_times", "tasks", "campaign_rows", "campaigns", "execution_rows",
        "executions", "analyze", "events", "score_partitions", "scores", "sequences",
    ];

    private readonly Migrator _migrator = new(database, time);

    /// <exception cref="JobException">
    /// 64: nothing to adopt, unknown time zone; 69: a newer or foreign schema, no privilege, ids that are no numbers, the place for the old
    /// tables is taken; 75: tables in use, a full disk.
    /// </exception>
    public async Task<AdoptionReport> RunAsync(CancellationToken cancellationToken)
    {
        var started = time.GetUtcNow();
        await using var connection = await database.OpenAsync(cancellationToken);
        Migrator.RequireSupported(connection.PostgreSqlVersion, database.Place);
        await RequireTimeZoneAsync(connection, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var journal = await _migrator.LockAsync(connection, cancellationToken);
        if (await FindEarlierAsync(connection, journal, cancellationToken) is { } earlier)
        {
            return earlier;
        }

        var schema = journal.Schema;
        var oldSchema = options.OldSchema ?? schema + "_before";
        var (target, source) = options.DryRun ? (oldSchema, schema) : (schema, oldSchema);
        try
        {
            await MakeRoomAsync(connection, journal, oldSchema, cancellationToken);
            var names = await NeededNamesAsync(connection, transaction, journal, oldSchema, cancellationToken);
            var old = await OldObjects.ReadAsync(connection, schema, oldSchema, target, names, cancellationToken);
            await RequireAdoptableAsync(connection, old, schema, cancellationToken);
            if (!options.DryRun)
            {
                foreach (var moved in old.Moved)
                {
                    await Ddl.RunAsync(connection, moved.Move!, cancellationToken);
                }
            }

            await PathAsync(connection, target, cancellationToken);
            await _migrator.MigrateWithinAsync(connection, cancellationToken);
            await CopyAsync(connection, source, cancellationToken);
            var mover = new OldObjectsMover(connection, transaction, old, schema, target, oldSchema, options);
            await mover.AddOwnColumnsAsync(source, cancellationToken);
            await connection.ExecuteStatementAsync("adoption/balance", [], cancellationToken);
            await BindAsync(connection, null, cancellationToken);
            await connection.ExecuteStatementAsync("adoption/forget_rows", [], cancellationToken);
            await mover.MakeViewsAsync(cancellationToken);
            await mover.MoveKeysAsync(cancellationToken);
            await mover.GrantAsync(cancellationToken);
            await mover.ListAsync(cancellationToken);
            if (!options.DryRun)
            {
                await connection.ExecuteStatementAsync("adoption/refresh_metrics", [], cancellationToken);
            }
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw JobException.Refused(
                $"Role \"{journal.Role}\" may not take over the schema \"{schema}\" at {database.Place}: {refused.MessageText} (SQLSTATE {refused.SqlState}). "
                + "Connect as the owner of the old tables and of the schema; it needs CREATE on the database, or an empty schema of its own named with --old-schema.",
                refused);
        }

        await connection.ExecuteStatementAsync(
            "adoption/adopted", [("old_schema", oldSchema), ("time_zone", options.TimeZone), ("started_at", started)], cancellationToken);
        var report = await ReadAsync(connection, schema, earlier: false, cancellationToken);
        if (options.DryRun)
        {
            await transaction.RollbackAsync(CancellationToken.None);
        }
        else
        {
            // Once the work is done it is kept: a cancelled commit would leave its outcome unknown.
            await transaction.CommitAsync(CancellationToken.None);
        }

        return report!;
    }

    /// <summary>Drops the old tables for good; what was set aside and mended stays in adoption_findings. Returns the schema that is gone.</summary>
    public async Task<string> FinishAsync(CancellationToken cancellationToken)
    {
        await database.CheckSchemaAsync(cancellationToken);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var journal = await _migrator.LockAsync(connection, cancellationToken);
        var report = await ReadAsync(connection, journal.Schema, earlier: true, cancellationToken)
            ?? throw JobException.Usage($"Nothing was adopted in the schema \"{journal.Schema}\" at {database.Place}: there is nothing to finish.");
        if (report.FinishedAt is not null)
        {
            return report.OldSchema;
        }

        var used = await connection.QueryStatementAsync("adoption/still_used", [("old_schema", report.OldSchema)], row => row.GetString(0), cancellationToken);
        if (used.Count > 0)
        {
            throw JobException.Refused(
                $"The old tables in schema \"{report.OldSchema}\" at {database.Place} are still used by: {string.Join("; ", used.Take(10))}. "
                + "Drop or change these first.");
        }

        var drop = await connection.QueryStatementAsync(
            "adoption/schema_ddl", [("schema_name", report.OldSchema)], row => row.GetString(1), cancellationToken);
        if (!options.DryRun)
        {
            await Ddl.RunAsync(connection, drop[0], cancellationToken);
            await connection.ExecuteStatementAsync("adoption/finished", [], cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
        }

        return report.OldSchema;
    }

    private async Task RequireTimeZoneAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteStatementAsync("adoption/time_zone", [("time_zone", options.TimeZone)], cancellationToken);
        }
        catch (PostgresException unknown) when (unknown.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            throw JobException.Usage(
                $"--time-zone: '{options.TimeZone}' is no time zone that the server knows; allowed are names such as UTC or Europe/Madrid.", unknown);
        }
    }

    private async Task<AdoptionReport?> FindEarlierAsync(NpgsqlConnection connection, MigrationJournal journal, CancellationToken cancellationToken)
    {
        if (journal.Schema.Length == 0)
        {
            throw JobException.Refused($"search_path at {database.Place} is empty: name the schema of the old tables, for instance search_path=public.");
        }

        journal.RequireKnown(Migration.Embedded, database.Place);
        if (journal.Version < Migration.Embedded[^1].Version)
        {
            return null;
        }

        return await ReadAsync(connection, journal.Schema, earlier: true, cancellationToken)
            ?? throw JobException.Usage($"The schema \"{journal.Schema}\" at {database.Place} is SalesTasks' own and up to date: there is nothing to adopt.");
    }

    private async Task MakeRoomAsync(NpgsqlConnection connection, MigrationJournal journal, string oldSchema, CancellationToken cancellationToken)
    {
        if (oldSchema == journal.Schema || System.Text.Encoding.UTF8.GetByteCount(oldSchema) > 63)
        {
            throw JobException.Usage($"--old-schema: '{oldSchema}' must be another schema than \"{journal.Schema}\", of at most 63 bytes.");
        }

        var (exists, holds) = (await connection.QueryStatementAsync(
            "adoption/schema_state", [("schema_name", oldSchema)], row => (row.GetBoolean(0), row.GetBoolean(1)), cancellationToken))[0];
        if (holds)
        {
            throw JobException.Refused(
                $"The schema \"{oldSchema}\" at {database.Place}, where the old tables would go, holds objects already: name another one with --old-schema.");
        }

        if (!exists)
        {
            var create = await connection.ScalarStatementAsync<string>("adoption/schema_ddl", [("schema_name", oldSchema)], cancellationToken);
            await Ddl.RunAsync(connection, create!, cancellationToken);
        }
    }

    /// <summary>Names that the migrations still to come will need: read from a schema that is made for it and undone.</summary>
    private async Task<IReadOnlyCollection<(string Kind, string Name)>> NeededNamesAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, MigrationJournal journal, string scratch, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync("names", cancellationToken);
        await PathAsync(connection, scratch, cancellationToken);
        await new Migrator(database, time, [.. Migration.Embedded.Take(journal.Version)]).MigrateWithinAsync(connection, cancellationToken);
        var there = await NamesAsync();
        await _migrator.MigrateWithinAsync(connection, cancellationToken);
        var all = await NamesAsync();
        await transaction.RollbackAsync("names", cancellationToken);
        return [.. all.Except(there)];

        Task<List<(string Kind, string Name)>> NamesAsync() => connection.QueryStatementAsync(
            "adoption/names", [("schema_name", scratch)], row => (row.GetString(0), row.GetString(1)), cancellationToken);
    }

    private async Task RequireAdoptableAsync(NpgsqlConnection connection, OldObjects old, string schema, CancellationToken cancellationToken)
    {
        if (!old.Moved.Any(o => Tables.Contains(o.Name, StringComparer.Ordinal)))
        {
            throw JobException.Usage(
                $"The schema \"{schema}\" at {database.Place} holds none of the tables {string.Join(", ", Tables)}: there is nothing to adopt. Run \"sales-tasks db migrate\".");
        }

        if (old.Moved.Where(o => o.Move is null).Select(o => o.Name).ToList() is { Count: > 0 } indexes)
        {
            throw JobException.Refused(
                $"Indexes in schema \"{schema}\" at {database.Place} have names that SalesTasks needs, on tables that stay: {string.Join(", ", indexes)}. Rename them.");
        }

        var unsupported = await connection.QueryStatementAsync("adoption/unsupported", [("oids", old.Oids)], row => row.GetString(0), cancellationToken);
        if (unsupported.Count > 0)
        {
            throw JobException.Refused(
                $"Ids must be whole numbers to be kept; in schema \"{schema}\" at {database.Place} {string.Join(", ", unsupported)}. Number the rows first.");
        }
    }

    private async Task CopyAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken)
    {
        await connection.ExecuteStatementAsync("adoption/settings", [], cancellationToken);
        foreach (var (kind, word, meaning) in options.Words)
        {
            await connection.ExecuteStatementAsync("adoption/add_word", [("kind", kind), ("word", word), ("meaning", meaning)], cancellationToken);
        }

        foreach (var (table, missing) in await BindAsync(connection, source, cancellationToken))
        {
            await connection.ExecuteStatementAsync("adoption/missing_columns", [("table_name", table), ("columns", missing)], cancellationToken);
        }

        foreach (var step in s_steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            progress(step);
            await connection.ExecuteStatementAsync("adoption/" + step, [], cancellationToken);
        }
    }

    /// <summary>Puts the tables of a schema under the views that the statements read, or (null) nothing. Returns the columns each lacks.</summary>
    private async Task<IReadOnlyList<(string Table, string[] Missing)>> BindAsync(
        NpgsqlConnection connection, string? source, CancellationToken cancellationToken)
    {
        var views = await connection.QueryStatementAsync(
            "adoption/bind",
            [("old_schema", source), ("time_zone", options.TimeZone)],
            row => (Table: row.GetString(0), Ddl: row.GetString(1), Missing: row.GetFieldValue<string[]>(2)),
            cancellationToken);
        foreach (var view in views)
        {
            await Ddl.RunAsync(connection, view.Ddl, cancellationToken);
        }

        return [.. views.Select(view => (view.Table, view.Missing))];
    }

    private async Task<AdoptionReport?> ReadAsync(NpgsqlConnection connection, string schema, bool earlier, CancellationToken cancellationToken)
    {
        var done = await connection.QueryStatementAsync(
            "adoption/adoption", [], row => (Old: row.GetString(0), Finished: row.IsDBNull(3) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(3)), cancellationToken);
        return done.Count == 0
            ? null
            : new AdoptionReport(
                schema,
                done[0].Old,
                options.DryRun && !earlier,
                earlier,
                done[0].Finished,
                await connection.QueryStatementAsync(
                    "adoption/tables", [], row => new AdoptedTable(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken),
                await connection.QueryStatementAsync(
                    "adoption/findings",
                    [],
                    row => new AdoptionFinding(
                        row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetInt64(3),
                        row.IsDBNull(4) ? [] : row.GetFieldValue<string[]>(4), row.GetInt64(5)),
                    cancellationToken));
    }

    private static Task<int> PathAsync(NpgsqlConnection connection, string schema, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync("adoption/path", [("schemas", (string[])[schema])], cancellationToken);
}
