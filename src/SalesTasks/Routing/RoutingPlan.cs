namespace SalesTasks.Routing;

/// <summary>What became of a lead; the database's <c>routing_outcome</c>.</summary>
internal enum RoutingOutcome
{
    /// <summary>It had nobody.</summary>
    Assigned,

    /// <summary>It went from one owner to another.</summary>
    Reassigned,

    /// <summary>It stays with its owner.</summary>
    Kept,

    /// <summary>Nobody works on it: unassigned, or with a rep who is not active any more.</summary>
    Left,
}

/// <summary>Why; the database's <c>routing_reason</c>.</summary>
internal enum RoutingReason
{
    Best,

    /// <summary>Passed on as often as allowed.</summary>
    HopLimit,

    /// <summary>Passed on not long ago.</summary>
    Resting,

    /// <summary>More than the run may reassign; others gain more by it.</summary>
    ReassignmentLimit,

    /// <summary>No other rep may have it.</summary>
    NobodyElse,

    /// <summary>Only in replays with more days: it was not stale by then.</summary>
    NotStale,

    NoActiveRep,
    AllAbsent,

    /// <summary>None of those who are there speaks the language.</summary>
    Language,

    /// <summary>None of those who speak the language serves the region.</summary>
    Region,

    /// <summary>Those who may have it were full before the run.</summary>
    Full,

    /// <summary>The free places went to leads that gain more.</summary>
    Outbid,

    // From here on: something happened between the plan and its writing.
    Closed,
    Taken,
    Contacted,
    RepInactive,
    RepAbsent,
    RepFull,
}

/// <summary>A rep considered for a lead.</summary>
/// <param name="Rep">Place among the situation's reps.</param>
/// <param name="Score">What the rep is worth for the lead.</param>
/// <param name="Price">What a place with the rep costs; NaN where it cannot be had without leaving another lead without anybody.</param>
internal readonly record struct Candidate(int Rep, PairScore Score, double Price)
{
    public double Net => Score.Total - Price;
}

/// <summary>The decision about one lead.</summary>
/// <param name="Outcome">What is to become of it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Chosen">The rep it goes to, else null.</param>
internal readonly record struct Decision(RoutingOutcome Outcome, RoutingReason Reason, int? Chosen);

/// <summary>What a run is to do.</summary>
internal sealed record RoutingPlan
{
    /// <summary>In the order of the situation's leads.</summary>
    public required Decision[] Decisions { get; init; }

    /// <summary>Leads each rep gets.</summary>
    public required int[] Planned { get; init; }

    /// <summary>Expected gain of the leads that had nobody and get somebody.</summary>
    public required double ExpectedGain { get; init; }

    /// <summary>The same of giving each of them in turn to the free rep who gains most with it.</summary>
    public required double GreedyGain { get; init; }

    /// <summary>What a perfect plan could score more, at most, as a share; 0: this one is proven optimal.</summary>
    public required double OptimalityGap { get; init; }

    /// <summary>Times the network was solved.</summary>
    public required int Rounds { get; init; }

    public required PairScores Scores { get; init; }

    public required PlacePrices Prices { get; init; }

    public int Count(RoutingOutcome outcome) => Decisions.Count(d => d.Outcome == outcome);

    /// <summary>The situation's leads.</summary>
    public required IReadOnlyList<RoutingLead> Leads { get; init; }

    /// <summary>
    /// The best candidates for a lead, the greatest net first: the chosen one, the owner where the lead may stay, and others up to
    /// <paramref name="count"/>.
    /// </summary>
    public List<Candidate> Candidates(int lead, int count)
    {
        var (l, decision) = (Leads[lead], Decisions[lead]);
        // A lead without a place, or with one that another goes without for: reps that others cannot reach are its like.
        var among = decision.Outcome is RoutingOutcome.Left || (decision.Chosen is { } with && Prices.IsContested(with));
        var candidates = new List<Candidate>();
        foreach (var rep in Scores.Eligible[l.Class])
        {
            if (rep != l.Owner || l.Kind is not LeadKind.Stale)
            {
                candidates.Add(new Candidate(
                    rep, Scores.Score(lead, rep), Prices.IsContested(rep) && !among ? double.NaN : Scores.Money(Prices[rep])));
            }
        }

        if (l is { Kind: LeadKind.Stale, Owner: >= 0 })
        {
            candidates.Add(new Candidate(l.Owner, Scores.KeepingScore(lead), Scores.KeepingPrice(lead)));
        }

        // The lot is part of it: what a person sees as equal is in the order in which the plan saw it.
        double Rank(Candidate c) => c.Rep == decision.Chosen ? double.MaxValue : double.IsNaN(c.Price) ? double.MinValue : c.Net;
        candidates.Sort((a, b) => Rank(b).CompareTo(Rank(a)));
        return candidates.Count <= count ? candidates : [.. candidates.Take(count)];
    }
}
