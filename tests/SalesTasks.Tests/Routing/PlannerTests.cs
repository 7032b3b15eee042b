using SalesTasks.Routing;

namespace SalesTasks.Tests.Routing;

/// <summary>The plan itself, without a database: hard rules, optimality, fairness, limits.</summary>
public sealed class PlannerTests
{
    [Fact]
    public void Plan_TenThousandSituations_BreaksNoRuleAndLeavesNothingWithoutReason()
    {
        var random = new Random(20260315);
        long assigned = 0, left = 0, kept = 0, reassigned = 0;
        for (var round = 0; round < 10_000; round++)
        {
            var situation = PlannerSamples.Random(random, 6, 8);
            var settings = new RoutingSettings
            {
                LoadBalancing = random.Next(2) == 0,
                Specialization = random.Next(2) == 0,
                MaxActiveLeads = random.Next(4),
                MaxReassignmentsPerRun = random.Next(3) == 0 ? 1 + random.Next(3) : 0,
                MaxReassignmentsPerLead = random.Next(4),
                RestDays = random.Next(30),
            };

            var plan = situation.Plan(settings);

            Check(situation, settings, plan, round);
            assigned += plan.Count(RoutingOutcome.Assigned);
            reassigned += plan.Count(RoutingOutcome.Reassigned);
            kept += plan.Count(RoutingOutcome.Kept);
            left += plan.Count(RoutingOutcome.Left);
        }

        // The generator reaches everything.
        Assert.All([assigned, reassigned, kept, left], count => Assert.True(count > 2_000, $"{assigned} {reassigned} {kept} {left}"));
    }

    [Fact]
    public void Plan_SmallSituations_EqualTheBestOfAllAssignments()
    {
        var random = new Random(7);
        var compared = 0;
        for (var round = 0; round < 3_000; round++)
        {
            var situation = PlannerSamples.Random(random, 4, 6);
            var settings = new RoutingSettings { LoadBalancing = random.Next(2) == 0, Specialization = random.Next(2) == 0, MaxActiveLeads = 2 };
            var plan = situation.Plan(settings);
            var movable = Enumerable.Range(0, situation.Leads.Count)
                .Where(i => plan.Decisions[i].Reason is RoutingReason.Best or RoutingReason.Outbid)
                .ToArray();

            var (leastLeft, best) = BestOfAll(situation, plan.Scores, movable);

            Assert.Equal(leastLeft, movable.Count(i => plan.Decisions[i].Outcome is RoutingOutcome.Left));
            // Money, up to the rounding of the solver's whole numbers.
            Assert.Equal(best, Value(situation, plan.Scores, movable, [.. movable.Select(i => plan.Decisions[i].Chosen)]), 1e-3);
            compared += movable.Length;
        }

        Assert.True(compared > 2_000, $"{compared}");
    }

    [Fact]
    public void Plan_EqualReps_EndWithinOneLeadWhateverTheSettings()
    {
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var settings = new RoutingSettings { LoadBalancing = round % 2 == 0, Specialization = round % 3 == 0, MinActiveLeads = random.Next(8) };
            var reps = 2 + random.Next(8);
            var plan = PlannerSamples.Equal(reps, random.Next(80), 50, round).Plan(settings);

            Assert.InRange(plan.Planned.Max() - plan.Planned.Min(), 0, 1);
        }
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, 7)]
    public void Plan_TiesOverAThousandRuns_FavourNobody(bool loadBalancing, int leads)
    {
        const int reps = 5;
        const int runs = 1_000;
        var settings = new RoutingSettings { LoadBalancing = loadBalancing };
        var wins = new int[reps];
        for (var run = 0; run < runs; run++)
        {
            var planned = PlannerSamples.Equal(reps, leads, 50, LoadedSituation.SeedOf($"manual/routing_assign/{run}/-1")).Plan(settings).Planned;
            for (var rep = 0; rep < reps; rep++)
            {
                wins[rep] += planned[rep] - (leads / reps);
            }
        }

        var expected = runs * (leads % reps) / (double)reps;
        var chiSquare = wins.Sum(w => (w - expected) * (w - expected) / expected);
        // Four degrees of freedom: 18.47 is exceeded once in a thousand times by chance. The seeds are fixed, so this is no gamble.
        Assert.True(chiSquare < 18.47, $"chi-square {chiSquare:0.0}: {string.Join(", ", wins)}");
    }

    [Fact]
    public void Plan_SameRunTwice_IsTheSame()
    {
        var situation = PlannerSamples.Equal(7, 40, 50, 99);

        Assert.Equal(situation.Plan().Decisions, situation.Plan().Decisions);
        Assert.NotEqual(situation.Plan().Decisions, (situation with { Seed = 100 }).Plan().Decisions);
    }

    [Fact]
    public void Plan_MoreReassignmentsThanAllowed_KeepsThoseThatGainMost()
    {
        var situation = Stale(20) with { Reps = [Rep("old", 50, load: 20), Rep("star", 50, skill: 1)] };

        var plan = situation.Plan(new RoutingSettings { MaxReassignmentsPerRun = 4 });

        Assert.Equal(4, plan.Count(RoutingOutcome.Reassigned));
        Assert.Equal([16, 17, 18, 19], plan.Decisions.Index().Where(d => d.Item.Outcome is RoutingOutcome.Reassigned).Select(d => d.Index));
        Assert.Equal(16, plan.Decisions.Count(d => d.Reason is RoutingReason.ReassignmentLimit));
    }

    [Theory]
    [InlineData(2, 60, 60, nameof(RoutingReason.Best))]
    [InlineData(3, 60, 60, nameof(RoutingReason.HopLimit))]
    [InlineData(1, 13.9, 60, nameof(RoutingReason.Resting))]
    [InlineData(1, 14.1, 60, nameof(RoutingReason.Best))]
    [InlineData(0, 8, 60, nameof(RoutingReason.Best))]
    [InlineData(0, 60, 6.9, nameof(RoutingReason.NotStale))]
    public void Plan_LeadPassedOnBefore_IsHeldToItsLimits(int hops, double owned, double silent, string reason)
    {
        var situation = Stale(1) with { Reps = [Rep("old", 50, load: 20), Rep("star", 50, skill: 1)] };
        situation = situation with { Leads = [situation.Leads[0] with { Hops = hops, OwnedDays = owned, SilentDays = silent }] };

        var decision = Assert.Single(situation.Plan().Decisions);

        Assert.Equal(reason, $"{decision.Reason}");
        Assert.Equal(reason is nameof(RoutingReason.Best) ? RoutingOutcome.Reassigned : RoutingOutcome.Kept, decision.Outcome);
    }

    [Fact]
    public void Plan_StaleLeadNobodyDoesBetter_StaysWithItsRep()
    {
        var situation = Stale(1) with { Reps = [Rep("old", 50, load: 1), Rep("other", 50, load: 1)] };

        Assert.Equal((RoutingOutcome.Kept, RoutingReason.Best), Result(situation.Plan()));
    }

    [Fact]
    public void Plan_RepWhoDeclaresTheProduct_IsPreferredUnlessSwitchedOff()
    {
        var situation = PlannerSamples.Equal(2, 10, 50, 1) with { Products = ["gold"] };
        situation = situation with { Reps = [situation.Reps[0] with { Specialisations = ["gold"] }, situation.Reps[1]] };
        var settings = new RoutingSettings { LoadBalancing = false };

        Assert.Equal(10, situation.Plan(settings).Planned[0]);
        Assert.Equal(5, situation.Plan(settings with { Specialization = false }).Planned[0]);
    }

    [Fact]
    public void Plan_RepBelowTheMinimum_IsServedBeforeABetterOne()
    {
        var situation = PlannerSamples.Equal(2, 10, 50, 1) with { Reps = [Rep("new", 50), Rep("star", 50, load: 10, skill: 0.3)] };

        Assert.Equal(5, situation.Plan().Planned[0]);
        Assert.Equal(0, situation.Plan(new RoutingSettings { MinActiveLeads = 0, LoadBalancing = false }).Planned[0]);
    }

    [Fact]
    public void Plan_OverdueTasks_CountAgainstARep()
    {
        var situation = PlannerSamples.Equal(2, 3, 50, 1);
        situation = situation with { Reps = [situation.Reps[0] with { OverdueTasks = 20 }, situation.Reps[1]] };

        Assert.Equal(0, situation.Plan().Planned[0]);
    }

    [Fact]
    public void Plan_Weight_SharesLeadsInProportion()
    {
        var situation = PlannerSamples.Equal(2, 60, 60, 1);
        situation = situation with { Reps = [situation.Reps[0] with { Weight = 2 }, situation.Reps[1]] };

        Assert.InRange(situation.Plan(new RoutingSettings { MinActiveLeads = 0 }).Planned[0], 39, 41);
    }

    [Fact]
    public void Plan_FewPlaces_GoToTheLeadsThatGainMost()
    {
        var situation = PlannerSamples.Equal(1, 5, 2, 1);
        situation = situation with { Leads = [.. situation.Leads.Select((l, i) => l with { Value = 100 * (i + 1) })] };

        var plan = situation.Plan();

        Assert.Equal([null, null, null, 0, 0], plan.Decisions.Select(d => d.Chosen));
        Assert.All(plan.Decisions[..3], d => Assert.Equal((RoutingOutcome.Left, RoutingReason.Outbid), (d.Outcome, d.Reason)));
    }

    [Fact]
    public void Plan_OneRepMayServeBoth_LeavesNobodyForTheSakeOfGain()
    {
        // The rep who does better speaks both languages, and the only one who speaks the second.
        var situation = PlannerSamples.Equal(2, 2, 1, 1) with { Classes = [new LeadClass("en", "", ""), new LeadClass("es", "", "")] };
        situation = situation with
        {
            Reps = [Rep("star", 1, skill: 3), Rep("english", 1) with { Languages = ["en"] }],
            Leads = [situation.Leads[0] with { Value = 1_000_000 }, situation.Leads[1] with { Class = 1, Value = 1 }],
        };

        Assert.Equal([1, 0], situation.Plan().Decisions.Select(d => d.Chosen!.Value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Plan_LargeTeam_GainsAtLeastFivePercentOverOneByOneWhereRepsDifferAndAsMuchWhereNot(bool differ)
    {
        var random = new Random(42);
        double Normal() => Enumerable.Range(0, 12).Sum(_ => random.NextDouble()) - 6;
        var situation = PlannerSamples.Equal(50, 10_000, 220, 1) with { Products = [.. Enumerable.Range(0, 7).Select(p => $"p{p}")] };
        situation = situation with
        {
            // As the demo's sample has them: a spread of 0.22 between reps, and one product half a unit of log-odds better, one worse.
            Reps =
            [
                .. situation.Reps.Select((r, j) => r with
                {
                    Skill = differ
                        ? new RepSkill(100, 20, 0.22 * Normal(), [.. Enumerable.Range(0, 7).Select(p => p == j % 7 ? 0.55 : p == (j + 3) % 7 ? -0.45 : 0)], [])
                        : RepSkill.Unknown,
                }),
            ],
            Leads =
            [
                .. situation.Leads.Select(l => l with { Product = random.Next(7), Value = Math.Exp(6 + (3 * random.NextDouble())), Probability = 0.05 + (0.4 * random.NextDouble()) }),
            ],
        };

        var plan = situation.Plan();

        Assert.Equal(10_000, plan.Count(RoutingOutcome.Assigned));
        Assert.Equal(0, plan.OptimalityGap);
        if (differ)
        {
            Assert.True(plan.ExpectedGain >= 1.05 * plan.GreedyGain, $"{plan.ExpectedGain / plan.GreedyGain:0.0000}");
        }
        else
        {
            Assert.Equal(plan.GreedyGain, plan.ExpectedGain, plan.GreedyGain * 1e-9);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"plan over one by one: {plan.ExpectedGain / plan.GreedyGain:0.0000}");
    }

    [Fact]
    public void Plan_MorePairsThanTheNetworkTakes_IsAsGoodAsWithAllOfThem()
    {
        // 30,000 × 40 pairs are too many for one network; every pair is then looked at against the prices instead.
        var random = new Random(4);
        var situation = PlannerSamples.Equal(40, 30_000, 700, 1);
        situation = situation with
        {
            Reps = [.. situation.Reps.Select(r => r with { Skill = RepSkill.Unknown with { Overall = random.NextDouble() - 0.5 } })],
            Leads = [.. situation.Leads.Select(l => l with { Value = 1 + random.Next(100_000), Probability = 0.05 + (0.9 * random.NextDouble()) })],
        };

        var plan = situation.Plan();

        Assert.True(plan.Rounds >= 1 && plan.OptimalityGap <= 1e-4, $"{plan.Rounds} rounds, gap {plan.OptimalityGap}");
        Assert.Equal(28_000, plan.Count(RoutingOutcome.Assigned));
        Assert.Equal(2_000, plan.Decisions.Count(d => d.Reason is RoutingReason.Outbid));
    }

    [Fact]
    public void Plan_OneAbsurdValue_LeavesTheOthersTheirOrder()
    {
        // Two reps who differ by skill alone: the better one gets the valuable leads, also beside a placeholder of ten billion.
        RoutingSituation With(double first) => new()
        {
            Reps =
            [
                new RoutingRep { Email = "good@sales.example", Capacity = 100, Skill = new RepSkill(100, 60, 0.4, [], []) },
                new RoutingRep { Email = "poor@sales.example", Capacity = 100, Load = 0, Skill = new RepSkill(100, 30, -0.4, [], []) },
            ],
            Classes = [new LeadClass("", "", "")],
            Products = [""],
            Regions = [],
            Leads = [.. Enumerable.Range(0, 60).Select(i => new RoutingLead { LeadId = i + 1, Value = i == 0 ? first : 1_000, Probability = 0.2 })],
            Seed = 5,
        };
        var settings = new RoutingSettings { LoadBalancing = false };

        var usual = With(1_000).Plan(settings);
        var absurd = With(9_999_999_999.99).Plan(settings);

        Assert.Equal([60, 0], usual.Planned);
        Assert.Equal(usual.Planned, absurd.Planned);
    }

    [Fact]
    public void Plan_Candidates_ShowWhyTheChosenOneWasChosen()
    {
        var random = new Random(11);
        for (var round = 0; round < 500; round++)
        {
            var situation = PlannerSamples.Random(random, 6, 12);
            var plan = situation.Plan();
            for (var lead = 0; lead < situation.Leads.Count; lead++)
            {
                var candidates = plan.Candidates(lead, 100);
                var chosen = plan.Decisions[lead].Chosen;
                if (chosen is not null)
                {
                    Assert.Equal(chosen, candidates[0].Rep);
                    Assert.False(double.IsNaN(candidates[0].Price));
                    Assert.All(candidates, c => Assert.False(c.Net > candidates[0].Net + 1e-2, $"round {round}, lead {lead}: {c} beats {candidates[0]}"));
                }
            }
        }
    }

    private static (RoutingOutcome Outcome, RoutingReason Reason) Result(RoutingPlan plan) => (plan.Decisions[0].Outcome, plan.Decisions[0].Reason);

    private static RoutingRep Rep(string name, int capacity, int load = 0, double skill = 0) =>
        new() { Email = $"{name}@sales.example", Capacity = capacity, Load = load, Skill = RepSkill.Unknown with { Overall = skill } };

    /// <summary>Stale leads of the first rep, each worth more than the one before.</summary>
    private static RoutingSituation Stale(int leads) => PlannerSamples.Equal(0, 0, 0, 1) with
    {
        Leads =
        [
            .. Enumerable.Range(0, leads).Select(i => new RoutingLead
            {
                LeadId = i + 1, Kind = LeadKind.Stale, Owner = 0, OwnerName = "old@sales.example", Value = 1000 + (100 * i), Probability = 0.2,
                OwnedDays = 30, SilentDays = 30,
            }),
        ],
    };

    private static void Check(RoutingSituation situation, RoutingSettings settings, RoutingPlan plan, int round)
    {
        for (var i = 0; i < situation.Leads.Count; i++)
        {
            var (lead, decision) = (situation.Leads[i], plan.Decisions[i]);
            var about = $"round {round}, lead {i}: {decision}";
            Assert.Equal(decision.Outcome is RoutingOutcome.Assigned or RoutingOutcome.Reassigned, decision.Chosen is not null);
            if (decision.Chosen is { } chosen)
            {
                var (rep, kind) = (situation.Reps[chosen], situation.Classes[lead.Class]);
                Assert.True(rep.Active && !rep.Absent, about);
                Assert.True(kind.Language == "" || rep.Languages.Length == 0 || rep.Languages.Contains(kind.Language), about);
                Assert.True(
                    kind.Region + kind.Country == "" || rep.Regions.Length == 0 || rep.Regions.Contains(kind.Region) || rep.Regions.Contains(kind.Country), about);
                Assert.True(chosen != lead.Owner, about);
                Assert.Equal(lead.Kind is LeadKind.Unassigned ? RoutingOutcome.Assigned : RoutingOutcome.Reassigned, decision.Outcome);
                if (lead.Kind is LeadKind.Stale)
                {
                    Assert.True(lead.SilentDays >= settings.StaleDays && lead.OwnedDays >= settings.StaleDays, about);
                    Assert.True(settings.MaxReassignmentsPerLead == 0 || lead.Hops < settings.MaxReassignmentsPerLead, about);
                    Assert.True(lead.Hops == 0 || lead.OwnedDays >= settings.RestDays, about);
                }
            }
            else
            {
                Assert.True(decision.Reason is not RoutingReason.Best || lead.Kind is LeadKind.Stale, about);
                Assert.Equal(lead.Kind is LeadKind.Stale ? RoutingOutcome.Kept : RoutingOutcome.Left, decision.Outcome);
            }
        }

        for (var j = 0; j < situation.Reps.Count; j++)
        {
            var rep = situation.Reps[j];
            Assert.Equal(plan.Decisions.Count(d => d.Chosen == j), plan.Planned[j]);
            Assert.True(plan.Planned[j] == 0 || rep.Load + plan.Planned[j] <= (rep.Capacity ?? settings.MaxActiveLeads), $"round {round}, rep {j}");
        }

        Assert.True(settings.MaxReassignmentsPerRun == 0 || plan.Count(RoutingOutcome.Reassigned) <= settings.MaxReassignmentsPerRun);
    }

    /// <summary>Tries every assignment: the fewest leads left, and among these the greatest value.</summary>
    private static (int Left, double Value) BestOfAll(RoutingSituation situation, PairScores scores, int[] movable)
    {
        var (leastLeft, best) = (int.MaxValue, double.MinValue);
        var chosen = new int?[movable.Length];
        var free = (int[])scores.Free.Clone();

        void Try(int at, int left)
        {
            if (left > leastLeft)
            {
                return;
            }

            if (at == movable.Length)
            {
                var value = Value(situation, scores, movable, chosen);
                if (left < leastLeft || value > best)
                {
                    (leastLeft, best) = (left, value);
                }

                return;
            }

            var lead = situation.Leads[movable[at]];
            for (var rep = 0; rep < free.Length; rep++)
            {
                if (free[rep] > 0 && scores.Excluded[lead.Class][rep] is Exclusion.None && rep != lead.Owner)
                {
                    chosen[at] = rep;
                    free[rep]--;
                    Try(at + 1, left);
                    free[rep]++;
                }
            }

            chosen[at] = null;
            Try(at + 1, left + (lead.Kind is LeadKind.Stale ? 0 : 1));
        }

        Try(0, 0);
        return (leastLeft, best);
    }

    private static double Value(RoutingSituation situation, PairScores scores, int[] leads, int?[] chosen)
    {
        var value = 0.0;
        var given = new int[situation.Reps.Count];
        for (var i = 0; i < leads.Length; i++)
        {
            if (chosen[i] is { } rep)
            {
                value += scores.Score(leads[i], rep).Total - scores.PlacePrice(rep, ++given[rep]);
            }
            else if (situation.Leads[leads[i]].Kind is LeadKind.Stale)
            {
                value += scores.KeepingScore(leads[i]).Total - scores.KeepingPrice(leads[i]);
            }
        }

        return value;
    }
}
