using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Campaigns;

/// <summary>
/// <c>campaigns advance</c>. Stops come first, over everything that is under way; then what waited for its message is due again; then due
/// steps are written, a batch a transaction. Each batch claims its executions for itself, keeps its campaigns from changing, and asks for
/// stops once more: what was committed before the batch looked is obeyed, and what comes later meets the message in the outbox, where it is
/// judged again.
/// </summary>
internal sealed class AdvanceCampaigns
{
    /// <summary>Executions of one transaction.</summary>
    private const int Batch = 4_000;

    /// <summary>Characters written in one statement: long texts take several, so that memory stays flat.</summary>
    private const int LargestWrite = 4_000_000;

    private const int SettleBatch = 20_000;

    private readonly JobContext _context;
    private readonly CampaignSession _session;
    private readonly Dictionary<long, CheckedCampaign> _campaigns;
    private readonly SendWindow _policy;
    private AdvanceCounts _counts;

    private AdvanceCampaigns(JobContext context, CampaignSession session, IEnumerable<CheckedCampaign> campaigns, SendWindow policy)
    {
        _context = context;
        _session = session;
        _campaigns = campaigns.ToDictionary(campaign => campaign.Id);
        _policy = policy;
    }

    private long Remaining => _context.MaxLeads - _counts.Advanced;

    private (string Name, object? Value)[] Shard =>
        [("shard_index", _context.Shard.Index), ("shard_count", _context.Shard.Count), ("as_of", _context.AsOf)];

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (!context.Parameters.Get(CampaignJobs.EnableCampaigns))
        {
            return CampaignRun.Result(context, [], default(AdvanceCounts).ToDictionary(), nothingToDo: true);
        }

        var campaigns = await CampaignRun.LoadAsync(context, cancellationToken);
        await using var session = await CampaignSession.OpenAsync(context, cancellationToken);
        var policy = await session.RunAsync(CampaignStore.PolicyAsync, cancellationToken);
        var run = new AdvanceCampaigns(context, session, campaigns, policy);
        await run.StopAsync(cancellationToken);
        await run.SettleAsync(cancellationToken);
        while (run.Remaining > 0 && await run.AdvanceBatchAsync(cancellationToken))
        {
        }

        return CampaignRun.Result(context, run._campaigns.Values, run._counts.ToDictionary(), run._counts == default);
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await _session.RunAsync(
            async (connection, token) =>
            {
                _counts = default;
                await StopAsync(connection, null, token);
                _counts.Resumed += await connection.ExecuteStatementAsync("campaigns/resume", [.. Shard, ("campaign", null)], token);
                return 0;
            },
            cancellationToken);
    }

    /// <summary>Stops and halts what has to be, everywhere or among the executions given; these belong to the transaction already.</summary>
    private async Task StopAsync(NpgsqlConnection connection, long[]? ids, CancellationToken cancellationToken)
    {
        (string, object?)[] parameters = [.. Shard, ("ids", ids)];
        var stopped = (await connection.QueryStatementAsync(
            "campaigns/stop", parameters, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken))[0];
        _counts.Replied += stopped.Item1;
        _counts.Closed += stopped.Item2;
        _counts.OptedOut += stopped.Item3;
        _counts.Paused += await connection.ExecuteStatementAsync("campaigns/pause", [.. parameters, ("campaign", null)], cancellationToken);
    }

    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        var valid = Valid().ToList();
        var delays = valid.SelectMany(campaign => campaign.Campaign!.Steps.Select((step, i) => (campaign.Id, Step: i + 1, step.Delay.TotalSeconds))).ToList();
        (string, object?)[] parameters =
        [
            .. Shard, ("limit", SettleBatch), ("campaigns", delays.Select(d => d.Id).ToArray()), ("steps", delays.Select(d => d.Step).ToArray()),
            ("delays", delays.Select(d => d.TotalSeconds).ToArray()),
        ];
        long settled;
        do
        {
            var (moved, completed) = (await _session.RunAsync(
                (connection, token) => connection.QueryStatementAsync(
                    "campaigns/settle", parameters, row => (row.GetInt64(0), row.GetInt64(1)), token),
                cancellationToken))[0];
            settled = moved;
            _counts.Settled += moved;
            _counts.Completed += completed;
        }
        while (settled == SettleBatch);
    }

    private IEnumerable<CheckedCampaign> Valid() => _campaigns.Values.Where(campaign => campaign is { Campaign: not null, Stored.Enabled: true });

    /// <returns>False where nothing is due any more.</returns>
    private async Task<bool> AdvanceBatchAsync(CancellationToken cancellationToken)
    {
        var before = _counts;
        var claimed = await _session.RunAsync(
            (connection, token) =>
            {
                // A transaction that is tried again counts once.
                _counts = before;
                return AdvanceBatchAsync(connection, token);
            },
            cancellationToken);
        _context.Advance(claimed);
        return claimed > 0;
    }

    private async Task<int> AdvanceBatchAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var claimed = await connection.QueryStatementAsync(
            _context.DryRun ? "campaigns/preview_claim" : "campaigns/claim",
            [.. Shard, ("campaigns", Valid().Select(campaign => campaign.Id).ToArray()), ("limit", Math.Min(Batch, Remaining))],
            row => (Id: row.GetInt64(0), Campaign: row.GetInt64(1)),
            cancellationToken);
        if (claimed.Count == 0)
        {
            return 0;
        }

        await RefreshAsync(connection, [.. claimed.Select(c => c.Campaign).Distinct()], cancellationToken);
        await StopAsync(connection, [.. claimed.Select(c => c.Id)], cancellationToken);
        var writer = new StepWriter(Valid().ToDictionary(campaign => campaign.Id, campaign => campaign.Campaign!), _policy, _context.ConnectionIds);
        // What has turned invalid this minute is not claimed again in this run.
        var due = await FactsAsync(
            connection, [.. claimed.Where(c => _campaigns[c.Campaign] is { Campaign: not null, Stored.Enabled: true }).Select(c => c.Id)], cancellationToken);
        var acts = new List<StepAct>();
        var size = 0;
        foreach (var execution in due)
        {
            var act = writer.Write(execution);
            _counts.Add(act);
            acts.Add(act);
            size += act.Size;
            if (size > LargestWrite)
            {
                await StepStore.WriteAsync(connection, acts, _context.AsOf, cancellationToken);
                acts.Clear();
                size = 0;
            }
        }

        await StepStore.WriteAsync(connection, acts, _context.AsOf, cancellationToken);
        return claimed.Count;
    }

    /// <summary>The batch's campaigns as they are under their locks; most often nothing has changed.</summary>
    private async Task RefreshAsync(NpgsqlConnection connection, long[] ids, CancellationToken cancellationToken)
    {
        // A dry run keeps nobody from changing them.
        var stored = _context.DryRun
            ? await CampaignStore.QueryAsync(connection, "campaigns/campaigns", [("ids", ids), ("name", null)], cancellationToken)
            : await CampaignStore.QueryAsync(connection, "campaigns/lock_campaigns", [("ids", ids)], cancellationToken);
        foreach (var campaign in stored.Where(campaign => _campaigns[campaign.Id].Stored != campaign))
        {
            _campaigns[campaign.Id] = campaign.Check(_policy);
        }
    }

    private Task<List<DueExecution>> FactsAsync(NpgsqlConnection connection, long[] ids, CancellationToken cancellationToken) =>
        StepStore.FactsAsync(connection, ids, _context.AsOf, cancellationToken);
}

/// <summary>What a run of <c>campaigns advance</c> did.</summary>
internal record struct AdvanceCounts
{
    /// <summary>Steps done, in any way.</summary>
    public long Advanced { get; set; }

    /// <summary>Messages written to the outbox.</summary>
    public long Queued { get; set; }

    public long Tasks { get; set; }

    public long Skipped { get; set; }

    /// <summary>Steps whose text could not be rendered.</summary>
    public long Failed { get; set; }

    /// <summary>Executions whose message has been dealt with since the last run.</summary>
    public long Settled { get; set; }

    public long Completed { get; set; }

    public long Replied { get; set; }

    public long Closed { get; set; }

    public long OptedOut { get; set; }

    public long Paused { get; set; }

    public long Resumed { get; set; }

    public void Add(StepAct act)
    {
        Advanced++;
        Queued += act.Message is null ? 0 : 1;
        Tasks += act.Task is null ? 0 : 1;
        Skipped += act.EventStatus is "skipped" ? 1 : 0;
        Failed += act.EventStatus is "failed" ? 1 : 0;
        Completed += act.Completed ? 1 : 0;
    }

    public readonly Dictionary<string, long> ToDictionary() => new(StringComparer.Ordinal)
    {
        ["advanced"] = Advanced,
        ["queued"] = Queued,
        ["tasks"] = Tasks,
        ["skipped_steps"] = Skipped,
        ["failed_steps"] = Failed,
        ["settled"] = Settled,
        ["completed"] = Completed,
        ["stopped_reply"] = Replied,
        ["stopped_closed"] = Closed,
        ["stopped_opt_out"] = OptedOut,
        ["paused"] = Paused,
        ["resumed"] = Resumed,
    };
}
