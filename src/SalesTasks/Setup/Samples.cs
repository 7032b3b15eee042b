using System.Reflection;

namespace SalesTasks.Setup;

/// <summary>The folder <c>examples</c>, embedded: the container image has no checkout beside it.</summary>
internal static class Samples
{
    private const string Root = "examples/";

    /// <summary>Names below <paramref name="folder"/> with their texts, in ordinal order.</summary>
    public static IReadOnlyList<(string File, string Text)> Of(string folder)
    {
        var assembly = Assembly.GetExecutingAssembly();
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith($"{Root}{folder}/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name =>
                {
                    using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                    return (Path.GetFileName(name), reader.ReadToEnd());
                }),
        ];
    }

    /// <summary>The name a campaign file gives its campaign.</summary>
    public static string CampaignName(string text) =>
        text.Split('\n').First(line => line.StartsWith("name: ", StringComparison.Ordinal))["name: ".Length..].Trim();
}
