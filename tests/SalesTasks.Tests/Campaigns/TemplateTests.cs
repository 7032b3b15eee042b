using CsCheck;
using SalesTasks.Campaigns;

namespace SalesTasks.Tests.Campaigns;

/// <summary>Templates say what the lead's facts allow, whatever those are, and come to an end.</summary>
public sealed class TemplateTests
{
    private static readonly LeadFacts s_ana = CampaignCheck.Complete;
    private static readonly LeadFacts s_unknown = CampaignCheck.Unknown;

    [Theory]
    [InlineData("Hi {{ first_name }}", "Hi Ana", "Hi there")]
    [InlineData("Hi {{ first_name | default: \"friend\" }}", "Hi Ana", "Hi friend")]
    [InlineData("Hi {{ first_name | default: 'friend' | upcase }}", "Hi ANA", "Hi FRIEND")]
    [InlineData("Hi {{ first_name | upcase }}", "Hi ANA", "Hi THERE")]
    [InlineData("{{ full_name }}", "Ana García", "there")]
    [InlineData("{% if first_name %}y{% else %}n{% endif %}", "y", "n")]
    [InlineData("{% if first_name == blank %}n{% else %}y{% endif %}", "y", "n")]
    [InlineData("{% if company_name != blank %}{{ company_name }}{% endif %}", "Acme", "")]
    [InlineData("{% unless last_name %}n{% endunless %}", "", "n")]
    [InlineData("{{ company_name }}, {{ rep_name }}", "Acme, Luis Pérez", "your company, The sales team")]
    [InlineData("{{ last_name }}|{{ phone }}|{{ score }}", "García|+34 600 123 456|82", "||")]
    [InlineData("{% if score >= 80 %}hot{% endif %}", "hot", "")]
    [InlineData("{% if estimated_value > 10000 %}big{% endif %}", "big", "")]
    [InlineData("{{ estimated_value }}", "24000", "")]
    [InlineData("{{ attributes.plan }}/{{ attributes.seats }}/{{ attributes.none }}", "pro/25/", "//")]
    [InlineData("{{ attributes['plan'] | default: 'free' }}", "pro", "free")]
    [InlineData("{% assign name = first_name | default: 'you' %}{{ name }}, {{ name }}", "Ana, Ana", "you, you")]
    [InlineData("{{ 'now' | date: '%Y-%m-%d' }}", "2026-01-30", "2026-01-30")]
    [InlineData("{% for w in full_name %}{{ w }}{% endfor %}x", "Ana Garcíax", "x")]
    public void Render_FactsKnownAndUnknown_SaysWhatItCan(string source, string known, string unknown)
    {
        Assert.Equal(known, Render(source, s_ana));
        Assert.Equal(unknown, Render(source, s_unknown));
    }

    [Theory]
    [InlineData("Hola {{ first_name }}", "Hola qué tal")]
    [InlineData("{{ company_name }} y {{ product_interest }}", "tu empresa y nuestros productos")]
    public void Render_UnknownInSpanish_HasSpanishFallbacks(string source, string expected) =>
        Assert.Equal(expected, Template.Parse(source, TemplateKind.Text).Render(s_unknown, "es"));

    [Theory]
    [InlineData("   ", "there")]
    [InlineData("", "there")]
    [InlineData(" Ana ", "Ana")]
    public void Render_BlankName_CountsAsMissing(string name, string expected) =>
        Assert.Equal(expected, Render("{{ first_name }}", s_ana with { FirstName = name }));

    [Fact]
    public void Render_HtmlKind_EscapesValuesUnlessTheTemplateSaysRaw()
    {
        var facts = s_ana with { FirstName = "<script>alert('x')</script>" };
        var escaped = Template.Parse("<b>{{ first_name }}</b>", TemplateKind.Html).Render(facts, "en");
        Assert.StartsWith("<b>&lt;script&gt;", escaped, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", escaped, StringComparison.Ordinal);
        Assert.Equal("<b><script>alert('x')</script></b>", Template.Parse("<b>{{ first_name | raw }}</b>", TemplateKind.Html).Render(facts, "en"));
        Assert.Equal("<script>alert('x')</script>", Template.Parse("{{ first_name }}", TemplateKind.Text).Render(facts, "en"));
        Assert.Equal("á ñ €", Template.Parse("{{ first_name }}", TemplateKind.Html).Render(s_ana with { FirstName = "á ñ €" }, "en"));
        Assert.DoesNotContain("<", Template.Parse("{{ attributes.x }}", TemplateKind.Html).Render(s_ana with { AttributesJson = """{"x": "<i>"}""" }, "en"), StringComparison.Ordinal);
    }

    [Fact]
    public void Render_LiquidInAName_IsTextAndNotRunAgain() => Assert.Equal(
        "{{ last_name }}{% for x in y %}", Render("{{ first_name }}", s_ana with { FirstName = "{{ last_name }}{% for x in y %}" }));

    [Fact]
    public void Render_SubjectWithLineBreaksInAName_IsOneLineWithoutControlCharacters() => Assert.Equal(
        "Hi Ana Bcc: all@victim.example",
        Template.Parse("Hi {{ first_name }}", TemplateKind.Line).Render(s_ana with { FirstName = "Ana\r\nBcc: all@victim.example\0\u0007" }, "en"));

    [Fact]
    public void Render_HugeValues_AreCut()
    {
        var huge = new string('x', 5_000_000);
        Assert.Equal(500, Render("{{ first_name }}", s_ana with { FirstName = huge }).Length);
        Assert.Equal(500, Render("{{ attributes.big }}", s_ana with { AttributesJson = $$"""{"big": "{{huge}}"}""" }).Length);
        Assert.Equal(Template.LongestLine, Template.Parse("{{ first_name }}", TemplateKind.Line).Render(s_ana with { FirstName = huge }, "en").Length);
        var emoji = string.Concat(Enumerable.Repeat("👍", 400));
        Assert.DoesNotContain('\ufffd', Render("{{ first_name }}", s_ana with { FirstName = "a" + emoji }));
        Assert.False(char.IsHighSurrogate(Render("{{ first_name }}", s_ana with { FirstName = "a" + emoji })[^1]));
    }

    [Theory]
    [InlineData("{{ ")]
    [InlineData("{% if first_name %}")]
    [InlineData("{% endif %}")]
    [InlineData("{% for x %}{% endfor %}")]
    [InlineData("{{ first_name | }}")]
    [InlineData("{% include 'x' %}")]
    [InlineData("{% render 'x' %}")]
    [InlineData("{% capture x %}{% endcapture %}")]
    [InlineData("{% nonsense %}")]
    [InlineData("{{ frist_name }}")]
    [InlineData("{% if false %}{{ frist_name }}{% endif %}")]
    [InlineData("{{ first_name | uppcase }}")]
    [InlineData("{{ first_name | json }}")]
    [InlineData("{% for i in (1..1000000000) %}{{ i }}{% endfor %}")]
    public void Parse_MalformedOrUnknown_IsRefused(string source) =>
        Assert.Throws<TemplateException>(() => Template.Parse(source, TemplateKind.Text));

    [Fact]
    public void Parse_UnknownName_SaysWhatIsAllowed() => Assert.StartsWith(
        "'frist_name' is not known; allowed: first_name, ",
        Assert.Throws<TemplateException>(() => Template.Parse("{{ frist_name }}", TemplateKind.Text)).Message.Replace('"', '\''),
        StringComparison.Ordinal);

    public static TheoryData<string> Hostile() =>
    [
        // A value that doubles at each step.
        "{% assign a = 'xxxxxxxxxx' %}" + string.Concat(Enumerable.Repeat("{% assign a = a | append: a %}", 60)) + "{{ a }}",
        "{% assign a = 'xxxxxxxxxx' %}" + string.Concat(Enumerable.Repeat("{% assign a = a | replace: 'x', a %}", 60)) + "{{ a }}",
        "{% assign a = 'xxxxxxxxxx' %}{% assign a = a " + string.Concat(Enumerable.Repeat("| append: a | replace: 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'", 60)) + " %}{{ a }}",
        // Loops in loops.
        "{% assign a = 'a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p' | split: ',' %}" + string.Concat(Enumerable.Repeat("{% for x in a %}", 12)) + "{{ x }}" + string.Concat(Enumerable.Repeat("{% endfor %}", 12)),
        "{% assign a = '" + string.Concat(Enumerable.Repeat("x,", 5_000)) + "' | split: ',' %}{% for x in a %}{% for y in a %}x{% endfor %}{% endfor %}",
        "{% assign a = '" + new string('x', 6_000) + "' | split: '' | join: '" + new string('y', 6_000) + "' %}{{ a }}",
        "{{ 'now' | date: '%999999999Y' }}",
        "{{ 'now' | date: '%-0123456789d' }}",
        "{{ 79228162514264337593543950335 | times: 79228162514264337593543950335 }}",
        string.Concat(Enumerable.Repeat("{% if true %}", 5_000)) + string.Concat(Enumerable.Repeat("{% endif %}", 5_000)),
        "{{ " + string.Concat(Enumerable.Repeat("attributes[", 5_000)) + "1" + string.Concat(Enumerable.Repeat("]", 5_000)) + " }}",
        "{% if " + string.Concat(Enumerable.Repeat("true and ", 5_000)) + "true %}x{% endif %}",
        new string('x', 70_000),
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void ParseAndRender_WhatWouldNotEnd_IsRefusedOrStopped(string source) => Assert.Throws<TemplateException>(() => Render(source, s_ana));

    [Fact]
    public void Render_NestedAsDeepAsAllowed_DoesNotOverflowTheStack()
    {
        var source = string.Concat(Enumerable.Repeat("{% if true %}", 148)) + "x" + string.Concat(Enumerable.Repeat("{% endif %}", 148));
        Assert.Equal("x", Render(source, s_ana));
    }

    [Fact]
    public void Render_ErrorMessages_QuoteNoFactOfTheLead()
    {
        var facts = s_ana with { FirstName = "Secretname" };
        var error = Assert.Throws<TemplateException>(() => Render("{% assign a = first_name %}" + string.Concat(Enumerable.Repeat("{% assign a = a | append: a %}", 40)), facts));
        Assert.DoesNotContain("Secret", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever is in a template, it parses and renders, or it is refused with our own exception: never another, never for ever.</summary>
    [Fact]
    public void ParseAndRender_AnyText_EndsInTextOrRefusal() => Gen.OneOf(
            Gen.OneOf(
                "{{", "}}", "{%", "%}", "{%-", "-%}", "first_name", " | ", "default:", "'x'", "\"", "for x in ", "attributes", "endfor", "if ", "endif", "else",
                "assign a = ", "a", ".", "[", "]", "(", ")", "..", "1", "0", "plus: 1", "split: ''", "join: 'ab'", "raw", "endraw", "comment", "endcomment", "case ", "when ",
                "divided_by: 0", "modulo: 0", "round: 99", "truncate: -1", "slice: -5, 9", "date: '%Q'", "<script>", "\0", "\n", " "),
            Gen.String)
        .Array[0, 24]
        .Select(string.Concat)
        .Sample(
            source =>
            {
                foreach (var kind in Enum.GetValues<TemplateKind>())
                {
                    try
                    {
                        var text = Template.Parse(source, kind).Render(s_ana, "en");
                        Assert.DoesNotContain('\0', text);
                    }
                    catch (TemplateException)
                    {
                        // Refused.
                    }
                }
            },
            iter: 3_000);

    private static string Render(string source, LeadFacts facts) => Template.Parse(source, TemplateKind.Text).Render(facts, "en");
}
