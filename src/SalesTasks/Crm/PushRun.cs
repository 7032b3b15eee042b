using SalesTasks.Cli;

namespace SalesTasks.Crm;

/// <summary>What the parts of one push share: its session, its counts, and the token of the links it holds under a lease.</summary>
internal sealed class PushRun(CrmSession session)
{
    public CrmSession Session { get; } = session;

    public JobContext Context => Session.Context;

    public Guid Token { get; } = Guid.CreateVersion7(session.Context.Time.GetUtcNow());

    /// <summary>The counts of the result.</summary>
    public Dictionary<string, long> Counts { get; } = new(StringComparer.Ordinal)
    {
        ["leads_created"] = 0,
        ["leads_updated"] = 0,
        ["deals_created"] = 0,
        ["deals_updated"] = 0,
        ["deleted"] = 0,
        ["erased"] = 0,
        ["taken_over"] = 0,
        ["unchanged"] = 0,
        ["conflicts"] = 0,
        ["failed"] = 0,
        ["adopted"] = 0,
        ["gone"] = 0,
        ["unmapped"] = 0,
        ["write_calls"] = 0,
        ["calls"] = 0,
    };

    /// <summary>The name of a count that leads and deals have one each of.</summary>
    public static string Name(CrmObject kind, string what) => $"{CrmStore.Word(kind)}s_{what}";

    /// <summary>Records what became of links that this run holds: once a call is answered also where the run is asked to stop.</summary>
    public Task SaveAsync(IEnumerable<LinkChange> changes)
    {
        List<LinkChange> all = [.. changes];
        return Context.Database.InTransactionAsync(
            async (connection, _, token) =>
            {
                await Session.Store.LockAsync(connection, [.. all.Select(c => c.Id)], Token, token);
                await Session.Store.SaveAsync(connection, all, Token, token);
            },
            CancellationToken.None);
    }

    /// <summary>Lets go of links whose work failed, also where the run is asked to stop.</summary>
    public Task ReleaseAsync(long[] ids) => Context.Database.ExecuteAsync("crm/release", [("token", Token), ("ids", ids)], CancellationToken.None);
}
