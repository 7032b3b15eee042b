using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Adoption;

/// <summary>An object of the old installation under a name that ours needs; without a statement it cannot be moved.</summary>
internal sealed record OldObject(string Kind, string Name, string? Move, long Oid);

/// <summary>A view of somebody else's that reads what is moved.</summary>
internal sealed record OwnView(
    string Schema, string Name, bool Materialized, string Definition, string Move, string Head, string TrialHead, string[] Indexes, string[] Grants);

/// <summary>A foreign key from a table that stays to one that moves.</summary>
internal sealed record OwnKey(string Table, string Name, string Definition, string Drop, string Add, string Validate);

/// <summary>What the old installation has in and around the way of ours, as it is before anything is moved.</summary>
internal sealed record OldObjects(
    IReadOnlyList<OldObject> Moved, IReadOnlyList<OwnView> Views, IReadOnlyList<OwnKey> Keys, IReadOnlyList<string> Grants,
    IReadOnlyList<(string Rule, string Name, string Definition)> LeftBehind, IReadOnlyList<(string Table, string Column, string Ddl)> Defaults)
{
    /// <summary>Identities of the relations that move.</summary>
    public long[] Oids { get; } = [.. Moved.Where(o => o.Oid > 0).Select(o => o.Oid)];

    /// <param name="connection">Its search_path is the schema alone, so that definitions name its objects without it.</param>
    /// <param name="schema">Where they are.</param>
    /// <param name="oldSchema">Where they go.</param>
    /// <param name="target">The schema of the new tables.</param>
    /// <param name="names">Names that ours needs, by kind.</param>
    /// <param name="cancellationToken">Stops between two look-ups.</param>
    public static async Task<OldObjects> ReadAsync(
        NpgsqlConnection connection, string schema, string oldSchema, string target, IReadOnlyCollection<(string Kind, string Name)> names,
        CancellationToken cancellationToken)
    {
        var moved = await connection.QueryStatementAsync(
            "adoption/in_the_way",
            [
                ("schema_name", schema), ("old_schema", oldSchema), ("kinds", names.Select(n => n.Kind).ToArray()),
                ("names", names.Select(n => n.Name).ToArray()),
            ],
            row => new OldObject(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetInt64(3)),
            cancellationToken);
        (string, object?) oids = ("oids", moved.Where(o => o.Oid > 0).Select(o => o.Oid).ToArray());
        return new OldObjects(
            moved,
            await connection.QueryStatementAsync(
                "adoption/own_views",
                [oids, ("old_schema", oldSchema)],
                row => new OwnView(
                    row.GetString(0), row.GetString(1), row.GetBoolean(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6),
                    row.GetFieldValue<string[]>(7), row.GetFieldValue<string[]>(8)),
                cancellationToken),
            await connection.QueryStatementAsync(
                "adoption/own_keys",
                [oids],
                row => new OwnKey(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetString(5)),
                cancellationToken),
            await connection.QueryStatementAsync("adoption/grants", [oids, ("schema_name", schema)], row => row.GetString(0), cancellationToken),
            await connection.QueryStatementAsync(
                "adoption/left_behind", [oids], row => (row.GetString(0), row.GetString(1), row.GetString(2)), cancellationToken),
            await connection.QueryStatementAsync(
                "adoption/own_defaults", [oids, ("target_schema", target)], row => (row.GetString(0), row.GetString(1), row.GetString(2)), cancellationToken));
    }
}
