using System.Reflection;
using NetArchTest.Rules;

namespace SalesTasks.Tests;

/// <summary>
/// Who may know whom. A capability is every folder of src/SalesTasks that is no layer; they are found, not listed, so a new one is
/// held to the rules from its first day.
/// </summary>
public sealed class ArchitectureTests
{
    private const string Root = "SalesTasks";

    /// <summary>What capabilities share.</summary>
    private static readonly string[] LowerLayers = ["Airflow", "Charts", "Database", "Delivery", "Encryption", "Impact"];

    /// <summary>What puts them together.</summary>
    private const string UpperLayer = "Cli";

    /// <summary>(from, to) → why. May only shrink: an entry that is no longer needed fails the test.</summary>
    private static readonly Dictionary<(string From, string To), string> Exceptions = [];

    private static readonly Assembly Program = typeof(ExitCode).Assembly;

    private static readonly string[] Folders =
    [
        .. Program.GetTypes()
            .Select(type => type.Namespace?.Split('.'))
            .Where(parts => parts is [Root, _, ..])
            .Select(parts => parts![1])
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    private static readonly string[] Capabilities = [.. Folders.Except(LowerLayers).Where(folder => folder != UpperLayer)];

    public static TheoryData<string> Layers => [.. LowerLayers.Intersect(Folders)];

    [Theory]
    [MemberData(nameof(Layers))]
    public void LowerLayer_Always_KnowsNeitherCapabilitiesNorCli(string layer) =>
        Assert.Empty(Uses(layer, [.. Capabilities, UpperLayer]));

    [Fact]
    public void Capability_Always_KnowsNoOther() =>
        Assert.Empty(Capabilities.SelectMany(capability => Uses(capability, [.. Capabilities.Where(other => other != capability)])));

    [Fact]
    public void Exceptions_EachOne_IsStillNeeded() =>
        Assert.All(Exceptions.Keys, pair => Assert.NotEmpty(Dependents(pair.From, pair.To)));

    [Fact]
    public void Database_Itself_IsSeenByTheRule() =>
        // The rule finds what it looks for: the migrator does use the root's JobException.
        Assert.Contains(Dependents("Database", null), type => type.EndsWith(".Migrator", StringComparison.Ordinal));

    private static IEnumerable<string> Uses(string folder, string[] forbidden) => forbidden
        .Where(other => !Exceptions.ContainsKey((folder, other)))
        .SelectMany(other => Dependents(folder, other).Select(type => $"{type} uses {Root}.{other}"));

    private static IEnumerable<string> Dependents(string folder, string? other) => Types.InAssembly(Program)
        .That().ResideInNamespaceMatching($@"^{Root}\.{folder}($|\.)")
        .And().HaveDependencyOnAny(other is null ? $"{Root}.{nameof(JobException)}" : $"{Root}.{other}")
        .GetTypes()
        .Select(type => type.FullName ?? type.Name);
}
