using System.Text.RegularExpressions;
using SalesTasks.Database;
using SalesTasks.Tests.Image;
using SalesTasks.Tests.Repository;

[assembly: AssemblyFixture(typeof(BuiltImage))]

namespace SalesTasks.Tests.Image;

/// <summary>
/// The container image, built once from this checkout's Dockerfile: on the official base images where a registry can be reached, else on
/// those that <c>tests/image/make-base-images.sh</c> makes here.
/// </summary>
public sealed partial class BuiltImage : IAsyncDisposable
{
    public const string Revision = "0123456789abcdef";
    public const string Created = "2026-01-02T03:04:05Z";

    private const string Tag = "sales-tasks-test:latest";

    private static readonly TimeSpan s_pullLimit = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _turn = new(1);
    private DockerEngine? _engine;
    private string? _missing;
    private Exception? _failure;
    private bool _built;

    /// <summary>Builds the image unless it was built before. Skips the running test where that cannot be done; a build server fails.</summary>
    public async Task BuildAsync()
    {
        await _turn.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (!_built)
            {
                _built = true;
                await TryBuildAsync(TestContext.Current.CancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }

        if (_missing is not null)
        {
            Checkout.SkipOrFail("The container image was not checked: " + _missing);
        }

        if (_failure is not null)
        {
            throw new InvalidOperationException("The container image cannot be built.", _failure);
        }
    }

    /// <summary>
    /// Runs the program in a new container as a cautious operator would: read-only root file system, no capabilities, on the host's
    /// network. <paramref name="options"/> are further options of docker run.
    /// </summary>
    internal Task<ChildProcess.Result> RunAsync(IEnumerable<string> options, params IEnumerable<string> arguments) => DockerAsync(
        [
            "run", "--rm", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "host", .. options,
            Tag, .. arguments,
        ]);

    /// <summary>DOCKER_HOST of the engine that has the image; null where the environment's own setting leads to it.</summary>
    internal string? EngineHost => _engine?.Host;

    /// <summary>Runs a docker command to its end; <c>{image}</c> in it is our image.</summary>
    internal Task<ChildProcess.Result> DockerAsync(params IEnumerable<string> arguments) => _engine!.TryAsync(
        arguments.Select(a => a.Replace("{image}", Tag, StringComparison.Ordinal)), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        _turn.Dispose();
    }

    private async Task TryBuildAsync(CancellationToken cancellationToken)
    {
        try
        {
            (_engine, _missing) = await DockerEngine.StartAsync(cancellationToken);
            if (_engine is null || await BaseImagesAsync(_engine, cancellationToken) is not { } baseImages)
            {
                return;
            }

            List<string> build =
            [
                "build", .. baseImages, "--build-arg", $"REVISION={Revision}", "--build-arg", $"CREATED={Created}",
                // The private engine has no network of its own.
                .. _engine.Host is null ? Array.Empty<string>() : ["--network", "host"],
            ];
            // The first stage gets a name too, so that its layers outlive the clean-up and the next build is quick.
            await _engine.RunAsync([.. build, "--target", "build", "--tag", "sales-tasks-test:build", Checkout.Root], cancellationToken);
            await _engine.RunAsync([.. build, "--tag", Tag, Checkout.Root], cancellationToken);
            if (_engine.Host is not null)
            {
                await _engine.RunAsync(["image", "prune", "--force"], cancellationToken);
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException or JobException)
        {
            _failure = exception;
        }
    }

    /// <summary>The build arguments that name the base images: none for the official ones; null (and why) where there are none.</summary>
    private async Task<IReadOnlyList<string>?> BaseImagesAsync(DockerEngine engine, CancellationToken cancellationToken)
    {
        var official = DefaultRuntime().Match(await File.ReadAllTextAsync($"{Checkout.Root}/Dockerfile", cancellationToken)).Value;
        if (await HasAsync(engine, official, cancellationToken) || await PullAsync(engine, official, cancellationToken))
        {
            return [];
        }

        // Made anew when the SDK changed.
        var version = (await Checkout.RunAsync($"{Checkout.DotnetRoot}/dotnet", "--version")).Output.Trim();
        var sdk = $"sales-tasks-test/sdk:{version}";
        var runtime = $"sales-tasks-test/runtime:{version}";
        if (!await HasAsync(engine, sdk, cancellationToken) || !await HasAsync(engine, runtime, cancellationToken))
        {
            if (!Environment.IsPrivilegedProcess || !Checkout.Has("debootstrap"))
            {
                _missing = $"{official} cannot be pulled, and base images are made here only by root with debootstrap (apt-get install -y debootstrap).";
                return null;
            }

            var made = await engine.TryProgramAsync(
                [$"DOTNET_ROOT={Checkout.DotnetRoot}", $"{Checkout.Root}/tests/image/make-base-images.sh", sdk, runtime], cancellationToken);
            if (made.ExitCode != 0)
            {
                throw new InvalidOperationException($"make-base-images.sh ended with {made.ExitCode}:\n{made.Errors}");
            }
        }

        return ["--build-arg", $"SDK_IMAGE={sdk}", "--build-arg", $"RUNTIME_IMAGE={runtime}"];
    }

    private static async Task<bool> HasAsync(DockerEngine engine, string image, CancellationToken cancellationToken) =>
        (await engine.TryAsync(["image", "inspect", image], cancellationToken)).ExitCode == 0;

    private static async Task<bool> PullAsync(DockerEngine engine, string image, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(s_pullLimit, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return (await engine.TryAsync(["pull", "--quiet", image], either.Token)).ExitCode == 0;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return false;
        }
    }

    [GeneratedRegex(@"(?<=^ARG RUNTIME_IMAGE=)\S+$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex DefaultRuntime();
}
