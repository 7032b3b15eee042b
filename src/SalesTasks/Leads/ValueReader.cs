using System.Globalization;
using System.Text;

namespace SalesTasks.Leads;

/// <summary>A value, or why there is none.</summary>
/// <param name="Value">Text, bool, decimal, or DateTime in UTC; null: not given.</param>
/// <param name="Fault">The row is rejected for this.</param>
/// <param name="Unusable">The value cannot be used, but the row can: the text, kept among the attributes.</param>
internal readonly record struct Reading(object? Value, string? Fault = null, string? Unusable = null);

/// <summary>Turns a text that is not empty into the value of a column.</summary>
internal static class ValueReader
{
    /// <summary>What an engagement event is called elsewhere; null: known, but no engagement.</summary>
    private static readonly Dictionary<string, string?> s_eventTypes = new(StringComparer.Ordinal)
    {
        ["reply"] = "reply",
        ["replied"] = "reply",
        ["email_reply"] = "reply",
        ["email_replied"] = "reply",
        ["answered"] = "reply",
        ["click"] = "click",
        ["clicked"] = "click",
        ["email_click"] = "click",
        ["email_clicked"] = "click",
        ["link_click"] = "click",
        ["link_clicked"] = "click",
        ["email_link_clicked"] = "click",
        ["open"] = "open",
        ["opened"] = "open",
        ["email_open"] = "open",
        ["email_opened"] = "open",
        ["visit"] = "visit",
        ["visited"] = "visit",
        ["website_visit"] = "visit",
        ["website_visited"] = "visit",
        ["page_view"] = "visit",
        ["pageview"] = "visit",
        ["page_visited"] = "visit",
        ["page_visited_on_website"] = "visit",
        ["demo"] = "demo",
        ["demo_request"] = "demo",
        ["demo_requested"] = "demo",
        ["pricing"] = "pricing",
        ["pricing_view"] = "pricing",
        ["pricing_viewed"] = "pricing",
        ["pricing_page_view"] = "pricing",
        ["pricing_page_viewed"] = "pricing",
        ["sent"] = null,
        ["email_sent"] = null,
        ["send"] = null,
        ["processed"] = null,
        ["delivered"] = null,
        ["email_delivered"] = null,
        ["delivery"] = null,
        ["deferred"] = null,
        ["dropped"] = null,
        ["bounce"] = null,
        ["bounced"] = null,
        ["email_bounced"] = null,
        ["unsubscribe"] = null,
        ["unsubscribed"] = null,
        ["complaint"] = null,
        ["spamreport"] = null,
        ["spam_report"] = null,
    };

    private static readonly HashSet<string> s_yes =
        new(StringComparer.OrdinalIgnoreCase) { "yes", "y", "true", "t", "1", "on", "x", "sí", "si", "verdadero" };

    private static readonly HashSet<string> s_no = new(StringComparer.OrdinalIgnoreCase) { "no", "n", "false", "f", "0", "off", "falso" };

    private static readonly string[] s_isoFormats =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ss.FFFFFFF",
        "yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd HH:mmzzz", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd HH:mm:sszzz", "yyyy-MM-dd HH:mm:ss zzz",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd HH:mm:ss'Z'",
        "yyyy-MM-dd HH:mm:ss 'UTC'", "yyyy-MM-dd HH:mm:ss.FFFFFFF'Z'",
    ];

    /// <param name="rule">The column and how it is written in the file.</param>
    /// <param name="text">Trimmed, not empty.</param>
    /// <param name="latest">No instant may be later.</param>
    public static Reading Read(ColumnSpec rule, string text, DateTime latest) => rule.Target.Kind switch
    {
        ValueKind.Text => ReadText(rule, text),
        ValueKind.Email => IsEmail(text) && text.Length <= rule.Target.MaxLength ? new Reading(text) : new Reading(null, Unusable: text),
        ValueKind.Domain => ReadDomain(rule, text),
        ValueKind.Language => ReadText(rule, LanguageOf(text)),
        ValueKind.TimeZone => ZoneOf(text) is { } zone ? new Reading(zone) : new Reading(null, Unusable: text),
        ValueKind.Flag => ReadFlag(rule, text),
        ValueKind.Instant => ReadInstant(rule, text, latest),
        ValueKind.Amount => ReadAmount(rule, text),
        ValueKind.EventType => ReadEventType(rule, text),
        _ => throw new ArgumentOutOfRangeException(nameof(rule), rule.Target.Kind, "Unknown kind of value."),
    };

    /// <summary>
    /// Looks like an address that mail could go to: something, one @, and a domain with a dot. The same test as the column has_email, because
    /// an address that passes here must count there.
    /// </summary>
    public static bool IsEmail(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var dot = text.LastIndexOf('.');
        return at > 0 && text.LastIndexOf('@') == at && dot > at + 1 && text.Length - dot > 2 && !text.Any(char.IsWhiteSpace);
    }

    private static Reading ReadText(ColumnSpec rule, string text)
    {
        var max = rule.Target.MaxLength;
        if (text.Length <= max || Characters(text) <= max)
        {
            return new Reading(text);
        }

        if (!rule.Cut)
        {
            return new Reading(null, RowFaults.TooLong(rule.Target));
        }

        // Never through the middle of a surrogate pair.
        return new Reading(text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)].TrimEnd());
    }

    /// <summary>PostgreSQL counts code points, .NET half of a pair as one.</summary>
    private static int Characters(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }

    /// <summary>People write addresses of web sites where the domain is asked for.</summary>
    private static Reading ReadDomain(ColumnSpec rule, string text)
    {
        var domain = text.ToLowerInvariant();
        var scheme = domain.IndexOf("://", StringComparison.Ordinal);
        domain = scheme >= 0 ? domain[(scheme + 3)..] : domain;
        domain = domain.Split('/', '?', '#', ':')[0];
        domain = domain.StartsWith("www.", StringComparison.Ordinal) ? domain[4..] : domain;
        return domain.Contains('.', StringComparison.Ordinal) && domain.Length <= rule.Target.MaxLength && !domain.Any(char.IsWhiteSpace)
            ? new Reading(domain)
            : new Reading(null, Unusable: text);
    }

    /// <summary><c>es_MX</c> and <c>ES</c> are <c>es</c>; anything that is no code stays as it is.</summary>
    private static string LanguageOf(string text)
    {
        var code = text.Split('_', '-')[0];
        return code.Length is 2 or 3 && code.All(char.IsAsciiLetter) ? code.ToLowerInvariant() : text;
    }

    /// <summary>A name of the time zone database; whole-hour offsets (<c>UTC+02</c>) have one too, with the sign turned round.</summary>
    private static string? ZoneOf(string text)
    {
        var offset = text.Replace("GMT", "UTC", StringComparison.OrdinalIgnoreCase);
        if (offset.StartsWith("UTC", StringComparison.OrdinalIgnoreCase) && offset.Length > 3)
        {
            var hours = offset[3..].Replace(":00", "", StringComparison.Ordinal);
            return int.TryParse(hours, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ahead) && ahead is >= -12 and <= 14
                ? ahead == 0 ? "UTC" : $"Etc/GMT{-ahead:+0;-0}"
                : null;
        }

        return text.Length <= 64 && TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone) ? zone.Id : null;
    }

    private static Reading ReadFlag(ColumnSpec rule, string text)
    {
        if (rule.Above is { } limit)
        {
            return TryNumber(rule, text, out var number) ? new Reading(number > limit) : new Reading(null, RowFaults.NoNumber(rule.Target));
        }

        if (rule.Yes.Count + rule.No.Count > 0)
        {
            var yes = rule.Yes.Contains(text, StringComparer.OrdinalIgnoreCase);
            var no = rule.No.Contains(text, StringComparer.OrdinalIgnoreCase);
            // Where only one side is listed, everything else is the other side.
            return yes || no || rule.Yes.Count == 0 || rule.No.Count == 0
                ? new Reading(yes || (!no && rule.Yes.Count == 0))
                : new Reading(null, RowFaults.NoFlag(rule.Target));
        }

        return s_yes.Contains(text) ? new Reading(true)
            : s_no.Contains(text) ? new Reading(false)
            : new Reading(null, RowFaults.NoFlag(rule.Target));
    }

    private static Reading ReadInstant(ColumnSpec rule, string text, DateTime latest)
    {
        if (ParseInstant(rule, text) is not { } instant)
        {
            return new Reading(null, RowFaults.NoDate(rule.Target));
        }

        return instant.Year >= 1900 && instant <= latest ? new Reading(instant) : new Reading(null, RowFaults.DateOutOfRange(rule.Target));
    }

    private static DateTime? ParseInstant(ColumnSpec rule, string text)
    {
        if (rule.Formats.Count == 0)
        {
            // No ISO date consists of 10 or 13 digits, so these can only be Unix times.
            return text.Length is 10 or 13 && text.All(char.IsAsciiDigit)
                ? UnixTime(text, milliseconds: text.Length == 13)
                : ParseInstant(rule, text, s_isoFormats);
        }

        foreach (var format in rule.Formats)
        {
            var instant = format is "unix" or "unix_ms" ? UnixTime(text, format is "unix_ms") : ParseInstant(rule, text, format);
            if (instant is not null)
            {
                return instant;
            }
        }

        return null;
    }

    private static DateTime? ParseInstant(ColumnSpec rule, string text, params string[] formats)
    {
        // Unspecified kind: the text names no offset.
        if (!DateTime.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var parsed))
        {
            return null;
        }

        if (text.EndsWith('Z') || text.EndsWith("UTC", StringComparison.Ordinal))
        {
            return DateTime.SpecifyKind(parsed, DateTimeKind.Utc);
        }

        return parsed.Kind == DateTimeKind.Unspecified
            ? DateTime.SpecifyKind(parsed - rule.TimeZone.GetUtcOffset(parsed), DateTimeKind.Utc)
            : parsed.ToUniversalTime();
    }

    private static DateTime? UnixTime(string text, bool milliseconds)
    {
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        var seconds = milliseconds ? number / 1000 : number;
        // Years 1 to 9999; beyond them is no time stamp anyway.
        return seconds is > -62_000_000_000m and < 250_000_000_000m ? DateTime.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;
    }

    private static Reading ReadAmount(ColumnSpec rule, string text)
    {
        if (!TryNumber(rule, text, out var number))
        {
            return new Reading(null, RowFaults.NoNumber(rule.Target));
        }

        var amount = Math.Round(number, 2, MidpointRounding.AwayFromZero);
        return amount is >= 0 and < 10_000_000_000m ? new Reading(amount) : new Reading(null, RowFaults.NumberOutOfRange(rule.Target));
    }

    /// <summary>Groups of thousands only where the mapping names the decimal sign: alone, <c>1,234</c> may mean two numbers.</summary>
    private static bool TryNumber(ColumnSpec rule, string text, out decimal number)
    {
        const NumberStyles Plain = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        if (rule.Decimal is not { } sign)
        {
            return decimal.TryParse(text, Plain, CultureInfo.InvariantCulture, out number);
        }

        var plain = new StringBuilder(text).Replace(sign == ',' ? "." : ",", "").Replace(" ", "").Replace("\u00A0", "").Replace(',', '.');
        return decimal.TryParse(plain.ToString(), Plain, CultureInfo.InvariantCulture, out number);
    }

    private static Reading ReadEventType(ColumnSpec rule, string text)
    {
        var name = string.Join('_', text.ToLowerInvariant().Split([' ', '-', '.', '_'], StringSplitOptions.RemoveEmptyEntries));
        return s_eventTypes.TryGetValue(name, out var type)
            ? new Reading(type ?? MappedRow.NoEngagement)
            : new Reading(null, RowFaults.NoEventType(rule.Target));
    }
}
