using System.Text;

namespace SalesTasks.Leads;

/// <summary>How the bytes of a file are text, and how it starts.</summary>
/// <param name="Encoding">Strict where it is UTF-8.</param>
/// <param name="Guessed">True where the bytes are no UTF-8 and Windows-1252 was assumed.</param>
/// <param name="First">The first character that is no white space; NUL in an empty file.</param>
internal sealed record TextEncoding(Encoding Encoding, bool Guessed, char First)
{
    public const string Auto = "auto";
    public const string Utf8 = "utf-8";
    public const string Latin1 = "latin-1";

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What Latin-1 means in practice: Windows-1252 has printable characters where Latin-1 has control codes.</summary>
    private static readonly Encoding s_windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <summary>
    /// Auto: a byte order mark decides; else the whole file is checked to be UTF-8, which costs one more reading; else Windows-1252. Also a
    /// file said to be UTF-8 is checked, because bytes that are none would be replaced silently.
    /// </summary>
    /// <exception cref="JobException">64: said to be UTF-8 and is not.</exception>
    public static async Task<TextEncoding> DetectAsync(SourceFile file, string requested, CancellationToken cancellationToken)
    {
        await using var stream = await file.OpenAsync(cancellationToken);
        var buffer = new byte[256 << 10];
        var length = await ReadAsync(file, stream, buffer, cancellationToken);
        if (ByMark(buffer.AsSpan(0, length)) is { } marked)
        {
            return new TextEncoding(marked, false, FirstOf(marked.GetString(buffer, 0, length & ~1)));
        }

        if (string.Equals(requested, Latin1, StringComparison.Ordinal))
        {
            return new TextEncoding(s_windows1252, false, FirstOf(s_windows1252.GetString(buffer, 0, length)));
        }

        var first = FirstOf(s_windows1252.GetString(buffer, 0, length).TrimStart('\u00EF', '\u00BB', '\u00BF'));
        long checkedBytes = 0;
        var decoder = s_strictUtf8.GetDecoder();
        var characters = new char[buffer.Length + 1];
        try
        {
            while (length > 0)
            {
                decoder.GetChars(buffer, 0, length, characters, 0, flush: false);
                checkedBytes += length;
                length = await ReadAsync(file, stream, buffer, cancellationToken);
            }

            decoder.GetChars([], 0, 0, characters, 0, flush: true);
            return new TextEncoding(s_strictUtf8, false, first);
        }
        catch (DecoderFallbackException exception) when (string.Equals(requested, Auto, StringComparison.Ordinal))
        {
            _ = exception;
            return new TextEncoding(s_windows1252, true, first);
        }
        catch (DecoderFallbackException exception)
        {
            throw JobException.Usage(
                $"'{file.Name}' is not UTF-8 (byte {Math.Max(checkedBytes + exception.Index, 0) + 1}); allowed: --encoding latin-1 or auto", exception);
        }
    }

    /// <exception cref="JobException">64: packed wrongly.</exception>
    private static async Task<int> ReadAsync(SourceFile file, Stream stream, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw JobException.Usage($"'{file.Name}' ends in .gz and is not packed with gzip, or is damaged", exception);
        }
    }

    private static Encoding? ByMark(ReadOnlySpan<byte> start) => start switch
    {
        [0xFF, 0xFE, ..] => Encoding.Unicode,
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode,
        _ => null,
    };

    private static char FirstOf(string text) => text.AsSpan().TrimStart('\uFEFF').TrimStart() is [var first, ..] ? first : '\0';
}
