using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>
/// JSON Schema (draft 2020-12) of a parameter set, with the keys Airflow's trigger form reads (title, description, section).
/// </summary>
internal static class ParameterSchema
{
    public static void Write(Utf8JsonWriter json, string title, ParameterSet parameters)
    {
        json.WriteStartObject();
        json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
        json.WriteString("title", title);
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var parameter in parameters.All)
        {
            json.WriteStartObject(parameter.Name);
            json.WriteString("title", parameter.Title);
            json.WriteString("description", parameter.Description);
            json.WriteString("section", parameter.Section);
            parameter.WriteSchema(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteBoolean("additionalProperties", false);
        json.WriteEndObject();
    }
}
