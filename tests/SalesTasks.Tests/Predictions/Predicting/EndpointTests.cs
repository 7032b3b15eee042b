using System.Globalization;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>ml predict with an external model: what leaves, what comes back, and what happens where nothing good does.</summary>
public sealed class EndpointTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Deals = 30;
    private const string Good =
        """{"probability": 0.61, "expected_value": 1234.5, "time_to_close_days": 12, "risk_score": 0.3, "recommendations": ["Call"], "confidence": 0.8}""";

    private readonly PredictRig _rig = new(database);

    public async ValueTask InitializeAsync()
    {
        await _rig.EmptyAsync();
        await _rig.AddDealsAsync(Deals);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Ask_GoodAnswers_AreStoredAndAskedForOnce()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(Body: Good));
        var rig = _rig.WithEndpoint(sink.Connection());

        var answer = await rig.PredictAsync();
        await rig.PredictAsync();

        Assert.Equal((Deals, 0), (PredictRig.Count(answer, "predicted"), PredictRig.Count(answer, "refused")));
        Assert.Equal(Deals, sink.Count);
        Assert.InRange(sink.MostInFlight, 1, 8);
        var stored = await rig.StoredAsync("d3");
        Assert.Equal((0.61, 1234.5, 12, 0.3, 0.8, "Call"), (
            stored.GetProperty("probability").GetDouble(), stored.GetProperty("expected_value").GetDouble(), stored.GetProperty("time_to_close_days").GetDouble(),
            stored.GetProperty("risk_score").GetDouble(), stored.GetProperty("confidence").GetDouble(), stored.GetProperty("recommendations")[0].GetString()));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline WHERE probability_pct = 61"));
        Assert.Equal(Deals, await database.ScalarAsync<long>("SELECT count(*) FROM lead_model_scores WHERE model_score = 61 AND model_version = 'endpoint'"));
        Assert.Contains("external model", (await rig.RunAsync("explain", "d3")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_Request_IsExactlyTheFeatures()
    {
        await using var sink = new HttpSink(_ => new SinkAnswer(Body: Good));

        await _rig.WithEndpoint(sink.Connection()).PredictAsync("--ml-model-type", "value");

        Assert.All(sink.Requests, request =>
        {
            Assert.Equal(["features", "model_type"], request.Json.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
            Assert.Equal(
                [
                    "call_events", "completed_tasks", "current_probability", "days_in_pipeline", "days_since_contact", "email_events", "estimated_value", "lead_score", "pending_tasks",
                    "priority", "source", "stage",
                ],
                request.Json.GetProperty("features").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
            Assert.Equal("value", request.Json.GetProperty("model_type").GetString());
            Assert.DoesNotContain("acme", request.Body + string.Join(' ', request.Headers.Values), StringComparison.Ordinal);
            Assert.DoesNotContain("Paz", request.Body, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("garbage", "no JSON")]
    [InlineData("[1]", "no JSON object")]
    [InlineData("""{"probability": 7, "risk_score": 0.3, "confidence": 0.8}""", "its probability is no number from 0 to 1")]
    [InlineData("""{"probability": "0.5", "risk_score": 0.3, "confidence": 0.8}""", "its probability is no number")]
    [InlineData("""{"probability": 0.5, "confidence": 0.8}""", "its risk_score is no number")]
    [InlineData("""{"probability": 0.5, "risk_score": 0.3, "confidence": 0.8, "expected_value": -1}""", "its expected_value is no number")]
    [InlineData("""{"probability": 0.5, "risk_score": 0.3, "confidence": 0.8, "recommendations": "call"}""", "its recommendations are no list")]
    [InlineData("""{"probability": 0.5, "risk_score": 0.3, "confidence": 0.8, "recommendations": ["\ud800"]}""", "no JSON")]
    public async Task Ask_AnswerThatIsNone_IsThatDealsErrorAndItKeepsWhatItHas(string body, string reason)
    {
        await using (var good = new HttpSink(_ => new SinkAnswer(Body: Good)))
        {
            await _rig.WithEndpoint(good.Connection()).PredictAsync();
        }

        // One deal in three gets an answer of use.
        var asked = 0;
        await using var sink = new HttpSink(_ => new SinkAnswer(Body: Interlocked.Increment(ref asked) % 3 == 0 ? Good.Replace("0.61", "0.44", StringComparison.Ordinal) : body));
        var answer = await _rig.WithEndpoint(sink.Connection()).PredictAsync();

        Assert.Equal((Deals / 3, Deals * 2 / 3), (PredictRig.Count(answer, "predicted"), PredictRig.Count(answer, "refused")));
        Assert.Contains(reason, answer.Json.GetProperty("details").GetProperty("refused_because").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            [(0.44, Deals / 3), (0.61, Deals * 2 / 3)],
            await database.QueryAsync("SELECT probability, count(*)::int FROM deal_predictions GROUP BY 1 ORDER BY 1", row => (row.GetDouble(0), row.GetInt32(1))));
        // Those without an answer are asked about again, and no others.
        var again = await _rig.WithEndpoint(sink.Connection()).PredictAsync("--dry-run");
        Assert.Equal(Deals * 2 / 3, PredictRig.Count(again, "predicted") + PredictRig.Count(again, "refused"));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task Ask_BusyForAWhile_WaitsAndGoesOn(int status)
    {
        var asked = 0;
        await using var sink = new HttpSink(_ => Interlocked.Increment(ref asked) <= 2 ? new SinkAnswer(status, "") { Headers = ["Retry-After: 0"] } : new SinkAnswer(Body: Good));

        var answer = await _rig.WithEndpoint(sink.Connection()).PredictAsync();

        Assert.Equal((Deals, 0), (PredictRig.Count(answer, "predicted"), PredictRig.Count(answer, "refused")));
    }

    [Theory]
    [InlineData("503")]
    [InlineData("silent")]
    [InlineData("reset")]
    public async Task Ask_DownFromSomePointOn_EndsWith75AndKeepsWhatIsDone(string how)
    {
        // More than one block: the first is stored when the second finds nobody.
        await _rig.AddDealsAsync(250, "more");
        var asked = 0;
        await using var sink = new HttpSink(_ => Interlocked.Increment(ref asked) <= 200 ? new SinkAnswer(Body: Good) : how switch
        {
            "silent" => new SinkAnswer { Silent = true },
            "reset" => new SinkAnswer { Reset = true },
            var status => new SinkAnswer(int.Parse(status, CultureInfo.InvariantCulture), ""),
        });
        var rig = _rig.WithEndpoint(sink.Connection("\"timeout_seconds\": 1"));

        var answer = await rig.RunAsync("ml", "predict", "--as-of", PredictRig.T0.ToString("O"));

        Assert.Equal(ExitCode.TemporaryFailure, answer.ExitCode);
        Assert.Contains("3 times in a row", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal((200, 80), (PredictRig.Count(answer, "predicted"), PredictRig.Count(answer, "left")));
        Assert.Equal(200, await database.ScalarAsync<long>("SELECT count(*) FROM deal_predictions"));
        // It is left in peace soon: three attempts of each that was under way.
        Assert.InRange(sink.Count, 200 + 3, 200 + 24);
    }

    [Fact]
    public async Task Ask_StoppedWhileAsking_KeepsTheBlocksThatAreDone()
    {
        await _rig.AddDealsAsync(250, "more");
        var asked = 0;
        await using var sink = new HttpSink(_ => Interlocked.Increment(ref asked) <= 200 ? new SinkAnswer(Body: Good) : new SinkAnswer { Silent = true });
        var program = ProgramRunner.For(database).With("SALES_ML_CONN_ID", "test_ml").With("AIRFLOW_CONN_TEST_ML", sink.Connection())
            .Start("ml", "predict", "--as-of", PredictRig.T0.ToString("O"));
        await Eventually.HoldsAsync(
            "the first block is stored and the second is asked about",
            async () => sink.Count > 200 && await database.ScalarAsync<long>("SELECT count(*) FROM deal_predictions") == 200);

        await program.TerminateAsync();

        (await program.Completion).ShouldExitWith(ExitCode.Stopped);
        Assert.Equal(200, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline WHERE probability_pct = 61"));
    }

    [Theory]
    [InlineData(302, "a redirect, which is not followed")]
    [InlineData(401, "the credentials are not accepted")]
    [InlineData(404, "there is no such receiver")]
    public async Task Ask_RefusedForGood_EndsWith69(int status, string reason)
    {
        await using var elsewhere = new HttpSink(_ => new SinkAnswer(Body: Good));
        await using var sink = new HttpSink(_ => new SinkAnswer(status, "") { Headers = [$"Location: {elsewhere.Address}"] });

        var answer = await _rig.WithEndpoint(sink.Connection()).RunAsync("ml", "predict", "--as-of", PredictRig.T0.ToString("O"));

        Assert.Equal(ExitCode.Refused, answer.ExitCode);
        Assert.Contains(reason, answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, elsewhere.Count);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM deal_predictions"));
    }

    [Theory]
    [InlineData("""{"conn_type": "http", "host": "http://model.example"}""", "its address is http")]
    [InlineData("""{"conn_type": "http", "host": "https://model.example", "extra": {"timeout_seconds": 0}}""", "timeout_seconds must be a whole number from 1 to 600")]
    [InlineData("""{"conn_type": "smtp", "host": "model.example"}""", "allowed: http")]
    public async Task Ask_ConnectionThatCannotBeUsed_IsUsage(string connection, string fault)
    {
        var answer = await _rig.WithEndpoint(connection).RunAsync("ml", "predict");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(fault, answer.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_MetadataAddress_IsNeverConnectedTo()
    {
        var answer = await _rig.WithEndpoint("""{"conn_type": "http", "host": "http://169.254.169.254", "extra": {"allow_http": true}}""").RunAsync("ml", "predict", "--as-of", PredictRig.T0.ToString("O"));

        Assert.Equal(ExitCode.Refused, answer.ExitCode);
        Assert.Contains("never sent to", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
