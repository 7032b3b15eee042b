using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SalesTasks.Campaigns;

/// <summary>
/// Reads a campaign file, YAML or JSON (which is YAML). Plain words are null, booleans and numbers where they look like it, as everywhere in
/// YAML; what is quoted is text.
/// </summary>
internal static partial class CampaignFile
{
    private const int LargestFile = 1 << 20;
    private const int MaxDepth = 20;
    private const int MaxNodes = 20_000;

    /// <exception cref="JobException">64: it cannot be read, is too large, or is no valid YAML.</exception>
    public static JsonNode? Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LargestFile
                ? Parse(File.ReadAllText(path), $"'{path}'")
                : throw JobException.Usage($"'{path}' is larger than 1 MB, which no campaign is");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw JobException.Usage($"The campaign file '{path}' cannot be read ({exception.GetType().Name}); allowed: a YAML or JSON file", exception);
        }
    }

    /// <exception cref="JobException">64: no valid YAML, several documents, or nested without end.</exception>
    public static JsonNode? Parse(string text, string origin)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException exception)
        {
            throw JobException.Usage($"{origin}, line {exception.Start.Line}: not valid YAML: {exception.Message}", exception);
        }

        if (stream.Documents.Count != 1)
        {
            throw JobException.Usage($"{origin}: {stream.Documents.Count} documents; allowed: one campaign a file");
        }

        var nodes = 0;
        return Convert(stream.Documents[0].RootNode, 0);

        JsonNode? Convert(YamlNode node, int depth)
        {
            if (depth > MaxDepth || ++nodes > MaxNodes)
            {
                throw JobException.Usage($"{origin}, line {node.Start.Line}: nested too deep or too large for a campaign");
            }

            switch (node)
            {
                case YamlMappingNode mapping:
                    var members = new JsonObject();
                    foreach (var (key, value) in mapping.Children)
                    {
                        members[(key as YamlScalarNode)?.Value ?? throw JobException.Usage($"{origin}, line {key.Start.Line}: a key is no text")] =
                            Convert(value, depth + 1);
                    }

                    return members;
                case YamlSequenceNode list:
                    return new JsonArray([.. list.Children.Select(item => Convert(item, depth + 1))]);
                case YamlScalarNode { Value: { } value } scalar:
                    return scalar.Style is ScalarStyle.Plain ? Typed(value) : JsonValue.Create(value);
                default:
                    return null;
            }
        }
    }

    private static JsonNode? Typed(string word) => word switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ => JsonNumber().IsMatch(word) ? JsonNode.Parse(word) : JsonValue.Create(word),
    };

    [GeneratedRegex(@"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?$", RegexOptions.ExplicitCapture)]
    private static partial Regex JsonNumber();
}
