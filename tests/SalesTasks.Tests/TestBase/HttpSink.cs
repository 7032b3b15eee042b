using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace SalesTasks.Tests.TestBase;

/// <summary>A request that an <see cref="HttpSink"/> has read to its end.</summary>
internal sealed record SinkRequest(string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string Key => Headers.GetValueOrDefault("Idempotency-Key", "");

    public JsonElement Json => TestBase.Json.Parse(Body);
}

/// <summary>What the sink does about a request.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">Body of the answer.</param>
internal sealed record SinkAnswer(int Status = 200, string Body = "ok")
{
    /// <summary>Header lines, such as <c>Retry-After: 1</c>.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>Time before the answer.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>What the answer waits for, so that a test says how fast the receiver is.</summary>
    public Func<CancellationToken, Task>? After { get; init; }

    /// <summary>The connection is reset instead of an answer.</summary>
    public bool Reset { get; init; }

    /// <summary>No answer, ever; the connection stays open.</summary>
    public bool Silent { get; init; }

    /// <summary>The head of the answer and half of its body, and then nothing.</summary>
    public bool HalfBody { get; init; }
}

/// <summary>
/// An HTTP/1.1 receiver on the loopback interface that counts what it gets. A request counts when it was read to its end, whatever the
/// answer to it: that is what a real receiver could have acted on.
/// </summary>
internal sealed class HttpSink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<SinkRequest> _requests = new();
    private readonly Func<SinkRequest, SinkAnswer> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly bool _keep;
    private readonly Task _accepting;
    private long _count;
    private int _connections;
    private int _inFlight;
    private int _mostInFlight;

    /// <param name="answer">Left out: 200 and ok.</param>
    /// <param name="certificate">With one the sink speaks TLS.</param>
    /// <param name="keep">False: requests are counted and not kept.</param>
    public HttpSink(Func<SinkRequest, SinkAnswer>? answer = null, X509Certificate2? certificate = null, bool keep = true)
    {
        _answer = answer ?? (static _ => new SinkAnswer());
        _certificate = certificate;
        _keep = keep;
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Address => $"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}";

    /// <summary>In the order of arrival.</summary>
    public IReadOnlyList<SinkRequest> Requests => [.. _requests];

    public long Count => Interlocked.Read(ref _count);

    public int Connections => _connections;

    /// <summary>Most requests under way at once.</summary>
    public int MostInFlight => _mostInFlight;

    /// <summary>An Airflow connection of type http to this sink.</summary>
    /// <param name="extra">Members of the extra, as JSON.</param>
    public string Connection(string extra = "") =>
        $$"""{"conn_type": "http", "host": "{{Address}}", "extra": {"allow_http": true{{(extra.Length == 0 ? "" : ", " + extra)}} } }""";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                serving.RemoveAll(task => task.IsCompleted);
                serving.Add(ServeAsync(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The test is over: the listener was stopped while this waited, or just before it would have.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            try
            {
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    var tls = new SslStream(stream);
                    stream = tls;
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                }

                await using (stream)
                {
                    var reader = new RequestReader(stream);
                    while (await reader.ReadAsync(_stop.Token) is { } request)
                    {
                        if (!await AnswerAsync(client, stream, request))
                        {
                            return;
                        }
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException or ObjectDisposedException
                or System.Security.Authentication.AuthenticationException)
            {
                // The other side went away, did not trust us, or the test is over.
            }
        }
    }

    private async Task<bool> AnswerAsync(TcpClient client, Stream stream, SinkRequest request)
    {
        var now = Interlocked.Increment(ref _inFlight);
        InterlockedMax(ref _mostInFlight, now);
        try
        {
            Interlocked.Increment(ref _count);
            if (_keep)
            {
                _requests.Enqueue(request);
            }

            var answer = _answer(request);
            if (answer.Delay > TimeSpan.Zero)
            {
                await Task.Delay(answer.Delay, TimeProvider.System, _stop.Token);
            }

            if (answer.After is { } after)
            {
                await after(_stop.Token);
            }

            if (answer.Reset)
            {
                client.LingerState = new LingerOption(true, 0);
                client.Close();
                return false;
            }

            if (answer.Silent)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
            }

            var body = Encoding.UTF8.GetBytes(answer.Body);
            var head = new StringBuilder($"HTTP/1.1 {answer.Status} X\r\nContent-Length: {body.Length + (answer.HalfBody ? 1000 : 0)}\r\n");
            foreach (var header in answer.Headers)
            {
                head.Append(header).Append("\r\n");
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()).Concat(body).ToArray(), _stop.Token);
            if (answer.HalfBody)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
            }

            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    /// <summary>Reads requests with a Content-Length, one after the other.</summary>
    private sealed class RequestReader(Stream stream)
    {
        private readonly byte[] _buffer = new byte[256 * 1024];
        private int _length;

        public async Task<SinkRequest?> ReadAsync(CancellationToken cancellationToken)
        {
            int head;
            while ((head = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
            {
                if (!await FillAsync(cancellationToken))
                {
                    return null;
                }
            }

            var lines = Encoding.Latin1.GetString(_buffer, 0, head).Split("\r\n");
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var line in lines.Skip(1))
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers[line[..colon]] = line[(colon + 1)..].Trim();
            }

            var end = head + 4 + int.Parse(headers.GetValueOrDefault("Content-Length", "0"));
            while (_length < end)
            {
                if (!await FillAsync(cancellationToken))
                {
                    return null;
                }
            }

            var request = new SinkRequest(lines[0].Split(' ')[1], headers, Encoding.UTF8.GetString(_buffer, head + 4, end - head - 4));
            _buffer.AsSpan(end.._length).CopyTo(_buffer);
            _length -= end;
            return request;
        }

        private async Task<bool> FillAsync(CancellationToken cancellationToken)
        {
            var read = await stream.ReadAsync(_buffer.AsMemory(_length), cancellationToken);
            _length += read;
            return read > 0;
        }
    }
}
