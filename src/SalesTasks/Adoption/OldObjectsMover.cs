using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Adoption;

/// <summary>Makes the views, keys, rights and columns of an old installation work on the new tables, and writes down what became of each.</summary>
internal sealed class OldObjectsMover(
    NpgsqlConnection connection, NpgsqlTransaction transaction, OldObjects old, string schema, string target, string oldSchema, AdoptOptions options)
{
    private string[]? _compatiblePath;
    private bool _compatibleTried;

    /// <summary>Columns that the old tables had beyond ours, with their values and, where it still means something, their default.</summary>
    public async Task AddOwnColumnsAsync(string source, CancellationToken cancellationToken)
    {
        var tables = await connection.QueryStatementAsync(
            "adoption/own_columns",
            [("old_schema", source)],
            row => (Table: row.GetString(0), Columns: row.GetFieldValue<string[]>(1), Taken: row.GetFieldValue<bool[]>(2), Ddl: row.GetFieldValue<string[]>(3)),
            cancellationToken);
        foreach (var (table, columns, taken, ddl) in tables)
        {
            foreach (var statement in ddl)
            {
                await Ddl.RunAsync(connection, statement, cancellationToken);
            }

            foreach (var (column, isTaken) in columns.Zip(taken))
            {
                var given = isTaken ? [] : old.Defaults.Where(d => d.Table == table && d.Column == column).ToList();
                var refused = given.Count == 0 ? null : await Ddl.TryAsync(connection, transaction, [given[0].Ddl], cancellationToken);
                await FindAsync(table, "column", isTaken ? "column_in_metadata" : "column_kept", column, refused is null ? null : given[0].Ddl, null, cancellationToken);
            }
        }

        await connection.ExecuteStatementAsync("adoption/forget_own_columns", [], cancellationToken);
    }

    /// <summary>Views that read what was moved: on the new tables, else on views of them in the old shape, else set aside with their definition.</summary>
    public async Task MakeViewsAsync(CancellationToken cancellationToken)
    {
        // Definitions name what is in the schema without it; in a trial run the new tables are in another one and come first.
        string[] path = options.DryRun ? [target, schema] : [schema];
        foreach (var view in old.Views)
        {
            if (!options.DryRun)
            {
                await Ddl.RunAsync(connection, view.Move, cancellationToken);
            }

            string[] statements =
            [
                (options.DryRun ? view.TrialHead : view.Head) + view.Definition,
                .. options.DryRun ? [] : view.Indexes.Concat(view.Grants),
            ];
            await PathAsync(path, cancellationToken);
            var refused = await Ddl.TryAsync(connection, transaction, statements, cancellationToken);
            var rule = "view_remade";
            if (refused is not null && await CompatiblePathAsync(path, cancellationToken) is { } compatible)
            {
                await PathAsync(compatible, cancellationToken);
                refused = await Ddl.TryAsync(connection, transaction, statements, cancellationToken);
                rule = "view_remade_old_shape";
            }

            await PathAsync([target], cancellationToken);
            await FindAsync(
                $"{view.Schema}.{view.Name}", view.Materialized ? "materialized view" : "view", refused is null ? rule : "view_set_aside", null,
                view.Definition, refused?.MessageText, cancellationToken);
        }
    }

    /// <summary>Foreign keys of tables that stay: to the new tables, validated where all rows hold.</summary>
    public async Task MoveKeysAsync(CancellationToken cancellationToken)
    {
        foreach (var key in old.Keys)
        {
            var rule = "key_moved";
            PostgresException? refused = null;
            if (!options.DryRun)
            {
                await Ddl.RunAsync(connection, key.Drop, cancellationToken);
                refused = await Ddl.TryAsync(connection, transaction, [key.Add], cancellationToken);
                if (refused is not null)
                {
                    rule = "key_dropped";
                }
                else if ((refused = await Ddl.TryAsync(connection, transaction, [key.Validate], cancellationToken)) is not null)
                {
                    rule = "key_not_valid";
                }
            }

            await FindAsync(key.Table, "key", rule, null, $"{key.Name} {key.Definition}", refused?.MessageText, cancellationToken);
        }
    }

    /// <summary>The rights that roles had on the old relations.</summary>
    public async Task GrantAsync(CancellationToken cancellationToken)
    {
        foreach (var grant in old.Grants)
        {
            var refused = options.DryRun ? null : await Ddl.TryAsync(connection, transaction, [grant], cancellationToken);
            await FindAsync(schema, "grant", refused is null ? "grant_kept" : "grant_left", null, grant, refused?.MessageText, cancellationToken);
        }
    }

    /// <summary>Writes down what moved and what is not made anew.</summary>
    public async Task ListAsync(CancellationToken cancellationToken)
    {
        foreach (var moved in old.Moved.Where(o => !AdoptDatabase.Tables.Contains(o.Name, StringComparer.Ordinal)))
        {
            await FindAsync(moved.Name, moved.Kind, "moved", null, null, oldSchema, cancellationToken);
        }

        foreach (var (rule, name, definition) in old.LeftBehind)
        {
            await FindAsync(name, rule.Split('_')[0], rule, null, definition, null, cancellationToken);
        }
    }

    private async Task<string[]?> CompatiblePathAsync(string[] path, CancellationToken cancellationToken)
    {
        if (_compatibleTried)
        {
            return _compatiblePath;
        }

        _compatibleTried = true;
        await PathAsync([target], cancellationToken);
        var name = schema + "_old_shape";
        var create = await connection.ScalarStatementAsync<string>("adoption/schema_ddl", [("schema_name", name)], cancellationToken);
        var views = await connection.QueryStatementAsync(
            "adoption/compatible_views",
            [("compatible_schema", name), ("old_schema", oldSchema), ("time_zone", options.TimeZone), ("oids", old.Oids)],
            row => row.GetString(0),
            cancellationToken);
        if (await Ddl.TryAsync(connection, transaction, [create!], cancellationToken) is not null)
        {
            return null;
        }

        foreach (var view in views)
        {
            // A column that cannot be shown in its old type costs this table its old shape, not the others.
            await Ddl.TryAsync(connection, transaction, [view], cancellationToken);
        }

        return _compatiblePath = [name, .. path];
    }

    private Task<int> PathAsync(string[] schemas, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync("adoption/path", [("schemas", schemas)], cancellationToken);

    private Task<int> FindAsync(
        string name, string kind, string rule, string? column, string? was, string? became, CancellationToken cancellationToken) =>
        connection.ExecuteStatementAsync(
            "adoption/object_finding",
            [("object_name", name), ("kind", kind), ("rule", rule), ("column_name", column), ("was", was), ("became", became)],
            cancellationToken);
}
