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

    /// <exception cref="JobException">64 when <c>SALES_LOG_LEVEL</c> is none of Serilog's levels.</exception>
    public static Serilog.Core.Logger Create(CommandHost host, RunIdentity? run, string command)
    {
        ITextFormatter formatter = host.ErrorIsTerminal
            ? new MessageTemplateTextFormatter(TerminalTemplate)
            : new RenderedCompactJsonFormatter();
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(Level(host))
            .WriteTo.Sink(new WriterSink(host.Error, formatter))
            .Enrich.WithProperty("command", command)
            .Enrich.WithProperty("version", ProgramInfo.Version);
        if (run is not null)
        {
            configuration = configuration
                .Enrich.WithProperty("dag_id", run.DagId)
                .Enrich.WithProperty("task_id", run.TaskId)
                .Enrich.WithProperty("run_id", run.RunId)
                .Enrich.WithProperty("map_index", run.MapIndex)
                .Enrich.WithProperty("try_number", run.TryNumber);
        }

        return configuration.CreateLogger();
    }

    private static LogEventLevel Level(CommandHost host)
    {
        var text = host.Environment("SALES_LOG_LEVEL")?.Trim();
        if (string.IsNullOrEmpty(text))
        {
            return LogEventLevel.Information;
        }

        if (Enum.TryParse<LogEventLevel>(text, ignoreCase: true, out var level) && Enum.IsDefined(level))
        {
            return level;
        }

        throw JobException.Usage(
            $"SALES_LOG_LEVEL: '{text}' is not allowed; allowed: {string.Join(", ", Enum.GetNames<LogEventLevel>())}");
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
