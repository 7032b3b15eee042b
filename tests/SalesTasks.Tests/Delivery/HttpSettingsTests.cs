using SalesTasks.Airflow;
using SalesTasks.Delivery;

namespace SalesTasks.Tests.Delivery;

/// <summary>The address that people's ways of writing an Airflow connection give.</summary>
public sealed class HttpSettingsTests
{
    [Theory]
    [InlineData("http://https://a.example:8443/v1", "https://a.example:8443/v1")]
    [InlineData("http://a.example/https", "https://a.example/")]
    [InlineData("https://a.example", "https://a.example/")]
    [InlineData("""{"conn_type": "http", "host": "https://a.example/Hook/1?k=v"}""", "https://a.example/Hook/1?k=v")]
    [InlineData("""{"conn_type": "http", "host": "a.example", "schema": "https", "port": 8443, "extra": {"endpoint": "/send"} }""", "https://a.example:8443/send")]
    [InlineData("""{"conn_type": "http", "host": "https://a.example/api/", "extra": {"endpoint": "send"} }""", "https://a.example/api/send")]
    [InlineData("""{"conn_type": "http", "host": "10.0.0.7", "port": 80, "extra": {"allow_http": true} }""", "http://10.0.0.7/")]
    public void Http_Connection_GivesTheAddress(string connection, string address) =>
        Assert.Equal(address, HttpSettings.FromHttp(Parse(connection)).Address.AbsoluteUri);

    [Theory]
    [InlineData("""{"conn_type": "slackwebhook", "password": "T0/B0/X"}""", "https://hooks.slack.com/services/T0/B0/X")]
    [InlineData("""{"conn_type": "slackwebhook", "password": "/T0/B0/X", "host": "https://hooks.slack.com/services/"}""", "https://hooks.slack.com/services/T0/B0/X")]
    [InlineData("""{"conn_type": "slackwebhook", "password": "T0/B0/X", "host": "hooks.slack-gov.com/services"}""", "https://hooks.slack-gov.com/services/T0/B0/X")]
    [InlineData("""{"conn_type": "slackwebhook", "password": "https://hooks.slack.com/services/T0/B0/X"}""", "https://hooks.slack.com/services/T0/B0/X")]
    public void Slack_Connection_GivesTheAddress(string connection, string address)
    {
        var settings = HttpSettings.FromSlack(Parse(connection));

        Assert.Equal((address, 1), (settings.Address.AbsoluteUri, settings.Receiver.RatePerSecond));
    }

    [Theory]
    [InlineData("a@b.example", " A@B.example ")]
    public void AddressHash_Email_FoldsCaseAndBlanks(string one, string other) => Assert.Equal(AddressHash.Email(one), AddressHash.Email(other));

    [Fact]
    public void Backoff_Attempts_GrowAndStayWithinAnHour()
    {
        for (var attempt = 1; attempt < 100; attempt++)
        {
            var range = TimeSpan.FromSeconds(Math.Min(3600, 2 * Math.Pow(2, attempt - 1)));
            Assert.InRange(Backoff.After(attempt, null), TimeSpan.FromSeconds(0.5), range);
            Assert.InRange(Backoff.After(attempt, TimeSpan.FromSeconds(60)), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60) + range);
        }
    }

    private static AirflowConnection Parse(string text) => AirflowConnection.Parse(new ConnectionSource("c", "test"), text);
}
