using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Campaigns;

/// <summary>
/// The transactions of one run. A dry run does the same work in a single one, on temporary copies of what it would change, and rolls it back:
/// it sees what its own steps would have changed, reports it, leaves nothing, and holds nothing that a real run beside it needs.
/// </summary>
internal sealed class CampaignSession : IAsyncDisposable
{
    private static readonly string[] s_copies =
    [
        "campaigns/rehearse_executions", "campaigns/rehearse_executions_key", "campaigns/rehearse_messages", "campaigns/rehearse_messages_key",
        "campaigns/rehearse_events", "campaigns/rehearse_tasks",
    ];

    private readonly SalesDatabase _database;
    private NpgsqlConnection? _rehearsal;
    private NpgsqlTransaction? _rolledBack;

    private CampaignSession(SalesDatabase database) => _database = database;

    public static async Task<CampaignSession> OpenAsync(JobContext context, CancellationToken cancellationToken)
    {
        var session = new CampaignSession(context.Database);
        if (context.DryRun)
        {
            session._rehearsal = await context.Database.OpenAsync(cancellationToken);
            session._rolledBack = await session._rehearsal.BeginTransactionAsync(cancellationToken);
            if (context.Database.AsOf is { } asOf)
            {
                await session._rehearsal.ExecuteStatementAsync("database/set_as_of", [("as_of", asOf.ToString("O"))], cancellationToken);
            }

            foreach (var copy in s_copies)
            {
                await session._rehearsal.ExecuteStatementAsync(copy, [], cancellationToken);
            }
        }

        return session;
    }

    /// <summary>Runs the work in a transaction and commits it, unless this is a dry run; see <see cref="SalesDatabase"/>.</summary>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        _rehearsal is { } connection
            ? work(connection, cancellationToken)
            : _database.InTransactionAsync((opened, _, token) => work(opened, token), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_rolledBack is not null)
        {
            await _rolledBack.DisposeAsync();
        }

        if (_rehearsal is not null)
        {
            await _rehearsal.DisposeAsync();
        }
    }
}
