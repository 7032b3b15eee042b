using CsCheck;
using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

/// <summary>
/// Whatever stands in a variable or a file, reading it ends in a connection or in a JobException, and no piece of a secret (five characters
/// or more) is in anything that could be printed.
/// </summary>
public sealed class ConnectionSecrecyTests
{
    private const int Iterations = 20_000;
    private const int Piece = 5;

    private static readonly ConnectionSource Source = new("sales_postgres", "a test");

    private static readonly string[] Secrets = ["q7w8e9r1t2Pw", "l3g4n5u6s7Lo", "x1t2r3a4v5Ex"];

    private static readonly string[] Documents =
    [
        "postgres://l3g4n5u6s7Lo:q7w8e9r1t2Pw@h:5432/d?sslmode=require&sslpassword=x1t2r3a4v5Ex",
        "http://https://l3g4n5u6s7Lo:q7w8e9r1t2Pw@h:8443/d?__extra__=%7B%22token%22%3A%22x1t2r3a4v5Ex%22%7D",
        """{"conn_type": "postgres", "host": "h", "login": "l3g4n5u6s7Lo", "password": "q7w8e9r1t2Pw", "port": 5432,"""
            + """ "extra": {"sslpassword": "x1t2r3a4v5Ex"}}""",
        """{"conn_type": "http", "password": "q7w8e9r1t2Pw", "login": "l3g4n5u6s7Lo", "extra": "{\"a\": \"x1t2r3a4v5Ex\"}"}""",
        "other=http://h\nsales_postgres=postgres://l3g4n5u6s7Lo:q7w8e9r1t2Pw@h/d?a=x1t2r3a4v5Ex\n# end\n",
        """{"sales_postgres": {"conn_type": "postgres", "login": "l3g4n5u6s7Lo", "password": "q7w8e9r1t2Pw","""
            + """ "extra_dejson": {"a": ["x1t2r3a4v5Ex"]}}, "b": "x://h"}""",
        """
        base: &base
          login: l3g4n5u6s7Lo
          password: "q7w8e9r1t2Pw"
        sales_postgres:
          <<: *base
          conn_type: postgres
          host: h
          extra_dejson: {sslmode: require, sslpassword: x1t2r3a4v5Ex, list: [1, yes, ~]}
        """,
    ];

    private static readonly string[] Tokens =
    [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\n", "\r", "\t", " ", "- ", "? ", ": ", "#", "&a ", "*a", "<<: *a\n", "!!str ", "!!int ",
        "!<", "---\n", "...\n", "|\n", ">\n", "@", "`", "/", "=", "&", "%", "%00", "\\", "\\u", "\\ud800", "\0", "\u0085",
        "\ufeff", "é", "😀", "\ud800", "\uDC00", "null", "1", "://", "sales_postgres", "password",
        "extra", "extra_dejson", "host", "postgres", "[[[[", "%YAML 1.2\n",
    ];

    private static Gen<string> Noise => Gen.OneOf(Tokens).Array[0, 30].Select(string.Concat);

    private static Gen<string> Broken =>
        Gen.Select(Gen.OneOf(Documents), Gen.Select(Gen.Int[0, 3], Gen.Double[0, 1], Gen.Double[0, 1], Gen.OneOf(Tokens)).Array[1, 6])
            .Select((document, edits) => edits.Aggregate(document, Edit));

    [Fact]
    public void Variable_AnyText_IsReadOrRefusedWithoutItsSecrets()
    {
        Gen.OneOf(Noise, Broken).Sample(text => ReadOrRefuse(() => AirflowConnection.Parse(Source, text)), iter: Iterations);
    }

    [Fact]
    public void File_AnyText_IsReadOrRefusedWithoutItsSecrets()
    {
        Gen.Select(Gen.OneOf(".env", ".json", ".yaml"), Gen.OneOf(Noise, Broken))
            .Sample((extension, text) => ReadOrRefuse(() => ConnectionFile.FindIn(Source, extension, text)), iter: Iterations);
    }

    [Fact]
    public void Documents_Unbroken_AreRead()
    {
        // The seeds of the fuzz must reach past the parsers, or it would test refusals only.
        string?[] passwords =
        [
            .. Documents[..4].Select(text => AirflowConnection.Parse(Source, text).Password),
            ConnectionFile.FindIn(Source, ".env", Documents[4])?.Password,
            ConnectionFile.FindIn(Source, ".json", Documents[5])?.Password,
            ConnectionFile.FindIn(Source, ".yaml", Documents[6])?.Password,
        ];

        Assert.All(passwords, password => Assert.Equal("q7w8e9r1t2Pw", password));
    }

    /// <summary>Any other exception passes through and fails the test.</summary>
    private static void ReadOrRefuse(Func<AirflowConnection?> read)
    {
        try
        {
            if (read() is { } connection)
            {
                AssertNoSecret(connection.ToString());
                PostgresConnectionString.From(connection);
            }
        }
        catch (JobException exception)
        {
            Assert.Equal(ExitCode.Usage, exception.ExitCode);
            Assert.Null(exception.InnerException);
            AssertNoSecret(exception.ToString());
        }
    }

    private static void AssertNoSecret(string printed)
    {
        foreach (var secret in Secrets)
        {
            for (var start = 0; start + Piece <= secret.Length; start++)
            {
                Assert.DoesNotContain(secret.Substring(start, Piece), printed, StringComparison.Ordinal);
            }
        }
    }

    private static string Edit(string text, (int Kind, double Where, double HowMuch, string Token) edit)
    {
        var (kind, where, howMuch, token) = edit;
        var at = (int)(where * text.Length);
        var length = (int)(howMuch * Math.Min(25, text.Length - at));
        return kind switch
        {
            0 => text.Insert(at, token),
            1 => text.Remove(at, length),
            2 => text.Remove(at, length).Insert(at, token),
            _ => text.Insert((int)(howMuch * text.Length), text.Substring(at, length)),
        };
    }
}
