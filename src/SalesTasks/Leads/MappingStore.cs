using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Leads;

/// <summary>A column mapping saved by name.</summary>
internal sealed record SavedMapping(string Name, string Kind, string Document, DateTime CreatedAt, DateTime UpdatedAt);

/// <summary>The table of saved column mappings, and mapping files.</summary>
internal static class MappingStore
{
    private const int LargestFile = 1 << 20;

    public static Task<List<SavedMapping>> ListAsync(NpgsqlConnection connection, string? name, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "leads/mappings",
            [("name", name)],
            row => new SavedMapping(row.GetString(0), row.GetString(1), row.GetString(2), row.GetDateTime(3), row.GetDateTime(4)),
            cancellationToken);

    /// <exception cref="JobException">64: no mapping of this name; names those there are.</exception>
    public static async Task<SavedMapping> LoadAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        var all = await ListAsync(connection, name: null, cancellationToken);
        return all.Find(saved => string.Equals(saved.Name, name, StringComparison.Ordinal))
            ?? throw JobException.Usage(
                $"mapping: there is no saved mapping '{name}'; allowed: "
                + (all.Count > 0 ? string.Join(", ", all.Select(saved => saved.Name)) : "none is saved; save one with leads mappings save"));
    }

    /// <exception cref="JobException">64: cannot be read, or is no mapping by its size.</exception>
    public static string ReadFile(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LargestFile
                ? File.ReadAllText(path)
                : throw JobException.Usage($"'{path}' is larger than 1 MB, which no mapping is");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw JobException.Usage($"The mapping file '{path}' cannot be read ({exception.GetType().Name})", exception);
        }
    }
}
