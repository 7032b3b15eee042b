using Google.OrTools.Graph;

namespace SalesTasks.Routing;

/// <summary>
/// The assignment as a min-cost flow: one unit from every lead, through the rep it is given to and one of that rep's places (each dearer than the
/// one before), or straight to the end where it stays with its owner. As many leads as can be are given away, at the greatest total score.
/// Solved by OR-Tools' cost-scaling push-relabel (Goldberg 1997, J. Algorithms 22:1–29).
/// </summary>
/// <param name="scores">Of the pairs and places.</param>
/// <param name="leads">The leads that may move, by their place in the situation.</param>
/// <param name="mayStay">Whether a lead of these may stay where it is.</param>
internal sealed class FlowNetwork(PairScores scores, int[] leads, Func<int, bool> mayStay)
{
    public const int Stays = -1;
    public const int Nobody = -2;

    /// <summary>Solves with the given pairs; gives each lead's rep, <see cref="Stays"/> or <see cref="Nobody"/>.</summary>
    /// <param name="candidates">For each lead the reps considered.</param>
    /// <param name="places">How many leads each rep may get here.</param>
    /// <param name="placePrice">Price of a rep's nth place.</param>
    /// <exception cref="InvalidOperationException">The solver gave up: a defect, since every network here has a flow.</exception>
    public int[] Solve(IReadOnlyList<int>[] candidates, int[] places, Func<int, int, long> placePrice)
    {
        var nodes = leads.Length + places.Length + 1;
        var end = nodes - 1;
        using var flow = new MinCostFlow(nodes, candidates.Sum(c => c.Count + 1) + places.Sum());
        var firstArc = new int[leads.Length + 1];
        for (var i = 0; i < leads.Length; i++)
        {
            firstArc[i] = flow.NumArcs();
            foreach (var rep in candidates[i])
            {
                flow.AddArcWithCapacityAndUnitCost(i, leads.Length + rep, 1, -scores.Whole(leads[i], rep));
            }

            if (mayStay(leads[i]))
            {
                flow.AddArcWithCapacityAndUnitCost(i, end, 1, -scores.WholeKeeping(leads[i]));
            }

            flow.SetNodeSupply(i, 1);
        }

        firstArc[^1] = flow.NumArcs();
        for (var rep = 0; rep < places.Length; rep++)
        {
            for (var n = 1; n <= places[rep]; n++)
            {
                flow.AddArcWithCapacityAndUnitCost(leads.Length + rep, end, 1, placePrice(rep, n));
            }
        }

        flow.SetNodeSupply(end, -leads.Length);
        var status = flow.SolveMaxFlowWithMinCost();
        if (status != MinCostFlow.Status.OPTIMAL)
        {
            throw new InvalidOperationException($"min-cost flow of {leads.Length} leads and {flow.NumArcs()} arcs: {status}");
        }

        var chosen = new int[leads.Length];
        for (var i = 0; i < leads.Length; i++)
        {
            chosen[i] = Nobody;
            for (var arc = firstArc[i]; arc < firstArc[i + 1]; arc++)
            {
                if (flow.Flow(arc) > 0)
                {
                    chosen[i] = arc - firstArc[i] < candidates[i].Count ? candidates[i][arc - firstArc[i]] : Stays;
                }
            }
        }

        return chosen;
    }
}
