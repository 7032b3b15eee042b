using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

public sealed class S3ImportTests : IClassFixture<TestDatabase>, IDisposable
{
    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public S3ImportTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Fact]
    public async Task Prefix_ManyObjects_AreImportedPageByPage()
    {
        using var storage = new FakeStorage();
        for (var i = 0; i < 5; i++)
        {
            storage.Objects[$"in/day {i}.csv"] = Encoding.UTF8.GetBytes($"ext_id,source\ns3-{i},web\n");
        }

        storage.Objects["in/readme.md"] = "no data"u8.ToArray();
        storage.Objects["in/old/day.csv"] = "ext_id,source\ns3-old,web\n"u8.ToArray();

        var outcome = (await Connected(storage).ImportAsync("s3://leads/in/")).ShouldExitWith(ExitCode.Done);

        Assert.Equal((5, "rows 5, inserted 5"), (outcome["files"], outcome.Counts));
        Assert.True(storage.Lists > 1);
        Assert.All(storage.Authorizations, header => Assert.StartsWith("AWS4-HMAC-SHA256 Credential=key/", header));
    }

    [Fact]
    public async Task Key_ThatIsAnotherOnesPrefix_IsThatObjectAlone()
    {
        using var storage = new FakeStorage();
        storage.Objects["in/leads.csv"] = "ext_id,source\none-1,web\n"u8.ToArray();
        storage.Objects["in/leads.csv.gz"] = "not for us"u8.ToArray();

        var outcome = await Connected(storage).ImportAsync("s3://leads/in/leads.csv");

        Assert.Equal((1, "rows 1, inserted 1"), (outcome["files"], outcome.Counts));
    }

    [Fact]
    public async Task Rejects_WithoutAPath_GoToATemporaryFileAndWithOneToTheStorage()
    {
        using var storage = new FakeStorage();
        storage.Objects["in/a.csv"] = "ext_id,source\n,web\n"u8.ToArray();

        var local = await Connected(storage).ImportAsync("s3://leads/in/a.csv");
        var remote = await Connected(storage).ImportAsync("s3://leads/in/a.csv", "--reject-path", "s3://leads/rejects/");

        Assert.StartsWith(Path.GetTempPath(), local.RejectFile);
        File.Delete(local.RejectFile!);
        Assert.Equal("s3://leads/rejects/a.csv.rejects.csv", remote.RejectFile);
        Assert.Equal(
            "file,line,reason,record\ns3://leads/in/a.csv,2,ext_id is empty,\",web\"\n",
            Encoding.UTF8.GetString(storage.Objects["rejects/a.csv.rejects.csv"]));
    }

    [Fact]
    public async Task Bucket_Missing_IsRefusedForGood()
    {
        using var storage = new FakeStorage();

        var outcome = await Connected(storage).ImportAsync("s3://elsewhere/in/");

        Assert.Contains("the storage answers 404 NoSuchBucket", outcome.ShouldExitWith(ExitCode.Refused).Error);
    }

    [Fact]
    public async Task Storage_Unreachable_IsTemporary()
    {
        using var storage = new FakeStorage();
        Connected(storage);
        storage.Dispose();

        (await _runner.ImportAsync("s3://leads/in/")).ShouldExitWith(ExitCode.TemporaryFailure);
    }

    [Theory]
    [InlineData(null, "SALES_S3_CONN_ID is not set")]
    [InlineData("aws://key@/?region_name=eu-west-1", "one of login (access key) and password (secret key) without the other")]
    [InlineData("http://key:secret@storage", "its type is 'http'; allowed: aws")]
    [InlineData("aws://key:secret@/?endpoint_url=storage", "endpoint_url is not an http or https address")]
    public async Task Connection_Unusable_IsSaid(string? connection, string fault)
    {
        if (connection is not null)
        {
            _runner.With("SALES_S3_CONN_ID", "s3").With("AIRFLOW_CONN_S3", connection);
        }

        var outcome = await _runner.ImportAsync("s3://leads/in/");

        Assert.Contains(fault, outcome.ShouldExitWith(ExitCode.Usage).Error);
        Assert.DoesNotContain("secret@", outcome.Log, StringComparison.Ordinal);
    }

    private ImportRunner Connected(FakeStorage storage) => _runner.With("SALES_S3_CONN_ID", "s3").With(
        "AIRFLOW_CONN_S3", $$"""{"conn_type": "aws", "login": "key", "password": "secret", "extra": {"endpoint_url": "{{storage.Address}}"} }""");

    /// <summary>The three calls of S3 that are used, for the one bucket "leads", two keys a page.</summary>
    private sealed class FakeStorage : IDisposable
    {
        private readonly HttpListener _listener = new();

        public FakeStorage()
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Address = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
            }

            _listener.Prefixes.Add(Address + "/");
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address { get; }

        public ConcurrentDictionary<string, byte[]> Objects { get; } = new(StringComparer.Ordinal);

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
                var (status, body) = await AnswerAsync(context.Request);
                context.Response.StatusCode = status;
                context.Response.ContentLength64 = body.Length;
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
            }
        }

        private async Task<(int Status, byte[] Body)> AnswerAsync(HttpListenerRequest request)
        {
            var path = Uri.UnescapeDataString(request.Url!.AbsolutePath);
            if (!path.StartsWith("/leads", StringComparison.Ordinal))
            {
                return (404, "<Error><Code>NoSuchBucket</Code></Error>"u8.ToArray());
            }

            var key = path.Length > 7 ? path[7..] : "";
            if (request.HttpMethod == "PUT")
            {
                using var content = new MemoryStream();
                await request.InputStream.CopyToAsync(content);
                Objects[key] = content.ToArray();
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
            var page = keys.Take(2).ToList();
            var contents = string.Concat(page.Select(key => $"<Contents><Key>{key}</Key><Size>1</Size></Contents>"));
            var more = keys.Count > 2 ? $"<IsTruncated>true</IsTruncated><NextContinuationToken>{page[^1]}</NextContinuationToken>" : "<IsTruncated>false</IsTruncated>";
            return $"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{contents}{more}</ListBucketResult>""";
        }
    }
}
