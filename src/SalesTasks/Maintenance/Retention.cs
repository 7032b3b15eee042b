using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Maintenance;

/// <summary>What became of a subject.</summary>
/// <param name="Subject">Which.</param>
/// <param name="KeepDays">Its rule.</param>
/// <param name="Count">Removed, or in a dry run and for what is only counted: what is older.</param>
/// <param name="Left">Why some of it is left for the next run; null where none is.</param>
internal sealed record RetentionOutcome(RetentionSubject Subject, int KeepDays, long Count, string? Left);

/// <summary>
/// The rules of <c>retention_rules</c>, carried out in chunks of a transaction each: a run that is killed has removed whole chunks, and the next goes
/// on. What others hold locked is passed over and left for the next run.
/// </summary>
internal sealed class Retention(SalesDatabase database, TimeProvider time, DateTimeOffset asOf, TimeSpan lockWait, Action<long> advance)
{
    private const int Tries = 3;

    /// <summary>Rows in one transaction.</summary>
    private const long Chunk = 5_000;

    public async Task<IReadOnlyList<RetentionOutcome>> RunAsync(bool dryRun, CancellationToken cancellationToken)
    {
        Dictionary<string, int> rules;
        await using (var connection = await database.OpenAsync(cancellationToken))
        {
            rules = (await connection.QueryStatementAsync("retention/rules", [], row => (Subject: row.GetString(0), Days: row.GetInt32(1)), cancellationToken))
                .ToDictionary(rule => rule.Subject, rule => rule.Days, StringComparer.Ordinal);
        }

        var outcomes = new List<RetentionOutcome>();
        foreach (var subject in RetentionSubject.All)
        {
            if (rules.TryGetValue(subject.Name, out var days))
            {
                outcomes.Add(await RunAsync(subject, days, dryRun, cancellationToken));
            }
        }

        return outcomes;
    }

    private async Task<RetentionOutcome> RunAsync(RetentionSubject subject, int days, bool dryRun, CancellationToken cancellationToken)
    {
        var before = asOf.AddDays(-days);
        if (subject == RetentionSubject.ScoreHistory)
        {
            return await DropHistoryAsync(days, dryRun, cancellationToken);
        }

        if (dryRun || subject == RetentionSubject.InactiveLeads)
        {
            await using var connection = await database.OpenAsync(cancellationToken);
            return new RetentionOutcome(subject, days, await connection.ScalarStatementAsync<long>(subject.Count, [("before_at", before)], cancellationToken), null);
        }

        long removed = 0;
        long after = 0;
        while (true)
        {
            var (chunk, last, left) = await TryAsync(
                (connection, token) => subject == RetentionSubject.MessageTexts
                    ? ClearTextsAsync(connection, before, after, token)
                    : RemoveAsync(connection, subject.Remove!, before, token),
                cancellationToken);
            removed += chunk;
            after = last;
            advance(chunk);
            if (chunk == 0 || left is not null)
            {
                return new RetentionOutcome(subject, days, removed, left);
            }
        }
    }

    private static async Task<(long Count, long Last)> RemoveAsync(NpgsqlConnection connection, string statement, DateTimeOffset before, CancellationToken cancellationToken) =>
        (await connection.ScalarStatementAsync<long>(statement, [("before_at", before), ("limit", Chunk)], cancellationToken), 0);

    private static async Task<(long Count, long Last)> ClearTextsAsync(
        NpgsqlConnection connection, DateTimeOffset before, long after, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync(
            "maintenance/clear_payloads", [("before_at", before), ("after", after), ("limit", Chunk)], row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken))[0];

    /// <summary>A month goes when all of it is older, so up to a month more than the rule is kept.</summary>
    private async Task<RetentionOutcome> DropHistoryAsync(int days, bool dryRun, CancellationToken cancellationToken)
    {
        // At least so many days, however short the months are.
        var months = (days + 27) / 28;
        List<string> old;
        await using (var connection = await database.OpenAsync(cancellationToken))
        {
            old = await connection.QueryStatementAsync("maintenance/old_partitions", [("as_of", asOf), ("months", months)], row => row.GetString(0), cancellationToken);
        }

        if (dryRun)
        {
            return new RetentionOutcome(RetentionSubject.ScoreHistory, days, old.Count, null);
        }

        long dropped = 0;
        foreach (var name in old)
        {
            var (count, _, left) = await TryAsync(
                async (connection, token) => (await MaintainDatabase.DropPartitionAsync(connection, name, token), 0L), cancellationToken);
            dropped += count;
            if (left is not null)
            {
                return new RetentionOutcome(RetentionSubject.ScoreHistory, days, dropped, left);
            }
        }

        return new RetentionOutcome(RetentionSubject.ScoreHistory, days, dropped, null);
    }

    private async Task<(long Count, long Last, string? Left)> TryAsync(
        Func<NpgsqlConnection, CancellationToken, Task<(long Count, long Last)>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var (count, last) = await database.InTransactionAsync(
                    async (connection, _, token) =>
                    {
                        var milliseconds = ((long)lockWait.TotalMilliseconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
                        await connection.ExecuteStatementAsync("maintenance/short_lock", [("lock_timeout_ms", milliseconds)], token);
                        return await work(connection, token);
                    },
                    cancellationToken);
                return (count, last, null);
            }
            catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                if (attempt == Tries)
                {
                    return (0, 0, "locked by others");
                }

                await Task.Delay(lockWait, time, cancellationToken);
            }
            catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                return (0, 0, "only the schema's owner may");
            }
        }
    }
}
