using System.Buffers;
using System.Text;
using System.Text.Json;

namespace SalesTasks.Airflow;

/// <summary>
/// Reads a connection URI as Airflow 2.6 – 2.11 does (Connection._parse_from_uri in airflow/models/connection.py). Two things differ, both
/// where Airflow reads nonsense without a word: a text without <c>type://</c> or a host lost because of a second <c>://</c> is refused, and
/// a type repeated as protocol (<c>http://http://host</c>), of which Airflow drops both, stays as protocol.
/// </summary>
internal static class AirflowUri
{
    private const string Mark = "://";
    private const string ExtraKey = "__extra__";

    /// <summary>Reads a whole URI, as the environment or a file has it.</summary>
    /// <exception cref="JobException">Names the connection and the fault, quotes nothing of the URI.</exception>
    public static AirflowConnection Parse(ConnectionSource source, string uri)
    {
        try
        {
            return Read(source, uri);
        }
        catch (FormatException fault)
        {
            throw source.Fault($"its URI cannot be read: {fault.Message}");
        }
    }

    private static AirflowConnection Read(ConnectionSource source, string uri)
    {
        var marks = uri.AsSpan().Count(Mark);
        if (marks > 2)
        {
            throw new FormatException("it holds :// more than twice; write %3A%2F%2F inside values");
        }

        var url = PythonUrl.Split(uri);
        var type = url.Scheme;
        if (type.Length == 0 || !uri.AsSpan().TrimStart().StartsWith(type + Mark, StringComparison.OrdinalIgnoreCase))
        {
            throw new FormatException("it does not begin with a type and ://, as in postgres:// (a type has letters, digits, + - .)");
        }

        var protocol = "";
        if (marks == 2)
        {
            url = SplitAfterType(uri);
            protocol = url.Scheme;
        }

        return new AirflowConnection(source, AirflowConnection.NormalizeType(type))
        {
            Host = ReadHost(protocol, url),
            Login = url.User is { } user ? PythonUrl.Unquote(user) : null,
            Password = url.Password is { Length: > 0 } password ? PythonUrl.Unquote(password) : null,
            Port = url.Port,
            Schema = url.Path.Length > 0 ? PythonUrl.Unquote(url.Path[1..]) : "",
            Extra = url.Query.Length > 0 ? ReadExtra(PythonUrl.ParseQuery(url.Query)) : null,
        };
    }

    /// <summary>What follows the type of a URI with two marks: usually <c>protocol://host</c>.</summary>
    private static PythonUrl SplitAfterType(string uri)
    {
        var rest = uri[(uri.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)..];
        var url = PythonUrl.Split(rest);
        var beforeMark = rest.AsSpan(0, rest.IndexOf(Mark, StringComparison.Ordinal));
        var hostIsLost = url.Scheme.Length == 0 && url.Path.Length > 0 && url.Path[0] != '/';
        return beforeMark.ContainsAny('@', ':') || hostIsLost
            ? throw new FormatException("its second :// does not directly follow a protocol; write %3A%2F%2F inside values")
            : url;
    }

    private static string ReadHost(string protocol, PythonUrl url)
    {
        var host = PythonUrl.Unquote(url.Host);
        if (host.Contains('/', StringComparison.Ordinal))
        {
            // A path, not a name: its case matters.
            host = PythonUrl.Unquote(url.HostInfo.Split(':', 2)[0]);
        }

        return host.Length > 0 && protocol.Length > 0 ? protocol + Mark + host : host;
    }

    private static string? ReadExtra(IReadOnlyDictionary<string, string> query)
    {
        if (query.TryGetValue(ExtraKey, out var raw))
        {
            return raw.Length > 0 ? raw : null;
        }

        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in query)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(json.WrittenSpan);
    }
}
