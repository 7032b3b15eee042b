using System.Globalization;

namespace SalesTasks.Charts;

/// <summary>What a chart is called and says, for those who see it and those who hear it.</summary>
/// <param name="Id">Unique within the page; letters, digits, hyphens.</param>
/// <param name="Title">What is shown, with its unit.</param>
/// <param name="Description">What it says, in a sentence or two.</param>
internal sealed record ChartText(string Id, string Title, string Description);

/// <summary>
/// What charts share: an SVG without styles of its own, themed by the classes of <see cref="Style"/>, narrow enough to be read on a phone.
/// Numbers are written the same everywhere, so the same values are the same bytes.
/// </summary>
internal static class Chart
{
    /// <summary>Width of the drawing in its own units; at most this times 1.5 on the screen.</summary>
    public const double Width = 400;

    /// <summary>
    /// Colours by role, for light and dark. The series' are those of Okabe and Ito, which are told apart with every kind of colour vision
    /// (https://jfly.uni-koeln.de/color/), darkened or lightened for contrast; shape and text say the same as colour.
    /// </summary>
    public const string Style =
        """
        :root{--chart-1:#0067a5;--chart-2:#b34700;--chart-muted:#9fb3c4;--chart-grid:#dde3ea;--chart-text:#1d2733;--chart-soft:#566372}
        @media (prefers-color-scheme:dark){:root{--chart-1:#5cb8f0;--chart-2:#f0a63c;--chart-muted:#4f6579;--chart-grid:#2b3742;--chart-text:#e8edf2;--chart-soft:#a7b4c1}}
        @media print{:root{--chart-1:#0067a5;--chart-2:#b34700;--chart-muted:#9fb3c4;--chart-grid:#dde3ea;--chart-text:#1d2733;--chart-soft:#566372}}
        .chart{display:block;width:100%;max-width:600px;height:auto;font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        .chart .a{fill:var(--chart-1)}.chart .b{fill:var(--chart-2)}.chart .m{fill:var(--chart-muted)}
        .chart .t{fill:var(--chart-text)}.chart .s{fill:var(--chart-soft)}.chart .track{fill:var(--chart-grid)}
        .chart .grid{stroke:var(--chart-grid);stroke-width:1}.chart .axis{stroke:var(--chart-soft);stroke-width:1}
        .chart .la{fill:none;stroke:var(--chart-1);stroke-width:2.5;stroke-linejoin:round}.chart .lb{fill:none;stroke:var(--chart-2);stroke-width:2.5;stroke-dasharray:6 4;stroke-linejoin:round}
        .chart .band{fill:var(--chart-1);opacity:.18}.chart .whisker{stroke:var(--chart-text);stroke-width:1.5;fill:none}
        """;

    /// <summary>The drawing around what <paramref name="draw"/> writes.</summary>
    public static string Draw(ChartText text, double height, Action<Markup> draw)
    {
        var svg = new Markup().Open(
            "svg", ("class", "chart"), ("viewBox", $"0 0 {Number(Width)} {Number(height)}"), ("role", "img"),
            ("aria-labelledby", $"{text.Id}-t {text.Id}-d"), ("xmlns", "http://www.w3.org/2000/svg"))
            .Element("title", text.Title, ("id", text.Id + "-t"))
            .Element("desc", text.Description, ("id", text.Id + "-d"));
        draw(svg);
        return svg.Close().ToString();
    }

    /// <summary>A length or a place, to a hundredth.</summary>
    public static string Number(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture) is var text && text == "-0" ? "0" : text;

    /// <summary>The same text in at most so many characters.</summary>
    public static string Cut(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var end = char.IsHighSurrogate(text[length - 2]) ? length - 2 : length - 1;
        return text[..end] + "…";
    }

    /// <summary>Round numbers from 0 to at least <paramref name="greatest"/>, four steps at most.</summary>
    public static IReadOnlyList<double> Ticks(double greatest)
    {
        if (greatest <= 0)
        {
            return [0, 1];
        }

        var power = Math.Pow(10, Math.Floor(Math.Log10(greatest / 4)));
        var step = ((double[])[1, 2, 2.5, 5, 10]).Select(round => round * power).First(s => s * 4 >= greatest * (1 - 1e-9));
        return [.. Enumerable.Range(0, (int)Math.Ceiling((greatest / step) - 1e-9) + 1).Select(i => i * step)];
    }
}
