using System.Text.Json;
using SalesTasks.Database;

namespace SalesTasks.Alerts;

/// <summary>A kind of alert: a file of <c>sql/alerts/kinds</c> that finds its situations and holds its words. The file's name is the kind's.</summary>
internal sealed class AlertKind
{
    private const string Folder = "alerts/kinds/";

    private AlertKind(string name) => Name = name;

    public static IReadOnlyList<AlertKind> All { get; } =
        [.. Sql.All().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).Select(name => new AlertKind(name[Folder.Length..]))];

    public string Name { get; }

    public string Statement => Folder + Name;

    /// <summary>The title of a kind, or its name where this program no longer has it.</summary>
    public static string Title(string kind, bool spanish) => Find(kind) is { } known ? StatementTexts.Of(known.Statement).Title(spanish) : kind;

    public static string Text(string kind, bool spanish, JsonElement facts) =>
        Find(kind) is { } known ? StatementTexts.Of(known.Statement).Text(spanish, facts) : facts.GetRawText();

    private static AlertKind? Find(string kind) => All.FirstOrDefault(known => known.Name == kind);
}
