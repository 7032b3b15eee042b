using SalesTasks.Database;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Outbox;

/// <summary>
/// Dispatchers that are killed, and a database that is, while messages are on the wire. The receivers count: one is declared to know
/// repeats by their key, the other is not.
/// </summary>
public sealed class CrashTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Kills = 200;
    private const int Messages = 1_500;
    private const int Seed = 20260318;

    /// <summary>So that what a killed run had claimed is free again soon.</summary>
    private static readonly string[] s_flags = ["--request-timeout", "1", "--lease-seconds", "2", "--concurrency", "2"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dispatchers_KilledAtRandomInstants_LoseNothingAndSendNothingTwice()
    {
        await using var knowsRepeats = Slow();
        await using var doesNot = Slow();
        var rig = await PrepareAsync(database, knowsRepeats, doesNot);
        var killed = 0;

        // Two at a time; each is killed when some more messages, or none, have arrived since its start.
        await Task.WhenAll(KillAsync(Seed), KillAsync(Seed + 1));
        await FinishAsync(database, rig);

        Assert.True(killed >= Kills, $"Only {killed} runs were killed.");
        await NothingIsLostOrDoubledAsync(database, knowsRepeats, doesNot);

        async Task KillAsync(int seed)
        {
            var random = new Random(seed);
            while (killed < Kills)
            {
                var program = rig.Start([.. s_flags, "--max-wait-seconds", "60"]);
                await program.HasLoggedAsync("outbox dispatch started");
                var enough = Arrived() + random.Next(0, 14);
                while (Arrived() < enough && !program.Completion.IsCompleted)
                {
                    await PauseAsync(2);
                }

                await PauseAsync(random.Next(0, 20));
                program.Kill();
                var result = await program.Completion;
                if (!result.Killed)
                {
                    result.ShouldExitWith(ExitCode.Done);
                }

                // A run that ended by itself a moment before also counts: there is nothing left then.
                Interlocked.Increment(ref killed);
            }
        }

        long Arrived() => knowsRepeats.Count + doesNot.Count;
    }

    [Fact]
    public async Task Database_RestartedUnderLoad_LosesNothingAndSendsNothingTwice()
    {
        // Durable: a commit that was answered survives the crash of the server.
        await using var server = await LocalPostgres.StartAsync(new LocalPostgresOptions { Durable = true, Database = "restarts" }, Token);
        await using var own = await TestDatabase.OverAsync(server.Connection);
        await using var knowsRepeats = Slow();
        await using var doesNot = Slow();
        var rig = await PrepareAsync(own, knowsRepeats, doesNot);
        var stop = false;

        var runs = Task.WhenAll(RunAsync(), RunAsync());
        for (var restart = 0; restart < 4; restart++)
        {
            var seen = doesNot.Count;
            await Eventually.HoldsAsync("messages flow again", () => Task.FromResult(doesNot.Count > seen + 20));
            await server.StopAsync(restart % 2 == 0 ? StopMode.Immediate : StopMode.Fast, Token);
            await server.StartAgainAsync(Token);
        }

        stop = true;
        await runs;
        // Without the connections that the restarts have cut.
        await using var after = await TestDatabase.OverAsync(server.Connection);
        await FinishAsync(after, rig);

        await NothingIsLostOrDoubledAsync(after, knowsRepeats, doesNot);

        async Task RunAsync()
        {
            while (!stop)
            {
                var result = await rig.DispatchAsync(s_flags);
                Assert.True(result.ExitCode is (int)ExitCode.Done or (int)ExitCode.TemporaryFailure, result.ToString());
            }
        }
    }

    [Fact]
    public async Task Dispatcher_AskedToStop_RecordsWhatIsOnTheWireAndGivesBackTheRest()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await using var sink = new HttpSink(_ => new SinkAnswer { Delay = TimeSpan.FromMilliseconds(300) });
        var rig = new OutboxRig(own).With("EMAIL", sink.Connection());
        await rig.AddNoticesAsync("n", 200);

        var program = rig.Start("--concurrency", "4");
        await Eventually.HoldsAsync("messages flow", () => Task.FromResult(sink.Count > 5));
        await program.TerminateAsync();
        var result = await program.Completion;

        Assert.Equal((int)ExitCode.Stopped, result.ExitCode);
        Assert.Equal($"pending {200 - sink.Count}, sent {sink.Count}", await rig.StatesAsync());
    }

    [Fact]
    public async Task Dispatcher_StoppedWhileAReceiverIsSilent_LeavesNoDoubt()
    {
        await using var own = await TestDatabase.CreateAsync(database.Server);
        await using var sink = new HttpSink(_ => new SinkAnswer { Silent = true });
        var rig = new OutboxRig(own).With("EMAIL", sink.Connection());
        await rig.AddNoticesAsync("n", 3);

        var program = rig.Start();
        await Eventually.HoldsAsync("a message is on the wire", () => Task.FromResult(sink.Count == 1));
        await program.TerminateAsync();
        var result = await program.Completion;

        Assert.Equal((int)ExitCode.Stopped, result.ExitCode);
        Assert.Equal(("in_doubt", "stopped while sending"), await rig.StateAsync("n1"));
        Assert.Equal("in_doubt 1, pending 2", await rig.StatesAsync());
    }

    private static Task PauseAsync(int milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, Token);

    private static HttpSink Slow() => new(_ => new SinkAnswer { Delay = TimeSpan.FromMilliseconds(20) });

    private static async Task<OutboxRig> PrepareAsync(TestDatabase database, HttpSink knowsRepeats, HttpSink doesNot)
    {
        var rig = new OutboxRig(database).With("EMAIL", knowsRepeats.Connection("\"idempotent\": true")).With("CALLS", doesNot.Connection());
        await rig.AddNoticesAsync("e", Messages);
        await rig.AddNoticesAsync("c", Messages, "call");
        return rig;
    }

    /// <summary>Runs on until nothing is left to do.</summary>
    private static async Task FinishAsync(TestDatabase database, OutboxRig rig)
    {
        const string left = "SELECT count(*) FROM outbox_messages WHERE status IN ('pending', 'leased', 'sending')";
        for (var run = 0; run < 5 && await database.ScalarAsync<long>(left) > 0; run++)
        {
            (await rig.DispatchAsync("--request-timeout", "5", "--max-wait-seconds", "60")).ShouldExitWith(ExitCode.Done);
        }

        Assert.Equal(0, await database.ScalarAsync<long>(left));
    }

    private static async Task NothingIsLostOrDoubledAsync(TestDatabase database, HttpSink knowsRepeats, HttpSink doesNot)
    {
        Assert.Equal(Messages, await database.ScalarAsync<long>("SELECT count(*) FROM outbox_messages WHERE channel = 'email' AND status = 'sent'"));
        Assert.Equal(
            [.. Enumerable.Range(1, Messages).Select(i => $"e{i}").Order(StringComparer.Ordinal)],
            knowsRepeats.Requests.Select(r => r.Key).Distinct().Order(StringComparer.Ordinal));

        var calls = doesNot.Requests.Select(r => r.Key).ToList();
        Assert.Empty(calls.GroupBy(key => key).Where(repeats => repeats.Count() > 1).Select(repeats => repeats.Key));
        var states = (await database.QueryAsync(
            "SELECT idempotency_key, status FROM outbox_messages WHERE channel = 'call'", row => (Key: row.GetString(0), Status: row.GetString(1))))
            .ToLookup(row => row.Status, row => row.Key);
        // Whatever did not arrive is listed, and nothing is called sent that did not arrive.
        Assert.Equal(Messages, states["sent"].Count() + states["in_doubt"].Count());
        Assert.Empty(states["sent"].Except(calls));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{states["in_doubt"].Count()} calls in doubt, {states["in_doubt"].Except(calls).Count()} of them never arrived; "
            + $"{knowsRepeats.Count - Messages} e-mails were repeated under their key");
    }
}
