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
        using var storage = new S3Storage("leads");
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
        using var storage = new S3Storage("leads");
        storage.Objects["in/leads.csv"] = "ext_id,source\none-1,web\n"u8.ToArray();
        storage.Objects["in/leads.csv.gz"] = "not for us"u8.ToArray();

        var outcome = await Connected(storage).ImportAsync("s3://leads/in/leads.csv");

        Assert.Equal((1, "rows 1, inserted 1"), (outcome["files"], outcome.Counts));
    }

    [Fact]
    public async Task Rejects_WithoutAPath_GoToATemporaryFileAndWithOneToTheStorage()
    {
        using var storage = new S3Storage("leads");
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
        using var storage = new S3Storage("leads");

        var outcome = await Connected(storage).ImportAsync("s3://elsewhere/in/");

        Assert.Contains("the storage answers 404 NoSuchBucket", outcome.ShouldExitWith(ExitCode.Refused).Error);
    }

    [Fact]
    public async Task Storage_Unreachable_IsTemporary()
    {
        using var storage = new S3Storage("leads");
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

    private ImportRunner Connected(S3Storage storage) => _runner.With("SALES_S3_CONN_ID", "s3").With("AIRFLOW_CONN_S3", storage.Connection);
}
