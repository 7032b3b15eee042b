using System.Text.RegularExpressions;
using Npgsql;

namespace SalesTasks.Tests.TestBase;

/// <summary>
/// Everything a migration can make in one schema, as text: relations with columns, constraints, indexes, triggers, functions, types,
/// casts and comments. The schema's own name is left out, so that two schemas compare.
/// </summary>
internal static class SchemaDump
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Sorted lines; equal texts mean equal schemas.</summary>
    public static async Task<string> ReadAsync(TestDatabase database, string schema = "public")
    {
        string[] queries =
        [
            """
            SELECT 'relation', c.relkind::text, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, a.attidentity::text,
              coalesce(pg_get_expr(d.adbin, d.adrelid), ''), coalesce(c.reloptions::text, ''), coalesce(col_description(c.oid, a.attnum), '')
            FROM pg_class AS c
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relnamespace = @schema::regnamespace
            """,
            "SELECT 'view', relname, pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = @schema::regnamespace AND relkind IN ('v', 'm')",
            "SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = @schema::regnamespace",
            "SELECT 'index', pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relnamespace = @schema::regnamespace",
            """
            SELECT 'trigger', pg_get_triggerdef(t.oid) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
            WHERE c.relnamespace = @schema::regnamespace AND NOT t.tgisinternal
            """,
            "SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = @schema::regnamespace AND prokind IN ('f', 'p')",
            """
            SELECT 'type', typname, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid)
            FROM pg_type WHERE typnamespace = @schema::regnamespace AND typtype IN ('e', 'd')
            """,
            """
            SELECT 'cast', castsource::regtype::text, casttarget::regtype::text, castcontext::text, castmethod::text
            FROM pg_cast JOIN pg_type ON pg_type.oid = casttarget WHERE typnamespace = @schema::regnamespace
            """,
            "SELECT 'journal', version::text, name, checksum FROM schema_migrations WHERE @schema <> ''",
        ];
        var path = "\"" + schema.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
        await using var connection = await database.OpenConnectionAsync();
        await QueryAsync(connection, "SELECT set_config('search_path', @schema, false)", path);
        var lines = new List<string>();
        foreach (var query in queries)
        {
            lines.AddRange(await QueryAsync(connection, query, path));
        }

        // Definitions name the schema, and functions keep the search_path they were made with.
        return string.Join('\n', lines
            .Select(line => Regex.Replace(line, "SET search_path TO .*", "", RegexOptions.None, Regex.InfiniteMatchTimeout)
                .Replace(path + ".", "", StringComparison.Ordinal)
                .Replace(schema + ".", "", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal));
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task<List<string>> QueryAsync(NpgsqlConnection connection, string query, string schema)
    {
        await using var command = new NpgsqlCommand(query, connection);
        command.Parameters.Add(new NpgsqlParameter("schema", schema));
        await using var reader = await command.ExecuteReaderAsync(Token);
        var lines = new List<string>();
        while (await reader.ReadAsync(Token))
        {
            lines.Add(string.Join(
                " | ", Enumerable.Range(0, reader.FieldCount).Select(column => reader.IsDBNull(column) ? "" : reader.GetString(column))));
        }

        return lines;
    }
}
