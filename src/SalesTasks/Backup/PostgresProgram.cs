using SalesTasks.Database;

namespace SalesTasks.Backup;

/// <summary>Runs pg_dump and pg_restore; what they say when they fail becomes an error of ours.</summary>
internal static class PostgresProgram
{
    /// <summary>
    /// PostgreSQL's own programs tell failures apart by text alone, in English here. What needs a person is recognised; everything else may pass.
    /// </summary>
    private static readonly string[] s_refusals =
        ["permission denied", "row-level security", "row security", "must be owner", "must be superuser", "server version mismatch", "unsupported version"];

    /// <summary>One line of errors is shown, as the others may quote rows.</summary>
    private const int LongestMessage = 300;

    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment, string folder, CancellationToken cancellationToken)
    {
        var result = await ChildProcess.RunAsync(program, arguments, environment, input: null, cancellationToken);
        if (result.ExitCode == 0)
        {
            return result.Output;
        }

        var name = Path.GetFileName(program);
        if (result.Errors.Contains("No space left on device", StringComparison.Ordinal) || result.Errors.Contains("Disk quota exceeded", StringComparison.Ordinal))
        {
            throw JobException.Temporary(FileFaults.Full(folder));
        }

        var line = result.Errors.Split('\n').FirstOrDefault(l => l.StartsWith(name + ": error: ", StringComparison.Ordinal)) ?? $"{name} ended with {result.ExitCode}";
        line = line.Length > LongestMessage ? line[..LongestMessage] + "…" : line;
        throw s_refusals.Any(refusal => line.Contains(refusal, StringComparison.Ordinal)) ? JobException.Refused(line) : JobException.Temporary(line);
    }
}
