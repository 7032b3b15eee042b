using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>
/// A file in one of the formats of Airflow's LocalFilesystemBackend: <c>.env</c> (a line <c>ID=URI</c> each), <c>.json</c> or
/// <c>.yaml</c>/<c>.yml</c> (an object of ids, each a URI or an object of fields).
/// </summary>
internal static class ConnectionFile
{
    /// <summary>The connection of that id, or null when the file does not define it.</summary>
    /// <param name="source">The id to look for; its place names the file.</param>
    /// <param name="path">The file; its ending tells the format.</param>
    /// <exception cref="JobException">
    /// The file cannot be read, defines any id twice, or holds a faulty connection of that id; other connections are not looked into.
    /// </exception>
    public static AirflowConnection? Find(ConnectionSource source, string path) =>
        FindIn(source, Path.GetExtension(path).ToLowerInvariant(), ReadText(source, path));

    /// <summary>The same in the text of a file.</summary>
    /// <param name="source">The id to look for.</param>
    /// <param name="extension">The ending of the file's name, lower-case, with its dot.</param>
    /// <param name="text">What the file holds.</param>
    public static AirflowConnection? FindIn(ConnectionSource source, string extension, string text) => extension switch
    {
        ".env" => FindInLines(source, text),
        ".json" => FindInJson(source, text),
        ".yaml" or ".yml" => FindInJson(source, YamlText.ToJson(text, source)),
        _ => throw source.Fault("a connections file must end in .env, .json, .yaml or .yml"),
    };

    private static string ReadText(ConnectionSource source, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw source.Fault("there is no such file");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw source.Fault($"the file cannot be opened ({exception.GetType().Name})");
        }
    }

    private static AirflowConnection? FindInLines(ConnectionSource source, string text)
    {
        AirflowConnection? found = null;
        var lineOf = new Dictionary<string, int>();
        var lines = new StringReader(text);
        for (var number = 1; lines.ReadLine() is { } line; number++)
        {
            line = line.Trim();
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line.Split('=', 2, StringSplitOptions.TrimEntries) is not [{ Length: > 0 } id, { Length: > 0 } value])
            {
                throw source.Fault($"line {number} is not of the form ID=URI");
            }

            if (!lineOf.TryAdd(id, number))
            {
                throw source.Fault($"lines {lineOf[id]} and {number} define the same connection");
            }

            if (string.Equals(id, source.Id, StringComparison.Ordinal))
            {
                found = AirflowConnection.Parse(source, value);
            }
        }

        return found;
    }

    private static AirflowConnection? FindInJson(ConnectionSource source, string json)
    {
        using var document = JsonText.Parse(json, fault => source.Fault($"the file {fault}"));
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw source.Fault("the file must be an object of connection ids");
        }

        AirflowConnection? found = null;
        var ids = new HashSet<string>();
        foreach (var entry in document.RootElement.EnumerateObject())
        {
            if (!ids.Add(entry.Name) || (entry.Value.ValueKind == JsonValueKind.Array && entry.Value.GetArrayLength() > 1))
            {
                throw source.Fault($"the file defines {ConnectionSource.Shown(entry.Name)} more than once");
            }

            if (string.Equals(entry.Name, source.Id, StringComparison.Ordinal))
            {
                found = Read(source, entry.Value);
            }
        }

        return found;
    }

    private static AirflowConnection? Read(ConnectionSource source, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => AirflowConnection.Parse(source, value.GetString()!),
        JsonValueKind.Object => ConnectionJson.Read(source, value, inFile: true),
        // Airflow still takes a list of one.
        JsonValueKind.Array => value.EnumerateArray().Select(item => Read(source, item)).SingleOrDefault(),
        _ => throw source.Fault("it must be a URI or an object of fields"),
    };
}
