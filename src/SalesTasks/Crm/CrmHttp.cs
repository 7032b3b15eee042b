using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using SalesTasks.Delivery;

namespace SalesTasks.Crm;

/// <summary>An answer of a CRM.</summary>
/// <param name="Status">From <see cref="CrmHttp.SendAsync"/> 200 – 499, or 500 with a <see cref="FaultCode"/>.</param>
/// <param name="Body">JSON; null: none.</param>
internal sealed record CrmAnswer(int Status, JsonNode? Body)
{
    public bool Succeeded => Status is >= 200 and < 300;

    /// <summary>A body that is XML.</summary>
    public XElement? Xml { get; init; }

    /// <summary>Of a SOAP fault, such as <c>sf:INVALID_SESSION_ID</c>: its last part.</summary>
    public string? FaultCode => Xml?.Descendants("faultcode").FirstOrDefault()?.Value.Split(':')[^1];

    /// <summary>What Retry-After says.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Salesforce's header Sforce-Limit-Info.</summary>
    public string? LimitInfo { get; init; }
}

/// <summary>A request to a CRM.</summary>
/// <param name="Method">GET, POST, PATCH or DELETE.</param>
/// <param name="Address">Where.</param>
/// <param name="Headers">The authorization and what else is needed.</param>
internal sealed record CrmRequest(HttpMethod Method, Uri Address, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>Sent as JSON; null: none.</summary>
    public JsonNode? Body { get; init; }

    /// <summary>Sent instead of JSON: a form or XML, and what it is.</summary>
    public (string Text, string MediaType)? Text { get; init; }

    /// <summary>False: doing it twice would make two; where it is not known to have failed it is left to the caller.</summary>
    public bool Repeatable { get; init; } = true;
}

/// <summary>The CRM wants to be left alone.</summary>
/// <param name="Pause">For how long.</param>
/// <param name="What">Which limit, for the message.</param>
internal sealed record CrmLimit(TimeSpan Pause, string What);

/// <summary>
/// JSON calls to a CRM within its budget. Waits where the CRM asks for it, tries again what failed on the way (every write of ours may be
/// repeated), and turns the rest into exit codes. No proxy, no redirects; nothing of an answer gets into a message.
/// </summary>
internal sealed class CrmHttp : IDisposable
{
    /// <summary>A search page of 200 records with long notes stays far below.</summary>
    private const int MaxAnswer = 64 << 20;

    private const int Tries = 6;
    private const int FailureTries = 3;

    private volatile Told? _told;
    private readonly string _crm;
    private readonly CrmBudget _budget;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <param name="crm">Its name, for messages.</param>
    /// <param name="budget">Calls that are left.</param>
    /// <param name="timeout">From the start of a call to the end of its answer.</param>
    /// <param name="time">Paces waiting.</param>
    public CrmHttp(string crm, CrmBudget budget, TimeSpan timeout, TimeProvider time)
    {
        (_crm, _budget, _timeout, _time) = (crm, budget, timeout, time);
        _client = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                UseCookies = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                ConnectCallback = static async (context, token) => await AddressGuard.ConnectAsync(context.DnsEndPoint, token),
            },
            disposeHandler: true)
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxAnswer,
        };
    }

    /// <summary>The receiver's clock, by the date of its latest answer (whole seconds); null before there was one.</summary>
    public DateTimeOffset? Clock => _told is { } told ? told.At.AddSeconds(1) + _time.GetElapsedTime(told.Since) : null;

    /// <summary>One call, made again where that helps.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="limit">What limit an answer tells of, if any.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    /// <exception cref="JobException">69: bad credentials; 75: not reachable, out of order, or too much at once for long.</exception>
    public async Task<CrmAnswer> SendAsync(CrmRequest request, Func<CrmAnswer, CrmLimit?> limit, CancellationToken cancellationToken)
    {
        for (var (attempt, failures) = (1, 0); ; attempt++)
        {
            string fault;
            try
            {
                var answer = await CallAsync(request, cancellationToken);
                if (limit(answer) is { } asked)
                {
                    await _budget.PauseAsync(asked.Pause);
                    if (attempt >= Tries || asked.Pause > CrmBudget.MaxPause)
                    {
                        throw JobException.Temporary($"{_crm}: {asked.What}; the next run goes on where this one ends.");
                    }

                    await Task.Delay(asked.Pause, _time, cancellationToken);
                    continue;
                }

                if (answer.Status is < 500 and not 408 || answer.FaultCode is not null)
                {
                    return answer;
                }

                fault = $"HTTP {answer.Status}";
            }
            catch (HttpRequestException exception) when (exception.InnerException is BlockedAddressException)
            {
                throw JobException.Usage($"{_crm}: the connection's address is link-local, a metadata service, unspecified or multicast: never called.");
            }
            catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
            {
                throw JobException.Refused($"{_crm}: no trusted TLS connection; check the certificate and the name in the connection.");
            }
            catch (HttpRequestException exception)
            {
                fault = $"network: {exception.HttpRequestError}";
            }
            catch (Exception exception) when (exception is IOException or JsonException or XmlException)
            {
                fault = "its answer was cut off or is not what was asked for";
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                fault = $"no answer within {_timeout.TotalSeconds:0} s";
            }

            if (++failures >= FailureTries || !request.Repeatable)
            {
                throw JobException.Temporary($"{_crm}: {fault}; tried {failures} times.");
            }

            await Task.Delay(TimeSpan.FromSeconds(failures * failures), _time, cancellationToken);
        }
    }

    /// <summary>Keeps all runs from calling for a while.</summary>
    public Task PauseAsync(TimeSpan pause) => _budget.PauseAsync(pause);

    public void Dispose() => _client.Dispose();

    private async Task<CrmAnswer> CallAsync(CrmRequest asked, CancellationToken cancellationToken)
    {
        var slot = await _budget.TakeAsync(cancellationToken);
        try
        {
            using var deadline = new CancellationTokenSource(_timeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            using var request = new HttpRequestMessage(asked.Method, asked.Address);
            request.Headers.TryAddWithoutValidation("User-Agent", "sales-tasks");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            foreach (var (name, value) in asked.Headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            if (asked.Text is { } text)
            {
                request.Content = new StringContent(text.Text, Encoding.UTF8, text.MediaType);
            }
            else if (asked.Body is { } body)
            {
                request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            }

            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead, either.Token);
            var bytes = await response.Content.ReadAsByteArrayAsync(either.Token);
            if (response.Headers.Date is { } told)
            {
                _told = new Told(told, _time.GetTimestamp());
            }

            var status = (int)response.StatusCode;
            if (bytes.Length == 0 && status is >= 200 and < 300 and not 204)
            {
                throw new JsonException();
            }

            // An error page of a gateway is no JSON; its status says enough.
            var succeeded = status is >= 200 and < 300;
            var isXml = response.Content.Headers.ContentType?.MediaType is "text/xml";
            var json = bytes.Length == 0 || isXml ? null : succeeded ? JsonNode.Parse(bytes) : TryParse(bytes, b => JsonNode.Parse(b));
            var retry = response.Headers.RetryAfter;
            return new CrmAnswer(status, json)
            {
                Xml = bytes.Length == 0 || !isXml ? null : succeeded ? ParseXml(bytes) : TryParse(bytes, ParseXml),
                RetryAfter = retry?.Delta ?? (retry?.Date is { } date ? date - _time.GetUtcNow() : null),
                LimitInfo = response.Headers.TryGetValues("Sforce-Limit-Info", out var limit) ? limit.FirstOrDefault() : null,
            };
        }
        finally
        {
            await _budget.GiveBackAsync(slot);
        }
    }

    private sealed record Told(DateTimeOffset At, long Since);

    private static XElement ParseXml(byte[] bytes) => XElement.Parse(Encoding.UTF8.GetString(bytes));

    private static T? TryParse<T>(byte[] bytes, Func<byte[], T?> parse)
        where T : class
    {
        try
        {
            return parse(bytes);
        }
        catch (Exception exception) when (exception is JsonException or XmlException)
        {
            return null;
        }
    }
}
