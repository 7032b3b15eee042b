using System.Diagnostics;
using Xunit.Sdk;

namespace SalesTasks.Tests.TestBase;

/// <summary>The harnesses find what they are made to find: shown with small shell programs that do it wrong.</summary>
public sealed class HarnessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sales-tasks-test-").FullName;

    private string Effects => $"{_folder}/effects";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task KillHarness_ProgramThatRepeatsItselfAfterAKill_IsFound()
    {
        // Writes its effect at once and takes its time to remember it.
        const string careless = "test -e done && exit 0; echo effect >> effects; sleep 0.2; touch done";

        await Assert.ThrowsAsync<EqualException>(() => KillHarness.RunAsync(
            () => Shell(careless), TimeSpan.FromSeconds(0.15), kills: 4, seed: 1, OneEffectAsync));
    }

    [Fact]
    public async Task KillHarness_AtomicProgram_GetsThrough()
    {
        const string careful = "test -e effects && exit 0; sleep 0.1; echo effect > $$; mv $$ effects";

        var killed = await KillHarness.RunAsync(
            () => Shell(careful), TimeSpan.FromSeconds(0.08), kills: 3, seed: 1, OneEffectAsync);

        Assert.InRange(killed, 1, 3);
    }

    [Fact]
    public async Task KillHarness_ProgramThatFailsAfterAKill_IsFound()
    {
        const string brittle = "test -e begun && exit 70; touch begun; sleep 0.2";

        await Assert.ThrowsAsync<TrueException>(() => KillHarness.RunAsync(
            () => Shell(brittle), TimeSpan.FromSeconds(0.15), kills: 4, seed: 1, () => Task.CompletedTask));
    }

    [Fact]
    public async Task TwoRunners_ProgramThatWorksTwice_IsFound() => await Assert.ThrowsAsync<EqualException>(() =>
        TwoRunners.RunAsync(() => Shell("echo effect >> effects"), OneEffectAsync));

    [Fact]
    public async Task ProgramRunner_Signals_AreToldFromExits()
    {
        var deaf = Shell("echo ready >&2; exec sleep 100");
        await deaf.HasLoggedAsync("ready");
        deaf.Kill();
        Assert.True((await deaf.Completion).Killed);

        var polite = Shell("trap 'echo bye; exit 143' TERM; echo ready >&2; while :; do sleep 0.01; done");
        await polite.HasLoggedAsync("ready");
        await polite.TerminateAsync();
        var result = await polite.Completion;
        Assert.Equal((143, "bye\n"), (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task ProgramRunner_OurProgram_RunsWithTheGivenEnvironmentOnly()
    {
        var result = await ProgramRunner.Bare.RunAsync("--version");

        result.ShouldExitWith(ExitCode.Done);
        Assert.NotEmpty(result.Output);
        (await ProgramRunner.Bare.RunAsync("no-such-command")).ShouldExitWith(ExitCode.Usage);
    }

    private async Task OneEffectAsync() =>
        Assert.Equal("effect\n", await File.ReadAllTextAsync(Effects, TestContext.Current.CancellationToken));

    private RunningProgram Shell(string script) =>
        RunningProgram.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = _folder });
}
