using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>Several runs of ml predict at once, people beside them, and runs killed at any instant: the real program against the real database.</summary>
public sealed class PredictConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 8_000;

    private static readonly string[] s_predict = ["ml", "predict", "--as-of", PredictRig.T0.ToString("O")];

    private readonly PredictRig _rig = new(database);
    private readonly ProgramRunner _program = ProgramRunner.For(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.PublishAsync();
        await _rig.AddDealsAsync(Deals);
        await database.ExecuteAsync("ANALYZE");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Predict_ThreeRunsAtOnceAmongPeople_PredictsOnceAndLosesNoEdit()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var people = EditAsync(stop.Token);
        IReadOnlyList<ProgramResult> results;
        try
        {
            results = await TwoRunners.RunAsync(() => _program.Start(s_predict), () => Task.CompletedTask, runners: 3);
        }
        finally
        {
            await stop.CancelAsync();
        }

        var edits = await people;
        Assert.Equal(Deals, results.Sum(r => r.Result.GetProperty("counts").GetProperty("predicted").GetInt64()));
        Assert.True(edits > 10, $"A person came to only {edits} edits.");
        Assert.Equal(edits, await database.ScalarAsync<long>("SELECT coalesce(sum((metadata ->> 'edits')::int), 0) FROM sales_pipeline"));
        await _rig.AllIsPredictedAsync();
    }

    [Fact]
    public async Task Predict_KilledAgainAndAgain_PredictsEachDealOnce()
    {
        var usual = (await _program.RunAsync([.. s_predict, "--dry-run"])).ShouldExitWith(ExitCode.Done).Duration * 2;
        var killed = 0;
        for (var round = 0; round < 6 && killed < 6; round++)
        {
            if (round > 0)
            {
                await database.ExecuteAsync(
                    """
                    TRUNCATE deal_predictions, deal_prediction_history, lead_model_scores;
                    UPDATE sales_pipeline SET metadata = metadata - 'ml_predictions', probability_pct = 20
                    """);
            }

            killed += await KillHarness.RunAsync(() => _program.Start(s_predict), usual, kills: 6 - killed, seed: round, _rig.AllIsPredictedAsync, WholeAsync);
        }

        Assert.True(killed >= 3, $"Only {killed} runs were killed.");
    }

    /// <summary>A deal has its prediction, its history and its metadata, or none of them.</summary>
    private async Task WholeAsync() => Assert.Equal(0, await database.ScalarAsync<long>(
        """
        SELECT count(*)
        FROM sales_pipeline p
        LEFT JOIN deal_predictions d ON d.pipeline_id = p.id
        LEFT JOIN (SELECT pipeline_id, count(*) AS times FROM deal_prediction_history GROUP BY pipeline_id) AS h ON h.pipeline_id = p.id
        WHERE (d.pipeline_id IS NULL) <> (h.times IS NULL) OR (d.pipeline_id IS NULL) = (p.metadata ? 'ml_predictions') OR h.times > 1
        """));

    /// <summary>Counts up a metadata key of one deal after the other; returns how often.</summary>
    private async Task<long> EditAsync(CancellationToken cancellationToken)
    {
        var random = new Random(3);
        var edits = 0L;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                edits += await database.ExecuteAsync(
                    """
                    UPDATE sales_pipeline SET metadata = metadata || jsonb_build_object('edits', coalesce((metadata ->> 'edits')::int, 0) + 1)
                    WHERE lead_ext_id = 'd' || @number
                    """,
                    ("number", random.Next(1, Deals + 1)));
            }
            catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.DeadlockDetected)
            {
                // Rolled back as a whole: it is no edit.
            }
        }

        return edits;
    }
}
