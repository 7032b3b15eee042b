using SalesTasks.Cli;
using SalesTasks.Demo;
using SalesTasks.Scoring;

namespace SalesTasks;

/// <summary>The whole program in one place: its DAGs with their steps, and its commands for people.</summary>
internal static class Commands
{
    /// <summary>The DAGs with their steps, in the order they run.</summary>
    public static IReadOnlyList<DagDefinition> Dags { get; } =
    [
        new("lead_scoring_automation", ScoringJobs.Score, ScoringJobs.Qualify, ScoringJobs.Summarize),
    ];

    /// <summary>What the demo runs, in this order: every DAG that needs nothing but the sample.</summary>
    public static IReadOnlyList<DagDefinition> DemoDags { get; } = Dags;

    public static CommandTree Tree(CommandHost host)
    {
        var tree = new CommandTree(host, Dags);
        tree.Add(DatabaseCommands.Migrate(), "db");
        tree.Add(DatabaseCommands.Status(), "db");
        tree.Add(RuleCommands.Show(), "scoring", "rules");
        tree.Add(RuleCommands.Edit(), "scoring", "rules");
        tree.Add(RuleCommands.Validate(), "scoring", "rules");
        tree.Add(ExplainScore.Command());
        tree.Add(DemoCommand.Create(DemoDags));
        return tree;
    }
}
