using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace SalesTasks.Database;

/// <summary>One numbered step of the schema's history: <c>sql/migrations/0001_types.sql</c> is version 1, name <c>types</c>.</summary>
internal sealed record Migration(int Version, string Name, string Text)
{
    private static readonly Lazy<IReadOnlyList<Migration>> EmbeddedMigrations = new(LoadEmbedded);

    /// <summary>The migrations of this program in order of version: 1, 2, 3, …</summary>
    public static IReadOnlyList<Migration> Embedded => EmbeddedMigrations.Value;

    /// <summary>The program's version, as the journal tells it.</summary>
    public static string ProgramVersion { get; } =
        typeof(Migration).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>File name without ending: <c>0001_types</c>.</summary>
    public string FullName => $"{Version.ToString("D4", CultureInfo.InvariantCulture)}_{Name}";

    /// <summary>SHA-256 of the text in UTF-8 with LF line ends, hexadecimal.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    private static Migration[] LoadEmbedded()
    {
        Migration[] migrations = [.. Sql.Migrations().Select(Load)];
        for (var i = 0; i < migrations.Length; i++)
        {
            if (migrations[i].Version != i + 1)
            {
                throw new InvalidOperationException($"Migration {migrations[i].FullName} is at place {i + 1}: numbers must be 1, 2, 3, …");
            }
        }

        return migrations;
    }

    private static Migration Load(string path)
    {
        var fileName = path[(path.LastIndexOf('/') + 1)..];
        return fileName.Length > 5 && fileName[4] == '_' && int.TryParse(fileName.AsSpan(0, 4), NumberStyles.None, null, out var version)
            ? new Migration(version, fileName[5..], Sql.Load(path))
            : throw new InvalidOperationException($"Migration '{fileName}' is not named NNNN_name.sql.");
    }
}
