using System.Threading.Channels;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Outcomes;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Predicting;

/// <summary>
/// <c>ml predict</c>: predicts the open deals whose inputs or model changed, block by block: while one block is computed, the next is read and the one
/// before is written, each in a transaction of its own. A block that another run wrote between reading and writing is read again: what is written is
/// never older than what is there.
/// </summary>
internal sealed class PredictDeals
{
    /// <summary>Deals of a block that an endpoint is asked about: what a killed run loses.</summary>
    private const int EndpointBlock = 200;

    private readonly JobContext _context;
    private readonly Func<DealBlock, CancellationToken, Task<EndpointAnswers>> _predict;
    private readonly OpenDeals _deals;
    private readonly int _parts;
    private readonly bool _isEndpoint;
    private readonly List<long> _overtaken = [];
    private readonly bool _setsProbability;
    private readonly int _threshold;
    private long _looked;
    private long _predicted;
    private long _left;
    private long _remaining;

    private PredictDeals(
        JobContext context, string fingerprint, Func<DealBlock, CancellationToken, Task<EndpointAnswers>> predict, bool isEndpoint)
    {
        _context = context;
        _predict = predict;
        _isEndpoint = isEndpoint;
        _remaining = context.MaxLeads;
        var kind = context.Parameters.Get(PredictionJobs.MlModelType);
        _threshold = context.Parameters.Get(PredictionJobs.MinProbabilityThreshold);
        _setsProbability = context.Parameters.Get(PredictionJobs.UpdateProbabilityAuto) && kind is "all" or "probability";
        _parts = Parts.Of(kind) | (_setsProbability ? Parts.Percent : 0);
        _deals = new OpenDeals(
            context.AsOf,
            $"1 {fingerprint} threshold={_threshold}", _parts, withScore: isEndpoint);
    }

    private Dictionary<string, long> Counts => new(StringComparer.Ordinal)
    {
        ["deals"] = _looked,
        ["predicted"] = _predicted,
        ["unchanged"] = _looked - _predicted - _left,
        ["left"] = _left,
    };

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (!context.Parameters.Get(PredictionJobs.EnableMlPredictions))
        {
            context.Log.Information("{Parameter:l} is false: nothing is predicted", PredictionJobs.EnableMlPredictions.Name);
            return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal) { ["deals"] = 0, ["predicted"] = 0 }) { NothingToDo = true };
        }

        await using var connection = await context.Database.OpenAsync(cancellationToken);
        if (context.ConnectionIds.Ml is { } id)
        {
            await using var endpoint = PredictionEndpoint.Open(context, id);
            var asked = new PredictDeals(context, endpoint.Fingerprint, endpoint.AskAsync, isEndpoint: true);
            await asked.RunAsync(cancellationToken);
            if (!context.DryRun)
            {
                await context.Database.ExecuteAsync("predictions/drop_closed_scores", [], cancellationToken);
            }

            return new JobResult(new Dictionary<string, long>(asked.Counts, StringComparer.Ordinal) { ["refused"] = endpoint.Refused })
            {
                NothingToDo = asked._predicted == 0,
                Failure = endpoint.Failure,
                Details = endpoint.Details,
            };
        }

        using var models = await DealModels.LoadAsync(connection, context.AsOf, context.Log, cancellationToken);
        var run = new PredictDeals(
            context, models.Version, (block, _) => Task.FromResult(new EndpointAnswers(Prediction.From(block, models), true)), isEndpoint: false);
        await run.RunAsync(cancellationToken);
        var leads = await new PredictLeads(context, models.Win).RunAsync(cancellationToken);
        if (!context.DryRun && context.Shard.Index == 0)
        {
            await Drift.MeasureAsync(context.Database, context.AsOf, cancellationToken);
        }

        return new JobResult(new Dictionary<string, long>(run.Counts, StringComparer.Ordinal) { ["leads_scored"] = leads })
        {
            NothingToDo = run._predicted + leads == 0,
            Details = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["model"] = models.Win.Id is { } win ? $"win:{win}" : "prior",
                ["value_model"] = models.Value.Id,
                ["time_model"] = models.Time.Id,
                ["risk_model"] = models.Risk.Id,
            },
        };
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await AddBlocksAsync(cancellationToken);
        List<(long Block, bool IsDue, int Deals)> all;
        await using (var connection = await _context.Database.OpenAsync(cancellationToken))
        {
            all = await _deals.BlocksAsync(connection, _context.Shard, cancellationToken);
        }

        _looked = all.Where(b => !b.IsDue).Sum(b => (long)b.Deals);
        _context.Advance(_looked);
        var blocks = all.Where(b => b.IsDue).Select(b => b.Block).ToArray();
        while (blocks.Length > 0)
        {
            await RunAsync(blocks, cancellationToken);
            blocks = [.. _overtaken];
            _overtaken.Clear();
            // Those of deals that came meanwhile.
            await AddBlocksAsync(cancellationToken);
        }
    }

    private async Task AddBlocksAsync(CancellationToken cancellationToken)
    {
        if (!_context.DryRun && !_isEndpoint)
        {
            await _context.Database.ExecuteAsync("predictions/add_blocks", [], cancellationToken);
        }
    }

    private async Task RunAsync(long[] blocks, CancellationToken cancellationToken)
    {
        // One of them that fails ends the others.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var read = Channel.CreateBounded<DealBlock>(1);
        var computed = Channel.CreateBounded<(DealBlock Block, EndpointAnswers Answers)>(1);
        await Task.WhenAll(
            OrEndAsync(ReadAsync(blocks, read.Writer, end.Token), end), OrEndAsync(ComputeAsync(read.Reader, computed.Writer, end.Token), end),
            OrEndAsync(WriteAsync(computed.Reader, end.Token), end));
    }

    private static async Task OrEndAsync(Task stage, CancellationTokenSource end)
    {
        try
        {
            await stage;
        }
        catch
        {
            await end.CancelAsync();
            throw;
        }
    }

    private async Task ReadAsync(long[] blocks, ChannelWriter<DealBlock> read, CancellationToken cancellationToken)
    {
        foreach (var number in blocks)
        {
            if (_remaining <= 0)
            {
                break;
            }

            var block = await _context.Database.InSnapshotAsync((connection, _, token) => _deals.ReadAsync(connection, number, token), cancellationToken);
            var limit = Interlocked.Read(ref _remaining);
            Interlocked.Add(ref _looked, block.Look.Open);
            Interlocked.Add(ref _left, Math.Max(block.Deals.Count - limit, 0));
            Interlocked.Add(ref _remaining, -Math.Min(block.Deals.Count, limit));
            foreach (var part in block.Split(_isEndpoint ? EndpointBlock : int.MaxValue, limit))
            {
                await read.WriteAsync(part, cancellationToken);
            }

            _context.Advance(block.Look.Open);
        }

        read.Complete();
    }

    private async Task ComputeAsync(
        ChannelReader<DealBlock> blocks, ChannelWriter<(DealBlock Block, EndpointAnswers Answers)> computed, CancellationToken cancellationToken)
    {
        await foreach (var block in blocks.ReadAllAsync(cancellationToken))
        {
            var answers = block.Deals.Count == 0 ? new EndpointAnswers([], true) : await Task.Run(() => _predict(block, cancellationToken), cancellationToken);
            await computed.WriteAsync((block, answers), cancellationToken);
            if (!answers.GoOn)
            {
                break;
            }
        }

        computed.Complete();
        // Nobody reads on where the endpoint is down: the reader must not wait for it.
        await foreach (var block in blocks.ReadAllAsync(cancellationToken))
        {
            Interlocked.Add(ref _left, block.Deals.Count);
        }
    }

    private async Task WriteAsync(ChannelReader<(DealBlock Block, EndpointAnswers Answers)> computed, CancellationToken cancellationToken)
    {
        await foreach (var (block, answers) in computed.ReadAllAsync(cancellationToken))
        {
            if (await WriteAsync(block, answers.Predictions, cancellationToken) is { } written)
            {
                _predicted += written;
                Interlocked.Add(ref _left, block.Deals.Count - answers.Predictions.Count);
            }
            else
            {
                _overtaken.Add(block.Look.Block);
                Interlocked.Add(ref _looked, -block.Look.Open);
                Interlocked.Add(ref _left, -block.Left);
                Interlocked.Add(ref _remaining, block.Deals.Count);
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>How many predictions were written; null where another run has written the block since it was read, and nothing was.</summary>
    private async Task<int?> WriteAsync(DealBlock block, IReadOnlyList<Prediction> predictions, CancellationToken cancellationToken)
    {
        // A run at an earlier instant than another one's leaves no trace of having looked.
        if (_context.DryRun || (predictions.Count == 0 && (_isEndpoint || (block.Look.DueIds.Length == 0 && !block.Look.IsNewest))))
        {
            return predictions.Count;
        }

        return await _context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await connection.ExecuteStatementAsync("database/set_actor", [("actor", PredictionJobs.Predict.Name)], token);
                if (!await TakeAsync(connection, block, token))
                {
                    return (int?)null;
                }

                return predictions.Count == 0 ? 0 : await StoreAsync(connection, predictions, token);
            },
            cancellationToken);
    }

    /// <summary>Takes the block and its rows off the list; false where another run has written since it was read.</summary>
    private async Task<bool> TakeAsync(NpgsqlConnection connection, DealBlock block, CancellationToken cancellationToken)
    {
        var look = block.Look;
        if (_isEndpoint)
        {
            await connection.ExecuteStatementAsync("predictions/spoil_block", [("block", look.Block)], cancellationToken);
            return true;
        }

        var taken = await connection.ExecuteStatementAsync(
            "predictions/take_block",
            [
                ("block", look.Block), ("version", look.Version), ("settings", block.Left > 0 ? "" : _deals.Settings), ("as_of", _context.AsOf), ("deals", look.Open),
            ],
            cancellationToken);
        if (taken == 1 && block.Left == 0 && look.DueIds.Length + block.Always.Count > 0)
        {
            await connection.ExecuteStatementAsync(
                "predictions/settle_due", [("deals", look.DueDeals), ("ids", look.DueIds), ("always", block.Always.ToArray())], cancellationToken);
        }

        return taken == 1;
    }

    private async Task<int> StoreAsync(NpgsqlConnection connection, IReadOnlyList<Prediction> predictions, CancellationToken cancellationToken)
    {
        var open = (await connection.QueryStatementAsync(
            "predictions/lock_deals", [("ids", predictions.Select(p => p.Deal.Id).ToArray())], row => (Id: row.GetInt64(0), IsMissing: row.GetBoolean(1)), cancellationToken))
            .ToDictionary(d => d.Id, d => d.IsMissing);
        var stored = (await connection.QueryStatementAsync("predictions/stored_predictions", [("ids", open.Keys.ToArray())], Stored.Read, cancellationToken))
            .ToDictionary(s => s.Id);
        var rows = predictions.Where(p => open.ContainsKey(p.Deal.Id))
            .Select(p => Merge(p, stored.GetValueOrDefault(p.Deal.Id), open[p.Deal.Id])).OfType<Prediction>().ToList();
        var ids = rows.Select(r => r.Deal.Id).ToArray();
        if (ids.Length == 0)
        {
            return 0;
        }

        await connection.ExecuteStatementAsync("predictions/remove_predictions", [("ids", ids)], cancellationToken);
        await connection.CopyAsync("predictions/copy_predictions", rows, (row, p) => p.Write(row, _context.AsOf), cancellationToken);
        await connection.ExecuteStatementAsync("predictions/apply_predictions", [("ids", ids)], cancellationToken);
        return ids.Length;
    }

    /// <summary>The row to store; null where another run has stored the same meanwhile.</summary>
    private Prediction? Merge(Prediction fresh, Stored? stored, bool isMissing)
    {
        var same = stored is not null && stored.Hash == fresh.Deal.Hash;
        if (same && (stored!.Parts & _parts) == _parts && !isMissing)
        {
            return null;
        }

        var percent = (int)Math.Round(fresh.Probability * 100, MidpointRounding.AwayFromZero);
        var merged = fresh with
        {
            Parts = _parts | (same ? stored!.Parts : 0),
            ProbabilityPct = _setsProbability && percent >= _threshold ? percent : null,
        };
        if ((_parts & Parts.Value) == 0)
        {
            merged = merged with { Value = stored?.Value, ExpectedValue = stored?.ExpectedValue, ValueModel = stored?.ValueModel };
        }

        return (_parts & Parts.Time) == 0 ? merged with { Days = stored?.Days ?? default, TimeModel = stored?.TimeModel } : merged;
    }

    /// <summary>What of a stored prediction may outlive a run that was not asked for it.</summary>
    private sealed record Stored(
        long Id, long Hash, int Parts, Estimate? Value, double? ExpectedValue, DaysToClose Days, long? ValueModel, long? TimeModel)
    {
        public static Stored Read(NpgsqlDataReader row)
        {
            double? At(int place) => row.IsDBNull(place) ? null : row.GetDouble(place);
            return new Stored(
                row.GetInt64(0), row.GetInt64(1), row.GetInt16(2),
                At(3) is { } value ? new Estimate(At(4) ?? value, value, At(5) ?? value) : null, At(6), new DaysToClose(At(7), At(8), At(9)),
                row.IsDBNull(10) ? null : row.GetInt64(10), row.IsDBNull(11) ? null : row.GetInt64(11));
        }
    }
}

/// <summary>What a prediction consists of; a run may be asked for some of it. The probability is always there, because the others build on it.</summary>
internal static class Parts
{
    public const int Probability = 1;
    public const int Value = 2;
    public const int Time = 4;

    /// <summary>The deal's probability_pct was set to it, or left alone because it is below the threshold.</summary>
    public const int Percent = 8;

    public static int Of(string modelType) => modelType switch
    {
        "probability" => Probability,
        "value" => Probability | Value,
        "time_to_close" => Probability | Time,
        _ => Probability | Value | Time,
    };
}

/// <summary>What became of a block.</summary>
/// <param name="Predictions">Of the deals that were answered.</param>
/// <param name="GoOn">False: nobody is there to be asked any more.</param>
internal sealed record EndpointAnswers(IReadOnlyList<Prediction> Predictions, bool GoOn);
