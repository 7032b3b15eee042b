using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SalesTasks.Airflow;

/// <summary>
/// Turns one YAML document into JSON text, typing plain scalars as PyYAML's safe_load does where JSON has the type: null, booleans (yes and
/// on included), integers and decimals; everything else is text. Aliases and merge keys (<c>&lt;&lt;</c>) work, within limits that no
/// connections file reaches. Messages name lines only: the YAML parser's own may quote the file.
/// </summary>
internal sealed partial class YamlText
{
    private const int MaxDepth = 32;
    private const int MaxNodes = 100_000;

    private readonly ConnectionSource source;
    private readonly SafeParser parser;
    private readonly Dictionary<AnchorName, (JsonNode? Node, int Size)> anchors = [];
    private int nodes;

    private YamlText(string yaml, ConnectionSource source)
    {
        this.source = source;
        parser = new SafeParser(yaml, source);
    }

    /// <summary>The document as JSON text; <c>null</c> when it is empty.</summary>
    /// <exception cref="JobException">Not one well-formed YAML document; names the connection, the file and the line.</exception>
    public static string ToJson(string yaml, ConnectionSource source) =>
        new YamlText(yaml, source).ReadDocument()?.ToJsonString() ?? "null";

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex JsonNumber();

    private JsonNode? ReadDocument()
    {
        Expect<StreamStart>();
        if (!parser.TryConsume<DocumentStart>(out _))
        {
            return null;
        }

        var root = Read(depth: 0);
        Expect<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _))
        {
            throw Fault("holds more than one document");
        }

        return root;
    }

    private JsonNode? Read(int depth)
    {
        if (depth > MaxDepth || ++nodes > MaxNodes)
        {
            throw Fault("is nested too deep or too large");
        }

        if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            return Repeat(alias);
        }

        var before = nodes;
        var start = Expect<NodeEvent>();
        var node = start switch
        {
            Scalar scalar => ReadScalar(scalar),
            MappingStart => ReadMapping(depth),
            _ => ReadSequence(depth),
        };
        if (!start.Anchor.IsEmpty)
        {
            anchors[start.Anchor] = (node, nodes - before);
        }

        return node;
    }

    private JsonNode? Repeat(AnchorAlias alias)
    {
        if (!anchors.TryGetValue(alias.Value, out var anchored))
        {
            throw Fault("uses an alias before its anchor is complete");
        }

        nodes += anchored.Size;
        return nodes <= MaxNodes ? anchored.Node?.DeepClone() : throw Fault("is nested too deep or too large");
    }

    private JsonArray ReadSequence(int depth)
    {
        var array = new JsonArray();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            array.Add(Read(depth + 1));
        }

        return array;
    }

    private JsonObject ReadMapping(int depth)
    {
        var mapping = new JsonObject();
        var merged = new List<JsonNode?>();
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
            {
                throw Fault("has a key that is not plain text");
            }

            var value = Read(depth + 1);
            if (key.Style == ScalarStyle.Plain && string.Equals(key.Value, "<<", StringComparison.Ordinal))
            {
                merged.AddRange(value is JsonArray several ? several : [value]);
            }
            else if (!mapping.TryAdd(key.Value, value))
            {
                throw Fault($"gives {ConnectionSource.Shown(key.Value)} twice", key);
            }
        }

        foreach (var item in merged)
        {
            foreach (var (name, value) in item as JsonObject ?? throw Fault("merges (<<) something that is not an object"))
            {
                mapping.TryAdd(name, value?.DeepClone());
            }
        }

        return mapping;
    }

    private JsonNode? ReadScalar(Scalar scalar)
    {
        var text = scalar.Value;
        var typed = scalar.Tag.IsEmpty ? scalar.Style == ScalarStyle.Plain : !scalar.Tag.IsNonSpecific && IsTyped(scalar);
        if (!typed)
        {
            return JsonValue.Create(text);
        }

        return text switch
        {
            "" or "~" or "null" or "Null" or "NULL" => null,
            "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" => JsonValue.Create(true),
            "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => JsonValue.Create(false),
            _ => JsonNumber().IsMatch(text) ? JsonNode.Parse(text) : JsonValue.Create(text),
        };
    }

    private bool IsTyped(Scalar scalar) => scalar.Tag.Value switch
    {
        "tag:yaml.org,2002:str" => false,
        "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:bool" or "tag:yaml.org,2002:null" => true,
        _ => throw Fault("has a tag other than !!str, !!int, !!float, !!bool, !!null", scalar),
    };

    private T Expect<T>()
        where T : ParsingEvent =>
        parser.TryConsume<T>(out var found) ? found : throw Fault("is not valid YAML");

    private JobException Fault(string fault, ParsingEvent? at = null) =>
        source.Fault($"the file {fault} (line {at?.Start.Line ?? parser.Line})");

    /// <summary>The YAML parser, its complaints made ours; some malformed input makes it fail with unforeseen exceptions.</summary>
    private sealed class SafeParser(string yaml, ConnectionSource source) : IParser
    {
        private readonly Parser inner = new(new StringReader(yaml));

        public ParsingEvent? Current => inner.Current;

        public long Line { get; private set; } = 1;

        public bool MoveNext()
        {
            try
            {
                var more = inner.MoveNext();
                Line = inner.Current?.Start.Line ?? Line;
                return more;
            }
            catch (Exception exception) when (exception is YamlException or InvalidOperationException or ArgumentException)
            {
                var line = exception is YamlException { Start.Line: > 0 } told ? told.Start.Line : Line;
                throw source.Fault($"the file is not valid YAML (line {line})");
            }
        }
    }
}
