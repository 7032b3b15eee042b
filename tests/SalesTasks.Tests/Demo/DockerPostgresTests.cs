using Npgsql;
using SalesTasks.Database;
using SalesTasks.Demo;

namespace SalesTasks.Tests.Demo;

/// <summary>
/// Against a stand-in for the docker program that plays the container with a server of its own: what is asked of Docker, and that nothing
/// stays.
/// </summary>
public sealed class DockerPostgresTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-docker-").FullName;
    private LocalPostgres _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Docker => Path.Combine(_folder, "docker");

    public async ValueTask InitializeAsync()
    {
        _server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = false }, Token);
        var binaries = await PostgresBinaries.FindAsync(Token);
        await WriteAsync(
            $$"""
            #!/bin/sh
            echo "$@" >> {{_folder}}/calls
            case $1 in
              run)
                cat > {{_folder}}/environment
                password=$(sed -n 's/^POSTGRES_PASSWORD=//p' {{_folder}}/environment)
                export PGPASSWORD={{_server.Connection.Password}}
                {{binaries.Folder}}/psql -q -h 127.0.0.1 -p {{_server.Connection.Port}} -U sales sales \
                  -c "ALTER ROLE sales PASSWORD '$password'" ;;
              port) echo 127.0.0.1:{{_server.Connection.Port}} ;;
            esac
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task StartAsync_DockerHere_GivesAServerThatGoesWithIt()
    {
        Assert.True(await DockerPostgres.IsReadyAsync(Docker, Token));
        string name;
        await using (var container = await DockerPostgres.StartAsync(Docker, TimeProvider.System, Token))
        {
            name = container.StopCommand.Split(' ')[^1];
            await using var source = NpgsqlDataSource.Create(container.Connection);
            await using var command = source.CreateCommand("SELECT current_database()");
            Assert.Equal("sales", await command.ExecuteScalarAsync(Token));

            var run = (await CallsAsync()).Single(call => call.StartsWith("run ", StringComparison.Ordinal));
            Assert.Contains($"--name {name}", run, StringComparison.Ordinal);
            Assert.Contains("127.0.0.1::5432", run, StringComparison.Ordinal);
            Assert.DoesNotContain(container.Connection.Password!, run, StringComparison.Ordinal);
        }

        Assert.Equal($"rm -f {name}", (await CallsAsync())[^1]);
    }

    [Fact]
    public async Task KeepAsync_Disposed_LeavesTheContainer()
    {
        await using (var container = await DockerPostgres.StartAsync(Docker, TimeProvider.System, Token))
        {
            await container.KeepAsync();
        }

        Assert.DoesNotContain(await CallsAsync(), call => call.StartsWith("rm ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task StartAsync_ImageCannotBeHad_IsRefusedAndCleanedUp()
    {
        await WriteAsync(
            $"""
            #!/bin/sh
            echo "$@" >> {_folder}/calls
            [ "$1" = run ] || exit 0
            echo "no route to the registry" >&2
            exit 125
            """);

        var failure = await Assert.ThrowsAsync<JobException>(() => DockerPostgres.StartAsync(Docker, TimeProvider.System, Token));

        Assert.Equal(ExitCode.Refused, failure.ExitCode);
        Assert.Contains("no route to the registry", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("rm -f sales-tasks-demo-", (await CallsAsync())[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task IsReadyAsync_NoDockerProgram_IsFalse() =>
        Assert.False(await DockerPostgres.IsReadyAsync(Path.Combine(_folder, "none"), Token));

    private async Task WriteAsync(string script)
    {
        await File.WriteAllTextAsync(Docker, script.ReplaceLineEndings("\n") + "\n", Token);
        await ChildProcess.RunAsync("chmod", ["700", Docker], null, Token);
    }

    private async Task<string[]> CallsAsync() => await File.ReadAllLinesAsync(Path.Combine(_folder, "calls"), Token);
}
