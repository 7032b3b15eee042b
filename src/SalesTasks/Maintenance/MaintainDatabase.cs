using System.Globalization;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Maintenance;

/// <summary>
/// <c>db maintain</c>: each piece is a transaction of its own that waits for locks only briefly (<see cref="BriefLocks"/>). What is left for the
/// next run is reported: maintenance may be late, jobs may not.
/// </summary>
internal sealed class MaintainDatabase
{
    /// <summary>Blocks of deals whose list is shortened in one transaction.</summary>
    private const int BlockChunk = 20;

    private readonly JobContext _context;
    private readonly BriefLocks _locks;
    private readonly Retention _retention;
    private readonly List<string> _skipped = [];

    /// <summary>Sealing needs keys that are not there. Partitions and statistics do not, so all the rest is done first.</summary>
    private JobException? _withoutKeys;

    public MaintainDatabase(JobContext context)
    {
        _context = context;
        _locks = new BriefLocks(context.Database, TimeSpan.FromSeconds(context.Parameters.Get(MaintenanceJobs.LockTimeoutSeconds)), context.Time);
        _retention = new Retention(context.Database, _locks, context.AsOf, context.DryRun, context.Advance);
    }

    public async Task<JobResult> RunAsync(CancellationToken cancellationToken)
    {
        await ShortenPredictionListAsync(cancellationToken);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["partitions_created"] = await CreatePartitionsAsync(cancellationToken),
            ["partitions_dropped"] = await DropHistoryAsync(cancellationToken) + await DropAuditAsync(cancellationToken),
            ["task_runs_deleted"] = await RemoveAsync(RetentionSubject.TaskRuns, MaintenanceJobs.TaskRunsDays, cancellationToken),
            ["payloads_cleared"] = await RemoveAsync(RetentionSubject.MessageTexts, MaintenanceJobs.OutboxPayloadDays, cancellationToken),
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
            "maintenance/missing_partitions", [("as_of", _context.AsOf)], row => (Table: row.GetString(0), At: row.GetFieldValue<DateTimeOffset>(1)), cancellationToken);
        if (_context.DryRun)
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

    /// <summary>As many months of the audit log as its owner decided to keep (<c>audit retention</c>), whatever the run's parameters.</summary>
    private async Task<long> DropAuditAsync(CancellationToken cancellationToken) => _context.DryRun
        ? (await QueryAsync("maintenance/count_old_audit", [], row => row.GetInt64(0), cancellationToken))[0]
        : await TryAsync(
            "drop old audit entries", (connection, token) => connection.ScalarStatementAsync<int>("maintenance/drop_old_audit", [], token), cancellationToken) ?? 0;

    /// <summary>What this run's own parameter keeps; 0 of it: everything.</summary>
    private async Task<long> DropHistoryAsync(CancellationToken cancellationToken) =>
        _context.Parameters.Get(MaintenanceJobs.ScoreHistoryMonths) is > 0 and var months
            ? Told(RetentionSubject.ScoreHistory, await _retention.DropHistoryAsync(months, cancellationToken))
            : 0;

    /// <inheritdoc cref="DropHistoryAsync"/>
    private async Task<long> RemoveAsync(RetentionSubject subject, IntParameter parameter, CancellationToken cancellationToken) =>
        _context.Parameters.Get(parameter) is > 0 and var days ? Told(subject, await _retention.RemoveAsync(subject, days, cancellationToken)) : 0;

    /// <summary>What <c>privacy retention set</c> says, beside this run's own parameters.</summary>
    private async Task<long> RunRulesAsync(CancellationToken cancellationToken) => (await _retention.RunAsync(cancellationToken))
        .Where(outcome => outcome.Subject != RetentionSubject.InactiveLeads).Sum(outcome => Told(outcome.Subject, (outcome.Count, outcome.Left)));

    private long Told(RetentionSubject subject, (long Count, string? Left) removed)
    {
        if (removed.Left is not null)
        {
            Skip("retention of " + subject.Name, removed.Left);
        }

        return removed.Count;
    }

    /// <summary>
    /// Where encryption is on, what other tools wrote in clear since the last run. Nothing where it is off, or is being turned off.
    /// </summary>
    private async Task<long> SealAsync(CancellationToken cancellationToken)
    {
        if (!await Vault.IsOnAsync(_context.Database, cancellationToken))
        {
            return 0;
        }

        try
        {
            var vault = await Vault.OpenAsync(_context.Database, _context.ConnectionIds, _context.Connections, writes: !_context.DryRun, cancellationToken);
            return vault is not { Seals: true } ? 0 : _context.DryRun ? await CountClearAsync(vault, cancellationToken) : await SealAsync(vault, cancellationToken);
        }
        catch (JobException fault) when (fault.ExitCode is ExitCode.Usage)
        {
            _withoutKeys = fault;
            return 0;
        }
    }

    private async Task<long> SealAsync(Vault vault, CancellationToken cancellationToken)
    {
        var sweep = new ColumnSweep(_context.Database, vault, seal: true, _context.Advance);
        try
        {
            await sweep.RunAsync(rotate: false, cancellationToken);
        }
        catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            // Its batches are transactions of their own, and what they did stays done.
            Skip("encrypt phones and notes", "locked by others");
        }

        if (sweep.Unreadable > 0)
        {
            Skip(string.Create(CultureInfo.InvariantCulture, $"{sweep.Unreadable} sealed values"), "they do not open; see privacy encrypt");
        }

        return sweep.Leads + sweep.Deals + sweep.Messages + sweep.Tasks + sweep.Crm;
    }

    private async Task<long> CountClearAsync(Vault vault, CancellationToken cancellationToken) => (await QueryAsync(
        "encryption/count_clear", [("key", vault.Sealer.Keys.Current)], row => row.GetInt64(0) + row.GetInt64(1) + row.GetInt64(2) + row.GetInt64(3), cancellationToken))[0];

    /// <summary>Triggers put deals on the list of <c>ml predict</c>, whether it runs or not: where it has not for two days, it will look at all deals.</summary>
    private async Task ShortenPredictionListAsync(CancellationToken cancellationToken)
    {
        if (_context.DryRun)
        {
            return;
        }

        const string What = "shorten the list of ml predict";
        await TryAsync(
            What, (connection, token) => connection.ExecuteStatementAsync("maintenance/age_prediction_blocks", [("before_at", _context.AsOf.AddDays(-2))], token), cancellationToken);
        while (await TryAsync(What, ShortenAsync, cancellationToken) is > 0 and var deleted)
        {
            _context.Advance(deleted);
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
        if (_context.DryRun)
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

    private async Task<long> RefreshMetricsAsync(CancellationToken cancellationToken) => _context.DryRun ? 1 : await TryAsync(
        "refresh mv_sales_metrics",
        async (connection, token) =>
        {
            await connection.ExecuteStatementAsync("maintenance/refresh_metrics", [], token);
            return 1;
        },
        cancellationToken) ?? 0;

    private async Task<List<T>> QueryAsync<T>(
        string statement, (string Name, object? Value)[] parameters, Func<NpgsqlDataReader, T> map, CancellationToken cancellationToken)
    {
        await using var connection = await _context.Database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(statement, parameters, map, cancellationToken);
    }

    /// <summary>Does one piece of work; where it is left for the next run, that is noted and the answer is null.</summary>
    private async Task<T?> TryAsync<T>(string what, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
        where T : struct
    {
        var (done, left) = await _locks.TryAsync(work, cancellationToken);
        if (left is null)
        {
            return done;
        }

        Skip(what, left);
        return null;
    }

    private void Skip(string what, string why)
    {
        _context.Log.Warning("Left for the next run: {What:l} ({Why:l})", what, why);
        _skipped.Add($"{what}: {why}");
    }
}
