using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace SalesTasks.Scoring;

/// <summary>One number of the scoring rules, a column of <c>scoring_rules</c>.</summary>
/// <param name="Name">Column and document key.</param>
/// <param name="Min">Smallest allowed value.</param>
/// <param name="Max">Largest allowed value.</param>
/// <param name="English">What it is.</param>
/// <param name="Spanish">The same in Spanish.</param>
internal sealed record RuleField(string Name, decimal Min, decimal Max, string English, string Spanish)
{
    public bool IsWhole => Name != "model_weight";

    public string Allowed => string.Create(
        CultureInfo.InvariantCulture, $"a {(IsWhole ? "whole " : "")}number from {Min} to {Max}{(IsWhole ? "" : " with at most 2 decimals")}");

    /// <summary>The value as it is stored; null where it is not allowed.</summary>
    public decimal? Accept(decimal value) =>
        value >= Min && value <= Max && value == decimal.Round(value, IsWhole ? 0 : 2)
            // Without the digits of "30.0": the columns take whole numbers only.
            ? decimal.Round(value, IsWhole ? 0 : 2)
            : null;

    public static IReadOnlyList<RuleField> All { get; } =
    [
        Points("base_points", "Every lead", "Todo lead"),
        Points("email_points", "Valid e-mail address", "Correo válido"),
        Points("phone_points", "Phone with more than 5 digits", "Teléfono con más de 5 dígitos"),
        Points("name_points", "A name", "Nombre"),
        Points("reply_1_points", "1 reply", "1 respuesta"),
        Points("reply_2_points", "2 replies or more", "2 respuestas o más"),
        Points("click_1_points", "1 click", "1 clic"),
        Points("click_2_points", "2 clicks or more", "2 clics o más"),
        Points("open_2_points", "2 opens", "2 aperturas"),
        Points("open_3_points", "3 opens", "3 aperturas"),
        Points("open_4_points", "4 opens or more", "4 aperturas o más"),
        Points("other_source_points", "Source without a listed word", "Fuente sin palabra listada"),
        Points("utm_points", "Any UTM parameter", "Algún parámetro UTM"),
        new("fresh_days", 0, 3650, "Fresh: created at most this many days ago", "Reciente: creado hace como mucho estos días"),
        Points("fresh_points", "Fresh lead", "Lead reciente"),
        new("recent_days", 0, 3650, "Recent: created at most this many days ago", "Nuevo: creado hace como mucho estos días"),
        Points("recent_points", "Recent lead", "Lead nuevo"),
        Points("edu_gov_domain_points", "Domain ends in .edu or .gov", "El dominio termina en .edu o .gov"),
        new("short_domain_length", 0, 253, "Short domain: fewer characters than this", "Dominio corto: menos caracteres que"),
        Points("short_domain_points", "Short company domain", "Dominio de empresa corto"),
        Points("website_visited_points", "Website visited", "Visitó la web"),
        Points("demo_requested_points", "Demo requested", "Pidió una demo"),
        Points("pricing_page_viewed_points", "Pricing page viewed", "Vio los precios"),
        new("cap", 1, 100, "Highest score", "Puntuación máxima"),
        new("high_priority_score", 0, 100, "High priority from", "Prioridad alta desde"),
        new("medium_priority_score", 0, 100, "Medium priority from", "Prioridad media desde"),
        new("model_weight", 0, 1, "Weight of the model where it is blended in", "Peso del modelo si se mezcla"),
    ];

    /// <summary>Points of any word of a source.</summary>
    public static RuleField SourceWord { get; } = Points("source.WORD", "Source with the word", "Fuente con la palabra");

    private static RuleField Points(string name, string english, string spanish) => new(name, -100, 100, english, spanish);
}

/// <summary>
/// A version of the rules while it is edited: numbers by <see cref="RuleField.Name"/>, points by source word, a comment.
/// </summary>
internal sealed partial class RuleDocument
{
    private readonly Dictionary<string, decimal> _numbers;
    private readonly SortedDictionary<string, decimal> _sources;

    /// <param name="json">As <c>rules_document.sql</c> gives it.</param>
    public RuleDocument(string json)
    {
        var document = JsonNode.Parse(json)!.AsObject();
        Version = document["version"]!.GetValue<int>();
        Active = document["active"]!.GetValue<bool>();
        Comment = document["comment"]!.GetValue<string>();
        _numbers = RuleField.All.ToDictionary(f => f.Name, f => document[f.Name]!.GetValue<decimal>(), StringComparer.Ordinal);
        _sources = new SortedDictionary<string, decimal>(
            document["sources"]!.AsObject().ToDictionary(m => m.Key, m => m.Value!.GetValue<decimal>(), StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    public int Version { get; }

    public bool Active { get; }

    public string Comment { get; set; }

    public IReadOnlyDictionary<string, decimal> Sources => _sources;

    public decimal this[RuleField field] => _numbers[field.Name];

    /// <summary>Applies one <c>name=value</c> of the command line; <c>source.WORD=none</c> drops a word.</summary>
    public void Set(string assignment, List<string> faults)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1)
        {
            faults.Add($"--set '{assignment}' is not allowed; allowed: NAME=VALUE, such as reply_2_points=30 or source.webinar=4");
            return;
        }

        var name = assignment[..equals].Trim();
        var text = assignment[(equals + 1)..].Trim();
        if (text == "none" && name.StartsWith("source.", StringComparison.Ordinal))
        {
            if (!_sources.Remove(name["source.".Length..]))
            {
                faults.Add($"{name}: no such word; words: {string.Join(", ", _sources.Keys)}");
            }

            return;
        }

        Set(name, decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) ? value : null, text, faults);
    }

    /// <summary>Applies a JSON document: fields that it names replace the present ones; <c>sources</c>, where given, replaces all words.</summary>
    public void Apply(JsonObject document, List<string> faults)
    {
        foreach (var (name, node) in document)
        {
            if (name is "version" or "active" or "created_at" or "created_by")
            {
                continue;
            }

            if (name == "comment")
            {
                if (node is JsonValue comment && comment.TryGetValue<string>(out var text))
                {
                    Comment = text;
                }
                else
                {
                    faults.Add("comment is not allowed; allowed: a text");
                }
            }
            else if (name == "sources")
            {
                if (node is not JsonObject sources)
                {
                    faults.Add("sources is not allowed; allowed: an object of points by word, such as {\"webinar\": 4}");
                    continue;
                }

                _sources.Clear();
                foreach (var (word, points) in sources)
                {
                    Set("source." + word, Number(points), points?.ToJsonString() ?? "null", faults);
                }
            }
            else
            {
                Set(name, Number(node), node?.ToJsonString() ?? "null", faults);
            }
        }
    }

    /// <summary>Faults that only show when all values are known.</summary>
    public void CheckTogether(List<string> faults)
    {
        if (_numbers["fresh_days"] > _numbers["recent_days"])
        {
            faults.Add($"fresh_days = {_numbers["fresh_days"]} is not allowed; allowed: at most recent_days ({_numbers["recent_days"]})");
        }

        if (_numbers["medium_priority_score"] >= _numbers["high_priority_score"])
        {
            faults.Add($"medium_priority_score = {_numbers["medium_priority_score"]} is not allowed; "
                + $"allowed: less than high_priority_score ({_numbers["high_priority_score"]})");
        }

        if (Comment.Length > 500)
        {
            faults.Add($"comment: {Comment.Length} characters; allowed: at most 500");
        }
    }

    /// <summary>The document for <c>insert_rules.sql</c>.</summary>
    public string ToJson(string createdBy)
    {
        var json = new JsonObject { ["comment"] = Comment, ["created_by"] = createdBy };
        foreach (var (name, value) in _numbers)
        {
            json[name] = value;
        }

        return json.ToJsonString();
    }

    public string SourcesJson() => new JsonObject(_sources.Select(s => KeyValuePair.Create<string, JsonNode?>(s.Key, s.Value))).ToJsonString();

    private void Set(string name, decimal? value, string text, List<string> faults)
    {
        if (name.StartsWith("source.", StringComparison.Ordinal))
        {
            var word = name["source.".Length..];
            if (!SourceWord().IsMatch(word))
            {
                faults.Add($"{name}: '{word}' is not allowed; allowed: one word of 1 to 32 small letters and digits");
            }
            else if (value is { } points && RuleField.SourceWord.Accept(points) is { } accepted)
            {
                _sources[word] = accepted;
            }
            else
            {
                faults.Add($"{name} = {text} is not allowed; allowed: {RuleField.SourceWord.Allowed}, or none");
            }

            return;
        }

        var field = RuleField.All.FirstOrDefault(f => string.Equals(f.Name, name, StringComparison.Ordinal));
        if (field is null)
        {
            faults.Add($"unknown rule '{name}'; allowed: {string.Join(", ", RuleField.All.Select(f => f.Name))}, source.WORD");
        }
        else if (value is { } number && field.Accept(number) is { } accepted)
        {
            _numbers[name] = accepted;
        }
        else
        {
            faults.Add($"{name} = {text} is not allowed; allowed: {field.Allowed}");
        }
    }

    private static decimal? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<decimal>(out var number) ? number : null;

    [GeneratedRegex("^[a-z0-9]{1,32}$", RegexOptions.CultureInvariant)]
    private static partial Regex SourceWord();
}
