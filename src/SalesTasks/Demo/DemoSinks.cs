using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;
using SalesTasks.Demo.Crm;

namespace SalesTasks.Demo;

/// <summary>
/// What stands in for the world outside: a receiver of e-mails, Slack messages, call requests and task requests on the loopback interface,
/// inside the demo's process. It takes everything and counts it, by the key that each message carries: one that came twice shows. Beside it a
/// CRM that behaves as HubSpot does.
/// </summary>
internal sealed class DemoSinks : IAsyncDisposable
{
    /// <summary>The names of the sinks, and the environment variable that gives a step the connection to each.</summary>
    private static readonly (string Name, string Variable)[] s_sinks =
    [
        ("e-mail", ConnectionIds.EmailVariable), ("slack", ConnectionIds.SlackVariable), ("calls", ConnectionIds.CallsVariable),
        ("tasks", ConnectionIds.TasksVariable),
    ];

    /// <summary>Another program may take a port between its choice and its use.</summary>
    private const int Tries = 5;

    private const string CrmId = "demo_crm";

    private readonly HubSpotFake _crm;
    private readonly HttpListener _listener;
    private readonly int _port;
    private readonly Task _receiving;
    private readonly Dictionary<string, ConcurrentDictionary<string, int>> _received =
        s_sinks.ToDictionary(sink => sink.Name, _ => new ConcurrentDictionary<string, int>(StringComparer.Ordinal), StringComparer.Ordinal);

    private DemoSinks(HttpListener listener, int port, TimeProvider time)
    {
        // A paying customer's limits are no use to a demo.
        _crm = new HubSpotFake(time) { BurstCalls = 10_000 };
        _listener = listener;
        _port = port;
        _receiving = ReceiveAsync();
    }

    /// <summary>Messages each sink got, and how many of them it had got before, in a fixed order.</summary>
    public IReadOnlyList<SinkCount> Counts =>
    [
        .. s_sinks.Select(sink => new SinkCount(sink.Name, _received[sink.Name].Count, _received[sink.Name].Values.Sum(times => times - 1))),
        new SinkCount("crm", _crm.Created, Twice("contacts", "salestasks_lead_id") + Twice("deals", "salestasks_deal_id")),
    ];

    /// <summary>What a step's environment needs in order to send here, and nowhere else.</summary>
    public IEnumerable<(string Variable, string Value)> Environment
    {
        get
        {
            foreach (var (name, variable) in s_sinks)
            {
                var id = "demo_" + name.Replace("-", "", StringComparison.Ordinal);
                yield return (variable, id);
                yield return ("AIRFLOW_CONN_" + id.ToUpperInvariant(), Connection(name).ToJsonString());
            }

            yield return (ConnectionIds.CrmVariable, CrmId);
            yield return ("AIRFLOW_CONN_" + CrmId.ToUpperInvariant(), new JsonObject
            {
                ["conn_type"] = "http",
                ["host"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_crm.Port}"),
                ["password"] = _crm.Token,
                ["extra"] = new JsonObject { ["allow_http"] = "true", ["burst_limit"] = "1000/10" },
            }.ToJsonString());
        }
    }

    /// <summary>Listens on a free port.</summary>
    /// <param name="time">The CRM's clock.</param>
    /// <exception cref="JobException">75: there is no way to listen on the loopback interface.</exception>
    public static DemoSinks Start(TimeProvider time)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            var listener = new HttpListener();
            listener.Prefixes.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
            try
            {
                listener.Start();
                return new DemoSinks(listener, port, time);
            }
            catch (HttpListenerException taken)
            {
                listener.Close();
                if (attempt == Tries)
                {
                    throw JobException.Temporary($"demo: 127.0.0.1:{port} cannot be listened on ({taken.Message})", taken);
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _receiving;
        await _crm.DisposeAsync();
    }

    /// <summary>Records of the CRM that carry a key which another one carries too.</summary>
    private int Twice(string type, string key)
    {
        var keys = _crm.Records(type).Select(r => r.Properties.GetValueOrDefault(key)).OfType<string>().ToList();
        return keys.Count - keys.Distinct(StringComparer.Ordinal).Count();
    }

    /// <summary>Somebody who may own deals in the CRM.</summary>
    public void AddOwner(string email) => _crm.Owners[(_crm.Owners.Count + 1).ToString(CultureInfo.InvariantCulture)] = email;

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>As somebody writes it into Airflow; http is allowed because it does not leave the machine.</summary>
    private JsonObject Connection(string name)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}");
        // Slack's own pace (one message a second) is no use to a demo.
        var extra = new JsonObject { ["allow_http"] = "true", ["rate_per_second"] = "1000" };
        if (name is "slack")
        {
            return new JsonObject
            {
                ["conn_type"] = "slackwebhook",
                ["host"] = address,
                ["password"] = name,
                ["extra"] = extra,
            };
        }

        extra["endpoint"] = name;
        return new JsonObject { ["conn_type"] = "http", ["host"] = address, ["extra"] = extra };
    }

    private async Task ReceiveAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                await AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or IOException)
            {
                // A sender that went away, or the end of the demo: what it had sent to the end is counted.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var body = new MemoryStream();
        await context.Request.InputStream.CopyToAsync(body);
        var known = _received.TryGetValue(context.Request.Url!.AbsolutePath.Trim('/'), out var sink);
        if (known)
        {
            sink!.AddOrUpdate(context.Request.Headers["Idempotency-Key"] ?? "", 1, static (_, times) => times + 1);
        }

        context.Response.StatusCode = known ? 200 : 404;
        await context.Response.OutputStream.WriteAsync(Encoding.ASCII.GetBytes("ok"));
        context.Response.Close();
    }
}

/// <summary>What a sink got.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Messages">Different messages.</param>
/// <param name="Repeated">Deliveries of a message it had got before; more than none is a defect.</param>
internal sealed record SinkCount(string Name, int Messages, int Repeated);
