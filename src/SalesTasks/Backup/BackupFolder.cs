using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SalesTasks.Backup;

/// <summary>A backup as the folder shows it.</summary>
/// <param name="Name">Its folder's name: the instant of its snapshot, UTC.</param>
/// <param name="Manifest">Null where it cannot be read.</param>
/// <param name="Fault">Why it is no good; null as far as names and sizes of its files tell.</param>
/// <param name="VerifiedAt">When it was last restored and found equal.</param>
internal sealed record StoredBackup(string Name, BackupManifest? Manifest, string? Fault, DateTimeOffset? VerifiedAt);

/// <summary>
/// The folder of backups: a folder a backup, which gets its name when it is complete. <c>20260131T023000Z/manifest.json</c> tells what is in
/// <c>20260131T023000Z/dump</c>.
/// </summary>
internal sealed partial class BackupFolder(string path, ManifestSeal seal)
{
    private const string ManifestName = "manifest.json";
    private const string SealName = "manifest.seal";
    private const string VerificationName = "verified.json";
    private const string LockName = ".lock";
    private const string PartialPrefix = ".partial-";
    private const string RemovingPrefix = ".removing-";

    /// <summary>Where pg_dump writes, within a backup.</summary>
    public const string DumpName = "dump";

    public string Path { get; } = path;

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes the folder where it is missing and keeps others from making backups in it until disposed; a process that dies lets go.</summary>
    /// <exception cref="JobException">64: it cannot be written. 75: somebody else is at work in it.</exception>
    public IDisposable Lock()
    {
        try
        {
            if (!OperatingSystem.IsWindows() && !Directory.Exists(Path))
            {
                Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return new FileStream(PathOf(LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (FileFaults.IsUnusable(exception))
        {
            throw JobException.Usage(
                $"backup_folder: '{Path}' cannot be written ({exception.GetType().Name}); allowed: a folder this user may write, in a container a mounted volume", exception);
        }
        catch (IOException exception) when (!FileFaults.IsFull(exception))
        {
            throw JobException.Temporary($"backup_folder: another backup is being made in '{Path}', or it cannot be locked ({exception.Message})", exception);
        }
        catch (IOException exception)
        {
            throw FileFaults.Describe(Path, exception);
        }
    }

    /// <summary>Removes what killed runs left. Only while locked. Returns how many could not be removed.</summary>
    public int ClearLeftovers()
    {
        var stuck = 0;
        foreach (var left in Directory.EnumerateDirectories(Path, ".*").Where(IsLeftover))
        {
            try
            {
                Directory.Delete(left, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A pg_dump that outlived its run still writes there; it ends when it finds its files gone, and the next run clears the rest.
                stuck++;
            }
        }

        return stuck;
    }

    /// <summary>A folder to dump into that nobody takes for a backup.</summary>
    public string Begin()
    {
        var partial = PathOf(PartialPrefix + Guid.CreateVersion7().ToString("N"));
        if (OperatingSystem.IsWindows())
        {
            return Directory.CreateDirectory(partial).FullName;
        }

        // Personal data: nobody else's to read.
        return Directory.CreateDirectory(partial, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
    }

    /// <summary>Writes the manifest and its seal to disk and gives the backup its name, which is returned.</summary>
    public string Publish(string partial, BackupManifest manifest)
    {
        var bytes = manifest.ToBytes();
        WriteThrough(System.IO.Path.Combine(partial, ManifestName), bytes);
        WriteThrough(System.IO.Path.Combine(partial, SealName), System.Text.Encoding.ASCII.GetBytes(seal.Of(bytes)));
        var instant = manifest.TakenAt.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        for (var n = 1; ; n++)
        {
            var name = n == 1 ? instant : string.Create(CultureInfo.InvariantCulture, $"{instant}-{n}");
            // Under the lock nobody can take the name in between.
            if (!Directory.Exists(PathOf(name)))
            {
                Directory.Move(partial, PathOf(name));
                return name;
            }
        }
    }

    /// <summary>All that look like backups, the newest first.</summary>
    /// <exception cref="JobException">64: the folder is not there or cannot be read.</exception>
    public IReadOnlyList<StoredBackup> List()
    {
        try
        {
            return
            [
                .. Directory.EnumerateDirectories(Path).Select(directory => System.IO.Path.GetFileName(directory)).Where(IsName)
                    .OrderDescending(StringComparer.Ordinal).Select(Read),
            ];
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw JobException.Usage($"backup folder: '{Path}' cannot be read ({exception.GetType().Name}); allowed: the folder that backup create writes to", exception);
        }
    }

    /// <summary>One backup; <paramref name="name"/> null is the newest good one.</summary>
    /// <exception cref="JobException">64: there is none of that name. 69: there is, and it is no good.</exception>
    public (string Name, BackupManifest Manifest) Find(string? name)
    {
        var all = List();
        var found = name is null ? all.FirstOrDefault(backup => backup.Fault is null) : all.FirstOrDefault(backup => backup.Name == name);
        return found switch
        {
            null when name is null => throw JobException.Usage($"'{Path}' holds no good backup"),
            null => throw JobException.Usage($"'{Path}' holds no backup '{name}'; 'backup list' shows those that it holds"),
            { Fault: { } fault } => throw JobException.Refused($"backup {found.Name} is no good: {fault}"),
            _ => (found.Name, found.Manifest!),
        };
    }

    /// <summary>Reads every file of the dump and compares it with the manifest.</summary>
    /// <exception cref="JobException">69: files differ; the message names them.</exception>
    public async Task CheckFilesAsync(string name, BackupManifest manifest, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        foreach (var file in manifest.Files)
        {
            var actual = await DescribeAsync(PathOf(name), file.Name, cancellationToken);
            if (actual != file)
            {
                faults.Add($"{file.Name} has {actual.Bytes} bytes and another hash than the manifest's {file.Bytes}");
            }
        }

        if (faults.Count > 0)
        {
            throw JobException.Refused($"backup {name} is no good: {string.Join("; ", faults.Take(5))}");
        }
    }

    /// <summary>Size and hash of each file under <c>dump</c>.</summary>
    public static async Task<IReadOnlyList<BackupFile>> DescribeAsync(string backup, CancellationToken cancellationToken)
    {
        var files = new List<BackupFile>();
        foreach (var file in FilesOf(backup))
        {
            files.Add(await DescribeAsync(backup, file, cancellationToken));
        }

        return files;
    }

    public void NoteVerified(string name, Verification verification)
    {
        var place = System.IO.Path.Combine(PathOf(name), VerificationName);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(verification, ManifestJson.Default.Verification);
        try
        {
            File.WriteAllBytes(place + ".new", bytes);
            File.Move(place + ".new", place, overwrite: true);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            // A folder mounted read-only is a good place to verify from; the database remembers too.
        }
    }

    /// <summary>Takes a backup away: first its name, so that one half removed is nobody's backup.</summary>
    public void Remove(string name)
    {
        var removing = PathOf(RemovingPrefix + name);
        Directory.Move(PathOf(name), removing);
        Directory.Delete(removing, recursive: true);
    }

    private StoredBackup Read(string name)
    {
        BackupManifest? manifest = null;
        try
        {
            var bytes = File.ReadAllBytes(System.IO.Path.Combine(PathOf(name), ManifestName));
            var fault = seal.Fault(bytes, File.ReadAllText(System.IO.Path.Combine(PathOf(name), SealName)));
            if (fault is not null)
            {
                return new StoredBackup(name, null, fault, null);
            }

            manifest = BackupManifest.Parse(bytes);
            return new StoredBackup(name, manifest, FaultOf(name, manifest), VerifiedAt(name));
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return new StoredBackup(name, manifest, $"its manifest or files cannot be read ({exception.GetType().Name})", null);
        }
    }

    private string? FaultOf(string name, BackupManifest manifest)
    {
        if (manifest.Format != BackupManifest.CurrentFormat)
        {
            return string.Create(CultureInfo.InvariantCulture, $"its format is {manifest.Format}; this program reads {BackupManifest.CurrentFormat}");
        }

        var expected = manifest.Files.ToDictionary(file => file.Name, file => file.Bytes, StringComparer.Ordinal);
        foreach (var file in FilesOf(PathOf(name)))
        {
            if (!expected.Remove(file, out var bytes))
            {
                return $"it has a file {file} that is not in its manifest";
            }

            if (new FileInfo(System.IO.Path.Combine(PathOf(name), file)).Length is var actual && actual != bytes)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{file} has {actual} bytes, {bytes} in its manifest");
            }
        }

        return expected.Count > 0 ? $"its file {expected.Keys.First()} is missing" : null;
    }

    private DateTimeOffset? VerifiedAt(string name)
    {
        try
        {
            return JsonSerializer.Deserialize(
                File.ReadAllBytes(System.IO.Path.Combine(PathOf(name), VerificationName)), ManifestJson.Default.Verification)?.VerifiedAt;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Relative to the backup, without what lies beside the manifest.</summary>
    private static IEnumerable<string> FilesOf(string backup) => Directory
        .EnumerateFiles(System.IO.Path.Combine(backup, DumpName), "*", SearchOption.AllDirectories)
        .Select(file => System.IO.Path.GetRelativePath(backup, file)).Order(StringComparer.Ordinal);

    private static async Task<BackupFile> DescribeAsync(string backup, string file, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(System.IO.Path.Combine(backup, file));
        var hash = await System.Security.Cryptography.SHA256.HashDataAsync(stream, cancellationToken);
        return new BackupFile(file, stream.Length, Convert.ToHexStringLower(hash));
    }

    private static void WriteThrough(string path, byte[] content)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    private static bool IsLeftover(string directory) =>
        System.IO.Path.GetFileName(directory) is { } name
        && (name.StartsWith(PartialPrefix, StringComparison.Ordinal) || name.StartsWith(RemovingPrefix, StringComparison.Ordinal));

    private static bool IsName(string name) => Name().IsMatch(name);

    [GeneratedRegex("^[0-9]{8}T[0-9]{6}Z(-[0-9]{1,3})?$")]
    private static partial Regex Name();
}
