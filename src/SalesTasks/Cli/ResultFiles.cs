using System.Globalization;
using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>
/// The files a result goes to besides stdout: <c>SALES_RESULT_PATH</c>, and <c>return.json</c> in the directory where the
/// KubernetesPodOperator's sidecar picks results up (it exists only there). They are checked before any work: a result that cannot be
/// handed over is worth nothing to the caller.
/// </summary>
internal sealed class ResultFiles
{
    private const string Variable = "SALES_RESULT_PATH";

    private readonly List<(string Name, string Path)> _files = [];

    private ResultFiles()
    {
    }

    /// <summary>
    /// Finds the files and makes sure that they can be written; the faults of the others are added to <paramref name="faults"/>.
    /// </summary>
    public static ResultFiles Check(CommandHost host, List<string> faults)
    {
        var files = new ResultFiles();
        if (Directory.Exists(host.XComDirectory))
        {
            files.Add("XCom", Path.Combine(host.XComDirectory, "return.json"), faults);
        }

        if (host.Environment(Variable) is { } path && !string.IsNullOrWhiteSpace(path))
        {
            files.Add(Variable, path, faults);
        }

        return files;
    }

    /// <summary>Replaces the files as a whole, so that a reader never sees half a line.</summary>
    /// <exception cref="JobException">75: a file that could be written before cannot be now, such as on a full disk.</exception>
    public void Write(string line)
    {
        foreach (var (name, path) in _files)
        {
            try
            {
                Replace(path, line);
            }
            catch (Exception exception) when (IsRefusal(exception))
            {
                throw JobException.Temporary(
                    $"{name}: the work is done, but its result cannot be written to {Quoted.Text(path)} ({exception.GetType().Name})",
                    exception);
            }
        }
    }

    private void Add(string name, string path, List<string> faults)
    {
        try
        {
            // The target of a link is replaced, not the link.
            var link = Path.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true) : null;
            var target = link?.FullName ?? Path.GetFullPath(path);
            if (Fault(target) is not { } fault)
            {
                _files.Add((name, target));
                return;
            }

            Refuse(fault);
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            Refuse(exception.GetType().Name);
        }

        void Refuse(string why) => faults.Add(
            $"{name}: {Quoted.Text(path)} cannot be written ({why}); allowed: a file in a directory that exists and is writable");
    }

    private static string? Fault(string path)
    {
        if (Directory.Exists(path))
        {
            return "a directory";
        }

        // Replacing /dev/null or /dev/stdout as root would break the machine.
        if (((string[])["/dev/", "/proc/", "/sys/"]).Any(place => path.StartsWith(place, StringComparison.Ordinal)))
        {
            return "a device";
        }

        File.WriteAllText(Temporary(path), "");
        File.Delete(Temporary(path));
        return null;
    }

    private static void Replace(string path, string line)
    {
        var temporary = Temporary(path);
        File.WriteAllText(temporary, line);
        try
        {
            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException) when (File.Exists(path))
        {
            // A single file mounted into a container cannot be replaced, only written.
            File.WriteAllText(path, line);
            File.Delete(temporary);
        }
    }

    private static string Temporary(string path) => string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.tmp");

    private static bool IsRefusal(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;
}
