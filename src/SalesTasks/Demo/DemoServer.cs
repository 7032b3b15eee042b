using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Demo;

/// <summary>
/// The demo's own PostgreSQL: from the programs installed here, else installed for the purpose, else a container. It ends with this
/// process, however that ends, unless it is kept.
/// </summary>
internal sealed class DemoServer : IAsyncDisposable
{
    private const string Docker = "docker";

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
            if (await PostgresInstaller.InstallAsync(context, report, cancellationToken) is { } obstacle)
            {
                return await DockerPostgres.IsReadyAsync(Docker, cancellationToken)
                    ? await StartContainerAsync(context, report, cancellationToken)
                    : throw JobException.Refused($"{none.Message}{obstacle} Or start Docker.", none);
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

    private static async Task<DemoServer> StartContainerAsync(
        PeopleContext context, Action<string> report, CancellationToken cancellationToken)
    {
        report($"Docker: {DockerPostgres.Image}");
        var container = await DockerPostgres.StartAsync(Docker, context.Host.Time, cancellationToken);
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
    /// <returns>Null: done. Else why it could not be done here, as a sentence to follow another (empty: only a person can).</returns>
    public static async Task<string?> InstallAsync(PeopleContext context, Action<string> report, CancellationToken cancellationToken)
    {
        if (PostgresBinaries.InstallCommand() is not { } command)
        {
            return "";
        }

        var root = Environment.IsPrivilegedProcess;
        var brew = command.StartsWith("brew ", StringComparison.Ordinal);
        if (brew ? root : !root && !await SudoWorksAsync(cancellationToken))
        {
            return "";
        }

        report(context.Text($"installing it: {command}", $"instalándolo: {command}"));
        // Package lists of a fresh machine or container are empty.
        var script = command.StartsWith("apt-get ", StringComparison.Ordinal)
            ? $"apt-get update && DEBIAN_FRONTEND=noninteractive {command}"
            : command;
        // Not cancelled: a package manager that is killed half-way leaves the machine in need of repair.
        var result = root || brew
            ? await ChildProcess.RunAsync("/bin/sh", ["-c", script], null, CancellationToken.None)
            : await ChildProcess.RunAsync("sudo", ["-n", "/bin/sh", "-c", script], null, CancellationToken.None);
        return result.ExitCode == 0 ? null : $" That failed: {LastLine(result)}.";
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
