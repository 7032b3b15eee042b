namespace SalesTasks.Routing;

/// <summary>What one rep is worth for one lead, in money.</summary>
internal readonly record struct PairScore(double Gain, double Specialisation, double Keeping)
{
    public double Total => Gain + Specialisation + Keeping;
}

/// <summary>
/// Who may have which lead, and what each pair is worth. Whole numbers for the solver: money × <see cref="Scale"/>, then eight bits in which ties
/// are drawn by lot.
/// </summary>
internal sealed class PairScores
{
    /// <summary>The lot; see <see cref="Balance"/>.</summary>
    private const int LotBits = 8;

    /// <summary>
    /// What each further lead costs a rep at the least: more than any lot is worth, so that reps who are otherwise equal share evenly even
    /// where loads are not weighed. Some hundred-thousandths of the greatest score at most.
    /// </summary>
    private const long Balance = 2 << LotBits;

    private const double GreatestScore = 1L << 32;

    /// <summary>
    /// A lead counts as worth this many times the typical one at most: a placeholder such as 9,999,999,999.99 would otherwise leave so little
    /// room for all other values that the balance of loads outweighs them.
    /// </summary>
    private const double GreatestValue = 16_384;

    private readonly RoutingSituation _situation;
    private readonly RoutingSettings _settings;
    private readonly double[][] _productOdds;
    private readonly double[][] _regionOdds;
    private readonly bool[][] _declared;
    private readonly int[] _regionOf;
    private readonly ulong[] _repLots;

    public PairScores(RoutingSituation situation, RoutingSettings settings)
    {
        _situation = situation;
        _settings = settings;
        var reps = situation.Reps;
        Typical = TypicalValue(situation.Leads);
        Capacity = [.. reps.Select(r => r.Capacity ?? settings.MaxActiveLeads)];
        Free = [.. reps.Select((r, j) => r.Active && !r.Absent ? Math.Clamp(Capacity[j] - r.Load, 0, situation.Leads.Count) : 0)];
        Excluded = [.. situation.Classes.Select(c => reps.Select((r, j) => ExclusionOf(r, j, c)).ToArray())];
        Eligible = [.. Excluded.Select(e => Enumerable.Range(0, e.Length).Where(j => e[j] == Exclusion.None).ToArray())];
        var special = settings.Specialization;
        _productOdds = [.. situation.Products.Select((_, p) => reps.Select(r =>
            Math.Exp(r.Skill.Overall + (special ? r.Skill.Products.ElementAtOrDefault(p) : 0))).ToArray())];
        _regionOdds = [.. situation.Regions.Select((_, s) => reps.Select(r =>
            Math.Exp(special ? r.Skill.Regions.ElementAtOrDefault(s) : 0)).ToArray()), .. (double[][])[[.. reps.Select(_ => 1.0)]]];
        _declared = [.. situation.Products.Select(p => reps.Select(r => special && r.Specialisations.Contains(p, StringComparer.Ordinal)).ToArray())];
        var regions = situation.Regions.Index().ToDictionary(r => r.Item, r => r.Index, StringComparer.Ordinal);
        _regionOf = [.. situation.Classes.Select(c => regions.GetValueOrDefault(c.RegionOrCountry, situation.Regions.Count))];
        _repLots = [.. reps.Select(r => Mix(Hash(r.Email) ^ (ulong)situation.Seed))];
        var greatest = situation.Leads.Count == 0 ? 1 : Math.Min(situation.Leads.Max(l => l.Value), Typical * GreatestValue);
        Scale = GreatestScore / Math.Max(Math.Max(greatest, Typical), 1e-9) / 2;
    }

    /// <summary>Value × probability of the median lead: the unit of what is weighed per rep.</summary>
    public double Typical { get; }

    /// <summary>Whole numbers per unit of money, before the lot.</summary>
    public double Scale { get; }

    /// <summary>Open deals each rep may have.</summary>
    public int[] Capacity { get; }

    /// <summary>Leads each rep may get: not more than there are, whatever the capacity.</summary>
    public int[] Free { get; }

    /// <summary>By class and rep: the first rule that keeps such leads from the rep.</summary>
    public Exclusion[][] Excluded { get; }

    /// <summary>By class: the reps no rule excludes.</summary>
    public int[][] Eligible { get; }

    public double Odds(int lead, int rep)
    {
        var l = _situation.Leads[lead];
        return l.Probability / (1 - l.Probability) * _productOdds[l.Product][rep] * _regionOdds[_regionOf[l.Class]][rep];
    }

    /// <summary>Expected gain: value × win probability of this lead with this rep.</summary>
    public double Gain(int lead, int rep)
    {
        var odds = Odds(lead, rep);
        return _situation.Leads[lead].Value * odds / (1 + odds);
    }

    /// <summary>A lead given to a rep.</summary>
    public PairScore Score(int lead, int rep)
    {
        var l = _situation.Leads[lead];
        return new PairScore(
            Gain(lead, rep), _declared[l.Product][rep] ? RoutingWeights.DeclaredSpecialisation * l.ExpectedValue : 0, 0);
    }

    /// <summary>A lead that stays with the rep who has it; somebody who is no rep counts as average.</summary>
    public PairScore KeepingScore(int lead)
    {
        var l = _situation.Leads[lead];
        var score = l.Owner >= 0 ? Score(lead, l.Owner) : new PairScore(l.ExpectedValue, 0, 0);
        return score with { Keeping = RoutingWeights.Keeping * l.ExpectedValue };
    }

    /// <summary>What it costs that a lead stays: the last of the places the owner has taken.</summary>
    public double KeepingPrice(int lead) => _situation.Leads[lead].Owner is >= 0 and var owner ? PlacePrice(owner, 0) : 0;

    /// <summary>What the rep's <paramref name="number"/>th new lead costs (from 1; 0: the last one the rep has); rises with it.</summary>
    public double PlacePrice(int rep, int number)
    {
        var r = _situation.Reps[rep];
        var needed = _settings.LoadBalancing && r.Load + number <= (r.Minimum ?? _settings.MinActiveLeads);
        return OverduePrice(rep) + LoadPrice(rep, r.Load + number) - (needed ? RoutingWeights.BelowMinimum * Typical : 0);
    }

    /// <summary>The pair's score for the solver, the lot included.</summary>
    public long Whole(int lead, int rep) =>
        (Whole(Score(lead, rep).Total * Shrinking(lead)) << LotBits) | (long)(Mix(_repLots[rep] ^ ((ulong)_situation.Leads[lead].LeadId * 0x9E3779B97F4A7C15)) >> (64 - LotBits));

    public long WholeKeeping(int lead) => Whole((KeepingScore(lead).Total - KeepingPrice(lead)) * Shrinking(lead)) << LotBits;

    public long WholePlacePrice(int rep, int number) =>
        (Whole(PlacePrice(rep, number)) << LotBits) + ((_situation.Reps[rep].Load + number) * Balance);

    /// <summary>Back to money.</summary>
    public double Money(long whole) => whole / (double)(1 << LotBits) / Scale;

    private long Whole(double money) => (long)Math.Round(money * Scale);

    /// <summary>What a lead of more than the greatest value is multiplied by, so that reps still differ for it as they should.</summary>
    private double Shrinking(int lead) => Math.Min(1, Typical * GreatestValue / Math.Max(_situation.Leads[lead].Value, 1e-9));

    private double OverduePrice(int rep) => RoutingWeights.Overdue * Typical
        * Math.Min(_situation.Reps[rep].OverdueTasks, RoutingWeights.ManyOverdueTasks) / RoutingWeights.ManyOverdueTasks;

    private double LoadPrice(int rep, int load) => _settings.LoadBalancing
        ? RoutingWeights.Load * Typical * load / (Math.Max(Capacity[rep], 1) * _situation.Reps[rep].Weight)
        : 0;

    private Exclusion ExclusionOf(RoutingRep rep, int index, LeadClass lead)
    {
        if (!rep.Active)
        {
            return Exclusion.Inactive;
        }

        if (rep.Absent)
        {
            return Exclusion.Absent;
        }

        if (lead.Language.Length > 0 && rep.Languages.Length > 0 && !rep.Languages.Contains(lead.Language, StringComparer.Ordinal))
        {
            return Exclusion.Language;
        }

        if ((lead.Region.Length > 0 || lead.Country.Length > 0) && rep.Regions.Length > 0
            && !rep.Regions.Any(served => served.Length > 0 && (served == lead.Region || served == lead.Country)))
        {
            return Exclusion.Region;
        }

        return Free[index] == 0 ? Exclusion.Full : Exclusion.None;
    }

    private static double TypicalValue(IReadOnlyList<RoutingLead> leads)
    {
        var values = leads.Select(l => l.ExpectedValue).Where(v => v > 0).Order().ToArray();
        return values.Length == 0 ? 1 : values[values.Length / 2];
    }

    /// <summary>FNV-1a: the same in every process, unlike GetHashCode.</summary>
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return hash;
    }

    /// <summary>The finalizer of SplitMix64: every bit of the input moves every bit of the result.</summary>
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }
}

/// <summary>Why a rep may not have leads of a class, in the order in which it is asked.</summary>
internal enum Exclusion
{
    None,
    Inactive,
    Absent,
    Language,
    Region,
    Full,
}
