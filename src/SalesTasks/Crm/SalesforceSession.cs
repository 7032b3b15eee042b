using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SalesTasks.Airflow;
using SalesTasks.Delivery;

namespace SalesTasks.Crm;

/// <summary>What a connection of type salesforce says.</summary>
/// <param name="ConnectionId">For messages.</param>
/// <param name="Login">Where to sign in: My Domain.</param>
/// <param name="Grant">The form that signs in.</param>
/// <param name="Version">Of the API, such as 60.0.</param>
/// <param name="AllowHttp">A test service without TLS is allowed.</param>
/// <param name="OrgLimitPercent">Share of the organisation's daily calls, all its programs together, after which ours stop.</param>
internal sealed partial record SalesforceSettings(
    string ConnectionId, Uri Login, IReadOnlyDictionary<string, string> Grant, string Version, bool AllowHttp, int OrgLimitPercent)
{
    private const int StandardPercent = 95;
    private const string StandardVersion = "60.0";

    private static readonly string[] s_extras =
        ["domain", "client_id", "client_secret", "security_token", "version", "org_limit_percent", "burst_limit", "daily_limit"];

    /// <summary>
    /// Host: My Domain (<c>acme.my.salesforce.com</c>), or the extra <c>domain</c> before <c>.salesforce.com</c>. Extras <c>client_id</c> and
    /// <c>client_secret</c>; with login and password (and the extra <c>security_token</c>) that person's grant, else the client's own.
    /// </summary>
    /// <exception cref="JobException">64.</exception>
    public static SalesforceSettings From(AirflowConnection connection)
    {
        if (connection.Type is not "salesforce")
        {
            throw connection.Source.Fault($"its type is {ConnectionSource.Shown(connection.Type)}; allowed: salesforce");
        }

        // Airflow's form keeps every field that was left blank.
        var extra = connection.ExtraFields.Where(e => !string.IsNullOrWhiteSpace(e.Value))
            .ToDictionary(e => e.Key.Replace("extra__salesforce__", "", StringComparison.Ordinal), e => e.Value.Trim(), StringComparer.Ordinal);
        var domain = extra.GetValueOrDefault("domain") is { } named ? $"https://{named}.salesforce.com" : null;
        var host = string.IsNullOrEmpty(connection.Host)
            ? domain ?? throw connection.Source.Fault("it needs My Domain as host, such as acme.my.salesforce.com, or the extra domain")
            : connection.Host.Contains("://", StringComparison.Ordinal) ? connection.Host : $"https://{connection.Host}";
        var http = HttpSettings.FromHttp(
            connection with
            {
                Type = "http",
                Host = host,
                Login = null,
                Password = null,
                Extra = new JsonObject(extra.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value))).ToJsonString(),
            },
            s_extras);
        var version = extra.GetValueOrDefault("version", StandardVersion);
        if (!ApiVersion().IsMatch(version) || int.Parse(version.Split('.')[0], CultureInfo.InvariantCulture) < 46)
        {
            throw connection.Source.Fault("its extra version must be a version of the API from 46.0, such as 60.0");
        }

        var percent = int.TryParse(extra.GetValueOrDefault("org_limit_percent"), NumberStyles.None, CultureInfo.InvariantCulture, out var share) ? share : StandardPercent;
        if (percent is < 1 or > 100 || (extra.ContainsKey("org_limit_percent") && share == 0))
        {
            throw connection.Source.Fault("its extra org_limit_percent must be a whole number from 1 to 100");
        }

        return new SalesforceSettings(
            connection.Id, http.Address, GrantOf(connection, extra), version, ReceiverSettings.Flag(connection, extra, "allow_http"), percent);
    }

    /// <summary>Extras that are no secret would be shown by the generated text as well.</summary>
    public override string ToString() => $"salesforce connection {ConnectionId}";

    private static Dictionary<string, string> GrantOf(AirflowConnection connection, Dictionary<string, string> extra)
    {
        if (extra.GetValueOrDefault("client_id") is not { } client || extra.GetValueOrDefault("client_secret") is not { } secret)
        {
            throw connection.Source.Fault("it needs the extras client_id and client_secret: the consumer key and secret of the app in Salesforce");
        }

        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = client,
            ["client_secret"] = secret,
        };
        if (!string.IsNullOrEmpty(connection.Login))
        {
            form["grant_type"] = "password";
            form["username"] = connection.Login;
            form["password"] = (connection.Password ?? throw connection.Source.Fault("it has a login and no password"))
                + extra.GetValueOrDefault("security_token");
        }

        return form;
    }

    [GeneratedRegex(@"^[1-9]\d{1,2}\.0\z")]
    private static partial Regex ApiVersion();
}

/// <summary>
/// Calls of a signed-in client: it signs in when it must, once more when a session is over, and stops where the organisation's calls of the
/// day run out.
/// </summary>
internal sealed partial class SalesforceSession(CrmHttp http, SalesforceSettings settings) : IDisposable
{
    private static readonly XNamespace s_envelope = "http://schemas.xmlsoap.org/soap/envelope/";
    private static readonly XNamespace s_partner = "urn:partner.soap.sforce.com";

    /// <summary>The day is any 24 hours: some calls are free again after this time.</summary>
    private static readonly TimeSpan s_dailyPause = TimeSpan.FromHours(1);

    private string? _token;
    private string _instance = "";

    /// <summary>The user as whom we act; known after the first call.</summary>
    public string UserId { get; private set; } = "";

    /// <summary>Before the resource: <c>/services/data/v60.0/</c>.</summary>
    public string Root { get; } = $"/services/data/v{settings.Version}/";

    /// <summary>A call; an answer that is not about the connection is the caller's.</summary>
    /// <exception cref="JobException">69 and 75.</exception>
    public async Task<CrmAnswer> SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken, bool repeatable = true)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (_token is null)
            {
                await SignInAsync(cancellationToken);
            }

            var request = new CrmRequest(method, new Uri(_instance + (path[0] == '/' ? path : Root + path)), Bearer) { Body = body, Repeatable = repeatable };
            var answer = await http.SendAsync(request, Limit, cancellationToken);
            if (answer.Status == 401 && attempt == 1)
            {
                _token = null;
                continue;
            }

            await MindUsageAsync(answer);
            return answer.Status switch
            {
                401 => throw JobException.Refused(
                    $"Salesforce does not accept the session of connection '{settings.ConnectionId}' right after it signed in (HTTP 401{Code(answer.Body)}); check the app's policies."),
                403 => throw JobException.Refused(
                    $"Salesforce does not allow connection '{settings.ConnectionId}' this call (HTTP 403{Code(answer.Body)}); check the permissions of the user it runs as (docs/crm.md)."),
                _ => answer,
            };
        }
    }

    /// <summary>Takes records out of the recycle bin for good, which Salesforce offers by SOAP alone: what it says of each, null where it is done.</summary>
    /// <exception cref="JobException">69 and 75.</exception>
    public async Task<IReadOnlyList<string?>> PurgeAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (_token is null)
            {
                await SignInAsync(cancellationToken);
            }

            var envelope = new XElement(
                s_envelope + "Envelope",
                new XElement(s_envelope + "Header", new XElement(s_partner + "SessionHeader", new XElement(s_partner + "sessionId", _token))),
                new XElement(s_envelope + "Body", new XElement(s_partner + "emptyRecycleBin", ids.Select(id => new XElement(s_partner + "ids", id)))));
            var answer = await http.SendAsync(
                new CrmRequest(HttpMethod.Post, new Uri($"{_instance}/services/Soap/u/{settings.Version}"), new Dictionary<string, string> { ["SOAPAction"] = "\"\"" })
                {
                    Text = (envelope.ToString(SaveOptions.DisableFormatting), "text/xml"),
                },
                Limit,
                cancellationToken);
            var results = answer is { Succeeded: true, Xml: { } xml } ? xml.Descendants(s_partner + "result").ToList() : [];
            if (results.Count == ids.Count)
            {
                return results.ConvertAll(r => r.Element(s_partner + "success")?.Value == "true"
                    ? null
                    : r.Descendants(s_partner + "statusCode").FirstOrDefault()?.Value ?? "no reason was told");
            }

            // SOAP has HTTP 500 for whatever it is; the word tells.
            switch (answer.FaultCode)
            {
                case "INVALID_SESSION_ID" when attempt == 1:
                    _token = null;
                    continue;
                case "SERVER_UNAVAILABLE" or "UNKNOWN_EXCEPTION" or "Server":
                    throw JobException.Temporary("Salesforce: its recycle bin is not to be had now; the next run goes on where this one ends.");
                case var code:
                    throw JobException.Refused($"Salesforce did not empty the recycle bin (HTTP {answer.Status}{(code is { Length: < 60 } && Word().IsMatch(code) ? ", " + code : "")}).");
            }
        }
    }

    public void Dispose() => http.Dispose();

    /// <summary>Salesforce's word for an error; its message may hold personal data.</summary>
    public static string Code(JsonNode? body)
    {
        var error = body is JsonArray { Count: > 0 } list ? list[0] : body;
        var word = error is JsonObject o ? (o["errorCode"] ?? o["error"]) as JsonValue : null;
        return word?.ToString() is { Length: > 0 and < 60 } code && Word().IsMatch(code) ? ", " + code : "";
    }

    private Dictionary<string, string> Bearer => new(StringComparer.Ordinal) { ["Authorization"] = "Bearer " + _token };

    private async Task SignInAsync(CancellationToken cancellationToken)
    {
        var form = string.Join('&', settings.Grant.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
        var answer = await http.SendAsync(
            new CrmRequest(HttpMethod.Post, new Uri($"{settings.Login.ToString().TrimEnd('/')}/services/oauth2/token"), new Dictionary<string, string>())
            {
                Text = (form, "application/x-www-form-urlencoded"),
            },
            Limit,
            cancellationToken);
        if (!answer.Succeeded)
        {
            throw JobException.Refused(
                $"Salesforce does not let connection '{settings.ConnectionId}' sign in (HTTP {answer.Status}{Code(answer.Body)}); "
                + "check its host, client_id and client_secret, and that the app allows the client credentials flow (docs/crm.md).");
        }

        if (answer.Body?["access_token"]?.ToString() is not { Length: > 0 } token
            || !Uri.TryCreate(answer.Body["instance_url"]?.ToString(), UriKind.Absolute, out var instance)
            || !(instance.Scheme == Uri.UriSchemeHttps || (settings.AllowHttp && instance.Scheme == Uri.UriSchemeHttp)))
        {
            throw JobException.Refused("Salesforce's answer to the sign-in has no session, or no https address to go on with.");
        }

        _token = token;
        _instance = instance.GetLeftPart(UriPartial.Authority);
        UserId = answer.Body["id"]?.ToString().Split('/')[^1] ?? "";
    }

    /// <summary>Leaves the rest of the organisation's calls to its other programs.</summary>
    private async Task MindUsageAsync(CrmAnswer answer)
    {
        if (Usage(answer) is var (used, of) && used * 100 >= of * settings.OrgLimitPercent)
        {
            await http.PauseAsync(s_dailyPause);
        }
    }

    private static CrmLimit? Limit(CrmAnswer answer)
    {
        if (answer.Status == 429)
        {
            return new CrmLimit(answer.RetryAfter ?? TimeSpan.FromSeconds(5), "HTTP 429: too many calls at once");
        }

        if (answer.FaultCode == "REQUEST_LIMIT_EXCEEDED")
        {
            return new CrmLimit(s_dailyPause, "REQUEST_LIMIT_EXCEEDED: the organisation's calls of the day are used up");
        }

        if (answer.Status != 403 || answer.Body is not JsonArray { Count: > 0 } errors || errors[0]?["errorCode"]?.ToString() != "REQUEST_LIMIT_EXCEEDED")
        {
            return null;
        }

        // The code is the same for the day's calls and for those at one time.
        var daily = Usage(answer) is var (used, of) ? used >= of : errors[0]!["message"]?.ToString().StartsWith("TotalRequests", StringComparison.Ordinal) is true;
        return daily
            ? new CrmLimit(answer.RetryAfter ?? s_dailyPause, "REQUEST_LIMIT_EXCEEDED: the organisation's calls of the day are used up")
            : new CrmLimit(answer.RetryAfter ?? TimeSpan.FromSeconds(2), "REQUEST_LIMIT_EXCEEDED: too many calls at once");
    }

    /// <summary>Of <c>api-usage=18/15000</c>.</summary>
    private static (long Used, long Of)? Usage(CrmAnswer answer) => answer.LimitInfo is { } info && ApiUsage().Match(info) is { Success: true } match
        ? (long.Parse(match.Groups["used"].ValueSpan, CultureInfo.InvariantCulture), long.Parse(match.Groups["of"].ValueSpan, CultureInfo.InvariantCulture))
        : null;

    [GeneratedRegex(@"\bapi-usage=(?<used>\d{1,15})/(?<of>\d{1,15})\b", RegexOptions.ExplicitCapture)]
    private static partial Regex ApiUsage();

    [GeneratedRegex("^[A-Za-z_]+$")]
    private static partial Regex Word();
}
