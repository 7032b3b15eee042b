using System.ComponentModel;
using System.Diagnostics;

namespace SalesTasks.Database;

/// <summary>Runs another program in folder <c>/</c> with English messages. Arguments are passed as they are, without a shell.</summary>
internal static class ChildProcess
{
    /// <summary>What a program left.</summary>
    internal sealed record Result(int ExitCode, string Output, string Errors);

    /// <summary>Starts a program whose input is a pipe of ours and whose output nobody reads.</summary>
    public static Process Start(string file, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
            // Another user may have no right to look into ours.
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C";
        return Launch(start);
    }

    /// <summary>Runs a program to its end; a cancelled one is killed, and gone when this returns.</summary>
    public static Task<Result> RunAsync(string file, IEnumerable<string> arguments, string? input, CancellationToken cancellationToken) =>
        RunAsync(file, arguments, new Dictionary<string, string?>(), input, cancellationToken);

    /// <summary>The same with further environment variables, among them secrets, which have no place in arguments; null removes one.</summary>
    public static async Task<Result> RunAsync(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment, string? input, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Launch(start);
        // Streams that were read are not closed with the process.
        using var standardOutput = process.StandardOutput;
        using var standardError = process.StandardError;
        try
        {
            var output = standardOutput.ReadToEndAsync(cancellationToken);
            var errors = standardError.ReadToEndAsync(cancellationToken);
            await WriteInputAsync(process, input, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return new Result(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>A program that ends before it read its input has said why; its exit code and errors are the answer, not the broken pipe.</summary>
    private static async Task WriteInputAsync(Process process, string? input, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            await process.WaitForExitAsync(cancellationToken);
        }
    }

    private static Process Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw JobException.Refused($"Cannot run {start.FileName}: {missing.Message}", missing);
        }
    }
}
