using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SalesTasks.Delivery;

namespace SalesTasks.Crm;

/// <summary>An answer of a CRM that is not about limits, credentials or its health.</summary>
/// <param name="Status">200 – 499.</param>
/// <param name="Body">JSON; null: none.</param>
internal sealed record CrmAnswer(int Status, JsonNode? Body)
{
    public bool Succeeded => Status is >= 200 and < 300;
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
    /// <param name="method">GET, POST, PATCH or DELETE.</param>
    /// <param name="address">Where.</param>
    /// <param name="body">Sent as JSON; null: none.</param>
    /// <param name="headers">The authorization and what else is needed.</param>
    /// <param name="limit">What limit an answer tells of, if any.</param>
    /// <param name="cancellationToken">Asked to stop.</param>
    /// <exception cref="JobException">69: bad credentials; 75: not reachable, out of order, or too much at once for long.</exception>
    public async Task<CrmAnswer> SendAsync(
        HttpMethod method,
        Uri address,
        JsonNode? body,
        IReadOnlyDictionary<string, string> headers,
        Func<int, JsonNode?, TimeSpan?, CrmLimit?> limit,
        CancellationToken cancellationToken)
    {
        for (var (attempt, failures) = (1, 0); ; attempt++)
        {
            string fault;
            try
            {
                var (status, answer, retryAfter) = await CallAsync(method, address, body, headers, cancellationToken);
                if (limit(status, answer, retryAfter) is { } asked)
                {
                    await _budget.PauseAsync(asked.Pause);
                    if (attempt >= Tries || asked.Pause > CrmBudget.MaxPause)
                    {
                        throw JobException.Temporary($"{_crm}: {asked.What}; the next run goes on where this one ends.");
                    }

                    await Task.Delay(asked.Pause, _time, cancellationToken);
                    continue;
                }

                if (status < 500 && status != 408)
                {
                    return new CrmAnswer(status, answer);
                }

                fault = $"HTTP {status}";
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
            catch (Exception exception) when (exception is IOException or JsonException)
            {
                fault = "its answer was cut off or is no JSON";
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                fault = $"no answer within {_timeout.TotalSeconds:0} s";
            }

            if (++failures >= FailureTries)
            {
                throw JobException.Temporary($"{_crm}: {fault}; tried {failures} times.");
            }

            await Task.Delay(TimeSpan.FromSeconds(failures * failures), _time, cancellationToken);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<(int Status, JsonNode? Body, TimeSpan? RetryAfter)> CallAsync(
        HttpMethod method, Uri address, JsonNode? body, IReadOnlyDictionary<string, string> headers, CancellationToken cancellationToken)
    {
        var slot = await _budget.TakeAsync(cancellationToken);
        try
        {
            using var deadline = new CancellationTokenSource(_timeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            using var request = new HttpRequestMessage(method, address);
            request.Headers.TryAddWithoutValidation("User-Agent", "sales-tasks");
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            if (body is not null)
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
            var json = bytes.Length == 0 ? null : status is >= 200 and < 300 ? JsonNode.Parse(bytes) : TryParse(bytes);
            var retry = response.Headers.RetryAfter;
            return (status, json, retry?.Delta ?? (retry?.Date is { } date ? date - _time.GetUtcNow() : null));
        }
        finally
        {
            await _budget.GiveBackAsync(slot);
        }
    }

    private sealed record Told(DateTimeOffset At, long Since);

    private static JsonNode? TryParse(byte[] bytes)
    {
        try
        {
            return JsonNode.Parse(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
