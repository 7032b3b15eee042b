namespace SalesTasks.Airflow;

/// <summary>
/// Which Airflow connection to use for what, from the environment. Only the database and the keys have a default; without an id the others are not used.
/// </summary>
internal sealed class ConnectionIds(Func<string, string?> environment)
{
    public const string PostgresVariable = "SALES_POSTGRES_CONN_ID";
    public const string EmailVariable = "SALES_EMAIL_CONN_ID";
    public const string SlackVariable = "SALES_SLACK_CONN_ID";
    public const string CrmVariable = "SALES_CRM_CONN_ID";
    public const string S3Variable = "SALES_S3_CONN_ID";
    public const string CallsVariable = "SALES_CALLS_CONN_ID";
    public const string TasksVariable = "SALES_TASKS_CONN_ID";
    public const string MlVariable = "SALES_ML_CONN_ID";

    public const string EncryptionVariable = "SALES_ENCRYPTION_CONN_ID";

    public const string DefaultEncryption = "sales_encryption";
    public const string BackupVariable = "SALES_BACKUP_CONN_ID";

    public const string DefaultPostgres = "sales_postgres";

    public string Postgres => Read(PostgresVariable) ?? DefaultPostgres;

    public string? Email => Read(EmailVariable);

    public string? Slack => Read(SlackVariable);

    public string? Crm => Read(CrmVariable);

    public string? S3 => Read(S3Variable);

    public string? Calls => Read(CallsVariable);

    public string? Tasks => Read(TasksVariable);

    /// <summary>Used only where something is sealed.</summary>
    public string Encryption => Read(EncryptionVariable) ?? DefaultEncryption;

    public string? Ml => Read(MlVariable);

    /// <summary>Its password is the key that seals backups.</summary>
    public string? Backup => Read(BackupVariable);

    /// <summary>Blank counts as unset: Compose and Kubernetes set variables that have no value to "".</summary>
    private string? Read(string variable) => environment(variable)?.Trim() is { Length: > 0 } id ? id : null;
}
