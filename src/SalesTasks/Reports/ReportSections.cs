using SalesTasks.Reports.Sections;

namespace SalesTasks.Reports;

/// <summary>The sections of a report, in the order people read them.</summary>
internal static class ReportSections
{
    public static IReadOnlyList<ReportSection> All { get; } =
    [
        IndicatorsSection.Section,
        TrendSection.Section,
        ForecastSection.Section,
        ForecastGradesSection.Section,
        FunnelSection.Section,
        RepsSection.Section,
        SourcesSection.Section,
        TasksSection.Section,
        CampaignsSection.Section,
        CampaignVariantsSection.Section,
        ScoringSection.Section,
        ModelsSection.Section,
        TimingSection.Section,
        AlertsSection.Section,
        ImpactSection.Section,
    ];
}
