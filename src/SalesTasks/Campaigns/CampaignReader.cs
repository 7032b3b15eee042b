using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;

namespace SalesTasks.Campaigns;

/// <summary>
/// Reads a campaign and finds everything that is wrong with it, each fault with its place, its value and what is allowed. The same rules
/// hold for a file that is saved and for a row that somebody wrote into the table by hand.
/// </summary>
internal sealed class CampaignReader
{
    public const int MaxSteps = 50;
    public const int MaxVariants = 8;

    /// <summary>A year.</summary>
    private const int MaxDelayHours = 8_760;

    private const int MaxWeight = 1_000;
    private const int MaxListItems = 100;

    private static readonly string[] s_types = ["email_sequence", "call_campaign", "multichannel", "nurturing"];
    private static readonly string[] s_keys =
        ["name", "description", "campaign_type", "trigger_criteria", "steps_config", "enabled", "max_leads_per_run"];

    private static readonly string[] s_criteria =
    [
        "stage", "score_min", "score_max", "priority", "source", "utm_campaign", "estimated_value_min", "days_since_contact_min",
    ];

    private static readonly string[] s_openStages = ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating"];
    private static readonly string[] s_priorities = ["low", "medium", "high", "urgent"];
    private static readonly string[] s_taskTypes = ["email", "call", "meeting", "proposal", "custom"];
    private static readonly string[] s_texts = ["subject", "body", "html"];
    private static readonly string[] s_windowKeys = ["days", "start", "end"];
    private static readonly string[] s_variantKeys = ["name", "weight", .. s_texts];

    private static readonly Dictionary<string, StepType> s_stepTypes = new(StringComparer.Ordinal)
    {
        ["email"] = StepType.Email,
        ["call"] = StepType.Call,
        ["task"] = StepType.Task,
        ["slack"] = StepType.Slack,
    };

    private readonly List<string> _faults = [];

    private CampaignReader()
    {
    }

    /// <summary>Reads a whole document.</summary>
    /// <returns>The campaign, null where there are faults.</returns>
    public static (Campaign? Campaign, IReadOnlyList<string> Faults) Read(JsonNode? document, SendWindow policy)
    {
        var reader = new CampaignReader();
        var campaign = reader.ReadCampaign(document);
        if (campaign is not null)
        {
            reader.CheckWindows(campaign, policy);
            CampaignCheck.Render(campaign, reader._faults);
        }

        return (reader._faults.Count == 0 ? campaign : null, reader._faults);
    }

    private Campaign? ReadCampaign(JsonNode? document)
    {
        if (document is not JsonObject root)
        {
            Fault("campaign", document, "one object with the keys " + string.Join(", ", s_keys));
            return null;
        }

        CheckKeys(root, "", s_keys);
        var criteria = ReadCriteria(root["trigger_criteria"]);
        var steps = ReadSteps(root["steps_config"]);
        var campaign = new Campaign
        {
            Name = ReadText(root["name"], "name", 256) ?? "",
            Description = root["description"] is { } description ? ReadText(description, "description", 4_000) : null,
            Type = ReadChoice(root["campaign_type"], "campaign_type", s_types),
            Criteria = criteria,
            Steps = steps,
            Enabled = root["enabled"] is { } enabled && ReadFlag(enabled, "enabled"),
            MaxLeadsPerRun = root["max_leads_per_run"] is { } most ? ReadWhole(most, "max_leads_per_run", 0, int.MaxValue) ?? 50 : 50,
        };
        return _faults.Count == 0 ? campaign : null;
    }

    private TriggerCriteria ReadCriteria(JsonNode? node)
    {
        if (node is null)
        {
            return new TriggerCriteria();
        }

        if (node is not JsonObject criteria)
        {
            Fault("trigger_criteria", node, "an object with the keys " + string.Join(", ", s_criteria));
            return new TriggerCriteria();
        }

        CheckKeys(criteria, "trigger_criteria", s_criteria);
        var read = new TriggerCriteria
        {
            Stages = ReadChoices(criteria, "stage", s_openStages),
            ScoreMin = ReadOptional(criteria, "score_min", 0, 100),
            ScoreMax = ReadOptional(criteria, "score_max", 0, 100),
            Priorities = ReadChoices(criteria, "priority", s_priorities),
            Sources = ReadWords(criteria, "source"),
            UtmCampaigns = ReadWords(criteria, "utm_campaign"),
            EstimatedValueMin = ReadValue(criteria),
            DaysSinceContactMin = ReadOptional(criteria, "days_since_contact_min", 0, 3_650),
        };
        if (read.ScoreMin > read.ScoreMax)
        {
            _faults.Add($"trigger_criteria: score_min {read.ScoreMin} is above score_max {read.ScoreMax}, so no lead would match; "
                + "allowed: score_min at most score_max");
        }

        return read;
    }

    private List<CampaignStep> ReadSteps(JsonNode? node)
    {
        if (node is not JsonArray { Count: > 0 and <= MaxSteps } list)
        {
            Fault("steps_config", node, string.Create(CultureInfo.InvariantCulture, $"a list of 1 to {MaxSteps} steps"));
            return [];
        }

        return [.. list.Select((step, i) => ReadStep(step, string.Create(CultureInfo.InvariantCulture, $"steps_config[{i + 1}]"))).OfType<CampaignStep>()];
    }

    private CampaignStep? ReadStep(JsonNode? node, string place)
    {
        if (node is not JsonObject step)
        {
            Fault(place, node, "an object with type, delay_hours and texts");
            return null;
        }

        if (!s_stepTypes.TryGetValue(ReadChoice(step["type"], place + ".type", [.. s_stepTypes.Keys]), out var type))
        {
            return null;
        }

        string[] texts = TextsOf(type);
        CheckKeys(step, place, ["type", "delay_hours", .. texts, .. KeysOf(type)]);
        return new CampaignStep(type, TimeSpan.FromHours((double)ReadHours(step["delay_hours"], place + ".delay_hours", 0)))
        {
            Variants = ReadVariants(step, type, place, texts),
            Window = step["window"] is { } window ? ReadWindow(window, place + ".window") : null,
            TaskType = step["task_type"] is { } taskType ? ReadChoice(taskType, place + ".task_type", s_taskTypes) : "custom",
            TaskPriority = step["priority"] is { } priority ? ReadChoice(priority, place + ".priority", s_priorities) : "medium",
            Due = TimeSpan.FromHours((double)ReadHours(step["due_hours"], place + ".due_hours", 24)),
        };
    }

    private static string[] TextsOf(StepType type) => type switch
    {
        StepType.Email => s_texts,
        StepType.Slack => ["body"],
        _ => ["subject", "body"],
    };

    private static string[] KeysOf(StepType type) => type switch
    {
        StepType.Email => ["variants", "window"],
        StepType.Call => ["variants", "window", "priority", "due_hours"],
        StepType.Task => ["task_type", "priority", "due_hours"],
        _ => [],
    };

    private List<Variant> ReadVariants(JsonObject step, StepType type, string place, string[] texts)
    {
        if (step["variants"] is not { } node)
        {
            return [new Variant("", 1, ReadTexts(type, place, texts, step, null))];
        }

        if (node is not JsonArray { Count: >= 2 and <= MaxVariants } list)
        {
            Fault(place + ".variants", node, string.Create(CultureInfo.InvariantCulture, $"a list of 2 to {MaxVariants} variants"));
            return [];
        }

        var variants = new List<Variant>();
        for (var i = 0; i < list.Count; i++)
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{place}.variants[{i + 1}]");
            if (list[i] is not JsonObject variant)
            {
                Fault(at, list[i], "an object with name, weight and texts");
                continue;
            }

            CheckKeys(variant, at, [.. s_variantKeys.Except(s_texts.Except(texts))]);
            var name = ReadText(variant["name"], at + ".name", 16) ?? "";
            if (variants.Exists(other => string.Equals(other.Name, name, StringComparison.Ordinal)))
            {
                Fault(at + ".name", variant["name"], "a name that no other variant of the step has");
            }

            variants.Add(new Variant(
                name,
                variant["weight"] is { } weight ? ReadWhole(weight, at + ".weight", 1, MaxWeight) ?? 1 : 1,
                ReadTexts(type, at, texts, variant, step)));
        }

        return variants;
    }

    /// <summary>The texts of a step or variant by language; what a variant leaves out is the step's.</summary>
    private Dictionary<string, StepTexts> ReadTexts(StepType type, string place, string[] names, JsonObject own, JsonObject? step)
    {
        var given = new Dictionary<string, Dictionary<string, Template>>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if ((own[name] ?? step?[name]) is { } node)
            {
                given[name] = ReadTemplates(node, $"{place}.{name}", name);
            }
        }

        var must = type is StepType.Slack ? ["body"] : (string[])["subject"];
        foreach (var name in must.Where(name => !given.ContainsKey(name)))
        {
            _faults.Add($"{place}.{name}: it is missing; allowed: a text, or texts by language ({string.Join(", ", Languages.All)})");
        }

        if (type is StepType.Email && !given.ContainsKey("body") && !given.ContainsKey("html"))
        {
            _faults.Add($"{place}: an e-mail needs body or html; allowed: body (plain text), html, or both");
        }

        var languages = given.Values.SelectMany(templates => templates.Keys).Where(language => language.Length > 0).Distinct().Order(StringComparer.Ordinal).ToList();
        foreach (var (name, templates) in given.Where(text => !text.Value.ContainsKey("")))
        {
            foreach (var missing in languages.Where(language => !templates.ContainsKey(language)))
            {
                _faults.Add($"{place}.{name}: {missing} is missing, which other texts of the step have; allowed: the same languages in all of them");
            }
        }

        return (languages.Count > 0 ? languages : [""]).ToDictionary(
            language => language,
            language => new StepTexts(Pick("subject", language), Pick("body", language), Pick("html", language)),
            StringComparer.Ordinal);

        Template? Pick(string name, string language) =>
            given.GetValueOrDefault(name) is { } templates ? templates.GetValueOrDefault(language) ?? templates.GetValueOrDefault("") : null;
    }

    private Dictionary<string, Template> ReadTemplates(JsonNode node, string place, string name)
    {
        var kind = name switch
        {
            "subject" => TemplateKind.Line,
            "html" => TemplateKind.Html,
            _ => TemplateKind.Text,
        };
        var templates = new Dictionary<string, Template>(StringComparer.Ordinal);
        if (node is JsonObject byLanguage)
        {
            CheckKeys(byLanguage, place, Languages.All);
            foreach (var (language, text) in byLanguage.Where(text => Languages.All.Contains(text.Key, StringComparer.Ordinal)))
            {
                Add(language, text, $"{place}.{language}");
            }

            if (byLanguage.Count == 0)
            {
                Fault(place, node, "a text, or texts by language");
            }
        }
        else
        {
            Add("", node, place);
        }

        return templates;

        void Add(string language, JsonNode? text, string at)
        {
            if (text is not JsonValue value || value.GetValueKind() is not JsonValueKind.String || string.IsNullOrWhiteSpace(value.GetValue<string>()))
            {
                Fault(at, text, "a text that is not empty");
                return;
            }

            try
            {
                templates[language] = Template.Parse(value.GetValue<string>(), kind);
            }
            catch (TemplateException exception)
            {
                _faults.Add($"{at}: {exception.Message}");
            }
        }
    }

    private StepWindow? ReadWindow(JsonNode node, string place)
    {
        if (node is not JsonObject window)
        {
            Fault(place, node, "an object with days, start, end");
            return null;
        }

        CheckKeys(window, place, s_windowKeys);
        List<int>? days = null;
        if (window["days"] is { } list)
        {
            days = list is JsonArray { Count: > 0 and <= 7 } array && array.All(day => AsWhole(day) is >= 1 and <= 7)
                ? [.. array.Select(day => (int)AsWhole(day)!.Value).Distinct().Order()]
                : null;
            if (days is null)
            {
                Fault(place + ".days", list, "a list of ISO days, 1 = Monday to 7 = Sunday");
            }
        }

        var start = ReadTime(window["start"], place + ".start");
        var end = ReadTime(window["end"], place + ".end");
        if (start >= end)
        {
            _faults.Add($"{place}: start {start:HH':'mm} is not before end {end:HH':'mm}; allowed: a start before the end");
        }

        return new StepWindow(days, start, end);
    }

    private void CheckWindows(Campaign campaign, SendWindow policy)
    {
        for (var i = 0; i < campaign.Steps.Count; i++)
        {
            if (campaign.Steps[i].Window is { } window && window.Within(policy) is null)
            {
                _faults.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"steps_config[{i + 1}].window: it leaves no hour of the sending policy's ({policy}); allowed: a window that meets it"));
            }
        }
    }

    private TimeOnly? ReadTime(JsonNode? node, string place)
    {
        if (node is null)
        {
            return null;
        }

        if (AsText(node) is { } text && TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return time;
        }

        Fault(place, node, "a time such as \"09:30\", in quotes");
        return null;
    }

    private decimal? ReadValue(JsonObject criteria)
    {
        const decimal most = 9_999_999_999.99m;
        if (criteria["estimated_value_min"] is not { } node)
        {
            return null;
        }

        if (AsNumber(node) is { } value and >= 0 and <= most)
        {
            return value;
        }

        Fault("trigger_criteria.estimated_value_min", node, string.Create(CultureInfo.InvariantCulture, $"a number from 0 to {most}"));
        return null;
    }

    private decimal ReadHours(JsonNode? node, string place, decimal fallback)
    {
        if (node is null)
        {
            return fallback;
        }

        if (AsNumber(node) is { } hours and >= 0 and <= MaxDelayHours)
        {
            return hours;
        }

        Fault(place, node, string.Create(CultureInfo.InvariantCulture, $"hours, a number from 0 to {MaxDelayHours}"));
        return fallback;
    }

    private int? ReadOptional(JsonObject criteria, string name, int min, int max) =>
        criteria[name] is { } node ? ReadWhole(node, "trigger_criteria." + name, min, max) : null;

    private int? ReadWhole(JsonNode node, string place, int min, int max)
    {
        if (AsWhole(node) is { } value && value >= min && value <= max)
        {
            return (int)value;
        }

        Fault(place, node, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
        return null;
    }

    private bool ReadFlag(JsonNode node, string place)
    {
        if (node is JsonValue value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
        {
            return node.GetValueKind() is JsonValueKind.True;
        }

        Fault(place, node, "true or false");
        return false;
    }

    private string? ReadText(JsonNode? node, string place, int longest)
    {
        if (AsText(node)?.Trim() is { Length: > 0 } text && text.Length <= longest && !text.Any(c => char.IsControl(c) && c is not '\n'))
        {
            return text;
        }

        Fault(place, node, string.Create(CultureInfo.InvariantCulture, $"text of 1 to {longest} characters"));
        return null;
    }

    private string ReadChoice(JsonNode? node, string place, string[] allowed)
    {
        if (AsText(node) is { } text && allowed.Contains(text, StringComparer.Ordinal))
        {
            return text;
        }

        Fault(place, node, "one of " + string.Join(", ", allowed));
        return "";
    }

    /// <summary>One word or a list of them.</summary>
    private List<string> ReadChoices(JsonObject criteria, string name, string[] allowed)
    {
        var items = Items(criteria, name);
        foreach (var item in items.Where(item => AsText(item) is not { } text || !allowed.Contains(text, StringComparer.Ordinal)))
        {
            Fault("trigger_criteria." + name, item, "one or more of " + string.Join(", ", allowed));
        }

        return [.. items.Select(AsText).OfType<string>()];
    }

    private List<string> ReadWords(JsonObject criteria, string name)
    {
        var items = Items(criteria, name);
        foreach (var item in items.Where(item => AsText(item)?.Trim() is not { Length: > 0 and <= 128 }))
        {
            Fault("trigger_criteria." + name, item, "one or more texts of 1 to 128 characters");
        }

        return [.. items.Select(AsText).OfType<string>().Select(text => text.Trim())];
    }

    private List<JsonNode?> Items(JsonObject criteria, string name)
    {
        if (!criteria.TryGetPropertyValue(name, out var node))
        {
            return [];
        }

        if (node is not JsonArray list)
        {
            return [node];
        }

        if (list.Count is 0 or > MaxListItems)
        {
            Fault("trigger_criteria." + name, node, string.Create(CultureInfo.InvariantCulture, $"one text, or a list of 1 to {MaxListItems}"));
            return [];
        }

        return [.. list];
    }

    private void CheckKeys(JsonObject given, string place, string[] allowed)
    {
        var unknown = given.Select(member => member.Key).Where(key => !allowed.Contains(key, StringComparer.Ordinal)).ToList();
        foreach (var key in unknown)
        {
            _faults.Add($"{(place.Length > 0 ? place + ": " : "")}unknown key {Quoted.Text(key)}; allowed: {string.Join(", ", allowed)}");
        }

        // "score_min: null" says nothing; most likely a value was forgotten.
        foreach (var key in given.Where(member => member.Value is null && allowed.Contains(member.Key, StringComparer.Ordinal)).Select(member => member.Key))
        {
            _faults.Add($"{(place.Length > 0 ? place + "." : "")}{key}: it has no value; allowed: a value, or leave {key} out");
        }
    }

    private void Fault(string place, JsonNode? node, string allowed) => _faults.Add(node is null
        ? $"{place}: it is missing; allowed: {allowed}"
        : $"{place}: {Quoted.Text(node.ToJsonString())} is not allowed; allowed: {allowed}");

    private static string? AsText(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() is JsonValueKind.String ? value.GetValue<string>() : null;

    private static decimal? AsNumber(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() is JsonValueKind.Number
        && decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    private static decimal? AsWhole(JsonNode? node) => AsNumber(node) is { } number && number == Math.Truncate(number) ? number : null;
}
