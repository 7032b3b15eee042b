using System.Text;
using System.Text.Json;
using CsvHelper;

namespace SalesTasks.Leads;

/// <summary>
/// CSV with a header line: comma, semicolon, tab or bar (found out by looking), quoted fields with line breaks and delimiters in them.
/// A record whose quotes are broken or whose number of columns differs from the header's is one bad record; the next one is read again.
/// </summary>
internal sealed class CsvRecords : RecordReader
{
    /// <summary>A quote that is never closed makes the rest of the file one record; memory must not follow.</summary>
    private const int LargestRecord = 1 << 20;

    private readonly CsvReader _reader;
    private readonly string _file;
    private readonly Dictionary<string, int> _fields = new(StringComparer.OrdinalIgnoreCase);
    private CsvMalformedReason? _malformed;
    private string[] _columns = [];

    private CsvRecords(Stream stream, Encoding encoding, string file)
    {
        _file = file;
        _reader = CsvReader.Create(stream, new CsvReaderOptions
        {
            Encoding = encoding,
            TrackLineNumbers = true,
            MaxRecordSize = LargestRecord,
            OnMalformedRecord = record => _malformed = record.Reason,
        });
    }

    public override IReadOnlyList<string> Columns => _columns;

    public override long Line => _reader.LineNumber;

    public override string Raw => Encoding.UTF8.GetString(_reader.RawRecord);

    public override string? Fault => _malformed switch
    {
        CsvMalformedReason.TextAfterClosingQuote => "text after a closing quote; a quote inside quotes is written twice",
        CsvMalformedReason.UnterminatedQuote => "a quote is opened and never closed: the rest of the file belongs to this record",
        _ when _reader.RawRecord.Contains((byte)0) => RowFaults.Nul,
        _ when _reader.FieldCount != _columns.Length => $"has {_reader.FieldCount} columns where the header has {_columns.Length}",
        _ => null,
    };

    /// <summary>Opens the file and reads its header.</summary>
    /// <exception cref="JobException">64: no header.</exception>
    public static async Task<CsvRecords> OpenAsync(Stream stream, Encoding encoding, string file, CancellationToken cancellationToken)
    {
        var records = new CsvRecords(stream, encoding, file);
        try
        {
            await records.ReadHeaderAsync(cancellationToken);
            return records;
        }
        catch
        {
            await records.DisposeAsync();
            throw;
        }
    }

    public override int? Bind(string name) => _fields.TryGetValue(name.Trim(), out var field) ? field : null;

    public override async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        _malformed = null;
        try
        {
            return await _reader.ReadAsync(cancellationToken);
        }
        catch (CsvFormatException exception)
        {
            throw TooLarge(exception);
        }
    }

    public override string? Get(int field) => _reader.GetString(field);

    public override void WriteRest(Utf8JsonWriter json, IReadOnlySet<int> except, Func<string, bool> isEmpty)
    {
        for (var field = 0; field < _columns.Length; field++)
        {
            if (!except.Contains(field))
            {
                Write(json, field, _columns[field], isEmpty);
            }
        }
    }

    public override void Write(Utf8JsonWriter json, int field, string name, Func<string, bool> isEmpty)
    {
        if (!_reader.GetSpan(field).IsEmpty && _reader.GetString(field).Trim() is { Length: > 0 } text && !isEmpty(text))
        {
            json.WriteString(name, text);
        }
    }

    public override ValueTask DisposeAsync() => _reader.DisposeAsync();

    private async Task ReadHeaderAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _reader.ReadHeaderAsync(cancellationToken);
        }
        catch (CsvFormatException exception)
        {
            throw TooLarge(exception);
        }

        if (_malformed is not null and not CsvMalformedReason.StrayQuote)
        {
            throw JobException.Usage($"'{_file}': the quotes of the header line are broken");
        }

        _columns = [.. _reader.Headers.ToArray().Select(name => name.Trim())];
        if (_columns.Length == 0)
        {
            throw JobException.Usage($"'{_file}' is empty; a CSV file needs a line with the names of its columns");
        }

        for (var field = 0; field < _columns.Length; field++)
        {
            Name(field);
        }
    }

    /// <summary>A name that occurs again is told apart by a number, a column without a name by its place.</summary>
    private void Name(int field)
    {
        var name = _columns[field].Length > 0 ? _columns[field] : $"column {field + 1}";
        var unique = name;
        for (var occurrence = 2; !_fields.TryAdd(unique, field); occurrence++)
        {
            unique = $"{name} ({occurrence})";
        }

        _columns[field] = unique;
    }

    private JobException TooLarge(CsvFormatException exception) => JobException.Usage(
        $"'{_file}': the record at line {exception.LineNumber} is longer than 1 MB; is a quote left open there?", exception);
}
