using System.Text.Json.Nodes;
using CsCheck;
using SalesTasks.Campaigns;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Campaigns;

/// <summary>A campaign that could not run well is refused as a whole, with everything that is wrong with it.</summary>
public sealed class CampaignReaderTests
{
    private static readonly SendWindow s_policy = new([1, 2, 3, 4, 5], new TimeOnly(9, 0), new TimeOnly(18, 0));

    [Theory]
    [InlineData("name", "", "name: it is missing; allowed: text of 1 to 256 characters")]
    [InlineData("name", "''", "name: \"\\u0022\\u0022\"")]
    [InlineData("campaign_type", "drip", "one of email_sequence, call_campaign, multichannel, nurturing")]
    [InlineData("max_leads_per_run", "-1", "max_leads_per_run: '-1' is not allowed; allowed: a whole number from 0 to 2147483647")]
    [InlineData("max_leads_per_run", "1.5", "a whole number from 0")]
    [InlineData("max_leads_per_run", "many", "a whole number from 0")]
    [InlineData("enabled", "maybe", "enabled: ")]
    [InlineData("steps_config", "[]", "steps_config: '[]' is not allowed; allowed: a list of 1 to 50 steps")]
    [InlineData("steps_config", "hello", "a list of 1 to 50 steps")]
    [InlineData("surprise", "1", "unknown key 'surprise'; allowed: name, description")]
    public void Read_FaultOfTheCampaign_IsNamedWithWhatIsAllowed(string key, string value, string fault)
    {
        var document = Valid();
        if (value.Length == 0)
        {
            document.Remove(key);
        }
        else
        {
            document[key] = CampaignFile.Parse(value, "test");
        }

        var faults = Faults(document);
        if (key == "name" && value.Length > 0)
        {
            fault = "name: ";
        }

        Assert.Contains(fault, faults, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{stage: qualified, score_min: 0, score_max: 100, priority: [high, urgent], source: web, utm_campaign: [a, b], estimated_value_min: 0.5, days_since_contact_min: 0}", null)]
    [InlineData("{stage: closed_won}", "trigger_criteria.stage: '\"closed_won\"' is not allowed; allowed: one or more of qualified, contacted, meeting_scheduled")]
    [InlineData("{stage: []}", "one text, or a list of 1 to 100")]
    [InlineData("{stage: [qualified, 5]}", "trigger_criteria.stage: '5'")]
    [InlineData("{stages: qualified}", "trigger_criteria: unknown key 'stages'; allowed: stage, score_min")]
    [InlineData("{score_min: high}", "trigger_criteria.score_min: '\"high\"' is not allowed; allowed: a whole number from 0 to 100")]
    [InlineData("{score_min: '60'}", "trigger_criteria.score_min: '\"60\"'")]
    [InlineData("{score_min: 101}", "a whole number from 0 to 100")]
    [InlineData("{score_min: 80, score_max: 70}", "score_min 80 is above score_max 70, so no lead would match")]
    [InlineData("{priority: normal}", "one or more of low, medium, high, urgent")]
    [InlineData("{source: ''}", "one or more texts of 1 to 128 characters")]
    [InlineData("{source: 5}", "trigger_criteria.source: '5'")]
    [InlineData("{estimated_value_min: -1}", "trigger_criteria.estimated_value_min: '-1'")]
    [InlineData("{estimated_value_min: '1000'}", "a number from 0 to 9999999999.99")]
    [InlineData("{days_since_contact_min: 1.5}", "a whole number from 0 to 3650")]
    [InlineData("{score_min: }", "trigger_criteria.score_min: it has no value; allowed: a value, or leave score_min out")]
    [InlineData("[stage]", "trigger_criteria: '[\"stage\"]' is not allowed; allowed: an object with the keys stage")]
    public void Read_Criteria_AreCheckedOneByOneAndTogether(string criteria, string? fault)
    {
        var document = Valid();
        document["trigger_criteria"] = CampaignFile.Parse(criteria, "test");
        Check(document, fault);
    }

    [Theory]
    [InlineData("{type: email, subject: s, body: b}", null)]
    [InlineData("{type: email, subject: s, html: <p>b</p>, delay_hours: 0.5, window: {days: [1, 7], start: 10:00, end: '17:30'}}", null)]
    [InlineData("{type: email, subject: {en: s, es: s}, body: {en: b, es: b}}", null)]
    [InlineData("{type: email, body: b, variants: [{name: A, subject: a, weight: 2}, {name: B, subject: b, body: other}]}", null)]
    [InlineData("{type: call, subject: s, priority: urgent, due_hours: 8}", null)]
    [InlineData("{type: task, subject: s, task_type: meeting, priority: low, due_hours: 0}", null)]
    [InlineData("{type: slack, body: b}", null)]
    [InlineData("{type: sms, subject: s}", "steps_config[1].type: '\"sms\"' is not allowed; allowed: one of email, call, task, slack")]
    [InlineData("{subject: s}", "steps_config[1].type: it is missing")]
    [InlineData("5", "steps_config[1]: '5' is not allowed; allowed: an object")]
    [InlineData("{type: email, body: b}", "steps_config[1].subject: it is missing")]
    [InlineData("{type: email, subject: s}", "steps_config[1]: an e-mail needs body or html")]
    [InlineData("{type: email, subject: s, body: '  '}", "steps_config[1].body: '\"  \"' is not allowed; allowed: a text that is not empty")]
    [InlineData("{type: email, subject: s, body: b, delay_hours: -1}", "steps_config[1].delay_hours: '-1' is not allowed; allowed: hours, a number from 0 to 8760")]
    [InlineData("{type: email, subject: s, body: b, delay_hours: soon}", "steps_config[1].delay_hours")]
    [InlineData("{type: email, subject: s, body: b, delay: 5}", "steps_config[1]: unknown key 'delay'")]
    [InlineData("{type: slack, subject: s, body: b}", "unknown key 'subject'; allowed: type, delay_hours, body")]
    [InlineData("{type: call, subject: s, html: b}", "unknown key 'html'")]
    [InlineData("{type: task, subject: s, task_type: email_sent}", "one of email, call, meeting, proposal, custom")]
    [InlineData("{type: email, subject: {en: s, es: s}, body: {en: b}}", "steps_config[1].body: es is missing, which other texts of the step have")]
    [InlineData("{type: email, subject: {en: s, sp: s}, body: b}", "steps_config[1].subject: unknown key 'sp'; allowed: en, es")]
    [InlineData("{type: email, subject: {}, body: b}", "a text, or texts by language")]
    [InlineData("{type: email, subject: s, body: b, variants: []}", "a list of 2 to 8 variants")]
    [InlineData("{type: email, subject: s, body: b, variants: [{name: A}, {name: A}]}", "steps_config[1].variants[2].name: '\"A\"' is not allowed; allowed: a name that no other variant of the step has")]
    [InlineData("{type: email, subject: s, body: b, variants: [{name: A, weight: 0}, {name: B}]}", "a whole number from 1 to 1000")]
    [InlineData("{type: email, body: b, variants: [{name: A, subject: a}, {name: B}]}", "steps_config[1].variants[2].subject: it is missing")]
    [InlineData("{type: email, subject: s, body: b, window: {days: [0]}}", "a list of ISO days, 1 = Monday to 7 = Sunday")]
    [InlineData("{type: email, subject: s, body: b, window: {start: 9}}", "steps_config[1].window.start: '9' is not allowed; allowed: a time such as")]
    [InlineData("{type: email, subject: s, body: b, window: {start: '12:00', end: '11:00'}}", "start 12:00 is not before end 11:00")]
    [InlineData("{type: email, subject: s, body: b, window: {days: [6, 7]}}", "it leaves no hour of the sending policy's (days 1, 2, 3, 4, 5, 09:00–18:00)")]
    [InlineData("{type: email, subject: s, body: b, window: {start: '18:00'}}", "it leaves no hour")]
    [InlineData("{type: slack, body: b, window: {start: '10:00'}}", "unknown key 'window'")]
    [InlineData("{type: email, subject: s, body: '{{ frist_name }}'}", "steps_config[1].body: 'frist_name' is not known; allowed: first_name")]
    [InlineData("{type: email, subject: '{{ ', body: b}", "steps_config[1].subject: not a valid template")]
    [InlineData("{type: email, subject: '{{ last_name }}', body: b}", "steps_config[1]: for a lead without data: the subject comes out empty")]
    [InlineData("{type: email, subject: s, body: '{{ 100 | divided_by: score }}'}", "steps_config[1]: for a lead without data: the template fails")]
    [InlineData("{type: email, subject: s, body: '{% if score == 0 %}{{ 1 | divided_by: 0 }}{% endif %}b'}", "steps_config[1]: for a lead with hostile data: the template fails")]
    public void Read_Steps_AreCheckedAndTriedOut(string step, string? fault)
    {
        var document = Valid();
        document["steps_config"] = new JsonArray(CampaignFile.Parse(step, "test"));
        Check(document, fault);
    }

    [Fact]
    public void Read_SeveralFaults_TellsAllOfThem()
    {
        var faults = Faults(CampaignFile.Parse(
            """
            name: x
            campaign_type: drip
            trigger_criteria: {score_min: high, colour: red}
            steps_config: [{type: email, subject: '{{ x', delay_hours: -2}, {type: sms}]
            """,
            "test"));
        Assert.Equal(7, faults.Split('\n').Length);
    }

    [Theory]
    [InlineData("a: [b", "line 2: not valid YAML")]
    [InlineData("a: 1\na: 2", "not valid YAML")]
    [InlineData("a: 1\n---\nb: 2", "2 documents; allowed: one campaign a file")]
    [InlineData("", "0 documents")]
    public void Parse_NoYaml_IsRefused(string text, string fault) =>
        Assert.Contains(fault, Assert.Throws<JobException>(() => CampaignFile.Parse(text, "'f.yaml'")).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_AliasesThatMultiply_AreRefused()
    {
        var text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
            $"{(char)('a' + i)}: &{(char)('a' + i)} [{string.Join(", ", Enumerable.Repeat($"*{(char)('a' + i - 1)}", 10))}]\n"));
        Assert.Contains("too large", Assert.Throws<JobException>(() => CampaignFile.Parse(text, "f")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Json_IsReadToo() => Assert.Equal("""{"a":[1,"x",null,true],"b":"1"}""", CampaignFile.Parse("""{"a": [1, "x", null, true], "b": "1"}""", "f")!.ToJsonString());

    /// <summary>Whatever jsonb somebody writes into the table, it is a campaign or a list of faults.</summary>
    [Fact]
    public void Check_AnyJson_IsACampaignOrFaults() => Gen.Select(JsonGen.Any, JsonGen.Any).Sample(
        (criteria, steps) =>
        {
            var stored = new StoredCampaign(1, "n", null, "nurturing", criteria, steps, true, 0, default, default);
            CheckedCampaign read;
            try
            {
                read = stored.Check(s_policy);
            }
            catch (ArgumentException)
            {
                // The same key twice: jsonb cannot hold that.
                return;
            }

            Assert.Equal(read.Campaign is null, read.Faults.Count > 0);
        },
        iter: 2_000);

    private static JsonObject Valid() => (JsonObject)CampaignFile.Parse(
        "{name: n, campaign_type: nurturing, steps_config: [{type: email, subject: s, body: b}]}", "test")!;

    private static void Check(JsonNode? document, string? fault)
    {
        if (fault is null)
        {
            Assert.Equal("", Faults(document));
        }
        else
        {
            Assert.Contains(fault, Faults(document), StringComparison.Ordinal);
        }
    }

    private static string Faults(JsonNode? document) =>
        string.Join('\n', CampaignReader.Read(document, s_policy).Faults);
}
