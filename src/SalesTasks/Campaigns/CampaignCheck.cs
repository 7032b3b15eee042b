using System.Globalization;

namespace SalesTasks.Campaigns;

/// <summary>
/// Renders every text of a campaign for leads that show what goes wrong: one about whom all is known, one about whom nothing is, one whose
/// data is out to do harm. What fails for them is found when the campaign is saved, not when it runs.
/// </summary>
internal static class CampaignCheck
{
    private static readonly DateTimeOffset s_instant = new(2026, 1, 30, 10, 0, 0, TimeSpan.Zero);

    /// <summary>A lead as most campaigns meet it.</summary>
    public static LeadFacts Complete { get; } = new()
    {
        LeadExtId = "sample-1",
        Now = s_instant,
        FirstName = "Ana",
        LastName = "García",
        Email = "ana.garcia@acme.example",
        Phone = "+34 600 123 456",
        CompanyName = "Acme",
        CompanyDomain = "acme.example",
        Industry = "software",
        ProductInterest = "Analytics",
        Country = "ES",
        Region = "Madrid",
        Language = "en",
        Source = "organic",
        UtmSource = "newsletter",
        UtmCampaign = "spring",
        Score = 82,
        Priority = "high",
        Stage = "qualified",
        EstimatedValue = 24_000m,
        DaysInPipeline = 3,
        DaysSinceContact = 3,
        RepName = "Luis Pérez",
        RepEmail = "luis@sales.example",
        CampaignName = "Sample",
        AttributesJson = """{"plan": "pro", "seats": 25}""",
    };

    /// <summary>A lead of whom a source gave nothing but an id.</summary>
    public static LeadFacts Unknown { get; } = new() { LeadExtId = "sample-2", Now = s_instant };

    private static LeadFacts Hostile { get; } = Complete with
    {
        LeadExtId = "sample-3",
        FirstName = "<script>alert(1)</script>{{ last_name }}{% for %}\r\nBcc: all@victim.example",
        LastName = new string('W', 128),
        CompanyName = "\"'><img src=x onerror=alert(1)>",
        Industry = "0",
        ProductInterest = "\u202e\u0000",
        EstimatedValue = 0,
        Score = 0,
        DaysInPipeline = 0,
        DaysSinceContact = 0,
        AttributesJson = """{"plan": {"nested": []}, "seats": "none"}""",
    };

    public static void Render(Campaign campaign, List<string> faults)
    {
        for (var i = 0; i < campaign.Steps.Count; i++)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"steps_config[{i + 1}]");
            foreach (var variant in campaign.Steps[i].Variants)
            {
                var at = variant.Name.Length > 0 ? $"{place} variant {Airflow.Quoted.Text(variant.Name)}" : place;
                foreach (var (language, texts) in variant.Texts)
                {
                    foreach (var (kind, facts) in ((string, LeadFacts)[])[("a complete lead", Complete), ("a lead without data", Unknown), ("a lead with hostile data", Hostile)])
                    {
                        Try(() => StepMessage.Render(campaign.Steps[i], texts, facts, language.Length > 0 ? language : Languages.English), at, kind, faults);
                    }
                }
            }
        }
    }

    private static void Try(Action render, string place, string lead, List<string> faults)
    {
        try
        {
            render();
        }
        catch (TemplateException exception)
        {
            faults.Add($"{place}: for {lead}: {exception.Message}");
        }
    }
}
