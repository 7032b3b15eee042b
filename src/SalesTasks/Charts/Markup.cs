using System.Text;

namespace SalesTasks.Charts;

/// <summary>
/// Writes HTML and SVG. Every text and every attribute value is escaped; there is no way to write either raw but <see cref="Raw"/>, which is
/// for what this class wrote itself and for constants.
/// </summary>
internal sealed class Markup
{
    private readonly StringBuilder _written = new();
    private readonly Stack<string> _open = new();

    /// <summary>Begins an element; names of elements and attributes are constants. An attribute whose value is null is left out.</summary>
    public Markup Open(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Begin(name, attributes);
        _written.Append('>');
        _open.Push(name);
        return this;
    }

    /// <summary>Ends the innermost element.</summary>
    public Markup Close()
    {
        _written.Append("</").Append(_open.Pop()).Append('>');
        return this;
    }

    /// <summary>An element with a text.</summary>
    public Markup Element(string name, string text, params ReadOnlySpan<(string Name, string? Value)> attributes) =>
        Open(name, attributes).Text(text).Close();

    /// <summary>An element that has no content: a void element of HTML, or a shape of SVG.</summary>
    public Markup Empty(string name, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        Begin(name, attributes);
        _written.Append("/>");
        return this;
    }

    public Markup Text(string text)
    {
        Escape(text);
        return this;
    }

    /// <summary>A text from data: kept apart from what surrounds it, whichever way it is written.</summary>
    public Markup Isolated(string text) => Element("bdi", text);

    public Markup Line()
    {
        _written.Append('\n');
        return this;
    }

    /// <summary>Constants, and what another <see cref="Markup"/> wrote.</summary>
    public Markup Raw(string markup)
    {
        _written.Append(markup);
        return this;
    }

    public override string ToString() =>
        _open.Count == 0 ? _written.ToString() : throw new InvalidOperationException($"<{_open.Peek()}> is still open.");

    private void Begin(string name, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        _written.Append('<').Append(name);
        foreach (var (attribute, value) in attributes)
        {
            if (value is not null)
            {
                _written.Append(' ').Append(attribute).Append("=\"");
                Escape(value);
                _written.Append('"');
            }
        }
    }

    /// <summary>Also replaces what neither HTML nor XML may hold: control characters, halves of a character.</summary>
    private void Escape(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => _written.Append("&amp;"),
                '<' => _written.Append("&lt;"),
                '>' => _written.Append("&gt;"),
                '"' => _written.Append("&quot;"),
                '\'' => _written.Append("&#39;"),
                '\t' or '\n' => _written.Append((char)rune.Value),
                < 0x20 or (>= 0x7f and < 0xa0) or 0xfffe or 0xffff => _written.Append('\ufffd'),
                _ => Append(rune),
            };
        }
    }

    private StringBuilder Append(Rune rune)
    {
        Span<char> units = stackalloc char[2];
        return _written.Append(units[..rune.EncodeToUtf16(units)]);
    }
}
