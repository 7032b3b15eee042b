using System.Globalization;
using System.Text.RegularExpressions;

namespace SalesTasks.Database;

/// <summary>The server programs of an installed PostgreSQL: <c>initdb</c>, <c>pg_ctl</c>, <c>postgres</c>, <c>createdb</c>.</summary>
internal sealed partial record PostgresBinaries(string Folder, Version Version)
{
    private static readonly string[] Programs = ["postgres", "initdb", "pg_ctl", "createdb"];

    /// <summary>Where distributions, the PostgreSQL project's packages, Homebrew and source builds put them.</summary>
    private static readonly string[] Places =
    [
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/usr/lib/postgresql*/bin",
        "/usr/libexec/postgresql*",
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/Library/PostgreSQL/*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
        "/usr/local/pgsql/bin",
        "/usr/local/bin",
    ];

    private static readonly (string Tool, string Command)[] InstallCommands =
    [
        ("/usr/bin/apt-get", "apt-get install -y postgresql"),
        ("/usr/bin/dnf", "dnf install -y postgresql-server"),
        ("/sbin/apk", "apk add postgresql"),
        ("/opt/homebrew/bin/brew", "brew install postgresql@17"),
        ("/usr/local/bin/brew", "brew install postgresql@17"),
    ];

    /// <summary>The first on PATH, else the newest of the usual places; version 12 or newer.</summary>
    /// <exception cref="JobException">69: none; the message tells where it looked and the command that installs one.</exception>
    public static Task<PostgresBinaries> FindAsync(CancellationToken cancellationToken) => FindAsync(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        Places,
        cancellationToken);

    /// <inheritdoc cref="FindAsync(CancellationToken)"/>
    /// <param name="path">Folders to look in first, in this order.</param>
    /// <param name="places">Folders to look in then, the newest version first; a star stands for part of one folder's name.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    internal static async Task<PostgresBinaries> FindAsync(
        IReadOnlyList<string> path, IReadOnlyList<string> places, CancellationToken cancellationToken)
    {
        var tooOld = new List<PostgresBinaries>();
        foreach (var folder in path.Where(HasPrograms))
        {
            if (await ReadAsync(folder, cancellationToken) is { } found)
            {
                if (found.Version.Major >= Migrator.OldestServer)
                {
                    return found;
                }

                tooOld.Add(found);
            }
        }

        var installed = new List<PostgresBinaries>();
        foreach (var folder in places.SelectMany(Expand).Where(HasPrograms))
        {
            if (await ReadAsync(folder, cancellationToken) is { } found)
            {
                (found.Version.Major >= Migrator.OldestServer ? installed : tooOld).Add(found);
            }
        }

        return installed.MaxBy(candidate => candidate.Version) ?? throw JobException.Refused(
            $"No PostgreSQL server ({Migrator.OldestServer} or newer) is installed here. Looked for {string.Join(", ", Programs)} on PATH and in "
            + $"{string.Join(", ", places)}{(tooOld.Count == 0 ? "" : "; too old: " + string.Join(", ", tooOld))}. Install it: "
            + (InstallCommand() ?? "see https://www.postgresql.org/download/"));
    }

    /// <summary>What a person types here to install a server; null where we know no package.</summary>
    public static string? InstallCommand() => InstallCommands.FirstOrDefault(install => File.Exists(install.Tool)).Command;

    /// <summary>Where programs of PostgreSQL may be: the folders of PATH, then the usual places.</summary>
    public static IEnumerable<string> Folders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Concat(Places.SelectMany(Expand));

    /// <summary>What a program says with <c>--version</c>; null where that is no version of PostgreSQL.</summary>
    public static async Task<Version?> VersionAsync(string program, CancellationToken cancellationToken)
    {
        // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; betas: "19beta1".
        var result = await ChildProcess.RunAsync(program, ["--version"], null, cancellationToken);
        var match = VersionNumber().Match(result.Output);
        return match.Success ? new Version(Number(match.Groups["major"]), Number(match.Groups["minor"])) : null;

        static int Number(Group digits) => digits.Success ? int.Parse(digits.ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

    public override string ToString() => $"{Folder} ({Version})";

    private static bool HasPrograms(string folder) => Programs.All(program => File.Exists(Path.Combine(folder, program)));

    private static async Task<PostgresBinaries?> ReadAsync(string folder, CancellationToken cancellationToken) =>
        await VersionAsync(Path.Combine(folder, "postgres"), cancellationToken) is { } version ? new PostgresBinaries(folder, version) : null;

    private static IEnumerable<string> Expand(string place)
    {
        var folders = (IEnumerable<string>)["/"];
        foreach (var part in place.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            folders = folders.SelectMany(folder => part.Contains('*', StringComparison.Ordinal)
                ? Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, part) : []
                : [Path.Combine(folder, part)]);
        }

        return folders;
    }

    [GeneratedRegex(@"PostgreSQL\) (?<major>\d+)(\.(?<minor>\d+))?", RegexOptions.ExplicitCapture)]
    private static partial Regex VersionNumber();
}
