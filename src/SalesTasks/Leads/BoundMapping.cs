using System.Buffers;
using System.Text;
using System.Text.Json;

namespace SalesTasks.Leads;

/// <summary>One row as it goes into staging; reused from record to record.</summary>
internal sealed class MappedRow(int columns)
{
    /// <summary>Stands for an event type that is known and is no engagement: sent, delivered, bounced.</summary>
    public const string NoEngagement = "";

    /// <summary>By <see cref="TargetColumn.Index"/>: text, bool, decimal or DateTime; null: not given.</summary>
    public object?[] Values { get; } = new object?[columns];

    /// <summary>Columns that no rule uses, as a JSON object; null where there is none.</summary>
    public string? Attributes { get; set; }

    /// <summary>Why the row is rejected; null where it is good.</summary>
    public string? Fault { get; set; }

    /// <summary>Values that could not be used though the row can.</summary>
    public int Unusable { get; set; }

    public object? this[TargetColumn column]
    {
        get => Values[column.Index];
        set => Values[column.Index] = value;
    }
}

/// <summary>A mapping that knows the numbers of its file's columns.</summary>
internal sealed class BoundMapping : IDisposable
{
    private readonly RecordReader _reader;
    private readonly MappingDocument _document;
    private readonly List<Rule> _rules = [];
    private readonly List<(string Name, int Field)> _attributes = [];
    private readonly HashSet<int> _used = [];
    private readonly DateTime _latest;
    private readonly StringBuilder _text = new();
    private readonly ArrayBufferWriter<byte> _json = new();
    private readonly Utf8JsonWriter _writer;
    private readonly List<(string Name, string Text)> _unusable = [];

    private BoundMapping(MappingDocument document, RecordReader reader, DateTimeOffset asOf)
    {
        _document = document;
        _reader = reader;
        // Clocks of sources run ahead; a day is more than any of them.
        _latest = asOf.UtcDateTime.AddDays(1);
        _writer = new Utf8JsonWriter(_json);
    }

    /// <summary>The columns that an empty text erases.</summary>
    public static string[] Erased(MappingDocument document) => [.. document.Columns.Where(rule => rule.Erase).Select(rule => rule.Target.Name)];

    /// <summary>Looks the columns of the mapping up in the file.</summary>
    /// <exception cref="JobException">64: columns are missing; names all of them, the file, and the columns found.</exception>
    public static BoundMapping Bind(MappingDocument document, RecordReader reader, string file, DateTimeOffset asOf)
    {
        var bound = new BoundMapping(document, reader, asOf);
        var faults = new List<string>();
        foreach (var spec in document.Columns)
        {
            bound.Add(spec, faults);
        }

        foreach (var name in document.Attributes)
        {
            if (reader.Bind(name) is { } field)
            {
                bound._attributes.Add((name, field));
            }
            else
            {
                faults.Add($"'{name}' (for attributes)");
            }
        }

        // A column to ignore that is not there is ignored.
        bound._used.UnionWith(document.Ignore.Select(reader.Bind).OfType<int>());
        return faults.Count == 0
            ? bound
            : throw JobException.Usage(
                $"'{file}' lacks {(faults.Count == 1 ? "a column" : "columns")} that the mapping reads: {string.Join(", ", faults)}; "
                + $"columns found: {string.Join(", ", reader.Columns ?? [])}");
    }

    /// <summary>The mapping for files whose columns are named as ours: exact names first, other usual names next.</summary>
    /// <exception cref="JobException">64: a column that must be there is not.</exception>
    /// <param name="kind">Leads or engagement.</param>
    /// <param name="reader">The file.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="required">Groups of columns, of each of which the file must have one; JSON records are judged one by one.</param>
    public static MappingDocument ByName(string kind, RecordReader reader, string file, params TargetColumn[][] required)
    {
        var rules = new List<ColumnSpec>();
        foreach (var target in MappingDocument.Targets(kind))
        {
            string[] names = [target.Name, .. target.OtherNames];
            var from = reader.Columns is { } columns
                ? names.SelectMany(name => columns.Where(column => Plain(column) == Plain(name))).Distinct(StringComparer.Ordinal)
                : names.SelectMany(name => new[] { name, CamelCase(name) }).Distinct(StringComparer.Ordinal);
            if (from.ToList() is { Count: > 0 } found)
            {
                rules.Add(new ColumnSpec(target) { From = found });
            }
        }

        foreach (var group in required.Where(_ => reader.Columns is not null))
        {
            if (!rules.Exists(rule => group.Contains(rule.Target)))
            {
                throw JobException.Usage(
                    $"'{file}' has no column {string.Join(" or ", group.Select(column => column.Name))}; columns found: "
                    + $"{string.Join(", ", reader.Columns ?? [])}. Rename a column, or say with --mapping or --mapping-file what it is filled from"
                    + (group.Contains(LeadColumns.Source) ? ", or give the source of all rows with --source." : "."));
            }
        }

        return new MappingDocument { Kind = kind, Columns = rules, Empty = new HashSet<string>(StringComparer.OrdinalIgnoreCase) };
    }

    /// <summary>Reads the reader's current record into <paramref name="row"/>.</summary>
    public void Read(MappedRow row)
    {
        Array.Clear(row.Values);
        row.Attributes = null;
        row.Unusable = 0;
        row.Fault = _reader.Fault;
        if (row.Fault is not null)
        {
            return;
        }

        _unusable.Clear();
        foreach (var rule in _rules)
        {
            if (TextOf(rule) is not { } text)
            {
                continue;
            }

            var reading = ValueReader.Read(rule.Spec, text, _latest);
            row.Values[rule.Spec.Target.Index] = reading.Value;
            row.Fault ??= reading.Fault;
            if (reading.Unusable is { } unusable)
            {
                _unusable.Add((rule.Spec.Target.Name + "_invalid", unusable));
            }
        }

        row.Unusable = _unusable.Count;
    }

    /// <summary>Sets the attributes of a good row: members of the caller's, then what no rule uses.</summary>
    public void ReadAttributes(MappedRow row, params ReadOnlySpan<(string Name, string? Text)> members)
    {
        _json.ResetWrittenCount();
        _writer.Reset(_json);
        _writer.WriteStartObject();
        foreach (var (name, text) in members)
        {
            if (text is not null)
            {
                _writer.WriteString(name, text);
            }
        }

        foreach (var (name, text) in _unusable)
        {
            _writer.WriteString(name, text);
        }

        foreach (var (name, field) in _attributes)
        {
            _reader.Write(_writer, field, name, _document.Empty.Contains);
        }

        if (_document.Rest == RestRule.Keep)
        {
            _reader.WriteRest(_writer, _used, _document.Empty.Contains);
        }

        _writer.WriteEndObject();
        _writer.Flush();
        const int EmptyObject = 2;
        row.Attributes = _json.WrittenCount > EmptyObject ? Encoding.UTF8.GetString(_json.WrittenSpan) : null;
    }

    public void Dispose() => _writer.Dispose();

    private static string Plain(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    private static string CamelCase(string name) => string.Concat(
        name.Split('_').Select((word, index) => index == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));

    private void Add(ColumnSpec spec, List<string> faults)
    {
        var parts = new List<(string? Text, int Field)>();
        foreach (var (text, isColumn) in spec.Value is { } value ? Template.Parse(value)! : [])
        {
            if (!isColumn)
            {
                parts.Add((text, -1));
            }
            else if (_reader.Bind(text) is { } field)
            {
                parts.Add((null, field));
            }
            else
            {
                faults.Add($"'{text}' (for {spec.Target.Name})");
            }
        }

        var fields = spec.From.Select(_reader.Bind).OfType<int>().ToArray();
        if (spec.From.Count > 0 && fields.Length == 0 && !spec.Optional)
        {
            faults.Add($"'{string.Join("' or '", spec.From)}' (for {spec.Target.Name})");
        }

        _used.UnionWith(fields);
        _used.UnionWith(parts.Where(part => part.Text is null).Select(part => part.Field));
        _rules.Add(new Rule(spec, fields, parts));
    }

    /// <summary>The text to read a value from: trimmed, mapped, defaulted, in the case asked for; null where it is empty.</summary>
    private string? TextOf(Rule rule)
    {
        var text = rule.Parts.Count > 0 ? Fill(rule) : FirstOf(rule);
        if (text is not null && rule.Spec.Map.TryGetValue(text, out var mapped))
        {
            text = mapped.Length > 0 ? mapped : null;
        }

        text ??= rule.Spec.Default;
        return rule.Spec.Lower switch
        {
            true => text?.ToLowerInvariant(),
            false => text?.ToUpperInvariant(),
            null => text,
        };
    }

    private string? FirstOf(Rule rule)
    {
        foreach (var field in rule.Fields)
        {
            if (Given(rule, field) is { } text)
            {
                return text;
            }
        }

        return null;
    }

    private string? Fill(Rule rule)
    {
        _text.Clear();
        foreach (var (literal, field) in rule.Parts)
        {
            if ((literal ?? Given(rule, field)) is not { } part)
            {
                return null;
            }

            _text.Append(part);
        }

        return _text.ToString();
    }

    private string? Given(Rule rule, int field) =>
        _reader.Get(field)?.Trim() is { Length: > 0 } text && !_document.Empty.Contains(text)
        && !rule.Spec.Empty.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? text
            : null;

    private sealed record Rule(ColumnSpec Spec, int[] Fields, IReadOnlyList<(string? Text, int Field)> Parts);
}
