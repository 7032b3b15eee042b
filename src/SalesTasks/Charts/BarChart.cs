namespace SalesTasks.Charts;

/// <summary>One bar.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length; 0 or more.</param>
/// <param name="ValueText">The value with its unit, as people read it.</param>
/// <param name="Low">Lower end of its interval.</param>
/// <param name="High">Upper end of its interval.</param>
internal sealed record Bar(string Label, double Value, string ValueText, double? Low = null, double? High = null);

/// <summary>Horizontal bars, each with its label and value above it, so that long names need no room beside it.</summary>
internal static class BarChart
{
    private const double RowHeight = 38;
    private const double BarHeight = 12;
    private const int LabelLength = 36;

    /// <param name="text">Title and description.</param>
    /// <param name="bars">From top to bottom.</param>
    /// <param name="greatest">What the whole width stands for; null: the greatest value.</param>
    public static string Draw(ChartText text, IReadOnlyList<Bar> bars, double? greatest = null)
    {
        var scale = Chart.Width / Math.Max(greatest ?? bars.Max(bar => Math.Max(bar.Value, bar.High ?? 0)), double.Epsilon);
        return Chart.Draw(text, bars.Count * RowHeight, svg =>
        {
            for (var i = 0; i < bars.Count; i++)
            {
                DrawBar(svg, bars[i], i * RowHeight, scale);
            }
        });
    }

    private static void DrawBar(Markup svg, Bar bar, double top, double scale)
    {
        var y = top + 18;
        svg.Element("text", Chart.Cut(bar.Label, LabelLength), ("class", "t"), ("x", "0"), ("y", Chart.Number(top + 12)))
            .Element("text", bar.ValueText, ("class", "s"), ("x", Chart.Number(Chart.Width)), ("y", Chart.Number(top + 12)), ("text-anchor", "end"))
            .Empty("rect", ("class", "track"), ("x", "0"), ("y", Chart.Number(y)), ("width", Chart.Number(Chart.Width)), ("height", Chart.Number(BarHeight)), ("rx", "2"))
            .Empty("rect", ("class", "a"), ("x", "0"), ("y", Chart.Number(y)), ("width", Chart.Number(bar.Value * scale)), ("height", Chart.Number(BarHeight)), ("rx", "2"));
        if (bar is { Low: { } low, High: { } high })
        {
            var middle = y + (BarHeight / 2);
            svg.Empty("path", ("class", "whisker"), ("d", FormattableString.Invariant(
                $"M{Chart.Number(low * scale)} {Chart.Number(middle)}H{Chart.Number(high * scale)}M{Chart.Number(low * scale)} {Chart.Number(y + 1)}v{Chart.Number(BarHeight - 2)}M{Chart.Number(high * scale)} {Chart.Number(y + 1)}v{Chart.Number(BarHeight - 2)}")));
        }
    }
}
