using SalesTasks.Database;

namespace SalesTasks.Tests.Repository;

/// <summary>The source tree these tests were built from, and the tools that work on it.</summary>
internal static class Checkout
{
    /// <summary>Where SalesTasks.sln lies, without a slash at the end.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of the .NET installation that runs the tests; it has the SDK, as it built them.</summary>
    public static string DotnetRoot { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));

    /// <summary>True on a build server, where a missing prerequisite is a failure.</summary>
    public static bool IsCi { get; } = string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Skips the running test for want of a prerequisite, but on a build server fails it.</summary>
    /// <param name="reason">What is missing and the command that brings it.</param>
    public static void SkipOrFail(string reason)
    {
        if (IsCi)
        {
            Assert.Fail(reason);
        }

        Assert.Skip(reason);
    }

    /// <summary>Runs a program found in PATH to its end, with its output.</summary>
    public static Task<ChildProcess.Result> RunAsync(string file, params IEnumerable<string> arguments) =>
        ChildProcess.RunAsync(file, arguments, input: null, TestContext.Current.CancellationToken);

    /// <summary>Whether PATH has this program.</summary>
    public static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "SalesTasks.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not inside a checkout of SalesTasks.");
    }
}
