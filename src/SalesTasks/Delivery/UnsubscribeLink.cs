using System.Security.Cryptography;
using System.Text;

namespace SalesTasks.Delivery;

/// <summary>
/// Where a recipient unsubscribes with one click. The link carries the hash that <c>suppressions</c> keeps, so whoever serves it passes it
/// on to <c>suppressions add --hash</c> and needs to know nobody's address.
/// </summary>
/// <param name="baseAddress">An https address that takes <c>?address=HASH</c>; it must act on POST alone, since scanners follow links by GET.</param>
/// <remarks>RFC 8058 (one-click), RFC 2369 (List-Unsubscribe).</remarks>
internal sealed class UnsubscribeLink(Uri baseAddress)
{
    /// <summary>The two headers for this recipient.</summary>
    public IEnumerable<(string Name, string Value)> Headers(string recipient)
    {
        var separator = baseAddress.Query.Length > 0 ? '&' : '?';
        yield return ("List-Unsubscribe", $"<{baseAddress.AbsoluteUri}{separator}address={Convert.ToHexStringLower(AddressHash.Email(recipient))}>");
        yield return ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
    }
}

/// <summary>The same as the database's <c>address_hash</c>.</summary>
internal static class AddressHash
{
    public static byte[] Email(string address) => SHA256.HashData(Encoding.UTF8.GetBytes("email:" + address.Trim(' ').ToLowerInvariant()));

    public static byte[] Phone(string number) => SHA256.HashData(Encoding.UTF8.GetBytes("phone:" + string.Concat(number.Where(char.IsAsciiDigit))));
}
