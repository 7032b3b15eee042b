using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace SalesTasks.Delivery;

/// <summary>
/// Posts JSON to one address. No proxy, no redirects, no cookies; addresses are checked by <see cref="AddressGuard"/>; an answer is read up
/// to a few kilobytes and within the time-out.
/// </summary>
/// <remarks>
/// Whether a request that failed may have arrived is known from its body: the handler asks for it once the connection stands, and not
/// before. Until then nothing was written.
/// </remarks>
internal sealed class HttpReceiver : IAsyncDisposable
{
    private const int MaxAnswer = 4096;

    private readonly HttpSettings _settings;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    /// <param name="settings">Where and how.</param>
    /// <param name="timeout">From the start of an attempt to the end of its answer.</param>
    /// <param name="concurrency">Connections at most.</param>
    /// <param name="time">Measures the time-out.</param>
    public HttpReceiver(HttpSettings settings, TimeSpan timeout, int concurrency, TimeProvider time)
    {
        _settings = settings;
        _timeout = timeout;
        _time = time;
        _client = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                AllowAutoRedirect = false,
                UseCookies = false,
                MaxConnectionsPerServer = concurrency,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                MaxResponseHeadersLength = 32,
                MaxResponseDrainSize = MaxAnswer,
                ConnectCallback = static async (context, token) => await AddressGuard.ConnectAsync(context.DnsEndPoint, token),
            },
            disposeHandler: true)
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>One attempt.</summary>
    /// <param name="body">UTF-8 JSON.</param>
    /// <param name="idempotencyKey">Sent as <c>Idempotency-Key</c>.</param>
    /// <param name="judge">
    /// Makes the result of an answer that is neither 2xx nor understood the same way everywhere (408, 425, 429, 5xx, 3xx, 401); gets its
    /// status and the beginning of its body. Null: 403 refuses us, everything else refuses the message.
    /// </param>
    /// <param name="stop">Ends the attempt early.</param>
    public async Task<SendResult> PostAsync(
        byte[] body, string idempotencyKey, Func<int, string, SendResult?>? judge, CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
        using var content = new TrackedContent(body);
        using var request = new HttpRequestMessage(HttpMethod.Post, _settings.Address) { Content = content };
        request.Headers.TryAddWithoutValidation("User-Agent", "sales-tasks");
        foreach (var (name, value) in _settings.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        HttpResponseMessage response;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
        }
        catch (OperationCanceledException)
        {
            var why = deadline.IsCancellationRequested ? $"no answer within {_timeout.TotalSeconds:0.###} s" : "stopped while sending";
            return content.WasWritten
                ? SendResult.InDoubt(why)
                : SendResult.Temporary(why + ", before the message was written") with { CountsAgainstMessage = false };
        }
        catch (HttpRequestException exception)
        {
            return Failed(exception, content.WasWritten);
        }

        using (response)
        {
            var status = (int)response.StatusCode;
            // The status is known by now; an answer whose body does not come changes nothing about it.
            var answer = await ReadAsync(response, either.Token);
            return Judge(response, status, answer, judge);
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private SendResult Judge(HttpResponseMessage response, int status, string answer, Func<int, string, SendResult?>? judge)
    {
        if (status is >= 200 and < 300 && judge is null)
        {
            return SendResult.Sent(status);
        }

        var retryAfter = RetryAfter(response.Headers.RetryAfter);
        return status switch
        {
            408 or 425 => SendResult.Temporary($"HTTP {status}", status) with { RetryAfter = retryAfter },
            429 => SendResult.Temporary("HTTP 429: too much at once", status) with
            {
                RetryAfter = retryAfter ?? TimeSpan.FromSeconds(5),
                CountsAgainstMessage = false,
            },
            // The same key is being worked on. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
            409 when _settings.Receiver.Idempotent => SendResult.Temporary("HTTP 409: an earlier attempt is still being worked on", status),
            // A gateway that waited in vain knows no more than we do.
            504 => SendResult.InDoubt("HTTP 504: the receiver's gateway got no answer", status) with { RetryAfter = retryAfter },
            >= 500 => SendResult.Temporary($"HTTP {status}", status) with { RetryAfter = retryAfter },
            401 => SendResult.Refused("HTTP 401: the credentials are not accepted", status),
            >= 300 and < 400 => SendResult.Permanent(
                $"HTTP {status}: a redirect, which is not followed; put the receiver's final address into the connection", status) with
            {
                ConcernsConnection = true,
            },
            _ => judge?.Invoke(status, answer) ?? status switch
            {
                403 => SendResult.Refused("HTTP 403: we are not allowed to send there", status),
                404 or 405 or 410 => SendResult.Permanent($"HTTP {status}: there is no such receiver", status) with { ConcernsConnection = true },
                _ => SendResult.Permanent($"HTTP {status}: the receiver does not take this message", status),
            },
        };
    }

    private static SendResult Failed(HttpRequestException exception, bool written)
    {
        var causes = Causes(exception).ToList();
        if (causes.Any(cause => cause is BlockedAddressException))
        {
            return SendResult.Refused("the receiver's address is link-local, a metadata service, unspecified or multicast: never sent to");
        }

        if (causes.Any(cause => cause is AuthenticationException))
        {
            return SendResult.Refused("no trusted TLS connection to the receiver: check its certificate and name");
        }

        var why = causes.OfType<SocketException>().FirstOrDefault() is { } socket
            ? $"network: {socket.SocketErrorCode}"
            : $"network: {exception.HttpRequestError}";
        return written
            ? SendResult.InDoubt($"{why}, after the message was written")
            : SendResult.Temporary($"{why}, before the message was written") with { CountsAgainstMessage = false };
    }

    /// <summary>Seconds, or until a date; a day at most, since nobody means more.</summary>
    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait is { } asked ? TimeSpan.FromTicks(Math.Clamp(asked.Ticks, 0, TimeSpan.TicksPerDay)) : null;
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxAnswer];
        var length = 0;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            length = await stream.ReadAtLeastAsync(buffer, MaxAnswer, throwOnEndOfStream: false, cancellationToken);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or HttpRequestException)
        {
            // A slow or broken body: what came is what there is.
        }

        return Encoding.UTF8.GetString(buffer.AsSpan(0, length));
    }

    private static IEnumerable<Exception> Causes(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            yield return current;
        }
    }

    /// <summary>Knows whether the handler began to write it.</summary>
    private sealed class TrackedContent : HttpContent
    {
        private readonly byte[] _body;

        public TrackedContent(byte[] body)
        {
            _body = body;
            Headers.ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        }

        public bool WasWritten { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            WasWritten = true;
            await stream.WriteAsync(_body, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _body.Length;
            return true;
        }
    }
}
