namespace SalesTasks.Encryption;

/// <summary>A phone number as it is compared: its digits.</summary>
internal static class PhoneDigits
{
    /// <summary>Digits of a sealed number: one that tells whether it identifies somebody, and 38 of the HMAC. No phone number has so many.</summary>
    public const int OfToken = 39;

    /// <summary>Shorter numbers are extensions.</summary>
    private const int FewestDigits = 7;

    public static string Of(string text) => string.Concat(text.Where(char.IsAsciiDigit));

    /// <summary>Long enough, and not one digit over and over. Of a sealed number its first digit says so.</summary>
    public static bool Identify(string digits) => digits.Length == OfToken
        ? digits[0] == '1'
        : digits.Length >= FewestDigits && digits.AsSpan().IndexOfAnyExcept(digits[0]) >= 0;
}
