using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Routing;

/// <summary>The job <c>routing assign</c> and its parameters.</summary>
internal static class RoutingJobs
{
    private const string Section = "Routing";

    public static readonly IntParameter MaxReassignmentsPerRun = new(
        "max_reassignments_per_run", "Maximum reassignments per run", "Take at most this many leads from one rep to give them to another. 0: no limit.", 0, 0, int.MaxValue)
    { Section = Section };

    public static readonly BoolParameter EnableLoadBalancing = new(
        "enable_load_balancing", "Balance loads", "Prefer reps with free capacity and those below their minimum.", true)
    { Section = Section };

    public static readonly BoolParameter EnableSpecialization = new(
        "enable_specialization", "Use specialisation", "Prefer reps who say to be good, or have proven to be, at such leads (product, industry, region).", true)
    { Section = Section };

    public static readonly IntParameter MinActiveLeadsPerRep = new(
        "min_active_leads_per_rep", "Minimum active leads per rep", "Reps below it are served first, unless they have a minimum of their own.", 5, 0, 100_000)
    { Section = Section };

    public static readonly IntParameter MaxActiveLeadsPerRep = new(
        "max_active_leads_per_rep", "Maximum active leads per rep", "Capacity of reps who have none of their own. Never exceeded.", 50, 0, 100_000)
    { Section = Section };

    public static readonly IntParameter ReassignStaleDays = new(
        "reassign_stale_days", "Days until a lead is stale", "A lead that its rep has had and not contacted for this many days may go to another rep.", 7, 1, 3650)
    { Section = Section };

    public static readonly IntParameter MaxReassignmentsPerLead = new(
        "max_reassignments_per_lead", "Maximum reassignments per lead", "A lead is passed on at most this many times. 0: no limit.", 3, 0, 1000)
    { Section = Section };

    public static readonly IntParameter ReassignRestDays = new(
        "reassign_rest_days", "Rest days after a reassignment", "A lead that was passed on stays at least this many days.", 14, 0, 3650)
    { Section = Section };

    public static readonly BoolParameter AutoAssignEnabled = new(
        "auto_assign_enabled", "Assign automatically", "Give leads to reps; false: assign does nothing.", true)
    { Section = Section };

    public static readonly BoolParameter OnlyUnassigned = new(
        "only_unassigned", "Only unassigned", "Leave leads alone that have a rep, stale ones too.", false)
    { Section = Section };

    public static readonly IntParameter WinRateDays = new(
        "win_rate_days", "Days of history", "Win rates are learned from deals closed in this many days.", 730, 1, 36_500)
    { Section = Section };

    public static readonly IntParameter DecisionDetailDays = new(
        "decision_detail_days", "Days of full decisions", "After this many days only the decisions that changed something are kept; such runs cannot be replayed.", 7, 1, 3650)
    { Section = Section };

    public static JobDefinition Assign { get; } = new(
        "routing assign",
        "Assign unassigned and stale leads to reps, all at once, for the greatest expected gain",
        CommonParameters.With(
            sharded: false, MaxReassignmentsPerRun, EnableLoadBalancing, EnableSpecialization, MinActiveLeadsPerRep, MaxActiveLeadsPerRep,
            ReassignStaleDays, MaxReassignmentsPerLead, ReassignRestDays, AutoAssignEnabled, OnlyUnassigned, WinRateDays,
            DecisionDetailDays),
        AssignLeads.RunAsync);
}
