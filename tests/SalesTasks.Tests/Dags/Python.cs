using System.Text.Json;
using SalesTasks.Tests.Repository;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Dags;

/// <summary>The machine's <c>python3</c>, in which the DAG files are read and their shared module is tried.</summary>
internal static class Python
{
    /// <summary>Runs a script with arguments; what it prints on stdout is JSON.</summary>
    public static async Task<JsonElement> JsonAsync(string script, params IEnumerable<string> arguments)
    {
        var (exitCode, output, errors) = await RunAsync([script, .. arguments]);
        Assert.True(exitCode == 0, errors);
        return Json.Parse(output);
    }

    /// <summary>Where an Airflow that is imported puts its files; not the user's home.</summary>
    private static readonly string s_airflowHome = Path.Combine(Path.GetTempPath(), "sales-tasks-airflow-home");

    /// <summary>Runs <c>python3</c> without leaving compiled files in the checkout. Skips where there is none; a build server fails.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params IEnumerable<string> arguments)
    {
        if (!Checkout.Has("python3"))
        {
            Checkout.SkipOrFail("The DAGs were not checked: python3 is missing: apt-get install -y python3");
        }

        var (exitCode, output, errors) = await Checkout.RunAsync(
            "env", ["PYTHONDONTWRITEBYTECODE=1", $"AIRFLOW_HOME={s_airflowHome}", "python3", "-W", "ignore", .. arguments]);
        return (exitCode, output, errors);
    }
}
