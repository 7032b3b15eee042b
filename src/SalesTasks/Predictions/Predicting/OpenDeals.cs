using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Npgsql;
using SalesTasks.Cli;
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

/// <summary>What there is to do in a block of deals, as one snapshot has it.</summary>
/// <param name="Block">Its number: sales_pipeline.id / 4,096.</param>
/// <param name="Version">Of what was read; another one when it is written means that another run has written meanwhile. Null: no run has written yet.</param>
/// <param name="IsNewest">No run has worked at a later instant.</param>
/// <param name="IsWhole">All of its open deals have to be looked at.</param>
/// <param name="Open">How many those are.</param>
/// <param name="DueDeals">Of the rows on the list, the deals.</param>
/// <param name="DueIds">And their numbers.</param>
internal sealed record BlockLook(long Block, long? Version, bool IsNewest, bool IsWhole, int Open, long[] DueDeals, long[] DueIds);

/// <summary>Deals that are to be predicted, one a row of the snapshots.</summary>
/// <param name="Look">The block they are of.</param>
/// <param name="Deals">The deals.</param>
/// <param name="Snapshots">What is known about them; spans of time in steps.</param>
internal sealed record DealBlock(BlockLook Look, IReadOnlyList<OpenDeal> Deals, DealSnapshots Snapshots)
{
    /// <summary>Deals that change with every instant, and so are looked at by every run.</summary>
    public IReadOnlyList<long> Always { get; init; } = [];

    /// <summary>Deals that were left out: with any, the block is not done.</summary>
    public int Left { get; init; }

    /// <summary>The first so many deals in smaller blocks; at least one.</summary>
    public IEnumerable<DealBlock> Split(int size, long limit)
    {
        var all = (int)Math.Min(Deals.Count, limit);
        var start = 0;
        do
        {
            var part = start..Math.Min(start + size, all);
            yield return this with { Deals = [.. Deals.Take(part)], Snapshots = Snapshots.Part(part), Left = Deals.Count - all };
            start += size;
        }
        while (start < all);
    }
}

/// <summary>
/// Reads open deals block by block and leaves out those whose prediction is current. Within a UTC day spans of time stay as they are: once all of a
/// block's deals were looked at, only those on the list <c>deal_prediction_due</c> can have changed.
/// </summary>
/// <param name="asOf">The instant of the run.</param>
/// <param name="fingerprint">Of what all deals' predictions follow from: models and parameters.</param>
/// <param name="parts">What is asked for.</param>
/// <param name="withScore">
/// Whether score, priority and probability_pct are inputs: the endpoint gets them. Nothing puts a deal on the list for those, so all are looked at.
/// </param>
internal sealed class OpenDeals(DateTimeOffset asOf, string fingerprint, int parts, bool withScore)
{
    /// <summary>A deal so old begins a fixed span before any instant, so that the span to its first contact changes with every instant.</summary>
    private const double Oldest = 365 * 30;

    private readonly TimeSteps _steps = new(asOf);
    private readonly byte[] _fingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint));

    /// <summary>Of all that other deals than those on the list could change by; of the program too, whose features a newer one may read otherwise.</summary>
    public string Settings { get; } = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{ProgramInfo.Version} {parts} {fingerprint}")));

    /// <summary>The blocks of a shard in order: whether there is anything to look at, and how many deals were open when it was looked at.</summary>
    public Task<List<(long Block, bool IsDue, int Deals)>> BlocksAsync(
        NpgsqlConnection connection, Airflow.Shard shard, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "predictions/blocks",
            [("settings", Settings), ("as_of", asOf), ("shard_index", shard.Index), ("shard_count", shard.Count)],
            row => (row.GetInt64(0), withScore || row.GetBoolean(1), row.GetInt32(2)),
            cancellationToken);

    /// <summary>Reads a block.</summary>
    /// <param name="connection">In a transaction with one snapshot: what is read off the list belongs to what is read of the deals.</param>
    /// <param name="block">Its number.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<DealBlock> ReadAsync(NpgsqlConnection connection, long block, CancellationToken cancellationToken)
    {
        var look = (await connection.QueryStatementAsync(
            "predictions/look_at_block",
            [("block", block), ("settings", Settings), ("as_of", asOf)],
            row => new BlockLook(
                block, row.IsDBNull(0) ? null : row.GetInt64(0), row.GetBoolean(1), withScore || row.GetBoolean(2), row.GetInt32(3),
                row.GetFieldValue<long[]>(4), row.GetFieldValue<long[]>(5)),
            cancellationToken))[0];
        var deals = new List<OpenDeal>();
        var always = new List<long>();
        var features = new FeatureRows();
        if (look.IsWhole || look.DueDeals.Length > 0)
        {
            await using var command = Sql.Command(
                connection, "predictions/open_deals", ("block", block), ("is_whole", look.IsWhole), ("deals", look.DueDeals), ("as_of", asOf));
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            var places = new Places(row);
            while (await row.ReadAsync(cancellationToken))
            {
                var id = row.GetInt64(0);
                var deal = new OpenDeal(
                    id, 0, Optional(row, places.Value), Whole(row, places.Score), row.IsDBNull(places.Priority) ? null : row.GetString(places.Priority),
                    Whole(row, places.ProbabilityPct), Optional(row, places.Interval));
                if (row.GetDouble(places.DaysInPipeline) >= Oldest && !row.IsDBNull(places.HoursToFirstContact))
                {
                    always.Add(id);
                }

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
        }

        return new DealBlock(look, deals, new DealSnapshots([.. deals.Select(d => new Moment(d.Id, asOf, null, null))], features.Table())) { Always = always };
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
        public int Value { get; } = row.GetOrdinal("estimated_value");

        public int Score { get; } = row.GetOrdinal("score");

        public int Priority { get; } = row.GetOrdinal("priority");

        public int ProbabilityPct { get; } = row.GetOrdinal("probability_pct");

        public int Interval { get; } = row.GetOrdinal("interval_days");

        public int Hash { get; } = row.GetOrdinal("inputs_hash");

        public int Parts { get; } = row.GetOrdinal("parts");

        public int IsMissing { get; } = row.GetOrdinal("is_missing");

        public int DaysInPipeline { get; } = row.GetOrdinal("days_in_pipeline");

        public int HoursToFirstContact { get; } = row.GetOrdinal("hours_to_first_contact");
    }
}
