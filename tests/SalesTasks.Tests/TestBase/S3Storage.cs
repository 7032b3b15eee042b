using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SalesTasks.Tests.TestBase;

/// <summary>The three calls of S3 that are used, for one bucket; lists have two keys a page.</summary>
internal sealed class S3Storage : IDisposable
{
    private const int Page = 2;

    private readonly HttpListener _listener = new();
    private readonly string _bucket;
    private readonly string _address;

    public S3Storage(string bucket)
    {
        _bucket = bucket;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            _address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(_address + "/");
        _listener.Start();
        _ = ServeAsync();
    }

    /// <summary>An Airflow connection of type aws to this storage.</summary>
    public string Connection => $$"""{"conn_type": "aws", "login": "key", "password": "secret", "extra": {"endpoint_url": "{{_address}}"} }""";

    /// <summary>Another one than 200 is the answer to everything.</summary>
    public int Status { get; set; } = 200;

    /// <summary>By key.</summary>
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>By key, of those that were put.</summary>
    public ConcurrentDictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Keys as they were put.</summary>
    public ConcurrentQueue<string> Order { get; } = new();

    /// <summary>Names of the headers of puts.</summary>
    public ConcurrentBag<string> Headers { get; } = [];

    public ConcurrentBag<string> Authorizations { get; } = [];

    public int Lists { get; private set; }

    public void Dispose() => ((IDisposable)_listener).Dispose();

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            Authorizations.Add(context.Request.Headers["Authorization"] ?? "");
            using var content = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(content);
            var (status, body) = Answer(context.Request, content.ToArray());
            context.Response.StatusCode = status;
            context.Response.ContentLength64 = body.Length;
            await context.Response.OutputStream.WriteAsync(body);
            context.Response.Close();
        }
    }

    private (int Status, byte[] Body) Answer(HttpListenerRequest request, byte[] content)
    {
        if (Status != 200)
        {
            return (Status, "<Error><Code>AccessDenied</Code></Error>"u8.ToArray());
        }

        var path = Uri.UnescapeDataString(request.Url!.AbsolutePath).TrimStart('/').Split('/', 2);
        if (path[0] != _bucket)
        {
            return (404, "<Error><Code>NoSuchBucket</Code></Error>"u8.ToArray());
        }

        var key = path.Length > 1 ? path[1] : "";
        if (request.HttpMethod == "PUT")
        {
            Objects[key] = content;
            Types[key] = request.ContentType ?? "";
            Order.Enqueue(key);
            Array.ForEach(request.Headers.AllKeys, name => Headers.Add(name!));
            return (200, []);
        }

        if (key.Length == 0)
        {
            Lists++;
            return (200, Encoding.UTF8.GetBytes(List(request.QueryString["prefix"] ?? "", request.QueryString["continuation-token"])));
        }

        return Objects.TryGetValue(key, out var found) ? (200, found) : (404, "<Error><Code>NoSuchKey</Code></Error>"u8.ToArray());
    }

    private string List(string prefix, string? after)
    {
        var keys = Objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && !key[prefix.Length..].Contains('/'))
            .Order(StringComparer.Ordinal).SkipWhile(key => after is not null && string.CompareOrdinal(key, after) <= 0).ToList();
        var page = keys.Take(Page).ToList();
        var contents = string.Concat(page.Select(key => $"<Contents><Key>{key}</Key><Size>1</Size></Contents>"));
        var more = keys.Count > Page ? $"<IsTruncated>true</IsTruncated><NextContinuationToken>{page[^1]}</NextContinuationToken>" : "<IsTruncated>false</IsTruncated>";
        return $"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{contents}{more}</ListBucketResult>""";
    }
}
