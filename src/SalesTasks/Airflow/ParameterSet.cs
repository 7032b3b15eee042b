using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>The parameters of a command or a DAG, in the order people see them.</summary>
internal sealed class ParameterSet
{
    private readonly Dictionary<string, Parameter> _byName;

    public ParameterSet(params IEnumerable<Parameter> parameters)
    {
        All = [.. parameters.DistinctBy(p => p.Name, StringComparer.Ordinal)];
        _byName = All.ToDictionary(p => p.Name, StringComparer.Ordinal);
    }

    public IReadOnlyList<Parameter> All { get; }

    public Parameter? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// Binds values in order of precedence: default, <c>SALES_PARAMS</c>, flags. Every fault of every value is added to
    /// <paramref name="faults"/>, each with its name, value and what is allowed; nothing is thrown, whatever the texts are.
    /// </summary>
    /// <param name="salesParams">The JSON object Airflow renders from a run's params; null or empty when there is none.</param>
    /// <param name="flags">Flag texts by parameter name.</param>
    /// <param name="dagParameters">
    /// All parameters of the DAGs this command is a step of: Airflow hands the whole DAG's params to every step, so names of other steps
    /// are checked and then left alone. So is a value that only another step can use (a shard, for a step that does all of its work at
    /// once).
    /// </param>
    /// <param name="faults">Receives one line a fault.</param>
    public ParameterValues Bind(
        string? salesParams, IReadOnlyDictionary<string, string> flags, ParameterSet dagParameters, List<string> faults)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (!string.IsNullOrWhiteSpace(salesParams))
        {
            BindJson(salesParams, dagParameters, values, faults);
        }

        foreach (var (name, text) in flags)
        {
            var parameter = _byName[name];
            if (parameter.Parse(text) is { } parsed)
            {
                values[name] = parsed.Value;
            }
            else
            {
                faults.Add($"{parameter.Flag}: {Quoted.Text(text)} is not allowed; allowed: {parameter.Allowed}");
            }
        }

        return new ParameterValues(this, values);
    }

    private void BindJson(string salesParams, ParameterSet dagParameters, Dictionary<string, object?> values, List<string> faults)
    {
        const string allowed = "allowed: one JSON object, such as {\"dry_run\": true}";
        JsonDocument document;
        try
        {
            document = JsonText.Parse(salesParams, fault => JobException.Usage($"SALES_PARAMS: it {fault}; {allowed}"));
        }
        catch (JobException notJson)
        {
            faults.Add(notJson.Message);
            return;
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                faults.Add($"SALES_PARAMS: a JSON {Kind(document.RootElement)}; {allowed}");
                return;
            }

            var unknown = false;
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in document.RootElement.EnumerateObject())
            {
                var own = Find(member.Name);
                var ofDag = dagParameters.Find(member.Name);
                if ((own ?? ofDag) is not { } parameter)
                {
                    unknown = true;
                    faults.Add($"SALES_PARAMS: unknown parameter {Quoted.Text(member.Name)}");
                }
                else if (!seen.Add(member.Name))
                {
                    faults.Add($"SALES_PARAMS: {member.Name} is given twice; allowed: once");
                }
                else if (own?.Parse(member.Value) is { } parsed)
                {
                    values[member.Name] = parsed.Value;
                }
                else if (ofDag?.Parse(member.Value) is null)
                {
                    faults.Add($"SALES_PARAMS: {member.Name} = {Quoted.Text(member.Value.GetRawText())} is not allowed; "
                        + $"allowed: {parameter.Allowed}");
                }
            }

            if (unknown)
            {
                faults.Add("SALES_PARAMS: allowed parameters: "
                    + string.Join(", ", All.Concat(dagParameters.All).Select(p => p.Name).Distinct(StringComparer.Ordinal)));
            }
        }
    }

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.Null => "null",
        _ => "boolean",
    };
}

/// <summary>Checked values; a parameter that was not given has its default.</summary>
internal sealed class ParameterValues(ParameterSet set, IReadOnlyDictionary<string, object?> given)
{
    public T Get<T>(Parameter<T> parameter) =>
        given.TryGetValue(parameter.Name, out var value) ? (T)value! : parameter.Default;

    /// <summary>Writes all values, defaults included, as one JSON object.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var parameter in set.All)
        {
            json.WritePropertyName(parameter.Name);
            switch (given.TryGetValue(parameter.Name, out var value) ? value : parameter.DefaultAsObject)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case bool flag:
                    json.WriteBooleanValue(flag);
                    break;
                case int number:
                    json.WriteNumberValue(number);
                    break;
                case DateTimeOffset instant:
                    json.WriteStringValue(instant);
                    break;
                case IReadOnlyList<string> texts:
                    json.WriteStartArray();
                    foreach (var text in texts)
                    {
                        json.WriteStringValue(text);
                    }

                    json.WriteEndArray();
                    break;
                case { } other:
                    json.WriteStringValue(other.ToString());
                    break;
            }
        }

        json.WriteEndObject();
    }
}
