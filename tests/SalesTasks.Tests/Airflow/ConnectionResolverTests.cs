using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class ConnectionResolverTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("salestasks-connections-");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public void Resolve_InEnvironmentAndFile_TakesEnvironment()
    {
        var file = WriteFile("c.env", "sales_postgres=postgres://from-file");

        var connection = Resolver(("AIRFLOW_CONN_SALES_POSTGRES", "  postgres://from-env \n"), ("SALES_CONNECTIONS_FILE", file))
            .Resolve("sales_postgres");

        Assert.Equal("from-env", connection.Host);
        Assert.Equal("sales_postgres", connection.Id);
        Assert.Equal("environment variable AIRFLOW_CONN_SALES_POSTGRES", connection.Source.Place);
    }

    [Fact]
    public void Resolve_JsonInEnvironment_IsRead()
    {
        var connection = Resolver(("AIRFLOW_CONN_MY.ID-2", """ {"conn_type": "http", "host": "h"} """)).Resolve("my.Id-2");

        Assert.Equal("http", connection.Type);
        Assert.Equal("h", connection.Host);
    }

    [Theory]
    [InlineData("c.env", "sales_postgres=postgres://from-file")]
    [InlineData("c.json", """{"sales_postgres": "postgres://from-file"}""")]
    [InlineData("C.YAML", "sales_postgres: {conn_type: postgres, host: from-file}")]
    public void Resolve_EmptyInEnvironment_TakesFile(string name, string text)
    {
        var file = WriteFile(name, text);

        var connection = Resolver(("AIRFLOW_CONN_SALES_POSTGRES", " "), ("SALES_CONNECTIONS_FILE", file)).Resolve("sales_postgres");

        Assert.Equal("from-file", connection.Host);
        Assert.Equal($"file {file}, named by SALES_CONNECTIONS_FILE", connection.Source.Place);
    }

    [Fact]
    public void Resolve_NowhereDefined_NamesIdBothPlacesAndRemedy()
    {
        var exception = Assert.Throws<JobException>(() => Resolver().Resolve("sales_crm"));

        Assert.Equal(ExitCode.Usage, exception.ExitCode);
        Assert.Equal(
            "Connection 'sales_crm' is not defined: the environment variable AIRFLOW_CONN_SALES_CRM is not set or empty, and "
            + "SALES_CONNECTIONS_FILE names no file. Set AIRFLOW_CONN_SALES_CRM to a URI "
            + "(type://login:password@host:port/schema, each part percent-encoded) or to JSON, "
            + "or define 'sales_crm' in a file (.env, .json, .yaml) and set SALES_CONNECTIONS_FILE to its path.",
            exception.Message);
    }

    [Fact]
    public void Resolve_NotInFile_NamesTheFile()
    {
        var file = WriteFile("c.env", "other=x://h");

        var exception = Assert.Throws<JobException>(() => Resolver(("SALES_CONNECTIONS_FILE", file)).Resolve("sales_crm"));

        Assert.Contains($"{file} (SALES_CONNECTIONS_FILE) does not define it", exception.Message);
    }

    [Fact]
    public void Resolve_FileMissing_SaysSo()
    {
        var file = Path.Combine(directory.FullName, "absent", "c.env");

        var exception = Assert.Throws<JobException>(() => Resolver(("SALES_CONNECTIONS_FILE", file)).Resolve("sales_crm"));

        Assert.Equal($"Connection 'sales_crm' (file {file}, named by SALES_CONNECTIONS_FILE): there is no such file.", exception.Message);
    }

    [Fact]
    public void Resolve_FileIsADirectory_SaysSo()
    {
        var path = Path.Combine(directory.FullName, "c.env");
        Directory.CreateDirectory(path);

        var exception = Assert.Throws<JobException>(() => Resolver(("SALES_CONNECTIONS_FILE", path)).Resolve("sales_crm"));

        Assert.Contains("the file cannot be opened (UnauthorizedAccessException)", exception.Message);
    }

    [Fact]
    public void Resolve_FaultyInEnvironment_DoesNotFallBackToFile()
    {
        var file = WriteFile("c.env", "sales_postgres=postgres://from-file");
        var resolver = Resolver(("AIRFLOW_CONN_SALES_POSTGRES", "postgres://u:pa/ss@h/d"), ("SALES_CONNECTIONS_FILE", file));

        var exception = Assert.Throws<JobException>(() => resolver.Resolve("sales_postgres"));

        Assert.StartsWith("Connection 'sales_postgres' (environment variable AIRFLOW_CONN_SALES_POSTGRES): its URI", exception.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("postgres://u:hunter2@h/d")]
    [InlineData("https://hooks.slack.com/services/hunter2")]
    [InlineData("my id hunter2")]
    [InlineData("hunter2\n")]
    public void Resolve_SomethingElseThanAnId_RefusesWithoutShowingIt(string id)
    {
        var exception = Assert.Throws<JobException>(() => Resolver().Resolve(id));

        Assert.Equal(ExitCode.Usage, exception.ExitCode);
        Assert.DoesNotContain("hunter2", exception.ToString());
    }

    [Fact]
    public void ConnectionIds_NothingSet_OnlyTheDatabaseHasOne()
    {
        var ids = new ConnectionIds(_ => " ");

        Assert.Equal("sales_postgres", ids.Postgres);
        Assert.All([ids.Email, ids.Slack, ids.Crm, ids.S3, ids.Calls, ids.Tasks, ids.Ml], Assert.Null);
    }

    [Fact]
    public void ConnectionIds_AllSet_EachReadsItsVariable()
    {
        var ids = new ConnectionIds(name => $" {name}! ");

        Assert.Equal(
            [
                "SALES_POSTGRES_CONN_ID!", "SALES_EMAIL_CONN_ID!", "SALES_SLACK_CONN_ID!", "SALES_CRM_CONN_ID!", "SALES_S3_CONN_ID!",
                "SALES_CALLS_CONN_ID!", "SALES_TASKS_CONN_ID!", "SALES_ML_CONN_ID!",
            ],
            [ids.Postgres, ids.Email, ids.Slack, ids.Crm, ids.S3, ids.Calls, ids.Tasks, ids.Ml]);
    }

    private static ConnectionResolver Resolver(params (string Name, string Value)[] variables) =>
        new(variables.ToDictionary(variable => variable.Name, variable => variable.Value).GetValueOrDefault);

    private string WriteFile(string name, string text)
    {
        var path = Path.Combine(directory.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
