using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using SalesTasks.Airflow;

namespace SalesTasks.Delivery;

/// <summary>What the connection of a channel says, checked before anything is claimed.</summary>
internal sealed record ReceiverSettings
{
    /// <summary>The Airflow connection id, under which dispatchers share what they know of the receiver.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>True where the receiver ignores a message whose <c>Idempotency-Key</c> it has seen (extra <c>idempotent</c>).</summary>
    public bool Idempotent { get; init; }

    /// <summary>Messages a second over all dispatchers (extra <c>rate_per_second</c>); null: no limit.</summary>
    public double? RatePerSecond { get; init; }

    /// <summary>Reads the extras that every channel knows.</summary>
    /// <param name="connection">The Airflow connection.</param>
    /// <param name="known">Further extras of the channel; any other is a fault.</param>
    /// <param name="defaultRate">Where the connection does not say one.</param>
    /// <exception cref="JobException">64: an extra is unknown or not readable.</exception>
    public static ReceiverSettings From(AirflowConnection connection, IReadOnlyList<string> known, double? defaultRate = null)
    {
        var extra = connection.ExtraFields;
        string[] allowed = ["idempotent", "rate_per_second", .. known];
        if (extra.Keys.FirstOrDefault(key => !allowed.Contains(key, StringComparer.Ordinal)) is { } unknown)
        {
            throw connection.Source.Fault(
                $"its extra {ConnectionSource.Shown(unknown)} is not known here; allowed: {string.Join(", ", allowed)}");
        }

        return new ReceiverSettings
        {
            ConnectionId = connection.Id,
            Idempotent = Flag(connection, extra, "idempotent"),
            RatePerSecond = Rate(connection, extra) ?? defaultRate,
        };
    }

    /// <summary>A yes-or-no extra; left out: no.</summary>
    public static bool Flag(AirflowConnection connection, IReadOnlyDictionary<string, string> extra, string name) =>
        extra.GetValueOrDefault(name)?.Trim().ToLowerInvariant() switch
        {
            null or "" or "false" or "0" => false,
            "true" or "1" => true,
            _ => throw connection.Source.Fault($"its extra {name} must be true or false"),
        };

    private static double? Rate(AirflowConnection connection, IReadOnlyDictionary<string, string> extra)
    {
        if (extra.GetValueOrDefault("rate_per_second") is not { } text)
        {
            return null;
        }

        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate is >= 0.001 and <= 100_000
            ? rate
            : throw connection.Source.Fault("its extra rate_per_second must be a number from 0.001 to 100000");
    }
}

/// <summary>Where and how a message is posted.</summary>
/// <param name="Receiver">What every channel knows.</param>
/// <param name="Address">The whole address; it may hold a secret (Slack), so it is never shown.</param>
/// <param name="Headers">Further request headers, the authorization among them.</param>
internal sealed record HttpSettings(ReceiverSettings Receiver, Uri Address, IReadOnlyDictionary<string, string> Headers)
{
    private const string SlackBase = "https://hooks.slack.com/services";

    /// <summary>Slack takes about one message a second from a webhook. https://docs.slack.dev/apis/web-api/rate-limits</summary>
    private const double SlackRate = 1;

    /// <summary>
    /// A connection of type http: the address is host (with or without <c>https://</c> and a path), port, schema (<c>https</c>, or a path)
    /// and the extra <c>endpoint</c>; a password alone is a bearer token, with a login it is basic authentication.
    /// </summary>
    /// <exception cref="JobException">64: of another type, without host, neither https nor allowed to be http, or a wrong extra.</exception>
    public static HttpSettings FromHttp(AirflowConnection connection, params string[] known)
    {
        if (connection.Type is not ("http" or "https"))
        {
            throw connection.Source.Fault($"its type is {ConnectionSource.Shown(connection.Type)}; allowed: http");
        }

        var receiver = ReceiverSettings.From(connection, ["allow_http", "endpoint", "headers", .. known]);
        var extra = connection.ExtraFields;
        var headers = ReadHeaders(connection, extra.GetValueOrDefault("headers"));
        if (connection.Password is { } secret)
        {
            headers["Authorization"] = string.IsNullOrEmpty(connection.Login)
                ? "Bearer " + secret
                : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{connection.Login}:{secret}"));
            if (!AuthenticationHeaderValue.TryParse(headers["Authorization"], out _))
            {
                throw connection.Source.Fault("its password cannot be sent as a header: it holds a line break or a character outside ASCII");
            }
        }

        return new HttpSettings(receiver, HttpAddress(connection, extra), headers);
    }

    /// <summary>
    /// A Slack incoming webhook: the password is the token (<c>T…/B…/…</c>) or the whole address; the host replaces Slack's own.
    /// </summary>
    /// <exception cref="JobException">64: of another type, without password, neither https nor allowed to be http, or a wrong extra.</exception>
    public static HttpSettings FromSlack(AirflowConnection connection)
    {
        if (connection.Type is not ("slackwebhook" or "http" or "https"))
        {
            throw connection.Source.Fault($"its type is {ConnectionSource.Shown(connection.Type)}; allowed: slackwebhook");
        }

        var receiver = ReceiverSettings.From(connection, ["allow_http"], SlackRate);
        var secret = connection.Password ?? throw connection.Source.Fault("its password is empty; it must be the webhook's token or address");
        var text = secret.Contains("://", StringComparison.Ordinal) ? secret : $"{SlackHost(connection)}/{secret.TrimStart('/')}";
        return new HttpSettings(receiver, Parse(connection, text), new Dictionary<string, string>());
    }

    private static string SlackHost(AirflowConnection connection)
    {
        if (string.IsNullOrEmpty(connection.Host))
        {
            return SlackBase;
        }

        var host = connection.Host.Contains("://", StringComparison.Ordinal) ? connection.Host : $"https://{connection.Host}";
        return WithPort(connection, host).TrimEnd('/');
    }

    private static Uri HttpAddress(AirflowConnection connection, IReadOnlyDictionary<string, string> extra)
    {
        if (string.IsNullOrEmpty(connection.Host))
        {
            throw connection.Source.Fault("it has no host");
        }

        var schema = connection.Schema ?? "";
        var protocol = connection.Type == "https" || schema == "https" ? "https" : "http";
        var text = connection.Host.Contains("://", StringComparison.Ordinal) ? connection.Host : $"{protocol}://{connection.Host}";
        text = WithPort(connection, text);
        foreach (var path in (string[])[schema is "http" or "https" ? "" : schema, extra.GetValueOrDefault("endpoint") ?? ""])
        {
            text = path.Length == 0 ? text : $"{text.TrimEnd('/')}/{path.TrimStart('/')}";
        }

        return Parse(connection, text);
    }

    private static string WithPort(AirflowConnection connection, string text)
    {
        if (connection.Port is not { } port)
        {
            return text;
        }

        var address = Parse(connection, text, checkProtocol: false);
        return new UriBuilder(address) { Port = port }.Uri.ToString();
    }

    private static Uri Parse(AirflowConnection connection, string text, bool checkProtocol = true)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.Host.Length == 0
            || address.UserInfo.Length > 0)
        {
            throw connection.Source.Fault("it does not give an http or https address");
        }

        return !checkProtocol || address.Scheme == "https" || ReceiverSettings.Flag(connection, connection.ExtraFields, "allow_http")
            ? address
            : throw connection.Source.Fault(
                "its address is http, which anybody on the way can read; use https, or set its extra allow_http to true for a receiver on your own network");
    }

    private static Dictionary<string, string> ReadHeaders(AirflowConnection connection, string? json)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (json is null)
        {
            return headers;
        }

        const string fault = "its extra headers must be a JSON object of texts";
        using var document = JsonText.Parse(json, _ => connection.Source.Fault(fault));
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw connection.Source.Fault(fault);
        }

        using var probe = new HttpRequestMessage();
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String || !probe.Headers.TryAddWithoutValidation(member.Name, member.Value.GetString()))
            {
                throw connection.Source.Fault($"{fault}; {ConnectionSource.Shown(member.Name)} is none, or no request header");
            }

            headers[member.Name] = member.Value.GetString()!;
        }

        return headers;
    }
}
