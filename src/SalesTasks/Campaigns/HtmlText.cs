using System.Net;
using System.Text;

namespace SalesTasks.Campaigns;

/// <summary>
/// The plain-text part of an e-mail that is written in HTML: what a reader would see, a line a block, addresses of links in parentheses.
/// Made for the HTML of templates; whatever it is given, it ends, and it yields text.
/// </summary>
internal static class HtmlText
{
    private static readonly string[] s_blocks =
        ["p", "div", "br", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr", "section", "header", "footer"];

    private static readonly string[] s_paragraphs = ["p", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"];

    private static readonly string[] s_invisible = ["script", "style", "head", "title", "template"];

    public static string From(string html)
    {
        var text = new StringBuilder(html.Length);
        string? link = null;
        var linkStart = 0;
        var at = 0;
        while (at < html.Length)
        {
            var open = html.IndexOf('<', at);
            Append(text, html.AsSpan(at, (open < 0 ? html.Length : open) - at));
            if (open < 0)
            {
                break;
            }

            if (html.AsSpan(open).StartsWith("<!--", StringComparison.Ordinal))
            {
                var end = html.IndexOf("-->", open + 4, StringComparison.Ordinal);
                at = end < 0 ? html.Length : end + 3;
                continue;
            }

            var close = html.IndexOf('>', open);
            if (close < 0)
            {
                break;
            }

            var tag = html.AsSpan(open + 1, close - open - 1);
            var name = NameOf(tag, out var closing);
            at = close + 1;
            if (!closing && s_invisible.Contains(name, StringComparer.Ordinal))
            {
                var end = html.IndexOf("</" + name, at, StringComparison.OrdinalIgnoreCase);
                var after = end < 0 ? -1 : html.IndexOf('>', end);
                at = after < 0 ? html.Length : after + 1;
            }
            else if (name is "a")
            {
                CloseLink(text, link, linkStart);
                link = closing ? null : AddressOf(tag);
                linkStart = text.Length;
            }
            else if (name is "li" && !closing)
            {
                Break(text, 1);
                text.Append("- ");
            }
            else if (s_blocks.Contains(name, StringComparer.Ordinal))
            {
                Break(text, s_paragraphs.Contains(name, StringComparer.Ordinal) ? 2 : 1);
            }
        }

        CloseLink(text, link, linkStart);
        return text.ToString().Trim();
    }

    /// <summary>White space of HTML is one space, and none at the beginning of a line.</summary>
    private static void Append(StringBuilder text, ReadOnlySpan<char> html)
    {
        foreach (var c in WebUtility.HtmlDecode(html.ToString()))
        {
            if (c is not (' ' or '\n' or '\r' or '\t'))
            {
                text.Append(c);
            }
            else if (text.Length > 0 && text[^1] is not (' ' or '\n'))
            {
                text.Append(' ');
            }
        }
    }

    private static void Break(StringBuilder text, int lines)
    {
        while (text.Length > 0 && text[^1] is ' ')
        {
            text.Length--;
        }

        var have = 0;
        while (have < text.Length && text[text.Length - 1 - have] is '\n')
        {
            have++;
        }

        if (text.Length > 0 && have < lines)
        {
            text.Append('\n', lines - have);
        }
    }

    private static void CloseLink(StringBuilder text, string? link, int start)
    {
        if (link is not null && start <= text.Length && !text.ToString(start, text.Length - start).Contains(link, StringComparison.Ordinal))
        {
            text.Append(" (").Append(link).Append(')');
        }
    }

    private static string NameOf(ReadOnlySpan<char> tag, out bool closing)
    {
        closing = tag.StartsWith("/", StringComparison.Ordinal);
        tag = closing ? tag[1..] : tag;
        var end = 0;
        while (end < tag.Length && char.IsAsciiLetterOrDigit(tag[end]))
        {
            end++;
        }

        return tag[..end].ToString().ToLowerInvariant();
    }

    /// <summary>The address of a link; only those a reader can use.</summary>
    private static string? AddressOf(ReadOnlySpan<char> tag)
    {
        var at = tag.IndexOf("href", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return null;
        }

        var value = tag[(at + 4)..].TrimStart();
        if (value.Length < 2 || value[0] is not '=')
        {
            return null;
        }

        value = value[1..].TrimStart();
        var quote = value.Length > 0 && value[0] is '"' or '\'' ? value[0] : ' ';
        value = quote is ' ' ? value : value[1..];
        var end = value.IndexOf(quote);
        var address = WebUtility.HtmlDecode((end < 0 ? value : value[..end]).ToString()).Trim();
        return address.StartsWith("http", StringComparison.OrdinalIgnoreCase) || address.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase)
            ? address
            : null;
    }
}
