using CsCheck;
using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class AirflowUriTests
{
    private static readonly ConnectionSource Source = new("some_id", "a test");

    [Theory]
    [InlineData("postgresql://u:p@h:5432/db", "postgres", "h", "u", "p", 5432, "db", null)]
    [InlineData("POSTGRES://U:P@Db.X.COM/App", "postgres", "db.x.com", "U", "P", null, "App", null)]
    [InlineData("http://user:@host:80/d", "http", "host", "user", null, 80, "d", null)]
    [InlineData("x://:pw@h", "x", "h", "", "pw", null, "", null)]
    [InlineData("x://u:p%40ss%3Aw%2Frd%25@h/d", "x", "h", "u", "p@ss:w/rd%", null, "d", null)]
    [InlineData("x://u:p@ss@h/d", "x", "h", "u", "p@ss", null, "d", null)]
    [InlineData("x://u:p+w%2B@h", "x", "h", "u", "p+w+", null, "", null)]
    [InlineData("x://[::1]:5432/d", "x", "::1", null, null, 5432, "d", null)]
    [InlineData("x://%2Fvar%2FPG:5432/d", "x", "/var/PG", null, null, 5432, "d", null)]
    [InlineData("http://https://a.com:8443/v1", "http", "https://a.com", null, null, 8443, "v1", null)]
    [InlineData("x://h/?a=1&a=2&b&c=x+y", "x", "h", null, null, null, "", """{"a":"2","b":"","c":"x y"}""")]
    [InlineData("x://h/?__extra__=%7B%22a%22%3A1%7D&z=1", "x", "h", null, null, null, "", """{"a":1}""")]
    [InlineData("x://k8s://1.2.3.4:443?m=c", "x", "k8s://1.2.3.4", null, null, 443, "", """{"m":"c"}""")]
    // Beyond the table of the contract; each value is what Python's urllib gives for Airflow's algorithm.
    [InlineData("google-cloud-platform://h", "google_cloud_platform", "h", null, null, null, "", null)]
    [InlineData("x://", "x", "", null, null, null, "", null)]
    [InlineData("x://@/d", "x", "", "", null, null, "d", null)]
    [InlineData("x://h:/d", "x", "h", null, null, null, "d", null)]
    [InlineData("x://h:0/d", "x", "h", null, null, 0, "d", null)]
    [InlineData("x://h:00080/d", "x", "h", null, null, 80, "d", null)]
    [InlineData("x://h:65535/d/e", "x", "h", null, null, 65535, "d/e", null)]
    [InlineData("x://u:p:q@h", "x", "h", "u", "p:q", null, "", null)]
    [InlineData("x://h?a=b", "x", "h", null, null, null, "", """{"a":"b"}""")]
    [InlineData("x://h/d#a?b=c", "x", "h", null, null, null, "d", null)]
    [InlineData("x://h/d?a=b#c", "x", "h", null, null, null, "d", """{"a":"b"}""")]
    [InlineData("x://h/d?&&", "x", "h", null, null, null, "d", "{}")]
    [InlineData("x://h/d?", "x", "h", null, null, null, "d", null)]
    [InlineData("x://h/d?__extra__=", "x", "h", null, null, null, "d", null)]
    [InlineData("x://h/?a%3Db=c%26d=e", "x", "h", null, null, null, "", """{"a=b":"c\u0026d=e"}""")]
    [InlineData("  x://h\n/d\t", "x", "h", null, null, null, "d", null)]
    [InlineData("x://[FE80::1%25Eth0]:1/d", "x", "fe80::1%Eth0", null, null, 1, "d", null)]
    [InlineData("x://[v1.A:b]/d", "x", "v1.a:b", null, null, null, "d", null)]
    [InlineData("x://u:p[::1]w@h/d", "x", "h", "u", "p[::1]w", null, "d", null)]
    [InlineData("x://%C3%A9%E2%82:%FF@h/%zz%4", "x", "h", "é\uFFFD", "\uFFFD", null, "%zz%4", null)]
    [InlineData("x://%C3é%A9@h", "x", "h", "\uFFFDé\uFFFD", null, null, "", null)]
    [InlineData("x://%ed%a0%80%f0%9f%98%80@h", "x", "h", "\uFFFD\uFFFD\uFFFD😀", null, null, "", null)]
    [InlineData("aws:///?endpoint_url=http://l:1", "aws", "", null, null, null, "", """{"endpoint_url":"http://l:1"}""")]
    [InlineData("x://proto://u:p@h:1/d", "x", "proto://h", "u", "p", 1, "d", null)]
    [InlineData("x://proto:///d", "x", "", null, null, null, "d", null)]
    [InlineData("http://http%3A%2F%2FHost", "http", "http://Host", null, null, null, "", null)]
    [InlineData("HTTP://https://a.com/v1", "http", "https://a.com", null, null, null, "v1", null)]
    [InlineData("http://http://a.com/v1", "http", "http://a.com", null, null, null, "v1", null)]
    public void Parse_UriOfAirflow_GivesItsFields(
        string uri, string type, string? host, string? login, string? password, int? port, string? schema, string? extra)
    {
        var connection = AirflowUri.Parse(Source, uri);

        Assert.Equal((type, host, login, password, port, schema, extra), Fields(connection));
    }

    [Theory]
    [InlineData("x://u:p/w@h/d", "port")]
    [InlineData("x://h1:1,h2:2/d", "port")]
    [InlineData("aws://@/?endpoint_url=http://l:1", "second ://")]
    [InlineData("x://u:p@proto://h", "second ://")]
    [InlineData("x://h:65536", "port")]
    [InlineData("x://h:-1", "port")]
    [InlineData("x://h:٣", "port")]
    [InlineData("x://h:99999999999999999999", "port")]
    [InlineData("x://a://b://c", "more than twice")]
    [InlineData("x://u:p[w@h", "brackets")]
    [InlineData("x://u:p]w@h", "brackets")]
    [InlineData("x://[1.2.3.4]/d", "brackets")]
    [InlineData("x://[::1%25a%b]/d", "brackets")]
    [InlineData("x://[v.a]/d", "brackets")]
    [InlineData("x://a\uFF0Fb/d", "look-alike")]
    // Airflow would read these without a word, and without the host.
    [InlineData("", "begin with a type")]
    [InlineData("u:p@h/d", "begin with a type")]
    [InlineData("//u:p@h/d", "begin with a type")]
    [InlineData("my_type://h", "begin with a type")]
    [InlineData("1x://h", "begin with a type")]
    [InlineData("postgres:u:p@h/d", "begin with a type")]
    [InlineData("x://h/?u=http://l", "second ://")]
    [InlineData("x://pro_to://h", "second ://")]
    public void Parse_FaultyUri_NamesConnectionAndFault(string uri, string fault)
    {
        var exception = Assert.Throws<JobException>(() => AirflowUri.Parse(Source, uri));

        Assert.Equal(ExitCode.Usage, exception.ExitCode);
        Assert.StartsWith("Connection 'some_id' (a test): its URI cannot be read: ", exception.Message);
        Assert.Contains(fault, exception.Message);
    }

    /// <summary>Whatever the fields hold, Airflow's own way of writing a URI (everything percent-encoded) brings them back.</summary>
    [Fact]
    public void Parse_EncodedFields_ComeBackUnchanged()
    {
        var text = Gen.OneOf(Gen.String["%+@:/?#[]&=;,. aZ09_~\u00e9\u20ac\uFF0F"].Where(chars => chars.Length > 0), UnicodeText);
        var extras = Gen.Dictionary(text.Where(key => !string.Equals(key, "__extra__", StringComparison.Ordinal)), text)[1, 4];
        Gen.Select(text, text, text, Gen.Int[1, 65535], text, extras).Sample((login, password, host, port, schema, extra) =>
        {
            var query = string.Join('&', extra.Select(pair => $"{Encode(pair.Key)}={Encode(pair.Value)}"));

            var connection = AirflowUri.Parse(
                Source, $"some-type://{Encode(login)}:{Encode(password)}@{Encode(host)}:{port}/{Encode(schema)}?{query}");

            Assert.Equal("some_type", connection.Type);
            Assert.Equal(login, connection.Login);
            Assert.Equal(password, connection.Password);
            Assert.Equal(host, connection.Host, ignoreCase: !host.Contains('/', StringComparison.Ordinal));
            Assert.Equal(port, connection.Port);
            Assert.Equal(schema, connection.Schema);
            Assert.Equivalent(extra, connection.ExtraFields, strict: true);
        });
    }

    private static (string, string?, string?, string?, int?, string?, string?) Fields(AirflowConnection c) =>
        (c.Type, c.Host, c.Login, c.Password, c.Port, c.Schema, c.Extra);

    private static Gen<string> UnicodeText =>
        Gen.Int[1, 0x10FFFF].Where(code => code is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32).Array[1, 5].Select(string.Concat);

    private static string Encode(string text) => Uri.EscapeDataString(text);
}
