using SalesTasks.Cli;

namespace SalesTasks.Campaigns;

/// <summary>What both campaign jobs share: the campaigns of a run, and what becomes of invalid ones.</summary>
internal static class CampaignRun
{
    /// <summary>All campaigns with what is wrong with them; the faults of enabled ones are logged.</summary>
    public static async Task<List<CheckedCampaign>> LoadAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        var policy = await CampaignStore.PolicyAsync(connection, cancellationToken);
        var campaigns = (await CampaignStore.ListAsync(connection, cancellationToken)).ConvertAll(stored => stored.Check(policy));
        foreach (var bad in campaigns.Where(campaign => campaign is { Campaign: null, Stored.Enabled: true }))
        {
            context.Log.Error("Campaign {Campaign:l} is invalid and left out: {Faults:l}", bad.Stored.Name, string.Join("; ", bad.Faults));
        }

        return campaigns;
    }

    public static JobResult Result(JobContext context, IEnumerable<CheckedCampaign> campaigns, Dictionary<string, long> counts, bool nothingToDo)
    {
        var invalid = campaigns.Where(campaign => campaign is { Campaign: null, Stored.Enabled: true }).ToList();
        counts["invalid_campaigns"] = invalid.Count;
        var details = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (invalid.Count > 0)
        {
            details["invalid_campaigns"] = invalid.Select(object? (campaign) => campaign.Stored.Name).ToList();
        }

        return new JobResult(counts)
        {
            NothingToDo = nothingToDo,
            Details = details,
            Failure = invalid.Count > 0 && context.Parameters.Get(CampaignJobs.FailOnInvalidCampaign)
                ? JobException.Usage("invalid campaigns were left out, all others are done:\n" + string.Join(
                    '\n', invalid.Select(campaign => $"{campaign.Stored.Name}: {string.Join("; ", campaign.Faults)}")))
                : null,
        };
    }
}
