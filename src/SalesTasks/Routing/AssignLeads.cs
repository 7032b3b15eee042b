using System.Text.Json;
using SalesTasks.Cli;

namespace SalesTasks.Routing;

/// <summary>
/// <c>routing assign</c>: reads the situation in one snapshot, plans, and writes the plan in chunks, each judged again under locks. A kill between
/// two chunks leaves whole decisions; the next try finds the other leads still waiting, and tells of those that the killed one gave away.
/// </summary>
internal static class AssignLeads
{
    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        if (!context.Parameters.Get(RoutingJobs.AutoAssignEnabled))
        {
            return new JobResult(Tally.Empty.Counts) { NothingToDo = true };
        }

        if (!context.DryRun)
        {
            await BrokenRuns.CloseAsync(context, cancellationToken);
        }

        var settings = RoutingSettings.From(context.Parameters);
        var loaded = await LoadedSituation.LoadAsync(context, cancellationToken);
        var situation = loaded.Situation;
        if (situation.Leads.Count == 0)
        {
            return new JobResult(Tally.Empty.Counts) { NothingToDo = true };
        }

        context.Log.Information("{Leads} leads to decide about, {Reps} reps", situation.Leads.Count, situation.Reps.Count);
        var plan = RoutingPlanner.Plan(situation, settings, cancellationToken);
        var planned = Tally.Of(plan.Decisions);
        context.Log.Information(
            "Plan: {Plan:l}; at most {Gap:P3} below the best possible", planned.ToString(), plan.OptimalityGap);
        var writer = new PlanWriter(context, loaded, settings, plan);
        // A limited run notes what it looked at in any case: the next one goes on from there.
        var repeats = planned.Changed == 0 && context.MaxLeads == long.MaxValue && await writer.IsAsBeforeAsync(cancellationToken);
        var tally = context.DryRun || repeats
            ? planned
            : await writer.WriteAsync(cancellationToken);
        return new JobResult(tally.Counts)
        {
            NothingToDo = tally.Changed == 0,
            Details = Details(loaded, plan, tally, context.DryRun),
        };
    }

    private static Dictionary<string, object?> Details(LoadedSituation loaded, RoutingPlan plan, Tally tally, bool dryRun)
    {
        var details = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["expected_gain"] = Math.Round(plan.ExpectedGain, 2),
            ["expected_gain_one_by_one"] = Math.Round(plan.GreedyGain, 2),
            ["optimality_gap"] = Math.Round(plan.OptimalityGap, 6),
            ["left_for_next_run"] = loaded.LeftForLater,
            ["reasons"] = tally.Reasons.ToDictionary(r => r.Key, object? (r) => r.Value, StringComparer.Ordinal),
        };
        if (dryRun)
        {
            var situation = loaded.Situation;
            details["plan"] = plan.Planned.Index().Where(p => p.Item > 0).OrderByDescending(p => p.Item).ThenBy(p => p.Index).Take(50)
                .ToDictionary(p => situation.Reps[p.Index].Email, object? (p) => p.Item, StringComparer.Ordinal);
        }

        return details;
    }
}

/// <summary>How the decisions of a run come out.</summary>
internal sealed class Tally
{
    private readonly Dictionary<RoutingOutcome, long> _outcomes = [];
    private readonly SortedDictionary<string, long> _reasons = new(StringComparer.Ordinal);

    public static Tally Empty => new();

    public static Tally Of(IEnumerable<Decision> decisions)
    {
        var tally = new Tally();
        foreach (var decision in decisions)
        {
            tally.Add(decision);
        }

        return tally;
    }

    public IReadOnlyDictionary<string, long> Counts => new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["assigned"] = _outcomes.GetValueOrDefault(RoutingOutcome.Assigned),
        ["reassigned"] = _outcomes.GetValueOrDefault(RoutingOutcome.Reassigned),
        ["kept"] = _outcomes.GetValueOrDefault(RoutingOutcome.Kept),
        ["left"] = _outcomes.GetValueOrDefault(RoutingOutcome.Left),
    };

    /// <summary>Leads that were not given away, by reason, as <c>kept_…</c> and <c>left_…</c>.</summary>
    public IReadOnlyDictionary<string, long> Reasons => _reasons;

    public long Changed => _outcomes.GetValueOrDefault(RoutingOutcome.Assigned) + _outcomes.GetValueOrDefault(RoutingOutcome.Reassigned);

    public void Add(Decision decision) => Add(decision.Outcome, decision.Reason, 1);

    public void Add(RoutingOutcome outcome, RoutingReason reason, long leads)
    {
        _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + leads;
        if (outcome is RoutingOutcome.Kept or RoutingOutcome.Left)
        {
            var name = $"{Words.Of(outcome)}_{Words.Of(reason)}";
            _reasons[name] = _reasons.GetValueOrDefault(name) + leads;
        }
    }

    /// <summary>Counts and reasons, as <c>routing_runs</c> keeps them.</summary>
    public string ToJson() => JsonSerializer.Serialize(Counts.Concat(_reasons).ToDictionary(c => c.Key, c => c.Value, StringComparer.Ordinal));

    public override string ToString() => string.Join(", ", Counts.Concat(_reasons).Select(c => $"{c.Key} {c.Value}"));
}

/// <summary>Enumerations as the database writes them.</summary>
internal static class Words
{
    private static readonly Dictionary<RoutingReason, string> s_reasons = Enum.GetValues<RoutingReason>().ToDictionary(r => r, r => Snake($"{r}"));

    public static string Of(RoutingOutcome outcome) => Snake($"{outcome}");

    public static string Of(RoutingReason reason) => s_reasons[reason];

    public static RoutingOutcome Outcome(string word) => Enum.GetValues<RoutingOutcome>().Single(outcome => Of(outcome) == word);

    public static RoutingReason Reason(string word) => s_reasons.First(r => r.Value == word).Key;

    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : c.ToString()));
}
