using System.Collections.Concurrent;
using System.Threading.Channels;
using SalesTasks.Database;
using Serilog;

namespace SalesTasks.Delivery;

/// <summary>What a run did for one channel.</summary>
internal sealed record DispatchCounts
{
    public long Sent { get; init; }

    /// <summary>Attempts that failed and are made again.</summary>
    public long Retries { get; init; }

    public long InDoubt { get; init; }

    public long Dead { get; init; }

    public long Cancelled { get; init; }

    public long PutOff { get; init; }

    /// <summary>Left behind by a dispatcher that ended, and taken up again.</summary>
    public long Recovered { get; init; }

    public long All => Sent + Retries + InDoubt + Dead + Cancelled + PutOff + Recovered;
}

/// <summary>How a run ended for one channel.</summary>
/// <param name="Counts">What it did.</param>
/// <param name="Refusal">Why the receiver refuses us; null: it does not.</param>
/// <param name="Outage">Why nothing could be sent though something was due; null: something was, or nothing was due.</param>
internal sealed record DispatchReport(DispatchCounts Counts, string? Refusal, string? Outage);

/// <summary>
/// Sends what is due in one channel. A fetcher claims small batches under a lease; workers mark each message as on the wire right before it
/// leaves and record what became of it. Whatever happens to the process, a message is then either still to be sent, or known to have been
/// sent, or in doubt.
/// </summary>
internal sealed class Dispatcher : IDisposable
{
    /// <summary>What is on the wire when somebody asks to stop may end by itself for so long.</summary>
    private static readonly TimeSpan s_stopGrace = TimeSpan.FromSeconds(4.5);

    private static readonly TimeSpan s_shortestPoll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longestPoll = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly IChannel _channel;
    private readonly ReceiverSettings _receiver;
    private readonly DispatchOptions _options;
    private readonly bool _inThePresent;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Action<long> _advance;
    private readonly OutboxStore _store;
    private readonly ConnectionGate _gate;
    private readonly Channel<OutboxMessage> _queue;
    private readonly Channel<bool> _progress = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private long _sent;
    private long _retries;
    private long _inDoubt;
    private long _dead;
    private long _cancelled;
    private long _putOff;
    private long _recovered;
    private long _outstanding;
    private readonly ConcurrentDictionary<long, bool> _failing = new();
    private string? _lastFailure;
    private string? _gaveUp;

    /// <param name="name">email, slack, call or task.</param>
    /// <param name="channel">The way out.</param>
    /// <param name="receiver">Its connection.</param>
    /// <param name="options">How to work.</param>
    /// <param name="database">Where the outbox is.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Never gets addresses, names or texts.</param>
    /// <param name="advance">Called with the number of messages done.</param>
    public Dispatcher(
        string name, IChannel channel, ReceiverSettings receiver, DispatchOptions options, SalesDatabase database, TimeProvider time, ILogger log,
        Action<long> advance)
    {
        _name = name;
        _channel = channel;
        _receiver = receiver;
        _options = options;
        _inThePresent = database.AsOf is null;
        _time = time;
        _log = log;
        _advance = advance;
        _store = new OutboxStore(database, name, receiver, options, time);
        _gate = new ConnectionGate(_store, receiver, time, log);
        _queue = Channel.CreateBounded<OutboxMessage>(new BoundedChannelOptions(options.Concurrency) { SingleWriter = true });
    }

    /// <summary>Runs until nothing is due that could be sent.</summary>
    /// <exception cref="OperationCanceledException">Asked to stop; what was on the wire is recorded, the rest is free for others.</exception>
    public async Task<DispatchReport> RunAsync(CancellationToken stop)
    {
        using var abort = new CancellationTokenSource();
        using var noMore = CancellationTokenSource.CreateLinkedTokenSource(stop, abort.Token);
        using var wire = new CancellationTokenSource();
        await using var grace = noMore.Token.Register(() => wire.CancelAfter(s_stopGrace));
        await using (var ledger = new MessageLedger(_store))
        {
            var workers = Enumerable.Range(0, _options.Concurrency).Select(_ => GuardedAsync(() => WorkAsync(ledger, noMore.Token, wire.Token))).ToList();
            var fetcher = GuardedAsync(async () =>
            {
                try
                {
                    await FetchAsync(noMore.Token, abort.Token);
                }
                finally
                {
                    // Also after a failure: what is on the wire is still to be recorded.
                    _queue.Writer.TryComplete();
                }
            });
            await Task.WhenAll(workers.Prepend(fetcher));
        }

        stop.ThrowIfCancellationRequested();
        return new DispatchReport(
            new DispatchCounts
            {
                Sent = _sent,
                Retries = _retries,
                InDoubt = _inDoubt,
                Dead = _dead,
                Cancelled = _cancelled,
                PutOff = _putOff,
                Recovered = _recovered,
            },
            _gate.Refusal,
            _sent > 0 || _gate.Refusal is not null ? null : _gaveUp ?? (_failing.IsEmpty ? null : _lastFailure));

        // The first failure ends the others: what it was is then thrown by Task.WhenAll.
        async Task GuardedAsync(Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (OperationCanceledException) when (noMore.IsCancellationRequested)
            {
                // Asked to stop, or ended by another's failure.
            }
            catch
            {
                await abort.CancelAsync();
                throw;
            }
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task FetchAsync(CancellationToken stop, CancellationToken abort)
    {
        var left = _options.MaxMessages;
        var waited = TimeSpan.Zero;
        var sentBefore = 0L;
        var idle = true;
        var recovered = _time.GetTimestamp();
        while (left > 0)
        {
            stop.ThrowIfCancellationRequested();
            if (Interlocked.Read(ref _sent) is var sent && sent != sentBefore)
            {
                sentBefore = sent;
                waited = TimeSpan.Zero;
            }

            var rest = await _gate.TryOpenAsync(stop);
            if (!_gate.IsOpen)
            {
                await IdleAsync(stop);
                if (_gate.Refusal is not null || await _store.NextEventAsync(_inThePresent, stop) is not { } due || due > rest)
                {
                    return;
                }

                if (waited + rest > _options.MaxWait)
                {
                    _gaveUp = _gate.PauseReason ?? "the connection rests";
                    return;
                }

                await Task.Delay(rest, _time, stop);
                waited += rest;
                continue;
            }

            if (idle || _time.GetElapsedTime(recovered) >= s_longestPoll)
            {
                recovered = _time.GetTimestamp();
                await RecoverAsync(stop);
            }

            var claim = await _store.ClaimAsync((int)Math.Min(left, BatchSize), stop);
            Interlocked.Add(ref _cancelled, claim.Cancelled);
            Interlocked.Add(ref _putOff, claim.PutOff);
            _advance(claim.Cancelled + claim.PutOff);
            Interlocked.Add(ref _outstanding, claim.Messages.Count);
            left -= claim.Messages.Count;
            foreach (var message in claim.Messages)
            {
                // Also when asked to stop: the workers then give it back.
                await _queue.Writer.WriteAsync(message, abort);
            }

            if (!_gate.IsProven)
            {
                await IdleAsync(stop);
            }

            idle = claim.Messages.Count + claim.Cancelled + claim.PutOff == 0;
            if (idle)
            {
                // What is due may wait for one of ours: the order within a lead.
                if (await ProgressAsync(stop))
                {
                    continue;
                }

                if (await _store.NextEventAsync(_inThePresent, stop) is not { } next || waited + next > _options.MaxWait)
                {
                    return;
                }

                // Others may be done sooner than their leases say.
                var pause = TimeSpan.FromTicks(Math.Clamp(next.Ticks, s_shortestPoll.Ticks, s_longestPoll.Ticks));
                await Task.Delay(pause, _time, stop);
                waited += pause;
            }
        }
    }

    /// <summary>Small, so that what was judged leaves soon; the first message of a run goes alone.</summary>
    private int BatchSize => !_gate.IsProven
        ? 1
        : _receiver.RatePerSecond is { } rate
            ? Math.Clamp((int)(rate * _options.Lease.TotalSeconds / 4), 1, 2 * _options.Concurrency)
            : 2 * _options.Concurrency;

    private async Task RecoverAsync(CancellationToken stop)
    {
        var (again, inDoubt) = await _store.RecoverAsync(stop);
        Interlocked.Add(ref _recovered, again);
        Interlocked.Add(ref _inDoubt, inDoubt);
        if (inDoubt > 0)
        {
            _log.Warning(
                "{Count} messages of a dispatcher that ended are in doubt: they may have been sent; see \"sales-tasks outbox list --status in_doubt\"",
                inDoubt);
        }
    }

    /// <summary>Waits until nothing of ours is under way.</summary>
    private async Task IdleAsync(CancellationToken stop)
    {
        while (await ProgressAsync(stop))
        {
        }
    }

    /// <summary>Waits until one of ours is done; false where none is under way.</summary>
    private async Task<bool> ProgressAsync(CancellationToken stop)
    {
        if (Interlocked.Read(ref _outstanding) == 0)
        {
            return false;
        }

        await _progress.Reader.ReadAsync(stop);
        return true;
    }

    private async Task WorkAsync(MessageLedger ledger, CancellationToken stop, CancellationToken wire)
    {
        Recorded? outcome = null;
        while (true)
        {
            if (!_queue.Reader.TryRead(out var message))
            {
                if (outcome is not null)
                {
                    await ledger.ExchangeAsync(outcome, null);
                    Done();
                    outcome = null;
                }
                else if (!await _queue.Reader.WaitToReadAsync(CancellationToken.None))
                {
                    return;
                }

                continue;
            }

            if (!_gate.IsOpen || stop.IsCancellationRequested || !await SlotAsync())
            {
                await ReleaseAsync();
                continue;
            }

            var started = _time.GetTimestamp();
            var mark = await ledger.ExchangeAsync(outcome, message.Id);
            if (outcome is not null)
            {
                Done();
                outcome = null;
            }

            switch (mark)
            {
                case Mark.Go:
                    outcome = await AttemptAsync(message, started, stop, wire);
                    break;
                case Mark.Stopped:
                    Interlocked.Increment(ref _cancelled);
                    Done();
                    break;
                default:
                    _log.Information("Message {Message} was no longer ours when its turn came", message.Id);
                    Done();
                    break;
            }

            // Where the rate limit makes us wait, what is done is recorded first.
            async Task<bool> SlotAsync()
            {
                if (await _gate.TakeSlotAsync(wait: false, stop))
                {
                    return true;
                }

                if (outcome is not null)
                {
                    await ledger.ExchangeAsync(outcome, null);
                    Done();
                    outcome = null;
                }

                try
                {
                    return await _gate.TakeSlotAsync(wait: true, stop) && _gate.IsOpen;
                }
                catch (OperationCanceledException)
                {
                    return false;
                }
            }

            async Task ReleaseAsync()
            {
                if (outcome is not null)
                {
                    await ledger.ExchangeAsync(outcome, null);
                    Done();
                    outcome = null;
                }

                await ledger.ExchangeAsync(new Recorded(message.Id, "pending", null, _gate.PauseReason, null, false), null);
                Done();
            }
        }
    }

    private void Done()
    {
        Interlocked.Decrement(ref _outstanding);
        _advance(1);
        _progress.Writer.TryWrite(true);
    }

    /// <summary>One message on the wire.</summary>
    private async Task<Recorded> AttemptAsync(OutboxMessage message, long markedSince, CancellationToken stop, CancellationToken wire)
    {
        if (_time.GetElapsedTime(markedSince) + _options.RequestTimeout > _options.Lease)
        {
            // The machine stood still: while we are on the wire another dispatcher could take it over.
            return new Recorded(message.Id, "pending", null, "its lease was about to end", null, false);
        }

        var (loaded, fault) = await _store.LoadAttachmentsAsync(message);
        var result = (message.Fault ?? fault) is { } refused ? SendResult.Permanent(refused) : await _channel.SendAsync(loaded, wire);
        if (!stop.IsCancellationRequested || result.Outcome is SendOutcome.Sent)
        {
            await _gate.ObserveAsync(result);
        }

        return Record(message, result);
    }

    private Recorded Record(OutboxMessage message, SendResult result)
    {
        var outcome = result.Outcome is SendOutcome.InDoubt && _receiver.Idempotent ? SendOutcome.Temporary : result.Outcome;
        _failing.TryRemove(message.Id, out _);
        switch (outcome)
        {
            case SendOutcome.Sent:
                Interlocked.Increment(ref _sent);
                return new Recorded(message.Id, "sent", result.Status, null, null, false);
            case SendOutcome.Permanent:
                return Dead(message, result, result.Reason!);
            case SendOutcome.InDoubt:
                Interlocked.Increment(ref _inDoubt);
                _log.Warning("{Channel:l} message {Message} is in doubt: {Reason:l}", _name, message.Id, result.Reason);
                return new Recorded(message.Id, "in_doubt", result.Status, result.Reason, null, true);
            case SendOutcome.Refused:
                Failing(message, result);
                return new Recorded(message.Id, "pending", result.Status, result.Reason, null, false);
            default:
                if (result.CountsAgainstMessage && message.Failures + 1 >= _options.MaxAttempts)
                {
                    return Dead(message, result, $"{message.Failures + 1} attempts failed, the last: {result.Reason}");
                }

                Failing(message, result);
                _log.Information("{Channel:l} message {Message} will be tried again: {Reason:l}", _name, message.Id, result.Reason);
                return new Recorded(
                    message.Id, "pending", result.Status, result.Reason,
                    Backoff.After(message.Attempts + 1, result.RetryAfter).TotalSeconds, result.CountsAgainstMessage);
        }
    }

    private void Failing(OutboxMessage message, SendResult result)
    {
        Interlocked.Increment(ref _retries);
        _failing[message.Id] = true;
        _lastFailure = result.Reason;
    }

    private Recorded Dead(OutboxMessage message, SendResult result, string reason)
    {
        Interlocked.Increment(ref _dead);
        _log.Warning("{Channel:l} message {Message} is dead: {Reason:l}", _name, message.Id, reason);
        return new Recorded(message.Id, "dead", result.Status, reason, null, true);
    }
}
