using System.Text.Json;

namespace SalesTasks.Crm;

/// <summary>Who is right where both sides changed a field.</summary>
internal enum FieldRule
{
    Ours,
    Theirs,

    /// <summary>The side whose record changed last.</summary>
    Newest,
}

/// <summary>One of our fields and the CRM's that holds the same.</summary>
internal sealed record FieldMapping(OurField Ours, string Theirs, FieldRule Rule)
{
    /// <summary>The word that stands there for nothing, where the CRM demands a value.</summary>
    public string? Empty { get; init; }
}

/// <summary>How an object is kept in step.</summary>
/// <param name="Kind">Leads or deals.</param>
/// <param name="Key">The CRM's unique property that holds our key.</param>
/// <param name="Fields">What is compared.</param>
/// <param name="Constants">What every new record gets, by the CRM's field name.</param>
internal sealed record ObjectMapping(
    CrmObject Kind, string Key, IReadOnlyList<FieldMapping> Fields, IReadOnlyDictionary<string, string> Constants)
{
    /// <summary>The CRM's field by which people are recognised; null: they are not.</summary>
    public string? Match { get; init; }

    /// <summary>Every property that has to be read.</summary>
    public IReadOnlyList<string> Properties => [Key, .. Fields.Select(f => f.Theirs)];
}

/// <summary>
/// The mapping file: which fields, stages and owners of ours are which of the CRM's. Read as a whole; every fault is named.
/// </summary>
internal sealed class CrmMapping
{
    private static readonly string[] s_members =
        ["crm", "leads", "deals", "stages", "owners", "lead_selection", "create_leads", "deletions"];

    private static readonly string[] s_objectMembers = ["key", "fields", "constants", "match"];
    private static readonly string[] s_fieldMembers = ["ours", "theirs", "rule", "empty"];
    private static readonly string[] s_stages =
        ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"];

    private readonly string _place;
    private readonly List<string> _faults = [];

    private CrmMapping(string place) => _place = place;

    public ObjectMapping Leads { get; private set; } = null!;

    public ObjectMapping Deals { get; private set; } = null!;

    /// <summary>The CRM's stage by ours; all seven.</summary>
    public IReadOnlyDictionary<string, string> Stages { get; private set; } = new Dictionary<string, string>();

    /// <summary>The owner's id or e-mail address in the CRM by the representative's address here, where the two differ.</summary>
    public IReadOnlyDictionary<string, string> Owners { get; private set; } = new Dictionary<string, string>();

    /// <summary>Push every lead, not only those with a deal.</summary>
    public bool AllLeads { get; private set; }

    /// <summary>Make leads of the CRM's records that are none here.</summary>
    public bool CreateLeads { get; private set; }

    /// <summary>Delete in the CRM what was deleted here.</summary>
    public bool ArchiveTheirs { get; private set; }

    public ObjectMapping Of(CrmObject kind) => kind is CrmObject.Lead ? Leads : Deals;

    /// <summary>The mapping of a file, or the one that comes with the program.</summary>
    /// <exception cref="JobException">64: no such file, not readable, or faults in it.</exception>
    public static CrmMapping Load(string crm, string? file)
    {
        string text;
        string place;
        if (file is null)
        {
            place = $"the mapping that comes with the program ({crm})";
            using var stream = typeof(CrmMapping).Assembly.GetManifestResourceStream($"crm/{crm}.json")
                ?? throw new InvalidOperationException($"No embedded mapping crm/{crm}.json.");
            using var reader = new StreamReader(stream);
            text = reader.ReadToEnd();
        }
        else
        {
            place = $"mapping_file '{file}'";
            try
            {
                text = File.ReadAllText(file);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                throw JobException.Usage($"{place} cannot be read: {exception.GetType().Name}; allowed: a JSON file as in examples/crm.");
            }
        }

        return Parse(crm, place, text);
    }

    /// <exception cref="JobException">64.</exception>
    public static CrmMapping Parse(string crm, string place, string text)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (JsonException exception)
        {
            throw JobException.Usage($"{place} is no JSON: line {exception.LineNumber + 1}, column {exception.BytePositionInLine + 1}.");
        }

        using (document)
        {
            var mapping = new CrmMapping(place);
            mapping.Read(crm, document.RootElement);
            return mapping._faults.Count == 0
                ? mapping
                : throw JobException.Usage(string.Join('\n', mapping._faults.Select(fault => $"{place}: {fault}")));
        }
    }

    /// <summary>The faults of the mapping against what the CRM has; empty: it fits.</summary>
    public IEnumerable<string> Check(CrmObject kind, CrmSchema schema)
    {
        var map = Of(kind);
        if (!schema.Fields.TryGetValue(map.Key, out var key))
        {
            yield return $"{_place}: key '{map.Key}' is no property of {schema.Name}; create it there as text with unique values (in Salesforce an external id as well)";
        }
        else if (!key.Unique)
        {
            yield return $"{_place}: key '{map.Key}' of {schema.Name} is not unique; create a property with unique values";
        }

        foreach (var field in map.Fields)
        {
            if (!schema.Fields.TryGetValue(field.Theirs, out var info))
            {
                yield return $"{_place}: '{field.Theirs}' (for {field.Ours.Name}) is no property of {schema.Name}";
                continue;
            }

            if (info.ReadOnly)
            {
                yield return $"{_place}: '{field.Theirs}' (for {field.Ours.Name}) of {schema.Name} is read-only";
            }

            if (!Fits(field.Ours.Type, info.Type))
            {
                yield return $"{_place}: '{field.Theirs}' of {schema.Name} holds {Word(info.Type)}; {field.Ours.Name} needs {Needs(field.Ours.Type)}";
            }

            if (field.Ours.Type is OurType.Stage && info.Options.Count > 0)
            {
                foreach (var (ours, theirs) in Stages.Where(s => !info.Options.Contains(s.Value)))
                {
                    yield return $"{_place}: stages.{ours} = '{theirs}' is no stage of {schema.Name}; allowed: {string.Join(", ", info.Options.Take(30))}";
                }
            }
        }

        foreach (var (name, value) in map.Constants)
        {
            if (!schema.Fields.TryGetValue(name, out var info))
            {
                yield return $"{_place}: constants '{name}' is no property of {schema.Name}";
            }
            else if (info.Options.Count > 0 && !info.Options.Contains(value))
            {
                yield return $"{_place}: constants '{name}' = '{value}' is not allowed; allowed: {string.Join(", ", info.Options.Take(30))}";
            }
        }

        if (map.Match is { } match && !schema.Fields.ContainsKey(match))
        {
            yield return $"{_place}: match '{match}' is no property of {schema.Name}";
        }
    }

    private static bool Fits(OurType ours, CrmValueType theirs) => ours switch
    {
        OurType.Number => theirs is CrmValueType.Number or CrmValueType.Text,
        OurType.Instant => theirs is CrmValueType.Instant,
        OurType.Day => theirs is CrmValueType.Day or CrmValueType.Instant,
        OurType.Stage => theirs is CrmValueType.Choice or CrmValueType.Text,
        _ => theirs is CrmValueType.Text or CrmValueType.Choice,
    };

    private static string Word(CrmValueType type) => type.ToString().ToLowerInvariant();

    private static string Needs(OurType type) => type switch
    {
        OurType.Number => "number or text",
        OurType.Instant => "instant",
        OurType.Day => "day",
        OurType.Stage => "choice or text",
        _ => "text or choice",
    };

    private void Read(string crm, JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object)
        {
            _faults.Add("it is no JSON object");
            return;
        }

        Known(root, "", s_members);
        if (Text(root, "crm") is { } named && named != crm)
        {
            _faults.Add($"crm = '{named}', but crm_type is '{crm}'");
        }

        Leads = ReadObject(root, "leads", CrmObject.Lead);
        Deals = ReadObject(root, "deals", CrmObject.Deal);
        Stages = ReadTexts(root, "stages");
        foreach (var stage in Stages.Keys.Except(s_stages, StringComparer.Ordinal))
        {
            _faults.Add($"stages.{stage} is no stage; allowed: {string.Join(", ", s_stages)}");
        }

        if (Deals.Fields.Any(f => f.Ours.Type is OurType.Stage))
        {
            foreach (var stage in s_stages.Except(Stages.Keys, StringComparer.Ordinal))
            {
                _faults.Add($"stages.{stage} is missing");
            }
        }

        foreach (var twice in Stages.GroupBy(s => s.Value, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            _faults.Add($"stages: {string.Join(" and ", twice.Select(s => s.Key))} are both '{twice.Key}', so that it could not be read back");
        }

        Owners = ReadTexts(root, "owners").ToDictionary(o => o.Key.Trim().ToLowerInvariant(), o => o.Value, StringComparer.Ordinal);
        AllLeads = Choice(root, "lead_selection", "with_deal", "all") is "all";
        ArchiveTheirs = Choice(root, "deletions", "keep", "archive") is "archive";
        CreateLeads = Choice(root, "create_leads", "yes", "no") is "yes";
    }

    private ObjectMapping ReadObject(JsonElement root, string name, CrmObject kind)
    {
        var fields = new List<FieldMapping>();
        if (!root.TryGetProperty(name, out var element) || element.ValueKind is not JsonValueKind.Object)
        {
            _faults.Add($"{name} is missing, or no object");
            return new ObjectMapping(kind, "", fields, new Dictionary<string, string>());
        }

        Known(element, name + ".", s_objectMembers);
        var key = Text(element, "key");
        if (string.IsNullOrWhiteSpace(key))
        {
            _faults.Add($"{name}.key is missing: the CRM's unique property that holds our key");
        }

        if (!element.TryGetProperty("fields", out var list) || list.ValueKind is not JsonValueKind.Array || list.GetArrayLength() == 0)
        {
            _faults.Add($"{name}.fields is missing, or no list");
        }
        else
        {
            foreach (var (entry, at) in list.EnumerateArray().Select((e, i) => (e, $"{name}.fields[{i}]")))
            {
                if (ReadField(entry, at, kind) is not { } field)
                {
                    continue;
                }

                if (fields.Any(f => f.Ours == field.Ours || f.Theirs == field.Theirs))
                {
                    _faults.Add($"{at} names a field that another entry names");
                }

                fields.Add(field);
            }
        }

        return new ObjectMapping(kind, key ?? "", fields, ReadTexts(element, "constants"))
        {
            Match = kind is CrmObject.Lead ? Text(element, "match") : null,
        };
    }

    private FieldMapping? ReadField(JsonElement entry, string at, CrmObject kind)
    {
        if (entry.ValueKind is not JsonValueKind.Object)
        {
            _faults.Add($"{at} is no object with ours, theirs and rule");
            return null;
        }

        Known(entry, at + ".", s_fieldMembers);
        var name = Text(entry, "ours") ?? "";
        var field = CrmFields.Of(kind).FirstOrDefault(f => f.Name == name);
        if (field is null)
        {
            _faults.Add($"{at}.ours = '{name}' is not allowed; allowed: {string.Join(", ", CrmFields.Of(kind).Select(f => f.Name))}");
        }

        var theirs = Text(entry, "theirs");
        if (string.IsNullOrWhiteSpace(theirs))
        {
            _faults.Add($"{at}.theirs is missing");
        }

        var rule = Choice(entry, "rule", field is { Computed: true } ? "ours" : "newest", "ours", "theirs", "newest");
        if (field is { Computed: true } && rule is not "ours")
        {
            _faults.Add($"{at}.rule = '{rule}' is not allowed: {field.Name} is calculated here; allowed: ours");
        }

        var empty = Text(entry, "empty");
        if (empty is not null && (string.IsNullOrWhiteSpace(empty) || field is not { Type: OurType.Text, OnlyNew: false }))
        {
            _faults.Add($"{at}.empty = '{empty}' is not allowed; allowed: a word, for a field that holds text");
        }

        return field is null || theirs is null
            ? null
            : new FieldMapping(field, theirs, rule switch { "ours" => FieldRule.Ours, "theirs" => FieldRule.Theirs, _ => FieldRule.Newest }) { Empty = empty?.Trim() };
    }

    private void Known(JsonElement element, string prefix, string[] members)
    {
        foreach (var member in element.EnumerateObject().Where(m => !members.Contains(m.Name, StringComparer.Ordinal)))
        {
            _faults.Add($"{prefix}{member.Name} is not known; allowed: {string.Join(", ", members)}");
        }
    }

    private string? Text(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.String)
        {
            return value.GetString();
        }

        _faults.Add($"{name} is no text");
        return null;
    }

    /// <summary>One of the words; the first where it is left out.</summary>
    private string Choice(JsonElement element, string name, string standard, params string[] others)
    {
        var value = Text(element, name) ?? standard;
        if (value != standard && !others.Contains(value, StringComparer.Ordinal))
        {
            _faults.Add($"{name} = '{value}' is not allowed; allowed: {string.Join(", ", others.Prepend(standard).Distinct())}");
        }

        return value;
    }

    private Dictionary<string, string> ReadTexts(JsonElement element, string name)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!element.TryGetProperty(name, out var map))
        {
            return texts;
        }

        if (map.ValueKind is not JsonValueKind.Object || map.EnumerateObject().Any(m => m.Value.ValueKind is not JsonValueKind.String))
        {
            _faults.Add($"{name} is no object of texts");
            return texts;
        }

        foreach (var member in map.EnumerateObject())
        {
            texts[member.Name] = member.Value.GetString()!;
        }

        return texts;
    }
}
