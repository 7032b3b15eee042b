using Npgsql;
using NpgsqlTypes;

namespace SalesTasks.Database;

/// <summary>COPY of rows that are in memory.</summary>
internal static class BinaryCopy
{
    public static async Task CopyAsync<T>(
        this NpgsqlConnection connection, string statement, IEnumerable<T> items, Action<BinaryRow, T> write, CancellationToken cancellationToken)
    {
        // Npgsql wants COPY to be the first word; the statement's comment comes before it.
        var text = Sql.Load(statement);
        await using var import = await connection.BeginBinaryImportAsync(text[text.IndexOf("COPY", StringComparison.Ordinal)..], cancellationToken);
        var row = new BinaryRow(import);
        foreach (var item in items)
        {
            await import.StartRowAsync(cancellationToken);
            write(row, item);
        }

        await import.CompleteAsync(cancellationToken);
    }
}

/// <summary>Writes the columns of one row in their order. Text serves for enumerations too, whose binary form is their name.</summary>
internal readonly struct BinaryRow(NpgsqlBinaryImporter import)
{
    public void Write(string value) => import.Write(value, NpgsqlDbType.Text);

    public void Write(long value) => import.Write(value, NpgsqlDbType.Bigint);

    public void Write(long? value) => Nullable(value, NpgsqlDbType.Bigint);

    public void Write(short value) => import.Write(value, NpgsqlDbType.Smallint);

    public void Write(DateTimeOffset value) => import.Write(value.UtcDateTime, NpgsqlDbType.TimestampTz);

    public void Write(int value) => import.Write(value, NpgsqlDbType.Integer);

    public void Write(int? value) => Nullable(value, NpgsqlDbType.Integer);

    public void Write(bool value) => import.Write(value, NpgsqlDbType.Boolean);

    public void Write(double value) => import.Write(value, NpgsqlDbType.Double);

    public void Write(double? value) => Nullable(value, NpgsqlDbType.Double);

    public void Write(string[] value) => import.Write(value, NpgsqlDbType.Array | NpgsqlDbType.Text);

    public void Write(double[] value) => import.Write(value, NpgsqlDbType.Array | NpgsqlDbType.Double);

    public void Write(float[] value) => import.Write(value, NpgsqlDbType.Array | NpgsqlDbType.Real);

    private void Nullable<T>(T? value, NpgsqlDbType type)
        where T : struct
    {
        if (value is { } some)
        {
            import.Write(some, type);
        }
        else
        {
            import.WriteNull();
        }
    }
}
