using System.Diagnostics;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>
/// OpenTelemetry traces of a job and its database calls, exported when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set (the exporter reads the
/// standard <c>OTEL_*</c> variables itself). Without it none of this is loaded.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    private static readonly ActivitySource s_source = new("SalesTasks");

    private readonly TracerProvider _provider;
    private readonly Activity? _span;

    private Telemetry(RunIdentity run, string command)
    {
        _provider = Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(resource => resource.AddService("sales-tasks", serviceVersion: ProgramInfo.Version))
            .AddSource(s_source.Name)
            .AddNpgsql()
            .AddOtlpExporter()
            .Build();
        _span = s_source.StartActivity(command);
        _span?.SetTag("airflow.dag_id", run.DagId);
        _span?.SetTag("airflow.task_id", run.TaskId);
        _span?.SetTag("airflow.run_id", run.RunId);
        _span?.SetTag("airflow.try_number", run.TryNumber);
    }

    public static Telemetry? Start(CommandHost host, RunIdentity run, string command) =>
        string.IsNullOrWhiteSpace(host.Environment("OTEL_EXPORTER_OTLP_ENDPOINT")) ? null : new Telemetry(run, command);

    public void Complete(ResultLine line)
    {
        _span?.SetTag("sales.exit_code", (int)line.ExitCode);
        foreach (var (name, count) in line.Result?.Counts ?? new Dictionary<string, long>(StringComparer.Ordinal))
        {
            _span?.SetTag("sales." + name, count);
        }

        _span?.SetStatus(line.Error is null ? ActivityStatusCode.Ok : ActivityStatusCode.Error, line.Error);
    }

    public void Dispose()
    {
        _span?.Dispose();
        _provider.Dispose();
    }
}
