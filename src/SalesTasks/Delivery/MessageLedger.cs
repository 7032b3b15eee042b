using System.Threading.Channels;

namespace SalesTasks.Delivery;

/// <summary>
/// Records what became of a message and marks the next as on the wire, for many workers at once: whatever they hand in while one
/// transaction runs goes into the next. Each message is marked right before it leaves, and yet a commit serves many.
/// </summary>
internal sealed class MessageLedger : IAsyncDisposable
{
    private const int MaxBatch = 200;

    private readonly OutboxStore _store;
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;

    public MessageLedger(OutboxStore store)
    {
        _store = store;
        _loop = RunAsync();
    }

    /// <summary>Returns when both are committed; the answer is about <paramref name="next"/>.</summary>
    /// <param name="outcome">What became of the message before; null: there was none.</param>
    /// <param name="next">The message about to leave; null: none.</param>
    public Task<Mark> ExchangeAsync(Recorded? outcome, long? next)
    {
        var entry = new Entry(outcome, next);
        return _entries.Writer.TryWrite(entry) ? entry.Done.Task : throw new InvalidOperationException("The ledger is closed.");
    }

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        var batch = new List<Entry>();
        while (await _entries.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _entries.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            try
            {
                var marks = await _store.ExchangeAsync(
                    [.. batch.Where(e => e.Outcome is not null).Select(e => e.Outcome!)],
                    [.. batch.Where(e => e.Next is not null).Select(e => e.Next!.Value)]);
                foreach (var entry in batch)
                {
                    entry.Done.SetResult(entry.Next is { } next ? marks[next] : Mark.Lost);
                }
            }
            catch (Exception exception)
            {
                // Each worker ends with it, and with them the run.
                foreach (var entry in batch)
                {
                    entry.Done.SetException(exception);
                }
            }
        }
    }

    private sealed record Entry(Recorded? Outcome, long? Next)
    {
        public TaskCompletionSource<Mark> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
