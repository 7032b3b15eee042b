using System.Text.Json.Nodes;
using CsCheck;
using SalesTasks.Delivery;

namespace SalesTasks.Tests.Delivery;

/// <summary>Texts and blocks within Slack's limits.</summary>
public sealed class SlackTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("plain", "plain")]
    [InlineData("<!channel> & <http://x|y>", "&lt;!channel&gt; &amp; &lt;http://x|y&gt;")]
    public void Escape_ControlCharacters_AreShownAsTheyAre(string? text, string expected) => Assert.Equal(expected, SlackText.Escape(text));

    [Theory]
    [InlineData("short", 10, "short")]
    [InlineData("exactly ten", 11, "exactly ten")]
    [InlineData("0123456789", 5, "0123…")]
    [InlineData("012&amp;89", 6, "012…")]
    [InlineData("012&amp;89", 9, "012&amp;…")]
    [InlineData("012😀6789", 5, "012…")]
    public void Truncate_LongText_CutsNothingInTwo(string text, int limit, string expected) => Assert.Equal(expected, SlackText.Truncate(text, limit));

    [Fact]
    public void Split_AnyText_LosesNothingAndKeepsTheLimit() =>
        Gen.Select(Gen.OneOf(Gen.OneOf("a", "\n", "&", "<", "😀", "word ", "line\n")).Array[0, 400], Gen.Int[20, 60]).Sample((parts, limit) =>
        {
            var text = SlackText.Escape(string.Concat(parts));
            var pieces = SlackText.Split(text, limit).ToList();

            Assert.All(pieces, piece => Assert.True(piece.Length <= limit, $"{piece.Length} > {limit}"));
            Assert.Equal(text.Replace("\n", "", StringComparison.Ordinal), string.Concat(pieces).Replace("\n", "", StringComparison.Ordinal));
            Assert.All(pieces, piece =>
            {
                Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1])));
                // Every entity is whole.
                Assert.Equal(piece.Count(c => c == '&'), piece.Count(c => c == ';'));
            });
        });

    [Fact]
    public void Fit_SmallMessage_IsLeftAsItIs()
    {
        var message = Parse("""{"text": "Hi", "blocks": [{"type": "divider"}, {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "block_id": "b"}]}""");

        Assert.True(JsonNode.DeepEquals(message, SlackLimits.Fit(message)));
    }

    [Fact]
    public void Fit_LongSection_BecomesSeveral()
    {
        var text = string.Join('\n', Enumerable.Range(0, 1000).Select(i => $"line {i}"));
        var message = new JsonObject
        {
            ["text"] = "Hi",
            ["blocks"] = new JsonArray(new JsonObject { ["type"] = "section", ["text"] = new JsonObject { ["type"] = "mrkdwn", ["text"] = text } }),
        };

        var blocks = SlackLimits.Fit(message)["blocks"]!.AsArray();

        Assert.Equal(3, blocks.Count);
        Assert.All(blocks, block => Assert.InRange(block!["text"]!["text"]!.GetValue<string>().Length, 1, SlackLimits.Section));
        Assert.Equal(text, string.Join('\n', blocks.Select(block => block!["text"]!["text"]!.GetValue<string>())));
    }

    [Fact]
    public void Fit_TooMuchOfEverything_StaysWithinTheLimits()
    {
        var fields = new JsonArray([.. Enumerable.Range(0, 25).Select(i => new JsonObject { ["type"] = "mrkdwn", ["text"] = new string('f', 2100) })]);
        var blocks = new JsonArray(
            new JsonObject { ["type"] = "header", ["text"] = new JsonObject { ["type"] = "plain_text", ["text"] = new string('h', 200) } },
            new JsonObject { ["type"] = "section", ["fields"] = fields });
        for (var i = 0; i < 60; i++)
        {
            blocks.Add(new JsonObject { ["type"] = "section", ["text"] = new JsonObject { ["type"] = "mrkdwn", ["text"] = $"{i}" } });
        }

        var fitted = SlackLimits.Fit(new JsonObject { ["text"] = new string('t', 50_000), ["blocks"] = blocks });

        var result = fitted["blocks"]!.AsArray();
        Assert.Equal((SlackLimits.Text, SlackLimits.Blocks), (fitted["text"]!.GetValue<string>().Length, result.Count));
        Assert.Equal(SlackLimits.Header, result[0]!["text"]!["text"]!.GetValue<string>().Length);
        Assert.Equal([10, 10, 5], result.Skip(1).Take(3).Select(b => b!["fields"]!.AsArray().Count));
        Assert.All(result[1]!["fields"]!.AsArray(), field => Assert.Equal(SlackLimits.Field, field!["text"]!.GetValue<string>().Length));
        // One header, three of fields and 60 sections are 64.
        Assert.Equal("… 15 more blocks do not fit into a Slack message", result[^1]!["elements"]![0]!["text"]!.GetValue<string>());
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
