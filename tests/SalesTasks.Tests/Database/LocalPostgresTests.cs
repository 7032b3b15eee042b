using System.Diagnostics;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Tests.Database;

public sealed class LocalPostgresTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_DurableServerCrashed_RecoversOnTheSamePortAndGoesAwayInTheEnd()
    {
        var server = await LocalPostgres.StartAsync(
            new LocalPostgresOptions { Settings = new Dictionary<string, string> { ["work_mem"] = "5MB" } }, Token);
        await using (server)
        {
            Assert.Equal("on|5MB|5MB", await ScalarAsync(server,
                "SELECT concat_ws('|', current_setting('fsync'), current_setting('work_mem'), current_setting('work_mem'))"));
            await ScalarAsync(server, "CREATE TABLE kept (n int)");
            await ScalarAsync(server, "INSERT INTO kept VALUES (1)");

            await server.StopAsync(StopMode.Immediate, Token);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync(server, "SELECT 1"));
            await server.StartAgainAsync(Token);
            Assert.Equal(1, await ScalarAsync(server, "SELECT count(*)::int FROM kept"));

            await server.StopAsync(StopMode.Fast, Token);
            await server.StartAgainAsync(Token);
            Assert.Equal(1, await ScalarAsync(server, "SELECT count(*)::int FROM kept"));
        }

        Assert.False(Directory.Exists(server.Folder));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync(server, "SELECT 1"));
    }

    [Fact]
    public async Task StartAsync_WithoutPasswordOrFromOutside_IsClosed()
    {
        await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = false }, Token);

        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.Connection.ConnectionString) { Password = "guess" });
        var error = await Assert.ThrowsAsync<PostgresException>(async () => await source.OpenConnectionAsync(Token));

        Assert.Equal("28P01", error.SqlState);
        Assert.Equal("127.0.0.1", await ScalarAsync(server, "SHOW listen_addresses"));
        Assert.Equal("scram-sha-256", await ScalarAsync(server, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"));
    }

    [Fact]
    public async Task Dispose_KeptServer_StaysUntilItsStopCommandIsTyped()
    {
        var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = false }, Token);
        try
        {
            await server.KeepAsync();
            await server.DisposeAsync();
            Assert.Equal(1, await ScalarAsync(server, "SELECT 1"));
        }
        finally
        {
            using var shell = Process.Start("/bin/sh", ["-c", $"{{ {server.StopCommand}; }} > /dev/null"]);
            await shell.WaitForExitAsync(CancellationToken.None);
        }

        Assert.False(Directory.Exists(server.Folder));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync(server, "SELECT 1"));
    }

    [Fact]
    public async Task StartAsync_ServerRefusesItsSettings_TellsTheServersLogAndLeavesNothing()
    {
        var before = Directory.GetDirectories("/tmp", "sales-tasks-postgres-*").ToHashSet();
        var options = new LocalPostgresOptions { Durable = false, Settings = new Dictionary<string, string> { ["no_such_setting"] = "1" } };

        var error = await Assert.ThrowsAsync<JobException>(() => LocalPostgres.StartAsync(options, Token));

        Assert.Contains("no_such_setting", error.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, error.ExitCode);
        Assert.DoesNotContain(
            Directory.GetDirectories("/tmp", "sales-tasks-postgres-*").Except(before), folder => error.Message.Contains(folder, StringComparison.Ordinal));
    }

    private static async Task<object?> ScalarAsync(LocalPostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.Connection);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Token);
    }
}
