using SalesTasks.Delivery;

namespace SalesTasks.Leads;

/// <summary>An object of S3 or compatible storage.</summary>
internal sealed class S3File(S3Storage storage, string address) : SourceFile(address)
{
    /// <summary>
    /// The object of exactly this key; else the data objects whose keys start with it and that lie no folder deeper, in the order of their
    /// keys.
    /// </summary>
    /// <exception cref="JobException">69: no such bucket, or no right to list it. 75: the storage does not answer.</exception>
    public static async Task<IReadOnlyList<SourceFile>> FindAsync(S3Storage storage, string address, CancellationToken cancellationToken)
    {
        var (bucket, exact) = S3Storage.Split(address);
        var keys = await storage.ListAsync(address, cancellationToken);
        return
        [
            .. keys.Where(key => SourceFile.IsData(key) || (string.Equals(key, exact, StringComparison.Ordinal) && !exact.EndsWith('/')))
                .Select(key => new S3File(storage, $"{S3Storage.Scheme}{bucket}/{key}")),
        ];
    }

    protected override Task<Stream> OpenRawAsync(CancellationToken cancellationToken) => storage.OpenReadAsync(Name, cancellationToken);
}
