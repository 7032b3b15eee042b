using SalesTasks.Encryption;

namespace SalesTasks.Delivery;

/// <summary>How a dispatcher works.</summary>
internal sealed record DispatchOptions
{
    /// <summary>Messages on the wire at once, for each channel.</summary>
    public required int Concurrency { get; init; }

    /// <summary>From the start of an attempt to the end of its answer.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>How long a message stays ours without a word from us; longer than <see cref="RequestTimeout"/>.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>Failures that count against a message before it is dead.</summary>
    public required int MaxAttempts { get; init; }

    /// <summary>How long a run with nothing to do waits for retries and for leases of others; begins anew with every message sent.</summary>
    public required TimeSpan MaxWait { get; init; }

    /// <summary>Opens sealed numbers right before a message leaves; null: none is sealed.</summary>
    public Vault? Vault { get; init; }

    /// <summary>Messages at most.</summary>
    public long MaxMessages { get; init; } = long.MaxValue;
}

/// <summary>When a message that failed is tried again.</summary>
internal static class Backoff
{
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    /// <summary>
    /// Full jitter over a range that doubles with every attempt, never before the receiver wants to be called again.
    /// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    /// </summary>
    /// <param name="attempt">The attempt that failed, from 1.</param>
    /// <param name="retryAfter">What the receiver asked for.</param>
    public static TimeSpan After(int attempt, TimeSpan? retryAfter)
    {
        var range = TimeSpan.FromSeconds(Math.Min(s_longest.TotalSeconds, s_first.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 20))));
        var jitter = s_least + ((range - s_least) * Random.Shared.NextDouble());
        return retryAfter is { } asked ? asked + (jitter / 4) : jitter;
    }
}
