using System.Globalization;
using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>Reads the JSON form of a connection: the value of an AIRFLOW_CONN_ variable, or an object in a connections file.</summary>
internal static class ConnectionJson
{
    private const string Keys = "conn_type, description, host, login, password, schema, port, extra";
    private const string FileKeys = Keys + " or extra_dejson";

    /// <summary>Reads the value of an AIRFLOW_CONN_ variable that starts with <c>{</c>.</summary>
    /// <param name="source">Whose text it is.</param>
    /// <param name="json">The text, an object.</param>
    /// <exception cref="JobException">Names the connection and the fault, quotes no value.</exception>
    public static AirflowConnection Parse(ConnectionSource source, string json)
    {
        using var document = JsonText.Parse(json, fault => source.Fault($"it {fault}"));
        return Read(source, document.RootElement, inFile: false);
    }

    /// <summary>Reads the fields of an object, wherever it stands.</summary>
    /// <param name="source">Whose fields they are.</param>
    /// <param name="fields">A JSON object.</param>
    /// <param name="inFile">Whether <c>extra_dejson</c> is allowed: Airflow knows it in files only.</param>
    public static AirflowConnection Read(ConnectionSource source, JsonElement fields, bool inFile)
    {
        var connection = new AirflowConnection(source, "");
        var seen = new HashSet<string>();
        foreach (var field in fields.EnumerateObject())
        {
            if (!seen.Add(field.Name))
            {
                throw source.Fault($"key {ConnectionSource.Shown(field.Name)} is given twice");
            }

            connection = field.Name switch
            {
                "conn_type" => connection with { Type = AirflowConnection.NormalizeType(Text(source, field) ?? "") },
                "description" when Text(source, field) is var _ => connection,
                "host" => connection with { Host = Text(source, field) },
                "login" => connection with { Login = Text(source, field) },
                "password" => connection with { Password = NullIfEmpty(Text(source, field)) },
                "schema" => connection with { Schema = Text(source, field) },
                "port" => connection with { Port = Port(source, field.Value) },
                "extra" when !seen.Contains("extra_dejson") => connection with { Extra = Extra(source, field) },
                "extra_dejson" when inFile && !seen.Contains("extra") => connection with { Extra = Extra(source, field) },
                var key => throw source.Fault($"key {ConnectionSource.Shown(key)} is not allowed; allowed: {(inFile ? FileKeys : Keys)}"),
            };
        }

        return connection;
    }

    private static string? Text(ConnectionSource source, JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.String => field.Value.GetString(),
        JsonValueKind.Null => null,
        _ => throw source.Fault($"its {field.Name} must be text (in quotes)"),
    };

    private static string? NullIfEmpty(string? text) => text is { Length: > 0 } ? text : null;

    /// <summary>As Python's int() takes it, from a number or from text; Airflow reads 0 and empty as none.</summary>
    private static int? Port(ConnectionSource source, JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.Null => "",
            JsonValueKind.String => value.GetString()!.Trim(),
            _ => value.GetRawText(),
        };
        if (text.Length == 0)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535
            ? port == 0 ? null : port
            : throw source.Fault("its port must be an integer from 0 to 65535");
    }

    private static string? Extra(ConnectionSource source, JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Object => field.Value.GetRawText(),
        JsonValueKind.String when field.NameEquals("extra") => NullIfEmpty(field.Value.GetString()),
        _ => throw source.Fault($"its {field.Name} must be a JSON object{(field.NameEquals("extra") ? ", or one as text" : "")}"),
    };
}
