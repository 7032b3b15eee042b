using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Scoring;

/// <summary>
/// <c>scoring score</c>. Two kinds of work, each chunk in a transaction of its own under the locks of its blocks:
/// blocks never scored with the present settings (rules, model, engagement), from where the last run left off; then the leads that are
/// due because an input changed or an age boundary passed. Unchanged results write nothing.
/// </summary>
internal sealed class ScoreLeads
{
    /// <summary>Row locks of a chunk last about as long as the chunk; this is what it is steered to.</summary>
    private static readonly TimeSpan s_chunkTime = TimeSpan.FromSeconds(0.8);

    /// <summary>Due leads scored in one transaction.</summary>
    private const int DueChunk = 20_000;

    private readonly JobContext _context;
    private readonly int _ruleVersion;
    private readonly bool _engagement;
    private readonly bool _model;
    private readonly bool _setPriority;
    private readonly string _settings;
    private ScoreCounts _counts;
    private long _blocksScored;
    private int _chunk = ScoringBlocks.Size / 2;

    private ScoreLeads(JobContext context, int ruleVersion)
    {
        _context = context;
        _ruleVersion = ruleVersion;
        _engagement = context.Parameters.Get(ScoringJobs.IncludeEngagementData);
        _model = context.Parameters.Get(ScoringJobs.EnableMlScoring);
        _setPriority = context.Parameters.Get(ScoringJobs.UpdatePriorityAuto);
        _settings = $"rules={ruleVersion} engagement={_engagement} model={_model} priority={_setPriority}";
    }

    private long Remaining => _context.MaxLeads - _counts.Evaluated;

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var ruleVersion = await ScoringRules.ActiveVersionAsync(context.Database, cancellationToken);
        var run = new ScoreLeads(context, ruleVersion);
        await run.ScoreAllAsync(cancellationToken);
        return run.Result();
    }

    private async Task ScoreAllAsync(CancellationToken cancellationToken)
    {
        if (!_context.DryRun)
        {
            await _context.Database.ExecuteAsync("scoring/ensure_partitions", [("as_of", _context.AsOf)], cancellationToken);
            await _context.Database.ExecuteAsync("scoring/add_blocks", [], cancellationToken);
        }

        foreach (var block in await StaleBlocksAsync(cancellationToken))
        {
            await ScoreBlockAsync(block, cancellationToken);
            if (Remaining <= 0)
            {
                return;
            }
        }

        foreach (var (from, to) in await DueChunksAsync(cancellationToken))
        {
            _counts += await ScoreDueAsync(from, to, cancellationToken);
            if (Remaining <= 0)
            {
                return;
            }
        }
    }

    private async Task<List<int>> StaleBlocksAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _context.Database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(
            "scoring/stale_blocks",
            [
                ("settings", _settings), ("everything", _context.Parameters.Get(ScoringJobs.Everything)),
                ("shard_index", _context.Shard.Index), ("shard_count", _context.Shard.Count),
            ],
            row => row.GetInt32(0),
            cancellationToken);
    }

    /// <summary>Scores one block in chunks, from where a pass with these settings left off.</summary>
    private async Task ScoreBlockAsync(int block, CancellationToken cancellationToken)
    {
        var everything = _context.Parameters.Get(ScoringJobs.Everything);
        long? after = everything || _context.DryRun ? ScoringBlocks.First(block) - 1 : null;
        var last = ScoringBlocks.Last(block);
        while ((after ?? 0) < last && Remaining > 0)
        {
            var started = _context.Time.GetTimestamp();
            var (through, counts) = await ScoreChunkAsync(block, after, cancellationToken);
            after = through;
            _counts += counts;
            _context.Advance(counts.Evaluated);
            Steer(_context.Time.GetElapsedTime(started));
        }

        _blocksScored += after == last ? 1 : 0;
    }

    /// <summary>Scores the next chunk after <paramref name="after"/> (null: after what is remembered) and tells how far it came.</summary>
    private Task<(long Through, ScoreCounts Counts)> ScoreChunkAsync(int block, long? after, CancellationToken cancellationToken) =>
        _context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                var first = (after ?? await LockAsync(connection, block, block, token)) + 1;
                if (after is not null && !_context.DryRun)
                {
                    await LockAsync(connection, block, block, token);
                }

                if (first > ScoringBlocks.Last(block))
                {
                    // Another run finished the block while this one waited.
                    return (ScoringBlocks.Last(block), default(ScoreCounts));
                }

                var through = Math.Min(first + _chunk - 1, ScoringBlocks.Last(block));
                if (Remaining < _chunk)
                {
                    through = await connection.ScalarStatementAsync<long?>(
                        "scoring/chunk_end", [("first", first), ("last", through), ("limit", Remaining)], token) ?? through;
                }

                if (_context.DryRun)
                {
                    return (through, await CountAsync(connection, "scoring/preview_block", Range(first, through), token));
                }

                await connection.ExecuteStatementAsync(
                    "scoring/source_points_of_block", [("rule_version", _ruleVersion), ("first", first), ("last", through)], token);
                var counts = await CountAsync(connection, "scoring/score_block", Range(first, through), token);
                await connection.ExecuteStatementAsync(
                    "scoring/advance_block", [("settings", _settings), ("through", through), ("block", block)], token);
                return (through, counts);
            },
            cancellationToken);

    /// <summary>Runs of neighbouring blocks with about <see cref="DueChunk"/> due rows each.</summary>
    private async Task<List<(int From, int To)>> DueChunksAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _context.Database.OpenAsync(cancellationToken);
        var due = await connection.QueryStatementAsync(
            "scoring/due_blocks",
            [("as_of", _context.AsOf), ("shard_index", _context.Shard.Index), ("shard_count", _context.Shard.Count)],
            row => (Block: row.GetInt32(0), Due: row.GetInt64(1)),
            cancellationToken);
        var chunks = new List<(int From, int To)>();
        var rows = long.MaxValue;
        foreach (var (block, count) in due)
        {
            var neighbour = chunks.Count > 0 && chunks[^1].To == block - 1;
            if (neighbour && rows + count <= DueChunk)
            {
                chunks[^1] = (chunks[^1].From, block);
                rows += count;
            }
            else
            {
                chunks.Add((block, block));
                rows = count;
            }
        }

        return chunks;
    }

    /// <summary>Scores what is due in a run of blocks, <see cref="DueChunk"/> leads a transaction.</summary>
    private async Task<ScoreCounts> ScoreDueAsync(int from, int to, CancellationToken cancellationToken)
    {
        var total = default(ScoreCounts);
        while (true)
        {
            var limit = Math.Min(DueChunk, Remaining - total.Evaluated);
            var range = Range(ScoringBlocks.First(from), ScoringBlocks.Last(to));
            (string, object?)[] parameters = [.. range, ("limit", _context.DryRun ? Remaining : limit)];
            var counts = await _context.Database.InTransactionAsync(
                async (connection, _, token) =>
                {
                    if (_context.DryRun)
                    {
                        return await CountAsync(connection, "scoring/preview_due", parameters, token);
                    }

                    await LockAsync(connection, from, to, token);
                    await connection.ExecuteStatementAsync(
                        "scoring/source_points_of_due",
                        [
                            ("rule_version", _ruleVersion), ("as_of", _context.AsOf), ("first", ScoringBlocks.First(from)),
                            ("last", ScoringBlocks.Last(to)),
                        ],
                        token);
                    return await CountAsync(connection, "scoring/score_due", parameters, token);
                },
                cancellationToken);
            total += counts;
            _context.Advance(counts.Evaluated);
            if (_context.DryRun || counts.Evaluated < limit || Remaining - total.Evaluated <= 0)
            {
                return total;
            }
        }
    }

    private (string Name, object? Value)[] Range(long first, long last) =>
    [
        ("first", first), ("last", last), ("as_of", _context.AsOf), ("rule_version", _ruleVersion), ("engagement", _engagement),
        ("model", _model), ("set_priority", _setPriority),
    ];

    private async Task<long> LockAsync(NpgsqlConnection connection, int from, int to, CancellationToken cancellationToken)
    {
        var locked = await connection.QueryStatementAsync(
            "scoring/lock_blocks", [("from", from), ("to", to), ("settings", _settings)], row => row.GetInt64(1), cancellationToken);
        return locked[0];
    }

    private static async Task<ScoreCounts> CountAsync(
        NpgsqlConnection connection, string statement, (string Name, object? Value)[] parameters, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            statement,
            parameters,
            row => new ScoreCounts(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4)),
            cancellationToken);
        return rows[0];
    }

    /// <summary>Halves or doubles the chunk so that its locks are short on a slow machine and its overhead small on a fast one.</summary>
    private void Steer(TimeSpan took)
    {
        if (took > s_chunkTime * 1.5)
        {
            _chunk = Math.Max(_chunk / 2, 1024);
        }
        else if (took < s_chunkTime / 2)
        {
            _chunk = Math.Min(_chunk * 2, ScoringBlocks.Size);
        }
    }

    private JobResult Result() => new(new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["evaluated"] = _counts.Evaluated,
        ["changed"] = _counts.Changed,
        ["up"] = _counts.Up,
        ["down"] = _counts.Down,
        ["first_scored"] = _counts.FirstScored,
        ["blocks_scored"] = _blocksScored,
    })
    {
        NothingToDo = _counts.Evaluated == 0,
        Details = new Dictionary<string, object?>(StringComparer.Ordinal) { ["rule_version"] = _ruleVersion },
    };
}
