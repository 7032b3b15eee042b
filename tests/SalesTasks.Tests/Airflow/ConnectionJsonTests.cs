using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class ConnectionJsonTests
{
    private static readonly ConnectionSource Source = new("some_id", "a test");

    [Fact]
    public void Parse_AllKeys_GivesItsFields()
    {
        var connection = AirflowConnection.Parse(Source, """
             {"conn_type": "postgresql", "description": "x", "host": "Db", "login": "U", "password": "p@:/é", "schema": "D", "port": 5433,
              "extra": {"sslmode": "require", "n": 5, "b": true, "none": null, "list": [1, "a"]}}
            """);

        Assert.Equal("some_id", connection.Id);
        Assert.Equal("postgres", connection.Type);
        Assert.Equal("Db", connection.Host);
        Assert.Equal("U", connection.Login);
        Assert.Equal("p@:/é", connection.Password);
        Assert.Equal("D", connection.Schema);
        Assert.Equal(5433, connection.Port);
        Assert.Equivalent(
            new Dictionary<string, string> { ["sslmode"] = "require", ["n"] = "5", ["b"] = "true", ["list"] = """[1, "a"]""" },
            connection.ExtraFields,
            strict: true);
    }

    [Fact]
    public void Parse_EmptyObject_HasNothing()
    {
        Assert.Equal(new AirflowConnection(Source, ""), AirflowConnection.Parse(Source, "{}"));
    }

    [Theory]
    [InlineData("""{"conn_type": "google-cloud-platform"}""", "google_cloud_platform")]
    [InlineData("""{"conn_type": "Postgres"}""", "Postgres")]
    [InlineData("""{"conn_type": null}""", "")]
    public void Parse_Type_IsNormalizedAsInAirflow(string json, string type)
    {
        Assert.Equal(type, AirflowConnection.Parse(Source, json).Type);
    }

    [Theory]
    [InlineData("5432", 5432)]
    [InlineData("\"5432\"", 5432)]
    [InlineData("\" 5432 \"", 5432)]
    [InlineData("\"\"", null)]
    [InlineData("null", null)]
    [InlineData("0", null)]
    public void Parse_Port_IsReadAsPythonsInt(string port, int? expected)
    {
        Assert.Equal(expected, AirflowConnection.Parse(Source, $$"""{"port": {{port}}}""").Port);
    }

    [Theory]
    [InlineData("null", null)]
    [InlineData("\"\"", null)]
    [InlineData("{\"a\": 1}", "{\"a\": 1}")]
    [InlineData("\"{\\\"a\\\": 1}\"", "{\"a\": 1}")]
    public void Parse_Extra_KeepsItsRawText(string extra, string? expected)
    {
        Assert.Equal(expected, AirflowConnection.Parse(Source, $$"""{"extra": {{extra}}}""").Extra);
    }

    [Fact]
    public void Parse_EmptyPassword_IsNone()
    {
        var connection = AirflowConnection.Parse(Source, """{"login": "", "password": ""}""");

        Assert.Equal("", connection.Login);
        Assert.Null(connection.Password);
    }

    [Theory]
    [InlineData("""{"hots": "h"}""", "'hots' is not allowed; allowed: conn_type, description, host, login, password, schema, port, extra")]
    [InlineData("""{"conn_id": "x"}""", "'conn_id' is not allowed")]
    [InlineData("""{"extra_dejson": {}}""", "'extra_dejson' is not allowed")]
    [InlineData("""{"h1 s3cret": 1}""", "key (not shown) is not allowed")]
    [InlineData("""{"host": "a", "host": "b"}""", "'host' is given twice")]
    [InlineData("""{"password": 12345}""", "password must be text")]
    [InlineData("""{"description": []}""", "description must be text")]
    [InlineData("""{"port": 65536}""", "port must be an integer from 0 to 65535")]
    [InlineData("""{"port": -1}""", "port must be")]
    [InlineData("""{"port": 5432.5}""", "port must be")]
    [InlineData("""{"port": "five"}""", "port must be")]
    [InlineData("""{"port": true}""", "port must be")]
    [InlineData("""{"extra": [1]}""", "extra must be a JSON object, or one as text")]
    [InlineData("""{"extra": 1}""", "extra must be")]
    [InlineData("{\"host\": \"h\",\n \"port\" 1}", "is not valid JSON (line 2, column 9)")]
    [InlineData("""{"host": "h"}}""", "is not valid JSON")]
    [InlineData("""{"host": "\ud800"}""", "one half of a surrogate pair")]
    [InlineData("{", "is not valid JSON")]
    public void Parse_FaultyJson_NamesConnectionAndFault(string json, string fault)
    {
        var exception = Assert.Throws<JobException>(() => AirflowConnection.Parse(Source, json));

        Assert.Equal(ExitCode.Usage, exception.ExitCode);
        Assert.StartsWith("Connection 'some_id' (a test): ", exception.Message);
        Assert.Contains(fault, exception.Message);
    }

    [Theory]
    [InlineData("not json", "extra is not valid JSON")]
    [InlineData("[1]", "extra is not a JSON object")]
    public void ExtraFields_ExtraIsNoObject_Refuses(string extra, string fault)
    {
        var connection = new AirflowConnection(Source, "http") { Extra = extra };

        Assert.Contains(fault, Assert.Throws<JobException>(() => connection.ExtraFields).Message);
    }

    [Fact]
    public void ToString_FullConnection_ShowsIdTypeAndPlaceOnly()
    {
        var connection = new AirflowConnection(Source, "slackwebhook")
        {
            Host = "https://hooks/secret1",
            Login = "secret2",
            Password = "secret3",
            Schema = "secret4",
            Extra = "secret5",
        };

        Assert.Equal("AirflowConnection { Id = some_id, Type = 'slackwebhook', Place = a test }", connection.ToString());
    }
}
