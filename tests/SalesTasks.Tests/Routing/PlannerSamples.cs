using SalesTasks.Routing;

namespace SalesTasks.Tests.Routing;

/// <summary>Situations without a database.</summary>
internal static class PlannerSamples
{
    public static RoutingPlan Plan(this RoutingSituation situation, RoutingSettings? settings = null) =>
        RoutingPlanner.Plan(situation, settings ?? new RoutingSettings(), TestContext.Current.CancellationToken);

    /// <summary>Reps who are all alike, and leads of one class and product.</summary>
    public static RoutingSituation Equal(int reps, int leads, int capacity, long seed) => new()
    {
        Reps = [.. Enumerable.Range(0, reps).Select(j => new RoutingRep { Email = $"rep{j}@sales.example", Capacity = capacity })],
        Classes = [new LeadClass("", "", "")],
        Products = [""],
        Regions = [],
        Leads = [.. Enumerable.Range(0, leads).Select(i => new RoutingLead { LeadId = i + 1, Value = 1000, Probability = 0.2 })],
        Seed = seed,
    };

    /// <summary>
    /// Anything that can occur: reps inactive, absent, full, over capacity, without limits, of several languages and regions; leads of all kinds,
    /// values and owners.
    /// </summary>
    public static RoutingSituation Random(Random random, int maxReps, int maxLeads)
    {
        string[] languages = ["", "en", "es", "pt"];
        string[] places = ["", "north", "south", "mx", "us"];
        string[] products = ["", "basic", "pro"];
        string[] Some(string[] from) => random.Next(3) == 0 ? [] : [.. from.Skip(1).Where(_ => random.Next(2) == 0)];
        var reps = Enumerable.Range(0, random.Next(maxReps + 1)).Select(j => new RoutingRep
        {
            Email = $"rep{j}@sales.example",
            Active = random.Next(6) > 0,
            Absent = random.Next(6) == 0,
            Capacity = random.Next(4) == 0 ? null : random.Next(5),
            Minimum = random.Next(3) == 0 ? random.Next(4) : null,
            Load = random.Next(4),
            OverdueTasks = random.Next(3) == 0 ? random.Next(40) : 0,
            Weight = random.Next(4) == 0 ? 0.5 + random.NextDouble() : 1,
            Languages = Some(languages),
            Regions = Some(places),
            Specialisations = Some(products),
            Skill = random.Next(3) == 0
                ? RepSkill.Unknown
                : new RepSkill(9, 3, Skill(), [Skill(), Skill(), Skill()], [Skill(), Skill(), Skill(), Skill()]),
        }).ToList();
        var classes = languages.SelectMany(_ => places, (l, r) => new LeadClass(l, r, random.Next(3) == 0 ? "mx" : "")).Distinct().ToList();
        return new RoutingSituation
        {
            Reps = reps,
            Classes = classes,
            Products = products,
            Regions = places[1..],
            Leads = [.. Enumerable.Range(0, random.Next(maxLeads + 1)).Select(i => Lead(i))],
            Seed = random.NextInt64(),
        };

        double Skill() => random.NextDouble() - 0.5;

        RoutingLead Lead(int i)
        {
            var inactive = reps.Index().Where(r => !r.Item.Active).Select(r => r.Index).ToList();
            var kind = (LeadKind)random.Next(inactive.Count > 0 ? 3 : 1);
            if (kind is LeadKind.Unassigned && random.Next(3) == 0)
            {
                kind = LeadKind.Stale;
            }

            var owner = kind switch
            {
                LeadKind.Unassigned => RoutingLead.NoOwner,
                LeadKind.Orphaned => inactive[random.Next(inactive.Count)],
                _ => reps.FindIndex(r => r.Active) is var first and >= 0 && random.Next(4) > 0 ? first : RoutingLead.OwnerIsNoRep,
            };
            return new RoutingLead
            {
                LeadId = 1000 + i,
                Kind = kind,
                Class = random.Next(classes.Count),
                Product = random.Next(products.Length),
                Value = random.Next(6) == 0 ? 0 : Math.Round(Math.Exp(4 + (4 * random.NextDouble())), 2),
                Probability = 0.05 + (0.9 * random.NextDouble()),
                Owner = owner,
                OwnerName = owner >= 0 ? reps[owner].Email : owner == RoutingLead.OwnerIsNoRep ? "Maria" : null,
                OwnedDays = kind is LeadKind.Unassigned ? null : 40 * random.NextDouble(),
                SilentDays = kind is LeadKind.Unassigned ? null : 40 * random.NextDouble(),
                Hops = kind is LeadKind.Unassigned ? 0 : random.Next(5),
            };
        }
    }
}
