using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Scoring;

/// <summary>
/// <c>scoring score</c>. Two kinds of work, each chunk in a transaction of its own under the locks of its blocks:
/// blocks never scored with the present settings (rules, model, engagement), from where the last run left off; then the leads that are
/// due because an input changed or an age boundary passed. Unchanged results write nothing. Rules that come into force meanwhile are
/// taken up with the next chunk.
/// </summary>
internal sealed class ScoreLeads
{
    /// <summary>Row locks of a chunk last about as long as the chunk; this is what it is steered to.</summary>
    private static readonly TimeSpan s_chunkTime = TimeSpan.FromSeconds(0.8);

    /// <summary>Due leads scored in one transaction.</summary>
    private const int DueChunk = 20_000;

    private readonly JobContext _context;
    private readonly bool _engagement;
    private readonly bool _model;
    private readonly bool _setPriority;
    private readonly bool _everything;
    private int _ruleVersion;
    private string _settings = "";
    private ScoreCounts _counts;
    private long _blocksScored;
    private int _chunk = ScoringBlocks.Size / 2;

    private ScoreLeads(JobContext context)
    {
        _context = context;
        _engagement = context.Parameters.Get(ScoringJobs.IncludeEngagementData);
        _model = context.Parameters.Get(ScoringJobs.EnableMlScoring);
        _setPriority = context.Parameters.Get(ScoringJobs.UpdatePriorityAuto);
        _everything = context.Parameters.Get(ScoringJobs.Everything);
    }

    private long Remaining => _context.MaxLeads - _counts.Evaluated;

    /// <summary>
    /// The instant a chunk works at. Taken under the lock of its blocks, so that the changes of one lead by several runs are dated in the
    /// order in which they happened.
    /// </summary>
    private DateTimeOffset Now => _context.Parameters.Get(CommonParameters.AsOf) ?? _context.Time.GetUtcNow();

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var run = new ScoreLeads(context);
        do
        {
            run._ruleVersion = await ScoringRules.ActiveVersionAsync(context.Database, cancellationToken);
            run._settings = $"rules={run._ruleVersion} engagement={run._engagement} model={run._model} priority={run._setPriority}";
        }
        while (!await run.ScoreAllAsync(cancellationToken));

        return run.Result();
    }

    /// <returns>False where other rules have come into force: what is left is to be scored with those.</returns>
    private async Task<bool> ScoreAllAsync(CancellationToken cancellationToken)
    {
        if (!_context.DryRun)
        {
            await _context.Database.ExecuteAsync("scoring/ensure_partitions", [("as_of", Now)], cancellationToken);
            await _context.Database.ExecuteAsync("scoring/add_blocks", [], cancellationToken);
        }

        foreach (var block in await StaleBlocksAsync(cancellationToken))
        {
            if (!await ScoreBlockAsync(block, cancellationToken))
            {
                return false;
            }

            if (Remaining <= 0)
            {
                return true;
            }
        }

        if (_context.DryRun && _everything)
        {
            // A real run would have taken everything off the list by now.
            return true;
        }

        foreach (var (from, to) in await DueChunksAsync(cancellationToken))
        {
            if (!await ScoreDueAsync(from, to, cancellationToken))
            {
                return false;
            }

            if (Remaining <= 0)
            {
                return true;
            }
        }

        return true;
    }

    private async Task<List<int>> StaleBlocksAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _context.Database.OpenAsync(cancellationToken);
        return await connection.QueryStatementAsync(
            "scoring/stale_blocks",
            [
                ("settings", _settings), ("everything", _everything),
                ("shard_index", _context.Shard.Index), ("shard_count", _context.Shard.Count),
            ],
            row => row.GetInt32(0),
            cancellationToken);
    }

    /// <summary>Scores one block in chunks, from where a pass with these settings left off; false where other rules are in force.</summary>
    private async Task<bool> ScoreBlockAsync(int block, CancellationToken cancellationToken)
    {
        long? after = _everything ? ScoringBlocks.First(block) - 1 : null;
        while (Remaining > 0)
        {
            var started = _context.Time.GetTimestamp();
            if (await ScoreChunkAsync(block, after, cancellationToken) is not { } done)
            {
                return false;
            }

            _counts += done.Counts;
            _context.Advance(done.Counts.Evaluated);
            if (done.Through == ScoringBlocks.Last(block))
            {
                _blocksScored++;
                break;
            }

            // What is remembered counts, since another run may have gone on meanwhile; a dry run and one of everything remember nothing.
            after = _context.DryRun || _everything ? done.Through : null;
            Steer(_context.Time.GetElapsedTime(started));
        }

        return true;
    }

    /// <summary>
    /// Scores the next chunk after <paramref name="after"/> (null: after what is remembered) and tells how far it came; null where other
    /// rules are in force.
    /// </summary>
    private Task<(long Through, ScoreCounts Counts)?> ScoreChunkAsync(int block, long? after, CancellationToken cancellationToken) =>
        _context.Database.InTransactionAsync<(long Through, ScoreCounts Counts)?>(
            async (connection, _, token) =>
            {
                var last = ScoringBlocks.Last(block);
                if (!_context.DryRun && !await LockAsync(connection, block, block, token))
                {
                    // The block's first lead arrived a moment ago: the next run knows it.
                    return (last, default);
                }

                var (activeVersion, scoredThrough) = await ProgressAsync(connection, block, token);
                if (activeVersion != _ruleVersion)
                {
                    return null;
                }

                var first = (after ?? scoredThrough ?? ScoringBlocks.First(block) - 1) + 1;
                if (first > last)
                {
                    // Another run finished the block while this one waited.
                    return (last, default);
                }

                var through = Math.Min(first + _chunk - 1, last);
                if (Remaining < _chunk)
                {
                    through = await connection.ScalarStatementAsync<long?>(
                        "scoring/chunk_end", [("first", first), ("last", through), ("limit", Remaining)], token) ?? through;
                }

                var range = Range(first, through);
                if (_context.DryRun)
                {
                    return (through, await CountAsync(connection, "scoring/preview_block", range, token));
                }

                await connection.ExecuteStatementAsync("scoring/source_points_of_block", range, token);
                await connection.ExecuteStatementAsync("scoring/age_boundaries_of_block", range, token);
                var counts = await CountAsync(connection, "scoring/score_block", range, token);
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
            [("as_of", Now), ("shard_index", _context.Shard.Index), ("shard_count", _context.Shard.Count)],
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

    /// <summary>
    /// Scores what is due in a run of blocks, <see cref="DueChunk"/> leads a transaction; false where other rules are in force.
    /// </summary>
    private async Task<bool> ScoreDueAsync(int from, int to, CancellationToken cancellationToken)
    {
        while (Remaining > 0)
        {
            var limit = _context.DryRun ? Remaining : Math.Min(DueChunk, Remaining);
            if (await ScoreDueChunkAsync(from, to, limit, cancellationToken) is not { } counts)
            {
                return false;
            }

            _counts += counts;
            _context.Advance(counts.Evaluated);
            if (_context.DryRun || counts.Evaluated < limit)
            {
                break;
            }
        }

        return true;
    }

    private Task<ScoreCounts?> ScoreDueChunkAsync(int from, int to, long limit, CancellationToken cancellationToken) =>
        _context.Database.InTransactionAsync<ScoreCounts?>(
            async (connection, _, token) =>
            {
                if (!_context.DryRun)
                {
                    await LockAsync(connection, from, to, token);
                }

                if ((await ProgressAsync(connection, from, token)).ActiveVersion != _ruleVersion)
                {
                    return null;
                }

                var range = Range(ScoringBlocks.First(from), ScoringBlocks.Last(to));
                (string, object?)[] parameters = [.. range, ("limit", limit), ("settings", _settings)];
                if (_context.DryRun)
                {
                    return await CountAsync(connection, "scoring/preview_due", parameters, token);
                }

                await connection.ExecuteStatementAsync("scoring/source_points_of_due", range, token);
                await connection.ExecuteStatementAsync("scoring/age_boundaries_of_due", range, token);
                return await CountAsync(connection, "scoring/score_due", parameters, token);
            },
            cancellationToken);

    private (string Name, object? Value)[] Range(long first, long last) =>
    [
        ("first", first), ("last", last), ("as_of", Now), ("rule_version", _ruleVersion), ("engagement", _engagement),
        ("model", _model), ("set_priority", _setPriority),
    ];

    /// <returns>Whether all of them exist.</returns>
    private static async Task<bool> LockAsync(NpgsqlConnection connection, int from, int to, CancellationToken cancellationToken)
    {
        var locked = await connection.QueryStatementAsync(
            "scoring/lock_blocks", [("from", from), ("to", to)], row => row.GetInt32(0), cancellationToken);
        return locked.Count == to - from + 1;
    }

    /// <summary>A statement of its own, after the locks are taken: its snapshot shows what the run that held them did.</summary>
    private async Task<(int? ActiveVersion, long? ScoredThrough)> ProgressAsync(
        NpgsqlConnection connection, int block, CancellationToken cancellationToken)
    {
        var rows = await connection.QueryStatementAsync(
            "scoring/progress",
            [("block", block), ("settings", _settings)],
            row => (row.IsDBNull(0) ? (int?)null : row.GetInt32(0), row.IsDBNull(1) ? (long?)null : row.GetInt64(1)),
            cancellationToken);
        return rows[0];
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
