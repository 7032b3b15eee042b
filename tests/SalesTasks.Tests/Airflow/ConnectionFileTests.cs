using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class ConnectionFileTests
{
    private static readonly ConnectionSource Source = new("sales_db", "a test");

    private static readonly AirflowConnection Expected = new(Source, "postgres")
    {
        Host = "h",
        Login = "u",
        Password = "p=w",
        Port = 5433,
        Schema = "d",
        Extra = """{"sslmode":"require"}""",
    };

    [Theory]
    [InlineData(".env", """
        # local development

          # indented comment
        other=http://x
        sales_db=postgres://u:p=w@h:5433/d?sslmode=require
        """)]
    [InlineData(
        ".env",
        """sales_db = {"conn_type": "postgres", "host": "h", "login": "u", "password": "p=w", "port": 5433, "schema": "d","""
        + """ "extra": {"sslmode":"require"}}""")]
    [InlineData(".json", """{"other": {"hots": 1}, "sales_db": "postgres://u:p=w@h:5433/d?sslmode=require"}""")]
    [InlineData(".json", """{"sales_db": ["postgres://u:p=w@h:5433/d?sslmode=require"]}""")]
    [InlineData(".json", """
        {"sales_db": {"conn_type": "postgresql", "host": "h", "login": "u", "password": "p=w", "port": "5433", "schema": "d",
         "extra_dejson": {"sslmode":"require"}}}
        """)]
    [InlineData(".yaml", """
        # local development
        other: http://x
        sales_db: postgres://u:p=w@h:5433/d?sslmode=require
        """)]
    [InlineData(".yml", """
        sales_db:
          conn_type: postgresql
          host: h
          login: 'u'
          password: p=w
          port: 5433
          schema: "d"
          extra: '{"sslmode":"require"}'
        """)]
    [InlineData(".yaml", """
        defaults: &server
          conn_type: postgres
          host: elsewhere
          port: "5433"
          extra_dejson: &tls {sslmode: require}
        sales_db:
          <<: *server
          host: h
          login: u
          password: p=w
          schema: d
          extra_dejson: *tls
        """)]
    public void FindIn_DefinedConnection_IsRead(string extension, string text)
    {
        Assert.Equal(Expected, ConnectionFile.FindIn(Source, extension, text));
    }

    [Theory]
    [InlineData(".env", "")]
    [InlineData(".env", "SALES_DB=x://h\r\nother=x://h")]
    [InlineData(".json", "{}")]
    [InlineData(".json", """{"other": "x://h", "sales_db": []}""")]
    [InlineData(".yaml", "other: x://h")]
    public void FindIn_NotDefined_GivesNull(string extension, string text)
    {
        Assert.Null(ConnectionFile.FindIn(Source, extension, text));
    }

    [Fact]
    public void FindIn_YamlScalars_AreTypedAsPyYamlDoes()
    {
        const string yaml = """
            sales_db:
              password: "<<"
              login: |-
                two
                lines
              host: ~
              extra_dejson: {a: yes, b: "yes", c: 1, d: 1.5, e: 0x10, f: null, g: "", h: , i: !!str 7, j: !!int "7",
                             k: [1, x], l: 007, 'm': é😀}
            """;

        var connection = ConnectionFile.FindIn(Source, ".yaml", yaml)!;

        Assert.Equal("<<", connection.Password);
        Assert.Equal("two\nlines", connection.Login);
        Assert.Null(connection.Host);
        Assert.Equivalent(
            new Dictionary<string, string>
            {
                ["a"] = "true",
                ["b"] = "yes",
                ["c"] = "1",
                ["d"] = "1.5",
                ["e"] = "0x10",
                ["g"] = "",
                ["i"] = "7",
                ["j"] = "7",
                ["k"] = """[1,"x"]""",
                ["l"] = "007",
                ["m"] = "é😀",
            },
            connection.ExtraFields,
            strict: true);
    }

    [Theory]
    [InlineData(".env", "x=a://h\n\nsales_db=a://h\nx=b://h", "lines 1 and 4 define the same connection")]
    [InlineData(".env", "sales_db", "line 1 is not of the form ID=URI")]
    [InlineData(".env", "a=x://h\nsales_db=", "line 2 is not of the form ID=URI")]
    [InlineData(".env", "=x://h", "line 1 is not of the form ID=URI")]
    [InlineData(".env", "sales_db=h", "its URI cannot be read")]
    [InlineData(".json", """{"x": "a://h", "x": "a://h"}""", "the file defines 'x' more than once")]
    [InlineData(".json", """{"sales_db": ["a://h", "a://h"]}""", "the file defines 'sales_db' more than once")]
    [InlineData(".json", "", "the file is not valid JSON (line 1, column 1)")]
    [InlineData(".json", "[]", "the file must be an object of connection ids")]
    [InlineData(".json", """{"sales_db": 5}""", "it must be a URI or an object of fields")]
    [InlineData(".json", """{"sales_db": null}""", "it must be a URI or an object of fields")]
    [InlineData(".json", """{"sales_db": {"extra": "{}", "extra_dejson": {}}}""", "'extra_dejson' is not allowed")]
    [InlineData(".json", """{"sales_db": {"extra_dejson": {}, "extra": "{}"}}""", "'extra' is not allowed")]
    [InlineData(".json", """{"sales_db": {"extra_dejson": "{}"}}""", "extra_dejson must be a JSON object")]
    [InlineData(".yaml", "", "the file must be an object of connection ids")]
    [InlineData(".yaml", "x: a://h\nx: a://h", "the file gives 'x' twice (line 2)")]
    [InlineData(".yaml", "sales_db:\n  password: 12345", "password must be text (in quotes)")]
    [InlineData(".yaml", "sales_db:\n  password: yes", "password must be text (in quotes)")]
    [InlineData(".yaml", "sales_db:\n  password: a: b", "the file is not valid YAML (line 2)")]
    [InlineData(".yaml", "a: &a [*a]", "uses an alias before its anchor is complete")]
    [InlineData(".yaml", "a: *b", "uses an alias before its anchor is complete")]
    [InlineData(".yaml", "a: {<<: 5}", "merges (<<) something that is not an object")]
    [InlineData(".yaml", "a: !!python/object x", "tag other than")]
    [InlineData(".yaml", "? [a]\n: b", "a key that is not plain text")]
    [InlineData(".yaml", "a: b\n---\nc: d", "holds more than one document")]
    [InlineData(".ini", "x", "must end in .env, .json, .yaml or .yml")]
    [InlineData("", "x", "must end in .env, .json, .yaml or .yml")]
    public void FindIn_FaultyFile_NamesConnectionPlaceAndFault(string extension, string text, string fault)
    {
        var exception = Assert.Throws<JobException>(() => ConnectionFile.FindIn(Source, extension, text));

        Assert.Equal(ExitCode.Usage, exception.ExitCode);
        Assert.StartsWith("Connection 'sales_db' (a test): ", exception.Message);
        Assert.Contains(fault, exception.Message);
    }

    [Fact]
    public void FindIn_YamlThatExplodes_IsRefused()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
            + string.Concat(Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        var deep = new string('[', 100_000);

        Assert.Contains("too deep or too large", Assert.Throws<JobException>(() => ConnectionFile.FindIn(Source, ".yaml", bomb)).Message);
        Assert.Contains("too deep or too large", Assert.Throws<JobException>(() => ConnectionFile.FindIn(Source, ".yaml", deep)).Message);
    }
}
