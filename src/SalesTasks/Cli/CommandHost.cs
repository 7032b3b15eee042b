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

    public static CommandHost ForProcess() => new()
    {
        Environment = System.Environment.GetEnvironmentVariable,
        Time = TimeProvider.System,
        Out = Console.Out,
        Error = Console.Error,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
    };

    public ConnectionResolver Connections() => new(Environment);
}
