using System.Globalization;
using SalesTasks.Airflow;
using SalesTasks.Database;

namespace SalesTasks.Crm;

/// <summary>What a CRM allows.</summary>
/// <param name="Calls">Calls within <paramref name="Seconds"/>.</param>
/// <param name="Seconds">The window.</param>
/// <param name="Daily">Calls a day (UTC).</param>
internal sealed record CrmQuota(int Calls, int Seconds, int Daily);

/// <summary>The limits that a connection may state.</summary>
internal static class CrmQuotas
{
    /// <summary>Extras <c>burst_limit</c> (calls/seconds, such as 190/10) and <c>daily_limit</c>.</summary>
    /// <exception cref="JobException">64.</exception>
    public static CrmQuota Read(AirflowConnection connection, CrmQuota standard)
    {
        var extra = connection.ExtraFields;
        if (extra.GetValueOrDefault("burst_limit") is { } burst)
        {
            standard = burst.Split('/') is [var calls, var seconds] && Number(calls, 1, 10_000) is { } c && Number(seconds, 1, 3600) is { } s
                ? standard with { Calls = c, Seconds = s }
                : throw connection.Source.Fault("its extra burst_limit must be calls/seconds, such as 190/10");
        }

        if (extra.GetValueOrDefault("daily_limit") is { } daily)
        {
            standard = standard with
            {
                Daily = Number(daily, 1, int.MaxValue) ?? throw connection.Source.Fault("its extra daily_limit must be a whole number from 1"),
            };
        }

        return standard;
    }

    private static int? Number(string text, int min, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number : null;
}

/// <summary>
/// The calls that all runs together may make, shared through the database. A call takes a slot and gives it back with its answer; a slot is
/// used again a window later, so that requests which are long on their way cannot add up to more than the CRM allows.
/// </summary>
/// <param name="database">Null: a dry run, which writes nothing and is not counted.</param>
/// <param name="connectionId">Runs over the same connection share.</param>
/// <param name="quota">What is allowed.</param>
/// <param name="timeout">After which a call whose run died holds its slot no more.</param>
/// <param name="time">Paces the waiting.</param>
internal sealed class CrmBudget(SalesDatabase? database, string connectionId, CrmQuota quota, TimeSpan timeout, TimeProvider time)
{
    /// <summary>A pause the CRM asks for is waited for within the run up to this length; a longer one ends the run, which goes on later.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private bool _open;

    /// <summary>Calls this run made.</summary>
    public int Calls { get; private set; }

    /// <summary>Waits for a slot.</summary>
    /// <exception cref="JobException">75: the day's calls are used up, or the CRM wants a long pause.</exception>
    public async Task<int> TakeAsync(CancellationToken cancellationToken)
    {
        Calls++;
        if (database is null)
        {
            return 0;
        }

        if (!_open)
        {
            await database.ExecuteAsync("crm/open_slots", [("connection", connectionId), ("slots", quota.Calls)], cancellationToken);
            _open = true;
        }

        while (true)
        {
            var (slot, wait) = await database.InTransactionAsync((connection, _, token) => TryTakeAsync(connection, token), cancellationToken);
            if (slot is { } taken)
            {
                return taken;
            }

            await Task.Delay(TimeSpan.FromSeconds(Math.Max(wait, 0.01)), time, cancellationToken);
        }
    }

    public Task GiveBackAsync(int slot) => database is null
        ? Task.CompletedTask
        : database.ExecuteAsync("crm/give_back_slot", [("connection", connectionId), ("slot", slot), ("window", (double)quota.Seconds)], CancellationToken.None);

    /// <summary>Keeps all runs from calling for a while.</summary>
    public Task PauseAsync(TimeSpan pause) => database is null
        ? Task.CompletedTask
        : database.ExecuteAsync("crm/pause_calls", [("connection", connectionId), ("seconds", pause.TotalSeconds)], CancellationToken.None);

    private async Task<(int? Slot, double Wait)> TryTakeAsync(Npgsql.NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var state = await connection.QueryStatementAsync(
            "crm/lock_quota", [("connection", connectionId)], row => (Paused: row.GetDouble(0), Used: row.GetInt32(1)), cancellationToken);
        if (state[0].Paused > MaxPause.TotalSeconds)
        {
            throw JobException.Temporary($"The CRM wants no calls for another {state[0].Paused:0} s; the next run goes on where this one ends.");
        }

        if (state[0].Paused > 0)
        {
            return (null, state[0].Paused);
        }

        if (state[0].Used >= quota.Daily)
        {
            throw JobException.Temporary(
                $"The day's {quota.Daily} calls to the CRM are used up (extra daily_limit of connection '{connectionId}'); the next run goes on where this one ends.");
        }

        var taken = await connection.QueryStatementAsync(
            "crm/take_slot",
            [("connection", connectionId), ("slots", quota.Calls), ("hold", timeout.TotalSeconds + quota.Seconds)],
            row => (Slot: row.IsDBNull(0) ? (int?)null : row.GetInt32(0), Wait: row.GetDouble(1)),
            cancellationToken);
        return taken[0];
    }
}
