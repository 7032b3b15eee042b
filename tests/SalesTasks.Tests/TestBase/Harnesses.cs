namespace SalesTasks.Tests.TestBase;

/// <summary>Kill −9 at random instants, then run to the end: nothing may be lost, doubled or half done.</summary>
internal static class KillHarness
{
    /// <summary>
    /// Starts the program and kills it after a random share of its usual duration, later from run to run so that every part of it is
    /// hit, <paramref name="kills"/> times or until a run gets through; then runs it to the end and checks. Returns how many runs were
    /// killed: zero means that nothing was tested.
    /// </summary>
    /// <param name="start">Starts one run: the same arguments every time, as a retry has them.</param>
    /// <param name="usual">How long a whole run takes: the duration of one on a copy of the data.</param>
    /// <param name="kills">How many runs to kill at most.</param>
    /// <param name="seed">Of the instants.</param>
    /// <param name="invariant">What holds in the end, whatever happened.</param>
    /// <param name="always">What holds after every kill as well.</param>
    public static async Task<int> RunAsync(
        Func<RunningProgram> start, TimeSpan usual, int kills, int seed, Func<Task> invariant, Func<Task>? always = null)
    {
        var random = new Random(seed);
        var killed = 0;
        for (var run = 0; run < kills; run++)
        {
            var program = start();
            await Task.WhenAny(
                program.Completion,
                Task.Delay(usual * ((run + random.NextDouble()) / kills), TimeProvider.System, TestContext.Current.CancellationToken));
            if (!program.Completion.IsCompleted)
            {
                program.Kill();
            }

            var result = await program.Completion;
            if (!result.Killed)
            {
                result.ShouldExitWith(ExitCode.Done);
                break;
            }

            killed++;
            if (always is not null)
            {
                await always();
            }
        }

        (await start().Completion).ShouldExitWith(ExitCode.Done);
        await invariant();
        return killed;
    }
}

/// <summary>Several runs of the same step at once, as Airflow may start them: all succeed, and together do the work once.</summary>
internal static class TwoRunners
{
    public static async Task<IReadOnlyList<ProgramResult>> RunAsync(Func<RunningProgram> start, Func<Task> invariant, int runners = 2)
    {
        var programs = Enumerable.Range(0, runners).Select(_ => start()).ToList();
        var results = await Task.WhenAll(programs.Select(program => program.Completion));
        foreach (var result in results)
        {
            result.ShouldExitWith(ExitCode.Done);
        }

        await invariant();
        return results;
    }
}

/// <summary>The same run again changes nothing.</summary>
internal static class TwiceRun
{
    /// <summary>Runs twice and compares the content of all tables after the first and the second; returns both results.</summary>
    /// <param name="database">Where the program writes.</param>
    /// <param name="start">Starts one run.</param>
    /// <param name="except">Tables that grow with every try, for instance <c>task_runs</c>.</param>
    public static async Task<(ProgramResult First, ProgramResult Second)> RunAsync(
        TestDatabase database, Func<RunningProgram> start, params string[] except)
    {
        var first = (await start().Completion).ShouldExitWith(ExitCode.Done);
        var before = await database.FingerprintAsync(except);
        var second = (await start().Completion).ShouldExitWith(ExitCode.Done);
        Assert.Equal(before, await database.FingerprintAsync(except));
        return (first, second);
    }
}
