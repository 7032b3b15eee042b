using SalesTasks.Database;

namespace SalesTasks.Scoring;

internal static class ScoringRules
{
    /// <summary>The version in force.</summary>
    /// <exception cref="JobException">69 when none is active: the schema was tampered with.</exception>
    public static async Task<int> ActiveVersionAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ScalarStatementAsync<int?>("scoring/active_rules", [], cancellationToken)
            ?? throw JobException.Refused("No scoring rules are active; activate a version with: sales-tasks scoring rules edit --activate N");
    }
}
