using SalesTasks.Airflow;
using Serilog;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Display;

namespace SalesTasks.Cli;

/// <summary>Logs go to stderr: readable lines on a terminal, compact JSON with the run's identity otherwise.</summary>
internal static class Logging
{
    private const string TerminalTemplate = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";

    /// <summary>Adds a fault to <paramref name="faults"/> where <c>SALES_LOG_LEVEL</c> is none of Serilog's levels.</summary>
    public static Serilog.Core.Logger Create(CommandHost host, RunIdentity run, string command, List<string> faults)
    {
        ITextFormatter formatter = host.ErrorIsTerminal
            ? new MessageTemplateTextFormatter(TerminalTemplate)
            : new RenderedCompactJsonFormatter();
        return new LoggerConfiguration()
            .MinimumLevel.Is(Level(host, faults))
            .WriteTo.Sink(new WriterSink(host.Error, formatter))
            .Enrich.WithProperty("command", command)
            .Enrich.WithProperty("version", ProgramInfo.Version)
            .Enrich.WithProperty("dag_id", run.DagId)
            .Enrich.WithProperty("task_id", run.TaskId)
            .Enrich.WithProperty("run_id", run.RunId)
            .Enrich.WithProperty("map_index", run.MapIndex)
            .Enrich.WithProperty("try_number", run.TryNumber)
            .CreateLogger();
    }

    private static LogEventLevel Level(CommandHost host, List<string> faults)
    {
        var text = host.Environment("SALES_LOG_LEVEL")?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return LogEventLevel.Information;
        }

        // By name: Enum.Parse would also take numbers and lists.
        foreach (var level in Enum.GetValues<LogEventLevel>())
        {
            if (string.Equals(level.ToString(), text, StringComparison.OrdinalIgnoreCase))
            {
                return level;
            }
        }

        faults.Add($"SALES_LOG_LEVEL: {Quoted.Text(text)} is not allowed; allowed: {string.Join(", ", Enum.GetNames<LogEventLevel>())}");
        return LogEventLevel.Information;
    }

    /// <summary>One event, one write: lines of parallel work do not mix.</summary>
    private sealed class WriterSink(TextWriter writer, ITextFormatter formatter) : Serilog.Core.ILogEventSink
    {
        private readonly Lock _lock = new();

        public void Emit(LogEvent logEvent)
        {
            using var line = new StringWriter();
            formatter.Format(logEvent, line);
            lock (_lock)
            {
                writer.Write(line.ToString());
                writer.Flush();
            }
        }
    }
}
