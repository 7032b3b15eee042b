namespace SalesTasks.Routing;

/// <summary>
/// Decides about all leads of a situation at once. Pure: the same situation, settings and seed give the same plan.
/// </summary>
internal sealed class RoutingPlanner
{
    /// <summary>Up to here every pair is in the network; beyond, those that can matter.</summary>
    private const long DensePairs = 1_000_000;

    /// <summary>Pairs of a lead in a large network to begin with: the best by estimated prices, and some by lot.</summary>
    private const int BestPairs = 6;

    private const int LotPairs = 2;

    /// <summary>Leads in the sample that prices are estimated from.</summary>
    private const int SampleLeads = 4_000;

    /// <summary>A gap this small ends the search for pairs that are missing.</summary>
    private const double GoodGap = 1e-5;

    private const int MaxRounds = 5;

    private readonly RoutingSituation _situation;
    private readonly RoutingSettings _settings;
    private readonly PairScores _scores;
    private int _rounds;

    private RoutingPlanner(RoutingSituation situation, RoutingSettings settings)
    {
        _situation = situation;
        _settings = settings;
        _scores = new PairScores(situation, settings);
    }

    public static RoutingPlan Plan(RoutingSituation situation, RoutingSettings settings, CancellationToken cancellationToken) =>
        new RoutingPlanner(situation, settings).Plan(cancellationToken);

    private RoutingPlan Plan(CancellationToken cancellationToken)
    {
        var decisions = new Decision[_situation.Leads.Count];
        var movable = new SortedSet<int>();
        for (var lead = 0; lead < decisions.Length; lead++)
        {
            if (Hindrance(lead) is { } hindrance)
            {
                decisions[lead] = hindrance;
            }
            else
            {
                movable.Add(lead);
            }
        }

        var solution = Solve([.. movable], cancellationToken);
        if (Excess(solution) is { Count: > 0 } excess)
        {
            // Those that were to stay do so for good now: the places that become free again are for leads that nobody has.
            for (var i = 0; i < solution.Leads.Length; i++)
            {
                var lead = solution.Leads[i];
                if (_situation.Leads[lead].Kind is not LeadKind.Unassigned && (solution.Chosen[i] < 0 || excess.Contains(lead)))
                {
                    decisions[lead] = excess.Contains(lead) ? Stay(lead, RoutingReason.ReassignmentLimit) : Unmoved(solution.Chosen[i]);
                    movable.Remove(lead);
                }
            }

            solution = Solve([.. movable], cancellationToken);
        }

        var planned = new int[_situation.Reps.Count];
        for (var i = 0; i < solution.Leads.Length; i++)
        {
            var lead = solution.Leads[i];
            decisions[lead] = solution.Chosen[i] switch
            {
                >= 0 and var rep => new Decision(
                    _situation.Leads[lead].Kind is LeadKind.Unassigned ? RoutingOutcome.Assigned : RoutingOutcome.Reassigned, RoutingReason.Best, rep),
                var none => Unmoved(none),
            };
            if (solution.Chosen[i] >= 0)
            {
                planned[solution.Chosen[i]]++;
            }
        }

        var (gain, greedy) = Compare(decisions);
        return new RoutingPlan
        {
            Decisions = decisions,
            Planned = planned,
            ExpectedGain = gain,
            GreedyGain = greedy,
            OptimalityGap = solution.Gap,
            Rounds = _rounds,
            Leads = _situation.Leads,
            Scores = _scores,
            Prices = solution.Prices,
        };
    }

    /// <summary>The decision about a lead that needs no plan; null where it does.</summary>
    private Decision? Hindrance(int index)
    {
        var lead = _situation.Leads[index];
        if (lead.Kind is LeadKind.Stale)
        {
            if (Math.Min(lead.SilentDays ?? double.MaxValue, lead.OwnedDays ?? double.MaxValue) < _settings.StaleDays)
            {
                return Stay(index, RoutingReason.NotStale);
            }

            if (_settings.MaxReassignmentsPerLead > 0 && lead.Hops >= _settings.MaxReassignmentsPerLead)
            {
                return Stay(index, RoutingReason.HopLimit);
            }

            if (lead.Hops > 0 && lead.OwnedDays < _settings.RestDays)
            {
                return Stay(index, RoutingReason.Resting);
            }
        }

        if (Reps(index).Any())
        {
            return null;
        }

        return lead.Kind is LeadKind.Stale ? Stay(index, RoutingReason.NobodyElse) : new Decision(RoutingOutcome.Left, WhyNobody(lead), null);
    }

    private static Decision Unmoved(int chosen) => chosen == FlowNetwork.Stays
        ? new Decision(RoutingOutcome.Kept, RoutingReason.Best, null)
        : new Decision(RoutingOutcome.Left, RoutingReason.Outbid, null);

    private Decision Stay(int lead, RoutingReason reason) =>
        new(_situation.Leads[lead].Kind is LeadKind.Stale ? RoutingOutcome.Kept : RoutingOutcome.Left, reason, null);

    /// <summary>The reps a lead may go to.</summary>
    private IEnumerable<int> Reps(int lead)
    {
        var owner = _situation.Leads[lead].Owner;
        var eligible = _scores.Eligible[_situation.Leads[lead].Class];
        return owner >= 0 && _situation.Leads[lead].Kind is LeadKind.Stale ? eligible.Where(rep => rep != owner) : eligible;
    }

    /// <summary>The rule that excluded those who came furthest.</summary>
    private RoutingReason WhyNobody(RoutingLead lead)
    {
        var furthest = _scores.Excluded[lead.Class].DefaultIfEmpty(Exclusion.Inactive).Max();
        return furthest switch
        {
            Exclusion.Full => RoutingReason.Full,
            Exclusion.Region => RoutingReason.Region,
            Exclusion.Language => RoutingReason.Language,
            Exclusion.Absent => RoutingReason.AllAbsent,
            _ => RoutingReason.NoActiveRep,
        };
    }

    private bool MayStay(int lead) => _situation.Leads[lead].Kind is LeadKind.Stale;

    /// <summary>Leads that would be reassigned beyond the run's limit: those that gain least by it.</summary>
    private HashSet<int> Excess(Solution solution)
    {
        if (_settings.MaxReassignmentsPerRun == 0)
        {
            return [];
        }

        return
        [
            .. solution.Leads.Index()
                .Where(l => solution.Chosen[l.Index] >= 0 && _situation.Leads[l.Item].Kind is not LeadKind.Unassigned)
                .OrderByDescending(l => solution.Prices.Net(_scores, l.Item, solution.Chosen[l.Index])
                    - (MayStay(l.Item) ? _scores.WholeKeeping(l.Item) : 0))
                .ThenBy(l => l.Item)
                .Skip(_settings.MaxReassignmentsPerRun)
                .Select(l => l.Item),
        ];
    }

    private Solution Solve(int[] leads, CancellationToken cancellationToken)
    {
        var network = new FlowNetwork(_scores, leads, MayStay);
        var all = leads.Sum(lead => (long)_scores.Eligible[_situation.Leads[lead].Class].Length);
        var dense = all <= DensePairs;
        var candidates = dense ? Array.ConvertAll(leads, lead => (IReadOnlyList<int>)[.. Reps(lead)]) : FirstCandidates(leads, cancellationToken);
        for (var round = 1; ; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _rounds++;
            var chosen = network.Solve(candidates, _scores.Free, _scores.WholePlacePrice);
            var prices = PlacePrices.Of(_scores, leads, MayStay, candidates, chosen, _scores.Free, _scores.WholePlacePrice);
            if (dense)
            {
                return new Solution(leads, chosen, prices, 0);
            }

            var gap = Widen(leads, chosen, prices, candidates);
            if (gap <= GoodGap || round == MaxRounds)
            {
                return new Solution(leads, chosen, prices, gap);
            }
        }
    }

    /// <summary>
    /// Adds to each lead's candidates those that beat what it has under the present prices (column generation), and gives the bound on what that
    /// may gain, as a share of the plan's score.
    /// </summary>
    private double Widen(int[] leads, int[] chosen, PlacePrices prices, IReadOnlyList<int>[] candidates)
    {
        double score = 0, missed = 0;
        var better = new List<(long Net, int Rep)>();
        for (var i = 0; i < leads.Length; i++)
        {
            var net = prices.NetOf(_scores, leads[i], chosen[i]);
            better.Clear();
            foreach (var rep in Reps(leads[i]))
            {
                if (prices.Net(_scores, leads[i], rep) is var other && other > net)
                {
                    better.Add((other, rep));
                }
            }

            if (chosen[i] >= 0)
            {
                score += _scores.Whole(leads[i], chosen[i]);
            }

            if (better.Count > 0)
            {
                missed += better.Max(b => b.Net) - net;
                candidates[i] = [.. candidates[i].Union(better.OrderByDescending(b => b.Net).Take(4).Select(b => b.Rep))];
            }
        }

        return missed / Math.Max(score, 1);
    }

    /// <summary>
    /// For each lead the reps with the best score less price, and some by lot. The prices come from a sample of the leads, with every pair and
    /// with as many places in proportion.
    /// </summary>
    private IReadOnlyList<int>[] FirstCandidates(int[] leads, CancellationToken cancellationToken)
    {
        var step = Math.Max(leads.Length / SampleLeads, 1);
        var sample = leads.Where((_, i) => i % step == 0).ToArray();
        var share = sample.Length / (double)leads.Length;
        int[] places = [.. _scores.Free.Select(free => (int)Math.Ceiling(free * share))];
        long PlacePrice(int rep, int number) => _scores.WholePlacePrice(rep, Math.Clamp((int)Math.Round((number - 0.5) / share), 1, _scores.Free[rep]));

        var pairs = Array.ConvertAll(sample, lead => (IReadOnlyList<int>)[.. Reps(lead)]);
        cancellationToken.ThrowIfCancellationRequested();
        var chosen = new FlowNetwork(_scores, sample, MayStay).Solve(pairs, places, PlacePrice);
        var prices = PlacePrices.Of(_scores, sample, MayStay, pairs, chosen, places, PlacePrice);
        var random = new Random(unchecked((int)_situation.Seed));
        return Array.ConvertAll(leads, lead =>
        {
            var reps = Reps(lead).ToArray();
            if (reps.Length <= BestPairs + LotPairs)
            {
                return reps;
            }

            var nets = Array.ConvertAll(reps, rep => -prices.Net(_scores, lead, rep));
            Array.Sort(nets, reps);
            var picked = new HashSet<int>(reps.Take(BestPairs));
            while (picked.Count < BestPairs + LotPairs)
            {
                picked.Add(reps[random.Next(reps.Length)]);
            }

            return (IReadOnlyList<int>)[.. picked];
        });
    }

    private (double Plan, double Greedy) Compare(Decision[] decisions)
    {
        double plan = 0, greedy = 0;
        var free = (int[])_scores.Free.Clone();
        for (var lead = 0; lead < decisions.Length; lead++)
        {
            if (_situation.Leads[lead].Kind is LeadKind.Stale)
            {
                continue;
            }

            if (decisions[lead].Chosen is { } chosen)
            {
                plan += _scores.Gain(lead, chosen);
            }

            int best = -1;
            var bestGain = double.MinValue;
            foreach (var rep in _scores.Eligible[_situation.Leads[lead].Class])
            {
                if (free[rep] > 0 && _scores.Gain(lead, rep) is var gain && gain > bestGain)
                {
                    (best, bestGain) = (rep, gain);
                }
            }

            if (best >= 0)
            {
                free[best]--;
                greedy += bestGain;
            }
        }

        return (plan, greedy);
    }

    private sealed record Solution(int[] Leads, int[] Chosen, PlacePrices Prices, double Gap);
}
