using SalesTasks.Crm;

namespace SalesTasks.Tests.Crm;

/// <summary>Mapping files, and the merge of one record.</summary>
public sealed class MappingTests
{
    private static readonly CrmMapping s_mapping = CrmMapping.Load("hubspot", null);

    [Fact]
    public void Load_TheOneThatComesWithTheProgram_IsWhole()
    {
        Assert.Equal("salestasks_lead_id", s_mapping.Leads.Key);
        Assert.Equal(7, s_mapping.Stages.Count);
        Assert.Contains(s_mapping.Deals.Fields, f => f.Ours.Name == "stage" && f.Rule is FieldRule.Newest);
        Assert.Contains(s_mapping.Leads.Fields, f => f.Ours.Name == "score" && f.Rule is FieldRule.Ours);
    }

    [Fact]
    public void Load_SalesforceTheOneThatComesWithTheProgram_IsWhole()
    {
        var mapping = CrmMapping.Load("salesforce", null);

        Assert.Equal(("SalesTasks_Lead_Id__c", "Email"), (mapping.Leads.Key, mapping.Leads.Match));
        Assert.Equal("-", Assert.Single(mapping.Leads.Fields, f => f.Ours.Name == "last_name").Empty);
        Assert.Equal("Closed Won", mapping.Stages["closed_won"]);
    }

    [Theory]
    [InlineData("last_name", " ")]
    [InlineData("email", "-")]
    [InlineData("score", "0")]
    public void Parse_EmptyWhereItCannotBe_IsAFault(string ours, string empty) => Assert.Contains(
        $"leads.fields[0].empty = '{empty}'",
        Assert.Throws<JobException>(() => CrmMapping.Parse(
            "salesforce",
            "mapping_file 'm.json'",
            $$"""
            {"leads": {"key": "k", "fields": [{"ours": "{{ours}}", "theirs": "x", "empty": "{{empty}}"} ] }, "deals": {"key": "k", "fields": [{"ours": "name", "theirs": "n"}] } }
            """)).Message);

    [Fact]
    public void Parse_ManyFaults_AreNamedTogether()
    {
        var fault = Assert.Throws<JobException>(() => CrmMapping.Parse(
            "hubspot",
            "mapping_file 'm.json'",
            """
            {
              "crm": "salesforce", "surprise": 1,
              "leads": {"fields": [{"ours": "nonsense", "theirs": "x"}, {"ours": "score", "theirs": "y", "rule": "theirs"}, {"ours": "email", "theirs": "email", "rule": "maybe"}]},
              "deals": {"key": "k", "fields": [{"ours": "stage", "theirs": "dealstage"}]},
              "stages": {"qualified": "a", "contacted": "a", "unheard": "b"},
              "deletions": "burn"
            }
            """));

        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.All(
            (string[])[
                "crm = 'salesforce'", "surprise is not known", "leads.key is missing", "leads.fields[0].ours = 'nonsense'", "leads.fields[1].rule = 'theirs'",
                "rule = 'maybe'", "stages.unheard is no stage", "stages.negotiating is missing", "qualified and contacted are both 'a'", "deletions = 'burn'",
            ],
            part => Assert.Contains(part, fault.Message));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    public void Parse_NoObject_IsAFaultThatNamesTheFile(string text) =>
        Assert.Contains("m.json", Assert.Throws<JobException>(() => CrmMapping.Parse("hubspot", "mapping_file 'm.json'", text)).Message);

    [Fact]
    public void Load_NoSuchFile_IsAFault() =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<JobException>(() => CrmMapping.Load("hubspot", "/nowhere/m.json")).ExitCode);
}
