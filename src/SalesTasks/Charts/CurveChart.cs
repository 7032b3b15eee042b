namespace SalesTasks.Charts;

/// <summary>A line through points with numbers on both axes.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">From left to right.</param>
/// <param name="Sizes">Radius of a dot at each point; null: no dots.</param>
internal sealed record Curve(string Name, IReadOnlyList<(double X, double Y)> Points, IReadOnlyList<double>? Sizes = null);

/// <summary>Up to six curves over a number. Each has its colour and its dashes, so that either tells them apart.</summary>
internal static class CurveChart
{
    /// <summary>Beside <see cref="Chart.Style"/>: Okabe and Ito's colours, darkened or lightened for contrast.</summary>
    public const string Style =
        """
        :root{--curve-1:#0067a5;--curve-2:#b34700;--curve-3:#00795a;--curve-4:#9c3f78;--curve-5:#7a5c00;--curve-6:#1d2733}
        @media (prefers-color-scheme:dark){:root{--curve-1:#5cb8f0;--curve-2:#f08a4b;--curve-3:#3fc79f;--curve-4:#e39bc5;--curve-5:#e0c04a;--curve-6:#e8edf2}}
        .chart .c{fill:none;stroke-width:2.5;stroke-linejoin:round}.chart .dot{fill-opacity:.75}
        .chart .c1{stroke:var(--curve-1)}.chart .c2{stroke:var(--curve-2);stroke-dasharray:7 4}.chart .c3{stroke:var(--curve-3);stroke-dasharray:2 3}
        .chart .c4{stroke:var(--curve-4);stroke-dasharray:10 3 2 3}.chart .c5{stroke:var(--curve-5);stroke-dasharray:4 2}.chart .c6{stroke:var(--curve-6);stroke-dasharray:12 4}
        .chart .diagonal{stroke:var(--chart-soft);stroke-width:1.5;stroke-dasharray:3 4;fill:none}
        """;

    private const double Top = 10;
    private const double Left = 48;
    private const double Bottom = 216;
    private const double Right = 376;
    private const double AxisTitle = 256;
    private const double LegendRow = 20;

    /// <param name="text">Title and description.</param>
    /// <param name="xTitle">What lies to the right, with its unit.</param>
    /// <param name="xMost">Where the axis ends.</param>
    /// <param name="xUnit">A number on it as people read it.</param>
    /// <param name="yUnit">A share between 0 and 1 as people read it.</param>
    /// <param name="curves">Drawn in this order.</param>
    /// <param name="diagonal">Name of the line from corner to corner; null: none.</param>
    public static string Draw(
        ChartText text, string xTitle, double xMost, Func<double, string> xUnit, Func<double, string> yUnit, IReadOnlyList<Curve> curves, string? diagonal = null)
    {
        var names = curves.Count + (diagonal is null ? 0 : 1);
        var legend = names > 1 ? (names + 1) / 2 * LegendRow : 0;
        double X(double value) => Left + ((Right - Left) * value / xMost);
        double Y(double value) => Bottom - ((Bottom - Top) * value);
        return Chart.Draw(text, AxisTitle + 8 + legend, svg =>
        {
            foreach (var tick in (double[])[0, 0.25, 0.5, 0.75, 1])
            {
                svg.Empty("path", ("class", tick == 0 ? "axis" : "grid"), ("d", $"M{Chart.Number(Left)} {Chart.Number(Y(tick))}H{Chart.Number(Right)}"))
                    .Element("text", yUnit(tick), ("class", "s"), ("x", Chart.Number(Left - 6)), ("y", Chart.Number(Y(tick) + 4)), ("text-anchor", "end"));
            }

            foreach (var tick in Chart.Ticks(xMost).Where(t => t <= xMost * (1 + 1e-9)))
            {
                svg.Empty("path", ("class", "grid"), ("d", $"M{Chart.Number(X(tick))} {Chart.Number(Top)}V{Chart.Number(Bottom)}"))
                    .Element("text", xUnit(tick), ("class", "s"), ("x", Chart.Number(X(tick))), ("y", Chart.Number(Bottom + 17)), ("text-anchor", "middle"));
            }

            svg.Element("text", xTitle, ("class", "t"), ("x", Chart.Number((Left + Right) / 2)), ("y", Chart.Number(AxisTitle - 4)), ("text-anchor", "middle"));
            if (diagonal is not null)
            {
                svg.Empty("path", ("class", "diagonal"), ("d", $"M{Chart.Number(Left)} {Chart.Number(Bottom)}L{Chart.Number(Right)} {Chart.Number(Top)}"));
            }

            for (var i = 0; i < curves.Count; i++)
            {
                svg.Empty("path", ("class", $"c c{i + 1}"), ("d", string.Concat(
                    curves[i].Points.Select((p, k) => $"{(k == 0 ? 'M' : 'L')}{Chart.Number(X(p.X))} {Chart.Number(Y(p.Y))}"))));
                for (var k = 0; curves[i].Sizes is { } sizes && k < sizes.Count; k++)
                {
                    svg.Empty(
                        "circle", ("class", "a dot"), ("cx", Chart.Number(X(curves[i].Points[k].X))), ("cy", Chart.Number(Y(curves[i].Points[k].Y))),
                        ("r", Chart.Number(sizes[k])));
                }
            }

            for (var i = 0; legend > 0 && i < names; i++)
            {
                var x = Left + (i % 2 * 176);
                var y = AxisTitle + 10 + (i / 2 * LegendRow);
                svg.Empty("path", ("class", i < curves.Count ? $"c c{i + 1}" : "diagonal"), ("d", $"M{Chart.Number(x)} {Chart.Number(y)}h26"))
                    .Element("text", i < curves.Count ? curves[i].Name : diagonal!, ("class", "t"), ("x", Chart.Number(x + 32)), ("y", Chart.Number(y + 4)));
            }
        });
    }
}
