using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

public sealed class SalesDatabaseTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OpenAsync_FirstAndReusedConnection_HaveTheSessionSettings()
    {
        var options = new SalesDatabaseOptions { ApplicationName = "sales-tasks scoring score", StatementTimeout = TimeSpan.FromMinutes(7) };
        await using var sales = new SalesDatabase(database.Connection, options, TimeProvider.System);

        var first = await SettingsAsync(sales);
        var reused = await SettingsAsync(sales);

        Assert.Equal(first, reused);
        Assert.Equal("UTC|7min|30s|1min|sales-tasks scoring score|1s", string.Join('|', first.Skip(1)));
    }

    [Fact]
    public async Task InTransactionAsync_WithAsOf_WorksAtThatInstantInsideOnly()
    {
        var asOf = new DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.FromHours(2));
        await using var sales = database.Open(asOf);

        var inside = await sales.InTransactionAsync((connection, _, token) => NowAsync(connection, token), Token);
        await using var after = await sales.OpenAsync(Token);

        Assert.Equal(asOf, inside);
        Assert.NotEqual(asOf, await NowAsync(after, Token));
    }

    [Theory]
    [InlineData("40001")]
    [InlineData("40P01")]
    public async Task InTransactionAsync_ConflictTwice_StartsAnewAndCommitsOnce(string sqlState)
    {
        await database.ExecuteAsync("DROP TABLE IF EXISTS tries; CREATE TABLE tries (attempt int)");
        await using var sales = database.Open();
        var attempts = 0;

        await sales.InTransactionAsync(
            async (connection, _, token) =>
            {
                attempts++;
                await RunAsync(connection, $"INSERT INTO tries VALUES ({attempts})", token);
                if (attempts < 3)
                {
                    await RunAsync(connection, $"DO $$ BEGIN RAISE SQLSTATE '{sqlState}'; END $$", token);
                }
            },
            Token);

        Assert.Equal([3], await database.QueryAsync("SELECT attempt FROM tries", reader => reader.GetInt32(0)));
    }

    [Fact]
    public async Task InTransactionAsync_EndlessConflict_IsPassedOnAfterTheLastTry()
    {
        await using var sales = database.Open();
        var attempts = 0;

        var error = await Assert.ThrowsAsync<PostgresException>(() => sales.InTransactionAsync(
            (connection, _, token) =>
            {
                attempts++;
                return RunAsync(connection, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", token);
            },
            Token));

        Assert.Equal(SalesDatabase.TransactionTries, attempts);
        Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(error)?.ExitCode);
    }

    [Theory]
    [InlineData("40003")]
    [InlineData("55P03")]
    [InlineData("57014")]
    [InlineData("23505")]
    public async Task InTransactionAsync_OtherFailure_IsNotRetriedAndLeavesNothing(string sqlState)
    {
        await database.ExecuteAsync("DROP TABLE IF EXISTS once; CREATE TABLE once (attempt int)");
        await using var sales = database.Open();
        var attempts = 0;

        await Assert.ThrowsAsync<PostgresException>(() => sales.InTransactionAsync(
            async (connection, _, token) =>
            {
                attempts++;
                await RunAsync(connection, "INSERT INTO once VALUES (1)", token);
                await RunAsync(connection, $"DO $$ BEGIN RAISE SQLSTATE '{sqlState}'; END $$", token);
            },
            Token));

        Assert.Equal(1, attempts);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM once"));
    }

    [Fact]
    public async Task InTransactionAsync_RealDeadlock_BothGetThrough()
    {
        await database.ExecuteAsync(
            "DROP TABLE IF EXISTS pair; CREATE TABLE pair (id int, n int); INSERT INTO pair VALUES (1, 0), (2, 0)");
        await using var sales = database.Open();
        using var bothHoldOne = new Barrier(2);

        var firstTries = 0;
        Task Cross(int first, int second) => Task.Run(() => sales.InTransactionAsync(
            async (connection, _, token) =>
            {
                await RunAsync(connection, $"UPDATE pair SET n = n + 1 WHERE id = {first}", token);
                if (Interlocked.Increment(ref firstTries) <= 2)
                {
                    bothHoldOne.SignalAndWait(token);
                }

                await RunAsync(connection, $"UPDATE pair SET n = n + 1 WHERE id = {second}", token);
            },
            Token));
        await Task.WhenAll(Cross(1, 2), Cross(2, 1));

        Assert.Equal([2, 2], await database.QueryAsync("SELECT n FROM pair ORDER BY id", reader => reader.GetInt32(0)));
    }

    [Fact]
    public async Task OpenAsync_PooledBackendKilled_FailsOnceAsTemporaryThenWorks()
    {
        await using var sales = database.Open();
        int process;
        await using (var connection = await sales.OpenAsync(Token))
        {
            process = connection.ProcessID;
        }

        await database.ExecuteAsync($"SELECT pg_terminate_backend({process})");
        await Eventually.HoldsAsync("the backend ends", async () =>
            await database.ScalarAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE pid = {process}") == 0);

        var error = await Assert.ThrowsAnyAsync<NpgsqlException>(() => sales.InTransactionAsync((c, _, token) => NowAsync(c, token), Token));
        Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(error)?.ExitCode);
        await sales.InTransactionAsync((connection, _, token) => NowAsync(connection, token), Token);
    }

    [Fact]
    public async Task Statement_OverItsTimeOut_IsTemporary()
    {
        var options = new SalesDatabaseOptions { StatementTimeout = TimeSpan.FromMilliseconds(20) };
        await using var sales = new SalesDatabase(database.Connection, options, TimeProvider.System);

        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            sales.InTransactionAsync((connection, _, token) => RunAsync(connection, "SELECT pg_sleep(60)", token), Token));

        Assert.Equal("57014", error.SqlState);
        Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(error)?.ExitCode);
    }

    [Fact]
    public async Task Statement_WaitingForALockTooLong_IsTemporary()
    {
        await using var holder = await database.OpenConnectionAsync();
        await using var transaction = await holder.BeginTransactionAsync(Token);
        await RunAsync(holder, "LOCK TABLE leads", Token);
        var options = new SalesDatabaseOptions { LockTimeout = TimeSpan.FromMilliseconds(20) };
        await using var sales = new SalesDatabase(database.Connection, options, TimeProvider.System);

        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            sales.InTransactionAsync((connection, _, token) => RunAsync(connection, "LOCK TABLE leads", token), Token));

        Assert.Equal("55P03", error.SqlState);
        Assert.Equal(ExitCode.TemporaryFailure, PostgresErrors.ToJobException(error)?.ExitCode);
    }

    [Fact]
    public async Task Statement_Cancelled_IsACancellationAndRollsBack()
    {
        await database.ExecuteAsync("DROP TABLE IF EXISTS stopped; CREATE TABLE stopped (n int)");
        await using var sales = database.Open();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);

        var run = sales.InTransactionAsync(
            async (connection, _, token) =>
            {
                await RunAsync(connection, "INSERT INTO stopped VALUES (1)", token);
                var sleeping = RunAsync(connection, "SELECT pg_sleep(60)", token);
                await stop.CancelAsync();
                await sleeping;
            },
            stop.Token);

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.Null(PostgresErrors.ToJobException(error));
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM stopped"));
    }

    [Fact]
    public async Task OpenAsync_WrongPassword_IsRefusedWithoutShowingIt()
    {
        // Not the tests' own server: it may trust everybody.
        var server = FakeServer.Start(FakeServer.RefusePassword);

        var error = await RefusalAsync(
            settings =>
            {
                settings.SslMode = SslMode.Disable;
                settings.Password = "not-the-password";
            },
            server);

        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.Contains($"127.0.0.1:{server.Port}", error.Message, StringComparison.Ordinal);
        Assert.Contains("28P01", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-password", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_MissingPassword_IsRefused() =>
        Assert.Equal(ExitCode.Refused, (await RefusalAsync(
            settings =>
            {
                settings.SslMode = SslMode.Disable;
                settings.Remove("Password");
            },
            FakeServer.Start(FakeServer.RefusePassword))).ExitCode);

    [Fact]
    public async Task OpenAsync_UnknownDatabase_IsRefused() =>
        Assert.Equal(ExitCode.Refused, (await RefusalAsync(settings => settings.Database = "no_such_database")).ExitCode);

    [Fact]
    public async Task OpenAsync_UnknownStartUpOption_IsRefused() =>
        Assert.Equal(ExitCode.Refused, (await RefusalAsync(settings => settings.Options = "-c no_such_setting=1")).ExitCode);

    [Fact]
    public async Task OpenAsync_MissingRootCertificate_IsRefused() =>
        Assert.Equal(ExitCode.Refused, (await RefusalAsync(
            settings =>
            {
                settings.SslMode = SslMode.VerifyFull;
                settings.RootCertificate = "/no/such/root.crt";
            },
            FakeServer.Start(FakeServer.SpeakUntrustedTls))).ExitCode);

    [Fact]
    public async Task OpenAsync_TlsRequiredButNotOffered_IsRefused() =>
        Assert.Equal(ExitCode.Refused, (await RefusalAsync(
            settings => settings.SslMode = SslMode.Require, FakeServer.Start(FakeServer.RefuseTls))).ExitCode);

    [Fact]
    public async Task OpenAsync_UntrustedCertificate_IsRefused() =>
        Assert.Equal(ExitCode.Refused, (await RefusalAsync(
            settings => settings.SslMode = SslMode.VerifyFull, FakeServer.Start(FakeServer.SpeakUntrustedTls))).ExitCode);

    [Fact]
    public async Task OpenAsync_ConnectionClosedInTheHandshake_IsTemporary() =>
        Assert.Equal(ExitCode.TemporaryFailure, (await RefusalAsync(
            settings => settings.SslMode = SslMode.Disable, FakeServer.Start(FakeServer.HangUp))).ExitCode);

    [Fact]
    public async Task OpenAsync_SilentServer_IsTemporary() =>
        Assert.Equal(ExitCode.TemporaryFailure, (await RefusalAsync(
            settings =>
            {
                settings.SslMode = SslMode.Disable;
                settings.Timeout = 1;
            },
            FakeServer.Start(FakeServer.StaySilent))).ExitCode);

    [Fact]
    public async Task OpenAsync_ClosedPort_IsTemporary()
    {
        var server = FakeServer.Start(FakeServer.HangUp);
        await server.DisposeAsync();

        var error = await RefusalAsync(settings => settings.Port = server.Port);

        Assert.Equal(ExitCode.TemporaryFailure, error.ExitCode);
    }

    [Fact]
    public async Task OpenAsync_SeveralHosts_TakesTheOneThatAnswersAndIsTemporaryWhenNoneDoes()
    {
        var server = FakeServer.Start(FakeServer.HangUp);
        await server.DisposeAsync();
        var settings = database.Connection;
        settings.Host = $"127.0.0.1:{server.Port},{settings.Host}:{settings.Port}";
        await OpenAsync(settings);

        var error = await RefusalAsync(none => none.Host = $"127.0.0.1:{server.Port},localhost:{server.Port}");

        Assert.Equal(ExitCode.TemporaryFailure, error.ExitCode);
    }

    [Fact]
    public async Task OpenAsync_UnknownHost_IsTemporary() =>
        Assert.Equal(ExitCode.TemporaryFailure, (await RefusalAsync(settings => settings.Host = "no-such-host.invalid")).ExitCode);

    [Fact]
    public async Task OpenAsync_TooManyConnections_IsTemporary()
    {
        await using var full = await TestDatabase.CreateAsync(database.Server, migrated: false);
        await using var role = await TestRole.CreateAsync(full);
        await full.ExecuteAsync($"ALTER ROLE {role.Name} CONNECTION LIMIT 0");

        var error = await Assert.ThrowsAsync<JobException>(() => OpenAsync(role.Connection));

        Assert.Equal(ExitCode.TemporaryFailure, error.ExitCode);
        Assert.Contains("53300", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Statement_WithoutPrivilegeOrTable_IsRefused()
    {
        await using var role = await TestRole.CreateAsync(database);
        await using var sales = new SalesDatabase(role.Connection, new SalesDatabaseOptions(), TimeProvider.System);

        var privilege = await Assert.ThrowsAsync<PostgresException>(() =>
            sales.InTransactionAsync((connection, _, token) => RunAsync(connection, "SELECT count(*) FROM leads", token), Token));
        var table = await Assert.ThrowsAsync<PostgresException>(() =>
            sales.InTransactionAsync((connection, _, token) => RunAsync(connection, "SELECT count(*) FROM no_such_table", token), Token));

        Assert.Equal(ExitCode.Refused, PostgresErrors.ToJobException(privilege)?.ExitCode);
        Assert.Equal(ExitCode.Refused, PostgresErrors.ToJobException(table)?.ExitCode);
    }

    [Fact]
    public async Task Reading_TheTypesWeUse_NeedsNoMoreThanTheSlimSource()
    {
        await using var sales = database.Open();
        await using var connection = await sales.OpenAsync(Token);
        await using var command = new NpgsqlCommand(
            """
            SELECT 'high'::priority_level, '{"a": 1}'::jsonb, 12.50::numeric(12, 2), '2024-02-29'::date, '2024-02-29 10:00+02'::timestamptz,
              ARRAY['a', 'b'], ARRAY[1, 2], ARRAY['low', 'high']::priority_level[], '00000000-0000-0000-0000-000000000001'::uuid, 1.5::float8,
              interval '1 day', @texts::text[], @numbers::bigint[], @json::jsonb, @stage::pipeline_stage, @nothing::int
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter("texts", new[] { "x", null, "y" }));
        command.Parameters.Add(new NpgsqlParameter("numbers", new[] { 1L, 2L }));
        command.Parameters.Add(new NpgsqlParameter("json", """{"b": [true]}"""));
        command.Parameters.Add(new NpgsqlParameter("stage", "closed_won"));
        command.Parameters.Add(new NpgsqlParameter("nothing", DBNull.Value));

        await using var reader = await command.ExecuteReaderAsync(Token);
        Assert.True(await reader.ReadAsync(Token));

        Assert.Equal("high", reader.GetString(0));
        Assert.Equal("""{"a": 1}""", reader.GetString(1));
        Assert.Equal(12.50m, reader.GetDecimal(2));
        Assert.Equal(new DateOnly(2024, 2, 29), reader.GetFieldValue<DateOnly>(3));
        Assert.Equal(new DateTimeOffset(2024, 2, 29, 8, 0, 0, TimeSpan.Zero), reader.GetFieldValue<DateTimeOffset>(4));
        Assert.Equal(["a", "b"], reader.GetFieldValue<string[]>(5));
        Assert.Equal([1, 2], reader.GetFieldValue<int[]>(6));
        Assert.Equal(["low", "high"], reader.GetFieldValue<string[]>(7));
        Assert.Equal(1, reader.GetGuid(8).ToByteArray()[15]);
        Assert.Equal(1.5, reader.GetDouble(9));
        Assert.Equal(TimeSpan.FromDays(1), reader.GetFieldValue<TimeSpan>(10));
        Assert.Equal(["x", null, "y"], reader.GetFieldValue<string?[]>(11));
        Assert.Equal([1L, 2L], reader.GetFieldValue<long[]>(12));
        Assert.Equal("closed_won", reader.GetValue(14));
        Assert.True(await reader.IsDBNullAsync(15, Token));
    }

    [Fact]
    public async Task CheckSchemaAsync_MigratedDatabase_Passes()
    {
        await using var sales = database.Open();

        await sales.CheckSchemaAsync(Token);
    }

    private static async Task<List<string>> SettingsAsync(SalesDatabase sales)
    {
        await using var connection = await sales.OpenAsync(Token);
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_backend_pid()::text, current_setting('TimeZone'), current_setting('statement_timeout'), current_setting('lock_timeout'),
              current_setting('idle_in_transaction_session_timeout'), current_setting('application_name'),
              CASE WHEN current_setting('server_version_num')::int >= 140000 AND version() LIKE '%linux%'
                THEN current_setting('client_connection_check_interval', true) ELSE '1s' END
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        await reader.ReadAsync(Token);
        return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetString)];
    }

    private static async Task<DateTimeOffset> NowAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT sales_now()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return await reader.GetFieldValueAsync<DateTimeOffset>(0, cancellationToken);
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task OpenAsync(NpgsqlConnectionStringBuilder settings)
    {
        await using var sales = new SalesDatabase(settings, new SalesDatabaseOptions(), TimeProvider.System);
        await using var connection = await sales.OpenAsync(Token);
    }

    private async Task<JobException> RefusalAsync(Action<NpgsqlConnectionStringBuilder> change, FakeServer? server = null)
    {
        await using (server)
        {
            var settings = database.Connection;
            if (server is not null)
            {
                settings.Port = server.Port;
                settings.Host = "127.0.0.1";
            }

            change(settings);
            return await Assert.ThrowsAsync<JobException>(() => OpenAsync(settings));
        }
    }

    /// <summary>The first bytes of a server that behaves badly, for one connection.</summary>
    private sealed class FakeServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private Task _serving = Task.CompletedTask;

        private FakeServer()
        {
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        }

        public int Port { get; }

        public static FakeServer Start(Func<NetworkStream, CancellationToken, Task> behave)
        {
            var server = new FakeServer();
            server._serving = server.ServeAsync(behave);
            return server;
        }

        public static Task HangUp(NetworkStream stream, CancellationToken cancellationToken) => Task.CompletedTask;

        public static async Task StaySilent(NetworkStream stream, CancellationToken cancellationToken) =>
            await stream.CopyToAsync(Stream.Null, cancellationToken);

        /// <summary>Asks for the password in clear text and refuses it (protocol 3.0: AuthenticationCleartextPassword, ErrorResponse).</summary>
        public static async Task RefusePassword(NetworkStream stream, CancellationToken cancellationToken)
        {
            await ReadMessageAsync(stream, cancellationToken);
            await stream.WriteAsync("R\0\0\0\x08\0\0\0\x03"u8.ToArray(), cancellationToken);
            await stream.ReadExactlyAsync(new byte[1], cancellationToken);
            await ReadMessageAsync(stream, cancellationToken);
            var fields = "SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0"u8.ToArray();
            await stream.WriteAsync(new byte[] { (byte)'E', 0, 0, 0, (byte)(fields.Length + 4) }, cancellationToken);
            await stream.WriteAsync(fields, cancellationToken);
        }

        public static async Task RefuseTls(NetworkStream stream, CancellationToken cancellationToken)
        {
            await ReadMessageAsync(stream, cancellationToken);
            await stream.WriteAsync("N"u8.ToArray(), cancellationToken);
            await stream.CopyToAsync(Stream.Null, cancellationToken);
        }

        public static async Task SpeakUntrustedTls(NetworkStream stream, CancellationToken cancellationToken)
        {
            await ReadMessageAsync(stream, cancellationToken);
            await stream.WriteAsync("S"u8.ToArray(), cancellationToken);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var from = DateTimeOffset.UnixEpoch.AddYears(50);
            using var certificate = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256).CreateSelfSigned(from, from.AddYears(50));
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, cancellationToken);
            await tls.CopyToAsync(Stream.Null, cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _serving;
            _listener.Dispose();
            _stop.Dispose();
        }

        /// <summary>Length (four bytes that count themselves) and content.</summary>
        private static async Task ReadMessageAsync(NetworkStream stream, CancellationToken cancellationToken)
        {
            var length = new byte[4];
            await stream.ReadExactlyAsync(length, cancellationToken);
            await stream.ReadExactlyAsync(new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4], cancellationToken);
        }

        private async Task ServeAsync(Func<NetworkStream, CancellationToken, Task> behave)
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                    await behave(client.GetStream(), _stop.Token);
                }
                catch (Exception ended) when (ended is OperationCanceledException or IOException or AuthenticationException)
                {
                    // The client went away, as the tests expect, or the test is over.
                    continue;
                }
            }
        }
    }
}
