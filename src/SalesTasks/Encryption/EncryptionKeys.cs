using System.Security.Cryptography;
using System.Text.Json;
using SalesTasks.Airflow;

namespace SalesTasks.Encryption;

/// <summary>
/// The keys of a connection: login is the id of the current key and password the key, extra <c>index_secret</c> the key of tokens, extra
/// <c>older_secrets</c> an object of older keys by id. Each is 32 bytes in base64. Nothing here is ever shown.
/// </summary>
internal sealed class EncryptionKeys
{
    private const int Size = 32;
    private const int LongestId = 32;
    private const string Allowed = "allowed: 32 bytes in base64, as \"openssl rand -base64 32\" prints them";

    private readonly Dictionary<string, byte[]> _keys = new(StringComparer.Ordinal);
    private readonly byte[] _index;

    private EncryptionKeys(string connectionId, string current, byte[] index)
    {
        ConnectionId = connectionId;
        Current = current;
        _index = index;
    }

    public string ConnectionId { get; }

    /// <summary>The id of the key that seals.</summary>
    public string Current { get; }

    public ReadOnlySpan<byte> Index => _index;

    /// <summary>The key of this id; null: the connection has none.</summary>
    public byte[]? Find(string keyId) => _keys.GetValueOrDefault(keyId);

    /// <summary>What a key answers to a fixed text.</summary>
    public static byte[] CheckValue(ReadOnlySpan<byte> key) => HMACSHA256.HashData(key, "salestasks key check"u8)[..8];

    /// <exception cref="JobException">64: says which field of which connection is wrong, never what it holds.</exception>
    public static EncryptionKeys From(AirflowConnection connection)
    {
        var extra = connection.ExtraFields;
        if (extra.Keys.FirstOrDefault(name => name is not ("index_secret" or "older_secrets")) is { } unknown)
        {
            throw connection.Source.Fault($"it has the extra {ConnectionSource.Shown(unknown)}; allowed: index_secret, older_secrets");
        }

        var current = connection.Login;
        if (current is null || !IsId(current))
        {
            throw connection.Source.Fault(
                $"its login must be the id of the current key; allowed: 1 to {LongestId} of a-z, 0-9, _ and -, such as 2026-1");
        }

        var keys = new EncryptionKeys(connection.Id, current, Key(extra.GetValueOrDefault("index_secret"), "extra index_secret"));
        keys._keys.Add(current, Key(connection.Password, "password"));
        if (extra.GetValueOrDefault("older_secrets") is { Length: > 0 } older)
        {
            using var document = JsonText.Parse(older, fault => connection.Source.Fault($"its extra older_secrets {fault}"));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw connection.Source.Fault("its extra older_secrets is not a JSON object; allowed: {\"id of a key\": \"the key\"}");
            }

            foreach (var entry in document.RootElement.EnumerateObject())
            {
                if (!IsId(entry.Name) || !keys._keys.TryAdd(
                    entry.Name, Key(entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString() : null, $"key in older_secrets")))
                {
                    throw connection.Source.Fault(
                        $"its extra older_secrets has the id {ConnectionSource.Shown(entry.Name)}, which is the current key's, there twice, or no id; "
                        + $"allowed: 1 to {LongestId} of a-z, 0-9, _ and -");
                }
            }
        }

        if (keys._keys.Values.Any(key => CryptographicOperations.FixedTimeEquals(key, keys._index))
            || keys._keys.Values.Select(Convert.ToHexString).Distinct().Count() < keys._keys.Count)
        {
            throw connection.Source.Fault("two of its keys are the same; allowed: each key a random one of its own");
        }

        return keys;

        byte[] Key(string? text, string field)
        {
            var bytes = new byte[Size];
            return text is not null && Convert.TryFromBase64String(text.Trim(), bytes, out var length) && length == Size
                ? bytes
                : throw connection.Source.Fault($"its {field} is {(string.IsNullOrEmpty(text) ? "missing" : "no key")}; {Allowed}");
        }
    }

    private static bool IsId(string text) => text.Length is > 0 and <= LongestId && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-');
}
