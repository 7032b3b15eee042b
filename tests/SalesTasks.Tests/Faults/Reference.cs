using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace SalesTasks.Tests.Faults;

/// <summary>What a run without a fault leaves, and how to tell whether another one left the same.</summary>
/// <param name="Events">Events of the run, as the proxy counts them.</param>
/// <param name="Answer">What it answered.</param>
/// <param name="Digest">How to see what a database holds.</param>
/// <param name="State">What it held afterwards.</param>
/// <param name="Received">The keys of the messages that arrived.</param>
internal sealed record Reference(int Events, Answer Answer, Digest Digest, IReadOnlyDictionary<string, string> State, IReadOnlyList<string> Received)
{
    /// <summary>The same column by column.</summary>
    public required IReadOnlyDictionary<string, string> Columns { get; init; }

    /// <summary>
    /// Runs the job on two copies of the world that differ in the numbers of their sequences and in the time of the wall. What then differs says
    /// nothing and is not compared.
    /// </summary>
    public static async Task<Reference> FindAsync(FaultWorld world, Scene scene)
    {
        await using var one = await Trial.PrepareAsync(world, scene, idempotent: true);
        await using var other = await Trial.PrepareAsync(world, scene, idempotent: true);
        await Digest.ShiftSequencesAsync(other.Database);
        one.Proxy.Arm(Fault.Nothing);
        var answer = await one.RunAsync(scene);
        Assert.True(answer.ExitCode is ExitCode.Done, $"{scene}: {answer}");
        var events = one.Proxy.Events;
        await other.RunAsync(scene);
        var digest = await Digest.LearnAsync(one.Database, other.Database);
        var state = await digest.OfAsync(one.Database);
        Assert.Equal(state, await digest.OfAsync(other.Database));
        return new Reference(events, answer, digest, state, [.. one.Place.Received.Keys.Order(StringComparer.Ordinal)])
        {
            Columns = await digest.ColumnsAsync(one.Database),
        };
    }
}

/// <summary>The content of all tables without what differs from run to run: numbers of sequences, instants of the wall, chance.</summary>
internal sealed class Digest
{
    /// <summary>
    /// Tables that tell of attempts and not of what they came to: every try has a row in task_runs, which is looked at for itself; calls to a CRM
    /// count against its limit also where their answer was lost; what a dead import had staged stays for an hour; the journal of the
    /// routing has every run in it, with what it decided.
    /// </summary>
    private static readonly string[] s_attempts =
        ["task_runs", "crm_quotas", "lead_imports", "lead_import_rows", "routing_runs", "routing_run_reps", "routing_run_classes", "routing_decisions"];

    /// <summary>The same for columns.</summary>
    private static readonly string[] s_attemptColumns =
        [
            "outbox_messages.attempts", "outbox_messages.failures", "outbox_messages.reason", "crm_links.version", "crm_links.changes",
            // A backup is named by the second of the wall, and counts the rows of task_runs too, of which each try leaves one; partitions ahead that
            // a lock leaves to db maintain are not among its tables.
            "backups.name", "backups.rows", "backups.bytes", "backups.tables",
        ];

    private readonly IReadOnlyDictionary<string, string[]> _masked;
    private readonly string _sql;
    private readonly string _columnsSql;

    private Digest(IReadOnlyDictionary<string, string[]> masked, string columnsSql)
    {
        _columnsSql = columnsSql;
        _masked = masked;
        _sql = string.Join("\nUNION ALL\n", masked.Select(table =>
            $"SELECT '{table.Key}', count(*) || ' rows, ' || coalesce(md5(string_agg(row, chr(10) ORDER BY row)), '') "
            + $"FROM (SELECT (to_jsonb(t) - '{{{string.Join(',', table.Value)}}}'::text[])::text AS row FROM \"{table.Key}\" AS t) AS rows"));
    }

    /// <summary>What is not compared: the columns of each table.</summary>
    public IReadOnlyDictionary<string, string[]> Masked => _masked;

    public static Task ShiftSequencesAsync(NpgsqlConnectionStringBuilder database) => QueryAsync(
        database,
        "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, 0) + 5000)::text, '' FROM pg_sequences");

    public static async Task<Digest> LearnAsync(NpgsqlConnectionStringBuilder one, NpgsqlConnectionStringBuilder other)
    {
        var columns = await QueryAsync(
            one,
            """
            SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY 1, 2
            """);
        columns.RemoveAll(column => s_attempts.Contains(column.Table));
        var sql = string.Join("\nUNION ALL\n", columns.Select(column =>
            $"SELECT '{column.Table}.{column.Value}', coalesce(md5(string_agg(x, chr(10) ORDER BY x)), '') "
            + $"FROM (SELECT \"{column.Value}\"::text AS x FROM \"{column.Table}\") AS v"));
        var differing = (await QueryAsync(one, sql)).Except(await QueryAsync(other, sql)).Select(row => row.Table).ToHashSet(StringComparer.Ordinal);
        differing.UnionWith(s_attemptColumns);
        return new Digest(columns.GroupBy(column => column.Table, column => column.Value, StringComparer.Ordinal)
            .ToDictionary(table => table.Key, table => table.Where(column => differing.Contains($"{table.Key}.{column}")).ToArray(), StringComparer.Ordinal), sql);
    }

    /// <summary>Column by column, for the message of a failure.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ColumnsAsync(NpgsqlConnectionStringBuilder database) =>
        (await QueryAsync(database, _columnsSql)).ToDictionary(row => row.Table, row => row.Value, StringComparer.Ordinal);

    public async Task<IReadOnlyDictionary<string, string>> OfAsync(NpgsqlConnectionStringBuilder database) =>
        (await QueryAsync(database, _sql)).ToDictionary(row => row.Table, row => row.Value, StringComparer.Ordinal);

    [SuppressMessage("Security", "CA2100", Justification = "The test's own text over names of the catalogue.")]
    internal static async Task<List<(string Table, string Value)>> QueryAsync(NpgsqlConnectionStringBuilder database, string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<(string, string)>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            rows.Add((reader.GetString(0), reader.GetString(1)));
        }

        return rows;
    }
}
