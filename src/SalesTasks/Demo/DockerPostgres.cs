using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Demo;

/// <summary>A PostgreSQL container on a free port of the loopback interface.</summary>
internal sealed class DockerPostgres : IAsyncDisposable
{
    public const string Image = "postgres:17-alpine";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly string _docker;
    private readonly string _name;
    private readonly Process _guard;
    private bool _kept;

    private DockerPostgres(string docker, string name, string password)
    {
        _docker = docker;
        _name = name;
        Connection = new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Username = "sales", Password = password, Database = "sales" };
        // As LocalPostgres does it: when this process ends, the kernel closes the pipe, and the shell removes the container.
        _guard = ChildProcess.Start(
            "/bin/sh",
            ["-c", "trap '' INT TERM HUP QUIT; read -r word; [ \"$word\" = keep ] || \"$0\" rm -f \"$1\" > /dev/null 2>&1", docker, name]);
    }

    public NpgsqlConnectionStringBuilder Connection { get; }

    public string StopCommand => $"{_docker} rm -f {_name}";

    /// <summary>Whether there is a Docker here that answers.</summary>
    public static async Task<bool> IsReadyAsync(string docker, CancellationToken cancellationToken)
    {
        try
        {
            return (await ChildProcess.RunAsync(docker, ["info"], null, cancellationToken)).ExitCode == 0;
        }
        catch (JobException)
        {
            // No docker program.
            return false;
        }
    }

    /// <summary>Fetches the image where it is missing, and returns when the server accepts connections.</summary>
    /// <param name="docker">The program.</param>
    /// <param name="time">Paces the wait.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="JobException">69: the image cannot be had or does not start.</exception>
    public static async Task<DockerPostgres> StartAsync(string docker, TimeProvider time, CancellationToken cancellationToken)
    {
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var container = new DockerPostgres(docker, "sales-tasks-demo-" + RandomNumberGenerator.GetHexString(8, lowercase: true), password);
        try
        {
            // Through the input, so that no list of processes shows the password.
            await container.DockerAsync(
                ["run", "--detach", "--rm", "--name", container._name, "--env-file", "/dev/stdin", "--publish", "127.0.0.1::5432", Image],
                $"POSTGRES_PASSWORD={password}\nPOSTGRES_USER=sales\nPOSTGRES_DB=sales\n",
                cancellationToken);
            // "127.0.0.1:49153"
            var published = await container.DockerAsync(["port", container._name, "5432/tcp"], null, cancellationToken);
            var port = published.Trim().Split('\n')[0].Split(':')[^1];
            container.Connection.Port = int.Parse(port, NumberStyles.None, CultureInfo.InvariantCulture);
            await container.AcceptsConnectionsAsync(time, cancellationToken);
            return container;
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    public async Task KeepAsync()
    {
        _kept = true;
        await _guard.StandardInput.WriteLineAsync("keep");
        await EndGuardAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_kept)
        {
            await EndGuardAsync();
        }
    }

    private async Task<string> DockerAsync(IEnumerable<string> arguments, string? input, CancellationToken cancellationToken)
    {
        var result = await ChildProcess.RunAsync(_docker, arguments, input, cancellationToken);
        return result.ExitCode == 0
            ? result.Output
            : throw JobException.Refused($"docker {arguments.First()} {Image}: {result.Errors.Trim()}");
    }

    private async Task AcceptsConnectionsAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        await using var source = NpgsqlDataSource.Create(Connection);
        while (true)
        {
            try
            {
                // The image's own first start listens on a socket file only, so whoever answers here is ready.
                await using var connection = await source.OpenConnectionAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException) when (time.GetElapsedTime(started) < s_patience)
            {
                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }

    private async Task EndGuardAsync()
    {
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync(CancellationToken.None);
        _guard.Dispose();
    }
}
