using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Crm;

/// <summary>The steps of the DAG <c>sales_crm_sync</c> and their parameters.</summary>
internal static class CrmJobs
{
    private const string Section = "CRM";

    /// <summary>A lease outlives the request by this many seconds.</summary>
    private const int LeaseMargin = 30;

    public static readonly ChoiceParameter CrmType = new("crm_type", "CRM", "Which CRM the connection of SALES_CRM_CONN_ID leads to.", "hubspot", "hubspot", "salesforce")
    { Section = Section };

    public static readonly ChoiceParameter Direction = new(
        "sync_direction", "Direction", "export: only write to the CRM; import: only read from it; bidirectional: both.", "bidirectional",
        "export", "import", "bidirectional")
    { Section = Section };

    public static readonly TextParameter MappingFile = new(
        "mapping_file", "Mapping file", "Path of the JSON file that says which fields, stages and owners belong together. Left out: the one that comes with the program.")
    { Section = Section };

    public static readonly IntParameter RequestTimeout = new(
        "request_timeout", "Request time-out", "Seconds an outside service has to answer.", 30, 1, 600)
    { Section = Section };

    public static readonly IntParameter MaxChangePercent = new(
        "max_change_percent", "Largest share of changes",
        "A run that would change more than this percentage of the linked records (and more than 100), or delete as many (and more than 10), stops first. 0: no limit.",
        30, 0, 100)
    { Section = Section };

    public static readonly BoolParameter AllowMassChange = new(
        "allow_mass_change", "Allow a mass change", "Go on although max_change_percent is exceeded: for one run that is meant to change much.", false)
    { Section = Section };

    private static readonly ParameterSet s_parameters = CommonParameters.With(
        sharded: false, CrmType, Direction, MappingFile, RequestTimeout, MaxChangePercent, AllowMassChange);

    public static JobDefinition Push { get; } = new(
        "crm push", "Write what changed here to the CRM, each record once, after comparing it with what changed there", s_parameters, PushCrm.RunAsync);

    public static JobDefinition Pull { get; } = new(
        "crm pull", "Take over what changed in the CRM: edits, new records, deletions and merges", s_parameters, PullCrm.RunAsync);

    /// <summary>How long a record stays a run's without a word from it: all tries of a call, and some.</summary>
    public static TimeSpan Lease(ParameterValues values) => TimeSpan.FromSeconds(values.Get(RequestTimeout) + LeaseMargin);

    public static SyncDirection DirectionOf(ParameterValues values) => values.Get(Direction) switch
    {
        "export" => SyncDirection.Export,
        "import" => SyncDirection.Import,
        _ => SyncDirection.Bidirectional,
    };
}
