using System.Globalization;

namespace SalesTasks.Predictions.Exports;

/// <summary>Reads numbers and dates as exports write them.</summary>
internal static class ValueParser
{
    private static readonly double s_epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks / (double)TimeSpan.TicksPerDay;

    /// <summary>A number with an optional currency sign, percent sign, thousands separators, or brackets for a negative amount.</summary>
    /// <param name="text">The trimmed value.</param>
    /// <param name="decimalComma">1.234,5 and not 1,234.5.</param>
    /// <param name="number">The number, finite.</param>
    public static bool TryNumber(ReadOnlySpan<char> text, bool decimalComma, out double number)
    {
        number = 0;
        var negative = text is ['(', .., ')'];
        text = (negative ? text[1..^1] : text).Trim(" %$€£¥\u00A0");
        if (text.IsEmpty || text.Length > 40)
        {
            return false;
        }

        Span<char> plain = stackalloc char[text.Length];
        var length = 0;
        var last = -1;
        var thousands = decimalComma ? '.' : ',';
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == thousands || text[i] is ' ' or '\u00A0' or '\'')
            {
                // Groups have three digits: 1,5 is no thousand.
                if (i == 0 || (last >= 0 && i - last != 4) || !HasThreeDigits(text[(i + 1)..]))
                {
                    return false;
                }

                last = i;
                continue;
            }

            plain[length++] = decimalComma && text[i] == ',' ? '.' : text[i];
        }

        if (!double.TryParse(plain[..length], NumberStyles.Float, CultureInfo.InvariantCulture, out number) || !double.IsFinite(number))
        {
            return false;
        }

        number = negative ? -number : number;
        return true;
    }

    /// <summary>
    /// A date with or without time: year first, or day and month in the order given, or with the month's English name. Offsets are ignored:
    /// what is learned from is the hour people saw.
    /// </summary>
    /// <param name="text">The trimmed value.</param>
    /// <param name="monthFirst">Where two orders are possible.</param>
    /// <param name="days">Days since 1970-01-01.</param>
    public static bool TryDate(ReadOnlySpan<char> text, bool monthFirst, out double days)
    {
        days = 0;
        if (text.Length is < 8 or > 40 || text.IndexOfAnyInRange('0', '9') < 0)
        {
            return false;
        }

        if (!char.IsAsciiDigit(text[0]) || HasMonthName(text))
        {
            if (HasMonthName(text) && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.NoCurrentDateDefault, out var named)
                && named.Year > 1)
            {
                days = (named.Ticks / (double)TimeSpan.TicksPerDay) - s_epoch;
                return true;
            }

            return false;
        }

        Span<int> parts = stackalloc int[3];
        var rest = text;
        var digitsOfFirst = 0;
        for (var part = 0; part < 3; part++)
        {
            if (!TakeInteger(ref rest, out parts[part], out var digits) || digits > 4)
            {
                return false;
            }

            digitsOfFirst = part == 0 ? digits : digitsOfFirst;
            if (part < 2)
            {
                if (rest.IsEmpty || rest[0] is not ('-' or '/' or '.'))
                {
                    return false;
                }

                rest = rest[1..];
            }
        }

        var (year, month, day) = digitsOfFirst == 4
            ? (parts[0], parts[1], parts[2])
            : monthFirst ? (parts[2], parts[0], parts[1]) : (parts[2], parts[1], parts[0]);
        year += year < 70 ? 2000 : year < 100 ? 1900 : 0;
        if (year is < 1900 or > 2200 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || !TryTime(rest, out var time))
        {
            return false;
        }

        days = (new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks / (double)TimeSpan.TicksPerDay) - s_epoch + time;
        return true;
    }

    private static bool TryTime(ReadOnlySpan<char> text, out double share)
    {
        share = 0;
        text = text.TrimStart(" T,");
        if (text.IsEmpty)
        {
            return true;
        }

        if (!TakeInteger(ref text, out var hour, out _) || text.IsEmpty || text[0] != ':')
        {
            return false;
        }

        text = text[1..];
        if (!TakeInteger(ref text, out var minute, out _))
        {
            return false;
        }

        var second = 0;
        if (!text.IsEmpty && text[0] == ':')
        {
            text = text[1..];
            if (!TakeInteger(ref text, out second, out _))
            {
                return false;
            }
        }

        var rest = text.TrimStart(".0123456789 ");
        if (rest.StartsWith("PM", StringComparison.OrdinalIgnoreCase) && hour < 12)
        {
            hour += 12;
        }
        else if (rest.StartsWith("AM", StringComparison.OrdinalIgnoreCase) && hour == 12)
        {
            hour = 0;
        }

        share = ((hour * 3600) + (minute * 60) + second) / 86_400.0;
        return hour < 25 && minute < 60 && second < 61;
    }

    private static bool HasMonthName(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange('A', 'Z') && !text.ContainsAnyInRange('a', 'z'))
        {
            return false;
        }

        foreach (var name in (ReadOnlySpan<string>)["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
        {
            if (text.Contains(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TakeInteger(ref ReadOnlySpan<char> text, out int number, out int digits)
    {
        digits = 0;
        number = 0;
        while (digits < text.Length && digits < 9 && char.IsAsciiDigit(text[digits]))
        {
            number = (number * 10) + (text[digits] - '0');
            digits++;
        }

        text = text[digits..];
        return digits > 0;
    }

    private static bool HasThreeDigits(ReadOnlySpan<char> text) =>
        text.Length >= 3 && char.IsAsciiDigit(text[0]) && char.IsAsciiDigit(text[1]) && char.IsAsciiDigit(text[2])
        && (text.Length == 3 || !char.IsAsciiDigit(text[3]));
}
