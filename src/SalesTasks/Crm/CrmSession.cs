using System.Text.RegularExpressions;
using Npgsql;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;
using SalesTasks.Encryption;

namespace SalesTasks.Crm;

/// <summary>One run with its CRM: connection, mapping, and what the two were checked against.</summary>
internal sealed partial class CrmSession : IAsyncDisposable
{
    /// <summary>Fewer records than these are never an abnormal change.</summary>
    private const int HarmlessChanges = 100;
    private const int HarmlessDeletions = 10;

    private readonly CrmBudget _budget;

    private CrmSession(JobContext context, ICrm crm, CrmMapping mapping, CrmValues values, CrmBudget budget, Vault? vault)
    {
        Context = context;
        Crm = crm;
        Mapping = mapping;
        Values = values;
        Direction = CrmJobs.DirectionOf(context.Parameters);
        Merger = new Merger(values, Direction);
        Store = new CrmStore(context.Parameters.Get(CrmJobs.CrmType), vault, context.Log);
        Sealed = vault is not null;
        _budget = budget;
    }

    public JobContext Context { get; }

    public ICrm Crm { get; }

    public CrmMapping Mapping { get; }

    public CrmValues Values { get; }

    public Merger Merger { get; }

    public CrmStore Store { get; }

    public SyncDirection Direction { get; }

    /// <summary>Phones and notes are sealed in the database.</summary>
    public bool Sealed { get; }

    /// <summary>Calls made.</summary>
    public int Calls => _budget.Calls;

    /// <exception cref="JobException">64: no connection, or faults of the mapping; 69 and 75: the CRM.</exception>
    public static async Task<CrmSession> OpenAsync(JobContext context, CancellationToken cancellationToken)
    {
        var type = context.Parameters.Get(CrmJobs.CrmType);
        var id = context.ConnectionIds.Crm
            ?? throw JobException.Usage($"{ConnectionIds.CrmVariable} is not set; allowed: the id of the CRM's connection.");
        var connection = context.Connections.Resolve(id);
        if ((connection.Type == "salesforce") != (type == "salesforce"))
        {
            throw connection.Source.Fault(
                $"its type is {ConnectionSource.Shown(connection.Type)}, but {CrmJobs.CrmType.Name} is {type}; allowed: {(type == "salesforce" ? type : "http")}");
        }

        var mapping = CrmMapping.Load(type, context.Parameters.Get(CrmJobs.MappingFile));
        var vault = await Vault.OpenAsync(context.Database, context.ConnectionIds, context.Connections, writes: !context.DryRun, cancellationToken);
        var timeout = TimeSpan.FromSeconds(context.Parameters.Get(CrmJobs.RequestTimeout));
        CrmBudget budget = null!;
        ICrm crm = type is "salesforce"
            ? Salesforce.Open(connection, mapping, context.Time, quota => Http("Salesforce", quota))
            : HubSpot.Open(connection, mapping, quota => Http("HubSpot", quota));
        try
        {
            var schemas = new Dictionary<CrmObject, CrmSchema>();
            foreach (var kind in Enum.GetValues<CrmObject>())
            {
                schemas[kind] = await crm.DescribeAsync(kind, cancellationToken);
            }

            var hasOwners = mapping.Deals.Fields.Any(f => f.Ours.Type is OurType.Owner);
            var owners = hasOwners
                ? await crm.ReadOwnersAsync(cancellationToken)
                : new Dictionary<string, string>();
            var reps = await context.Database.InTransactionAsync(
                (c, _, token) => c.QueryStatementAsync("crm/reps", [], row => row.GetString(0), token), cancellationToken);
            var values = new CrmValues(mapping, schemas, owners, reps.ToHashSet(StringComparer.Ordinal));
            List<string> faults = [.. schemas.SelectMany(s => mapping.Check(s.Key, s.Value)), .. hasOwners ? values.UnknownOwners() : []];
            return faults.Count == 0 ? new CrmSession(context, crm, mapping, values, budget, vault) : throw JobException.Usage(string.Join('\n', faults));
        }
        catch
        {
            await crm.DisposeAsync();
            throw;
        }

        CrmHttp Http(string name, CrmQuota quota)
        {
            budget = new CrmBudget(context.DryRun ? null : context.Database, id, quota, timeout, context.Time);
            return new CrmHttp(name, budget, timeout, context.Time);
        }
    }

    /// <summary>Our values of an object as the CRM writes them; what it has nothing for is as it was.</summary>
    public Dictionary<string, string?> Encode(ObjectMapping map, MergeBase last, OurFacts facts) => map.Fields.ToDictionary(
        f => f.Ours.Name,
        f => Values.TryEncode(map.Kind, f, facts.Values.GetValueOrDefault(f.Ours.Name), out var theirs)
            ? theirs
            : last.Ours.GetValueOrDefault(f.Ours.Name),
        StringComparer.Ordinal);

    /// <summary>Our fields in which our side is not what it was when both were in step.</summary>
    public List<string> Changed(ObjectMapping map, CrmLink link, OurFacts ours)
    {
        var now = Encode(map, link.Base, ours);
        return [.. map.Fields.Where(f => !f.Ours.OnlyNew).Select(f => f.Ours.Name).Where(name => now[name] != link.Base.Ours.GetValueOrDefault(name))];
    }

    /// <summary>Stops a run that would change or delete an abnormal share of the records.</summary>
    /// <exception cref="JobException">64: a person has to look, and to allow it.</exception>
    public async Task RequireNormalAsync(
        NpgsqlConnection connection, CrmObject kind, string side, long changed, long deleted, CancellationToken cancellationToken)
    {
        var percent = Context.Parameters.Get(CrmJobs.MaxChangePercent);
        if (percent == 0 || Context.Parameters.Get(CrmJobs.AllowMassChange) || (changed <= HarmlessChanges && deleted <= HarmlessDeletions))
        {
            return;
        }

        // All links are counted only where it matters.
        var linked = await connection.ScalarStatementAsync<long>(
            "crm/linked", Store.Of(kind), cancellationToken);
        foreach (var (count, harmless, what) in ((long, int, string)[])[(changed, HarmlessChanges, "change"), (deleted, HarmlessDeletions, "delete")])
        {
            if (count > harmless && count * 100 > linked * percent)
            {
                throw JobException.Usage(
                    $"This run would {what} {count} of {linked} linked {CrmStore.Word(kind)}s {side}: more than max_change_percent = {percent}. "
                    + $"Nothing was changed. If that is meant, run once with {CrmJobs.AllowMassChange.Flag}.");
            }
        }
    }

    public ValueTask DisposeAsync() => Crm.DisposeAsync();

    /// <summary>A CRM's reason as it is kept: short, and without addresses.</summary>
    public static string Masked(string? reason, IReadOnlyDictionary<string, string?>? values = null)
    {
        var text = reason ?? "no reason was told";
        foreach (var value in SealedPlaces.Fields.Select(f => values?.GetValueOrDefault(f)).Where(v => v is { Length: > 3 }))
        {
            // Some CRMs repeat what they refuse.
            text = text.Replace(value!, "…", StringComparison.OrdinalIgnoreCase);
        }

        text = Address().Replace(text, "…@…");
        return text.Length <= 300 ? text : text[..300];
    }

    [GeneratedRegex(@"[^\s""'<>:;,()\[\]]+@[^\s""'<>:;,()\[\]]+")]
    private static partial Regex Address();
}
