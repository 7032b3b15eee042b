using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Predicting;

/// <summary>What is known of an open deal beside its features.</summary>
/// <param name="Id">sales_pipeline.id.</param>
/// <param name="Hash">Of everything its prediction follows from.</param>
/// <param name="EstimatedValue">Its own; null where nobody gave one.</param>
/// <param name="Score">The lead's score.</param>
/// <param name="Priority">Its priority.</param>
/// <param name="ProbabilityPct">As it stands.</param>
/// <param name="IntervalDays">The learned days from one contact to the next; null where nothing was learned.</param>
internal sealed record OpenDeal(long Id, long Hash, double? EstimatedValue, int? Score, string? Priority, int? ProbabilityPct, double? IntervalDays);

/// <summary>Deals that are to be predicted, one a row of the snapshots.</summary>
/// <param name="Deals">The deals.</param>
/// <param name="Snapshots">What is known about them; spans of time in steps.</param>
internal sealed record DealBlock(IReadOnlyList<OpenDeal> Deals, DealSnapshots Snapshots)
{
    /// <summary>Open deals that were looked at, those with a current prediction included.</summary>
    public int Looked { get; init; }

    /// <summary>Where the next block begins; null: there is none.</summary>
    public long? Last { get; init; }

    /// <summary>The first so many deals in smaller blocks.</summary>
    public IEnumerable<DealBlock> Split(int size, long limit)
    {
        var all = (int)Math.Min(Deals.Count, limit);
        for (var start = 0; start < all; start += size)
        {
            var part = start..Math.Min(start + size, all);
            yield return new DealBlock([.. Deals.Take(part)], Snapshots.Part(part));
        }
    }
}

/// <summary>Reads open deals block by block and leaves out those whose prediction is current.</summary>
/// <param name="asOf">The instant of the run.</param>
/// <param name="fingerprint">Of what all deals' predictions follow from: models and parameters.</param>
/// <param name="parts">What is asked for.</param>
/// <param name="withScore">Whether score, priority and probability_pct are inputs: the endpoint gets them.</param>
internal sealed class OpenDeals(DateTimeOffset asOf, string fingerprint, int parts, bool withScore)
{
    private readonly TimeSteps _steps = new(asOf);
    private readonly byte[] _fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint));

    /// <param name="connection">Where.</param>
    /// <param name="after">Deals with greater ids.</param>
    /// <param name="limit">How many.</param>
    /// <param name="shard">Which of them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<DealBlock> ReadAsync(
        NpgsqlConnection connection, long after, int limit, Airflow.Shard shard, CancellationToken cancellationToken)
    {
        var deals = new List<OpenDeal>();
        var features = new FeatureRows();
        var looked = 0;
        var last = after;
        await using var command = Sql.Command(
            connection, "predictions/open_deals",
            ("after", after), ("limit", limit), ("shard_index", shard.Index), ("shard_count", shard.Count), ("as_of", asOf));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var places = new Places(row);
        while (await row.ReadAsync(cancellationToken))
        {
            looked++;
            last = row.GetInt64(0);
            if (row.IsDBNull(places.Stage))
            {
                continue;
            }

            var id = last;
            var deal = new OpenDeal(
                id, 0, Optional(row, places.Value), Whole(row, places.Score), row.IsDBNull(places.Priority) ? null : row.GetString(places.Priority),
                Whole(row, places.ProbabilityPct), Optional(row, places.Interval));
            features.Add(row, days => _steps.Of(id, days));
            var hash = Hash(deal, features);
            var current = !row.IsDBNull(places.Hash) && row.GetInt64(places.Hash) == hash && (row.GetInt16(places.Parts) & parts) == parts
                && !row.GetBoolean(places.IsMissing);
            if (current)
            {
                features.RemoveLast();
            }
            else
            {
                deals.Add(deal with { Hash = hash });
            }
        }

        return new DealBlock(deals, new DealSnapshots([.. deals.Select(d => new Moment(d.Id, asOf, null, null))], features.Table()))
        {
            Looked = looked,
            Last = looked < limit ? null : last,
        };
    }

    private long Hash(OpenDeal deal, FeatureRows features)
    {
        using var buffer = new MemoryStream(512);
        using var writer = new BinaryWriter(buffer);
        writer.Write(_fingerprint);
        features.WriteLast(writer);
        writer.Write(deal.EstimatedValue ?? double.NaN);
        writer.Write(deal.IntervalDays ?? double.NaN);
        if (withScore)
        {
            writer.Write(deal.Score ?? -1);
            writer.Write(deal.Priority ?? "");
        }

        return BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    private static double? Optional(NpgsqlDataReader row, int place) => row.IsDBNull(place) ? null : row.GetDouble(place);

    private static int? Whole(NpgsqlDataReader row, int place) => row.IsDBNull(place) ? null : row.GetInt32(place);

    private sealed class Places(NpgsqlDataReader row)
    {
        public int Stage { get; } = row.GetOrdinal("stage");

        public int Value { get; } = row.GetOrdinal("estimated_value");

        public int Score { get; } = row.GetOrdinal("score");

        public int Priority { get; } = row.GetOrdinal("priority");

        public int ProbabilityPct { get; } = row.GetOrdinal("probability_pct");

        public int Interval { get; } = row.GetOrdinal("interval_days");

        public int Hash { get; } = row.GetOrdinal("inputs_hash");

        public int Parts { get; } = row.GetOrdinal("parts");

        public int IsMissing { get; } = row.GetOrdinal("is_missing");
    }
}
