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
    private readonly Parser parser;
    private readonly Dictionary<AnchorName, (JsonNode? Node, int Size)> anchors = [];
    private int nodes;

    private YamlText(string yaml, ConnectionSource source)
    {
        this.source = source;
        parser = new Parser(new StringReader(yaml));
    }

    /// <summary>The document as JSON text; <c>null</c> when it is empty.</summary>
    /// <exception cref="JobException">Not one well-formed YAML document; names the connection looked for, the file and the line.</exception>
    public static string ToJson(string yaml, ConnectionSource source)
    {
        try
        {
            return new YamlText(yaml, source).ReadDocument()?.ToJsonString() ?? "null";
        }
        catch (YamlException exception)
        {
            throw source.Fault($"the file is not valid YAML (line {exception.Start.Line})");
        }
    }

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex JsonNumber();

    private JsonNode? ReadDocument()
    {
        parser.Consume<StreamStart>();
        if (!parser.Accept<DocumentStart>(out _))
        {
            return null;
        }

        parser.Consume<DocumentStart>();
        var root = Read(depth: 0);
        parser.Consume<DocumentEnd>();
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
        var start = parser.Consume<NodeEvent>();
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
                throw Fault($"gives {ConnectionSource.Shown(key.Value)} twice");
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
        if (!scalar.Tag.IsEmpty && !scalar.Tag.IsNonSpecific && scalar.Tag != "tag:yaml.org,2002:str")
        {
            throw Fault("has a tag other than !!str");
        }

        if (scalar.Style != ScalarStyle.Plain || !scalar.Tag.IsEmpty)
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

    private JobException Fault(string fault) =>
        source.Fault($"the file {fault} (line {parser.Current?.Start.Line})");
}
