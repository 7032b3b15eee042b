using System.Globalization;
using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Maintenance;

/// <summary>
/// Does pieces of work that wait for locks only briefly: whoever comes later waits behind them. One that stays locked, or needs the owner's
/// rights, is left for the next run.
/// </summary>
/// <param name="database">Each piece is a transaction of its own.</param>
/// <param name="wait">For a lock, and between two tries.</param>
/// <param name="time">Paces the tries.</param>
internal sealed class BriefLocks(SalesDatabase database, TimeSpan wait, TimeProvider time)
{
    private const int Tries = 3;

    /// <returns>What the work gave, or why it is left; <c>Left</c> null: it is done.</returns>
    public async Task<(T? Done, string? Left)> TryAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var milliseconds = ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var done = await database.InTransactionAsync(
                    async (connection, _, token) =>
                    {
                        await connection.ExecuteStatementAsync("maintenance/short_lock", [("lock_timeout_ms", milliseconds)], token);
                        return await work(connection, token);
                    },
                    cancellationToken);
                return (done, null);
            }
            catch (PostgresException locked) when (locked.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                if (attempt == Tries)
                {
                    return (default, "locked by others");
                }

                // Those who queued behind us go first.
                await Task.Delay(wait, time, cancellationToken);
            }
            catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                return (default, "only the schema's owner may");
            }
        }
    }
}
