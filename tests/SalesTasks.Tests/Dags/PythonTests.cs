using System.Text.RegularExpressions;
using SalesTasks.Tests.Repository;

namespace SalesTasks.Tests.Dags;

public sealed partial class PythonTests
{
    [Fact]
    public async Task UnitTests_OfTheSharedModule_Pass()
    {
        var (exitCode, output, errors) =
            await Python.RunAsync("-m", "unittest", "discover", "--start-directory", $"{Checkout.Root}/tests/dags", "--pattern", "test_*.py");

        Assert.True(exitCode == 0, output + errors);
        Assert.True(int.Parse(Count().Match(errors).Groups["count"].ValueSpan) >= 45, $"Some unit tests did not run:\n{errors}");
    }

    [GeneratedRegex(@"^Ran (?<count>\d+) tests", RegexOptions.Multiline | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Count();
}
