using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Delivery;
using SalesTasks.Encryption;

namespace SalesTasks.Outbox;

/// <summary>
/// <c>outbox dispatch</c>: all channels side by side, so that a slow or broken one holds no other up. Messages whose channel has no
/// connection wait and are counted. It fails after the work is done: 69 where a receiver refuses us, 75 where a receiver could not be
/// reached for a single message.
/// </summary>
internal static class DispatchOutbox
{
    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var options = new DispatchOptions
        {
            Concurrency = context.Parameters.Get(OutboxJobs.Concurrency),
            RequestTimeout = TimeSpan.FromSeconds(context.Parameters.Get(OutboxJobs.RequestTimeout)),
            Lease = OutboxJobs.Lease(context.Parameters),
            MaxAttempts = context.Parameters.Get(OutboxJobs.MaxAttempts),
            MaxWait = TimeSpan.FromSeconds(context.Parameters.Get(OutboxJobs.MaxWaitSeconds)),
            MaxMessages = Math.Min(
                context.MaxLeads, context.Parameters.Get(OutboxJobs.MaxMessages) is > 0 and var limit ? limit : long.MaxValue),
        };
        await RestoreHold.RequireReleasedAsync(context.Database, cancellationToken);
        var channels = Channels.Open(context.ConnectionIds, context.Connections, options, context.Time);
        try
        {
            return context.DryRun
                ? await PreviewAsync(context, channels, options, cancellationToken)
                : await SendAsync(
                    context,
                    channels,
                    options with { Vault = await Vault.OpenAsync(context.Database, context.ConnectionIds, context.Connections, writes: false, cancellationToken) },
                    cancellationToken);
        }
        finally
        {
            foreach (var channel in channels)
            {
                await channel.Out.DisposeAsync();
            }
        }
    }

    private static async Task<JobResult> SendAsync(
        JobContext context, IReadOnlyList<OpenChannel> channels, DispatchOptions options, CancellationToken cancellationToken)
    {
        var reports = await Task.WhenAll(channels.Select(channel => DispatchAsync(context, channel, options, cancellationToken)));
        var unconnected = await UnconnectedAsync(context, channels, cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["sent"] = reports.Sum(r => r.Counts.Sent),
            ["retries"] = reports.Sum(r => r.Counts.Retries),
            ["in_doubt"] = reports.Sum(r => r.Counts.InDoubt),
            ["dead"] = reports.Sum(r => r.Counts.Dead),
            ["cancelled"] = reports.Sum(r => r.Counts.Cancelled),
            ["put_off"] = reports.Sum(r => r.Counts.PutOff),
            ["recovered"] = reports.Sum(r => r.Counts.Recovered),
            ["without_connection"] = unconnected,
        };
        var refused = Faults(channels, reports, report => report.Refusal, "refuses us; its messages wait");
        var down = Faults(channels, reports, report => report.Outage, "nothing could be sent; its messages wait");
        return new JobResult(counts)
        {
            NothingToDo = reports.Sum(r => r.Counts.All) == 0 && refused.Count + down.Count == 0,
            Failure = refused.Count > 0
                ? JobException.Refused(string.Join('\n', refused.Concat(down)))
                : down.Count > 0 ? JobException.Temporary(string.Join('\n', down)) : null,
        };
    }

    private static async Task<DispatchReport> DispatchAsync(
        JobContext context, OpenChannel channel, DispatchOptions options, CancellationToken cancellationToken)
    {
        using var dispatcher = new Dispatcher(
            channel.Name, channel.Out, channel.Receiver, options, context.Database, context.Time, context.Log, context.Advance);
        return await dispatcher.RunAsync(cancellationToken);
    }

    private static List<string> Faults(
        IReadOnlyList<OpenChannel> channels, DispatchReport[] reports, Func<DispatchReport, string?> fault, string what) =>
    [
        .. channels.Zip(reports)
            .Where(pair => fault(pair.Second) is not null)
            .Select(pair => $"Connection '{pair.First.Receiver.ConnectionId}' ({pair.First.Name}) {what}: {fault(pair.Second)}"),
    ];

    private static async Task<JobResult> PreviewAsync(
        JobContext context, IReadOnlyList<OpenChannel> channels, DispatchOptions options, CancellationToken cancellationToken)
    {
        var verdicts = await context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "delivery/preview",
                [("channels", channels.Select(c => c.Name).ToArray()), ("limit", options.MaxMessages)],
                row => (Verdict: row.GetString(1), Messages: row.GetInt64(2)),
                token),
            cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["sent"] = Of("send") + Of("wait"),
            ["cancelled"] = Of("stop"),
            ["put_off"] = Of("later"),
            ["without_connection"] = await UnconnectedAsync(context, channels, cancellationToken),
        };
        return new JobResult(counts) { NothingToDo = verdicts.Count == 0 };

        long Of(string verdict) => verdicts.Where(v => v.Verdict == verdict).Sum(v => v.Messages);
    }

    /// <summary>Messages that are due and have no way out; each such channel is warned of.</summary>
    private static async Task<long> UnconnectedAsync(JobContext context, IReadOnlyList<OpenChannel> channels, CancellationToken cancellationToken)
    {
        var closed = Channels.All.Where(channel => channels.All(open => open.Name != channel.Name)).ToList();
        if (closed.Count == 0)
        {
            return 0;
        }

        var waiting = await context.Database.InTransactionAsync(
            (connection, _, token) => connection.QueryStatementAsync(
                "delivery/waiting",
                [("channels", closed.Select(c => c.Name).ToArray())],
                row => (Channel: row.GetString(0), Messages: row.GetInt64(1)),
                token),
            cancellationToken);
        foreach (var (channel, messages) in waiting)
        {
            context.Log.Warning(
                "{Messages} {Channel:l} messages wait for a connection: {Variable:l} is not set",
                messages, channel, closed.Single(c => c.Name == channel).Variable);
        }

        return waiting.Sum(w => w.Messages);
    }
}
