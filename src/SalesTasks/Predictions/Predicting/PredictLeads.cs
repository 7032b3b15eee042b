using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Predicting;

/// <summary>
/// The published model's scores of leads without a deal, as if they were qualified now, for scoring to blend in. Deals' leads get theirs with their
/// deals; leads of closed deals have none. The plain rates score nobody: they would say the same of all leads of a source.
/// </summary>
internal sealed class PredictLeads(JobContext context, IWinModel model)
{
    private const int Block = 10_000;

    private readonly TimeSteps _steps = new(context.AsOf);
    private readonly byte[] _version = Encoding.UTF8.GetBytes(model.Version);

    /// <summary>Returns how many leads' scores were written.</summary>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        if (!context.DryRun)
        {
            await context.Database.ExecuteAsync(model.Id is null ? "predictions/drop_scores" : "predictions/drop_closed_scores", [], cancellationToken);
        }

        var written = 0L;
        var after = model.Id is null ? null : (long?)long.MinValue;
        while (after is { } place)
        {
            var (changed, last) = await ReadAsync(place, cancellationToken);
            after = last;
            if (changed.Hashes.Count == 0)
            {
                continue;
            }

            var (logOdds, _) = model.Predict(changed.Snapshots);
            var scores = Array.ConvertAll(logOdds, odds => (short)Math.Round(100 * Logits.ToProbability(odds), MidpointRounding.AwayFromZero));
            written += context.DryRun ? scores.Length : await context.Database.ExecuteAsync(
                "predictions/score_prospects",
                [
                    ("ids", changed.Snapshots.Moments.Select(m => m.PipelineId).ToArray()), ("scores", scores), ("hashes", changed.Hashes.ToArray()),
                    ("version", model.Version), ("as_of", context.AsOf),
                ],
                cancellationToken);
        }

        return written;
    }

    private async Task<((DealSnapshots Snapshots, List<long> Hashes) Changed, long? Last)> ReadAsync(long after, CancellationToken cancellationToken)
    {
        var hashes = new List<long>();
        var leads = new List<Moment>();
        var features = new FeatureRows();
        var looked = 0;
        var last = after;
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        await using var command = Sql.Command(
            connection, "predictions/prospects",
            ("after", after), ("limit", Block), ("shard_index", context.Shard.Index), ("shard_count", context.Shard.Count), ("as_of", context.AsOf));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var hasDeal = row.GetOrdinal("has_deal");
        var storedHash = row.GetOrdinal("inputs_hash");
        while (await row.ReadAsync(cancellationToken))
        {
            looked++;
            var id = last = row.GetInt64(0);
            if (row.GetBoolean(hasDeal))
            {
                continue;
            }

            // It enters the pipeline at this very moment, whenever in the day that is.
            features.Add(row, days => days == 0 ? 0 : _steps.Of(id, days));
            var hash = Hash(features);
            if (!row.IsDBNull(storedHash) && row.GetInt64(storedHash) == hash)
            {
                features.RemoveLast();
                continue;
            }

            hashes.Add(hash);
            leads.Add(new Moment(id, context.AsOf, null, null));
        }

        context.Advance(looked);
        return ((new DealSnapshots(leads, features.Table()), hashes), looked < Block ? null : last);
    }

    private long Hash(FeatureRows features)
    {
        using var buffer = new MemoryStream(256);
        using var writer = new BinaryWriter(buffer);
        writer.Write(_version);
        features.WriteLast(writer);
        return BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }
}
