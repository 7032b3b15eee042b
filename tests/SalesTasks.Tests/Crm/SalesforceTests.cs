using SalesTasks.Airflow;
using SalesTasks.Crm;
using SalesTasks.Demo.Crm;

namespace SalesTasks.Tests.Crm;

/// <summary>Connections of type salesforce, and queries.</summary>
public sealed class SalesforceTests
{
    private const string Keys = "\"client_id\": \"key\", \"client_secret\": \"hidden-secret\"";

    [Theory]
    [InlineData("acme.my.salesforce.com", "", "https://acme.my.salesforce.com/")]
    [InlineData(null, ", \"domain\": \"acme--dev.sandbox.my\"", "https://acme--dev.sandbox.my.salesforce.com/")]
    [InlineData(null, ", \"extra__salesforce__domain\": \"acme.my\", \"consumer_key\": \"\", \"proxies\": null", "https://acme.my.salesforce.com/")]
    public void From_HostOrDomain_IsWhereToSignIn(string? host, string extra, string address)
    {
        var settings = From(host, extra);

        Assert.Equal((address, "60.0", 95), (settings.Login.ToString(), settings.Version, settings.OrgLimitPercent));
        Assert.Equal("client_credentials", settings.Grant["grant_type"]);
        Assert.DoesNotContain("hidden-secret", settings.ToString());
    }

    [Fact]
    public void From_LoginAndPassword_IsThatPersonsGrant()
    {
        var settings = From("acme.my.salesforce.com", ", \"security_token\": \"token\"", "ana@acme.example", "word");

        Assert.Equal(("password", "ana@acme.example", "wordtoken"), (settings.Grant["grant_type"], settings.Grant["username"], settings.Grant["password"]));
    }

    [Theory]
    [InlineData(null, "", "My Domain")]
    [InlineData("http://acme.my.salesforce.com", "", "https")]
    [InlineData("acme.my.salesforce.com", ", \"version\": \"45.0\"", "version")]
    [InlineData("acme.my.salesforce.com", ", \"org_limit_percent\": \"0\"", "org_limit_percent")]
    [InlineData("acme.my.salesforce.com", ", \"org_limit_percent\": \"many\"", "org_limit_percent")]
    [InlineData("acme.my.salesforce.com", ", \"surprise\": \"1\"", "surprise")]
    [InlineData("acme.my.salesforce.com", ", \"burst_limit\": \"many\"", "burst_limit")]
    public void Open_WrongExtra_IsNamed(string? host, string extra, string named)
    {
        var fault = Assert.Throws<JobException>(() => Salesforce.Open(
            Connection(host, extra), CrmMapping.Load("salesforce", null), TimeProvider.System, _ => throw new InvalidOperationException("too late")));

        Assert.Equal(ExitCode.Usage, fault.ExitCode);
        Assert.Contains(named, fault.Message);
        Assert.DoesNotContain("hidden-secret", fault.Message);
    }

    [Fact]
    public void From_NoClient_IsAFault()
    {
        var connection = new AirflowConnection(new ConnectionSource("crm", "the test"), "salesforce") { Host = "acme.my.salesforce.com" };

        Assert.Contains("client_id", Assert.Throws<JobException>(() => SalesforceSettings.From(connection)).Message);
        Assert.Contains("allowed: salesforce", Assert.Throws<JobException>(() => SalesforceSettings.From(connection with { Type = "http" })).Message);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("O'Brien")]
    [InlineData(@"back\slash' OR Name != '")]
    [InlineData("line\nbreak")]
    public void Quote_AnyText_IsReadBackAsItself(string text)
    {
        var query = Soql.Parse($"SELECT Id FROM Contact WHERE LastName = {SalesforceQueries.Quote(text)}");

        Assert.True(query.Where(name => name == "LastName" ? text : null));
        Assert.False(query.Where(_ => "another"));
    }

    [Theory]
    [InlineData("SELECT Id FROM Contact WHERE")]
    [InlineData("SELECT Id FROM Contact WHERE Name = 'open")]
    [InlineData("SELECT Id FROM Contact; SELECT Id FROM User")]
    [InlineData("SELECT FROM Contact")]
    [InlineData("SELECT Id FROM Contact LIMIT x")]
    [InlineData("SELECT Id FROM Contact WHERE Name == 'a'")]
    public void Soql_NoQuery_IsRefused(string text) => Assert.Throws<SoqlException>(() => Soql.Parse(text));

    private static SalesforceSettings From(string? host, string extra, string? login = null, string? password = null) =>
        SalesforceSettings.From(Connection(host, extra) with { Login = login, Password = password });

    private static AirflowConnection Connection(string? host, string extra) =>
        new(new ConnectionSource("crm", "the test"), "salesforce") { Host = host, Extra = $"{{{Keys}{extra}}}" };
}
