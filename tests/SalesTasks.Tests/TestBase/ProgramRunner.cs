using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace SalesTasks.Tests.TestBase;

/// <summary>What a run of the program left.</summary>
/// <param name="ExitCode">128 + signal where a signal ended it: 137 killed, 143 terminated.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">Standard error: the logs.</param>
/// <param name="Duration">From start to exit.</param>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors, TimeSpan Duration)
{
    /// <summary>Whether kill −9 ended it.</summary>
    public bool Killed => ExitCode == 137;

    /// <summary>The result line: the last line of standard output, which must be JSON.</summary>
    public JsonElement Result
    {
        get
        {
            var lines = Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(lines.Length > 0, $"Nothing on standard output. {this}");
            using var document = JsonDocument.Parse(lines[^1]);
            return document.RootElement.Clone();
        }
    }

    /// <summary>Fails the test, showing the logs, unless the program ended with this code.</summary>
    public ProgramResult ShouldExitWith(ExitCode expected)
    {
        Assert.True(ExitCode == (int)expected, $"Expected exit code {(int)expected} ({expected}). {this}");
        return this;
    }

    public override string ToString() => $"Exit code {ExitCode} after {Duration}.\n--- stdout\n{Output}\n--- stderr\n{Errors}";
}

/// <summary>
/// Runs the real executable, as built beside the tests, in a process of its own. Settings of the surrounding environment (SALES_*,
/// AIRFLOW*, OTEL_*) do not reach it; only what is given here does.
/// </summary>
internal sealed class ProgramRunner
{
    private static readonly string[] Foreign = ["SALES_", "AIRFLOW", "OTEL_"];

    private readonly ImmutableDictionary<string, string> _environment;

    private ProgramRunner(ImmutableDictionary<string, string> environment) => _environment = environment;

    /// <summary>With no connection at all.</summary>
    public static ProgramRunner Bare { get; } = new(ImmutableDictionary<string, string>.Empty);

    /// <summary>With the database as connection <c>sales_postgres</c>.</summary>
    public static ProgramRunner For(TestDatabase database) => Bare.With("AIRFLOW_CONN_SALES_POSTGRES", database.AirflowUri);

    /// <summary>The same with one more environment variable.</summary>
    public ProgramRunner With(string name, string value) => new(_environment.SetItem(name, value));

    /// <summary>Runs to the end.</summary>
    public Task<ProgramResult> RunAsync(params string[] arguments) => Start(arguments).Completion;

    /// <summary>Starts a run that can be signalled.</summary>
    public RunningProgram Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "sales-tasks"), arguments);
        foreach (var name in start.Environment.Keys.Where(name => Foreign.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList())
        {
            start.Environment.Remove(name);
        }

        // The runtime that runs the tests also runs the program, wherever it is installed: <root>/shared/<framework>/<version>/.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        foreach (var (name, value) in _environment)
        {
            start.Environment[name] = value;
        }

        return RunningProgram.Start(start);
    }
}

/// <summary>A run under way. A run that hangs is killed after two minutes and fails the test.</summary>
internal sealed class RunningProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly long _started;
    private readonly StringBuilder _errors = new();
    private readonly List<(string Fragment, TaskCompletionSource Seen)> _waiting = [];
    private readonly Lock _gate = new();

    private RunningProgram(Process process, long started)
    {
        _process = process;
        _started = started;
        Completion = CompleteAsync();
    }

    /// <summary>Ends with the process, also a killed one.</summary>
    public Task<ProgramResult> Completion { get; }

    /// <summary>Starts any program; <see cref="ProgramRunner"/> starts ours.</summary>
    public static RunningProgram Start(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var started = TimeProvider.System.GetTimestamp();
        return new RunningProgram(Process.Start(start)!, started);
    }

    /// <summary>kill −9: nothing of the program runs any more. Harmless once it has ended.</summary>
    public void Kill() => _process.Kill();

    /// <summary>SIGTERM, as Airflow and container runtimes send it.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("/bin/sh", ["-c", "kill -TERM \"$0\"", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Returns when standard error has shown a line with this fragment; fails the test when the program ends without it.</summary>
    public async Task HasLoggedAsync(string fragment)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_errors.ToString().Contains(fragment, StringComparison.Ordinal))
            {
                return;
            }

            _waiting.Add((fragment, seen));
        }

        await Task.WhenAny(seen.Task, Completion);
        if (!seen.Task.IsCompleted)
        {
            Assert.Fail($"The program ended without logging '{fragment}'. {await Completion}");
        }
    }

    private async Task<ProgramResult> CompleteAsync()
    {
        // A limit on hanging, not a measure.
        using var limit = new CancellationTokenSource(Patience);
        // Streams that were read are not closed with the process.
        using var standardOutput = _process.StandardOutput;
        using var standardError = _process.StandardError;
        try
        {
            _process.StandardInput.Close();
            var output = standardOutput.ReadToEndAsync(limit.Token);
            await ReadErrorsAsync(standardError, limit.Token);
            await _process.WaitForExitAsync(limit.Token);
            return new ProgramResult(
                _process.ExitCode, await output, _errors.ToString(), TimeProvider.System.GetElapsedTime(_started));
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} hung. Its log:\n{_errors}");
            throw;
        }
        finally
        {
            if (_process.HasExited)
            {
                _process.Dispose();
            }
        }
    }

    private async Task ReadErrorsAsync(StreamReader standardError, CancellationToken cancellationToken)
    {
        while (await standardError.ReadLineAsync(cancellationToken) is { } line)
        {
            lock (_gate)
            {
                _errors.AppendLine(line);
                foreach (var (_, seen) in _waiting.Where(waiting => line.Contains(waiting.Fragment, StringComparison.Ordinal)))
                {
                    seen.TrySetResult();
                }
            }
        }
    }
}
