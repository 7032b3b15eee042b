using System.Text;
using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>
/// One Airflow connection with the fields and the null-or-empty distinctions Airflow 2.6 – 2.11 gives it. <see cref="object.ToString"/>
/// shows id, type and place only: any other field can hold a secret (a Slack token is a password, a path or a host, as people like).
/// </summary>
/// <param name="Source">Its id and where it was read.</param>
/// <param name="Type">Airflow's conn_type, <c>postgres</c> for <c>postgresql</c> and <c>_</c> for <c>-</c>; empty when not given.</param>
internal sealed record AirflowConnection(ConnectionSource Source, string Type)
{
    public string Id => Source.Id;

    /// <summary>Host name, address, socket directory, or <c>protocol://host</c>.</summary>
    public string? Host { get; init; }

    public string? Login { get; init; }

    /// <summary>Never empty: Airflow stores an empty password as none.</summary>
    public string? Password { get; init; }

    /// <summary>0 – 65535.</summary>
    public int? Port { get; init; }

    /// <summary>Database, path or scheme, as the type has it.</summary>
    public string? Schema { get; init; }

    /// <summary>The raw extra: for nearly every type a JSON object, but Airflow does not insist. Never empty.</summary>
    public string? Extra { get; init; }

    /// <summary>
    /// The fields of <see cref="Extra"/> as text, because a URI can only give text: numbers and <c>true</c>/<c>false</c> as JSON writes
    /// them, nested values as JSON, null left out. Parsed at each call.
    /// </summary>
    /// <exception cref="JobException">The extra is not a JSON object.</exception>
    public IReadOnlyDictionary<string, string> ExtraFields
    {
        get
        {
            var fields = new Dictionary<string, string>();
            if (string.IsNullOrWhiteSpace(Extra))
            {
                return fields;
            }

            using var document = JsonText.Parse(Extra, fault => Source.Fault($"its extra {fault}"));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Source.Fault("its extra is not a JSON object");
            }

            foreach (var entry in document.RootElement.EnumerateObject())
            {
                switch (entry.Value.ValueKind)
                {
                    case JsonValueKind.Null:
                        fields.Remove(entry.Name);
                        break;
                    case JsonValueKind.String:
                        fields[entry.Name] = entry.Value.GetString()!;
                        break;
                    default:
                        fields[entry.Name] = entry.Value.GetRawText();
                        break;
                }
            }

            return fields;
        }
    }

    /// <summary>Reads the text of a connection: JSON when it starts with <c>{</c>, a URI otherwise.</summary>
    public static AirflowConnection Parse(ConnectionSource source, string text)
    {
        text = text.Trim();
        return text.StartsWith('{') ? ConnectionJson.Parse(source, text) : AirflowUri.Parse(source, text);
    }

    /// <summary>Airflow's spelling of a type.</summary>
    public static string NormalizeType(string type) =>
        string.Equals(type, "postgresql", StringComparison.Ordinal) ? "postgres" : type.Replace('-', '_');

    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Id = ").Append(Id);
        builder.Append(", Type = ").Append(ConnectionSource.Shown(Type));
        builder.Append(", Place = ").Append(Source.Place);
        return true;
    }
}
