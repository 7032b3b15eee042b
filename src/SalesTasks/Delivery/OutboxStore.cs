using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Delivery;

/// <summary>What became of an attempt, as it is recorded.</summary>
/// <param name="Id">The message.</param>
/// <param name="Status">pending (again), sent, in_doubt or dead.</param>
/// <param name="Code">The receiver's status code.</param>
/// <param name="Reason">In words.</param>
/// <param name="Delay">Seconds until the next attempt; null: due as before.</param>
/// <param name="Failed">Whether it counts against the message.</param>
internal sealed record Recorded(long Id, string Status, int? Code, string? Reason, double? Delay, bool Failed);

/// <summary>What a claim brought.</summary>
/// <param name="Locked">Messages looked at; 0: nothing is due, or others hold it.</param>
/// <param name="Messages">Ours to send.</param>
/// <param name="Cancelled">Not to be sent any more.</param>
/// <param name="PutOff">Have to wait for their window or their turn.</param>
internal sealed record Claim(int Locked, IReadOnlyList<OutboxMessage> Messages, int Cancelled, int PutOff)
{
    public static Claim Nothing { get; } = new(0, [], 0, 0);
}

/// <summary>Whether a message may go on the wire.</summary>
internal enum Mark
{
    /// <summary>It is marked and ours to send.</summary>
    Go,

    /// <summary>A stop came after the claim; it is cancelled.</summary>
    Stopped,

    /// <summary>Our lease ended or the lead is gone: it is no longer ours.</summary>
    Lost,
}

/// <summary>One dispatcher's view of the outbox of one channel. A database that restarts is waited for.</summary>
/// <param name="database">Where the outbox is.</param>
/// <param name="channel">email, slack, call or task.</param>
/// <param name="receiver">The channel's connection.</param>
/// <param name="options">Lease and time-outs.</param>
/// <param name="time">Paces retries; makes the token.</param>
internal sealed class OutboxStore(SalesDatabase database, string channel, ReceiverSettings receiver, DispatchOptions options, TimeProvider time)
{
    /// <summary>How long the database may be away before a run gives up: longer than a restart, shorter than a lease.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(25);

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    /// <summary>Temporary failures in a row that open the circuit breaker.</summary>
    private const int BreakerThreshold = 5;

    /// <summary>The breaker's first pause and its longest, in seconds.</summary>
    private const double BreakerPause = 15;
    private const double BreakerLongest = 600;

    private readonly Guid _token = Guid.CreateVersion7(time.GetUtcNow());

    /// <summary>Takes what is due, and cancels or puts off what may not go now.</summary>
    public Task<Claim> ClaimAsync(int limit, CancellationToken cancellationToken) => PersistAsync(
        token => database.InTransactionAsync(
            async (connection, _, inner) =>
            {
                var ids = await connection.QueryStatementAsync(
                    "delivery/lock_due", [("channel", channel), ("limit", limit)], row => row.GetInt64(0), inner);
                if (ids.Count == 0)
                {
                    return Claim.Nothing;
                }

                var sealedMessages = options.Vault is null ? null : new SealedMessages(options.Vault, channel);
                if (sealedMessages is not null)
                {
                    await sealedMessages.JudgeAsync(connection, ids.ToArray(), inner);
                }

                var judged = await connection.QueryStatementAsync(
                    "delivery/claim",
                    [("ids", ids.ToArray()), ("token", _token), ("lease_seconds", options.Lease.TotalSeconds)],
                    row => (Verdict: row.GetString(0), Message: row.GetString(0) == "send" ? Read(row) : null),
                    inner);
                IReadOnlyList<OutboxMessage> messages = [.. judged.Where(j => j.Message is not null).Select(j => j.Message!)];
                return new Claim(
                    ids.Count,
                    sealedMessages is null ? messages : await sealedMessages.OpenAsync(connection, messages, inner),
                    judged.Count(j => j.Verdict == "stop"),
                    judged.Count(j => j.Verdict == "later"));
            },
            token),
        cancellationToken);

    /// <summary>
    /// Records outcomes and marks the next messages as on the wire, in one transaction. What is written is written, even where somebody
    /// asks to stop meanwhile.
    /// </summary>
    /// <returns>The answer for each message to mark.</returns>
    public Task<Dictionary<long, Mark>> ExchangeAsync(IReadOnlyList<Recorded> outcomes, IReadOnlyList<long> next) => PersistAsync(
        token => database.InTransactionAsync(
            async (connection, _, inner) =>
            {
                // One round trip; each statement has a snapshot of its own.
                await using var batch = new NpgsqlBatch(connection);
                if (outcomes.Count > 0)
                {
                    batch.BatchCommands.Add(Sql.BatchCommand("delivery/record", Columns(outcomes)));
                }

                if (next.Count > 0)
                {
                    batch.BatchCommands.Add(Sql.BatchCommand("delivery/hold", ("ids", next.ToArray()), ("token", _token)));
                    batch.BatchCommands.Add(Sql.BatchCommand(
                        "delivery/mark",
                        ("ids", next.ToArray()), ("token", _token), ("connection", receiver.ConnectionId), ("lease_seconds", options.Lease.TotalSeconds)));
                }

                await using var reader = await batch.ExecuteReaderAsync(inner);
                for (var others = batch.BatchCommands.Count - 1; others > 0; others--)
                {
                    await reader.NextResultAsync(inner);
                }

                var marks = next.ToDictionary(id => id, _ => Mark.Lost);
                while (next.Count > 0 && await reader.ReadAsync(inner))
                {
                    marks[reader.GetInt64(0)] = reader.GetBoolean(1) ? Mark.Go : Mark.Stopped;
                }

                return marks;
            },
            token),
        CancellationToken.None);

    /// <summary>The same message with the files it refers to, or why they cannot go.</summary>
    public async Task<(OutboxMessage Message, string? Fault)> LoadAttachmentsAsync(OutboxMessage message)
    {
        if (AttachmentReference.Read(message.Payload) is not { } references)
        {
            return (message, "its attachments are not a list of {name, content_type, sha256}");
        }

        if (references.Count == 0)
        {
            return (message, null);
        }

        var contents = await PersistAsync(
            token => database.InTransactionAsync(
                (connection, _, inner) => connection.QueryStatementAsync(
                    "delivery/attachments",
                    [("hashes", references.Select(r => r.Sha256).Distinct().ToArray()), ("limit", AttachmentReference.MostBytes)],
                    row => (Hash: row.GetString(0), Size: row.GetInt64(1), Content: row.IsDBNull(2) ? null : row.GetFieldValue<byte[]>(2)),
                    inner),
                token),
            CancellationToken.None);
        var byHash = contents.ToDictionary(c => c.Hash, StringComparer.OrdinalIgnoreCase);
        if (references.FirstOrDefault(r => !byHash.ContainsKey(r.Sha256)) is { } missing)
        {
            return (message, $"the content of its attachment {missing.Sha256[..12]}… is not stored");
        }

        var size = references.Sum(r => byHash[r.Sha256].Size);
        return size > AttachmentReference.MostBytes
            ? (message, $"its attachments have {size} bytes; allowed: {AttachmentReference.MostBytes}")
            : (message with { Attachments = [.. references.Select(r => new Attachment(r.Name, r.ContentType, byHash[r.Sha256].Content!))] }, null);
    }

    /// <summary>Takes care of messages whose dispatcher did not end them in time.</summary>
    public Task<(int Again, int InDoubt)> RecoverAsync(CancellationToken cancellationToken) => PersistAsync(
        async token =>
        {
            var recovered = await database.InTransactionAsync(
                (connection, _, inner) => connection.QueryStatementAsync(
                    "delivery/recover", [("channel", channel), ("idempotent", receiver.Idempotent)], row => row.GetString(1), inner),
                token);
            return (recovered.Count(status => status == "pending"), recovered.Count(status => status == "in_doubt"));
        },
        cancellationToken);

    /// <summary>When it is worth looking again; null: nothing to wait for.</summary>
    /// <param name="retries">Whether retries count: in a run at another instant they never fall due.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<TimeSpan?> NextEventAsync(bool retries, CancellationToken cancellationToken) => PersistAsync<TimeSpan?>(
        async token => await database.InTransactionAsync(
            (connection, _, inner) => connection.ScalarStatementAsync<double?>("delivery/next_event", [("channel", channel), ("retries", retries)], inner), token)
            is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86_400)) : null,
        cancellationToken);

    /// <summary>What is known of the connection.</summary>
    public Task<ConnectionState> StateAsync(CancellationToken cancellationToken) => PersistAsync(
        async token =>
        {
            await using var connection = await database.OpenAsync(token);
            var rows = await connection.QueryStatementAsync(
                "delivery/connection_state",
                [("connection", receiver.ConnectionId)],
                row => new ConnectionState(
                    TimeSpan.FromSeconds(row.GetDouble(0)), row.GetBoolean(1), row.GetBoolean(2), row.GetInt32(3), row.IsDBNull(4) ? null : row.GetString(4)),
                token);
            return rows.Count == 0 ? new ConnectionState(TimeSpan.Zero, false, false, 0, null) : rows[0];
        },
        cancellationToken);

    /// <summary>After a pause: whether we are the one who tries first.</summary>
    public Task<bool> TakeTrialAsync(CancellationToken cancellationToken) => PersistAsync(
        async token => await database.ExecuteAsync(
            "delivery/take_trial", [("connection", receiver.ConnectionId), ("seconds", options.RequestTimeout.TotalSeconds + 1)], token) > 0,
        cancellationToken);

    /// <summary>The connection works: the breaker closes.</summary>
    public Task WorksAsync() => PersistAsync(
        token => database.ExecuteAsync("delivery/connection_works", [("connection", receiver.ConnectionId)], token), CancellationToken.None);

    /// <summary>One more failure; returns how long the connection rests now.</summary>
    public Task<TimeSpan> FailedAsync(string reason, bool onTrial) => PersistAsync(
        async token => TimeSpan.FromSeconds(await database.InTransactionAsync(
            (connection, _, inner) => connection.ScalarStatementAsync<double>(
                "delivery/connection_failed",
                [
                    ("connection", receiver.ConnectionId), ("threshold", BreakerThreshold), ("pause_seconds", BreakerPause),
                    ("longest_seconds", BreakerLongest), ("reason", reason), ("on_trial", onTrial),
                ],
                inner),
            token)),
        CancellationToken.None);

    /// <summary>Nobody sends through the connection for so long.</summary>
    public Task PauseAsync(TimeSpan pause, string reason, bool onTrial) => PersistAsync(
        token => database.ExecuteAsync(
            "delivery/connection_pause", [("connection", receiver.ConnectionId), ("seconds", pause.TotalSeconds), ("reason", reason), ("on_trial", onTrial)], token),
        CancellationToken.None);

    /// <summary>Takes slots of the connection's rate limit; returns the time until the first.</summary>
    public Task<TimeSpan> ReserveAsync(int slots, double rate, CancellationToken cancellationToken) => PersistAsync(
        async token => TimeSpan.FromSeconds(await database.InTransactionAsync(
            (connection, _, inner) => connection.ScalarStatementAsync<double>(
                "delivery/reserve_slots", [("connection", receiver.ConnectionId), ("slots", slots), ("rate", rate)], inner),
            token)),
        cancellationToken);

    private static OutboxMessage Read(NpgsqlDataReader row) => new(
        row.GetInt64(1), row.GetString(2), row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4), row.IsDBNull(5) ? null : row.GetInt32(5),
        row.IsDBNull(6) ? null : row.GetString(6), row.GetString(7), row.GetInt32(8), row.GetInt32(9));

    private (string Name, object? Value)[] Columns(IReadOnlyList<Recorded> outcomes) =>
    [
        ("token", _token),
        ("ids", outcomes.Select(o => o.Id).ToArray()),
        ("statuses", outcomes.Select(o => o.Status).ToArray()),
        ("codes", outcomes.Select(o => o.Code).ToArray()),
        ("reasons", outcomes.Select(o => o.Reason).ToArray()),
        ("delays", outcomes.Select(o => o.Delay).ToArray()),
        ("failed", outcomes.Select(o => o.Failed).ToArray()),
    ];

    /// <summary>
    /// Repeats what a restarting database, a lock or a cut connection made fail. Every statement here may be repeated after a commit whose
    /// answer was lost: outcomes and marks are fenced by token and status, and a claim that is not known of ends with its lease.
    /// </summary>
    private async Task<T> PersistAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work(cancellationToken);
            }
            catch (Exception exception) when (
                !cancellationToken.IsCancellationRequested
                && PostgresErrors.ToJobException(exception)?.ExitCode is ExitCode.TemporaryFailure
                && time.GetElapsedTime(started) < s_patience)
            {
                var pause = TimeSpan.FromMilliseconds(50 * Math.Pow(2, Math.Min(attempt, 10)) * Random.Shared.NextDouble());
                await Task.Delay(pause < s_longestPause ? pause : s_longestPause, time, cancellationToken);
            }
        }
    }
}

/// <summary>What all dispatchers know of a connection.</summary>
/// <param name="PausedFor">How long it rests; zero: it does not.</param>
/// <param name="NeedsTrial">It rested: one message goes first.</param>
/// <param name="TrialRunning">Somebody tries that message now.</param>
/// <param name="Failures">Temporary failures since the last success.</param>
/// <param name="Reason">Why it rests.</param>
internal sealed record ConnectionState(TimeSpan PausedFor, bool NeedsTrial, bool TrialRunning, int Failures, string? Reason);
