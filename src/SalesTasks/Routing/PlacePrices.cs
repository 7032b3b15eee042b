namespace SalesTasks.Routing;

/// <summary>
/// What a place with each rep is worth in a plan (the dual of the flow): the least prices at which every lead is where its score less the price
/// is greatest. They explain the plan, and prove it: a pair left out of the network that beats a lead's net under these prices shows what the
/// network misses, and without such a pair the plan is optimal over all pairs.
/// </summary>
/// <remarks>Shortest paths (Bellman–Ford) over reps and the end only: the leads are folded into the edges between them.</remarks>
internal sealed class PlacePrices
{
    /// <summary>What a lead is worth without a rep: less than any chain of exchanges, so that it is never the cheaper way.</summary>
    private const long Abandoned = 1L << 52;

    private const long None = long.MaxValue / 4;

    private readonly long[] _prices;

    private PlacePrices(long[] prices) => _prices = prices;

    public long this[int rep] => IsContested(rep) ? _prices[rep] - Abandoned : _prices[rep];

    /// <summary>The rep is full, and a lead that could have a place with the rep has none at all: one more would leave one more without.</summary>
    public bool IsContested(int rep) => _prices[rep] > Abandoned / 2;

    /// <summary>Score less price; <see cref="IsContested"/> reps are out of reach for leads that have a place elsewhere.</summary>
    public long Net(PairScores scores, int lead, int rep) => scores.Whole(lead, rep) - _prices[rep];

    /// <summary>The net of what the plan has for the lead.</summary>
    public long NetOf(PairScores scores, int lead, int chosen) => chosen switch
    {
        FlowNetwork.Nobody => -Abandoned,
        FlowNetwork.Stays => scores.WholeKeeping(lead),
        _ => Net(scores, lead, chosen),
    };

    /// <param name="scores">Of the pairs and places.</param>
    /// <param name="leads">The leads of the network.</param>
    /// <param name="mayStay">As in the network.</param>
    /// <param name="candidates">As in the network.</param>
    /// <param name="chosen">The network's solution.</param>
    /// <param name="places">As in the network.</param>
    /// <param name="placePrice">As in the network.</param>
    public static PlacePrices Of(
        PairScores scores, int[] leads, Func<int, bool> mayStay, IReadOnlyList<int>[] candidates, int[] chosen, int[] places,
        Func<int, int, long> placePrice)
    {
        var end = places.Length;
        var edges = new long[end + 1, end + 1];
        for (var from = 0; from <= end; from++)
        {
            for (var to = 0; to <= end; to++)
            {
                edges[from, to] = None;
            }
        }

        void Edge(int from, int to, long length) => edges[from, to] = Math.Min(edges[from, to], length);

        var used = new int[places.Length];
        for (var i = 0; i < leads.Length; i++)
        {
            var to = chosen[i] >= 0 ? chosen[i] : end;
            var value = chosen[i] switch
            {
                FlowNetwork.Nobody => -Abandoned,
                FlowNetwork.Stays => scores.WholeKeeping(leads[i]),
                _ => scores.Whole(leads[i], chosen[i]),
            };
            foreach (var rep in candidates[i])
            {
                if (rep != to)
                {
                    Edge(rep, to, value - scores.Whole(leads[i], rep));
                }
            }

            if (to != end)
            {
                used[to]++;
                Edge(end, to, value - (mayStay(leads[i]) ? scores.WholeKeeping(leads[i]) : -Abandoned));
            }
        }

        for (var rep = 0; rep < places.Length; rep++)
        {
            if (places[rep] > 0)
            {
                Edge(rep, end, -placePrice(rep, Math.Max(used[rep], 1)));
            }
        }

        return new PlacePrices(Least(edges, end));
    }

    /// <summary>The least prices: the negative distances to the end.</summary>
    private static long[] Least(long[,] edges, int end)
    {
        var distance = new long[end + 1];
        Array.Fill(distance, None);
        distance[end] = 0;
        var changed = true;
        for (var round = 0; changed; round++)
        {
            if (round > end + 1)
            {
                throw new InvalidOperationException("place prices: the plan is not optimal for its own network");
            }

            changed = false;
            for (var from = 0; from < end; from++)
            {
                for (var to = 0; to <= end; to++)
                {
                    if (distance[to] < None && edges[from, to] < None && edges[from, to] + distance[to] < distance[from])
                    {
                        distance[from] = edges[from, to] + distance[to];
                        changed = true;
                    }
                }
            }
        }

        return [.. distance.Take(end).Select(d => d == None ? 0 : -d)];
    }
}
