using System.Globalization;
using System.Text;
using System.Text.Json;
using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>
/// What a job gives back: one line of ASCII JSON on stdout, and the same in the files Airflow reads. ASCII, because Docker cuts log
/// streams at any byte and XCom is read as text.
/// </summary>
internal sealed record ResultLine(string Task, string Status, RunIdentity Run, bool DryRun, ExitCode ExitCode, long DurationMs)
{
    /// <summary>Where the KubernetesPodOperator's sidecar picks a result up; the directory exists only there.</summary>
    public const string XComPath = "/airflow/xcom/return.json";

    /// <summary>Where Kubernetes picks the reason of a failure up.</summary>
    public const string TerminationLogPath = "/dev/termination-log";

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

    /// <summary>
    /// Writes the result files that are asked for (<c>SALES_RESULT_PATH</c>) or expected (Kubernetes). Files are replaced as a whole, so
    /// that a reader never sees half a line.
    /// </summary>
    /// <exception cref="JobException">64 when <c>SALES_RESULT_PATH</c> cannot be written.</exception>
    public void WriteFiles(CommandHost host)
    {
        var line = ToJson();
        if (Directory.Exists(Path.GetDirectoryName(XComPath)))
        {
            Replace(XComPath, line);
        }

        if (Error is not null && File.Exists(TerminationLogPath))
        {
            File.WriteAllText(TerminationLogPath, Error.ReplaceLineEndings(" "));
        }

        var path = host.Environment("SALES_RESULT_PATH");
        if (string.IsNullOrWhiteSpace(path))
        {
            return;
        }

        try
        {
            Replace(path, line);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw JobException.Usage($"SALES_RESULT_PATH: '{path}' cannot be written ({exception.GetType().Name}); "
                + "allowed: a file in a directory that exists and is writable", exception);
        }
    }

    private static void Replace(string path, string line)
    {
        var temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.tmp");
        File.WriteAllText(temporary, line);
        File.Move(temporary, path, overwrite: true);
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
