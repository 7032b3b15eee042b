using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Cli;

/// <summary>The process around a command, inside the test: environment, clock and streams of its own.</summary>
internal sealed class TestHost
{
    private readonly Dictionary<string, string> _environment = [];

    public TestHost(TestDatabase? database = null)
    {
        if (database is not null)
        {
            _environment["AIRFLOW_CONN_SALES_POSTGRES"] = database.AirflowUri;
        }
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 31, 6, 0, 0, TimeSpan.Zero));

    public TextWriter Out { get; init; } = new StringWriter();

    public StringWriter Error { get; } = new();

    public bool Terminal { get; init; }

    public string XComDirectory { get; init; } = "/nowhere/xcom";

    public string TerminationLog { get; init; } = "/nowhere/termination-log";

    public string Output => Out.ToString()!;

    public string Errors => Error.ToString();

    /// <summary>The one line on stdout, as JSON.</summary>
    public JsonElement Result => Json.Parse(Assert.Single(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)));

    /// <summary>The log events on stderr.</summary>
    public IReadOnlyList<JsonElement> Events => [.. Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Json.Parse)];

    public string Fault => Result.GetProperty("error").GetString()!;

    public TestHost With(string name, string value)
    {
        _environment[name] = value;
        return this;
    }

    public CommandHost Host() => new()
    {
        Environment = name => _environment.GetValueOrDefault(name),
        Time = Time,
        Out = Out,
        Error = Error,
        ErrorIsTerminal = Terminal,
        OutIsTerminal = Terminal,
        XComDirectory = XComDirectory,
        TerminationLog = TerminationLog,
    };

    /// <summary>Runs a command of the program.</summary>
    public Task<ExitCode> RunAsync(params string[] arguments) => Commands.Tree(Host()).RunAsync(arguments);

    /// <summary>Runs a job of the test's own.</summary>
    public Task<ExitCode> RunJobAsync(
        Func<JobContext, CancellationToken, Task<JobResult>> run, params (string Name, string Text)[] flags)
    {
        var job = new JobDefinition("probe", "A job of a test.", CommonParameters.With(sharded: true), run);
        return new JobRunner(Host(), job, job.Parameters).RunAsync(flags.ToDictionary(f => f.Name, f => f.Text), []);
    }
}
