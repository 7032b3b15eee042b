using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SalesTasks.Demo.Crm;

/// <summary>A request to a CRM that stands in for the real one.</summary>
internal sealed record FakeRequest(string Method, string Path, IReadOnlyDictionary<string, string> Query, JsonNode? Body, string? Authorization)
{
    /// <summary>A body that is no JSON: a form, or XML.</summary>
    public string Text { get; init; } = "";

    /// <summary>Bytes of the address as it was sent.</summary>
    public int AddressLength { get; init; }
}

/// <summary>Its answer. Status 0: the connection is cut without one.</summary>
internal sealed record FakeAnswer(int Status, JsonNode? Body = null, int? RetryAfter = null)
{
    /// <summary>Instead of JSON.</summary>
    public string? Xml { get; init; }

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
}

/// <summary>How a test disturbs a call.</summary>
internal enum FakeFault
{
    None,

    /// <summary>HTTP 503, nothing done.</summary>
    Unavailable,

    /// <summary>HTTP 429, nothing done.</summary>
    TooMany,

    /// <summary>The connection is cut before anything is done.</summary>
    Cut,

    /// <summary>Everything is done, and the answer is lost.</summary>
    AnswerLost,
}

/// <summary>
/// A JSON service on the loopback interface, inside the process, with the limits of a CRM: calls within a rolling window and a day. It counts
/// what it answers and does, and what came although the limit was reached.
/// </summary>
internal abstract class FakeHttp : IAsyncDisposable
{
    /// <summary>Another program may take a port between its choice and its use.</summary>
    private const int Tries = 5;

    private readonly HttpListener _listener;
    private readonly Task _receiving;
    private readonly Queue<long> _recent = new();
    private int _calls;
    private int _overLimit;

    protected FakeHttp(TimeProvider time)
    {
        Time = time;
        (_listener, Port) = Listen();
        _receiving = Task.Run(ReceiveAsync);
    }

    public int Port { get; }

    /// <summary>Calls within <see cref="BurstWindow"/>; more are answered with 429.</summary>
    public int BurstCalls { get; set; } = 100;

    public TimeSpan BurstWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Calls altogether, as if on one day.</summary>
    public int DailyCalls { get; set; } = 250_000;

    /// <summary>What a disturbed call is told to wait.</summary>
    public int RetryAfter { get; set; } = 1;

    /// <summary>Decides for each call whether something goes wrong.</summary>
    public Func<FakeRequest, FakeFault>? Fault { get; set; }

    /// <summary>Calls so far, those over a limit among them.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Calls that were over a limit.</summary>
    public int OverLimit => Volatile.Read(ref _overLimit);

    /// <summary>Calls that were to create or change records.</summary>
    public int WriteCalls { get; protected set; }

    /// <summary>Leads and deals created through the API.</summary>
    public int Created { get; protected set; }

    /// <summary>Contacts that were erased for good.</summary>
    public int Erasures { get; protected set; }

    /// <summary>The connection may not erase.</summary>
    public bool Refuses { get; set; }

    protected TimeProvider Time { get; }

    protected Lock Gate { get; } = new();

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _receiving;
        GC.SuppressFinalize(this);
    }

    /// <summary>Answers a call; called under <see cref="Gate"/>.</summary>
    protected abstract FakeAnswer Answer(FakeRequest request);

    /// <summary>The answer to a call over a limit.</summary>
    protected abstract FakeAnswer LimitReached(bool daily);

    private static (HttpListener Listener, int Port) Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            var port = ((IPEndPoint)probe.LocalEndpoint).Port;
            probe.Stop();
            var listener = new HttpListener();
            listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
            try
            {
                listener.Start();
                return (listener, port);
            }
            catch (HttpListenerException taken)
            {
                listener.Close();
                if (attempt == Tries)
                {
                    throw JobException.Temporary($"127.0.0.1:{port} cannot be listened on ({taken.Message})", taken);
                }
            }
        }
    }

    private async Task ReceiveAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = Task.Run(() => ServeAsync(context));
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(HttpListenerContext context)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            var query = context.Request.QueryString.AllKeys.OfType<string>()
                .ToDictionary(key => key, key => context.Request.QueryString[key] ?? "", StringComparer.Ordinal);
            FakeAnswer answer;
            try
            {
                var isJson = context.Request.ContentType is not { } type || type.Contains("json", StringComparison.OrdinalIgnoreCase);
                answer = Handle(new FakeRequest(
                    context.Request.HttpMethod, Uri.UnescapeDataString(context.Request.Url!.AbsolutePath), query,
                    body.Length == 0 || !isJson ? null : JsonNode.Parse(body.ToArray()), context.Request.Headers["Authorization"])
                {
                    Text = isJson ? "" : Encoding.UTF8.GetString(body.ToArray()),
                    AddressLength = context.Request.RawUrl?.Length ?? 0,
                });
            }
            catch (JsonException)
            {
                answer = new FakeAnswer(400);
            }

            if (answer.Status == 0)
            {
                context.Response.Abort();
                return;
            }

            context.Response.StatusCode = answer.Status;
            if (answer.RetryAfter is { } seconds)
            {
                context.Response.Headers["Retry-After"] = seconds.ToString(CultureInfo.InvariantCulture);
            }

            foreach (var (name, value) in answer.Headers)
            {
                context.Response.Headers[name] = value;
            }

            if (answer.Body is not null || answer.Xml is not null)
            {
                context.Response.ContentType = answer.Xml is null ? "application/json" : "text/xml";
                var bytes = answer.Xml is { } xml ? Encoding.UTF8.GetBytes(xml) : JsonSerializer.SerializeToUtf8Bytes(answer.Body);
                context.Response.ContentLength64 = bytes.Length;
                await context.Response.OutputStream.WriteAsync(bytes);
            }

            context.Response.Close();
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // The caller went away.
        }
    }

    private FakeAnswer Handle(FakeRequest request)
    {
        lock (Gate)
        {
            _calls++;
            var now = Time.GetTimestamp();
            while (_recent.Count > 0 && Time.GetElapsedTime(_recent.Peek(), now) >= BurstWindow)
            {
                _recent.Dequeue();
            }

            if (_calls > DailyCalls || _recent.Count >= BurstCalls)
            {
                _overLimit++;
                return LimitReached(_calls > DailyCalls);
            }

            _recent.Enqueue(now);
            switch (Fault?.Invoke(request) ?? FakeFault.None)
            {
                case FakeFault.Unavailable:
                    return new FakeAnswer(503);
                case FakeFault.TooMany:
                    return LimitReached(daily: false) with { RetryAfter = RetryAfter };
                case FakeFault.Cut:
                    return new FakeAnswer(0);
                case FakeFault.AnswerLost:
                    Answer(request);
                    return new FakeAnswer(0);
                default:
                    return Answer(request);
            }
        }
    }
}
