using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Campaigns;

/// <summary>
/// <c>campaigns enroll</c>: open deals that meet a campaign's criteria enter it, each lead once ever. One transaction a campaign and
/// 20,000 leads, under the campaign's row lock: runs take turns, and a campaign disabled meanwhile takes in nobody after that.
/// </summary>
internal static class EnrollLeads
{
    private const int Chunk = 20_000;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var campaigns = context.Parameters.Get(CampaignJobs.EnableCampaigns) ? await CampaignRun.LoadAsync(context, cancellationToken) : [];
        var total = default(Enrolment);
        foreach (var campaign in campaigns.Where(campaign => campaign is { Campaign: not null, Stored.Enabled: true }))
        {
            var enrolled = await EnrollAsync(context, campaign, campaign.Campaign!, context.MaxLeads - total.Enrolled, cancellationToken);
            total += enrolled;
            if (enrolled.Enrolled > 0)
            {
                context.Log.Information("{Count} leads enter campaign {Campaign:l}", enrolled.Enrolled, campaign.Stored.Name);
            }
        }

        return CampaignRun.Result(
            context,
            campaigns,
            new Dictionary<string, long>(StringComparer.Ordinal)
            {
                ["enrolled"] = total.Enrolled,
                ["waiting_for_next_run"] = total.Waiting,
                ["without_address"] = total.WithoutAddress,
                ["consent_refused"] = total.ConsentRefused,
                ["suppressed"] = total.Suppressed,
                ["held_out"] = total.HeldOut,
            },
            nothingToDo: total.Enrolled == 0);
    }

    private static async Task<Enrolment> EnrollAsync(
        JobContext context, CheckedCampaign campaign, Campaign document, long runLimit, CancellationToken cancellationToken)
    {
        var total = default(Enrolment);
        while (true)
        {
            var chunk = await context.Database.InTransactionAsync(
                async (connection, _, token) =>
                    context.DryRun || await connection.ScalarStatementAsync<bool>("campaigns/lock_campaign", [("id", campaign.Id)], token)
                    ? await EnrollChunkAsync(context, connection, campaign, document, runLimit - total.Enrolled, token)
                    : default,
                cancellationToken);
            // Who cannot be reached is counted anew by every chunk.
            total = chunk with { Enrolled = total.Enrolled + chunk.Enrolled };
            context.Advance(chunk.Enrolled);
            if (chunk.Enrolled < Chunk || context.DryRun)
            {
                return total;
            }
        }
    }

    private static async Task<Enrolment> EnrollChunkAsync(
        JobContext context, NpgsqlConnection connection, CheckedCampaign campaign, Campaign document, long runLimit, CancellationToken cancellationToken)
    {
        var run = ("run_key", (object?)context.Run.IdempotencyKey);
        var before = (await connection.QueryStatementAsync(
            "campaigns/enrolled_in_run", [("id", campaign.Id), run], row => (OfCampaign: row.GetInt64(0), OfRun: row.GetInt64(1)), cancellationToken))[0];
        var limit = document.MaxLeadsPerRun > 0 ? document.MaxLeadsPerRun - before.OfCampaign : long.MaxValue;
        if (context.MaxLeads < long.MaxValue)
        {
            limit = Math.Min(limit, Math.Min(runLimit, context.MaxLeads - before.OfRun));
        }

        limit = Math.Max(0, limit);
        var (enrolled, eligible, unreachable) = (await connection.QueryStatementAsync(
            "campaigns/enroll",
            // A dry run takes in nobody: it locks nothing and waits for nobody.
            [.. Criteria(document.Criteria), .. Target(context, campaign.Id, document), ("limit", context.DryRun ? 0 : Math.Min(limit, Chunk))],
            row => (row.GetInt64(0), row.GetInt64(1), new Enrolment(0, 0, row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5))),
            cancellationToken))[0];
        enrolled = context.DryRun ? Math.Min(limit, eligible) : enrolled;
        var enrolment = unreachable with { Enrolled = enrolled, Waiting = eligible - enrolled };
        if (enrolled > 0 && !context.DryRun)
        {
            await connection.ExecuteStatementAsync(
                "campaigns/count_enrolled", [("id", campaign.Id), run, ("enrolled", enrolment.Enrolled)], cancellationToken);
        }

        return enrolment;
    }

    private static (string Name, object? Value)[] Criteria(TriggerCriteria criteria) =>
    [
        ("stages", Array(criteria.Stages)), ("score_min", criteria.ScoreMin), ("score_max", criteria.ScoreMax),
        ("priorities", Array(criteria.Priorities)), ("sources", Lower(criteria.Sources)), ("utm_campaigns", Lower(criteria.UtmCampaigns)),
        ("value_min", criteria.EstimatedValueMin), ("days_min", criteria.DaysSinceContactMin),
    ];

    private static (string Name, object? Value)[] Target(JobContext context, long id, Campaign document) =>
    [
        ("campaign", id), ("total_steps", document.Steps.Count), ("delay_seconds", document.Steps[0].Delay.TotalSeconds),
        ("email", document.Uses(StepType.Email)), ("phone", document.Uses(StepType.Call)), ("as_of", context.AsOf),
    ];

    private static string[]? Array(IReadOnlyList<string> items) => items.Count > 0 ? [.. items] : null;

    private static string[]? Lower(IReadOnlyList<string> items) => items.Count > 0 ? [.. items.Select(item => item.ToLowerInvariant())] : null;

    /// <param name="Enrolled">Leads that entered.</param>
    /// <param name="Waiting">Leads that met the criteria and were left by a limit.</param>
    /// <param name="WithoutAddress">Leads without a valid address of a channel the campaign uses.</param>
    /// <param name="ConsentRefused">Leads that refused to be contacted on such a channel.</param>
    /// <param name="Suppressed">Leads whose address of such a channel is suppressed.</param>
    /// <param name="HeldOut">Leads that could enter and are held out by the running experiment.</param>
    private readonly record struct Enrolment(long Enrolled, long Waiting, long WithoutAddress, long ConsentRefused, long Suppressed, long HeldOut)
    {
        public static Enrolment operator +(Enrolment a, Enrolment b) => new(
            a.Enrolled + b.Enrolled, a.Waiting + b.Waiting, a.WithoutAddress + b.WithoutAddress, a.ConsentRefused + b.ConsentRefused,
            a.Suppressed + b.Suppressed, a.HeldOut + b.HeldOut);
    }
}
