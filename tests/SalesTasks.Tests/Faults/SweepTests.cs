using System.Collections.Concurrent;
using System.Globalization;

namespace SalesTasks.Tests.Faults;

/// <summary>
/// Each job, struck at each of its events in each way; afterwards the database is sound, and the next run ends as if nothing had happened. A
/// sweep is a list of faults in an order of its seed; a trial database takes several of them, one run after the other, as retries do.
/// </summary>
[Collection("Faults")]
public sealed class SweepTests(FaultWorld world, ITestOutputHelper output)
{
    private const int Workers = 2;

    /// <summary>More than that tell nothing new.</summary>
    private const int MostFailures = 12;

    public static TheoryData<string> Jobs => FaultPlan.Jobs;

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Job_StruckAnywhere_LosesNothingAndTheNextRunCompletes(string job)
    {
        await world.StartedAsync();
        var scene = Scene.Of(job);
        var reference = await world.ReferenceAsync(scene);
        var chains = new ConcurrentStack<Fault[]>(FaultPlan.Of(job, reference.Events));
        var all = chains.Sum(chain => chain.Length);
        var failures = new ConcurrentQueue<string>();
        var (struck, databases) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync, TestContext.Current.CancellationToken)));

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{job}: {reference.Events} events; {struck} faults of {all} struck, on {databases} databases; seed {FaultPlan.Seed}"));
        Assert.True(failures.IsEmpty, string.Join("\n\n", failures));
        Assert.True(struck > all / 2, $"Only {struck} of {all} faults struck.");

        async Task WorkAsync()
        {
            while (failures.Count < MostFailures && chains.TryPop(out var chain))
            {
                var number = Interlocked.Increment(ref databases);
                await using var trial = await Trial.PrepareAsync(world, scene, idempotent: number % 2 == 0);
                if (await TryAsync(trial, chain) is { } wrong)
                {
                    failures.Enqueue($"{scene}: {string.Join(", then ", chain.AsEnumerable())}: {wrong}");
                }
            }
        }

        async Task<string?> TryAsync(Trial trial, Fault[] chain)
        {
            for (var i = 0; i < chain.Length; i++)
            {
                var (answer, hit) = await trial.RunAsync(scene, chain[i]);
                if (hit)
                {
                    Interlocked.Increment(ref struck);
                }

                if (await trial.JudgeAsync(reference, answer, hit) is { } wrong)
                {
                    return $"after {(hit ? chain[i].ToString() : "a run without a fault")} {wrong}";
                }

                if (answer.ExitCode is ExitCode.Done)
                {
                    // What is left to do is less than before: the others once more, on a new database.
                    var left = chain[(hit || i == 0 ? i + 1 : i)..];
                    if (left.Length > 0)
                    {
                        chains.Push(left);
                    }

                    break;
                }

                await trial.ExpireLeasesAsync();
            }

            return await trial.RecoverAsync(scene, reference);
        }
    }
}
