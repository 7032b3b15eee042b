using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Delivery;
using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Predictions.Predicting;

/// <summary>
/// An external model: each deal's features are posted to it, and nothing that tells who the lead is. What it refuses or answers wrongly is that deal's
/// error; where nobody answers any more the run ends, and what was answered until then stays.
/// </summary>
internal sealed class PredictionEndpoint : IAsyncDisposable
{
    private const string TimeoutExtra = "timeout_seconds";
    private const int Concurrency = 8;
    private const int Attempts = 3;
    private const int MostTextLength = 200;
    private const int MostRecommendations = 3;

    private readonly JobContext _context;
    private readonly HttpReceiver _receiver;
    private readonly ReceiverSettings _settings;
    private readonly string _modelType;
    private readonly ConcurrentDictionary<string, int> _refusals = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private DateTimeOffset _notBefore;
    private long _answers;
    private volatile JobException? _failure;

    private PredictionEndpoint(JobContext context, HttpSettings settings, TimeSpan timeout)
    {
        _context = context;
        _settings = settings.Receiver;
        _receiver = new HttpReceiver(settings, timeout, Concurrency, context.Time);
        _modelType = context.Parameters.Get(PredictionJobs.MlModelType);
        Fingerprint = $"endpoint {Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(settings.Address.ToString())))}";
    }

    /// <summary>Changes with the endpoint's address: another address is another model.</summary>
    public string Fingerprint { get; }

    /// <summary>Deals that it refused or answered wrongly.</summary>
    public long Refused => _refusals.Values.Sum();

    /// <summary>Why the run ended early; null: it did not.</summary>
    public JobException? Failure => _failure;

    public IReadOnlyDictionary<string, object?> Details => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["model"] = "endpoint",
        ["refused_because"] = _refusals.IsEmpty ? null
            : string.Join("; ", _refusals.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal).Take(5).Select(r => $"{r.Key} ({r.Value})")),
    };

    /// <exception cref="JobException">64: the connection cannot be used.</exception>
    public static PredictionEndpoint Open(JobContext context, string connectionId)
    {
        var connection = context.Connections.Resolve(connectionId);
        var settings = HttpSettings.FromHttp(connection, TimeoutExtra);
        var seconds = 30;
        return connection.ExtraFields.GetValueOrDefault(TimeoutExtra) is not { } text
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds) && seconds is >= 1 and <= 600)
            ? new PredictionEndpoint(context, settings, TimeSpan.FromSeconds(seconds))
            : throw connection.Source.Fault($"its extra {TimeoutExtra} must be a whole number from 1 to 600");
    }

    /// <summary>Asks about every deal of the block, some at once.</summary>
    public async Task<EndpointAnswers> AskAsync(DealBlock block, CancellationToken cancellationToken)
    {
        var predictions = new Prediction?[block.Deals.Count];
        var features = new EndpointFeatures(block);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, block.Deals.Count),
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = cancellationToken },
            async (row, token) =>
            {
                if (_failure is null)
                {
                    predictions[row] = await AskAsync(block.Deals[row], features.Body(row, _modelType), token);
                }
            });
        return new EndpointAnswers([.. predictions.OfType<Prediction>()], _failure is null);
    }

    public ValueTask DisposeAsync() => _receiver.DisposeAsync();

    /// <summary>One deal; null where it stays as it is.</summary>
    private async Task<Prediction?> AskAsync(OpenDeal deal, byte[] body, CancellationToken cancellationToken)
    {
        var before = Interlocked.Read(ref _answers);
        for (var attempt = 1; _failure is null; attempt++)
        {
            await WaitAsync(cancellationToken);
            var text = "";
            var result = await _receiver.PostAsync(
                body,
                $"ml-predict/{deal.Hash:x16}",
                (status, answer) =>
                {
                    text = answer;
                    return status is >= 200 and < 300 ? SendResult.Sent(status) : null;
                },
                cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            switch (result.Outcome)
            {
                case SendOutcome.Sent:
                    Interlocked.Increment(ref _answers);
                    var prediction = EndpointAnswer.Read(deal, text, out var fault);
                    return prediction ?? Refuse(fault!);
                case SendOutcome.Refused:
                case SendOutcome.Permanent when result.ConcernsConnection:
                    _failure = JobException.Refused($"connection \"{_settings.ConnectionId}\": {result.Reason}");
                    return null;
                case SendOutcome.Permanent:
                    Interlocked.Increment(ref _answers);
                    return Refuse(result.Reason!);
                default:
                    if (attempt < Attempts)
                    {
                        PauseFor(Backoff.After(attempt, result.RetryAfter));
                        continue;
                    }

                    // Others were answered meanwhile: it is this deal.
                    if (Interlocked.Read(ref _answers) > before)
                    {
                        return Refuse($"{result.Reason}, {Attempts} times");
                    }

                    _failure = JobException.Temporary(
                        $"connection \"{_settings.ConnectionId}\": {result.Reason}, {Attempts} times in a row; what was answered before is kept, the next run goes on");
                    return null;
            }
        }

        return null;
    }

    private Prediction? Refuse(string reason)
    {
        if (_refusals.AddOrUpdate(reason, 1, (_, count) => count + 1) == 1)
        {
            _context.Log.Warning("The endpoint does not predict some deals, which keep what they have: {Reason:l}", reason);
        }

        return null;
    }

    private void PauseFor(TimeSpan pause)
    {
        lock (_gate)
        {
            var until = _context.Time.GetUtcNow() + pause;
            _notBefore = until > _notBefore ? until : _notBefore;
        }
    }

    /// <summary>Until the endpoint wants to be asked again, and not more often than the connection allows.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var now = _context.Time.GetUtcNow();
            var start = _notBefore > now ? _notBefore : now;
            wait = start - now;
            if (_settings.RatePerSecond is { } rate)
            {
                _notBefore = start + TimeSpan.FromSeconds(1 / rate);
            }
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, _context.Time, cancellationToken);
        }
    }

    /// <summary>The body of a request. Exactly these features: no name, no address, no id leaves.</summary>
    private sealed class EndpointFeatures(DealBlock block)
    {
        private readonly string?[] _stages = block.Snapshots.Texts(DealSnapshots.StageColumn);
        private readonly string?[] _sources = block.Snapshots.Texts(DealSnapshots.SourceColumn);

        private readonly Dictionary<string, float[]> _numbers =
            block.Snapshots.Table.Columns.OfType<NumberColumn>().ToDictionary(c => c.Name, c => c.Values, StringComparer.Ordinal);

        public byte[] Body(int row, string modelType)
        {
            var deal = block.Deals[row];
            object? Number(string name) => float.IsNaN(_numbers[name][row]) ? null : Math.Round(_numbers[name][row], 2);
            return JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["features"] = new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["lead_score"] = deal.Score,
                    ["priority"] = deal.Priority,
                    ["stage"] = _stages[row],
                    ["days_in_pipeline"] = Number("days_in_pipeline"),
                    ["days_since_contact"] = Number("days_since_contact"),
                    ["completed_tasks"] = Number("completed_tasks"),
                    ["pending_tasks"] = Number("pending_tasks"),
                    ["email_events"] = Number("email_tasks"),
                    ["call_events"] = Number("call_tasks"),
                    ["estimated_value"] = deal.EstimatedValue,
                    ["current_probability"] = deal.ProbabilityPct,
                    ["source"] = _sources[row],
                },
                ["model_type"] = modelType,
            });
        }
    }

    /// <summary>What it answered, if it is an answer.</summary>
    private static class EndpointAnswer
    {
        public static Prediction? Read(OpenDeal deal, string text, out string? fault)
        {
            try
            {
                using var document = JsonDocument.Parse(text);
                var answer = document.RootElement;
                if (answer.ValueKind != JsonValueKind.Object)
                {
                    fault = "its answer is no JSON object";
                    return null;
                }

                var probability = Number(answer, "probability", 1, required: true, out fault);
                var risk = fault is null ? Number(answer, "risk_score", 1, required: true, out fault) : null;
                var confidence = fault is null ? Number(answer, "confidence", 1, required: true, out fault) : null;
                var expected = fault is null ? Number(answer, "expected_value", 1e10, required: false, out fault) : null;
                var days = fault is null ? Number(answer, "time_to_close_days", 3650, required: false, out fault) : null;
                var recommendations = fault is null ? Texts(answer, out fault) : [];
                return fault is not null ? null : new Prediction
                {
                    Deal = deal,
                    AnsweredBy = "endpoint",
                    Probability = probability!.Value,
                    LogOdds = Logits.Of(Math.Clamp(probability.Value, 1e-6, 1 - 1e-6)),
                    Risk = risk!.Value,
                    Confidence = confidence!.Value,
                    ExpectedValue = expected,
                    Days = new DaysToClose(null, days, null),
                    Recommendations = recommendations,
                };
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                fault = "its answer is no JSON";
                return null;
            }
        }

        private static double? Number(JsonElement answer, string name, double most, bool required, out string? fault)
        {
            var given = answer.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
            if (!given && !required)
            {
                fault = null;
                return null;
            }

            if (given && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= 0 && number <= most)
            {
                fault = null;
                return number;
            }

            fault = string.Create(CultureInfo.InvariantCulture, $"its {name} is no number from 0 to {most}");
            return null;
        }

        private static IReadOnlyList<Recommendation> Texts(JsonElement answer, out string? fault)
        {
            fault = null;
            if (!answer.TryGetProperty("recommendations", out var list) || list.ValueKind == JsonValueKind.Null)
            {
                return [];
            }

            if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String
                || item.GetString() is not { Length: > 0 and <= MostTextLength } text || text.Contains('\0', StringComparison.Ordinal)))
            {
                fault = $"its recommendations are no list of texts of 1 to {MostTextLength} characters";
                return [];
            }

            return [.. list.EnumerateArray().Take(MostRecommendations).Select(item => new Recommendation(item.GetString()!, "endpoint"))];
        }
    }
}
