using SalesTasks.Cli;
using SalesTasks.Routing;

namespace SalesTasks.Tests.FollowUp;

/// <summary>The DAG as Airflow runs it.</summary>
public sealed class FollowUpDagTests
{
    private static readonly DagDefinition s_followUp = Commands.Dags.Single(dag => dag.Id == "sales_followup_automation");

    [Fact]
    public void Steps_OfTheDag_AreRunInThisOrder() => Assert.Equal(
        [
            "routing assign --only-unassigned", "followup create-tasks", "campaigns enroll", "campaigns advance", "outbox dispatch", "pipeline advance",
            "followup summarize",
        ],
        s_followUp.Steps.Select(step => string.Join(' ', s_followUp.Arguments(step))));

    [Fact]
    public void Parameters_OfTheDag_AreThoseOfItsFormWithoutTheFixedOne()
    {
        string[] expected = ["auto_assign_enabled", "max_leads_per_run", "enable_auto_tasks", "enable_campaigns", "default_followup_days", "dry_run", "request_timeout"];
        var names = s_followUp.Parameters.All.Select(parameter => parameter.Name).ToList();

        Assert.Empty(expected.Except(names));
        Assert.DoesNotContain(RoutingJobs.OnlyUnassigned.Name, names);
        Assert.Equal(3, s_followUp.Parameters.Find("default_followup_days")!.DefaultAsObject);
        Assert.Equal(30, s_followUp.Parameters.Find("request_timeout")!.DefaultAsObject);
        Assert.Equal(0, s_followUp.Parameters.Find("max_leads_per_run")!.DefaultAsObject);

        // Where it is not fixed it is offered.
        var routing = Commands.Dags.Single(dag => dag.Id == "sales_intelligent_routing");
        Assert.NotNull(routing.Parameters.Find(RoutingJobs.OnlyUnassigned.Name));
        Assert.Equal(["routing", "assign"], routing.Arguments(RoutingJobs.Assign));
    }
}
