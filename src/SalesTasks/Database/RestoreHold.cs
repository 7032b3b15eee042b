using System.Globalization;

namespace SalesTasks.Database;

/// <summary>
/// A copy of the database that came out of a backup sends nothing until a person releases it: what the original sent after the backup is not known
/// here, and a copy made for a drill must never write to customers at all.
/// </summary>
internal static class RestoreHold
{
    /// <exception cref="JobException">69: the copy is held; the message says how to release it.</exception>
    public static async Task RequireReleasedAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var holds = await connection.QueryStatementAsync(
            "database/restore_hold", [], row => (Backup: row.GetString(0), TakenAt: row.GetFieldValue<DateTimeOffset>(1)), cancellationToken);
        if (holds.Count > 0)
        {
            throw JobException.Refused(string.Create(
                CultureInfo.InvariantCulture,
                $"PostgreSQL {database.Place} was restored from the backup {holds[0].Backup} of {holds[0].TakenAt:yyyy-MM-dd HH:mm:ss}Z, and what was sent since is not known: "
                + $"nothing leaves it until \"sales-tasks backup release\""));
        }
    }
}
