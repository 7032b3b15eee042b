namespace SalesTasks.Charts;

/// <summary>Values over time.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Values">One a point in time; null where there is none.</param>
internal sealed record Series(string Name, IReadOnlyList<double?> Values)
{
    /// <summary>Intervals around the values: a band, or whiskers on columns.</summary>
    public IReadOnlyList<(double Low, double High)?>? Intervals { get; init; }
}

/// <summary>
/// One or two series over time: columns for amounts, lines for rates. The first is solid, the second dashed, or its columns are whiskers
/// only: what was foretold against what came.
/// </summary>
internal static class TrendChart
{
    private const double Top = 12;
    private const double Height = 190;
    private const double Left = 44;
    private const double Bottom = 168;
    private const double Right = 396;

    /// <summary>Columns; a second series shows as marks with whiskers.</summary>
    public static string Columns(ChartText text, IReadOnlyList<string> times, Func<double, string> unit, Series series, Series? foretold = null) =>
        Draw(text, times, unit, foretold is null ? [series] : [series, foretold], (svg, x, y, step) =>
        {
            for (var i = 0; i < times.Count; i++)
            {
                if (series.Values[i] is { } value)
                {
                    svg.Empty(
                        "rect", ("class", "a"), ("x", Chart.Number(x(i) - (step * 0.36))), ("y", Chart.Number(y(value))), ("width", Chart.Number(step * 0.72)),
                        ("height", Chart.Number(Bottom - y(value))));
                }

                if (foretold?.Values[i] is { } mark)
                {
                    if (foretold.Intervals?[i] is var (low, high))
                    {
                        svg.Empty("path", ("class", "whisker"), ("d",
                            $"M{Chart.Number(x(i))} {Chart.Number(y(low))}V{Chart.Number(y(high))}M{Chart.Number(x(i) - 4)} {Chart.Number(y(low))}h8M{Chart.Number(x(i) - 4)} {Chart.Number(y(high))}h8"));
                    }

                    svg.Empty("circle", ("class", "b"), ("cx", Chart.Number(x(i))), ("cy", Chart.Number(y(mark))), ("r", "4"));
                }
            }
        });

    /// <summary>Lines with a dot at each value, and the first series' intervals as a band.</summary>
    public static string Lines(ChartText text, IReadOnlyList<string> times, Func<double, string> unit, params IReadOnlyList<Series> series) =>
        Draw(text, times, unit, series, (svg, x, y, _) =>
        {
            foreach (var run in Runs(series[0].Intervals?.Select((interval, i) => (i, interval)).ToList() ?? []))
            {
                var path = string.Concat(run.Select((p, k) => $"{(k == 0 ? 'M' : 'L')}{Chart.Number(x(p.Index))} {Chart.Number(y(p.Value.High))}"))
                    + string.Concat(run.AsEnumerable().Reverse().Select(p => $"L{Chart.Number(x(p.Index))} {Chart.Number(y(p.Value.Low))}")) + "Z";
                svg.Empty("path", ("class", "band"), ("d", path));
            }

            for (var s = 0; s < series.Count; s++)
            {
                foreach (var run in Runs(series[s].Values.Select((value, i) => (i, value)).ToList()))
                {
                    var path = string.Concat(run.Select((p, k) => $"{(k == 0 ? 'M' : 'L')}{Chart.Number(x(p.Index))} {Chart.Number(y(p.Value))}"));
                    svg.Empty("path", ("class", s == 0 ? "la" : "lb"), ("d", path));
                    foreach (var (i, value) in run)
                    {
                        svg.Empty("circle", ("class", s == 0 ? "a" : "b"), ("cx", Chart.Number(x(i))), ("cy", Chart.Number(y(value))), ("r", "3"));
                    }
                }
            }
        });

    private static string Draw(
        ChartText text, IReadOnlyList<string> times, Func<double, string> unit, IReadOnlyList<Series> series,
        Action<Markup, Func<int, double>, Func<double, double>, double> draw)
    {
        var ticks = Chart.Ticks(series
            .SelectMany(s => s.Values.Select(value => value ?? 0).Concat(s.Intervals?.Select(interval => interval?.High ?? 0) ?? []))
            .DefaultIfEmpty(0).Max());
        var step = (Right - Left) / Math.Max(times.Count, 1);
        var legend = series.Count > 1 ? 22 : 0;
        double X(int i) => Left + (step * (i + 0.5));
        double Y(double value) => Bottom - ((Bottom - Top) * value / ticks[^1]);
        return Chart.Draw(text, Height + legend, svg =>
        {
            foreach (var tick in ticks)
            {
                svg.Empty("path", ("class", tick == 0 ? "axis" : "grid"), ("d", $"M{Chart.Number(Left)} {Chart.Number(Y(tick))}H{Chart.Number(Right)}"))
                    .Element("text", unit(tick), ("class", "s"), ("x", Chart.Number(Left - 6)), ("y", Chart.Number(Y(tick) + 4)), ("text-anchor", "end"));
            }

            draw(svg, X, Y, step);
            // Every label where they fit, else every second, third, … counted from the last.
            var every = (int)Math.Ceiling(times.Count * 46 / (Right - Left));
            for (var i = times.Count - 1; i >= 0; i -= Math.Max(every, 1))
            {
                svg.Element("text", times[i], ("class", "s"), ("x", Chart.Number(X(i))), ("y", Chart.Number(Bottom + 17)), ("text-anchor", "middle"));
            }

            for (var s = 0; legend > 0 && s < series.Count; s++)
            {
                var x = Left + (s * 180);
                svg.Empty("circle", ("class", s == 0 ? "a" : "b"), ("cx", Chart.Number(x + 5)), ("cy", Chart.Number(Height + 10)), ("r", "5"))
                    .Element("text", series[s].Name, ("class", "t"), ("x", Chart.Number(x + 16)), ("y", Chart.Number(Height + 14)));
            }
        });
    }

    /// <summary>Stretches without a gap.</summary>
    private static List<List<(int Index, T Value)>> Runs<T>(List<(int Index, T? Value)> points)
        where T : struct
    {
        var runs = new List<List<(int, T)>>();
        var open = false;
        foreach (var (index, value) in points)
        {
            if (value is { } there)
            {
                if (!open)
                {
                    runs.Add([]);
                }

                runs[^1].Add((index, there));
            }

            open = value is not null;
        }

        return runs;
    }
}
