using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace SalesTasks.Tests.Reports;

/// <summary>What holds for every page.</summary>
internal static partial class PageChecks
{
    private static readonly string[] s_void = ["meta", "path", "rect", "circle"];

    /// <summary>Well-formed, alone, accessible.</summary>
    public static void ShouldBeSound(string page)
    {
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"", page, StringComparison.Ordinal);
        // Written so that it is well-formed XML as well: every element closed, every character escaped.
        var document = XDocument.Parse(page["<!DOCTYPE html>\n".Length..]);
        var all = document.Descendants().ToList();

        // Nothing that runs, and nothing from outside.
        Assert.DoesNotContain(all, e => e.Name.LocalName is "script" or "link" or "img" or "iframe" or "object" or "embed" or "form" or "base" or "a" or "image" or "use");
        Assert.DoesNotContain(all.Attributes(), a => a.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase) || a.Name.LocalName is "href" or "src" or "style");
        var policy = all.Single(e => e.Attribute("http-equiv")?.Value == "Content-Security-Policy").Attribute("content")!.Value;
        var style = Style().Match(page).Groups["css"].Value;
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", style, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", style, StringComparison.Ordinal);

        // HTML knows elements that are empty only from a list; others must have an end tag.
        Assert.All(Regexes.EmptyTag().Matches(page).Select(match => match.Groups["name"].Value), name => Assert.Contains(name, s_void));
        Assert.Equal(all.Attributes("id").Count(), all.Attributes("id").Select(id => id.Value).Distinct().Count());
        var ids = all.Attributes("id").Select(id => id.Value).ToHashSet();
        Assert.All(all.Attributes("aria-labelledby").SelectMany(a => a.Value.Split(' ')), id => Assert.Contains(id, ids));

        Assert.Single(all, e => e.Name.LocalName == "h1");
        Assert.All(all.Where(e => e.Name.LocalName == "section"), section => Assert.Single(section.Elements(), e => e.Name.LocalName == "h2"));
        Assert.All(all.Where(e => e.Name.LocalName == "table"), table => Assert.NotEmpty(table.Elements().First(e => e.Name.LocalName == "caption").Value));
        Assert.All(all.Where(e => e.Name.LocalName == "th"), th => Assert.Contains(th.Attribute("scope")?.Value, (string[])["col", "row"]));
        Assert.All(all.Where(e => e.Name.LocalName == "table"), table => Assert.All(
            table.Descendants().Where(e => e.Name.LocalName == "tr"),
            row => Assert.Equal(table.Descendants().First(e => e.Name.LocalName == "tr").Elements().Count(), row.Elements().Count())));
        Assert.All(all.Where(e => e.Name.LocalName == "svg"), svg =>
        {
            Assert.Equal("img", svg.Attribute("role")?.Value);
            Assert.NotEmpty(svg.Elements().Single(e => e.Name.LocalName == "title").Value);
            Assert.NotEmpty(svg.Elements().Single(e => e.Name.LocalName == "desc").Value);
        });
    }

    [GeneratedRegex("<style>(?<css>.*?)</style>", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Style();

    private static partial class Regexes
    {
        [GeneratedRegex("<(?<name>[a-z0-9]+)(?: [^<>]*)?/>", RegexOptions.ExplicitCapture)]
        public static partial Regex EmptyTag();
    }
}
