using System.IO.Compression;
using System.Text;
using SalesTasks.Predictions.Exports;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Tests.Predictions;

/// <summary>What columns of an export are taken for, and what is wrong with one that cannot be learned from.</summary>
public sealed class ExportTableTests : IDisposable
{
    private readonly ExportFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("12", false, 12.0)]
    [InlineData("1,234.5", false, 1234.5)]
    [InlineData("1.234,5", true, 1234.5)]
    [InlineData("$ 1,000", false, 1000.0)]
    [InlineData("45 %", false, 45.0)]
    [InlineData("(12)", false, -12.0)]
    [InlineData("-1e3", false, -1000.0)]
    [InlineData("1,5", false, null)]
    [InlineData("1,2345", false, null)]
    [InlineData("12abc", false, null)]
    [InlineData("", false, null)]
    [InlineData("NaN", false, null)]
    [InlineData("1e999", false, null)]
    public void TryNumber_Text_IsReadAsPeopleWriteIt(string text, bool decimalComma, double? expected) =>
        Assert.Equal(expected, ValueParser.TryNumber(text, decimalComma, out var number) ? number : null);

    [Theory]
    [InlineData("2024-02-29", true, "2024-02-29T00:00:00")]
    [InlineData("2024-02-29T13:30:00Z", true, "2024-02-29T13:30:00")]
    [InlineData("2024-02-29 13:30:15.123+02:00", true, "2024-02-29T13:30:15")]
    [InlineData("03/04/2024", true, "2024-03-04T00:00:00")]
    [InlineData("03/04/2024", false, "2024-04-03T00:00:00")]
    [InlineData("3.4.24 9:05", false, "2024-04-03T09:05:00")]
    [InlineData("12/31/2023 11:59 PM", true, "2023-12-31T23:59:00")]
    [InlineData("12/31/2023 12:01 AM", true, "2023-12-31T00:01:00")]
    [InlineData("Feb 3, 2024", true, "2024-02-03T00:00:00")]
    [InlineData("3 February 2024 14:00", true, "2024-02-03T14:00:00")]
    [InlineData("2024-02-30", true, null)]
    [InlineData("13/13/2024", true, null)]
    [InlineData("1.234.567", true, null)]
    [InlineData("20240229", true, null)]
    [InlineData("March", true, null)]
    public void TryDate_Text_IsReadAsPeopleWriteIt(string text, bool monthFirst, string? expected)
    {
        var days = ValueParser.TryDate(text, monthFirst, out var found) ? found : (double?)null;

        DateTime? wanted = expected is null ? null : DateTime.Parse(expected);
        DateTime? instant = days is { } known ? DateTime.UnixEpoch.AddSeconds(Math.Round(known * 86_400)) : null;
        Assert.Equal(wanted, instant);
    }

    [Fact]
    public void Read_ColumnsOfEveryKind_AreTakenForWhatTheyAre()
    {
        var export = Read(_folder.Deals("deals.csv", 400), "Result", "Won", time: "Created");

        Assert.Equal(
            [
                ("Deal Id", ColumnKind.Identifier), ("Industry", ColumnKind.Category), ("Amount", ColumnKind.Number), ("Company", ColumnKind.Category),
                ("Note", ColumnKind.Text), ("Currency", ColumnKind.Constant), ("E-mail", ColumnKind.Email),
            ],
            export.Columns.Select(c => (c.Name, c.Kind)));
        Assert.Equal(400, export.Labels.Length);
        Assert.InRange(export.Columns[2].Missing, 0.05, 0.15);
        Assert.Contains("Health, public", Column<CategoryColumn>(export, "Industry").Levels);
        Assert.Contains("Bank \"A\"", Column<CategoryColumn>(export, "Industry").Levels);
        Assert.Contains("company1.example", Column<CategoryColumn>(export, "E-mail").Levels);
        Assert.Equal(export.Time!.Order(), export.Time);
        Assert.Equal((new DateTime(2024, 1, 1, 8, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).TotalDays, export.Time![0], 9);
    }

    [Fact]
    public void Read_KeysCountersAndAmounts_AreToldApart()
    {
        var path = _folder.Write("keys.csv", Enumerable.Range(0, 100)
            .Select(i => $"{1000 - i},{i * 37 % 101 * 1_000_003L},{i * 7919 % 100_003 * 11},{i % 3},{0.5 + (i * 31 % 100)},{(i % 2 == 0 ? "a" : "")},{i % 2}")
            .Prepend("Falling,Customer No,Amount,Few,Decimal,OneValueOrNone,Label"));

        Assert.Equal(
            [
                ("Falling", ColumnKind.Identifier), ("Customer No", ColumnKind.Identifier), ("Amount", ColumnKind.Number), ("Few", ColumnKind.Number),
                ("Decimal", ColumnKind.Number), ("OneValueOrNone", ColumnKind.Category),
            ],
            Read(path, "Label", "1").Columns.Select(c => (c.Name, c.Kind)));
    }

    [Theory]
    [InlineData("day")]
    [InlineData("month")]
    public void Read_DatesInEitherOrder_AreUnderstood(string first)
    {
        var day = new DateOnly(2024, 1, 1);
        var path = _folder.Write("dates.csv", Enumerable.Range(0, 120)
            .Select(i => day.AddDays(i).ToString(first == "day" ? "dd/MM/yyyy" : "MM/dd/yyyy") + $",{i % 2}")
            .Prepend("When,Label"));

        var dates = Column<DateColumn>(Read(path, "Label", "0"), "When");

        Assert.Equal(Enumerable.Range(0, 120).Select(i => dates.Days[0] + i), dates.Days);
    }

    [Fact]
    public void Read_MissingTexts_AreMissing()
    {
        var path = _folder.Write("missing.csv", Enumerable.Range(0, 80)
            .Select(i => $"{(i % 4 == 0 ? "Select" : i % 4 == 1 ? "n/a" : i % 4 == 2 ? "" : "x" + (i % 8))},{i % 2}")
            .Prepend("Choice,Label"));

        Assert.Equal(0.5, Read(path, "Label", "1").Columns[0].Missing);
        var export = Read(path, "Label", "1", missing: "select");
        Assert.Equal(0.75, export.Columns[0].Missing);
        Assert.DoesNotContain("Select", Column<CategoryColumn>(export, "Choice").Levels);
    }

    [Fact]
    public void Read_LabelsOfAnyValue_MatchByTextCaseAndNumber()
    {
        var path = _folder.Write("labels.csv", Enumerable.Range(0, 90)
            .Select(i => $"{i % 7},{(i % 3 == 0 ? "YES" : i % 3 == 1 ? "no" : "maybe")},{(i % 3 == 0 ? "1.0" : "0.0")},{(i % 3 == 0 ? "Ganado (año)" : "")}")
            .Prepend("x,Text,Number,Half"));

        Assert.Equal(30, Read(path, "text", "yes").Labels.Count(l => l));
        Assert.Equal([("no", 30), ("maybe", 30)], Read(path, "Text", "YES").Negatives);
        var closed = Read(path, "Text", "YES", negative: "NO");
        Assert.Equal((60, 30), (closed.Labels.Length, closed.OtherLabel));
        Assert.Equal(30, Read(path, "Number", "1").Labels.Count(l => l));
    }

    [Fact]
    public void Read_OddFiles_AreRead()
    {
        string[] lines = ["Größe,Größe,,Label", .. Enumerable.Range(0, 60).Select(i => $"mü{i % 3},{i % 4},{i % 5},{i % 2}"), "too,few"];
        var latin = _folder.Write("latin.csv", Encoding.Latin1, lines);
        var utf16 = _folder.Write("utf16.csv", Encoding.Unicode, lines);
        var marked = _folder.Write("bom.csv", Encoding.UTF8, lines);
        var tabs = _folder.Write("tabs.tsv", lines.Select(l => l.Replace(',', '\t')));
        var packed = Path.Combine(_folder.Path, "packed.csv.gz");
        using (var stream = new GZipStream(File.Create(packed), CompressionLevel.Fastest))
        {
            stream.Write(Encoding.UTF8.GetBytes(string.Join('\n', lines)));
        }

        Assert.All([latin, utf16, marked, tabs, packed], path =>
        {
            var export = Read(path, "Label", "1");
            Assert.Equal(["Größe", "Größe (2)", "column 3"], export.Columns.Select(c => c.Name));
            Assert.Equal(["mü0", "mü1", "mü2"], Column<CategoryColumn>(export, "Größe").Levels);
            Assert.Equal((60, 1), (export.Labels.Length, export.Malformed));
        });
    }

    private static ExportTable Read(string path, string label, string positive, string? time = null, string? missing = null, string? negative = null) =>
        ExportTable.Read(
            new ExportRequest(
                path, label, positive, negative is null ? [] : [negative], [], time, missing is null ? [] : [missing]),
            TestContext.Current.CancellationToken);

    private static T Column<T>(ExportTable export, string name) =>
        Assert.IsType<T>(export.Table.Columns.Single(c => c.Name == name), exactMatch: false);
}
