using System.Text.Json;
using SalesTasks.Airflow;

namespace SalesTasks.Routing;

/// <summary>What a plan is made with. Written into the run's row, and read back from there when the run is replayed.</summary>
internal sealed record RoutingSettings
{
    /// <summary>The parameters a plan depends on; <c>routing replay --set</c> takes their names.</summary>
    public static readonly ParameterSet Parameters = new(
        RoutingJobs.MaxReassignmentsPerRun,
        RoutingJobs.EnableLoadBalancing,
        RoutingJobs.EnableSpecialization,
        RoutingJobs.MinActiveLeadsPerRep,
        RoutingJobs.MaxActiveLeadsPerRep,
        RoutingJobs.ReassignStaleDays,
        RoutingJobs.MaxReassignmentsPerLead,
        RoutingJobs.ReassignRestDays);

    /// <summary>0: no limit.</summary>
    public int MaxReassignmentsPerRun { get; init; }

    public bool LoadBalancing { get; init; } = true;

    public bool Specialization { get; init; } = true;

    /// <summary>For reps without a minimum of their own.</summary>
    public int MinActiveLeads { get; init; } = 5;

    /// <summary>For reps without a capacity of their own.</summary>
    public int MaxActiveLeads { get; init; } = 50;

    public int StaleDays { get; init; } = 7;

    /// <summary>0: no limit.</summary>
    public int MaxReassignmentsPerLead { get; init; } = 3;

    public int RestDays { get; init; } = 14;

    public static RoutingSettings From(ParameterValues values) => new()
    {
        MaxReassignmentsPerRun = values.Get(RoutingJobs.MaxReassignmentsPerRun),
        LoadBalancing = values.Get(RoutingJobs.EnableLoadBalancing),
        Specialization = values.Get(RoutingJobs.EnableSpecialization),
        MinActiveLeads = values.Get(RoutingJobs.MinActiveLeadsPerRep),
        MaxActiveLeads = values.Get(RoutingJobs.MaxActiveLeadsPerRep),
        StaleDays = values.Get(RoutingJobs.ReassignStaleDays),
        MaxReassignmentsPerLead = values.Get(RoutingJobs.MaxReassignmentsPerLead),
        RestDays = values.Get(RoutingJobs.ReassignRestDays),
    };

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber(RoutingJobs.MaxReassignmentsPerRun.Name, MaxReassignmentsPerRun);
        json.WriteBoolean(RoutingJobs.EnableLoadBalancing.Name, LoadBalancing);
        json.WriteBoolean(RoutingJobs.EnableSpecialization.Name, Specialization);
        json.WriteNumber(RoutingJobs.MinActiveLeadsPerRep.Name, MinActiveLeads);
        json.WriteNumber(RoutingJobs.MaxActiveLeadsPerRep.Name, MaxActiveLeads);
        json.WriteNumber(RoutingJobs.ReassignStaleDays.Name, StaleDays);
        json.WriteNumber(RoutingJobs.MaxReassignmentsPerLead.Name, MaxReassignmentsPerLead);
        json.WriteNumber(RoutingJobs.ReassignRestDays.Name, RestDays);
        json.WriteEndObject();
    }
}

/// <summary>
/// How the parts of a score are weighed against expected gain. Those about a pair are shares of the lead's own value × probability, so that
/// they matter as much for a large lead as for a small one; those about a rep are shares of a typical lead's (the run's median), since a place
/// is a place.
/// </summary>
internal static class RoutingWeights
{
    /// <summary>The rep says to be good at the lead's product or industry. What history shows counts on top, by the win rate.</summary>
    public const double DeclaredSpecialisation = 0.10;

    /// <summary>A lead that stays needs no hand-over.</summary>
    public const double Keeping = 0.10;

    /// <summary>A full rep against an empty one. The price of a place rises in proportion to the load, so the total rises with its square.</summary>
    public const double Load = 0.20;

    /// <summary>For each lead up to the rep's minimum.</summary>
    public const double BelowMinimum = 0.50;

    /// <summary>Reached with <see cref="ManyOverdueTasks"/>; in proportion below.</summary>
    public const double Overdue = 0.20;

    public const int ManyOverdueTasks = 20;
}
