using SalesTasks.Predictions.Learning;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions;

/// <summary>Trainings at once, killed ones, and a history in which facts tell the outcome only once it is known.</summary>
public sealed class TrainConcurrencyTests(TrainConcurrencyTests.Sample sample) : IClassFixture<TrainConcurrencyTests.Sample>
{
    private static readonly string[] s_train = ["ml", "train", "--as-of", "2026-01-31T06:00:00Z"];

    [Fact]
    public async Task Train_TwoAtOnce_PublishAtMostOneOfAKind()
    {
        await sample.Database.ExecuteAsync("DELETE FROM ml_models");
        var program = ProgramRunner.For(sample.Database);

        await TwoRunners.RunAsync(() => program.Start(s_train), async () => Assert.Empty(await sample.Database.QueryAsync(
            "SELECT kind || ': ' || count(*) FROM ml_models WHERE published_at IS NOT NULL GROUP BY kind HAVING count(*) > 1", row => row.GetString(0))));

        // Each kind was trained twice, and where one is published the other says why it is not.
        var models = await sample.Database.QueryAsync("SELECT kind, status, reason FROM ml_models", row => (Kind: row.GetString(0), Status: row.GetString(1), Reason: row.GetString(2)));
        Assert.All(models.GroupBy(m => m.Kind), kind => Assert.Equal(2, kind.Count()));
        Assert.Contains(models, m => m.Status == "published");
        Assert.All(
            models.Where(m => m.Status == "refused" && models.Exists(o => o.Kind == m.Kind && o.Status == "published")),
            m => Assert.Matches("another model was published|since the published model was trained|ended since|not credible|is no better", m.Reason));
    }

    [Fact]
    public async Task Train_Killed_LeavesTheModelsAsTheyWere()
    {
        await sample.Database.ExecuteAsync("DELETE FROM ml_models");
        var program = ProgramRunner.For(sample.Database);
        (await program.RunAsync(s_train)).ShouldExitWith(ExitCode.Done);
        var before = await sample.Database.FingerprintAsync("task_runs");

        var killed = program.Start(s_train);
        await killed.HasLoggedAsync("learning from");
        killed.Kill();

        Assert.True((await killed.Completion).Killed);
        Assert.Equal(before, await sample.Database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Train_FactsThatFollowTheOutcome_ChangeNothing()
    {
        await using var honest = await TestDatabase.CreateAsync(sample.Database.Server);
        await using var leaking = await TestDatabase.CreateAsync(sample.Database.Server);
        foreach (var database in (TestDatabase[])[honest, leaking])
        {
            await TrainModelTests.Trained.LoadAsync(database, Sample.Leads);
        }

        // Won deals get replies, pricing views and completed calls after they were won, and only they have a good score and a value.
        await leaking.ExecuteAsync(
            """
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT lead_ext_id, (ARRAY['reply', 'pricing', 'demo'])[k], closed_at + interval '1 hour' * k, 'after', lead_ext_id || k
            FROM sales_pipeline, generate_series(1, 3) AS k WHERE stage = 'closed_won';
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, created_at, completed_at)
            SELECT id, lead_ext_id, 'call', 'Welcome', 'completed', closed_at, closed_at + interval '1 day' FROM sales_pipeline WHERE stage = 'closed_won';
            UPDATE sales_pipeline SET score = 100, probability_pct = 100, notes = 'won' WHERE stage = 'closed_won';
            UPDATE sales_pipeline SET score = 0, probability_pct = 0 WHERE stage = 'closed_lost'
            """);

        var first = await TrainModelTests.Trained.TrainAsync(new Scoring.ScoringRig(honest));
        var second = await TrainModelTests.Trained.TrainAsync(new Scoring.ScoringRig(leaking));

        foreach (var figure in (string[])["auc", "log_loss", "ece"])
        {
            Assert.Equal(first.GetProperty("details").GetProperty(figure).GetDouble(), second.GetProperty("details").GetProperty(figure).GetDouble());
        }

        Assert.Equal(await ContentAsync(honest), await ContentAsync(leaking));
    }

    private static Task<string?> ContentAsync(TestDatabase database) =>
        database.ScalarAsync<string>("SELECT encode(sha256, 'hex') FROM ml_models WHERE kind = 'win_probability'");

    /// <summary>A small sample.</summary>
    public sealed class Sample(PostgresServer server) : IAsyncLifetime
    {
        internal const int Leads = 3_000;

        internal TestDatabase Database { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            if (LightGbmNative.Unavailable is { } reason)
            {
                Checkout.SkipOrFail(reason);
            }

            Database = await TestDatabase.CreateAsync(server);
            await TrainModelTests.Trained.LoadAsync(Database, Leads);
        }

        public ValueTask DisposeAsync() => Database?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
