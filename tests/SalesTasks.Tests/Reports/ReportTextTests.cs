using SalesTasks.Charts;
using SalesTasks.Reports;

namespace SalesTasks.Tests.Reports;

/// <summary>Periods, CSV, charts: what needs no database.</summary>
public sealed class ReportTextTests
{
    [Theory]
    [InlineData("weekly", "2026-03-18T10:00:00Z", "2026-W11", "2026-03-09", "2026-03-16")]
    [InlineData("weekly", "2026-03-16T00:00:00Z", "2026-W11", "2026-03-09", "2026-03-16")]
    [InlineData("weekly", "2026-03-15T23:59:59Z", "2026-W10", "2026-03-02", "2026-03-09")]
    [InlineData("weekly", "2026-03-15T23:30:00-03:00", "2026-W11", "2026-03-09", "2026-03-16")]
    [InlineData("weekly", "2027-01-04T09:00:00Z", "2026-W53", "2026-12-28", "2027-01-04")]
    [InlineData("weekly", "2025-01-06T09:00:00Z", "2025-W01", "2024-12-30", "2025-01-06")]
    [InlineData("monthly", "2026-03-18T10:00:00Z", "2026-02", "2026-02-01", "2026-03-01")]
    [InlineData("monthly", "2026-03-01T00:00:00Z", "2026-02", "2026-02-01", "2026-03-01")]
    [InlineData("monthly", "2026-01-31T23:59:59Z", "2025-12", "2025-12-01", "2026-01-01")]
    [InlineData("monthly", "2024-03-31T10:00:00Z", "2024-02", "2024-02-01", "2024-03-01")]
    public void LastComplete_AtAnInstant_IsTheOneThatIsOver(string type, string at, string id, string start, string end)
    {
        var period = ReportPeriod.LastComplete(type, DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture));

        Assert.Equal((id, $"{start}T00:00:00Z", $"{end}T00:00:00Z"), (period.Id, $"{period.Start:yyyy-MM-dd'T'HH:mm:ss'Z'}", $"{period.End:yyyy-MM-dd'T'HH:mm:ss'Z'}"));
        Assert.Equal(period.Start, period.Previous.End);
        Assert.Equal(period.End, period.Next.Start);
        Assert.Equal(period, period.Next.Previous);
    }

    [Theory]
    [InlineData("=1+2", "'=1+2")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\tx", "'\tx")]
    [InlineData("\rx", "\"'\rx\"")]
    [InlineData("\nx", "\"'\nx\"")]
    [InlineData("\0x", "'\0x")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("a=b", "a=b")]
    [InlineData("", "")]
    public void Field_Text_IsNoFormula(string text, string field) => Assert.Equal(field, CsvText.Field(text));

    [Fact]
    public void Field_Number_StaysANumber() => Assert.Equal(
        "-5|-0.25|-12.50|true||2026-03-09T00:00:00Z",
        string.Join('|', ((object?[])[-5L, -0.25, -12.50m, true, null, new DateTimeOffset(2026, 3, 9, 0, 0, 0, TimeSpan.Zero)]).Select(CsvText.Field)));

    [Fact]
    public void Markup_TextAndAttributes_AreEscapedAndCleaned()
    {
        var markup = new Markup().Element("p", "<b>&\"'\u0001\0\u009f\ufffe\ud800 \U0001f600", ("title", "\"><script>"), ("lang", null)).ToString();

        Assert.Equal("<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&quot;&#39;\ufffd\ufffd\ufffd\ufffd\ufffd \U0001f600</p>", markup);
        Assert.Throws<InvalidOperationException>(() => new Markup().Open("p").ToString());
    }

    [Theory]
    [InlineData(0, "0 1")]
    [InlineData(7, "0 2 4 6 8")]
    [InlineData(100, "0 25 50 75 100")]
    [InlineData(0.62, "0 0.2 0.4 0.6 0.8")]
    [InlineData(128_255, "0 50000 100000 150000")]
    public void Ticks_UpToAValue_AreRound(double greatest, string ticks) => Assert.Equal(ticks, string.Join(' ', Chart.Ticks(greatest).Select(Chart.Number)));

    [Fact]
    public void Charts_WithGapsAndNothing_AreDrawn()
    {
        var text = new ChartText("c", "Title <", "Description");
        var lines = TrendChart.Lines(
            text, ["a", "b", "c", "d"], Chart.Number,
            new Series("s", [1, null, 2, 3]) { Intervals = [(0, 2), null, (1, 3), (2, 4)] }, new Series("t", [null, null, null, null]));
        var columns = TrendChart.Columns(text, ["a", "b"], Chart.Number, new Series("s", [null, 5]), new Series("t", [4, null]) { Intervals = [(1, 9), null] });
        var bars = BarChart.Draw(text, [new Bar("a", 0, "0"), new Bar(new string('n', 100), 5, "5", 2, 8)]);

        Assert.All((string[])[lines, columns, bars], svg =>
        {
            Assert.Contains("Title &lt;", svg, StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
            Assert.DoesNotContain("∞", svg, StringComparison.Ordinal);
            System.Xml.Linq.XDocument.Parse(svg);
        });
        // Two stretches of line, and a band around each.
        Assert.Equal(2, lines.Split("class=\"la\"").Length - 1);
        Assert.Equal(2, lines.Split("class=\"band\"").Length - 1);
        Assert.DoesNotContain(new string('n', 40), bars, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_InEachLanguage_AreWrittenItsWay()
    {
        Assert.Equal(("1,234,567", "12.5\u00a0%", "3.0 days", "1.25M"), Written(ReportLanguage.English));
        Assert.Equal(("1.234.567", "12,5\u00a0%", "3,0 días", "1,25M"), Written(ReportLanguage.Spanish));

        static (string Count, string Share, string Days, string Money) Written(ReportLanguage language) =>
            (language.Count(1_234_567), language.Share(0.125), language.Days(3), language.ShortMoney(1_250_000));
    }
}
