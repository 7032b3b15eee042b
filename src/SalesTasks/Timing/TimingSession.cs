using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Timing;

/// <summary>
/// The transactions of one run. A dry run does the same work in a single one that is rolled back at the end, so that it reports what its own
/// steps would have changed and leaves nothing.
/// </summary>
internal sealed class TimingSession : IAsyncDisposable
{
    private readonly JobContext _context;
    private NpgsqlConnection? _rehearsal;
    private NpgsqlTransaction? _rolledBack;

    private TimingSession(JobContext context) => _context = context;

    public static async Task<TimingSession> OpenAsync(JobContext context, CancellationToken cancellationToken)
    {
        var session = new TimingSession(context);
        if (context.DryRun)
        {
            session._rehearsal = await context.Database.OpenAsync(cancellationToken);
            session._rolledBack = await session._rehearsal.BeginTransactionAsync(cancellationToken);
            if (context.Database.AsOf is { } asOf)
            {
                await session._rehearsal.ExecuteStatementAsync("database/set_as_of", [("as_of", asOf.ToString("O"))], cancellationToken);
            }
        }

        return session;
    }

    /// <summary>Runs the work in a transaction, alone among analyses and applications.</summary>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, TimingState, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        return _rehearsal is { } connection
            ? LockedAsync(connection, cancellationToken)
            : _context.Database.InTransactionAsync((opened, _, token) => LockedAsync(opened, token), cancellationToken);

        async Task<T> LockedAsync(NpgsqlConnection opened, CancellationToken token)
        {
            var states = await opened.QueryStatementAsync(
                "timing/lock_state",
                [],
                row => new TimingState(
                    row.GetString(0), row.GetBoolean(1), row.IsDBNull(2) ? null : row.GetFieldValue<DateTimeOffset>(2),
                    row.IsDBNull(3) ? null : row.GetFieldValue<DateTimeOffset>(3)),
                token);
            return await work(opened, states[0], token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_rolledBack is not null)
        {
            await _rolledBack.DisposeAsync();
        }

        if (_rehearsal is not null)
        {
            await _rehearsal.DisposeAsync();
        }
    }
}

/// <summary>Where the use of learned hours stands.</summary>
/// <param name="State">learning, ready or fallback, as the last analysis concluded.</param>
/// <param name="Active">Learned hours are in use.</param>
/// <param name="AppliedSince">Since when; the lift counts from there.</param>
/// <param name="FallbackSince">When they were found to gain nothing.</param>
internal sealed record TimingState(string State, bool Active, DateTimeOffset? AppliedSince, DateTimeOffset? FallbackSince)
{
    /// <summary>After this long plain windows give way to a fresh try, with what was learned since and a lift measured anew.</summary>
    public static readonly TimeSpan FallbackTime = TimeSpan.FromDays(28);

    /// <summary>What an analysis concludes.</summary>
    /// <param name="channels">What it learned.</param>
    /// <param name="lift">Since <see cref="AppliedSince"/>; null: too few leads, or not in use.</param>
    /// <param name="asOf">When.</param>
    public Conclusion Conclude(IReadOnlyList<ChannelModel> channels, Lift? lift, DateTimeOffset asOf)
    {
        var resting = FallbackSince is { } since && asOf - since < FallbackTime ? FallbackSince : null;
        if (Active && lift is { IsNotPositive: true })
        {
            resting ??= asOf;
        }

        return resting is not null ? new Conclusion("fallback", "lift_not_positive", resting)
            : channels.Any(c => c.Obstacle is null) ? new Conclusion("ready", null, null)
            : new Conclusion("learning", channels.Any(c => c.Obstacle == "no_effect") ? "no_effect" : "thin_data", null);
    }
}

/// <param name="State">learning, ready or fallback.</param>
/// <param name="Reason">thin_data, no_effect, lift_not_positive; null when ready.</param>
/// <param name="FallbackSince">Since when, in fallback.</param>
internal sealed record Conclusion(string State, string? Reason, DateTimeOffset? FallbackSince);
