using System.Collections.Immutable;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>Open deals whose features are known, a small model of a known law, and the program.</summary>
internal sealed class PredictRig(TestDatabase database)
{
    /// <summary>The instant the tests work at, unless they say otherwise.</summary>
    public static readonly DateTimeOffset T0 = new(2026, 3, 18, 12, 0, 0, TimeSpan.Zero);

    private static readonly Lazy<BlendModel> s_model = new(Fit);

    private ImmutableDictionary<string, string> _variables = ImmutableDictionary<string, string>.Empty;

    public TestDatabase Database { get; } = database;

    public static BlendModel Model => s_model.Value;

    /// <summary>The same with the connection of an external model.</summary>
    public PredictRig WithEndpoint(string connection) => new(Database)
    {
        _variables = _variables.SetItem("SALES_ML_CONN_ID", "test_ml").SetItem("AIRFLOW_CONN_TEST_ML", connection),
    };

    public Task EmptyAsync() => Database.ExecuteAsync("TRUNCATE leads CASCADE; TRUNCATE task_runs; DELETE FROM ml_models");

    /// <summary>Publishes the small model; returns its number.</summary>
    public async Task<long> PublishAsync()
    {
        var content = ModelContent.Write(Model);
        await using var connection = await Database.OpenConnectionAsync();
        return await ModelRegistry.RegisterAsync(
            connection,
            new TrainedModel("win_probability", BlendModel.Format, Model.Algorithm, content, 1, "{}", "a test", T0.AddDays(-700), 1, 1, 1, 0),
            null, T0, TestContext.Current.CancellationToken);
    }

    /// <summary>
    /// Deals d1, d2, … of leads of the same names: stages and sources in turn, contacted two hours after they came in, replies and tasks by number, one
    /// in three with a value, with a metadata key of somebody else's.
    /// </summary>
    public async Task AddDealsAsync(int count, string prefix = "d")
    {
        await Database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, created_at)
            SELECT @prefix || i, (ARRAY['ad', 'referral', 'event'])[1 + i % 3], 'Ana', 'Paz', @prefix || i || '@acme.example',
              CASE WHEN i % 2 = 0 THEN '+34 600 000 000' END, @t0::timestamptz - make_interval(days => 30 + i % 50)
            FROM generate_series(1, @count) AS i
            """,
            ("prefix", prefix), ("count", count), ("t0", T0));
        await Database.ExecuteAsync(
            """
            INSERT INTO sales_pipeline (lead_ext_id, email, first_name, last_name, stage, qualified_at, estimated_value, metadata)
            SELECT @prefix || i, 'd@acme.example', 'Ana', 'Paz', 'qualified', @t0::timestamptz - make_interval(days => 2 + i % 27), CASE WHEN i % 3 = 0 THEN 1000 * i END, '{"campaign": "spring"}'
            FROM generate_series(1, @count) AS i;
            """,
            ("prefix", prefix), ("count", count), ("t0", T0));
        await Database.ExecuteAsync(
            """
            SET salestasks.as_of = '2026-03-17 00:00Z';
            UPDATE sales_pipeline SET stage = (ARRAY['qualified', 'contacted', 'meeting_scheduled', 'proposal_sent', 'negotiating'])[1 + id % 5]::pipeline_stage
            WHERE lead_ext_id ~ ('^' || @prefix || '[0-9]+$') AND stage = 'qualified';
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at, source, source_event_id)
            SELECT p.lead_ext_id, 'reply', p.qualified_at + interval '1 day', 'test', p.lead_ext_id || '-' || k
            FROM sales_pipeline p CROSS JOIN LATERAL generate_series(1, p.id % 4) AS k
            WHERE p.lead_ext_id ~ ('^' || @prefix || '[0-9]+$');
            INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title, status, created_at, completed_at)
            SELECT id, lead_ext_id, 'call', 'Call', 'completed', qualified_at, qualified_at + interval '2 hours' FROM sales_pipeline
            WHERE lead_ext_id ~ ('^' || @prefix || '[0-9]+$') AND id % 7 > 0;
            RESET salestasks.as_of
            """,
            ("prefix", prefix));
    }

    /// <summary>Runs a command inside the test.</summary>
    public async Task<Scoring.Answer> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var errors = new StringWriter();
        var host = new CommandHost
        {
            Environment = name => name == "AIRFLOW_CONN_SALES_POSTGRES" ? Database.AirflowUri : _variables.GetValueOrDefault(name),
            Time = TimeProvider.System,
            Out = output,
            Error = errors,
        };
        return new Scoring.Answer(await Commands.Tree(host).RunAsync(arguments), output.ToString(), errors.ToString());
    }

    /// <summary>A run of ml predict that has to succeed.</summary>
    public async Task<Scoring.Answer> PredictAsync(DateTimeOffset asOf, params string[] flags)
    {
        var answer = await RunAsync(["ml", "predict", "--as-of", asOf.ToString("O"), .. flags]);
        Assert.True(answer.ExitCode is ExitCode.Done, answer.ToString());
        return answer;
    }

    public Task<Scoring.Answer> PredictAsync(params string[] flags) => PredictAsync(T0, flags);

    /// <summary>A count of a result line.</summary>
    public static long Count(Scoring.Answer answer, string name) => answer.Json.GetProperty("counts").GetProperty(name).GetInt64();

    /// <summary>metadata.ml_predictions of a lead's deal.</summary>
    public async Task<JsonElement> StoredAsync(string lead) => Json.Parse((await Database.ScalarAsync<string>(
        "SELECT (metadata -> 'ml_predictions')::text FROM sales_pipeline WHERE lead_ext_id = @lead", ("lead", lead)))!);

    /// <summary>Which versions of the rows that predictions write there are: the same before and after means that nothing was written.</summary>
    public async Task<string> RowVersionsAsync() => (await Database.ScalarAsync<string>(
        """
        SELECT concat_ws(' ',
          (SELECT md5(string_agg(id || ':' || xmin, ' ' ORDER BY id)) FROM sales_pipeline),
          (SELECT md5(string_agg(pipeline_id || ':' || xmin, ' ' ORDER BY pipeline_id)) FROM deal_predictions),
          (SELECT count(*) FROM deal_prediction_history),
          (SELECT md5(string_agg(lead_id || ':' || xmin, ' ' ORDER BY lead_id)) FROM lead_model_scores))
        """))!;

    /// <summary>Everything that holds of deals and predictions after complete runs with the small model, however many runs it took.</summary>
    public async Task AllIsPredictedAsync() => Assert.Empty(await Database.QueryAsync(
        """
        SELECT p.lead_ext_id || ' ' || coalesce(d.probability::text, 'no prediction') || ' ' || p.metadata
        FROM sales_pipeline p
        JOIN leads l ON l.ext_id = p.lead_ext_id
        LEFT JOIN deal_predictions d ON d.pipeline_id = p.id
        LEFT JOIN lead_model_scores m ON m.lead_id = l.lead_id
        WHERE p.stage < 'closed_won' AND (
          d.probability IS NULL
          OR (p.metadata -> 'ml_predictions' ->> 'probability')::numeric IS DISTINCT FROM round(d.probability::numeric, 4)
          OR (SELECT count(*) FROM deal_prediction_history h WHERE h.pipeline_id = p.id) <> 1
          OR p.metadata - 'ml_predictions' <> jsonb_build_object('campaign', 'spring', 'edits', coalesce((p.metadata ->> 'edits')::int, 0)) - CASE WHEN p.metadata ? 'edits' THEN '' ELSE 'edits' END
          OR m.model_score IS DISTINCT FROM round(100 * d.probability)::smallint
          OR p.probability_pct IS DISTINCT FROM CASE WHEN round(100 * d.probability) >= 20 THEN round(100 * d.probability)::int ELSE 20 END)
        LIMIT 20
        """,
        row => row.GetString(0)));

    /// <summary>Fits the competition's blend to a law of stage, replies and time.</summary>
    private static BlendModel Fit()
    {
        if (LightGbmNative.Unavailable is { } reason)
        {
            Checkout.SkipOrFail(reason);
        }

        const int Rows = 3_000;
        var random = new Random(1);
        var stages = Enumerable.Range(0, Rows).Select(_ => random.Next(5)).ToArray();
        var columns = FeatureRows.Names.Select<string, Column>(name => name switch
        {
            "stage" => new CategoryColumn(name, stages, ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating"]),
            "source" => new CategoryColumn(name, Values(random, Rows, 3), ["ad", "referral", "event"]),
            "product_interest" or "industry" => new CategoryColumn(name, Values(random, Rows, 2), ["a", "b"]),
            "replies" or "completed_tasks" or "pending_tasks" or "clicks" or "opens" => new NumberColumn(name, [.. Values(random, Rows, 5).Select(v => (float)v)]),
            "has_phone" => new NumberColumn(name, [.. Values(random, Rows, 2).Select(v => (float)v)]),
            "days_since_contact" or "days_since_engagement" or "hours_to_first_contact" =>
                new NumberColumn(name, [.. Values(random, Rows, 60).Select(v => v < 6 ? float.NaN : v)]),
            _ => new NumberColumn(name, [.. Values(random, Rows, 60).Select(v => (float)v)]),
        }).ToList();
        var replies = ((NumberColumn)columns.Single(c => c.Name == "replies")).Values;
        var days = ((NumberColumn)columns.Single(c => c.Name == "days_in_stage")).Values;
        var labels = Enumerable.Range(0, Rows)
            .Select(row => random.NextDouble() < Logits.ToProbability(-2.2 + (0.5 * stages[row]) + (0.8 * replies[row]) - (0.04 * days[row]))).ToArray();
        using var competition = Competition.Fit(
            new DataTable(columns, Rows), [.. Enumerable.Range(0, Rows)], labels,
            new CompetitionSettings { Seed = 1, Groups = [.. Enumerable.Range(0, Rows)], Time = TimeProvider.System }, CancellationToken.None);
        return competition.Export();
    }

    private static int[] Values(Random random, int rows, int different) => [.. Enumerable.Range(0, rows).Select(_ => random.Next(different))];
}
