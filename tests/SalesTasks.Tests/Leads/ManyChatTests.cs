using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

public sealed class ManyChatTests : IClassFixture<TestDatabase>, IDisposable
{
    private const string AsList =
        """
        {"id": "1001", "first_name": "Ana", "last_name": "García", "email": "ana@chat.example", "phone": null, "whatsapp_phone": "+34600111222",
         "optin_email": true, "optin_phone": false, "locale": "es_MX", "timezone": "UTC+02", "subscribed": "2025-11-05T10:00:00+01:00",
         "last_interaction": "2026-01-02T03:04:05+00:00", "tags": [{"id": 1, "name": "vip"}, "new"],
         "custom_fields": [{"id": 5, "name": "budget", "value": 1200}, {"id": 6, "name": "city", "value": null}]}
        """;

    private const string AsMap =
        """{"id": 1002, "first_name": "Luis", "phone": "+51999888777", "optin_email": false, "custom_fields": {"budget": "low"}, "tags": []}""";

    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public ManyChatTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Theory]
    [InlineData("array", "auto")]
    [InlineData("wrapper", "manychat")]
    [InlineData("lines", "auto")]
    public async Task Subscribers_AnyShape_BecomeTheSameLeads(string shape, string format)
    {
        var (one, two) = (AsList.ReplaceLineEndings(" "), AsMap);
        var path = _runner.Write("subscribers.json", shape switch
        {
            "array" => $"[{AsList},\n{two}]",
            "wrapper" => $"{{\"status\": \"success\", \"data\": [{AsList}, {two}]}}",
            _ => $"{one}\n{two}\n",
        });
        await _database.ExecuteAsync("DELETE FROM leads");

        var outcome = (await _runner.ImportAsync(path, "--format", format)).ShouldExitWith(ExitCode.Done);

        Assert.Equal("rows 2, inserted 2", outcome.Counts);
        Assert.Equal(1, outcome.Result.GetProperty("details").GetProperty("formats").GetProperty("manychat").GetInt32());
        var leads = await _database.RowsAsync("SELECT * FROM leads ORDER BY ext_id");
        var ana = leads[0];
        Assert.Equal(("manychat:1001", "manychat", "Ana", "García"), (ana["ext_id"], ana["source"], ana["first_name"], ana["last_name"]));
        Assert.Equal(("ana@chat.example", "+34600111222", true, false), (ana["email"], ana["phone"], ana["consent_email"], ana["consent_phone"]));
        Assert.Equal(("es", "Etc/GMT-2"), (ana["language"], ana["time_zone"]));
        Assert.Equal(new DateTime(2025, 11, 5, 9, 0, 0, DateTimeKind.Utc), ana["created_at"]);
        Assert.Equal(
            """{"tags": ["vip", "new"], "custom_fields": {"budget": 1200}, "last_interaction": "2026-01-02T03:04:05+00:00"}""", ana["attributes"]);
        var luis = leads[1];
        Assert.Equal(("manychat:1002", "+51999888777", false, null), (luis["ext_id"], luis["phone"], luis["consent_email"], luis["consent_phone"]));
        Assert.Equal("""{"custom_fields": {"budget": "low"}}""", luis["attributes"]);
        Assert.Equal("rows 2, unchanged 2", (await _runner.ImportAsync(path, "--format", format)).Counts);
    }

    [Fact]
    public async Task Subscribers_OwnMapping_ReachesCustomFields()
    {
        var mapping = _runner.Write(
            "m.yaml",
            """
            columns:
              ext_id: { value: "mc-{id}" }
              source: { value: chat }
              estimated_value: custom_fields.budget
              region: custom_fields.city
            attributes: none
            """);
        var path = _runner.Write("s.json", $"[{AsList}]");

        Assert.Equal("rows 1, inserted 1", (await _runner.ImportAsync(path, "--mapping-file", mapping)).Counts);

        var lead = Assert.Single(await _database.RowsAsync("SELECT * FROM leads WHERE ext_id = 'mc-1001'"));
        Assert.Equal((1200m, null, null), (lead["estimated_value"], lead["region"], lead["attributes"]));
    }

    [Fact]
    public async Task Subscribers_WithoutId_AreRejected()
    {
        var path = _runner.Write("s.jsonl", "{\"first_name\": \"Nobody\", \"optin_email\": true}\n");

        Assert.Equal("rows 1, rejected 1", (await _runner.ImportAsync(path, "--format", "manychat")).Counts);
    }
}
