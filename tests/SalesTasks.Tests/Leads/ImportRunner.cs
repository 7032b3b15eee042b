using System.Text;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

/// <summary>What a command in this process gave back.</summary>
internal sealed record ImportOutcome(ExitCode ExitCode, string Output, string Log)
{
    public JsonElement Result
    {
        get
        {
            using var document = JsonDocument.Parse(Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
            return document.RootElement.Clone();
        }
    }

    public string Error => Result.GetProperty("error").GetString()!;

    public string? RejectFile =>
        Result.TryGetProperty("details", out var details) && details.TryGetProperty("reject_file", out var path) ? path.GetString() : null;

    public long this[string count] => Result.GetProperty("counts").GetProperty(count).GetInt64();

    /// <summary>The counts that are not zero, as <c>rows 2, inserted 2</c>; files are left out.</summary>
    public string Counts => string.Join(", ", Result.GetProperty("counts").EnumerateObject()
        .Where(count => count.Name != "files" && count.Value.GetInt64() != 0)
        .Select(count => $"{count.Name} {count.Value.GetInt64()}"));

    public ImportOutcome ShouldExitWith(ExitCode expected)
    {
        Assert.True(ExitCode == expected, $"Expected {expected}, got {ExitCode}.\n{Output}\n{Log}");
        return this;
    }
}

/// <summary>Runs commands of the program in this process against a test database, with a folder of its own for files.</summary>
internal sealed class ImportRunner(TestDatabase database) : IDisposable
{
    public const string AsOf = "2026-03-01T12:00:00Z";

    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal)
    {
        ["AIRFLOW_CONN_SALES_POSTGRES"] = database.AirflowUri,
    };

    public string Folder { get; } = Directory.CreateTempSubdirectory("sales-tasks-import-").FullName;

    public ImportRunner With(string name, string value)
    {
        _environment[name] = value;
        return this;
    }

    /// <summary>Writes a file into the folder and returns its path.</summary>
    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Imports a file as of <see cref="AsOf"/>, unless the arguments say otherwise.</summary>
    public Task<ImportOutcome> ImportAsync(string path, params string[] arguments) =>
        RunAsync(["leads", "import", "--path", path, .. arguments.Contains("--as-of") ? [] : new[] { "--as-of", AsOf }, .. arguments]);

    /// <summary>Imports this text as a CSV file.</summary>
    public Task<ImportOutcome> ImportTextAsync(string text, params string[] arguments) => ImportAsync(Write("leads.csv", text), arguments);

    public async Task<ImportOutcome> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var log = new StringWriter();
        var host = new CommandHost
        {
            Environment = name => _environment.GetValueOrDefault(name),
            Time = TimeProvider.System,
            Out = output,
            Error = TextWriter.Synchronized(log),
        };
        var exitCode = await Commands.Tree(host).RunAsync(arguments);
        return new ImportOutcome(exitCode, output.ToString(), log.ToString());
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
