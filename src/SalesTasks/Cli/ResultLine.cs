using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>
/// What a job gives back: one line of ASCII JSON on stdout, and the same in <see cref="ResultFiles"/>. ASCII, because Docker cuts log
/// streams at any byte and XCom is read as text.
/// </summary>
internal sealed record ResultLine(string Task, string Status, RunIdentity Run, bool DryRun, ExitCode ExitCode, long DurationMs)
{
    public JobResult? Result { get; init; }

    public string? Error { get; init; }

    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("task", Task);
            json.WriteString("status", Status);
            json.WriteString("run_id", Run.RunId);
            json.WriteBoolean("dry_run", DryRun);
            json.WriteNumber("exit_code", (int)ExitCode);
            json.WriteStartObject("counts");
            foreach (var (name, count) in Result?.Counts ?? new Dictionary<string, long>(StringComparer.Ordinal))
            {
                json.WriteNumber(name, count);
            }

            json.WriteEndObject();
            if (Result is { Details.Count: > 0 })
            {
                json.WriteStartObject("details");
                foreach (var (name, value) in Result.Details)
                {
                    json.WritePropertyName(name);
                    JsonValues.Write(json, value);
                }

                json.WriteEndObject();
            }

            if (Error is not null)
            {
                json.WriteString("error", Error);
            }

            json.WriteNumber("duration_ms", DurationMs);
            json.WriteEndObject();
        }

        return Encoding.ASCII.GetString(buffer.ToArray());
    }
}

internal static class JsonValues
{
    /// <summary>Writes null, text, numbers, booleans, instants, lists and dictionaries of them.</summary>
    public static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case short number:
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case double number:
                json.WriteNumberValue(number);
                break;
            case DateTime instant:
                json.WriteStringValue(instant);
                break;
            case DateTimeOffset instant:
                json.WriteStringValue(instant);
                break;
            case DateOnly date:
                json.WriteStringValue(date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case JsonNode node:
                node.WriteTo(json);
                break;
            case IEnumerable<KeyValuePair<string, object?>> members:
                json.WriteStartObject();
                foreach (var (name, member) in members)
                {
                    json.WritePropertyName(name);
                    Write(json, member);
                }

                json.WriteEndObject();
                break;
            case IEnumerable<object?> items:
                json.WriteStartArray();
                foreach (var item in items)
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException($"No JSON form for {value.GetType().Name}.");
        }
    }
}
