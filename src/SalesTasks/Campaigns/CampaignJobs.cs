using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Campaigns;

/// <summary>The campaign steps of the DAG <c>sales_followup_automation</c> and their parameters.</summary>
internal static class CampaignJobs
{
    private const string Section = "Campaigns";

    public static readonly BoolParameter EnableCampaigns = new(
        "enable_campaigns", "Run campaigns", "Enrol leads and advance their steps; false: campaigns stand still.", true)
    { Section = Section };

    public static readonly BoolParameter FailOnInvalidCampaign = new(
        "fail_on_invalid_campaign", "Fail on an invalid campaign",
        "End with exit code 64 where an enabled campaign is invalid, after all others were done; false: it is logged, counted and left out.", false)
    { Section = Section };

    public static JobDefinition Enroll { get; } = new(
        "campaigns enroll",
        "Take leads that meet a campaign's criteria into it, each once",
        CommonParameters.With(sharded: false, EnableCampaigns, FailOnInvalidCampaign),
        EnrollLeads.RunAsync);

    public static JobDefinition Advance { get; } = new(
        "campaigns advance",
        "Stop what has to stop, and write the messages of the steps that are due",
        CommonParameters.With(sharded: true, EnableCampaigns, FailOnInvalidCampaign),
        AdvanceCampaigns.RunAsync);
}
