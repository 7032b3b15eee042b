using SalesTasks.Airflow;

namespace SalesTasks.Delivery;

/// <summary>A channel with its connection, ready to send.</summary>
/// <param name="Name">email, slack, call or task.</param>
/// <param name="Out">The way out.</param>
/// <param name="Receiver">What its connection says.</param>
internal sealed record OpenChannel(string Name, IChannel Out, ReceiverSettings Receiver);

/// <summary>Opens the channels that are configured.</summary>
internal static class Channels
{
    /// <summary>Channels that <c>outbox dispatch</c> sends, with the environment variable that names their connection.</summary>
    public static readonly IReadOnlyList<(string Name, string Variable, Func<ConnectionIds, string?> Id)> All =
    [
        ("email", ConnectionIds.EmailVariable, ids => ids.Email),
        ("slack", ConnectionIds.SlackVariable, ids => ids.Slack),
        ("call", ConnectionIds.CallsVariable, ids => ids.Calls),
        ("task", ConnectionIds.TasksVariable, ids => ids.Tasks),
    ];

    /// <summary>All channels that have a connection id. Nothing is connected to yet.</summary>
    /// <exception cref="JobException">64: connections cannot be used; one line each.</exception>
    public static IReadOnlyList<OpenChannel> Open(ConnectionIds ids, ConnectionResolver connections, DispatchOptions options, TimeProvider time)
    {
        var open = new List<OpenChannel>();
        var faults = new List<string>();
        foreach (var (name, _, idOf) in All)
        {
            try
            {
                if (idOf(ids) is { } id)
                {
                    open.Add(Open(name, connections.Resolve(id), options, time));
                }
            }
            catch (JobException fault)
            {
                faults.Add(fault.Message);
            }
        }

        return faults.Count == 0 ? open : throw JobException.Usage(string.Join('\n', faults));
    }

    private static OpenChannel Open(string name, AirflowConnection connection, DispatchOptions options, TimeProvider time)
    {
        switch (name)
        {
            case "email":
                return OpenEmail(connection, options, time);
            case "slack":
                var slack = HttpSettings.FromSlack(connection);
                return new OpenChannel(name, new SlackChannel(Receiver(slack)), slack.Receiver);
            case "call":
                var call = HttpSettings.FromHttp(connection);
                return new OpenChannel(name, JsonChannel.Call(Receiver(call)), call.Receiver);
            default:
                var task = HttpSettings.FromHttp(connection);
                return new OpenChannel(name, JsonChannel.Task(Receiver(task)), task.Receiver);
        }

        HttpReceiver Receiver(HttpSettings settings) => new(settings, options.RequestTimeout, options.Concurrency, time);
    }

    /// <summary>By SMTP where the connection is of that type, else by webhook.</summary>
    private static OpenChannel OpenEmail(AirflowConnection connection, DispatchOptions options, TimeProvider time)
    {
        var extra = connection.ExtraFields;
        if (connection.Type == "smtp")
        {
            var smtp = SmtpSettings.From(connection);
            return new OpenChannel("email", new SmtpChannel(smtp, Unsubscribe(connection, extra), options.RequestTimeout, time), smtp.Receiver);
        }

        var settings = HttpSettings.FromHttp(connection, "from_email", "unsubscribe_url");
        var receiver = new HttpReceiver(settings, options.RequestTimeout, options.Concurrency, time);
        return new OpenChannel(
            "email", JsonChannel.Email(receiver, extra.GetValueOrDefault("from_email"), Unsubscribe(connection, extra)), settings.Receiver);
    }

    private static UnsubscribeLink? Unsubscribe(AirflowConnection connection, IReadOnlyDictionary<string, string> extra)
    {
        if (extra.GetValueOrDefault("unsubscribe_url") is not { } text)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == "https" && address.Fragment.Length == 0
            ? new UnsubscribeLink(address)
            : throw connection.Source.Fault("its extra unsubscribe_url must be an https address (RFC 8058)");
    }
}
