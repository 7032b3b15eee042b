using Npgsql;
using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class PostgresConnectionStringTests
{
    [Fact]
    public void From_FullUri_GivesAllSettings()
    {
        var settings = From(
            "postgres://sales%40x:p%40s%3Bs%27%22@db.example.com:5433/crm?connect_timeout=10&application_name=sales"
            + "&options=-csearch_path%3Dsales&sslmode=verify-full&channel_binding=require&sslpassword=k&gssencmode=prefer"
            + "&client_encoding=utf-8&keepalives_idle=60&cursor=dictcursor");

        Assert.Equal("db.example.com", settings.Host);
        Assert.Equal(5433, settings.Port);
        Assert.Equal("crm", settings.Database);
        Assert.Equal("sales@x", settings.Username);
        Assert.Equal("p@s;s'\"", settings.Password);
        Assert.Equal(10, settings.Timeout);
        Assert.Equal("sales", settings.ApplicationName);
        Assert.Equal("-csearch_path=sales", settings.Options);
        Assert.Equal(SslMode.VerifyFull, settings.SslMode);
        Assert.Equal(ChannelBinding.Require, settings.ChannelBinding);
        Assert.Equal("k", settings.SslPassword);
        Assert.Equal(GssEncryptionMode.Prefer, settings.GssEncryptionMode);
        Assert.Equal("p@s;s'\"", new NpgsqlConnectionStringBuilder(settings.ConnectionString).Password);
    }

    [Fact]
    public void From_LeastUri_HasLibpqsDefaults()
    {
        var settings = From("postgres://me@h");

        Assert.Equal(5432, settings.Port);
        Assert.Equal("me", settings.Username);
        Assert.Equal("me", settings.Database);
        Assert.Null(settings.Password);
        Assert.Equal(SslMode.Prefer, settings.SslMode);
        Assert.Equal(GssEncryptionMode.Disable, settings.GssEncryptionMode);
    }

    [Theory]
    [InlineData("postgres://u@%2Fvar%2Frun%2Fpostgresql/d", "/var/run/postgresql")]
    [InlineData("postgres://u@[::1]/d", "::1")]
    [InlineData("postgres://u@h1,h2/d", "h1,h2")]
    public void From_Host_IsTakenAsItIs(string uri, string host)
    {
        var settings = From(uri);

        Assert.Equal(host, settings.Host);
        using var opensNothing = NpgsqlDataSource.Create(settings);
    }

    [Theory]
    [InlineData("disable", SslMode.Disable)]
    [InlineData("allow", SslMode.Allow)]
    [InlineData("prefer", SslMode.Prefer)]
    [InlineData("require", SslMode.Require)]
    [InlineData("verify-ca", SslMode.VerifyCA)]
    [InlineData("verify-full", SslMode.VerifyFull)]
    public void From_SslMode_IsMapped(string value, SslMode mode)
    {
        Assert.Equal(mode, From($"postgres://u@h?sslmode={value}").SslMode);
    }

    [Theory]
    [InlineData("sslmode=require&", SslMode.VerifyCA)]
    [InlineData("sslmode=verify-full&", SslMode.VerifyFull)]
    [InlineData("", SslMode.Prefer)]
    public void From_RootCertificate_RequireVerifiesItAsLibpqDoes(string sslMode, SslMode expected)
    {
        var file = Path.GetTempFileName();
        try
        {
            var settings = From($"postgres://u@h?{sslMode}sslrootcert={Uri.EscapeDataString(file)}&sslcert={file}&sslkey={file}");

            Assert.Equal(expected, settings.SslMode);
            Assert.Equal((file, file, file), (settings.RootCertificate, settings.SslCertificate, settings.SslKey));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void From_SystemRoots_MeansVerifyFull()
    {
        var settings = From("postgres://u@h?sslrootcert=system");

        Assert.Equal(SslMode.VerifyFull, settings.SslMode);
        Assert.Null(settings.RootCertificate);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("-1", 0)]
    [InlineData("1024", 1024)]
    public void From_ConnectTimeout_IsInSeconds(string value, int expected)
    {
        Assert.Equal(expected, From($"postgres://u@h?connect_timeout={value}").Timeout);
    }

    [Theory]
    [InlineData("application_name=a&fallback_application_name=b", "a")]
    [InlineData("fallback_application_name=b&application_name=a", "a")]
    [InlineData("fallback_application_name=b", "b")]
    public void From_FallbackApplicationName_GivesWay(string query, string expected)
    {
        Assert.Equal(expected, From($"postgres://u@h?{query}").ApplicationName);
    }

    [Fact]
    public void From_JsonExtras_TypedValuesWork()
    {
        var settings = From("""
            {"conn_type": "postgres", "host": "h", "login": "u", "extra": {"connect_timeout": 7, "keepalives": 1, "iam": false}}
            """);

        Assert.Equal(7, settings.Timeout);
    }

    [Theory]
    [InlineData("any", null)]
    [InlineData("prefer-standby", null)]
    public void From_TargetSessionOfOneHost_AnyServerWillDo(string value, string? expected)
    {
        Assert.Equal(expected, From($"postgres://u@h?target_session_attrs={value}").TargetSessionAttributes);
    }

    [Fact]
    public void From_TargetSessionOfSeveralHosts_IsMapped()
    {
        Assert.Equal("read-write", From("postgres://u@h1,h2?target_session_attrs=read-write").TargetSessionAttributes);
    }

    [Theory]
    [InlineData("mysql://u@h", "type is 'mysql' but must be 'postgres'")]
    [InlineData("postgres://u@/d", "has no host")]
    [InlineData("postgres://https://h/d", "host must be without a protocol and without a port")]
    [InlineData("""{"conn_type": "postgres", "host": "h:5433"}""", "host must be without a protocol and without a port")]
    [InlineData("postgres://u@h:0/d", "port is 0; allowed: 1 to 65535")]
    [InlineData("postgres://u:a%00b@h/d", "NUL")]
    [InlineData("postgres://u@h?sslmode=requird", "'sslmode' is 'requird'; allowed: disable, allow, prefer, require, verify-ca, verify-")]
    [InlineData("postgres://u@h?sslmode=Require", "'sslmode' is 'Require'; allowed: disable")]
    [InlineData("postgres://u@h?sslmode=1", "'sslmode' is (not shown); allowed: disable")]
    [InlineData("postgres://u@h?ssl_mode=require", "extra 'ssl_mode' is not known; allowed: sslmode, sslrootcert, ")]
    [InlineData("postgres://u@h?passw0rd!=x", "extra (not shown) is not known; allowed: sslmode")]
    [InlineData("postgres://u@h?connect_timeout=soon", "'connect_timeout' must be a whole number of seconds up to 1024")]
    [InlineData("postgres://u@h?connect_timeout=1025", "'connect_timeout' must be a whole number of seconds up to 1024")]
    [InlineData("postgres://u@h?sslrootcert=%2Fabsent%2Froot.crt", "'sslrootcert' is not the path of a file")]
    [InlineData("postgres://u@h?sslrootcert=system&sslmode=require", "'sslrootcert' is 'system', which needs sslmode verify-full")]
    [InlineData("postgres://u@h?sslnegotiation=direct", "'sslnegotiation' is 'direct', which needs sslmode require")]
    [InlineData("postgres://u@h?client_encoding=LATIN1", "'client_encoding' must be UTF8")]
    [InlineData("postgres://u@h?target_session_attrs=primary", "'target_session_attrs' is 'primary', which needs several hosts")]
    [InlineData("postgres://u@h?target_session_attrs=best", "'target_session_attrs' is 'best'; allowed: any, read-write")]
    [InlineData("postgres://u@h?iam=true", "'iam' asks for an AWS token")]
    [InlineData("postgres://u@h?__extra__=oops", "its extra is not valid JSON")]
    public void From_UnusableConnection_NamesSettingAndWhatIsAllowed(string text, string fault)
    {
        var exception = Assert.Throws<JobException>(() => From(text));

        Assert.Equal(ExitCode.Usage, exception.ExitCode);
        Assert.StartsWith("Connection 'sales_postgres' (a test): ", exception.Message);
        Assert.Contains(fault, exception.Message);
    }

    private static NpgsqlConnectionStringBuilder From(string text) =>
        PostgresConnectionString.From(AirflowConnection.Parse(new ConnectionSource("sales_postgres", "a test"), text));
}
