using Npgsql;
using SalesTasks.Database;

namespace SalesTasks.Encryption;

/// <summary>Goes through a table page by page, each page a transaction that keeps encryption from being turned on or off meanwhile.</summary>
internal sealed class SweepPages(SalesDatabase database, Action<long> advance)
{
    /// <summary>Of a transaction: locks last a fraction of a second.</summary>
    public const long Rows = 5_000;

    /// <summary>Page after page; a page ends with the key it got to, null where there was nothing left.</summary>
    public async Task<long> RunAsync(
        Func<NpgsqlConnection, long, CancellationToken, Task<(long? Last, long Changed)>> page, CancellationToken cancellationToken)
    {
        var changed = 0L;
        for (long? after = 0; after is { } from;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var done = await InTransactionAsync((connection, token) => page(connection, from, token), cancellationToken);
            after = done.Last;
            changed += done.Changed;
            advance(done.Changed);
        }

        return changed;
    }

    public Task<T> InTransactionAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await connection.ExecuteStatementAsync("encryption/lock", [], token);
                return await work(connection, token);
            },
            cancellationToken);
}
