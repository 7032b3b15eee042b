using System.IO.Compression;
using System.Text;
using CsvHelper;

namespace SalesTasks.Predictions.Exports;

/// <summary>A CSV file that can be read more than once: any delimiter, UTF-8, UTF-16 or Windows-1252, packed with gzip or not.</summary>
internal sealed class ExportFile
{
    private const int LargestRecord = 1 << 20;

    private readonly string _path;
    private readonly Encoding _encoding;

    private ExportFile(string path, Encoding encoding, IReadOnlyList<string> columns)
    {
        _path = path;
        _encoding = encoding;
        Columns = columns;
    }

    /// <summary>The names in the header line; repeated ones are told apart by a number, missing ones named by their place.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <exception cref="JobException">64: no such file, not readable, empty.</exception>
    public static ExportFile Open(string path)
    {
        var encoding = DetectEncoding(path);
        using var reader = CreateReader(path, encoding);
        try
        {
            reader.ReadHeader();
        }
        catch (CsvFormatException exception)
        {
            throw TooLarge(path, exception);
        }

        var columns = new List<string>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var header in reader.Headers)
        {
            var name = header.Trim() is { Length: > 0 } given ? given : $"column {columns.Count + 1}";
            var unique = name;
            for (var occurrence = 2; !names.Add(unique); occurrence++)
            {
                unique = $"{name} ({occurrence})";
            }

            columns.Add(unique);
        }

        return columns.Count > 0
            ? new ExportFile(path, encoding, columns)
            : throw JobException.Usage($"'{path}' is empty; a CSV file needs a line with the names of its columns");
    }

    /// <summary>
    /// Reads all rows of as many fields as the header; the array is reused from row to row.
    /// </summary>
    /// <param name="wanted">Places of the columns that are asked for; the others stay null.</param>
    /// <param name="isMissing">Whether a trimmed, non-empty text stands for a missing value.</param>
    /// <param name="malformed">Called for each row of another shape, which is left out.</param>
    public IEnumerable<string?[]> Rows(IReadOnlyCollection<int> wanted, Func<string, bool> isMissing, Action malformed)
    {
        using var reader = CreateReader(_path, _encoding);
        reader.ReadHeader();
        var row = new string?[Columns.Count];
        while (Read(reader))
        {
            if (reader.FieldCount != row.Length)
            {
                malformed();
                continue;
            }

            foreach (var field in wanted)
            {
                row[field] = reader.GetString(field).Trim() is { Length: > 0 } text && !isMissing(text) ? text : null;
            }

            yield return row;
        }
    }

    private bool Read(CsvReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (CsvFormatException exception)
        {
            throw TooLarge(_path, exception);
        }
        catch (InvalidDataException exception)
        {
            throw NotPacked(_path, exception);
        }
    }

    private static CsvReader CreateReader(string path, Encoding encoding) => CsvReader.Create(Open(path, FileOptions.SequentialScan), new CsvReaderOptions
    {
        Encoding = encoding,
        MaxRecordSize = LargestRecord,
        PoolStrings = true,
        TrackLineNumbers = true,
        OnMalformedRecord = _ => { },
    });

    private static Stream Open(string path, FileOptions options)
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 128 << 10, options);
            return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw JobException.Usage(
                $"--csv '{path}': cannot be read ({exception.GetType().Name}); allowed: a CSV file with a header line that this user may read", exception);
        }
    }

    /// <summary>A byte order mark decides; else strict UTF-8 where the whole file is; else Windows-1252, which every byte is.</summary>
    private static Encoding DetectEncoding(string path)
    {
        using var stream = Open(path, FileOptions.SequentialScan);
        var decoder = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetDecoder();
        var buffer = new byte[128 << 10];
        var characters = new char[buffer.Length + 1];
        var first = true;
        try
        {
            while (true)
            {
                var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
                switch (buffer.AsSpan(0, first ? length : 0))
                {
                    case [0xFF, 0xFE, ..]:
                        return Encoding.Unicode;
                    case [0xFE, 0xFF, ..]:
                        return Encoding.BigEndianUnicode;
                }

                first = false;
                decoder.GetChars(buffer, 0, length, characters, 0, flush: length < buffer.Length);
                if (length < buffer.Length)
                {
                    return Encoding.UTF8;
                }
            }
        }
        catch (DecoderFallbackException)
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        }
        catch (InvalidDataException exception)
        {
            throw NotPacked(path, exception);
        }
    }

    private static JobException TooLarge(string path, CsvFormatException exception) => JobException.Usage(
        $"'{path}': the record at line {exception.LineNumber} is longer than 1 MB; is a quote left open there?", exception);

    private static JobException NotPacked(string path, InvalidDataException exception) =>
        JobException.Usage($"'{path}' ends in .gz and is not packed with gzip, or is damaged", exception);
}
