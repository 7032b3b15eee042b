using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Npgsql;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;
using Testcontainers.PostgreSql;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace SalesTasks.Tests.TestBase;

/// <summary>
/// The PostgreSQL all tests share, started by the first one that needs it: the server of SALES_TEST_POSTGRES (an Npgsql connection
/// string of a role that may create databases and roles), else a private one from the binaries installed here, else a container. Without any
/// of them tests fail; they are never skipped.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Variable = "SALES_TEST_POSTGRES";

    private readonly SemaphoreSlim _turn = new(1);
    private readonly string _run = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private LocalPostgres? _local;
    private PostgreSqlContainer? _container;
    private NpgsqlConnectionStringBuilder? _connection;
    private NpgsqlDataSource? _administration;
    private string? _template;
    private int _databases;

    /// <summary>A new database: a copy of the migrated template, or an empty one.</summary>
    internal async Task<NpgsqlConnectionStringBuilder> CreateDatabaseAsync(bool migrated, CancellationToken cancellationToken)
    {
        // One at a time: a template may not be in use while it is copied.
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var server = await StartedAsync(cancellationToken);
            var name = $"sales_test_{_run}_{++_databases}";
            var template = migrated ? _template ??= await CreateTemplateAsync(server, cancellationToken) : "template0";
            await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template}", cancellationToken);
            return new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name };
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Drops a database, sessions in it notwithstanding.</summary>
    internal async Task DropDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await DropAsync(name, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_administration is not null)
        {
            if (_template is not null && _local is null && _container is null)
            {
                await DropAsync(_template, CancellationToken.None);
            }

            await _administration.DisposeAsync();
        }

        if (_local is not null)
        {
            await _local.DisposeAsync();
        }

        if (_container is not null)
        {
            await _container.DisposeAsync();
        }

        _turn.Dispose();
    }

    private async Task<NpgsqlConnectionStringBuilder> StartedAsync(CancellationToken cancellationToken)
    {
        if (_connection is null)
        {
            _connection = await StartAsync(cancellationToken);
            _administration = NpgsqlDataSource.Create(_connection);
        }

        return _connection;
    }

    private async Task<NpgsqlConnectionStringBuilder> StartAsync(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            return new NpgsqlConnectionStringBuilder(given);
        }

        try
        {
            var options = new LocalPostgresOptions { Durable = false, Database = "tests" };
            _local = await LocalPostgres.StartAsync(options, cancellationToken);
            return _local.Connection;
        }
        catch (JobException noServer)
        {
            try
            {
                var container = new PostgreSqlBuilder("postgres:17-alpine").WithCommand("-c", "fsync=off", "-c", "max_connections=200").Build();
                await container.StartAsync(cancellationToken);
                _container = container;
                return new NpgsqlConnectionStringBuilder(container.GetConnectionString());
            }
            catch (Exception noContainer) when (noContainer is not OperationCanceledException)
            {
                throw new InvalidOperationException(
                    $"The tests need a PostgreSQL. {noServer.Message} Or set {Variable}. (Docker: {noContainer.Message})", noContainer);
            }
        }
    }

    private async Task<string> CreateTemplateAsync(NpgsqlConnectionStringBuilder server, CancellationToken cancellationToken)
    {
        var name = $"sales_template_{_run}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0", cancellationToken);
        var connection = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name };
        await using var database = new SalesDatabase(connection, new SalesDatabaseOptions(), TimeProvider.System);
        await new Migrator(database, TimeProvider.System).MigrateAsync(cancellationToken);
        return name;
    }

    private async Task DropAsync(string name, CancellationToken cancellationToken)
    {
        // DROP DATABASE … WITH (FORCE) came with version 13.
        await ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", cancellationToken);
        await ExecuteAsync($"DROP DATABASE IF EXISTS {name}", cancellationToken);
    }

    [SuppressMessage("Security", "CA2100", Justification = "Names are made here; DDL takes no parameters.")]
    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = _administration!.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
