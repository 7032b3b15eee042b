using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Demo;

/// <summary>What a step of the demo did.</summary>
/// <param name="Name">The job's command, or what was prepared.</param>
/// <param name="Outcome">In words.</param>
/// <param name="Duration">From start to end, the program's start included.</param>
/// <param name="Counts">The job's result.</param>
internal sealed record DemoStep(string Name, string Outcome, TimeSpan Duration, IReadOnlyDictionary<string, long> Counts);

/// <summary>
/// Runs jobs as Airflow does: one process of this program a step, with the run's identity, parameters and connection in its environment.
/// The start of the program is part of the price, and of what is shown.
/// </summary>
/// <param name="databaseUrl">The demo's database.</param>
/// <param name="sinks">Where messages go.</param>
/// <param name="folder">Where jobs that write files write them.</param>
/// <param name="asOf">The instant jobs work at; null: the present.</param>
/// <param name="runId">Of all steps.</param>
/// <param name="time">Measures.</param>
internal sealed class DemoJobs(string databaseUrl, DemoSinks sinks, string folder, DateTimeOffset? asOf, string runId, TimeProvider time)
{
    /// <summary>Jobs that have this parameter write files into the folder it names.</summary>
    private const string OutputParameter = "output";

    private const string CrmDag = "sales_crm_sync";

    /// <summary>Leads, and deals, that go to the CRM: enough to show the sync, and quick.</summary>
    private const int CrmLeads = 1_000;

    /// <summary>Settings of ours that may stand in the environment and lead elsewhere, to a production database for one.</summary>
    private static readonly string[] s_foreign = ["SALES_", "AIRFLOW", "OTEL_"];

    /// <exception cref="JobException">The job failed: its exit code and its error.</exception>
    public async Task<DemoStep> RunAsync(DagDefinition dag, JobDefinition job, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        using var process = Start(dag, job);
        using var standardOutput = process.StandardOutput;
        using var standardError = process.StandardError;
        try
        {
            var output = standardOutput.ReadToEndAsync(cancellationToken);
            var log = standardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return Read(job, (ExitCode)process.ExitCode, await output, await log, time.GetElapsedTime(started));
        }
        catch (OperationCanceledException)
        {
            // The database goes with the demo: nothing of the job's is worth a tidy end.
            process.Kill();
            throw;
        }
    }

    /// <summary>Reads a result line into words: counts that are not zero.</summary>
    /// <exception cref="JobException">The job failed.</exception>
    internal static DemoStep Read(JobDefinition job, ExitCode exitCode, string output, string log, TimeSpan duration)
    {
        var line = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        if (line is null || !line.StartsWith('{'))
        {
            throw new JobException(
                exitCode is ExitCode.Done ? ExitCode.Defect : exitCode,
                $"{job.Name} ended with exit code {(int)exitCode} and no result. {log.Trim()}");
        }

        using var result = JsonDocument.Parse(line);
        if (exitCode is not (ExitCode.Done or ExitCode.NothingToDo))
        {
            var error = result.RootElement.TryGetProperty("error", out var told) ? told.GetString() : "no error was told";
            // The stack of a defect is in its log and nowhere else.
            throw new JobException(exitCode, exitCode is ExitCode.Defect ? $"{job.Name}: {error}\n{log.Trim()}" : $"{job.Name}: {error}");
        }

        var counts = result.RootElement.GetProperty("counts").EnumerateObject()
            .ToDictionary(count => count.Name, count => count.Value.GetInt64(), StringComparer.Ordinal);
        var outcome = string.Join(", ", counts.Where(count => count.Value != 0)
            .Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key.Replace('_', ' ')} {count.Value:N0}")));
        return new DemoStep(job.Name, outcome.Length > 0 ? outcome : "–", duration, counts);
    }

    private Process Start(DagDefinition dag, JobDefinition job)
    {
        // Started by "dotnet sales-tasks.dll", the process is dotnet and the program its first argument.
        var program = Environment.ProcessPath!;
        string[] prefix = Path.GetFileNameWithoutExtension(program) is "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        var start = new ProcessStartInfo(program, [.. prefix, .. dag.Arguments(job)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        var foreign = start.Environment.Keys.Where(name => s_foreign.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)));
        foreach (var name in foreign.ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["AIRFLOW_CONN_" + ConnectionIds.DefaultPostgres.ToUpperInvariant()] = databaseUrl;
        foreach (var (variable, value) in sinks.Environment)
        {
            start.Environment[variable] = value;
        }

        start.Environment["SALES_DAG_ID"] = dag.Id;
        start.Environment["SALES_TASK_ID"] = job.Name.Replace(' ', '_');
        start.Environment["SALES_RUN_ID"] = runId;
        var parameters = new JsonObject();
        if (asOf is { } instant)
        {
            parameters[CommonParameters.AsOf.Name] = instant.ToString("O");
        }

        foreach (var (name, value) in new (string, JsonNode)[] { (OutputParameter, folder), ("slack", true), ("email_recipients", "manager@sales.example") })
        {
            if (job.Parameters.Find(name) is not null)
            {
                parameters[name] = value;
            }
        }

        if (dag.Id is CrmDag)
        {
            parameters[CommonParameters.MaxLeadsPerRun.Name] = CrmLeads;
        }

        start.Environment["SALES_PARAMS"] = parameters.ToJsonString();

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }
}
