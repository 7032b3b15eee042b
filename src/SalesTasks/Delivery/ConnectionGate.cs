using Serilog;

namespace SalesTasks.Delivery;

/// <summary>
/// Whether messages may go through a connection at this moment: circuit breaker, Retry-After, refusals and rate limit, shared with other
/// dispatchers through the database. In every run one message goes first; the others follow when the receiver has answered it.
/// </summary>
internal sealed class ConnectionGate(OutboxStore store, ReceiverSettings receiver, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>After a refusal others try again this much later: soon enough for a person who has corrected the connection.</summary>
    private static readonly TimeSpan s_refusedPause = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan s_trialPoll = TimeSpan.FromMilliseconds(250);

    /// <summary>So many messages in a row that are dead for the connection's sake end the run.</summary>
    private const int MaxConnectionFaults = 10;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Queue<long> _slots = new();
    private volatile bool _open;
    private volatile bool _proven;
    private volatile bool _unclean;
    private bool _onTrial;
    private int _connectionFaults;

    /// <summary>False: what is claimed goes back.</summary>
    public bool IsOpen => _open;

    /// <summary>True once the receiver answered as it should.</summary>
    public bool IsProven => _proven;

    /// <summary>Why nothing more goes through in this run, and a person is needed; null: nothing of the kind.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The latest reason for a pause.</summary>
    public string? PauseReason { get; private set; }

    /// <summary>Opens where it may; else returns how long the connection still rests.</summary>
    public async Task<TimeSpan> TryOpenAsync(CancellationToken cancellationToken)
    {
        var state = await store.StateAsync(cancellationToken);
        if (state.PausedFor > TimeSpan.Zero && !(_open && _onTrial))
        {
            _open = false;
            PauseReason = state.Reason;
            // A trial ends sooner than it may.
            return state.TrialRunning && state.PausedFor > s_trialPoll ? s_trialPoll : state.PausedFor;
        }

        if (state.NeedsTrial && !_open)
        {
            _onTrial = await store.TakeTrialAsync(cancellationToken);
            if (!_onTrial)
            {
                return s_trialPoll;
            }

            _proven = false;
        }

        _unclean |= state.Failures > 0 || state.NeedsTrial;
        _open = Refusal is null;
        return TimeSpan.Zero;
    }

    /// <summary>Takes the answer of an attempt into account.</summary>
    public async Task ObserveAsync(SendResult result)
    {
        switch (result.Outcome)
        {
            case SendOutcome.Sent:
            case SendOutcome.Permanent when !result.ConcernsConnection:
                await WorksAsync();
                break;
            case SendOutcome.Refused:
                await RefuseAsync(result.Reason!);
                break;
            case SendOutcome.Permanent:
                // Without a success before it, the next would be no luckier.
                if (Interlocked.Increment(ref _connectionFaults) >= MaxConnectionFaults || !_proven)
                {
                    await RefuseAsync(result.Reason!);
                }

                break;
            default:
                await FailedAsync(result);
                break;
        }
    }

    /// <summary>Waits for a slot of the rate limit, where there is one; false where it is not free at once and <paramref name="wait"/> is not set.</summary>
    public async ValueTask<bool> TakeSlotAsync(bool wait, CancellationToken cancellationToken)
    {
        if (receiver.RatePerSecond is not { } rate)
        {
            return true;
        }

        if (!wait)
        {
            return false;
        }

        TimeSpan pause;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            // Slots that were not used in time are gone: using them now would be a burst.
            while (_slots.TryPeek(out var slot) && time.GetElapsedTime(slot) > TimeSpan.FromSeconds(1))
            {
                _slots.Dequeue();
            }

            if (_slots.Count == 0)
            {
                await ReserveAsync(rate, cancellationToken);
            }

            pause = time.GetElapsedTime(time.GetTimestamp(), _slots.Dequeue());
        }
        finally
        {
            _turn.Release();
        }

        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, time, cancellationToken);
        }

        return true;
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Slots for a quarter of a second at once, so that a high rate does not cost a round trip a message.</summary>
    private async Task ReserveAsync(double rate, CancellationToken cancellationToken)
    {
        var slots = Math.Max(1, (int)(rate / 4));
        var first = await store.ReserveAsync(slots, rate, cancellationToken);
        var now = time.GetTimestamp();
        for (var i = 0; i < slots; i++)
        {
            _slots.Enqueue(now + (long)((first.TotalSeconds + (i / rate)) * time.TimestampFrequency));
        }
    }

    private async Task WorksAsync()
    {
        _connectionFaults = 0;
        _proven = true;
        _onTrial = false;
        if (_unclean)
        {
            _unclean = false;
            await store.WorksAsync();
        }
    }

    private async Task FailedAsync(SendResult result)
    {
        _unclean = true;
        if (result.RetryAfter is { } asked && asked > TimeSpan.Zero)
        {
            var onTrial = _onTrial;
            Close(result.Reason!);
            await store.PauseAsync(asked, result.Reason!, onTrial);
        }
        else if (await store.FailedAsync(result.Reason!, _onTrial) is var pause && pause > TimeSpan.Zero)
        {
            Close(result.Reason!);
            log.Warning(
                "Connection {Connection}: nothing is sent for {Seconds} s after several failures in a row ({Reason:l})",
                receiver.ConnectionId, Math.Ceiling(pause.TotalSeconds), result.Reason);
        }
    }

    private async Task RefuseAsync(string reason)
    {
        var first = Refusal is null;
        var onTrial = _onTrial;
        Refusal ??= reason;
        Close(reason);
        if (first)
        {
            _unclean = true;
            await store.PauseAsync(s_refusedPause, reason, onTrial);
        }
    }

    private void Close(string reason)
    {
        _open = false;
        _onTrial = false;
        _proven = false;
        PauseReason = reason;
    }
}
