using SalesTasks.Adoption;
using SalesTasks.Airflow;
using SalesTasks.Alerts;
using SalesTasks.Audit;
using SalesTasks.Backup;
using SalesTasks.Campaigns;
using SalesTasks.Cli;
using SalesTasks.Crm;
using SalesTasks.Demo;
using SalesTasks.Experiments;
using SalesTasks.Explain;
using SalesTasks.FollowUp;
using SalesTasks.Health;
using SalesTasks.Insights;
using SalesTasks.Leads;
using SalesTasks.Maintenance;
using SalesTasks.Outbox;
using SalesTasks.Predictions.Exports;
using SalesTasks.Predictions.Outcomes;
using SalesTasks.Predictions.Predicting;
using SalesTasks.Predictions.Training;
using SalesTasks.Privacy;
using SalesTasks.Reports;
using SalesTasks.Roles;
using SalesTasks.Routing;
using SalesTasks.Scoring;
using SalesTasks.Setup;
using SalesTasks.Timing;
using SalesTasks.Validation;

namespace SalesTasks;

/// <summary>The whole program in one place: its DAGs with their steps, and its commands for people.</summary>
internal static class Commands
{
    /// <summary>The DAGs with their steps, in the order they run.</summary>
    public static IReadOnlyList<DagDefinition> Dags { get; } =
    [
        new("lead_scoring_automation", ScoringJobs.Score, ScoringJobs.Qualify, ScoringJobs.Summarize),
        new(
            "sales_followup_automation", RoutingJobs.Assign, FollowUpJobs.CreateTasks, CampaignJobs.Enroll, CampaignJobs.Advance, OutboxJobs.Dispatch,
            FollowUpJobs.Advance, FollowUpJobs.Summarize)
        {
            Fixed = new Dictionary<JobDefinition, BoolParameter> { [RoutingJobs.Assign] = RoutingJobs.OnlyUnassigned },
        },
        new("sales_intelligent_routing", RoutingJobs.Assign, OutboxJobs.Dispatch),
        new("sales_ml_training", PredictionJobs.Train),
        new("sales_ml_predictions", PredictionJobs.Predict, OutboxJobs.Dispatch),
        new("sales_timing_optimizer", TimingJobs.Analyze, TimingJobs.Apply),
        new("sales_alerts_intelligent", AlertJobs.Evaluate, OutboxJobs.Dispatch),
        new("sales_maintenance", MaintenanceJobs.Maintain, BackupJobs.Create),
        new("sales_analytics_reports", ReportsJobs.Build, ReportsJobs.Deliver, OutboxJobs.Dispatch),
        new("sales_crm_sync", CrmJobs.Push, CrmJobs.Pull),
        new("sales_lead_ingest", LeadsJobs.Import),
    ];

    /// <summary>Jobs that a person starts: no DAG launches them.</summary>
    public static JobDefinition[] OtherJobs { get; } = [EncryptionJobs.Encrypt];

    /// <summary>What the demo runs, in this order: every DAG that needs nothing but the sample. Its database is not worth a backup.</summary>
    public static IReadOnlyList<DagDefinition> DemoDags { get; } =
        [.. Dags.Where(d => !d.Steps.Contains(LeadsJobs.Import)).Select(d => d with { Steps = [.. d.Steps.Where(step => step != BackupJobs.Create)] })];

    public static CommandTree Tree(CommandHost host)
    {
        var tree = new CommandTree(host, Dags, OtherJobs);
        tree.Add(DatabaseCommands.Migrate(), "db");
        tree.Add(DatabaseCommands.Status(), "db");
        tree.Add(AdoptCommand.Create(), "db");
        tree.Add(SampleCommand.Create(), "db");
        tree.Add(HealthCommand.Create());
        tree.Add(SetupCommand.Create((surrounding, arguments) => Tree(surrounding).RunAsync(arguments)));
        tree.Add(ValidateCommand.Create());
        tree.Add(InsightsCommand.Create());
        tree.Add(RuleCommands.Show(), "scoring", "rules");
        tree.Add(RuleCommands.Edit(), "scoring", "rules");
        tree.Add(RuleCommands.Validate(), "scoring", "rules");
        tree.Add(ExplainCommand.Create(
            ExplainScore.Section, ExplainRouting.Section, ExplainPrediction.Section, ExplainTiming.Section, ExplainExperiment.Section,
            ExplainMessages.Section));
        tree.Add(ReplayCommand.Create(), "routing");
        tree.Add(RepCommands.List(), "reps");
        tree.Add(RepCommands.Show(), "reps");
        tree.Add(RepCommands.Add(), "reps");
        tree.Add(RepCommands.Import(), "reps");
        tree.Add(RepCommands.Absences(), "reps");
        tree.Add(RepCommands.Deactivate(), "reps");
        tree.Add(CampaignCommands.List(), "campaigns");
        tree.Add(CampaignCommands.Show(), "campaigns");
        tree.Add(CampaignCommands.Create(), "campaigns");
        tree.Add(CampaignCommands.Import(), "campaigns");
        tree.Add(CampaignCommands.Enable(), "campaigns");
        tree.Add(CampaignCommands.Disable(), "campaigns");
        tree.Add(CampaignCommands.Delete(), "campaigns");
        tree.Add(CampaignPreview.Command(), "campaigns");
        tree.Add(ExperimentCommands.Start(), "experiment");
        tree.Add(ExperimentCommands.Stop(), "experiment");
        tree.Add(ShowExperiment.Command(), "experiment");
        tree.Add(CrmCommands.Status(), "crm");
        tree.Add(CrmCommands.Conflicts(), "crm");
        tree.Add(CrmCommands.Retry(), "crm");
        tree.Add(BackupCommands.List(), "backup");
        tree.Add(BackupCommands.Verify(), "backup");
        tree.Add(BackupCommands.Restore(), "backup");
        tree.Add(BackupCommands.Release(), "backup");
        tree.Add(RetentionCommands.Show(), "privacy", "retention");
        tree.Add(RetentionCommands.Set(), "privacy", "retention");
        tree.Add(RetentionCommands.Run(), "privacy", "retention");
        tree.Add(DemoCommand.Create(DemoDags));
        tree.Add(BenchmarkCommand.Create(), "ml");
        tree.Add(ModelCommands.Models(), "ml");
        tree.Add(ModelCommands.Evaluate(), "ml");
        tree.Add(DriftCommand.Create(), "ml");
        tree.Add(CardCommand.Create(), "ml");
        tree.Add(ShowTiming.Create(), "timing");
        tree.Add(LeadCommands.Show(), "leads");
        tree.Add(ConsentCommands.OptOut(), "leads");
        tree.Add(ConsentCommands.OptIn(), "leads");
        tree.Add(MappingCommands.List(), "leads", "mappings");
        tree.Add(MappingCommands.Show(), "leads", "mappings");
        tree.Add(MappingCommands.Save(), "leads", "mappings");
        tree.Add(MappingCommands.Delete(), "leads", "mappings");
        tree.Add(AlertCommands.List(), "alerts");
        tree.Add(AlertCommands.Acknowledge(), "alerts");
        tree.Add(AlertCommands.Snooze(), "alerts");
        tree.Add(AlertCommands.Resolve(), "alerts");
        tree.Add(OutboxCommands.List(), "outbox");
        tree.Add(OutboxCommands.Retry(), "outbox");
        tree.Add(OutboxCommands.Discard(), "outbox");
        tree.Add(PolicyCommand.Create(), "outbox");
        tree.Add(SuppressionCommands.Add(), "suppressions");
        tree.Add(SuppressionCommands.Remove(), "suppressions");
        tree.Add(SuppressionCommands.Check(), "suppressions");
        tree.Add(SuppressionCommands.Count(), "suppressions");
        tree.Add(ExportPerson.Command(), "privacy");
        tree.Add(ErasePerson.Command(), "privacy");
        tree.Add(RequestCommands.List(), "privacy");
        tree.Add(RequestCommands.Show(), "privacy");
        tree.Add(RequestCommands.Allow(), "privacy");
        tree.Add(DecryptCommand.Create(), "privacy");
        tree.Add(RoleCommands.Apply(), "db", "roles");
        tree.Add(RoleCommands.Status(), "db", "roles");
        tree.Add(RepAccess.Grant(), "reps");
        tree.Add(RepAccess.Revoke(), "reps");
        tree.Add(AuditCommands.List(), "audit");
        tree.Add(AuditCommands.Show(), "audit");
        tree.Add(AuditCommands.Retention(), "audit");
        return tree;
    }
}
