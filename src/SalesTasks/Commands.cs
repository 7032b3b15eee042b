using SalesTasks.Cli;
using SalesTasks.Demo;
using SalesTasks.Leads;
using SalesTasks.Predictions.Exports;
using SalesTasks.Predictions.Training;
using SalesTasks.Scoring;

namespace SalesTasks;

/// <summary>The whole program in one place: its DAGs with their steps, and its commands for people.</summary>
internal static class Commands
{
    /// <summary>The DAGs with their steps, in the order they run.</summary>
    public static IReadOnlyList<DagDefinition> Dags { get; } =
    [
        new("lead_scoring_automation", ScoringJobs.Score, ScoringJobs.Qualify, ScoringJobs.Summarize),
        new("sales_ml_training", PredictionJobs.Train),
        new("sales_lead_ingest", LeadsJobs.Import),
    ];

    /// <summary>What the demo runs, in this order: every DAG that needs nothing but the sample.</summary>
    public static IReadOnlyList<DagDefinition> DemoDags { get; } = [.. Dags.Where(d => !d.Steps.Contains(LeadsJobs.Import))];

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
        tree.Add(BenchmarkCommand.Create(), "ml");
        tree.Add(ModelCommands.Models(), "ml");
        tree.Add(ModelCommands.Evaluate(), "ml");
        tree.Add(LeadCommands.Show(), "leads");
        tree.Add(MappingCommands.List(), "leads", "mappings");
        tree.Add(MappingCommands.Show(), "leads", "mappings");
        tree.Add(MappingCommands.Save(), "leads", "mappings");
        tree.Add(MappingCommands.Delete(), "leads", "mappings");
        return tree;
    }
}
