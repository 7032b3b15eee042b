using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Scoring;

/// <summary>
/// <c>scoring qualify</c>: leads with enough points enter the pipeline once; score and priority of rows already there follow the lead.
/// One transaction a block, so that no row stays locked long. All leads are looked at (0.2 s a million): an index on score that would
/// avoid it costs every score update two to three times as much.
/// </summary>
internal static class QualifyLeads
{
    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        long qualified = 0, followed = 0, withoutEmail = 0;
        if (context.Parameters.Get(ScoringJobs.AutoQualifyForSales))
        {
            foreach (var block in await BlocksAsync(context, cancellationToken))
            {
                var counts = await QualifyBlockAsync(context, block, context.MaxLeads - qualified, cancellationToken);
                qualified += counts.Qualified;
                followed += counts.Followed;
                withoutEmail += counts.WithoutEmail;
                context.Advance(counts.Qualified + counts.Followed);
            }
        }

        if (withoutEmail > 0)
        {
            context.Log.Warning("{Count} leads have enough points but no e-mail address, which a pipeline row needs", withoutEmail);
        }

        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["qualified"] = qualified,
            ["followed"] = followed,
            ["without_email"] = withoutEmail,
        })
        {
            NothingToDo = qualified + followed == 0,
        };
    }

    private static async Task<List<int>> BlocksAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(
            "scoring/lead_blocks",
            [("shard_index", context.Shard.Index), ("shard_count", context.Shard.Count)],
            row => row.GetInt32(0),
            cancellationToken);
    }

    private static Task<(long Qualified, long Followed, long WithoutEmail)> QualifyBlockAsync(
        JobContext context, int block, long limit, CancellationToken cancellationToken)
    {
        (string, object?)[] range = [("first", ScoringBlocks.First(block)), ("last", ScoringBlocks.Last(block))];
        var minScore = ("min_score", (object?)context.Parameters.Get(ScoringJobs.MinScoreToQualify));
        return context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                var preview = await connection.QueryStatementAsync(
                    "scoring/preview_qualify", [.. range, minScore], row => (Qualified: row.GetInt64(0), WithoutEmail: row.GetInt64(1)), token);
                if (context.DryRun)
                {
                    var differing = await connection.ScalarStatementAsync<long>("scoring/preview_follow", range, token);
                    return (Math.Min(preview[0].Qualified, limit), differing, preview[0].WithoutEmail);
                }

                var followed = await connection.ExecuteStatementAsync("scoring/follow_scores", [.. range, ("as_of", context.AsOf)], token);
                var qualified = limit > 0 && preview[0].Qualified > 0
                    ? await connection.ExecuteStatementAsync(
                        "scoring/qualify", [.. range, minScore, ("as_of", context.AsOf), ("limit", limit)], token)
                    : 0;
                return ((long)qualified, (long)followed, preview[0].WithoutEmail);
            },
            cancellationToken);
    }
}
