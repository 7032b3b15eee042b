using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace SalesTasks.Encryption;

/// <summary>A sealed value that does not open: changed, moved to another row, or its key is not there.</summary>
internal sealed class SealBrokenException(string message) : Exception(message);

/// <summary>
/// Seals and opens values: AES-256-GCM (NIST SP 800-38D) with a random nonce, bound by its associated data to the place it belongs to.
/// Envelope: version 1, length of the key's id, the id, 12 bytes nonce, cipher text, 16 bytes tag. Columns hold tokens, made by
/// HMAC-SHA256 with the index key, so that an equal value has an equal token; a note's token is of its lead as well, since notes repeat.
/// </summary>
internal sealed partial class Sealer(EncryptionKeys keys)
{
    /// <summary>What every token begins with, in SQL too.</summary>
    public const string Prefix = "sealed-";

    /// <summary>What a sealed text outside the columns begins with; the id of its key and the envelope in base64url follow.</summary>
    public const string TextPrefix = "sealed:1:";

    private const byte Version = 1;
    private const int Nonce = 12;
    private const int Tag = 16;

    public EncryptionKeys Keys { get; } = keys;

    /// <summary>At most 63 characters, of which none is changed by JSON, HTML or a URL.</summary>
    public string PhoneToken(string text)
    {
        var digits = PhoneDigits.Of(text);
        if (digits.Length <= 5)
        {
            return Prefix + Letters("phone", text, 32);
        }

        Span<byte> hash = stackalloc byte[32];
        Hash("digits", digits, hash);
        var number = new UInt128(BitConverter.ToUInt64(hash[..8]), BitConverter.ToUInt64(hash[8..16])) % UInt128.Parse("1" + new string('0', 38), null);
        return $"{Prefix}{Letters("phone", text, 16)}-{(PhoneDigits.Identify(digits) ? '1' : '0')}{number:D38}";
    }

    public string NotesToken(long leadId, string text) => Prefix + Letters($"notes/{leadId}", text, 32);

    public static bool IsToken(string? text) => text is not null && text.StartsWith(Prefix, StringComparison.Ordinal) && WholeToken().IsMatch(text);

    /// <summary>The tokens within a text.</summary>
    public static IEnumerable<string> TokensIn(string? text) =>
        text is null || !text.Contains(Prefix, StringComparison.Ordinal) ? [] : AnyToken().Matches(text).Select(m => m.Value);

    /// <summary>The text with each of its tokens replaced.</summary>
    public static string Replace(string text, Func<string, string> value) =>
        text.Contains(Prefix, StringComparison.Ordinal) ? AnyToken().Replace(text, m => value(m.Value)) : text;

    /// <summary>A lead's value behind a token.</summary>
    public byte[] Seal(long leadId, string token, string text) => Seal($"sealed_values/{leadId}/{token}", text);

    /// <exception cref="SealBrokenException">It is no lead's own, or its key is missing.</exception>
    public string Open(long leadId, string token, byte[] envelope) => Open($"sealed_values/{leadId}/{token}", envelope);

    /// <summary>A text that stands by itself, for columns that hold any text.</summary>
    /// <param name="place">Table, column and key of the row it is for.</param>
    /// <param name="text">The text.</param>
    public string SealText(string place, string text) => $"{TextPrefix}{Keys.Current}:{Base64Url.EncodeToString(Seal(place, text))}";

    /// <summary>The text; what is not sealed is given back.</summary>
    /// <exception cref="SealBrokenException">It is of another place, or its key is missing.</exception>
    public string OpenText(string place, string text)
    {
        if (!text.StartsWith(TextPrefix, StringComparison.Ordinal))
        {
            return text;
        }

        byte[] envelope;
        try
        {
            envelope = Base64Url.DecodeFromChars(text.AsSpan(text.LastIndexOf(':') + 1));
        }
        catch (FormatException)
        {
            throw Broken(place);
        }

        return Open(place, envelope);
    }

    public byte[] Seal(string place, string text)
    {
        var id = Encoding.ASCII.GetBytes(Keys.Current);
        var plain = Encoding.UTF8.GetBytes(text);
        var envelope = new byte[2 + id.Length + Nonce + plain.Length + Tag];
        envelope[0] = Version;
        envelope[1] = (byte)id.Length;
        id.CopyTo(envelope, 2);
        var nonce = envelope.AsSpan(2 + id.Length, Nonce);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(Keys.Find(Keys.Current)!, Tag);
        cipher.Encrypt(nonce, plain, envelope.AsSpan(2 + id.Length + Nonce, plain.Length), envelope.AsSpan(envelope.Length - Tag), Bound(place, envelope.AsSpan(0, 2 + id.Length)));
        return envelope;
    }

    public string Open(string place, byte[] envelope)
    {
        var body = envelope.Length < 2 ? 0 : 2 + envelope[1];
        if (envelope.Length < body + Nonce + Tag || body < 3 || envelope[0] != Version)
        {
            throw Broken(place);
        }

        var id = Encoding.ASCII.GetString(envelope, 2, body - 2);
        if (Keys.Find(id) is not { } key)
        {
            throw new SealBrokenException($"a value is sealed with key '{Shown(id)}', which connection '{Keys.ConnectionId}' does not have");
        }

        var plain = new byte[envelope.Length - body - Nonce - Tag];
        try
        {
            using var cipher = new AesGcm(key, Tag);
            cipher.Decrypt(
                envelope.AsSpan(body, Nonce), envelope.AsSpan(body + Nonce, plain.Length), envelope.AsSpan(envelope.Length - Tag), plain, Bound(place, envelope.AsSpan(0, body)));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Broken(place);
        }

        return Encoding.UTF8.GetString(plain);
    }

    private static byte[] Bound(string place, ReadOnlySpan<byte> head) => [.. head, .. Encoding.UTF8.GetBytes(place)];

    private static SealBrokenException Broken(string place) => new($"{place[..place.IndexOf('/', StringComparison.Ordinal)]} has a sealed value that was changed or moved from another row");

    private static string Shown(string id) => id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-') ? id : "(not shown)";

    private string Letters(string purpose, string text, int count)
    {
        Span<byte> hash = stackalloc byte[32];
        Hash(purpose, text, hash);
        Span<char> letters = stackalloc char[count];
        for (var i = 0; i < count; i++)
        {
            letters[i] = (char)('a' + ((hash[i / 2] >> (i % 2 * 4)) & 15));
        }

        return new string(letters);
    }

    private void Hash(string purpose, string text, Span<byte> hash) => HMACSHA256.HashData(Keys.Index, Encoding.UTF8.GetBytes($"{purpose}\0{text}"), hash);

    [GeneratedRegex(@"^(?:sealed-[a-p]{16}-[01][0-9]{38}|sealed-[a-p]{32})\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholeToken();

    [GeneratedRegex("sealed-[a-p]{16}-[01][0-9]{38}|sealed-[a-p]{32}", RegexOptions.CultureInvariant)]
    private static partial Regex AnyToken();
}
