using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary><c>pg_dump</c> and <c>pg_restore</c>, of one version.</summary>
internal sealed record PostgresTools(string Folder, Version Version)
{
    public string Dump => Path.Combine(Folder, "pg_dump");

    public string Restore => Path.Combine(Folder, "pg_restore");

    /// <summary>
    /// The oldest that will do: pg_dump refuses servers that are newer than itself, and an older pg_dump writes what more versions can read.
    /// </summary>
    /// <param name="atLeast">Major version of the server, or of the pg_dump that wrote the archive.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="JobException">69: none; the message tells what there is and how to install it.</exception>
    public static Task<PostgresTools> FindAsync(int atLeast, CancellationToken cancellationToken) =>
        FindAsync(PostgresBinaries.Folders(), atLeast, cancellationToken);

    /// <inheritdoc cref="FindAsync(int, CancellationToken)"/>
    /// <param name="folders">Where to look.</param>
    /// <param name="atLeast">Major version.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    internal static async Task<PostgresTools> FindAsync(IEnumerable<string> folders, int atLeast, CancellationToken cancellationToken)
    {
        var found = new List<PostgresTools>();
        foreach (var folder in folders.Distinct(StringComparer.Ordinal))
        {
            if (File.Exists(Path.Combine(folder, "pg_dump")) && File.Exists(Path.Combine(folder, "pg_restore"))
                && await PostgresBinaries.VersionAsync(Path.Combine(folder, "pg_dump"), cancellationToken) is { } version)
            {
                found.Add(new PostgresTools(folder, version));
            }
        }

        return found.Where(tools => tools.Version.Major >= atLeast).MinBy(tools => tools.Version) ?? throw JobException.Refused(
            $"Backups need pg_dump and pg_restore of version {atLeast} or newer; "
            + (found.Count == 0 ? "there are none on PATH or in the usual folders" : "here are only " + string.Join(", ", found.Select(t => $"{t.Folder} ({t.Version})")))
            + $". Install them, for instance with: apt-get install -y postgresql-client-{atLeast} (the image: build argument POSTGRES_CLIENT={atLeast})");
    }
}
