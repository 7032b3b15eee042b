using System.Globalization;
using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Faults;

/// <summary>
/// Each job, while what it stands on gives way for real: its process is killed, the server restarts, somebody holds the locks, statements run
/// out of time, the clock is wrong, another run of the same step is under way.
/// </summary>
[Collection("Faults")]
public sealed class SurroundingsTests(FaultWorld world, ITestOutputHelper output)
{
    /// <summary>What people and other programs lock: everybody reads them.</summary>
    private static readonly string[] s_lockedTables = ["leads", "sales_pipeline", "sales_reps", "outbox_messages", "task_runs"];

    private const string HeldRows =
        """
        SELECT FROM (SELECT FROM leads FOR UPDATE) AS l;
        SELECT FROM (SELECT FROM sales_pipeline FOR UPDATE) AS p;
        SELECT FROM (SELECT FROM sales_followup_tasks FOR UPDATE) AS t;
        SELECT FROM (SELECT FROM sales_campaign_executions FOR UPDATE) AS e;
        SELECT FROM (SELECT FROM sales_reps FOR UPDATE) AS r;
        SELECT FROM (SELECT FROM outbox_messages FOR UPDATE) AS m
        """;

    public static TheoryData<string> Jobs => FaultPlan.Jobs;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Process_KilledAtAnEvent_NextRunCompletes(string job)
    {
        var (scene, reference) = await SceneAsync(job);
        foreach (var (i, at) in Points(job, reference, usual: 1).Index())
        {
            await using var trial = await Trial.PrepareAsync(world, scene, idempotent: i % 2 == 1);
            RunningProgram? program = null;
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var died = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            trial.Proxy.Arm(new Fault(FaultKind.Act, at)
            {
                Act = async () =>
                {
                    await started.Task;
                    program!.Kill();
                    if ((i + job.Length) % 2 == 0)
                    {
                        // Else the request still reaches the server, which may do it and commit.
                        trial.Proxy.GoAway();
                    }

                    died.SetResult();
                },
            });
            program = trial.Place.Start(scene, trial.Proxy.Port);
            started.SetResult();
            var result = await program.Completion;
            Assert.True(result.Killed || !trial.Proxy.Struck, $"{scene} at {at}: {result}");
            if (trial.Proxy.Struck)
            {
                await died.Task;
            }

            trial.Proxy.Arm(Fault.Nothing);
            Check(scene, $"killed at {at}", await trial.RecoverAsync(scene, reference));
        }
    }

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Server_RestartedAtAnEvent_NextRunCompletes(string job)
    {
        var (scene, reference) = await SceneAsync(job);
        foreach (var at in Points(job, reference, usual: 1))
        {
            await using var trial = await Trial.PrepareAsync(world, scene, idempotent: true);
            var restarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (answer, struck) = await trial.RunAsync(scene, new Fault(FaultKind.Act, at)
            {
                Act = async () =>
                {
                    // As a crash only where the server is durable, which this one is not: see the tests of the outbox.
                    await world.Postgres.StopAsync(StopMode.Fast, Token);
                    await world.Postgres.StartAgainAsync(Token);
                    restarted.SetResult();
                },
            });
            if (struck)
            {
                // The run may know of its end before the server is back.
                await restarted.Task;
            }

            Check(scene, $"server restarted at {at}", await trial.JudgeAsync(reference, answer, struck));
            Check(scene, $"server restarted at {at}", await trial.RecoverAsync(scene, reference));
        }
    }

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Locks_HeldBySomebodyElse_RunFailsForNowAndTheNextCompletes(string job)
    {
        var (scene, reference) = await SceneAsync(job);
        var tables = s_lockedTables.Select(table => $"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE").Append(HeldRows).ToArray();
        var impatient = Fault.Nothing with { SessionSql = "SET lock_timeout = '40ms'" };
        await using var trial = await Trial.PrepareAsync(world, scene, idempotent: true);
        foreach (var hold in FaultPlan.Everything ? tables : FaultPlan.Choose(job, tables, 2))
        {
            await using (var holder = await trial.ConnectAsync())
            {
                await using var transaction = await holder.BeginTransactionAsync(Token);
                await Trial.ExecuteAsync(holder, hold);
                var (answer, _) = await trial.RunAsync(scene, impatient);
                // Rows that somebody holds may be passed over: whoever holds them has them in hand.
                Assert.True(answer.ExitCode is ExitCode.Done or ExitCode.TemporaryFailure, $"{scene}, {hold}: {answer}");
            }

            await trial.ExpireLeasesAsync();
        }

        Check(scene, "locks held", await trial.RecoverAsync(scene, reference));
    }

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Statements_OutOfTime_NextRunCompletes(string job)
    {
        var (scene, reference) = await SceneAsync(job);
        await using var trial = await Trial.PrepareAsync(world, scene, idempotent: true);

        // Time-outs as they come, some statements in time and some not.
        var (answer, _) = await trial.RunAsync(scene, Fault.Nothing with { SessionSql = "SET statement_timeout = '2ms'" });

        Check(scene, "statements out of time", await trial.JudgeAsync(reference, answer, struck: true));
        Check(scene, "statements out of time", await trial.RecoverAsync(scene, reference));
    }

    /// <summary>The instant that jobs work at is given: then the clock of the machine changes nothing of what they do.</summary>
    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task Clock_Wrong_ChangesNothing(string job)
    {
        var (scene, reference) = await SceneAsync(job);
        TimeProvider[] clocks = [new WrongClock(TimeSpan.FromDays(-400)), new WrongClock(TimeSpan.FromDays(400)), new JumpingClock()];
        foreach (var clock in FaultPlan.Everything ? clocks : FaultPlan.Choose(job, clocks, 1))
        {
            await using var trial = await Trial.PrepareAsync(world, scene, idempotent: true);
            trial.Place.Time = clock;

            var (answer, _) = await trial.RunAsync(scene, Fault.Nothing);

            Check(scene, clock.GetType().Name, answer.ExitCode is ExitCode.Done ? await trial.DifferenceAsync(reference) : answer.ToString());
        }
    }

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task SecondRun_AtAnEventOfTheFirst_TogetherTheyDoItOnce(string job)
    {
        var (scene, reference) = await SceneAsync(job);
        foreach (var at in Points(job, reference, usual: 1))
        {
            await using var trial = await Trial.PrepareAsync(world, scene, idempotent: false);
            Task<Answer>? second = null;
            var (first, struck) = await trial.RunAsync(scene, new Fault(FaultKind.Act, at)
            {
                Act = async () =>
                {
                    second = trial.Place.RunAsync(scene);
                    await Eventually.HoldsAsync("the second run ends or waits for the first", async () => second.IsCompleted || await trial.SomebodyWaitsAsync());
                },
            });
            if (!struck)
            {
                continue;
            }

            var other = await second!;
            // A folder takes one backup at a time: the other run is told to come again.
            Assert.True(
                first.ExitCode is ExitCode.Done && (other.ExitCode is ExitCode.Done || (job == "backup create" && other.ExitCode is ExitCode.TemporaryFailure)),
                $"{scene}, second run at {at}: first {first}\nsecond {other}");
            Check(scene, $"second run at {at}", await trial.RecoverAsync(scene, reference));
        }
    }

    private async Task<(Scene Scene, Reference Reference)> SceneAsync(string job)
    {
        await world.StartedAsync();
        var scene = Scene.Of(job);
        return (scene, await world.ReferenceAsync(scene));
    }

    /// <summary>Some events of a job; all of them where everything is to be tried.</summary>
    private static int[] Points(string job, Reference reference, int usual) => FaultPlan.Everything
        ? FaultPlan.Choose(job, [.. Enumerable.Range(1, reference.Events)], Math.Min(reference.Events, 25))
        : FaultPlan.Choose(job, [.. Enumerable.Range(1, reference.Events)], usual);

    private void Check(Scene scene, string what, string? wrong)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scene}: {what}"));
        Assert.True(wrong is null, $"{scene}: {what}: {wrong}");
    }

    /// <summary>A clock that is wrong by so much.</summary>
    private sealed class WrongClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    /// <summary>A clock that somebody sets, forth and back, all the time.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private int _calls;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromHours(30 * ((Interlocked.Increment(ref _calls) % 3) - 1));
    }
}
