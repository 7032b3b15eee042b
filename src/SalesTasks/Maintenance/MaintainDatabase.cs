using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Maintenance;

/// <summary>
/// <c>db maintain</c>: each piece is a transaction of its own that waits for locks only briefly. What stays locked, or needs the owner's rights, is
/// left for the next run and reported: maintenance may be late, jobs may not.
/// </summary>
internal sealed class MaintainDatabase(JobContext context)
{
    private const int Tries = 3;

    /// <summary>Rows removed or cleared in one transaction.</summary>
    private const int Chunk = 5_000;

    /// <summary>Blocks of deals whose list is shortened in one transaction.</summary>
    private const int BlockChunk = 20;

    private readonly List<string> _skipped = [];

    /// <summary>Sealing needs keys that are not there. Partitions and statistics do not, so all the rest is done first.</summary>
    private JobException? _withoutKeys;

    public async Task<JobResult> RunAsync(CancellationToken cancellationToken)
    {
        await ShortenPredictionListAsync(cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["partitions_created"] = await CreatePartitionsAsync(cancellationToken),
            ["partitions_dropped"] = await DropPartitionsAsync(cancellationToken) + await DropAuditAsync(cancellationToken),
            ["task_runs_deleted"] = await DeleteTaskRunsAsync(cancellationToken),
            ["payloads_cleared"] = await ClearPayloadsAsync(cancellationToken),
            ["retention_removed"] = await RunRulesAsync(cancellationToken),
            ["sealed"] = await SealAsync(cancellationToken),
            // After what changes many rows.
            ["tables_analyzed"] = await AnalyzeAsync(cancellationToken),
            ["metrics_refreshed"] = await RefreshMetricsAsync(cancellationToken),
        };
        counts["skipped"] = _skipped.Count;
        return new JobResult(counts)
        {
            Failure = _withoutKeys,
            Details = _skipped.Count == 0
                ? new Dictionary<string, object?>(StringComparer.Ordinal)
                : new Dictionary<string, object?>(StringComparer.Ordinal) { ["skipped"] = string.Join("; ", _skipped) },
        };
    }

    private async Task<long> CreatePartitionsAsync(CancellationToken cancellationToken)
    {
        var months = await QueryAsync(
            "maintenance/missing_partitions", [("as_of", context.AsOf)], row => (Table: row.GetString(0), At: row.GetFieldValue<DateTimeOffset>(1)), cancellationToken);
        if (context.DryRun)
        {
            return months.Count;
        }

        var created = 0;
        foreach (var (table, month) in months)
        {
            if (await TryAsync(
                string.Create(CultureInfo.InvariantCulture, $"create the partition of {table} for {month:yyyy-MM}"),
                async (connection, token) =>
                    await connection.ScalarStatementAsync<bool>("maintenance/ensure_partition", [("table", table), ("month_at", month)], token) ? 1 : 0,
                cancellationToken) is not { } made)
            {
                // The next one needs the same locks.
                break;
            }

            created += made;
        }

        return created;
    }

    private async Task<long> DropPartitionsAsync(CancellationToken cancellationToken)
    {
        if (context.Parameters.Get(MaintenanceJobs.ScoreHistoryMonths) is not (> 0 and var months))
        {
            return 0;
        }

        var old = await QueryAsync(
            "maintenance/old_partitions", [("as_of", context.AsOf), ("months", months)], row => row.GetString(0), cancellationToken);
        if (context.DryRun)
        {
            return old.Count;
        }

        var dropped = 0;
        foreach (var name in old)
        {
            if (await TryAsync(
                "drop " + name,
                (connection, token) => DropPartitionAsync(connection, name, token),
                cancellationToken) is not { } gone)
            {
                break;
            }

            dropped += gone;
        }

        return dropped;
    }

    /// <summary>As many months of the audit log as its owner decided to keep (<c>audit retention</c>), whatever the run's parameters.</summary>
    private async Task<long> DropAuditAsync(CancellationToken cancellationToken) => context.DryRun
        ? (await QueryAsync("maintenance/count_old_audit", [], row => row.GetInt64(0), cancellationToken))[0]
        : await TryAsync(
            "drop old audit entries", (connection, token) => connection.ScalarStatementAsync<int>("maintenance/drop_old_audit", [], token), cancellationToken) ?? 0;

    /// <summary>Detaches and drops a month of score history, with the owner's rights: 1, or 0 where it is not there any more.</summary>
    internal static async Task<int> DropPartitionAsync(NpgsqlConnection connection, string name, CancellationToken cancellationToken) =>
        await connection.ScalarStatementAsync<bool>("maintenance/drop_partition", [("name", name)], cancellationToken) ? 1 : 0;

    /// <summary>What <c>privacy retention set</c> says, beside this run's own parameters.</summary>
    private async Task<long> RunRulesAsync(CancellationToken cancellationToken)
    {
        var wait = TimeSpan.FromSeconds(context.Parameters.Get(MaintenanceJobs.LockTimeoutSeconds));
        var outcomes = await new Retention(context.Database, context.Time, context.AsOf, wait, context.Advance).RunAsync(context.DryRun, cancellationToken);
        foreach (var outcome in outcomes.Where(outcome => outcome.Left is not null))
        {
            Skip<int>("retention of " + outcome.Subject.Name, outcome.Left!);
        }

        return outcomes.Where(outcome => outcome.Subject != RetentionSubject.InactiveLeads).Sum(outcome => outcome.Count);
    }

    /// <summary>
    /// Where encryption is on, what other tools wrote in clear since the last run. Nothing where it is off, or is being turned off.
    /// </summary>
    private async Task<long> SealAsync(CancellationToken cancellationToken)
    {
        if (!await Vault.IsOnAsync(context.Database, cancellationToken))
        {
            return 0;
        }

        try
        {
            var vault = await Vault.OpenAsync(context.Database, context.ConnectionIds, context.Connections, writes: !context.DryRun, cancellationToken);
            return vault is not { Seals: true } ? 0 : context.DryRun ? await CountClearAsync(vault, cancellationToken) : await SealAsync(vault, cancellationToken);
        }
        catch (JobException fault) when (fault.ExitCode is ExitCode.Usage)
        {
            _withoutKeys = fault;
            return 0;
        }
    }

    private async Task<long> SealAsync(Vault vault, CancellationToken cancellationToken)
    {
        var sweep = new ColumnSweep(context.Database, vault, seal: true, context.Advance);
        try
        {
            await sweep.RunAsync(rotate: false, cancellationToken);
        }
        catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Its batches are transactions of their own, and what they did stays done.
            Skip<int>("encrypt phones and notes", "locked by others");
        }

        if (sweep.Unreadable > 0)
        {
            Skip<int>(string.Create(CultureInfo.InvariantCulture, $"{sweep.Unreadable} sealed values"), "they do not open; see privacy encrypt");
        }

        return sweep.Leads + sweep.Deals + sweep.Messages + sweep.Tasks + sweep.Crm;
    }

    private async Task<long> CountClearAsync(Vault vault, CancellationToken cancellationToken) => (await QueryAsync(
        "encryption/count_clear", [("key", vault.Sealer.Keys.Current)], row => row.GetInt64(0) + row.GetInt64(1) + row.GetInt64(2) + row.GetInt64(3), cancellationToken))[0];

    private async Task<long> DeleteTaskRunsAsync(CancellationToken cancellationToken)
    {
        if (Before(context.Parameters.Get(MaintenanceJobs.TaskRunsDays)) is not { } before)
        {
            return 0;
        }

        if (context.DryRun)
        {
            return (await QueryAsync("maintenance/count_task_runs", [("before_at", before)], row => row.GetInt64(0), cancellationToken))[0];
        }

        long deleted = 0;
        while (await TryAsync(
            "delete task runs",
            (connection, token) => connection.ScalarStatementAsync<long>(
                "maintenance/delete_task_runs", [("before_at", before), ("limit", (long)Chunk)], token),
            cancellationToken) is > 0 and var chunk)
        {
            deleted += chunk;
            context.Advance(chunk);
        }

        return deleted;
    }

    private async Task<long> ClearPayloadsAsync(CancellationToken cancellationToken)
    {
        if (Before(context.Parameters.Get(MaintenanceJobs.OutboxPayloadDays)) is not { } before)
        {
            return 0;
        }

        if (context.DryRun)
        {
            return (await QueryAsync("maintenance/count_payloads", [("before_at", before)], row => row.GetInt64(0), cancellationToken))[0];
        }

        long cleared = 0;
        long after = 0;
        while (await TryAsync("clear message texts", ClearAsync, cancellationToken) is { Cleared: > 0 and var chunk, Last: var last })
        {
            cleared += chunk;
            after = last;
            context.Advance(chunk);
        }

        return cleared;

        async Task<(long Cleared, long Last)> ClearAsync(NpgsqlConnection connection, CancellationToken token) => (await connection.QueryStatementAsync(
            "maintenance/clear_payloads",
            [("before_at", before), ("after", after), ("limit", (long)Chunk)],
            row => (row.GetInt64(0), row.GetInt64(1)),
            token))[0];
    }

    /// <summary>Triggers put deals on the list of <c>ml predict</c>, whether it runs or not: where it has not for two days, it will look at all deals.</summary>
    private async Task ShortenPredictionListAsync(CancellationToken cancellationToken)
    {
        if (context.DryRun)
        {
            return;
        }

        const string What = "shorten the list of ml predict";
        await TryAsync(
            What, (connection, token) => connection.ExecuteStatementAsync("maintenance/age_prediction_blocks", [("before_at", context.AsOf.AddDays(-2))], token), cancellationToken);
        while (await TryAsync(What, ShortenAsync, cancellationToken) is > 0 and var deleted)
        {
            context.Advance(deleted);
        }

        static async Task<int> ShortenAsync(NpgsqlConnection connection, CancellationToken token)
        {
            var blocks = await connection.QueryStatementAsync("maintenance/lock_prediction_blocks", [("limit", (long)BlockChunk)], row => row.GetInt64(0), token);
            return blocks.Count == 0 ? 0 : await connection.ExecuteStatementAsync("maintenance/delete_prediction_due", [("blocks", blocks.ToArray())], token);
        }
    }

    private async Task<long> AnalyzeAsync(CancellationToken cancellationToken)
    {
        var stale = await QueryAsync("maintenance/stale_tables", [], row => row.GetString(0), cancellationToken);
        if (context.DryRun)
        {
            return stale.Count;
        }

        var analyzed = 0;
        foreach (var table in stale)
        {
            analyzed += await TryAsync(
                "analyze " + table,
                async (connection, token) =>
                {
                    await connection.ExecuteStatementAsync("maintenance/analyze", [("table", table)], token);
                    return 1;
                },
                cancellationToken) ?? 0;
        }

        return analyzed;
    }

    private async Task<long> RefreshMetricsAsync(CancellationToken cancellationToken) => context.DryRun ? 1 : await TryAsync(
        "refresh mv_sales_metrics",
        async (connection, token) =>
        {
            await connection.ExecuteStatementAsync("maintenance/refresh_metrics", [], token);
            return 1;
        },
        cancellationToken) ?? 0;

    /// <summary>Everything that ended before this instant may go; null where all is kept.</summary>
    private DateTimeOffset? Before(int days) => days > 0 ? context.AsOf.AddDays(-days) : null;

    private async Task<List<T>> QueryAsync<T>(
        string statement, (string Name, object? Value)[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(statement, parameters, map, cancellationToken);
    }

    /// <summary>
    /// Does one piece of work in a transaction. Where a lock is not to be had, or the piece is for the owner to do, that is noted and the answer is
    /// null.
    /// </summary>
    private async Task<T?> TryAsync<T>(string what, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
        where T : struct
    {
        var wait = TimeSpan.FromSeconds(context.Parameters.Get(MaintenanceJobs.LockTimeoutSeconds));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await context.Database.InTransactionAsync(
                    async (connection, _, token) =>
                    {
                        var milliseconds = ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
                        await connection.ExecuteStatementAsync("maintenance/short_lock", [("lock_timeout_ms", milliseconds)], token);
                        return await work(connection, token);
                    },
                    cancellationToken);
            }
            catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                if (attempt == Tries)
                {
                    return Skip<T>(what, "locked by others");
                }

                // Those who queued behind us go first.
                await Task.Delay(wait, context.Time, cancellationToken);
            }
            catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                return Skip<T>(what, "only the schema's owner may");
            }
        }
    }

    private T? Skip<T>(string what, string why)
        where T : struct
    {
        context.Log.Warning("Left for the next run: {What:l} ({Why:l})", what, why);
        _skipped.Add($"{what}: {why}");
        return null;
    }
}
