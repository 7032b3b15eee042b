using CsCheck;
using SalesTasks.Campaigns;

namespace SalesTasks.Tests.Campaigns;

public sealed class HtmlTextTests
{
    [Theory]
    [InlineData("<p>One</p><p>Two</p>", "One\n\nTwo")]
    [InlineData("One<br>Two<br/>Three", "One\nTwo\nThree")]
    [InlineData("<ul>\n  <li>a</li>\n  <li>b &amp; c</li>\n</ul>", "- a\n- b & c")]
    [InlineData("<a href=\"https://x.example/?a=1&amp;b=2\">here</a>!", "here (https://x.example/?a=1&b=2)!")]
    [InlineData("<a href='https://x.example'>https://x.example</a>", "https://x.example")]
    [InlineData("<a href=\"javascript:alert(1)\">x</a>", "x")]
    [InlineData("<style>p { color: red }</style><p>x</p><script>if (a < b) { }</script>y", "x\n\ny")]
    [InlineData("a <!-- hidden <p> --> b", "a b")]
    [InlineData("<h1>Title</h1>\n\n  text   with\n spaces", "Title\n\ntext with spaces")]
    [InlineData("&lt;b&gt;", "<b>")]
    [InlineData("1 &lt; 2", "1 < 2")]
    [InlineData("<b", "")]
    [InlineData("", "")]
    public void From_Html_ReadsAsAPersonWouldSeeIt(string html, string text) => Assert.Equal(text, HtmlText.From(html));

    [Fact]
    public void From_AnyText_Ends() => Gen.OneOf(Gen.OneOf("<", ">", "<a href=", "\"", "'", "</", "<!--", "-->", "<script>", "&", ";", " "), Gen.String)
        .Array[0, 30].Select(string.Concat).Sample(html => HtmlText.From(html).Length <= (html.Length * 3) + 10, iter: 3_000);
}
