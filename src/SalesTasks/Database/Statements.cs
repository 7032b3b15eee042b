using Npgsql;

namespace SalesTasks.Database;

/// <summary>Runs embedded statements on an open connection; a transaction of the connection applies by itself.</summary>
internal static class Statements
{
    private static readonly long s_epoch = new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    /// <summary>Runs a statement and returns the number of rows it touched.</summary>
    public static async Task<int> ExecuteStatementAsync(
        this NpgsqlConnection connection, string name, (string Name, object? Value)[] parameters, CancellationToken cancellationToken)
    {
        await using var command = Sql.Command(connection, name, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The first column of the first row; default where there is no row or it is null.</summary>
    public static async Task<T?> ScalarStatementAsync<T>(
        this NpgsqlConnection connection, string name, (string Name, object? Value)[] parameters, CancellationToken cancellationToken)
    {
        await using var command = Sql.Command(connection, name, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) && !await reader.IsDBNullAsync(0, cancellationToken)
            ? await reader.GetFieldValueAsync<T>(0, cancellationToken)
            : default;
    }

    /// <summary>All rows, each turned into a <typeparamref name="T"/>.</summary>
    public static async Task<List<T>> QueryStatementAsync<T>(
        this NpgsqlConnection connection,
        string name,
        (string Name, object? Value)[] parameters,
        Func<NpgsqlDataReader, T> map,
        CancellationToken cancellationToken)
    {
        await using var command = Sql.Command(connection, name, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(map(reader));
        }

        return rows;
    }

    /// <summary>
    /// An instant; one beyond the years 1 to 9999, which PostgreSQL has and .NET has not, comes as the last or first there is, as infinity does.
    /// </summary>
    public static DateTimeOffset GetInstant(this NpgsqlDataReader row, int column)
    {
        // As the server sends it: microseconds since 2000.
        var microseconds = row.GetFieldValue<long>(column);
        return microseconds > (DateTimeOffset.MaxValue.Ticks - s_epoch) / TimeSpan.TicksPerMicrosecond
            ? DateTimeOffset.MaxValue
            : microseconds < -s_epoch / TimeSpan.TicksPerMicrosecond
                ? DateTimeOffset.MinValue
                : new DateTimeOffset(s_epoch + (microseconds * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
    }
}
