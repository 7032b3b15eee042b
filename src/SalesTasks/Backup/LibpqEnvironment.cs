using System.Globalization;
using Npgsql;
using SalesTasks.Airflow;

namespace SalesTasks.Backup;

/// <summary>
/// Where and as whom, for PostgreSQL's own programs: as environment variables, because arguments can be read by every user of the machine
/// (https://www.postgresql.org/docs/current/libpq-envars.html).
/// </summary>
internal static class LibpqEnvironment
{
    public static IReadOnlyDictionary<string, string?> Of(NpgsqlConnectionStringBuilder connection) => new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["PGHOST"] = connection.Host,
        ["PGPORT"] = connection.Port.ToString(CultureInfo.InvariantCulture),
        ["PGUSER"] = connection.Username,
        ["PGPASSWORD"] = connection.Password,
        ["PGDATABASE"] = connection.Database ?? connection.Username,
        ["PGOPTIONS"] = connection.Options,
        ["PGSSLMODE"] = connection.SslMode switch
        {
            SslMode.Disable => "disable",
            SslMode.Allow => "allow",
            SslMode.Require => "require",
            SslMode.VerifyCA => "verify-ca",
            SslMode.VerifyFull => "verify-full",
            _ => "prefer",
        },
        // Npgsql without a certificate file verifies against the system's roots; libpq has a word for that since 16.
        ["PGSSLROOTCERT"] = connection.RootCertificate ?? (connection.SslMode is SslMode.VerifyFull or SslMode.VerifyCA ? "system" : null),
        ["PGSSLCERT"] = connection.SslCertificate,
        ["PGSSLKEY"] = connection.SslKey,
        ["PGGSSENCMODE"] = connection.GssEncryptionMode is GssEncryptionMode.Require ? "require" : "disable",
        ["PGCONNECT_TIMEOUT"] = connection.Timeout.ToString(CultureInfo.InvariantCulture),
        ["PGTARGETSESSIONATTRS"] = connection.TargetSessionAttributes,
        ["PGAPPNAME"] = "sales-tasks backup",
        ["PGCLIENTENCODING"] = "UTF8",
        ["PGTZ"] = "UTC",
        // Of the surrounding environment: they would win over what is said here.
        ["PGSERVICE"] = null,
        ["PGHOSTADDR"] = null,
        ["PGPASSFILE"] = null,
    };

    /// <summary>The database's connection as a job or command has it.</summary>
    public static NpgsqlConnectionStringBuilder Connection(ConnectionResolver connections, ConnectionIds ids) =>
        PostgresConnectionString.From(connections.Resolve(ids.Postgres));
}
