using System.Diagnostics;
using SalesTasks.Database;
using SalesTasks.Tests.Repository;

namespace SalesTasks.Tests.Image;

/// <summary>
/// A Docker engine: the one that answers here, else, for root, a private one without networks of its own (containers use the host's or
/// none). The private one ends with this process, however that ends; its images stay in the ignored artifacts folder for the next run.
/// </summary>
internal sealed class DockerEngine : IAsyncDisposable
{
    private const string Fix = "apt-get install -y docker.io debootstrap, and run the tests as root or where a Docker engine answers";

    // Started before the signals are ignored, so that the engine itself still obeys them. $1 is our folder, the rest the engine's arguments.
    private const string Guard = """
        folder=$1; shift
        "$@" >"$folder/log" 2>&1 & engine=$!
        trap '' INT TERM HUP QUIT
        cat >/dev/null
        kill $engine; wait $engine
        umount "$folder"/run/netns/* 2>/dev/null
        rm -rf "$folder"
        """;

    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(200);

    private readonly Process? _guard;
    private readonly FileStream? _lock;

    private DockerEngine(string? host = null, Process? guard = null, FileStream? storageLock = null)
    {
        Host = host;
        _guard = guard;
        _lock = storageLock;
    }

    /// <summary>DOCKER_HOST of the private engine; null where the environment's own setting leads to one.</summary>
    public string? Host { get; }

    /// <summary>The engine, or the reason why there is none here and what to do about it.</summary>
    public static async Task<(DockerEngine? Engine, string? Missing)> StartAsync(CancellationToken cancellationToken)
    {
        if (!Checkout.Has("docker"))
        {
            return (null, "docker is not installed: " + Fix);
        }

        var present = new DockerEngine();
        var answer = await present.TryAsync(["version"], cancellationToken);
        if (answer.ExitCode == 0)
        {
            return (present, null);
        }

        return Environment.IsPrivilegedProcess && Checkout.Has("dockerd")
            ? await StartPrivateAsync(cancellationToken)
            : (null, $"no Docker engine answers ({answer.Errors.Trim()}): {Fix}");
    }

    /// <summary>Runs the docker command; its failure is ours.</summary>
    public async Task<string> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var all = arguments.ToList();
        var result = await TryAsync(all, cancellationToken);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"docker {string.Join(' ', all)} ended with {result.ExitCode}:\n{result.Output}{result.Errors}");
    }

    /// <summary>Runs the docker command and returns what it left.</summary>
    public Task<ChildProcess.Result> TryAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync("env", [.. Variables, "docker", .. arguments], input: null, cancellationToken);

    /// <summary>Runs another program that talks to this engine.</summary>
    public Task<ChildProcess.Result> TryProgramAsync(IEnumerable<string> command, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync("env", [.. Variables, .. command], input: null, cancellationToken);

    /// <summary>Stops the private engine.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_guard is not null)
        {
            _guard.StandardInput.Close();
            await _guard.WaitForExitAsync(CancellationToken.None);
            _guard.Dispose();
        }

        if (_lock is not null)
        {
            await _lock.DisposeAsync();
        }
    }

    private IEnumerable<string> Variables => Host is null ? [] : [$"DOCKER_HOST={Host}"];

    private static async Task<(DockerEngine? Engine, string? Missing)> StartPrivateAsync(CancellationToken cancellationToken)
    {
        var storage = Directory.CreateDirectory($"{Checkout.Root}/artifacts/docker").FullName;
        var storageLock = await LockAsync($"{storage}.lock", cancellationToken);
        // The socket's path must be short.
        var folder = Directory.CreateTempSubdirectory("sales-tasks-docker-").FullName;
        var host = $"unix://{folder}/socket";
        var guard = ChildProcess.Start(
            "/bin/sh",
            [
                "-c", Guard, "docker-guard", folder,
                "dockerd", "--host", host, "--data-root", storage, "--exec-root", $"{folder}/run", "--pidfile", $"{folder}/pid",
                "--bridge=none", "--iptables=false", "--ip6tables=false",
            ]);
        var engine = new DockerEngine(host, guard, storageLock);
        using var limit = new CancellationTokenSource(s_startLimit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            while ((await engine.TryAsync(["version"], either.Token)).ExitCode != 0)
            {
                await Task.Delay(s_poll, TimeProvider.System, either.Token);
            }

            return (engine, null);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            var log = await File.ReadAllLinesAsync($"{folder}/log", cancellationToken);
            await engine.DisposeAsync();
            return (null, $"dockerd does not start here: {string.Join(" / ", log.TakeLast(3))}. To check the image, {Fix}");
        }
    }

    /// <summary>Waits until no other run of the tests uses the storage.</summary>
    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path))
            {
                await Task.Delay(s_poll, TimeProvider.System, cancellationToken);
            }
        }
    }
}
