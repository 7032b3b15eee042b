using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SalesTasks.Airflow;

/// <summary>
/// A URL taken apart as Python's <c>urllib.parse.urlsplit</c> does (3.11.4 and later), which is what Airflow reads connections with.
/// System.Uri differs in most of what matters: it escapes, unescapes, lower-cases, adds default ports and refuses what Python accepts.
/// </summary>
/// <param name="Scheme">Lower-case; empty when there is none.</param>
/// <param name="Authority">Between <c>//</c> and the next <c>/</c>, <c>?</c> or <c>#</c>, as written.</param>
/// <param name="Path">As written, with its first <c>/</c>.</param>
/// <param name="Query">As written, without its <c>?</c>.</param>
internal readonly record struct PythonUrl(string Scheme, string Authority, string Path, string Query)
{
    /// <summary>Every character whose Unicode compatibility form (NFKC) holds one of <c>/ ? # @ :</c>.</summary>
    private const string Lookalikes =
        "\u2047\u2048\u2049\u2100\u2101\u2105\u2106\u2A74\uFE13\uFE16\uFE55\uFE56\uFE5F\uFE6B\uFF03\uFF0F\uFF1A\uFF1F\uFF20";

    /// <summary>Before the first <c>:</c> of the user information; null without any <c>@</c>.</summary>
    public string? User => UserInfo is { } info ? Partition(info, ':').Before : null;

    /// <summary>After the first <c>:</c> of the user information; null without one.</summary>
    public string? Password => UserInfo is { } info ? Partition(info, ':').After : null;

    /// <summary>Lower-case up to the first <c>%</c>, where an IPv6 zone would begin; without brackets; still percent-encoded.</summary>
    public string Host
    {
        get
        {
            var host = SplitHost().Host;
            var zone = host.IndexOf('%', StringComparison.Ordinal);
            return zone < 0 ? host.ToLowerInvariant() : host[..zone].ToLowerInvariant() + host[zone..];
        }
    }

    /// <summary>0 – 65535; null when absent or empty.</summary>
    /// <exception cref="FormatException">Not such a number.</exception>
    public int? Port
    {
        get
        {
            if (SplitHost().Port is not { Length: > 0 } text)
            {
                return null;
            }

            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535
                ? port
                : throw new FormatException("its port is not a number from 0 to 65535 (percent-encode / ? # [ ] in a password)");
        }
    }

    /// <summary>What follows the last <c>@</c>: host and port.</summary>
    public string HostInfo => Authority[(Authority.LastIndexOf('@') + 1)..];

    private string? UserInfo => Authority.LastIndexOf('@') is var at and >= 0 ? Authority[..at] : null;

    /// <summary>Splits a URL, percent-encoding untouched.</summary>
    /// <exception cref="FormatException">Brackets or characters an authority cannot hold; the message quotes nothing.</exception>
    public static PythonUrl Split(string url)
    {
        var start = 0;
        while (start < url.Length && url[start] <= ' ')
        {
            start++;
        }

        url = url[start..].Replace("\t", "", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal)
            .Replace("\n", "", StringComparison.Ordinal);

        var scheme = "";
        var colon = url.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && char.IsAsciiLetter(url[0]) && url[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.'))
        {
            scheme = url[..colon].ToLowerInvariant();
            url = url[(colon + 1)..];
        }

        var authority = "";
        if (url.StartsWith("//", StringComparison.Ordinal))
        {
            var length = url.AsSpan(2).IndexOfAny('/', '?', '#');
            authority = length < 0 ? url[2..] : url.Substring(2, length);
            url = url[(2 + authority.Length)..];
            CheckAuthority(authority);
        }

        var (path, query) = Partition(Partition(url, '#').Before, '?');
        return new PythonUrl(scheme, authority, path, query ?? "");
    }

    /// <summary>
    /// Percent-decoding as UTF-8; what is not UTF-8 becomes U+FFFD, what is no escape stays. Characters outside ASCII stay too, and end a
    /// run of bytes: an escaped byte before one and an escaped byte after it never join.
    /// </summary>
    public static string Unquote(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length;)
        {
            var count = 0;
            while (i < text.Length && char.IsAscii(text[i]))
            {
                var digits = text[i] == '%' && i + 2 < text.Length ? text.AsSpan(i + 1, 2) : "";
                var isEscape = byte.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var escaped);
                bytes[count++] = isEscape ? escaped : (byte)text[i];
                i += isEscape ? 3 : 1;
            }

            result.Append(Encoding.UTF8.GetString(bytes, 0, count));
            while (i < text.Length && !char.IsAscii(text[i]))
            {
                result.Append(text[i++]);
            }
        }

        return result.ToString();
    }

    /// <summary>The fields of a query: <c>+</c> is a space, blank values stay, of equal names the last wins.</summary>
    public static IReadOnlyDictionary<string, string> ParseQuery(string query)
    {
        var fields = new Dictionary<string, string>();
        foreach (var field in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Partition(field.Replace('+', ' '), '=');
            fields[Unquote(name)] = Unquote(value ?? "");
        }

        return fields;
    }

    private static (string Before, string? After) Partition(string text, char separator) =>
        text.IndexOf(separator, StringComparison.Ordinal) is var at and >= 0 ? (text[..at], text[(at + 1)..]) : (text, null);

    private (string Host, string? Port) SplitHost()
    {
        var (beforeBracket, bracketed) = Partition(HostInfo, '[');
        if (bracketed is null)
        {
            return Partition(beforeBracket, ':');
        }

        var (host, rest) = Partition(bracketed, ']');
        return (host, Partition(rest ?? "", ':').After);
    }

    private static void CheckAuthority(string authority)
    {
        if (authority.Any(c => Lookalikes.Contains(c, StringComparison.Ordinal)))
        {
            throw new FormatException("it holds a Unicode look-alike of / ? # @ or : before its path; percent-encode it");
        }

        var bracketed = Partition(authority, '[').After;
        var closes = authority.Contains(']', StringComparison.Ordinal);
        if (bracketed is null ? closes : !closes || !IsBracketable(Partition(bracketed, ']').Before))
        {
            throw new FormatException("it has brackets that do not enclose an IPv6 address (percent-encode [ ] in a password)");
        }
    }

    /// <summary>An IPv6 address, with a zone or not, or RFC 3986's IPvFuture.</summary>
    private static bool IsBracketable(string host)
    {
        if (host.StartsWith('v'))
        {
            var (version, address) = Partition(host[1..], '.');
            return version.Length > 0 && version.All(char.IsAsciiHexDigit) && address is { Length: > 0 };
        }

        var (ip, zone) = Partition(host, '%');
        return (zone is null || (zone.Length > 0 && !zone.Contains('%', StringComparison.Ordinal)))
            && ip.All(c => char.IsAsciiHexDigit(c) || c is ':' or '.')
            && IPAddress.TryParse(ip, out var parsed)
            && parsed.AddressFamily == AddressFamily.InterNetworkV6;
    }
}
