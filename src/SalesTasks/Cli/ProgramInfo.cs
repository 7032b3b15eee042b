using System.Reflection;

namespace SalesTasks.Cli;

internal static class ProgramInfo
{
    /// <summary>The program's version, such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(ProgramInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
