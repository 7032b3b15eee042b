using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>The process around a command: environment, clock and streams. Tests put their own in.</summary>
internal sealed class CommandHost
{
    public required Func<string, string?> Environment { get; init; }

    public required TimeProvider Time { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>True where stderr is a terminal: readable log lines and progress instead of JSON.</summary>
    public bool ErrorIsTerminal { get; init; }

    public bool OutIsTerminal { get; init; }

    /// <summary>True where somebody can answer questions.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Where the KubernetesPodOperator's sidecar picks a result up; the directory exists only there.</summary>
    public string XComDirectory { get; init; } = "/airflow/xcom";

    /// <summary>Where Kubernetes picks the reason of a failure up; the file exists only there.</summary>
    public string TerminationLog { get; init; } = "/dev/termination-log";

    public static CommandHost ForProcess() => new()
    {
        Environment = System.Environment.GetEnvironmentVariable,
        Time = TimeProvider.System,
        Out = Console.Out,
        Error = Console.Error,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
        InIsTerminal = !Console.IsInputRedirected,
    };

    public ConnectionResolver Connections() => new(Environment);
}
