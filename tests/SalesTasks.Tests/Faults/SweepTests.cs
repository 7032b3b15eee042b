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
    /// <summary>Faults that one database takes before it is to recover.</summary>
    private const int LongestChain = 5;

    private const int Workers = 2;

    /// <summary>More than that tell nothing new.</summary>
    private const int MostFailures = 12;

    public static TheoryData<string> Jobs => [.. Scene.All.Select(scene => scene.Name)];

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Job_StruckAnywhere_LosesNothingAndTheNextRunCompletes(string job)
    {
        await world.StartedAsync();
        var scene = Scene.Of(job);
        var reference = await world.ReferenceAsync(scene);
        var faults = new ConcurrentStack<Fault>(FaultPlan.Of(job, reference.Events));
        var all = faults.Count;
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
            while (!faults.IsEmpty && failures.Count < MostFailures)
            {
                var number = Interlocked.Increment(ref databases);
                await using var trial = await Trial.PrepareAsync(world, scene, idempotent: number % 2 == 0);
                var chain = new List<Fault>();
                while (chain.Count < LongestChain && faults.TryPop(out var fault))
                {
                    var (answer, hit) = await trial.RunAsync(scene, fault);
                    var fine = await trial.JudgeAsync(scene, reference, answer, hit);
                    if (hit)
                    {
                        Interlocked.Increment(ref struck);
                        chain.Add(fault);
                    }
                    else if (chain.Count > 0)
                    {
                        // What is left to do is less than before: once more, on a new database.
                        faults.Push(fault);
                    }

                    if (fine is not null)
                    {
                        failures.Enqueue($"{scene}: {string.Join(", then ", chain.DefaultIfEmpty(fault))}: {fine}");
                        return;
                    }

                    if (answer.ExitCode is ExitCode.Done)
                    {
                        break;
                    }

                    await trial.ExpireLeasesAsync();
                }

                if (await trial.RecoverAsync(scene, reference) is { } wrong)
                {
                    failures.Enqueue($"{scene}: {string.Join(", then ", chain)}: {wrong}");
                }
            }
        }
    }
}
