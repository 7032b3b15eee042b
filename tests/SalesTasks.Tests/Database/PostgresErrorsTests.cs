using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Tests.Database;

public sealed class PostgresErrorsTests
{
    [Theory]
    [InlineData("28P01")] // wrong password
    [InlineData("28000")] // pg_hba.conf, no such role
    [InlineData("3D000")] // no such database
    [InlineData("3F000")] // no such schema
    [InlineData("42P01")] // no such table
    [InlineData("42501")] // no privilege
    [InlineData("0A000")] // not supported here
    [InlineData("57P04")] // database dropped
    public void ToJobException_RefusingState_IsRefused(string sqlState) =>
        Assert.Equal(ExitCode.Refused, PostgresErrors.ToJobException(Answer(sqlState))?.ExitCode);

    [Theory]
    [InlineData("08006")] // connection failure
    [InlineData("08P01")] // PgBouncer: login failing, try later
    [InlineData("25P03")] // idle in transaction
    [InlineData("25P04")] // transaction time-out
    [InlineData("25006")] // read-only: standby
    [InlineData("40001")] // serialization
    [InlineData("40003")] // outcome unknown
    [InlineData("40P01")] // deadlock
    [InlineData("53100")] // disk full
    [InlineData("53200")] // out of memory
    [InlineData("53300")] // too many connections
    [InlineData("55P03")] // lock time-out
    [InlineData("57014")] // statement time-out
    [InlineData("57P01")] // shut-down
    [InlineData("57P02")] // crash
    [InlineData("57P03")] // starting up
    [InlineData("58030")] // I/O error
    public void ToJobException_PassingState_IsTemporary(string sqlState) =>
        Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(Answer(sqlState))?.ExitCode);

    [Theory]
    [InlineData("22012")] // division by zero
    [InlineData("22P02")] // a text that is no number; its message shows the value
    [InlineData("23505")] // unique violation
    [InlineData("42601")] // syntax
    [InlineData("42703")] // no such column
    [InlineData("P0001")] // raised by a function
    [InlineData("XX000")] // internal error
    public void ToJobException_DefectState_IsUnknown(string sqlState) => Assert.Null(PostgresErrors.ToJobException(Answer(sqlState)));

    [Fact]
    public void ToJobException_SocketTimeoutAndBrokenStream_AreTemporary()
    {
        Assert.All(
            new Exception[]
            {
                new SocketException((int)SocketError.ConnectionRefused),
                new SocketException((int)SocketError.HostNotFound),
                new NpgsqlException("Failed to connect", new SocketException((int)SocketError.HostUnreachable)),
                new NpgsqlException("Exception while reading from stream", new TimeoutException()),
                new NpgsqlException("Exception while reading from stream", new EndOfStreamException()),
                new NpgsqlException("None of the hosts", new AggregateException(
                    new NpgsqlException("first", new SocketException((int)SocketError.ConnectionRefused)),
                    new NpgsqlException("second", new SocketException((int)SocketError.ConnectionRefused)))),
            },
            error => Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(error)?.ExitCode));
    }

    [Fact]
    public void ToJobException_FailedTlsHandshake_IsRefusedThoughTheStreamBroke()
    {
        var error = new NpgsqlException("handshake", new AuthenticationException("untrusted", new IOException("closed")));

        Assert.Equal(ExitCode.Refused, PostgresErrors.ToJobException(error)?.ExitCode);
    }

    [Fact]
    public void ToJobException_CancelledStatement_IsNoFailure() =>
        Assert.Null(PostgresErrors.ToJobException(new OperationCanceledException("stop", Answer("57014"))));

    [Fact]
    public void ToJobException_OtherExceptions_AreUnknown()
    {
        Assert.Null(PostgresErrors.ToJobException(new InvalidOperationException("defect")));
        Assert.Null(PostgresErrors.ToJobException(new IOException("a report's file")));
    }

    [Fact]
    public void ToJobException_KnownOne_IsPassedOn()
    {
        var known = JobException.Usage("given");

        Assert.Same(known, PostgresErrors.ToJobException(known));
    }

    [Fact]
    public void ToJobException_ServersAnswer_IsToldWithPlaceStateAndAdvice()
    {
        var error = PostgresErrors.ToJobException(Answer("42P01", "relation \"leads\" does not exist"), "db:5432, database \"sales\"");

        Assert.Equal(
            "PostgreSQL db:5432, database \"sales\": relation \"leads\" does not exist (SQLSTATE 42P01). Run \"sales-tasks db migrate\".",
            error?.Message);
    }

    private static PostgresException Answer(string sqlState, string text = "text") => new(text, "ERROR", "ERROR", sqlState);
}
