using System.IO.Compression;

namespace SalesTasks.Leads;

/// <summary>A file to import; can be opened more than once.</summary>
internal abstract class SourceFile(string name)
{
    private static readonly string[] s_extensions = [".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json"];

    /// <summary>As people know it: a path, or <c>s3://bucket/key</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Whether a file found in a folder is taken: data by its ending, packed or not, and not a reject file of ours.</summary>
    public static bool IsData(string name)
    {
        var plain = IsPacked(name) ? name[..^3] : name;
        return s_extensions.Contains(Path.GetExtension(plain), StringComparer.OrdinalIgnoreCase)
            && !plain.EndsWith(RejectFile.Ending, StringComparison.OrdinalIgnoreCase)
            && !Path.GetFileName(plain).StartsWith('.');
    }

    /// <summary>The content, unpacked where the name ends in <c>.gz</c>.</summary>
    /// <exception cref="JobException">64: cannot be read.</exception>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var stream = await OpenRawAsync(cancellationToken);
        return IsPacked(Name) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
    }

    protected abstract Task<Stream> OpenRawAsync(CancellationToken cancellationToken);

    private static bool IsPacked(string name) => name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);
}

/// <summary>A file of this machine.</summary>
internal sealed class LocalFile(string path) : SourceFile(path)
{
    /// <summary>The file, or the data files directly in the folder in the order of their names.</summary>
    /// <exception cref="JobException">64: there is no such file or folder, or it cannot be read.</exception>
    public static IReadOnlyList<SourceFile> Find(string path)
    {
        if (File.Exists(path))
        {
            return [new LocalFile(path)];
        }

        if (!Directory.Exists(path))
        {
            throw JobException.Usage($"path: there is no file or folder '{path}'; allowed: a file, a folder, or s3://bucket/prefix");
        }

        try
        {
            return [.. Directory.EnumerateFiles(path).Where(IsData).Order(StringComparer.Ordinal).Select(file => new LocalFile(file))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, exception);
        }
    }

    protected override Task<Stream> OpenRawAsync(CancellationToken cancellationToken)
    {
        try
        {
            const int BufferSize = 128 << 10;
            return Task.FromResult<Stream>(new FileStream(
                Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, BufferSize, FileOptions.Asynchronous | FileOptions.SequentialScan));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(Name, exception);
        }
    }

    private static JobException Unreadable(string path, Exception exception) =>
        JobException.Usage($"'{path}' cannot be read ({exception.GetType().Name}); check that it exists and that this user may read it", exception);
}
