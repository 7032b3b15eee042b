using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SalesTasks.Backup;

/// <summary>Rows of a table and the sum of their hashes, which no order of the rows changes.</summary>
internal sealed record TableFingerprint(string Name, long Rows, string Sum);

/// <summary>Where a sequence stood before and after the dump; what is restored lies between.</summary>
internal sealed record SequenceRange(string Name, long From, long To);

/// <summary>A file of the dump.</summary>
internal sealed record BackupFile(string Name, long Bytes, string Sha256);

/// <summary>What is in a backup: written when the dump is complete, checked before anything is restored.</summary>
internal sealed record BackupManifest
{
    /// <summary>The only one so far.</summary>
    public const int CurrentFormat = 1;

    public required int Format { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Program { get; init; }

    /// <summary>Number of the newest migration.</summary>
    public required int SchemaVersion { get; init; }

    public required string Database { get; init; }

    public required string Schema { get; init; }

    public required int ServerMajor { get; init; }

    public required string ServerVersion { get; init; }

    /// <summary>Version of pg_dump; a pg_restore of that major version or a newer one reads it.</summary>
    public required string Tool { get; init; }

    public required string Encoding { get; init; }

    public required string Collation { get; init; }

    public required string Ctype { get; init; }

    /// <summary>The instant of the snapshot.</summary>
    public required DateTimeOffset TakenAt { get; init; }

    public required DateTimeOffset FinishedAt { get; init; }

    /// <summary>Idempotency key of the run, so that a retry of one that succeeded does not make a second.</summary>
    public required string Run { get; init; }

    public required IReadOnlyList<TableFingerprint> Tables { get; init; }

    public required IReadOnlyList<SequenceRange> Sequences { get; init; }

    public required IReadOnlyList<BackupFile> Files { get; init; }

    [JsonIgnore]
    public long Rows => Tables.Sum(table => table.Rows);

    [JsonIgnore]
    public long Bytes => Files.Sum(file => file.Bytes);

    [JsonIgnore]
    public int ToolMajor => Version.TryParse(Tool, out var version) ? version.Major : 0;

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.BackupManifest);

    /// <exception cref="JsonException">The bytes are no manifest.</exception>
    public static BackupManifest Parse(byte[] bytes) => JsonSerializer.Deserialize(bytes, ManifestJson.Default.BackupManifest)
        ?? throw new JsonException("null is no manifest");
}

/// <summary>When a backup was last restored and compared; lies beside its manifest.</summary>
internal sealed record Verification(DateTimeOffset VerifiedAt, string Program);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(Verification))]
internal sealed partial class ManifestJson : JsonSerializerContext;

/// <summary>
/// What makes a changed manifest show. With a key (the password of the connection <c>SALES_BACKUP_CONN_ID</c>) nobody without it can make a seal
/// that fits, and a seal without a key is not taken; without one, accidents show and forgery does not.
/// </summary>
internal sealed class ManifestSeal(string? key)
{
    /// <summary>A shorter key could be guessed by trying.</summary>
    public const int ShortestKey = 16;

    private const string Plain = "sha256 ";
    private const string Keyed = "hmac-sha256 ";

    public string Of(byte[] manifest) => key is null
        ? Plain + Convert.ToHexStringLower(SHA256.HashData(manifest)) + "\n"
        : Keyed + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), manifest)) + "\n";

    /// <summary>Why the seal does not fit; null where it does.</summary>
    public string? Fault(byte[] manifest, string seal)
    {
        if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Of(manifest)), Encoding.UTF8.GetBytes(seal)))
        {
            return null;
        }

        return (seal.StartsWith(Keyed, StringComparison.Ordinal), key) switch
        {
            (true, null) => "it was sealed with a key: set SALES_BACKUP_CONN_ID to the connection that has it",
            (false, not null) => "it was sealed without the key of SALES_BACKUP_CONN_ID, or the seal is damaged",
            _ => "manifest.json and its seal do not fit: one of them was changed, or the key is another",
        };
    }
}
