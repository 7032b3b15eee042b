using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Routing;

/// <summary>A situation as read from the database, in one snapshot.</summary>
/// <param name="Situation">What the plan is made from.</param>
/// <param name="LeftForLater">Leads beyond <c>max_leads_per_run</c>.</param>
internal sealed record LoadedSituation(RoutingSituation Situation, long LeftForLater)
{
    private const double DefaultProbability = 0.2;

    public static async Task<LoadedSituation> LoadAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var connection = await context.Database.OpenAsync(cancellationToken);
        // Reps, history and leads as of one moment, so that a lead given away in between is not counted twice.
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var asOf = context.AsOf;
        (string, object?)[] due =
        [
            ("only_unassigned", context.Parameters.Get(RoutingJobs.OnlyUnassigned)),
            ("stale_since_at", asOf.AddDays(-context.Parameters.Get(RoutingJobs.ReassignStaleDays))),
        ];
        if (!await connection.ScalarStatementAsync<bool>("routing/any_leads", due, cancellationToken))
        {
            return Nothing(context);
        }

        var reps = await connection.QueryStatementAsync("routing/load_reps", [("as_of", asOf)], ReadRep, cancellationToken);
        var history = await connection.QueryStatementAsync(
            "routing/load_history",
            [("since_at", asOf.AddDays(-context.Parameters.Get(RoutingJobs.WinRateDays))), ("as_of", asOf)],
            row => new ClosedDeals(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt32(4)),
            cancellationToken);
        var rates = WinRates.Learn(history);
        var byEmail = reps.Index().ToDictionary(r => r.Item.Email, r => r.Index, StringComparer.Ordinal);
        var classes = new Numbers<LeadClass>();
        var products = new Numbers<string>(rates.Products);
        // What neither a deal nor a rep knows is one kind, however many words people have for it.
        HashSet<string> known = [.. rates.Products, .. reps.SelectMany(r => r.Specialisations)];
        var leads = new List<RoutingLead>();
        long all = 0;
        await using (var command = Sql.Command(
            connection,
            "routing/load_leads",
            [.. due, ("limit", context.MaxLeads), ("limited", context.MaxLeads < long.MaxValue)]))
        {
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            while (await row.ReadAsync(cancellationToken))
            {
                leads.Add(ReadLead(row, asOf, byEmail, classes, products, known));
                all = row.GetInt64(13);
            }
        }

        await snapshot.CommitAsync(cancellationToken);
        return new LoadedSituation(
            new RoutingSituation
            {
                Reps = [.. reps.Select(r => r with { Skill = rates[r.Email] })],
                Classes = classes.Items,
                Products = products.Items,
                Regions = rates.Regions,
                Leads = WithValues(leads),
                Seed = SeedOf(context.Run.IdempotencyKey),
                TeamWinRate = rates.Team,
            },
            all - leads.Count);
    }

    private static LoadedSituation Nothing(JobContext context) => new(
        new RoutingSituation { Reps = [], Classes = [], Products = [], Regions = [], Leads = [], Seed = SeedOf(context.Run.IdempotencyKey) }, 0);

    /// <summary>The same for every try of a run, and different from run to run.</summary>
    internal static long SeedOf(string key)
    {
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key));
        return BitConverter.ToInt64(hash);
    }

    private static RoutingRep ReadRep(NpgsqlDataReader row) => new()
    {
        Email = row.GetString(0),
        Active = row.GetBoolean(1),
        Absent = row.GetBoolean(2),
        Capacity = row.IsDBNull(3) ? null : row.GetInt32(3),
        Minimum = row.IsDBNull(4) ? null : row.GetInt32(4),
        Weight = row.GetDouble(5),
        Load = row.GetInt32(6),
        OverdueTasks = row.GetInt32(7),
        Specialisations = row.GetFieldValue<string[]>(8),
        Languages = row.GetFieldValue<string[]>(9),
        Regions = row.GetFieldValue<string[]>(10),
    };

    private static RoutingLead ReadLead(
        NpgsqlDataReader row, DateTimeOffset asOf, Dictionary<string, int> reps, Numbers<LeadClass> classes, Numbers<string> products,
        HashSet<string> known)
    {
        var kind = (LeadKind)row.GetInt32(3);
        var owner = row.IsDBNull(2) ? null : row.GetString(2);
        var contacted = row.IsDBNull(4) ? (DateTimeOffset?)null : row.GetInstant(4);
        var since = row.GetInstant(5);
        var owned = owner is null ? (double?)null : Math.Max((asOf - since).TotalDays, 0);
        return new RoutingLead
        {
            PipelineId = row.GetInt64(0),
            LeadId = row.GetInt64(1),
            Kind = kind,
            Owner = owner is null ? RoutingLead.NoOwner : reps.GetValueOrDefault(owner, RoutingLead.OwnerIsNoRep),
            OwnerName = owner,
            ContactedAt = contacted,
            OwnedDays = owned,
            SilentDays = owner is null ? null : Math.Max((asOf - (contacted is { } at && at > since ? at : since)).TotalDays, 0),
            Hops = row.GetInt32(6),
            // Below nothing is no value to anybody, and any lead would be better given to nobody.
            Value = row.IsDBNull(7) ? double.NaN : Math.Max((double)row.GetDecimal(7), 0),
            ValueKnown = !row.IsDBNull(7),
            Probability = row.IsDBNull(8) ? DefaultProbability : Math.Clamp(row.GetInt32(8) / 100.0, 0.01, 0.99),
            Class = classes.Of(new LeadClass(row.GetString(9), row.GetString(10), row.GetString(11))),
            Product = products.Of(row.GetString(12) is var product && known.Contains(product) ? product : ""),
        };
    }

    /// <summary>Leads of unknown value count as the median of those whose value is known; where none is, all count the same.</summary>
    private static List<RoutingLead> WithValues(List<RoutingLead> leads)
    {
        var known = leads.Where(l => l.ValueKnown).Select(l => l.Value).Order().ToArray();
        var median = known.Length == 0 || known[known.Length / 2] <= 0 ? 1 : known[known.Length / 2];
        return [.. leads.Select(l => l.ValueKnown ? l : l with { Value = median })];
    }

    /// <summary>Numbers things in the order they come.</summary>
    private sealed class Numbers<T>(params IEnumerable<T> first)
        where T : notnull
    {
        private readonly Dictionary<T, int> _numbers = first.Index().ToDictionary(f => f.Item, f => f.Index);
        private readonly List<T> _items = [.. first];

        public IReadOnlyList<T> Items => _items;

        public int Of(T item)
        {
            if (!_numbers.TryGetValue(item, out var number))
            {
                number = _items.Count;
                _numbers.Add(item, number);
                _items.Add(item);
            }

            return number;
        }
    }
}
