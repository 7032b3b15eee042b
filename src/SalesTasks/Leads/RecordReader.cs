using System.Text.Json;

namespace SalesTasks.Leads;

/// <summary>
/// Reads one file record by record, with flat memory. Fields are asked for by a number that <see cref="Bind"/> gave their name, so that
/// names are looked up once a file and not once a record.
/// </summary>
internal abstract class RecordReader : IAsyncDisposable
{
    /// <summary>The columns every record has, in the file's order; null where each record names its own fields.</summary>
    public virtual IReadOnlyList<string>? Columns => null;

    /// <summary>Line of the file where the current record starts, from 1.</summary>
    public abstract long Line { get; }

    /// <summary>The current record as it stands in the file.</summary>
    public abstract string Raw { get; }

    /// <summary>Why the current record cannot be read; null where it can.</summary>
    public abstract string? Fault { get; }

    /// <summary>The number of a field, or null where the file has no such column. Names compare without case.</summary>
    public abstract int? Bind(string name);

    /// <summary>Moves to the next record; false at the end of the file.</summary>
    /// <exception cref="JobException">64: the rest of the file cannot be read.</exception>
    public abstract ValueTask<bool> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The text of a field, as it stands in the file; null where the record lacks it.</summary>
    public abstract string? Get(int field);

    /// <summary>Writes a field that is not empty as a member of the open JSON object.</summary>
    public abstract void Write(Utf8JsonWriter json, int field, string name, Func<string, bool> isEmpty);

    /// <summary>Writes all fields but these, and but empty ones, as members of the open JSON object.</summary>
    public abstract void WriteRest(Utf8JsonWriter json, IReadOnlySet<int> except, Func<string, bool> isEmpty);

    public abstract ValueTask DisposeAsync();
}
