using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SalesTasks.Leads;

/// <summary>What happens to the columns of a file that no rule uses.</summary>
internal enum RestRule
{
    /// <summary>Kept as attributes of the lead, or metadata of the event.</summary>
    Keep,

    /// <summary>Left out.</summary>
    Drop,
}

/// <summary>One rule: which column of <c>leads</c> or of an event is filled from what, and how its text is read.</summary>
internal sealed record ColumnSpec(TargetColumn Target)
{
    /// <summary>Columns of the file; the first one that is not empty counts.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>A text with columns in braces, instead of <see cref="From"/>; empty when one of them is.</summary>
    public string? Value { get; init; }

    public string? Default { get; init; }

    /// <summary>Texts that count as empty, beside those of the whole mapping.</summary>
    public IReadOnlyList<string> Empty { get; init; } = [];

    /// <summary>Text of the file → text to read instead; the others stay. Compared without case.</summary>
    public IReadOnlyDictionary<string, string> Map { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>True: lower case, false: upper case, null: as it is.</summary>
    public bool? Lower { get; init; }

    /// <summary>Cut a text that is too long instead of rejecting the row.</summary>
    public bool Cut { get; init; }

    /// <summary>.NET date formats, <c>unix</c> (seconds) or <c>unix_ms</c>; none: ISO 8601.</summary>
    public IReadOnlyList<string> Formats { get; init; } = [];

    /// <summary>Of dates without an offset.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>The decimal sign, the other one then groups thousands; null: a point, and no groups.</summary>
    public char? Decimal { get; init; }

    /// <summary>Texts that mean true and false, instead of the usual ones.</summary>
    public IReadOnlyList<string> Yes { get; init; } = [];

    public IReadOnlyList<string> No { get; init; } = [];

    /// <summary>A flag is true where the number is greater than this.</summary>
    public decimal? Above { get; init; }

    /// <summary>An empty text erases what is stored.</summary>
    public bool Erase { get; init; }

    /// <summary>The file may lack the column.</summary>
    public bool Optional { get; init; }
}

/// <summary>
/// A column mapping: YAML (or JSON, which is YAML). Everything in it is checked when it is read, and every fault is reported with its line.
/// </summary>
internal sealed record MappingDocument
{
    public const string Leads = "leads";
    public const string Engagement = "engagement";

    public required string Kind { get; init; }

    public required IReadOnlyList<ColumnSpec> Columns { get; init; }

    /// <summary>Texts that count as empty in every column. Compared without case.</summary>
    public required IReadOnlySet<string> Empty { get; init; }

    public RestRule Rest { get; init; }

    /// <summary>The only columns to keep as attributes; empty: see <see cref="Rest"/>.</summary>
    public IReadOnlyList<string> Attributes { get; init; } = [];

    /// <summary>Columns that are never stored.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    public static IReadOnlyList<TargetColumn> Targets(string kind) =>
        string.Equals(kind, Engagement, StringComparison.Ordinal) ? EventColumns.All : LeadColumns.All;

    /// <exception cref="JobException">64: all faults, each with its line and what is allowed.</exception>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="origin">For messages: the file, or the name it is saved under.</param>
    public static MappingDocument Parse(string text, string origin)
    {
        YamlNode? root;
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            root = stream.Documents.Count == 1 ? stream.Documents[0].RootNode : null;
        }
        catch (YamlException exception)
        {
            throw JobException.Usage($"{origin}, line {exception.Start.Line}: not valid YAML: {exception.Message}", exception);
        }

        var faults = new List<string>();
        var document = root is YamlMappingNode mapping ? new Parser(faults).Read(mapping) : null;
        if (root is not YamlMappingNode)
        {
            faults.Add("line 1: a mapping is one YAML object with the key columns");
        }

        return faults.Count == 0
            ? document!
            : throw JobException.Usage(string.Join(Environment.NewLine, faults.Select(fault => $"{origin}, {fault}")));
    }

    private sealed class Parser(List<string> faults)
    {
        private static readonly string[] s_keys = ["kind", "columns", "empty", "attributes", "ignore"];

        private static readonly string[] s_columnKeys =
            ["from", "value", "default", "empty", "map", "case", "cut", "format", "time_zone", "decimal", "yes", "no", "above", "erase", "optional"];

        public MappingDocument Read(YamlMappingNode root)
        {
            var members = Members(root, s_keys, "a mapping");
            var kind = members.TryGetValue("kind", out var kindNode) ? Choice(kindNode, "kind", Leads, Engagement) : Leads;
            var columns = new List<ColumnSpec>();
            if (members.TryGetValue("columns", out var columnsNode) && columnsNode is YamlMappingNode { Children.Count: > 0 } list)
            {
                var targets = Targets(kind).ToDictionary(t => t.Name, StringComparer.Ordinal);
                foreach (var (name, rule) in Members(list, [.. targets.Keys], "columns"))
                {
                    columns.Add(Column(targets[name], rule));
                }
            }
            else
            {
                Fault(columnsNode ?? root, "columns: missing; allowed: an object of column: rule");
            }

            var (rest, attributes) = Attributes(members.GetValueOrDefault("attributes"));
            return new MappingDocument
            {
                Kind = kind,
                Columns = columns,
                Empty = Texts(members.GetValueOrDefault("empty"), "empty").ToHashSet(StringComparer.OrdinalIgnoreCase),
                Rest = rest,
                Attributes = attributes,
                Ignore = Texts(members.GetValueOrDefault("ignore"), "ignore"),
            };
        }

        private ColumnSpec Column(TargetColumn target, YamlNode rule)
        {
            if (rule is YamlScalarNode or YamlSequenceNode)
            {
                return new ColumnSpec(target) { From = Texts(rule, target.Name) };
            }

            if (rule is not YamlMappingNode node)
            {
                Fault(rule, $"{target.Name}: allowed: one or more columns of the file, or an object");
                return new ColumnSpec(target);
            }

            var members = Members(node, s_columnKeys, target.Name);
            foreach (var (name, kinds) in s_onlyFor)
            {
                if (members.TryGetValue(name, out var misplaced) && !kinds.Contains(target.Kind))
                {
                    Fault(misplaced, $"{target.Name}: {name} has no meaning for this column");
                }
            }

            var spec = new ColumnSpec(target)
            {
                From = Texts(members.GetValueOrDefault("from"), "from"),
                Value = Text(members.GetValueOrDefault("value"), "value"),
                Default = Text(members.GetValueOrDefault("default"), "default"),
                Empty = Texts(members.GetValueOrDefault("empty"), "empty"),
                Map = Map(members.GetValueOrDefault("map")),
                Lower = members.TryGetValue("case", out var letters) ? Choice(letters, "case", "lower", "upper") is "lower" : null,
                Cut = Flag(members.GetValueOrDefault("cut"), "cut"),
                Formats = Formats(members.GetValueOrDefault("format")),
                TimeZone = Zone(members.GetValueOrDefault("time_zone")),
                Decimal = members.TryGetValue("decimal", out var sign) ? Choice(sign, "decimal", ".", ",")[0] : null,
                Yes = Texts(members.GetValueOrDefault("yes"), "yes"),
                No = Texts(members.GetValueOrDefault("no"), "no"),
                Above = Number(members.GetValueOrDefault("above")),
                Erase = Flag(members.GetValueOrDefault("erase"), "erase"),
                Optional = Flag(members.GetValueOrDefault("optional"), "optional"),
            };
            if (spec.From.Count > 0 == spec.Value is not null)
            {
                Fault(node, $"{target.Name}: allowed: either from (a column of the file) or value (a text with columns in braces)");
            }

            if (spec.Value is not null && Template.Parse(spec.Value) is null)
            {
                Fault(members["value"], $"{target.Name}: value has a brace without its partner; a brace itself is written twice");
            }

            if (spec.Erase && (target.Name is "ext_id" or "source" or "created_at" || Targets(Engagement).Contains(target)))
            {
                Fault(members["erase"], $"{target.Name}: cannot be erased");
            }

            return spec;
        }

        private static readonly Dictionary<string, ValueKind[]> s_onlyFor = new(StringComparer.Ordinal)
        {
            ["cut"] = [ValueKind.Text],
            ["format"] = [ValueKind.Instant],
            ["time_zone"] = [ValueKind.Instant],
            ["decimal"] = [ValueKind.Amount, ValueKind.Flag],
            ["yes"] = [ValueKind.Flag],
            ["no"] = [ValueKind.Flag],
            ["above"] = [ValueKind.Flag],
        };

        private (RestRule Others, IReadOnlyList<string> Listed) Attributes(YamlNode? node) => node switch
        {
            null or YamlScalarNode { Value: "rest" } => (RestRule.Keep, []),
            YamlScalarNode { Value: "none" } => (RestRule.Drop, []),
            YamlSequenceNode => (RestRule.Drop, Texts(node, "attributes")),
            _ => FaultOf(node, "attributes: allowed: rest, none, or a list of columns", (RestRule.Keep, (IReadOnlyList<string>)[])),
        };

        private Dictionary<string, YamlNode> Members(YamlMappingNode node, IReadOnlyCollection<string> allowed, string what)
        {
            var members = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
            foreach (var (key, value) in node.Children)
            {
                var name = (key as YamlScalarNode)?.Value ?? "";
                if (allowed.Contains(name))
                {
                    members[name] = value;
                }
                else
                {
                    Fault(key, $"{what}: unknown '{name}'; allowed: {string.Join(", ", allowed)}");
                }
            }

            return members;
        }

        private string? Text(YamlNode? node, string what) => node switch
        {
            null => null,
            YamlScalarNode { Value: { Length: > 0 } text } => text,
            _ => FaultOf<string?>(node, $"{what}: allowed: a text", null),
        };

        private string[] Texts(YamlNode? node, string what) => node switch
        {
            null => [],
            YamlScalarNode { Value.Length: > 0 } one => [one.Value],
            YamlSequenceNode list when list.Children.Count > 0 && list.Children.All(child => child is YamlScalarNode) =>
                [.. list.Children.Select(child => ((YamlScalarNode)child).Value ?? "")],
            _ => FaultOf<string[]>(node, $"{what}: allowed: a text or a list of texts", []),
        };

        private Dictionary<string, string> Map(YamlNode? node)
        {
            var map = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            if (node is YamlMappingNode entries)
            {
                foreach (var (key, value) in entries.Children)
                {
                    if (key is YamlScalarNode from && value is YamlScalarNode to)
                    {
                        map[from.Value ?? ""] = to.Value ?? "";
                    }
                    else
                    {
                        Fault(key, "map: allowed: text: text");
                    }
                }
            }
            else if (node is not null)
            {
                Fault(node, "map: allowed: an object of text: text");
            }

            return map;
        }

        private string[] Formats(YamlNode? node)
        {
            var formats = Texts(node, "format");
            foreach (var format in formats.Where(f => f is not ("unix" or "unix_ms")))
            {
                try
                {
                    // A format that cannot write a date cannot read one.
                    _ = DateTimeOffset.UnixEpoch.ToString(format, CultureInfo.InvariantCulture);
                }
                catch (FormatException)
                {
                    Fault(node!, $"format: '{format}' is no date format; allowed: unix, unix_ms, or letters as in dd/MM/yyyy HH:mm:ss");
                }
            }

            return formats;
        }

        private TimeZoneInfo Zone(YamlNode? node) => Text(node, "time_zone") switch
        {
            null => TimeZoneInfo.Utc,
            var name when TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) => zone,
            var name => FaultOf(node!, $"time_zone: '{name}' is not known; allowed: names such as Europe/Madrid", TimeZoneInfo.Utc),
        };

        private decimal? Number(YamlNode? node)
        {
            if (Text(node, "above") is not { } text)
            {
                return null;
            }

            return decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : FaultOf<decimal?>(node!, "above: allowed: a number", null);
        }

        private bool Flag(YamlNode? node, string what) => node is not null && Choice(node, what, "true", "false") is "true";

        private string Choice(YamlNode node, string what, params string[] allowed) =>
            node is YamlScalarNode { Value: { } text } && allowed.Contains(text, StringComparer.Ordinal)
                ? text
                : FaultOf(node, $"{what}: allowed: {string.Join(", ", allowed)}", allowed[0]);

        private void Fault(YamlNode node, string text) => faults.Add($"line {node.Start.Line}: {text}");

        private T FaultOf<T>(YamlNode node, string text, T value)
        {
            Fault(node, text);
            return value;
        }
    }
}
