using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Backup;

/// <summary>The backup step of the DAG <c>sales_maintenance</c> and its parameters.</summary>
internal static class BackupJobs
{
    /// <summary>Where the DAG mounts its volume.</summary>
    public const string DefaultFolder = "/backups";

    private const string Section = "Backup";

    public static readonly TextParameter BackupFolder = new(
        "backup_folder", "Backup folder", "Folder that backups are kept in; the volume SALES_BACKUP_VOLUME is mounted at /backups.", 2000, DefaultFolder)
    { Section = Section };

    public static readonly IntParameter KeepDaily = new(
        "keep_daily", "Daily backups to keep", "The last backup of each of so many days is kept (UTC; days without one do not count).", 7, 0, 3_660)
    { Section = Section };

    public static readonly IntParameter KeepWeekly = new(
        "keep_weekly", "Weekly backups to keep", "The last backup of each of so many ISO weeks is kept.", 4, 0, 520)
    { Section = Section };

    public static readonly IntParameter KeepMonthly = new(
        "keep_monthly", "Monthly backups to keep", "The last backup of each of so many months is kept.", 12, 0, 1_200)
    { Section = Section };

    public static readonly IntParameter Parallel = new(
        "backup_jobs", "Parallel dumps", "Tables dumped at once; each takes a connection.", 2, 1, 32)
    { Section = Section };

    public static readonly BoolParameter Verify = new(
        "verify_backup", "Verify the backup",
        "Restore it into a scratch database and compare every table; needs the right to create databases and the space for a second copy.", false)
    { Section = Section };

    public static JobDefinition Create { get; } = new(
        "backup create",
        "Dump the database into a folder with a sealed manifest, and remove backups that the retention no longer keeps",
        CommonParameters.With(sharded: false, BackupFolder, KeepDaily, KeepWeekly, KeepMonthly, Parallel, Verify),
        CreateBackup.RunAsync);

    public static RetentionPlan Plan(ParameterValues values) => new(values.Get(KeepDaily), values.Get(KeepWeekly), values.Get(KeepMonthly));

    public static BackupFolder Folder(JobContext context) =>
        new(Path.GetFullPath(context.Parameters.Get(BackupFolder)!), Seal(context.Connections, context.ConnectionIds));

    /// <exception cref="JobException">64: the connection has no password, or one that is too short.</exception>
    public static ManifestSeal Seal(ConnectionResolver connections, ConnectionIds ids)
    {
        if (ids.Backup is not { } id)
        {
            return new ManifestSeal(null);
        }

        var connection = connections.Resolve(id);
        return connection.Password is { Length: >= ManifestSeal.ShortestKey } key
            ? new ManifestSeal(key)
            : throw connection.Source.Fault($"its password is the key that seals backups and must have {ManifestSeal.ShortestKey} characters or more");
    }
}
