using System.Text;
using CsCheck;
using SalesTasks.Leads;

namespace SalesTasks.Tests.Leads;

public sealed class RecordReaderTests
{
    [Theory]
    [InlineData(",")]
    [InlineData(";")]
    [InlineData("\t")]
    public async Task Csv_AnyDelimiter_IsFoundOut(string delimiter)
    {
        var records = await ReadCsvAsync($"ext_id{delimiter}note\nA{delimiter}\"x, y; z\tw\"\n");

        Assert.Equal(["2: A|x, y; z\tw"], records);
    }

    [Fact]
    public async Task Csv_QuotedLineBreaks_CountForLineNumbers()
    {
        var records = await ReadCsvAsync("a,b\r\n1,\"two\r\nlines\"\r\n\r\n2,\"say \"\"hi\"\"\"\r\n3,5\" pipe");

        Assert.Equal(["2: 1|two\r\nlines", "5: 2|say \"hi\"", "6: 3|5\" pipe"], records);
    }

    [Fact]
    public async Task Csv_BadRecords_AreSingledOut()
    {
        var records = await ReadCsvAsync("a,b\n1,x\n2\n3,\"a\"b\n4,x,y\n5,n\0l\n6,y\n7,\"open\n8,z\n");

        Assert.Equal(
            [
                "2: 1|x",
                "3: has 1 columns where the header has 2",
                "4: text after a closing quote; a quote inside quotes is written twice",
                "5: has 3 columns where the header has 2",
                "6: " + RowFaults.Nul,
                "7: 6|y",
                "8: a quote is opened and never closed: the rest of the file belongs to this record",
            ],
            records);
    }

    [Fact]
    public async Task Csv_QuoteLeftOpenInALargeFile_EndsWithTheLine()
    {
        var text = "a,b\n1,x\n2,\"" + string.Concat(Enumerable.Repeat("word word\n", 400_000));

        var error = await Assert.ThrowsAsync<JobException>(() => ReadCsvAsync(text));

        Assert.Equal(ExitCode.Usage, error.ExitCode);
        Assert.Contains("line 3", error.Message);
    }

    [Fact]
    public async Task Csv_Empty_IsRefused()
    {
        var error = await Assert.ThrowsAsync<JobException>(() => ReadCsvAsync(""));

        Assert.Equal("'test' is empty; a CSV file needs a line with the names of its columns", error.Message);
    }

    [Fact]
    public async Task Csv_RepeatedAndMissingNames_AreToldApart()
    {
        await using var reader = await CsvRecords.OpenAsync(Bytes("id,,id\n1,2,3\n"), Encoding.UTF8, "test", TestContext.Current.CancellationToken);

        Assert.Equal(["id", "column 2", "id (2)"], reader.Columns);
        Assert.Equal((0, 2), (reader.Bind("ID"), reader.Bind("id (2)")));
        Assert.Null(reader.Bind("name"));
    }

    [Theory]
    [InlineData("{\"a\":1}\n\n{\"a\":\"x\"}\n", "1: 1", "3: x")]
    [InlineData("\uFEFF{\"a\":1}", "1: 1")]
    [InlineData("[{\"a\":1},\n {\"a\":[2]}\n]", "1: 1", "2: [2]")]
    [InlineData("{\"status\":\"ok\",\"page\":{\"n\":[1,{}]},\"data\":[\n{\"a\":1},\n{\"a\":true}],\"next\":null}", "2: 1", "3: true")]
    [InlineData("{\n \"data\": {\"a\": null}\n}", "2: -")]
    [InlineData("{\"a\": {\"b\": 3}}", "1: {\"b\": 3}")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Json_AnyShape_GivesItsRecords(string text, params string[] expected) => Assert.Equal(expected, await ReadJsonAsync(text));

    [Fact]
    public async Task Json_BadLines_AreSingledOut()
    {
        var records = await ReadJsonAsync("{\"a\":1}\n{\"a\":\n[1]\n{\"a\":\"\\u0000\"}\n{\"a\":\"\\ud800\"}\n{\"a\":2}");

        Assert.Equal(
            [
                "1: 1", "2: is not valid JSON at byte 6", "3: is not a JSON object", "4: " + RowFaults.Nul,
                "5: has a \\u escape that is one half of a surrogate pair", "6: 2",
            ],
            records);
    }

    [Theory]
    [InlineData("[{\"a\":1},{\"a\":", "not valid JSON at line 1")]
    [InlineData("[{\"a\":1}\n{\"a\":2}]", "not valid JSON at line 2")]
    [InlineData("{\n\"a\": 1\n}", "holds no records")]
    [InlineData("\"text\n", "not valid JSON")]
    public async Task Json_BrokenDocument_IsRefused(string text, string fault)
    {
        var error = await Assert.ThrowsAsync<JobException>(() => ReadJsonAsync(text));

        Assert.Equal(ExitCode.Usage, error.ExitCode);
        Assert.Contains(fault, error.Message);
    }

    [Fact]
    public async Task Json_InnerFields_AreReachedByDots()
    {
        await using var reader = await JsonRecords.OpenAsync(
            Bytes("{\"a\":{\"b\":{\"c\":\"deep\"}},\"x.y\":\"flat\"}"), "test", manyChat: false, TestContext.Current.CancellationToken);
        var deep = reader.Bind("a.b.c")!.Value;
        var flat = reader.Bind("x.y")!.Value;
        var none = reader.Bind("a.q.c")!.Value;
        await reader.ReadAsync(TestContext.Current.CancellationToken);

        Assert.Equal(("deep", "flat", null), (reader.Get(deep), reader.Get(flat), reader.Get(none)));
    }

    [Fact]
    public void Json_AnyDocumentInAnyPieces_GivesTheSameRecords()
    {
        var text = Gen.Char["ab\\\"{}[],\néß😀"[..12]].Array[0, 40].Select(characters => new string(characters));
        Gen.Select(text.Array[0, 20], Gen.Int[1, 50], Gen.Int[0, 2]).Sample(
            (values, piece, shape) =>
            {
                var items = values.Select(value => System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { ["a"] = value })).ToArray();
                var json = shape switch
                {
                    0 => string.Join('\n', items),
                    1 => $"[{string.Join(",\n", items)}]",
                    _ => $"{{\"count\": {items.Length}, \"data\": [{string.Join(',', items)}]}}",
                };

                var read = ReadJsonAsync(json, piece).GetAwaiter().GetResult();

                return values.SequenceEqual(read.Select(record => record[(record.IndexOf(':') + 2)..]));
            },
            iter: 300);
    }

    [Theory]
    [InlineData("plain ascii", TextEncoding.Auto, "plain ascii", false)]
    [InlineData("señor ☺", TextEncoding.Auto, "señor ☺", false)]
    public async Task Encoding_Utf8_IsFoundOut(string text, string requested, string expected, bool guessed) =>
        Assert.Equal((expected, guessed), await DecodeAsync(Encoding.UTF8.GetBytes(text), requested));

    [Fact]
    public async Task Encoding_Marks_Decide()
    {
        Assert.Equal(("ñ", false), await DecodeAsync([0xFF, 0xFE, .. Encoding.Unicode.GetBytes("ñ")], TextEncoding.Latin1));
        Assert.Equal(("ñ", false), await DecodeAsync([0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("ñ")], TextEncoding.Utf8));
    }

    [Fact]
    public async Task Encoding_InvalidUtf8FarBehind_IsReadAsWindows1252()
    {
        byte[] bytes = [.. Encoding.UTF8.GetBytes(new string('x', 600_000)), 0xF1, 0x80];

        var (text, guessed) = await DecodeAsync(bytes, TextEncoding.Auto);

        Assert.True(guessed);
        Assert.EndsWith("xñ€", text);
    }

    [Fact]
    public async Task Encoding_SaidToBeUtf8AndIsNot_IsRefusedWithTheByte()
    {
        var error = await Assert.ThrowsAsync<JobException>(() => DecodeAsync([.. "abc"u8, 0xF1, .. "def"u8], TextEncoding.Utf8));

        Assert.Contains("(byte 4)", error.Message);
    }

    private static async Task<(string Text, bool Guessed)> DecodeAsync(byte[] bytes, string requested)
    {
        var file = new MemoryFile(bytes);
        var encoding = await TextEncoding.DetectAsync(file, requested, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(await file.OpenAsync(TestContext.Current.CancellationToken), encoding.Encoding);
        return (await reader.ReadToEndAsync(TestContext.Current.CancellationToken), encoding.Guessed);
    }

    private static async Task<List<string>> ReadCsvAsync(string text)
    {
        await using var reader = await CsvRecords.OpenAsync(Bytes(text), Encoding.UTF8, "test", TestContext.Current.CancellationToken);
        var records = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            records.Add($"{reader.Line}: " + (reader.Fault ?? string.Join('|', Enumerable.Range(0, reader.Columns.Count).Select(reader.Get))));
        }

        return records;
    }

    private static async Task<List<string>> ReadJsonAsync(string text, int piece = int.MaxValue)
    {
        await using var stream = new PieceStream(Encoding.UTF8.GetBytes(text), piece);
        await using var reader = await JsonRecords.OpenAsync(stream, "test", manyChat: false, TestContext.Current.CancellationToken);
        var field = reader.Bind("a")!.Value;
        var records = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            records.Add($"{reader.Line}: " + (reader.Fault ?? reader.Get(field) ?? "-"));
        }

        return records;
    }

    private static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private sealed class MemoryFile(byte[] bytes) : SourceFile("test")
    {
        protected override Task<Stream> OpenRawAsync(CancellationToken cancellationToken) => Task.FromResult<Stream>(new MemoryStream(bytes));
    }

    /// <summary>Gives at most so many bytes at a time, as a network does.</summary>
    private sealed class PieceStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
