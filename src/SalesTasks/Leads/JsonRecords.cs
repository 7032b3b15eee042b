using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace SalesTasks.Leads;

/// <summary>
/// JSON records: one object a line, an array of objects, or an object whose <c>data</c> is such an array. Read piece by piece, so that an
/// array of any length needs the memory of one record. A bad line is one bad record; a fault inside an array ends the file, because nothing
/// tells where the next record starts. A field of an inner object is named with dots: <c>address.city</c>.
/// </summary>
internal sealed class JsonRecords : RecordReader
{
    private const int LargestRecord = 4 << 20;
    private static readonly byte[] s_byteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly PipeReader _pipe;
    private readonly string _file;
    private readonly List<string[]> _fields = [];
    private byte[] _record = new byte[4096];
    private int _length;
    private JsonDocument? _document;
    private string? _fault;
    private bool _pending;
    private bool _lines;
    private bool _manyChat;
    private long _line = 1;
    private long _nextLine = 1;
    private JsonReaderState _state;
    private Place _place = Place.Start;

    private JsonRecords(Stream stream, string file)
    {
        _pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 << 10));
        _file = file;
    }

    /// <summary>Where in a document that is not made of lines the reader stands.</summary>
    private enum Place
    {
        Start,
        Wrapper,
        SkippedValue,
        InsideSkipped,
        Data,
        Items,
        End,
    }

    public override long Line => _line;

    public override string Raw => Encoding.UTF8.GetString(_record, 0, _length);

    public override string? Fault => _fault;

    /// <summary>True where the records are subscribers of a ManyChat export.</summary>
    public bool IsManyChat => _manyChat;

    /// <summary>Opens the file and looks at its first record.</summary>
    /// <param name="stream">UTF-8; closed with the reader.</param>
    /// <param name="file">For messages.</param>
    /// <param name="manyChat">True or false where it is known; null: by the look of the first record.</param>
    /// <param name="cancellationToken">Ends the wait for the file.</param>
    public static async Task<JsonRecords> OpenAsync(Stream stream, string file, bool? manyChat, CancellationToken cancellationToken)
    {
        var records = new JsonRecords(stream, file);
        try
        {
            records._lines = await records.IsMadeOfLinesAsync(cancellationToken);
            records._pending = await records.ReadAsync(cancellationToken);
            records._manyChat = manyChat ?? (records._pending && records._document is { } first && ManyChat.IsSubscriber(first.RootElement));
            if (records is { _manyChat: true, _pending: true, _document: not null })
            {
                records.Normalize();
            }

            return records;
        }
        catch
        {
            await records.DisposeAsync();
            throw;
        }
    }

    public override int? Bind(string name)
    {
        _fields.Add([name, .. name.Contains('.', StringComparison.Ordinal) ? name.Split('.') : []]);
        return _fields.Count - 1;
    }

    public override async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_pending)
        {
            _pending = false;
            return true;
        }

        _document?.Dispose();
        _document = null;
        _fault = null;
        while (true)
        {
            var result = await _pipe.ReadAsync(cancellationToken);
            var found = _lines ? NextLine(result, out var consumed) : NextItem(result, out consumed);
            if (found)
            {
                _pipe.AdvanceTo(consumed);
                Parse();
                return true;
            }

            if (result.IsCompleted || (_place == Place.End && !_lines))
            {
                return false;
            }

            var rest = result.Buffer.Slice(consumed);
            if (rest.Length > LargestRecord)
            {
                throw JobException.Usage($"'{_file}': the record at line {_nextLine} is longer than 4 MB");
            }

            _pipe.AdvanceTo(consumed, result.Buffer.End);
        }
    }

    public override string? Get(int field) => Find(field) is { } value ? Text(value) : null;

    public override void Write(Utf8JsonWriter json, int field, string name, Func<string, bool> isEmpty)
    {
        if (Find(field) is { } value && !IsEmpty(value, isEmpty))
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }
    }

    public override void WriteRest(Utf8JsonWriter json, IReadOnlySet<int> except, Func<string, bool> isEmpty)
    {
        foreach (var member in _document!.RootElement.EnumerateObject())
        {
            if (!except.Any(field => string.Equals(_fields[field][0], member.Name, StringComparison.Ordinal)) && !IsEmpty(member.Value, isEmpty))
            {
                member.WriteTo(json);
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        _document?.Dispose();
        await _pipe.CompleteAsync();
    }

    private static bool IsEmpty(JsonElement value, Func<string, bool> isEmpty) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.String => value.GetString()!.Trim() is var text && (text.Length == 0 || isEmpty(text)),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        _ => false,
    };

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Null => null,
        _ => value.GetRawText(),
    };

    /// <summary>
    /// One object a line? Yes, unless the file starts with an array, or its first object is a wrapper around <c>data</c>, or goes on in the
    /// second line. A first line that is merely broken is told from that by how it ends and by how the second one starts.
    /// </summary>
    private async Task<bool> IsMadeOfLinesAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await _pipe.ReadAsync(cancellationToken);
            var text = result.Buffer;
            if (text.Length < s_byteOrderMark.Length && !result.IsCompleted)
            {
                _pipe.AdvanceTo(text.Start, text.End);
                continue;
            }

            if (text.Length >= s_byteOrderMark.Length && text.Slice(0, s_byteOrderMark.Length).ToArray().AsSpan().SequenceEqual(s_byteOrderMark))
            {
                text = text.Slice(s_byteOrderMark.Length);
            }

            var start = SkipWhiteSpace(text);
            var seen = text.Slice(start);
            var firstLineEnd = seen.PositionOf((byte)'\n');
            if (seen.IsEmpty || firstLineEnd is null)
            {
                if (!result.IsCompleted && seen.Length < LargestRecord)
                {
                    _pipe.AdvanceTo(text.Start, result.Buffer.End);
                    continue;
                }
            }

            _pipe.AdvanceTo(text.Start);
            return IsMadeOfLines(seen, firstLineEnd);
        }
    }

    private static bool IsMadeOfLines(ReadOnlySequence<byte> seen, SequencePosition? firstLineEnd)
    {
        if (seen.IsEmpty || seen.FirstSpan[0] == (byte)'[')
        {
            return seen.IsEmpty;
        }

        var firstLine = firstLineEnd is { } end ? seen.Slice(0, end) : seen;
        try
        {
            using var document = JsonDocument.Parse(firstLine);
            return document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("data", out var data)
                || data.ValueKind is not (JsonValueKind.Array or JsonValueKind.Object)
                || document.RootElement.TryGetProperty("id", out _);
        }
        catch (JsonException)
        {
            if (firstLineEnd is not { } lineEnd)
            {
                return false;
            }

            var goesOn = firstLine.ToArray().AsSpan().TrimEnd(" \t\r"u8) is [.., (byte)'{' or (byte)'[' or (byte)','];
            var secondLine = seen.Slice(seen.GetPosition(1, lineEnd));
            return !goesOn && !secondLine.IsEmpty && secondLine.FirstSpan[0] == (byte)'{';
        }
    }

    private static SequencePosition SkipWhiteSpace(ReadOnlySequence<byte> text)
    {
        var reader = new SequenceReader<byte>(text);
        reader.AdvancePastAny((byte)' ', (byte)'\t', (byte)'\r', (byte)'\n');
        return reader.Position;
    }

    private static long LineBreaks(ReadOnlySequence<byte> text)
    {
        long breaks = 0;
        foreach (var segment in text)
        {
            breaks += segment.Span.Count((byte)'\n');
        }

        return breaks;
    }

    /// <summary>By the whole name, else step by step along its dots.</summary>
    private JsonElement? Find(int field)
    {
        var path = _fields[field];
        var element = _document!.RootElement;
        if (element.TryGetProperty(path[0], out var value))
        {
            return value;
        }

        for (var step = 1; step < path.Length; step++)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(path[step], out element))
            {
                return null;
            }
        }

        return path.Length > 1 ? element : null;
    }

    private bool NextLine(ReadResult result, out SequencePosition consumed)
    {
        var rest = result.Buffer;
        consumed = rest.Start;
        while (!rest.IsEmpty)
        {
            var end = rest.PositionOf((byte)'\n');
            if (end is null && !result.IsCompleted)
            {
                return false;
            }

            var line = end is { } position ? rest.Slice(0, position) : rest;
            rest = end is { } found ? rest.Slice(rest.GetPosition(1, found)) : rest.Slice(rest.End);
            consumed = rest.Start;
            _line = _nextLine++;
            if (!line.Slice(SkipWhiteSpace(line)).IsEmpty)
            {
                Keep(line);
                return true;
            }
        }

        return false;
    }

    private bool NextItem(ReadResult result, out SequencePosition consumed)
    {
        var buffer = result.Buffer;
        try
        {
            var reader = new Utf8JsonReader(buffer, result.IsCompleted, _state);
            var found = NextItem(ref reader, buffer);
            consumed = reader.Position;
            _nextLine += LineBreaks(buffer.Slice(0, consumed));
            _state = reader.CurrentState;
            return found;
        }
        catch (JsonException exception)
        {
            throw JobException.Usage(
                $"'{_file}': not valid JSON at line {exception.LineNumber + 1}; allowed: one object a line, an array of objects, or an object "
                + "with such an array as \"data\"", exception);
        }
    }

    /// <summary>Moves to the end of the next record; false where more of the file is needed, or nothing is left.</summary>
    private bool NextItem(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        while (_place != Place.End)
        {
            var before = reader;
            if (!reader.Read())
            {
                return false;
            }

            switch (_place)
            {
                case Place.Items when reader.TokenType == JsonTokenType.EndArray:
                    _place = Place.End;
                    break;
                case Place.Items:
                case Place.Data when reader.TokenType == JsonTokenType.StartObject:
                    var start = reader.TokenStartIndex;
                    if (!reader.TrySkip())
                    {
                        reader = before;
                        return false;
                    }

                    _line = _nextLine + LineBreaks(buffer.Slice(0, start));
                    Keep(buffer.Slice(start, reader.BytesConsumed - start));
                    _place = _place == Place.Data ? Place.End : Place.Items;
                    return true;
                default:
                    Step(ref reader);
                    break;
            }
        }

        return false;
    }

    private void Step(ref Utf8JsonReader reader)
    {
        var opens = reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject;
        _place = _place switch
        {
            Place.Start or Place.Data when reader.TokenType == JsonTokenType.StartArray => Place.Items,
            Place.Start when reader.TokenType == JsonTokenType.StartObject => Place.Wrapper,
            Place.Wrapper when reader.TokenType == JsonTokenType.PropertyName =>
                reader.ValueTextEquals("data"u8) ? Place.Data : Place.SkippedValue,
            Place.SkippedValue when opens => Place.InsideSkipped,
            Place.SkippedValue => Place.Wrapper,
            // Inside the wrapper only the end of the skipped value itself is at depth 1.
            Place.InsideSkipped => !opens && reader.CurrentDepth == 1 ? Place.Wrapper : Place.InsideSkipped,
            _ => throw JobException.Usage(
                $"'{_file}' holds no records; allowed: one object a line, an array of objects, or an object with such an array as \"data\""),
        };
    }

    private void Keep(ReadOnlySequence<byte> record)
    {
        _length = (int)record.Length;
        if (_record.Length < _length)
        {
            _record = new byte[Math.Max(_length, _record.Length * 2)];
        }

        record.CopyTo(_record);
    }

    private void Parse()
    {
        try
        {
            CheckTexts(_record.AsSpan(0, _length));
            _document = JsonDocument.Parse(_record.AsMemory(0, _length));
            if (_document.RootElement.ValueKind != JsonValueKind.Object)
            {
                _fault = "is not a JSON object";
            }
            else if (_manyChat)
            {
                Normalize();
            }
        }
        catch (JsonException exception)
        {
            _fault = $"is not valid JSON at byte {exception.BytePositionInLine + 1}";
        }
        catch (InvalidOperationException)
        {
            _fault = "has a \\u escape that is one half of a surrogate pair";
        }
    }

    private void Normalize()
    {
        var normalized = ManyChat.Normalize(_document!.RootElement);
        _document.Dispose();
        _document = normalized;
    }

    /// <summary>What passes the syntax check and would fail later: half a surrogate pair, and NUL, which PostgreSQL does not store.</summary>
    private void CheckTexts(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IndexOf("\\u"u8) < 0)
        {
            return;
        }

        var reader = new Utf8JsonReader(utf8);
        while (reader.Read())
        {
            if (reader is { ValueIsEscaped: true, TokenType: JsonTokenType.String or JsonTokenType.PropertyName }
                && reader.GetString()!.Contains('\0', StringComparison.Ordinal))
            {
                _fault = RowFaults.Nul;
            }
        }
    }
}
