using System.Text;
using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>Parses JSON that holds secrets: the parser's own messages quote their input, so none of them gets out.</summary>
internal static class JsonText
{
    /// <summary>Parses one JSON value.</summary>
    /// <param name="text">JSON; comments and trailing commas are faults, as in Airflow.</param>
    /// <param name="fault">Makes the error to throw of "is not valid JSON (line …)".</param>
    /// <returns>A document in which every string and property name can be read.</returns>
    public static JsonDocument Parse(string text, Func<string, JobException> fault)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        try
        {
            CheckEscapes(utf8);
            return JsonDocument.Parse(utf8);
        }
        catch (JsonException exception)
        {
            throw fault($"is not valid JSON (line {exception.LineNumber + 1}, column {exception.BytePositionInLine + 1})");
        }
        catch (InvalidOperationException)
        {
            throw fault("is not valid JSON (a \\u escape is one half of a surrogate pair)");
        }
    }

    /// <summary>Half a surrogate pair passes the syntax check and would only fail when the string is read.</summary>
    private static void CheckEscapes(byte[] utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        while (reader.Read())
        {
            if (reader.ValueIsEscaped)
            {
                _ = reader.GetString();
            }
        }
    }
}
