using SalesTasks.Leads;

namespace SalesTasks.Tests.Leads;

public sealed class MappingDocumentTests
{
    [Fact]
    public void Parse_EverySetting_IsRead()
    {
        var mapping = MappingDocument.Parse(
            """
            kind: leads
            empty: [Select, "-"]
            ignore: Secret
            attributes: [City, Note]
            columns:
              ext_id: Prospect ID
              source: { from: [Source, Origin], map: { google: Google }, default: web, cut: true, empty: ["?"] }
              email: { value: "{Prospect ID}@x.example", case: lower }
              created_at: { from: Created, format: [dd/MM/yyyy, unix], time_zone: Europe/Madrid, optional: true }
              website_visited: { from: Visits, above: 2.5, decimal: "," }
              consent_email: { from: Mail, yes: [ok], no: [never, stop], erase: true }
            """,
            "test");

        Assert.Equal("leads", mapping.Kind);
        Assert.Contains("SELECT", mapping.Empty);
        Assert.Equal(["Secret"], mapping.Ignore);
        Assert.Equal((RestRule.Drop, 2), (mapping.Rest, mapping.Attributes.Count));
        var rules = mapping.Columns.ToDictionary(rule => rule.Target.Name);
        Assert.Equal(["Prospect ID"], rules["ext_id"].From);
        Assert.Equal(["Source", "Origin"], rules["source"].From);
        Assert.Equal(("Google", "web", true), (rules["source"].Map["GOOGLE"], rules["source"].Default, rules["source"].Cut));
        Assert.Equal(("{Prospect ID}@x.example", true), (rules["email"].Value, rules["email"].Lower));
        Assert.Equal(["dd/MM/yyyy", "unix"], rules["created_at"].Formats);
        Assert.Equal(("Europe/Madrid", true), (rules["created_at"].TimeZone.Id, rules["created_at"].Optional));
        Assert.Equal((2.5m, ','), (rules["website_visited"].Above, rules["website_visited"].Decimal));
        Assert.Equal(["never", "stop"], rules["consent_email"].No);
        Assert.Equal(["consent_email"], BoundMapping.Erased(mapping));
    }

    [Fact]
    public void Parse_Json_IsReadAsWell()
    {
        var mapping = MappingDocument.Parse("""{"columns": {"ext_id": "id", "source": {"value": "crm"}}, "attributes": "none"}""", "test");

        Assert.Equal((2, RestRule.Drop), (mapping.Columns.Count, mapping.Rest));
    }

    [Fact]
    public void Parse_ManyFaults_AreReportedTogetherWithLinesAndWhatIsAllowed()
    {
        var error = Assert.Throws<JobException>(() => MappingDocument.Parse(
            """
            kind: people
            colour: red
            columns:
              ext_id: { from: id, vlaue: x }
              emial: Email
              phone: { from: a, value: b }
              first_name: { from: a, above: 3 }
              created_at: { from: a, format: "%", time_zone: Mars }
              source: { value: "{oops" }
              ext_id2: x
            """,
            "'m.yaml'"));

        Assert.Equal(ExitCode.Usage, error.ExitCode);
        var lines = error.Message.Split(Environment.NewLine);
        Assert.Equal(10, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("'m.yaml', line ", line));
        Assert.Contains("line 1: kind: allowed: leads, engagement", error.Message);
        Assert.Contains("line 2: a mapping: unknown 'colour'; allowed: kind, columns, empty, attributes, ignore", error.Message);
        Assert.Contains("line 4: ext_id: unknown 'vlaue'; allowed: from, value, default", error.Message);
        Assert.Contains("line 5: columns: unknown 'emial'; allowed: ext_id, source, first_name", error.Message);
        Assert.Contains("line 6: phone: allowed: either from", error.Message);
        Assert.Contains("line 7: first_name: above has no meaning for this column", error.Message);
        Assert.Contains("line 8: format: '%' is no date format", error.Message);
        Assert.Contains("line 8: time_zone: 'Mars' is not known", error.Message);
        Assert.Contains("line 9: source: value has a brace without its partner", error.Message);
        Assert.Contains("line 10: columns: unknown 'ext_id2'", error.Message);
    }

    [Theory]
    [InlineData("columns: [a", "not valid YAML")]
    [InlineData("- a", "one YAML object")]
    [InlineData("", "one YAML object")]
    [InlineData("kind: leads", "columns: missing")]
    [InlineData("columns: {ext_id: a, ext_id: b}", "not valid YAML")]
    [InlineData("columns: {ext_id: {from: a, erase: true}}", "cannot be erased")]
    [InlineData("columns: {ext_id: {from: a, cut: yes}}", "cut: allowed: true, false")]
    [InlineData("columns: {ext_id: []}", "ext_id: allowed: a text or a list of texts")]
    public void Parse_Unusable_NamesTheFault(string text, string fault)
    {
        var error = Assert.Throws<JobException>(() => MappingDocument.Parse(text, "test"));

        Assert.Contains(fault, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("{a}-{b c}", "[a]|-|[b c]")]
    [InlineData("{{a}}", "{a}")]
    [InlineData("x{a}", "x|[a]")]
    [InlineData("{a", null)]
    [InlineData("a}", null)]
    [InlineData("{}", null)]
    public void Template_Text_IsSplitAtColumns(string text, string? expected)
    {
        var parts = Template.Parse(text);

        Assert.Equal(expected, parts is null ? null : string.Join('|', parts.Select(part => part.IsColumn ? $"[{part.Text}]" : part.Text)));
    }
}
