using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary>What a database says about itself for the manifest.</summary>
internal sealed record DatabaseFacts(
    string Database, string Schema, int ServerMajor, string ServerVersion, string Encoding, string Collation, string Ctype, long Bytes);

/// <summary>Reads what two copies of a database are compared by.</summary>
internal static class Fingerprints
{
    /// <summary>A dump may take hours; what is bounded is the wait for locks.</summary>
    public static SalesDatabaseOptions Options(string command) => new()
    {
        ApplicationName = "sales-tasks " + command,
        StatementTimeout = TimeSpan.FromHours(12),
    };

    public static async Task<DatabaseFacts> FactsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync(
            "backup/facts",
            [],
            row => new DatabaseFacts(
                row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6), row.GetInt64(7)),
            cancellationToken))[0];

    /// <summary>Every table, in the snapshot of the transaction that the connection is in, after <c>backup/session</c>.</summary>
    public static async Task<IReadOnlyList<TableFingerprint>> TablesAsync(
        NpgsqlConnection connection, string schema, Action<long> advance, CancellationToken cancellationToken)
    {
        var names = await connection.QueryStatementAsync("backup/tables", [], row => row.GetString(0), cancellationToken);
        var prints = new List<TableFingerprint>();
        foreach (var name in names)
        {
            prints.Add(await TableAsync(connection, schema, name, cancellationToken));
            advance(prints[^1].Rows);
        }

        return [.. prints.OrderBy(print => print.Name, StringComparer.Ordinal)];
    }

    public static Task<List<(string Name, long Value)>> SequencesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync("backup/sequences", [], row => (row.GetString(0), row.GetInt64(1)), cancellationToken);

    // The rows' text and not their binary form, which differs between versions. Half an MD5 a row is enough against accidents (a forged dump is the
    // seal's business), and a sum needs no order: no sort, no memory. 2.3 to 3.5 s for 1 million rows, beside
    // a dump of them that takes 7 to 16.
    [SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Names come from the catalogue, quoted; a table is no parameter.")]
    private static async Task<TableFingerprint> TableAsync(NpgsqlConnection connection, string schema, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT count(*), coalesce(sum(('x' || left(md5(sales_tasks_row::text), 16))::bit(64)::bigint), 0)::text "
            + $"FROM ONLY {Quote(schema)}.{Quote(name)} AS sales_tasks_row",
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new TableFingerprint(name, reader.GetInt64(0), reader.GetString(1));
    }

    public static string Quote(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>Where a copy differs from its manifest, in words; nothing where it is equal.</summary>
    public static IReadOnlyDictionary<string, string> Differences(
        BackupManifest manifest, IReadOnlyList<TableFingerprint> tables, IReadOnlyList<(string Name, long Value)> sequences)
    {
        var differences = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var restored = tables.ToDictionary(table => table.Name, StringComparer.Ordinal);
        foreach (var expected in manifest.Tables)
        {
            if (!restored.Remove(expected.Name, out var actual))
            {
                differences[expected.Name] = "is missing";
            }
            else if (actual.Rows != expected.Rows)
            {
                differences[expected.Name] = string.Create(CultureInfo.InvariantCulture, $"has {actual.Rows} rows instead of {expected.Rows}");
            }
            else if (actual.Sum != expected.Sum)
            {
                differences[expected.Name] = "has other content";
            }
        }

        foreach (var extra in restored.Keys)
        {
            differences[extra] = "is not in the backup";
        }

        var values = sequences.ToDictionary(sequence => sequence.Name, sequence => sequence.Value, StringComparer.Ordinal);
        foreach (var expected in manifest.Sequences)
        {
            if (!values.TryGetValue(expected.Name, out var value))
            {
                differences[expected.Name] = "is missing";
            }
            else if (value < expected.From || value > expected.To)
            {
                differences[expected.Name] = string.Create(CultureInfo.InvariantCulture, $"stands at {value} instead of {expected.From} to {expected.To}");
            }
        }

        return differences;
    }
}
