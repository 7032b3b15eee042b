using SalesTasks.Tests.TestBase;
using SalesTasks.Validation;

namespace SalesTasks.Tests.Validation;

/// <summary>The invariants of <c>validate</c>, for any test: what holds of a database whatever was done to it by the program.</summary>
internal static class Sound
{
    /// <summary>Fails the test, naming each finding, unless <c>validate</c> finds nothing in any row.</summary>
    public static async Task IsAsync(TestDatabase database, DateTimeOffset? asOf = null)
    {
        var findings = await FindAsync(database, asOf);
        Assert.True(findings.Count == 0, string.Join('\n', findings));
    }

    public static async Task<IReadOnlyList<Finding>> FindAsync(TestDatabase database, DateTimeOffset? asOf = null)
    {
        await using var sales = database.Open(asOf);
        var findings = await Validator.RunAsync(sales, everyRow: true, TestContext.Current.CancellationToken);
        return [.. findings.Where(finding => !finding.IsInformation)];
    }
}
