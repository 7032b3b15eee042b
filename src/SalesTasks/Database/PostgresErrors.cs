using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;

namespace SalesTasks.Database;

/// <summary>
/// Tells failures of the database from defects of ours, by SQLSTATE, exception type and IsTransient, never by message text: texts are
/// translated and change between versions.
/// </summary>
/// <remarks>SQLSTATE classes: PostgreSQL manual, appendix A.</remarks>
internal static class PostgresErrors
{
    /// <summary>
    /// The failure as a person should see it, or null where it is neither a refusal (69) nor temporary (75): a defect, or a cancellation.
    /// </summary>
    /// <param name="exception">What was thrown; inner exceptions count.</param>
    /// <param name="place">Which database, for the message; see <see cref="SalesDatabase.Place"/>.</param>
    public static JobException? ToJobException(Exception exception, string? place = null)
    {
        switch (exception)
        {
            case JobException known:
                return known;
            // Asked to stop. Npgsql puts the server's answer (57014) inside; it is no failure of the server.
            case OperationCanceledException:
                return null;
            default:
                break;
        }

        var causes = Causes(exception).ToList();
        if (causes.OfType<PostgresException>().FirstOrDefault() is { } answer)
        {
            return Classify(answer.SqlState) is { } code ? new JobException(code, Describe(answer, place), exception) : null;
        }

        var subject = Subject(place);
        // Before the network: a failed handshake also closes the socket.
        if (causes.OfType<AuthenticationException>().FirstOrDefault() is { } tls)
        {
            return JobException.Refused(
                $"{subject}: no trusted TLS connection: {tls.Message} Check sslmode and sslrootcert of the connection.", exception);
        }

        // A certificate file that is not there: Npgsql takes every IOException inside for a broken stream.
        if (causes.Any(cause => cause is FileNotFoundException or DirectoryNotFoundException))
        {
            return null;
        }

        var temporary = causes.FirstOrDefault(cause => cause is SocketException or TimeoutException)
            ?? causes.FirstOrDefault(cause => cause is NpgsqlException { IsTransient: true });
        return temporary is null ? null : JobException.Temporary($"{subject}: {temporary.Message}", exception);
    }

    /// <summary>
    /// As <see cref="ToJobException"/>, for an attempt to connect. There, what is not temporary is a fault of the connection's settings
    /// (no TLS offered, no password given, unreadable certificate file, unknown start-up option): refused.
    /// </summary>
    public static JobException? ToConnectException(Exception exception, string? place = null) =>
        ToJobException(exception, place) ?? exception switch
        {
            // A new session writes files of its own on a disk that is full, for one, and says no more of it than this.
            PostgresException { SqlState: PostgresErrorCodes.InternalError } answer => JobException.Temporary(Describe(answer, place), exception),
            PostgresException answer => JobException.Refused(Describe(answer, place), exception),
            NpgsqlException or NotSupportedException or ArgumentException or CryptographicException or IOException
                or UnauthorizedAccessException => JobException.Refused(
                    $"{Subject(place)}: {exception.GetBaseException().Message}", exception),
            _ => null,
        };

    /// <summary>69, 75, or null where the server's answer points at a defect of ours.</summary>
    public static ExitCode? Classify(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.InvalidCatalogName => ExitCode.Refused,
        PostgresErrorCodes.InvalidSchemaName => ExitCode.Refused,
        PostgresErrorCodes.InsufficientPrivilege => ExitCode.Refused,
        PostgresErrorCodes.UndefinedTable => ExitCode.Refused,
        PostgresErrorCodes.FeatureNotSupported => ExitCode.Refused,
        PostgresErrorCodes.DatabaseDropped => ExitCode.Refused,
        // A standby that is about to be promoted, or the old primary in the middle of a fail-over.
        PostgresErrorCodes.ReadOnlySqlTransaction => ExitCode.TemporaryFailure,
        "25P03" => ExitCode.TemporaryFailure, // idle_in_transaction_session_timeout
        "25P04" => ExitCode.TemporaryFailure, // transaction_timeout, PostgreSQL 17
        PostgresErrorCodes.LockNotAvailable => ExitCode.TemporaryFailure,
        PostgresErrorCodes.ObjectInUse => ExitCode.TemporaryFailure,
        PostgresErrorCodes.SystemError => ExitCode.TemporaryFailure,
        PostgresErrorCodes.IoError => ExitCode.TemporaryFailure,
        _ => sqlState[..2] switch
        {
            "28" => ExitCode.Refused, // credentials, pg_hba.conf
            "08" => ExitCode.TemporaryFailure, // connection
            "40" => ExitCode.TemporaryFailure, // serialization, deadlock, outcome unknown
            "53" => ExitCode.TemporaryFailure, // too many connections, disk full, out of memory
            "57" => ExitCode.TemporaryFailure, // statement timeout, shut-down, starting up
            _ => null,
        },
    };

    private static string Describe(PostgresException answer, string? place)
    {
        var advice = answer.SqlState switch
        {
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName => " Run \"sales-tasks db migrate\".",
            PostgresErrorCodes.InvalidCatalogName => " Create the database or correct the connection.",
            PostgresErrorCodes.InsufficientPrivilege => " Grant the role what it lacks, or connect as another one.",
            PostgresErrorCodes.TooManyConnections => " Raise max_connections or run fewer jobs at once.",
            ['2', '8', ..] => " Check user and password of the connection, and pg_hba.conf.",
            _ => "",
        };
        return $"{Subject(place)}: {answer.MessageText} (SQLSTATE {answer.SqlState}).{advice}";
    }

    private static string Subject(string? place) => place is null ? "PostgreSQL" : $"PostgreSQL {place}";

    private static IEnumerable<Exception> Causes(Exception exception)
    {
        yield return exception;
        IEnumerable<Exception> inner = exception switch
        {
            // Several hosts in the connection: one exception for each.
            AggregateException several => several.InnerExceptions,
            { InnerException: { } one } => [one],
            _ => [],
        };
        foreach (var cause in inner.SelectMany(Causes))
        {
            yield return cause;
        }
    }
}
