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
internal sealed class Retention(SalesDatabase database, BriefLocks locks, DateTimeOffset asOf, bool dryRun, Action<long> advance)
{
    /// <summary>Rows in one transaction.</summary>
    private const long Chunk = 5_000;

    public async Task<IReadOnlyList<RetentionOutcome>> RunAsync(CancellationToken cancellationToken)
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
                // A month of score history goes when all of it is older: at least so many days are kept, however short the months are.
                var (count, left) = subject == RetentionSubject.ScoreHistory
                    ? await DropHistoryAsync((days + 27) / 28, cancellationToken)
                    : await RemoveAsync(subject, days, cancellationToken);
                outcomes.Add(new RetentionOutcome(subject, days, count, left));
            }
        }

        return outcomes;
    }

    /// <summary>Removes what is older than so many days, save score history.</summary>
    /// <returns>How much went, or would go, and why some of it is left; null: none is.</returns>
    public async Task<(long Count, string? Left)> RemoveAsync(RetentionSubject subject, int days, CancellationToken cancellationToken)
    {
        var before = asOf.AddDays(-days);
        if (dryRun || subject == RetentionSubject.InactiveLeads)
        {
            await using var connection = await database.OpenAsync(cancellationToken);
            return (await connection.ScalarStatementAsync<long>(subject.Count, [("before_at", before)], cancellationToken), null);
        }

        long removed = 0;
        long after = 0;
        while (true)
        {
            var ((chunk, last), left) = await locks.TryAsync(
                (connection, token) => subject == RetentionSubject.MessageTexts
                    ? ClearTextsAsync(connection, before, after, token)
                    : RemoveAsync(connection, subject.Remove!, before, token),
                cancellationToken);
            removed += chunk;
            after = last;
            advance(chunk);
            if (chunk == 0 || left is not null)
            {
                return (removed, left);
            }
        }
    }

    /// <summary>Drops what is older than so many whole months before the current one, with the owner's rights.</summary>
    /// <returns>How many months went, or would go, and why some are left; null: none is.</returns>
    public async Task<(long Count, string? Left)> DropHistoryAsync(int months, CancellationToken cancellationToken)
    {
        List<string> old;
        await using (var connection = await database.OpenAsync(cancellationToken))
        {
            old = await connection.QueryStatementAsync("maintenance/old_partitions", [("as_of", asOf), ("months", months)], row => row.GetString(0), cancellationToken);
        }

        if (dryRun)
        {
            return (old.Count, null);
        }

        long dropped = 0;
        foreach (var name in old)
        {
            var (done, left) = await locks.TryAsync(
                (connection, token) => connection.ScalarStatementAsync<bool>("maintenance/drop_partition", [("name", name)], token), cancellationToken);
            if (left is not null)
            {
                return (dropped, left);
            }

            dropped += done ? 1 : 0;
        }

        return (dropped, null);
    }

    private static async Task<(long Count, long Last)> RemoveAsync(NpgsqlConnection connection, string statement, DateTimeOffset before, CancellationToken cancellationToken) =>
        (await connection.ScalarStatementAsync<long>(statement, [("before_at", before), ("limit", Chunk)], cancellationToken), 0);

    private static async Task<(long Count, long Last)> ClearTextsAsync(
        NpgsqlConnection connection, DateTimeOffset before, long after, CancellationToken cancellationToken) =>
        (await connection.QueryStatementAsync(
            "maintenance/clear_payloads", [("before_at", before), ("after", after), ("limit", Chunk)], row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken))[0];
}
