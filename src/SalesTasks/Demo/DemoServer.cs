using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Demo;

/// <summary>
/// The demo's own PostgreSQL: from the programs installed here, else installed for the purpose, else a container. It ends with this process,
/// however that ends, unless it is kept.
/// </summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private readonly Func<Task> _keep;
    private readonly Func<ValueTask> _remove;

    private DemoServer(
        NpgsqlConnectionStringBuilder connection, string description, string stopCommand, Func<Task> keep, Func<ValueTask> remove)
    {
        Connection = connection;
        Description = description;
        StopCommand = stopCommand;
        _keep = keep;
        _remove = remove;
    }

    public NpgsqlConnectionStringBuilder Connection { get; }

    /// <summary>What runs where, for a person.</summary>
    public string Description { get; }

    /// <summary>What a person types to stop a kept server and remove its files.</summary>
    public string StopCommand { get; }

    /// <summary>As a URL that psql and Airflow read.</summary>
    public string Url => string.Create(
        CultureInfo.InvariantCulture,
        $"postgresql://{Connection.Username}:{Connection.Password}@{Connection.Host}:{Connection.Port}/{Connection.Database}");

    /// <param name="context">Its texts and clock.</param>
    /// <param name="report">Told what takes long.</param>
    /// <param name="cancellationToken">Ends the start; nothing is left then.</param>
    /// <exception cref="JobException">69: no way to a server; the message tells what would help.</exception>
    public static async Task<DemoServer> StartAsync(PeopleContext context, Action<string> report, CancellationToken cancellationToken)
    {
        try
        {
            await PostgresBinaries.FindAsync(cancellationToken);
        }
        catch (JobException none)
        {
            if (!await PostgresInstaller.TryInstallAsync(context, report, cancellationToken))
            {
                return await DockerPostgres.IsReadyAsync(cancellationToken)
                    ? await StartContainerAsync(context, report, cancellationToken)
                    : throw JobException.Refused($"{none.Message} Or start Docker.", none);
            }
        }

        var server = await LocalPostgres.StartAsync(new LocalPostgresOptions(), cancellationToken);
        return new DemoServer(
            server.Connection,
            $"PostgreSQL {server.Version}, 127.0.0.1:{server.Connection.Port}",
            server.StopCommand,
            server.KeepAsync,
            server.DisposeAsync);
    }

    /// <summary>From here on the server stays.</summary>
    public Task KeepAsync() => _keep();

    public ValueTask DisposeAsync() => _remove();

    private static async Task<DemoServer> StartContainerAsync(PeopleContext context, Action<string> report, CancellationToken cancellationToken)
    {
        report(context.Text($"Docker: {DockerPostgres.Image}", $"Docker: {DockerPostgres.Image}"));
        var container = await DockerPostgres.StartAsync(context.Host.Time, cancellationToken);
        return new DemoServer(
            container.Connection,
            $"{DockerPostgres.Image} (Docker), 127.0.0.1:{container.Connection.Port}",
            container.StopCommand,
            container.KeepAsync,
            container.DisposeAsync);
    }
}

/// <summary>Installs PostgreSQL where that needs no question: as root, with a sudo that asks for no password, or with Homebrew.</summary>
internal static class PostgresInstaller
{
    /// <returns>False where it cannot be installed here without a person.</returns>
    /// <exception cref="JobException">69: the package manager was started and failed.</exception>
    public static async Task<bool> TryInstallAsync(PeopleContext context, Action<string> report, CancellationToken cancellationToken)
    {
        if (PostgresBinaries.InstallCommand() is not { } command)
        {
            return false;
        }

        var root = Environment.IsPrivilegedProcess;
        var brew = command.StartsWith("brew ", StringComparison.Ordinal);
        if (brew ? root : !root && !await SudoWorksAsync(cancellationToken))
        {
            return false;
        }

        report(context.Text($"installing it: {command}", $"instalándolo: {command}"));
        // Package lists of a fresh machine or container are empty.
        var script = command.StartsWith("apt-get ", StringComparison.Ordinal)
            ? $"apt-get update && DEBIAN_FRONTEND=noninteractive {command}"
            : command;
        // Not cancelled: a package manager that is killed half-way leaves the machine in need of repair.
        var result = await ChildProcess.RunAsync(
            root || brew ? "/bin/sh" : "sudo", root || brew ? ["-c", script] : ["-n", "/bin/sh", "-c", script], null, CancellationToken.None);
        return result.ExitCode == 0
            ? true
            : throw JobException.Refused($"Installing PostgreSQL failed ({command}): {LastLine(result)}");
    }

    private static async Task<bool> SudoWorksAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await ChildProcess.RunAsync("sudo", ["-n", "true"], null, cancellationToken)).ExitCode == 0;
        }
        catch (JobException)
        {
            // No sudo here.
            return false;
        }
    }

    private static string LastLine(ChildProcess.Result result) =>
        (result.Errors.Trim().Length > 0 ? result.Errors : result.Output).Trim().Split('\n')[^1];
}

/// <summary>A PostgreSQL container on a free port of the loopback interface.</summary>
internal sealed class DockerPostgres : IAsyncDisposable
{
    public const string Image = "postgres:17-alpine";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly string _name;
    private readonly Process _guard;
    private bool _kept;

    private DockerPostgres(string name, string password)
    {
        _name = name;
        Connection = new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Username = "sales", Password = password, Database = "sales" };
        // As LocalPostgres does it: when this process ends, the kernel closes the pipe, and the shell removes the container.
        _guard = ChildProcess.Start(
            "/bin/sh", ["-c", "trap '' INT TERM HUP QUIT; read -r word; [ \"$word\" = keep ] || docker rm -f \"$0\" > /dev/null 2>&1", name]);
    }

    public NpgsqlConnectionStringBuilder Connection { get; }

    public string StopCommand => $"docker rm -f {_name}";

    /// <summary>Whether there is a Docker here that answers.</summary>
    public static async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await ChildProcess.RunAsync("docker", ["info"], null, cancellationToken)).ExitCode == 0;
        }
        catch (JobException)
        {
            // No docker program.
            return false;
        }
    }

    /// <summary>Fetches the image where it is missing, and returns when the server accepts connections.</summary>
    /// <exception cref="JobException">69: the image cannot be had or does not start.</exception>
    public static async Task<DockerPostgres> StartAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var container = new DockerPostgres("sales-tasks-demo-" + RandomNumberGenerator.GetHexString(8, lowercase: true), password);
        try
        {
            // Through the input, so that no list of processes shows the password.
            await DockerAsync(
                ["run", "--detach", "--rm", "--name", container._name, "--env-file", "/dev/stdin", "--publish", "127.0.0.1::5432", Image],
                $"POSTGRES_PASSWORD={password}\nPOSTGRES_USER=sales\nPOSTGRES_DB=sales\n",
                cancellationToken);
            // "127.0.0.1:49153"
            var published = await DockerAsync(["port", container._name, "5432/tcp"], null, cancellationToken);
            container.Connection.Port = int.Parse(published.Trim().Split('\n')[0].Split(':')[^1], NumberStyles.None, CultureInfo.InvariantCulture);
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

    private static async Task<string> DockerAsync(IEnumerable<string> arguments, string? input, CancellationToken cancellationToken)
    {
        var result = await ChildProcess.RunAsync("docker", arguments, input, cancellationToken);
        return result.ExitCode == 0 ? result.Output : throw JobException.Refused($"docker {arguments.First()} {Image}: {result.Errors.Trim()}");
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
