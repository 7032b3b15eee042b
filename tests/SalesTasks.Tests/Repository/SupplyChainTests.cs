using System.Security.Cryptography;
using System.Text.Json;
using System.Xml.Linq;
using SalesTasks.Database;

namespace SalesTasks.Tests.Repository;

/// <summary>What the program is made of: known by name and licence, without known weaknesses, and built the same everywhere.</summary>
public sealed class SupplyChainTests
{
    /// <summary>Licences that a company may ship in a closed container; another one is for its lawyers to judge first.</summary>
    private static readonly string[] s_permissive = ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MS-PL", "PostgreSQL"];

    [Fact]
    public async Task LicencePages_EveryPackageOfTheProgram_IsNamedWithVersionAndLicence()
    {
        var packages = await PackagesAsync();
        var rows = packages.Select(package => $"| {Shown(package.Id)} | {package.Version} | {package.Licence} | {package.Authors} |").ToList();

        Assert.All(packages, package => Assert.Contains(package.Licence.Split(" OR "), s_permissive.Contains));
        foreach (var page in (string[])["docs/licences.md", "docs/es/licences.md"])
        {
            var text = await File.ReadAllTextAsync($"{Checkout.Root}/{page}", TestContext.Current.CancellationToken);
            var told = text.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Split(" | ") is [_, [>= '0' and <= '9', ..], ..]).ToList();
            Assert.True(told.SequenceEqual(rows, StringComparer.Ordinal), $"{page} should have these rows:\n{string.Join('\n', rows)}");
        }
    }

    [Fact]
    public async Task Build_InTwoFolders_IsTheSameToTheByte()
    {
        var folder = Directory.CreateTempSubdirectory("sales-tasks-build-");
        try
        {
            var first = await BuildAsync(Path.Combine(folder.FullName, "a"));
            var second = await BuildAsync(Path.Combine(folder.FullName, "another", "deeper"));

            Assert.Equal(["sales-tasks", "sales-tasks.deps.json", "sales-tasks.dll", "sales-tasks.pdb"], first.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(first, second);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Audit_OfAllPackages_FindsNoKnownWeakness()
    {
        // A package with a published weakness (GHSA-5crp-9r3c-p9vr) tells whether the package source knows any: where it is not found, a
        // clean result means nothing.
        var folder = Directory.CreateTempSubdirectory("sales-tasks-audit-");
        try
        {
            await File.WriteAllTextAsync(
                $"{folder.FullName}/known.csproj",
                """
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
                  <ItemGroup><PackageReference Include="Newtonsoft.Json" Version="12.0.1" /></ItemGroup>
                </Project>
                """,
                TestContext.Current.CancellationToken);
            var restore = await DotnetAsync("restore", $"{folder.FullName}/known.csproj");
            if (restore.ExitCode != 0 || !(await WeaknessesAsync($"{folder.FullName}/known.csproj")).Contains("Newtonsoft.Json", StringComparer.Ordinal))
            {
                Assert.Skip("The package source knows no weaknesses, or cannot be reached: nothing was audited.");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        Assert.Empty(await WeaknessesAsync($"{Checkout.Root}/SalesTasks.sln"));
    }

    private static string Shown(string id) => id.StartsWith("Google.OrTools.runtime.", StringComparison.Ordinal) ? "Google.OrTools.runtime" : id;

    /// <summary>The packages whose files go with the program, in ordinal order, as their own manifests in the package folder describe them.</summary>
    private static async Task<List<(string Id, string Version, string Licence, string Authors)>> PackagesAsync()
    {
        using var assets = JsonDocument.Parse(
            await File.ReadAllTextAsync($"{Checkout.Root}/src/SalesTasks/obj/project.assets.json", TestContext.Current.CancellationToken));
        var folders = assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToList();
        using var shipped = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "sales-tasks.deps.json"), TestContext.Current.CancellationToken));

        var packages = new List<(string, string, string, string)>();
        foreach (var library in shipped.RootElement.GetProperty("libraries").EnumerateObject().OrderBy(library => library.Name, StringComparer.OrdinalIgnoreCase))
        {
            if (library.Value.GetProperty("type").GetString() != "package")
            {
                continue;
            }

            var path = library.Value.GetProperty("path").GetString()!;
            var manifest = folders.Select(folder => Path.Combine(folder, path)).Where(Directory.Exists)
                .SelectMany(folder => Directory.GetFiles(folder, "*.nuspec")).First();
            var metadata = XDocument.Load(manifest).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
            string Of(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
            packages.Add((Of("id"), Of("version"), Of("license"), string.Join(", ", Of("authors").Split(',', StringSplitOptions.TrimEntries))));
        }

        Assert.NotEmpty(packages);
        return packages;
    }

    /// <summary>SHA-256 of what the compiler makes, by file name, of a copy of the sources in <paramref name="folder"/>.</summary>
    private static async Task<Dictionary<string, string>> BuildAsync(string folder)
    {
        foreach (var part in (string[])["src", "sql", "examples"])
        {
            Copy($"{Checkout.Root}/{part}", Path.Combine(folder, part));
        }

        foreach (var file in (string[])["global.json", "Directory.Build.props", "Directory.Packages.props", "BannedSymbols.txt"])
        {
            File.Copy($"{Checkout.Root}/{file}", Path.Combine(folder, file));
        }

        // A compiler server would go on living after the test.
        var build = await DotnetAsync(
            "build", $"{folder}/src/SalesTasks", "--configuration", "Release", "--output", $"{folder}/out", "-p:ContinuousIntegrationBuild=true",
            "-p:RunAnalyzers=false", "-p:EnforceCodeStyleInBuild=false", "-p:UseSharedCompilation=false", "-nodeReuse:false");
        Assert.True(build.ExitCode == 0, build.Output + build.Errors);

        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles($"{folder}/out", "sales-tasks*").Where(file => !file.EndsWith(".runtimeconfig.json", StringComparison.Ordinal) && !file.EndsWith(".xml", StringComparison.Ordinal)))
        {
            await using var stream = File.OpenRead(file);
            hashes.Add(Path.GetFileName(file), Convert.ToHexString(await SHA256.HashDataAsync(stream, TestContext.Current.CancellationToken)));
        }

        return hashes;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.GetDirectories(from).Where(folder => Path.GetFileName(folder) is not ("bin" or "obj")))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    private static async Task<List<string>> WeaknessesAsync(string project)
    {
        var list = await DotnetAsync("list", project, "package", "--vulnerable", "--include-transitive", "--format", "json");
        Assert.True(list.ExitCode == 0, list.Output + list.Errors);
        using var answer = JsonDocument.Parse(list.Output);
        return
        [
            .. answer.RootElement.GetProperty("projects").EnumerateArray()
                .SelectMany(Frameworks)
                .SelectMany(framework => framework.EnumerateObject().Where(part => part.Value.ValueKind == JsonValueKind.Array))
                .SelectMany(part => part.Value.EnumerateArray())
                .Select(package => package.GetProperty("id").GetString()!),
        ];

        static IEnumerable<JsonElement> Frameworks(JsonElement project) =>
            project.TryGetProperty("frameworks", out var frameworks) ? frameworks.EnumerateArray() : [];
    }

    private static Task<ChildProcess.Result> DotnetAsync(params IEnumerable<string> arguments) =>
        Checkout.RunAsync($"{Checkout.DotnetRoot}/dotnet", arguments);
}
